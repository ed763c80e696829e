"""A learner's folder: fresh copies where nothing was changed, the learner's own work untouched."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: What was laid down last, by file name, so that a learner's change can be told from an old copy.
RECORD = ".laid.json"
#: Where a fresh start puts what was there before.
BEFORE = "before-{n}"


@dataclass(frozen=True)
class Laid:
    """What :func:`lay` did with each file, by name."""

    new: tuple[str, ...]
    renewed: tuple[str, ...]
    kept: tuple[str, ...]
    put_aside: str


def lay(folder: Path, files: Mapping[str, str], fresh: bool = False) -> Laid:
    """Lays ``files`` (name → content) into ``folder`` without losing anything a learner wrote.

    A missing file is written. One that is still as it was laid down is renewed when the content
    is newer. One that was changed is kept. ``fresh`` first moves all of them into a folder
    ``before-1``, ``before-2`` …. Raises ``OSError`` when the folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = {} if fresh else _record(folder)
    aside = _put_aside(folder, files) if fresh else ""
    new, renewed, kept = [], [], []
    for name, content in files.items():
        path = folder / name
        fingerprint = _fingerprint(content.encode("utf-8"))
        if not path.exists():
            _write(path, content)
            new.append(name)
        elif _fingerprint(path.read_bytes()) == fingerprint:
            renewed.append(name)
        elif _fingerprint(path.read_bytes()) == record.get(name):
            _write(path, content)
            renewed.append(name)
        else:
            kept.append(name)
            continue
        record[name] = fingerprint
    _write(folder / RECORD, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return Laid(tuple(new), tuple(renewed), tuple(kept), aside)


def _fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _record(folder: Path) -> dict[str, str]:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = None
    # Without a good record every file counts as the learner's own: nothing is overwritten.
    return record if isinstance(record, dict) else {}


def _put_aside(folder: Path, files: Mapping[str, str]) -> str:
    there = [name for name in files if (folder / name).exists()]
    if not there:
        return ""
    n = 1
    while (folder / BEFORE.format(n=n)).exists():
        n += 1
    aside = folder / BEFORE.format(n=n)
    aside.mkdir()
    for name in there:
        (folder / name).rename(aside / name)
    return aside.name


def _write(path: Path, content: str) -> None:
    half = path.with_name(f".{path.name}.part")
    with half.open("w", encoding="utf-8", newline="\n") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
