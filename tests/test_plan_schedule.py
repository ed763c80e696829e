"""The plan of a month: what fits, what does not, what would help."""

from __future__ import annotations

import hashlib
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from playbook.plan import greedy, relief, solver
from playbook.plan.holdout import held_out
from playbook.plan.schedule import METHODS, REASONS, schedule
from playbook.plan.times import start_times
from playbook.plan.work import scores, work_of
from playbook.policy import KLASSES, load
from playbook.text import LANGS, t

CN6 = load("cn6")
#: Nothing kept aside, proven to the last yuan, three days between marketing contacts.
ALL = CN6.with_(**{"planning.holdout_share": 0.0, "planning.solver.gap": 0.0,
                   "planning.solver.nodes": 10_000, "planning.marketing_gap_days": 3})  # fmt: skip
MONDAY = pd.Timestamp("2026-10-12")


def day(number: int) -> pd.Timestamp:
    return MONDAY + pd.Timedelta(days=number)


def row(name, klass=3, minutes=18, window=(0, 2), client=None, **more) -> dict:
    """One intended row; days of ``window`` are counted from Monday."""
    first, last = window
    return {
        "row_id": name, "client_id": client or f"C-{name}", "adviser_id": "A1",
        "household_id": None, "klass": klass, "mandatory": klass == 1, "purpose": "service",
        "is_visit": False, "channel": "phone", "minutes": minutes, "amount": 500_000.0,
        "p_effect": 0.2, "days_overdue": 0, "due_on": day(last), "earliest_on": day(first),
        "latest_on": day(last), "verdict": "allow",
    } | more  # fmt: skip


def table(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).astype({"household_id": "str", "adviser_id": "str"})


def room(minutes=60, visits=2, days=3, advisers=("A1",)) -> pd.DataFrame:
    return pd.DataFrame(
        [(a, day(n), minutes, visits) for a in advisers for n in range(days)],
        columns=["adviser_id", "day", "minutes", "visits"],
    )


def planned(made) -> dict[str, pd.Timestamp]:
    return dict(zip(made.planned["row_id"], made.planned["day"], strict=True))


def why(made) -> dict[str, str]:
    return dict(zip(made.not_done["row_id"], made.not_done["reason"], strict=True))


def reached(made) -> tuple[int, ...]:
    """Rows of the first class, then value class by class."""
    return (int(made.classes["planned"].iloc[0]), *made.classes["value_planned"].tolist())


# ------------------------------------------------------------------------------ random months


@st.composite
def months(draw, most=7, advisers=1):
    n = draw(st.integers(0, most))
    rows = []
    for at in range(n):
        first = draw(st.integers(0, 2))
        rows.append(
            row(
                f"R{at}",
                klass=draw(st.integers(1, 4)),
                minutes=draw(st.sampled_from([5, 18, 20, 45])),
                window=(first, draw(st.integers(first, 3))),
                client=f"C{draw(st.integers(0, 2))}",
                adviser_id=f"A{draw(st.integers(1, advisers))}",
                purpose=draw(st.sampled_from(["service", "marketing"])),
                is_visit=draw(st.booleans()),
                amount=draw(st.sampled_from([100_000.0, 100_000.0, 300_000.0, 2_000_000.0])),
                p_effect=draw(st.sampled_from([0.05, 0.1, 0.3])),
                days_overdue=draw(st.sampled_from([0, 0, 15])),
            )
        )
    minutes = draw(st.sampled_from([18, 40, 63]))
    who = [f"A{a}" for a in range(1, advisers + 1)]
    return rows, room(minutes, draw(st.integers(0, 2)), advisers=who)


