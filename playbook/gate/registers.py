"""The gate over tables of the book that are not contacts: benefits, referrals, complaints,
assessments, holdings (GIFT-, COMP-01/02, SUIT-03/07/08).

Each function returns a frame with the index of its table and the columns of
:func:`playbook.gate.judge`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from playbook.gate.decision import DENY, WARN, Decision, Finding, found
from playbook.policy import law
from playbook.tables import RISK_LEVELS

_DAY = "datetime64[D]"


def judge_benefits(book, policy=None, rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Benefits handed out at events (GIFT-01, GIFT-02), one verdict per row of attendance.

    ``rows`` (default: the book's ``event_attendance``) has ``client_id``, ``benefit_value`` (yuan),
    ``benefit_condition`` and ``event_id``, or a date ``on`` of its own. The yearly limit counts a
    client's benefits of the calendar year in order of date; the row that crosses it is told.
    """
    policy = policy or book.policy
    rows = book["event_attendance"] if rows is None else rows
    day = _on(rows, "on")
    if "on" not in rows.columns:
        events = book["events"].set_index("event_id")["date"]
        day = rows["event_id"].map(events).to_numpy().astype(_DAY)
    rules = policy.gate.benefits
    value = pd.to_numeric(rows["benefit_value"]).fillna(0.0).to_numpy(dtype="float64")
    condition = rows["benefit_condition"].astype("str")
    given = value > 0
    tied = given & condition.isin(rules.refused_conditions).to_numpy(bool)
    unsaid = given & rows["benefit_condition"].isna().to_numpy(bool)
    year = day.astype("datetime64[Y]").astype(np.int64)
    order = np.lexsort((np.arange(len(rows)), day.astype(np.int64)))
    sums = pd.Series(value[order]).groupby(
        [rows["client_id"].to_numpy(dtype=object)[order], year[order]]
    ).cumsum()
    so_far = np.empty(len(rows))
    so_far[order] = sums.round(2).to_numpy()
    return _decided(day, policy, rows.index, [
        found("GIFT-01", tied, DENY, "benefit_tied", amount=value),
        found("GIFT-02", given & (so_far > rules.yearly_cap), WARN, "benefit_cap", amount=so_far,
              limit=rules.yearly_cap),
        found("GIFT-02", unsaid, WARN, "benefit_unlogged", amount=value),
    ])  # fmt: skip


