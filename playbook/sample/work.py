"""The advisers' work: contacts through the funnel, and the plans they belong to.

These contacts move no money; calls before a maturity come from :mod:`playbook.sample.money`, where
they do. So that a call before a maturity means one thing, no other contact falls into the seven
days before a client's maturity.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd

from playbook.sample import plans as monthly
from playbook.sample.clock import Clock, dates
from playbook.sample.ledger import YUAN, Ledger
from playbook.sample.papers import CHANNELS, NEVER, Assessments, Consents
from playbook.sample.parameters import Setting
from playbook.sample.people import People, n_advisers

#: Channel of a contact -> position of the consent it needs when it is marketing.
_CONSENT = {"phone": 0, "sms": 1, "wecom": 2, "email": 3, "visit": 0, "branch": 0}
_MINUTES = {
    "phone": (8, 20),
    "wecom": (4, 12),
    "visit": (60, 91),
    "branch": (25, 56),
    "sms": (1, 3),
    "email": (3, 8),
}
_TRIGGERS = {
    "service": ("review_due", "kyc_stale", "no_contact", "plan_due"),
    "marketing": ("event_invite", "near_tier", "plan_due"),
    "care": ("festival",),
}  # fmt: skip
_FESTIVAL_MONTHS = (1, 2, 4, 5, 6, 9, 10)


@dataclass(frozen=True)
class Work:
    """Contacts and plans of a branch, and the planted effects of its advisers."""

    contacts: pd.DataFrame
    plans: pd.DataFrame
    reach: np.ndarray
    opening: np.ndarray


def draw(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock, who: People,
         consents: Consents, papers: Assessments, book: Ledger,
         birthday: np.ndarray) -> Work:  # fmt: skip
    """All contacts of the history and their plans; ``birthday`` is each client's month of birth."""
    count = n_advisers(p, s) + 1
    reach = np.clip(rng.normal(0, p.work.adviser_sd[0], count), -0.15, 0.15).round(3)
    opening = np.clip(rng.normal(0, p.work.adviser_sd[1], count), -0.22, 0.22).round(3)
    band = _band_by_month(p, book)
    rows = _attempts(rng, p, when, who, book, band, count)
    rows = _opt_outs(rng, when, who, consents, book, rows)
    rows = _keep_apart(rows, book)
    channel = _channels(rng, p, who, rows)
    purpose = _purposes(rng, p, who, consents, band, rows, channel)
    rows.update(channel=channel, purpose=purpose)
    rows["trigger"] = _triggers(rng, when, who, papers, rows, birthday)
    rows = _with_calls(rng, book, who, rows)
    funnel = _funnel(rng, p, who, papers, rows, reach, opening)
    contacts = _table(rng, s, who, rows, funnel)
    plans, of_contact = monthly.draw(rng, p, s, when, who, consents, papers, band, book, contacts)
    contacts["plan_id"] = of_contact
    order = [
        "branch_id",
        "contact_id",
        "client",
        "adviser",
        "at",
        "channel",
        "purpose",
        "trigger_code",
        "plan_id",
        "reached",
        "opened",
        "need_found",
        "proposal",
        "deal",
        "outcome",
        "minutes",
        "content_id",
        "dual_record_id",
        "next_date",
        "note_code",
    ]
    return Work(contacts[order], plans, reach, opening)


def _band_by_month(p, book: Ledger) -> np.ndarray:
    """``[client, month]``: band of the money at the month's opening."""
    wealth = np.concatenate([book.opening[None], book.end[:-1]]).sum(axis=2).T
    floor = np.array(p.bands.floor, dtype="int64") * YUAN
    return np.maximum(np.searchsorted(floor, wealth, side="right") - 1, 0)


