"""家庭维度: clients rolled up to their households, and the 5W1H card of each (rule K08).

A client without a household is a household of one, so the households' assets add up to the
clients' to the cent. The card answers six questions for the adviser: 为什么 why now · 哪类 which
kind of household · 做什么 what to do · 时点 when · 场景 where · 如何 how. The tier and the persona
say which, the most urgent status of the family says why, what and when, the client's own
preference says where, the familiarity says how (2.4).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.segment.month import sum_by
from playbook.segment.tier import reached

#: What to do, and when, for each status (2.4: status decides urgency).
WHAT = {
    "lost": "win_back", "churn_warning": "hold", "downgrade_warning": "restore",
    "dormant": "wake", "new": "welcome", "recovered": "confirm", "upgrading": "raise",
    "stable": "review",
}  # fmt: skip
WHEN = {
    "lost": "at_once", "churn_warning": "at_once", "downgrade_warning": "this_month",
    "dormant": "this_month", "new": "this_month", "recovered": "this_month",
    "upgrading": "this_month", "stable": "by_standard",
}  # fmt: skip
#: How to meet the client, for each step of familiarity.
HOW = {
    "stranger": "introduce", "acquaintance": "listen", "familiar": "advise", "fan": "share",
}  # fmt: skip
#: Where: the client's preferred channel; unknown or none is asked for first.
WHERE = ("phone", "wecom", "sms", "visit", "branch", "email", "ask")
QUESTIONS = ("why", "which", "what", "when", "where", "how")
#: Values of the card's columns that are not themselves names of another column.
CODES = {
    "why": tuple(WHAT), "what": (*dict.fromkeys(WHAT.values()), "complete"),
    "when": (*dict.fromkeys(WHEN.values()), "on_need"), "where": WHERE,
    "how": tuple(HOW.values()), "which": ("one", "family"),
}  # fmt: skip
#: Household ids that the book does not have get a colon, which no id may contain.
ALONE = "own:"


def with_household(clients: pd.DataFrame) -> pd.Series:
    """Household id of each client; a client without one gets ``own:`` and the own id."""
    own = ALONE + clients["client_id"].astype("str")
    return clients["household_id"].astype("str").where(clients["household_id"].notna(), own)


def stake_once(clients: pd.DataFrame) -> np.ndarray:
    """``severity`` under the household basis, where every member is judged by the family's assets:
    the family's stake stands with one member (largest stake, then largest average, then smallest
    id) and is 0 for the others, so that sums count it once."""
    codes, _ = pd.factorize(clients["household_id"])
    stake = clients["severity"].to_numpy()
    first = _first_by(codes, clients, -stake, -clients["aum_avg"].to_numpy())
    once = np.zeros(len(stake))
    once[first] = stake[first]
    return once


def households_of(clients: pd.DataFrame, book, policy) -> pd.DataFrame:
    """One row per household of the labelled ``clients`` (their ``household_id`` complete).

    Columns: ``household_id``, ``n_members``, ``n_in_scope``, ``roles`` (those that occur, joined
    by ``+``), ``lead_client_id`` (largest average, then smallest id) with its ``adviser_id`` and
    ``persona``, ``n_advisers`` (over one: to be coordinated), ``aum_avg``, ``aum_end`` (yuan),
    ``tier`` (by the household's average, K01), ``tier_best`` (highest tier in force of a member),
    ``severity`` (yuan), ``n_urgent`` members with something at stake, ``uhnw``, and of the table
    ``households``: ``size``, ``children_n``, ``children_band``, ``elders_n``, ``stage``.
    """
    codes, homes = pd.factorize(clients["household_id"])
    n = len(homes)
    lead = _lead(clients, codes)
    avg = sum_by(codes, n, clients["aum_avg"])
    best = np.full(n, -1, dtype=np.int64)
    np.maximum.at(best, codes, clients["tier"].cat.codes.to_numpy(np.int64))
    frame = pd.DataFrame(
        {
            "household_id": pd.Series(homes, dtype="str"),
            "n_members": np.bincount(codes, minlength=n),
            "n_in_scope": np.bincount(codes[clients["in_scope"].to_numpy(bool)], minlength=n),
            "roles": _roles(clients["household_role"], codes, n),
            "lead_client_id": clients["client_id"].array[lead],
            "adviser_id": clients["adviser_id"].array[lead],
            "n_advisers": _distinct(codes, clients["adviser_id"], n),
            "persona": clients["persona"].array[lead],
            "aum_avg": avg,
            "aum_end": sum_by(codes, n, clients["aum_end"]),
            "tier": pd.Categorical.from_codes(reached(avg, policy.floors), dtype=policy.tier_dtype),
            "tier_best": pd.Categorical.from_codes(best, dtype=policy.tier_dtype),
            "severity": sum_by(codes, n, clients["severity"]),
            "n_urgent": np.bincount(codes[clients["severity"].to_numpy() > 0], minlength=n),
            "uhnw": avg >= policy.tiering.uhnw_floor,
        }
    )  # fmt: skip
    family = ["size", "children_n", "children_band", "elders_n", "stage"]
    known = book.table("households").drop_duplicates("household_id")
    return frame.merge(known[["household_id", *family]], on="household_id", how="left")


def cards_of(clients: pd.DataFrame, households: pd.DataFrame, policy) -> pd.DataFrame:
    """The 5W1H card of each household: six codes, never empty, and the facts beside them.

    The columns ``why`` … ``how`` are worded by ``segment.card.<question>.<code>``, ``topic`` (a
    persona) by ``segment.card.topic.<code>``. ``status_client_id`` is the member whose status is
    the most urgent in the policy's order; preferences are those of the lead.
    """
    codes, _ = pd.factorize(clients["household_id"])
    lead = _lead(clients, codes)
    urgent = _first_by(codes, clients, clients["status"].cat.codes.to_numpy())
    status = clients["status"].astype("str").to_numpy(object)[urgent]
    wanted = clients["pref_channel"].astype("str").fillna("ask").to_numpy(object)[lead]
    familiarity = clients["familiarity"].astype("str").to_numpy(object)[lead]
    kyc = clients["kyc_score"].to_numpy(np.float64)[lead]
    # The family is served by the higher of its own tier and its best member's.
    higher = np.maximum(households["tier"].cat.codes, households["tier_best"].cat.codes)
    tier = pd.Series(pd.Categorical.from_codes(higher, dtype=policy.tier_dtype))
    per_year = tier.astype("str").map({c: s.contacts_per_year for c, s in policy.standards.items()})
    what = _worded(status, WHAT)
    # A quiet month is the time to complete the file: only where nothing more urgent is on.
    what[(status == "stable") & (kyc < policy.familiarity.file_floor)] = "complete"
    when = _worded(status, WHEN)
    when[(when == "by_standard") & ~(per_year.to_numpy(np.float64) > 0)] = "on_need"
    scene = np.where(np.isin(wanted, WHERE), wanted, "ask")
    members = households["n_members"].to_numpy()
    answers = {
        "why": status, "which": np.where(members > 1, "family", "one"), "what": what,
        "when": when, "where": scene, "how": _worded(familiarity, HOW),
    }  # fmt: skip
    facts = households[["household_id", "lead_client_id", "adviser_id"]].copy()
    facts["tier"] = tier
    facts[["persona", "n_members", "aum_avg"]] = households[["persona", "n_members", "aum_avg"]]
    facts["status"] = clients["status"].array[urgent]
    facts["status_client_id"] = clients["client_id"].array[urgent]
    facts["status_reason"] = clients["status_reason"].array[urgent]
    facts["severity"] = households["severity"]
    facts["familiarity"] = clients["familiarity"].array[lead]
    facts["kyc_score"] = kyc
    facts["contacts_per_year"] = per_year.to_numpy(np.float64)
    facts["best_time"] = clients["best_time"].astype("str").fillna("ask").array[lead]
    facts["topic"] = households["persona"]
    for question, codes_ in answers.items():
        facts[question] = pd.Categorical(codes_, categories=CODES[question])
    return facts


def _roles(role: pd.Series, codes: np.ndarray, n: int) -> pd.Series:
    words = pd.Series([""] * n, dtype="str")
    for name in role.cat.categories:  # a handful of roles, whatever the number of clients
        has = np.bincount(codes[(role == name).to_numpy(bool)], minlength=n) > 0
        words = words.where(~has, words + np.where(words == "", name, f"+{name}"))
    return words


def _distinct(codes: np.ndarray, values: pd.Series, n: int) -> np.ndarray:
    """Number of different values in each group, empty ones left out."""
    value = pd.factorize(values)[0]
    known = value >= 0
    pairs = np.unique(codes[known] * (value.max(initial=0) + 1) + value[known])
    return np.bincount(pairs // (value.max(initial=0) + 1), minlength=n)


def _lead(clients: pd.DataFrame, codes: np.ndarray) -> np.ndarray:
    return _first_by(codes, clients, -clients["aum_avg"].to_numpy())


def _first_by(codes: np.ndarray, clients: pd.DataFrame, *ranks: np.ndarray) -> np.ndarray:
    """Row of each household's member with the smallest ranks, then the smallest client id."""
    ids = pd.factorize(clients["client_id"], sort=True)[0]
    order = np.lexsort((ids, *reversed(ranks), codes))
    _, first = np.unique(codes[order], return_index=True)
    return order[first]


def _worded(codes: np.ndarray, words: dict[str, str]) -> np.ndarray:
    return pd.Series(codes, dtype=object).map(words).to_numpy(object)
