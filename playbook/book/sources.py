"""Which files of a folder hold which tables, told by their names alone; nothing is opened here.

``clients.csv`` · ``clients_B01.csv`` · ``clients_202609.csv`` · ``clients_B01_202609.csv``, with
the Chinese name of the table as well (``客户_B01.csv``), as CSV (also .txt, .tsv), Excel or
Parquet; a folder ``balances_monthly/`` of Parquet files, also partitioned (``branch_id=B01/``); an
Excel workbook with one sheet per table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playbook.book.faults import as_faults, file_fault
from playbook.book.model import BookError
from playbook.book.values import normal
from playbook.tables import TABLES

KINDS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "csv", ".xlsx": "excel", ".xlsm": "excel",
    ".xlsb": "excel", ".xls": "excel", ".parquet": "parquet",
}  # fmt: skip
#: Files that look like data; when their name says nothing, that is told.
_DATA = (".csv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".parquet", ".zip", ".gz", ".7z", ".rar")
_PARTITION = re.compile(r"^branch_id=(?P<branch>.+)$")
_BRANCH = re.compile(r"^[A-Za-z0-9_-]{1,32}$")
_MONTH = re.compile(r"^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])$")
MARKER = "SYNTHETIC"
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """A file that holds (part of) a table. ``table`` is empty for a workbook of several sheets."""

    path: Path
    file: str
    kind: str
    table: str = ""
    branch: str | None = None
    month: str | None = None


@dataclass(frozen=True)
class Named:
    """What a file's or a sheet's name says."""

    table: str
    branch: str | None = None
    month: str | None = None


@cache
def _table_names() -> tuple[tuple[str, str], ...]:
    words = {(normal(w), t.name) for t in TABLES.values() for w in (t.name, t.zh, t.en)}
    return tuple(sorted(words, key=lambda pair: -len(pair[0])))


def read_name(stem: str) -> Named | None:
    """Table, branch and month of a name such as ``clients_B01_202609``; None without a table."""
    parts = stem.strip().split("_")
    for taken in range(len(parts), 0, -1):
        table = dict(_table_names()).get(normal("_".join(parts[:taken])))
        if table is None:
            continue
        rest = parts[taken:]
        month = rest.pop() if rest and _MONTH.match(rest[-1]) else None
        branch = "_".join(rest) or None
        if branch is None or _BRANCH.match(branch):
            return Named(table, branch, month)
    return None


def folder_of(data: str | Path) -> Path:
    """The folder meant by ``data``: a path, or the name of a shipped data set.

    A relative path is looked for from here and from the project. Raises :class:`BookError`.
    """
    given = Path(data)
    choices = [given, PROJECT / given]
    if given.name == str(given):
        choices.append(PROJECT / "datasets" / given)
    for choice in choices:
        if choice.is_dir():
            return choice
    code = "not_folder" if given.is_file() else "no_folder"
    raise BookError(as_faults([file_fault(code, given.name)]))


def is_synthetic(folder: Path) -> bool:
    """Whether the data are made up: shipped with the project, or a file ``SYNTHETIC`` says so."""
    return (folder / MARKER).is_file() or (PROJECT / "datasets") in folder.resolve().parents


def find(folder: Path) -> tuple[list[Source], list[dict[str, Any]]]:
    """All sources of a folder in the order of their names, and the faults of names."""
    sources: list[Source] = []
    faults: list[dict[str, Any]] = []
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name.startswith((".", "~$", "_")):
            continue
        if path.is_dir():
            sources += _dataset(path)
            continue
        suffix = path.suffix.lower()
        kind = KINDS.get(suffix)
        named = read_name(path.stem) if kind else None
        if named:
            sources.append(
                Source(path, path.name, kind, named.table, named.branch, named.month)
            )
        elif kind == "excel":
            sources.append(Source(path, path.name, kind))
        elif suffix in _DATA:
            faults.append(file_fault("unknown_file", path.name, severity="notice"))
    if not sources:
        faults.append(file_fault("no_tables", folder.name))
    return sources, faults


def _dataset(folder: Path) -> list[Source]:
    """A folder of Parquet files as the parts of one table."""
    named = read_name(folder.name)
    if named is None:
        return []
    found = []
    for path in sorted(folder.rglob("*.parquet")):
        branch = named.branch
        for part in path.relative_to(folder).parts[:-1]:
            told = _PARTITION.match(part)
            branch = told["branch"] if told else branch
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        found.append(Source(path, name, "parquet", named.table, branch, named.month))
    return found


def twice(sources: list[Source]) -> list[dict[str, Any]]:
    """Tables that are there more than once, so that rows would be counted double.

    Parts must be alike: all with a branch in the name or none, all with a month or none, and no
    two for the same branch and month. The files of one Parquet folder are parts of one table.
    """
    faults = []
    for table in TABLES:
        mine = [s for s in sources if s.table == table]
        parts = [(s.branch, s.month) for s in mine]
        folders = {s.file.split("/")[0] for s in mine if "/" in s.file}
        loose = [s for s in mine if "/" not in s.file]
        shapes = {(s.branch is None, s.month is None) for s in mine}
        doubled = len(set(parts)) < len(parts) and bool(loose)
        if len(shapes) > 1 or doubled or len(folders) > 1 or (folders and loose):
            named = [s.file for s in loose] + sorted(folders)
            faults.append(file_fault("twice", named[0], table=table, detail="、".join(named[:6])))
    return faults