def _attempts(rng, p, when: Clock, who: People, book: Ledger, band, count) -> dict:
    q = p.work
    month = np.arange(when.n)
    here = (who.arrives[:, None] < month) & (book.left[:, None] > when.last[None])
    mine = who.adviser >= 0
    weight = np.array(q.weight_band)[band] * np.array(q.weight_close)[who.close][:, None]
    weight = weight * (here & mine[:, None])
    total = np.zeros((count, when.n))
    np.add.at(total, who.adviser[mine], weight[mine])
    work_month = when.month_of(when.workdays)
    days = np.bincount(work_month[work_month >= 0], minlength=when.n)
    mean, sd = q.attempts_per_day
    budget = days * mean + rng.normal(0, 1, (count, when.n)) * sd * np.sqrt(days)
    # The assistant's pool is called on little: most of the day is the lobby.
    budget[0] *= 0.15
    called = when.month_of(book.calls["day"])
    kept = called >= 0
    np.add.at(budget, (who.adviser[book.calls["client"][kept]], called[kept]), -1)
    share = np.maximum(budget, 0) / np.where(total > 0, total, 1)
    times = rng.poisson(weight * share[np.maximum(who.adviser, 0)])
    client, at_month = np.nonzero(times)
    repeat = times[client, at_month]
    client, at_month = np.repeat(client, repeat), np.repeat(at_month, repeat)
    first = np.searchsorted(when.workdays, when.first[at_month])
    day = when.workdays[first + (rng.random(len(client)) * days[at_month]).astype("int64")]
    return {"client": client, "day": day, "month": at_month, "opt_out": np.zeros(len(client), bool)}


def _opt_outs(rng, when: Clock, who: People, consents: Consents, book: Ledger, rows: dict) -> dict:
    """A talk on the eve of most withdrawals, in which the client asks to be left alone."""
    client, channel, stretch = np.nonzero(consents.withdrawn < NEVER)
    end = consents.withdrawn[client, channel, stretch]
    day = when.working(end - 1)
    fits = (
        (day >= when.first[0])
        & (day >= consents.granted[client, channel, stretch])
        & (channel < 3)
        & (who.adviser[client] >= 0)
        & ~who.quiet[client]
        & (day < book.left[client])
        & (day > who.opened[client])
        & (rng.random(len(client)) < 0.6)
    )
    client, channel, day = client[fits], channel[fits], day[fits]
    return {
        "client": np.concatenate([client, rows["client"]]),
        "day": np.concatenate([day, rows["day"]]),
        "month": np.concatenate([when.month_of(day), rows["month"]]),
        "opt_out": np.concatenate([np.ones(len(client), bool), rows["opt_out"]]),
        "forced": np.concatenate([channel, np.full(len(rows["client"]), -1)]),
    }


def _keep_apart(rows: dict, book: Ledger) -> dict:
    """One contact per client and day, and none in the week before a maturity."""
    key = rows["client"] * 100_000 + rows["day"]
    _, first = np.unique(key, return_index=True)
    keep = np.zeros(len(key), bool)
    keep[first] = True
    due = np.sort(book.truth["client"] * 100_000 + book.truth["day"])
    # Behind the last maturity stands one that never comes.
    due = np.append(due, 2**62)
    gap = due[np.searchsorted(due, key)] - key
    keep &= (gap > 7) & (rows["day"] < book.left[rows["client"]])
    order = np.flatnonzero(keep)
    order = order[np.lexsort((order, rows["client"][order], rows["day"][order]))]
    return {name: column[order] for name, column in rows.items()}


def _channels(rng, p, who: People, rows: dict) -> np.ndarray:
    q = p.work
    n = len(rows["client"])
    times = np.array(q.visit_close)[who.close[rows["client"]]]
    visit = q.visits_per_day / q.attempts_per_day[0] * times / max(times.mean(), 0.01)
    visit = np.where(rows["month"] >= 0, visit, 0)
    u = rng.random(n)
    rest = rng.random(n)
    remote = np.select([rest < 0.58, rest < 0.86, rest < 0.985], ["phone", "wecom", "sms"], "email")
    channel = np.where(u < visit, "visit", np.where(u < 2 * visit, "branch", remote))
    return np.where(rows["opt_out"], np.array(CHANNELS)[rows["forced"]], channel)


