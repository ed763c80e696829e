"""The data dictionary, written from the declarations in :mod:`playbook.tables`.

A person reads it as Markdown, a program as ``schema.json``; both say what the loader accepts.
"""

from __future__ import annotations

import json
import re
from typing import Any

from playbook import text
from playbook.tables import TABLES, Column, Table
from playbook.text import t


def data_dictionary(lang: str) -> str:
    """All tables and columns as Markdown in ``lang``."""
    return "\n\n".join(_section(table, lang) for table in TABLES.values())


def schema() -> dict[str, Any]:
    """All tables and columns as plain data: names, labels, types, units, keys, privacy, values."""
    return {
        table.name: {
            "zh": table.zh,
            "en": table.en,
            "required": table.required,
            "scope": table.scope,
            "columns": [_described(column) for column in table.columns],
        }
        for table in TABLES.values()
    }


def schema_json() -> str:
    """:func:`schema` as the text of ``schema.json``."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


def filled(page: str) -> str:
    """A page with the dictionary of each language written between its markers.

    Markers are ``<!-- dictionary:zh -->`` and ``<!-- /dictionary:zh -->``, the same with ``en``.
    Raises ``ValueError`` when a pair is missing.
    """
    for lang in text.LANGS:
        pattern = rf"(<!-- dictionary:{lang} -->\n).*?(<!-- /dictionary:{lang} -->)"
        body = f"\n{data_dictionary(lang)}\n\n"
        page, n = re.subn(
            pattern, lambda found, body=body: found[1] + body + found[2], page, flags=re.DOTALL
        )
        if n != 1:
            raise ValueError(f"markers dictionary:{lang} found {n} times")
    return page


def _described(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "zh": column.zh,
        "en": column.en,
        "type": column.type,
        "unit": column.unit,
        "key": column.key,
        "nullable": column.nullable,
        "optional": column.optional,
        "privacy": column.privacy,
        "allowed": list(column.allowed),
        "least": column.least,
        "ref": column.ref,
        "cut": column.cut,
    }


def _section(table: Table, lang: str) -> str:
    other = "en" if lang == "zh" else "zh"
    traits = [
        t("book.dictionary.required" if table.required else "book.dictionary.not_required", lang),
        t(f"book.dictionary.scope.{table.scope}", lang),
    ]
    heads = ("column", "label", "type", "unit", "key", "empty", "privacy", "note")
    lines = [
        f"#### `{table.name}` {table.label(lang)} ({table.label(other)})",
        "",
        ("，" if lang == "zh" else ", ").join(traits) + ("。" if lang == "zh" else "."),
    ]
    note = table.note_zh if lang == "zh" else table.note_en
    if note:
        lines[-1] += ("" if lang == "zh" else " ") + note
    lines += ["", _row(t(f"book.dictionary.{head}", lang) for head in heads),
              _row("---" for _ in heads)]  # fmt: skip
    lines += [_row(_cells(column, lang)) for column in table.columns]
    return "\n".join(lines)


def _row(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(column: Column, lang: str) -> list[str]:
    yes = t("book.dictionary.yes", lang)
    empty = yes if column.nullable else ""
    if column.optional:
        empty = t("book.dictionary.optional", lang)
    label = column.zh if lang == "zh" else f"{column.en} ({column.zh})"
    unit = t(f"book.unit.{column.unit}", lang) if column.unit else ""
    kind = t(f"book.type.{column.type}", lang)
    return [f"`{column.name}`", label, kind, unit, yes if column.key else "", empty,
            column.privacy, _note(column, lang)]  # fmt: skip


def _note(column: Column, lang: str) -> str:
    parts = []
    if column.allowed:
        words = [_value(column, code, lang) for code in column.allowed]
        parts.append(("、" if lang == "zh" else ", ").join(words))
    if column.least is not None:
        parts.append(t("book.dictionary.least", lang, least=f"{column.least:g}"))
    if column.ref:
        parts.append(t("book.dictionary.ref", lang, ref=f"`{column.ref}`"))
    if column.cut != "keep":
        parts.append(t(f"book.dictionary.cut.{column.cut}", lang))
    if column.blanks:
        names = "、".join(f"`{name}`" for name, _ in column.blanks)
        parts.append(t("book.dictionary.blanks", lang, others=names))
    return ("；" if lang == "zh" else "; ").join(parts)


def _value(column: Column, code: str, lang: str) -> str:
    key = f"name.{column.name}.{code}"
    if not text.has(key) or text.t(key, lang) == code:
        return f"`{code}`"
    return f"`{code}` {text.t(key, lang)}"
