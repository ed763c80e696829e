"""The rows to be judged, beside what the book knows about their clients, as plain arrays."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from playbook.policy import calendar
from playbook.tables import CHANNELS, PURPOSES, RISK_LEVELS

NEEDED = ("client_id", "purpose", "channel")
_DAY = "datetime64[D]"
_SECOND = "datetime64[s]"
#: Years that the calendar knows; the last one is not included.
_YEARS = (calendar.FIRST_YEAR + 1, calendar.LAST_YEAR)
#: Room for one client's times in a sorted key; seconds since 1970 stay far below it.
_SPAN = 1 << 40


class Rows:
    """Intended (or done) contacts as arrays over rows; tables of the book as arrays over clients.

    ``day`` is the judged date: column ``on`` (or the day of ``at``), else ``due_on`` but not
    before ``earliest_on``. ``placed`` says whether the day was chosen (not just a due date).
    ``done`` rows are contacts that happened (they carry a ``contact_id``).
    """

    def __init__(self, rows: pd.DataFrame, book, policy, on=None) -> None:
        missing = [name for name in NEEDED if name not in rows.columns]
        dated = on is not None or {"on", "at", "due_on"} & set(rows.columns)
        if missing or not dated:
            raise ValueError(
                "rows to be judged lack " + ", ".join(missing or ["a date: on, at or due_on"])
            )
        self.frame = rows
        self.book = book
        self.policy = policy
        self.n = len(rows)
        self.at = self.times("at")
        self.day, self.placed = self._dates(on)
        first, last = (np.datetime64(str(year), "D") for year in _YEARS)
        self.known_day = (self.day >= first) & (self.day < last)
        self.day_or_zero = np.where(self.known_day, self.day, np.datetime64(0, "D"))

    # ---- columns of the rows

    def has(self, name: str) -> bool:
        return name in self.frame.columns

    def times(self, name: str) -> np.ndarray:
        if not self.has(name):
            return np.full(self.n, np.datetime64("NaT"), dtype=_SECOND)
        return pd.to_datetime(self.frame[name]).to_numpy().astype(_SECOND)

    def numbers(self, name: str) -> np.ndarray:
        if not self.has(name):
            return np.full(self.n, np.nan)
        return pd.to_numeric(self.frame[name]).to_numpy(dtype="float64", na_value=np.nan)

    def flags(self, name: str) -> np.ndarray:
        """A yes-no column; missing is no."""
        if not self.has(name):
            return np.zeros(self.n, dtype=bool)
        return self.frame[name].astype("boolean").fillna(False).to_numpy(dtype=bool)

    def filled(self, name: str) -> np.ndarray:
        if not self.has(name):
            return np.zeros(self.n, dtype=bool)
        values = self.frame[name]
        return (values.notna() & (values != "")).to_numpy(dtype=bool)

    def match(self, name: str, known) -> np.ndarray:
        """Position of each row's value among ``known``, -1 for none."""
        if not self.has(name) or not len(known):
            return np.full(self.n, -1)
        codes, values = pd.factorize(self.frame[name])
        places = pd.Index(known).get_indexer(pd.Index(values, dtype=object).astype(object))
        return np.append(places, -1)[codes]

    def _dates(self, on) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.times("on").astype(_DAY)
        chosen = np.where(np.isnat(chosen), self.at.astype(_DAY), chosen)
        if on is not None:
            chosen = np.full(self.n, np.datetime64(pd.Timestamp(on).date(), "D"))
        due, earliest = self.times("due_on").astype(_DAY), self.times("earliest_on").astype(_DAY)
        due = np.where(earliest > due, earliest, due)
        placed = ~np.isnat(chosen)
        return np.where(placed, chosen, due), placed

    @cached_property
    def purpose(self) -> np.ndarray:
        return self.match("purpose", list(PURPOSES))

    @cached_property
    def marketing(self) -> np.ndarray:
        return self.purpose == PURPOSES.index("marketing")

    @cached_property
    def service(self) -> np.ndarray:
        return self.purpose == PURPOSES.index("service")

    @cached_property
    def care(self) -> np.ndarray:
        return self.purpose == PURPOSES.index("care")

    @cached_property
    def channel(self) -> np.ndarray:
        return self.match("channel", list(CHANNELS))

    def on_channels(self, names) -> np.ndarray:
        return np.isin(self.channel, [CHANNELS.index(name) for name in names])

    @cached_property
    def done(self) -> np.ndarray:
        return self.filled("contact_id")

    # ---- clients

    @cached_property
    def clients(self) -> pd.DataFrame:
        return self.book["clients"]

    @cached_property
    def client(self) -> np.ndarray:
        """Position of each row's client in the book, -1 when not in it."""
        return self.match("client_id", self.clients["client_id"])

    def of_client(self, values, none):
        """A column over clients, read for each row; ``none`` for clients not in the book."""
        values = np.asarray(values)
        if not len(values):
            return np.full(self.n, none)
        return np.where(self.client >= 0, values[self.client], none)

    @cached_property
    def age(self) -> np.ndarray:
        return self.of_client(
            self.clients["age"].to_numpy(dtype="float64", na_value=np.nan), np.nan
        )

    def client_flags(self, name: str) -> np.ndarray:
        values = self.clients[name].astype("boolean").fillna(False).to_numpy(dtype=bool)
        return self.of_client(values, False)

    def client_days(self, name: str) -> np.ndarray:
        return self.of_client(
            self.clients[name].to_numpy().astype(_DAY), np.datetime64("NaT", "D")
        )

    def owners(self, ids: pd.Series) -> np.ndarray:
        """Position of the clients of a table's rows."""
        return pd.Index(self.clients["client_id"]).get_indexer(ids)

    @cached_property
    def at_or_end(self) -> np.ndarray:
        """The moment of the row: its time, else the end of its day."""
        end = (self.day_or_zero + np.timedelta64(1, "D")).astype(_SECOND)
        return np.where(np.isnat(self.at), end, self.at)

    @cached_property
    def assets(self) -> pd.Series:
        """Month end of the last complete month by client position and product class, in yuan."""
        balances = self.book["balances_monthly"]
        balances = balances[balances["month"] == self.book.last_month]
        owner = self.owners(balances["client_id"])
        return balances.groupby([owner, balances["product_class"].astype("str")])["month_end"].sum()

    @cached_property
    def aum(self) -> np.ndarray:
        """AUM of each row's client in yuan; NaN without any complete month."""
        return self.of_client(self._per_client(self.assets), np.nan)

    def liquid(self, classes) -> np.ndarray:
        """The same, of some product classes only."""
        mine = self.assets[self.assets.index.get_level_values(1).isin(list(classes))]
        return self.of_client(self._per_client(mine), np.nan)

    def _per_client(self, sums: pd.Series) -> np.ndarray:
        if self.book.last_month is None:
            return np.full(len(self.clients), np.nan)
        total = sums.groupby(level=0).sum()
        return total.reindex(range(len(self.clients)), fill_value=0.0).to_numpy()

    # ---- products

    @cached_property
    def products(self) -> pd.DataFrame:
        return self.book["products"]

    @cached_property
    def product(self) -> np.ndarray:
        """Position of each row's product on the shelf; -1 for none or unknown."""
        return self.match("product_id", self.products["product_id"])

    @cached_property
    def names_product(self) -> np.ndarray:
        return self.filled("product_id")

    @cached_property
    def content(self) -> np.ndarray:
        """Position of each row's content in the policy's list; -1 for none or not approved."""
        return self.match("content_id", list(self.policy.gate.content))

    @cached_property
    def shows_product(self) -> np.ndarray:
        """Rows whose content is product material."""
        kinds = np.array([piece.kind == "product" for piece in self.policy.gate.content.values()])
        return (self.content >= 0) & np.append(kinds, False)[self.content]

    @cached_property
    def touches_product(self) -> np.ndarray:
        """Rows in which a product is spoken of: named, proposed, sold or shown."""
        return (
            self.names_product | self.flags("proposal") | self.flags("deal") | self.shows_product
        )

    def of_product(self, values, none):
        values = np.asarray(values)
        if not len(values):
            return np.full(self.n, none)
        return np.where(self.product >= 0, values[self.product], none)

    @cached_property
    def risk(self) -> np.ndarray:
        """Level of each row's product, 0 for R1: the higher of issuer and seller; -1 unknown."""
        levels = pd.concat(
            [
                self.products[name].astype("str").map({r: k for k, r in enumerate(RISK_LEVELS)})
                for name in ("risk_level", "risk_level_issuer")
            ],
            axis=1,
        ).astype("float64")
        return self.of_product(levels.max(axis=1).fillna(-1).to_numpy(), -1).astype(int)


