"""Buying products: what fits a client, what it becomes, and what everybody holds at the start."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from playbook.sample.bank import CLASS, DEMAND, Shelf
from playbook.sample.clock import Clock
from playbook.sample.events import Gatherings
from playbook.sample.ledger import YUAN, Holdings, K, Month
from playbook.sample.papers import NEVER, Assessments
from playbook.sample.parameters import Setting
from playbook.sample.people import People
from playbook.tables import PRODUCT_CLASSES


@dataclass(frozen=True)
class World:
    """What the months need to know, gathered once."""

    p: SimpleNamespace
    s: Setting
    when: Clock
    who: People
    shelf: Shelf
    papers: Assessments
    party: Gatherings
    rng: np.random.Generator


def mix(w: World) -> np.ndarray:
    """Weight of each product for bands 0-1, 2-3, 4-5."""
    rows = [w.p.money.mix[name] for name in ("low", "core", "top")]
    cls = np.array([[row.get(c, 0.0) for c in PRODUCT_CLASSES] for row in rows])
    siblings = np.bincount(w.shelf.cls, minlength=K)
    return cls[:, w.shelf.cls] / siblings[w.shelf.cls]


def pick(w: World, weight: np.ndarray, band, cap, amount) -> np.ndarray:
    """A product per row that its risk level and amount allow; -1 where none is."""
    row = np.minimum(band // 2, 2)
    shelf = w.shelf
    allowed = (shelf.risk[None] <= np.maximum(cap, 1)[:, None]) & (
        shelf.minimum[None] <= amount[:, None]
    )
    allowed &= ~shelf.qualified[None] | (band >= 4)[:, None]
    edge = np.cumsum(weight[row] * allowed, axis=1)
    u = w.rng.random(len(amount)) * edge[:, -1]
    product = (edge <= u[:, None]).sum(axis=1)
    return np.where(edge[:, -1] > 0, np.minimum(product, len(shelf.cls) - 1), -1)


def band_of(w: World, wealth: np.ndarray) -> np.ndarray:
    floor = np.array(w.p.bands.floor, dtype="int64") * YUAN
    return np.maximum(np.searchsorted(floor, wealth, side="right") - 1, 0)


def bought(w: World, client, product, day, amount) -> Holdings:
    """New holdings of a purchase."""
    term = w.shelf.term[product]
    renews = (w.shelf.cls[product] == CLASS["time_deposit"]) & (
        w.rng.random(len(client)) < w.p.money.auto_renew
    )
    return Holdings(
        client, product, day, np.where(term > 0, day + term, NEVER),
        np.full(len(client), NEVER), amount, w.shelf.cost(product, day), amount.copy(), renews,
    )  # fmt: skip


def purchase(w: World, month: Month, hold: Holdings, client, product, day, amount) -> None:
    if not len(client):
        return
    month.move(client, DEMAND, day, -amount)
    month.move(client, w.shelf.cls[product], day, amount)
    month.flow(client, day, -1, amount, "purchase", product)
    hold.add(bought(w, client, product, day, amount))


def start(w: World) -> tuple[Holdings, np.ndarray]:
    """Holdings and balances on the eve of the first month."""
    p, who, shelf, rng = w.p, w.who, w.shelf, w.rng
    eve = int(w.when.first[0]) - 1
    stock = np.flatnonzero(who.arrives < 0)
    size = np.rint(who.size[stock]).astype("int64") * YUAN
    band = who.band[stock]
    slots = np.maximum(np.array(p.money.slots)[band] + rng.integers(-1, 2, len(stock)), 1)
    client = np.repeat(stock, slots)
    at = np.repeat(np.arange(len(stock)), slots)
    part = rng.gamma(2.0, 1.0, len(client))
    part /= np.bincount(at, part)[at]
    kept = np.clip(rng.beta(2, 14, len(stock)), 0.01, 0.6)
    amount = (size[at] * (1 - kept[at]) * part).astype("int64") // 100_000 * 100_000
    weight = mix(w) * np.where(shelf.term == 1095, w.s.get("three_year_times", 1.0), 1.0)
    # Silent clients hold nothing that matures, or its maturity would break their silence.
    cap = w.papers.level_on(client, np.full(len(client), eve))
    cap = np.where(cap > 0, cap, who.level[client].clip(max=2))
    product = pick(w, weight, band[at], cap, amount)
    dated = np.where(product >= 0, (shelf.term[product] > 0), False)
    open_money = CLASS["fund_money"], CLASS["wealth_open"]
    quiet_choice = rng.choice(
        np.flatnonzero(np.isin(shelf.cls, open_money) & (shelf.risk == 1)), len(at)
    )
    product = np.where(who.quiet[client] & dated, quiet_choice, product)
    keep = (product >= 0) & (amount > 0)
    client, at, amount, product = client[keep], at[keep], amount[keep], product[keep]

    maturity = _maturity_days(w, shelf.term[product], eve)
    held_for = (rng.random(len(client)) * 700).astype("int64") + 10
    start = np.where(shelf.term[product] > 0, maturity - shelf.term[product], eve - held_for)
    maturity = np.where(shelf.term[product] > 0, maturity, NEVER)
    hold = bought(w, client, product, start, amount)
    hold.maturity = maturity
    hold.value = shelf.value(product, hold.principal, hold.cost, np.full(len(client), eve))
    # The size is what all is worth together: demand takes what the holdings leave.
    balance = np.zeros((who.n, K), dtype="int64")
    np.add.at(balance, (client, shelf.cls[product]), hold.value)
    rest = size - np.bincount(at, amount, len(stock)).astype("int64")
    balance[stock, DEMAND] = np.maximum(rest, 0)
    return hold, balance


def _maturity_days(w: World, term: np.ndarray, eve: int) -> np.ndarray:
    """Days on which the holdings of the start mature, heavier in the months that banks know."""
    rng = w.rng
    season = np.array(w.s.get("seasonality", w.p.money.seasonality), dtype=float)
    first = int(w.when.months[0].astype("int64"))
    calendar = (first + np.arange(12)) % 12
    ahead = rng.choice(12, len(term), p=season[calendar] / season.sum())
    years = np.maximum(-(-term // 366), 1)
    year = (rng.random(len(term)) * years).astype("int64")
    if share := w.s.get("wall_share", 0.0):
        # Three-year deposits sold together fall due together, in the first quarter after as_of.
        year = np.where((years >= 3) & (rng.random(len(term)) < share), 2, year)
    month = (w.when.months[0] + (ahead + 12 * year)).astype("datetime64[M]")
    day = month.astype("datetime64[D]").astype("int64") + rng.integers(0, 28, len(term))
    short = (term > 0) & (day - term > eve)
    return np.where(short, eve + 1 + (rng.random(len(term)) * term).astype("int64"), day)
