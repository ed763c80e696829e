"""One client at a glance: every label with the reason it was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape

import pandas as pd

from playbook.show.pages import Page
from playbook.show.tables import Shown, table
from playbook.text import has, percent

QUESTIONS = ("why", "which", "what", "when", "where", "how")
LABELS = ("tier", "persona", "status", "familiarity")


@dataclass(frozen=True)
class Card:
    """Title and lines of one client's card; a line is its heading, its value and the reason."""

    title: str
    lines: tuple[tuple[str, str, str], ...]

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<dt>{escape(head)}</dt><dd>{escape(value)}"
            + (f'<span class="pb-why">{escape(why)}</span>' if why else "")
            + "</dd>"
            for head, value, why in self.lines
        )
        title = f'<div class="pb-card-title">{escape(self.title)}</div>'
        return f'<div class="pb-card">{title}<dl>{lines}</dl></div>'

    def __repr__(self) -> str:
        return "\n".join(
            [self.title, *(" ".join(part for part in line if part) for line in self.lines)]
        )


@dataclass(frozen=True)
class Cards:
    """Several cards side by side, and how many there are in all."""

    cards: tuple[Card, ...]
    note: str = ""

    def _repr_html_(self) -> str:
        note = f'<p class="pb-note">{escape(self.note)}</p>' if self.note else ""
        return f'<div class="pb-cards">{"".join(c._repr_html_() for c in self.cards)}</div>{note}'

    def __repr__(self) -> str:
        return "\n\n".join([*map(repr, self.cards), *([self.note] if self.note else [])])


def reason(row: Mapping[str, object], kind: str, page: Page) -> str:
    """Why the client of ``row`` has its label of ``kind``.

    ``kind`` is tier, persona, status, familiarity, or near (how far to the next tier).
    """
    key = "segment.near" if kind == "near" else f"segment.{kind}.{row.get(f'{kind}_reason')}"
    return page.t(key, **row) if has(key) else ""


def card(row: Mapping[str, object], page: Page) -> Card:
    """The card of one client; ``row`` is its row of ``Segments.clients``."""
    row = dict(row)
    labels = [
        (page.t(f"show.card.{kind}"), page.name(kind, row[kind]), reason(row, kind, page))
        for kind in LABELS
        if not _none(row.get(kind))
    ]
    assets = page.t("show.card.aum_value", aum_avg=row["aum_avg"], aum_end=row["aum_end"])
    file = page.t("show.card.file_value", score=percent(row.get("kyc_score"), 0).rstrip("%"))
    adviser = row.get("adviser_id")
    adviser = page.t("show.card.unassigned") if _none(adviser) else str(adviser)
    lines = [
        *labels,
        (page.t("show.card.aum"), assets, ""),
        (page.t("show.card.file"), file, ""),
        (page.t("show.card.adviser"), adviser, ""),
    ]
    return Card(page.t("show.card.title", client=page.client(str(row["client_id"]))), tuple(lines))


def people(
    clients: pd.DataFrame,
    page: Page,
    why: str,
    columns: tuple[str, ...] = (),
    limit: int = 10,
    caption: str = "",
) -> Shown:
    """The first ``limit`` clients of a list, each with the reason for its label of kind ``why``.

    ``clients`` are rows of ``Segments.clients`` in the order wanted; ``columns`` are shown between
    the client and the reason.
    """
    part = clients.head(limit)
    rows = part.to_dict("records")
    worded = part.assign(
        reason=pd.Series([reason(row, why, page) for row in rows], index=part.index, dtype="str")
    )
    shown = table(worded, page, ["client_id", *columns, "reason"], total=False, caption=caption)
    if len(part) == len(clients):
        return shown
    note = page.t("show.table.first", shown=len(part), n=len(clients))
    return replace(shown, notes=(note,))


def cards(frame: pd.DataFrame, page: Page, limit: int = 4) -> Cards:
    """The 5W1H cards of the first ``limit`` households (K08).

    ``frame`` is ``Segments.cards`` in the order wanted.
    """
    shown = tuple(_household(row, page) for row in frame.head(limit).to_dict("records"))
    left_out = len(shown) < len(frame)
    return Cards(
        shown, page.t("show.table.first", shown=len(shown), n=len(frame)) if left_out else ""
    )


def _household(row: Mapping[str, object], page: Page) -> Card:
    lines = [
        (page.t(f"show.column.{ask}"), page.t(f"segment.card.{ask}.{row[ask]}", **row), "")
        for ask in (*QUESTIONS, "topic")
    ]
    household = str(row["household_id"])
    # A household of one has no id of its own in the data; the client's stands for it.
    name = page.client(household.rpartition(":")[2])
    return Card(page.t("show.card.household", household=name), tuple(lines))


def coverage(frame: pd.DataFrame, page: Page) -> Shown:
    """Clients of each adviser; the last row is nobody's (K07). ``frame``: ``Segments.coverage``."""
    named = frame.assign(adviser_id=frame["adviser_id"].fillna(page.t("show.card.unassigned")))
    columns = ["adviser_id", "level", "n", "n_in_scope", "n_urgent", "aum_avg"]
    return table(named, page, columns)


def _none(value: object) -> bool:
    return value is None or value is pd.NA or value != value
