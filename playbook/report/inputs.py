"""Fingerprints of what a run worked on: data files, notebooks, code, configuration, versions.

They are written into ledger and manifest. Skipping what is already done compares these values;
nothing is ever judged by the time of a file.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import playbook
from playbook.report.files import sha256_file

_VERSIONS_OF = ("pandas", "numpy", "matplotlib", "papermill", "nbconvert", "zhplot")


def folder_hashes(folder: Path, pattern: str = "*") -> dict[str, str]:
    """SHA-256 by relative path of every file in ``folder`` (hidden files left out)."""
    return {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in sorted(folder.rglob(pattern))
        if path.is_file() and not any(part.startswith(".") for part in path.parts[-2:])
    }


def fingerprint(value: Mapping | str | bytes) -> str:
    """One SHA-256 over plain values, the same on every machine."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def code_fingerprint() -> str:
    """One SHA-256 over the package's own files: code, texts, presets, templates."""
    root = Path(playbook.__file__).parent
    kept = {".py", ".yaml", ".j2", ".css", ".json"}
    return fingerprint(
        {name: sha for name, sha in folder_hashes(root).items() if Path(name).suffix in kept}
    )


def versions() -> dict[str, str]:
    """Versions of Python, this package and the libraries that shape figures and pages."""
    found = {"python": ".".join(map(str, sys.version_info[:3])), "playbook": own_version()}
    return found | {name: metadata.version(name) for name in _VERSIONS_OF}


def own_version() -> str:
    """The version of this package."""
    return playbook.__version__
