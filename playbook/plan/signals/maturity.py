"""Maturities: large ones in four stages, every other one with a notice (domain 3.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.plan.scene import Scene
from playbook.plan.windows import day_of


def large(scene: Scene) -> pd.DataFrame | str:
    """Maturities of the policy's classes that are large by amount and by share of the client's
    assets (month end): ``principal ≥ max(large_floor, large_share × assets)``."""
    rules = scene.policy.triggers
    rows = maturing(scene)
    if isinstance(rows, str):
        return rows
    assets = scene.of_client("aum_end", rows["client_id"])
    least = np.maximum(rules.large_floor, assets * rules.large_share)
    mine = rows["product_class"].isin(rules.large_classes) & (rows["amount"] >= least)
    return rows[mine].assign(variant="")


def every(scene: Scene) -> pd.DataFrame | str:
    """Every maturity; a large one of the same holding takes its place later."""
    return maturing(scene)


def maturing(scene: Scene) -> pd.DataFrame | str:
    """Holdings that mature, and those that matured at their date: not those ended before it."""
    absent = [name for name in ("holdings", "products") if not scene.book.has(name)]
    if absent:
        return ", ".join(absent)
    rows = scene.known(scene.book.table("holdings"))
    at_its_date = rows["ended_on"].isna() | (rows["ended_on"] >= rows["maturity_date"])
    rows = rows[rows["maturity_date"].notna() & at_its_date]
    product = scene.products.reindex(rows["product_id"])
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["holding_id"],
            "anchor": day_of(rows["maturity_date"]),
            "amount": rows["principal"],
            "severity": rows["principal"],
            "variant": np.where(rows["auto_renew"].fillna(False).to_numpy(bool), "renew", ""),
            "product_class": product["product_class"].astype("str").to_numpy(),
            "fact_product": product["product_name"].to_numpy(),
        }
    ).reset_index(drop=True)
