"""The shipped data: whole, true to their parameters, telling their stories, made again alike."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import playbook as pb
from playbook import sample
from playbook.book import faults as book_faults
from playbook.book.check import check
from playbook.sample import files, stories, truth, write
from playbook.tables import EXTERNAL_FLOWS, PRODUCT_CLASSES, TABLES

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "datasets"
AS_OF = "2026-09-30"
BRANCHES = ["B01", "B02", "B03", "B04", "B05", "B06"]
PERSONAS = {"owner", "exec", "pro", "public", "heir", "retiree", "homemaker", "payroll", "windfall",
            "young", "other"}  # fmt: skip
STATUSES = {
    "lost",
    "churn_warning",
    "downgrade_warning",
    "dormant",
    "new",
    "upgrading",
    "recovered",
    "stable",
}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """All shipped tables, as typed by the book."""
    books = [pb.open_book(DATA / "sample", branch=b, as_of=AS_OF) for b in BRANCHES]
    return {
        name: pd.concat([b[name] for b in books], ignore_index=True)
        if table.scope == "branch"
        else books[0][name]
        for name, table in TABLES.items()
    }


@pytest.fixture(scope="module")
def told() -> dict:
    return json.loads((DATA / "truth" / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def segments() -> dict[str, pd.DataFrame]:
    return {
        b: pb.segment(pb.open_book(DATA / "sample", branch=b, as_of=AS_OF)).clients
        for b in BRANCHES
    }


@pytest.fixture(scope="module")
def made() -> list[sample.Branch]:
    """The six branches generated afresh, with their inner workings."""
    return write.shipped_branches()


@pytest.fixture(scope="module")
def small() -> sample.Branch:
    p = sample.load()
    when = sample.clock(p, 8)
    return sample.make(p, sample.many(p, 1, 40)[0], when, sample.shelf(p, 3, when), 3)


def cents(values: pd.Series) -> pd.Series:
    return np.round(values * 100).astype("int64")


# ---- whole -------------------------------------------------------------------------------------


def test_no_rule_finds_a_fault() -> None:
    result = check(DATA / "sample", AS_OF)
    assert result.faults.empty, result.faults.head()
    assert result.branches == tuple(BRANCHES)
    assert (result.counts["rows_in"] == result.counts["accepted"]).all()


def test_every_table_has_rows_in_every_branch(tables) -> None:
    for name, table in TABLES.items():
        if table.scope == "branch" and name != "branches":
            assert set(tables[name]["branch_id"]) == set(BRANCHES), name


def test_growth_identity_holds_to_the_cent(tables) -> None:
    balances, flows = tables["balances_monthly"], tables["flows"]
    months = pd.DatetimeIndex(np.sort(balances["month"].unique()))
    grid = pd.MultiIndex.from_product([balances["client_id"].unique(), months])
    key = ["client_id", "month"]
    end = cents(balances["month_end"]).groupby([balances[k] for k in key]).sum()
    market = cents(balances["market_change"]).groupby([balances[k] for k in key]).sum()
    outside = flows[flows["kind"].isin(EXTERNAL_FLOWS)]
    sign = np.where(outside["direction"] == "in", 1, -1)
    month = outside["date"].dt.to_period("M").dt.to_timestamp()
    moved = (cents(outside["amount"]) * sign).groupby([outside["client_id"], month]).sum()
    end, market, moved = (s.reindex(grid, fill_value=0).unstack() for s in (end, market, moved))
    gap = end.diff(axis=1) - moved - market
    assert len(end) > 2000
    assert (gap.iloc[:, 1:] == 0).all(axis=None)


def test_holdings_add_up_to_month_ends_and_demand_has_none(tables) -> None:
    held, products = tables["holdings"], tables["products"].set_index("product_id")
    cls = held["product_id"].map(products["product_class"].astype("str"))
    assert not (cls == "demand").any()
    open_ = held["ended_on"].isna()
    assert held.loc[open_, "market_value"].notna().all()
    value = cents(held["market_value"][open_]).groupby([held["client_id"][open_], cls[open_]]).sum()
    balances = tables["balances_monthly"]
    last = balances[(balances["month"] == "2026-09-01") & (balances["product_class"] != "demand")]
    end = (
        cents(last["month_end"])
        .groupby([last["client_id"], last["product_class"].astype("str")])
        .sum()
    )
    both = pd.concat([value, end], axis=1).fillna(0)
    assert len(both) > 3000
    assert (both.iloc[:, 0] == both.iloc[:, 1]).all()


def test_month_average_is_the_average_of_the_days(made) -> None:
    """Demand is the account itself: its daily path follows from the flows alone."""
    p = sample.load()
    when = sample.clock(p)
    demand = PRODUCT_CLASSES.index("demand")
    book = made[0].truth["book"]
    n, days = len(book.opening), int(when.last[-1] - when.first[0]) + 1
    change = np.zeros((n, days), dtype="int64")
    f = book.flows
    np.add.at(change, (f["client"], f["day"] - when.first[0]), f["sign"] * f["amount"])
    path = book.opening[:, [demand]] + np.cumsum(change, axis=1)
    assert path.min() >= 0, "an account is overdrawn on some day"
    ends = when.last - when.first[0]
    assert (book.end[:, :, demand] == path[:, ends].T).all()
    starts = np.r_[0, ends[:-1] + 1]
    mean = np.add.reduceat(path, starts, axis=1) / (ends - starts + 1)
    assert np.abs(mean.T - book.average[:, :, demand]).max() <= 0.5


def test_every_maturity_has_its_flow_on_its_day(tables) -> None:
    held, flows = tables["holdings"], tables["flows"]
    ended = held[held["ended_on"].notna()]
    at_term = ended[ended["ended_on"] == ended["maturity_date"]]
    paid = flows[flows["kind"] == "maturity"]
    assert (ended["ended_on"] <= ended["maturity_date"].fillna(pd.Timestamp("2100-01-01"))).all()
    due = at_term.groupby(["client_id", "product_id", "ended_on"]).size()
    got = paid.groupby(["client_id", "product_id", "date"]).size()
    # Sold on the very day that it would mature: the client was leaving.
    sold = flows[flows["kind"] == "redemption"].groupby(["client_id", "product_id", "date"]).size()
    assert len(due) > 5000
    missing = due.index.difference(got.index)
    assert missing.isin(sold.index).all()
    assert got.index.isin(due.index).all()
    assert not (held["maturity_date"] <= AS_OF)[held["ended_on"].isna()].any()


def test_closed_clients_have_nothing_left(tables) -> None:
    closed = tables["clients"].dropna(subset="close_date")
    assert len(closed) > 60
    rows = tables["balances_monthly"].merge(closed[["client_id", "close_date"]], on="client_id")
    after = rows[rows["month"] + pd.offsets.MonthEnd(0) >= rows["close_date"]]
    assert (after["month_end"] == 0).all()


# ---- within the rules --------------------------------------------------------------------------


def test_marketing_contacts_have_consent_on_their_day(tables) -> None:
    contacts, consents = tables["contacts"], tables["consents"]
    selling = contacts[contacts["purpose"] == "marketing"][
        ["contact_id", "client_id", "channel", "at"]
    ]
    face = selling["channel"].isin(["visit", "branch"])
    selling = selling.assign(channel=selling["channel"].astype("str").mask(face, "phone"))
    granted = consents[consents["purpose"] == "marketing"].astype({"channel": "str"})
    both = selling.merge(granted, on=["client_id", "channel"])
    day = both["at"].dt.normalize()
    good = (both["granted_on"] <= day) & ~(both["withdrawn_on"] <= day)
    assert len(selling) > 5000
    assert set(selling["contact_id"]) == set(both["contact_id"][good])


def test_proposals_are_made_to_assessed_clients_in_marketing_only(tables) -> None:
    contacts, tests = tables["contacts"], tables["risk_assessments"]
    proposed = contacts[contacts["proposal"]]
    assert len(proposed) > 300
    assert (proposed["purpose"] == "marketing").all()
    both = proposed[["contact_id", "client_id", "at"]].merge(tests, on="client_id")
    valid = (both["assessed_on"] <= both["at"]) & (both["at"] < both["valid_until"])
    assert set(proposed["contact_id"]) == set(both["contact_id"][valid])
    assert contacts.loc[contacts["deal"], "dual_record_id"].notna().all()


def test_contacts_keep_hours_caps_and_contents(tables) -> None:
    contacts = tables["contacts"]
    hour = contacts["at"].dt.hour
    assert (((hour >= 9) & (hour < 12)) | ((hour >= 14) & (hour < 20))).all()
    assert (contacts["at"].dt.day_of_week < 5).all()
    assert not contacts.duplicated(["client_id", "at"]).any()
    selling = contacts[contacts["purpose"] == "marketing"]
    month = selling["at"].dt.to_period("M")
    assert selling.groupby([selling["client_id"], month]).size().max() <= 2
    plain = contacts["purpose"].isin(["care", "service"])
    assert contacts.loc[plain, "content_id"].isna().all()


def test_plans_and_their_contacts_agree(tables) -> None:
    contacts, plans = tables["contacts"].dropna(subset="plan_id"), tables["plans"]
    both = contacts.merge(plans, on="plan_id", how="left", suffixes=("", "_plan"))
    assert len(both) > 20_000
    assert (both["client_id"] == both["client_id_plan"]).all()
    assert (both["at"].dt.to_period("M") == both["month"].dt.to_period("M")).all()
    reached = both.groupby("plan_id")["reached"].any()
    status = plans.set_index("plan_id")["status"].loc[reached.index]
    assert ((status == "done") == reached).all()
    assert plans.loc[plans["status"] == "denied", "deny_rules"].notna().all()


def test_complaints_and_referrals_name_real_people(tables) -> None:
    cases, staff = tables["complaints"], set(tables["advisers"]["adviser_id"])
    assert set(cases["handler_id"].dropna()) <= staff
    assert not (cases["handler_id"] == cases["against_adviser_id"]).any()
    brought, clients = tables["referrals"], tables["clients"].set_index("client_id")
    came = brought.dropna(subset="referee_client_id")
    assert len(came) > 100
    assert (clients["referrer_id"].loc[came["referee_client_id"]].to_numpy()
            == came["referrer_client_id"].to_numpy()).all()  # fmt: skip
    assert (clients["open_date"].loc[came["referee_client_id"]].to_numpy()
            == came["opened_on"].to_numpy()).all()  # fmt: skip
    assert (came["referee_client_id"] != came["referrer_client_id"]).all()
    assert came["referee_consent"].all()


def test_event_costs_and_seats_come_out(tables) -> None:
    held, costs, guests = tables["events"], tables["costs"], tables["event_attendance"]
    month = held["date"].dt.to_period("M").dt.to_timestamp()
    spent = held.groupby([held["branch_id"], month])["cost"].sum()
    booked = costs[costs["bucket"] == "keep_events"].set_index(["branch_id", "month"])["amount"]
    assert (booked == spent.reindex(booked.index, fill_value=0)).all()
    assert guests.loc[guests["attended"], "accepted"].all()
    came = guests[guests["attended"]]
    seats = came.groupby("event_id")["guest_n"].sum() + came.groupby("event_id").size()
    assert (seats <= held.set_index("event_id")["capacity"].loc[seats.index]).all()
    both = came.merge(tables["clients"][["client_id", "open_date", "close_date"]], on="client_id")
    both = both.merge(held[["event_id", "date"]], on="event_id")
    assert (both["open_date"] <= both["date"]).all()
    assert not (both["close_date"] < both["date"]).any()


# ---- true to the parameters --------------------------------------------------------------------


def test_marginals_stand_where_the_parameters_put_them(made) -> None:
    p = sample.load()
    who = [b.truth["who"] for b in made]
    persona = np.concatenate([w.persona for w in who])
    band = np.concatenate([w.band for w in who])
    core = np.isin(band, (2, 3))
    share = np.bincount(persona[core], minlength=11) / core.sum()
    assert np.abs(share - p.personas.share_core).max() < 0.04
    age = np.concatenate([w.age for w in who])
    assert abs(age[core].mean() - 48) < 2.5
    level = np.bincount(np.concatenate([w.level for w in who]), minlength=6)[1:]
    assert np.abs(level / level.sum() - p.people.level_mix).max() < 0.03


def test_sizes_have_the_planted_tails() -> None:
    p = sample.load()
    rng = np.random.default_rng(5)
    from playbook.sample.people import sizes

    size = sizes(rng, p, 200_000, 200_000.0, p.bands.alpha_low)
    knee = p.bands.floor[-1]
    below = np.minimum(size, knee)
    hill = (size < knee).sum() / np.log(below / 200_000).sum()
    top = size[size >= knee]
    assert hill == pytest.approx(p.bands.alpha_low, abs=0.03)
    assert len(top) / np.log(top / knee).sum() == pytest.approx(p.bands.alpha_high, abs=0.12)
    assert size.max() <= p.bands.cap
    assert np.median(size[size < 500_000]) == pytest.approx(282_000, rel=0.03)


def test_tiers_stay_near_the_reference_mix(tables) -> None:
    balances = tables["balances_monthly"]
    plain = balances[balances["branch_id"].isin(BRANCHES[:4])]
    total = plain[plain["month"] == "2026-09-01"].groupby("client_id")["month_avg"].sum()
    scope = total[total >= 200_000]
    share = np.histogram(scope, [2e5, 5e5, 2e6, 6e6, np.inf])[0] / len(scope)
    assert np.abs(share - [0.651, 0.278, 0.051, 0.020]).max() < 0.10


def test_contact_rates_follow_the_stages(tables) -> None:
    p, contacts = sample.load(), tables["contacts"]
    phone = contacts[(contacts["channel"] == "phone") & ~contacts["trigger_code"].isin(
        ["maturity_large", "maturity_any"])]  # fmt: skip
    assert abs(phone["reached"].mean() - p.work.reach["phone"]) < 0.08
    selling = contacts[(contacts["purpose"] == "marketing") & contacts["reached"]]
    assert abs(selling["opened"].mean() - p.work.stages[0]) < 0.10
    assert abs(selling["need_found"].sum() / selling["opened"].sum() - p.work.stages[1]) < 0.05
    assert abs(contacts["deal"].sum() / contacts["proposal"].sum() - p.work.stages[3]) < 0.06


# ---- everything occurs -------------------------------------------------------------------------


@pytest.mark.parametrize("branch", BRANCHES)
def test_all_labels_occur_in_every_branch(branch, segments, told) -> None:
    clients = segments[branch]
    scope = clients[clients["in_scope"]]
    assert 240 <= len(scope) <= 600
    assert set(scope["persona"].astype("str")) == PERSONAS
    assert set(scope["status"].astype("str")) == STATUSES
    assert scope["familiarity"].nunique() == 4
    assert (scope["watch_months"] >= 1).sum() >= 4
    assert scope["near_tier"].notna().sum() >= 5
    assert scope["adviser_id"].isna().sum() >= 3
    assert clients["exited"].sum() >= 5
    assert (clients.groupby("household_id").size() >= 2).sum() >= 20
    share = scope["status"].value_counts(normalize=True)
    assert 0.4 < share["stable"] < 0.8


@pytest.mark.parametrize("branch", BRANCHES)
def test_personas_are_recognised_by_the_ordered_rules(branch, segments) -> None:
    latent = pd.read_parquet(DATA / "truth" / "clients.parquet").set_index("client_id")
    clients = segments[branch].set_index("client_id")
    meant = latent["persona"].loc[clients.index]
    found = clients["persona"].astype("str")
    assert (meant == found).mean() > 0.93
    # A windfall needs its inflow, a retiree the age: none of those meant is missed.
    for persona in ("windfall", "retiree", "owner", "heir"):
        assert (found[meant == persona] == persona).all(), persona


def test_familiarity_found_follows_the_latent_one(segments) -> None:
    latent = pd.read_parquet(DATA / "truth" / "clients.parquet").set_index("client_id")["closeness"]
    scope = pd.concat(segments.values()).query("in_scope").set_index("client_id")
    points = scope["familiarity_points"].groupby(latent.loc[scope.index]).mean()
    ladder = ["stranger", "acquaintance", "familiar", "fan"]
    assert points[ladder].is_monotonic_increasing


# ---- stories and causes ------------------------------------------------------------------------


def test_stories_show(told) -> None:
    found = {b: told["branches"][b]["findings"] for b in BRANCHES}
    leaky = found["B01"]
    assert 0.7 < leaky["new_in_scope_12m"] / leaky["left_in_scope_12m"] < 1.4
    assert leaky["left_mean_yuan"] > 2 * leaky["new_mean_yuan"]
    assert leaky["aum_now_yuan"] < leaky["aum_12m_ago_yuan"]
    near = {b: f["near_threshold"] / f["in_scope_by_average"] for b, f in found.items()}
    assert near["B02"] > 2 * max(v for b, v in near.items() if b != "B02")
    assert found["B02"]["near_threshold_planted"] >= 50
    wall = {b: f["wall_share_of_aum"] for b, f in found.items()}
    assert wall["B03"] > 1.5 * max(v for b, v in wall.items() if b != "B03")
    load = {b: f["clients_from_200k_per_adviser"] for b, f in found.items()}
    reached = {b: f["reached_last_3m_per_client"] for b, f in found.items()}
    assert load["B04"] > 1.5 * max(v for b, v in load.items() if b != "B04")
    assert reached["B04"] == min(reached.values())
    expired = {b: f["assessment_expired_share"] for b, f in found.items()}
    assert expired["B05"] > 0.35 > 0.25 > max(v for b, v in expired.items() if b != "B05")
    mirage = found["B06"]
    assert mirage["event_caused_inflow_yuan"] == 0
    assert mirage["attendees_growth_12m_median"] - mirage["others_growth_12m_median"] > 0.08
    assert mirage["growers_among_attendees"] > 3 * mirage["growers_among_others"]


def test_story_findings_are_in_the_tables(tables, told) -> None:
    """Counted again from the shipped tables alone, without the generator's inner workings."""
    held = tables["holdings"]
    quarter = held["maturity_date"].between("2027-01-01", "2027-03-31") & held["ended_on"].isna()
    wall = held[quarter].groupby("branch_id")["market_value"].sum()
    for branch in BRANCHES:
        expected = told["branches"][branch]["findings"]["wall_yuan"]
        assert wall[branch] == pytest.approx(expected, abs=0.01)
    balances = tables["balances_monthly"]
    last = balances[balances["month"] == "2026-09-01"]
    aum = last.groupby("branch_id")["month_end"].sum()
    for branch in BRANCHES:
        assert aum[branch] == pytest.approx(told["branches"][branch]["findings"]["aum_now_yuan"])


