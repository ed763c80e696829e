"""Reading a Parquet file: for one branch only the row groups that can hold its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from playbook.book.faults import file_fault
from playbook.book.headings import heading_faults, read_headings
from playbook.book.piece import Piece
from playbook.book.sources import Source
from playbook.tables import TABLES

_MAGIC = b"PAR1"

#: Whether a row group whose branches run from the first to the second has to be read.
Wanted = Callable[[str, str], bool]


def read_parquet(
    source: Source, wanted: Wanted | None = None
) -> tuple[Piece | None, list[dict[str, Any]]]:
    """One Parquet file as a piece; row groups of branches that are not ``wanted`` stay unread.

    Rows are numbered as if the file were a sheet with a header.
    """
    table = TABLES[source.table]
    try:
        with source.path.open("rb") as raw:
            head = raw.read(4)
        if not head:
            return None, [file_fault("empty_file", source.file, table=table.name)]
        if head != _MAGIC:
            return None, [file_fault("damaged", source.file, table=table.name)]
        with pq.ParquetFile(source.path) as file:
            headings = read_headings(file.schema_arrow.names, table)
            faults = heading_faults(headings, table, source.file)
            if any(fault["severity"] == "stop" for fault in faults):
                return None, faults
            groups = _groups(file, headings.place.get("branch_id"), wanted)
            names = file.schema_arrow.names
            read = file.read_row_groups(
                groups, columns=[names[at] for at in headings.place.values()]
            )
            sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    except (pa.ArrowException, OSError):
        return None, [file_fault("damaged", source.file, table=table.name)]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    parts = [np.arange(starts[at], starts[at + 1]) for at in groups]
    rows = (np.concatenate(parts) if parts else np.zeros(0, np.int64)) + 2
    columns = {name: read.column(names[at]) for name, at in headings.place.items()}
    if not starts[-1]:
        faults.append(file_fault("no_rows", source.file, severity="notice", table=table.name))
    other = int(starts[-1]) - len(rows)
    return Piece(table, source.file, columns, headings.shown, rows, n_other=other), faults


def n_rows(source: Source) -> int:
    """Rows of a Parquet file by its own account, 0 where it can not be read."""
    try:
        return pq.read_metadata(source.path).num_rows
    except (pa.ArrowException, OSError):
        return 0


def _groups(file: pq.ParquetFile, place: int | None, wanted: Wanted | None) -> list[int]:
    """Row groups whose recorded range of branches does not rule them out."""
    every = range(file.num_row_groups)
    if place is None or wanted is None:
        return list(every)
    return [at for at in every if _may_hold(file.metadata.row_group(at).column(place), wanted)]


def _may_hold(chunk: Any, wanted: Wanted) -> bool:
    known = chunk.is_stats_set and chunk.statistics.has_min_max
    if not known or chunk.statistics.null_count:
        return True
    return wanted(chunk.statistics.min, chunk.statistics.max)
