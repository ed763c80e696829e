"""Figures of 分层: how the book is built, how it moved, who stands before a threshold (K01–K03)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from playbook.show import style
from playbook.show.charts.base import Chart, bare, bars, drawn, empty, sheet, spread
from playbook.show.pages import Page
from playbook.text import count, percent, wan


@drawn
def tiers(clients: pd.DataFrame, page: Page) -> Chart:
    """Clients and AUM side by side, one row per tier in force (K01, K02).

    ``clients``: one row per client with ``tier`` and ``aum_avg`` (yuan).
    """
    grouped = clients.groupby("tier", observed=False)["aum_avg"].agg(["size", "sum"])
    grouped = grouped.reindex(list(page.tiers), fill_value=0)
    n, aum = grouped["size"].to_numpy(), grouped["sum"].to_numpy()
    shares = [values / (values.sum() or 1) for values in (n, aum)]
    title = page.t("show.chart.tiers.title")
    top = page.t(
        "show.chart.tiers.alt",
        n=int(n.sum()),
        aum=float(aum.sum()),
        tier=page.tiers[-1],
        share=float(shares[1][-1]),
        clients=float(shares[0][-1]),
    )
    notes = [page.t("show.chart.tiers.note"), page.scope(len(clients))]
    chart = sheet(title, notes, 0.34 * len(n) + 0.35, top)
    left, middle, right = chart.subplots(1, 3, sharey=True, width_ratios=[1, 0.2, 1])
    colours = [
        colour if code in page.in_scope else style.GREY
        for code, colour in zip(page.tiers, style.ramp(len(n)), strict=True)
    ]
    bars(
        left,
        n,
        [
            page.t("show.chart.n_share", n=int(v), share=float(s))
            for v, s in zip(n, shares[0], strict=True)
        ],
        colours,
        left=True,
    )
    bars(
        right,
        aum,
        [
            page.t("show.chart.wan_share", amount=wan(v), share=float(s))
            for v, s in zip(aum, shares[1], strict=True)
        ],
        colours,
    )
    left.set_title(page.t("show.axis.clients"), loc="right")
    right.set_title(page.t("show.axis.aum_avg"))
    bare(middle)
    middle.set_xlim(0, 1)
    for place, name in enumerate(page.named("tier", page.tiers)):
        middle.text(0.5, place, name, ha="center", va="center")
    return chart


@drawn
def trend(history: pd.DataFrame, page: Page) -> Chart:
    """Month-average AUM and number of clients in scope, month by month.

    ``history``: one row per client and month with ``month``, ``tier``, ``aum_avg`` (yuan) and
    ``closed`` (the month in which a client left, who is no longer counted).
    """
    title = page.t("show.chart.trend.title")
    mine = history[history["tier"].isin(page.in_scope) & ~history["closed"]]
    if mine.empty:
        return empty(page, title)
    months = mine.groupby("month")["aum_avg"].agg(["size", "sum"]).sort_index()
    first, last = months.iloc[0], months.iloc[-1]
    alt = page.t(
        "show.chart.trend.alt",
        start=_month(months.index[0]),
        end=_month(months.index[-1]),
        aum0=float(first["sum"]),
        aum1=float(last["sum"]),
        n0=int(first["size"]),
        n1=int(last["size"]),
    )
    chart = sheet(title, [page.t("show.chart.trend.note"), page.scope(int(last["size"]))], 2.1, alt)
    panels = chart.subplots(1, 2)
    for axes, column, label, shown in (
        (panels[0], "sum", page.t("show.axis.aum_avg"), wan),
        (panels[1], "size", page.t("show.axis.clients_in_scope"), count),
    ):
        values = months[column].to_numpy(dtype=float)
        places = np.arange(len(values))
        axes.plot(places, values, color=style.BLUE, linewidth=1.8)
        axes.fill_between(places, values, color=style.BLUE, alpha=0.10, linewidth=0)
        axes.set_title(label)
        axes.set_ylim(0, values.max() * 1.28 or 1)
        axes.set_xlim(-0.6, len(values) - 0.4)
        for place, ha in ((0, "left"), (len(values) - 1, "right")):
            axes.plot([place], [values[place]], "o", color=style.BLUE, markersize=4)
            # Above the line over the whole width of the label, not only at the point itself.
            near = values[:7] if place == 0 else values[-7:]
            axes.annotate(
                shown(values[place]),
                (place, near.max()),
                xytext=(0, 7),
                textcoords="offset points",
                ha=ha,
                fontsize=style.SMALL,
            )
        _month_ticks(axes, months.index)
        axes.set_yticks([])
    return chart


@drawn
def tier_history(history: pd.DataFrame, page: Page) -> Chart:
    """Clients in scope by tier in force, month by month, stacked (K02).

    ``history``: one row per client and month with ``month``, ``tier`` and ``closed``.
    """
    title = page.t("show.chart.tier_history.title")
    mine = history[history["tier"].isin(page.in_scope) & ~history["closed"]]
    if mine.empty:
        return empty(page, title)
    codes = list(page.in_scope)
    table = mine.groupby(["month", "tier"], observed=True).size().unstack(fill_value=0)
    table = table.reindex(columns=codes, fill_value=0).sort_index()
    then, now = table.iloc[0], table.iloc[-1]
    alt = page.t(
        "show.chart.tier_history.alt",
        start=_month(table.index[0]),
        n0=int(then.sum()),
        end=_month(table.index[-1]),
        n1=int(now.sum()),
    )
    chart = sheet(
        title, [page.t("show.chart.tier_history.note"), page.scope(int(now.sum()))], 2.7, alt
    )
    axes = chart.subplots()
    places, bottom = np.arange(len(table)), np.zeros(len(table))
    middles = []
    for code, colour in zip(codes, _scope_ramp(page), strict=True):
        values = table[code].to_numpy(dtype=float)
        axes.bar(places, values, bottom=bottom, color=colour, width=0.82)
        middles.append(bottom[-1] + values[-1] / 2)
        bottom = bottom + values
    most = bottom.max() or 1
    for code, middle in zip(codes, spread(middles, most * 0.085), strict=True):
        label = page.t("show.chart.name_n", name=page.name("tier", code), n=int(now[code]))
        axes.annotate(
            label,
            (len(table) - 0.4, middle),
            va="center",
            fontsize=style.SMALL,
            annotation_clip=False,
            bbox=_PAPER,
        )
    axes.set_xlim(-0.6, len(table) * 1.16)
    axes.set_ylim(0, most * 1.04)
    _month_ticks(axes, table.index)
    ticks = MaxNLocator(6, integer=True).tick_values(0, most)
    axes.set_yticks(ticks[(ticks >= 0) & (ticks <= most * 1.04)])
    axes.tick_params(axis="y", labelsize=style.SMALL, labelcolor=style.MUTED)
    axes.yaxis.grid(True)
    axes.set_ylabel(page.t("show.axis.clients"))
    return chart


@drawn
def ladder(clients: pd.DataFrame, page: Page, top: int = 12) -> Chart:
    """The clients nearest below the next tier's threshold, smallest gap first (K03).

    ``clients``: one row per client with ``client_id``, ``aum_avg``, ``near_tier`` (the tier within
    reach, empty when none) and ``gap_amount`` (yuan).
    """
    title = page.t("show.chart.ladder.title")
    near = clients[clients["near_tier"].notna()].sort_values(["gap_amount", "client_id"])
    if near.empty:
        return empty(page, title, [page.t("show.chart.ladder.note")])
    shown = near.head(top).iloc[::-1]
    reached = (shown["aum_avg"] / (shown["aum_avg"] + shown["gap_amount"])).to_numpy(dtype=float)
    alt = page.t(
        "show.chart.ladder.alt", n=len(near), gap=float(near["gap_amount"].sum()), top=len(shown)
    )
    notes = [
        page.t("show.chart.ladder.note"),
        page.t("show.chart.ladder.shown", top=len(shown), n=len(near)),
        page.scope(len(clients)),
    ]
    chart = sheet(title, notes, 0.25 * len(shown) + 0.35, alt)
    axes = chart.subplots()
    places = np.arange(len(shown))
    start = min(0.9, float(reached.min())) - 0.01
    axes.hlines(places, reached, 1.0, color=style.WARM, linewidth=2)
    axes.hlines(places, start, reached, color=style.LINE, linewidth=2)
    axes.plot(reached, places, "o", color=style.BLUE, markersize=5)
    axes.axvline(1.0, color=style.INK, linewidth=1)
    axes.set_yticks(places, [page.client(c) for c in shown["client_id"]], fontsize=style.SMALL)
    for place, tier, gap in zip(places, shown["near_tier"], shown["gap_amount"], strict=True):
        says = page.t("show.chart.ladder.gap", tier=tier, gap=wan(gap))
        axes.annotate(
            says,
            (1.0, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
        )
    width = 1.0 - start
    axes.set_xlim(start, 1.0 + width * 0.4)
    ticks = np.arange(np.ceil(start * 50) / 50, 1.001, 0.02)
    axes.set_xticks(ticks, [percent(tick, 0) for tick in ticks])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlabel(page.t("show.axis.reached"), loc="left")
    axes.spines["bottom"].set_visible(False)
    return chart


@drawn
def watch(
    history: pd.DataFrame, clients: pd.DataFrame, page: Page, months: int = 8, top: int = 12
) -> Chart:
    """The watch list as a time line: which months lay below the tier's own threshold (K02).

    ``history``: ``client_id, month, aum_avg``; ``clients``: ``client_id, tier, tier_floor,
    floor_gap, watch_months, months_left, n_down``. The share of the floor is the client's own
    month average, also where the tier is decided by the household.
    """
    title = page.t("show.chart.watch.title")
    listed = clients[clients["watch_months"] > 0]
    if listed.empty:
        return empty(page, title, [page.t("show.chart.watch.note")])
    order = ["months_left", "floor_gap", "client_id"]
    shown = listed.sort_values(order, ascending=[False, True, False]).tail(top)
    mine = history[history["client_id"].isin(shown["client_id"])]
    wide = mine.pivot(index="client_id", columns="month", values="aum_avg").sort_index(axis=1)
    wide = wide.iloc[:, -months:].reindex(shown["client_id"])
    share = wide.div(shown.set_index("client_id")["tier_floor"], axis=0).to_numpy(dtype=float)
    alt = page.t("show.chart.watch.alt", n=len(listed), top=len(shown))
    notes = [
        page.t("show.chart.watch.note"),
        page.t("show.chart.watch.shown", top=len(shown), n=len(listed)),
        page.scope(len(clients)),
    ]
    chart = sheet(title, notes, 0.27 * len(shown) + 0.35, alt)
    axes = chart.subplots()
    for row in range(share.shape[0]):
        for column in range(share.shape[1]):
            value = share[row, column]
            if value != value:
                continue
            colour = _watch_colour(value)
            axes.barh(row, 0.94, left=column, height=0.86, color=colour)
            axes.text(
                column + 0.47,
                row,
                percent(value, 0),
                ha="center",
                va="center",
                fontsize=style.SMALL - 0.5,
                color=style.on(colour),
            )
    axes.set_yticks(
        range(len(shown)), [page.client(c) for c in shown["client_id"]], fontsize=style.SMALL
    )
    facts = shown[["tier", "watch_months", "n_down"]].itertuples(index=False)
    for row, (tier, run, of) in enumerate(facts):
        says = page.t("show.chart.watch.row", tier=tier, months=int(run), of=int(of))
        axes.annotate(
            says,
            (share.shape[1] + 0.1, row),
            va="center",
            fontsize=style.SMALL,
            annotation_clip=False,
        )
    axes.set_xlim(0, share.shape[1] * 1.28)
    axes.set_ylim(-0.55, len(shown) - 0.45)
    axes.set_xticks(np.arange(share.shape[1]) + 0.47, [f"{m:%y-%m}" for m in wide.columns])
    axes.spines["bottom"].set_visible(False)
    return chart


def _watch_colour(share: float) -> str:
    if share >= 1:
        return "#e4ebf2"
    return "#f3d9bd" if share >= 0.9 else "#e39a55" if share >= 0.7 else "#b8561b"


#: Behind a label that would otherwise have a grid line through it.
_PAPER = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.5}


def _scope_ramp(page: Page) -> list[str]:
    return style.ramp(len(page.in_scope) + 1)[1:]


def _month(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m}"


def _month_ticks(axes, months: pd.DatetimeIndex) -> None:
    step = max(1, -(-len(months) // 5))
    places = list(range(len(months) - 1, -1, -step))[::-1]
    axes.set_xticks(places, [_month(months[i]) for i in places])