def every_plan(rows: pd.DataFrame, capacity: pd.DataFrame, policy) -> tuple[int, ...]:
    """The best totals over all ways of putting each row on a day or leaving it."""
    days = sorted(capacity["day"].unique())
    value = scores(rows, policy, days[0])["value"].to_numpy()
    n, gap = len(rows), policy.planning.marketing_gap_days
    place = np.stack(np.meshgrid(*[np.arange(-1, len(days))] * n, indexing="ij"), -1).reshape(-1, n)
    good = np.ones(len(place), dtype=bool)
    for at in range(n):
        first, last = rows["earliest_on"].iloc[at], rows["latest_on"].iloc[at]
        inside = [d for d, when in enumerate(days) if first <= when <= last]
        good &= np.isin(place[:, at], [-1, *inside])
    place = place[good]
    good = np.ones(len(place), dtype=bool)
    for adviser, mine in rows.groupby("adviser_id").indices.items():
        own = capacity[capacity["adviser_id"] == adviser].set_index("day").loc[days]
        for d in range(len(days)):
            on = place[:, mine] == d
            good &= on @ rows["minutes"].to_numpy()[mine] <= own["minutes"].iloc[d]
            good &= on @ rows["is_visit"].to_numpy(int)[mine] <= own["visits"].iloc[d]
    for a, b in combinations(np.flatnonzero(rows["purpose"] == "marketing"), 2):
        if rows["client_id"].iloc[a] == rows["client_id"].iloc[b]:
            both = (place[:, a] >= 0) & (place[:, b] >= 0)
            good &= ~both | (np.abs(place[:, a] - place[:, b]) >= gap)
    done = place[good] >= 0
    totals = [done @ (rows["klass"] == 1).to_numpy(int)]
    totals += [done @ (value * (rows["klass"] == k).to_numpy()) for k in range(1, 5)]
    return max(zip(*(part.astype(int).tolist() for part in totals), strict=True))


@settings(max_examples=40, deadline=None)
@given(months())
def test_the_best_of_all_plans(month):
    rows, capacity = month
    if rows:
        made = schedule(table(*rows), capacity, ALL, what_if=False)
        assert reached(made) == every_plan(table(*rows), capacity, ALL)
        assert made.method == "optimal" and made.gap == 0


@settings(max_examples=20, deadline=None)
@given(months(most=6, advisers=2))
def test_the_best_of_all_plans_of_two_advisers_who_share_clients(month):
    rows, capacity = month
    if rows:
        made = schedule(table(*rows), capacity, ALL, what_if=False)
        assert reached(made) == every_plan(table(*rows), capacity, ALL)


@settings(max_examples=25, deadline=None)
@given(months(most=12, advisers=3), st.randoms(use_true_random=False))
def test_every_row_ends_once_and_every_limit_holds(month, chance):
    rows, capacity = month
    if not rows:
        return
    rows = [r | {"verdict": "deny" if i % 5 == 4 else "warn", "gate_rule": "CONS-01"}
            for i, r in enumerate(rows)]  # fmt: skip
    policy = ALL.with_(**{"planning.holdout_share": 0.3})
    made = schedule(table(*rows), capacity, policy, what_if=False)
    both = [*made.planned["row_id"], *made.not_done["row_id"]]
    assert sorted(both) == sorted(r["row_id"] for r in rows)
    assert set(made.not_done["reason"].str.split(":").str[0]) <= set(REASONS)
    full = made.planned.merge(table(*rows)[["row_id", "earliest_on", "latest_on", "is_visit",
                                            "purpose", "verdict"]], on="row_id")  # fmt: skip
    assert (full["verdict"] != "deny").all()
    assert full["day"].between(full["earliest_on"], full["latest_on"]).all()
    used = full.groupby(["adviser_id", "day"]).agg(m=("minutes", "sum"), v=("is_visit", "sum"))
    limit = capacity.set_index(["adviser_id", "day"]).reindex(used.index)
    assert (used["m"] <= limit["minutes"]).all() and (used["v"] <= limit["visits"]).all()
    for _, same in full[full["purpose"] == "marketing"].groupby("client_id"):
        assert (same["day"].sort_values().diff().dropna() >= pd.Timedelta(days=3)).all()
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    again = schedule(table(*shuffled), capacity, policy, what_if=False)
    pd.testing.assert_frame_equal(made.planned, again.planned)
    pd.testing.assert_frame_equal(made.not_done, again.not_done)


@settings(max_examples=25, deadline=None)
@given(months(most=9), st.sampled_from([7, 18, 60]))
def test_more_time_never_makes_a_worse_plan(month, more):
    rows, capacity = month
    if rows:
        less = schedule(table(*rows), capacity, ALL, what_if=False)
        wider = capacity.assign(minutes=capacity["minutes"] + more)
        assert reached(schedule(table(*rows), wider, ALL, what_if=False)) >= reached(less)


