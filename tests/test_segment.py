"""Step 1 as a whole: persona, familiarity, file, household, concentration, tables, words."""

import string
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.book import Book
from playbook.policy import PERSONAS, load, presets
from playbook.segment import TIER_FACTS, curve, measures, reason_codes, segment
from playbook.segment.persona import statutory_age
from playbook.tables import TABLES
from playbook.text import entries, t

AS_OF = "2026-09-30"
CN6 = load("cn6")
ADVISER = {"adviser_id": "A1", "level": "adviser", "qualified": True}


def client(number=1, **facts):
    return {"client_id": f"C{number}", "open_date": "2015-01-01"} | facts


def assets(number=1, *yuan, product="demand"):
    """Months up to 2026-09, average and month end alike."""
    months = pd.period_range(end="2026-09", periods=len(yuan), freq="M")
    who = {"client_id": f"C{number}", "product_class": product}
    return [
        who | {"month": str(month), "month_avg": y, "month_end": y}
        for month, y in zip(months, yuan, strict=True)
    ]


def flow(day, yuan, kind="transfer_other", number=1):
    direction = "in" if yuan > 0 else "out"
    return {"flow_id": f"F{number}-{day}-{kind}", "client_id": f"C{number}", "date": day,
            "kind": kind, "direction": direction, "amount": abs(yuan)}  # fmt: skip


def contact(day, channel="phone", reached=True, content=None, number=1):
    return {"contact_id": f"K{number}-{day}-{channel}", "client_id": f"C{number}",
            "adviser_id": "A1", "at": f"{day} 10:00", "channel": channel, "purpose": "service",
            "reached": reached, "opened": False, "need_found": False, "proposal": False,
            "deal": False, "content_id": content}  # fmt: skip


def book(policy=CN6, **tables):
    """A small book; without balances every client has 600,000 yuan for two months."""
    tables.setdefault("clients", [client()])
    tables.setdefault("advisers", [ADVISER])
    rows = [row for c in tables["clients"] for row in assets(c["client_id"][1:], 6e5, 6e5)]
    tables.setdefault("balances_monthly", rows)
    return Book.from_frames(tables, branch="B01", as_of=AS_OF, policy=policy)


def only(**tables):
    """The labelled row of the one client of a book."""
    return segment(book(**tables)).clients.iloc[0]


# ---- 分群 K04 ----

PERSONA_CASES = [  # facts of a client, persona, reason
    ({"is_business_owner": True, "occupation": "executive"}, "owner", "owner_flag"),
    ({"is_merchant": True}, "owner", "owner_merchant"),
    ({"occupation": "executive", "age": 70}, "exec", "exec_occupation"),
    ({"occupation": "professional"}, "pro", "pro_occupation"),
    ({"occupation": "public"}, "public", "public_occupation"),
    ({"is_heir": True, "age": 30}, "heir", "heir_flag"),
    ({"occupation": "retired", "age": 50}, "retiree", "retiree_occupation"),
    ({"age": 61, "gender": "M"}, "retiree", "retiree_age"),
    ({"age": 60, "gender": "M"}, "other", "other_known"),
    ({"age": 60}, "other", "other_known"),  # sex unknown: the higher age
    ({"age": 56, "gender": "F"}, "retiree", "retiree_age"),
    ({"age": 55, "gender": "F"}, "other", "other_known"),
    ({"occupation": "home"}, "homemaker", "homemaker_occupation"),
    ({"payroll_months": 3, "age": 30}, "payroll", "payroll_months"),
    ({"payroll_months": 2, "is_payroll": True, "age": 40}, "other", "other_known"),
    ({"is_payroll": True}, "payroll", "payroll_flag"),
    ({"age": 34, "occupation": "employee"}, "young", "young_age"),
    ({"age": 35, "occupation": "employee"}, "other", "other_known"),
    ({}, "other", "other_unknown"),
]


def test_the_first_matching_rule_gives_the_persona():
    people = [client(i, **facts) for i, (facts, _, _) in enumerate(PERSONA_CASES)]
    clients = segment(book(clients=people)).clients
    found = clients[["persona", "persona_reason"]].astype(str).values.tolist()
    assert found == [[persona, reason] for _, persona, reason in PERSONA_CASES]


