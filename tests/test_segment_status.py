"""分类 (K05): every label, the precedence between them, and all months against a reference."""

import numpy as np
import pandas as pd
import pytest

from playbook.book import Book
from playbook.policy import load
from playbook.segment import segment

WAN = 10_000
CN6 = load("cn6")


def months(n, last="2026-09"):
    return [str(month) for month in pd.period_range(end=last, periods=n, freq="M")]


def balances(client, avg, end=None):
    """One demand row per month up to 2026-09; amounts in 万元."""
    end = avg if end is None else end
    return [
        {"client_id": client, "month": month, "product_class": "demand",
         "month_avg": round(a * WAN, 2), "month_end": round(e * WAN, 2)}
        for month, a, e in zip(months(len(avg)), avg, end, strict=True)
    ]  # fmt: skip


def flow(client, day, wan, kind="transfer_other", at=0):
    return {"flow_id": f"F{client}{day}{at}", "client_id": client, "date": day, "kind": kind,
            "direction": "in" if wan > 0 else "out", "amount": abs(wan) * WAN}  # fmt: skip


def labels(avg, end=None, flows=None, contacts=None, opened="2015-01-01", policy=CN6,
           as_of="2026-09-30"):  # fmt: skip
    """The row of one client whose months end in 2026-09."""
    frames = {
        "advisers": [{"adviser_id": "A1", "level": "adviser", "qualified": True}],
        "clients": [{"client_id": "C1", "open_date": opened}],
        "balances_monthly": balances("C1", avg, end),
    }
    if flows is not None:
        frames["flows"] = flows
    if contacts is not None:
        frames["contacts"] = contacts
    book = Book.from_frames(frames, branch="B01", as_of=as_of, policy=policy)
    return segment(book).clients.iloc[0]


def contact(day, reached=True):
    return {"contact_id": f"K{day}", "client_id": "C1", "adviser_id": "A1", "at": f"{day} 10:00",
            "channel": "phone", "purpose": "service", "reached": reached, "opened": False,
            "need_found": False, "proposal": False, "deal": False}  # fmt: skip


def test_average_held_but_month_end_below_is_a_light_warning():  # Q17
    row = labels([62, 62], [62, 38])
    assert (row.status, row.status_reason) == ("churn_warning", "churn_floor")
    assert row.severity == 120_000


def test_average_and_month_end_below_after_a_good_month_is_lost():  # Q18
    row = labels([65, 65, 44], [65, 65, 40])
    assert (row.status, row.status_reason, row.severity) == ("lost", "lost_new", 100_000)
    assert row.tier == "T3" and row.watch_months == 1 and not row.exited


def test_first_month_below_with_the_month_end_back_is_a_downgrade_warning():
    row = labels([65, 48], [65, 52])
    assert (row.status, row.severity) == ("downgrade_warning", 20_000)
    assert row.status_reason == "downgrade_watch"


def test_lost_lasts_while_the_month_end_is_below():
    row = labels([65, 65, 44, 43], [65, 65, 40, 42])
    assert (row.status, row.status_reason) == ("lost", "lost_still")
    assert row.status_since == pd.Timestamp("2026-08-31")


def test_lost_ends_when_the_demotion_takes_effect():
    row = labels([65, 44, 43, 42], [65, 40, 40, 41])
    assert (row.tier, row.tier_reason, row.status) == ("T2", "lowered", "stable")


def test_a_second_month_below_does_not_turn_a_downgrade_warning_into_lost():
    assert labels([65, 48, 45], [65, 52, 40]).status == "downgrade_warning"


def test_back_above_after_lost_is_recovered():
    row = labels([65, 44, 55], [65, 40, 60])
    assert (row.status, row.status_reason) == ("recovered", "recovered_back")


def test_recovered_comes_before_upgrading():
    row = labels([190, 185], [150, 190])  # near diamond, and the last month end was above gold
    assert row.status == "upgrading"
    row = labels([190, 60, 185], [190, 40, 190])
    assert (row.status, row.near_tier) == ("recovered", "T4")


