"""What a change of the policy would do to the book: two segmentations side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.show import style
from playbook.show.charts.base import Chart, drawn, sheet
from playbook.show.pages import Page


def by_tier(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Clients and AUM of each tier before and after.

    ``before`` and ``after``: the clients of two segmentations of the same book, with ``client_id``,
    ``tier`` and ``aum_avg``. Columns: ``tier``, ``n_before``, ``n_after``, ``n_change``,
    ``aum_before``, ``aum_after``, ``aum_change`` (yuan).
    """
    parts = [
        frame.groupby("tier", observed=False)["aum_avg"].agg(["size", "sum"])
        for frame in (before, after)
    ]
    old, new = parts
    new = new.reindex(old.index, fill_value=0)
    return pd.DataFrame(
        {
            "tier": old.index,
            "n_before": old["size"].to_numpy(),
            "n_after": new["size"].to_numpy(),
            "n_change": new["size"].to_numpy() - old["size"].to_numpy(),
            "aum_before": old["sum"].to_numpy(dtype=float),
            "aum_after": new["sum"].to_numpy(dtype=float),
            "aum_change": np.round(new["sum"].to_numpy(float) - old["sum"].to_numpy(float), 2),
        }
    )


def moves(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, float]:
    """Who moves: ``moved``, ``up``, ``down`` (clients), ``aum`` (yuan, month average of those who
    change tier), ``near0``, ``near1``, ``joined`` (in-scope clients near the next tier before,
    after, newly), ``scope0`` and ``scope1`` (clients in scope before and after)."""
    both = before.merge(after, on="client_id", suffixes=("_0", "_1"), validate="one_to_one")
    old, new = both["tier_0"].cat.codes, both["tier_1"].cat.codes
    # In scope only, like the findings and the near-threshold list on the same page.
    near0 = both["near_tier_0"].notna() & both["in_scope_0"]
    near1 = both["near_tier_1"].notna() & both["in_scope_1"]
    return {
        "moved": int((old != new).sum()),
        "up": int((new > old).sum()),
        "down": int((new < old).sum()),
        "aum": float(both.loc[old != new, "aum_avg_0"].sum()),
        "near0": int(near0.sum()),
        "near1": int(near1.sum()),
        "joined": int((near1 & ~near0).sum()),
        "scope0": int(both["in_scope_0"].sum()),
        "scope1": int(both["in_scope_1"].sum()),
    }


@drawn
def effect(table: pd.DataFrame, page: Page, moved: int) -> Chart:
    """Clients by tier before (light) and after (dark); ``table`` as from :func:`by_tier`."""
    title = page.t("show.chart.effect.title")
    alt = page.t("show.chart.effect.alt", moved=moved)
    chart = sheet(
        title, [page.t("show.chart.effect.note"), page.scope()], 0.42 * len(table) + 0.1, alt
    )
    axes = chart.subplots()
    places = np.arange(len(table))
    axes.barh(places + 0.19, table["n_before"], height=0.36, color=style.GREY)
    axes.barh(places - 0.19, table["n_after"], height=0.36, color=style.BLUE)
    most = max(int(table[["n_before", "n_after"]].to_numpy().max()), 1)
    for place, n0, n1 in zip(places, table["n_before"], table["n_after"], strict=True):
        says = page.t("show.chart.effect.pair", n0=int(n0), n1=int(n1))
        axes.annotate(
            says,
            (max(n0, n1), place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
        )
    axes.set_xlim(0, most * 1.25)
    axes.set_xticks([])
    axes.set_yticks(places, page.named("tier", table["tier"]))
    axes.spines["bottom"].set_visible(False)
    return chart
