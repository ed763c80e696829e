"""分层 (K01–K03): boundaries, the worked cases, and the hysteresis against a plain reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.policy import load
from playbook.segment import tier

WAN = 10_000
CN6 = load("cn6")
N_DOWN = np.array([CN6.n_down(code) for code in CN6.tier_codes])


def followed(avg_wan, policy=CN6, start=0):
    """Tiers of one client with these month averages in 万元."""
    n_down = np.array([policy.n_down(code) for code in policy.tier_codes])
    avg = np.array([avg_wan], dtype=float) * WAN
    return tier.follow(tier.reached(avg, policy.floors), np.array([start]), n_down)


def in_force(avg_wan, policy=CN6):
    """Tier code in force for the month after the last one."""
    return policy.tier_codes[followed(avg_wan, policy).decided[0, -1]]


@pytest.mark.parametrize(
    ("wan", "expected"),
    [(0, "T0"), (4.9999, "T0"), (5, "T1"), (19.9999, "T1"), (20, "T2"), (49.9999, "T2"),
     (50, "T3"), (199.9999, "T3"), (200, "T4"), (599.9999, "T4"), (600, "T5"), (99_999, "T5")],
)  # fmt: skip
def test_a_band_is_closed_below_and_open_above(wan, expected):
    assert CN6.tier_codes[tier.reached(np.array([wan * WAN]), CN6.floors)[0]] == expected


def test_one_cent_below_a_floor_is_below_it():
    below, at = tier.reached(np.array([199_999.99, 200_000.00]), CN6.floors)
    assert (CN6.tier_codes[below], CN6.tier_codes[at]) == ("T1", "T2")


def test_fifteen_days_at_40_and_fifteen_at_80_make_gold():  # Q13
    month_average = (15 * 40 + 15 * 80) / 30
    assert month_average == 60
    assert in_force([30, month_average]) == "T3"


def test_gold_below_for_three_months_takes_the_tier_of_the_third():  # Q14
    assert in_force([60, 48, 45]) == "T3"
    assert in_force([60, 48, 45, 42]) == "T2"


def test_a_demotion_may_pass_several_tiers():
    assert in_force([60, 48, 45, 3]) == "T0"


def test_private_client_needs_six_months():  # Q15
    assert in_force([700, 550, 550, 550]) == "T5"
    assert followed([700, 550, 550, 550]).watch[0, -1] == 3
    assert in_force([700] + [550] * 5) == "T5"
    assert in_force([700] + [550] * 6) == "T4"


def test_one_good_month_starts_the_count_again():
    assert in_force([60, 48, 45, 50, 45, 45]) == "T3"
    assert followed([60, 48, 45, 50, 45, 45]).watch[0].tolist() == [0, 1, 2, 0, 1, 2]


def test_after_a_demotion_the_new_tier_has_its_own_count():
    tiers = followed([60, 40, 40, 15, 15, 15])
    # Third month below gold at 15: straight to T1, whose floor 15 reaches.
    assert tiers.decided[0].tolist() == [3, 3, 3, 1, 1, 1]
    assert tiers.watch[0].tolist() == [0, 1, 2, 0, 0, 0]


def test_months_before_the_start_are_not_judged():
    tiers = followed([0, 0, 60, 30], start=2)
    assert tiers.decided[0].tolist() == [-1, -1, 3, 3]
    assert tiers.watch[0].tolist() == [0, 0, 0, 1]


def test_gap_and_near_threshold():  # Q16
    following, is_near, gap = tier.near(
        np.array([1_850_000.0]), np.array([3]), CN6.floors, CN6.tiering.near_ratio
    )
    assert (CN6.tier_codes[following[0]], bool(is_near[0]), gap[0]) == ("T4", True, 150_000)


@pytest.mark.parametrize(
    ("yuan", "decided", "near"),
    [(44_999.99, 0, False), (45_000, 0, True), (49_999.99, 0, True), (179_999.99, 1, False),
     (180_000, 1, True), (1_799_999.99, 3, False), (1_800_000, 3, True), (9_000_000, 5, False)],
)  # fmt: skip
def test_near_boundaries(yuan, decided, near):
    _, is_near, gap = tier.near(
        np.array([yuan]), np.array([decided]), CN6.floors, CN6.tiering.near_ratio
    )
    assert bool(is_near[0]) is near
    assert np.isnan(gap[0]) == (decided == 5)


def test_a_client_on_watch_is_not_near_even_where_floors_are_close():
    policy = CN6.with_(**{"tiers.T3.floor": 215_000, "tiers.T4.floor": 230_000})
    _, is_near, _ = tier.near(np.array([210_000.0]), np.array([3]), policy.floors, 0.9)
    assert not is_near[0]


def reference(calc, n_down):
    """K02 month by month, as the rule is read aloud."""
    current, below, decided, watch = calc[0], 0, [], []
    for reached in calc:
        if reached > current:
            current, below = reached, 0
        elif reached < current:
            below += 1
            if below == n_down[current]:
                current, below = reached, 0
        else:
            below = 0
        decided.append(current)
        watch.append(below)
    return decided, watch


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 14).flatmap(
        lambda months: st.lists(
            st.lists(st.integers(0, 5), min_size=months, max_size=months), min_size=1, max_size=6
        )
    )
)
def test_all_clients_at_once_equals_month_by_month(calc):
    tiers = tier.follow(np.array(calc, dtype=np.int8), np.zeros(len(calc), np.int64), N_DOWN)
    expected = [reference(row, N_DOWN) for row in calc]
    assert tiers.decided.tolist() == [decided for decided, _ in expected]
    assert tiers.watch.tolist() == [watch for _, watch in expected]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=24), st.integers(0, 10))
def test_up_never_waits_and_down_never_comes_early(calc, start):
    start = min(start, len(calc) - 1)
    tiers = tier.follow(np.array([calc], dtype=np.int8), np.array([start]), N_DOWN)
    before, after, watch = tiers.before[0], tiers.decided[0], tiers.watch[0]
    for month in range(start, len(calc)):
        assert after[month] >= calc[month]
        if after[month] < before[month]:
            run = calc[month - N_DOWN[before[month]] + 1 : month + 1]
            assert len(run) == N_DOWN[before[month]] and max(run) < before[month]
            assert after[month] == calc[month]
        assert watch[month] < N_DOWN[after[month]]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 9e6, allow_nan=False), min_size=1, max_size=30))
def test_more_assets_never_reach_a_lower_tier(amounts):
    codes = tier.reached(np.sort(np.array(amounts)), CN6.floors)
    assert (np.diff(codes.astype(int)) >= 0).all()
