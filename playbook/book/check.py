"""Checking a whole export, all branches at once, without opening any book."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from playbook.book import assemble, opening
from playbook.book.cut import last_day
from playbook.book.draft import Draft
from playbook.book.faults import as_faults, gather, row_faults
from playbook.book.model import BookError
from playbook.book.parquet import Wanted, n_rows
from playbook.book.sources import Source, folder_of
from playbook.book.values import convert
from playbook.tables import TABLES

#: Rows read at once from sources that are kept by branch.
MOST_AT_ONCE = 1_000_000
BYTES_A_ROW = 50


@dataclass(frozen=True, repr=False, eq=False)
class CheckResult:
    """What a check found.

    ``faults`` every fault of every file, ``counts`` per file the rows in and what became of them,
    ``branches`` the branch ids, ``as_of`` the closing day (None when nothing could be read).
    """

    source: str
    branches: tuple[str, ...]
    as_of: dt.date | None
    faults: pd.DataFrame
    counts: pd.DataFrame

    def __repr__(self) -> str:
        n = self.faults["severity"].value_counts()
        return f"CheckResult({self.source}, {n.to_dict()})"

    @property
    def usable(self) -> bool:
        """Whether books can be opened."""
        return not self.faults["severity"].eq("stop").any()

    @property
    def clean(self) -> bool:
        """Whether nothing was found; a rule skipped for want of an optional table is no fault."""
        return self.faults["code"].eq("rule_skipped").all()

    def n(self, severity: str) -> int:
        """Number of faults of a severity."""
        return int(self.faults["severity"].eq(severity).sum())

    def summary(self) -> pd.DataFrame:
        """Faults by kind: severity, rule, code, table, field, n, and the first place of each.

        Most serious first, then by number. Columns end with file, row, column and value of the
        example.
        """
        keys = ["severity", "rule", "code", "table", "field"]
        groups = self.faults.groupby(keys, sort=False, dropna=False)
        first = groups.head(1).set_index(keys)
        found = first.assign(n=groups.size()).reset_index()
        order = found["severity"].map({"stop": 0, "reject": 1, "notice": 2})
        found = found.assign(order=order).sort_values(["order", "n"], ascending=[True, False],
                                                      kind="stable")  # fmt: skip
        return found.drop(columns="order").reset_index(drop=True)


def check(data: str | Path, as_of: str | dt.date | None = None) -> CheckResult:
    """Check an export of any number of branches and tell every fault of every file.

    Uses the same reading, typing and rules as :func:`playbook.open_book`. Data never raise here:
    what makes an export unusable is a fault of severity ``stop``, and everything that can be read
    is checked all the same. Exports kept by branch (files or Parquet row groups) are read in
    groups of branches, so that memory does not grow with their number.
    """
    try:
        closing = assemble.day(as_of)
        folder = folder_of(data)
    except BookError as error:
        return _result(Path(data).name, (), None, [error.faults])
    sources, faults = opening.sources_of(folder)
    listed, _ = opening.branches_of(sources)
    faults += opening.missing_tables(sources) + opening.stray_branches(sources, listed)
    parts = groups(listed, n_separable(sources), MOST_AT_ONCE)
    result = _in_groups(folder.name, sources, listed, parts, closing, as_faults(faults))
    if len(parts) > 1 and result.counts["other_branch"].any():
        # Rows whose branch only the client could tell and whose client nobody has: no group is
        # theirs, so that only reading all branches at once finds them.
        return _in_groups(folder.name, sources, listed, [listed], closing, as_faults(faults))
    return result


def _in_groups(
    source: str,
    sources: Sequence[tuple[Source, str]],
    listed: Sequence[str],
    parts: Sequence[Sequence[str]],
    closing: dt.date | None,
    faults: pd.DataFrame,
) -> CheckResult:
    """Check group after group of branches and put the results together."""
    if closing is None and len(parts) > 1:
        closing = _last_month_end(sources, parts)
    found, counts, ids, closed = [faults], [], [], False
    for at, part in enumerate(parts):
        try:
            made = _checked(sources, part, listed, closing, first=at == 0, found=found)
        except BookError as error:
            return _result(source, listed, closing, [*found, error.faults])
        closing = made.as_of
        closed |= bool(len(made.months))
        counts.append(made.counts)
        ids.append(_client_ids(made.drafts["clients"]))
    found.append(_two_branches(pd.concat(ids, ignore_index=True)))
    if not closed:
        found.append(as_faults(assemble.nothing_closed(made)))
    return _result(source, listed, closing, found, counts)


def n_separable(sources: Sequence[tuple[Source, str]]) -> int:
    """About how many rows the sources hold that can be read branch by branch."""
    total = sum(n_rows(source) for source, _ in sources if source.kind == "parquet")
    texts = (s.path for s, _ in sources if s.kind != "parquet" and s.branch is not None)
    return total + sum(path.stat().st_size for path in texts) // BYTES_A_ROW


def groups(branches: Sequence[str], n: int, most: int) -> list[list[str]]:
    """Branches in as few groups as keep the share of ``n`` rows of each at ``most``."""
    wanted = max(1, min(len(branches), -(-n // most)))
    size = -(-len(branches) // wanted) if branches else 1
    return [list(branches[at : at + size]) for at in range(0, max(len(branches), 1), size)]


def _wanted(part: Sequence[str], listed: Sequence[str], *, first: bool) -> Wanted:
    """Row groups of the group's branches; the first group also sees to what belongs to none."""
    known = set(listed)

    def wanted(low: str, high: str) -> bool:
        if first and not (low == high and low in known):
            return True
        at = bisect_left(part, low)
        return at < len(part) and part[at] <= high

    return wanted


