"""Working days and festivals of mainland China, against days that everybody can look up."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbook.policy import calendar as cal

FESTIVALS = {
    2024: ["02-10", "02-24", "04-04", "06-10", "09-17", "10-01", "10-11"],
    2025: ["01-29", "02-12", "04-04", "05-31", "10-06", "10-01", "10-29"],
    2026: ["02-17", "03-03", "04-05", "06-19", "09-25", "10-01", "10-18"],
    2027: ["02-06", "02-20", "04-05", "06-09", "09-15", "10-01", "10-08"],
    2028: ["01-26", "02-09", "04-04", "05-28", "10-03", "10-01", "10-26"],
    2029: ["02-13", "02-27", "04-04", "06-16", "09-22", "10-01", "10-16"],
    2030: ["02-03", "02-17", "04-05", "06-05", "09-12", "10-01", "10-05"],
}


@pytest.mark.parametrize("year", FESTIVALS)
def test_festivals_of_a_year(year):
    found = cal.festivals(f"{year}-01-01", f"{year}-12-31")
    expected = dict(zip(cal.FESTIVALS, FESTIVALS[year], strict=True))
    assert dict(zip(found["festival"], found["date"].dt.strftime("%m-%d"), strict=True)) == expected
    assert found["date"].is_monotonic_increasing


def test_festivals_are_cut_at_both_ends():
    found = cal.festivals("2026-09-25", "2026-10-01")
    assert found["festival"].tolist() == ["mid_autumn", "national"]
    assert cal.festivals("2026-09-26", "2026-09-30").empty


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2024-02-09", True),  # the eve of 2024 was a working day by the notice
        ("2024-02-10", False), ("2024-02-18", True), ("2024-04-07", True),
        ("2024-09-14", True), ("2024-10-07", False), ("2024-10-12", True),
        ("2025-01-26", True), ("2025-01-28", False), ("2025-02-08", True),
        ("2025-10-08", False), ("2025-10-11", True),
        ("2026-01-02", False), ("2026-01-04", True), ("2026-02-14", True), ("2026-02-23", False),
        ("2026-02-28", True), ("2026-05-09", True), ("2026-09-20", True), ("2026-09-27", False),
        ("2026-10-07", False), ("2026-10-08", True), ("2026-10-10", True), ("2026-10-11", False),
    ],
)  # fmt: skip
def test_days_off_and_make_up_days(day, works):
    assert cal.is_working_day([day]).tolist() == [works]


def test_october_2026_has_eighteen_working_days():
    days = cal.working_days("2026-10-01", dt.date(2026, 10, 31))
    assert len(days) == 18
    assert (str(days[0].date()), str(days[-1].date())) == ("2026-10-08", "2026-10-30")


def test_make_up_days_are_known_until_the_last_notice_and_that_is_said():
    assert cal.known_until() >= dt.date(2026, 12, 31)
    assert [cal.is_published(year) for year in (2024, 2025, 2026)] == [True] * 3
    after = cal.known_until().year + 1
    assert not cal.is_published(after)
    # Statutory days off are known all the same, and no weekend is a working day.
    assert not cal.is_working_day([f"{after}-10-01"]).any()
    weekend = pd.date_range(f"{after}-01-01", f"{after}-12-31")
    assert not cal.is_working_day(weekend[weekend.day_of_week >= 5]).any()


def test_counting_steps_over_days_off():
    day = np.array(["2026-09-30", "2026-10-01", "2026-10-10"], dtype="datetime64[D]")
    assert cal.add_working_days(day, 1).astype(str).tolist() == [
        "2026-10-08", "2026-10-08", "2026-10-12",
    ]  # fmt: skip
    assert cal.next_working_day(day).astype(str).tolist() == [
        "2026-09-30", "2026-10-08", "2026-10-10",
    ]  # fmt: skip
    assert cal.add_working_days(day, -1).astype(str).tolist() == [
        "2026-09-29", "2026-09-30", "2026-10-09",
    ]  # fmt: skip


def test_a_missing_date_is_no_working_day_and_stays_missing():
    days = pd.Series([pd.Timestamp("2026-10-08"), pd.NaT])
    assert cal.is_working_day(days).tolist() == [True, False]
    assert np.isnat(cal.add_working_days(days, 3)).tolist() == [False, True]
    assert cal.is_working_day(pd.Series([pd.NaT], dtype="datetime64[s]")).tolist() == [False]


def test_a_year_without_tables_is_refused():
    with pytest.raises(ValueError, match="2099"):
        cal.is_working_day(["2199-01-01"])
    with pytest.raises(ValueError, match="2099"):
        cal.add_working_days(["2099-12-31"], 1)


@given(
    st.dates(dt.date(2023, 1, 1), dt.date(2030, 12, 31)), st.integers(-60, 60)
)  # fmt: skip
def test_the_nth_working_day_has_n_working_days_up_to_it(day, n):
    found = cal.add_working_days([day], n)[0].astype(object)
    if n > 0:
        between = cal.working_days(day + dt.timedelta(days=1), found)
    elif n < 0:
        between = cal.working_days(found, day - dt.timedelta(days=1))
    else:
        between = cal.working_days(day, found)
    assert len(between) == max(abs(n), 1)
    assert cal.is_working_day([found]).all()