def test_an_order_that_puts_recovered_last_still_asks_it_before_upgrading():
    order = [code for code in CN6.status.order if code not in ("recovered", "stable")]
    policy = CN6.with_(**{"status.order": [*order, "recovered", "stable"]})
    assert labels([190, 60, 185], [190, 40, 190], policy=policy).status == "recovered"


def test_still_below_on_average_but_back_at_month_end_is_a_downgrade_warning_not_recovered():
    assert labels([65, 44, 46], [65, 40, 55]).status == "downgrade_warning"


def test_the_last_month_before_a_demotion_is_told():
    row = labels([65, 48, 47], [65, 52, 52])
    assert (row.status_reason, row.months_left) == ("downgrade_last", 1)


@pytest.mark.parametrize(("out", "status"), [(29.99, "stable"), (30, "churn_warning")])
def test_outflow_of_the_opening_assets(out, status):
    row = labels([100, 100], [100, 100 - out], flows=[flow("C1", "2026-09-10", -out)])
    assert row.status == status
    assert row.outflow == round(out * WAN, 2) and row.opening_aum == 1_000_000


def test_outflow_is_net_of_inflow_and_of_moves_between_own_products():
    moves = [flow("C1", "2026-09-10", -40), flow("C1", "2026-09-11", 20),
             flow("C1", "2026-09-12", -50, "purchase")]  # fmt: skip
    row = labels([100, 100], flows=moves)
    assert (row.status, row.outflow) == ("stable", 200_000)


def test_after_a_large_outflow_that_stopped_the_reason_says_so():
    row = labels([100, 100, 65], [100, 65, 65], flows=[flow("C1", "2026-08-10", -35)])
    assert (row.status, row.status_reason) == ("recovered", "recovered_stopped")


def test_the_lowest_tier_can_not_be_lost():
    row = labels([4, 1], [4, 0.1], flows=[flow("C1", "2026-09-10", -3.9)])
    assert (row.tier, row.status, row.severity) == ("T0", "stable", 0)


@pytest.mark.parametrize(("last", "status"), [("2026-04-04", "stable"), ("2026-04-03", "dormant")])
def test_dormant_after_180_days_without_own_move_or_contact(last, status):
    row = labels([30] * 12, flows=[flow("C1", last, 0.1)], contacts=[contact("2025-11-01")])
    assert row.status == status
    row = labels([30] * 12, flows=[flow("C1", "2025-11-01", 0.1)], contacts=[contact(last)])
    assert row.status == status
    assert row.days_quiet == (pd.Timestamp("2026-09-30") - pd.Timestamp(last)).days


def test_attempts_payroll_and_interest_do_not_wake_a_dormant_client():
    quiet = [flow("C1", "2025-11-01", 0.1), flow("C1", "2026-09-01", 1, "payroll"),
             flow("C1", "2026-09-21", 0.1, "interest")]  # fmt: skip
    tried = [contact(day, reached=False) for day in ("2025-10-09", "2026-09-02")]
    row = labels([30] * 12, flows=quiet, contacts=tried)
    assert (row.status, row.status_reason) == ("dormant", "dormant_since")


def test_silence_counts_only_where_both_tables_were_kept():
    moves = [flow("C1", day, 0.1, "interest") for day in ("2025-10-21", "2026-09-21")]
    own = flow("C1", "2025-11-01", 0.1)
    long = labels([30] * 12, flows=[*moves, own], contacts=[contact("2026-03-02", reached=False)])
    assert (long.status_reason, long.days_quiet) == ("dormant_unseen", 213)
    short = labels([30] * 12, flows=[*moves, own], contacts=[contact("2026-07-02", reached=False)])
    assert (short.status_reason, short.days_quiet is pd.NA) == ("stable_partly", True)


def test_dormant_needs_the_record_to_be_long_enough():
    row = labels([30] * 3, flows=[], contacts=[])
    assert row.status == "stable"


def test_a_late_as_of_day_counts_for_dormancy():
    flows = [flow("C1", "2026-04-10", 0.1)]
    assert labels([30] * 12, flows=flows, contacts=[]).status == "stable"
    later = labels([30] * 12, flows=flows, contacts=[], as_of="2026-10-20")
    assert (later.status, later.month) == ("dormant", pd.Timestamp("2026-09-01"))


