"""The advisers' monthly plans: done, not got to, or refused by the gate."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from playbook.sample.clock import Clock
from playbook.sample.ledger import Ledger
from playbook.sample.papers import Assessments, Consents
from playbook.sample.parameters import Setting
from playbook.sample.people import People

_WHAT = {
    "review_due": "asset_review", "kyc_stale": "update_file", "no_contact": "care_call",
    "plan_due": "diagnosis", "event_invite": "invite", "near_tier": "tier_benefits",
    "risk_expiry": "remind_assessment", "maturity_large": "ask_plan", "maturity_any": "remind",
}  # fmt: skip
_WHEN = {
    "maturity_large": "T-7",
    "maturity_any": "T-7",
    "risk_expiry": "T-30",
    "event_invite": "T-10",
}
_GOAL = {
    "review_due": "review_done", "kyc_stale": "file_complete", "no_contact": "reached",
    "plan_due": "need_note", "event_invite": "accepted", "near_tier": "gap_closed",
    "risk_expiry": "assessment_valid", "maturity_large": "take_over", "maturity_any": "take_over",
}  # fmt: skip


def draw(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock, who: People,
         consents: Consents, papers: Assessments, band: np.ndarray, book: Ledger,
         contacts: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:  # fmt: skip
    """A plan row per client-month with contacts, and rows not got to or refused by the gate.

    Returns the table and, for each contact, the id of the plan it belongs to (or nothing).
    """
    q = p.work
    day = contacts["at"].to_numpy().astype("datetime64[D]").astype("int64")
    month = when.month_of(day)
    client = contacts["client"].to_numpy()
    open_ = contacts["purpose"].to_numpy() != "care"
    key = client * 1000 + month
    at = np.flatnonzero(open_)
    groups, first = np.unique(key[at], return_index=True)
    first = at[first]
    planned = rng.random(len(groups)) < q.planned
    groups, first = groups[planned], first[planned]
    hit = np.isin(key, groups) & open_
    place = np.searchsorted(groups, key)
    place = np.minimum(place, max(len(groups) - 1, 0))
    reached = np.bincount(place[hit], contacts["reached"].to_numpy()[hit], len(groups)) > 0
    status = np.where(reached, "done", "dropped")
    last = when.n - 1
    status = np.where(~reached & (groups % 1000 == last), "planned", status)

    spare = np.setdiff1d((np.arange(who.n)[:, None] * 1000 + np.arange(when.n)[None]).ravel(), key)
    c, m = spare // 1000, spare % 1000
    fits = (
        (who.arrives[c] < m)
        & (book.left[c] > when.last[m])
        & (band[c, m] >= 2)
        & (who.adviser[c] >= 1)
    )
    spare = spare[fits]
    spare = spare[rng.permutation(len(spare))[: round(len(groups) * (q.dropped + q.denied))]]
    c, m = spare // 1000, spare % 1000
    denied = rng.random(len(spare)) < q.denied / (q.denied + q.dropped)
    no_paper = papers.level_on(c, when.last[m]) == 0
    no_consent = ~consents.holds(c, np.zeros(len(c), dtype="int64"), when.last[m])
    rule = np.select([denied & no_paper, denied & no_consent], ["SUIT-02", "CONS-01"], None)
    extra = pd.DataFrame({
        "key": spare, "why": np.where(rng.random(len(spare)) < 0.5, "review_due", "plan_due"),
        "scene": "phone", "purpose": "service", "rule": rule,
        "status": np.where(pd.notna(rule), "denied", "dropped"),
    })  # fmt: skip
    rows = pd.DataFrame(
        {
            "key": groups,
            "why": contacts["trigger_code"].to_numpy(dtype=object)[first],
            "scene": contacts["channel"].to_numpy()[first],
            "purpose": contacts["purpose"].to_numpy()[first],
            "rule": None,
            "status": status,
        }
    )
    rows["why"] = rows["why"].where(pd.notna(rows["why"]), "review_due")
    plans = pd.concat([rows, extra], ignore_index=True)
    plans["month_n"], plans["client"] = plans["key"] % 1000, plans["key"] // 1000
    plans = plans.sort_values(["month_n", "client"], kind="stable", ignore_index=True)
    ids = np.array([f"{s.id}-P{i:06d}" for i in range(1, len(plans) + 1)], dtype=object)
    why = plans["why"].astype("str")
    face = plans["scene"].isin(["visit", "branch"])
    must = why.isin(["maturity_large", "risk_expiry"])
    table = pd.DataFrame(
        {
            "branch_id": s.id,
            "plan_id": ids,
            "client": plans["client"],
            "adviser": np.maximum(who.adviser[plans["client"]], 0),
            "month": when.months[plans["month_n"]].astype("datetime64[s]"),
            "why": why,
            "what": why.map(_WHAT),
            "when": why.map(_WHEN).fillna("in_month"),
            "scene": plans["scene"],
            "how": plans["purpose"],
            "goal": why.map(_GOAL),
            "owner_dept": "wealth",
            "minutes": np.where(face, 75, 18),
            "priority": np.where(must, 1, np.where(face, 2, 3)),
            "status": plans["status"],
            "deny_rules": plans["rule"].astype("str").where(plans["rule"].notna()),
        }
    )
    by_key = pd.Series(ids, index=plans["key"].to_numpy())
    of_contact = pd.Series(key).where(hit).map(by_key).astype("str")
    return table, of_contact.to_numpy(dtype=object)
