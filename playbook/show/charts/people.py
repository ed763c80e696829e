"""Figures of 分群, 分类 and 熟悉度: who they are, how they are doing, how near we are (K04–K07)."""

from __future__ import annotations

import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_hex

from playbook.show import style
from playbook.show.charts.base import Chart, bars, drawn, empty, sheet, unavailable
from playbook.show.pages import Page
from playbook.text import count, wan


@drawn
def personas(clients: pd.DataFrame, page: Page) -> Chart:
    """Persona by tier as a table whose cells are darker the more clients they hold (K07).

    ``clients``: one row per client in scope with ``tier``, ``persona`` and ``aum_avg`` (yuan).
    """
    title = page.t("show.chart.personas.title")
    if clients.empty:
        return empty(page, title)
    codes = list(page.in_scope)
    table = clients.groupby(["persona", "tier"], observed=True).size().unstack(fill_value=0)
    table = table.reindex(index=page.order("persona", table.index), columns=codes, fill_value=0)
    table = table.loc[table.sum(axis=1) > 0].iloc[::-1]
    aum = clients.groupby("persona", observed=True)["aum_avg"].sum()
    sums = table.sum(axis=1)
    biggest = sums.idxmax()
    alt = page.t("show.chart.personas.alt", persona=biggest, n=int(sums.max()), rows=len(table))
    notes = [page.t("show.chart.personas.note"), page.partial("persona"), page.scope(len(clients))]
    chart = sheet(title, notes, 0.3 * len(table) + 0.4, alt)
    axes = chart.subplots()
    scale = LinearSegmentedColormap.from_list("cells", ["#f3f6f9", *style.ramp(5)])
    most = table.to_numpy().max() or 1
    for row, persona in enumerate(table.index):
        for column, code in enumerate(codes):
            n = int(table.loc[persona, code])
            colour = to_hex(scale((n / most) ** 0.6))
            axes.barh(row, 0.96, left=column, height=0.9, color=colour)
            axes.text(
                column + 0.48,
                row,
                count(n) if n else "·",
                ha="center",
                va="center",
                color=style.on(colour) if n else style.FAINT,
            )
        for place, says in ((0.62, count(sums[persona])), (1.6, wan(float(aum[persona])))):
            axes.text(len(codes) + place, row, says, ha="right", va="center")
    axes.set_yticks(range(len(table)), page.named("persona", table.index))
    axes.set_xlim(0, len(codes) + 1.65)
    axes.set_ylim(-0.55, len(table) - 0.45)
    heads = [
        *page.named("tier", codes),
        page.t("show.axis.clients_short"),
        page.t("show.axis.aum_short"),
    ]
    axes.set_xticks(
        [*(c + 0.48 for c in range(len(codes))), len(codes) + 0.45, len(codes) + 1.2], heads
    )
    axes.xaxis.tick_top()
    axes.spines["bottom"].set_visible(False)
    return chart


@drawn
def statuses(clients: pd.DataFrame, page: Page) -> Chart:
    """Status by number of clients, and the AUM at stake behind each (K05).

    ``clients``: one row per client in scope with ``status`` and ``severity`` (yuan at stake).
    """
    title = page.t("show.chart.statuses.title")
    if clients.empty:
        return empty(page, title)
    grouped = clients.groupby("status", observed=False)["severity"].agg(["size", "sum"])
    codes = page.order("status", grouped.index)[::-1]
    grouped = grouped.reindex(codes, fill_value=0)
    worrying = int(grouped["size"].reindex(_WORRYING, fill_value=0).sum())
    stake = float(grouped["sum"].reindex(_WORRYING, fill_value=0).sum())
    alt = page.t("show.chart.statuses.alt", n=len(clients), worrying=worrying, stake=stake)
    notes = [page.t("show.chart.statuses.note"), page.partial("status"), page.scope(len(clients))]
    chart = sheet(title, notes, 0.3 * len(codes) + 0.3, alt)
    left, right = chart.subplots(1, 2, sharey=True, width_ratios=[1.05, 1])
    colours = [style.STATUS.get(code, style.GREY) for code in codes]
    n = grouped["size"].to_numpy()
    bars(
        left,
        n,
        [page.t("show.chart.n_share", n=int(v), share=v / len(clients)) for v in n],
        colours,
    )
    at_stake = grouped["sum"].fillna(0).to_numpy(dtype=float)
    bars(right, at_stake, [wan(v) if v else "—" for v in at_stake], colours)
    left.set_yticks(range(len(codes)), page.named("status", codes))
    left.set_title(page.t("show.axis.clients"))
    right.set_title(page.t("show.axis.severity"))
    return chart


_WORRYING = ["lost", "churn_warning", "downgrade_warning"]


@drawn
def familiarity(clients: pd.DataFrame, page: Page) -> Chart:
    """The ladder of closeness: how many clients stand on each rung (K06).

    ``clients``: one row per client in scope with ``familiarity`` and ``aum_avg`` (yuan).
    """
    title = page.t("show.chart.familiarity.title")
    if "familiarity.contact" in page.na:
        return unavailable(page, title, page.na["familiarity.contact"])
    if clients.empty:
        return empty(page, title)
    grouped = clients.groupby("familiarity", observed=False)["aum_avg"].agg(["size", "sum"])
    codes = page.order("familiarity", grouped.index)
    grouped = grouped.reindex(codes, fill_value=0)
    n, aum = grouped["size"].to_numpy(), grouped["sum"].to_numpy(dtype=float)
    alt = page.t(
        "show.chart.familiarity.alt",
        familiarity=codes[0],
        n=int(n[0]),
        share=n[0] / n.sum(),
        aum=float(aum[0]),
    )
    notes = [
        page.t("show.chart.familiarity.note"),
        page.partial("familiarity"),
        page.scope(len(clients)),
    ]
    chart = sheet(title, notes, 0.36 * len(codes) + 0.35, alt)
    left, right = chart.subplots(1, 2, sharey=True)
    colours = style.ramp(len(codes) + 1)[1:]
    bars(left, n, [page.t("show.chart.n_share", n=int(v), share=v / n.sum()) for v in n], colours)
    total = aum.sum() or 1
    bars(
        right,
        aum,
        [page.t("show.chart.wan_share", amount=wan(v), share=v / total) for v in aum],
        colours,
    )
    left.set_yticks(range(len(codes)), page.named("familiarity", codes))
    left.set_title(page.t("show.axis.clients"))
    right.set_title(page.t("show.axis.aum_avg"))
    return chart
