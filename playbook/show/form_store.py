"""Filled forms on disk: one line per saving, never changed, read back before it counts as saved.

Every line carries a checksum of its content. A correction is a new line that names the entry it
corrects; what is shown is the latest line of each entry. A line that was cut off by a power failure
is left where it is and not read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd


class StoreError(OSError):
    """What was written could not be read back: nothing was confirmed."""


def path_of(folder: Path, kind: str) -> Path:
    """The file that holds the forms of ``kind`` in the workspace ``folder``."""
    return Path(folder) / "forms" / f"{kind}.jsonl"


def save(
    folder: Path, kind: str, row: Mapping[str, object], corrects: str = "",
    clock: Callable[[], dt.datetime] = dt.datetime.now,
) -> str:  # fmt: skip
    """Appends ``row`` and returns the id of its entry once it is on the disk.

    ``corrects`` is the entry that this row replaces; it keeps its id. Raises ``KeyError`` when
    there is no such entry, ``OSError`` when the disk does not take it.
    """
    path = path_of(folder, kind)
    if corrects and corrects not in set(load(folder, kind)["entry"]):
        raise KeyError(corrects)
    entry = corrects or secrets.token_hex(8)
    line = _line({"entry": entry, "saved_at": f"{clock():%Y-%m-%dT%H:%M:%S}", "row": dict(row)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():
            file.seek(-1, os.SEEK_END)
            # Behind a broken line a new one begins.
            line = line if file.read(1) == b"\n" else b"\n" + line
        at = file.seek(0, os.SEEK_END)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
        file.seek(at)
        if line not in file.read():
            raise StoreError(f"{path.name}: not written whole")
    return entry


def load(folder: Path, kind: str) -> pd.DataFrame:
    """The latest version of every entry, in the order of their first saving.

    Columns ``entry``, ``saved_at`` (text), ``versions`` (how often it was saved), ``line`` (where
    the latest version stands in the file), ``row`` (dict).
    Lines that do not fit their checksum are left out. A missing file is an empty table.
    """
    path = path_of(folder, kind)
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    found: dict[str, dict[str, object]] = {}
    for number, line in enumerate(lines, 1):
        made = _read(line)
        if made is not None:
            before = found.get(made["entry"], {"versions": 0})
            versions = int(before["versions"]) + 1
            found[made["entry"]] = {**made, "versions": versions, "line": number}
    columns = ["entry", "saved_at", "versions", "line", "row"]
    return pd.DataFrame([{c: v[c] for c in columns} for v in found.values()], columns=columns)


def broken(folder: Path, kind: str) -> int:
    """How many lines of the file could not be read."""
    path = path_of(folder, kind)
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    return sum(bool(line.strip()) and _read(line) is None for line in lines)


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def _line(content: Mapping[str, object]) -> bytes:
    text = json.dumps(content, ensure_ascii=True, sort_keys=True)
    return json.dumps({"sum": _sum(text), "content": text}).encode("ascii") + b"\n"


def _read(line: bytes) -> dict | None:
    try:
        outer = json.loads(line)
        whole = _sum(outer["content"]) == outer["sum"]
        made = json.loads(outer["content"]) if whole else None
    except (ValueError, KeyError, TypeError):
        return None
    return made if made and {"entry", "saved_at", "row"} <= set(made) else None