def _checked(
    sources: Sequence[tuple[Source, str]],
    part: Sequence[str],
    listed: Sequence[str],
    closing: dt.date | None,
    *,
    first: bool,
    found: list[pd.DataFrame],
) -> assemble.Whole:
    """Read and check one group of branches; its faults are added to ``found``."""
    own = opening.mine(sources, part, closing) if listed else sources
    every = len(part) == len(listed)
    wanted = None if every else _wanted(part, listed, first=first)
    pieces, faults = opening.read_all(own, wanted)
    unclear = assemble.unclear_branch(pieces, listed)
    lost = {(fault["table"], fault["file"]) for fault in unclear}
    others = sorted(set(listed) - set(part))
    for name, parts in list(pieces.items()):
        pieces[name] = [piece for piece in parts if (name, piece.file) not in lost]
        for piece in pieces[name]:
            if piece.branch is None and not every:
                piece.keep_branches(others if first else part, others=first)
    try:
        made = assemble.whole(pieces, as_of=closing, several=not every)
    except BookError:
        # Why there is no month to close with stands in the faults of the files.
        found.append(as_faults(faults + unclear))
        raise
    presets = _presets(made.drafts["branches"])
    own_faults = gather([as_faults(faults + unclear), made.faults, *presets])
    bank = [name for name, table in TABLES.items() if table.scope == "bank"]
    if not first:
        # What all branches share was told with the first group.
        own_faults = own_faults[~own_faults["table"].isin(bank)]
        counts = made.counts[~made.counts["table"].isin(bank)]
        made = replace(made, counts=counts)
    found.append(own_faults)
    return made


def _last_month_end(
    sources: Sequence[tuple[Source, str]], parts: Sequence[Sequence[str]]
) -> dt.date | None:
    """The last month end with balances over all groups of branches."""
    listed = [branch for part in parts for branch in part]
    column = TABLES["balances_monthly"]["month"]
    balances = [pair for pair in sources if pair[0].table == "balances_monthly"]
    latest = []
    for part in parts:
        read, _ = opening.read_all(
            opening.mine(balances, part, None), _wanted(part, listed, first=False)
        )
        for piece in read.get("balances_monthly", []):
            months = convert(piece.columns["month"], column, serials=piece.serials).values
            latest.append(months.max())
    known = pd.Series(latest, dtype="datetime64[us]").dropna()
    return last_day(known).max().date() if len(known) else None


def _client_ids(clients: Draft) -> pd.DataFrame:
    """Accepted clients with the place of their row."""
    names = np.array([piece.file for piece in clients.pieces], dtype=object)
    heads = np.array([piece.shown.get("client_id", "") for piece in clients.pieces], dtype=object)
    live = clients.live
    return pd.DataFrame({
        "client_id": clients.frame["client_id"][live].to_numpy(),
        "file": names[clients.file_at[live]], "column": heads[clients.file_at[live]],
        "row": clients.row[live],
    })  # fmt: skip


def _two_branches(ids: pd.DataFrame) -> pd.DataFrame:
    """KEY-02: a client kept by two branches is counted by both."""
    twice = ids[ids["client_id"].duplicated(keep=False)]
    return row_faults(
        "two_branches", table="clients", files=twice["file"].to_numpy(),
        rows=twice["row"].to_numpy(), severity="notice", columns=twice["column"].to_numpy(),
        values=twice["client_id"], field="client_id",
    )  # fmt: skip


def _presets(branches: Draft) -> list[pd.DataFrame]:
    """POL-01: the schemes that branches name exist."""
    from playbook.policy import presets

    known = presets()
    wrong = branches.live & branches.frame["preset"].notna().to_numpy()
    wrong &= ~branches.frame["preset"].isin(known).to_numpy()
    before = len(branches.faults)
    branches.report(
        "preset_unknown", np.flatnonzero(wrong), "preset", severity="notice",
        detail="、".join(known),
    )  # fmt: skip
    return [frame for _, frame in branches.faults[before:]]


def _result(
    source: str, branches: Sequence[str], as_of: dt.date | None, found: list[pd.DataFrame],
    counts: Sequence[pd.DataFrame] = (),
) -> CheckResult:
    # Reading in groups meets a fault of a shared file once per group.
    faults = gather(found).drop_duplicates(ignore_index=True)
    table = _added(pd.concat(counts, ignore_index=True)) if counts else no_counts()
    return CheckResult(source, tuple(branches), as_of, faults, table)


def no_counts() -> pd.DataFrame:
    """Counts of no file."""
    return pd.DataFrame(columns=list(assemble.COUNTS))


def _added(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts of several groups of branches as one: every row is of exactly one group."""
    if not counts.duplicated(["table", "file"]).any():
        return counts
    fates = ["accepted", "noticed", "rejected", "after_as_of", "superseded"]
    rule = dict.fromkeys(fates, "sum") | {"rows_in": "first"}
    summed = counts.groupby(["table", "file"], sort=False).agg(rule).reset_index()
    rest = summed["rows_in"] - summed[[name for name in fates if name != "noticed"]].sum(axis=1)
    return summed.assign(other_branch=rest)[list(assemble.COUNTS)]