def test_calling_before_a_maturity_has_its_planted_effect() -> None:
    rows = pd.read_parquet(DATA / "truth" / "maturities.parquet").query("not excluded")
    p = sample.load()
    effect = (rows["would_take_treated"].astype(float) - rows["would_take_untreated"]).mean()
    assert effect == pytest.approx(p.money.take_over_contact, abs=0.01)
    shown = rows["taken"].groupby(rows["treated"]).mean()
    assert shown[True] - shown[False] == pytest.approx(p.money.take_over_contact, abs=0.03)
    # What happened is one of the two outcomes: the one of the treatment received.
    chosen = rows["would_take_treated"].where(rows["treated"], rows["would_take_untreated"])
    assert (rows["taken"] <= chosen).all()
    assert (rows["taken"] == chosen).mean() > 0.99


def test_calls_in_the_truth_are_contacts_in_the_book(tables) -> None:
    rows = pd.read_parquet(DATA / "truth" / "maturities.parquet")
    treated = rows[rows["treated"]][["client_id", "maturity_date"]]
    contacts = tables["contacts"]
    calls = contacts[
        contacts["reached"] & contacts["trigger_code"].isin(["maturity_large", "maturity_any"])
    ]
    both = treated.assign(maturity_date=pd.to_datetime(treated["maturity_date"])).merge(
        calls[["client_id", "at"]], on="client_id", how="left"
    )
    ahead = (both["maturity_date"] - both["at"].dt.normalize()).dt.days
    there = both[ahead.between(1, 7)].drop_duplicates(["client_id", "maturity_date"])
    assert len(there) == len(treated.drop_duplicates())


