"""Faults: everything wrong with an export, as rows of one table.

A fault says where (file, row as a spreadsheet numbers it, column as the file heads it), what was
found (masked when personal), by which rule, and what became of it:

``stop`` the book can not be opened · ``reject`` the row is left out · ``notice`` the row stays;
an unusable value in a column that may be empty counts as empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from playbook import text
from playbook.book.mask import masked
from playbook.tables import TABLES, Column

#: Columns of a table of faults. ``code`` chooses the words; ``month``, ``difference`` (yuan) and
#: ``detail`` (never personal) are facts of single rules.
COLUMNS = (
    "file", "row", "column", "value", "rule", "severity", "table", "field", "code", "month",
    "difference", "detail",
)  # fmt: skip
_LISTED = 12
SEVERITIES = ("stop", "reject", "notice")

#: Rule id of every fault code.
RULES: Mapping[str, str] = {
    "no_folder": "FILE-01", "not_folder": "FILE-01", "no_tables": "FILE-01",
    "no_branch": "FILE-01", "which_branch": "FILE-01", "no_months": "FILE-01",
    "as_of": "FILE-01", "no_closed_month": "GAP-01",
    "unreadable": "FILE-02", "locked": "FILE-02", "not_excel": "FILE-02",
    "not_csv": "FILE-02", "damaged": "FILE-02",
    "empty_file": "FILE-03", "no_rows": "FILE-03",
    "encoding": "FILE-04", "nul": "FILE-04",
    "quote": "FILE-05", "quote_open": "FILE-05", "cells": "FILE-05",
    "twice": "FILE-06",
    "unknown_file": "FILE-07", "unknown_branch_file": "FILE-07",
    "table_missing": "FILE-08",
    "branch_differs": "FILE-09", "branch_unclear": "FILE-09",
    "column_missing": "HEAD-01", "heading_twice": "HEAD-02", "header_below": "HEAD-03",
    "header_missing": "HEAD-03",
    "column_forbidden": "PRIV-01", "column_suspicion": "AML-01", "column_unknown": "PRIV-02",
    "empty": "TYPE-01", "excel_error": "TYPE-02",
    "number": "TYPE-03", "whole_number": "TYPE-03", "percent": "TYPE-03",
    "money_text": "TYPE-04", "money_wan": "TYPE-04", "money_decimals": "TYPE-04",
    "money_exponent": "TYPE-04",
    "date": "TYPE-05", "date_impossible": "TYPE-05", "time": "TYPE-05",
    "month": "TYPE-06", "month_day": "TYPE-06", "month_day_full": "TYPE-06",
    "truth": "TYPE-07", "unknown_value": "TYPE-08", "id_exponent": "TYPE-09", "id_form": "TYPE-09",
    "below_least": "NUM-01",
    "key_repeated": "KEY-01", "key_conflict": "KEY-01", "two_branches": "KEY-02",
    "ref_missing": "REF-01", "ref_rejected": "REF-01",
    "maturity_before_start": "DATE-01", "close_before_open": "DATE-02",
    "withdrawn_before_granted": "DATE-03", "valid_before_assessed": "DATE-04",
    "ended_before_start": "DATE-05", "complaint_closed_early": "DATE-06",
    "referral_order": "DATE-07",
    "consent_future": "CONS-F",
    "funnel_reached": "FUN-01", "funnel_opened": "FUN-01", "funnel_need": "FUN-01",
    "funnel_proposal": "FUN-01",
    "attendance_order": "FUN-02",
    "self_referral": "REL-01",
    "sum_identity": "SUM-01", "sum_holdings": "SUM-02", "balance_after_close": "SUM-03",
    "month_gap": "GAP-01",
    "proposal_unassessed": "SUIT-02",
    "preset_unknown": "POL-01",
    "rule_skipped": "SKIP",
}  # fmt: skip


def empty() -> pd.DataFrame:
    """A table of faults without rows."""
    return _nothing().copy(deep=False)


@cache
def _nothing() -> pd.DataFrame:
    return _typed(pd.DataFrame(columns=list(COLUMNS), dtype=object))


def as_faults(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows of facts as a table of faults with the declared columns and dtypes."""
    return _typed(pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)) if rows else empty()


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    words = [c for c in COLUMNS if c not in ("row", "difference")]
    frame = frame.astype({"row": "Int64", "difference": "float64"} | dict.fromkeys(words, "str"))
    frame[words] = frame[words].fillna("")
    return frame


def file_fault(
    code: str, file: str = "", *, severity: str = "stop", table: str = "", row: int | None = None,
    column: str = "", detail: str = "",
) -> dict[str, Any]:
    """A fault of a whole file, or of the export."""  # fmt: skip
    return {
        "file": file, "row": row, "column": column, "rule": RULES[code], "severity": severity,
        "table": table, "code": code, "detail": detail,
    }  # fmt: skip