def test_payroll_by_flows_counts_months_not_payments():
    paid = ["2026-04-15", "2026-05-15", "2026-09-15"]
    money = {"balances_monthly": assets(1, *[6e5] * 8)}
    row = only(flows=[flow(day, 9e3, "payroll") for day in paid], **money)
    assert (row.persona, row.persona_reason, row.payroll_seen) == ("payroll", "payroll_flows", 3)
    twice = ["2026-03-15", "2026-05-15", "2026-05-28", "2026-09-15"]
    row = only(flows=[flow(day, 9e3, "payroll") for day in twice], **money)
    assert (row.persona, row.payroll_seen) == ("other", 2)


@pytest.mark.parametrize(
    ("pay_days", "said", "reason", "seen"),
    [
        (["2026-08-15", "2026-09-15"], 24, "payroll_months", 24),
        (["2026-07-15", "2026-08-15", "2026-09-15"], 24, "payroll_flows", 3),
        (["2026-04-15", "2026-09-15"], 24, "other_known", 2),
    ],
)
def test_flows_that_begin_within_the_window_do_not_take_payroll_away(pay_days, said, reason, seen):
    row = only(
        clients=[client(payroll_months=said, age=50)],
        flows=[flow(day, 9e3, "payroll") for day in pay_days],
        balances_monthly=assets(1, *[6e5] * 8),
    )
    assert (row.persona_reason, row.payroll_seen) == (reason, seen)


WINDFALL_CASES = [  # month ends before, single inflow, its day, persona
    (8e5, 5e5, "2026-08-05", "windfall"), (8e5, 499_999.99, "2026-08-05", "other"),
    (2e6, 999_999.99, "2026-08-05", "other"), (2e6, 1e6, "2026-08-05", "windfall"),
    (8e5, 5e5, "2026-03-30", "other"), (8e5, 5e5, "2026-03-31", "windfall"),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["transfer_other", "redemption"])
def test_windfall_is_one_large_inflow_of_the_last_six_months(kind):
    clients = segment(book(
        clients=[client(i) for i in range(len(WINDFALL_CASES))],
        balances_monthly=[row for i, (before, *_) in enumerate(WINDFALL_CASES)
                          for row in assets(i, *[before] * 8)],
        flows=[flow(day, yuan, kind, i) for i, (_, yuan, day, _) in enumerate(WINDFALL_CASES)],
    )).clients  # fmt: skip
    expected = [persona for *_, persona in WINDFALL_CASES]
    # Money moved between the client's own products never came in.
    assert clients["persona"].tolist() == (expected if kind == "transfer_other" else ["other"] * 6)


def test_statutory_age_rises_by_a_month_every_four_months():
    men, start = CN6.persona.retirement_men, pd.Timestamp("2025-01-01")
    ages = {day: statutory_age(pd.Timestamp(day), start, men) for day in
            ("2024-12-31", "2025-01-01", "2025-05-01", "2026-09-30", "2060-01-01")}  # fmt: skip
    assert list(ages.values()) == pytest.approx([60, 60 + 1 / 12, 60 + 2 / 12, 60.5, 63])


def test_the_policy_decides_the_order_and_the_unknown_share_is_told():
    order = [code for code in CN6.persona.order if code != "young"]
    policy = CN6.with_(**{"persona.order": ["young", *order]})
    segments = segment(book(policy, clients=[client(1, age=30, occupation="public"), client(2)]))
    assert segments.clients["persona"].tolist() == ["young", "other"]
    assert segments.figures["persona_unknown_share"] == 0.5


# ---- 熟悉度 K06 ----

