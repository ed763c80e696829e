"""K12: the workload arithmetic of a book of clients, and each adviser's minutes by day."""

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.plan.capacity import call_minutes, capacity_of, unit_minutes, workload
from playbook.policy import load, presets
from playbook.policy.calendar import working_days

CN6 = load("cn6")
#: Shares of a Pareto tail with index 1.15 between the floors of 20, 50, 200 and 600 万元.
_ABOVE = [(20 / floor) ** 1.15 for floor in (20, 50, 200, 600)] + [0]
MIX = dict(zip(("T2", "T3", "T4", "T5"), (a - b for a, b in pairwise(_ABOVE)), strict=True))


def test_the_mix_is_the_one_of_the_method():
    assert [round(100 * share, 1) for share in MIX.values()] == [65.1, 27.8, 5.1, 2.0]


@pytest.mark.parametrize(
    ("n", "contacts", "visits", "reviews", "triggers", "minutes", "load_pct"),
    [(200, 58.4, 7.7, 7.7, 24, 2402, 56), (300, 87.6, 11.5, 11.5, 36, 3603, 83),
     (360, 105.1, 13.8, 13.8, 43, 4323, 100), (500, 146.0, 19.1, 19.1, 60, 6005, 139)],
)  # fmt: skip
def test_the_table_of_loads_to_the_minute(
    n, contacts, visits, reviews, triggers, minutes, load_pct
):
    row = workload(pd.DataFrame([MIX]) * n, CN6).iloc[0]
    assert row["clients"] == pytest.approx(n)
    assert round(row["contacts"], 1) == contacts
    assert round(row["visits"], 1) == visits
    assert round(row["reviews"], 1) == reviews
    assert round(row["triggers"]) == triggers
    assert int(row["minutes"]) == minutes  # whole minutes
    assert row["capacity"] == 4320
    assert round(100 * row["load"]) == load_pct


def test_costs_of_one_of_each():
    assert call_minutes(CN6) == pytest.approx(12 + 3 + 1.5 * 2) == 18
    assert unit_minutes(CN6) == {"call": 18, "message": 2, "visit": 75, "review": 45}


def test_clients_out_of_scope_cost_nothing_in_the_arithmetic():
    row = workload(pd.DataFrame({"T0": [500], "T1": [500]}), CN6).iloc[0]
    assert (row["clients"], row["minutes"], row["load"]) == (1000, 0, 0)


def test_a_column_that_is_no_tier_is_refused():
    with pytest.raises(ValueError, match="T9"):
        workload(pd.DataFrame({"T9": [1]}), CN6)


@pytest.mark.parametrize("name", presets())
def test_every_preset_can_be_worked_out(name):
    policy = load(name)
    books = pd.DataFrame([dict.fromkeys(policy.tier_codes, 10)])
    assert workload(books, policy)["load"].between(0.01, 10).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=4, max_size=4), st.integers(2, 5))
def test_load_grows_with_the_book_in_proportion(counts, times):
    one = pd.DataFrame([dict(zip(("T2", "T3", "T4", "T5"), counts, strict=True))])
    assert workload(one * times, CN6)["minutes"].iloc[0] == pytest.approx(
        workload(one, CN6)["minutes"].iloc[0] * times
    )


# ---------------------------------------------------------------------------------- by day

ADVISERS = pd.DataFrame(
    {
        "adviser_id": pd.Series(["A0", "A1", "A2"], dtype="str"),
        "level": pd.Categorical(["assistant", "adviser", "senior"]),
        "client_facing_share": [0.15, None, 0.60],
    }
)


def test_minutes_by_adviser_and_working_day():
    days = capacity_of(ADVISERS, "2026-10-15", CN6)
    assert len(days) == 3 * 18
    assert set(days["day"]) == set(working_days("2026-10-01", "2026-10-31"))
    minutes = days.groupby("adviser_id")["minutes"].agg(["min", "max"])
    assert minutes.values.tolist() == [[72, 72], [216, 216], [288, 288]]
    assert (days["visits"] == 2).all()


def test_leave_takes_its_days_and_no_others():
    leave = pd.DataFrame(
        {"adviser_id": ["A1", "A1"], "start_on": ["2026-10-08", "2026-10-30"],
         "end_on": ["2026-10-11", "2026-11-03"]}
    )  # fmt: skip
    days = capacity_of(ADVISERS, "2026-10-01", CN6, leave)
    gone = days[days["away"]]
    assert set(gone["adviser_id"]) == {"A1"}
    assert gone["day"].dt.day.tolist() == [8, 9, 10, 30]
    assert (gone[["minutes", "visits"]] == 0).all(axis=None)
    assert days.loc[~days["away"], "minutes"].gt(0).all()


@pytest.mark.parametrize(
    ("leave", "said"),
    [({"adviser_id": ["X"], "start_on": ["2026-10-08"], "end_on": ["2026-10-09"]}, "adviser X"),
     ({"adviser_id": ["A1"], "start_on": ["2026-10-09"], "end_on": ["2026-10-08"]}, "before"),
     ({"adviser_id": ["A1"], "start_on": [None], "end_on": ["2026-10-08"]}, "empty"),
     ({"adviser_id": ["A1"], "start_on": ["2026-10-08"]}, "end_on")],
)  # fmt: skip
def test_a_leave_table_that_does_not_fit_is_refused(leave, said):
    with pytest.raises(ValueError, match=said):
        capacity_of(ADVISERS, "2026-10-01", CN6, pd.DataFrame(leave))