@pytest.mark.parametrize(("opened", "status"), [("2026-07-02", "new"), ("2026-07-01", "stable")])
def test_new_for_90_days_after_opening_in_scope(opened, status):
    assert labels([30] * 3, opened=opened).status == status


def test_new_counts_from_coming_into_scope_not_from_opening():
    row = labels([10, 10, 10, 30])
    assert (row.status, row.status_reason) == ("new", "new_reached")
    assert row.first_in_scope_on == pd.Timestamp("2026-10-01")
    assert labels([10, 30, 30, 30, 30]).status == "stable"
    assert labels([10] * 4, opened="2026-09-01").status == "stable"  # not in scope, not new


@pytest.mark.parametrize(
    ("inflow", "avg", "status"),
    [(4.99, 30, "stable"), (5, 30, "upgrading"), (9.99, 100, "stable"), (10, 100, "upgrading")],
)
def test_net_inflow_of_three_months(inflow, avg, status):
    parts = [flow("C1", "2026-07-10", inflow / 2), flow("C1", "2026-09-10", inflow / 2)]
    assert labels([avg] * 4, flows=parts).status == status


def test_inflow_before_the_window_does_not_count():
    assert labels([30] * 4, flows=[flow("C1", "2026-06-30", 10)]).status == "stable"


def test_exited_after_two_low_months_once_in_scope():
    assert labels([30, 4, 4]).exited
    assert not labels([30, 30, 4]).exited
    assert not labels([4, 4, 4]).exited  # never in scope
    assert not labels([30, 4, 5]).exited


PAIRS = [  # (avg, end, flows) that meet two rules at once, and the one that must win
    ("lost", [65, 65, 44], [65, 65, 40], [flow("C1", "2026-09-09", -25)]),  # and outflow
    ("churn_warning", [65, 65, 65], [65, 65, 40], [flow("C1", "2026-07-09", 20)]),  # and inflow
    ("downgrade_warning", [65, 65, 48], [65, 65, 52], [flow("C1", "2026-07-09", 20)]),
    ("new", [10, 10, 10, 47], [10, 10, 10, 47], [flow("C1", "2026-09-09", 37)]),  # and near gold
]


@pytest.mark.parametrize(("status", "avg", "end", "flows"), PAIRS)
def test_the_earlier_rule_wins(status, avg, end, flows):
    assert labels(avg, end, flows).status == status


def test_the_policy_decides_the_order():
    rest = [code for code in CN6.status.order if code != "upgrading"]
    policy = CN6.with_(**{"status.order": ["upgrading", *rest]})
    _, avg, end, flows = PAIRS[3]
    assert labels(avg, end, flows).status == "new"
    assert labels(avg, end, flows, policy=policy).status == "upgrading"


def test_dormant_wins_over_near_threshold():
    row = labels([47] * 12, flows=[flow("C1", "2025-11-01", 0.1)], contacts=[])
    assert (row.status, row.near_tier) == ("dormant", "T3")


def reference(avg, end, net, policy):
    """All months of one client older than the record, judged as 2.3 is read aloud."""
    floors, rules = policy.floors, policy.status
    reached = [int(np.searchsorted(floors, a, side="right")) - 1 for a in avg]
    scope = [policy.tier_codes.index(code) for code in policy.in_scope]
    tier, below, lost, told, since = reached[0], 0, False, [], None
    always = reached[0] in scope
    previous = tier
    for m in range(len(avg)):
        if reached[m] > tier:
            tier, below = reached[m], 0
        elif reached[m] < tier:
            below += 1
            if below == policy.n_down(policy.tier_codes[tier]):
                tier, below = reached[m], 0
        else:
            below = 0
        floor = floors[tier]
        if m and avg[m - 1] >= floor and avg[m] < floor and end[m] < floor:
            lost = True
        elif end[m] >= floor or tier != previous:
            lost = False
        lowered = tier < previous
        previous = tier
        if since is None and tier in scope:
            since = m
        heavy = (m > 0 and floor > 0 and end[m - 1] > 0 and net[m] < 0
                 and -net[m] >= round(rules.outflow_share * end[m - 1], 2))  # fmt: skip
        gain = sum(net[m - 2 : m + 1]) if m >= 3 else 0
        strong = m >= 3 and gain >= rules.inflow_floor and gain >= round(
            rules.inflow_share * end[m - 3], 2)  # fmt: skip
        near = tier < 5 and avg[m] >= floor and avg[m] >= round(
            policy.tiering.near_ratio * floors[tier + 1], 2)  # fmt: skip
        recent = (since is not None and not (always and since == 0) and tier in scope
                  and sum(DAYS[since + 1 : m + 1]) - 1 <= rules.new_days)  # fmt: skip
        if lost:
            label = "lost"
        elif (avg[m] >= floor and end[m] < floor) or heavy:
            label = "churn_warning"
        elif below:
            label = "downgrade_warning"
        elif recent:
            label = "new"
        elif told and told[-1] in GONE and end[m] >= floor and not lowered:
            label = "recovered"
        elif near or strong:
            label = "upgrading"
        else:
            label = "stable"
        told.append(label)
    return told


