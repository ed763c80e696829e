"""Figures of step 2: what is due, what the gate stopped, the month, what stays undone (K11–K16)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_hex

from playbook.plan import OUTCOMES, SOURCES
from playbook.show import style
from playbook.show.charts.base import Chart, bare, bars, drawn, empty, sheet
from playbook.show.pages import Page
from playbook.text import count, percent

OUTCOME = {
    "planned": style.BLUE, "not_done": "#e39a55", "denied": "#8c2d19", "held_out": style.GREY,
}  # fmt: skip
SOURCE = {"standard": "#739dc5", "trigger": style.BLUE}
VERDICT = {"warn": "#e39a55", "deny": "#8c2d19"}
DAYS_OF_WEEK = 7
_LEAST_LABEL = 0.05  # share of the widest bar below which a number would not fit inside


@drawn
def due(rows: pd.DataFrame, page: Page) -> Chart:
    """Intended rows by class: where they come from, and what became of them (K11, K13, K14).

    ``rows``: one row each with ``klass``, ``source`` and ``outcome``.
    """
    title = page.t("show.chart.due.title")
    if rows.empty:
        return empty(page, title)
    klasses = sorted(rows["klass"].unique(), reverse=True)
    halves = [
        pd.crosstab(rows["klass"], rows[name].astype("str")).reindex(
            index=klasses, columns=list(codes), fill_value=0
        )
        for name, codes in (("source", SOURCES), ("outcome", OUTCOMES))
    ]
    ends = rows["outcome"].astype("str").value_counts().reindex(OUTCOMES, fill_value=0)
    alt = page.t("show.chart.due.alt", n=len(rows), planned=int(ends["planned"]),
                 rest=len(rows) - int(ends["planned"]))  # fmt: skip
    notes = [page.t("show.chart.due.note"), page.scope() + "　" + _rows(page, len(rows))]
    chart = sheet(title, notes, 0.38 * len(klasses) + 0.75, alt)
    panels = chart.subplots(1, 2, sharey=True)
    colours = (SOURCE, OUTCOME)
    for axes, table, own, kind in zip(panels, halves, colours, ("source", "outcome"), strict=True):
        start = np.zeros(len(klasses))
        most = table.sum(axis=1).max()
        for code in table.columns:
            values = table[code].to_numpy(dtype=float)
            if not values.any():
                continue
            label = page.t("show.chart.name_rows", name=page.name(kind, code), n=int(values.sum()))
            axes.barh(range(len(klasses)), values, left=start, color=own[code], height=0.66,
                      label=label)  # fmt: skip
            for place, value in enumerate(values):
                if value >= most * _LEAST_LABEL:
                    axes.text(
                        start[place] + value / 2, place, count(int(value)), ha="center",
                        va="center", fontsize=style.SMALL, color=style.on(own[code]),
                    )  # fmt: skip
            start = start + values
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, frameon=False,
                    fontsize=style.SMALL, handlelength=1, handleheight=1)  # fmt: skip
    panels[0].set_yticks(range(len(klasses)), page.named("klass", klasses))
    panels[0].set_title(page.t("show.axis.source"))
    panels[1].set_title(page.t("show.axis.outcome"))
    return chart


@drawn
def workload(load: pd.DataFrame, page: Page) -> Chart:
    """Planned minutes of each adviser, week by week, against the line of what there is (K12).

    ``load``: ``adviser_id``, ``week`` (its Monday), ``minutes``, ``capacity``.
    """
    title = page.t("show.chart.workload.title")
    if load.empty:
        return empty(page, title)
    weeks = sorted(load["week"].unique())
    advisers = sorted(load["adviser_id"].unique(), reverse=True)
    used, least = load["minutes"].sum(), load["capacity"].sum()
    alt = page.t("show.chart.workload.alt", load=used / max(least, 1), advisers=len(advisers))
    notes = [page.t("show.chart.workload.note"), page.scope()]
    chart = sheet(title, notes, 0.42 * len(advisers) + 0.45, alt)
    panels = np.atleast_1d(chart.subplots(1, len(weeks), sharex=True, sharey=True))
    most = load["capacity"].max() or 1
    for axes, week in zip(panels, weeks, strict=True):
        mine = load[load["week"] == week].set_index("adviser_id").reindex(advisers)
        minutes, room = (mine[name].fillna(0).to_numpy(float) for name in ("minutes", "capacity"))
        places = np.arange(len(advisers))
        axes.barh(places, room, color="#eef1f5", height=0.62)
        axes.barh(places, minutes, color=style.BLUE, height=0.62)
        axes.vlines(room, places - 0.42, places + 0.42, color=style.WARM, linewidth=2)
        for place, value, top in zip(places, minutes, room, strict=True):
            says = percent(value / top, 0) if top else page.t("show.chart.workload.away")
            full = value > most * 0.35
            axes.text(value / 2 if full else max(value, top) + most * 0.04, place, says,
                      ha="center" if full else "left", va="center", fontsize=style.SMALL,
                      color=style.PAPER if full else style.INK)  # fmt: skip
        axes.set_title(page.t("show.chart.workload.week", week=f"{pd.Timestamp(week):%m-%d}"))
        axes.set_xlim(0, most * 1.25)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
    panels[0].set_yticks(range(len(advisers)), advisers)
    return chart


@drawn
def month(planned: pd.DataFrame, capacity: pd.DataFrame, page: Page) -> Chart:
    """The month as a calendar: contacts and share of the time used on every working day (K14).

    ``planned``: ``day``, ``minutes``, ``is_visit``; ``capacity``: ``day``, ``minutes`` per adviser.
    """
    if capacity.empty:
        return empty(page, page.t("show.chart.month.bare"))
    title = page.t("show.chart.month.title", month=f"{capacity['day'].min():%Y-%m}")
    room = capacity.groupby("day")["minutes"].sum()
    done = planned.groupby("day").agg(
        n=("minutes", "size"), minutes=("minutes", "sum"), visits=("is_visit", "sum")
    )
    first = room.index.min().replace(day=1)
    days = pd.date_range(first, first + pd.offsets.MonthEnd(0))
    done = done.reindex(days, fill_value=0)
    busiest = done["n"].idxmax()
    alt = page.t("show.chart.month.alt", n=len(planned), days=len(room), busiest=busiest,
                 most=int(done["n"].max()))  # fmt: skip
    notes = [page.t("show.chart.month.note"), page.scope() + "　" + _rows(page, len(planned))]
    offset = first.weekday()
    weeks = -(-(offset + len(days)) // DAYS_OF_WEEK)
    chart = sheet(title, notes, 0.5 * weeks + 0.35, alt)
    axes = chart.subplots()
    scale = LinearSegmentedColormap.from_list("day", ["#f3f6f9", *style.ramp(5)])
    for at, day in enumerate(days):
        week, column = divmod(at + offset, DAYS_OF_WEEK)
        row = weeks - 1 - week
        works = day in room.index
        share = min(done.loc[day, "minutes"] / room[day], 1.0) if works and room[day] else 0.0
        colour = to_hex(scale(share)) if works else "#ffffff"
        ink = style.on(colour) if works else style.FAINT
        axes.barh(row, 0.96, left=column, height=0.92, color=colour)
        axes.text(column + 0.05, row + 0.28, f"{day.day}", va="center", fontsize=style.SMALL,
                  color=ink)  # fmt: skip
        says = _day_words(done.loc[day], page) if works else page.t("show.chart.month.rest")
        axes.text(column + 0.48, row - 0.12, says, ha="center", va="center",
                  fontsize=style.SMALL, color=ink)  # fmt: skip
    axes.set_xlim(0, DAYS_OF_WEEK)
    axes.set_ylim(-0.55, weeks - 0.45)
    bare(axes)
    heads = page.named("weekday", range(DAYS_OF_WEEK))
    axes.set_xticks([column + 0.48 for column in range(DAYS_OF_WEEK)], heads)
    axes.xaxis.tick_top()
    return chart


def _day_words(day: pd.Series, page: Page) -> str:
    key = "show.chart.month.visits" if day["visits"] else "show.chart.month.day"
    return page.t(key, n=int(day["n"]), visits=int(day["visits"]))


@drawn
def undone(not_done: pd.DataFrame, page: Page) -> Chart:
    """What stays undone this month by reason: rows, and the minutes they would take (K14).

    ``not_done``: ``why`` (reason code) and ``minutes``.
    """
    title = page.t("show.chart.undone.title")
    if not_done.empty:
        return empty(page, title, [page.t("show.chart.undone.note")])
    table = not_done.groupby("why")["minutes"].agg(["size", "sum"]).sort_values(["size", "sum"])
    alt = page.t("show.chart.undone.alt", n=len(not_done), undone=table.index[-1],
                 most=int(table["size"].iloc[-1]))  # fmt: skip
    notes = [page.t("show.chart.undone.note"), page.scope() + "　" + _rows(page, len(not_done))]
    chart = sheet(title, notes, 0.34 * len(table) + 0.35, alt)
    left, right = chart.subplots(1, 2, sharey=True)
    colours = ["#e39a55"] * len(table)
    for axes, values, head in ((left, table["size"], "rows"), (right, table["sum"], "minutes")):
        bars(axes, values.to_numpy(float), [count(int(v)) for v in values], colours)
        axes.set_title(page.t("show.axis.rows" if head == "rows" else "show.axis.minutes"))
    left.set_yticks(range(len(table)), page.named("undone", table.index))
    return chart


@drawn
def gated(rows: pd.DataFrame, page: Page) -> Chart:
    """What the gate said, by the rule that decided: stopped, and let through with a warning (K16).

    ``rows``: intended rows with ``verdict`` and ``gate_rule``.
    """
    title = page.t("show.chart.gated.title")
    said = rows[rows["verdict"].isin(list(VERDICT))]
    if said.empty:
        return empty(page, title, [page.t("show.chart.gated.note", n=len(rows))])
    table = pd.crosstab(said["gate_rule"].astype("str"), said["verdict"].astype("str"))
    table = table.reindex(columns=list(VERDICT), fill_value=0)
    table = table.loc[table.sum(axis=1).sort_values(kind="stable").index]
    alt = page.t("show.chart.gated.alt", n=len(rows), deny=int(table["deny"].sum()),
                 warn=int(table["warn"].sum()))  # fmt: skip
    notes = [page.t("show.chart.gated.note", n=len(rows)), page.scope()]
    chart = sheet(title, notes, 0.32 * len(table) + 0.35, alt)
    axes = chart.subplots()
    start = np.zeros(len(table))
    for code in ("deny", "warn"):
        values = table[code].to_numpy(float)
        axes.barh(range(len(table)), values, left=start, color=VERDICT[code], height=0.62)
        start = start + values
    for place, (denied, warned) in enumerate(zip(table["deny"], table["warn"], strict=True)):
        parts = [page.t("show.chart.name_rows", name=page.t(f"gate.verdict.{code}"), n=int(n))
                 for code, n in (("deny", denied), ("warn", warned)) if n]  # fmt: skip
        axes.annotate("　".join(parts), (start[place], place), xytext=(5, 0), va="center",
                      textcoords="offset points", fontsize=style.SMALL)  # fmt: skip
    names = [style.wrap(rule_name(rule, page), 26) for rule in table.index]
    axes.set_yticks(range(len(table)), names)
    axes.set_xlim(0, start.max() * 1.45)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    return chart


def rule_name(rule: str, page: Page) -> str:
    """Id and short title of a rule of the gate."""
    from playbook.policy import law

    known = law.rules().get(rule)
    if known is None:
        return rule
    return f"{rule} {known.title(page.lang)}"


def _rows(page: Page, n: int) -> str:
    return page.t("show.scope.rows", n=n)
