"""Figures: a frame and the page go in, a matplotlib ``Figure`` comes out; nothing is shown here."""

from playbook.show.charts.base import Chart, unavailable
from playbook.show.charts.book import completeness, contribution, households
from playbook.show.charts.people import familiarity, personas, statuses
from playbook.show.charts.tiers import ladder, tier_history, tiers, trend, watch

__all__ = [
    "Chart",
    "completeness",
    "contribution",
    "familiarity",
    "households",
    "ladder",
    "personas",
    "statuses",
    "tier_history",
    "tiers",
    "trend",
    "unavailable",
    "watch",
]
