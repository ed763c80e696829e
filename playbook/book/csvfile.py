"""Reading a delimited text file: every cell as text, every row with its spreadsheet number.

Files without quotation marks and blank lines go through Arrow's reader; all others through the
standard one, record by record, because a quoted line break is one spreadsheet row and a blank line
is a row without data.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from playbook.book.decode import DecodeError, decode
from playbook.book.faults import file_fault
from playbook.book.headings import Headings, heading_faults, known, read_headings
from playbook.book.piece import Piece
from playbook.book.values import TEXT
from playbook.tables import Table

DELIMITERS = (",", "\t", ";", "|")
_LOOK_DOWN = 20
_CHUNK = 50_000
BROKEN: list[str] = ["broken"]
OPEN: list[str] = ["open"]
_OTHER_FORMATS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1")


def read_csv(path: Path, file: str, table: Table) -> tuple[Piece | None, list[dict[str, Any]]]:
    """One text file as a piece of ``table``, with the faults that concern the file as a whole."""
    raw = path.read_bytes()
    if not raw.strip(b"\r\n\t \xef\xbb\xbf"):
        return None, [file_fault("empty_file", file, table=table.name)]
    if raw.startswith(_OTHER_FORMATS):
        return None, [file_fault("not_csv", file, table=table.name)]
    try:
        data = decode(raw).data
    except DecodeError as error:
        return None, [file_fault(error.code, file, table=table.name, row=error.line)]
    del raw
    delimiter, cells, row = _header(data, table)
    if row != 1:
        code = "header_below" if row else "header_missing"
        return None, [file_fault(code, file, table=table.name, row=row or None)]
    headings = read_headings(cells, table)
    faults = heading_faults(headings, table, file)
    if any(fault["severity"] == "stop" for fault in faults):
        return None, faults
    piece = _plain(data, delimiter, len(cells), headings, table, file)
    if piece is None:
        piece = _careful(data, delimiter, len(cells), headings, table, file)
    if not piece.n_read and not any(f["severity"] == "stop" for f in piece.faults):
        faults.append(file_fault("no_rows", file, severity="notice", table=table.name))
    return piece, faults


def _header(data: bytes, table: Table) -> tuple[str, list[str], int]:
    """Delimiter, header cells and the row they stand in (0: there is no header)."""
    head = "".join(itertools.islice(io.StringIO(data[:1_000_000].decode("utf-8", "ignore"),
                                                newline=""), _LOOK_DOWN))  # fmt: skip
    best = (0, 0, ",", [])
    for delimiter in DELIMITERS:
        for row, cells in enumerate(_records(head, delimiter), start=1):
            n = known(cells or [], table)
            # A sentence above the table may hold one known word; a header is mostly known words.
            if n > best[0] and (row == 1 or 2 * n > len([c for c in cells if c.strip()])):
                best = (n, row, delimiter, cells)
    return best[2], best[3], best[1]


def _records(body: str, delimiter: str) -> Iterator[list[str]]:
    """Records of a text; ``BROKEN`` for an unreadable one, ``OPEN`` for a quote without end."""
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error) or "field larger" in str(error):
                yield OPEN
                return
            yield BROKEN


def _plain(
    data: bytes, delimiter: str, width: int, headings: Headings, table: Table, file: str
) -> Piece | None:
    """The quick way; None where the file needs the careful one."""
    body = data.rstrip(b"\r\n \t")
    if b'"' in body or b"\n\n" in body or b"\n\r" in body or (b"\r" in body and b"\n" not in body):
        return None
    names = [f"c{at}" for at in range(width)]
    try:
        read = pacsv.read_csv(
            pa.BufferReader(body + b"\n"),
            pacsv.ReadOptions(skip_rows=1, column_names=names),
            pacsv.ParseOptions(delimiter=delimiter, quote_char=False, ignore_empty_lines=False),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, TEXT), strings_can_be_null=False,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid:
        return None
    rows = np.arange(2, read.num_rows + 2, dtype=np.int64)
    blank = np.ones(read.num_rows, bool)
    for column in read.columns:
        if not blank.any():
            break
        blank &= pc.binary_length(pc.utf8_trim_whitespace(column)).to_numpy() == 0
    if blank.any():
        read, rows = read.filter(pa.array(~blank)), rows[~blank]
    columns = {name: read.column(at) for name, at in headings.place.items()}
    return Piece(table, file, columns, headings.shown, rows)


def _careful(
    data: bytes, delimiter: str, width: int, headings: Headings, table: Table, file: str
) -> Piece:
    """Record by record; what can not be taken apart is a fault of its row."""
    chunks: dict[str, list[pa.Array]] = {name: [] for name in headings.place}
    numbers: list[np.ndarray] = []
    faults: list[dict[str, Any]] = []
    records = enumerate(_records(data.decode("utf-8"), delimiter), start=1)
    next(records)
    while batch := list(itertools.islice(records, _CHUNK)):
        kept, rows = [], []
        for row, cells in batch:
            code = _wrong(cells, width)
            if code:
                severity = "stop" if code == "quote_open" else "reject"
                detail = f"{len(cells)}/{width}" if code == "cells" else ""
                faults.append(file_fault(code, file, severity=severity, table=table.name, row=row,
                                         detail=detail))  # fmt: skip
            elif any(map(str.strip, cells)):
                kept.append(cells)
                rows.append(row)
        numbers.append(np.array(rows, np.int64))
        for name, at in headings.place.items():
            chunks[name].append(pa.array([cells[at] for cells in kept], TEXT))
    columns = {name: pa.chunked_array(parts, TEXT) for name, parts in chunks.items()}
    every = np.concatenate(numbers) if numbers else np.zeros(0, np.int64)
    return Piece(
        table, file, columns, headings.shown, every, n_broken=len(faults), faults=faults
    )  # fmt: skip


def _wrong(cells: list[str], width: int) -> str:
    """Fault code of a record, empty when its cells fit the header."""
    if cells is OPEN:
        return "quote_open"
    if cells is BROKEN:
        return "quote"
    fits = len(cells) == width or not any(map(str.strip, cells))
    # Programs that pad every line to the widest one leave empty cells behind.
    padded = len(cells) > width and not any(map(str.strip, cells[width:]))
    return "" if fits or padded else "cells"
