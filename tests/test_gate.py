"""The gate's rule matrix: every rule with a row it must stop, a near miss, and its first day."""

import datetime as dt
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.book import Book, open_book
from playbook.gate import contact_rows, judge, rule_table, weakened
from playbook.policy import PolicyError, law, load
from playbook.text import has, t

CN6 = load("cn6")
FLAGS = ("allow", "warn", "deny")


def balance(client, wan, cls="demand", month="2026-09"):
    return {"client_id": client, "month": month, "product_class": cls,
            "month_avg": wan * 10_000.0, "month_end": wan * 10_000.0}  # fmt: skip


def contact(n, client, at, **more):
    return {"contact_id": f"K{n}", "client_id": client, "adviser_id": "A1", "at": at,
            "channel": "phone", "purpose": "service", "reached": True, "opened": False,
            "need_found": False, "proposal": False, "deal": False} | more  # fmt: skip


def client(name, **more):
    return {"client_id": name, "adviser_id": "A1", "open_date": "2010-01-01", "age": 45,
            "id_expiry": "2030-01-01", "cdd_due": "2030-01-01"} | more  # fmt: skip


def consent(name, channel="phone", on="2025-06-01", **more):
    return {"client_id": name, "channel": channel, "purpose": "marketing", "granted_on": on,
            "proof_id": f"P{name}{channel}{on}"} | more  # fmt: skip


def assessed(name, level="C3", on="2026-03-01", n=0, **more):
    until = pd.Timestamp(on) + pd.DateOffset(months=12)
    return {"ra_id": f"RA{name}{on}{n}", "client_id": name, "assessed_on": on,
            "assessed_at": f"{on} 09:00", "level": level, "valid_until": f"{until:%Y-%m-%d}",
            "assessed_by": "client_self"} | more  # fmt: skip


def product(name, risk="R2", cls="wealth_closed", **more):
    return {"product_id": name, "product_name": name, "issuer": f"发行{name}", "product_class": cls,
            "risk_level": risk, "risk_level_issuer": risk, "term_days": 180} | more  # fmt: skip


#: One well-kept client OK beside others who each differ in one thing.
FRAMES = {
    "advisers": [
        {"adviser_id": "A1", "level": "adviser", "qualified": True,
        "qualification_expiry": "2028-01-01"},
        {"adviser_id": "A0", "level": "assistant", "qualified": False},
        {"adviser_id": "A2", "level": "adviser", "qualified": True,
        "qualification_expiry": "2026-10-09"},
    ],
    "clients": [
        client("OK"), client("OLD", age=65), client("C64", age=64), client("NOAGE", age=None),
        client("KID", age=17), client("C18", age=18), client("WARD", limited_capacity=True),
        client("NORA"), client("OUT"), client("BACK"), client("SAID"), client("STALE"),
        client("NOCS"), client("IDGONE", id_expiry="2026-10-09"),
        client("IDSOON", id_expiry="2026-11-30"), client("CDD", cdd_due="2026-10-09"),
        client("STAFF"), client("QI", qualified_investor_until="2026-12-31"),
        client("QIOLD", qualified_investor_until="2026-10-09"), client("FRESH"),
        client("OFTEN"), client("PROF"), client("CASE"), client("SHUT", close_date="2026-09-30"),
        client("CAP"), client("T4"), client("BUSY"), client("CARE"),
    ],
    "balances_monthly": [
        *(balance(name, 60) for name in (
            "OK", "OLD", "C64", "NOAGE", "KID", "C18", "WARD", "NORA", "OUT", "BACK", "SAID",
            "STALE", "NOCS", "IDGONE", "IDSOON", "CDD", "STAFF", "QI", "QIOLD", "FRESH", "OFTEN",
            "PROF", "CASE", "CAP", "BUSY", "CARE")),
        balance("T4", 300),
    ],
    "consents": [
        *(consent(name) for name in (
            "OK", "OLD", "C64", "KID", "C18", "WARD", "NORA", "SAID", "CASE", "CAP", "T4", "PROF",
            "IDGONE", "QI", "BUSY")),
        consent("OK", "wecom"), consent("OUT", withdrawn_on="2026-09-01"),
        consent("BACK", withdrawn_on="2026-05-01"), consent("BACK", on="2026-06-01"),
        consent("STALE", on="2024-10-10"),
        {"client_id": "PROF", "channel": "app", "purpose": "profiling", "granted_on": "2024-01-01",
         "withdrawn_on": "2026-08-01", "proof_id": "PP"},
    ],
    "risk_assessments": [
        *(assessed(name) for name in (
            "OK", "OLD", "C64", "NOAGE", "KID", "C18", "WARD", "IDGONE", "IDSOON", "CDD", "QI",
            "QIOLD", "SAID", "T4")),
        assessed("STALE", on="2025-10-10"), assessed("STAFF", assessed_by="staff"),
        assessed("FRESH", on="2026-09-30", assessed_at="2026-09-30 15:00"),
        *(assessed("OFTEN", on="2026-09-15", n=n) for n in range(3)),
    ],
    "products": [
        product("P2"), product("P3", "R3"), product("P4", "R4"), product("UP", "R3",
        risk_level_issuer="R4"), product("NR", None, risk_level_issuer=None),
        product("PE", "R3", "private", qualified_only=True), product("LONG", term_days=1000),
        product("INS", "R1", "insurance_protect", dual_record=True, term_days=None),
        product("PLAIN", "R1", "time_deposit", dual_record=False),
    ],
    "needs": [{"client_id": "OK", "field": "horizon_years", "value": "2",
    "updated_on": "2026-01-01"}],
    "holdings": [
        {"holding_id": "H1", "client_id": "OK", "product_id": "P3", "start_date": "2026-01-01",
         "principal": 150_000.0, "market_value": 150_000.0},
        {"holding_id": "H2", "client_id": "OK", "product_id": "LONG", "start_date": "2024-01-01",
         "maturity_date": "2026-10-20", "principal": 500_000.0, "market_value": 500_000.0},
    ],
    "contacts": [
        contact(1, "SAID", "2026-09-15 10:00", purpose="service", outcome="opt_out"),
        contact(2, "CARE", "2026-09-15 10:00", purpose="care", outcome="opt_out"),
        contact(3, "BUSY", "2026-09-30 09:10", reached=False),
        contact(4, "BUSY", "2026-09-30 09:40", reached=False),
        contact(5, "CAP", "2026-09-03 10:00", purpose="marketing"),
        contact(6, "T4", "2026-09-03 10:00", purpose="marketing"),
        contact(7, "OK", "2026-09-03 10:00", purpose="marketing", reached=False),
        contact(8, "OK", "2026-09-03 11:00"),
    ],
    "complaints": [
        {"complaint_id": "X1", "client_id": "CASE", "received_on": "2026-09-20",
         "category": "service", "against_adviser_id": "A1", "handler_id": "A2"},
        {"complaint_id": "X2", "client_id": "OK", "received_on": "2026-08-01",
         "closed_on": "2026-08-05", "category": "service"},
    ],
}  # fmt: skip