def test_points_of_each_kind_up_to_its_cap():
    days = pd.date_range("2026-01-05", periods=9, freq="10D").strftime("%Y-%m-%d")
    events = [{"event_id": f"E{i}", "type": "salon", "title": "S", "date": d}
              for i, d in enumerate(days)]  # fmt: skip
    seats = [{"event_id": e["event_id"], "client_id": "C1", "invited": True, "accepted": True,
              "attended": True} for e in events]  # fmt: skip
    meetings = [contact(d, "visit") for d in days]
    texts = [contact(d, "sms", content="X") for d in days]
    row = only(
        contacts=meetings + texts,
        events=events, event_attendance=seats,
        referrals=[{"referral_id": "R1", "referrer_client_id": "C1", "asked_on": "2026-01-01",
                    "referred_on": "2026-01-02", "state": "referred"}],
    )  # fmt: skip
    points = row[[f"points_{k}" for k in ("contact", "face_to_face", "event", "reply", "referral")]]
    assert points.tolist() == [6, 12, 8, 3, 5]
    assert (row.familiarity, row.familiarity_points) == ("fan", 34)
    assert (row.n_contact, row.n_face_to_face) == (18, 9)


@pytest.mark.parametrize(
    ("calls", "visits", "step"),
    [(0, 0, "stranger"), (2, 0, "stranger"), (3, 0, "acquaintance"), (5, 0, "acquaintance"),
     (2, 2, "familiar"), (3, 4, "familiar"), (2, 5, "fan")],
)  # fmt: skip
def test_the_ladder(calls, visits, step):
    days = pd.date_range("2026-01-05", periods=calls + visits, freq="D").strftime("%Y-%m-%d")
    rows = [contact(d, "phone" if i < calls else "visit") for i, d in enumerate(days)]
    assert only(contacts=rows).familiarity == step


def test_attempts_and_last_years_contacts_count_nothing():
    rows = [contact("2026-09-01", reached=False), contact("2025-09-30"), contact("2025-10-01")]
    assert only(contacts=rows).n_contact == 1


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.sampled_from(["phone", "sms", "visit", "branch"])),
             max_size=12, unique=True),
    st.tuples(st.integers(0, 272), st.sampled_from(["phone", "wecom", "visit"])),
)  # fmt: skip
def test_one_more_effective_contact_never_lowers_familiarity(old, new):
    def rows(number, made):
        days = [(pd.Timestamp(AS_OF) - pd.Timedelta(days=d), channel) for d, channel in made]
        return [
            contact(f"{day:%Y-%m-%d}", channel, content="X", number=number)
            | {"contact_id": f"{number}-{i}"}
            for i, (day, channel) in enumerate(days)
        ]

    segments = segment(book(clients=[client(1), client(2)],
                            contacts=rows(1, old) + rows(2, [*old, new])))  # fmt: skip
    less, more = segments.clients["familiarity_points"]
    assert more >= less
    steps = segments.clients["familiarity"].cat.codes
    assert steps[1] >= steps[0]


# ---- 客户信息库 K09 ----

def need(field, day="2026-06-01", value="1"):
    return {"client_id": "C1", "field": field, "value": value, "updated_on": day}


FULL = {
    "clients": [client(gender="F", age=40, birth_month_day="05-06", occupation="public",
                       education="master", pref_channel="phone", best_time="any",
                       household_id="H1", household_role="head")],
    "households": [{"household_id": "H1", "property_value": 1, "liabilities": 0, "size": 3,
                    "annual_income": 1, "monthly_expense": 1, "stage": "grow",
                    "children_band": "0-6", "elders_n": 0}],
    "needs": [need(f) for f in ("aum_elsewhere", "interests_code", "liquidity_months",
              "goal_retire_age", "expense_kept", "pension", "horizon_years", "cover_life",
              "cover_ci")],
    "flows": [flow("2026-09-01", 1)],
    "risk_assessments": [{"ra_id": "R1", "client_id": "C1", "assessed_on": "2026-01-01",
                          "level": "C2", "valid_until": "2026-12-31",
                          "assessed_by": "client_self"}],
}  # fmt: skip


def test_a_complete_file_scores_one_and_gives_its_points():
    segments = segment(book(**FULL))
    assert segments.files["kyc_score"].tolist() == [1.0]
    assert segments.missing.empty and not [k for k in segments.na if k.startswith("completeness")]
    assert segments.clients["points_file"].tolist() == [3]


