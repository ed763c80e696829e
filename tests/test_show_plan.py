"""Step 2 as a whole and as it is shown: nothing is lost, every figure and widget speaks."""

from __future__ import annotations

from html import unescape

import pandas as pd
import pytest
from matplotlib.figure import Figure

import playbook as pb
from playbook import show
from playbook.book import Book
from playbook.plan import OUTCOMES, SOURCES, replan
from playbook.plan.schedule import METHODS, REASONS
from playbook.policy import KLASSES
from playbook.segment import segment
from playbook.show import fonts, plan_widgets
from playbook.show.plan_tables import plan_cards
from playbook.text import has, keys_under

BRANCHES = ["B01", "B02", "B03", "B04", "B05", "B06"]
SHUT_OUT = ("denied", "held_out")


def tiny(**tables) -> Book:
    """Three clients of one adviser and one of nobody; a large deposit matures in October."""
    clients = [
        {"client_id": f"B01-000{n}", "adviser_id": None if n == 4 else "A01", "age": 50,
         "open_date": "2015-01-05", "occupation": "employee", "pref_channel": "phone"}
        for n in (1, 2, 3, 4)
    ]  # fmt: skip
    balances = [
        {"client_id": client["client_id"], "month": month, "product_class": "demand",
         "month_avg": 800_000, "month_end": 800_000}
        for client in clients
        for month in ("2026-07", "2026-08", "2026-09")
    ]  # fmt: skip
    contacts = [
        {"contact_id": "K1", "client_id": "B01-0001", "adviser_id": "A01",
         "at": "2026-06-20 10:00", "channel": "phone", "purpose": "service", "reached": True,
         "opened": True, "need_found": False, "proposal": False, "deal": False}
    ]  # fmt: skip
    frames = {
        "branches": [{"branch_id": "B01", "branch_name": "滨江支行"}],
        "advisers": [{"adviser_id": "A01", "level": "adviser", "qualified": True}],
        "clients": clients, "balances_monthly": balances, "contacts": contacts,
    }  # fmt: skip
    return Book.from_frames(frames | tables, branch="B01", as_of="2026-09-30", synthetic=True)


@pytest.fixture(scope="module")
def book() -> Book:
    return tiny()


@pytest.fixture(scope="module")
def segments(book):
    return segment(book)


@pytest.fixture(scope="module")
def plan(book, segments):
    return pb.plan(book, segments)


@pytest.fixture(params=["zh", "en"])
def page(request, book, segments):
    return show.page(book, segments, request.param)


def adds_up(plan) -> None:
    table = plan.reconcile
    assert (table["difference"] == 0).all()
    assert (table[["due", "triggered"]].sum(axis=1) == table[list(OUTCOMES)].sum(axis=1)).all()
    assert table[["due", "triggered"]].sum().sum() == len(plan.rows)
    assert plan.rows["row_id"].is_unique
    parts = [len(plan.planned), len(plan.not_done), len(plan.denied), plan.held_out["n"].sum()]
    assert parts == [table[name].sum() for name in OUTCOMES]


# ---- the plan ----


@pytest.mark.parametrize("branch", BRANCHES)
def test_due_and_triggered_become_exactly_one_of_four(branch):
    book = pb.open_book("sample", branch=branch, as_of="2026-09-30")
    plan = pb.plan(book, segment(book))
    adds_up(plan)
    assert (plan.reconcile[["due", "triggered"]].sum() > 0).all()
    placed = plan.planned
    assert placed["verdict"].isin(["allow", "warn"]).all()
    assert placed["day"].between(placed["earliest_on"], placed["latest_on"]).all()
    assert (plan.load["minutes"] <= plan.load["capacity"]).all()
    assert not plan.rows.loc[plan.rows["outcome"] == "held_out", "mandatory"].any()
    found = plan.found.set_index("rule")
    assert (found["found"] == found.drop(columns="found").sum(axis=1)).all()
    assert found["rows"].sum() == len(plan.rows)


def test_tiny_plan_adds_up_and_is_the_same_twice(book, segments, plan):
    adds_up(plan)
    again = pb.plan(book, segments)
    pd.testing.assert_frame_equal(plan.rows, again.rows)
    assert plan.month == pd.Timestamp("2026-10-01") and plan.method in METHODS


def test_gold_client_last_met_in_june_is_due_in_september(plan):
    mine = plan.rows[(plan.rows["client_id"] == "B01-0001") & (plan.rows["rule"] == "contact")]
    assert mine["due_on"].iloc[0] == pd.Timestamp("2026-09-20")
    assert mine["days_overdue"].iloc[0] == 10


def test_nobodys_client_stays_undone_with_that_reason(plan):
    mine = plan.rows[plan.rows["client_id"] == "B01-0004"]
    assert len(mine) and (mine["why"] == "no_adviser").all()
    assert set(mine["outcome"]) == {"not_done"}


def test_who_is_away_all_month_does_nothing(book, plan):
    leave = pd.DataFrame(
        {"adviser_id": ["A01"], "start_on": ["2026-10-01"], "end_on": ["2026-10-31"]}
    )
    away = replan(book, plan, leave)
    adds_up(away)
    assert away.planned.empty and len(away.rows) == len(plan.rows)
    assert set(away.not_done["why"]) <= {"adviser_away", "window_closed", "no_adviser"}


def test_replanning_without_leave_changes_nothing(book, plan):
    same = replan(book, plan)
    names = ["row_id", "outcome", "day", "why"]
    pd.testing.assert_frame_equal(same.rows[names], plan.rows[names])


