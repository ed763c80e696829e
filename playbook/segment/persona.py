"""分群: who the client is, by the first of the policy's ordered rules that matches (rule K04).

A persona tells what to talk about, never what to sell, and it always carries the fact that gave
it. A client of whom neither occupation nor age is known and whom no other rule matches is
``other`` with the reason ``other_unknown``: the file is to be completed, nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from playbook.segment.month import Assets, count_by, recorded_since
from playbook.tables import EXTERNAL_FLOWS

#: The fact that gave the persona; each code begins with its persona.
REASONS = (
    "owner_flag", "owner_merchant", "exec_occupation", "pro_occupation", "public_occupation",
    "heir_flag", "retiree_occupation", "retiree_age", "homemaker_occupation", "payroll_flows",
    "payroll_months", "payroll_flag", "windfall_inflow", "young_age", "other_known",
    "other_unknown",
)  # fmt: skip
_OCCUPATIONS = {
    "exec": "executive", "pro": "professional", "public": "public", "homemaker": "home",
}  # fmt: skip


@dataclass(frozen=True)
class Personas:
    """Persona columns, one row per client, and the rules that could not be asked."""

    columns: pd.DataFrame
    na: dict[str, str]


def statutory_age(as_of: pd.Timestamp, start: pd.Timestamp, rise) -> float:
    """Statutory retirement age in years at ``as_of``: from ``rise.years_from``, one month more for
    every ``rise.months_per_step`` months begun since ``start``, up to ``rise.years_to`` (2.2)."""
    if as_of < start:
        return float(rise.years_from)
    elapsed = (as_of.year - start.year) * 12 + as_of.month - start.month
    steps = elapsed // rise.months_per_step + 1
    return min(rise.years_from + steps / 12, float(rise.years_to))


def personas_of(book, assets: Assets, policy) -> Personas:
    """Persona, reason and facts of every client of ``clients``.

    Columns: ``persona``, ``persona_reason``, ``occupation``, ``age_limit`` (years: the age rule
    that matched), ``needs_care`` (at or above the age of special care), ``payroll_seen`` (months
    with pay in the window), ``payroll_window``, ``windfall_amount`` (yuan), ``windfall_on``,
    ``windfall_before`` (month end before it, yuan).
    """
    clients, rules = book.table("clients"), policy.persona
    n = len(clients)
    age = clients["age"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    occupation = clients["occupation"].astype("str").fillna("").to_numpy(object)
    as_of, start = pd.Timestamp(book.as_of), pd.Timestamp(rules.retirement_start)
    retire_at = np.where(
        clients["gender"].astype("str").eq("F").to_numpy(bool),
        statutory_age(as_of, start, rules.retirement_women),
        statutory_age(as_of, start, rules.retirement_men),
    )
    pay, by_flows, whole = _payroll(book, assets, rules)
    months_said = clients["payroll_months"].astype("Float64").to_numpy(np.float64, na_value=0)
    windfall = _windfall(book, assets, rules)
    owner, merchant = _flag(clients, "is_business_owner"), _flag(clients, "is_merchant")
    said = months_said >= rules.payroll_min_months
    flagged = _flag(clients, "is_payroll") & clients["payroll_months"].isna().to_numpy(bool)
    # Flows that begin within the window can show that pay came in, not that it did not.
    paid = by_flows & (pay >= rules.payroll_min_months)
    by_file = ~paid & (said | flagged) & (not whole)
    matches = {code: occupation == word for code, word in _OCCUPATIONS.items()} | {
        "owner": owner | merchant,
        "heir": _flag(clients, "is_heir"),
        "retiree": (occupation == "retired") | (age >= retire_at),
        "payroll": paid | by_file,
        "windfall": windfall["windfall_amount"].notna().to_numpy(),
        "young": age < rules.young_below_age,
        "other": np.ones(n, dtype=bool),
    }
    reasons = {
        "owner": np.where(owner, "owner_flag", "owner_merchant"),
        "exec": "exec_occupation", "pro": "pro_occupation", "public": "public_occupation",
        "heir": "heir_flag",
        "retiree": np.where(occupation == "retired", "retiree_occupation", "retiree_age"),
        "homemaker": "homemaker_occupation",
        "payroll": np.select([paid, said], ["payroll_flows", "payroll_months"], "payroll_flag"),
        "windfall": "windfall_inflow", "young": "young_age",
        "other": np.where((occupation == "") & np.isnan(age), "other_unknown", "other_known"),
    }  # fmt: skip
    order = rules.order
    asked = [matches[code] for code in order]
    persona = np.select(asked, order, "other").astype(object)
    reason = np.select(asked, [np.broadcast_to(reasons[c], n) for c in order], "").astype(object)
    frame = pd.DataFrame(
        {
            "persona": pd.Categorical(persona, categories=list(order)),
            "persona_reason": pd.Categorical(reason, categories=list(REASONS)),
            "occupation": clients["occupation"].reset_index(drop=True),
            "age_limit": np.select(
                [reason == "retiree_age", reason == "young_age"],
                [retire_at, float(rules.young_below_age)], np.nan),
            "payroll_seen": np.where(paid | whole, pay, months_said).astype(np.int64),
            "needs_care": age >= rules.care_from_age,
            "payroll_window": np.full(n, rules.payroll_window_months),
        }
    )  # fmt: skip
    return Personas(pd.concat([frame, windfall], axis=1), _not_asked(book, clients))


def _flag(clients: pd.DataFrame, column: str) -> np.ndarray:
    return clients[column].fillna(False).to_numpy(bool)


def _payroll(book, assets: Assets, rules) -> tuple[np.ndarray, bool, bool]:
    """Months with pay in the window, whether the flows can tell of pay at all (they are there and
    name it, and the balances cover the window), and whether they cover the window themselves.
    Otherwise the bank's own payroll fields are used."""
    n, m = assets.shape
    flows = book.table("flows")
    flows = flows[(flows["kind"] == "payroll") & (flows["direction"] == "in")]
    tells = len(flows) > 0 and m >= rules.payroll_window_months
    if not tells:
        return np.zeros(n), False, False
    begun = assets.column(pd.Series([recorded_since(book, "flows", "date")]))[0]
    row, column = assets.row(flows["client_id"]), assets.column(flows["date"])
    keep = (row >= 0) & (column < m) & (column >= m - rules.payroll_window_months)
    cell = np.unique(row[keep] * m + column[keep])
    return count_by(cell // m, n), True, bool(begun <= m - rules.payroll_window_months)


def _windfall(book, assets: Assets, rules) -> pd.DataFrame:
    """Each client's largest single external inflow of the window that is large for the client:
    at least the floor, and at least the share of the month end before it."""
    flows = book.table("flows")
    since = pd.Timestamp(book.as_of) - pd.DateOffset(months=rules.windfall_months)
    flows = flows[
        (flows["direction"] == "in")
        & flows["kind"].isin(EXTERNAL_FLOWS)
        & (flows["date"] > since)
        & (flows["amount"] >= rules.windfall_floor)
    ]
    row = assets.row(flows["client_id"])
    prior = np.minimum(assets.column(flows["date"]), assets.shape[1]) - 1
    unknown = (prior < 0) & assets.opened_before[row]
    before = np.where(prior < 0, 0.0, assets.end[row, np.maximum(prior, 0)])
    amount = flows["amount"].to_numpy(np.float64)
    large = (row >= 0) & ~unknown & (amount >= np.round(before * rules.windfall_share, 2))
    found = pd.DataFrame(
        {
            "windfall_amount": amount,
            "windfall_on": flows["date"].to_numpy(),
            "windfall_before": before,
            "row": row,
        }
    )[large]
    found = found.sort_values(["windfall_amount", "windfall_on"], kind="stable")
    found = found.drop_duplicates("row", keep="last").set_index("row")
    return found.reindex(pd.RangeIndex(assets.shape[0])).reset_index(drop=True)


def _not_asked(book, clients: pd.DataFrame) -> dict[str, str]:
    """Rules whose facts the data does not hold at all, and where they would be."""
    na: dict[str, str] = {}
    if not book.has("flows"):
        na["persona.windfall"] = "flows"
    if not len(clients):
        return na
    empty = clients.isna().all()
    needs = {
        "owner": ("is_business_owner", "is_merchant"), "heir": ("is_heir",),
        "exec": ("occupation",), "pro": ("occupation",), "public": ("occupation",),
        "homemaker": ("occupation",), "retiree": ("occupation", "age"), "young": ("age",),
        "payroll": ("payroll_months", "is_payroll"),
    }  # fmt: skip
    for persona, columns in needs.items():
        if all(empty[column] for column in columns):
            na[f"persona.{persona}"] = ", ".join(f"clients.{column}" for column in columns)
    if not empty["payroll_months"] or not empty["is_payroll"] or book.has("flows"):
        na.pop("persona.payroll", None)
    return na