@pytest.mark.parametrize(("day", "counts"), [("2025-09-30", True), ("2025-09-29", False)])
def test_a_stale_fact_counts_nothing(day, counts):
    needs = [need("aum_elsewhere", day), *FULL["needs"][1:]]
    segments = segment(book(**FULL | {"needs": needs}))
    # assets weighs 15 of 100 and has three fields.
    assert segments.files["kyc_score"].iloc[0] == pytest.approx(1 if counts else 0.95)
    told = segments.missing[["client_id", "group", "field", "why"]].astype(str).values.tolist()
    assert told == ([] if counts else [["C1", "assets", "needs.aum_elsewhere", "stale"]])


def test_unknown_values_and_an_expired_assessment_count_nothing():
    unknown = [FULL["clients"][0] | {"education": "unknown", "gender": "U"}]
    expired = [FULL["risk_assessments"][0] | {"valid_until": "2026-09-29"}]
    segments = segment(book(**FULL | {"clients": unknown, "risk_assessments": expired}))
    told = dict(zip(segments.missing["field"], segments.missing["why"], strict=True))
    assert told == {"clients.gender": "missing", "clients.education": "missing",
                    "risk.assessment": "stale"}  # fmt: skip
    assert segments.files["n_fresh"].iloc[0] == segments.files["n_fields"].iloc[0] - 3


def test_the_latest_assessment_counts_even_where_an_older_one_is_still_valid():
    older = FULL["risk_assessments"][0] | {"ra_id": "R0", "assessed_on": "2025-12-01"}
    latest = FULL["risk_assessments"][0] | {"valid_until": "2026-06-30"}
    segments = segment(book(**FULL | {"risk_assessments": [latest, older]}))
    assert segments.missing["field"].tolist() == ["risk.assessment"]


def test_without_a_table_its_fields_are_left_out_and_told():
    segments = segment(book(**{k: v for k, v in FULL.items() if k != "needs"}))
    assert segments.na["completeness.goal"] == "needs"
    assert np.isnan(segments.files["score_goal"].iloc[0])
    assert segments.files["kyc_score"].tolist() == [1.0]
    assert segments.clients["points_file"].tolist() == [0]  # a partial score proves no knowledge


# ---- 家庭 K08 ----

def family(policy=CN6):
    head = client(1, household_id="H1", household_role="head", adviser_id="A1",
                  pref_channel="wecom", best_time="evening", occupation="executive")  # fmt: skip
    gone = client(4, household_id="H1", household_role="parent", close_date="2026-09-15")
    people = [head, client(2, household_id="H1", household_role="spouse"), client(3), gone]
    money = (assets(1, 600_000.01, 1_100_000.01) + assets(2, 900_000.02, 900_000.02)
             + assets(3, 0.01, 0.01) + assets(4, 500, 0))  # fmt: skip
    return segment(book(policy, clients=people, balances_monthly=money,
                        households=[{"household_id": "H1", "size": 4}]))  # fmt: skip


def test_households_add_up_to_the_clients_and_singles_are_kept():
    segments = family()
    homes = segments.households.set_index("household_id")
    assert homes.index.tolist() == ["H1", "own:C3"]
    assert homes.loc["H1", ["n_members", "aum_avg", "roles"]].tolist() == [
        2, 2_000_000.03, "head+spouse"]  # fmt: skip
    assert homes.loc["H1", ["tier", "tier_best", "lead_client_id"]].tolist() == ["T4", "T3", "C1"]
    assert homes["n_members"].sum() == len(segments.clients) == 3
    assert round(homes["aum_avg"].sum(), 2) == round(segments.clients["aum_avg"].sum(), 2)


def test_the_household_switch_gives_every_member_the_family_tier():
    by_client, by_family = family(), family(CN6.with_(**{"tiering.basis": "household"}))
    assert by_client.clients["tier"].tolist() == ["T3", "T3", "T0"]
    assert by_family.clients["tier"].tolist() == ["T4", "T4", "T0"]
    assert by_family.clients["aum_avg"].tolist() == by_client.clients["aum_avg"].tolist()


