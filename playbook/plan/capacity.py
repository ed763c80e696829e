"""工时: what the work costs and how many minutes there are for it (rule K12, domain 2.6).

Two views of the same numbers: :func:`workload` is the arithmetic of a typical month ("how many
clients can one adviser look after?"), :func:`capacity_of` the minutes of each adviser on each
working day of the month that is planned.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.policy import Policy
from playbook.policy.calendar import working_days

MONTHS_PER_YEAR = 12
#: Columns of a table of days away: first and last day, both included.
LEAVE = ("adviser_id", "start_on", "end_on")


def call_minutes(policy: Policy) -> float:
    """Minutes of one call that reaches the client: talk and log, preparation, failed attempts."""
    cost = policy.capacity
    failed = (1 / cost.reach_share - 1) * cost.failed_call_minutes
    return cost.talk_minutes + cost.call_prep_minutes + failed


def unit_minutes(policy: Policy) -> dict[str, int]:
    """Whole minutes per kind of work: ``call``, ``message``, ``visit``, ``review``."""
    cost = policy.capacity
    return {
        "call": round(call_minutes(policy)),
        "message": cost.message_minutes,
        "visit": cost.visit_minutes,
        "review": cost.review_minutes,
    }


def workload(clients: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """The load of books of clients in a typical month (domain 2.6).

    ``clients``: one row per book, one column per tier code, number of clients (may be fractions of
    a client for a mix). Tiers without a service standard in the row cost nothing but triggers.
    Columns of the answer, same index: ``clients``, ``contacts``, ``visits``, ``reviews``,
    ``triggers`` (per month), ``minutes``, ``capacity`` (minutes of one adviser at the policy's
    share), ``load`` (fraction). ``triggers`` counts the tiers in scope.
    Raises ``ValueError`` for a column that is no tier.
    """
    unknown = [name for name in clients.columns if name not in policy.tier_codes]
    if unknown:
        raise ValueError(f"no tier of the policy: {', '.join(map(str, unknown))}")
    codes = list(clients.columns)
    n = clients.to_numpy(dtype=np.float64)
    cost = policy.capacity

    def monthly(field: str) -> np.ndarray:
        yearly = np.array([getattr(policy.standards[code], field) for code in codes], dtype=float)
        return n @ (yearly / MONTHS_PER_YEAR)

    served = np.array([code in policy.in_scope for code in codes], dtype=float)
    contacts, visits = monthly("contacts_per_year"), monthly("visits_per_year")
    reviews, triggers = monthly("reviews_per_year"), (n @ served) * cost.trigger_share
    minutes = (
        (contacts + triggers) * call_minutes(policy)
        + visits * cost.visit_minutes
        + reviews * cost.review_minutes
    )
    capacity = cost.working_days * cost.minutes_per_day * cost.client_facing_share
    return pd.DataFrame(
        {
            "clients": n.sum(axis=1), "contacts": contacts, "visits": visits, "reviews": reviews,
            "triggers": triggers, "minutes": minutes, "capacity": capacity,
            "load": minutes / capacity,
        },
        index=clients.index,
    )  # fmt: skip


def capacity_of(
    advisers: pd.DataFrame, month, policy: Policy, leave: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Minutes and visits of every adviser on every working day of ``month``.

    ``advisers`` as in the book; ``month`` any day of it; ``leave`` days away with the columns
    ``adviser_id``, ``start_on``, ``end_on`` (both included). Columns of the answer: ``adviser_id``,
    ``day``, ``minutes``, ``visits``, ``level``, ``away``. An adviser's own ``client_facing_share``
    is used where it is on file, else the policy's. A day away has no minutes.
    Raises ``ValueError`` for a leave table without its columns, of unknown advisers, or that ends
    before it starts.
    """
    days = working_days(*_span(month))
    cost = policy.capacity
    share = advisers["client_facing_share"].fillna(cost.client_facing_share)
    # A share is a decimal fraction; the half minute that binary arithmetic may lose is no minute.
    minutes = np.rint(share.to_numpy(np.float64) * cost.minutes_per_day).astype(np.int64)
    n, m = len(advisers), len(days)
    away = _away(advisers["adviser_id"], days, leave)
    return pd.DataFrame(
        {
            "adviser_id": np.repeat(advisers["adviser_id"].to_numpy(dtype=object), m),
            "day": np.tile(days.to_numpy(), n),
            "minutes": np.where(away.ravel(), 0, np.repeat(minutes, m)),
            "visits": np.where(away.ravel(), 0, cost.visits_per_day),
            "level": np.repeat(advisers["level"].astype("str").to_numpy(dtype=object), m),
            "away": away.ravel(),
        }
    ).astype({"adviser_id": "str", "level": "str"})


def _span(month) -> tuple[pd.Timestamp, pd.Timestamp]:
    first = pd.Timestamp(month).normalize().replace(day=1)
    return first, first + pd.offsets.MonthEnd(0)


def _away(ids: pd.Series, days: pd.DatetimeIndex, leave: pd.DataFrame | None) -> np.ndarray:
    away = np.zeros((len(ids), len(days)), dtype=bool)
    if leave is None or not len(leave):
        return away
    missing = [name for name in LEAVE if name not in leave]
    if missing:
        raise ValueError(f"leave: no column {', '.join(missing)}")
    row = pd.Index(ids).get_indexer(leave["adviser_id"])
    start, end = (pd.to_datetime(leave[name]) for name in LEAVE[1:])
    faults = [f"leave: adviser {a} is not of this branch" for a in leave["adviser_id"][row < 0]]
    faults += [f"leave: empty date at {at}" for at in leave.index[start.isna() | end.isna()]]
    faults += [f"leave: ends before it starts at {at}" for at in leave.index[end < start]]
    if faults:
        raise ValueError("; ".join(faults))
    inside = (days.to_numpy() >= start.to_numpy()[:, None]) & (
        days.to_numpy() <= end.to_numpy()[:, None]
    )
    np.logical_or.at(away, row, inside)
    return away
