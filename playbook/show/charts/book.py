"""Figures of the whole book: households, files, concentration (K08–K10)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from playbook.show import style
from playbook.show.charts.base import Chart, bars, drawn, empty, sheet
from playbook.show.pages import Page
from playbook.text import percent, wan


@drawn
def completeness(scores: pd.DataFrame, page: Page) -> Chart:
    """How complete and fresh the client files are, group by group (K09).

    ``scores``: one row per group with ``group``, ``filled``, ``stale`` and ``empty``, shares of
    the group's fields over all clients counted, which sum to one; ``n`` clients counted.
    """
    title = page.t("show.chart.files.title")
    if scores.empty:
        return empty(page, title)
    rows = scores.set_index("group")
    rows = rows.reindex([g for g in page.order("group", rows.index) if g in rows.index]).iloc[::-1]
    worst = rows["filled"].idxmin()
    alt = page.t("show.chart.files.alt", group=worst, share=float(rows.loc[worst, "filled"]))
    notes = [
        page.t("show.chart.files.note"),
        page.partial("completeness"),
        page.scope(int(rows["n"].max())),
    ]
    chart = sheet(title, notes, 0.32 * len(rows) + 0.45, alt)
    axes = chart.subplots()
    places, start = np.arange(len(rows)), np.zeros(len(rows))
    for column, colour in (("filled", style.BLUE), ("stale", "#e3b98a"), ("empty", "#e9edf1")):
        values = rows[column].to_numpy(dtype=float)
        axes.barh(places, values, left=start, color=colour, height=0.66)
        for place, value, begin in zip(places, values, start, strict=True):
            if value >= 0.07:
                axes.text(
                    begin + value / 2,
                    place,
                    percent(value, 0),
                    ha="center",
                    va="center",
                    fontsize=style.SMALL,
                    color=style.on(colour),
                )
        start = start + values
    top = rows.iloc[-1]
    middles = (
        np.cumsum([0, top["filled"], top["stale"]])
        + np.array([top["filled"], top["stale"], top["empty"]]) / 2
    )
    names = [page.t(f"show.chart.files.{part}") for part in ("filled", "stale", "empty")]
    colours = (style.BLUE, style.WARM, style.MUTED)
    for x, name, colour in zip(np.clip(middles, 0.05, 0.95), names, colours, strict=True):
        axes.annotate(
            name,
            (x, len(rows) - 0.55),
            ha="center",
            va="bottom",
            fontsize=style.SMALL,
            color=colour,
            annotation_clip=False,
        )
    axes.set_yticks(places, page.named("group", rows.index))
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.5, len(rows) - 0.1)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    return chart


@drawn
def contribution(curve: pd.DataFrame, figures: Mapping[str, float], page: Page) -> Chart:
    """The contribution curve: which share of AUM the largest clients hold (K10).

    ``curve``: ``rank_share`` and ``amount_share``, cumulative from the largest client, 0 to 1.
    ``figures``: ``n_top`` clients hold ``top_amount_share`` of the AUM; ``gini`` 0 equal … near 1.
    """
    title = page.t("show.chart.contribution.title")
    n = len(curve) - 1
    if n < 1:
        return empty(page, title)
    gini, top_aum = figures["gini"], figures["top_amount_share"]
    top_share = figures["n_top"] / n
    alt = page.t("show.chart.contribution.alt", top=top_share, share=top_aum, gini=f"{gini:.2f}")
    chart = sheet(title, [page.t("show.chart.contribution.note"), page.scope(n)], 2.8, alt)
    axes = chart.subplots()
    axes.plot(curve["rank_share"], curve["amount_share"], color=style.BLUE, linewidth=2)
    axes.plot([0, 1], [0, 1], color=style.FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot([top_share, top_share, 0], [0, top_aum, top_aum], color=style.WARM, linewidth=1)
    axes.plot([top_share], [top_aum], "o", color=style.WARM, markersize=5)
    axes.annotate(
        page.t("show.chart.contribution.top", top=top_share, share=top_aum),
        (top_share, top_aum),
        xytext=(10, -14),
        textcoords="offset points",
        va="top",
        color=style.WARM,
        linespacing=1.4,
    )
    axes.annotate(
        page.t("show.chart.contribution.equal"),
        (0.62, 0.60),
        va="top",
        fontsize=style.SMALL,
        color=style.MUTED,
    )
    axes.annotate(
        page.t("show.chart.contribution.gini", gini=f"{gini:.2f}"),
        (0.98, 0.06),
        ha="right",
        fontsize=style.BASE,
        color=style.INK,
    )
    ticks = np.linspace(0, 1, 6)
    # The two axes meet at nought: one label is enough there.
    axes.set_xticks(ticks, ["", *(percent(tick, 0) for tick in ticks[1:])])
    axes.set_yticks(ticks, [percent(tick, 0) for tick in ticks])
    axes.tick_params(labelsize=style.SMALL, labelcolor=style.MUTED)
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(page.t("show.axis.client_share"), loc="left")
    axes.set_ylabel(page.t("show.axis.aum_share"))
    axes.grid(True)
    return chart


@drawn
def households(frame: pd.DataFrame, page: Page) -> Chart:
    """Households by number of members who bank here, and their AUM (K08).

    ``frame``: one row per household with ``n_members`` and ``aum_avg`` (yuan).
    """
    title = page.t("show.chart.households.title")
    if frame.empty:
        return empty(page, title)
    size = frame["n_members"].clip(upper=4).astype(int)
    grouped = frame.groupby(size)["aum_avg"].agg(["size", "sum"]).reindex(range(1, 5), fill_value=0)
    grouped = grouped[grouped["size"] > 0].iloc[::-1]
    n, aum = grouped["size"].to_numpy(), grouped["sum"].to_numpy(dtype=float)
    several = grouped[grouped.index > 1]
    alt = page.t(
        "show.chart.households.alt",
        n=int(n.sum()),
        many=int(several["size"].sum()),
        share=float(several["sum"].sum() / (aum.sum() or 1)),
    )
    notes = [page.t("show.chart.households.note"), page.scope(int(frame["n_members"].sum()))]
    chart = sheet(title, notes, 0.32 * len(n) + 0.35, alt)
    left, right = chart.subplots(1, 2, sharey=True)
    colours = [style.ramp(5)[size] for size in grouped.index]
    bars(
        left,
        n,
        [page.t("show.chart.households.n", n=int(v), share=v / n.sum()) for v in n],
        colours,
    )
    bars(
        right,
        aum,
        [page.t("show.chart.wan_share", amount=wan(v), share=v / (aum.sum() or 1)) for v in aum],
        colours,
    )
    left.set_yticks(
        range(len(n)), [page.t(f"show.chart.households.size{k}") for k in grouped.index]
    )
    left.set_title(page.t("show.axis.households"))
    right.set_title(page.t("show.axis.aum_avg"))
    return chart