@pytest.mark.parametrize(("basis", "stake", "gap"), [("household", 2e5, 4e4), ("client", 1e5, 0)])
def test_a_family_judged_together_has_its_stake_and_its_gap_once(basis, stake, gap):
    people = [client(n, household_id="H1") for n in (1, 2)]
    money = assets(1, 3.5e5, 2e5) + assets(2, 2.5e5, 1e5)  # together 600,000, then 300,000
    lost = segment(book(CN6.with_(**{"tiering.basis": basis}), clients=people,
                        balances_monthly=money))  # fmt: skip
    assert lost.clients["status"].tolist() == (
        ["lost", "lost"] if basis == "household" else ["stable", "lost"])
    assert lost.figures["severity"] == lost.households["severity"].sum() == stake
    assert lost.pivot["severity"].sum() == lost.clients["severity"].sum() == stake
    assert lost.figures["n_urgent"] == 1

    near = segment(book(CN6.with_(**{"tiering.basis": basis}), clients=people,
                        balances_monthly=assets(1, 2.4e5) + assets(2, 2.2e5)))  # fmt: skip
    assert near.figures["near_gap"] == gap


def test_a_card_answers_all_six_questions():
    cards = family().cards.set_index("household_id")
    six = cards[["why", "which", "what", "when", "where", "how"]]
    assert not six.isna().any(axis=None)
    assert six.loc["H1"].tolist() == ["stable", "family", "complete", "by_standard", "wecom",
                                      "introduce"]  # fmt: skip
    assert six.loc["own:C3", ["which", "when", "where"]].tolist() == ["one", "on_need", "ask"]
    assert cards.loc["H1", ["topic", "best_time", "contacts_per_year"]].tolist() == [
        "exec", "evening", CN6.standards["T4"].contacts_per_year]  # fmt: skip


def test_the_most_urgent_member_gives_the_why():
    people = [client(1, household_id="H1"), client(2, household_id="H1")]
    money = assets(1, 9e5, 9e5) + assets(2, 5.5e5, 4e5)
    card = segment(book(clients=people, balances_monthly=money,
                        households=[{"household_id": "H1"}])).cards.iloc[0]  # fmt: skip
    assert (card.why, card.status_client_id, card.lead_client_id) == ("lost", "C2", "C1")
    assert (card.what, card.when, card.severity) == ("win_back", "at_once", 100_000)


# ---- 贡献度 K10 ----

@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=40))
def test_the_curve_and_gini(cents):
    amounts = np.array(cents) / 100
    line, facts = curve(amounts), measures(amounts, 0.2)
    if not sum(cents):
        assert line.empty and np.isnan(facts["gini"])
        return
    assert line.iloc[0][["rank_share", "amount_share"]].tolist() == [0, 0]
    assert line.iloc[-1][["rank_share", "amount_share"]].tolist() == pytest.approx([1, 1])
    assert (np.diff(line["amount_share"], 2) <= 1e-9).all()
    apart = np.abs(amounts[:, None] - amounts[None, :]).sum()
    assert facts["gini"] == pytest.approx(apart / (2 * len(cents) * amounts.sum()), abs=1e-9)


def test_top_share_of_whole_clients_and_amounts_below_zero():
    assert measures(np.arange(1, 16), 0.2)["n_top"] == 3
    assert measures(np.array([70.0, 10, 10, 10]), 0.2)["top_amount_share"] == 0.7
    assert measures(np.array([50.0, 50, -30]), 0.34)["gini"] == pytest.approx(1 / 3)


# ---- 三分总表 K07 and the whole ----

