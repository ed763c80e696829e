"""The plan in words: why a row is there, why the gate stopped it, and one client's plan card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from playbook.plan.rows import TIER_FACTS
from playbook.show.cards import Card
from playbook.show.pages import Page

QUESTIONS = ("why", "which", "what", "when", "where", "how")
DETAILS = ("goal", "action", "owner", "best_time", "materials", "success", "next")
_GATE = "gate_"


def plan_page(page: Page) -> Page:
    """``page`` with the names that the facts of planned rows need: their tier codes, too."""
    names = {**page.names, **{kind: page.names.get("tier", {}) for kind in TIER_FACTS}}
    return replace(page, names=names)


def facts_of(row: Mapping[str, object]) -> dict[str, object]:
    """The row's columns as facts of a sentence; a missing value is ``None``, shown as a dash."""
    return {str(k): None if v is pd.NA or v is pd.NaT else v for k, v in row.items()}


def row_reason(row: Mapping[str, object], page: Page) -> str:
    """Why the intended row is there; ``row`` has the columns of ``Plan.rows``."""
    return plan_page(page).t(f"plan.reason.{row['reason']}", **facts_of(row))


def gate_reason(row: Mapping[str, object], page: Page) -> str:
    """Why the gate stopped the row, from its ``gate_*`` columns."""
    own = {k.removeprefix(_GATE): v for k, v in row.items() if k.startswith(_GATE)}
    facts = facts_of({**row, **own})
    return plan_page(page).t(f"gate.reason.{row['gate_reason']}", **facts)


def plan_card(row: Mapping[str, object], page: Page) -> Card:
    """The plan card of one client (K15); ``row`` is its row of ``playbook.plan.card.cards``."""
    page = plan_page(page)
    facts = facts_of(row)
    facts["adviser"] = "—" if pd.isna(row["adviser_id"]) else row["adviser_id"]

    def line(field: str) -> tuple[str, str, str]:
        head = page.t(f"plancard.field.{field}")
        if field == "why" and row["why"] == "row":
            return head, row_reason(row, page), ""
        if field == "best_time":
            return head, page.name("best_time", row["best_time"]), ""
        return head, page.t(f"plancard.{field}.{row[field]}", **facts), ""

    title = page.t("plancard.title", client=page.client(str(row["client_id"])))
    return Card(title, tuple(line(field) for field in (*QUESTIONS, *DETAILS)))
