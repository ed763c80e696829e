"""What the branch knows about a client: the client file, households and noted needs (K08, K09)."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd

from playbook.sample.clock import Clock, dates
from playbook.sample.ledger import Ledger
from playbook.sample.papers import NEVER
from playbook.sample.parameters import Setting
from playbook.sample.people import FAMILIAR, People

_OCCUPATION = {"payroll": "employee", "public": "public", "pro": "professional", "owner": "owner",
               "exec": "executive", "heir": "other", "retiree": "retired", "homemaker": "home",
               "young": "employee", "windfall": "employee", "other": None}  # fmt: skip
_EDUCATION = ("primary", "secondary", "college", "bachelor", "master", "doctor")
_BANDS = ("none", "0-6", "7-14", "15-18", "19+")


@dataclass(frozen=True)
class Dossier:
    """Clients, households and needs; ``client`` columns are positions until ids are given."""

    clients: pd.DataFrame
    households: pd.DataFrame
    needs: pd.DataFrame
    household: np.ndarray
    birthday: np.ndarray


def birthdays(rng: np.random.Generator, n: int) -> np.ndarray:
    """A day of a year that is no leap year, by client."""
    return rng.integers(0, 365, n)


def _holes(rng, values, known: np.ndarray) -> pd.Series:
    """The values, empty where the file has a hole."""
    series = pd.Series(values)
    if series.dtype == bool:
        series = series.astype("boolean")
    return series.where(known)


def draw(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock, who: People,
         book: Ledger, birthday: np.ndarray) -> Dossier:  # fmt: skip
    """The files as they stand at the end of the history."""
    n = who.n
    names = np.array(p.personas.order)
    persona = names[who.persona]

    def known(least: float = 0.5) -> np.ndarray:
        return rng.random(n) < least + (1 - least) * who.kyc

    household, role = _households(rng, p, who)
    closed = book.closed <= when.as_of
    owner = persona == "owner"
    merchant = owner & (rng.random(n) < 0.35)
    business = owner & (~merchant | (rng.random(n) < 0.6))
    occupation = pd.Series(persona).map(_OCCUPATION).to_numpy(dtype=object)
    occupation = np.where((persona == "young") & (rng.random(n) < 0.15), "student", occupation)
    occupation = np.where((persona == "windfall") & (rng.random(n) < 0.4), "other", occupation)
    stop = np.minimum(np.minimum(who.salary_to, book_end(when, book)), when.n)
    run = np.where(who.salary > 0, np.maximum(stop - np.maximum(who.salary_from + 1, 0), 0), 0)
    # Salaries before the history began count too, as long as there was an account.
    earlier = np.minimum(rng.integers(0, 80, n), np.maximum(when.first[0] - who.opened, 0) // 31)
    run = np.where((who.salary > 0) & (who.salary_from < 0), run + earlier, run)
    paid = (who.salary > 0) & (run > 0) & (stop >= when.n)
    edu = np.clip(np.rint(rng.normal(2.6, 1.1, n) + (who.band >= 4)), 0, 5).astype("int64")
    source = np.array(list(p.people.source_mix), dtype=object)[who.source]
    source = np.where(
        (who.arrives < 0) & (rng.random(n) < p.people.source_unknown), "unknown", source
    )
    near = np.isin(source, ("mgm", "own_staff"))
    subtype = np.where(
        source == "unknown", "na", np.where(near & (rng.random(n) < 0.8), "yuangu", "mosheng")
    )
    day = np.datetime64("2025-01-01") + birthday
    prefers = rng.choice(["phone", "wecom", "sms", "visit", "branch", "email", "none"], n,
                         p=[0.3, 0.36, 0.06, 0.08, 0.14, 0.02, 0.04])  # fmt: skip
    rich = who.size >= 5_000_000
    qualified = (who.band >= 4) & (rich | (rng.random(n) < 0.5))
    manual = rng.random(n) < 0.015
    clients = pd.DataFrame(
        {
            "branch_id": s.id,
            "client": np.arange(n),
            "household": household,
            "household_role": _holes(rng, role, known(0.9)),
            "adviser": who.adviser,
            "open_date": dates(who.opened),
            "close_date": dates(np.where(closed, book.closed, 0), ~closed),
            "gender": np.where(who.female, "F", "M"),
            "age": pd.array(who.age, dtype="Int64"),
            "birth_month_day": _holes(
                rng, pd.DatetimeIndex(day).strftime("%m-%d").to_numpy(), known(0.8)
            ),
            "occupation": pd.Series(occupation, dtype="str"),
            "is_business_owner": business,
            "is_merchant": merchant,
            "is_heir": persona == "heir",
            "is_payroll": paid,
            "payroll_months": np.where(paid, run, 0),
            "education": _holes(rng, np.array(_EDUCATION, dtype=object)[edu], known(0.35)),
            "city_tier": s.city_tier,
            "source_channel": source,
            "source_subtype": subtype,
            "referrer": -1,
            "pref_channel": _holes(rng, prefers, known(0.3)),
            "best_time": _holes(
                rng,
                rng.choice(["morning", "noon", "afternoon", "evening", "weekend", "any"], n),
                known(0.2),
            ),
            "taboo_note_code": pd.Series(
                np.array(["TB01", "TB02", "TB03"])[rng.integers(0, 3, n)], dtype="str"
            ).where(rng.random(n) < 0.04),
            "id_expiry": dates(when.as_of + rng.integers(-60, 3650, n)),
            "cdd_due": dates(when.as_of + rng.integers(-50, 700, n)),
            "limited_capacity": rng.random(n) < 0.002,
            "is_staff": rng.random(n) < 0.006,
            "qualified_investor_until": dates(when.as_of + rng.integers(-90, 700, n), ~qualified),
            "credit_grade": pd.Series(
                rng.choice(["A", "B", "C", "D"], n, p=[0.5, 0.35, 0.12, 0.03]), dtype="str"
            ).where(rng.random(n) < 0.4),
            "status_manual": pd.Series(np.where(who.quiet, "dormant", "stable"), dtype="str").where(
                manual
            ),
        }
    )
    # An unknown age belongs to nobody's rule: only the persona without a file lacks it.
    clients.loc[(persona == "other") & (rng.random(n) < 0.4), "age"] = pd.NA
    return Dossier(
        clients,
        _household_table(rng, s, who, household, role, book),
        _needs(rng, s, when, who),
        household,
        (pd.DatetimeIndex(day).month).to_numpy(),
    )


def book_end(when: Clock, book: Ledger) -> np.ndarray:
    """First month without the client; the number of months for those who stay."""
    return np.where(book.left < NEVER, when.month_of(np.minimum(book.left, when.as_of)), when.n)


def _households(rng, p, who: People) -> tuple[np.ndarray, np.ndarray]:
    """Household number and role of each client; members of one household fit by age."""
    n = who.n
    household = np.arange(n)
    role = np.where((who.age < 27) | (rng.random(n) < 0.12), "single", "head").astype(object)
    grown = rng.permutation(np.flatnonzero(who.age >= 26))
    men, women = grown[~who.female[grown]], grown[who.female[grown]]
    couples = min(round(p.people.paired * n * 0.4), len(men), len(women))
    men, women = _by_age(who, men[:couples]), _by_age(who, women[:couples])
    household[women] = household[men]
    role[men], role[women] = "head", "spouse"
    rest = np.setdiff1d(grown, np.concatenate([men, women]))
    rest = _by_age(who, rng.permutation(rest)[: round(p.people.paired * n * 0.2) // 2 * 2])
    young, old = np.split(rest, 2)
    far = who.age[old] - who.age[young] >= 18
    young, old = young[far], old[far]
    household[young] = household[old]
    role[old], role[young] = "head", "child_adult"
    # With the old it is as often the child who keeps house.
    parent = (who.age[old] >= 62) & (rng.random(len(old)) < 0.5)
    role[old[parent]], role[young[parent]] = "parent", "head"
    return household, role


def _by_age(who: People, clients: np.ndarray) -> np.ndarray:
    return clients[np.argsort(who.age[clients], kind="stable")]


def _household_table(rng, s: Setting, who: People, household, role, book: Ledger) -> pd.DataFrame:
    ids, head = np.unique(household, return_index=True)
    members = np.bincount(household, minlength=who.n)[ids]
    n = len(ids)
    age, kyc = who.age[head], who.kyc[head]
    single = (role[head] == "single") & (members == 1)
    size = np.maximum(1 + rng.choice(4, n, p=[0.18, 0.32, 0.33, 0.17]), members)
    size = np.where(single, 1, np.maximum(size, np.where(members > 1, 2, 1)))
    children = np.where(size >= 3, np.minimum(size - 2, 1 + (rng.random(n) < 0.25)), 0)
    child_age = np.clip(age - 29 + rng.normal(0, 3, n), 0, 45)
    grown = np.select([child_age < 7, child_age < 15, child_age < 19], [1, 2, 3], 4)
    grown = np.where(children > 0, grown, 0)
    stage = np.select(
        [single, age >= 60, grown == 0, grown <= 3], ["single", "retire", "form", "grow"], "mature"
    )
    wealth = np.maximum(np.bincount(household, who.size, who.n)[ids], 20_000)
    income = np.round(
        np.clip(wealth**0.55 * 160 * np.exp(rng.normal(0, 0.4, n)), 40_000, 9_000_000), -3
    )
    expense = np.round(income / 12 * rng.uniform(0.25, 0.7, n), -2)

    def known() -> np.ndarray:
        return rng.random(n) < kyc

    table = pd.DataFrame(
        {
            "branch_id": s.id,
            "household": ids,
            "size": _holes(rng, size, rng.random(n) < 0.5 + kyc / 2),
            "children_n": _holes(rng, children, known()),
            "elders_n": _holes(rng, np.where(age < 62, rng.integers(0, 4, n), 0), known()),
            "stage": _holes(rng, stage, rng.random(n) < 0.4 + kyc / 2),
            "monthly_expense": _holes(rng, expense, known()),
            "annual_income": _holes(rng, income, known()),
            "liabilities": _holes(
                rng,
                np.where(rng.random(n) < 0.45, np.round(income * rng.uniform(0.3, 5, n), -4), 0.0),
                known(),
            ),
            "property_value": _holes(rng, np.round(income * rng.uniform(3, 14, n), -4), known()),
        }
    )
    band = pd.Series(np.array(_BANDS, dtype=object)[grown], dtype="str")
    table.insert(4, "children_band", band.where(table["children_n"].notna()))
    for name in ("size", "children_n", "elders_n"):
        table[name] = table[name].astype("Int64")
    return table


def _needs(rng, s: Setting, when: Clock, who: People) -> pd.DataFrame:
    """Noted facts, one row per client and field, some of them old."""
    n = who.n
    salary = np.where(who.salary > 0, who.salary, 9000)
    spend = np.round(salary * rng.uniform(0.4, 0.9, n), -2)
    interests = np.array(
        ["golf", "tea", "travel", "calligraphy", "running", "music", "reading", "garden"],
        dtype=object,
    )[rng.integers(0, 8, n)]
    horizon = rng.choice([1, 2, 3, 5, 8, 10], n)
    child = (who.age >= 27) & (who.age < 58)
    fields = {
        "goal_retire_age": (
            np.clip(np.where(who.female, 57, 62) + rng.integers(-4, 5, n), 50, 70),
            True,
        ),
        "expense_kept": (np.round(spend * 0.75, -2), True),
        "pension": (np.round(spend * rng.uniform(0.3, 0.8, n), -2), True),
        "education_start": (2027 + rng.integers(0, 14, n), child),
        "education_fee": (np.round(rng.choice([30_000, 60_000, 150_000, 300_000], n), 0), child),
        "cover_life": (np.where(rng.random(n) < 0.4, 0, rng.integers(1, 30, n) * 100_000), True),
        "cover_ci": (np.where(rng.random(n) < 0.4, 0, rng.integers(1, 10, n) * 100_000), True),
        "aum_elsewhere": (np.round(who.size * rng.lognormal(-0.2, 0.8, n), -4), who.band >= 1),
        "horizon_years": (horizon, True),
        "liquidity_months": (rng.choice([3, 6, 12], n), True),
        "risk_attitude": (
            np.array(["steady", "balanced", "growth"], dtype=object)[
                np.clip((who.level - 1) // 2, 0, 2)
            ],
            True,
        ),
        "goal": (
            np.array(
                ["retire", "education", "protect", "legacy", "growth", "liquidity", "medical"],
                dtype=object,
            )[rng.integers(0, 7, n)],
            True,
        ),
        "interests_code": (interests, True),
    }
    chance = np.where(who.band >= 2, 1.0, 0.35) * who.kyc
    close = who.close >= FAMILIAR
    chance = np.clip(chance + 0.18 * close, 0, 0.98)
    parts = []
    for field, (value, fits) in fields.items():
        at = np.flatnonzero((rng.random(n) < chance) & fits)
        # Two facts in five have not been asked about for over a year, fewer among close clients.
        old = rng.random(len(at)) < np.where(close[at], 0.15, 0.4)
        age = np.where(old, rng.integers(366, 700, len(at)), rng.integers(2, 360, len(at)))
        day = np.maximum(when.as_of - age, who.opened[at])
        text = pd.Series(np.asarray(value)[at])
        if text.dtype.kind in "if":
            text = text.astype("int64")
        parts.append(pd.DataFrame({
            "branch_id": s.id, "client": at, "field": field, "value": text.astype("str"),
            "updated_on": dates(day),
            "source": np.where(rng.random(len(at)) < 0.85, "client", "inferred"),
        }))  # fmt: skip
    return pd.concat(parts).sort_values(["client", "field"], kind="stable", ignore_index=True)