@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 10**9), min_size=3, max_size=3),
            st.sampled_from([None, "H1", "H2"]),
            st.sampled_from([None, "A1"]),
            st.sampled_from([None, "owner", "executive", "retired"]),
        ),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_every_client_has_one_label_of_each_kind_and_all_sums_agree(people):
    rows = [client(i, household_id=h, adviser_id=a, occupation=o)
            for i, (_, h, a, o) in enumerate(people)]  # fmt: skip
    money = [row for i, (cents, *_) in enumerate(people)
             for row in assets(i, *[c / 100 for c in cents])]  # fmt: skip
    homes = [{"household_id": "H1"}, {"household_id": "H2"}]
    segments = segment(book(clients=rows, balances_monthly=money, households=homes))
    clients, total = segments.clients, sum(cents[-1] for cents, *_ in people) / 100
    kinds = ["tier", "persona", "status", "familiarity"]
    assert not clients[kinds + [f"{kind}_reason" for kind in kinds]].isna().any(axis=None)
    for parts, count in ((segments.pivot, "n"), (segments.coverage, "n"),
                         (segments.households, "n_members")):  # fmt: skip
        assert parts[count].sum() == len(people)
        assert round(parts["aum_avg"].sum(), 2) == total
    assert segments.figures["aum_avg"] == total
    assert segments.coverage.iloc[-1]["n"] == clients["adviser_id"].isna().sum()
    assert len(segments.unassigned) == segments.figures["n_unassigned"]
    assert segments.history.groupby("client_id").size().eq(3).all()
    last = segments.history.drop_duplicates("client_id", keep="last").set_index("client_id")
    both = clients.set_index("client_id")
    for column in ("tier", "tier_calc", "tier_before", "watch_months", "status", "exited"):
        assert last[column].astype(str).to_dict() == both[column].astype(str).to_dict()


def test_asset_weights_count_towards_the_tier_only():
    policy = CN6.with_(**{"tiering.asset_weights.gold": 0.5})
    money = assets(1, 3e5, 3e5) + assets(1, 4e5, 4e5, product="gold")
    row = only(policy=policy, balances_monthly=money)
    assert (row.tier, row.aum_avg, row.aum_end, row.tier_aum_end) == ("T3", 5e5, 7e5, 5e5)
    assert row.status == "stable"


@pytest.mark.parametrize(
    "tables",
    [
        {"clients": [], "balances_monthly": []},
        {"clients": [client()], "balances_monthly": []},
        {"clients": [client(close_date="2026-01-31")], "balances_monthly": []},
        {"clients": [client()], "balances_monthly": assets(1, 6e5)},
        {"clients": [client(open_date="2026-09-20")], "balances_monthly": []},
    ],
)
@pytest.mark.parametrize("basis", ["client", "household"])
def test_small_books_work_and_keep_their_columns(tables, basis):
    policy = CN6.with_(**{"tiering.basis": basis})
    segments, usual = segment(book(policy, **tables)), family()
    alive = [c for c in tables["clients"] if "close_date" not in c]
    assert len(segments.clients) == len(segments.files) == len(alive)
    for name in ("clients", "history", "households", "cards", "pivot", "coverage", "missing"):
        mine, other = getattr(segments, name), getattr(usual, name)
        assert list(mine.columns) == list(other.columns)
        assert mine.dtypes.astype(str).to_dict() == other.dtypes.astype(str).to_dict(), name


@pytest.mark.parametrize("lacking", [["2026-08"], ["2026-06", "2026-07", "2026-08"]])
def test_a_month_that_nobody_has_is_not_a_month_without_assets(lacking):
    money = [row for row in assets(1, *[6e5] * 12) if row["month"] not in lacking]
    segments = segment(book(balances_monthly=money))
    row = segments.clients.iloc[0]
    assert (row.tier, row.tier_reason, row.status) == ("T3", "first", "stable")
    assert segments.history["month"].dt.month.tolist() == [9]
    assert segments.na["status.lost"] == "balances_monthly"


def test_after_an_old_gap_the_record_begins_anew():
    money = [row for row in assets(1, *[6e5] * 12) if row["month"] != "2026-03"]
    segments = segment(book(balances_monthly=money))
    assert segments.history["month"].dt.month.tolist() == [4, 5, 6, 7, 8, 9]
    assert segments.clients["tier_reason"].tolist() == ["always"]


