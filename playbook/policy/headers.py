"""Columns that may never be in a book, recognised by their headings (PRIV-01, AML-01)."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

import yaml

_FILE = Path(__file__).parent / "regulation" / "forbidden_columns.yaml"
_BETWEEN_CASES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_A_WORD = re.compile(r"[\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff]")


def forbidden(header: str) -> str | None:
    """The rule that forbids a column with this heading (``PRIV-01``, ``AML-01``), or ``None``.

    Width, case, blanks, underscores and other signs make no difference: ``ＩＤ　Ｎｕｍｂｅｒ``,
    ``id_number`` and ``IdNumber`` are one heading. The loader of a book refuses such a column
    before any of its values is looked at.
    """
    words = _words(header)
    joined = "".join(words)
    for rule, headings, parts, runs, allowed in _rules():
        if joined in allowed:
            continue
        if joined in headings or any(part in joined for part in parts):
            return rule
        if any(_has_run(words, run) for run in runs):
            return rule
    return None


def _words(header: str) -> tuple[str, ...]:
    text = unicodedata.normalize("NFKC", str(header))
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    text = _BETWEEN_CASES.sub(" ", text)
    return tuple(_NOT_A_WORD.sub(" ", text).casefold().split())


def _has_run(words: tuple[str, ...], run: tuple[str, ...]) -> bool:
    return any(words[at : at + len(run)] == run for at in range(len(words) - len(run) + 1))


@cache
def _rules() -> list[tuple[str, frozenset, tuple, tuple, frozenset]]:
    """Per rule: whole headings, parts of Chinese headings, runs of English words, exceptions."""
    listed = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    found = []
    for rule, entry in listed.items():
        joined = frozenset("".join(_words(heading)) for heading in entry["headings"])
        parts = tuple("".join(_words(part)) for part in entry["parts"] if _HAN.search(part))
        runs = tuple(_words(part) for part in entry["parts"] if not _HAN.search(part))
        allowed = frozenset("".join(_words(heading)) for heading in entry["allowed"])
        found.append((rule, joined, parts, runs, allowed))
    return found
