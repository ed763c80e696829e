"""适当性: may this product be spoken of to this client on this day (SUIT-01 … SUIT-10, AML-02).

Every rule looks at rows that touch a product and returns what it found. A missing assessment is
never a low hurdle: without one nothing may be proposed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from playbook.gate.decision import DENY, WARN, Finding, found
from playbook.gate.rows import Log, Rows, level_names, pick
from playbook.tables import CLIENT_LEVELS, RISK_LEVELS

_DAY = "datetime64[D]"
_NAT = np.datetime64("NaT", "D")


class Assessed:
    """The last assessment of each row's client on the row's day."""

    def __init__(self, rows: Rows) -> None:
        table = rows.book["risk_assessments"]
        self.table = table
        self.owner = rows.owners(table["client_id"])
        days = table["assessed_on"].to_numpy().astype(_DAY)
        moments = table["assessed_at"].to_numpy()
        log = Log(self.owner, days, moments.astype("datetime64[s]").astype(np.int64))
        self.place = log.last(rows.client, rows.day_or_zero)
        self.there = self.place >= 0
        self.on = pick(days, self.place, _NAT)
        months = pd.DateOffset(months=rows.policy.gate.suitability.valid_months)
        ends = (table["assessed_on"] + months).to_numpy().astype(_DAY)
        until = table["valid_until"].to_numpy().astype(_DAY) + np.timedelta64(1, "D")
        #: First day on which it is no longer valid: a year on, or after the date written on it.
        self.ends = pick(np.fmin(ends, until), self.place, _NAT)
        self.valid = self.there & (rows.day_or_zero < self.ends)
        self.moment = pick(moments.astype("datetime64[s]"), self.place, np.datetime64("NaT", "s"))
        levels = table["level"].astype("str").map({c: k for k, c in enumerate(CLIENT_LEVELS)})
        self.level = pick(levels.to_numpy(dtype="float64", na_value=-1), self.place, -1).astype(int)
        self.by_staff = pick((table["assessed_by"] == "staff").to_numpy(bool), self.place, False)


def suitability(rows: Rows, decision) -> Iterator[Finding]:
    """Findings of all rules about client and product, in order of precedence."""
    touched = rows.touches_product
    assessed = Assessed(rows)
    yield from _capacity_to_act(rows, decision)
    yield from _identity(rows, touched, decision)
    yield from _valid(touched, assessed)
    yield from _self_assessed(rows, touched, assessed)
    yield from _matched(rows, touched, assessed, decision)
    yield from _qualified(rows)
    yield from _older(rows)
    yield from _means(rows, decision)
    yield from _fitting(rows, decision)
    yield from _often(rows, touched, assessed)


def _capacity_to_act(rows: Rows, decision) -> Iterator[Finding]:
    asked = rows.touches_product | rows.marketing
    limit = rows.policy.gate.suitability.adult_age
    yield found("SUIT-10", asked & rows.client_flags("limited_capacity"), DENY, "limited_capacity")
    yield found("SUIT-10", asked & (rows.age < limit), DENY, "minor", limit=limit)
    decision.leave_open("SUIT-10", asked & (rows.client >= 0) & np.isnan(rows.age))


def _identity(rows: Rows, touched, decision) -> Iterator[Finding]:
    expiry, due = rows.client_days("id_expiry"), rows.client_days("cdd_due")
    soon = rows.day_or_zero + np.timedelta64(rows.policy.gate.id_notice_days, "D")
    yield found("AML-02", touched & (expiry < rows.day_or_zero), DENY, "id_expired", on=expiry)
    yield found("AML-02", touched & (due < rows.day_or_zero), DENY, "cdd_overdue", on=due)
    near = touched & (expiry >= rows.day_or_zero) & (expiry <= soon)
    yield found("AML-02", near, WARN, "id_expiring", on=expiry)
    decision.leave_open("AML-02", touched & (np.isnat(expiry) | np.isnat(due)))


def _valid(touched, assessed: Assessed) -> Iterator[Finding]:
    yield found("SUIT-02", touched & ~assessed.there, DENY, "not_assessed")
    late = touched & assessed.there & ~assessed.valid
    yield found("SUIT-02", late, DENY, "assessment_expired", on=assessed.on, until=assessed.ends)


def _self_assessed(rows: Rows, touched, assessed: Assessed) -> Iterator[Finding]:
    yield found("SUIT-03", touched & assessed.by_staff, DENY, "assessed_by_staff", on=assessed.on)
    proposed = rows.times("proposal_at")
    proposed = np.where(np.isnat(proposed), rows.at, proposed)
    after = touched & (assessed.moment > proposed)
    yield found("SUIT-03", after, DENY, "assessed_after", on=assessed.on)


def _matched(rows: Rows, touched, assessed: Assessed, decision) -> Iterator[Finding]:
    named = rows.names_product
    yield found("SUIT-01", named & (rows.product < 0), DENY, "product_unknown",
                id=_ids(rows, "product_id"))  # fmt: skip
    yield found("SUIT-01", named & (rows.product >= 0) & (rows.risk < 0), DENY, "risk_unknown",
                id=_ids(rows, "product_id"))  # fmt: skip
    ranks = [RISK_LEVELS.index(rows.policy.gate.suitability.highest[c]) for c in CLIENT_LEVELS]
    highest = np.array([*ranks, -1])[assessed.level]
    above = named & assessed.there & (rows.risk > highest)
    yield found("SUIT-01", above, DENY, "too_risky", risk=level_names(rows.risk, RISK_LEVELS),
                level=level_names(assessed.level, CLIENT_LEVELS))  # fmt: skip
    # Product material without a product, or a proposal that names none: no level to compare.
    decision.leave_open("SUIT-01", touched & ~named)


def _qualified(rows: Rows) -> Iterator[Finding]:
    only = rows.products["qualified_only"].astype("boolean").fillna(False).to_numpy(bool)
    only |= rows.products["product_class"].isin(["private"]).to_numpy(bool)
    asked = rows.of_product(only, False)
    until = rows.client_days("qualified_investor_until")
    yield found("SUIT-04", asked & np.isnat(until), DENY, "not_qualified")
    late = asked & (until < rows.day_or_zero)
    yield found("SUIT-04", late, DENY, "qualified_expired", until=until)


def _older(rows: Rows) -> Iterator[Finding]:
    from_level = RISK_LEVELS.index(rows.policy.gate.suitability.care_from_level)
    care = rows.policy.persona.care_from_age
    risky = rows.risk >= from_level
    risk = level_names(rows.risk, RISK_LEVELS)
    old = risky & (rows.age >= care)
    phone = rows.on_channels(["phone"])
    yield found("SUIT-06", old & phone, DENY, "older_phone", n=rows.age, risk=risk)
    yield found("SUIT-06", old & ~phone, WARN, "older", n=rows.age, risk=risk)
    unknown = risky & (rows.client >= 0) & np.isnan(rows.age)
    yield found("SUIT-06", unknown, WARN, "age_unknown", risk=risk)


def _means(rows: Rows, decision) -> Iterator[Finding]:
    rules = rows.policy.gate.suitability
    named, amount = rows.names_product, rows.numbers("amount")
    old = rows.age >= rows.policy.persona.care_from_age
    share = np.where(old, rules.capacity_share_care, rules.capacity_share)
    liquid = rows.liquid(rules.liquid_classes) + _falling_due(rows)
    yield found("SUIT-05", named & (amount > liquid), DENY, "beyond_liquid", amount=amount,
                limit=liquid)  # fmt: skip
    large = named & (amount > rows.aum * share)
    yield found("SUIT-05", large, WARN, "large_share", amount=amount, limit=share)
    decision.leave_open("SUIT-05", named & (np.isnan(amount) | np.isnan(rows.aum)))


def _held(rows: Rows) -> pd.DataFrame:
    """Holdings not ended, with the client's and the product's position."""
    held = rows.book["holdings"]
    held = held[held["ended_on"].isna()]
    value = held["market_value"].fillna(held["principal"])
    return held.assign(
        owner=rows.owners(held["client_id"]),
        product=pd.Index(rows.products["product_id"]).get_indexer(held["product_id"]),
        worth=value,
    )


def _falling_due(rows: Rows) -> np.ndarray:
    """Principal of each row's client that falls due soon and is not in a liquid class anyway."""
    rules = rows.policy.gate.suitability
    held = _held(rows)
    classes = rows.products["product_class"].astype("str").to_numpy(dtype=object)
    own_class = pick(classes, held["product"].to_numpy(), "")
    ending = held["maturity_date"].notna().to_numpy() & ~np.isin(own_class, rules.liquid_classes)
    held = held[ending & (held["owner"] >= 0).to_numpy()]
    held = held.assign(due=held["maturity_date"].to_numpy().astype(_DAY))
    held = held.sort_values(["owner", "due"], kind="stable")
    log = Log(held["owner"].to_numpy(), held["due"].to_numpy())
    sums = np.append(0.0, np.cumsum(held["principal"].fillna(0.0).to_numpy()[log.place]))
    days = np.timedelta64(rules.liquid_days + 1, "D")
    first = np.searchsorted(log.owner, rows.client, side="left")
    n = log.count(rows.client, np.datetime64("1900-01-01"), rows.day_or_zero + days)
    return sums[first + n] - sums[first]


