"""Opening one branch's book from a folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playbook.book import assemble
from playbook.book.csvfile import read_csv
from playbook.book.draft import draft
from playbook.book.excel import read_sheet, sheets
from playbook.book.faults import as_faults, file_fault, listing
from playbook.book.model import Book, BookError
from playbook.book.parquet import Wanted, read_parquet
from playbook.book.piece import NAMELESS, Piece
from playbook.book.sources import Source, find, folder_of, is_synthetic, twice
from playbook.tables import TABLES

Faults = list[dict[str, Any]]


def open_book(
    data: str | Path,
    branch: str | None = None,
    as_of: str | dt.date | None = None,
    policy: Any = None,
) -> Book:
    """Open one branch's client book as it was known on ``as_of``.

    ``data`` is a folder, or the name of a shipped data set (``sample``). ``branch`` may be left
    out when the data hold one branch only; ``as_of`` (a date or ``YYYY-MM-DD``) is the last month
    end with balances unless given; ``policy`` a policy, a preset's name or a file, else the scheme
    that the branches table names, else ``cn6``.

    Only this branch's rows are read where files or row groups are kept by branch, and only this
    branch's rows are kept. Rejected rows are in ``book.faults``. Raises :class:`BookError` with
    all that stands in the way when a required table or column is missing, a forbidden column is
    there (PRIV-01, AML-01) or a file can not be read.
    """
    closing = assemble.day(as_of)
    folder = folder_of(data)
    sources, faults = sources_of(folder)
    listed, wrong = branches_of(sources)
    faults += wrong
    if branch is None and len(listed) != 1 and listed:
        faults.append(file_fault("which_branch", detail=listing(listed)))
    elif branch is not None and listed and branch not in listed:
        faults.append(
            file_fault("no_branch", detail=listing(listed)) | {"value": str(branch)[:32]}
        )
    if not listed and not wrong:
        faults.append(file_fault("table_missing", table="branches"))
    stop_at(faults)
    branch = branch or listed[0]
    faults += missing_tables(sources)
    faults += stray_branches(sources, listed)
    pieces, wrong = read_all(
        mine(sources, [branch], closing), lambda low, high: low <= branch <= high
    )
    faults += wrong + assemble.unclear_branch(pieces, listed)
    stop_at(faults)
    for parts in pieces.values():
        for piece in parts:
            if piece.branch is None:
                piece.keep_branches([branch, *NAMELESS])
    made = assemble.whole(pieces, as_of=closing, several=len(listed) > 1)
    stop_at(assemble.nothing_closed(made))
    return assemble.book_from(
        made, branch=branch, policy=policy, source=folder.name, synthetic=is_synthetic(folder),
        notices=as_faults(faults),
    )  # fmt: skip


def list_branches(data: str | Path) -> list[str]:
    """Branch ids of an export, in order. Raises :class:`BookError` when there are none to read."""
    sources, faults = sources_of(folder_of(data))
    listed, wrong = branches_of(sources)
    faults += wrong
    if not listed:
        faults.append(file_fault("table_missing", table="branches"))
        stop_at(faults)
    return listed


def stop_at(faults: Faults) -> None:
    """Raise when one of the faults stops the opening."""
    if any(fault["severity"] == "stop" for fault in faults):
        raise BookError(as_faults(faults))


def sources_of(folder: Path) -> tuple[list[tuple[Source, str]], Faults]:
    """All sources of a folder, sheets of workbooks one by one, each with its sheet's name."""
    found, faults = find(folder)
    sources: list[tuple[Source, str]] = []
    for source in found:
        if source.kind == "excel":
            parts, wrong = _guarded(source, lambda s: sheets(s))
            sources += parts or []
            faults += wrong
        else:
            sources.append((source, ""))
    faults += twice([source for source, _ in sources])
    return sources, faults


def branches_of(
    sources: Sequence[tuple[Source, str]],
) -> tuple[list[str], Faults]:
    """Branch ids of the branches table, and what stops it from being read."""
    faults: Faults = []
    listed: set[str] = set()
    for source, sheet in sources:
        if source.table == "branches":
            piece, wrong = read_one(source, sheet, None)
            faults += [fault for fault in wrong if fault["severity"] == "stop"]
            if piece is not None and "branch_id" in piece.columns:
                ids = draft(TABLES["branches"], [piece]).frame["branch_id"]
                listed |= set(ids.dropna())
    return sorted(listed), faults


def missing_tables(sources: Sequence[tuple[Source, str]]) -> Faults:
    """Faults for required tables that no file holds."""
    there = {source.table for source, _ in sources}
    return [
        file_fault("table_missing", table=table.name)
        for table in TABLES.values()
        if table.required and table.name not in there
    ]


def stray_branches(sources: Sequence[tuple[Source, str]], listed: Sequence[str]) -> Faults:
    """Notices for files named after a branch that the branches table does not have."""
    known = {branch.casefold() for branch in listed}
    return [
        file_fault("unknown_branch_file", source.file, severity="notice", table=source.table)
        for source, _ in sources
        if source.branch is not None and source.branch.casefold() not in known
    ]


def mine(
    sources: Sequence[tuple[Source, str]], branches: Sequence[str], as_of: dt.date | None
) -> list[tuple[Source, str]]:
    """Sources that can hold rows of ``branches`` known on ``as_of``; others are not opened."""
    wanted = {branch.casefold() for branch in branches}
    return [
        (source, sheet)
        for source, sheet in sources
        if (source.branch is None or source.branch.casefold() in wanted)
        and (as_of is None or source.month is None or source.month <= f"{as_of:%Y%m}")
    ]


def read_all(
    sources: Sequence[tuple[Source, str]], wanted: Wanted | None = None
) -> tuple[dict[str, list[Piece]], Faults]:
    """Read all sources; pieces by table and the faults of whole files.

    ``wanted`` says of a row group's first and last branch whether it has to be read.
    """
    pieces: dict[str, list[Piece]] = {}
    faults: Faults = []
    for source, sheet in sources:
        piece, wrong = read_one(source, sheet, wanted)
        faults += wrong
        if piece is not None:
            faults += [fault for fault in piece.faults if fault["severity"] == "stop"]
            piece.branch, piece.month = source.branch, source.month
            pieces.setdefault(source.table, []).append(piece)
    return pieces, faults


def read_one(source: Source, sheet: str, wanted: Wanted | None) -> tuple[Piece | None, Faults]:
    """Read one source; what the system refuses (rights, locks) becomes a fault."""
    if source.kind == "csv":
        return _guarded(source, lambda s: read_csv(s.path, s.file, TABLES[s.table]))
    if source.kind == "excel":
        return _guarded(source, lambda s: read_sheet(s, sheet))
    return _guarded(source, lambda s: read_parquet(s, wanted))


def _guarded(source: Source, read: Any) -> tuple[Any, Faults]:
    try:
        return read(source)
    except OSError:
        return None, [file_fault("unreadable", source.file, table=source.table)]
