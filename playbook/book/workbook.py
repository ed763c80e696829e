"""The list of faults as an Excel workbook, for the people who correct the export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import pandas as pd
import xlsxwriter

from playbook.book import faults as fl
from playbook.book.check import CheckResult
from playbook.tables import TABLES
from playbook.text import t

#: So many faults are listed one by one; the summary counts all of them.
MOST_LISTED = 50_000
_LIST = ("severity", "table", "file", "row", "column", "value", "rule", "problem", "todo")
_LIST_WIDTHS = (10, 14, 26, 8, 18, 18, 10, 60, 60)
_COUNTS = ("table", "file", "rows_in", "accepted", "noticed", "rejected", "after_as_of",
           "other_branch", "superseded")  # fmt: skip
_COUNTS_WIDTHS = (16, 30, 12, 12, 14, 12, 16, 14, 18)
_KINDS = ("severity", "rule", "table", "column", "n", "problem", "todo")
_KINDS_WIDTHS = (10, 10, 14, 18, 10, 60, 60)
_A4 = 9  # Excel's number of the paper size
_LINE = 15  # points
_SAFE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write_faults_xlsx(result: CheckResult, path: str | Path, lang: str) -> Path:
    """Write what a check found: a sheet with the verdict, one with all faults, one with counts.

    The first :data:`MOST_LISTED` faults are listed; if there are more, the sheet says so. Values
    of personal columns are masked. Returns the path.
    """
    target = Path(path)
    with xlsxwriter.Workbook(str(target), _SAFE | {"constant_memory": True}) as book:
        looks = {
            "head": book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1,
                                     "text_wrap": True, "valign": "top"}),
            "bold": book.add_format({"bold": True}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
            "whole": book.add_format({"num_format": "#,##0", "valign": "top", "align": "right",
                                      "indent": 1}),
        }  # fmt: skip
        _summary(book, looks, result, lang)
        _list(book, looks, result, lang)
        counts = _labelled(result.counts, lang)
        _grid(book, looks, t("book.sheet.counts", lang), _COUNTS, _COUNTS_WIDTHS, counts, lang)
    return target


def verdict(result: CheckResult, lang: str) -> str:
    """The outcome of a check in one sentence."""
    if not result.usable:
        return t("book.summary.unusable", lang, stops=result.n("stop"))
    if result.clean:
        return t("book.summary.clean", lang)
    rejected = int(result.counts["rejected"].sum())
    return t("book.summary.faulty", lang, rejected=rejected, notices=result.n("notice"))


def kinds(result: CheckResult, lang: str) -> pd.DataFrame:
    """The summary in words: one line per kind of fault with its number and an example.

    Columns severity, rule, table, column, n, problem, todo, headed by codes
    (``book.head.<column>``), then file and row of the example.
    """
    found = result.summary()
    return _labelled(fl.with_words(found, lang), lang)[[*_KINDS, "file", "row"]]


def _summary(book: Any, looks: dict[str, Any], result: CheckResult, lang: str) -> None:
    sheet = book.add_worksheet(t("book.sheet.summary", lang))
    for place, width in enumerate(_KINDS_WIDTHS):
        sheet.set_column(place, place, width)
    facts = (
        ("source", result.source),
        ("as_of", f"{result.as_of}" if result.as_of else "—"),
        ("branches", ("、" if lang == "zh" else ", ").join(result.branches) or "—"),
        ("verdict", verdict(result, lang)),
    )
    for row, (key, value) in enumerate(facts):
        sheet.write_string(row, 0, t(f"book.summary.{key}", lang), looks["bold"])
        sheet.write_string(row, 2, value)
    _rows(sheet, looks, len(facts) + 1, _KINDS, _KINDS_WIDTHS, kinds(result, lang), lang)
    _printed(sheet, heading=len(facts) + 1)


def _list(book: Any, looks: dict[str, Any], result: CheckResult, lang: str) -> None:
    shown = fl.with_words(result.faults.head(MOST_LISTED), lang)
    name = t("book.sheet.faults", lang)
    sheet = _grid(book, looks, name, _LIST, _LIST_WIDTHS, _labelled(shown, lang), lang)
    if len(result.faults) > len(shown):
        said = t("book.summary.cut", lang, n=len(result.faults), shown=len(shown))
        sheet.write_string(len(shown) + 1, 0, said, looks["bold"])


def _grid(
    book: Any, looks: dict[str, Any], name: str, columns: tuple[str, ...],
    widths: tuple[int, ...], frame: pd.DataFrame, lang: str,
) -> Any:  # fmt: skip
    sheet = book.add_worksheet(name)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(frame), 1), len(columns) - 1)
    _rows(sheet, looks, 0, columns, widths, frame, lang)
    _printed(sheet, heading=0)
    return sheet


def _printed(sheet: Any, heading: int) -> None:
    """A4 across, all columns on one page, the heading row on each."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(heading)


def _rows(
    sheet: Any, looks: dict[str, Any], top: int, columns: tuple[str, ...],
    widths: tuple[int, ...], frame: pd.DataFrame, lang: str,
) -> None:  # fmt: skip
    heads = [t(f"book.head.{column}", lang) for column in columns]
    _heighten(sheet, top, heads, widths)
    for place, head in enumerate(heads):
        sheet.write_string(top, place, head, looks["head"])
    cells = zip(*(frame[column].astype(object) for column in columns), strict=True)
    for row, line in enumerate(cells, start=top + 1):
        _heighten(sheet, row, line, widths)
        for place, cell in enumerate(line):
            if isinstance(cell, str):
                sheet.write_string(row, place, cell, looks["wrap"])
            elif not pd.isna(cell):
                sheet.write_number(row, place, int(cell), looks["whole"])


def _heighten(sheet: Any, row: int, cells: Sequence[Any], widths: tuple[int, ...]) -> None:
    """As many lines as the longest cell needs; not every program finds that out by itself."""
    texts = zip(cells, widths, strict=True)
    lines = max(-(-_columns(text) // width) for text, width in texts if isinstance(text, str))
    if lines > 1:
        sheet.set_row(row, lines * _LINE)


def _columns(text: str) -> int:
    """Width of a text in Latin characters; a Chinese one takes two."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _labelled(frame: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Tables, columns and outcomes by their names in ``lang``; the file's own headings stay."""
    labels = {name: table.label(lang) for name, table in TABLES.items()}
    made = frame.assign(table=frame["table"].map(lambda name: labels.get(name, "")))
    if "severity" in frame:
        words = {code: t(f"book.severity.{code}", lang) for code in fl.SEVERITIES}
        made = made.assign(severity=frame["severity"].map(words))
    return made
