"""K11 and K13: what is due and what was triggered, on books of one or two clients."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.book import Book
from playbook.plan import standard
from playbook.plan.rows import COLUMNS, FATES, REASONS, TIER_FACTS, collect, intended
from playbook.plan.signals import FINDERS, VARIANTS
from playbook.plan.windows import settle
from playbook.policy import KLASSES, PolicyError, load, presets
from playbook.policy.calendar import is_working_day
from playbook.policy.rules import TRIGGERS
from playbook.segment import segment
from playbook.text import has, t

AS_OF = "2026-09-30"  # the planned month is October 2026, its working days the 8th to the 30th
CN6 = load("cn6")
ADVISERS = [{"adviser_id": "A0", "level": "assistant", "qualified": False},
            {"adviser_id": "A1", "level": "adviser", "qualified": True}]  # fmt: skip
DEPOSIT = {"product_id": "TD", "product_name": "定期一年", "product_class": "time_deposit"}
CLOSED = {"product_id": "WC", "product_name": "封闭理财", "product_class": "wealth_closed",
          "risk_level": "R2"}  # fmt: skip
FUND = {"product_id": "FE", "product_name": "股票基金", "product_class": "fund_equity",
        "risk_level": "R4"}  # fmt: skip
POLICY = {"product_id": "IS", "product_name": "年金险", "product_class": "insurance_saving",
          "cooling_off_days": 15}  # fmt: skip
PRODUCTS = [DEPOSIT, CLOSED, FUND, POLICY]


def client(number=1, **facts):
    return {"client_id": f"C{number}", "open_date": "2015-01-01", "adviser_id": "A1"} | facts


def assets(*yuan, number=1):
    months = pd.period_range(end="2026-09", periods=len(yuan), freq="M")
    who = {"client_id": f"C{number}", "product_class": "demand"}
    return [who | {"month": str(month), "month_avg": y, "month_end": y}
            for month, y in zip(months, yuan, strict=True)]  # fmt: skip


def holding(matures=None, yuan=5e5, product="TD", **facts):
    return {"holding_id": f"H-{product}-{matures}-{yuan:.0f}", "client_id": "C1",
            "product_id": product, "start_date": "2025-01-10", "maturity_date": matures,
            "principal": yuan} | facts  # fmt: skip


def flow(day, yuan, kind="transfer_other"):
    return {"flow_id": f"F-{day}-{kind[:16]}", "client_id": "C1", "date": day, "kind": kind,
            "direction": "in" if yuan > 0 else "out", "amount": abs(yuan)}  # fmt: skip


def contact(day, trigger=None, channel="phone", reached=True):
    return {"contact_id": f"K-{day}-{trigger}", "client_id": "C1", "adviser_id": "A1",
            "at": f"{day} 10:00", "channel": channel, "purpose": "service", "trigger_code": trigger,
            "reached": reached, "opened": False, "need_found": False, "proposal": False,
            "deal": False}  # fmt: skip


def book(policy=CN6, as_of=AS_OF, **tables):
    """A book of a T3 client of 600,000 yuan for 24 months, unless said otherwise."""
    tables.setdefault("clients", [client()])
    tables.setdefault("advisers", ADVISERS)
    tables.setdefault("products", PRODUCTS)
    tables.setdefault("contacts", [contact("2026-09-20", "seen")])
    who = [c["client_id"][1:] for c in tables["clients"]]
    rows = [row for number in who for row in assets(*[6e5] * 24, number=number)]
    tables.setdefault("balances_monthly", rows)
    return Book.from_frames(tables, branch="B01", as_of=as_of, policy=policy)


def found(lists=None, policy=CN6, as_of=AS_OF, **tables):
    """Everything step 2 finds in a tiny book."""
    b = book(policy, as_of, **tables)
    s = segment(b)
    return collect(b, s.clients, s.history, s.missing, policy, lists)


def rows_of(rule, **tables):
    rows = found(**tables).rows
    return rows[rows["rule"] == rule].reset_index(drop=True)


def day(value):
    return f"{value:%m-%d}"


# ----------------------------------------------------------------------------------- K11


def due_days(kind, **tables):
    return [day(d) for d in rows_of(kind, **tables)["due_on"]]


@pytest.mark.parametrize(
    ("yuan", "last", "expected"),
    [(6e5, "2026-07-20", ["10-20"]),  # T3: four a year
     (6e5, "2026-08-20", []),  # due in November
     (3e5, "2026-04-20", ["10-20"]),  # T2: two a year
     (3e6, "2026-09-15", ["10-15"]),  # T4: monthly
     (8e6, "2026-09-20", ["10-05", "10-20"]),  # T5: two in the month
     (1e5, "2025-01-20", [])],  # T1: by trigger only
)  # fmt: skip
def test_due_is_the_last_contact_plus_the_interval_of_the_tier(yuan, last, expected):
    assert due_days("contact", contacts=[contact(last)],
                    balances_monthly=assets(*[yuan] * 24)) == expected  # fmt: skip


def test_an_attempt_that_reached_nobody_does_not_count():
    tables = {"contacts": [contact("2026-07-20"), contact("2026-09-20", reached=False)]}
    assert due_days("contact", **tables) == ["10-20"]


def test_an_overdue_contact_is_due_once_and_says_by_how_much():
    row = rows_of("contact", contacts=[contact("2026-05-20")]).iloc[0]
    assert (day(row.due_on), row.days_overdue, row.reason) == ("08-20", 41, "contact_due")
    assert (day(row.earliest_on), day(row.latest_on)) == ("10-08", "10-30")
    assert (row.klass, row.minutes, row.core_service) == (3, 18, "return_visit")


def test_two_contacts_of_one_month_have_windows_that_do_not_meet():
    rows = rows_of("contact", contacts=[contact("2026-09-20")],
                   balances_monthly=assets(*[8e6] * 24))  # fmt: skip
    assert rows["latest_on"].iloc[0] < rows["earliest_on"].iloc[1]


def test_who_has_no_contact_on_record_starts_at_opening():
    new = [client(open_date="2026-07-05")]
    money = assets(6e5, 6e5, 6e5)
    assert due_days("contact", clients=new, balances_monthly=money) == []  # seen in September
    row = rows_of("contact", clients=new, balances_monthly=money,
                  contacts=[contact("2026-09-01", reached=False)]).iloc[0]  # fmt: skip
    assert (row.reason, day(row.due_on)) == ("contact_first", "10-05")


def test_a_client_who_moved_up_is_measured_by_the_new_standard_from_that_day():
    rising = assets(*[3e5] * 21, 6e5, 6e5, 6e5)
    seen = [contact("2025-01-15", channel="visit"), contact("2026-09-20")]
    row = rows_of("visit", contacts=seen, balances_monthly=rising).iloc[0]
    # T3 since 1 August: a year after the visit was long over, but T2 owes no visits.
    assert (row.reason, day(row.due_on), row.days_overdue) == ("visit_raised", "08-01", 60)


def test_visits_reviews_and_diagnoses_look_at_their_own_contacts():
    contacts = [contact("2025-10-12", channel="visit"), contact("2025-10-13", "review_due"),
                contact("2024-10-14", "plan_due")]  # fmt: skip
    rows = found(contacts=contacts).rows.set_index("rule")
    assert [day(rows.loc[k, "due_on"]) for k in ("visit", "review", "diagnosis")] == [
        "10-12", "10-13", "10-14",
    ]  # fmt: skip
    assert rows.loc["visit", ["minutes", "is_visit", "channel"]].tolist() == [75, True, "visit"]
    assert rows.loc["review", ["minutes", "is_visit"]].tolist() == [45, False]


def test_without_contacts_nothing_is_due_and_it_is_said():
    b = Book.from_frames(
        {"clients": [client()], "advisers": ADVISERS, "balances_monthly": assets(6e5, 6e5)},
        branch="B01", as_of=AS_OF, policy=CN6,
    )  # fmt: skip
    s = segment(b)
    rows, na = intended(b, s.clients, s.history, s.missing)
    assert rows.empty and list(rows.columns[: len(COLUMNS)]) == list(COLUMNS)
    assert {f"rule.{kind}" for kind in standard.KINDS} <= set(na)
    assert na["rule.maturity_large"] == "holdings, products"
    assert na["rule.complaint_open"] == "complaints"
    assert na["rule.handled"] == "contacts"


@pytest.mark.parametrize(
    ("start", "per_year", "expected"),
    [("2026-08-31", 12, "2026-09-30"), ("2026-11-30", 4, "2027-02-28"),
     ("2024-02-29", 1, "2025-02-28"), ("2026-09-20", 24, "2026-10-05"),
     ("2024-03-15", 0.5, "2026-03-15")],
)  # fmt: skip
def test_intervals_of_whole_months_go_by_the_calendar(start, per_year, expected):
    got = standard.added(np.array([start], dtype="datetime64[D]"), np.array([365 / per_year]))
    assert str(got[0]) == expected


# ------------------------------------------------------------------------------- windows


@pytest.mark.parametrize(
    ("anchor", "days", "expected"),
    [("2026-10-18", (-2, -2, 0), ["10-16", "10-16", "10-16"]),  # a Sunday's festival
     ("2026-10-01", (-2, -2, 0), ["09-29", "09-29", "09-30"]),
     ("2026-10-04", (-1, 0, 0), ["09-30", "09-30", "09-30"]),  # a birthday within the holiday
     ("2026-09-30", (1, 1, 30), ["10-08", "10-08", "10-30"]),
     ("2026-10-08", (-1, -1, 0), ["10-08", "10-08", "10-08"])],  # only the day itself is left
)  # fmt: skip
def test_days_before_move_back_and_days_after_move_on(anchor, days, expected):
    got = settle(np.array([anchor], dtype="datetime64[D]"), days, False)
    assert [str(part[0])[5:] for part in got] == expected


@settings(max_examples=80, deadline=None)
@given(st.dates(pd.Timestamp("2024-01-01").date(), pd.Timestamp("2026-12-01").date()),
       st.tuples(*[st.integers(-40, 40)] * 3).map(sorted))  # fmt: skip
def test_a_window_starts_and_ends_on_working_days_in_order(anchor, days):
    low, due, high = settle(np.array([anchor], dtype="datetime64[D]"), tuple(days), False)
    assert low <= due <= high
    assert is_working_day(np.concatenate([low, due, high])).all()


# ----------------------------------------------------------------------------------- K13


def stages(matures, yuan=5e5, **tables):
    rows = rows_of("maturity_large", holdings=[holding(matures, yuan)], **tables)
    return {row.stage: row for row in rows.itertuples()}


@pytest.mark.parametrize(("yuan", "large"), [(199_999, False), (200_000, True), (500_000, True)])
def test_a_maturity_is_large_from_the_floor(yuan, large):
    rows = found(holdings=[holding("2026-10-26", yuan)]).rows
    assert ("maturity_large" in set(rows["rule"])) == large
    # Never both: the larger one only.
    assert ("maturity_any" in set(rows["rule"])) != large


def test_a_maturity_is_large_by_share_of_assets_too():
    rich = {"balances_monthly": assets(*[3e6] * 24)}
    assert not stages("2026-10-26", 599_999, **rich)
    assert stages("2026-10-26", 600_000, **rich)


def test_stages_of_a_large_maturity():
    got = stages("2026-10-26")
    # 26 September is a Saturday and the day before it a festival; 25 October is a Sunday.
    assert {name: day(row.due_on) for name, row in got.items()} == {
        "note": "09-24", "call": "10-19", "remind": "10-26", "check": "10-29",
    }  # fmt: skip
    assert {name: (row.klass, row.minutes) for name, row in got.items()} == {
        "note": (2, 2), "call": (1, 18), "remind": (2, 2), "check": (2, 18),
    }  # fmt: skip
    assert all(row.amount == 5e5 and row.purpose == "service" for row in got.values())
    assert got["call"].mandatory and got["call"].lead_days == 7


def test_a_holding_ended_before_its_date_matures_no_more():
    gone = holding("2026-10-26", ended_on="2026-09-10")
    assert found(holdings=[gone]).rows.query("rule.str.startswith('maturity')").empty


def test_a_contact_for_the_trigger_settles_its_stage_only():
    called = [contact("2026-09-28", "maturity_large")]
    assert set(stages("2026-10-26", contacts=called)) == {"call", "remind", "check"}
    assert "note" in stages("2026-10-26", contacts=[contact("2026-09-28", "birthday")])


def test_maturities_of_one_client_on_near_days_are_one_message():
    got = found(holdings=[holding("2026-10-26", 5e4), holding("2026-10-27", 6e4),
                          holding("2026-11-05", 7e4)])  # fmt: skip
    rows = got.rows[got.rows["rule"] == "maturity_any"].sort_values("latest_on")
    assert rows["amount"].tolist() == [110_000, 70_000]
    assert rows["n_covers"].tolist() == [1, 0]
    assert got.merged["why"].tolist() == ["together"]
    assert got.merged["into"].tolist() == [rows["row_id"].iloc[0]]


@pytest.mark.parametrize(
    ("yuan", "kind", "rule", "reason"),
    [(2e5, "transfer_other", "inflow_large", "inflow_large"),
     (-2e5, "cash", "outflow_large", "outflow_large"),
     (-2e5, "transfer_self_otherbank", "outflow_large", "outflow_large_own"),
     (199_999, "transfer_other", None, None), (3e5, "payroll", None, None),
     (3e5, "redemption", None, None)],
)  # fmt: skip
def test_large_flows(yuan, kind, rule, reason):
    rows = found(flows=[flow("2026-09-24", yuan, kind)]).rows
    got = rows[rows["rule"].isin(["inflow_large", "outflow_large"])]
    assert got["rule"].tolist() == ([rule] if rule else [])
    assert got["reason"].tolist() == ([reason] if reason else [])


def test_a_talk_after_a_large_flow_settles_it_and_an_old_flow_expires():
    after = found(flows=[flow("2026-09-24", -2e5)], contacts=[contact("2026-09-25")])
    assert after.handled.query("rule == 'outflow_large'")["fate"].tolist() == ["handled"]
    texted = [contact("2026-09-25", channel="sms")]
    by_sms = found(flows=[flow("2026-09-24", -2e5)], contacts=texted)
    assert "outflow_large" in set(by_sms.rows["rule"])
    old = found(flows=[flow("2026-09-02", -2e5)])
    assert old.handled.query("rule == 'outflow_large'")["fate"].tolist() == ["handled"]
    never = found(flows=[flow("2026-09-02", -2e5)], contacts=[contact("2026-01-05")])
    assert never.handled.query("rule == 'outflow_large'")["fate"].tolist() == ["expired"]


@pytest.mark.parametrize(
    ("months", "raised"),
    [([*range(1, 8)], True),  # January to July, none in August and September
     ([*range(1, 9)], False),  # one month missing only
     ([*range(1, 7)], False),  # it stopped a month earlier: raised then
     ([2, 3, 4, 5, 6, 7], True), ([3, 4, 5, 6, 7], False), ([1, 2, 3, 5, 6, 7], False)],
)  # fmt: skip
def test_payroll_that_stopped(months, raised):
    paid = [flow(f"2026-{m:02d}-15", 9e3, "payroll") for m in months]
    assert len(rows_of("payroll_stop", flows=paid)) == raised


@pytest.mark.parametrize(
    ("born", "due"),
    [("10-20", "10-20"), ("10-18", "10-16"), ("10-04", None), ("11-01", "10-30"), ("11-03", None)],
)
def test_birthdays(born, due):
    rows = rows_of("birthday", clients=[client(birth_month_day=born)])
    assert [day(d) for d in rows["due_on"]] == ([due] if due else [])


def test_a_birthday_on_29_february_is_kept_on_the_28th():
    rows = rows_of("birthday", clients=[client(birth_month_day="02-29")], as_of="2026-01-31",
                   contacts=[], balances_monthly=[])  # fmt: skip
    assert rows.empty  # no assets: neither in scope nor nurtured
    months = pd.period_range(end="2026-01", periods=3, freq="M")
    money = [{"client_id": "C1", "product_class": "demand", "month": str(m), "month_avg": 6e5,
              "month_end": 6e5} for m in months]  # fmt: skip
    rows = rows_of("birthday", clients=[client(birth_month_day="02-29")], as_of="2026-01-31",
                   contacts=[], balances_monthly=money)  # fmt: skip
    assert [day(d) for d in rows["event_on"]] == ["02-28"]


def test_the_double_ninth_is_for_older_clients_and_greetings_carry_no_product():
    clients = [client(1, age=70), client(2, age=40)]
    rows = rows_of("festival", clients=clients)
    assert rows["client_id"].tolist() == ["C1"]
    assert rows[["purpose", "core_service", "fact_festival"]].values.tolist() == [
        ["care", "greeting", "double_ninth"]
    ]
    assert rows["product_id"].isna().all()


def assessed(until):
    return [{"ra_id": "R1", "client_id": "C1", "assessed_on": "2025-10-01", "level": "C3",
             "valid_until": until, "assessed_by": "client_self"}]  # fmt: skip


@pytest.mark.parametrize(
    ("until", "reason"),
    [("2026-10-20", "risk_expiry"), ("2026-11-28", "risk_expiry"), ("2026-12-20", None),
     ("2026-09-29", "risk_expiry_expired"), ("2026-09-30", "risk_expiry")],
)  # fmt: skip
def test_holders_are_told_before_their_assessment_runs_out(until, reason):
    rows = rows_of("risk_expiry", risk_assessments=assessed(until),
                   holdings=[holding(None, 1e5, "WC")])  # fmt: skip
    assert rows["reason"].tolist() == ([reason] if reason else [])
    assert (rows["klass"] == 1).all()


def test_others_hear_of_it_with_the_next_contact():
    got = found(risk_assessments=assessed("2026-10-20"), holdings=[holding("2026-10-26", 5e5)])
    assert "risk_expiry" not in set(got.rows["rule"])
    into = got.merged.set_index("rule").loc["risk_expiry"]
    row = got.rows.set_index("row_id").loc[into["into"]]
    assert into["why"] == "attached" and "risk_expiry" in row["covers"].split()


def test_who_was_reminded_is_not_reminded_again_at_once():
    tables = {"risk_assessments": assessed("2026-06-30"), "holdings": [holding(None, 1e5, "WC")]}
    recent = rows_of("risk_expiry", contacts=[contact("2026-08-20", "risk_expiry")], **tables)
    long_ago = rows_of("risk_expiry", contacts=[contact("2026-06-20", "risk_expiry")], **tables)
    assert recent.empty
    assert [day(d) for d in long_ago["due_on"]] == ["09-18"]


@pytest.mark.parametrize(("expiry", "n"), [("2026-12-20", 1), ("2026-12-31", 0), ("2026-08-01", 1)])
def test_identity_papers(expiry, n):
    assert len(rows_of("id_expiry", clients=[client(id_expiry=expiry)])) == n


def test_stale_facts_wait_for_the_next_contact():
    old = [{"client_id": "C1", "field": "pension", "value": "9000", "updated_on": "2025-01-01"}]
    got = found(needs=old)
    assert got.merged.query("rule == 'kyc_stale'")["why"].tolist() in (["attached"], ["waiting"])
    assert "kyc_stale" not in set(got.rows["rule"])
    quiet = found(needs=old, contacts=[contact("2026-09-20", channel="visit", trigger="review_due"),
                                       contact("2026-09-21", "plan_due")])  # fmt: skip
    assert quiet.merged.query("rule == 'kyc_stale'")["why"].tolist() == ["waiting"]
    assert quiet.counts.set_index("rule").loc["kyc_stale", "waiting"] == 1


def navs(*pairs, product="FE"):
    return [{"product_id": product, "date": d, "nav": n, "event": "none"} for d, n in pairs]


@pytest.mark.parametrize(
    ("path", "reason"),
    [([("2026-09-01", 1.00), ("2026-09-28", 0.90)], "nav_drop"),
     ([("2026-09-01", 1.00), ("2026-09-28", 0.9001)], None),
     ([("2026-09-01", 1.30), ("2026-09-28", 1.10)], "nav_drop_fall"),
     ([("2026-09-10", 0.85), ("2026-09-28", 0.95)], None),  # recovered
     ([("2026-06-01", 0.85), ("2026-07-01", 0.85), ("2026-09-28", 0.85)], None)],  # told long ago
)  # fmt: skip
def test_falls_in_nav(path, reason):
    held = holding(None, 1e5, "FE", cost_nav=1.0)
    got = found(holdings=[held], product_nav=navs(*path), contacts=[contact("2026-01-05")])
    rows = got.rows[got.rows["rule"] == "nav_drop"]
    assert rows["reason"].tolist() == ([reason] if reason else [])
    assert (rows["klass"] == 1).all()


def test_a_bond_product_must_be_explained_at_five_per_cent():
    held = holding("2027-10-26", 1e5, "WC", cost_nav=1.0)
    path = navs(("2026-09-28", 0.95), product="WC")
    rows = rows_of("nav_drop", holdings=[held], product_nav=path)
    assert rows["fact_drop"].round(6).tolist() == [0.05]
    assert rows["severity"].tolist() == [pytest.approx(1e5 * 0.05 / 0.95, abs=0.01)]


def test_product_events_reach_the_holders_only():
    nav = [{"product_id": "FE", "date": "2026-09-29", "nav": 1.0, "event": "rating_change",
            "event_value": "R5"}]  # fmt: skip
    clients = [client(1), client(2)]
    rows = rows_of("rating_change", clients=clients, product_nav=nav,
                   holdings=[holding(None, 1e5, "FE")])  # fmt: skip
    assert rows[["client_id", "fact_value"]].values.tolist() == [["C1", "R5"]]


def test_the_cooling_off_call_ends_with_the_period():
    bought = holding("2031-09-30", 1e5, "IS", start_date="2026-09-29")
    row = rows_of("cooling_off", holdings=[bought]).iloc[0]
    assert (day(row.earliest_on), day(row.latest_on)) == ("10-08", "10-09")
    assert day(row.fact_until) == "10-14"


def complaint(day, closed=None, **facts):
    return {"complaint_id": "X1", "client_id": "C1", "received_on": day, "category": "service",
            "closed_on": closed} | facts  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "until"),
    [({}, "10-05"), ({"complex": True}, "10-20"),
     ({"complex": True, "extended_on": "2026-09-25"}, "11-19")],
)  # fmt: skip
def test_open_complaints_are_due_before_their_limit(facts, until):
    rows = found(complaints=[complaint("2026-09-20", **facts)]).rows
    row = rows[rows["rule"] == "complaint_open"]
    if until == "11-19":
        assert row.empty  # due in November
    else:
        assert day(row.iloc[0]["fact_until"]) == until
        assert (row["klass"] == 1).all()


def test_a_complaint_never_goes_to_the_one_complained_about():
    plain = rows_of("complaint_open", complaints=[complaint("2026-09-20")])
    assert plain["adviser_id"].tolist() == ["A1"]
    rows = rows_of("complaint_open", complaints=[complaint("2026-09-20", against_adviser_id="A1")])
    assert rows["adviser_id"].isna().all()
    other = complaint("2026-09-20", against_adviser_id="A1", handler_id="A0")
    row = rows_of("complaint_open", complaints=[other]).iloc[0]
    assert (row.adviser_id, row.owner_from) == ("A0", "case")


def test_a_closed_complaint_asks_for_a_call_a_week_later():
    row = rows_of("complaint_closed", complaints=[complaint("2026-09-10", "2026-09-24")]).iloc[0]
    assert day(row.due_on) == "10-08"


def test_near_the_next_tier_and_below_the_floor():
    near = rows_of("near_tier", balances_monthly=assets(*[6e5] * 20, 1.9e6, 1.9e6, 1.9e6, 1.9e6))
    assert near[["amount", "fact_near_tier", "purpose", "klass"]].values.tolist() == [
        [1e5, "T4", "marketing", 4]
    ]
    assert day(near["event_on"].iloc[0]) == "06-30"
    drop = assets(*[6e5] * 24)
    drop[-1]["month_end"] = 4e5
    row = rows_of("eom_drop", balances_monthly=drop, contacts=[]).iloc[0]
    assert (row.amount, row.klass, row.reason) == (1e5, 2, "eom_drop")


def test_long_unseen_covers_the_standard_contact():
    got = found(contacts=[contact("2026-05-01")])
    rule = got.rows.set_index("rule")
    assert "contact" not in rule.index
    assert rule.loc["no_contact", "covers"].split() == ["contact"]
    assert got.merged.query("rule == 'contact'")["why"].tolist() == ["covered"]
    # 1.5 times a quarter is not yet over.
    soon = found(contacts=[contact("2026-06-10")]).rows
    assert "no_contact" not in set(soon["rule"]) and "contact" in set(soon["rule"])


def test_events_and_head_office_lists():
    event = [{"event_id": "E1", "type": "salon", "title": "沙龙", "date": "2026-09-28"}]
    went = [{"event_id": "E1", "client_id": "C1", "invited": True, "accepted": True,
             "attended": True}]  # fmt: skip
    rows = rows_of("event_follow", events=event, event_attendance=went)
    assert rows["fact_event"].tolist() == ["沙龙"]
    lists = {
        "event_targets": pd.DataFrame({"client_id": ["C1", "ZZ"], "event_id": ["E9", "E9"],
                                       "date": pd.to_datetime(["2026-10-24"] * 2)}),
        "policy_notices": pd.DataFrame({"client_id": ["C1"], "notice_id": ["N1"],
                                        "date": pd.to_datetime(["2026-10-12"])}),
    }  # fmt: skip
    got = found(lists=lists)
    rows = got.rows.set_index("rule")
    assert (day(rows.loc["event_invite", "due_on"]), rows.loc["event_invite", "purpose"]) == (
        "10-14", "marketing",
    )  # fmt: skip
    assert rows.loc["policy_notice", "mandatory"]
    assert "rule.event_invite" not in got.na and "rule.event_invite" in found().na


# ------------------------------------------------------------------------ together


def everything():
    """A client to whom nearly everything happens."""
    return {
        "clients": [client(birth_month_day="10-20", age=70, id_expiry="2026-11-20")],
        "contacts": [contact("2026-03-01")],
        "holdings": [holding("2026-10-26"), holding("2026-10-20", 5e4), holding(None, 1e5, "WC"),
                     holding("2031-09-30", 1e5, "IS", start_date="2026-09-29")],
        "flows": [flow("2026-09-24", -2e5), flow("2026-09-25", 3e5)],
        "risk_assessments": assessed("2026-08-01"),
        "complaints": [complaint("2026-09-20")],
        "needs": [{"client_id": "C1", "field": "pension", "value": "1",
                   "updated_on": "2025-01-01"}],
    }  # fmt: skip


def test_counts_add_up_and_nothing_is_lost():
    got = found(**everything())
    counts = got.counts
    assert (counts[list(FATES)].sum(axis=1) == counts["found"]).all()
    assert counts["rows"].sum() == len(got.rows) > 8
    assert counts[["larger", "together", "covered", "attached", "waiting"]].sum().sum() == len(
        got.merged
    )
    assert counts[["handled", "expired"]].sum().sum() == len(got.handled)
    ids = pd.concat([got.rows["row_id"], got.merged["row_id"], got.handled["row_id"]])
    assert ids.is_unique and ids.str.fullmatch(r"[0-9a-f]{16}").all()
    merged_into = got.merged.loc[got.merged["into"] != "", "into"]
    assert set(merged_into) <= set(ids)


def test_asking_twice_gives_the_same_rows():
    once, again = found(**everything()), found(**everything())
    pd.testing.assert_frame_equal(once.rows, again.rows)
    pd.testing.assert_frame_equal(once.counts, again.counts)


def test_the_order_of_the_tables_does_not_matter():
    tables = everything()
    turned = {name: rows[::-1] for name, rows in tables.items()}
    a, b = found(**tables).rows, found(**turned).rows
    assert a["row_id"].tolist() == b["row_id"].tolist()


def test_rows_keep_the_contract():
    rows = found(**everything()).rows
    assert list(rows.columns[: len(COLUMNS)]) == list(COLUMNS)
    assert (rows["earliest_on"] <= rows["latest_on"]).all()
    assert is_working_day(rows["earliest_on"]).all() and is_working_day(rows["latest_on"]).all()
    assert rows["klass"].between(1, len(KLASSES)).all()
    assert (rows["mandatory"] == (rows["klass"] == 1)).all()
    assert (rows["minutes"] > 0).all() and (rows["amount"] >= 0).all()
    assert rows["p_effect"].between(0.05, 0.30).all()
    assert not rows["client_id"].isna().any()
    # One row per client, rule, stage, object and day.
    assert not rows.duplicated(["client_id", "rule", "stage", "object_id", "due_on"]).any()


def test_clients_of_nobody_go_to_the_pool_when_they_are_out_of_scope():
    born = {"birth_month_day": "10-20", "adviser_id": None}
    clients = [client(1, **born), client(2, **born)]
    money = assets(*[1e5] * 24) + assets(*[6e5] * 24, number=2)
    rows = rows_of("birthday", clients=clients, balances_monthly=money).set_index("client_id")
    assert rows.loc["C1", ["adviser_id", "owner_from"]].tolist() == ["A0", "pool"]
    assert pd.isna(rows.loc["C2", "adviser_id"]) and rows.loc["C2", "owner_from"] == ""


def test_the_clients_channel_is_used_where_the_work_allows_it():
    def channel(preferred):
        return rows_of("contact", clients=[client(pref_channel=preferred)],
                       contacts=[contact("2026-07-20")])["channel"].tolist()  # fmt: skip

    assert channel("wecom") == ["wecom"]
    assert channel("sms") == ["phone"]
    assert channel(None) == ["phone"]


def test_a_trigger_can_be_switched_off_or_made_stricter():
    off = CN6.with_(**{"triggers.rules.maturity_large.on": False})
    rows = found(policy=off, holdings=[holding("2026-10-26")]).rows
    assert set(rows["rule"]) & {"maturity_large", "maturity_any"} == {"maturity_any"}
    strict = CN6.with_(**{"triggers.large_floor": 600_000})
    assert (
        not found(policy=strict, holdings=[holding("2026-10-26")])
        .rows["rule"]
        .isin(["maturity_large"])
        .any()
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [({"triggers.rules.birthday.stages.greet.days": [1, 0, 0]}, "above_other"),
     ({"triggers.rules.birthday.stages.greet.days": [-1, 0, -1]}, "above_other"),
     ({"triggers.drop_statuses": ["churn_warnings"]}, "not_known_near"),
     ({"triggers.channels.call": []}, "order_missing"),
     ({"capacity.pool_levels": ["assistant", "assistant"]}, "listed_twice"),
     ({"triggers.nav_drop.R9": 0.1}, "not_known")],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(change, code):
    with pytest.raises(PolicyError) as refused:
        CN6.with_(**change)
    assert code in set(refused.value.faults["code"])


def test_every_trigger_has_a_finder_a_rule_and_words():
    assert set(FINDERS) == set(TRIGGERS)
    assert set(VARIANTS) <= set(TRIGGERS)
    for code in REASONS:
        assert has(f"plan.reason.{code}"), code
    for code in [*standard.KINDS, *TRIGGERS]:
        assert has(f"name.rule.{code}"), code
    for fate in FATES[1:]:
        assert has(f"plan.merged.{fate}"), fate
    for name in presets():
        assert set(load(name).triggers.rules) == set(TRIGGERS)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_row_can_be_said_in_full(lang):
    rows = found(**everything()).rows
    names = {fact: CN6.tier_names(lang) for fact in TIER_FACTS}
    for row in rows.to_dict("records"):
        said = t(f"plan.reason.{row['reason']}", lang, names, **row)
        assert not {"nan", "NaT", "—", "None"} & set(said.replace("，", " ").split())
        assert "{" not in said


def test_in_the_middle_of_a_month_only_the_days_left_are_planned():
    got = found(as_of="2026-10-15", contacts=[contact("2026-05-20")])
    assert (got.rows["earliest_on"] > "2026-10-15").all() and len(got.rows)


def test_a_year_without_published_make_up_days_is_told():
    months = pd.period_range(end="2027-03", periods=3, freq="M")
    money = [{"client_id": "C1", "product_class": "demand", "month": str(m), "month_avg": 6e5,
              "month_end": 6e5} for m in months]  # fmt: skip
    got = found(as_of="2027-03-31", balances_monthly=money)
    assert got.na["calendar"] == "days_off_2027"
    assert "calendar" not in found().na