def _fitting(rows: Rows, decision) -> Iterator[Finding]:
    rules = rows.policy.gate.suitability
    named, amount = rows.names_product, rows.numbers("amount")
    term = rows.numbers("term_days")
    listed = rows.of_product(
        rows.products["term_days"].to_numpy(dtype="float64", na_value=np.nan), np.nan
    )
    term = np.where(np.isnan(term), listed, term)
    horizon = rows.numbers("horizon")
    horizon = np.where(np.isnan(horizon), _stated_horizon(rows), horizon)
    long = named & (term > horizon * _YEAR)
    yield found("SUIT-09", long, DENY, "beyond_horizon", n=term, limit=horizon)
    risky = named & (rows.risk >= RISK_LEVELS.index(rules.concentration_from_level))
    in_product, with_issuer = _concentration(rows)
    for held, limit, reason in (
        (in_product, rules.product_share, "too_much_product"),
        (with_issuer, rules.issuer_share, "too_much_issuer"),
    ):
        over = risky & (held + amount > rows.aum * limit)
        share = np.divide(
            held + amount, rows.aum, out=np.full(rows.n, np.inf), where=rows.aum > 0
        )
        yield found("SUIT-09", over & (rows.aum > 0), DENY, reason, n=share, limit=limit)
        yield found("SUIT-09", over & (rows.aum <= 0), DENY, "no_assets", amount=amount)
    decision.leave_open("SUIT-09", named & ~np.isnan(term) & np.isnan(horizon))
    decision.leave_open("SUIT-09", risky & (np.isnan(amount) | np.isnan(rows.aum)))


