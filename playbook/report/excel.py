"""Writing a workbook that people work in: typed cells, drop-downs, print set-up, nothing clever.

A text is always a text, whatever its first sign: no formula, no link, no long id turned into a
number. The same tables give the same bytes: the file carries the day it is about, never the hour
it was written.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from playbook.report.files import write_atomic
from playbook.text import t
from playbook.text.numbers import YUAN_PER_WAN

Kind = Literal["text", "words", "date", "time", "wan", "yuan", "n", "number", "share"]

_FORMATS: Mapping[str, str] = {
    "date": "yyyy-mm-dd",
    "time": "hh:mm",
    "wan": "#,##0.00",
    "yuan": "#,##0.00",
    "n": "#,##0",
    "number": "0.0",
    "share": "0.0%",
}
_FONTS = {"zh": "Microsoft YaHei", "en": "Calibri"}
_INK, _LINE, _HEAD, _PAPER = "#1f2a37", "#d5dbe2", "#1f4e79", "#ffffff"
_AMBER, _RUST, _GREY = "#fbf3ec", "#b8561b", "#8a94a0"
_NARROW, _WIDE, _SENTENCE = 6, 24, 58
_LINE_HEIGHT = 15
_COVER_TEXT = 76
_LONGEST_TEXT = 32_000  # a cell holds 32,767 signs
_LONGEST_HEADER = 250  # Excel's limit for a page header is 255
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BAD_IN_NAME = re.compile(r"[\[\]:*?/\\]")
_LOOKS_LIKE_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Column:
    """One column of a sheet: the frame's column ``key`` under the heading ``head``.

    ``kind``: ``text`` ids and names · ``words`` sentences, wrapped · ``date`` · ``time`` · ``wan``
    yuan shown as 万元 · ``yuan`` · ``n`` whole numbers · ``number`` · ``share`` fractions as per
    cent. ``choices`` makes a drop-down; ``ask`` is what Excel says when the cell is entered,
    ``longest`` the most signs it takes. ``total`` adds the column up below the table.
    """

    key: str
    head: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    ask: str = ""
    longest: int = 0
    total: bool = False
    on_screen: bool = False


@dataclass(frozen=True)
class Sheet:
    """One table on one sheet. ``marks`` maps a value of a drop-down to the look of its row
    (``grey`` or ``amber``). ``empty`` is said where there is no row; ``note`` stands below."""

    name: str
    columns: tuple[Column, ...]
    frame: pd.DataFrame
    empty: str = ""
    note: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cover:
    """The first sheet: what the workbook is about, what adds up to what, what the words mean.

    ``facts`` pairs of label and value · ``sums`` a small table, heads first, whose last row is the
    total · ``words`` pairs of term and meaning · ``contents`` pairs of sheet and what is on it.
    """

    name: str
    title: str
    banner: str
    facts: Sequence[tuple[str, str]]
    sums_title: str = ""
    sums: Sequence[Sequence[str | int]] = ()
    sums_note: str = ""
    contents_title: str = ""
    contents: Sequence[tuple[str, str]] = ()
    words_title: str = ""
    words: Sequence[tuple[str, str]] = ()


def write_workbook(
    path: Path,
    sheets: Sequence[Sheet],
    lang: str,
    cover: Cover | None = None,
    head: str = "",
    as_of: dt.date | None = None,
) -> Path:
    """Writes ``sheets`` (after ``cover``) to ``path``, whole or not at all; returns the path.

    ``head`` (branch and month) is printed above every page, page numbers below. ``as_of`` is the
    day the file says it was made. Raises ``ValueError`` for two sheets of one name, and
    ``KeyError`` when a column is not in its frame.
    """
    import xlsxwriter  # a report that writes no workbook does not need it

    names = [sheet_name(s.name) for s in ([cover] if cover else [])] + [
        sheet_name(s.name) for s in sheets
    ]
    if len({name.lower() for name in names}) != len(names):
        raise ValueError(f"two sheets of one name: {names}")
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(
        memory,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": _FORMATS["date"],
            "default_format_properties": {"font_name": _FONTS[lang], "font_size": 10},
        },
    )
    day = as_of or dt.date(2000, 1, 1)
    book.set_properties(
        {
            "title": clean(cover.title if cover else names[0]),
            "author": "four-step-playbook",
            "created": dt.datetime(day.year, day.month, day.day),
        }
    )
    looks = _Looks(book, _FONTS[lang])
    if cover is not None:
        _cover(book.add_worksheet(names[0]), cover, looks, head, lang)
    for name, sheet in zip(names[1 if cover else 0 :], sheets, strict=True):
        _sheet(book.add_worksheet(name), sheet, looks, head, lang)
    book.close()
    write_atomic(Path(path), memory.getvalue())
    return Path(path)


def sheet_name(wanted: str) -> str:
    r"""``wanted`` as Excel allows it: 31 signs, none of ``[]:*?/\\``, no quote at its ends."""
    return _BAD_IN_NAME.sub(" ", clean(wanted)).strip("' ")[:31].strip("' ") or "-"


def clean(value: object) -> str:
    """Text for a cell: no control signs, no half characters, not longer than a cell takes."""
    text = _CONTROL.sub(" ", str(value))
    return text.encode("utf-8", "replace").decode("utf-8")[:_LONGEST_TEXT]


def width(text: str) -> int:
    """How many narrow signs wide ``text`` is; Chinese characters count two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


