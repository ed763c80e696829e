"""Integrity rules of a book: what has to hold within a table and between tables.

Rows that contradict themselves are rejected, for nobody can know which value is right. A value
that refers to nothing rejects its row where the reference is needed and counts as empty where it
is not. What concerns several rows at once (a sum that does not come out) rejects nothing and is
told as a notice. A rule whose table is not there is skipped, and that is told too.

Order matters: tables are checked in reading order, so that a rejected client takes the rows that
depend on it along (REF-01) and no orphan is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from playbook.book import sums
from playbook.book.draft import LATER, LIVE, REJECTED, SUPERSEDED, Draft
from playbook.book.faults import RULES, file_fault
from playbook.book.match import places, repeated
from playbook.tables import TABLES, Table

Drafts = Mapping[str, Draft]

#: Pairs of dates that have an order: table, later column, earlier column, fault code.
DATE_ORDER = (
    ("holdings", "maturity_date", "start_date", "maturity_before_start"),
    ("holdings", "ended_on", "start_date", "ended_before_start"),
    ("clients", "close_date", "open_date", "close_before_open"),
    ("consents", "withdrawn_on", "granted_on", "withdrawn_before_granted"),
    ("risk_assessments", "valid_until", "assessed_on", "valid_before_assessed"),
    ("complaints", "closed_on", "received_on", "complaint_closed_early"),
    ("referrals", "referred_on", "asked_on", "referral_order"),
    ("referrals", "opened_on", "referred_on", "referral_order"),
)

#: Steps of the funnel that need the one before, except for service tasks (domain rule K18).
FUNNEL = (
    ("need_found", "opened", "funnel_opened"),
    ("proposal", "need_found", "funnel_need"),
    ("deal", "proposal", "funnel_proposal"),
)

#: Rules that look at several tables, and the tables they need.
ACROSS: tuple[tuple[Callable[..., None], str, tuple[str, ...]], ...] = (
    (sums.identity, "sum_identity", ("clients", "balances_monthly", "flows")),
    (sums.holdings, "sum_holdings", ("holdings", "products", "balances_monthly")),
    (sums.after_close, "balance_after_close", ("clients", "balances_monthly")),
)


def branch_of(table: Table) -> list[str]:
    """The branch column as part of a key, where the table belongs to a branch."""
    return ["branch_id"] if "branch_id" in table.by_name else []


def check_table(draft: Draft, drafts: Drafts, horizon: dt.date) -> None:
    """All rules of one table; the tables it refers to have been checked before."""
    if not len(draft.frame):
        return
    _keys(draft)
    _consent_future(draft, horizon)
    _date_order(draft)
    _funnel(draft)
    _attendance(draft)
    _self_referral(draft)
    _references(draft, drafts)


def check_across(drafts: Drafts, months: pd.DatetimeIndex) -> list[dict]:
    """Rules between tables; returns the notices about rules that could not be applied."""
    skipped = []
    for rule, code, needed in ACROSS:
        lacking = [name for name in needed if not drafts[name].present]
        if code == "sum_identity" and not lacking:
            lacking = sums.lacking_for_identity(drafts)
        if lacking:
            skipped.append(skip(code, lacking[0]))
        elif len(drafts["clients"].frame):
            rule(drafts, months)
    if drafts["contacts"].present and not drafts["risk_assessments"].present:
        skipped.append(skip("proposal_unassessed", "risk_assessments"))
    elif drafts["contacts"].present:
        _assessed(drafts)
    for draft in drafts.values():
        for column in draft.table.columns:
            target = column.ref.split(".")[0]
            # Without branches every table is of the one branch asked for.
            lacking = target and target != "branches" and not drafts[target].present
            if lacking and draft.present and draft.frame[column.name].notna().any():
                skipped.append(skip("ref_missing", target, draft.name, column.name))
    return skipped


def skip(code: str, lacking: str, table: str = "", column: str = "") -> dict:
    """The notice that a rule was not applied because ``lacking`` (a table or column) is missing."""
    said = file_fault("rule_skipped", severity="notice", table=table or lacking, detail=RULES[code])
    return said | {"value": lacking, "field": column}


def _keys(draft: Draft) -> None:
    """KEY-01: one row per key. The same row again is left out; rows that disagree all are."""
    names = list(dict.fromkeys(branch_of(draft.table) + list(draft.table.key)))
    # A month's file replaces what earlier months' files said about the same key.
    stamp = np.array([int(piece.month or 0) for piece in draft.pieces])[draft.file_at]
    groups = repeated([draft.frame[name] for name in names], draft.live)
    at = np.flatnonzero(groups >= 0)
    if not len(at):
        return
    newest = pd.Series(stamp[at]).groupby(groups[at]).transform("max").to_numpy()
    draft.state[at[stamp[at] < newest]] = SUPERSEDED
    groups = repeated([draft.frame[name] for name in names], draft.live)
    at = np.flatnonzero(groups >= 0)
    if not len(at):
        return
    rows = draft.frame.iloc[at].astype("str").fillna("")
    first = pd.Series(at).groupby(groups[at]).transform("first").to_numpy()
    same = (rows.to_numpy() == draft.frame.iloc[first].astype("str").fillna("").to_numpy()).all(1)
    agreed = pd.Series(same).groupby(groups[at]).transform("all").to_numpy()
    again = agreed & (at != first)
    column = draft.table.key[0]
    draft.report("key_repeated", at[again], column)
    draft.report("key_conflict", at[~agreed], column)


def _consent_future(draft: Draft, horizon: dt.date) -> None:
    """CONS-F: a consent can not be dated after everything the export knows."""
    if draft.name != "consents":
        return
    future = draft.frame["granted_on"] >= pd.Timestamp(horizon) + pd.Timedelta(days=1)
    known = np.isin(draft.state, (LIVE, LATER))
    draft.report("consent_future", np.flatnonzero(future.to_numpy() & known), "granted_on")


def _date_order(draft: Draft) -> None:
    """DATE-01 to DATE-07: an end is not before its beginning."""
    for table, later, earlier, code in DATE_ORDER:
        if table == draft.name:
            wrong = (draft.frame[later] < draft.frame[earlier]).to_numpy(bool) & draft.live
            draft.report(code, np.flatnonzero(wrong), later)


def _is(draft: Draft, column: str) -> np.ndarray:
    return draft.frame[column].fillna(False).to_numpy(bool)


def _funnel(draft: Draft) -> None:
    """FUN-01: nothing without reach; each later step only after the one before."""
    if draft.name != "contacts":
        return
    reached = _is(draft, "reached")
    for step in ("opened", "need_found", "proposal", "deal"):
        wrong = draft.live & _is(draft, step) & ~reached
        draft.report("funnel_reached", np.flatnonzero(wrong), step)
    selling = (draft.frame["purpose"] != "service").to_numpy(bool)
    for step, before, code in FUNNEL:
        wrong = draft.live & selling & _is(draft, step) & ~_is(draft, before)
        draft.report(code, np.flatnonzero(wrong), step)


def _attendance(draft: Draft) -> None:
    """FUN-02: accepting an invitation needs an invitation."""
    if draft.name != "event_attendance":
        return
    wrong = draft.live & _is(draft, "accepted") & ~_is(draft, "invited")
    draft.report("attendance_order", np.flatnonzero(wrong), "accepted")


def _self_referral(draft: Draft) -> None:
    """REL-01: nobody refers themselves."""
    if draft.name == "referrals":
        same = draft.frame["referrer_client_id"] == draft.frame["referee_client_id"]
        draft.report(
            "self_referral", np.flatnonzero(same.to_numpy(bool) & draft.live), "referee_client_id"
        )
    elif draft.name == "clients":
        same = draft.frame["referrer_id"] == draft.frame["client_id"]
        where = np.flatnonzero(same.to_numpy(bool) & draft.live)
        draft.report("self_referral", where, "referrer_id", severity="notice")
        draft.blank("referrer_id", where)


def _references(draft: Draft, drafts: Drafts) -> None:
    """REF-01: what is referred to is there, and was accepted."""
    for column in draft.table.columns:
        if not column.ref:
            continue
        name, key = column.ref.split(".")
        target = drafts[name]
        if not target.present:
            continue
        own = branch_of(target.table) if key != "branch_id" else []
        own = [c for c in own if c in draft.table.by_name]
        left = [draft.frame[c] for c in (*own, column.name)]
        right = [target.frame[c] for c in (*own, key)]
        among = np.flatnonzero(target.live)
        good = places(left, [values.iloc[among] for values in right]) >= 0
        wrong = draft.live & draft.frame[column.name].notna().to_numpy() & ~good
        if not wrong.any():
            continue
        known = np.flatnonzero(np.isin(target.state, (REJECTED, LATER)))
        bad = np.flatnonzero(wrong)
        elsewhere = places(
            [values.iloc[bad] for values in left], [values.iloc[known] for values in right]
        )
        fate = np.where(elsewhere >= 0, target.state[known[elsewhere]] if len(known) else -1, -1)
        severity = "notice" if column.nullable else "reject"
        draft.report("ref_missing", bad[fate == -1], column.name, severity=severity)
        draft.report("ref_rejected", bad[fate == REJECTED], column.name, severity=severity)
        if column.nullable:
            draft.blank(column.name, bad)
        else:
            # A row about something that is not known yet is not known yet either.
            draft.state[bad[fate == LATER]] = LATER


def _assessed(drafts: Drafts) -> None:
    """SUIT-02: a proposal needs an assessment that is valid on that day (a notice: it happened)."""
    contacts, tests = drafts["contacts"], drafts["risk_assessments"]
    owner = ["branch_id", "client_id"]
    # A rejected assessment may have been the valid one: nothing can be said about its client.
    lost = tests.frame[tests.state == REJECTED]
    unsure = places([contacts.frame[c] for c in owner], [lost[c] for c in owner]) >= 0
    where = np.flatnonzero(contacts.live & _is(contacts, "proposal") & ~unsure)
    if not len(where):
        return
    left = contacts.frame.iloc[where][["branch_id", "client_id", "at"]].assign(place=where)
    right = tests.frame[tests.live][["branch_id", "client_id", "assessed_on", "valid_until"]]
    last = pd.merge_asof(
        left.sort_values("at", kind="stable"),
        right.sort_values(["assessed_on", "valid_until"], kind="stable"),
        left_on="at", right_on="assessed_on", by=["branch_id", "client_id"],
    )  # fmt: skip
    valid = last["at"] < last["valid_until"] + pd.Timedelta(days=1)
    contacts.report(
        "proposal_unassessed", np.sort(last["place"].to_numpy()[~valid.to_numpy(bool)]),
        "proposal", severity="notice",
    )  # fmt: skip


def month_gap(balances: Draft, months: pd.DatetimeIndex, as_of: dt.date) -> list[dict]:
    """GAP-01: no month from a branch's first to the last complete at ``as_of`` lacks balances."""
    if not len(months):
        return []
    # The month that the day after the close falls into is the first not complete.
    running = (pd.Timestamp(as_of) + pd.Timedelta(days=1)).replace(day=1)
    due = pd.date_range(months[0], running, freq="MS", inclusive="left")
    frame = balances.frame
    place = due.get_indexer(frame["month"])
    branch, names = pd.factorize(frame["branch_id"].astype("str").fillna(""))
    there, read = np.zeros((2, len(names), len(due)), bool)
    for grid, rows in ((there, balances.live), (read, balances.state == REJECTED)):
        rows = rows & (place >= 0)
        grid[branch[rows], place[rows]] = True
    # Of a last month whose rows were all rejected, each row's own fault tells more; so it does of
    # a row whose month or branch can not be read, which may have been the one missing.
    lost = balances.state == REJECTED
    read[branch[lost & frame["month"].isna().to_numpy()], :] = True
    read |= read[names == "", :].any(axis=0)
    before = np.logical_or.accumulate(there, axis=1)
    after = np.logical_or.accumulate(there[:, ::-1], axis=1)[:, ::-1]
    missing = ~there & before & (after | ~read)
    several, told = there.any(axis=1).sum() > 1, []
    for at in np.flatnonzero(missing.any(axis=1)):
        gap = due[missing[at]]
        ends = dict.fromkeys([f"{gap[0]:%Y-%m}", f"{gap[-1]:%Y-%m}"])
        whose = f"{names[at]} " if several else ""
        detail = f"{whose}{' … '.join(ends)} ({len(gap)})"
        told.append(file_fault("month_gap", severity="notice", table="balances_monthly",
                               detail=detail))  # fmt: skip
    return told


def reading_order() -> list[str]:
    """Tables so that each comes after those it refers to."""
    return list(TABLES)