def branch(n: int, seed: int, advisers: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A branch's month of 23 days with ``n`` rows and too little time."""
    made = np.random.default_rng(seed)
    rows = []
    for at in range(n):
        who, kind = made.integers(advisers), made.choice(4, p=[0.6, 0.1, 0.15, 0.15])
        first = int(made.integers(0, 20))
        klass = int(made.choice([1, 2, 3, 4], p=[0.1, 0.2, 0.45, 0.25]))
        rows.append(
            row(hashlib.sha256(f"{seed} {at}".encode()).hexdigest()[:16], klass,
                int([18, 75, 45, 5][kind]), (first, first + int(made.choice([1, 5, 12]))),
                client=f"C{who}{made.integers(n // advisers):04d}", adviser_id=f"A{who}",
                is_visit=bool(kind == 1), amount=float(np.exp(made.normal(13, 1))),
                purpose="marketing" if klass == 4 else "service")
        )  # fmt: skip
    rows = table(*rows)
    days = pd.bdate_range(MONDAY, periods=23)
    minutes = int(rows["minutes"].sum() / advisers / len(days) / 1.3)
    capacity = pd.DataFrame([(f"A{a}", d, minutes, 2) for a in range(advisers) for d in days],
                            columns=["adviser_id", "day", "minutes", "visits"])  # fmt: skip
    return rows, capacity


@pytest.mark.parametrize("seed", [1, 2])
def test_a_month_is_at_least_as_good_as_the_plain_order(seed):
    rows, capacity = branch(240, seed)
    made = schedule(rows, capacity, ALL.with_(**{"planning.solver.nodes": 20}), what_if=False)
    work = work_of(rows.join(scores(rows, ALL, MONDAY)), capacity, ALL)
    plain = work.totals(greedy.fill(work), len(KLASSES))
    assert reached(made) > plain
    assert made.load["minutes"].sum() == made.planned["minutes"].sum()
    assert (made.load["minutes"] <= made.load["capacity"]).all()
    assert (made.load["rows"].sum(), made.classes["planned"].sum()) == (len(made.planned),) * 2


# ------------------------------------------------------------------------------------- order


def test_no_growth_displaces_a_duty():
    rows = table(
        row("duty", klass=1, minutes=50, amount=0.0, p_effect=0.05),
        *(row(f"grow{i}", klass=4, minutes=18, amount=9e6, p_effect=0.3) for i in range(3)),
    )
    made = schedule(rows, room(60, days=1), ALL)
    assert list(planned(made)) == ["duty"]
    assert set(why(made).values()) == {"no_capacity"}


def test_the_bank_decides_which_class_is_first():
    rows = table(row("standard", klass=3), row("growth", klass=4))
    order = ["duty", "growth", "critical", "standard"]
    other = ALL.with_(**{"planning.class_order": order})
    assert list(planned(schedule(rows, room(18, days=1), ALL))) == ["standard"]
    assert list(planned(schedule(rows, room(18, days=1), other))) == ["growth"]


def test_the_number_of_duties_comes_before_their_value():
    rows = table(
        row("one", klass=1, minutes=36, amount=9e6),
        row("two", klass=1, minutes=18, amount=1e5),
        row("three", klass=1, minutes=18, amount=1e5),
    )
    assert set(planned(schedule(rows, room(36, days=1), ALL))) == {"two", "three"}


def test_the_plain_order_leaves_what_the_search_places():
    rows = table(row("wide", amount=9e5, window=(0, 1)), row("narrow", amount=1e5, window=(0, 0)))
    made = schedule(rows, room(18, days=2), ALL)
    assert planned(made) == {"wide": day(1), "narrow": day(0)}
    work = work_of(rows.join(scores(rows, ALL, MONDAY)), room(18, days=2), ALL)
    assert (greedy.fill(work) >= 0).sum() == 1


def test_rows_are_early_when_they_can_be():
    rows = table(row("late", amount=1e5), row("soon", amount=9e5))
    assert set(planned(schedule(rows, room(60), ALL)).values()) == {day(0)}


def test_score_is_stake_times_effect_times_urgency_per_minute():
    rows = table(
        row("plain", amount=1e6, p_effect=0.2, window=(0, 1)),
        row("cap", amount=5e8, p_effect=0.2, window=(0, 0)),
        row("late", amount=1e6, p_effect=0.2, window=(0, 0), days_overdue=60),
        row("none", amount=np.nan, p_effect=np.nan, window=(0, 0), minutes=0),
    )
    got = scores(rows, CN6, MONDAY)
    assert got["value"].tolist() == [100_000, 2_000_000, 600_000, 500]
    assert got["score"].tolist()[:2] == [100_000 / 18, 2_000_000 / 18]
    assert got["score"].iloc[3] == np.inf
    own = scores(rows.assign(fact_interval=[90, 90, 120, np.nan]), CN6, MONDAY)
    assert own["value"].tolist() == [100_000, 2_000_000, 300_000, 500]


# ----------------------------------------------------------------------------------- reasons


def test_each_reason():
    far = (30, 40)
    rows = table(
        row("denied", verdict="deny", gate_rule="SUIT-02"),
        row("nobody", adviser_id=None),
        row("closed", window=far),
        row("weekend", window=(2, 1)),
        row("away", adviser_id="A2", window=(1, 2)),
        row("left", adviser_id="A9"),
        row("first", client="C", purpose="marketing", amount=9e5, window=(0, 2), minutes=5),
        row("again", client="C", purpose="marketing", amount=1e5, window=(0, 2), minutes=5),
        row("meet", is_visit=True, minutes=10, window=(0, 0)),
        row("long", minutes=61),
    )
    capacity = room(60, visits=0)
    away = room(60, advisers=["A2"]).assign(minutes=[60, 0, 0])
    made = schedule(rows, pd.concat([capacity, away], ignore_index=True), ALL)
    assert list(planned(made)) == ["first"]
    assert why(made) == {
        "denied": "denied:SUIT-02", "nobody": "no_adviser", "closed": "window_closed",
        "weekend": "window_closed", "away": "adviser_away", "left": "adviser_away",
        "again": "client_gap", "meet": "visit_cap", "long": "no_capacity",
    }  # fmt: skip


def test_nothing_is_planned_without_a_verdict():
    rows = table(row("a")).drop(columns="verdict")
    with pytest.raises(ValueError, match="no column verdict"):
        schedule(rows, room(), ALL)
    gate = pd.DataFrame({"verdict": ["deny"], "rule": ["TIME-01"]}, index=rows.index)
    assert why(schedule(rows, room(), ALL, gate)) == {"a": "denied:TIME-01"}
    with pytest.raises(ValueError, match="row_id a"):
        schedule(rows, room(), ALL, gate.assign(verdict="maybe"))
    with pytest.raises(ValueError, match="index"):
        schedule(rows, room(), ALL, gate.set_axis([7]))


def test_all_faults_of_the_input_at_once():
    rows = table(row("a", minutes=-1), row("a", klass=5), row("b", due_on=None))
    with pytest.raises(ValueError) as refused:
        schedule(rows, pd.concat([room(), room()], ignore_index=True), ALL)
    for words in ("row_id a is there twice", "klass 5", "minutes -1", "due_on is empty at 2",
                  "A1 2026-10-12 is there twice"):  # fmt: skip
        assert words in str(refused.value)
    with pytest.raises(ValueError, match="no column amount"):
        schedule(rows.drop(columns="amount"), room(), ALL)


def test_an_empty_month_is_a_plan():
    made = schedule(table(row("a"))[:0], room(), ALL)
    assert made.planned.empty and made.not_done.empty and made.method == "optimal"
    nothing = schedule(table(row("a")), room()[:0], ALL)
    assert why(nothing) == {"a": "window_closed"}


@pytest.mark.parametrize("lang", LANGS)
def test_every_reason_and_method_has_its_words(lang):
    for code in REASONS:
        assert t(f"plan.not_done.{code}", lang, rule="SUIT-01")
    for code in METHODS:
        assert t(f"plan.method.{code}", lang, gap=0.01)
    for number in range(1, len(KLASSES) + 1):
        assert t(f"name.klass.{number}", lang)


# ---------------------------------------------------------------------------------- hold-out


def test_held_out_households_stay_whole_and_duties_are_done():
    rows = table(*(row(f"R{i}", klass=1 + i % 4, client=f"C{i}", household_id=f"H{i // 3}")
                   for i in range(3000)))  # fmt: skip
    out = pd.Series(held_out(rows, "2026-10", 0.1))
    free = rows["klass"] != 1
    assert not out[~free].any()
    assert (out[free].groupby(rows.loc[free, "household_id"]).nunique() == 1).all()
    share = out[free].groupby(rows.loc[free, "household_id"]).first().mean()
    assert 0.07 < share < 0.13
    assert (held_out(rows, "2026-11", 0.1) != out).any()
    more = held_out(rows, "2026-10", 0.2)
    assert more[out].all() and more.sum() > out.sum()
    assert not held_out(rows, "2026-10", 0.0).any()


def test_a_client_without_household_is_held_out_alone_and_by_name():
    names = [f"C{i}" for i in range(400)]
    rows = table(*(row(name, client=name) for name in names))
    made = schedule(rows, room(10**6), CN6, what_if=False)
    out = {name for name, reason in why(made).items() if reason == "held_out"}
    digest = {n: int(hashlib.sha256(f"{n} 2026-10".encode()).hexdigest(), 16) for n in names}
    assert out == {n for n in names if digest[n] < 0.1 * 2**256}
    assert set(planned(made)) == set(names) - out


# ---------------------------------------------------------------------------- prices, relief


def test_one_more_hour_names_the_rows_it_buys():
    rows = table(*(row(f"R{i}", amount=1e5 * (i + 1), window=(0, 1)) for i in range(8)))
    made = schedule(rows, room(18, days=2), ALL)
    assert set(planned(made)) == {"R7", "R6"}
    price = made.prices.iloc[0]
    assert (price["adviser_id"], price["n_in"], price["n_out"], price["klass"]) == ("A1", 3, 0, 3)
    assert set(made.bought["row_id"]) == {"R5", "R4", "R3"}
    assert price["value"] == made.bought["value"].sum() == price["value_klass"]


def test_with_nothing_left_an_hour_buys_nothing():
    made = schedule(table(row("a")), room(60), ALL)
    assert made.prices["value"].tolist() == [0.0] and made.bought.empty
    assert made.relief["minutes_short"].tolist() == [0]


@settings(max_examples=15, deadline=None)
@given(months(most=7))
def test_an_hour_is_worth_what_the_best_day_for_it_gives_and_no_more_than_the_dual(month):
    """At least the best single day's hour; at most the relaxed problem's slope allows."""
    rows, capacity = month
    rows = [r | {"klass": 3, "purpose": "service", "is_visit": False} for r in rows]
    if not rows:
        return
    made = schedule(table(*rows), capacity, ALL)
    base = reached(made)[3]
    gained = made.prices["value"].sum()
    for at in capacity.index:
        more = capacity.copy()
        more.loc[at, "minutes"] += ALL.planning.price_minutes
        wider = schedule(table(*rows), more, ALL, what_if=False)
        assert base + gained >= reached(wider)[3]
    value = scores(table(*rows), ALL, MONDAY)["value"].to_numpy()
    r, d = np.nonzero(
        [[x["earliest_on"] <= day(k) <= x["latest_on"] for k in range(3)] for x in rows]
    )
    if not len(r):
        return
    once = (np.arange(len(rows))[:, None] == r).astype(float)
    minutes = np.array([x["minutes"] for x in rows])[r] * (np.arange(3)[:, None] == d)
    relaxed = linprog(-value[r], np.vstack([once, minutes]),
                      [1.0] * len(rows) + capacity["minutes"].tolist())  # fmt: skip
    slope = -relaxed.ineqlin.marginals[len(rows):].min()
    assert base <= -relaxed.fun + 1
    assert base + gained <= -relaxed.fun + ALL.planning.price_minutes * slope + 1


def test_relief_is_the_least_time_and_the_fewest_clients():
    rows = table(
        *(row(f"R{i}", minutes=20, client=f"C{i}", window=(0, 2)) for i in range(5)),
        row("big", minutes=35, client="C9", window=(0, 2)),
        row("grow", klass=4, minutes=60),
        row("theirs", adviser_id="A2", client="D", minutes=40, window=(0, 0)),
    )
    capacity = pd.concat([room(40), room(40, advisers=["A2"])], ignore_index=True)
    made = schedule(rows, capacity, ALL)
    relief = made.relief.set_index("adviser_id")
    # 135 promised minutes, 3 days of 40; the 35 fit a day of their own, so 120 − 5 − … is short.
    assert relief.loc["A1", "minutes_short"] == relief.loc["A1", "minutes_least"] == 15
    assert relief.loc["A1", "to_adviser"] == "A2"
    assert relief.loc["A1", "clients"] == relief.loc["A1", "clients_least"] == 1
    assert relief.loc["A2", "minutes_short"] == 0 and pd.isna(relief.loc["A2", "clients"])
    gone = relief.loc["A1", "client_ids"]
    moved = rows.assign(adviser_id=rows["adviser_id"].mask(rows["client_id"] == gone, "A2"))
    after = schedule(moved, capacity, ALL)
    assert (after.relief["minutes_short"] == 0).all()
    assert (after.not_done["klass"] == 4).all()


def test_relief_says_when_nobody_has_room_and_when_time_is_not_the_matter():
    rows = table(
        row("a", minutes=30, window=(0, 0)), row("b", minutes=30, window=(0, 0)),
        row("m", is_visit=True, minutes=1, window=(0, 0)),
    )  # fmt: skip
    relief = schedule(rows, room(30, visits=0, days=1), ALL).relief.iloc[0]
    assert (relief["minutes_short"], relief["rows_beyond"], relief["rows"]) == (30, 1, 3)
    assert pd.isna(relief["to_adviser"]) and pd.isna(relief["clients"])


@settings(max_examples=15, deadline=None)
@given(months(most=7))
def test_no_less_time_than_the_relief_would_do(month):
    rows, capacity = month
    rows = [r | {"klass": 3, "purpose": "service", "is_visit": False} for r in rows]
    if not rows:
        return
    rows = table(*rows)
    work = work_of(rows.join(scores(rows, ALL, MONDAY)), capacity, ALL)
    work = work.only(work.window().any(axis=1))
    short = int(relief.relief_of(work, ALL)["minutes_short"].iloc[0])
    if short:
        enough = solver.best(work, ALL, np.array([short]))
        assert (enough.day >= 0).all()
        assert (solver.best(work, ALL, np.array([short - 1])).day < 0).any()


# ---------------------------------------------------------------------------- the named fallback


def test_a_search_cut_off_by_the_clock_gives_the_plain_order_and_says_so(monkeypatch):
    rows, capacity = branch(80, 3, advisers=1)
    search = solver.milp

    def late(*given, options, **more):
        return search(*given, options=options | {"time_limit": 1e-9}, **more)

    monkeypatch.setattr(solver, "milp", late)
    made = schedule(rows, capacity, ALL, what_if=False)
    work = work_of(rows.join(scores(rows, ALL, MONDAY)), capacity, ALL)
    assert made.method == "greedy" and np.isnan(made.gap)
    assert reached(made) == work.totals(greedy.fill(work), len(KLASSES))


def test_a_search_stopped_by_its_steps_says_what_may_be_missing(monkeypatch):
    rows, capacity = branch(80, 3, advisers=1)
    best = schedule(rows, capacity, ALL, what_if=False)

    class Nothing:
        status, message, x, mip_dual_bound = 4, "Solution limit reached", None, None

    monkeypatch.setattr(solver, "milp", lambda *given, **more: Nothing)
    made = schedule(rows, capacity, ALL, what_if=False)
    assert made.method == "bounded" and 0 < made.gap < 1
    total, most = sum(reached(made)[1:]), sum(reached(best)[1:])
    assert total / most >= 1 - made.gap


# ------------------------------------------------------------------------------------- times


def start(*rows: tuple, day_of=MONDAY) -> list:
    frame = pd.DataFrame(
        [{"adviser_id": "A1", "day": day_of, "minutes": m, "channel": c, "best_time": b}
         for m, c, b in rows]
    )  # fmt: skip
    got = start_times(frame, CN6)
    return [None if pd.isna(one) else f"{one:%H:%M}" for one in got]


def test_start_times_keep_the_hours_of_the_channel_and_the_clients_wish():
    assert start((170, "phone", None), (20, "phone", None)) == ["09:00", "14:00"]
    assert start((20, "phone", None), (20, "phone", "afternoon")) == ["09:00", "14:00"]
    assert start((20, "phone", None), (20, "phone", "morning")) == ["09:20", "09:00"]
    assert start((75, "visit", "noon"), (20, "wecom", "weekend")) == ["12:00", "09:00"]
    assert start((20, "phone", "noon")) == ["09:00"]
    assert start((600, "phone", None), (10, "phone", None)) == [None, "09:00"]
    with pytest.raises(ValueError, match="letter"):
        start((5, "letter", None))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([5, 18, 45, 75]),
            st.sampled_from(["phone", "visit", "wecom"]),
            st.sampled_from([None, "morning", "evening", "any"]),
        ),
        max_size=12,
    )
)
def test_no_two_rows_of_a_day_overlap(rows):
    if not rows:
        return
    got = pd.Series(start(*rows))
    made = pd.DataFrame({"at": got, "minutes": [m for m, _, _ in rows]}).dropna()
    begin = pd.to_timedelta(made["at"] + ":00")
    end = begin + pd.to_timedelta(made["minutes"], unit="min")
    order = begin.sort_values().index
    assert (begin[order].to_numpy()[1:] >= end[order].to_numpy()[:-1]).all()
    assert (begin >= pd.Timedelta(hours=9)).all() and (end <= pd.Timedelta(hours=18)).all()
