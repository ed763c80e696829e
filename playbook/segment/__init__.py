"""Step 1, 三分管理: every client's tier, persona, status and familiarity, each with its reason.

>>> segments = segment(book)                                                    # doctest: +SKIP
>>> segments.clients[["client_id", "tier", "persona", "status", "familiarity"]] # doctest: +SKIP

Reasons are codes in columns of their own; the facts that a sentence needs are columns of the same
row, so ``t(f"segment.status.{row.status_reason}", lang, names, **row)`` words them. Columns whose
values are tier codes are named in ``TIER_FACTS``: their words come from the policy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from playbook.policy import PERSONAS, Policy
from playbook.segment import familiarity as _familiarity
from playbook.segment import household as _household
from playbook.segment import persona as _persona
from playbook.segment import status as _status
from playbook.segment import table as _table
from playbook.segment import tier as _tier
from playbook.segment.completeness import WHY, files_of
from playbook.segment.concentration import curve, measures
from playbook.segment.month import Assets, assets
from playbook.segment.tier import Tiers

__all__ = ["TIER_FACTS", "Segments", "curve", "measures", "reason_codes", "segment"]

#: Columns that hold tier codes: pass ``names={column: policy.tier_names(lang)}`` for each.
TIER_FACTS = ("tier", "tier_calc", "tier_before", "next_tier", "near_tier", "tier_best")

#: Text prefix → the codes it must word.
reason_codes: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "segment.tier.": _tier.REASONS,
        "segment.persona.": _persona.REASONS,
        "segment.status.": _status.REASONS,
        "segment.familiarity.": _familiarity.REASONS,
        "name.why.": WHY,
        "segment.card.topic.": PERSONAS,
    }
    | {f"segment.card.{question}.": codes for question, codes in _household.CODES.items()}
)


@dataclass(frozen=True, eq=False)
class Segments:
    """What step 1 knows about a book. Money in yuan, shares as fractions, tiers in policy order.

    ``clients`` one row per client who is not closed, labels with reasons and facts · ``history``
    one row per client (closed ones too) and month on record · ``households`` and their 5W1H
    ``cards`` · ``files`` completeness per client · ``missing`` fields to complete ·
    ``concentration`` contribution curve by month average · ``pivot`` tier × persona × status ·
    ``coverage`` clients per adviser · ``unassigned`` clients in scope without an adviser ·
    ``figures`` the branch in numbers · ``na`` figure → the table it would need.
    """

    branch: str
    as_of: dt.date
    month: pd.Timestamp
    policy: Policy
    clients: pd.DataFrame
    history: pd.DataFrame
    households: pd.DataFrame
    cards: pd.DataFrame
    files: pd.DataFrame
    missing: pd.DataFrame
    concentration: pd.DataFrame
    pivot: pd.DataFrame
    coverage: pd.DataFrame
    figures: Mapping[str, float]
    na: Mapping[str, str]

    @property
    def unassigned(self) -> pd.DataFrame:
        """Clients in scope whom no adviser looks after, largest first."""
        mine = self.clients["in_scope"] & self.clients["adviser_id"].isna()
        return self.clients[mine].sort_values("aum_avg", ascending=False, kind="stable")

    def __repr__(self) -> str:
        return f"Segments({self.branch}, {self.as_of}, {len(self.clients)} clients)"


def segment(book, policy: Policy | None = None) -> Segments:
    """Divide the clients of ``book`` by tier, persona, status and familiarity (rules K01–K10).

    ``policy`` replaces the book's own, for what-if. Everything is judged at the close of the last
    complete month: the tier is the one in force for the coming month. A missing optional table
    makes the figures that need it "not available" (``na``); it is never an error.
    """
    policy = book.policy if policy is None else policy
    wide = assets(book, policy)
    tiers = _tier.tiers_of(wide, policy)
    judged = _status.statuses_of(book, wide, tiers, policy)
    personas = _persona.personas_of(book, wide, policy)
    files = files_of(book, wide, policy)
    score = files.files["kyc_score"].to_numpy()
    close = _familiarity.familiarity_of(
        book, wide, policy, score if files.whole else np.full(len(score), np.nan)
    )
    base = book.table("clients")[
        ["client_id", "adviser_id", "household_id", "household_role", "pref_channel", "best_time"]
    ].reset_index(drop=True)
    labels = [_tier.columns(wide, tiers, policy), personas.columns, judged.columns,
              close.columns, files.files[["kyc_score"]]]  # fmt: skip
    clients = pd.concat([base, *labels], axis=1)[~wide.closed].reset_index(drop=True)
    clients["has_household"] = clients["household_id"].notna()
    clients["household_id"] = _household.with_household(clients)
    if policy.tiering.basis == "household":
        clients["severity"] = _household.stake_once(clients)
    households = _household.households_of(clients, book, policy)
    current = _only(clients)
    return Segments(
        branch=book.branch,
        as_of=book.as_of,
        month=wide.months[-1],
        policy=policy,
        clients=clients,
        history=_history(wide, tiers, judged, policy),
        households=households,
        cards=_household.cards_of(clients, households, policy),
        files=current(files.files),
        missing=current(files.missing),
        concentration=curve(clients["aum_avg"]),
        pivot=_table.pivot_of(clients),
        coverage=_table.coverage_of(clients, book.table("advisers")),
        figures=MappingProxyType(
            _table.figures_of(clients)
            | measures(clients["aum_avg"], policy.concentration.top_share)
        ),
        na=MappingProxyType(judged.na | personas.na | files.na | close.na),
    )


def _only(clients: pd.DataFrame):
    """A function that keeps the rows of a frame that belong to ``clients``."""
    ids = pd.Index(clients["client_id"])
    return lambda frame: frame[ids.get_indexer(frame["client_id"]) >= 0].reset_index(drop=True)


def _history(wide: Assets, tiers: Tiers, judged, policy) -> pd.DataFrame:
    """Client × month from the first month on record to closing, judged at each month's close."""
    month = np.arange(wide.shape[1])
    row, column = np.nonzero((month >= wide.start[:, None]) & (month <= wide.stop[:, None]))

    def tier(codes: np.ndarray) -> pd.Categorical:
        return pd.Categorical.from_codes(codes[row, column], dtype=policy.tier_dtype)

    return pd.DataFrame(
        {
            "client_id": wide.client_ids[row],
            "month": wide.months.values[column],
            "aum_avg": wide.avg[row, column],
            "aum_end": wide.end[row, column],
            "tier_calc": tier(tiers.calc),
            "tier_before": tier(tiers.before),
            "tier": tier(tiers.decided),
            "watch_months": tiers.watch[row, column].astype(np.int64),
            "status": pd.Categorical.from_codes(
                judged.code[row, column], categories=list(judged.order)),
            "exited": judged.exited[row, column],
            "closed": wide.closed[row] & (column == wide.stop[row]),
        }
    )  # fmt: skip
