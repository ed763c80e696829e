"""Things to try in step 2: move the service standard, send an adviser away, pick an item.

Same rules as :mod:`playbook.show.widgets`: one box each, one line in a cell, never a traceback.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import ipywidgets as w
import pandas as pd

from playbook.plan import replan
from playbook.plan.capacity import workload
from playbook.plan.card import card
from playbook.policy import PolicyError
from playbook.show.pages import Page
from playbook.show.plan_card import plan_card
from playbook.show.plan_tables import plan_cards
from playbook.show.tables import table
from playbook.show.widgets import MOST_OPTIONS, Quiet, message, refusal

AWAY_DAYS = 13  # two weeks: the first day and thirteen more
_MOST_CONTACTS, _MOST_VISITS = 36, 12
_log = logging.getLogger(__name__)


class ServiceMatrix(w.VBox):
    """Slide contacts, visits and the time for clients; the gauge shows the load at once (K12).

    Arithmetic of a typical month by adviser: nothing is planned anew.
    """

    def __init__(self, segments, page: Page) -> None:
        self._page, self._policy = page, segments.policy
        mine = segments.clients[segments.clients["in_scope"]]
        counts = pd.crosstab(mine["adviser_id"], mine["tier"].astype("str"))
        self._counts = counts.reindex(columns=list(self._policy.in_scope), fill_value=0)
        wide = {"description_width": "13em"}
        self.sliders: dict[str, w.Widget] = {}
        for code in list(self._policy.in_scope)[::-1]:
            part = self._policy.standards[code]
            for field, key, most in (
                ("contacts_per_year", "show.widget.contacts_of", _MOST_CONTACTS),
                ("visits_per_year", "show.widget.visits_of", _MOST_VISITS),
            ):
                self.sliders[f"standards.{code}.{field}"] = w.IntSlider(
                    value=round(getattr(part, field)), min=0, max=most,
                    description=page.t(key, tier=code), style=wide, layout={"width": "28em"},
                )  # fmt: skip
        self.facing = w.FloatSlider(
            value=self._policy.capacity.client_facing_share, min=0.2, max=0.8, step=0.05,
            description=page.t("show.widget.facing"), readout_format=".0%", style=wide,
            layout={"width": "28em"},
        )  # fmt: skip
        self.sliders["capacity.client_facing_share"] = self.facing
        self._own = {name: slider.value for name, slider in self.sliders.items()}
        self.gauge = w.FloatProgress(
            min=0, max=1, description=page.t("show.widget.load"), style=wide,
            layout={"width": "34em"},
        )  # fmt: skip
        self.reset = w.Button(
            description=page.t("show.widget.reset"), tooltip=page.t("show.widget.reset_tip")
        )
        self.message, self.result = w.HTML(), w.HTML()
        for slider in self.sliders.values():
            slider.observe(lambda change: self.update(), names="value")
        self.reset.on_click(lambda button: self._restore())
        grid = w.GridBox(
            list(self.sliders.values()), layout={"grid_template_columns": "repeat(auto-fill, 29em)"}
        )
        super().__init__([grid, self.reset, self.gauge, self.message, self.result])
        self.update()

    @property
    def books(self) -> pd.DataFrame:
        """The workload of each adviser at the values of the sliders."""
        changed = {
            name: slider.value for name, slider in self.sliders.items()
            if slider.value != self._own[name]
        }  # fmt: skip
        policy = self._policy.with_(**changed) if changed else self._policy
        return workload(self._counts, policy).reset_index()

    def update(self) -> None:
        """Show the load at the values of the sliders."""
        _said(self, self._show)

    def _show(self) -> None:
        books = self.books
        if books.empty:
            self.message.value = message(self._page.t("show.na.none"))
            return
        top = books.loc[books["load"].idxmax()]
        over = top["minutes"] - top["capacity"]
        verdict = self._page.t("show.widget.load_fits")
        if over > 0:
            verdict = self._page.t("show.widget.load_over", minutes=round(over))
        self.gauge.value = min(float(top["load"]), 1.0)
        self.gauge.bar_style = "warning" if over > 0 else "info"
        self.message.value = message(
            self._page.t("show.widget.load_said", adviser=top["adviser_id"],
                         clients=int(top["clients"]), minutes=round(top["minutes"]),
                         capacity=round(top["capacity"]), load=float(top["load"]), verdict=verdict)
        )  # fmt: skip
        shown = books[["adviser_id", "clients", "minutes", "capacity"]].round(0)
        shown = shown.rename(columns={"minutes": "needed_minutes", "capacity": "capacity_minutes"})
        whole = shown.columns[1:]
        shown[whole] = shown[whole].astype("int64")
        self.result.value = table(shown, self._page)._repr_html_()

    def _restore(self) -> None:
        for name, slider in self.sliders.items():
            slider.value = self._own[name]
        self.update()


class Away(w.VBox):
    """Send one adviser away for two weeks and plan the month again: what drops out? (K14)"""

    def __init__(self, book, plan, page: Page) -> None:
        self._book, self._plan, self._page = book, plan, page
        days = plan.capacity["day"].drop_duplicates().sort_values()
        mondays = days[days.dt.day_of_week == 0]
        starts = [days.iloc[0], *mondays] if len(days) else []
        busy = plan.planned["adviser_id"].value_counts()
        advisers = [*busy.index, *sorted(set(plan.capacity["adviser_id"]) - set(busy.index))]
        wide = {"description_width": "7em"}
        self.adviser = w.Dropdown(
            options=advisers, description=page.t("show.widget.adviser"), style=wide,
            layout={"width": "18em"},
        )  # fmt: skip
        self.start = w.Dropdown(
            options=[(f"{day:%Y-%m-%d}", day) for day in dict.fromkeys(starts)],
            description=page.t("show.widget.away_from"), style=wide, layout={"width": "18em"},
        )  # fmt: skip
        self.go = w.Button(
            description=page.t("show.widget.away_go"), tooltip=page.t("show.widget.away_tip")
        )
        self.message, self.result = w.HTML(), w.HTML()
        self.message.value = message(page.t("show.widget.away_start"))
        self.go.on_click(lambda button: self.update())
        super().__init__(
            [w.HBox([self.adviser, self.start, self.go]), self.message, self.result]
        )

    def update(self) -> None:
        """Plan the month with the adviser away and show what changes."""
        self.message.value = message(self._page.t("show.widget.away_busy"))
        self.result.value = ""
        _said(self, self._show)

    def _show(self) -> None:
        start = pd.Timestamp(self.start.value)
        end = start + pd.Timedelta(days=AWAY_DAYS)
        leave = pd.DataFrame(
            {"adviser_id": [self.adviser.value], "start_on": [start], "end_on": [end]}
        )
        before, after = self._plan.planned, replan(self._book, self._plan, leave).planned
        lost = before[~before["row_id"].isin(after["row_id"])]
        facts = {"adviser": self.adviser.value, "start": start, "end": end}
        if lost.empty and len(before) == len(after):
            self.message.value = message(self._page.t("show.widget.away_none", **facts))
            return
        self.message.value = message(
            self._page.t("show.widget.away_said", n0=len(before), n1=len(after),
                         duty0=int(before["mandatory"].sum()), duty1=int(after["mandatory"].sum()),
                         lost=len(lost), lost_duty=int(lost["mandatory"].sum()), **facts)
        )  # fmt: skip
        rows = pd.crosstab(lost["klass"].astype("str"), lost["rule"]).stack()
        rows = rows[rows > 0].rename("rows_of_rule").reset_index()
        rows["matter"] = self._page.named("rule", rows["rule"])
        rows = rows.sort_values(["klass", "rows_of_rule"], ascending=[True, False])
        shown = table(rows, self._page, ["klass", "matter", "rows_of_rule"])
        self.result.value = shown._repr_html_()


class Items(w.VBox):
    """Pick an item of the month, read the plan card of its client (K15)."""

    def __init__(self, plan, segments, page: Page) -> None:
        self._plan, self._segments, self._page = plan, segments, page
        self._rows = plan.planned
        self._cards: pd.DataFrame | None = None
        every = page.t("show.widget.all")
        wide = {"description_width": "5em"}
        klasses = sorted(self._rows["klass"].unique())
        self.klass = w.Dropdown(
            options=[(every, 0), *((page.name("klass", k), int(k)) for k in klasses)],
            description=page.t("show.widget.filter_class"), style=wide, layout={"width": "20em"},
        )  # fmt: skip
        self.item = w.Dropdown(
            description=page.t("show.widget.item"), style=wide, layout={"width": "38em"}
        )
        self.shown = w.HTML()
        self.klass.observe(lambda change: self._list(), names="value")
        later = Quiet(self.update)
        self.item.observe(lambda change: later(), names="value")
        super().__init__([w.HBox([self.klass]), self.item, self.shown])
        self._list()

    def _list(self) -> None:
        rows = self._rows
        rows = rows[rows["klass"] == self.klass.value] if self.klass.value else rows
        part = rows.head(MOST_OPTIONS)
        words = zip(part["day"], part["client_id"], part["rule"], part["channel"], part["row_id"],
                    strict=True)  # fmt: skip
        self.item.options = [
            (
                " · ".join([f"{day:%m-%d}", self._page.client(client),
                            self._page.name("rule", rule), self._page.name("channel", channel)]),
                row_id,
            )
            for day, client, rule, channel, row_id in words
        ]  # fmt: skip
        self.item.index = 0 if len(part) else None
        self.update()

    def update(self) -> None:
        """Show the card of the chosen item's client."""
        mine = self._rows[self._rows["row_id"] == self.item.value]
        if mine.empty:
            self.shown.value = message(self._page.t("show.widget.no_item"))
            return
        try:
            if self._cards is None:
                self._cards = plan_cards(self._plan, self._segments)
            row = card(str(mine["client_id"].iloc[0]), self._cards)
            self.shown.value = plan_card(row, self._page)._repr_html_()
        except Exception:  # a reader must never see a traceback
            _log.exception("plan card failed")
            self.shown.value = message(self._page.t("show.widget.failed"))


def _said(box, action: Callable[[], None]) -> None:
    """Run ``action``; what goes wrong is said in the box's message."""
    page = box._page
    try:
        action()
    except PolicyError as error:
        cause = refusal(error, page.lang)
        box.message.value = message(page.t("show.widget.refused", cause=cause))
    except Exception:  # a reader must never see a traceback
        _log.exception("widget failed")
        box.message.value = message(page.t("show.widget.failed"))