def book_of(frames=None, policy=CN6, as_of="2026-09-30"):
    return Book.from_frames(frames or FRAMES, branch="B01", as_of=as_of, policy=policy)


BOOK = book_of()


def row(who="OK", **more):
    base = {"client_id": who, "adviser_id": "A1", "purpose": "service", "channel": "phone",
            "on": "2026-10-12"}  # fmt: skip
    return base | more


def sell(who="OK", product_id="P2", amount=100_000.0, **more):
    return row(who, purpose="marketing", channel="branch", product_id=product_id, amount=amount,
               ) | more  # fmt: skip


def call(who="OK", **more):
    return row(who, purpose="marketing") | more


def verdict(given, book=BOOK, policy=None):
    return judge(pd.DataFrame([given]), book, policy).iloc[0]


GOOD_TEXT = "风险等级R2，理财非存款，产品有风险，投资须谨慎。发行P2。业绩比较基准不代表收益。"

#: rule, what it stops, its verdict and reason, a near miss
MATRIX = [
    ("DATA-01", row("WHO"), "deny", "client_unknown", row("OK")),
    ("DATA-01", row("SHUT"), "deny", "client_closed", row("SHUT", on="2026-09-29")),
    ("DATA-01", row(on=None), "deny", "date_missing", row()),
    ("DATA-01", row(purpose=None), "deny", "purpose_missing", row()),
    ("DATA-01", row(channel="pigeon"), "deny", "channel_missing", row()),
    ("SUIT-01", sell(product_id="P4"), "deny", "too_risky", sell(product_id="P3", amount=1e4)),
    ("SUIT-01", sell(product_id="UP", amount=1e4), "deny", "too_risky",
     sell(product_id="P3", amount=1e4)),
    ("SUIT-01", sell(product_id="NR"), "deny", "risk_unknown", sell()),
    ("SUIT-01", sell(product_id="ZZ"), "deny", "product_unknown", sell()),
    ("SUIT-02", sell("NORA"), "deny", "not_assessed", row("NORA", purpose="service")),
    ("SUIT-02", sell("STALE"), "deny", "assessment_expired", sell("STALE", on="2026-10-09")),
    ("SUIT-03", sell("STAFF"), "deny", "assessed_by_staff", sell()),
    ("SUIT-03", sell("FRESH", on="2026-09-30", at="2026-09-30 14:00"), "deny", "assessed_after",
     sell("FRESH", on="2026-09-30", at="2026-09-30 16:00")),
    ("SUIT-03", sell("FRESH", proposal_at="2026-09-29 10:00"), "deny", "assessed_after",
     sell("FRESH", proposal_at="2026-09-30 15:00")),
    ("SUIT-04", sell(product_id="PE", amount=1e4), "deny", "not_qualified",
     sell("QI", product_id="PE", amount=1e4)),
    ("SUIT-04", sell("QIOLD", product_id="PE", amount=1e4), "deny", "qualified_expired",
     sell("QIOLD", product_id="PE", amount=1e4, on="2026-10-09")),
    ("SUIT-05", sell("C64", amount=180_000.01), "warn", "large_share",
     sell("C64", amount=180_000.0)),
    ("SUIT-05", sell("OLD", amount=120_000.01), "warn", "large_share",
     sell("OLD", amount=120_000.0)),
    ("SUIT-05", sell("C64", amount=600_000.01), "deny", "beyond_liquid", sell("C64", amount=1e5)),
    ("SUIT-06", sell("OLD", "P3", amount=1e4), "warn", "older", sell("OLD", "P2", amount=1e4)),
    ("SUIT-06", sell("OLD", "P3", amount=1e4, channel="phone"), "deny", "older_phone",
     sell("C64", "P3", amount=1e4, channel="phone")),
    ("SUIT-06", sell("NOAGE", "P3", amount=1e4), "warn", "age_unknown", sell("NOAGE", amount=1e4)),
    ("SUIT-08", sell("OFTEN"), "warn", "assessed_often_day", sell()),
    ("SUIT-09", sell(product_id="LONG"), "deny", "beyond_horizon", sell("C64", "LONG")),
    ("SUIT-09", sell(product_id="P3", amount=30_000.01), "deny", "too_much_product",
     sell(product_id="P3", amount=30_000.0)),
    ("SUIT-10", call("WARD"), "deny", "limited_capacity", row("WARD")),
    ("SUIT-10", call("KID"), "deny", "minor", call("C18")),
    ("AML-02", sell("IDGONE"), "deny", "id_expired", sell("IDGONE", on="2026-08-03")),
    ("AML-02", sell("CDD"), "deny", "cdd_overdue", row("CDD")),
    ("AML-02", sell("IDSOON"), "warn", "id_expiring", sell()),
    ("CONS-01", call("NOCS"), "deny", "no_consent", row("NOCS")),
    ("CONS-01", call(channel="email", content_id="CT101"), "deny", "no_consent", call()),
    ("CONS-02", call("OUT"), "deny", "opted_out", call("BACK")),
    ("CONS-02", call("SAID"), "deny", "opted_out", call("SAID", on="2026-09-14")),
    ("CONS-02", call("OUT", asks_consent=True), "deny", "asked_again",
     call("OUT", asks_consent=True, on="2027-03-01")),
    ("CONS-03", call("PROF", automated=True), "deny", "no_profiling", call("PROF")),
    ("CONS-04", call("STALE"), "warn", "consent_old", call("STALE", on="2026-10-09")),
    ("CONS-05", row(purpose="care", content_id="CT103"), "deny", "greeting_with_product",
     row(purpose="care")),
    ("CONS-05", row("CARE", purpose="care"), "deny", "greeting_refused", row("CARE")),
    ("TIME-01", row(at="2026-10-12 12:00"), "deny", "outside_hours", row(at="2026-10-12 11:59")),
    ("TIME-01", row(at="2026-10-12 20:00"), "deny", "outside_hours", row(at="2026-10-12 19:59")),
    ("TIME-01", row(at="2026-10-12 22:00"), "deny", "outside_hours",
     row(at="2026-10-12 22:00", channel="wecom")),
    ("TIME-01", row(on="2026-10-11"), "deny", "rest_day", row(on="2026-09-20")),
    ("TIME-01", row(on="2026-10-01"), "deny", "rest_day",
     row(on=None, due_on="2026-10-01", channel="phone")),
    ("TIME-01", row(on="2026-10-03"), "deny", "rest_day", row(on="2026-10-17")),
    ("FREQ-01", call("CAP", on="2026-09-30"), "deny", "cap_reached", call("CAP")),
    ("FREQ-01", row("BUSY", on="2026-09-30"), "deny", "unanswered", row("BUSY")),
    ("PURP-01", row(product_id="P2", amount=1e4), "deny", "pitch_in_service", row(object_id="H2")),
    ("PURP-01", row(content_id="CT201"), "deny", "pitch_in_service", row(content_id="CT301")),
    ("MKT-01", call(text="这款产品保本保收益"), "deny", "forbidden_words",
    call(text="非保本浮动收益")),
    ("MKT-02", call(content_id="X99"), "deny", "content_unknown", call(content_id="CT101")),
    ("MKT-02", call(channel="wecom"), "warn", "content_to_choose",
     call(channel="wecom", content_id="CT101")),
    ("MKT-02", call(channel="wecom", contact_id="K900", on="2026-09-29"), "deny", "content_none",
     call(contact_id="K900", on="2026-09-29")),
    ("MKT-03", sell(text="风险等级R2，投资须谨慎"), "warn", "lacks_issuer", sell(text=GOOD_TEXT)),
    ("MKT-04", call(adviser_id="A0"), "deny", "author_unqualified", row(adviser_id="A0")),
    ("MKT-04", call(adviser_id="A2"), "deny", "author_expired",
     call(adviser_id="A2", on="2026-10-09")),
    ("MKT-04", call(adviser_id="A9"), "deny", "author_unknown", call()),
    ("DOC-01", sell(product_id="INS", deal=True, amount=1e4), "deny", "not_recorded",
     sell(product_id="INS", deal=True, amount=1e4, dual_record_id="D1")),
    ("DOC-01", sell(product_id=None, deal=True), "deny", "not_recorded",
     sell(product_id="PLAIN", deal=True, amount=1e4)),
    ("COMP-02", row("CASE", object_id="X1"), "deny", "own_complaint",
     row("CASE", object_id="X1", adviser_id="A2")),
    ("COMP-03", call("CASE"), "warn", "complaint_open", call()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "stopped", "how", "reason", "near"), MATRIX,
    ids=[f"{m[0]}-{m[3]}-{at}" for at, m in enumerate(MATRIX)],
)  # fmt: skip
def test_rule_stops_what_it_must_and_no_more(rule, stopped, how, reason, near):
    told = verdict(stopped)
    assert (told.verdict, told.rule, told.reason) == (how, rule, reason)
    assert rule in told.rules.split()
    assert told.instrument in law.instruments()
    passed = verdict(near)
    assert rule not in passed.rules.split()
    assert passed.verdict == "allow", (passed.rule, passed.reason)