class _Looks:
    """The formats of a workbook, each made once."""

    def __init__(self, book, font: str) -> None:
        self._book, self._font, self._made = book, font, {}

    def get(self, **wanted: object):
        key = tuple(sorted(wanted.items()))
        if key not in self._made:
            base = {"font_name": self._font, "font_size": 10, "font_color": _INK, "valign": "top"}
            self._made[key] = self._book.add_format(base | wanted)
        return self._made[key]

    def change(self, **wanted: object):
        """A format for rows that fulfil a condition: only what changes."""
        return self._book.add_format(wanted)

    def cell(self, kind: Kind, **more: object):
        wanted: dict[str, object] = {"bottom": 1, "bottom_color": _LINE}
        if kind in _FORMATS:
            wanted["num_format"] = _FORMATS[kind]
        else:
            wanted |= {"num_format": "@", "text_wrap": kind == "words", "align": "left",
                       "indent": 1}  # fmt: skip
        if kind in ("date", "time"):
            wanted |= {"align": "left", "indent": 1}
        elif kind in _FORMATS:
            wanted["align"] = "right"
        return self.get(**(wanted | more))


def _sheet(page, sheet: Sheet, looks: _Looks, head: str, lang: str) -> None:
    rows = len(sheet.frame)
    last = max(len(sheet.columns) - 1, 0)
    page.set_row(0, 32)
    lines = [1] * rows
    for at, column in enumerate(sheet.columns):
        right = column.kind in ("wan", "yuan", "n", "number", "share")
        page.write_string(0, at, clean(column.head), looks.get(
            bold=True, font_color=_PAPER, bg_color=_HEAD, text_wrap=True, valign="vcenter",
            align="right" if right else "left", indent=0 if right else 1))  # fmt: skip
        values = sheet.frame[column.key]
        texts = _column(page, at, column, values, looks)
        wide = _wide(column, texts)
        page.set_column(at, at, wide, None)
        if column.kind == "words":
            needed = (-(-width(text) // int(wide)) for text in texts)
            lines = [max(pair) for pair in zip(lines, needed, strict=True)]
        if column.total and rows:
            _put(page, rows + 1, at, column.kind, float(values.sum()),
                 looks.cell(column.kind, bold=True, top=1))  # fmt: skip
        if rows and (column.choices or column.ask):
            page.data_validation(1, at, rows, at, _validation(column, lang))
    for row, n in enumerate(lines, 1):
        if n > 1:  # not every program makes room for a wrapped text by itself
            page.set_row(row, n * _LINE_HEIGHT)
    if rows:
        page.autofilter(0, 0, rows, last)
        _marks(page, sheet, looks, rows, last)
    else:
        page.write_string(1, 0, clean(sheet.empty), looks.get(italic=True, font_color=_GREY))
    if any(c.total for c in sheet.columns) and rows and not sheet.columns[0].total:
        look = looks.cell("text", bold=True, top=1)
        page.write_string(rows + 1, 0, t("workbook.total", lang), look)
    if sheet.note:
        page.write_string(rows + 3, 0, clean(sheet.note), looks.get(font_color=_GREY))
    page.freeze_panes(1, 0)
    page.repeat_rows(0)
    _print(page, head, sheet.name, lang)
    if sheet.columns[-1].on_screen:
        page.print_area(0, 0, rows + 4, last - 1)


def _column(page, at: int, column: Column, values: pd.Series, looks: _Looks) -> list[str]:
    """Writes one column; returns what it shows, for its width."""
    look = looks.cell(column.kind)
    quoted = looks.cell(column.kind, quote_prefix=True)
    missing = values.isna().to_numpy()
    texts = []
    for row, value in enumerate(values.tolist(), 1):
        if missing[row - 1]:
            page.write_blank(row, at, None, look)
            texts.append("")
        else:
            texts.append(_put(page, row, at, column.kind, value, look, quoted))
    return texts


def _put(page, row: int, at: int, kind: Kind, value: Any, look, quoted=None) -> str:
    if kind in ("text", "words"):
        text = clean(value)
        # The apostrophe that Excel hides: the cell stays a text when somebody edits it.
        risky = quoted is not None and text.startswith(_LOOKS_LIKE_FORMULA)
        page.write_string(row, at, text, quoted if risky else look)
        return text
    if kind == "date":
        page.write_datetime(row, at, pd.Timestamp(value).to_pydatetime(), look)
        return "2026-09-30"
    if kind == "time":
        page.write_datetime(row, at, pd.Timestamp(value).time(), look)
        return "09:00"
    number = float(value) / (YUAN_PER_WAN if kind == "wan" else 1)
    page.write_number(row, at, number, look)
    return f"{number:,.2f}" if kind in ("wan", "yuan") else f"{number:,.1f}"


def _wide(column: Column, texts: Sequence[str]) -> float:
    # Room for the filter arrow; a heading may take two lines.
    halves = column.head.split("\n")
    most = max(map(width, halves))
    head = max(_NARROW, most if len(halves) > 1 else (most + 1) // 2 + 3)
    body = max([width(text) for text in (*texts, *column.choices)], default=0) + 2
    return min(max(head, body), _SENTENCE if column.kind == "words" else _WIDE)


def _validation(column: Column, lang: str) -> dict[str, object]:
    rule: dict[str, object] = {"ignore_blank": True}
    if column.choices:
        rule |= {"validate": "list", "source": list(column.choices), "error_type": "stop",
                 "error_title": t("workbook.choose.title", lang),
                 "error_message": t("workbook.choose.message", lang)}  # fmt: skip
    else:
        rule |= {"validate": "length", "criteria": "<=", "value": column.longest,
                 "error_title": t("workbook.short.title", lang),
                 "error_message": column.ask}  # fmt: skip
    if column.ask:
        rule |= {"input_title": column.head[:32], "input_message": column.ask}
    return rule


def _marks(page, sheet: Sheet, looks: _Looks, rows: int, last: int) -> None:
    from xlsxwriter.utility import xl_col_to_name

    for at, column in enumerate(sheet.columns):
        for value, mark in sheet.marks.items():
            if value in column.choices:
                look = {"font_color": _GREY} if mark == "grey" else {"bg_color": _AMBER}
                page.conditional_format(1, 0, rows, last, {
                    "type": "formula", "criteria": f'=${xl_col_to_name(at)}2="{value}"',
                    "format": looks.change(**look)})  # fmt: skip


def _cover(page, cover: Cover, looks: _Looks, head: str, lang: str) -> None:
    page.hide_gridlines(2)
    page.set_column(0, 0, 22)
    page.set_column(1, 1, _COVER_TEXT)
    page.set_column(2, 4, 14)
    plain, grey = looks.get(text_wrap=True), looks.get(font_color=_GREY, text_wrap=True)
    part = looks.get(bold=True, font_color=_HEAD, font_size=12, bottom=1, bottom_color=_HEAD)
    title = looks.get(bold=True, font_size=18, font_color=_HEAD)
    page.set_row(0, 30)
    page.write_string(0, 0, clean(cover.title), title)
    row = 1
    if cover.banner:
        look = looks.get(
            bg_color=_AMBER, text_wrap=True, border=1, border_color=_RUST, valign="vcenter"
        )
        page.merge_range(row, 0, row, 4, "", look)
        page.write_string(row, 0, clean(cover.banner), look)
        page.set_row(row, 34)
        row += 2
    for label, value in cover.facts:
        page.write_string(row, 0, clean(label), grey)
        _line(page, row, value, plain)
        row += 1
    if cover.sums:
        row = _heading(page, row, cover.sums_title, part)
        row = _sums(page, row, cover.sums, looks)
        if cover.sums_note:
            page.merge_range(row, 0, row, 4, "", grey)
            page.write_string(row, 0, clean(cover.sums_note), grey)
            row += 1
    for title, pairs in ((cover.contents_title, cover.contents), (cover.words_title, cover.words)):
        if pairs:
            row = _heading(page, row, title, part)
            for label, value in pairs:
                if pairs is cover.contents:
                    target = f"internal:'{sheet_name(label)}'!A1"
                    link = looks.get(font_color=_HEAD, underline=1)
                    page.write_url(row, 0, target, link, clean(label))
                else:
                    page.write_string(row, 0, clean(label), looks.get(bold=True))
                _line(page, row, value, plain)
                row += 1
    _print(page, head, cover.name, lang)
    page.fit_to_pages(1, 1)


def _line(page, row: int, value: str, look) -> None:
    page.write_string(row, 1, clean(value), look)
    page.set_row(row, _LINE_HEIGHT * max(1, -(-width(value) // (_COVER_TEXT - 4))))


def _heading(page, row: int, title: str, look) -> int:
    for at in range(5):
        page.write_blank(row + 1, at, None, look)
    page.write_string(row + 1, 0, clean(title), look)
    return row + 2


def _sums(page, row: int, sums: Sequence[Sequence[str | int]], looks: _Looks) -> int:
    for at_row, line in enumerate(sums):
        first, final = at_row == 0, at_row == len(sums) - 1
        for at, value in enumerate(line):
            more = {"bold": first or final} | ({"top": 1} if final else {})
            if isinstance(value, str):
                side = {"align": "left" if at < 2 else "right", "indent": 0}
                page.write_string(row, at, clean(value), looks.cell("text", **side, **more))
            else:
                page.write_number(row, at, value, looks.cell("n", **more))
        row += 1
    return row


def _print(page, head: str, name: str, lang: str) -> None:
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.4, right=0.4, top=0.75, bottom=0.6)
    safe = clean(head).replace("&", "&&"), clean(name).replace("&", "&&")
    page.set_header(f"&L{safe[0]}&R{safe[1]}"[:_LONGEST_HEADER])
    page.set_footer(f"&L{t('workbook.inside', lang)}&R&P / &N")
