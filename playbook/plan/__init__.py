"""Step 2, 计划制定: what is due, what passed the gate, what fits the month, and what does not.

>>> plan = plan(book, segments)                                                 # doctest: +SKIP
>>> plan.planned[["day", "start_at", "client_id", "rule", "reason", "channel"]] # doctest: +SKIP

Every intended row ends in exactly one outcome, and ``Plan.reconcile`` shows that none is lost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as _replace
from types import MappingProxyType

import pandas as pd

from playbook.gate import judge
from playbook.plan.capacity import capacity_of
from playbook.plan.rows import collect
from playbook.plan.schedule import Schedule, schedule
from playbook.plan.windows import Month
from playbook.policy import KLASSES, Policy

__all__ = ["OUTCOMES", "SOURCES", "Plan", "plan", "replan"]

#: What becomes of an intended row, in the order of the reconciliation.
OUTCOMES = ("planned", "not_done", "denied", "held_out")
#: Why a row is there: the service standard of the tier, or something that happened.
SOURCES = ("standard", "trigger")
#: Reason of the schedule for rows that are kept aside to measure what contacts cause.
HELD_OUT = "held_out"


@dataclass(frozen=True, eq=False)
class Plan:
    """The month of a branch. Minutes, yuan; days are working days of ``month``.

    ``rows`` every intended row with the gate's ``verdict`` and ``gate_*`` columns, its ``outcome``
    (one of :data:`OUTCOMES`), ``why`` it was not done, ``day`` and ``start_at`` · ``planned`` rows
    with a day, in order of time · ``not_done`` allowed rows that found no place, with ``why`` ·
    ``denied`` rows the gate stopped · ``held_out`` counts only (``klass``, ``source``, ``n``,
    ``minutes``): nobody is to look for them · ``capacity`` adviser × day · ``load`` adviser × week
    · ``classes`` value planned by class · ``prices`` what one more hour of each adviser buys, and
    ``bought`` which rows · ``relief`` the least that makes the promised rows fit · ``reconcile``
    per class: due + triggered = the four outcomes, ``difference`` 0 · ``found`` per rule: what was
    found, and what of it was merged, handled or expired before it became a row; ``merged`` into
    which row · ``method`` and ``gap`` of the search · ``na`` what could not be judged → the table
    it would need.
    """

    branch: str
    as_of: dt.date
    month: pd.Timestamp
    policy: Policy
    rows: pd.DataFrame
    held_out: pd.DataFrame
    capacity: pd.DataFrame
    load: pd.DataFrame
    classes: pd.DataFrame
    prices: pd.DataFrame
    bought: pd.DataFrame
    relief: pd.DataFrame
    reconcile: pd.DataFrame
    found: pd.DataFrame
    merged: pd.DataFrame
    method: str
    gap: float
    na: Mapping[str, str]

    @property
    def planned(self) -> pd.DataFrame:
        """Rows with a day, by adviser and time."""
        mine = self.rows[self.rows["outcome"] == "planned"]
        return mine.sort_values(["day", "start_at", "adviser_id", "row_id"], ignore_index=True)

    @property
    def not_done(self) -> pd.DataFrame:
        """Allowed rows that found no place this month, the most important first."""
        return self._left("not_done")

    @property
    def denied(self) -> pd.DataFrame:
        """Rows that the gate stopped."""
        return self._left("denied")

    def _left(self, outcome: str) -> pd.DataFrame:
        mine = self.rows[self.rows["outcome"] == outcome]
        order = ["klass", "value", "row_id"]
        return mine.sort_values(order, ascending=[True, False, True], ignore_index=True)

    def __repr__(self) -> str:
        return f"Plan({self.branch}, {self.month:%Y-%m}, {len(self.rows)} rows)"


def plan(
    book, segments, policy: Policy | None = None, leave: pd.DataFrame | None = None
) -> Plan:
    """Plan the month after the book's last complete one (rules K11–K16, domain 3.1).

    ``segments`` as made by step 1 of the same book; only its tables are read. ``policy`` replaces
    theirs, for what-if. ``leave``: days away, with ``adviser_id``, ``start_on``, ``end_on``.
    Missing optional tables make rows that need them "not available" (``na``); what the gate cannot
    judge it denies. Raises ``ValueError`` for a leave table that does not fit the branch.
    """
    policy = segments.policy if policy is None else policy
    found = collect(book, segments.clients, segments.history, segments.missing, policy)
    rows = found.rows
    verdicts = judge(rows, book, policy)
    rows = rows.join(verdicts.drop(columns="verdict").add_prefix("gate_"))
    rows["verdict"] = verdicts["verdict"]
    liked = segments.clients.set_index("client_id")["best_time"]
    rows["best_time"] = rows["client_id"].map(liked)
    month = pd.Timestamp(Month.after(book).start)
    made = _composed(book, rows, policy, month, leave, what_if=True)
    return _replace(
        made, found=found.counts, merged=found.merged, na=MappingProxyType(dict(found.na))
    )


def replan(book, plan: Plan, leave: pd.DataFrame | None = None) -> Plan:
    """The same intended rows with other days away: only the days are chosen anew.

    Prices and relief are left empty. Raises as :func:`plan` for a ``leave`` that does not fit.
    """
    chosen = ["outcome", "why", "day", "start_at", "value"]
    made = _composed(
        book, plan.rows.drop(columns=chosen), plan.policy, plan.month, leave, what_if=False
    )
    return _replace(made, found=plan.found, merged=plan.merged, na=plan.na)


def _composed(book, rows, policy, month, leave, what_if) -> Plan:
    capacity = capacity_of(book.table("advisers"), month, policy, leave)
    made = schedule(rows, capacity, policy, what_if=what_if)
    rows = _with_outcomes(rows, made)
    rows = _asked_again(rows, book, policy)
    held = rows[rows["outcome"] == HELD_OUT]
    return Plan(
        branch=book.branch,
        as_of=book.as_of,
        month=month,
        policy=policy,
        rows=rows,
        held_out=held.groupby(["klass", "source"], as_index=False, observed=True).agg(
            n=("row_id", "size"), minutes=("minutes", "sum")
        ),
        capacity=capacity,
        load=made.load,
        classes=made.classes,
        prices=made.prices,
        bought=made.bought,
        relief=made.relief,
        reconcile=_reconciled(rows),
        found=pd.DataFrame(),
        merged=pd.DataFrame(),
        method=made.method,
        gap=made.gap,
        na=MappingProxyType({}),
    )


def _with_outcomes(rows: pd.DataFrame, made: Schedule) -> pd.DataFrame:
    placed, left = made.planned.set_index("row_id"), made.not_done.set_index("row_id")
    rows = rows.copy()
    ids = rows["row_id"]
    for name in ("day", "start_at"):
        rows[name] = pd.DatetimeIndex(placed[name].reindex(ids)).as_unit("us")
    rows["why"] = left["reason"].reindex(ids).astype("str").array
    rows["value"] = pd.concat([placed["value"], left["value"]]).reindex(ids).to_numpy()
    rows["outcome"] = _outcomes(rows)
    return rows


def _outcomes(rows: pd.DataFrame) -> pd.Categorical:
    outcome = pd.Series("not_done", index=rows.index, dtype="str")
    outcome = outcome.mask(rows["why"] == HELD_OUT, HELD_OUT)
    outcome = outcome.mask(rows["verdict"] == "deny", "denied")
    outcome = outcome.mask(rows["day"].notna(), "planned")
    return pd.Categorical(outcome, categories=list(OUTCOMES))


def _asked_again(rows: pd.DataFrame, book, policy) -> pd.DataFrame:
    """A row with a day and an hour meets rules that a due date alone does not (TIME-01)."""
    placed = rows[rows["outcome"] == "planned"]
    if placed.empty:
        return rows
    plain = placed.loc[:, ~placed.columns.str.startswith("gate_")]
    second = judge(plain.assign(on=plain["day"], at=plain["start_at"]), book, policy)
    stopped = second.index[second["verdict"] == "deny"]
    if not len(stopped):
        return rows
    rows.loc[stopped, "verdict"] = "deny"
    names = {name: f"gate_{name}" for name in second.columns if f"gate_{name}" in rows.columns}
    told = second.loc[stopped, list(names)].rename(columns=names)
    rows.loc[stopped, list(told.columns)] = told
    rows.loc[stopped, "why"] = "denied:" + second.loc[stopped, "rule"]
    rows.loc[stopped, ["day", "start_at"]] = pd.NaT
    rows.loc[stopped, "outcome"] = "denied"
    return rows


def _reconciled(rows: pd.DataFrame) -> pd.DataFrame:
    """Per class: rows due by standard and triggered, their outcomes, and the difference."""
    index = pd.Index(range(1, len(KLASSES) + 1), name="klass")
    due, became = (
        pd.crosstab(rows["klass"].astype("int64"), rows[name].astype("str")).reindex(
            index=index, columns=list(codes), fill_value=0
        )
        for name, codes in (("source", SOURCES), ("outcome", OUTCOMES))
    )
    due = due.rename(columns={"standard": "due", "trigger": "triggered"})
    table = pd.concat([due, became], axis=1)
    table["difference"] = due.sum(axis=1) - became.sum(axis=1)
    return table.reset_index()
