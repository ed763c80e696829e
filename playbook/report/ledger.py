"""The run ledger: one JSON object per line, only ever added to.

Lines of kind ``run`` say on which inputs a run worked, ``notebook`` and ``branch`` what came of
each, ``end`` how the run ended. No line holds a value of a client.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from pathlib import Path

from playbook.report import settings


def new_run_id(now: dt.datetime | None = None) -> str:
    """An id that sorts by start time and is not given twice: ``20260930T081500Z-1a2b3c``."""
    moment = now or dt.datetime.now(dt.UTC)
    return f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class Ledger:
    """Appends to ``ledger.jsonl`` of an output folder, one flushed write per line."""

    def __init__(self, out: Path, run_id: str) -> None:
        self.path = out / settings.LEDGER
        self.run_id = run_id

    def add(self, kind: str, **facts: object) -> None:
        """Adds one line with the run id and the time (UTC).

        Raises ``OSError`` when the line could not be written whole.
        """
        moment = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        entry = {"run": self.run_id, "kind": kind, "at": moment, **facts}
        line = json.dumps(entry, ensure_ascii=False, sort_keys=True).encode("utf-8") + b"\n"
        with self.path.open("a+b") as out:
            # A line that a stopped machine left half-written must not swallow this one.
            if out.tell() and not _ends_with_newline(out):
                line = b"\n" + line
            if out.write(line) != len(line):
                raise OSError(f"{self.path.name}: line not written whole")
            out.flush()
            os.fsync(out.fileno())


def _ends_with_newline(handle) -> bool:
    handle.seek(-1, os.SEEK_END)
    return handle.read(1) == b"\n"


def read(out: Path) -> list[dict]:
    """All whole lines of the ledger, oldest first; a half-written line is left out."""
    path = out / settings.LEDGER
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries
