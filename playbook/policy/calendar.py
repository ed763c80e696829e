"""Working days and festivals of mainland China.

Days off and make-up working days (调休) are those of the State Council's yearly notice, as the
package ``holidays`` carries them; lunar dates come from ``cnlunar``. The notice for a year appears
in the autumn before it: for later years only the statutory days off are known, no make-up days,
and :func:`is_published` says so. Whoever shows a plan for such a year must say it too.

Days are anything that numpy can read as ``datetime64[D]``; arrays and pandas columns are answered
element by element, a missing date is no working day. Nothing here reads the clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from playbook.policy.rules import FESTIVALS

#: Years for which both packages hold tables.
FIRST_YEAR, LAST_YEAR = 1951, 2099

_DAY = "datetime64[D]"
#: Lunar month and day of a festival, and the window of the solar year in which it must fall.
_LUNAR = {
    "spring": ((1, 1), (1, 20), (2, 22)),
    "lantern": ((1, 15), (2, 3), (3, 8)),
    "dragon_boat": ((5, 5), (5, 27), (6, 28)),
    "mid_autumn": ((8, 15), (9, 6), (10, 9)),
    "double_ninth": ((9, 9), (9, 30), (11, 2)),
}


def known_until() -> dt.date:
    """Last day for which make-up working days are published and known here."""
    return dt.date(max(_make_up_years()), 12, 31)


def is_published(year: int) -> bool:
    """Whether the days off and make-up days of ``year`` are published and known here."""
    return FIRST_YEAR <= year <= known_until().year


def is_working_day(days) -> np.ndarray:
    """Working days among ``days``: boolean array of the same shape; a missing date is False.

    Raises ``ValueError`` for a year outside ``FIRST_YEAR`` … ``LAST_YEAR``.
    """
    days = _days(days)
    known = ~np.isnat(days)
    if not known.any():
        return np.zeros(days.shape, dtype=bool)
    first, flags = _flags(days[known].min(), days[known].max())
    at = np.where(known, days, first) - first
    return flags[at.astype(np.int64)] & known


def working_days(start, end) -> pd.DatetimeIndex:
    """The working days from ``start`` to ``end``, both included."""
    days = np.arange(_day(start), _day(end) + np.timedelta64(1, "D"))
    return pd.DatetimeIndex(days[is_working_day(days)]).as_unit("s")


def add_working_days(days, n: int) -> np.ndarray:
    """The ``n``-th working day after each of ``days`` (before it for a negative ``n``).

    The day itself is not counted, whether it is a working day or not; ``n = 0`` gives the first
    working day on or after it. ``datetime64[D]`` array of the same shape.
    """
    days = _days(days)
    known = ~np.isnat(days)
    if not known.any():
        return days.copy()
    # Nobody is off for more than two weeks, so twice the span and a month are room enough.
    room = np.timedelta64(2 * abs(int(n)) + 31, "D")
    low, high = _limits()
    first, flags = _flags(max(days[known].min() - room, low), min(days[known].max() + room, high))
    open_days = first + np.flatnonzero(flags).astype("timedelta64[D]")
    side = "right" if n > 0 else "left"
    at = np.searchsorted(open_days, np.where(known, days, first), side=side)
    at = at + (n - 1 if n > 0 else n)
    if (at[known] < 0).any() or (at[known] >= len(open_days)).any():
        raise ValueError(f"working days are known for {FIRST_YEAR} to {LAST_YEAR} only")
    found = open_days[np.clip(at, 0, len(open_days) - 1)]
    return np.where(known, found, np.datetime64("NaT", "D"))


def next_working_day(days) -> np.ndarray:
    """The first working day on or after each of ``days``."""
    return add_working_days(days, 0)


def festivals(start, end) -> pd.DataFrame:
    """Festivals from ``start`` to ``end``, both included: columns ``festival``, ``date``.

    The day itself (春节 is the first day of the lunar year, 国庆 1 October), in order of date.
    """
    first, last = _day(start), _day(end)
    years = range(int(str(first)[:4]), int(str(last)[:4]) + 1)
    rows = [
        (name, day) for year in years for name, day in _festivals(year).items()
        if first <= np.datetime64(day, "D") <= last
    ]  # fmt: skip
    rows.sort(key=lambda row: row[1])
    return pd.DataFrame(
        {
            "festival": pd.Series([name for name, _ in rows], dtype="str"),
            "date": pd.DatetimeIndex([day for _, day in rows]).as_unit("s"),
        }
    )


# ------------------------------------------------------------------------------------- days


def _days(days) -> np.ndarray:
    if isinstance(days, (pd.Series, pd.Index)):
        days = days.to_numpy()
    return np.asarray(days).astype(_DAY)


def _day(day) -> np.datetime64:
    return np.datetime64(pd.Timestamp(day).date(), "D")


def _limits() -> tuple[np.datetime64, np.datetime64]:
    return np.datetime64(f"{FIRST_YEAR}-01-01"), np.datetime64(f"{LAST_YEAR}-12-31")


def _flags(low: np.datetime64, high: np.datetime64) -> tuple[np.datetime64, np.ndarray]:
    """First day of the year of ``low``, and for each day up to the year of ``high`` whether it is
    a working day."""
    bottom, top = _limits()
    if low < bottom or high > top:
        raise ValueError(f"working days are known for {FIRST_YEAR} to {LAST_YEAR} only")
    years = range(int(str(low)[:4]), int(str(high)[:4]) + 1)
    return np.datetime64(f"{years[0]}-01-01"), np.concatenate([_year(year) for year in years])


@cache
def _year(year: int) -> np.ndarray:
    off, make_up = _country(year)
    days = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype=_DAY)
    return (np.is_busday(days) & ~np.isin(days, _listed(off))) | np.isin(days, _listed(make_up))


def _listed(days: list[dt.date]) -> np.ndarray:
    return np.array(days, dtype=_DAY)


@cache
def _country(year: int) -> tuple[list[dt.date], list[dt.date]]:
    # Imported when days are asked for: it takes a fifth of a second.
    from holidays.countries.china import China

    found = China(years=year)
    off = [day for day in found if day.year == year]
    return off, [day for day in found.weekend_workdays if day.year == year]


@cache
def _make_up_years() -> frozenset[int]:
    # Every notice moves days; a later year without any has no notice in the package yet.
    from holidays.countries.china import China

    return frozenset(day.year for day in China(years=range(FIRST_YEAR, LAST_YEAR)).weekend_workdays)


# -------------------------------------------------------------------------------- festivals


@cache
def _festivals(year: int) -> dict[str, dt.date]:
    found = {name: _lunar_day(year, *place) for name, place in _LUNAR.items()}
    found["qingming"] = _first(year, (4, 3), (4, 7), lambda day: day.todaySolarTerms == "清明")
    found["national"] = dt.date(year, 10, 1)
    return {name: found[name] for name in FESTIVALS}


def _lunar_day(year: int, lunar: tuple[int, int], low, high) -> dt.date:
    month, day = lunar
    return _first(
        year, low, high,
        lambda at: (at.lunarMonth, at.lunarDay, at.isLunarLeapMonth) == (month, day, False),
    )  # fmt: skip


def _first(year: int, low, high, matches: Callable[[object], bool]) -> dt.date:
    import cnlunar

    day, last = dt.datetime(year, *low, 12), dt.datetime(year, *high, 12)
    while day <= last:
        if matches(cnlunar.Lunar(day)):
            return day.date()
        day += dt.timedelta(days=1)
    raise ValueError(f"no such day in {year}")