_YEAR = 365.25


def _stated_horizon(rows: Rows) -> np.ndarray:
    needs = rows.book["needs"]
    needs = needs[needs["field"] == "horizon_years"]
    years = pd.to_numeric(needs["value"], errors="coerce")
    years = years.to_numpy(dtype="float64", na_value=np.nan)
    stated = np.full(len(rows.clients), np.nan)
    owner = rows.owners(needs["client_id"])
    stated[owner[owner >= 0]] = years[owner >= 0]
    return rows.of_client(stated, np.nan)


def _concentration(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """What each row's client holds already of the row's product, and with its issuer."""
    held = _held(rows)
    good = (held["owner"] >= 0) & (held["product"] >= 0)
    held = held[good]
    issuers, _ = pd.factorize(rows.products["issuer"])
    results = []
    for of_product in (np.arange(len(issuers)), issuers):
        width = len(issuers) + 1
        key = held["owner"].to_numpy() * width + pick(of_product, held["product"].to_numpy(), -1)
        sums = held.groupby(key)["worth"].sum()
        mine = rows.of_product(of_product, -1)
        wanted = np.where(mine >= 0, rows.client * width + mine, -1)
        results.append(pick(sums.to_numpy(), sums.index.get_indexer(wanted), 0.0))
    return results[0], results[1]


def _often(rows: Rows, touched, assessed: Assessed) -> Iterator[Finding]:
    rules = rows.policy.gate.suitability
    log = Log(assessed.owner, assessed.table["assessed_on"])
    next_day = rows.day_or_zero + np.timedelta64(1, "D")
    day = np.where(assessed.there, assessed.on, rows.day_or_zero)
    same = log.count(rows.client, day, day + np.timedelta64(1, "D"))
    yield found("SUIT-08", touched & (same > rules.assessments_per_day), WARN, "assessed_often_day",
                n=same, limit=rules.assessments_per_day, on=day)  # fmt: skip
    year = (pd.DatetimeIndex(rows.day_or_zero) - pd.DateOffset(years=1)).to_numpy().astype(_DAY)
    within = log.count(rows.client, year + np.timedelta64(1, "D"), next_day)
    yield found("SUIT-08", touched & (within > rules.assessments_per_year), WARN,
                "assessed_often_year", n=within, limit=rules.assessments_per_year)  # fmt: skip


def _ids(rows: Rows, name: str) -> np.ndarray:
    if not rows.has(name):
        return np.full(rows.n, None, dtype=object)
    return rows.frame[name].to_numpy(dtype=object)
