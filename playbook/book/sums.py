"""Sums that have to come out, client by client and month by month, to the cent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from playbook.book.draft import LIVE, REJECTED, Draft
from playbook.book.match import numbered
from playbook.tables import EXTERNAL_FLOWS

Drafts = Mapping[str, Draft]


def lacking_for_identity(drafts: Drafts) -> list[str]:
    """What the growth identity needs and no file has."""
    balances = drafts["balances_monthly"]
    there = any("market_change" in piece.columns for piece in balances.pieces)
    return [] if there else ["balances_monthly.market_change"]


class _Grid:
    """Clients × months as whole numbers; client codes are shared by all tables of the grid."""

    def __init__(self, drafts: Drafts, tables: tuple[str, ...], months: pd.DatetimeIndex) -> None:
        frames = [drafts[name].frame[["branch_id", "client_id"]] for name in tables]
        both = pd.concat(frames, ignore_index=True)
        codes = numbered([both["branch_id"], both["client_id"]])
        ends = np.cumsum([len(frame) for frame in frames])[:-1]
        self.client = dict(zip(tables, np.split(codes, ends), strict=True))
        self.n = int(codes.max(initial=-1)) + 1
        self.months = months
        self.size = (self.n, len(months))

    def month_at(self, days: pd.Series) -> np.ndarray:
        """Place of each day's month, -1 outside or missing."""
        month = days.to_numpy().astype("datetime64[M]")
        first = self.months[0].to_numpy().astype("datetime64[M]")
        at = (month - first).astype(np.int64)
        missing = days.isna().to_numpy()
        return np.where(missing | (at < 0) | (at >= len(self.months)), -1, at)

    def flat(self, table: str, month: np.ndarray) -> np.ndarray:
        """Place of each row in the flattened grid, -1 where it has none."""
        client = self.client[table]
        return np.where((client >= 0) & (month >= 0), client * self.size[1] + month, -1)

    def total(self, at: np.ndarray, cents: np.ndarray) -> np.ndarray:
        """Sum of cents per client and month (whole numbers, so exact)."""
        inside = at >= 0
        flat = np.bincount(at[inside], weights=cents[inside], minlength=self.n * self.size[1])
        return flat.reshape(self.size)

    def any(self, at: np.ndarray) -> np.ndarray:
        """Which client-months have a row."""
        flat = np.zeros(self.n * self.size[1], bool)
        flat[at[at >= 0]] = True
        return flat.reshape(self.size)

    def first_row(self, at: np.ndarray) -> np.ndarray:
        """First row of each client-month in its table, -1 where there is none."""
        flat = np.full(self.n * self.size[1], -1, np.int64)
        inside = np.flatnonzero(at >= 0)[::-1]
        flat[at[inside]] = inside
        return flat.reshape(self.size)


def _cents(values: pd.Series) -> np.ndarray:
    return np.round(values.fillna(0).to_numpy() * 100)


def identity(drafts: Drafts, months: pd.DatetimeIndex) -> None:
    """SUM-01: the growth identity (domain rule K28) of every client and month.

    Month-end total minus the month-end before = external inflow − external outflow + market
    change, to the cent. Checked from the first month whose predecessor and flows are both there.
    A client-month that lost a row to another fault is left out: its sum can not come out.
    """
    balances, flows = drafts["balances_monthly"], drafts["flows"]
    if len(months) < 2 or not flows.live.any():
        return
    grid = _Grid(drafts, ("clients", "balances_monthly", "flows"), months)
    month = grid.month_at(balances.frame["month"])
    at = grid.flat("balances_monthly", month)
    live = np.where(balances.live, at, -1)
    end = grid.total(live, _cents(balances.frame["month_end"]))
    market = grid.total(live, _cents(balances.frame["market_change"]))

    flow_month = grid.month_at(flows.frame["date"])
    external = flows.frame["kind"].isin(EXTERNAL_FLOWS).to_numpy() & flows.live
    sign = np.where(flows.frame["direction"].eq("in").to_numpy(bool), 1, -1)
    flow_at = np.where(external, grid.flat("flows", flow_month), -1)
    moved = grid.total(flow_at, sign * _cents(flows.frame["amount"]))

    gap = end[:, 1:] - end[:, :-1] - moved[:, 1:] - market[:, 1:]
    unknown = _incomplete(grid, balances, "balances_monthly", month) | grid.any(
        np.where(balances.frame["market_change"].isna().to_numpy(), live, -1)
    )
    lost_flow = _incomplete(grid, flows, "flows", flow_month)
    told = unknown[:, 1:] | _incomplete(grid, balances, "balances_monthly", month)[:, :-1]
    told |= lost_flow[:, 1:]
    # What happened before flows were recorded can not be explained by them.
    begun = flows.frame["date"][flows.live].min()
    gap[:, months[1:] < begun.to_period("M").start_time] = 0
    client, place = np.nonzero((gap != 0) & ~told)
    if not len(client):
        return
    row = grid.first_row(live)
    here, before = row[client, place + 1], row[client, place]
    where = np.where(here >= 0, here, before)
    named = months[place + 1].strftime("%Y-%m").to_numpy()
    difference = gap[client, place] / 100
    on = where >= 0
    balances.report(
        "sum_identity", where[on], "month_end", severity="notice", month=named[on],
        difference=difference[on],
    )  # fmt: skip
    by_flow = grid.first_row(flow_at)[client[~on], place[~on] + 1]
    flows.report(
        "sum_identity", by_flow, "amount", severity="notice", month=named[~on],
        difference=difference[~on],
    )  # fmt: skip


