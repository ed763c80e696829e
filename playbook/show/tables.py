"""Tables for people: a frame and the page go in, an object a notebook can show comes out.

Everything from the data is escaped. Headings come from text keys ``show.column.<name>``, else
from the label the column has in :mod:`playbook.tables`. Money is shown in 万元, shares in per
cent, coded values by their names, client pseudonyms shortened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from playbook.show.pages import Page
from playbook.tables import TABLES
from playbook.text import count, date_text, has, percent, t, wan

#: What a column holds when the frame's dtype does not tell.
KINDS: Mapping[str, str] = {
    **{c.name: "money" for table in TABLES.values() for c in table.columns if c.type == "money"},
    **dict.fromkeys(
        (
            "aum",
            "aum_avg",
            "aum_end",
            "aum_before",
            "aum_after",
            "aum_change",
            "floor",
            "tier_floor",
            "floor_gap",
            "gap_amount",
            "severity",
            "difference",
        ),
        "money",
    ),
    **dict.fromkeys(
        ("share", "share_n", "share_aum", "filled", "stale", "empty", "near_share"), "share"
    ),
    **dict.fromkeys(
        (
            "client_id",
            "household_id",
            "lead_client_id",
            "referrer_id",
            "referrer_client_id",
            "referee_client_id",
        ),
        "client",
    ),
    "month": "month",
    "kyc_score": "score",
}
RIGHT = {"money", "share", "n", "score", "number"}
SHORT = {
    "client",
    "date",
    "month",
    "tier",
    "near_tier",
    "persona",
    "status",
    "familiarity",
    "adviser_id",
}
LONG = {"reason", "sentence"}
ADDED = {"money", "n"}
#: Numbers that describe one row and mean nothing added up.
NOT_ADDED = {
    "age",
    "familiarity_points",
    "floor",
    "months_left",
    "n_down",
    "row",
    "size",
    "tier_floor",
    "watch_months",
}


@dataclass(frozen=True)
class Shown:
    """A table ready to be looked at: texts only, in the reader's language.

    ``rows`` are lists of cells; ``right`` tells which columns hold numbers; ``classes`` are the
    style classes of the columns; ``foot`` holds the totals row or is empty; ``notes`` stand below
    the table.
    """

    heads: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: tuple[tuple[str, ...], ...] = ()
    caption: str = ""
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        def line(cells: Sequence[str], tag: str, scope: str = "") -> str:
            made = (
                f"<{tag}{scope}{name}>{escape(cell)}</{tag}>"
                for cell, name in zip(cells, classes, strict=True)
            )
            return f"<tr>{''.join(made)}</tr>"

        given = self.classes or ("",) * len(self.heads)
        classes = [f' class="{name}"' if name else "" for name in given]

        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        head = line(self.heads, "th", ' scope="col"')
        body = "".join(line(row, "td") for row in self.rows)
        foot = "".join(line(row, "td") for row in self.foot)
        foot = f"<tfoot>{foot}</tfoot>" if foot else ""
        notes = "".join(f'<p class="pb-note">{escape(note)}</p>' for note in self.notes)
        # Rows that end in a sentence are laid out in two lines where the page is narrow.
        worded = " pb-worded" if self.classes[-1:] == ("pb-text",) else ""
        return (
            f'<div class="pb-scroll"><table class="pb-table{worded}">{caption}<thead>{head}</thead>'
            f"<tbody>{body}</tbody>{foot}</table></div>{notes}"
        )

    def _repr_markdown_(self) -> str:
        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(_plain(cell) for cell in cells) + " |"

        rule = "| " + " | ".join("---:" if right else "---" for right in self.right) + " |"
        lines = [line(self.heads), rule, *map(line, self.rows), *map(line, self.foot)]
        title = [f"**{_plain(self.caption)}**", ""] if self.caption else []
        notes = [f"\n{_plain(note)}" for note in self.notes]
        return "\n".join([*title, *lines, *notes])

    def __repr__(self) -> str:
        rows = [self.heads, *self.rows, *self.foot]
        return "\n".join([*([self.caption] if self.caption else []), *map("  ".join, rows)])

    def __len__(self) -> int:
        return len(self.rows)


def table(
    frame: pd.DataFrame,
    page: Page,
    columns: Sequence[str] | None = None,
    total: bool = True,
    caption: str = "",
    limit: int | None = None,
    control: Mapping[str, float] | None = None,
) -> Shown:
    """``frame`` as a table for the reader of ``page``.

    ``columns`` picks and orders; ``total`` adds a row with the sums of counts and money over *all*
    rows of the frame, also those that ``limit`` leaves out (which the table says). ``control``
    gives what a column must sum to; a difference of a cent or more is shown in a row of its own,
    named "unexplained", rather than hidden (DESIGN rule 4).

    Raises ``KeyError`` when a wanted column is not in the frame.
    """
    names = list(columns) if columns is not None else list(frame.columns)
    chosen = frame[names]
    kinds = {name: _kind(name, chosen[name]) for name in names}
    part = chosen if limit is None else chosen.head(limit)
    cells = [_column(part[name], name, kinds[name], page) for name in names]
    notes = []
    if len(part) < len(chosen):
        notes.append(page.t("show.table.limited", shown=len(part), n=len(chosen)))
    foot = []
    if total and len(chosen) > 1 and any(_adds(name, kinds[name]) for name in names):
        sums = {n: _sum(chosen[n], kinds[n]) for n in names if _adds(n, kinds[n])}
        foot.append(_foot(names, sums, kinds, page.t("show.table.total")))
        wanted = {n: value for n, value in (control or {}).items() if n in sums}
        rest = {n: round(float(value) - float(sums[n]), 2) for n, value in wanted.items()}
        if any(rest.values()):
            foot.append(_foot(names, rest, kinds, page.t("show.table.unexplained")))
    return Shown(
        heads=tuple(heading(name, page.lang, kinds[name]) for name in names),
        right=tuple(kinds[name] in RIGHT for name in names),
        rows=tuple(zip(*cells, strict=True)) if len(part) else (),
        foot=tuple(foot),
        caption=caption,
        notes=tuple(notes if len(chosen) else [page.t("show.na.none")]),
        classes=tuple(_class(name, kinds[name]) for name in names),
    )


def heading(name: str, lang: str, kind: str = "") -> str:
    """The heading of a column, with the unit when it holds money."""
    key = f"show.column.{name}"
    if has(key):
        words = t(key, lang)
    else:
        label = next((tb[name].label(lang) for tb in TABLES.values() if name in tb.by_name), name)
        words = label
    return words + t("show.table.unit_wan", lang) if kind == "money" else words


def _class(name: str, kind: str) -> str:
    if kind in RIGHT:
        return "pb-num"
    return "pb-id" if kind in SHORT or name in SHORT else "pb-text" if name in LONG else ""


def _adds(name: str, kind: str) -> bool:
    return kind in ADDED and name not in NOT_ADDED


def _kind(name: str, values: pd.Series) -> str:
    if name in KINDS:
        return KINDS[name]
    if isinstance(values.dtype, pd.CategoricalDtype):
        return "code"
    if pd.api.types.is_bool_dtype(values.dtype):
        return "bool"
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return "date"
    if pd.api.types.is_integer_dtype(values.dtype):
        return "n"
    return "number" if pd.api.types.is_float_dtype(values.dtype) else "code"


def _column(values: pd.Series, name: str, kind: str, page: Page) -> list[str]:
    show = {
        "money": wan,
        "share": percent,
        "n": count,
        "score": lambda v: percent(v, 0).rstrip("%"),
        "number": lambda v: "—" if v != v else f"{v:,.2f}",
        "date": date_text,
        "month": lambda v: f"{v:%Y-%m}" if hasattr(v, "year") else str(v),
        "client": page.client,
        "bool": lambda v: page.t("show.yes" if v else "show.no"),
        "code": lambda v: page.name(name, v),
    }[kind]
    pairs = zip(values, values.isna(), strict=True)
    return ["—" if missing else show(value) for value, missing in pairs]


def _sum(values: pd.Series, kind: str) -> float:
    if kind == "money":
        # Whole cents: a sum of floats would not reconcile to the cent on a large book.
        return float((values.fillna(0).astype("float64") * 100).round().astype("int64").sum()) / 100
    return int(values.fillna(0).sum())


def _foot(
    names: Iterable[str], sums: Mapping[str, float], kinds: Mapping[str, str], label: str
) -> tuple[str, ...]:
    cells = [
        (wan(sums[n]) if kinds[n] == "money" else count(sums[n])) if n in sums else ""
        for n in names
    ]
    first = next((i for i, cell in enumerate(cells) if not cell), 0)
    cells[first] = label
    return tuple(cells)


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