def test_missing_tables_are_told_not_guessed():
    segments = segment(book())
    assert segments.na["status.dormant"] == "flows, contacts"
    assert segments.na["familiarity.event"] == "event_attendance, events"
    assert segments.na["persona.windfall"] == "flows"
    assert segments.clients["status_reason"].tolist() == ["stable_partly"]
    assert segments.clients["familiarity_reason"].tolist() == ["partly"]
    assert segments.clients["outflow"].isna().all() and segments.clients["days_quiet"].isna().all()


def test_closed_clients_stay_in_the_history_until_they_leave():
    left = client(2, close_date="2026-08-10")
    money = assets(1, *[6e5] * 3) + assets(2, 6e5, 1e5, 0)
    segments = segment(book(clients=[client(1), left], balances_monthly=money))
    gone = segments.history[segments.history["client_id"] == "C2"]
    assert segments.clients["client_id"].tolist() == ["C1"]
    assert gone["month"].dt.month.tolist() == [7, 8]
    assert gone["closed"].tolist() == gone["exited"].tolist() == [False, True]


def test_the_same_book_gives_the_same_segments_and_is_not_changed():
    one = book(**FULL)
    before = {name: one.table(name) for name in TABLES}
    first, second = segment(one), segment(one)
    pd.testing.assert_frame_equal(first.clients, second.clients)
    pd.testing.assert_frame_equal(first.cards, second.cards)
    for name in TABLES:
        pd.testing.assert_frame_equal(before[name], one.table(name))


# ---- words ----

CARD = tuple(prefix for prefix in reason_codes if prefix.startswith("segment.card."))


def facts_of(key):
    """Facts that the templates of ``key`` name, without attributes."""
    named = {lang: {f.split(".")[0] for _, f, _, _ in string.Formatter().parse(text) if f}
             for lang, text in entries()[key].items()}  # fmt: skip
    assert set(named) == {"zh", "en"} and all(entries()[key].values())
    return named["zh"] | named["en"]


@pytest.mark.parametrize("prefix", reason_codes)
def test_every_reason_has_its_words_and_its_facts_are_columns(prefix):
    segments = segment(book())
    columns = set((segments.cards if prefix in CARD else segments.clients).columns)
    for code in reason_codes[prefix]:
        assert facts_of(f"{prefix}{code}") <= columns, code


def test_every_client_can_be_told_why_in_both_languages():
    segments = family()
    for lang in ("zh", "en"):
        names = {fact: CN6.tier_names(lang) for fact in TIER_FACTS}
        for row in segments.clients.to_dict("records"):
            for kind in ("tier", "persona", "status", "familiarity"):
                said = t(f"segment.{kind}.{row[f'{kind}_reason']}", lang, names, **row)
                assert "nan" not in said and "NaT" not in said
        for row in segments.cards.to_dict("records"):
            for prefix in CARD:
                assert t(f"{prefix}{row[prefix.split('.')[2]]}", lang, names, **row)


def test_the_near_threshold_sentence():
    row = only(balances_monthly=assets(1, 1_850_000, 1_850_000)).to_dict()
    names = {fact: CN6.tier_names("zh") for fact in TIER_FACTS}
    assert t("segment.near", "zh", names, **row) == (
        "2026年9月月日均185.00万元，已达钻石门槛200.00万元的92.5%，还差15.00万元。"
    )


@pytest.mark.parametrize(
    ("yuan", "said"),
    [
        (1_999_999.99, ("的99.9%，还差0.01元。", "99.9% of", "CNY 0.01 to go")),
        (1_999_970, ("的99.9%，还差30.00元。", "99.9% of", "CNY 30 to go")),
        (1_800_000, ("的90.0%，还差20.00万元。", "90.0% of", "CNY 200,000 to go")),
    ],
)
def test_just_short_of_a_floor_never_reads_as_reached(yuan, said):
    row = only(balances_monthly=assets(1, yuan, yuan)).to_dict()
    for lang, parts in (("zh", said[:1]), ("en", said[1:])):
        names = {fact: CN6.tier_names(lang) for fact in TIER_FACTS}
        sentence = t("segment.near", lang, names, **row)
        assert all(part in sentence for part in parts), sentence


