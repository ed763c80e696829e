"""The ledger of a branch: holdings, and movements that balances and averages follow.

Amounts are whole cents (``int64``), so that the identity of domain rule K28 holds exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playbook.sample.bank import DEMAND
from playbook.tables import PRODUCT_CLASSES

K = len(PRODUCT_CLASSES)
YUAN = 100


@dataclass
class Holdings:
    """Holdings as arrays; ``value`` is the worth at the last month end, 0 once ended."""

    client: np.ndarray
    product: np.ndarray
    start: np.ndarray
    maturity: np.ndarray
    ended: np.ndarray
    principal: np.ndarray
    cost: np.ndarray
    value: np.ndarray
    renews: np.ndarray

    def add(self, other: Holdings) -> None:
        """Append bought holdings."""
        for name in self.__dataclass_fields__:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(other, name)]))


@dataclass(frozen=True)
class Ledger:
    """All that happened: balances by client, month and class, flows, holdings, and the truth."""

    opening: np.ndarray
    end: np.ndarray
    average: np.ndarray
    market: np.ndarray
    flows: dict[str, np.ndarray]
    holdings: Holdings
    closed: np.ndarray
    left: np.ndarray
    calls: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]
    lift: dict[str, np.ndarray]


class Month:
    """Movements of one month: flows written down once, balances and averages following them."""

    def __init__(self, n: int, first: int, last: int, opening: np.ndarray) -> None:
        self.first, self.last, self.days = first, last, last - first + 1
        self.opening = opening
        self.delta = np.zeros(n * K, dtype="int64")
        self.weighted = np.zeros(n * K, dtype="int64")
        self.market = np.zeros(n * K, dtype="int64")
        self.flows: list[tuple] = []

    def move(self, client, cls, day, amount, market: bool = False) -> None:
        """Change a class of a client from a day on; ``market``: earned, not moved."""
        at = client * K + cls
        np.add.at(self.delta, at, amount)
        np.add.at(self.weighted, at, amount * (self.last - day + 1))
        if market:
            np.add.at(self.market, at, amount)

    def flow(self, client, day, sign: int, amount, kind: str, product=None) -> None:
        """Write a flow down; it moves nothing by itself."""
        keep = amount > 0
        if not keep.any():
            return
        product = np.full(len(client), -1) if product is None else product
        day = np.broadcast_to(day, client.shape)
        sign_of = np.full(int(keep.sum()), sign)
        kinds = np.full(len(sign_of), kind, dtype=object)
        self.flows.append((client[keep], day[keep], sign_of, amount[keep], kinds, product[keep]))

    def external(self, client, day, amount, kind: str) -> None:
        """Money from outside (positive) or to the outside (negative), by the demand account."""
        into = amount > 0
        self.move(client, DEMAND, day, amount)
        day = np.broadcast_to(day, client.shape)
        self.flow(client[into], day[into], 1, amount[into], kind)
        self.flow(client[~into], day[~into], -1, -amount[~into], kind)

    def demand(self) -> np.ndarray:
        """Demand money of every client after all movements so far."""
        return (self.opening + self.delta.reshape(-1, K))[:, DEMAND]

    def close(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Month end, month average (half a cent up) and market change, by client and class."""
        shape = self.opening.shape
        end = self.opening + self.delta.reshape(shape)
        total = self.opening * self.days + self.weighted.reshape(shape)
        return end, (2 * total + self.days) // (2 * self.days), self.market.reshape(shape)