def row_faults(
    code: str,
    *,
    table: str,
    files: np.ndarray,
    rows: np.ndarray,
    severity: str,
    columns: np.ndarray | str = "",
    values: pd.Series | None = None,
    field: str = "",
    month: np.ndarray | str = "",
    difference: np.ndarray | None = None,
    detail: str = "",
) -> pd.DataFrame:
    """One fault per given row; ``values`` are masked here by the privacy class of ``field``."""
    n = len(rows)
    declared = TABLES[table].by_name.get(field)
    shown = masked(values, declared).to_numpy() if values is not None else np.full(n, "", object)
    frame = pd.DataFrame({
        "file": np.asarray(files, dtype=object), "row": np.asarray(rows, dtype=np.int64),
        "column": columns, "value": shown, "rule": RULES[code], "severity": severity,
        "table": table, "field": field, "code": code, "month": month,
        "difference": np.full(n, np.nan) if difference is None else difference, "detail": detail,
    }, index=range(n))  # fmt: skip
    return _typed(frame[list(COLUMNS)])


def gather(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Several tables of faults as one, ordered by table, file, row and column."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return empty()
    faults = pd.concat(filled, ignore_index=True)
    order = {name: at for at, name in enumerate(("", *TABLES))}
    return faults.sort_values(
        ["severity", "table", "file", "row", "field", "code"],
        key=lambda s: s.map(
            order if s.name == "table" else {"stop": 0, "reject": 1, "notice": 2}
        ) if s.name in ("table", "severity") else s,
        kind="stable", ignore_index=True,
    )  # fmt: skip


def sentence(fault: Mapping[str, Any], lang: str) -> str:
    """What is wrong and what to do about it, in ``lang``.

    ``fault`` is a row of a table of faults. The words are ``book.fault.<code>`` and
    ``book.fix.<code>``.
    """
    facts = _facts(fault, lang)
    said = text.t(f"book.fault.{fault['code']}", lang, **facts)
    todo = text.t(f"book.fix.{fault['code']}", lang, **facts)
    return f"{said}{todo}" if lang == "zh" else f"{said} {todo}"


def with_words(faults: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Faults with the columns ``problem`` and ``todo`` in ``lang``; equal facts are worded once."""
    facts = ["file", "row", "column", "value", "table", "field", "code", "month", "difference",
             "detail"]  # fmt: skip
    keys = pd.MultiIndex.from_frame(faults[facts].astype("str"))
    codes, _ = pd.factorize(keys)
    first = np.unique(codes, return_index=True)[1]
    rows = faults.iloc[first].to_dict("records")
    said, todo = [], []
    for row in rows:
        filled = _facts(row, lang)
        said.append(text.t(f"book.fault.{row['code']}", lang, **filled))
        todo.append(text.t(f"book.fix.{row['code']}", lang, **filled))
    return faults.assign(
        problem=np.array(said, dtype=object)[codes] if len(faults) else [],
        todo=np.array(todo, dtype=object)[codes] if len(faults) else [],
    )


def _facts(fault: Mapping[str, Any], lang: str) -> dict[str, Any]:
    table = TABLES.get(fault["table"])
    column = table.by_name.get(fault["field"]) if table else None
    row = fault["row"]
    join = "、" if lang == "zh" else ", "
    return {
        "file": fault["file"] or (table.label(lang) if table else ""),
        "row": "" if row is None or pd.isna(row) else int(row),
        "column": fault["column"] or (column.label(lang) if column else ""),
        "value": fault["value"],
        "table": table.label(lang) if table else "",
        "month": fault["month"],
        "difference": fault["difference"],
        "detail": fault["detail"].replace("、", join),
        "allowed": join.join(_values(column, lang)) if column else "",
        "least": f"{column.least:g}" if column and column.least is not None else "",
        "keys": join.join(table[name].label(lang) for name in table.key) if table else "",
        "needed": _needed(fault["value"], lang) if fault["code"] == "rule_skipped" else "",
        "target": TABLES[column.ref.split(".")[0]].label(lang) if column and column.ref else "",
    }


def listing(names: Sequence[str]) -> str:
    """Names in a row, the first dozen when there are many."""
    shown = "、".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} … ({len(names)})"


def _values(column: Column, lang: str) -> list[str]:
    """The coded values of a column, each with its name where it has one."""
    shown = []
    for code in column.allowed:
        key = f"name.{column.name}.{code}"
        name = text.t(key, lang) if text.has(key) else code
        brackets = "（{}）" if lang == "zh" else " ({})"
        shown.append(code if name == code else code + brackets.format(name))
    return shown


def _needed(name: str, lang: str) -> str:
    """A table's or ``table.column``'s label, for a rule that could not be checked."""
    table, _, column = name.partition(".")
    declared = TABLES[table]
    return declared[column].label(lang) if column else declared.label(lang)