def test_matrix_covers_every_rule_that_looks_at_rows():
    covered = {entry[0] for entry in MATRIX}
    for rule in law.rules().values():
        if rule.looks_at in ("row", "text"):
            assert rule.id in covered, rule.id


@pytest.mark.parametrize(("lang"), ["zh", "en"])
def test_every_reason_is_worded_with_its_facts(lang):
    table = judge(pd.DataFrame([entry[1] for entry in MATRIX]), BOOK)
    for (rule, _, _, _, _), (_, told) in zip(MATRIX, table.iterrows(), strict=True):
        sentence = t(f"gate.reason.{told.reason}", lang, **told.to_dict())
        assert not re.search(r"\b(nan|NaT|None)\b", sentence), (rule, sentence)
        assert "—" not in sentence and "{" not in sentence, (rule, sentence)


# --------------------------------------------------------------------------------- dates

#: rule, a row that breaks it, the day before it was in force there
STARTS = [
    ("SUIT-01", sell("EARLY", "P4"), "2017-07-01", "R22"),
    ("SUIT-01", sell("EARLY", "P4"), "2026-02-01", "R6"),
    ("SUIT-02", sell("BARE", "P2"), "2018-09-26", "R7"),
    ("SUIT-03", sell("STAFFED", "P2"), "2018-09-26", "R7"),
    ("SUIT-03", sell("STAFFED", "P2"), "2026-02-01", "R6"),
    ("SUIT-04", sell("EARLY", "PE"), "2018-04-27", "R11"),
    ("SUIT-05", sell("EARLY", "P2", amount=1e9), "2026-02-01", "R6"),
    ("SUIT-06", sell("AGED", "P4"), "2025-10-01", "R8"),
    ("SUIT-08", sell("MANY", "P2"), "2026-02-01", "R6"),
    ("SUIT-10", call("WARD"), "2025-10-01", "R8"),
    ("AML-02", sell("IDOLD", "P2"), "2025-01-01", "R12"),
    ("AML-02", sell("IDOLD", "P2"), "2026-01-01", "R13"),
    ("CONS-01", call("EARLY"), "2014-03-15", "R3"),
    ("CONS-01", call("EARLY"), "2021-01-01", "R2"),
    ("CONS-02", call("GONE"), "2014-03-15", "R3"),
    ("CONS-02", call("GONE"), "2025-01-01", "R5"),
    ("CONS-03", call("GONE", automated=True), "2021-11-01", "R1"),
    ("CONS-05", row("EARLY", purpose="care", content_id="CT103"), "2021-01-01", "R2"),
    ("PURP-01", row("EARLY", content_id="CT201"), "2014-03-15", "R3"),
    ("MKT-01", row("EARLY", text="保本"), "2018-04-27", "R11"),
    ("MKT-01", row("EARLY", text="零风险"), "2021-04-29", "R4"),
    ("MKT-01", row("EARLY", text="和存款一样"), "2026-02-01", "R6"),
    ("MKT-01", row("EARLY", text="低门槛"), "2026-09-30", "R17"),
    ("MKT-02", call("EARLY", content_id="X99"), "2020-01-25", "R16"),
    ("MKT-02", call("EARLY", content_id="X99"), "2026-09-30", "R17"),
    ("MKT-03", sell("EARLY", "P2", text="好产品"), "2026-02-01", "R6"),
    ("MKT-04", call("EARLY", adviser_id="A0"), "2026-09-30", "R17"),
    ("DOC-01", sell("EARLY", "INS", deal=True), "2017-10-20", "R9"),
    ("COMP-02", row("EARLY", object_id="X9"), "2020-03-01", "R15"),
]