def test_leave_of_a_stranger_is_refused(book, segments):
    leave = pd.DataFrame(
        {"adviser_id": ["A99"], "start_on": ["2026-10-01"], "end_on": ["2026-10-02"]}
    )
    with pytest.raises(ValueError, match="A99"):
        pb.plan(book, segments, leave=leave)


def test_policy_is_taken_for_what_if(book, segments):
    strict = segments.policy.with_(**{"capacity.minutes_per_day": 60})
    usual = pb.plan(book, segments).capacity["minutes"].max()
    assert pb.plan(book, segments, policy=strict).capacity["minutes"].max() < usual


def test_branch_without_contacts_is_planned_and_says_what_it_lacks(page):
    poor = tiny(contacts=[])
    frames = {name: poor.table(name) for name in ("branches", "advisers", "clients",
                                                  "balances_monthly")}  # fmt: skip
    bare = Book.from_frames(frames, branch="B01", as_of="2026-09-30")
    plan = pb.plan(bare, segment(bare))
    adds_up(plan)
    assert "contacts" in " ".join(plan.na.values())
    assert len(show.plan_gaps(plan, page)) == len(plan.na)


# ---- figures and tables ----


def figures(plan, page) -> dict[str, Figure]:
    return {
        "due": show.due(plan.rows, page),
        "workload": show.workload(plan.load, page),
        "month": show.month(plan.planned, plan.capacity, page),
        "undone": show.undone(plan.not_done, page),
        "gated": show.gated(plan.rows, page),
    }


def test_figures_say_branch_day_and_alt_text(plan, page):
    for name, figure in figures(plan, page).items():
        words = [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]
        assert figure.alt, name
        assert any("B01" in word and "2026-09-30" in word for word in words), name
        assert fonts.missing("".join(words) + figure.alt) == "", name


def test_figures_of_nothing_say_so(plan, page):
    none = plan.rows.iloc[:0]
    for figure in (show.due(none, page), show.undone(none, page), show.gated(none, page),
                   show.workload(plan.load.iloc[:0], page),
                   show.month(none, plan.capacity.iloc[:0], page)):  # fmt: skip
        assert page.t("show.na.none") in figure.alt


def test_calendar_shows_every_contact_and_no_holiday(plan, page):
    figure = show.month(plan.planned, plan.capacity, page)
    words = [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]
    off = 31 - plan.capacity["day"].nunique()
    assert words.count(page.t("show.chart.month.rest")) == off
    assert off == 13  # 1 to 7 October and the weekends but the make-up Saturday


def test_reconciliation_is_said_in_numbers(plan, page):
    shown = show.reconciled(plan, page)
    assert len(shown) == len(KLASSES) and str(len(plan.planned)) in shown.notes[0]


def test_lists_give_a_reason_for_every_row(plan, page):
    for shown in (show.dated(plan, page), show.not_done(plan, page)):
        assert len(shown) and all(row[-1].strip() for row in shown.rows)


def test_findings_carry_n(plan, page):
    said = show.plan_findings(plan, page).sentences
    assert len(said) >= 3 and all("n = " in sentence for sentence in said[1:])


def test_every_outcome_reason_and_method_has_a_name():
    undone = [code for code in REASONS if code not in SHUT_OUT]
    for kind, codes in (("outcome", OUTCOMES), ("method", METHODS), ("source", SOURCES),
                        ("undone", undone)):  # fmt: skip
        assert all(has(f"name.{kind}.{code}") for code in codes), kind
    assert keys_under("name.weekday.") == [f"name.weekday.{day}" for day in range(7)]


def test_table_of_worked_minutes_agrees_with_the_arithmetic(segments, page):
    row = show.arithmetic(segments, page).rows[0]
    # Three gold clients: 1 contact and 0.36 triggers of 18 minutes, 0.25 visits, 0.25 reviews.
    assert row[0] == "A01" and row[1].startswith("3") and row[-3] == "54"


def test_hold_out_tells_numbers_only(plan, page):
    shown = show.held_out(plan, page)
    assert not any("B01-" in cell for row in shown.rows for cell in row)


# ---- cards and widgets ----


def test_every_client_has_a_whole_card(plan, segments, page):
    from playbook.show.plan_card import plan_card

    for row in plan_cards(plan, segments).to_dict("records"):
        lines = plan_card(row, page).lines
        assert all(value.strip() for _, value, _ in lines), row["client_id"]


def test_sliders_move_the_gauge(segments, page):
    box = plan_widgets.ServiceMatrix(segments, page)
    before = box.gauge.value
    box.sliders["standards.T3.contacts_per_year"].value = 36
    assert box.gauge.value > before
    assert box.books["contacts"].iloc[0] == pytest.approx(9)
    box.facing.value = 0.2
    share = segments.policy.capacity.client_facing_share
    assert box.books["capacity"].iloc[0] == pytest.approx(4320 * 0.2 / share)
    box.reset.click()
    assert box.gauge.value == before


def test_two_weeks_away_are_planned_anew(book, plan, page):
    box = plan_widgets.Away(book, plan, page)
    assert page.t("show.widget.away_start") in unescape(box.message.value)
    box.go.click()
    assert "A01" in box.message.value and page.t("show.widget.failed") not in box.message.value


def test_items_show_the_card_of_the_chosen_client(plan, segments, page):
    box = plan_widgets.Items(plan, segments, page)
    client = plan.planned["client_id"].iloc[0]
    assert page.client(client) in box.shown.value
    assert len(box.item.options) == len(plan.planned)


def test_widgets_turn_an_unforeseen_error_into_a_sentence(book, plan, page, monkeypatch):
    box = plan_widgets.Away(book, plan, page)
    monkeypatch.setattr(plan_widgets, "replan", lambda *given: 1 / 0)
    box.go.click()
    assert page.t("show.widget.failed") in unescape(box.message.value)
