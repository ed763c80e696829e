"""Figures: a frame and the page go in, a matplotlib ``Figure`` comes out; nothing is shown here."""

from playbook.show.charts.base import Chart, unavailable
from playbook.show.charts.book import completeness, contribution, households
from playbook.show.charts.people import familiarity, personas, statuses
from playbook.show.charts.plan import due, gated, month, undone, workload
from playbook.show.charts.tiers import ladder, tier_history, tiers, trend, watch

__all__ = [
    "Chart",
    "completeness",
    "contribution",
    "due",
    "familiarity",
    "gated",
    "households",
    "ladder",
    "month",
    "personas",
    "statuses",
    "tier_history",
    "tiers",
    "trend",
    "unavailable",
    "undone",
    "watch",
    "workload",
]
