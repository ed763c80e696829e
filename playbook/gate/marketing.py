"""营销行为: who says what with which material, and how often (MKT-, DOC-, FREQ-)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from playbook.gate import phrases
from playbook.gate.decision import DENY, WARN, Decision, Finding, found
from playbook.gate.rows import Log, Rows, pick

_DAY = "datetime64[D]"
#: Channels on which what is said is written, so that it needs approved content.
WRITTEN = ("sms", "wecom", "email")
#: Spans of months that divide a year: limits a year are held per one of these.
_SPANS = (1, 2, 3, 4, 6, 12)
_YEAR = 12


def material(rows: Rows, decision: Decision) -> Iterator[Finding]:
    """Findings about the author, the content and the words, in order of precedence."""
    yield from _author(rows, decision)
    yield from _content(rows)
    yield from _words(rows)
    yield from _statements(rows)
    yield from _recorded(rows)


def _author(rows: Rows, decision: Decision) -> Iterator[Finding]:
    advisers = rows.book["advisers"]
    asks = rows.marketing | rows.touches_product
    named = rows.filled("adviser_id")
    author = rows.match("adviser_id", advisers["adviser_id"])
    licensed = advisers["qualified"].astype("boolean").fillna(False).to_numpy(bool)
    qualified = pick(licensed, author, False)
    expiry = pick(
        advisers["qualification_expiry"].to_numpy().astype(_DAY), author, np.datetime64("NaT", "D")
    )
    who = rows.frame["adviser_id"].to_numpy(dtype=object) if rows.has("adviser_id") else None
    yield found("MKT-04", asks & named & (author < 0), DENY, "author_unknown", id=who)
    yield found("MKT-04", asks & (author >= 0) & ~qualified, DENY, "author_unqualified", id=who)
    late = asks & qualified & (expiry < rows.day_or_zero)
    yield found("MKT-04", late, DENY, "author_expired", id=who, on=expiry)
    # Nobody has the row yet: whoever gets it is judged then.
    decision.leave_open("MKT-04", asks & ~named)


def _content(rows: Rows) -> Iterator[Finding]:
    listed = list(rows.policy.gate.content.values())
    given = rows.filled("content_id")
    ids = rows.frame["content_id"].to_numpy(dtype=object) if rows.has("content_id") else None
    yield found("MKT-02", given & (rows.content < 0), DENY, "content_unknown", id=ids)
    since = np.array([p.since or "0001-01-01" for p in listed], dtype=_DAY)
    until = np.array([p.until or "9999-12-31" for p in listed], dtype=_DAY)
    day = rows.day_or_zero
    early = pick(since, rows.content, day) > day
    late = pick(until, rows.content, day) < day
    yield found("MKT-02", early | late, DENY, "content_out_of_date", id=ids)
    bare = rows.marketing & rows.on_channels(WRITTEN) & ~given
    yield found("MKT-02", bare & rows.done, DENY, "content_none")
    yield found("MKT-02", bare & ~rows.done, WARN, "content_to_choose")


def _words(rows: Rows) -> Iterator[Finding]:
    if not rows.has("text"):
        return
    texts = rows.frame["text"].to_numpy(dtype=object, na_value=None)
    # Newest first: several instruments may forbid a text, the one named is the latest in force.
    for ref, said, phrase in reversed(list(phrases.first_forbidden(texts))):
        at = np.flatnonzero(said)
        refs = np.full(len(at), ref, dtype=object)
        yield Finding("MKT-01", at, DENY, "forbidden_words", {"fact_id": phrase[at]}, refs)


def _statements(rows: Rows) -> Iterator[Finding]:
    if not rows.has("text"):
        return
    shown = np.flatnonzero((rows.names_product | rows.shows_product) & rows.filled("text"))
    issuers = rows.of_product(rows.products["issuer"].to_numpy(dtype=object, na_value=""), "")
    pairs = pd.DataFrame(
        {"text": rows.frame["text"].to_numpy(dtype=object)[shown], "issuer": issuers[shown]}
    )
    code = pairs.groupby(["text", "issuer"], sort=False, dropna=False).ngroup().to_numpy()
    first = pairs.drop_duplicates()
    lacks = [phrases.missing(text, issuer) for text, issuer in first.itertuples(index=False)]
    for what in ("level", "risk", "issuer", "benchmark"):
        mine = np.array([what in each for each in lacks], dtype=bool)
        yield Finding("MKT-03", shown[mine[code]] if len(shown) else shown, WARN, f"lacks_{what}")


def _recorded(rows: Rows) -> Iterator[Finding]:
    sold = rows.flags("deal") & ~rows.filled("dual_record_id")
    # Where the product is not named, a sale is taken to be one that needs its recording.
    required = rows.products["dual_record"].astype("boolean").fillna(True).to_numpy(bool)
    needed = rows.of_product(required, True)
    yield found("DOC-01", sold & needed, DENY, "not_recorded")


def frequency(rows: Rows, decision: Decision) -> Iterator[Finding]:
    """FREQ-01: unanswered calls of the day, then the limit of marketing contacts.

    Comes last: only rows that nothing else denies use up the limit. Among the rows of one client
    and span of months the lower class of work comes first, then the earlier day.
    """
    yield from _unanswered(rows)
    if not rows.policy.gate.rules["FREQ-01"].on:
        return
    asked = rows.marketing & ~rows.flags("asks_consent") & (rows.client >= 0) & rows.known_day
    at = np.flatnonzero(asked & (rows.done | (decision.level < DENY)))
    if not len(at):
        return
    cap, span = _limits(rows, at)
    month = rows.day[at].astype("datetime64[M]").astype(np.int64)
    first_month = month - month % span
    since = first_month.astype("datetime64[M]").astype(_DAY)
    made = _made(rows, at, since)
    ordinal = _before_in_span(rows, at, first_month)
    reached = made + ordinal
    over = np.flatnonzero((reached >= cap) & (decision.level[at] < DENY))
    facts = {"fact_n": reached[over].astype(float), "fact_limit": cap[over].astype(float),
             "fact_on": since[over]}  # fmt: skip
    yield Finding("FREQ-01", at[over], DENY, "cap_reached", facts)


def _unanswered(rows: Rows) -> Iterator[Finding]:
    contacts = rows.book["contacts"]
    failed = contacts[(contacts["channel"] == "phone") & ~contacts["reached"].fillna(False)]
    log = Log(rows.owners(failed["client_id"]), failed["at"])
    n = log.count(rows.client, rows.day_or_zero, rows.at_or_end)
    limit = rows.policy.gate.quiet.unanswered_per_day
    called = rows.on_channels(["phone"]) & (n >= limit)
    yield found("FREQ-01", called, DENY, "unanswered", n=n, limit=limit)


def _limits(rows: Rows, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Contacts allowed, and in how many months, by the tier of each row's client.

    A year's limit is held over the shortest span of months in which it is a whole number: 24 a
    year are two a month, 4 a year are one a quarter.
    """
    policy = rows.policy
    table = []
    for code in policy.tier_codes:
        yearly = policy.standards[code].marketing_cap_per_year
        whole = [s for s in _SPANS if yearly * s / _YEAR >= 1 and (yearly * s / _YEAR).is_integer()]
        span = whole[0] if whole else _YEAR
        table.append((int(yearly * span / _YEAR), span))
    tier = _tier(rows)[at]
    caps = np.array(table)
    return caps[tier, 0], caps[tier, 1]