def test_stories_section_is_up_to_date_in_both_languages(told) -> None:
    page = (DATA / "README.md").read_text(encoding="utf-8")
    rows = pd.read_csv(DATA / "sample" / "branches.csv", encoding="utf-8-sig")
    names = dict(zip(rows["branch_id"], rows["branch_name"], strict=True))
    assert page == stories.filled(page, told, names)
    for lang in ("zh", "en"):
        assert stories.section(told, names, lang) in page


# ---- faulty twin -------------------------------------------------------------------------------


def planted(folder: str) -> pd.DataFrame:
    listed = pd.read_csv(DATA / "faulty_list.csv", dtype="str", keep_default_na=False,
                         encoding="utf-8-sig")  # fmt: skip
    return listed[listed["folder"] == folder].drop(columns="folder")


def test_faulty_holds_exactly_the_listed_faults() -> None:
    found = check(DATA / "faulty", AS_OF).faults
    found = found.assign(row=found["row"].astype("str").fillna("").replace("<NA>", ""))
    key = ["file", "row", "column", "rule", "severity", "table", "field", "code"]
    expected = planted("faulty")
    assert sorted(map(tuple, found[key].to_numpy())) == sorted(map(tuple, expected[key].to_numpy()))
    assert expected["code"].nunique() >= 40