@pytest.fixture(scope="module")
def long_book():
    days = pd.date_range("2013-01-01", "2026-10-01", freq="100D")
    frames = {
        "advisers": FRAMES["advisers"], "products": FRAMES["products"],
        "clients": [
            client("EARLY"), client("BARE"), client("STAFFED"), client("AGED", age=70),
            client("MANY"), client("WARD", limited_capacity=True), client("GONE"),
            client("IDOLD", id_expiry="2012-01-01"),
        ],
        "balances_monthly": [balance("EARLY", 60)],
        "consents": [
            consent("GONE", on="2011-01-01", withdrawn_on="2012-01-01"),
            {"client_id": "GONE", "channel": "app", "purpose": "profiling",
             "granted_on": "2011-01-01", "withdrawn_on": "2012-01-01", "proof_id": "PX"},
        ],
        "risk_assessments": [
            *(assessed(who, on=f"{day:%Y-%m-%d}") for day in days
              for who in ("EARLY", "AGED", "IDOLD")),
            *(assessed("STAFFED", on=f"{day:%Y-%m-%d}", assessed_by="staff") for day in days),
            *(assessed("MANY", on=day, n=n) for n in range(3) for day in ("2026-01-15",)),
        ],
        "complaints": [{"complaint_id": "X9", "client_id": "EARLY", "received_on": "2019-01-01",
                        "category": "service", "against_adviser_id": "A1"}],
    }  # fmt: skip
    return book_of(frames)


