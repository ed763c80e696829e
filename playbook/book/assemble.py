"""From pieces to a checked whole: typing, cut, rules, counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from playbook.book import rules
from playbook.book.cut import cut, last_day
from playbook.book.draft import LIVE, OTHER, REJECTED, Draft, draft
from playbook.book.faults import as_faults, file_fault, gather
from playbook.book.match import places
from playbook.book.model import Book, BookError
from playbook.book.piece import Piece
from playbook.tables import TABLES, Table

COUNTS = (
    "table", "file", "rows_in", "accepted", "noticed", "rejected", "after_as_of", "other_branch",
    "superseded",
)  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """Everything known about an export after checking."""

    drafts: Mapping[str, Draft]
    as_of: dt.date
    months: pd.DatetimeIndex
    faults: pd.DataFrame
    counts: pd.DataFrame


def day(as_of: str | dt.date | None) -> dt.date | None:
    """``as_of`` as a date. Raises :class:`BookError` for text that is not ``YYYY-MM-DD``."""
    if as_of is None or isinstance(as_of, dt.date):
        return as_of.date() if isinstance(as_of, dt.datetime) else as_of
    try:
        return dt.date.fromisoformat(str(as_of))
    except ValueError:
        raise BookError(as_faults([file_fault("as_of", detail=str(as_of)[:20])])) from None


def client_column(table: Table) -> str | None:
    """The column that ties every row of ``table`` to a client, if there is one."""
    for column in table.columns:
        if column.ref == "clients.client_id" and not column.nullable:
            return column.name
    return None


def unclear_branch(
    pieces: Mapping[str, list[Piece]], branches: Sequence[str]
) -> list[dict[str, Any]]:
    """Give pieces the branch that is clear without a column; faults for those where none is."""
    faults = []
    only = branches[0] if len(branches) == 1 else None
    exact = {branch.casefold(): branch for branch in branches}
    for name, parts in pieces.items():
        for piece in parts:
            if piece.branch is not None:
                piece.branch = exact.get(piece.branch.casefold(), piece.branch)
            elif "branch_id" in TABLES[name].by_name and "branch_id" not in piece.columns:
                if only is not None:
                    piece.branch = only
                elif client_column(TABLES[name]) is None:
                    faults.append(file_fault("branch_unclear", piece.file, table=name))
    return faults


def whole(
    pieces: Mapping[str, list[Piece]], *, as_of: dt.date | None, several: bool
) -> Whole:
    """Type, cut and check all tables.

    ``several`` says that the export holds more branches than are read here, so that a row without
    branch whose client is not known is another branch's.
    """
    drafts: dict[str, Draft] = {}
    for name, table in TABLES.items():
        drafts[name] = draft(table, pieces.get(name, []))
        if drafts[name].present:
            _settle_branch(drafts[name], drafts, drop=several)
    horizon = _last_month_end(drafts["balances_monthly"])
    if as_of is None:
        if horizon is None:
            raise BookError(as_faults([file_fault("no_months", table="balances_monthly")]))
        as_of = horizon
    for table_draft in drafts.values():
        cut(table_draft, as_of)
    latest = max(as_of, horizon or as_of)
    for name in rules.reading_order():
        rules.check_table(drafts[name], drafts, latest)
    months = _months(drafts["balances_monthly"])
    told = rules.check_across(drafts, months) + rules.month_gap(
        drafts["balances_monthly"], months, as_of
    )
    parts = [part for one in drafts.values() for part in one.all_faults()]
    counts = [one.counts() for one in drafts.values() if one.present]
    table = pd.concat(counts, ignore_index=True) if counts else pd.DataFrame(columns=list(COUNTS))
    return Whole(drafts, as_of, months, gather([*parts, as_faults(told)]), table)


def nothing_closed(made: Whole, severity: str = "stop") -> list[dict[str, Any]]:
    """GAP-01: the fault that no month with balances was complete at the close."""
    if len(made.months):
        return []
    return [
        file_fault("no_closed_month", severity=severity, table="balances_monthly",
                   detail=made.as_of.isoformat())
    ]  # fmt: skip


def accepted(one: Draft) -> pd.DataFrame:
    """The accepted rows of a table."""
    frame = one.frame if one.live.all() else one.frame[one.live]
    return frame.reset_index(drop=True)


def _settle_branch(one: Draft, drafts: Mapping[str, Draft], *, drop: bool) -> None:
    """Fill in branches that only the client tells; reject rows that contradict their file."""
    if "branch_id" not in one.table.by_name or not len(one.frame):
        return
    named = pd.Series([piece.branch for piece in one.pieces], dtype="str")
    given = named.take(one.file_at).reset_index(drop=True)
    from_column = np.array(["branch_id" in piece.columns for piece in one.pieces])[one.file_at]
    both = given.notna() & one.frame["branch_id"].notna()
    differs = (both & (one.frame["branch_id"] != given)).to_numpy(bool)
    if one.name != "branches":
        one.report("branch_differs", np.flatnonzero(differs & (one.state == LIVE)), "branch_id")
    client = client_column(one.table)
    untold = ~from_column & given.isna().to_numpy()
    if client is None or not untold.any():
        return
    # Not told by the file: the client tells it, or the row belongs to a branch not read here.
    clients = drafts["clients"].frame
    at = places([one.frame[client]], [clients["client_id"]])
    found = clients["branch_id"].take(np.maximum(at, 0)) if len(clients) else given
    derived = pd.Series(found.to_numpy(), dtype="str").where(at >= 0)
    one.frame["branch_id"] = one.frame["branch_id"].where(~untold, derived)
    has_client = one.frame[client].notna().to_numpy()
    if drop:
        one.state[untold & (at < 0) & has_client] = OTHER
    else:
        lost = np.flatnonzero(untold & (at < 0) & has_client & (one.state != REJECTED))
        one.report("ref_missing", lost, client)


def _last_month_end(balances: Draft) -> dt.date | None:
    months = balances.frame["month"][balances.state != OTHER].dropna()
    return last_day(months).max().date() if len(months) else None


def _months(balances: Draft) -> pd.DatetimeIndex:
    """All months from the first with balances to the last, complete at ``as_of``."""
    months = balances.frame["month"][balances.live]
    if not len(months):
        return pd.DatetimeIndex([], dtype="datetime64[us]")
    return pd.date_range(months.min(), months.max(), freq="MS", unit="us")


def book_from(
    made: Whole, *, branch: str, policy: Any, source: str, synthetic: bool, notices: pd.DataFrame
) -> Book:
    """Put a book together; the policy is the one given, else the branch's scheme, else ``cn6``."""
    tables = {name: accepted(one) for name, one in made.drafts.items()}
    return Book(
        branch=branch,
        as_of=made.as_of,
        policy=policy_for(policy, tables["branches"]),
        tables=tables,
        faults=gather([notices, made.faults]),
        counts=made.counts,
        months=made.months,
        present=frozenset(name for name, one in made.drafts.items() if one.present),
        source=source,
        synthetic=synthetic,
    )


def policy_for(policy: Any, branches: pd.DataFrame) -> Any:
    """A policy, a preset's name or a file's path as a policy; None means the branch's scheme."""
    from playbook.policy import Policy, load, presets

    if isinstance(policy, Policy):
        return policy
    if policy is not None:
        return load(policy)
    named = branches["preset"].dropna()
    if not len(named):
        return load("cn6")
    if named.iloc[0] not in presets():
        raise BookError(as_faults([
            file_fault("preset_unknown", table="branches", detail="、".join(presets()))
            | {"field": "preset", "value": named.iloc[0]}
        ]))  # fmt: skip
    return load(named.iloc[0])
