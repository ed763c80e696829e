"""Things to try in the notebook: pick a client, move a floor. Never in a report.

Each helper returns one ipywidgets box and keeps its state inside; a cell needs one line. Input is
taken when it is finished (Enter, leaving the field, letting the slider go) and bundled for a short
moment, so that typing does not start a calculation per key. Whatever goes wrong is said in a
sentence inside the box; no traceback reaches the reader.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from html import escape

import ipywidgets as w
import pandas as pd

from playbook.policy import PolicyError, worded
from playbook.show import effects
from playbook.show.cards import card
from playbook.show.data import faults
from playbook.show.pages import Page
from playbook.show.tables import table
from playbook.tables import TABLES
from playbook.text.numbers import YUAN_PER_WAN

WAIT = 0.25  # seconds of quiet before a calculation starts
MOST_OPTIONS = 500
_log = logging.getLogger(__name__)


def refusal(error: PolicyError, lang: str) -> str:
    """Why a policy was refused, in ``lang``."""
    return " ".join(str(words) for words in worded(error.faults, lang)["message"])


class WhatIf(w.VBox):
    """Move the floors of the tiers and the near ratio, see who would move.

    ``book`` and ``segments`` as in the notebook; the book itself is not changed.
    """

    def __init__(self, book, segments, page: Page) -> None:
        self._book, self._page = book, page
        self._policy, self._before = segments.policy, segments.clients
        self.floors = {
            code: w.BoundedFloatText(
                value=floor / YUAN_PER_WAN,
                min=0,
                max=1e7,
                step=1,
                description=page.t("show.widget.floor", tier=code),
                style={"description_width": "11em"},
                layout={"width": "20em"},
            )
            for code, floor in zip(page.tiers[1:], page.floors[1:], strict=True)
        }
        self.near = w.FloatSlider(
            value=self._policy.tiering.near_ratio,
            min=0.70,
            max=0.99,
            step=0.01,
            description=page.t("show.widget.near"),
            readout_format=".0%",
            continuous_update=False,
            style={"description_width": "11em"},
            layout={"width": "32em"},
        )
        self.reset = w.Button(
            description=page.t("show.widget.reset"), tooltip=page.t("show.widget.reset_tip")
        )
        self.message = w.HTML()
        self.result = w.HTML()
        later = Quiet(self.update)
        for control in (*self.floors.values(), self.near):
            control.observe(lambda change: later(), names="value")
        self.reset.on_click(lambda button: self._restore())
        grid = w.GridBox(
            list(self.floors.values()), layout={"grid_template_columns": "repeat(auto-fill, 21em)"}
        )
        super().__init__([grid, self.near, self.reset, self.message, self.result])
        self.update()

    def update(self) -> None:
        """Work out the effect of the values in the fields and show it."""
        try:
            wanted = {
                code: round(field.value * YUAN_PER_WAN, 2) for code, field in self.floors.items()
            }
            broken = self._not_rising(wanted)
            if broken:
                self._say(self._page.t("show.widget.not_rising", **broken))
            else:
                self._show(wanted)
        except PolicyError as error:
            self._say(self._page.t("show.widget.refused", cause=refusal(error, self._page.lang)))
        except Exception:  # a reader must never see a traceback
            _log.exception("what-if failed")
            self._say(self._page.t("show.widget.failed"))

    def _show(self, wanted: dict[str, float]) -> None:
        from playbook.segment import segment

        own = dict(zip(self._page.tiers[1:], self._page.floors[1:], strict=True))
        changes: dict[str, float] = {
            f"tiers.{code}.floor": floor for code, floor in wanted.items() if floor != own[code]
        }
        if abs(self.near.value - self._policy.tiering.near_ratio) > 1e-9:
            changes["tiering.near_ratio"] = round(self.near.value, 4)
        after = self._before
        if changes:
            after = segment(self._book, self._policy.with_(**changes)).clients
        facts = effects.moves(self._before, after)
        rows = effects.by_tier(self._before, after)
        self._say(
            self._page.t("show.widget.effect" if changes else "show.widget.effect_none", **facts)
        )
        chart = effects.effect(rows, self._page, int(facts["moved"]))
        self.result.value = table(rows, self._page)._repr_html_() + chart.html()

    def _not_rising(self, wanted: dict[str, float]) -> dict[str, object]:
        below, floor_below = self._page.tiers[0], self._page.floors[0]
        for tier, floor in wanted.items():
            if floor <= floor_below:
                return {
                    "tier": tier,
                    "floor": floor,
                    "below": self._page.name("tier", below),
                    "floor_below": floor_below,
                }
            below, floor_below = tier, floor
        return {}

    def _restore(self) -> None:
        for code, floor in zip(self._page.tiers[1:], self._page.floors[1:], strict=True):
            self.floors[code].value = floor / YUAN_PER_WAN
        self.near.value = self._policy.tiering.near_ratio
        self.update()

    def _say(self, sentence: str) -> None:
        self.message.value = message(sentence)


class Picker(w.VBox):
    """Pick a client, read why each label was given."""

    def __init__(self, segments, page: Page) -> None:
        self._page = page
        self._clients = segments.clients.sort_values(
            ["severity", "aum_avg", "client_id"], ascending=[False, False, True]
        )
        every = page.t("show.widget.all")
        wide = {"description_width": "5em"}
        self.tier = w.Dropdown(
            options=[(every, ""), *((page.name("tier", code), code) for code in page.tiers[::-1])],
            description=page.t("show.widget.filter_tier"),
            style=wide,
            layout={"width": "16em"},
        )
        found = page.order("status", self._clients["status"].dropna().unique())
        self.status = w.Dropdown(
            options=[(every, ""), *((page.name("status", code), code) for code in found)],
            description=page.t("show.widget.filter_status"),
            style=wide,
            layout={"width": "18em"},
        )
        self.client = w.Dropdown(
            description=page.t("show.widget.client"), style=wide, layout={"width": "34em"}
        )
        self.shown = w.HTML()
        self.tier.observe(lambda change: self._list(), names="value")
        self.status.observe(lambda change: self._list(), names="value")
        self.client.observe(lambda change: self._show(), names="value")
        super().__init__([w.HBox([self.tier, self.status]), self.client, self.shown])
        self._list()

    def _list(self) -> None:
        keep = pd.Series(True, index=self._clients.index)
        if self.tier.value:
            keep &= self._clients["tier"] == self.tier.value
        if self.status.value:
            keep &= self._clients["status"] == self.status.value
        part = self._clients[keep].head(MOST_OPTIONS)
        words = zip(part["client_id"], part["tier"], part["persona"], part["status"], strict=True)
        self.client.options = [
            (
                " · ".join(
                    [
                        self._page.client(client),
                        self._page.name("tier", tier),
                        self._page.name("persona", persona),
                        self._page.name("status", status),
                    ]
                ),
                client,
            )
            for client, tier, persona, status in words
        ]
        # New options leave the field without a choice.
        self.client.index = 0 if len(part) else None
        self._show()

    def _show(self) -> None:
        mine = self._clients[self._clients["client_id"] == self.client.value]
        if mine.empty:
            self.shown.value = message(self._page.t("show.widget.no_client"))
            return
        try:
            self.shown.value = card(mine.iloc[0].to_dict(), self._page)._repr_html_()
        except Exception:  # a reader must never see a traceback
            _log.exception("card failed")
            self.shown.value = message(self._page.t("show.widget.failed"))


class Health(w.VBox):
    """Pick a table of the delivery, see its rows and what to correct in it."""

    def __init__(self, book, page: Page) -> None:
        self._book, self._page = book, page
        found = book.faults["table"].value_counts()
        self.table = w.Dropdown(
            options=[
                (f"{t.label(page.lang)} ({int(found.get(name, 0))})", name)
                for name, t in TABLES.items()
                if book.has(name)
            ],
            description=page.t("show.widget.table"),
            style={"description_width": "5em"},
            layout={"width": "26em"},
        )
        self.shown = w.HTML()
        self.table.observe(lambda change: self._show(), names="value")
        super().__init__([self.table, self.shown])
        self._show()

    def _show(self) -> None:
        try:
            self.shown.value = faults(self._book, self._page, 50, self.table.value)._repr_html_()
        except Exception:  # a reader must never see a traceback
            _log.exception("health failed")
            self.shown.value = message(self._page.t("show.widget.failed"))


def message(sentence: str) -> str:
    """A sentence as a widget shows it; escaped."""
    return f'<div class="pb-message" role="status">{escape(sentence)}</div>'


class Quiet:
    """Calls ``action`` once, after :data:`WAIT` seconds without another call.

    Outside a running event loop (tests, plain scripts) it calls at once.
    """

    def __init__(self, action: Callable[[], None]) -> None:
        self._action, self._waiting = action, None

    def __call__(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._action()
            return
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = loop.call_later(WAIT, self._action)