@pytest.mark.parametrize(("rule", "given", "since", "ref"), STARTS,
                         ids=[f"{s[0]}-{s[3]}" for s in STARTS])  # fmt: skip
def test_rule_is_held_from_its_first_day(rule, given, since, ref, long_book):
    day = pd.Timestamp(since)
    rows = pd.DataFrame([given | {"on": day}, given | {"on": day - pd.Timedelta(days=1)}])
    # Alone, so that no rule listed before it is named in its place.
    others = {f"gate.rules.{name}.on": False for name in CN6.gate.rules if name != rule}
    on, before = judge(rows, long_book, CN6.with_(**others)).to_dict("records")
    assert (on["rule"], on["instrument"]) == (rule, ref)
    assert on["effective_from"] == day
    assert before["instrument"] != ref
    if law.rules()[rule].versions[0].ref == ref:
        assert before["verdict"] == "allow"


def test_every_dated_version_of_a_row_rule_has_its_case():
    cases = {(rule, ref) for rule, _, _, ref in STARTS}
    for rule in law.rules().values():
        for version in rule.versions:
            if rule.looks_at in ("row", "text") and version.since:
                assert (rule.id, version.ref) in cases, (rule.id, version.ref)


def test_a_predecessor_ends_where_its_successor_begins(long_book):
    rows = pd.DataFrame([sell("EARLY", "P4", on=day) for day in ("2026-01-31", "2026-02-01")])
    table = judge(rows, long_book)
    assert table["instrument"].tolist() == ["R22", "R6"]
    assert table["effective_to"].iloc[0] == pd.Timestamp("2026-01-31")
    assert pd.isna(table["effective_to"].iloc[1])


# ----------------------------------------------------------------------------- precedence


def test_expired_assessment_is_named_before_the_mismatch():
    told = verdict(sell("STALE", "P4"))
    assert (told.rule, told.reason) == ("SUIT-02", "assessment_expired")
    assert {"SUIT-01", "SUIT-02"} <= set(told.rules.split())


