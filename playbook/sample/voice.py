"""What clients say and bring: complaints and referrals; and what it all costs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from playbook.sample.clock import Clock, dates
from playbook.sample.ledger import Ledger
from playbook.sample.parameters import Setting
from playbook.sample.people import FAMILIAR, FAN, People, n_advisers

_CATEGORIES = ("wealth_loss", "misleading", "service", "system", "fee", "privacy", "other")
_CATEGORY_SHARE = (0.22, 0.10, 0.28, 0.16, 0.12, 0.05, 0.07)
_CAUSES = {
    "wealth_loss": "RC01",
    "misleading": "RC02",
    "service": "RC03",
    "system": "RC04",
    "fee": "RC05",
    "privacy": "RC06",
    "other": "RC09",
}


def complaints(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock, who: People,
               book: Ledger) -> pd.DataFrame:  # fmt: skip
    """Complaints; nobody handles a complaint against oneself (rule COMP-02)."""
    q = p.voice
    month = np.arange(when.n)
    here = (who.arrives[:, None] < month) & (book.left[:, None] > when.last[None])
    rate = q.complaints * np.where(who.band >= 2, 1.0, 0.3)[:, None] * here
    client, at = np.nonzero(rng.random((who.n, when.n)) < rate)
    n = len(client)
    order = np.lexsort((client, at))
    client, at = client[order], at[order]
    length = when.last[at] - when.first[at] + 1
    received = when.first[at] + (rng.random(n) * length).astype("int64")
    order = np.lexsort((client, received))
    client, received = client[order], received[order]
    median, sd = q.complaint_days
    days = np.ceil(median * np.exp(rng.normal(0, sd, n))).astype("int64").clip(1, 75)
    # Only one in three slow cases may take longer: most are held to the fifteen days.
    days = np.where((days > 15) & (rng.random(n) < 0.55), rng.integers(9, 16, n), days)
    closed = received + days
    open_ = closed > when.as_of
    complex_ = days > 15
    extended = complex_ & (received + 13 <= when.as_of)
    category = rng.choice(len(_CATEGORIES), n, p=_CATEGORY_SHARE)
    advisers = n_advisers(p, s) + 1
    against = np.isin(category, (0, 1, 2)) & (rng.random(n) < 0.5) & (who.adviser[client] >= 0)
    accused = np.where(against, who.adviser[client], -1)
    handler = rng.integers(0, advisers, n)
    handler = np.where(handler == accused, (handler + 1) % advisers, handler)
    ids = np.array([f"{s.id}-CP{i:04d}" for i in range(1, n + 1)], dtype=object)
    # The same client twice within half a year is a repeat.
    before = pd.Series(ids).groupby(client).shift(1)
    gap = received - pd.Series(received).groupby(client).shift(1)
    channel = rng.choice(["phone", "branch", "app", "letter", "regulator", "other"], n,
                         p=[0.45, 0.28, 0.18, 0.03, 0.04, 0.02])  # fmt: skip
    return pd.DataFrame(
        {
            "branch_id": s.id,
            "complaint_id": ids,
            "client": client,
            "received_on": dates(received),
            "channel": channel,
            "category": np.array(_CATEGORIES)[category],
            "severity": rng.choice(["low", "medium", "high"], n, p=[0.55, 0.35, 0.10]),
            "complex": complex_,
            "extended_on": dates(np.where(extended, received + 13, 0), ~extended),
            "closed_on": dates(np.where(open_, 0, closed), open_),
            "handler": handler,
            "accused": accused,
            "root_cause": pd.Series(np.array(_CATEGORIES)[category]).map(_CAUSES).where(~open_),
            "repeat_of": before.where(gap <= 180).astype("str"),
        }
    )


def referrals(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock, who: People,
              book: Ledger) -> tuple[pd.DataFrame, np.ndarray]:  # fmt: skip
    """Requests, referrals and their fate; and the referrer of each client (-1: none)."""
    q = p.voice
    mgm = list(p.people.source_mix).index("mgm")
    came = np.flatnonzero((who.arrives >= 0) & (who.source == mgm))
    weight = np.select([who.close == FAN, who.close == FAMILIAR], [q.refer_fan_times, 1.0], 0.12)
    weight = weight * np.where(who.band >= 2, 1, 0.2) * ~who.quiet * (who.arrives < 0)
    weight = weight * (book.left > when.as_of)
    edge = np.cumsum(weight)

    def someone(n: int) -> np.ndarray:
        at = np.searchsorted(edge, rng.random(n) * edge[-1], side="right")
        return np.minimum(at, who.n - 1)

    # Those who came were referred by someone; others were referred and never opened.
    referrer = np.full(who.n, -1)
    referrer[came] = someone(len(came))
    opened_referred = who.opened[came] - rng.integers(3, 45, len(came))
    pairs = (who.close >= FAMILIAR) & (who.band >= 2) & (who.arrives < 0) & ~who.quiet
    quarters = when.n / 3
    expected = max(pairs.sum() * q.refer_per_quarter * 1.5 * quarters, len(came) / q.refer_converts)
    failed = max(round(expected) - len(came), 0)
    asked_only = round((len(came) + failed) * q.ask_per_referral)
    span = when.as_of - when.first[0]
    n = len(came) + failed + asked_only
    kind = np.repeat([2, 1, 0], [len(came), failed, asked_only])
    client = np.concatenate([referrer[came], someone(failed + asked_only)])
    referred = np.concatenate([
        opened_referred,
        when.first[0] + 8 + (rng.random(failed + asked_only) * (span - 8)).astype("int64"),
    ])  # fmt: skip
    asked = referred - rng.integers(0, 30, n)
    asked = np.maximum(asked, who.opened[client])
    referred = np.maximum(referred, asked)
    order = np.lexsort((client, referred, asked))
    referee = np.concatenate([came, np.full(failed + asked_only, -1)])
    client, asked, referred, referee, kind = (
        x[order] for x in (client, asked, referred, referee, kind)
    )

    opened = np.where(referee >= 0, who.opened[referee], 0)
    first = who.size[referee].astype("int64") // 100 * 100.0
    # Ninety days later stands what the month end before that day shows.
    due = opened + 90
    month = when.month_of(due)
    known = (referee >= 0) & (due <= when.as_of)
    total = book.end.sum(axis=2)
    later = np.where(known, total[np.clip(month - 1, 0, when.n - 1), referee] / 100, np.nan)
    state = np.select(
        [known & (later >= q.qualified_from), kind == 2, kind == 0],
        ["qualified", "opened", "asked"],
        rng.choice(["referred", "contacted", "lost"], n, p=[0.25, 0.4, 0.35]),
    )
    empty = pd.Series([None] * n, dtype="str")
    relation = pd.Series(
        rng.choice(["family", "friend", "business"], n, p=[0.3, 0.45, 0.25]), dtype="str"
    )
    reward = rng.choice(["none", "points", "gift"], n, p=[0.55, 0.35, 0.10])
    table = pd.DataFrame(
        {
            "branch_id": s.id,
            "referral_id": [f"{s.id}-R{i:04d}" for i in range(1, n + 1)],
            "client": client,
            "asked_on": dates(asked),
            "referred_on": dates(np.where(kind > 0, referred, 0), kind == 0),
            "referee": referee,
            "relation": relation.where(kind > 0, empty),
            "referee_consent": pd.Series(rng.random(n) < 0.9, dtype="boolean")
            .where(kind > 0)
            .mask(kind == 2, True),
            "opened_on": dates(opened, kind < 2),
            "aum_at_receipt": np.where(kind == 2, first, np.nan),
            "aum_90d": later,
            "reward_type": pd.Series(reward, dtype="str").where(kind > 0, empty),
            "state": state,
        }
    )
    return table, referrer


def costs(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock,
          events: pd.DataFrame) -> pd.DataFrame:  # fmt: skip
    """Costs by month and bucket; the cost of events is the sum of the events themselves."""
    q = p.voice
    month = np.arange(when.n)
    on = when.month_of(events["date"].to_numpy().astype("datetime64[D]").astype("int64"))
    held = np.bincount(on, events["cost"].to_numpy(), when.n)
    size = s.in_scope / 350
    wobble = rng.normal(1, 0.08, (5, when.n)).clip(0.7, 1.3)
    acquire = q.cost_acquire * size * s.get("arrival_times", 1.0)
    keep = q.cost_keep * size
    usual = q.events_part * keep
    amounts = {
        "acq_marketing": acquire * 0.55 * wobble[0], "acq_staff": acquire * 0.45 * wobble[1],
        "keep_service": (keep - usual) * 0.35 * wobble[2], "keep_events": held,
        "keep_staff": (keep - usual) * 0.65 * wobble[3], "system": 1800 * wobble[4],
    }  # fmt: skip
    return pd.DataFrame({
        "branch_id": s.id, "month": np.repeat(when.months, len(amounts)).astype("datetime64[s]"),
        "bucket": list(amounts) * when.n,
        "amount": np.round(np.stack(list(amounts.values()))[:, month].T.ravel(), 0),
    })  # fmt: skip
