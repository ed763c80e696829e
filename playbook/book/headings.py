"""Which declared column each heading of a file means.

Headings may be the column's name, its Chinese or its English label; width, case, blanks, hyphens
and underscores do not matter. What is not declared is left out and told (PRIV-02); what must never
be in a book stops it (PRIV-01, AML-01).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from playbook.book.faults import file_fault
from playbook.book.values import normal
from playbook.policy import forbidden
from playbook.tables import TABLES, Table


@dataclass(frozen=True)
class Headings:
    """What a header row says.

    ``place`` column name → position, ``shown`` column name → heading as it stands in the file,
    ``unknown`` headings without meaning here, ``twice`` headings that name a column again,
    ``refused`` heading → rule id.
    """

    place: dict[str, int] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)


@cache
def meanings(table: str) -> dict[str, str]:
    """Normal form of every heading of a table → column name."""
    return {
        normal(word): column.name
        for column in TABLES[table].columns
        for word in (column.name, column.zh, column.en)
    }


def known(cells: Sequence[object], table: Table) -> int:
    """How many cells of a row are headings of ``table``."""
    words = meanings(table.name)
    return sum(1 for cell in cells if normal(str(cell)) in words)


def read_headings(cells: Sequence[object], table: Table) -> Headings:
    """Read a header row of ``table``."""
    words = meanings(table.name)
    place: dict[str, int] = {}
    shown: dict[str, str] = {}
    unknown, twice, refused = [], [], {}
    for at, cell in enumerate(cells):
        heading = "" if cell is None else str(cell).strip()
        if not heading:
            continue
        name = words.get(normal(heading))
        if name is None:
            rule = forbidden(heading)
            if rule:
                refused[heading] = rule
            else:
                unknown.append(heading)
        elif name in place:
            twice.append(heading)
        else:
            place[name], shown[name] = at, heading
    return Headings(place, shown, tuple(unknown), tuple(twice), refused)


def heading_faults(
    headings: Headings, table: Table, file: str, *, complete: bool = True, row: int = 1
) -> list[dict[str, Any]]:
    """What is wrong with a header row: missing, doubled, unknown and forbidden columns."""
    found = [
        file_fault(
            "column_suspicion" if rule == "AML-01" else "column_forbidden",
            file, table=table.name, column=heading, row=row,
        )
        for heading, rule in headings.refused.items()
    ]  # fmt: skip
    found += [
        file_fault("heading_twice", file, table=table.name, column=heading, row=row)
        for heading in headings.twice
    ]
    found += [
        file_fault("column_missing", file, table=table.name) | {"field": name}
        for name in lacking_columns(table, headings.place, complete=complete)
    ]
    found += [
        file_fault("column_unknown", file, severity="notice", table=table.name, column=heading,
                   row=row)
        for heading in headings.unknown
    ]  # fmt: skip
    return found


def lacking_columns(table: Table, there: Collection[str], *, complete: bool) -> list[str]:
    """Columns of ``table`` that must be there and are not.

    ``complete`` asks for all but the optional ones, as of a file; else those that may be empty
    can be left out too. The branch may come from the file's name or the client.
    """
    return [
        column.name
        for column in table.columns
        if column.name not in there
        and not column.optional
        and not (column.nullable and not complete)
        and not (column.name == "branch_id" and table.name != "branches")
    ]