def judge_referrals(book, policy=None, rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Referrals (GIFT-03, and CONS-01 for the person referred), one verdict per referral.

    A reward in cash is denied; so is approaching a person who did not agree to it. Judged on the
    day of the referral, else of the request.
    """
    policy = policy or book.policy
    rows = book["referrals"] if rows is None else rows
    asked, referred = (rows[name].to_numpy().astype(_DAY) for name in ("asked_on", "referred_on"))
    day = np.where(np.isnat(referred), asked, referred)
    paid = rows["reward_type"].astype("str").isin(policy.gate.benefits.refused_rewards)
    # Opening an account is the person's own act; a contact before it needs consent.
    approached = rows["state"].isin(["contacted", "opened", "qualified"]).to_numpy(bool)
    agreed = rows["referee_consent"].astype("boolean")
    return _decided(day, policy, rows.index, [
        found("GIFT-03", paid.to_numpy(bool), DENY, "reward_in_cash"),
        found("CONS-01", approached & ~agreed.fillna(False).to_numpy(bool), DENY,
              "referee_no_consent"),
    ])  # fmt: skip


def judge_complaints(book, on=None, policy=None) -> pd.DataFrame:
    """Complaints (COMP-01, COMP-02), one verdict per case, judged on ``on`` (default ``as_of``).

    Calendar days from receipt to closing, or to ``on`` while open. A simple case has 15 days, a
    complex one with an approved extension 30; a second approved extension (to 60) is not in the
    data, so beyond 30 days the case is denied until someone shows it. Closed cases keep the verdict
    of their length; the warning before the limit is for open ones.
    """
    policy = policy or book.policy
    rows, rules = book["complaints"], policy.gate.cases
    now = np.datetime64(pd.Timestamp(on or book.as_of).date(), "D")
    received, closed = (rows[n].to_numpy().astype(_DAY) for n in ("received_on", "closed_on"))
    open_ = np.isnat(closed) | (closed > now)
    known = received <= now
    end = np.where(open_, now, closed)
    days = (end - received).astype(np.int64)
    extended_on = rows["extended_on"].to_numpy().astype(_DAY)
    extended = (extended_on <= now) & rows["complex"].astype("boolean").fillna(False).to_numpy(bool)
    handler, accused = rows["handler_id"], rows["against_adviser_id"]
    own = (handler == accused).fillna(False).to_numpy(bool) & accused.notna().to_numpy(bool)
    n = days.astype(float)
    over = known & (days > np.where(extended, rules.extended_days, rules.days))
    return _decided(np.full(len(rows), now), policy, rows.index, [
        found("COMP-02", known & own, DENY, "own_complaint", id=accused.to_numpy(dtype=object)),
        found("COMP-01", over & (days > rules.special_days), DENY, "case_beyond_all", n=n,
              limit=rules.special_days),
        found("COMP-01", over & extended, DENY, "case_beyond_extended", n=n,
              limit=rules.extended_days),
        found("COMP-01", over & ~extended, DENY, "case_late", n=n, limit=rules.days),
        found("COMP-01", known & open_ & ~over & (days > rules.warn_days), WARN, "case_near_limit",
              n=n, limit=np.where(extended, rules.extended_days, rules.days).astype(float)),
    ])  # fmt: skip


def judge_assessments(book, policy=None) -> pd.DataFrame:
    """Risk assessments (SUIT-03, SUIT-08), one verdict per assessment on its own day."""
    policy = policy or book.policy
    rows, rules = book["risk_assessments"], policy.gate.suitability
    day = rows["assessed_on"].to_numpy().astype(_DAY)
    same = rows.groupby(["client_id", "assessed_on"])["ra_id"].transform("size").to_numpy()
    staff = (rows["assessed_by"] == "staff").to_numpy(bool)
    return _decided(day, policy, rows.index, [
        found("SUIT-03", staff, DENY, "assessed_by_staff", on=day),
        found("SUIT-08", same > rules.assessments_per_day, WARN, "assessed_often_day",
              n=same.astype(float), limit=rules.assessments_per_day, on=day),
        found("SUIT-08", _year(rows) > rules.assessments_per_year, WARN, "assessed_often_year",
              n=_year(rows).astype(float), limit=rules.assessments_per_year),
    ])  # fmt: skip


def _year(rows: pd.DataFrame) -> np.ndarray:
    """Assessments of the client in the year up to and including each one's day."""
    from playbook.gate.rows import Log

    owner = pd.factorize(rows["client_id"])[0]
    log = Log(owner, rows["assessed_on"])
    one = pd.Timedelta(days=1)
    since = (rows["assessed_on"] - pd.DateOffset(years=1) + one).to_numpy()
    return log.count(owner, since, (rows["assessed_on"] + one).to_numpy())


def judge_holdings(book, on=None, policy=None) -> pd.DataFrame:
    """Holdings whose product was re-rated upward after purchase (SUIT-07), one verdict each.

    Judged on ``on`` (default ``as_of``). A service contact with trigger ``rating_change`` that
    reached the client (or was written) after the change counts as the notice.
    """
    from playbook.gate.rows import Log

    policy = policy or book.policy
    rows = book["holdings"]
    now = np.datetime64(pd.Timestamp(on or book.as_of).date(), "D")
    events = book["product_nav"]
    events = events[(events["event"] == "rating_change")
                    & (events["date"].to_numpy().astype(_DAY) <= now)]  # fmt: skip
    ranks = {level: at for at, level in enumerate(RISK_LEVELS)}
    events = events.assign(rank=events["event_value"].astype("str").map(ranks))
    events = events.dropna(subset="rank").sort_values(["product_id", "date"], kind="stable")
    before = events.groupby("product_id")["rank"].shift(1)
    # The first change of a product on record is measured against nothing older: it is told.
    events = events[before.isna() | (events["rank"] > before)]
    last = events.drop_duplicates("product_id", keep="last").set_index("product_id")
    changed = rows["product_id"].map(last["date"]).to_numpy().astype(_DAY)
    rank = rows["product_id"].map(last["rank"]).fillna(-1).astype(int).to_numpy()
    start, ended = (rows[n].to_numpy().astype(_DAY) for n in ("start_date", "ended_on"))
    held = (start < changed) & (np.isnat(ended) | (ended > now))
    contacts = book["contacts"]
    told = (
        (contacts["trigger_code"] == "rating_change") & (contacts["purpose"] == "service")
        & (contacts["reached"].fillna(False) | contacts["channel"].isin(["sms", "wecom", "email"]))
    ).to_numpy(bool)  # fmt: skip
    contacts = contacts[told]
    owners, ids = pd.factorize(contacts["client_id"])
    log = Log(owners, contacts["at"])
    mine = ids.get_indexer(rows["client_id"])
    since = np.where(held, changed, np.datetime64(0, "D"))
    after = log.count(mine, since, now + np.timedelta64(1, "D"))
    risk = np.array([*RISK_LEVELS, None], dtype=object)[rank]
    return _decided(np.full(len(rows), now), policy, rows.index, [
        found("SUIT-07", held & (after == 0), WARN, "re_rated", on=changed, risk=risk,
              id=rows["product_id"].to_numpy(dtype=object)),
    ])  # fmt: skip


def _on(rows: pd.DataFrame, name: str) -> np.ndarray:
    if name not in rows.columns:
        return np.full(len(rows), np.datetime64("NaT"), dtype=_DAY)
    return pd.to_datetime(rows[name]).to_numpy().astype(_DAY)


def _decided(
    day: np.ndarray, policy, index: pd.Index, findings: Iterable[Finding]
) -> pd.DataFrame:
    known = ~np.isnat(day)
    decision = Decision(np.where(known, day, np.datetime64(0, "D")), policy)
    decision.add(found("DATA-01", ~known, DENY, "date_missing"))
    ranks = {name: rule.rank for name, rule in law.rules().items()}
    for finding in sorted(findings, key=lambda f: ranks[f.rule]):
        decision.add(finding)
    table = decision.frame(index)
    table["on"] = table["on"].where(known)
    return table