def test_question_50_of_the_exam():
    book = book_of(FRAMES | {"risk_assessments": [assessed("OK", on="2025-11-20")]})
    assert verdict(sell(on="2026-11-19"), book).verdict == "allow"
    assert verdict(sell(on="2026-11-20"), book).rule == "SUIT-02"
    assert verdict(sell(on="2026-11-23"), book).rule == "SUIT-02"


def test_deny_beats_warn_whatever_the_order_of_the_list():
    told = verdict(sell("OLD", "P4", amount=500_000.0))
    assert told.verdict == "deny" and told.rule == "SUIT-01"
    assert {"SUIT-05", "SUIT-06"} <= set(told.rules.split())


@pytest.mark.parametrize("level", ["C0", "C1", "C2", "C3", "C4", "C5"])
@pytest.mark.parametrize("risk", ["R1", "R2", "R3", "R4", "R5"])
def test_the_matrix_of_levels(level, risk):
    book = book_of(FRAMES | {
        "risk_assessments": [assessed("C64", level)], "products": [product("P", risk)],
    })  # fmt: skip
    highest = max(int(level[1]), 1)
    told = verdict(sell("C64", "P", amount=1000.0), book)
    assert (told.rule == "SUIT-01") == (int(risk[1]) > highest)


# ---------------------------------------------------------------------------- missing data


def test_without_consents_marketing_is_denied_and_says_so():
    frames = {name: rows for name, rows in FRAMES.items() if name != "consents"}
    book = book_of(frames)
    told = verdict(call(), book)
    assert (told.verdict, told.rule, told.reason) == ("deny", "CONS-01", "no_consent_table")
    assert verdict(row(), book).verdict == "allow"
    assert verdict(call(channel="branch"), book).verdict == "allow"


def test_without_assessments_or_products_nothing_is_proposed():
    bare = {name: rows for name, rows in FRAMES.items()
            if name not in ("risk_assessments", "products", "holdings")}  # fmt: skip
    told = verdict(sell(), book_of(bare))
    assert told.verdict == "deny" and {"SUIT-01", "SUIT-02"} <= set(told.rules.split())


def test_what_could_not_be_decided_is_told():
    told = verdict(sell("C64", amount=None))
    assert told.verdict == "allow"
    assert {"SUIT-05", "SUIT-09"} <= set(told.undecided.split())
    assert "MKT-04" in verdict(call(adviser_id=None)).undecided.split()
    assert "SUIT-10" in verdict(sell("NOAGE")).undecided.split()
    assert verdict(row()).undecided == ""


def test_rows_without_the_needed_columns_are_refused():
    with pytest.raises(ValueError, match="purpose"):
        judge(pd.DataFrame([{"client_id": "OK", "channel": "phone", "on": "2026-10-12"}]), BOOK)
    with pytest.raises(ValueError, match="due_on"):
        judge(pd.DataFrame([{"client_id": "OK", "channel": "phone", "purpose": "care"}]), BOOK)


def test_no_rows_give_no_verdicts():
    empty = judge(pd.DataFrame([row()]).iloc[:0], BOOK)
    assert len(empty) == 0 and "verdict" in empty.columns


# ---------------------------------------------------------------------------------- caps


def caps(rows, book=BOOK, policy=None):
    return judge(pd.DataFrame(rows), book, policy)["rule"].tolist()


def test_the_months_limit_counts_contacts_made_and_rows_planned():
    assert caps([call("T4", on="2026-09-30", row_id="a")]) == [""]
    again = [call("T4", on=f"2026-10-{day}", row_id=str(day)) for day in (12, 13, 14)]
    assert caps(again) == ["", "", "FREQ-01"]
    assert caps([call("CAP", on="2026-09-30"), call("CAP", on="2026-10-12")]) == ["FREQ-01", ""]


def test_the_lower_class_of_work_has_the_limit_first():
    rows = [call(on="2026-10-12", klass=4, row_id="a"), call(on="2026-10-20", klass=2, row_id="b")]
    assert caps(rows) == ["FREQ-01", ""]


def test_rows_denied_anyway_use_up_no_limit():
    rows = [call(on="2026-10-12", content_id="X9", row_id="a"), call(on="2026-10-13", row_id="b")]
    assert caps(rows) == ["MKT-02", ""]


def test_a_limit_of_four_a_year_is_one_a_quarter_and_none_is_none():
    rows = [call(tier="T1", on=day, row_id=day) for day in ("2026-10-12", "2026-12-14",
    "2027-01-04")]
    assert caps(rows) == ["", "FREQ-01", ""]
    assert caps([call(tier="T0")]) == ["FREQ-01"]


def test_an_attempt_that_reached_nobody_uses_up_no_limit():
    # OK has an unreached marketing call on record in September.
    assert caps([call(on="2026-09-30")]) == [""]


