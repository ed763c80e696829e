"""Integrity rules, the cut at ``as_of`` and the sums, on books small enough to read."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbook.book import Book, BookError
from playbook.book.faults import RULES, SEVERITIES, sentence
from playbook.tables import TABLES
from playbook.text import LANGS

AUG, SEP = "2026-08", "2026-09"
CLIENT = {"client_id": "C1", "open_date": "2020-01-01", "adviser_id": "A1", "household_id": "H1"}
SOUND = {
    "branches": [{"branch_id": "B01", "branch_name": "滨江支行"}],
    "advisers": [{"adviser_id": "A1", "level": "adviser", "qualified": True}],
    "households": [{"household_id": "H1"}],
    "clients": [CLIENT],
    "consents": [{"client_id": "C1", "channel": "phone", "purpose": "marketing",
                  "granted_on": "2026-01-05"}],
    "risk_assessments": [{"ra_id": "R1", "client_id": "C1", "assessed_on": "2026-03-01",
                          "level": "C3", "valid_until": "2027-03-01",
                          "assessed_by": "client_self"}],
    "products": [{"product_id": "P1", "product_name": "三年定期", "product_class": "time_deposit"}],
    "balances_monthly": [
        {"client_id": "C1", "month": AUG, "product_class": "demand", "month_avg": 100,
         "month_end": 100, "market_change": 0},
        {"client_id": "C1", "month": SEP, "product_class": "demand", "month_avg": 110,
         "month_end": 120, "market_change": 0.5},
        {"client_id": "C1", "month": SEP, "product_class": "time_deposit", "month_avg": 30,
         "month_end": 50, "market_change": 0},
    ],
    "holdings": [{"holding_id": "D1", "client_id": "C1", "product_id": "P1",
                  "start_date": "2026-09-10", "maturity_date": "2027-09-10", "principal": 50,
                  "market_value": 50, "as_of": "2026-09-30"}],
    "flows": [
        {"flow_id": "F0", "client_id": "C1", "date": "2026-08-02", "direction": "in",
         "amount": 1, "kind": "cash"},
        {"flow_id": "F1", "client_id": "C1", "date": "2026-09-05", "direction": "in",
         "amount": 79.5, "kind": "transfer_other"},
        {"flow_id": "F2", "client_id": "C1", "date": "2026-09-06", "direction": "out",
         "amount": 10, "kind": "cash"},
        {"flow_id": "F3", "client_id": "C1", "date": "2026-09-10", "direction": "out",
         "amount": 50, "kind": "purchase", "product_id": "P1"},
        {"flow_id": "F4", "client_id": "C1", "date": "2026-09-21", "direction": "in",
         "amount": 0.5, "kind": "interest"},
    ],
    "contacts": [{"contact_id": "K1", "client_id": "C1", "adviser_id": "A1",
                  "at": "2026-09-05 10:00", "channel": "visit", "purpose": "marketing",
                  "reached": 1, "opened": 1, "need_found": 1, "proposal": 1, "deal": 0}],
    "events": [{"event_id": "E1", "type": "salon", "title": "沙龙", "date": "2026-09-12"}],
    "event_attendance": [{"event_id": "E1", "client_id": "C1", "invited": 1, "accepted": 1,
                          "attended": 1}],
    "complaints": [{"complaint_id": "X1", "client_id": "C1", "received_on": "2026-09-02",
                    "category": "service", "closed_on": "2026-09-09", "handler_id": "A1",
                    "root_cause": "wait"}],
    "referrals": [{"referral_id": "M1", "referrer_client_id": "C1", "asked_on": "2026-07-01",
                   "referred_on": "2026-08-01", "referee_client_id": "C7", "relation": "friend",
                   "opened_on": "2026-09-01", "aum_at_receipt": 10, "state": "qualified"}],
}  # fmt: skip


def changed(table: str, row: int = 0, **cells) -> dict:
    """The sound book with some cells of one row changed."""
    frames = {name: [dict(line) for line in rows] for name, rows in SOUND.items()}
    frames[table][row].update(cells)
    return frames


def book(frames: dict, as_of: str | None = "2026-09-30") -> Book:
    return Book.from_frames(frames, as_of=as_of, policy="cn6")


def found(faults: pd.DataFrame) -> set[tuple]:
    return set(zip(faults["table"], faults["row"], faults["field"], faults["code"],
                   faults["severity"], strict=True))  # fmt: skip


def test_the_sound_book_has_no_fault():
    made = book(SOUND)
    assert made.faults.empty, made.faults.to_string()
    assert made.counts["accepted"].sum() == sum(len(rows) for rows in SOUND.values())


BROKEN = [
    ("clients", 0, {"close_date": "2019-12-31"}, "close_before_open", "reject"),
    ("clients", 0, {"adviser_id": "A9"}, "ref_missing", "notice"),
    ("clients", 0, {"household_id": "H9"}, "ref_missing", "notice"),
    ("clients", 0, {"referrer_id": "C1"}, "self_referral", "notice"),
    ("clients", 0, {"age": -1}, "below_least", "notice"),
    ("clients", 0, {"open_date": ""}, "empty", "reject"),
    ("consents", 0, {"granted_on": "2026-10-01"}, "consent_future", "reject"),
    ("consents", 0, {"withdrawn_on": "2026-01-04"}, "withdrawn_before_granted", "reject"),
    ("consents", 0, {"client_id": "C9"}, "ref_missing", "reject"),
    ("risk_assessments", 0, {"valid_until": "2026-02-01"}, "valid_before_assessed", "reject"),
    ("products", 0, {"product_class": "bitcoin"}, "unknown_value", "reject"),
    ("balances_monthly", 0, {"month_avg": -1}, "below_least", "reject"),
    ("balances_monthly", 0, {"month_avg": "12万"}, "money_wan", "reject"),
    ("holdings", 0, {"maturity_date": "2026-09-09"}, "maturity_before_start", "reject"),
    ("holdings", 0, {"ended_on": "2026-09-09"}, "ended_before_start", "reject"),
    ("holdings", 0, {"market_value": 49.99}, "sum_holdings", "notice"),
    ("flows", 3, {"product_id": "P9"}, "ref_missing", "notice"),
    ("contacts", 0, {"reached": 0, "opened": 0, "need_found": 0}, "funnel_reached", "reject"),
    ("contacts", 0, {"opened": 0}, "funnel_opened", "reject"),
    ("contacts", 0, {"need_found": 0}, "funnel_need", "reject"),
    ("contacts", 0, {"proposal": 0, "deal": 1}, "funnel_proposal", "reject"),
    ("contacts", 0, {"at": "2026-02-28 10:00"}, "proposal_unassessed", "notice"),
    ("contacts", 0, {"adviser_id": "A9"}, "ref_missing", "reject"),
    ("event_attendance", 0, {"invited": 0}, "attendance_order", "reject"),
    ("event_attendance", 0, {"event_id": "E9"}, "ref_missing", "reject"),
    ("complaints", 0, {"closed_on": "2026-09-01"}, "complaint_closed_early", "reject"),
    ("referrals", 0, {"referee_client_id": "C1"}, "self_referral", "reject"),
    ("referrals", 0, {"referred_on": "2026-06-30"}, "referral_order", "reject"),
    ("referrals", 0, {"opened_on": "2026-07-31"}, "referral_order", "reject"),
]


@pytest.mark.parametrize(("table", "row", "cells", "code", "severity"), BROKEN)
def test_one_broken_cell_is_found_where_it_is(table, row, cells, code, severity):
    faults = book(changed(table, row, **cells)).faults
    own = faults[(faults["table"] == table) & (faults["row"] == row + 2)]
    assert (code, severity) in set(zip(own["code"], own["severity"], strict=True)), faults
    others = faults.drop(own.index)
    # Whatever else is told is a consequence: rows of the rejected row, or no balances at all.
    assert set(others["code"]) <= {"ref_rejected", "no_closed_month"}, others.to_string()


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_assessments_of_one_day_the_longer_valid_one_counts_in_any_order(order):
    one = SOUND["risk_assessments"][0]
    two = one | {"ra_id": "R2", "valid_until": "2026-04-01"}
    made = book(SOUND | {"risk_assessments": [one, two][::order]})
    assert "proposal_unassessed" not in set(made.faults["code"])


@pytest.mark.parametrize("purpose", ["service", "marketing"])
def test_service_tasks_may_skip_steps_of_the_funnel(purpose):
    frames = changed("contacts", purpose=purpose, opened=0, need_found=0, proposal=0, deal=1)
    assert book(frames).faults.empty == (purpose == "service")


def test_a_rejected_client_takes_its_rows_along_and_each_says_so():
    made = book(changed("clients", open_date="someday"))
    assert made["clients"].empty
    told = made.faults[made.faults["code"] == "ref_rejected"]
    dependent = ("consents", "risk_assessments", "balances_monthly", "holdings", "flows",
                 "contacts", "event_attendance", "complaints", "referrals")  # fmt: skip
    for table in dependent:
        assert made[table].empty, table
        assert (told["table"] == table).sum() == len(SOUND[table]), table
    assert set(made.faults["code"]) == {"date", "ref_rejected", "no_closed_month"}


def test_an_unusable_value_that_may_be_missing_counts_as_empty():
    made = book(changed("clients", adviser_id="A9", gender="x"))
    assert made["clients"][["adviser_id", "gender"]].isna().all(axis=None)
    assert made.counts.set_index("table").loc["clients", ["accepted", "noticed"]].tolist() == [1, 1]


def test_the_same_row_twice_is_kept_once():
    frames = changed("flows")
    frames["flows"].insert(2, dict(frames["flows"][1]))
    made = book(frames)
    assert found(made.faults) == {("flows", 4, "flow_id", "key_repeated", "reject")}
    assert len(made["flows"]) == len(SOUND["flows"])


def test_rows_of_one_key_that_disagree_are_all_left_out():
    frames = changed("advisers")
    frames["advisers"] += [{"adviser_id": "A2", "level": "senior", "qualified": True},
                           {"adviser_id": "A2", "level": "adviser", "qualified": True}]  # fmt: skip
    made = book(frames)
    assert {row[1:4] for row in found(made.faults)} == {
        (3, "adviser_id", "key_conflict"), (4, "adviser_id", "key_conflict"),
    }  # fmt: skip
    assert made["advisers"]["adviser_id"].tolist() == ["A1"]


@pytest.mark.parametrize("difference", [0.01, -0.01, 1234.56])
def test_a_sum_that_does_not_come_out_is_told_to_the_cent(difference):
    made = book(changed("balances_monthly", 1, month_end=round(120 + difference, 2)))
    told = made.faults[made.faults["code"] == "sum_identity"]
    assert told["month"].tolist() == [SEP]
    assert told["difference"].tolist() == [difference]
    assert told["severity"].tolist() == ["notice"]
    assert told["table"].tolist() == ["balances_monthly"]
    assert len(made["balances_monthly"]) == 3


def test_a_sum_is_not_blamed_for_a_row_that_was_rejected():
    assert set(book(changed("flows", 1, amount="12万")).faults["code"]) == {"money_wan"}
    assert set(book(changed("flows", 1, date="soon")).faults["code"]) == {"date"}
    assert set(book(changed("balances_monthly", 0, month_end="")).faults["code"]) == {"empty"}
    assert set(book(changed("balances_monthly", 1, month="")).faults["code"]) == {"empty"}


def test_a_client_without_balances_but_with_flows_is_told_at_the_flow():
    frames = changed("clients")
    frames["clients"].append({"client_id": "C2", "open_date": "2021-01-01"})
    frames["flows"].append({"flow_id": "F9", "client_id": "C2", "date": "2026-09-05",
                            "direction": "in", "amount": 5, "kind": "cash"})  # fmt: skip
    told = book(frames).faults
    assert found(told) == {("flows", 7, "amount", "sum_identity", "notice")}
    assert told["difference"].tolist() == [-5.0]


def test_no_month_is_checked_before_flows_begin():
    frames = changed("flows")
    del frames["flows"][0]
    frames["balances_monthly"].insert(0, {
        "client_id": "C1", "month": "2026-07", "product_class": "demand", "month_avg": 7,
        "month_end": 7, "market_change": 0,
    })  # fmt: skip
    assert book(frames).faults.empty


def test_money_left_after_closing_is_told():
    made = book(changed("clients", close_date="2026-09-15"))
    told = made.faults[made.faults["code"] == "balance_after_close"]
    assert told["row"].tolist() == [3, 4]


def test_missing_tables_skip_their_rules_and_say_so():
    frames = {name: SOUND[name] for name in ("branches", "clients", "balances_monthly", "contacts")}
    made = book(frames)
    skipped = made.faults[made.faults["code"] == "rule_skipped"]
    assert set(skipped["detail"]) == {"SUM-01", "SUM-02", "SUIT-02", "REF-01"}
    assert len(made.faults) == len(skipped)
    assert made["clients"]["adviser_id"].tolist() == ["A1"], "nothing to check against"


def test_market_change_missing_makes_the_identity_undecidable():
    frames = changed("balances_monthly")
    for row in frames["balances_monthly"]:
        del row["market_change"]
    skipped = book(frames).faults
    assert skipped["code"].tolist() == ["rule_skipped"]
    assert skipped["detail"].tolist() == ["SUM-01"]


def test_months_without_any_balance_are_told():
    frames = changed("balances_monthly", 0, month="2026-05")
    gap = book(frames).faults.query("code == 'month_gap'")
    assert gap["detail"].tolist() == ["2026-06 … 2026-08 (3)"]


@pytest.mark.parametrize(
    ("as_of", "detail"),
    [
        ("2026-10-30", []),
        ("2026-10-31", ["2026-10 (1)"]),
        ("2027-01-10", ["2026-10 … 2026-12 (3)"]),
    ],
)
def test_months_missing_before_the_close_are_told(as_of, detail):
    made = book(SOUND, as_of=as_of)
    assert made.faults.query("code == 'month_gap'")["detail"].tolist() == detail
    assert made.last_month == pd.Timestamp("2026-09-01")


def test_a_close_before_the_first_month_is_told():
    told = book(SOUND, as_of="2026-07-31").faults.query("code == 'no_closed_month'")
    assert told["detail"].tolist() == ["2026-07-31"]


# The cut -----------------------------------------------------------------------------------------


def test_rows_dated_later_are_cut_and_counted_apart():
    made = book(SOUND, as_of="2026-08-31")
    assert made["balances_monthly"]["month"].dt.strftime("%Y-%m").tolist() == [AUG]
    assert made["contacts"].empty
    assert made["holdings"].empty
    assert made["flows"]["flow_id"].tolist() == ["F0"]
    counts = made.counts.set_index("table")
    assert counts.loc["flows", ["rows_in", "accepted", "after_as_of"]].tolist() == [5, 1, 4]
    assert made.faults.empty
    assert made.months.tolist() == [pd.Timestamp("2026-08-01")]


def test_a_month_counts_when_its_last_day_has_come():
    assert book(SOUND, as_of="2026-09-29").last_month == pd.Timestamp("2026-08-01")
    assert book(SOUND, as_of="2026-09-30").last_month == pd.Timestamp("2026-09-01")


def test_values_known_later_are_blank_with_what_follows_from_them():
    made = book(SOUND, as_of="2026-09-05")
    complaint = made["complaints"].iloc[0]
    assert pd.isna(complaint["closed_on"]) and pd.isna(complaint["root_cause"])
    before = book(SOUND, as_of="2026-08-15")["referrals"].iloc[0]
    assert pd.isna(before["opened_on"]) and pd.isna(before["aum_at_receipt"])
    assert (before["state"], before["referee_client_id"]) == ("referred", "C7")
    early = book(SOUND, as_of="2026-07-15")["referrals"].iloc[0]
    assert pd.isna(early["referred_on"]) and pd.isna(early["referee_client_id"])
    assert early["state"] == "asked"


def test_dates_that_may_lie_ahead_stay():
    assert book(SOUND)["holdings"]["maturity_date"].tolist() == [pd.Timestamp("2027-09-10")]


def test_faults_of_rows_not_yet_known_are_not_told():
    assert book(changed("contacts", opened=0), as_of="2026-09-04").faults.empty


def test_rows_about_a_client_not_yet_known_are_not_known_either():
    frames = changed("clients", open_date="2026-09-20")
    made = book(frames, as_of="2026-09-10")
    assert made["clients"].empty and made["consents"].empty
    assert made.faults["code"].tolist() == ["no_closed_month"], made.faults.to_string()
    assert made.counts.set_index("table").loc["consents", "after_as_of"] == 1


def test_as_of_is_the_last_month_end_when_not_given():
    assert book(SOUND, as_of=None).as_of == dt.date(2026, 9, 30)
    broken = changed("balances_monthly", 1, month_end="12万")
    assert book(broken, as_of=None).as_of == dt.date(2026, 9, 30)


def test_without_months_and_without_as_of_there_is_no_book():
    with pytest.raises(BookError) as error:
        book({"clients": [CLIENT]}, as_of=None)
    assert error.value.faults["code"].tolist() == ["no_months"]


def test_closing_day_has_to_be_a_day():
    with pytest.raises(BookError) as error:
        book(SOUND, as_of="30.9.2026")
    assert "30.9.2026" in error.value.sentence("en")


# The book ----------------------------------------------------------------------------------------


def test_tables_have_all_declared_columns_and_absent_tables_are_empty():
    made = book({"clients": [CLIENT]})
    for name, table in TABLES.items():
        assert list(made[name].columns) == list(table.names), name
    assert made.has("clients") and not made.has("flows")
    with pytest.raises(KeyError):
        made.has("customers")


def test_a_book_does_not_change_when_its_frames_do():
    made = book(SOUND)
    mine = made["clients"]
    mine.loc[0, "age"] = 99
    assert made["clients"]["age"].isna().all()
    with pytest.raises(TypeError):
        made.tables["clients"] = mine


def test_repr_shows_numbers_only():
    said = repr(book(SOUND))
    assert "clients=1" in said
    assert "C1" not in said and "100" not in said


def test_the_branch_scheme_chooses_the_policy():
    frames = changed("branches", preset="county_bank")
    assert Book.from_frames(frames, as_of="2026-09-30").policy.id == "county_bank"
    assert book(frames).policy.id == "cn6"
    with pytest.raises(BookError) as error:
        Book.from_frames(changed("branches", preset="best"), as_of="2026-09-30")
    assert "best" in error.value.sentence("zh")


def test_complete_asks_for_every_column_and_table():
    with pytest.raises(BookError) as error:
        Book.from_frames({"clients": [CLIENT]}, as_of="2026-09-30", complete=True)
    codes = error.value.faults["code"].value_counts()
    assert codes["table_missing"] == 3
    assert codes["column_missing"] > 10


def test_several_branches_in_memory_are_told_apart():
    frames = {
        "branches": [{"branch_id": "B01", "branch_name": "a"},
                     {"branch_id": "B02", "branch_name": "b"}],
        "clients": [CLIENT | {"branch_id": "B01"},
                    {"client_id": "C2", "open_date": "2020-01-01", "branch_id": "B02"}],
        "needs": [{"client_id": c, "field": "expense_kept", "updated_on": "2026-01-01"}
                  for c in ("C1", "C2", "C2")],
    }  # fmt: skip
    made = Book.from_frames(frames, branch="B01", as_of="2026-09-30", policy="cn6")
    assert made["needs"]["client_id"].tolist() == ["C1"]
    assert made.counts.set_index("table").loc["needs", "other_branch"] == 2
    with pytest.raises(BookError, match="which_branch"):
        Book.from_frames(frames, as_of="2026-09-30")


def test_every_code_has_a_rule_and_words_in_both_languages():
    declared = {"table": "clients", "field": "adviser_id", "file": "clients.csv", "row": 7,
                "column": "理财经理工号", "value": "A*", "month": SEP, "difference": 12.5,
                "detail": "X"}  # fmt: skip
    for code in RULES:
        for lang in LANGS:
            value = "flows" if code == "rule_skipped" else declared["value"]
            said = sentence(declared | {"code": code, "value": value}, lang)
            assert len(said) > 10 and "{" not in said, (code, lang)
    assert set(SEVERITIES) == {"stop", "reject", "notice"}


# Whatever is thrown at it -------------------------------------------------------------------------

CELLS = st.sampled_from(["", "C1", "C2", "2026-09", "2026-09-05", "2026-12-01", "demand", "bond",
                         "in", "12", "-1", "12万", "1", "0", "x", None])  # fmt: skip


def rows_of(table: str):
    names = [c.name for c in TABLES[table].columns if c.name != "branch_id"]
    return st.lists(st.fixed_dictionaries(dict.fromkeys(names, CELLS)), max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(clients=rows_of("clients"), balances=rows_of("balances_monthly"), flows=rows_of("flows"))
def test_rows_always_reconcile_and_no_orphan_is_kept(clients, balances, flows):
    frames = {"clients": clients, "balances_monthly": balances, "flows": flows}
    made = book(frames)
    counts = made.counts
    parts = counts[["accepted", "rejected", "after_as_of", "other_branch", "superseded"]]
    assert (counts["rows_in"] == parts.sum(axis=1)).all()
    assert counts["rows_in"].tolist() == [len(clients), len(balances), len(flows)]
    assert counts["accepted"].tolist() == [len(made[name]) for name in counts["table"]]
    known = set(made["clients"]["client_id"])
    for name in ("balances_monthly", "flows"):
        assert set(made[name]["client_id"]) <= known
        assert not made[name].duplicated(list(TABLES[name].key)).any()
    rejected = made.faults[made.faults["severity"] == "reject"]
    per_table = rejected.groupby("table")["row"].nunique()
    for table, n in zip(counts["table"], counts["rejected"], strict=True):
        assert per_table.get(table, 0) == n, "every rejected row says why"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-500, 500), st.integers(0, 500)),
                min_size=1, max_size=12))  # fmt: skip
def test_the_identity_agrees_with_adding_up_by_hand(steps):
    """steps: per row month 0…3 of one client, market change and month end in cents."""
    balances, ends, market = {}, np.zeros(5, int), np.zeros(5, int)
    for place, (month, change, end) in enumerate(steps):
        cls = TABLES["balances_monthly"]["product_class"].allowed[place]
        balances[place] = {
            "client_id": "C1", "month": f"2026-0{month + 1}", "product_class": cls,
            "month_avg": 0, "month_end": end / 100, "market_change": change / 100,
        }  # fmt: skip
        ends[month] += end
        market[month] += change
    flow = {"flow_id": "F1", "client_id": "C1", "date": "2026-01-05", "direction": "in",
            "amount": 0, "kind": "cash"}  # fmt: skip
    made = book({"clients": [CLIENT | {"adviser_id": None, "household_id": None}],
                 "balances_monthly": list(balances.values()), "flows": [flow]})  # fmt: skip
    last = max(month for month, _, _ in steps)
    first = min(month for month, _, _ in steps)
    by_hand = {
        f"2026-0{m + 1}": (ends[m] - ends[m - 1] - market[m]) / 100
        for m in range(first + 1, last + 1)
        if ends[m] - ends[m - 1] - market[m]
    }
    told = made.faults[made.faults["code"] == "sum_identity"]
    assert dict(zip(told["month"], told["difference"], strict=True)) == by_hand