def _purposes(rng, p, who, consents, band, rows, channel) -> np.ndarray:
    q = p.work
    client, day, month = rows["client"], rows["day"], rows["month"]
    u = rng.random(len(client))
    care = (u < q.purpose["care"]) & np.isin(channel, ("phone", "wecom", "sms"))
    wants = (u >= 1 - q.purpose["marketing"]) | rows["opt_out"]
    need = np.array([_CONSENT[c] for c in ("phone", "sms", "wecom", "email", "visit", "branch")])
    names = np.array(["phone", "sms", "wecom", "email", "visit", "branch"])
    code = need[np.argmax(channel[:, None] == names[None], axis=1)]
    wants &= consents.holds(client, code, day) & ~care
    # Never more marketing contacts in a month than the service standard allows.
    cap = np.array(q.marketing_cap)[band[client, month]]
    turn = (client + month) % 3 == 0
    allowed = np.where((cap > 0) & (cap < 1), turn, cap).astype("int64")
    at = np.flatnonzero(wants)
    at = at[np.lexsort((at, ~rows["opt_out"][at], month[at], client[at]))]
    group = client[at] * 1000 + month[at]
    start = np.r_[True, group[1:] != group[:-1]]
    rank = np.arange(len(at)) - np.maximum.accumulate(np.where(start, np.arange(len(at)), 0))
    marketing = np.zeros(len(client), bool)
    marketing[at] = (rank < np.maximum(allowed[at], rows["opt_out"][at])) | rows["opt_out"][at]
    return np.select([marketing, care & ~rows["opt_out"]], ["marketing", "care"], "service")


def _triggers(rng, when, who, papers, rows, birthday) -> np.ndarray:
    u = rng.random(len(rows["client"]))
    out = np.full(len(u), None, dtype=object)
    for purpose, names in _TRIGGERS.items():
        pick = np.array(names, dtype=object)[(u * len(names)).astype("int64")]
        out = np.where(rows["purpose"] == purpose, pick, out)
    calendar = when.months[rows["month"]].astype("int64") % 12 + 1
    care = rows["purpose"] == "care"
    out = np.where(care & ~np.isin(calendar, _FESTIVAL_MONTHS), None, out)
    out = np.where(care & (birthday[rows["client"]] == calendar), "birthday", out)
    runs_out = papers.level_on(rows["client"], rows["day"] + 30) == 0
    return np.where((rows["purpose"] == "service") & runs_out & (u < 0.5), "risk_expiry", out)


def _with_calls(rng, book: Ledger, who: People, rows: dict) -> dict:
    """The general contacts and the calls before maturities, in order of time."""
    calls = book.calls
    # Two maturities of one client within a few days are one call.
    key = calls["client"] * 100_000 + calls["day"]
    order = np.lexsort((np.arange(len(key)), ~calls["reached"], key))
    first = order[np.r_[True, key[order][1:] != key[order][:-1]]] if len(key) else order
    n, m = len(rows["client"]), len(first)
    phone = np.where(rng.random(m) < 0.8, "phone", "wecom")
    minute = np.where(rng.random(n + m) < 0.45, 9 * 60 + rng.integers(0, 175, n + m),
                      14 * 60 + rng.integers(0, 235, n + m))  # fmt: skip
    out = {
        "client": np.concatenate([rows["client"], calls["client"][first]]),
        "day": np.concatenate([rows["day"], calls["day"][first]]),
        "channel": np.concatenate([rows["channel"], phone]),
        "purpose": np.concatenate([rows["purpose"], np.full(m, "service")]),
        "trigger": np.concatenate([rows["trigger"], calls["trigger"][first].astype(object)]),
        "opt_out": np.concatenate([rows["opt_out"], np.zeros(m, bool)]),
        "known": np.concatenate([np.full(n, -1), calls["reached"][first].astype("int64")]),
        "minute": minute,
    }
    order = np.lexsort((out["client"], out["minute"], out["day"]))
    return {name: column[order] for name, column in out.items()}