GONE = ("lost", "churn_warning")
DAYS = [pd.Period(month).days_in_month for month in months(14)]


def test_every_month_of_many_clients_equals_the_reference():
    rng = np.random.default_rng(20260930)
    n, m = 250, 14
    start = rng.choice([4, 18, 45, 60, 190, 550, 700], n) * WAN
    steps = rng.choice([0.5, 0.7, 0.9, 1.0, 1.0, 1.0, 1.02, 1.1, 1.4, 2.0], (n, m))
    end = np.round(start[:, None] * np.cumprod(steps, axis=1), 2)
    avg = np.round((end + np.column_stack([start, end[:, :-1]])) / 2, 2)
    net = np.round(np.diff(end, axis=1, prepend=start[:, None]) * rng.integers(0, 2, (n, m)), 2)
    ids = [f"C{i:03}" for i in range(n)]
    row, column = np.divmod(np.arange(n * m), m)
    names = np.array(ids)[row]
    stamp = np.array(months(m))[column]
    money = pd.DataFrame({"client_id": names, "month": stamp, "product_class": "demand",
                          "month_avg": avg.ravel(), "month_end": end.ravel()})  # fmt: skip
    flows = pd.DataFrame({"flow_id": [f"F{i}" for i in range(n * m)], "client_id": names,
                          "date": [f"{s}-15" for s in stamp], "kind": "cash",
                          "direction": np.where(net.ravel() > 0, "in", "out"),
                          "amount": abs(net.ravel())})  # fmt: skip
    clients = [{"client_id": i, "open_date": "2015-01-01"} for i in ids]
    book = Book.from_frames({"clients": clients, "balances_monthly": money, "flows": flows},
                            branch="B01", as_of="2026-09-30", policy=CN6)  # fmt: skip
    history = segment(book).history
    found = history["status"].astype(str).to_numpy().reshape(n, m).tolist()
    assert found == [reference(avg[i], end[i], net[i], CN6) for i in range(n)]
    assert set(history["status"].astype(str)) == set(CN6.status.order) - {"dormant"}


def test_household_basis_looks_at_the_family():
    policy = CN6.with_(**{"tiering.basis": "household"})
    frames = {
        "households": [{"household_id": "H1"}],
        "clients": [{"client_id": c, "household_id": "H1", "open_date": "2015-01-01"}
                    for c in ("C1", "C2")],
        "balances_monthly": balances("C1", [30, 30], [30, 5]) + balances("C2", [25, 25], [25, 50]),
        "flows": [flow("C1", "2026-09-10", -25), flow("C2", "2026-09-10", 25)],
    }  # fmt: skip
    by_client = segment(Book.from_frames(frames, branch="B01", as_of="2026-09-30", policy=CN6))
    family = segment(Book.from_frames(frames, branch="B01", as_of="2026-09-30", policy=policy))
    assert by_client.clients["tier"].tolist() == ["T2", "T2"]
    assert by_client.clients["status"].tolist()[0] == "churn_warning"
    assert family.clients["tier"].tolist() == ["T3", "T3"]
    assert family.clients["status"].tolist() == ["stable", "stable"]
    assert family.clients["aum_avg"].tolist() == [300_000, 250_000]
    assert family.clients["tier_aum"].tolist() == [550_000, 550_000]
