"""The gate over tables: benefits, referrals, complaints, assessments, holdings; small cells."""


import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.book import Book
from playbook.gate import (
    judge_assessments,
    judge_benefits,
    judge_complaints,
    judge_holdings,
    judge_referrals,
    suppress,
)
from playbook.gate.suppress import TOTAL
from playbook.policy import load

CN6 = load("cn6")
BASE = {
    "advisers": [
        {"adviser_id": "A1", "level": "adviser", "qualified": True},
        {"adviser_id": "A2", "level": "adviser", "qualified": True},
    ],
    "clients": [{"client_id": f"C{n}", "open_date": "2015-01-01"} for n in range(1, 4)],
    "balances_monthly": [{"client_id": "C1", "month": "2026-09", "product_class": "demand",
                          "month_avg": 1.0, "month_end": 1.0}],
}  # fmt: skip


def book_of(as_of="2026-09-30", **frames):
    return Book.from_frames(BASE | frames, branch="B01", as_of=as_of, policy=CN6)


def told(table):
    return list(zip(table["verdict"], table["rule"], table["reason"], strict=True))


# ------------------------------------------------------------------------ benefits, referrals


def events(*days):
    return [{"event_id": f"E{n}", "type": "salon", "title": "沙龙", "date": day}
            for n, day in enumerate(days)]  # fmt: skip


def benefit(event, who="C1", value=100.0, condition="none"):
    return {"event_id": event, "client_id": who, "invited": True, "accepted": True,
            "attended": True, "benefit_value": value, "benefit_condition": condition}  # fmt: skip


def test_a_benefit_tied_to_a_deposit_is_denied_from_2018_06_08():
    days = ["2018-06-07", "2018-06-08", "2026-09-01"]
    book = book_of(events=events(*days), event_attendance=[
        benefit("E0", condition="deposit"), benefit("E1", condition="deposit"),
        benefit("E2", condition="purchase"), benefit("E2", "C2", 0.0, "deposit"),
    ])  # fmt: skip
    assert told(judge_benefits(book)) == [
        ("allow", "", ""), ("deny", "GIFT-01", "benefit_tied"), ("allow", "", ""), ("allow", "",
        ""),
    ]  # fmt: skip


def test_the_yearly_limit_counts_a_clients_benefits_in_order_of_date():
    days = ["2025-12-31", "2026-03-01", "2026-02-01", "2026-04-01"]
    book = book_of(events=events(*days), event_attendance=[
        benefit("E0", value=900.0), benefit("E1", value=600.0), benefit("E2", value=400.0),
        benefit("E3", value=0.01), benefit("E3", "C2", 1000.0),
    ])  # fmt: skip
    table = judge_benefits(book)
    assert table["rule"].tolist() == ["", "", "", "GIFT-02", ""]
    assert table["fact_amount"].iloc[3] == 1000.01


def test_a_benefit_without_its_condition_on_record_is_pointed_out():
    book = book_of(events=events("2026-09-01"),
                   event_attendance=[benefit("E0", condition=None), benefit("E0", "C2", 0, None)])
    assert judge_benefits(book)["reason"].tolist() == ["benefit_unlogged", ""]


def referral(n, day="2026-08-01", **more):
    return {"referral_id": f"R{n}", "referrer_client_id": "C1", "asked_on": day, "referred_on": day,
            "state": "referred", "reward_type": "points"} | more  # fmt: skip


def test_cash_for_a_referral_is_denied_and_so_is_a_person_who_did_not_agree():
    book = book_of(referrals=[
        referral(0, reward_type="cash"), referral(1), referral(2, reward_type="gift"),
        referral(3, state="contacted", referee_consent=False), referral(4, state="contacted"),
        referral(5, state="contacted", referee_consent=True),
        referral(6, day="2018-06-07", reward_type="cash"),
    ])  # fmt: skip
    assert judge_referrals(book)["rule"].tolist() == [
        "GIFT-03", "", "", "CONS-01", "CONS-01", "", "",
    ]  # fmt: skip


# -------------------------------------------------------------------------------- complaints