def _funnel(rng, p, who, papers, rows, reach, opening) -> dict:
    q = p.work
    client, n = rows["client"], len(rows["client"])
    adviser = np.maximum(who.adviser[client], 0)
    base = np.zeros(n)
    for name, rate in q.reach.items():
        base = np.where(rows["channel"] == name, rate, base)
    remote = np.isin(rows["channel"], ("phone", "wecom"))
    base = np.where(remote, np.clip(base + reach[adviser], 0.05, 0.95), base)
    reached = (rng.random(n) < base) & ~who.quiet[client]
    reached = np.where(rows["known"] >= 0, rows["known"] == 1, reached) | rows["opt_out"]
    asks, needs, proposes, deals = q.stages
    talk = rows["purpose"] != "care"
    opened = reached & talk & ~rows["opt_out"]
    opened &= rng.random(n) < np.clip(asks + opening[adviser], 0.1, 0.95)
    need = opened & (rng.random(n) < np.where(rows["purpose"] == "marketing", needs, needs / 2))
    valid = papers.level_on(client, rows["day"]) > 0
    proposal = need & (rows["purpose"] == "marketing") & valid & (rng.random(n) < proposes)
    deal = proposal & (rng.random(n) < deals)
    refused = (rows["purpose"] == "marketing") & reached & ~need & (rng.random(n) < 0.2)
    outcome = np.select(
        [rows["opt_out"], ~reached & np.isin(rows["channel"], ("sms", "email")), ~reached,
         deal | (opened & (rows["purpose"] == "service") & ~need), refused, need],
        ["opt_out", None, "no_answer", "done", "refused", "appointment"], "talked",
    )  # fmt: skip
    return {
        "reached": reached,
        "opened": opened,
        "need_found": need,
        "proposal": proposal,
        "deal": deal,
        "outcome": outcome,
    }


def _table(rng, s: Setting, who: People, rows: dict, funnel: dict) -> pd.DataFrame:
    n = len(rows["client"])
    low = np.full(n, 2)
    high = np.full(n, 4)
    for name, (least, most) in _MINUTES.items():
        here = (rows["channel"] == name) & funnel["reached"]
        low, high = np.where(here, least, low), np.where(here, most, high)
    message = (rows["purpose"] == "marketing") & np.isin(rows["channel"], ("wecom", "sms", "email"))
    content = np.array([f"CT{i}" for i in range(101, 111)], dtype=object)[rng.integers(0, 10, n)]
    follow = funnel["outcome"] == "appointment"
    at = dates(rows["day"]) + rows["minute"].astype("timedelta64[m]").astype("timedelta64[s]")
    number = np.arange(1, n + 1)
    notes = np.array(["N01", "N02", "N03", "N04", "N05"], dtype=object)[rng.integers(0, 5, n)]
    table = pd.DataFrame({
        "branch_id": s.id, "contact_id": [f"{s.id}-K{i:06d}" for i in number],
        "client": rows["client"], "adviser": np.maximum(who.adviser[rows["client"]], 0), "at": at,
        "channel": rows["channel"], "purpose": rows["purpose"], "trigger_code": rows["trigger"],
        **funnel, "minutes": low + (rng.random(n) * (high - low)).astype("int64"),
        "content_id": np.where(message, content, None),
        "dual_record_id": np.where(funnel["deal"], [f"{s.id}-DR{i:06d}" for i in number], None),
        "next_date": dates(rows["day"] + rng.integers(5, 31, n), ~follow),
        "note_code": np.where(funnel["reached"] & (rng.random(n) < 0.3), notes, None),
    })  # fmt: skip
    for name in ("trigger_code", "outcome", "content_id", "dual_record_id", "note_code"):
        table[name] = table[name].astype("str").where(pd.notna(table[name]))
    return table
