"""What happened to a product the client holds: falls in NAV, dividends, ratings (domain 3.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.plan.scene import Scene, looked_up
from playbook.plan.windows import day_of

#: Before every day on record.
_EVER = pd.Timestamp(1900, 1, 1)


def nav_drop(scene: Scene) -> pd.DataFrame | str:
    """Falls from the client's cost, or within ``nav_days`` (variant ``fall``), by the limit of the
    product's risk level. The event is the first day of the fall that still lasts, so that it is
    raised once; a product that has recovered raises nothing."""
    absent = _absent(scene)
    if absent:
        return absent
    rules = scene.policy.triggers
    oldest = _oldest(scene, "nav_drop")
    navs = _navs(scene, oldest, rules.nav_days)
    held = _held(scene)
    limit = scene.products["risk_level"].astype("str").map(dict(rules.nav_drop))
    held["limit"] = limit.reindex(held["product_id"]).to_numpy(np.float64)
    held = held[held["limit"].notna()]
    rows = held.merge(navs, on="product_id").query("date >= start_date")
    cost = rows["cost_nav"].where(rows["cost_nav"] > 0)
    since_cost, lately = 1 - rows["nav"] / cost, 1 - rows["nav"] / rows["nav_before"]
    lately = lately.where(rows["date_before"] >= rows["start_date"])
    # Rates are compared at six digits: a fall of exactly 5 % is one.
    by_cost = since_cost.round(6) >= rows["limit"]
    by_fall = lately.round(6) >= rows["limit"]
    rows = rows.assign(
        low=(by_cost | by_fall).to_numpy(), by_cost=by_cost.to_numpy(),
        drop=np.fmax(since_cost.where(by_cost), lately.where(by_fall)).to_numpy(),
    ).sort_values(["holding_id", "date"], kind="stable")  # fmt: skip
    fine = rows.loc[~rows["low"]].groupby("holding_id")["date"].max()
    rows["spell"] = rows["date"] > looked_up(rows["holding_id"], fine).fillna(_EVER)
    spell = rows[rows["spell"]]
    first = spell.drop_duplicates("holding_id").set_index("holding_id")["date"]
    last = spell.drop_duplicates("holding_id", keep="last").reset_index(drop=True)
    value = last["market_value"].fillna(last["principal"])
    return pd.DataFrame(
        {
            "client_id": last["client_id"],
            "object_id": last["holding_id"],
            "anchor": day_of(looked_up(last["holding_id"], first)),
            "amount": value,
            "severity": (value * last["drop"] / (1 - last["drop"])).round(2),
            "variant": np.where(last["by_cost"], "", "fall"),
            "fact_product": _names(scene, last),
            "fact_drop": last["drop"],
            "fact_days": rules.nav_days,
        }
    )


def dividend(scene: Scene) -> pd.DataFrame | str:
    """A product that the client holds paid a dividend."""
    return _event(scene, "dividend", "dividend")


def open_period(scene: Scene) -> pd.DataFrame | str:
    """A product that the client holds will be open for purchase and redemption. Days ahead are
    known from head office's list only; the table of NAVs ends at the book's close."""
    return _event(scene, "open_period", "open", ahead=True)


def rating_change(scene: Scene) -> pd.DataFrame | str:
    """The risk rating of a product that the client holds was changed."""
    return _event(scene, "rating_change", "rating_change")


def cooling_off(scene: Scene) -> pd.DataFrame | str:
    """An insurance policy was bought and its cooling-off period runs."""
    absent = [name for name in ("holdings", "products") if not scene.book.has(name)]
    if absent:
        return ", ".join(absent)
    rows = _held(scene)
    days = scene.products["cooling_off_days"].reindex(rows["product_id"])
    days = days.fillna(0).to_numpy(np.int64)
    rows, days = rows[days > 0].reset_index(drop=True), days[days > 0]
    start = day_of(rows["start_date"])
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["holding_id"],
            "anchor": start,
            "cap": start + days.astype("timedelta64[D]"),
            "amount": rows["principal"],
            "fact_product": _names(scene, rows),
            "fact_until": start + days.astype("timedelta64[D]"),
        }
    )


def _absent(scene: Scene) -> str:
    wanted = ("holdings", "products", "product_nav")
    return ", ".join(name for name in wanted if not scene.book.has(name))


def _oldest(scene: Scene, code: str) -> pd.Timestamp:
    """Events before this day are past their last day, or will be when the month begins."""
    last = max(stage.days[2] for stage in scene.policy.triggers.rules[code].stages.values())
    return pd.Timestamp(scene.month.as_of) - pd.Timedelta(days=last + 1)


def _held(scene: Scene) -> pd.DataFrame:
    rows = scene.known(scene.book.table("holdings"))
    return rows[rows["ended_on"].isna()].reset_index(drop=True)


def _names(scene: Scene, rows: pd.DataFrame) -> np.ndarray:
    return scene.products["product_name"].reindex(rows["product_id"]).to_numpy()


def _navs(scene: Scene, since: pd.Timestamp, days: int) -> pd.DataFrame:
    """NAVs from ``since`` and the last one before it, each with the last one at least ``days``
    earlier. The one before says whether a fall had begun by then."""
    rows = scene.book.table("product_nav")
    rows = rows.loc[rows["nav"].notna(), ["product_id", "date", "nav"]]
    rows = rows.sort_values(["date", "product_id"], kind="stable").reset_index(drop=True)
    rows["date"] = rows["date"].dt.as_unit("s")
    before = rows.rename(columns={"date": "date_before", "nav": "nav_before"})
    rows["wanted"] = (rows["date"] - pd.Timedelta(days=days)).dt.as_unit("s")
    older = rows.loc[rows["date"] < since].groupby("product_id")["date"].max()
    rows = rows[rows["date"] >= looked_up(rows["product_id"], older).fillna(since)]
    return pd.merge_asof(
        rows, before, left_on="wanted", right_on="date_before", by="product_id"
    ).drop(columns="wanted")


def _event(scene: Scene, code: str, event: str, *, ahead: bool = False) -> pd.DataFrame | str:
    absent = _absent(scene)
    if absent:
        return absent
    known = scene.book.table("product_nav")[["product_id", "date", "event", "event_value"]]
    listed = scene.lists.get("product_events")
    if listed is not None:
        known = pd.concat([known.astype({"event": "str"}), listed], ignore_index=True)
    elif ahead:
        return "product_events"
    events = known[known["event"].astype("str") == event]
    events = events[events["date"] >= _oldest(scene, code)]
    events = events.drop_duplicates(["product_id", "date"])
    held = _held(scene)
    rows = held.merge(events, on="product_id")
    rows = rows[rows["start_date"] <= rows["date"]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["holding_id"],
            "anchor": day_of(rows["date"]),
            "amount": rows["market_value"].fillna(rows["principal"]),
            "fact_product": _names(scene, rows),
            "fact_value": rows["event_value"],
        }
    )
