"""The plain order of domain 3.1: one row after the other, each on its first free day.

It is what a careful adviser would do by hand, the start and the yardstick of the search for the
best plan, and the named fallback when that search is cut off.
"""

from __future__ import annotations

import numpy as np

from playbook.plan.work import Work


def fill(work: Work, start: np.ndarray | None = None, pool: np.ndarray | None = None) -> np.ndarray:
    """Position in ``work.days`` per row, −1 where there is no room.

    Rows are taken in the order of ``work`` (class, score, ``row_id``); rows that ``start`` has
    placed stay where they are. ``pool`` gives minutes per adviser that may be worked beyond the
    capacity, on any of the adviser's days.
    """
    day = np.full(len(work), -1) if start is None else start.copy()
    minutes, visits = work.load(day)
    spare = np.zeros(len(work.advisers), dtype=np.int64) if pool is None else pool.copy()
    spare -= np.maximum(minutes - work.cap, 0).sum(axis=1)
    window = work.window()
    # Each row's room depends on the rows before it: this cannot be one array operation.
    for row in np.flatnonzero((day < 0) & window.any(axis=1)):
        adviser, visit = work.adviser[row], int(work.visit[row])
        over = np.maximum(minutes[adviser] + work.minutes[row] - work.cap[adviser], 0)
        over -= np.maximum(minutes[adviser] - work.cap[adviser], 0)
        room = window[row] & (over <= spare[adviser])
        room &= visits[adviser] + visit <= work.visits[adviser] if visit else True
        room &= ~work.too_close(row, day)
        if room.any():
            at = int(room.argmax())
            day[row] = at
            minutes[adviser, at] += work.minutes[row]
            visits[adviser, at] += visit
            spare[adviser] -= over[at]
    return day


def earlier(work: Work, day: np.ndarray) -> np.ndarray:
    """The same rows as early as they can be, the important ones first.

    When the plain order finds room for all of them it decides the days; otherwise each row moves
    to its first free day, until no row can move alone.
    """
    chosen = np.flatnonzero(day >= 0)
    fresh = fill(work.only(chosen))
    if (fresh >= 0).all():
        day = day.copy()
        day[chosen] = fresh
        return day
    while True:
        before = day
        for row in chosen:
            lifted = day.copy()
            lifted[row] = -1
            one = _first(work, lifted, row)
            if one < day[row]:
                lifted[row] = one
                day = lifted
        if (day == before).all():
            return day


def _first(work: Work, day: np.ndarray, row: int) -> int:
    minutes, visits = work.load(day)
    adviser = work.adviser[row]
    room = work.window()[row] & ~work.too_close(row, day)
    room &= minutes[adviser] + work.minutes[row] <= work.cap[adviser]
    if work.visit[row]:
        room &= visits[adviser] + 1 <= work.visits[adviser]
    return int(room.argmax()) if room.any() else int(day.max(initial=0)) + len(work.days)
