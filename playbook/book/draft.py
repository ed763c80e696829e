"""A table on its way into the book: typed, every row with its file, its row number and its fate."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa

from playbook.book import faults as fl
from playbook.book.piece import Piece
from playbook.book.values import CELL_CODES, TEXT, convert
from playbook.tables import TABLES, Column, Table

LIVE, REJECTED, LATER, SUPERSEDED, OTHER = range(5)


@dataclass
class Draft:
    """One table being checked.

    ``frame`` holds all declared columns in order; ``file_at`` says which of ``pieces`` a row comes
    from, ``row`` its number there, ``state`` whether it is still ``LIVE``. Row faults are kept
    with their place in ``frame`` until the fate of every row is known.
    """

    table: Table
    pieces: list[Piece]
    frame: pd.DataFrame
    file_at: np.ndarray
    row: np.ndarray
    state: np.ndarray
    present: bool = True
    faults: list[tuple[np.ndarray, pd.DataFrame]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def live(self) -> np.ndarray:
        return self.state == LIVE

    def report(
        self,
        code: str,
        where: np.ndarray,
        column: str = "",
        *,
        severity: str = "reject",
        values: pd.Series | None = None,
        month: np.ndarray | str = "",
        difference: np.ndarray | None = None,
        detail: str = "",
    ) -> None:
        """Report ``code`` for the rows at the places ``where``; ``reject`` also takes them out."""
        if not len(where):
            return
        names = np.array([piece.file for piece in self.pieces], dtype=object)
        file_at = self.file_at[where]
        shown = np.array([p.shown.get(column, "") for p in self.pieces], dtype=object)[file_at]
        if values is None and column:
            values = as_text(self.frame[column].iloc[where])
        self.faults.append((where, fl.row_faults(
            code, table=self.name, files=names[file_at], rows=self.row[where], severity=severity,
            columns=shown, values=values, field=column, month=month, difference=difference,
            detail=detail,
        )))  # fmt: skip
        if severity == "reject":
            self.state[where] = REJECTED

    def blank(self, column: str, where: np.ndarray) -> None:
        """Take the value of ``column`` out of the rows at ``where``."""
        if len(where):
            keep = np.ones(len(self.frame), bool)
            keep[where] = False
            self.frame[column] = self.frame[column].where(keep)

    def counts(self) -> pd.DataFrame:
        """What became of the rows of each file; the numbers add up to ``rows_in``."""
        n = len(self.pieces)
        noticed = np.zeros(len(self.frame), bool)
        for where, _ in self.faults:
            noticed[where] = True

        def per_file(mask: np.ndarray) -> np.ndarray:
            return np.bincount(self.file_at[mask], minlength=n)

        return pd.DataFrame({
            "table": self.name,
            "file": pd.Series([piece.file for piece in self.pieces], dtype="str"),
            "rows_in": [piece.n_read for piece in self.pieces],
            "accepted": per_file(self.live),
            "noticed": per_file(self.live & noticed),
            "rejected": per_file(self.state == REJECTED) + [p.n_broken for p in self.pieces],
            "after_as_of": per_file(self.state == LATER),
            "other_branch": per_file(self.state == OTHER) + [p.n_other for p in self.pieces],
            "superseded": per_file(self.state == SUPERSEDED),
        }, index=range(n))  # fmt: skip

    def all_faults(self) -> list[pd.DataFrame]:
        """Faults of rows that were known at ``as_of`` and are this branch's own."""
        kept = []
        for where, frame in self.faults:
            counted = np.isin(self.state[where], (LIVE, REJECTED))
            kept.append(frame if counted.all() else frame[counted])
        kept.extend(fl.as_faults(piece.faults) for piece in self.pieces if piece.faults)
        return kept


def as_text(values: pd.Series) -> pd.Series:
    """Typed values as a person would write them, for showing a fault."""
    if values.dtype.kind == "M":
        return values.dt.strftime("%Y-%m-%d")
    if values.dtype.kind == "f":
        return values.map("{:.2f}".format, na_action="ignore").astype("str")
    return values.astype("str")


@cache
def _one(column: Column, word: str | None) -> pd.Series:
    """``word`` (None: no value) as a typed column of one row."""
    return convert(pa.chunked_array([pa.array([word], TEXT)]), column).values


def _all(column: Column, word: str | None, n: int) -> pd.Series:
    """``word`` as a typed column of ``n`` rows."""
    return _one(column, word).take(np.zeros(n, np.int64)).reset_index(drop=True)


@cache
def _empty(table: str) -> pd.DataFrame:
    return pd.DataFrame({c.name: _all(c, None, 0) for c in TABLES[table].columns})


def empty_frame(table: Table) -> pd.DataFrame:
    """A table without rows, with all declared columns and their dtypes."""
    return _empty(table.name).copy(deep=False)


def absent(table: Table) -> Draft:
    """The draft of a table that the export does not have."""
    none = np.zeros(0, np.int64)
    return Draft(table, [], empty_frame(table), none, none, none.astype(np.int8), present=False)


def draft(table: Table, pieces: list[Piece]) -> Draft:
    """Type all pieces of a table and put them below one another.

    A cell that can not be typed rejects its row when the column must be filled, else the value
    counts as empty and the row is accepted with a notice.
    """
    if not pieces:
        return absent(table)
    frames, codes = [], {column.name: [] for column in table.columns}
    for piece in pieces:
        typed = {}
        for column in table.columns:
            cells = piece.columns.get(column.name)
            if cells is None:
                told = piece.branch if column.name == "branch_id" else None
                typed[column.name] = _all(column, told, len(piece.rows))
                codes[column.name].append(np.zeros(len(piece.rows), np.int8))
            else:
                read = convert(cells, column, serials=piece.serials)
                typed[column.name] = read.values
                codes[column.name].append(read.bad)
        frames.append(pd.DataFrame(typed))
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    sizes = [len(piece.rows) for piece in pieces]
    made = Draft(
        table, pieces, frame, np.repeat(np.arange(len(pieces)), sizes),
        np.concatenate([piece.rows for piece in pieces]).astype(np.int64),
        np.zeros(len(frame), np.int8),
    )  # fmt: skip
    starts = np.concatenate([[0], np.cumsum(sizes)])
    for column in table.columns:
        bad = np.concatenate(codes[column.name])
        severity = "notice" if column.nullable else "reject"
        for code in np.unique(bad[bad > 0]):
            where = np.flatnonzero(bad == code)
            made.report(
                CELL_CODES[code], where, column.name, severity=severity,
                values=_raw(made, starts, where, column.name),
            )  # fmt: skip
    return made


def _raw(made: Draft, starts: np.ndarray, where: np.ndarray, name: str) -> pd.Series:
    """The cells at ``where`` as they stand in the files."""
    parts = []
    for at, piece in enumerate(made.pieces):
        mine = where[(where >= starts[at]) & (where < starts[at + 1])] - starts[at]
        if len(mine):
            cells = piece.columns[name].take(pa.array(mine))
            parts += ["" if cell is None else str(cell) for cell in cells.to_pylist()]
    return pd.Series(parts, dtype="str")
