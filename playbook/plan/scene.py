"""What the rules of step 2 look at: the book, the segments' tables and the planned month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from playbook.plan.windows import Month, day_of
from playbook.policy import Policy

#: Channels on which people speak with one another.
LIVE = ("phone", "wecom", "visit", "branch", "event")


@dataclass(frozen=True, eq=False)
class Scene:
    """One book at the close before the planned month.

    ``clients`` and ``missing`` are tables of step 1 (``segments.clients``, ``segments.missing``),
    ``history`` its client-months. ``lists`` are given by head office: ``event_targets``
    (``client_id``, ``event_id``, ``date``), ``policy_notices`` (``client_id``, ``notice_id``,
    ``date``), ``product_events`` (``product_id``, ``date``, ``event``).
    """

    book: object
    policy: Policy
    clients: pd.DataFrame
    history: pd.DataFrame
    missing: pd.DataFrame
    month: Month
    lists: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def ids(self) -> pd.Index:
        """Clients in the order of ``clients``."""
        return pd.Index(self.clients["client_id"])

    def row(self, client_ids: pd.Series) -> np.ndarray:
        """Row of each client id in ``clients``; −1 for one who is closed or not there."""
        return self.ids.get_indexer(client_ids)

    def known(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows of a table of the book that belong to ``clients``."""
        return frame[self.row(frame["client_id"]) >= 0]

    def of_client(self, name: str, client_ids: pd.Series) -> pd.Series:
        """A column of ``clients`` for the given ids, on their index."""
        return self.clients[name].take(self.row(client_ids)).set_axis(client_ids.index)

    @cached_property
    def per_year(self) -> pd.DataFrame:
        """Service standard of each client's tier: one column per field, one row per client."""
        table = pd.DataFrame({code: dict(part) for code, part in self.policy.standards.items()}).T
        names = [name for name in table if name.endswith("_per_year")]
        found = table[names].astype("float64").reindex(self.clients["tier"].astype("str"))
        return found.reset_index(drop=True)

    @cached_property
    def contacts(self) -> pd.DataFrame:
        """Effective contacts: ``client_id``, its row ``at``, ``on`` (day), channel, trigger."""
        rows = self.known(self.book.table("contacts"))
        rows = rows[rows["reached"].fillna(False).to_numpy(bool)]
        found = rows[["client_id", "channel", "trigger_code"]].reset_index(drop=True)
        found["at"] = self.row(rows["client_id"])
        found["on"] = day_of(rows["at"])
        found["live"] = found["channel"].isin(LIVE)
        return found

    @cached_property
    def products(self) -> pd.DataFrame:
        """Products by id."""
        return self.book.table("products").drop_duplicates("product_id").set_index("product_id")

    def last(self, rows: np.ndarray) -> np.ndarray:
        """Last day among ``contacts[rows]`` by client, NaT for none."""
        found = np.full(len(self.ids), np.datetime64("NaT", "D"))
        at = self.contacts.loc[rows, "at"].to_numpy()
        on = self.contacts.loc[rows, "on"].to_numpy().astype("datetime64[D]")
        np.fmax.at(found, at, on)
        return found

    def opening(self, client_ids: pd.Series, dates: pd.Series) -> pd.Series:
        """The client's assets (yuan) at the month end before each date; 0 before the record."""
        month = pd.DatetimeIndex(dates).to_period("M").to_timestamp() - pd.offsets.MonthBegin(1)
        wanted = pd.MultiIndex.from_arrays([client_ids, month.as_unit("s")])
        ends = self.history.set_index(
            ["client_id", pd.DatetimeIndex(self.history["month"]).as_unit("s")]
        )["aum_end"]
        return ends.reindex(wanted).fillna(0.0).set_axis(client_ids.index)


def looked_up(keys: pd.Series, table: pd.Series) -> pd.Series:
    """The value of each key in a table with one row per key, on the index of ``keys``; missing
    when it is not there. Unlike ``map`` it keeps the type of the table when nothing is there."""
    return table.reindex(pd.Index(keys)).set_axis(keys.index)


def scene_of(
    book, clients: pd.DataFrame, history: pd.DataFrame, missing: pd.DataFrame,
    policy: Policy | None = None, lists: Mapping[str, pd.DataFrame] | None = None,
) -> Scene:  # fmt: skip
    """The scene of the month after the book's last complete one."""
    return Scene(
        book=book,
        policy=book.policy if policy is None else policy,
        clients=clients.reset_index(drop=True),
        history=history,
        missing=missing,
        month=Month.after(book),
        lists=dict(lists or {}),
    )