@pytest.mark.parametrize(("days", "more", "expected"), [
    (10, {}, ""), (11, {}, "case_near_limit"), (15, {}, "case_near_limit"), (16, {}, "case_late"),
    (16, {"complex": True}, "case_late"),
    (16, {"complex": True, "extended_on": "2026-09-29"}, "case_near_limit"),
    (30, {"complex": True, "extended_on": "2026-09-29"}, "case_near_limit"),
    (31, {"complex": True, "extended_on": "2026-09-29"}, "case_beyond_extended"),
    (60, {"complex": True, "extended_on": "2026-09-29"}, "case_beyond_extended"),
    (61, {"complex": True, "extended_on": "2026-09-29"}, "case_beyond_all"),
    (61, {}, "case_beyond_all"),
])  # fmt: skip
def test_days_of_an_open_complaint(days, more, expected):
    received = pd.Timestamp("2026-09-30") - pd.Timedelta(days=days)
    case = {"complaint_id": "X", "client_id": "C1", "received_on": f"{received:%Y-%m-%d}",
            "category": "service"} | more  # fmt: skip
    table = judge_complaints(book_of(complaints=[case]))
    assert table["reason"].tolist() == [expected]
    assert table["verdict"].tolist() == [
        "allow" if not expected else "warn" if expected == "case_near_limit" else "deny"
    ]


def test_a_closed_complaint_is_measured_to_its_closing():
    cases = [
        {"complaint_id": "X1", "client_id": "C1", "received_on": "2026-07-01",
         "closed_on": "2026-07-16", "category": "fee"},
        {"complaint_id": "X2", "client_id": "C1", "received_on": "2026-07-01",
         "closed_on": "2026-07-17", "category": "fee"},
    ]  # fmt: skip
    assert judge_complaints(book_of(complaints=cases))["rule"].tolist() == ["", "COMP-01"]


def test_nobody_handles_a_complaint_about_oneself():
    case = {"complaint_id": "X1", "client_id": "C1", "received_on": "2026-09-29", "category": "fee"}
    cases = [
        case | {"handler_id": "A1", "against_adviser_id": "A1"},
        case | {"complaint_id": "X2", "handler_id": "A2", "against_adviser_id": "A1"},
        case | {"complaint_id": "X3"},
    ]
    assert judge_complaints(book_of(complaints=cases))["rule"].tolist() == ["COMP-02", "", ""]


# ---------------------------------------------------------------------- assessments, holdings


def assessment(n, day, by="client_self"):
    return {"ra_id": f"RA{n}", "client_id": "C1", "assessed_on": day, "assessed_at": f"{day} 10:00",
            "level": "C2", "valid_until": "2027-12-31", "assessed_by": by}  # fmt: skip


def test_assessments_by_staff_or_too_often():
    rows = [assessment(n, "2026-03-02") for n in range(3)]
    rows += [assessment(3, "2026-04-01", "staff"), assessment(4, "2026-01-01")]
    table = judge_assessments(book_of(risk_assessments=rows))
    assert table["rule"].tolist() == ["SUIT-08"] * 3 + ["SUIT-03", ""]


def test_nine_assessments_within_a_year_but_not_over_it():
    days = [f"2026-{month:02d}-10" for month in range(2, 9)] + ["2025-08-11"]
    rows = [assessment(n, day) for n, day in enumerate(days)]
    eight = judge_assessments(book_of(risk_assessments=rows))
    assert (eight["verdict"] == "allow").all()
    nine = judge_assessments(book_of(risk_assessments=[*rows, assessment(9, "2026-08-10")]))
    assert set(nine.loc[nine["verdict"] == "warn", "reason"]) == {"assessed_often_year"}
    apart = judge_assessments(book_of(risk_assessments=[*rows[:-1], assessment(8, "2025-08-10"),
                                                        assessment(9, "2026-08-10")]))  # fmt: skip
    assert (apart["verdict"] == "allow").all()


