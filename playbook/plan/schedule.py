"""What is done on which day of the month, and what is not, each with its reason (rule K14).

>>> made = schedule(rows, capacity, policy, verdicts)                           # doctest: +SKIP
>>> made.planned[["adviser_id", "day", "start_at", "row_id"]]                   # doctest: +SKIP

Classes of work are served in the policy's order: no row of a later class displaces one of an
earlier class. Within the first class as many rows as possible are done, and then, as within every
class, those worth most (:func:`playbook.plan.work.scores`). What the gate denied never enters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from playbook.plan import greedy, solver
from playbook.plan.holdout import held_out
from playbook.plan.prices import Prices, prices_of
from playbook.plan.relief import relief_of
from playbook.plan.times import start_times
from playbook.plan.work import Work, checked, scores, work_of, working_days
from playbook.policy import KLASSES, Policy

__all__ = ["METHODS", "REASONS", "Schedule", "schedule"]

#: Why a row is not done; ``denied`` is followed by ``:`` and the rule of the gate that decided.
REASONS = (
    "denied", "no_adviser", "window_closed", "adviser_away", "held_out", "client_gap", "visit_cap",
    "no_capacity",
)  # fmt: skip
#: How a plan was made: proven within ``planning.solver.gap`` · the search's step limit was
#: reached, ``gap`` says what may be missing · the plain order, because the guard of seconds struck.
METHODS = ("optimal", "bounded", "greedy")


@dataclass(frozen=True, eq=False)
class Schedule:
    """The plan of a month. ``planned`` and ``not_done`` together are the rows, each once.

    ``planned``: row_id, client_id, adviser_id, day, start_at (NaT: no free stretch in the hours of
    its channel), minutes, klass, channel, value (yuan of expected effect) · ``not_done``: row_id,
    client_id, adviser_id, klass, minutes, value, reason · ``load``: adviser_id, week (its Monday),
    days, minutes, capacity, load (share), rows, visits · ``classes``: klass, rows, planned, value,
    value_planned over the rows that competed for time · ``prices``, ``bought``: what one more hour
    of each adviser would buy, and which rows · ``relief``: least minutes or clients to hand over
    for everything promised · ``methods``: adviser_id, method, gap · ``method`` the weakest of
    them, ``gap`` the largest. A gap is the share of the best plan's
    value that may be missing at most (0: proven best), each class being asked what it can reach
    after the rows that the classes before it chose; NaN for the plain order.
    """

    planned: pd.DataFrame
    not_done: pd.DataFrame
    load: pd.DataFrame
    classes: pd.DataFrame
    prices: pd.DataFrame
    bought: pd.DataFrame
    relief: pd.DataFrame
    methods: pd.DataFrame
    method: str
    gap: float

    def __repr__(self) -> str:
        return (f"Schedule({len(self.planned)} planned, {len(self.not_done)} not done, "
                f"{self.method})")  # fmt: skip


def schedule(
    rows: pd.DataFrame,
    capacity: pd.DataFrame,
    policy: Policy,
    verdicts: pd.DataFrame | None = None,
    what_if: bool = True,
) -> Schedule:
    """Plan ``rows`` into ``capacity`` (adviser_id, day, minutes, visits; a day not there is off).

    ``rows`` are intended rows with the columns of :data:`playbook.plan.work.NEEDED`; ``best_time``
    is used where it is there. ``verdicts`` is the gate's answer with the same index (columns
    verdict, rule); without it ``rows`` must have a column ``verdict`` (and may have ``gate_rule``):
    nothing is planned without a verdict. ``what_if=False`` leaves prices and relief empty, for
    when only the plan is wanted.

    The result does not depend on the order of the rows, the machine or the clock; were the guard
    of ``planning.solver.seconds`` ever to strike, ``method`` says ``greedy``.
    Raises ``ValueError`` naming every missing column, empty cell and double key.
    """
    checked(rows, capacity)
    rows = rows.reset_index(drop=True).join(_verdicts(rows, verdicts))
    days = working_days(capacity)
    start = pd.Timestamp(days[0]) if len(days) else rows["earliest_on"].min()
    rows = rows.join(scores(rows, policy, start))
    reason = _shut_out(rows, capacity, policy, start)
    work = work_of(rows[reason == ""], capacity, policy)
    day, methods = _best(work, policy)
    undone = day < 0
    reason.iloc[work.label[undone]] = _why_not(work, day)[undone]
    planned = _planned(rows, work, day, policy)
    if what_if:
        priced = prices_of(work, day, policy)
        relief = _named(relief_of(work, policy), work, rows)
    else:
        nothing = work.only(np.zeros(len(work), dtype=bool))
        priced = prices_of(nothing, day[:0], policy)
        priced = Prices(priced.table[:0], priced.rows)
        relief = _named(relief_of(nothing, policy)[:0], work, rows)
    order = [METHODS.index(name) for name in methods["method"]]
    return Schedule(
        planned=planned,
        not_done=_not_done(rows, reason),
        load=_load(planned, rows, capacity),
        classes=_classes(work, day, policy),
        prices=priced.table,
        bought=_bought(priced, rows),
        relief=relief,
        methods=methods,
        method=METHODS[max(order, default=0)],
        gap=float(methods["gap"].max(skipna=False)) if len(methods) else 0.0,
    )


def _verdicts(rows: pd.DataFrame, verdicts: pd.DataFrame | None) -> pd.DataFrame:
    own = verdicts is None
    if own and "verdict" not in rows:
        raise ValueError("rows: no column verdict; let the gate judge them first")
    if not own and not verdicts.index.equals(rows.index):
        raise ValueError("verdicts: the index is not the index of rows")
    source = rows if own else verdicts
    rule = "gate_rule" if own else "rule"
    verdict = source["verdict"].astype("str")
    unknown = ~verdict.isin(["allow", "warn", "deny"])
    if unknown.any():
        faults = rows.loc[unknown.to_numpy(), "row_id"].tolist()
        raise ValueError(f"verdict is not allow, warn or deny at row_id {', '.join(faults)}")
    words = source[rule].astype("str").fillna("") if rule in source else ""
    return pd.DataFrame({"_verdict": verdict, "_rule": words}).reset_index(drop=True)


def _shut_out(
    rows: pd.DataFrame, capacity: pd.DataFrame, policy: Policy, start: pd.Timestamp
) -> pd.Series:
    """Reason of rows that never compete for time, empty for the others."""
    days = working_days(capacity)
    lo = np.searchsorted(days, rows["earliest_on"].to_numpy("datetime64[D]"))
    hi = np.searchsorted(days, rows["latest_on"].to_numpy("datetime64[D]"), side="right")
    at_work = capacity[capacity["minutes"] > 0]
    advisers = pd.Index(sorted(at_work["adviser_id"].unique()))
    there = np.zeros((len(advisers) + 1, len(days) + 1), dtype=np.int64)
    at = (advisers.get_indexer(at_work["adviser_id"]),
          1 + np.searchsorted(days, at_work["day"].to_numpy("datetime64[D]")))  # fmt: skip
    there[at] = 1
    # Days at work up to each day; the last row stands for advisers who are never there.
    so_far = there.cumsum(axis=1)
    adviser = advisers.get_indexer(rows["adviser_id"])
    present = so_far[adviser, np.maximum(hi, lo)] - so_far[adviser, lo]
    month = f"{start:%Y-%m}" if pd.notna(start) else ""
    asked = [
        rows["_verdict"] == "deny",
        rows["adviser_id"].isna(),
        pd.Series(hi <= lo, rows.index),
        pd.Series(present == 0, rows.index),
        pd.Series(held_out(rows, month, policy.planning.holdout_share), rows.index),
    ]
    found = np.select(asked, REASONS[: len(asked)], "") if len(rows) else []
    reason = pd.Series(found, rows.index, dtype="str")
    # A denial without a rule would be no reason.
    return reason.where(reason != "denied", "denied:" + rows["_rule"])


def _best(work: Work, policy: Policy) -> tuple[np.ndarray, pd.DataFrame]:
    day = np.full(len(work), -1)
    group = solver.groups(work)
    method = np.full(len(work.advisers), METHODS[0], dtype=object)
    gap = np.zeros(len(work.advisers))
    for number in np.unique(group[work.adviser]):
        mine = group[work.adviser] == number
        part = work.only(mine)
        found = solver.best(part, policy)
        day[mine] = greedy.fill(part, greedy.earlier(part, found.day))
        near = found.gap <= policy.planning.solver.gap
        method[group == number] = METHODS[2] if found.cut else METHODS[0] if near else METHODS[1]
        gap[group == number] = found.gap
    methods = pd.DataFrame({"adviser_id": work.advisers, "method": method, "gap": gap})
    return day, methods.astype({"adviser_id": "str", "method": "str"})


def _why_not(work: Work, day: np.ndarray) -> np.ndarray:
    """What stands against each undone row as the plan is: the weakest bar on any of its days."""
    minutes, visits = work.load(day)
    reason = np.full(len(work), "no_capacity", dtype=object)
    spare = work.cap - minutes
    open_days = work.window() & (spare[work.adviser] >= work.minutes[:, None])
    free = visits < work.visits
    room = open_days & (~work.visit[:, None] | free[work.adviser])
    reason[open_days.any(axis=1)] = "visit_cap"
    reason[room.any(axis=1)] = "client_gap"
    return reason


def _planned(rows: pd.DataFrame, work: Work, day: np.ndarray, policy: Policy) -> pd.DataFrame:
    done = day >= 0
    names = ["row_id", "client_id", "adviser_id", "minutes", "klass", "channel", "value"]
    names += ["best_time"] if "best_time" in rows else []
    planned = rows.loc[work.label[done], names].copy()
    planned["day"] = pd.DatetimeIndex(work.days[day[done]]).as_unit("us")
    planned = planned.reset_index(drop=True)
    planned["start_at"] = start_times(planned, policy)
    planned = planned.sort_values(["adviser_id", "day", "start_at", "row_id"], ignore_index=True)
    return planned[["row_id", "client_id", "adviser_id", "day", "start_at", "minutes", "klass",
                    "channel", "value"]]  # fmt: skip


def _not_done(rows: pd.DataFrame, reason: pd.Series) -> pd.DataFrame:
    left = rows.assign(reason=reason)
    left = left[left["reason"] != ""]
    left = left.sort_values(["klass", "value", "row_id"], ascending=[True, False, True])
    names = ["row_id", "client_id", "adviser_id", "klass", "minutes", "value", "reason"]
    return left[names].reset_index(drop=True)


def _load(planned: pd.DataFrame, rows: pd.DataFrame, capacity: pd.DataFrame) -> pd.DataFrame:
    def week(days: pd.Series) -> pd.Series:
        return days - pd.to_timedelta(days.dt.day_of_week, unit="D")

    days = capacity[capacity["minutes"] > 0]
    there = days.assign(week=week(days["day"])).groupby(["adviser_id", "week"])
    visits = planned["row_id"].isin(rows.loc[rows["is_visit"].astype("bool"), "row_id"])
    used = planned.assign(week=week(planned["day"]), visits=visits)
    used = used.groupby(["adviser_id", "week"]).agg(
        minutes=("minutes", "sum"), rows=("row_id", "size"), visits=("visits", "sum")
    )
    table = there.agg(days=("day", "nunique"), capacity=("minutes", "sum"))
    table = table.join(used).fillna(0).astype("int64").reset_index()
    table["load"] = table["minutes"] / table["capacity"]
    return table[["adviser_id", "week", "days", "minutes", "capacity", "load", "rows", "visits"]]


def _classes(work: Work, day: np.ndarray, policy: Policy) -> pd.DataFrame:
    order = [KLASSES.index(name) + 1 for name in policy.planning.class_order]
    size, done = len(order), day >= 0
    table = {
        "klass": order,
        "rows": np.bincount(work.rank, minlength=size),
        "planned": np.bincount(work.rank[done], minlength=size),
        "value": np.bincount(work.rank, work.value, minlength=size),
        "value_planned": np.bincount(work.rank[done], work.value[done], minlength=size),
    }
    return pd.DataFrame(table)


def _bought(priced: Prices, rows: pd.DataFrame) -> pd.DataFrame:
    label = priced.rows["row_label"].astype("int64")
    named = rows.loc[label, ["row_id", "client_id"]].reset_index(drop=True)
    table = pd.concat([priced.rows.drop(columns="row_label"), named], axis=1)
    table = table.sort_values(["adviser_id", "change", "klass", "row_id"], ignore_index=True)
    names = ["adviser_id", "change", "row_id", "client_id", "klass", "value"]
    return table[names].astype({"klass": "int64", "value": "float64"})


def _named(relief: pd.DataFrame, work: Work, rows: pd.DataFrame) -> pd.DataFrame:
    """Relief with client ids in the place of codes."""
    client = dict(zip(work.client, rows.loc[work.label, "client_id"], strict=True))
    ids = [" ".join(client[code] for code in codes) for codes in relief["client_codes"]]
    relief = relief.drop(columns="client_codes").assign(client_ids=pd.Series(ids, dtype="str"))
    return relief.astype({"adviser_id": "str", "to_adviser": "str"})
