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
    familiarity,
    households,
    ladder,
    personas,
    statuses,
    tier_history,
    tiers,
    trend,
    unavailable,
    watch,
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
from playbook.show.tables import Shown, table

__all__ = [
    "Card",
    "Chart",
    "Findings",
    "Health",
    "Page",
    "Picker",
    "Shown",
    "Styles",
    "WhatIf",
    "card",
    "cards",
    "completeness",
    "contribution",
    "counts",
    "coverage",
    "division",
    "familiarity",
    "faults",
    "file_groups",
    "findings",
    "head",
    "households",
    "ladder",
    "page",
    "parameters",
    "people",
    "personas",
    "statuses",
    "stylesheet",
    "table",
    "tier_history",
    "tier_summary",
    "tiers",
    "top_missing",
    "trend",
    "unavailable",
    "unavailable_figures",
    "watch",
]


def __getattr__(name: str):
    # ipywidgets takes a third of a second to import and no report needs it.
    if name in ("Health", "Picker", "WhatIf"):
        return getattr(import_module("playbook.show.widgets"), name)
    raise AttributeError(name)
