"""Days of the sample: months, working days and whole months, as numbers that NumPy adds up.

A day is the number of days since 1970-01-01 (``int64``); a month is its position in the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np


def day(text: object) -> int:
    """The day number of an ISO date."""
    return int(np.datetime64(str(text), "D").astype("int64"))


def dates(days: np.ndarray, empty: np.ndarray | None = None) -> np.ndarray:
    """Day numbers as dates; NaT where ``empty``."""
    out = np.asarray(days).astype("int64").astype("datetime64[D]").astype("datetime64[s]")
    if empty is not None:
        out = np.where(empty, np.datetime64("NaT", "s"), out)
    return out


def add_months(days: np.ndarray, n: int) -> np.ndarray:
    """The same day ``n`` months later, or the month's last day where there is no such day."""
    date = np.asarray(days).astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    within = (date - month.astype("datetime64[D]")).astype("int64")
    target = month + n
    length = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype("int64")
    return target.astype("datetime64[D]").astype("int64") + np.minimum(within, length - 1)


@dataclass(frozen=True)
class Clock:
    """The history: ``first[m]`` and ``last[m]`` day of month ``m``, and its working days."""

    as_of: int
    months: np.ndarray
    first: np.ndarray
    last: np.ndarray
    workdays: np.ndarray

    @property
    def n(self) -> int:
        """Months of history."""
        return len(self.months)

    def working(self, days: np.ndarray) -> np.ndarray:
        """The latest working day on or before each day."""
        at = np.searchsorted(self.workdays, days, side="right") - 1
        return self.workdays[np.maximum(at, 0)]

    def month_of(self, days: np.ndarray) -> np.ndarray:
        """Position of each day's month in the history; -1 before it."""
        return np.searchsorted(self.first, days, side="right") - 1


def clock(p: SimpleNamespace, months: int | None = None) -> Clock:
    """The history that ends on ``horizon.as_of``."""
    as_of = np.datetime64(str(p.horizon.as_of), "D")
    end = as_of.astype("datetime64[M]") + 1
    month = end - np.arange(months or p.horizon.months, 0, -1)
    first = month.astype("datetime64[D]").astype("int64")
    last = (month + 1).astype("datetime64[D]").astype("int64") - 1
    # A week before the history too: a call may come before a maturity of its first days.
    span = np.arange(first[0] - 10, last[-1] + 1)
    closed = np.array([day(text) for text in p.horizon.holidays])
    weekday = (span + 3) % 7
    work = span[(weekday < 5) & ~np.isin(span, closed)]
    return Clock(day(as_of), month, first, last, work)
