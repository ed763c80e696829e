"""What reading one file, or one sheet of a file, gives: cells not yet typed, with their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from playbook.book.values import NO_VALUE, TEXT
from playbook.tables import Table

#: A row without a branch is everybody's: it has to be told, and nobody else would.
NAMELESS = NO_VALUE


@dataclass
class Piece:
    """One file's part of a table.

    ``columns`` column name → cells; ``shown`` column name → heading in the file; ``rows`` the row
    of each record as a spreadsheet numbers it; ``branch`` and ``month`` (``YYYYMM``) from the file
    name; ``serials`` whether numbers may be Excel days. ``n_other`` rows belong to other branches,
    ``n_broken`` rows could not be taken apart into cells (their faults are in ``faults``).
    """

    table: Table
    file: str
    columns: dict[str, pa.ChunkedArray]
    shown: Mapping[str, str]
    rows: np.ndarray
    branch: str | None = None
    month: str | None = None
    serials: bool = False
    n_other: int = 0
    n_broken: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)

    @property
    def n_read(self) -> int:
        """All data rows of the file."""
        return len(self.rows) + self.n_other + self.n_broken

    def keep_branches(self, named: Sequence[str], *, others: bool = False) -> None:
        """Keep the rows of the branches ``named``, with ``others`` all rows but theirs.

        Done before anything is typed; what is dropped is counted in ``n_other``.
        """
        cells = self.columns.get("branch_id")
        if cells is None:
            return
        if isinstance(cells.type, pa.DictionaryType):
            cells = cells.cast(cells.type.value_type)
        words = pc.fill_null(pc.utf8_trim_whitespace(cells.cast(TEXT)), "")
        kept = pc.is_in(words, pa.array(list(named), TEXT)).to_numpy().astype(bool) ^ others
        if kept.all():
            return
        self.n_other += int((~kept).sum())
        self.rows = self.rows[kept]
        mask = pa.array(kept)
        self.columns = {name: cells.filter(mask) for name, cells in self.columns.items()}
