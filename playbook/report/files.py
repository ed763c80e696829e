"""Files that are whole or not there: atomic writing, publishing by rename, hashes, one lock.

Layout of an output folder::

    index.html              the reports by branch
    ledger.jsonl            what was run, when, on what, with what outcome (append-only)
    B01_2026-09-30_zh/      one published report: page, executed notebooks, manifest.json
    failed/B01_zh/          what a failed branch left: notebook up to the error, error.log
    .attempts/<run>/        work in progress; only a broken-off run leaves anything here
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playbook.report import settings
from playbook.report.errors import ReportError

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SET_ASIDE = "was-"


def safe_id(value: str) -> str:
    """``value`` when it may be part of a file name; else :class:`ReportError` ``unsafe_id``."""
    if not _SAFE.fullmatch(value):
        raise ReportError("unsafe_id", settings.NOTHING)
    return value


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes the whole file or nothing: a temporary file beside it, fsync, rename."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder, and its rename is already journaled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def write_manifest(folder: Path, facts: dict) -> None:
    """Writes ``manifest.json``: ``facts``, and hash and size of every other file of the folder."""
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": sha256_file(path), "bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != settings.MANIFEST
    }  # fmt: skip
    text = json.dumps({**facts, "files": files}, ensure_ascii=False, indent=1, sort_keys=True)
    write_atomic(folder / settings.MANIFEST, text + "\n")


def read_manifest(folder: Path) -> dict | None:
    """The manifest of a published folder, or nothing when it is missing or not readable."""
    try:
        manifest = json.loads((folder / settings.MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and "files" in manifest else None


def is_whole(folder: Path) -> bool:
    """Whether every file of the manifest is there with its hash. This alone means "done"."""
    manifest = read_manifest(folder)
    if manifest is None:
        return False
    try:
        return all(
            sha256_file(folder / name) == entry["sha256"]
            for name, entry in manifest["files"].items()
        )
    except OSError:
        return False


def publish(attempt: Path, target: Path, run_folder: Path) -> None:
    """Makes ``attempt`` the published ``target`` by one rename.

    An older report is first moved into ``run_folder``; :func:`recover` brings it back should the
    machine stop between the two renames. Raises ``ReportError`` ``locked_file`` when the system
    will not let the old folder go (a file of it is open in another program on Windows).
    """
    aside = run_folder / f"{_SET_ASIDE}{target.name}"
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        try:
            target.rename(aside)
        except PermissionError as error:
            raise ReportError("locked_file", settings.SOME, file=target.name) from error
    try:
        attempt.rename(target)
    except BaseException:
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
    _sync_folder(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def recover(out: Path) -> None:
    """Clears what broken-off runs left, and brings back reports they had moved aside.

    Only to be called while the lock of ``out`` is held.
    """
    attempts = out / settings.ATTEMPTS
    for aside in sorted(attempts.glob(f"*/{_SET_ASIDE}*")):
        target = out / aside.name.removeprefix(_SET_ASIDE)
        if not target.exists():
            aside.rename(target)
    shutil.rmtree(attempts, ignore_errors=True)


@contextmanager
def only_run(out: Path) -> Iterator[None]:
    """Holds the output folder for one run; a second run gets ``ReportError`` ``busy``.

    The operating system lets go of the lock when the process ends, however it ends.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / settings.LOCK).open("a+b") as handle:
        try:
            _lock(handle)
        except OSError as error:
            raise ReportError("busy", settings.BUSY) from error
        try:
            yield
        finally:
            _unlock(handle)


if os.name == "nt":
    import msvcrt

    def _lock(handle) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(handle) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle) -> None:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle) -> None:
        fcntl.flock(handle.fileno(), fcntl.LOCK_UN)
