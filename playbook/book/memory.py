"""Books made of tables that are already in memory: adapters, exercises, tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from playbook.book import assemble
from playbook.book.faults import as_faults, file_fault, listing
from playbook.book.headings import heading_faults, read_headings
from playbook.book.model import Book, BookError
from playbook.book.piece import NAMELESS, Piece
from playbook.book.values import TEXT
from playbook.tables import TABLES, Table

Frames = Mapping[str, pd.DataFrame | Sequence[Mapping[str, Any]]]


def book_of(
    frames: Frames, branch: str | None, as_of: str | dt.date | None, policy: Any,
    *, complete: bool, synthetic: bool,
) -> Book:
    """See :meth:`playbook.book.Book.from_frames`."""  # fmt: skip
    unknown = [name for name in frames if name not in TABLES]
    if unknown:
        raise KeyError(unknown[0])
    pieces, faults = {}, []
    for name, given in frames.items():
        piece, wrong = piece_of(TABLES[name], given, complete=complete)
        pieces[name] = [piece]
        faults += wrong
    if complete:
        missing = [table.name for table in TABLES.values()
                   if table.required and table.name not in frames]  # fmt: skip
        faults += [file_fault("table_missing", table=name) for name in missing]
    branches = _branches(pieces)
    if branch is None:
        if len(branches) > 1:
            faults.append(file_fault("which_branch", detail=listing(branches)))
        branch = branches[0] if branches else "B01"
    elif branches and branch not in branches:
        faults.append(file_fault("no_branch", detail=listing(branches)) | {"value": branch})
    faults += assemble.unclear_branch(pieces, branches or [branch])
    if any(fault["severity"] == "stop" for fault in faults):
        raise BookError(as_faults(faults))
    for parts in pieces.values():
        for piece in parts:
            if piece.branch is None:
                piece.keep_branches([branch, *NAMELESS])
    made = assemble.whole(pieces, as_of=assemble.day(as_of), several=len(branches) > 1)
    faults += assemble.nothing_closed(made, "notice")
    return assemble.book_from(
        made, branch=branch, policy=policy, source="memory", synthetic=synthetic,
        notices=as_faults(faults),
    )  # fmt: skip


def piece_of(
    table: Table, given: pd.DataFrame | Sequence[Mapping[str, Any]], *, complete: bool
) -> tuple[Piece, list[dict[str, Any]]]:
    """One table in memory as a piece, with the faults of its headings."""
    frame = given if isinstance(given, pd.DataFrame) else pd.DataFrame(list(given))
    if not len(frame.columns):
        frame = pd.DataFrame(columns=list(table.names))
    headings = read_headings(list(frame.columns), table)
    faults = heading_faults(headings, table, table.name, complete=complete)
    columns = {name: cells_of(frame.iloc[:, at]) for name, at in headings.place.items()}
    rows = np.arange(len(frame), dtype=np.int64) + 2
    return Piece(table, table.name, columns, headings.shown, rows), faults


def cells_of(values: pd.Series) -> pa.ChunkedArray:
    """A column of a data frame as cells; mixed objects become text."""
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.astype("str")
    try:
        cells = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        missing = values.isna()
        texts = values.map(lambda v: v.isoformat() if isinstance(v, dt.date) else str(v))
        cells = pa.array(texts.astype(object).where(~missing, None), TEXT)
    return cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])


def _branches(pieces: Mapping[str, list[Piece]]) -> list[str]:
    """Branches named by the data: the branches table, else the first table that names any."""
    for name in TABLES:
        for piece in pieces.get(name, []):
            if "branch_id" in piece.columns:
                named = piece.columns["branch_id"].cast(TEXT).unique().drop_null().to_pylist()
                if named:
                    return sorted({word.strip() for word in named})
    return []