# ----------------------------------------------------------------------------- what a bank may


def test_a_rule_switched_off_is_silent_and_told_as_weakened():
    policy = CN6.with_(**{"gate.rules.SUIT-01.on": False})
    assert verdict(sell(product_id="P4", amount=1e4), policy=policy).verdict == "allow"
    table = weakened(policy)
    assert table[["rule", "basis", "change", "now"]].values.tolist() == [
        ["SUIT-01", "law", "off", "off"]
    ]


def test_a_rule_made_milder_warns_and_is_told():
    policy = CN6.with_(**{"gate.rules.CONS-01.verdict": "warn"})
    assert verdict(call("NOCS"), policy=policy).verdict == "warn"
    assert weakened(policy)["change"].tolist() == ["warn"]


def test_a_rule_made_stricter_is_not_weakened():
    policy = CN6.with_(**{"gate.rules.CONS-04.verdict": "deny", "gate.rules.MKT-04.since":
                          dt.date(2025, 1, 1)})  # fmt: skip
    assert verdict(call("STALE"), policy=policy).verdict == "deny"
    early = call(adviser_id="A0", on="2026-01-12")
    assert verdict(early).rules == "" and verdict(early, policy=policy).rule == "MKT-04"
    assert verdict(call(adviser_id="A0", on="2024-12-30"), policy=policy).rule != "MKT-04"
    assert weakened(policy).empty


def test_a_rule_held_later_is_told():
    policy = CN6.with_(**{"gate.rules.SUIT-10.since": dt.date(2026, 12, 1)})
    assert verdict(call("KID"), policy=policy).verdict == "allow"
    assert verdict(call("KID", on="2026-12-01"), policy=policy).rule == "SUIT-10"
    assert weakened(policy)["change"].tolist() == ["later"]


@pytest.mark.parametrize(("changes", "rule"), [
    ({"gate.suitability.valid_months": 24}, "SUIT-02"),
    ({"persona.care_from_age": 70}, "SUIT-06"),
    ({"gate.suitability.highest.C2": "R3"}, "SUIT-01"),
    ({"gate.cases.days": 20}, "COMP-01"),
    ({"gate.benefits.refused_rewards": []}, "GIFT-03"),
])  # fmt: skip
def test_numbers_looser_than_the_law_are_told(changes, rule):
    table = weakened(CN6.with_(**changes))
    assert table[["rule", "change"]].values.tolist() == [[rule, "limit"]]
    assert table["key"].tolist() == list(changes)
    for lang in ("zh", "en"):
        assert rule in t("gate.weakened.limit", lang, **table.iloc[0].to_dict())


def test_the_presets_weaken_nothing():
    for name in ("cn6", "cmb_like", "boc_like", "county_bank", "seed_3tier", "seed_4tier"):
        assert weakened(load(name)).empty, name


def test_what_can_not_be_judged_stays_denied_whatever_a_bank_writes():
    with pytest.raises(PolicyError):
        CN6.with_(**{"gate.rules.DATA-01": {"on": False, "verdict": "listed", "since": None}})


def test_the_list_of_rules_is_whole():
    table = rule_table(CN6, "zh")
    assert set(table["rule"]) == set(law.rules())
    assert (table["name"] != "").all() and (table["evidence"] != "").all()
    assert set(table["verdict"]) <= {"warn", "deny", "graded"}
    for rule in law.rules().values():
        spans = [(v.since or dt.date.min, v.until or dt.date.max) for v in rule.versions]
        assert spans == sorted(spans) and all(a <= b for a, b in spans), rule.id
        for version in rule.versions:
            since = law.instruments()[version.ref].since
            assert version.ref == "HOUSE" or version.since >= since, (rule.id, version.ref)
    for change in ("off", "warn", "later", "limit"):
        assert has(f"gate.weakened.{change}")


# ------------------------------------------------------------------------------ properties

CLIENTS = [entry["client_id"] for entry in FRAMES["clients"]] + ["WHO"]
ROWS = st.fixed_dictionaries({
    "client_id": st.sampled_from(CLIENTS), "adviser_id": st.sampled_from(["A0", "A1", "A2", None]),
    "purpose": st.sampled_from(["service", "marketing", "care", None]),
    "channel": st.sampled_from(["phone", "sms", "wecom", "visit", "branch", "event", "email"]),
    "on": st.dates(dt.date(2017, 1, 1), dt.date(2027, 6, 1)),
    "product_id": st.sampled_from([None, None, "P2", "P3", "P4", "PE", "ZZ"]),
    "content_id": st.sampled_from([None, "CT101", "CT201", "X9"]),
    "amount": st.sampled_from([None, 1e4, 2e5, 1e7]), "klass": st.integers(1, 4),
    "text": st.sampled_from([None, "保本", "非保本"]), "tier": st.sampled_from(["T0", "T1", "T3",
    "T5"]),
})  # fmt: skip