def level_names(levels: np.ndarray, names) -> np.ndarray:
    """Names of level positions, None for -1."""
    return np.array([*names, None], dtype=object)[levels]


class Log:
    """Dated rows of a table, to be asked per client for the last one or how many up to a time."""

    def __init__(self, owner: np.ndarray, when, *tie: object) -> None:
        when = np.asarray(when).astype(_SECOND)
        good = np.flatnonzero((owner >= 0) & ~np.isnat(when))
        ties = [np.asarray(t)[good] for t in reversed(tie)]
        order = np.lexsort((*ties, when[good], owner[good]))
        self.place = good[order]
        self.owner = owner[self.place]
        self.key = _key(self.owner, when[self.place])

    def last(self, owner: np.ndarray, until) -> np.ndarray:
        """Place in the table of the owner's last row at or before ``until``; -1 for none."""
        at = np.searchsorted(self.key, _key(owner, until), side="right") - 1
        if not len(self.key):
            return np.full(len(owner), -1)
        mine = (at >= 0) & (self.owner[at] == owner)
        return np.where(mine, self.place[at], -1)

    def count(self, owner: np.ndarray, since, before) -> np.ndarray:
        """Number of the owner's rows from ``since`` up to, not including, ``before``."""
        low, high = (np.searchsorted(self.key, _key(owner, t)) for t in (since, before))
        return np.where(owner >= 0, np.maximum(high - low, 0), 0)


def _key(owner: np.ndarray, when) -> np.ndarray:
    seconds = np.asarray(when).astype(_SECOND).astype(np.int64)
    return np.asarray(owner, dtype=np.int64) * _SPAN + seconds + _SPAN // 2


def pick(values, places: np.ndarray, none):
    """Values at ``places``; ``none`` where the place is -1."""
    values = np.asarray(values)
    if not len(values):
        return np.full(len(places), none)
    return np.where(places >= 0, values[places], none)
