"""At what time a planned row starts: inside the hours of its channel, when the client likes it.

Times are a proposal for the adviser's calendar. A row that finds no free stretch inside the
allowed hours gets no time (NaT) and stays on its day: the adviser agrees a time with the client.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from playbook.policy import Policy

_HOUR = pd.Timedelta(hours=1) // pd.Timedelta(minutes=1)


def start_times(planned: pd.DataFrame, policy: Policy) -> pd.Series:
    """Start (datetime) per row of ``planned``; nothing of one adviser overlaps.

    Needs columns adviser_id, day, minutes, channel; ``best_time`` is used where it is given. Rows
    are served in their order; within a day, those whose client named a time first. A channel
    without hours in the policy is a ``ValueError``.
    """
    hours = policy.planning.hours
    strange = sorted(set(planned["channel"].dropna()) - set(hours))
    if strange or planned["channel"].isna().any():
        words = ", ".join(strange) or "(empty)"
        raise ValueError(f"rows: no hours in the policy for channel {words}")
    best = planned["best_time"] if "best_time" in planned else pd.Series(pd.NA, planned.index)
    best = best.astype("str").where(best.isin(list(policy.planning.best_times)), None)
    order = np.lexsort((np.arange(len(planned)), best.isna().to_numpy()))
    busy: dict[tuple, list[tuple[int, int]]] = {}
    minute = np.full(len(planned), np.nan)
    channel, length = planned["channel"].to_list(), planned["minutes"].to_list()
    keys = list(zip(planned["adviser_id"], planned["day"], strict=True))
    liked = best.to_list()
    # Each start depends on the rows before it on that day.
    for at in order:
        taken = busy.setdefault(keys[at], [])
        allowed = _spans(hours[channel[at]])
        wish = policy.planning.best_times.get(liked[at]) if isinstance(liked[at], str) else None
        start = None
        if wish is not None:
            start = _first(_within(allowed, _spans({"": wish})), taken, length[at])
        if start is None:
            start = _first(allowed, taken, length[at])
        if start is not None:
            minute[at] = start
            taken.append((start, start + length[at]))
            taken.sort()
    return planned["day"] + pd.to_timedelta(pd.Series(minute, planned.index), unit="min")


def _spans(spans: Mapping) -> list[tuple[int, int]]:
    return [(round(span.start * _HOUR), round(span.end * _HOUR)) for span in spans.values()]


def _within(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    both = [(max(a, c), min(b, d)) for a, b in some for c, d in others]
    return [(start, end) for start, end in both if start < end]


def _first(
    allowed: list[tuple[int, int]], taken: list[tuple[int, int]], length: int
) -> int | None:
    """The first start at which ``length`` minutes lie in an allowed span and meet nothing."""
    for begin, end in allowed:
        start = begin
        for a, b in taken:
            if a < start + length and b > start:
                start = b
        if start + length <= end:
            return start
    return None