def _incomplete(grid: _Grid, draft: Draft, table: str, month: np.ndarray) -> np.ndarray:
    """Client-months that lost a row; a row without a readable month spoils all of its client's."""
    lost = draft.state == REJECTED
    spoiled = grid.any(np.where(lost, grid.flat(table, month), -1))
    nowhere = lost & draft.frame["month" if table == "balances_monthly" else "date"].isna()
    clients = grid.client[table][nowhere.to_numpy(bool)]
    spoiled[clients[clients >= 0]] = True
    return spoiled


def holdings(drafts: Drafts, months: pd.DatetimeIndex) -> None:
    """SUM-02: what a client holds of a product class adds up to that class's month end.

    Decidable where all open holdings of the client in the class carry a value of the last month's
    last day.
    """
    held, products, balances = drafts["holdings"], drafts["products"], drafts["balances_monthly"]
    if not len(months) or not held.live.any():
        return
    day = months[-1] + pd.offsets.MonthEnd(0)
    frame = held.frame.assign(place=np.arange(len(held.frame)), lost=held.state == REJECTED)
    ended = frame["ended_on"].le(day).to_numpy(bool)
    relevant = np.isin(held.state, (LIVE, REJECTED)) & ~ended
    frame = frame[relevant & frame["product_id"].notna() & frame["client_id"].notna()]
    known = products.frame[products.live][["product_id", "product_class"]]
    frame = frame.merge(known, on="product_id", how="left")
    frame["unsure"] = (
        frame["lost"] | frame["market_value"].isna() | (frame["as_of"] != day).to_numpy(bool)
    )
    keys = ["branch_id", "client_id", "product_class"]
    sums = (
        frame.assign(cents=_cents(frame["market_value"]))
        .groupby(keys, observed=True, sort=False)
        .agg(cents=("cents", "sum"), unsure=("unsure", "any"), place=("place", "min"))
        .reset_index()
    )
    month = balances.frame["month"] == months[-1]
    ends = balances.frame[month & np.isin(balances.state, (LIVE, REJECTED))]
    ends = ends.assign(end=_cents(ends["month_end"]), lost=balances.state[ends.index] == REJECTED)
    ends = ends.groupby(keys, observed=True, sort=False).agg(end=("end", "sum"),
                                                            lost=("lost", "any")).reset_index()
    both = sums.astype({"product_class": "str"}).merge(
        ends.astype({"product_class": "str"}), on=keys, how="left"
    )
    difference = both["cents"] - both["end"].fillna(0)
    wrong = (difference != 0) & ~both["unsure"] & ~both["lost"].fillna(False).astype(bool)
    order = both[wrong].sort_values("place")
    held.report(
        "sum_holdings", order["place"].to_numpy(), "market_value", severity="notice",
        month=f"{months[-1]:%Y-%m}", difference=difference[order.index].to_numpy() / 100,
    )  # fmt: skip


def after_close(drafts: Drafts, months: pd.DatetimeIndex) -> None:
    """SUM-03: nothing is left at month end once a client has closed."""
    clients, balances = drafts["clients"], drafts["balances_monthly"]
    closed = clients.frame[clients.live & clients.frame["close_date"].notna().to_numpy()]
    if not len(closed):
        return
    frame = balances.frame.assign(place=np.arange(len(balances.frame)))[balances.live]
    frame = frame[frame["month_end"] > 0].merge(
        closed[["branch_id", "client_id", "close_date"]], on=["branch_id", "client_id"]
    )
    left = frame[frame["month"] + pd.offsets.MonthEnd(0) >= frame["close_date"]]
    balances.report(
        "balance_after_close", left["place"].to_numpy(), "month_end", severity="notice",
        month=left["month"].dt.strftime("%Y-%m").to_numpy(),
    )  # fmt: skip