def _tier(rows: Rows) -> np.ndarray:
    """Column ``tier`` of the rows where given, else the tier by the last month's average (K01).

    Not the tier in force, which may be higher for some months: the limit errs to the low side.
    """
    policy = rows.policy
    given = rows.match("tier", policy.tier_codes)
    if (given >= 0).all():
        return given
    months = rows.book.months
    if not len(months):
        return np.where(given >= 0, given, 0)
    balances = rows.book["balances_monthly"]
    column = months.get_indexer(balances["month"])
    owner = rows.owners(balances["client_id"])
    weights = balances["product_class"].astype("str").map(policy.tiering.asset_weights)
    weighted = (balances["month_avg"] * weights).fillna(0.0).to_numpy()
    good = (owner >= 0) & (column >= 0)
    average = np.zeros((len(rows.clients), len(months)))
    np.add.at(average, (owner[good], column[good]), weighted[good])
    own = np.searchsorted(policy.floors, average.round(2), side="right") - 1
    # The average of the month before decides; for a day ahead, that of the last complete month.
    before = months.searchsorted(rows.day_or_zero.astype("datetime64[M]").astype("datetime64[s]"))
    place = np.clip(before - 1, 0, len(months) - 1)
    calculated = np.where(rows.client >= 0, own[rows.client, place], 0)
    return np.where(given >= 0, given, calculated)


def _counts(contacts: pd.DataFrame) -> np.ndarray:
    """Marketing contacts that arrived: reached, or written."""
    arrived = contacts["reached"].fillna(False) | contacts["channel"].isin(WRITTEN)
    return ((contacts["purpose"] == "marketing") & arrived).to_numpy(bool)


def _made(rows: Rows, at: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Marketing contacts on record from ``since`` to the row's moment, rows themselves left out."""
    contacts = rows.book["contacts"]
    contacts = contacts[_counts(contacts)]
    if rows.has("contact_id"):
        contacts = contacts[~contacts["contact_id"].isin(rows.frame["contact_id"])]
    log = Log(rows.owners(contacts["client_id"]), contacts["at"])
    return log.count(rows.client[at], since, rows.at_or_end[at])


def _before_in_span(rows: Rows, at: np.ndarray, first_month: np.ndarray) -> np.ndarray:
    """How many rows of the same client and span use up the limit before this one."""
    uses = np.ones(len(at), dtype=np.int64)
    if rows.has("reached"):
        arrived = rows.flags("reached")[at] | rows.on_channels(WRITTEN)[at]
        uses = np.where(rows.done[at], arrived, True).astype(np.int64)
    klass = rows.numbers("klass")[at] if rows.has("klass") else np.zeros(len(at))
    klass = np.where(rows.done[at], -1.0, np.nan_to_num(klass, nan=np.inf))
    name = "row_id" if rows.has("row_id") else None
    tie = rows.frame[name].iloc[at] if name else pd.Series(rows.frame.index[at])
    ranks = pd.factorize(tie, sort=True)[0]
    order = np.lexsort(
        (ranks, rows.at_or_end[at].astype(np.int64), klass, first_month, rows.client[at])
    )
    group = np.flatnonzero(np.append(True, (np.diff(rows.client[at][order]) != 0)
                                     | (np.diff(first_month[order]) != 0)))  # fmt: skip
    before = np.cumsum(uses[order]) - uses[order]
    lengths = np.diff(np.append(group, len(order)))
    ordinal = np.empty(len(at), dtype=np.int64)
    ordinal[order] = before - np.repeat(before[group], lengths)
    return ordinal