@pytest.mark.parametrize(("basis", "whose"), [("household", "全家"), ("client", "本人")])
def test_flows_are_said_to_be_those_of_whom_they_are(basis, whose):
    people = [client(n, household_id="H1") for n in (1, 2)]
    segments = segment(book(
        CN6.with_(**{"tiering.basis": basis}), clients=people, contacts=[],
        balances_monthly=assets(1, 9e5, 5.5e5) + assets(2, 1e5, 1e5),
        flows=[flow("2026-09-10", -350_000)],
    ))  # fmt: skip
    row = segments.clients.iloc[0].to_dict()
    assert row["status_reason"] == "churn_outflow"
    names = {fact: CN6.tier_names("zh") for fact in TIER_FACTS}
    said = t("segment.status.churn_outflow", "zh", names, **row)
    assert said.startswith(f"2026年9月{whose}净流出35.00万元，占月初资产")


def test_lost_says_of_the_month_before_only_that_the_average_was_enough():
    money = [row | {"month_end": end} for row, end in
             zip(assets(1, 6e5, 5.2e5, 4.1e5), (6e5, 4.1e5, 4.1e5), strict=True)]  # fmt: skip
    row = only(balances_monthly=money).to_dict()
    names = {fact: CN6.tier_names("zh") for fact in TIER_FACTS}
    assert t(f"segment.status.{row['status_reason']}", "zh", names, **row) == (
        "2026年9月月日均由上月的达标降到41.00万元，月末41.00万元，均低于金门槛50.00万元，月末缺口9.00万元。"
    )


@pytest.mark.parametrize(
    ("yuan", "reason"),
    [((6e5, 6e5, 6e5), "always"), ((3e5, 6e5, 6e5), "kept"), ((3e5, 3e5, 6e5), "raised")],
)
def test_since_when_is_said_only_where_a_move_is_on_record(yuan, reason):
    row = only(balances_monthly=assets(1, *yuan)).to_dict()
    names = {fact: CN6.tier_names("zh") for fact in TIER_FACTS}
    assert row["tier_reason"] == reason
    said = t(f"segment.tier.{reason}", "zh", names, **row)
    assert ("自有记录的2026-07-01起一直为金" in said) == (reason == "always")


def test_all_coded_values_have_distinct_names_in_both_languages():
    for table in TABLES.values():
        for column in table.columns:
            keys = [f"name.{column.name}.{code}" for code in column.allowed]
            for lang in ("zh", "en"):
                words = [entries()[key][lang] for key in keys]
                assert len(set(words)) == len(words), (column.name, lang)


def test_all_codes_of_the_method_have_names():
    codes = {
        "persona": PERSONAS,
        "status": CN6.status.order,
        "familiarity": CN6.familiarity.ladder,
        "group": {group for name in presets() for group in load(name).completeness.groups},
        "basis": ("client", "household"),
        "question": ("why", "which", "what", "when", "where", "how"),
    }
    for kind, values in codes.items():
        assert [v for v in values if f"name.{kind}.{v}" not in entries()] == []
    fields = {f for name in presets() for g in load(name).completeness.groups.values()
              for f in g.fields}  # fmt: skip
    for field in fields:
        table, _, column = field.partition(".")
        named = table in ("clients", "households") and column in TABLES[table].names
        assert named or {f"name.field.{field}", f"name.field.{column}"} & set(entries()), field


def test_every_figure_that_can_be_missing_has_words():
    told = set(segment(book()).na) | set(segment(book(clients=[client()])).na)
    told |= set(segment(book(balances_monthly=assets(1, 6e5))).na)
    assert {key for key in told if f"segment.na.{key}" not in entries()} == set()
    assert "status.lost" in told


def test_the_room_knows_no_number_of_the_method():
    room = Path(__file__).parents[1] / "playbook" / "segment"
    told = {f"{n:_}" for n in CN6.floors[1:]} | {f"{n:.0f}" for n in CN6.floors[1:]}
    for file in room.glob("*.py"):
        source = file.read_text(encoding="utf-8")
        assert not [n for n in told if n in source], file.name
