"""Finding and filling the words.

A template names its facts in braces. ``{gap:money}`` formats a fact as money, ``:pct`` as per
cent, ``:reached`` as per cent of a goal, ``:n`` as a count, ``:date`` as a date, ``:name`` looks
the value up as a word of its own (the fact ``tier`` with the value ``T3`` and the template
``{tier:name}`` reads ``name.tier.T3`` unless the caller passes names of its own).
"""

from __future__ import annotations

import os
import string
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

import yaml

from playbook.text import numbers

LANGS = ("zh", "en")


@cache
def entries() -> Mapping[str, Mapping[str, str]]:
    """All entries of all files: key → ``{"zh": …, "en": …}``. A key given twice is an error."""
    found: dict[str, Mapping[str, str]] = {}
    folder = resources.files("playbook.text")
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".yaml"):
            continue
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        for key, pair in (yaml.load(file.read_text(encoding="utf-8"), loader) or {}).items():
            if key in found:
                raise ValueError(f"text key given twice: {key} (second time in {file.name})")
            found[key] = pair
    return found


def has(key: str) -> bool:
    """Whether there is an entry for ``key``."""
    return key in entries()


def keys_under(prefix: str) -> list[str]:
    """All keys that start with ``prefix``, in the order of the files."""
    return [key for key in entries() if key.startswith(prefix)]


def language(wanted: str | None = None) -> str:
    """``zh`` or ``en``: what was asked for, else ``PLAYBOOK_LANG``, else Chinese."""
    for choice in (wanted, os.environ.get("PLAYBOOK_LANG")):
        if choice:
            short = choice.lower().split("_")[0].split("-")[0]
            if short in LANGS:
                return short
    return "zh"


class _Filler(string.Formatter):
    def __init__(self, lang: str, names: Mapping[str, Mapping[str, str]]) -> None:
        self.lang = lang
        self.names = names
        self._field = ""

    def get_field(self, field_name, args, kwargs):
        self._field = field_name
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value, format_spec):
        if format_spec == "money":
            return numbers.money(value, self.lang)
        if format_spec == "pct":
            return numbers.percent(value)
        if format_spec == "reached":
            return numbers.reached(value)
        if format_spec == "n":
            return numbers.count(value)
        if format_spec == "date":
            return numbers.date_text(value)
        if format_spec == "name":
            own = self.names.get(self._field, {})
            if str(value) in own:
                return own[str(value)]
            key = f"name.{self._field}.{value}"
            return t(key, self.lang) if has(key) else str(value)
        return super().format_field(value, format_spec)


def t(
    key: str, /, lang: str, names: Mapping[str, Mapping[str, str]] | None = None, **facts: object
) -> str:
    """The words of ``key`` in ``lang`` with ``facts`` filled in.

    ``names`` gives words for the values of single facts, for example a bank's own tier names:
    ``{"tier": {"T3": "金"}}``. Raises ``KeyError`` for an unknown key, a missing language or a
    fact that the template needs and did not get.
    """
    template = entries()[key][lang]
    return _Filler(lang, names or {}).vformat(template, (), facts) if "{" in template else template


def word_rows(
    prefix: str,
    codes: Iterable[str],
    rows: Iterable[Mapping[str, object]],
    lang: str,
    names: Mapping[str, Mapping[str, str]] | None = None,
) -> list[str]:
    """One sentence per row: ``prefix + code`` filled with the row's own columns as facts.

    For pages and sheets, whose rows are few; nothing of the method calls this.
    """
    return [
        t(f"{prefix}{code}", lang, names, **row) for code, row in zip(codes, rows, strict=True)
    ]
