"""分层: the tier by month-average AUM, moved up at once and down slowly (rules K01–K03).

A tier is decided at the close of a month and in force for the next one. Reaching a higher floor
raises it at once; falling below the floor of the tier in force starts a watch, and only after the
tier's number of consecutive months below (``n_down``, more for private-banking tiers) is it
lowered, to the tier of the last month's average. A month back at the floor ends the watch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from playbook.segment.month import Assets

#: Why the tier is what it is: lowered or raised at the last close · below the floor but still kept
#: · the lowest tier · first month on record · kept because the floor is reached, with no other tier
#: on record (since when is not known) or since the last move.
REASONS = ("lowered", "raised", "watch", "base", "first", "always", "kept")


@dataclass(frozen=True)
class Tiers:
    """Tier codes (positions in ``policy.tier_codes``) by client and month; −1 before the start.

    ``calc`` reached by the month's average alone (K01) · ``before`` in force during the month ·
    ``decided`` at its close, in force for the next month (K02) · ``watch`` consecutive months
    below the floor of ``decided`` · ``since`` column of the close that put it in force.
    """

    calc: np.ndarray
    before: np.ndarray
    decided: np.ndarray
    watch: np.ndarray
    since: np.ndarray


def reached(avg: np.ndarray, floors: np.ndarray) -> np.ndarray:
    """K01: position of the highest floor that ``avg`` (yuan) reaches; a band is closed below and
    open above, so exactly one tier fits."""
    return np.maximum(np.searchsorted(floors, avg, side="right") - 1, 0).astype(np.int8)


def follow(calc: np.ndarray, start: np.ndarray, n_down: np.ndarray) -> Tiers:
    """K02: the tier in force from the tiers reached, ``calc`` (clients × months).

    ``start`` is each client's first column on record, whose own tier is the first in force;
    ``n_down`` the months below the floor that lower each tier.

    Followed from change to change, all clients at once: for the tier now in force, the first later
    month that is above it, or is the ``n_down``-th in a row below it, is the next change. In a
    month of change the tier reached is the new tier, so a run below never crosses a change.
    """
    n, m = calc.shape
    month = np.arange(m, dtype=np.int16)
    changed = month == start[:, None]
    current = np.take_along_axis(calc, start[:, None], axis=1)[:, 0] if n else calc[:, 0]
    current, last = current.copy(), start.copy()
    active = np.flatnonzero((calc != current[:, None]).any(axis=1))
    while active.size:
        seen, level = calc[active], current[active][:, None]
        run = _run(seen < level, month)
        due = (seen > level) | (run >= n_down[level])
        due &= month > last[active][:, None]
        hit = due.any(axis=1)
        active, at = active[hit], due[hit].argmax(axis=1)
        changed[active, at] = True
        current[active], last[active] = seen[hit, at], at
    since = np.maximum.accumulate(np.where(changed, month, -1), axis=1) if m else changed
    decided = np.take_along_axis(calc, np.maximum(since, 0).astype(np.int64), axis=1)
    unknown = since < 0
    watch = _run((calc < decided) & ~unknown, month)
    decided = np.where(unknown, -1, decided).astype(np.int8)
    before = np.empty_like(decided)
    before[:, 1:], before[:, 0] = decided[:, :-1], -1
    rows = np.arange(n)
    before[rows, start] = decided[rows, start]
    return Tiers(np.where(unknown, -1, calc).astype(np.int8), before, decided, watch, since)


def near(
    avg: np.ndarray, decided: np.ndarray, floors: np.ndarray, ratio: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """K03: next tier above the one in force (−1 at the top), whether it is near, and the gap.

    Near means: at or above the floor of the tier in force, and at least ``ratio`` of the next
    floor. A client on watch is never near: first the own floor has to be reached again. The gap
    (yuan, NaN at the top) is to the next floor.
    """
    top = len(floors) - 1
    following = np.where((decided >= 0) & (decided < top), decided + 1, -1)
    floor = np.where(following >= 0, floors[following], np.nan)
    own = floors[np.maximum(decided, 0)]
    is_near = (following >= 0) & (avg >= own) & (avg >= np.round(floor * ratio, 2)) & (avg < floor)
    return following, is_near, np.round(floor - avg, 2)


def tiers_of(assets: Assets, policy) -> Tiers:
    """The tiers of all clients of a book in all its months."""
    n_down = np.array([policy.n_down(code) for code in policy.tier_codes])
    return follow(reached(assets.tier_avg, policy.floors), assets.tier_start, n_down)


def columns(assets: Assets, tiers: Tiers, policy) -> pd.DataFrame:
    """Tier columns of every client at the last close, one row per row of ``assets``.

    ``tier`` is in force for the coming month, since ``tier_since`` (first day of a month);
    ``basis`` and ``whose`` say by whose assets (two columns, for they are worded differently);
    ``tier_aum`` is the average that decides it (yuan), ``tier_floor`` its floor, ``floor_gap``
    what is missing to that floor (0 when reached), ``next_tier``, ``next_floor`` and
    ``gap_amount`` the way up, ``near_tier`` the next tier when it is near, ``near_share`` the part
    of the next floor already reached, ``watch_months`` of ``n_down`` months below the floor
    (``n_down_before`` for the tier before), ``months_left`` until it would be lowered.
    """
    n, m = assets.shape
    rows, last = np.arange(n), m - 1
    aum, decided = assets.tier_avg[:, last], tiers.decided[:, last]
    following, is_near, gap = near(aum, decided, policy.floors, policy.tiering.near_ratio)
    before, since, watch = tiers.before[:, last], tiers.since[:, last], tiers.watch[:, last]
    floor = policy.floors[decided] if n else np.empty(0)
    n_down = np.array([policy.n_down(code) for code in policy.tier_codes])
    fresh = since == last
    asked = [
        fresh & (decided < before),
        fresh & (decided > before),
        watch > 0,
        (decided == 0) & (following > 0),
        assets.tier_start == last,
        since == assets.tier_start,
        np.ones(n, dtype=bool),
    ]
    reason = np.select(asked, range(len(asked)), 0) if n else np.empty(0, np.int8)
    starts = assets.months.append(pd.DatetimeIndex([assets.months[-1] + pd.offsets.MonthBegin()]))
    in_force = since + (since > assets.tier_start)
    codes = policy.tier_codes
    scope = np.array([code in set(policy.in_scope) for code in codes])
    next_floor = np.where(following >= 0, policy.floors[following], np.nan)

    def tier(code: np.ndarray) -> pd.Categorical:
        return pd.Categorical.from_codes(code, dtype=policy.tier_dtype)

    return pd.DataFrame(
        {
            "month": np.full(n, assets.months[-1].to_datetime64()),
            "basis": pd.Categorical([policy.tiering.basis] * n),
            "whose": pd.Categorical([policy.tiering.basis] * n),
            "aum_avg": assets.avg[rows, last],
            "aum_end": assets.end[rows, last],
            "tier_aum": aum,
            "tier_calc": tier(tiers.calc[:, last]),
            "tier_before": tier(before),
            "tier": tier(decided),
            "tier_since": starts.values[in_force],
            "watch_months": watch.astype(np.int64),
            "n_down": n_down[decided],
            "n_down_before": n_down[before],
            "months_left": (n_down[decided] - watch).astype(np.int64),
            "tier_floor": floor,
            "floor_gap": np.round(np.maximum(floor - aum, 0.0), 2),
            "next_tier": tier(following),
            "next_floor": next_floor,
            "gap_amount": gap,
            "near_tier": tier(np.where(is_near, following, -1)),
            "near_share": aum / next_floor,
            "in_scope": scope[decided],
            "uhnw": aum >= policy.tiering.uhnw_floor,
            "tier_reason": pd.Categorical.from_codes(reason, REASONS),
        }
    )


def _run(flag: np.ndarray, month: np.ndarray) -> np.ndarray:
    """Length of the run of true values that ends in each column."""
    if not flag.shape[1]:
        return flag.astype(np.int16)
    return month - np.maximum.accumulate(np.where(flag, np.int16(-1), month), axis=1)
