"""What all branches share: the product shelf and its prices."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import pandas as pd
import yaml

from playbook.sample.clock import Clock, dates
from playbook.tables import PRODUCT_CLASSES, RISK_LEVELS

CLASS = {name: k for k, name in enumerate(PRODUCT_CLASSES)}
DEMAND = CLASS["demand"]
#: Every class but demand is made of holdings; demand is the account itself.
HELD = tuple(name for name in PRODUCT_CLASSES if name != "demand")

#: Days of price history before the first month: the longest term that can run at the start.
_BEFORE = 1830


@dataclass(frozen=True)
class Shelf:
    """Products as arrays (one position per product) and ``price[product, day - start]``."""

    ids: np.ndarray
    cls: np.ndarray
    risk: np.ndarray
    minimum: np.ndarray
    qualified: np.ndarray
    term: np.ndarray
    rate: np.ndarray
    start: int
    price: np.ndarray
    products: pd.DataFrame
    product_nav: pd.DataFrame

    def value(self, product: np.ndarray, principal: np.ndarray, cost: np.ndarray, on) -> np.ndarray:
        """Worth in cents on a day: units times the price last published."""
        return np.rint(principal * self.price[product, on - self.start] / cost).astype("int64")

    def cost(self, product: np.ndarray, on: np.ndarray) -> np.ndarray:
        """Price at which a unit is bought on a day."""
        return self.price[product, on - self.start]


def shelf(p: SimpleNamespace, seed: int, when: Clock) -> Shelf:
    """The bank's products and their price history; the same for every branch of a seed."""
    text = files("playbook.sample").joinpath("shelf.yaml").read_text(encoding="utf-8")
    goods = pd.DataFrame(yaml.safe_load(text))
    cls = np.array([CLASS[c] for c in goods["class"]])
    risk = np.array([RISK_LEVELS.index(r) + 1 for r in goods["risk"]])
    term = goods["term"].to_numpy(dtype="int64")
    rate = np.array([p.market.deposit_rate.get(c, 0.0) for c in goods["class"]])
    # A deposit pays interest instead of having a price; a returned premium stays what it was.
    priced = (rate == 0) & (cls != CLASS["insurance_protect"])

    days = np.arange(when.first[0] - _BEFORE, when.as_of + 1)
    months = (days + 1).astype("datetime64[D]").astype("datetime64[M]")
    month_end = months.astype("datetime64[D]").astype("int64") == days + 1
    publish = ((days + 3) % 7 == 4) | month_end
    publish[0] = True
    at = days[publish]
    share = np.diff(at, prepend=at[0]) / 30.4375
    mean, sd = np.array([p.market.monthly[RISK_LEVELS[r - 1]] for r in risk]).T
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0])))
    shock = rng.standard_normal((len(risk), len(at)))
    step = 1 + mean[:, None] * share + sd[:, None] * np.sqrt(share) * shock
    nav = np.round(np.cumprod(step, axis=1), 4)
    nav = np.where(priced[:, None], nav, 1.0)
    price = nav[:, np.cumsum(publish) - 1]

    products = pd.DataFrame({
        "product_id": goods["id"], "product_name": goods["name"], "issuer": goods["issuer"],
        "is_own": goods["own"], "product_class": goods["class"], "risk_level": goods["risk"],
        "risk_level_issuer": goods["risk"], "min_amount": goods["minimum"].astype(float),
        "min_tier": goods["tier"].where(goods["tier"] != "").astype("str"),
        "qualified_only": goods["qualified"],
        "term_days": goods["term"].where(goods["term"] > 0).astype("Int64"),
        "liquidity": goods["liquidity"], "dual_record": goods["recording"],
        "cooling_off_days": goods["cooling_off"], "need_tag": goods["need"],
    })  # fmt: skip
    ids = goods["id"].to_numpy(dtype=object)
    return Shelf(
        ids, cls, risk, goods["minimum"].to_numpy(dtype="int64") * 100,
        goods["qualified"].to_numpy(dtype=bool), term, rate, int(days[0]), price, products,
        _nav_table(ids, cls, priced, at, nav, when),
    )  # fmt: skip


def _nav_table(ids, cls, priced, at, nav, when: Clock) -> pd.DataFrame:
    shown = at >= when.first[0] - 35
    product = np.repeat(np.flatnonzero(priced), shown.sum())
    on = np.tile(at[shown], priced.sum())
    frame = pd.DataFrame({
        "product_id": ids[product], "date": dates(on), "nav": nav[priced][:, shown].ravel(),
        "event": "none", "event_value": pd.array([None] * len(on), dtype="str"),
    })  # fmt: skip
    # Bond funds pay out twice a year; privately placed funds open every quarter.
    month_end = (pd.DatetimeIndex(frame["date"]) + pd.Timedelta(days=1)).day == 1
    month = pd.DatetimeIndex(frame["date"]).month
    pays = month_end & month.isin([6, 12]) & (cls[product] == CLASS["fund_bond"])
    opens = month_end & month.isin([3, 6, 9, 12]) & (cls[product] == CLASS["private"])
    rated = (frame["product_id"] == "FX02") & (frame["date"] == pd.Timestamp("2026-08-28"))
    frame["event"] = np.select([pays, opens, rated], ["dividend", "open", "rating_change"], "none")
    frame["event_value"] = pd.array(
        np.select([pays, opens, rated], ["0.0100", "5", "R3"], None), dtype="str"
    )
    return frame
