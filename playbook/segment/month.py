"""Assets and flows of every client, month by month, as arrays of clients × months.

The steps' rules look back over months (three months below a floor, an average followed by a month
end), so the long tables are laid out wide once: row = client in the order of ``clients``, column =
complete month. No balance row means zero. Every sum is made in whole cents and is therefore exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from playbook.tables import EXTERNAL_FLOWS

CENTS = 100
_DAY = "datetime64[D]"


@dataclass(frozen=True)
class Assets:
    """Wide arrays of one book. Money in yuan, shape (clients, months).

    ``avg`` the month average with the policy's class weights, ``end`` the month end as booked.
    ``tier_avg`` and ``tier_end`` are what the tier rules look at: both weighted, and summed over
    the household where the policy's ``tiering.basis`` says so. ``tier_booked`` is the same sum of
    the month end without weights: the base of outflow and inflow shares.
    ``start`` is the column of a client's first month on record (opening, or first balance if that
    is earlier), ``tier_start`` the one from which its tier is followed (the household's first).
    ``stop`` is the column of the month of closing, or the last column.
    """

    client_ids: pd.Index
    months: pd.DatetimeIndex
    as_of: np.datetime64
    unit: np.ndarray
    avg: np.ndarray
    end: np.ndarray
    tier_avg: np.ndarray
    tier_end: np.ndarray
    tier_booked: np.ndarray
    start: np.ndarray
    tier_start: np.ndarray
    stop: np.ndarray
    opened_on: np.ndarray
    closed: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Number of clients and of months."""
        return self.avg.shape

    @property
    def close_days(self) -> np.ndarray:
        """Day on which each month is judged: its last day, for the last one ``as_of`` itself."""
        days = (self.months + pd.offsets.MonthEnd(0)).values.astype(_DAY)
        days[-1] = max(days[-1], self.as_of)
        return days

    @property
    def opened_before(self) -> np.ndarray:
        """Clients older than the record: what they did before its first month is not known."""
        return self.opened_on < self.months.values[0].astype(_DAY)

    def column(self, dates: pd.Series) -> np.ndarray:
        """Column of each date's month; outside 0 … months−1 when the month is not on record."""
        first = self.months[0]
        stamps = pd.DatetimeIndex(dates)
        at = (stamps.year - first.year) * 12 + stamps.month - first.month
        return np.asarray(at.fillna(-1), dtype=np.int64)

    def row(self, client_ids: pd.Series) -> np.ndarray:
        """Row of each client id, −1 for an id that is not in the book."""
        return self.client_ids.get_indexer(client_ids)


def cents(yuan: np.ndarray | pd.Series) -> np.ndarray:
    """Yuan as whole cents, kept in float64: exact up to 90 million million yuan."""
    return np.rint(np.asarray(yuan, dtype=np.float64) * CENTS)


def exact_sum(yuan: np.ndarray | pd.Series) -> float:
    """Sum of amounts in yuan, exact to the cent whatever the order."""
    return float(cents(yuan).sum() / CENTS)


def sum_by(codes: np.ndarray, n: int, yuan: np.ndarray | pd.Series) -> np.ndarray:
    """Sums in yuan of ``yuan`` by group code 0 … n−1, exact to the cent."""
    return np.bincount(codes, weights=cents(yuan), minlength=n) / CENTS


def count_by(rows: np.ndarray, n: int, mask: np.ndarray | None = None) -> np.ndarray:
    """Number of entries of each row code; codes below zero and masked entries are left out."""
    keep = rows >= 0 if mask is None else (rows >= 0) & np.asarray(mask, dtype=bool)
    return np.bincount(rows[keep], minlength=n)


def look_up(wanted: pd.Series, keys: pd.Series, values: pd.Series) -> pd.Series:
    """The value of each wanted key (the first one for a key given twice), empty when unknown."""
    first = ~keys.duplicated()
    keys, values = keys[first], values[first].reset_index(drop=True)
    return values.reindex(pd.Index(keys).get_indexer(wanted)).set_axis(wanted.index)


def recorded_since(book, name: str, column: str) -> np.datetime64:
    """First day of the month of the earliest row of a table: what lies before was not recorded.

    Long ago for a table without rows, where nothing happened as far as it can tell.
    """
    earliest = book.table(name)[column].min()
    day = np.datetime64(0, "D") if pd.isna(earliest) else np.datetime64(earliest, "M")
    return day.astype(_DAY)


def months_of(book) -> pd.DatetimeIndex:
    """The book's complete months after the last month that nobody has a balance in.

    A month that the export lacks says nothing about anybody, and what came before it can not be
    followed across it: the record begins after it. A book without balances has its last complete
    month only.
    """
    months = pd.DatetimeIndex(book.months)
    if len(months):
        every = pd.date_range(months.min(), months.max(), freq="MS", unit="s")
        lacking = every[~every.isin(book.table("balances_monthly")["month"].unique())]
        return every[every > lacking[-1]] if len(lacking) else every
    day = pd.Timestamp(book.as_of)
    ended = day if day.is_month_end else day - pd.offsets.MonthEnd(1)
    return pd.DatetimeIndex([ended.replace(day=1)]).as_unit("s")


def assets(book, policy) -> Assets:
    """Lay out ``clients`` and ``balances_monthly`` of ``book`` as :class:`Assets`.

    Closed clients are included: their months up to closing belong to the history. Class weights
    come from ``policy.tiering.asset_weights`` (a class that is not named counts fully).
    """
    clients = book.table("clients")
    balances = book.table("balances_monthly")
    ids = pd.Index(clients["client_id"])
    months = months_of(book)
    n, m = len(ids), len(months)
    opened = pd.DatetimeIndex(clients["open_date"]).values.astype(_DAY)
    closed_on = pd.DatetimeIndex(clients["close_date"])
    shell = _Grid(ids, months)
    cell, keep = shell.cells(balances["client_id"], balances["month"])
    rows = balances.loc[keep] if not keep.all() else balances
    weight = _weights(rows["product_class"], policy.tiering.asset_weights)

    def wide(column: str, weights: np.ndarray | None) -> np.ndarray:
        amount = cents(rows[column])
        if weights is not None:
            amount = np.rint(amount * weights)
        return np.bincount(cell, weights=amount, minlength=n * m).reshape(n, m) / CENTS

    avg, end = wide("month_avg", weight), wide("month_end", None)
    weighted_end = end if weight is None else wide("month_end", weight)
    start, stop = _span(shell, cell, opened, closed_on)
    unit = _units(clients, ids)
    if policy.tiering.basis == "household":
        tier_avg, tier_end, booked = (_spread(a, unit) for a in (avg, weighted_end, end))
        first = np.full(unit.max(initial=-1) + 1, m - 1)
        np.minimum.at(first, unit, start)
        tier_start = first[unit]
    else:
        tier_avg, tier_end, booked, tier_start = avg, weighted_end, end, start
    return Assets(
        client_ids=ids, months=months, as_of=np.datetime64(book.as_of, "D"), unit=unit, avg=avg,
        end=end, tier_avg=tier_avg, tier_end=tier_end, tier_booked=booked, start=start,
        tier_start=tier_start, stop=stop, opened_on=opened,
        closed=closed_on.notna(),
    )  # fmt: skip


def net_flows(book, assets: Assets, household: bool) -> np.ndarray | None:
    """Net external inflow by client and complete month in yuan (out is negative); None without
    the table ``flows``. ``household`` sums it over the household, to match a household tier."""
    if not book.has("flows"):
        return None
    flows = book.table("flows")
    flows = flows[flows["kind"].isin(EXTERNAL_FLOWS)]
    n, m = assets.shape
    cell, keep = _Grid(assets.client_ids, assets.months).cells(flows["client_id"], flows["date"])
    flows = flows[keep]
    signed = np.where(flows["direction"] == "in", 1.0, -1.0) * cents(flows["amount"])
    net = np.bincount(cell, weights=signed, minlength=n * m).reshape(n, m) / CENTS
    return _spread(net, assets.unit) if household else net


@dataclass(frozen=True)
class _Grid:
    ids: pd.Index
    months: pd.DatetimeIndex

    def cells(self, client_ids: pd.Series, dates: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Flat cell of each row that falls on the grid, and the mask of those rows."""
        row = self.ids.get_indexer(client_ids)
        stamps = pd.DatetimeIndex(dates)
        first = self.months[0]
        column = np.asarray((stamps.year - first.year) * 12 + stamps.month - first.month)
        keep = (row >= 0) & (column >= 0) & (column < len(self.months))
        return row[keep] * len(self.months) + column[keep].astype(np.int64), keep


def _weights(classes: pd.Series, weights) -> np.ndarray | None:
    # None when every weight is one: the usual case needs no second multiplication of all rows.
    if all(value == 1 for value in weights.values()):
        return None
    return classes.astype("str").map(dict(weights)).fillna(1.0).to_numpy(np.float64)


def _span(shell: _Grid, cell: np.ndarray, opened: np.ndarray, closed_on: pd.DatetimeIndex):
    n, m = len(shell.ids), len(shell.months)
    first = shell.months[0]
    opened_on = pd.DatetimeIndex(opened)
    by_date = np.asarray((opened_on.year - first.year) * 12 + opened_on.month - first.month)
    by_balance = np.full(n, m - 1)
    np.minimum.at(by_balance, cell // m, cell % m)
    start = np.clip(np.minimum(by_date, by_balance), 0, m - 1).astype(np.int64)
    closing = (closed_on.year - first.year) * 12 + closed_on.month - first.month
    stop = np.asarray(pd.Index(closing).fillna(m - 1), dtype=np.int64)
    return start, np.clip(stop, -1, m - 1)


def _units(clients: pd.DataFrame, ids: pd.Index) -> np.ndarray:
    """Household of each client as a code; a client without one is a household of its own."""
    codes, homes = pd.factorize(clients["household_id"])
    alone = codes < 0
    codes = codes.copy()
    codes[alone] = len(homes) + np.arange(alone.sum())
    return codes


def _spread(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Household totals, written back to every member's row."""
    totals = np.zeros((unit.max(initial=-1) + 1, values.shape[1]))
    np.add.at(totals, unit, cents(values))
    return totals[unit] / CENTS
