"""Charts, tables, cards and widgets: a frame and the page go in, something to look at comes out.

>>> page = show.page(book, segments, lang="zh")                 # doctest: +SKIP
>>> show.tiers(segments.clients, page)                          # doctest: +SKIP

Nothing here computes a figure of the method; it names, sums for display, and draws.
"""

from __future__ import annotations

from importlib import import_module

from playbook.show.cards import Card, card, cards, coverage, people
from playbook.show.charts import (
    Chart,
    completeness,
    contribution,
    due,
    familiarity,
    gated,
    households,
    ladder,
    month,
    personas,
    statuses,
    tier_history,
    tiers,
    trend,
    unavailable,
    undone,
    watch,
    workload,
)
from playbook.show.data import (
    Styles,
    counts,
    faults,
    head,
    parameters,
    stylesheet,
    unavailable_figures,
)
from playbook.show.findings import Findings, findings
from playbook.show.frames import division, file_groups, tier_summary, top_missing
from playbook.show.pages import Page, page
from playbook.show.plan_tables import (
    arithmetic,
    dated,
    found,
    held_out,
    matrix,
    next_cards,
    not_done,
    one_more_hour,
    plan_findings,
    plan_gaps,
    reconciled,
    stopped,
)
from playbook.show.tables import Shown, table

__all__ = [
    "Away",
    "Card",
    "Chart",
    "Findings",
    "Health",
    "Items",
    "Page",
    "Picker",
    "ServiceMatrix",
    "Shown",
    "Styles",
    "WhatIf",
    "arithmetic",
    "card",
    "cards",
    "completeness",
    "contribution",
    "counts",
    "coverage",
    "dated",
    "division",
    "due",
    "familiarity",
    "faults",
    "file_groups",
    "findings",
    "found",
    "gated",
    "head",
    "held_out",
    "households",
    "ladder",
    "matrix",
    "month",
    "next_cards",
    "not_done",
    "one_more_hour",
    "page",
    "parameters",
    "people",
    "personas",
    "plan_findings",
    "plan_gaps",
    "reconciled",
    "statuses",
    "stopped",
    "stylesheet",
    "table",
    "tier_history",
    "tier_summary",
    "tiers",
    "top_missing",
    "trend",
    "unavailable",
    "unavailable_figures",
    "undone",
    "watch",
    "workload",
]


def __getattr__(name: str):
    # ipywidgets takes a third of a second to import and no report needs it.
    if name in ("Health", "Picker", "WhatIf"):
        return getattr(import_module("playbook.show.widgets"), name)
    if name in ("Away", "Items", "ServiceMatrix"):
        return getattr(import_module("playbook.show.plan_widgets"), name)
    raise AttributeError(name)