def test_forbidden_columns_refuse_the_whole_book() -> None:
    found = check(DATA / "faulty_forbidden", AS_OF).faults
    stops = found[found["severity"] == "stop"]
    assert set(stops["column"]) == set(planted("faulty_forbidden")["column"])
    with pytest.raises(pb.BookError):
        pb.open_book(DATA / "faulty_forbidden", branch="B01", as_of=AS_OF)


def test_listed_rule_ids_are_those_of_the_book() -> None:
    listed = pd.concat([planted("faulty"), planted("faulty_forbidden")])
    assert (
        dict(zip(listed["code"], listed["rule"], strict=True)).items() <= book_faults.RULES.items()
    )


def test_faulty_rows_stand_where_the_list_says() -> None:
    """Opened as a spreadsheet would: the row number leads to the listed value."""
    for file, rows in (
        planted("faulty").query("value != '' and file != 'events.csv'").groupby("file")
    ):
        lines = (DATA / "faulty" / file).read_text(encoding="utf-8-sig").split("\n")
        for row, value in zip(rows["row"], rows["value"], strict=True):
            assert value in lines[int(row) - 1], (file, row)


# ---- made again --------------------------------------------------------------------------------


def digest(frames: dict[str, pd.DataFrame]) -> str:
    parts = [files.csv_bytes(name, frame) for name, frame in frames.items()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_same_seed_same_bytes_other_seed_other_bytes(small, tmp_path) -> None:
    p = sample.load()
    when = sample.clock(p, 8)
    setting = sample.many(p, 1, 40)[0]
    again = sample.make(p, setting, when, sample.shelf(p, 3, when), 3)
    other = sample.make(p, setting, when, sample.shelf(p, 4, when), 4)
    assert digest(small.tables) == digest(again.tables) != digest(other.tables)
    for folder in ("a", "b"):
        write.many_files(tmp_path / folder, 2, 40, 8, 3)
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_a_branch_does_not_depend_on_its_neighbours() -> None:
    p = sample.load()
    when = sample.clock(p, 8)
    goods = sample.shelf(p, 3, when)
    alone = sample.make(p, sample.many(p, 1, 40)[0], when, goods, 3)
    among = sample.make(p, sample.many(p, 9, 40)[0], when, goods, 3)
    assert digest(alone.tables) == digest(among.tables)


def test_any_number_of_branches_is_one_row_group_each_and_without_faults(tmp_path) -> None:
    write.many_files(tmp_path, 4, 30, 5, 11)
    balances = pq.ParquetFile(tmp_path / "balances_monthly.parquet")
    assert balances.num_row_groups == 4
    column = balances.schema_arrow.get_field_index("branch_id")
    for group in range(4):
        stats = balances.metadata.row_group(group).column(column).statistics
        assert stats.min == stats.max == f"B000{group + 1}"
    assert check(tmp_path, AS_OF).faults.empty


@pytest.mark.parametrize(("clients", "months"), [(1, 1), (3, 2), (5, 24), (20, 36)])
def test_very_small_and_long_books_are_sound_too(clients, months, tmp_path) -> None:
    write.many_files(tmp_path, 2, clients, months, 1)
    faults = check(tmp_path, AS_OF).faults
    assert set(faults["code"]) <= {"no_rows"}, faults.head()


def test_parquet_files_carry_no_mark_of_their_making() -> None:
    for file in sorted((DATA / "sample").glob("*.parquet")):
        assert not pq.read_schema(file).metadata, file.name


def test_sizes_stay_small() -> None:
    all_files = [f for f in DATA.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in all_files) < 15_000_000
    assert max(f.stat().st_size for f in all_files) < 2_900_000


def test_the_generated_truth_is_the_shipped_truth(made, told) -> None:
    p = sample.load()
    when = sample.clock(p)
    account = truth.account(p, made, when, sample.shelf(p, write.SEED, when), write.SEED)
    # Through JSON and back: the same numbers as written.
    assert json.loads(json.dumps(account)) == told


@pytest.mark.slow
def test_shipped_branches_are_what_the_generator_makes(made, tables) -> None:
    for name in made[0].tables:
        fresh = pd.concat([b.tables[name] for b in made], ignore_index=True)
        if name in files.LARGE:
            schema = files.arrow_schema(name, fresh.columns)
            shipped = pq.read_table(DATA / "sample" / f"{name}.parquet")
            assert files.arrow_table(name, fresh, schema).equals(shipped.cast(schema)), name
        else:
            shipped = (DATA / "sample" / f"{name}.csv").read_bytes()
            assert files.csv_bytes(name, fresh) == shipped, name