def holdings_book(value="R4", told_on=None, ended=None, start="2026-01-05"):
    nav = [
        {"product_id": "P", "date": "2025-12-01", "nav": 1.0, "event": "rating_change",
         "event_value": "R3"},
        {"product_id": "P", "date": "2026-08-28", "nav": 1.0, "event": "rating_change",
         "event_value": value},
    ]  # fmt: skip
    frames = {
        "products": [{"product_id": "P", "product_name": "P", "product_class": "fund_mixed",
                      "risk_level": value}],
        "product_nav": nav,
        "holdings": [{"holding_id": "H", "client_id": "C1", "product_id": "P", "start_date": start,
                      "principal": 1.0, "ended_on": ended}],
    }  # fmt: skip
    if told_on:
        frames["contacts"] = [
            {"contact_id": "K", "client_id": "C1", "adviser_id": "A1", "at": f"{told_on} 10:00",
             "channel": "phone", "purpose": "service", "trigger_code": "rating_change",
             "reached": True, "opened": False, "need_found": False, "proposal": False,
             "deal": False}
        ]  # fmt: skip
    return book_of(**frames)


@pytest.mark.parametrize(("more", "expected"), [
    ({}, "SUIT-07"), ({"value": "R2"}, ""), ({"told_on": "2026-08-31"}, ""),
    ({"told_on": "2026-08-27"}, "SUIT-07"), ({"ended": "2026-09-01"}, ""),
    ({"start": "2026-08-28"}, ""),
])  # fmt: skip
def test_a_holder_is_told_that_a_product_was_re_rated_upward(more, expected):
    assert judge_holdings(holdings_book(**more))["rule"].tolist() == [expected]


# -------------------------------------------------------------------------------- small cells


def table_of(rows):
    return pd.DataFrame(rows, index=[f"r{n}" for n in range(len(rows))],
                        columns=[f"c{n}" for n in range(len(rows[0]))])  # fmt: skip


def test_large_cells_are_shown_with_their_totals():
    shown = suppress(table_of([[10, 20], [30, 0]]), 5)
    assert shown.loc[TOTAL, TOTAL] == 60 and shown.loc["r1", "c1"] == 0
    assert not shown.isna().any().any()


def test_a_small_cell_and_what_gives_it_away_are_hidden():
    shown = suppress(table_of([[3, 20, 30], [40, 50, 60], [11, 12, 13]]), 5)
    assert pd.isna(shown.loc["r0", "c0"])
    assert shown.loc["r0"].isna().sum() >= 2 and shown["c0"].isna().sum() >= 2
    assert shown.loc[TOTAL, TOTAL] == 239


def possible(shown, at, most=26):
    """Values of a hidden cell that the shown numbers do not rule out, by trying all."""
    body = shown.iloc[:-1, :-1]
    hidden = np.argwhere(body.isna().to_numpy())
    tries = np.indices([most + 1] * len(hidden)).reshape(len(hidden), -1).T
    whole = np.broadcast_to(body.fillna(0).to_numpy(dtype=int), (len(tries), *body.shape)).copy()
    whole[:, hidden[:, 0], hidden[:, 1]] = tries
    fits = np.ones(len(tries), dtype=bool)
    for sums, seen in ((whole.sum(2), shown.iloc[:-1, -1]), (whole.sum(1), shown.iloc[-1, :-1]),
                        (whole.sum((1, 2))[:, None], shown.iloc[-1:, -1])):  # fmt: skip
        known = seen.notna().to_numpy()
        fits &= (sums[:, known] == seen[known].to_numpy(dtype=int)).all(axis=1)
    return set(whole[fits][:, at[0], at[1]].tolist())


def test_nobody_can_work_a_small_cell_out():
    shown = suppress(table_of([[2, 9], [8, 7]]), 5)
    left = possible(shown, (0, 0))
    assert 2 in left and max(left) - min(left) >= 5


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 15), min_size=3, max_size=3), min_size=2, max_size=4))
def test_what_is_shown_is_large_and_true(rows):
    shown = suppress(table_of(rows), 5)
    whole = np.block([[np.array(rows), np.sum(rows, axis=1, keepdims=True)],
                      [np.sum(rows, axis=0, keepdims=True), np.sum(rows,
                      keepdims=True)]])  # fmt: skip
    for at in np.ndindex(whole.shape):
        value = shown.iat[at]
        assert pd.isna(value) or (value == whole[at] and (value == 0 or value >= 5))
    if shown.isna().any().any():
        for line in [*shown.to_numpy(dtype=object), *shown.to_numpy(dtype=object).T]:
            assert sum(value is pd.NA for value in line) != 1