def _frame(rows):
    return pd.DataFrame([entry | {"row_id": f"{at:02d}"} for at, entry in enumerate(rows)])


MANY = st.lists(ROWS, min_size=1, max_size=8).map(_frame)
FEW = st.lists(ROWS, min_size=1, max_size=3).map(_frame)


@settings(max_examples=25, deadline=None)
@given(MANY, st.randoms())
def test_the_order_of_rows_changes_nothing(rows, luck):
    there = judge(rows, BOOK)
    order = list(range(len(rows)))
    luck.shuffle(order)
    again = judge(rows.iloc[order], BOOK).loc[rows.index]
    pd.testing.assert_frame_equal(there, again)


@settings(max_examples=15, deadline=None)
@given(FEW)
def test_the_verdict_is_the_worst_that_any_rule_says(rows):
    table = judge(rows, BOOK)
    for (_, given_row), (_, told) in zip(rows.iterrows(), table.iterrows(), strict=True):
        fired = told.rules.split()
        assert (told.verdict == "allow") == (fired == []) == (told.rule == "")
        assert told.rule == "" or told.rule in fired
        ranks = [law.rules()[name].rank for name in fired]
        assert ranks == sorted(ranks)
        # Each rule alone says at most what all say together; the deciding one says just that.
        alone = {name: _alone(given_row, name) for name in fired if name != "FREQ-01"}
        for name, said in alone.items():
            assert FLAGS.index(said) <= FLAGS.index(told.verdict), name
        if told.rule in alone:
            assert alone[told.rule] == told.verdict


def _alone(given_row, rule):
    off = {f"gate.rules.{name}.on": False for name in CN6.gate.rules if name != rule}
    table = judge(pd.DataFrame([given_row]), BOOK, _policy(tuple(off.items())))
    told = table.iloc[0]
    if rule != law.DATA_RULE and told.rule == law.DATA_RULE:
        return "allow"
    return told.verdict


_KEPT = {}


def _policy(off):
    if off not in _KEPT:
        _KEPT[off] = CN6.with_(**dict(off))
    return _KEPT[off]


@settings(max_examples=20, deadline=None)
@given(MANY, st.integers(1, 4))
def test_no_priority_lifts_a_denial(rows, klass):
    before = judge(rows, BOOK)
    after = judge(rows.assign(klass=klass), BOOK)
    denied = (before["verdict"] == "deny") & (before["rule"] != "FREQ-01")
    assert (after.loc[denied, "verdict"] == "deny").all()
    # The limit itself lets as many through, whoever comes first.
    assert (before["verdict"] == "deny").sum() == (after["verdict"] == "deny").sum()


@settings(max_examples=20, deadline=None)
@given(MANY)
def test_switching_a_rule_off_never_denies_more(rows):
    rows = rows.assign(purpose=rows["purpose"].replace({"marketing": "service"}))
    mild = CN6.with_(**{"gate.rules.SUIT-01.on": False, "gate.rules.CONS-05.on": False})
    strict, loose = judge(rows, BOOK), judge(rows, BOOK, mild)
    assert (loose["verdict"] <= strict["verdict"]).all()


# ---------------------------------------------------------------------------- done contacts


def test_recorded_contacts_are_judged_by_what_was_known_then():
    table = judge(contact_rows(BOOK), BOOK)
    assert (table.loc[table["on"] == "2026-09-15", "verdict"] == "allow").all()
    # Two unanswered calls are allowed; the client's third would not have been.
    assert "FREQ-01" not in " ".join(table["rules"])


def test_the_planted_proposals_without_assessment_are_all_denied():
    """Every fault SUIT-02 that the loader reports of the faulty data is denied here too."""
    book = open_book("faulty", branch="B01")
    rows = contact_rows(book)
    table = judge(rows, book)
    planted = int((book.faults["code"] == "proposal_unassessed").sum())
    denied = table["rules"].str.contains("SUIT-02") & rows["proposal"].fillna(False)
    assert planted > 0 and denied.sum() >= planted
    assert (table.loc[denied, "verdict"] == "deny").all()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_report_says_what_is_weaker_than_the_list(lang):
    from playbook.report.facts import _weakened

    said = _weakened(CN6.with_(**{"gate.rules.SUIT-05.on": False}), lang)
    assert len(said) == 1 and "SUIT-05" in said[0]
    assert law.instruments()["R6"].title(lang) in said[0]
    assert _weakened(CN6, lang) == []
