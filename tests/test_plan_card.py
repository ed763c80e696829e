"""The plan card (K15) and the event calendar with its guest lists (K17)."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import playbook as pb
from playbook.book import Book
from playbook.plan import plan
from playbook.plan.card import CODES, MANDATORY, MATTER, MATTERS, card, cards
from playbook.plan.events import MATCHES, RESULTS, listed, programme, targets
from playbook.policy import load
from playbook.policy.calendar import is_working_day
from playbook.show.pages import page
from playbook.show.plan_card import plan_card
from playbook.text import LANGS, has

CN6 = load("cn6")
OCTOBER = pd.Timestamp("2026-10-01")


@pytest.fixture(scope="module")
def sample():
    book = pb.open_book("sample", branch="B04", as_of="2026-09-30")
    segments = pb.segment(book)
    return book, segments, plan(book, segments)


def client(client_id: str = "C1", **more) -> dict:
    base = {
        "client_id": client_id, "adviser_id": "A1", "household_id": client_id, "tier": "T2",
        "persona": "retiree", "status": "stable", "familiarity": "familiar", "aum_avg": 3e5,
        "severity": 0.0, "pref_channel": "phone", "best_time": None, "in_scope": True,
        "familiarity_points": 9.0,
    }  # fmt: skip
    return base | more


def people(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(rows).astype({"adviser_id": "str", "best_time": "str"})


def row(row_id: str, client_id: str = "C1", day: str | None = None, **more) -> dict:
    base = {
        "row_id": row_id, "client_id": client_id, "rule": "contact", "klass": 3,
        "reason": "contact_due", "channel": "phone", "due_on": pd.Timestamp("2026-10-20"),
        "earliest_on": pd.Timestamp("2026-10-08"), "latest_on": pd.Timestamp("2026-10-30"),
        "day": pd.Timestamp(day) if day else pd.NaT, "outcome": "planned" if day else "not_done",
        "start_at": pd.NaT,
    }  # fmt: skip
    return base | more


def made(clients: pd.DataFrame, *rows: dict) -> dict:
    return card("C1", cards(clients, pd.DataFrame(rows), CN6, OCTOBER))


def test_every_rule_has_a_matter_and_every_code_its_words():
    assert set(MATTER) == {*CN6.triggers.rules, *CN6.triggers.standards}
    for matter in MATTERS:
        for field in ("what", "goal", "action", "materials", "success"):
            assert has(f"plancard.{field}.{matter}"), (field, matter)
    for field, codes in CODES.items():
        for code in codes:
            assert (field, code) == ("why", "row") or has(f"plancard.{field}.{code}"), (field, code)
    assert all(has(f"plancard.invite.{c}") for c in RESULTS)
    assert all(has(f"plancard.match.{c}") for c in MATCHES)


def test_the_card_is_about_the_planned_row_of_the_highest_class():
    mine = made(people(client()), row("a", day="2026-10-12"),
                row("b", klass=1, rule="maturity_any"),
                row("c", klass=2, rule="maturity_large", day="2026-10-15"))  # fmt: skip
    assert (mine["row_id"], mine["goal"], mine["when"]) == ("c", "maturity", "planned")
    assert mine["n_rows"] == 3 and mine["where"] == "phone"


def test_the_next_date_is_the_next_planned_day_else_the_standard_else_next_month():
    two = made(people(client()), row("a", klass=1, day="2026-10-12"), row("b", day="2026-10-20"))
    assert (two["next_on"], two["next"]) == (pd.Timestamp("2026-10-20"), "planned")
    one = made(people(client(tier="T4")), row("a", day="2026-10-12"))
    # 12 contacts a year: 30 days after 12 October is 11 November.
    assert (one["next_on"], one["next"]) == (pd.Timestamp("2026-11-11"), "standard")
    none = made(people(client(tier="T0")), row("a", day="2026-10-12"))
    assert (none["next_on"], none["next"]) == (pd.Timestamp("2026-11-02"), "check")


@pytest.mark.parametrize("outcome", ["denied", "held_out"])
def test_a_stopped_or_held_out_row_does_not_show(outcome):
    mine = made(people(client()), row("a", rule="near_tier", outcome=outcome))
    assert mine["why"] == "status" and mine["when"] == "next_month" and pd.isna(mine["row_id"])


@pytest.mark.parametrize(
    ("who", "rule", "owner"),
    [({}, "contact", "adviser"), ({"tier": "T5"}, "contact", "adviser_head"),
     ({"adviser_id": None}, "complaint_open", "unassigned"),
     ({}, "complaint_open", "adviser_service"), ({}, "diagnosis", "adviser_specialist")],
)  # fmt: skip
def test_who_owns_the_matter(who, rule, owner):
    assert made(people(client(**who)), row("a", rule=rule, day="2026-10-12"))["owner"] == owner


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match="moon_phase"):
        made(people(client()), row("a", rule="moon_phase"))
    with pytest.raises(KeyError):
        card("C9", cards(people(client()), pd.DataFrame([row("a")]), CN6, OCTOBER))


def test_every_client_of_a_branch_has_a_whole_card_in_both_languages(sample):
    book, segments, made_plan = sample
    table = cards(segments.clients, made_plan.rows, made_plan.policy, made_plan.month)
    assert list(table["client_id"]) == list(segments.clients["client_id"])
    assert not table[list(MANDATORY)].isna().any().any()
    assert (table[list(MANDATORY)].astype(str) != "").all().all()
    assert (table["next_on"] > pd.Timestamp(book.as_of)).all()
    assert is_working_day(table["next_on"]).all()
    for lang in LANGS:
        reader = page(book, segments, lang)
        for one in table.groupby(["what", "when", "owner"]).head(2).to_dict("records"):
            lines = plan_card(one, reader).lines
            assert len(lines) == 13 and all(value.strip() for _, value, _ in lines)


# ------------------------------------------------------------------------------- events (K17)


def party(**more) -> pd.DataFrame:
    base = {
        "event_id": "E1", "code": "E1", "type": "salon", "title_zh": "沙龙", "title_en": "Salon",
        "date": pd.Timestamp("2026-10-16"), "seats": 1, "personas": "retiree", "needs": "retire",
        "aum_from": 0.0, "invitations": 2,
    }  # fmt: skip
    return pd.DataFrame([base | more])


def book_of(consents=(), needs=(), attended=()) -> Book:
    ids = sorted({c["client_id"] for c in consents} | {f"C{n}" for n in range(1, 6)})
    frames = {
        "branches": [{"branch_id": "B01", "branch_name": "x"}],
        "advisers": [{"branch_id": "B01", "adviser_id": "A1", "level": "adviser",
                      "qualified": True}],
        "clients": [{"branch_id": "B01", "client_id": i, "adviser_id": "A1",
                     "open_date": dt.date(2020, 1, 1)} for i in ids],
        "balances_monthly": [{"branch_id": "B01", "client_id": i, "month": dt.date(2026, 9, 1),
                              "product_class": "demand", "month_avg": 3e5, "month_end": 3e5}
                             for i in ids],
        "consents": list(consents), "needs": list(needs),
        "events": [{"branch_id": "B01", "event_id": f"P{n}", "type": "salon", "title": "x",
                    "date": dt.date(2026, 3, n + 1)} for n in range(5)],
        "event_attendance": list(attended),
    }  # fmt: skip
    frames = {
        name: pd.DataFrame(rows) if isinstance(rows, list) else rows
        for name, rows in frames.items() if len(rows)
    }  # fmt: skip
    return Book.from_frames(frames, branch="B01", as_of="2026-09-30")


def consent(client_id: str, channel: str = "wecom", withdrawn=None) -> dict:
    return {"branch_id": "B01", "client_id": client_id, "channel": channel, "purpose": "marketing",
            "granted_on": dt.date(2025, 1, 1), "withdrawn_on": withdrawn}  # fmt: skip


def test_only_who_consented_is_invited_and_only_as_many_as_the_seats_allow():
    book = book_of([consent(f"C{n}") for n in (1, 2, 3)]
                   + [consent("C4", withdrawn=dt.date(2026, 5, 1))])  # fmt: skip
    clients = people(*[client(f"C{n}", aum_avg=n * 1e5) for n in range(1, 6)])
    made_list = targets(party(), book, clients).set_index("client_id")["result"].astype(str)
    assert made_list.to_dict() == {"C3": "invited", "C2": "invited", "C1": "no_seat",
                                   "C4": "no_consent", "C5": "no_consent"}  # fmt: skip


def test_persona_need_and_assets_decide_who_fits():
    book = book_of(
        [consent(f"C{n}") for n in (1, 2, 3, 4)],
        [{"branch_id": "B01", "client_id": "C2", "field": "goal", "value": "retire",
          "updated_on": dt.date(2026, 1, 1), "source": "client"}],
    )  # fmt: skip
    clients = people(client("C1"), client("C2"), client("C3", persona="young"),
                     client("C4", aum_avg=1e4), client("C5", in_scope=False))  # fmt: skip
    made_list = targets(party(aum_from=5e4), book, clients)
    assert list(made_list["client_id"]) == ["C2", "C1"]
    assert list(made_list["match"].astype(str)) == ["need_persona", "persona"]
    open_to_all = targets(party(personas="", needs=""), book, clients)
    assert set(open_to_all["client_id"]) == {"C1", "C2", "C3", "C4"}


def test_the_year_and_the_month_have_limits():
    past = [{"branch_id": "B01", "event_id": f"P{n}", "client_id": "C1", "invited": True,
             "accepted": False, "attended": False} for n in range(2)]  # fmt: skip
    book = book_of([consent("C1"), consent("C2")], attended=past)
    both = pd.concat([party(), party(event_id="E2", code="E2")], ignore_index=True)
    made_list = targets(both, book, people(client("C1"), client("C2")))
    results = made_list.groupby("client_id")["result"].agg(lambda r: sorted(r.astype(str)))
    assert results["C1"] == ["year_limit", "year_limit"]  # T2: two invitations a year
    assert results["C2"] == ["invited", "month_limit"]


def test_without_a_table_of_consents_nobody_is_invited():
    made_list = targets(party(), book_of(), people(client("C1")))
    assert list(made_list["result"].astype(str)) == ["no_consent"]


def test_the_programme_holds_events_on_working_days_and_the_branch_may_list_its_own():
    for month in pd.date_range("2026-01-01", periods=12, freq="MS"):
        events = programme(month, CN6)
        assert len(events) and is_working_day(events["date"]).all()
        assert (events["invitations"] >= events["seats"]).all()
        assert events["event_id"].str.fullmatch(r"[A-Za-z0-9_-]{1,32}").all()
    own = pd.DataFrame({"event_id": ["X"], "type": ["club"], "title": ["读书会"],
                        "date": [pd.Timestamp("2026-10-22")], "capacity": [None],
                        "persona_target": [None], "need_tag": ["retire"]})  # fmt: skip
    first = listed(own, CN6).iloc[0]
    assert (first["seats"], first["invitations"], first["personas"]) == (30, 60, "")


def test_guest_lists_of_a_branch_keep_to_consent_and_seats(sample):
    book, segments, _ = sample
    events = programme(OCTOBER, CN6)
    made_list = targets(events, book, segments.clients, CN6)
    invited = made_list[made_list["result"] == "invited"]
    counts = invited.groupby("event_id").size()
    limit = events.set_index("event_id")["invitations"].reindex(counts.index)
    assert len(invited) and (counts <= limit).all()
    assert invited["client_id"].is_unique
    given = book["consents"]
    given = given[(given["purpose"] == "marketing") & given["withdrawn_on"].isna()]
    allowed = set(zip(given["client_id"], given["channel"].astype(str), strict=True))
    assert set(zip(invited["client_id"], invited["channel"], strict=True)) <= allowed
    mixed = segments.clients.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(made_list, targets(events, book, mixed, CN6))
