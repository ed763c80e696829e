"""From the day of an event to the days on which the work can be done, and the month it belongs to.

A day of a stage that falls on a day off moves: a day before the event moves back (a greeting must
not come late, a maturity must not pass), a day after it moves on. Windows do not depend on the
month that is planned, so the same event gives the same row in every month that still sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from playbook.policy.calendar import add_working_days, next_working_day, working_days

_DAY = "datetime64[D]"
#: Last day of a window that has none.
OPEN_END = np.datetime64("2099-12-01", "D")


@dataclass(frozen=True)
class Month:
    """The planned month: first and last day, first and last working day, and the book's day."""

    start: np.datetime64
    end: np.datetime64
    first: np.datetime64
    last: np.datetime64
    as_of: np.datetime64

    @classmethod
    def after(cls, book) -> Month:
        """The month after the book's last complete one (after the one of ``as_of`` without any).

        When ``as_of`` lies within it, only the days after ``as_of`` are left to plan.
        """
        closed = pd.Timestamp(book.last_month or book.as_of).replace(day=1)
        start = closed + pd.offsets.MonthBegin(1)
        end = start + pd.offsets.MonthEnd(0)
        days = working_days(start, end).to_numpy().astype(_DAY)
        as_of = np.datetime64(book.as_of, "D")
        left = days[days > as_of]
        return cls(_day(start), _day(end), (left if len(left) else days[-1:])[0], days[-1], as_of)


def _day(stamp: pd.Timestamp) -> np.datetime64:
    return np.datetime64(stamp.date(), "D")


def day_of(dates) -> np.ndarray:
    """Dates as ``datetime64[D]``; a missing one is NaT."""
    return pd.DatetimeIndex(dates).to_numpy().astype(_DAY)


def previous_working_day(days: np.ndarray) -> np.ndarray:
    """The last working day on or before each of ``days``."""
    return add_working_days(np.asarray(days) + np.timedelta64(1, "D"), -1)


def settle(
    anchor: np.ndarray, days: tuple[int, int, int], lasting: bool, cap: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First, due and last working day of a stage around ``anchor`` (``datetime64[D]``).

    ``days`` are the stage's offsets, ``cap`` a last day that is known otherwise. A window without
    any working day shrinks to its moved due day.
    """
    first, due, last = (anchor + np.timedelta64(offset, "D") for offset in days)
    if cap is not None:
        last = np.where(np.isnat(cap), last, np.minimum(last, cap))
    before = days[1] <= 0
    moved = previous_working_day(due) if before else next_working_day(due)
    low = next_working_day(first)
    high = np.full(len(anchor), OPEN_END) if lasting else previous_working_day(last)
    room = low <= high
    due_on = np.where(room, np.clip(moved, low, np.maximum(low, high)), moved)
    return np.where(room, low, due_on), due_on, np.where(room, high, due_on)
