"""Money that came or left in one piece, and payroll that stopped (domain 3.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.plan.scene import Scene
from playbook.plan.windows import day_of

#: Transfers to and from the client's own account at another bank (本人他行).
OWN_ACCOUNT = "transfer_self_otherbank"


def inflow(scene: Scene) -> pd.DataFrame | str:
    """Single large sums that came in: ``amount ≥ max(large_floor, large_share × assets at the
    month end before)``. Only kinds of flow that the policy names; payroll is none of them."""
    found = _large(scene, "in")
    return found if isinstance(found, str) else found.assign(severity=0.0, variant="")


def outflow(scene: Scene) -> pd.DataFrame | str:
    """Single large sums that left; variant ``own`` for the client's own account elsewhere."""
    return _large(scene, "out")


def _large(scene: Scene, direction: str) -> pd.DataFrame | str:
    if not scene.book.has("flows"):
        return "flows"
    rules = scene.policy.triggers
    rows = scene.known(scene.book.table("flows"))
    rows = rows[(rows["direction"] == direction) & rows["kind"].isin(rules.flow_kinds)]
    rows = rows[rows["amount"] >= rules.large_floor]
    before = scene.opening(rows["client_id"], rows["date"])
    rows, before = (part[rows["amount"] >= rules.large_share * before] for part in (rows, before))
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["flow_id"],
            "anchor": day_of(rows["date"]),
            "amount": rows["amount"],
            "severity": rows["amount"],
            "variant": np.where(rows["kind"] == OWN_ACCOUNT, "own", ""),
            "fact_before": before,
        }
    ).reset_index(drop=True)


def payroll_stop(scene: Scene) -> pd.DataFrame | str:
    """No payroll for ``payroll_missing`` complete months after ``payroll_months`` in a row. The
    event is the close of the last of the missing months, so that a stop is raised once."""
    if not scene.book.has("flows"):
        return "flows"
    rules = scene.policy.triggers
    rows = scene.known(scene.book.table("flows"))
    rows = rows[rows["kind"] == "payroll"]
    n, at = len(scene.ids), scene.row(rows["client_id"])
    month = rows["date"].to_numpy().astype("datetime64[M]")
    this = scene.month.as_of.astype("datetime64[M]")
    if (scene.month.as_of + 1).astype("datetime64[M]") == this:
        this = this - 1  # the month of as_of is not complete
    span = rules.payroll_months + rules.payroll_missing
    steps = np.arange(2 * span)
    paid = np.zeros((n, 2 * span), dtype=bool)
    ago = (this - month).astype(np.int64)
    seen = (ago >= 0) & (ago < 2 * span)
    paid[at[seen], ago[seen]] = True
    last = np.where(paid.any(axis=1), paid.argmax(axis=1), -1)
    inside = (steps >= last[:, None]) & (steps < last[:, None] + rules.payroll_months)
    row = (inside & paid).sum(axis=1) == rules.payroll_months
    who = np.flatnonzero(row & (last >= rules.payroll_missing))
    closed = this - last[who] + rules.payroll_missing + 1
    return pd.DataFrame(
        {
            "client_id": scene.clients["client_id"].take(who).reset_index(drop=True),
            "object_id": (this - last[who]).astype("str"),
            "anchor": closed.astype("datetime64[D]") - np.timedelta64(1, "D"),
            "amount": np.nan,
            "fact_months": rules.payroll_missing,
        }
    )
