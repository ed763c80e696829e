"""Reading a workbook: one table per file, or one sheet per table."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, PasswordError, load_workbook

from playbook.book.faults import file_fault
from playbook.book.headings import heading_faults, known, read_headings
from playbook.book.piece import Piece
from playbook.book.sources import Source, read_name
from playbook.book.values import TEXT
from playbook.tables import TABLES, Table

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_LOOK_DOWN = 20
_EXACT_WHOLE = 1e15


def sheets(source: Source) -> tuple[list[tuple[Source, str]], list[dict[str, Any]]]:
    """The sheets of a workbook that hold tables, each as a source with the sheet's name."""
    book, faults = _open(source)
    if book is None:
        return [], faults
    with book:
        names = list(book.sheet_names)
    found = []
    for name in names:
        named = read_name(name)
        if named:
            shown = source.file if source.table else f"{source.file}!{name}"
            part = Source(source.path, shown, "excel", named.table,
                          named.branch or source.branch, named.month or source.month)  # fmt: skip
            found.append((part, name))
    if source.table:
        own = [(part, name) for part, name in found if part.table == source.table]
        # A file named after a table holds that table: in the sheet of that name, else in the first.
        return [(source, own[0][1] if own else names[0])], faults
    if not found:
        faults.append(file_fault("unknown_file", source.file, severity="notice"))
    return found, faults


def read_sheet(source: Source, sheet: str) -> tuple[Piece | None, list[dict[str, Any]]]:
    """One sheet as a piece of its table, with the faults that concern the sheet as a whole."""
    table, file = TABLES[source.table], source.file
    book, faults = _open(source)
    if book is None:
        return None, faults
    with book:
        try:
            grid = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        except CalamineError:
            return None, [file_fault("damaged", file, table=table.name)]
    if not any(_filled(line) for line in grid):
        return None, [file_fault("empty_file", file, table=table.name)]
    row = _header_row(grid, table)
    if row != 1:
        code = "header_below" if row else "header_missing"
        return None, [file_fault(code, file, table=table.name, row=row or None)]
    headings = read_headings(grid[0], table)
    faults = heading_faults(headings, table, file)
    if any(fault["severity"] == "stop" for fault in faults):
        return None, faults
    filled = [at for at, line in enumerate(grid) if at and _filled(line)]
    columns = {
        name: pa.chunked_array([pa.array([_text(grid[at][place]) for at in filled], TEXT)])
        for name, place in headings.place.items()
    }
    if not filled:
        faults.append(file_fault("no_rows", file, severity="notice", table=table.name))
    rows = np.array(filled, np.int64) + 1
    return Piece(table, file, columns, headings.shown, rows, serials=True), faults


def _open(source: Source) -> tuple[Any, list[dict[str, Any]]]:
    """The workbook, or the fault that says why it can not be read."""
    head = _head(source.path)
    if not head:
        return None, [file_fault("empty_file", source.file, table=source.table)]
    if not head.startswith((_ZIP, _OLE)):
        return None, [file_fault("not_excel", source.file, table=source.table)]
    try:
        return load_workbook(str(source.path)), []
    except PasswordError:
        code = "locked"
    except (CalamineError, OSError):
        # An encrypted .xlsx is wrapped in the container that .xls files used.
        wrapped = head.startswith(_OLE) and source.path.suffix.lower() != ".xls"
        code = "locked" if wrapped else "damaged"
    return None, [file_fault(code, source.file, table=source.table)]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _filled(line: list[Any]) -> bool:
    return any(cell is not None and str(cell).strip() for cell in line)


def _header_row(grid: list[list[Any]], table: Table) -> int:
    best = (0, 0)
    for row, line in enumerate(grid[:_LOOK_DOWN], start=1):
        n = known(line, table)
        if n > best[0] and (row == 1 or 2 * n > sum(1 for c in line if str(c).strip())):
            best = (n, row)
    return best[1]


def _text(cell: Any) -> str:
    """A cell as its reader sees it: whole numbers without point, at most fifteen digits."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, (int, float)):
        if abs(cell) < _EXACT_WHOLE:
            return str(int(cell)) if cell == int(cell) else format(cell, ".15g")
        return format(cell, "e")
    if isinstance(cell, (dt.date, dt.datetime)):
        return cell.isoformat()
    return str(cell)
