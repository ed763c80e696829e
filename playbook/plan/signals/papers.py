"""Documents and cases with a date: assessments, identity papers, the file, complaints (3.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.plan.scene import Scene
from playbook.plan.windows import day_of

_DAY = "datetime64[D]"


def risk_expiry(scene: Scene) -> pd.DataFrame | str:
    """The latest risk assessment runs out, or has run out. Holders of a product that needs one
    are told; for the others it is a matter for the next contact. Without the table of holdings
    everybody counts as a holder: a duty is not lost for want of a table."""
    if not scene.book.has("risk_assessments"):
        return "risk_assessments"
    rows = scene.known(scene.book.table("risk_assessments"))
    rows = rows.sort_values(["client_id", "assessed_on", "ra_id"], kind="stable")
    rows = rows.drop_duplicates("client_id", keep="last").reset_index(drop=True)
    until = day_of(rows["valid_until"])
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["ra_id"],
            "anchor": until,
            "amount": np.nan,
            "variant": np.where(until < scene.month.as_of, "expired", ""),
            "effort": np.where(rows["client_id"].isin(_holders(scene)), "", "attach"),
        }
    )


def _holders(scene: Scene) -> pd.Series:
    book = scene.book
    if not (book.has("holdings") and book.has("products")):
        return scene.clients["client_id"]
    held = book.table("holdings")
    held = held[held["ended_on"].isna()]
    kind = scene.products["product_class"].astype("str").reindex(held["product_id"])
    return held["client_id"][kind.isin(scene.policy.triggers.risk_classes).to_numpy()]


def id_expiry(scene: Scene) -> pd.DataFrame | str:
    """The identity paper on file runs out, or has run out."""
    clients = scene.known(scene.book.table("clients"))
    rows = clients[clients["id_expiry"].notna()].reset_index(drop=True)
    until = day_of(rows["id_expiry"])
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": np.datetime_as_string(until, unit="D"),
            "anchor": until,
            "amount": np.nan,
            "variant": np.where(until < scene.month.as_of, "expired", ""),
        }
    )


def kyc_stale(scene: Scene) -> pd.DataFrame | str:
    """Facts of the file are older than the policy's ``fresh_months``: with the next contact."""
    if not scene.book.has("needs"):
        return "needs"
    rows = scene.missing[scene.missing["why"].astype("str") == "stale"]
    rows = scene.known(rows).groupby("client_id", sort=True, observed=True).size()
    again = np.timedelta64(scene.policy.triggers.remind_again_days, "D")
    return pd.DataFrame(
        {
            "client_id": rows.index.astype("str"),
            "object_id": str(scene.month.as_of),
            "anchor": scene.month.as_of,
            "since": scene.month.as_of - again,
            "amount": np.nan,
            "fact_n": rows.to_numpy(),
        }
    )


def complaint_open(scene: Scene) -> pd.DataFrame | str:
    """Open complaints, due before the day by which they must be closed (COMP-01): longer for
    complex cases, and longer again where an extension was granted."""
    if not scene.book.has("complaints"):
        return "complaints"
    limits = scene.policy.gate.cases
    rows = _with_owner(scene, scene.book.table("complaints"))
    rows = rows[rows["closed_on"].isna()].reset_index(drop=True)
    hard = rows["complex"].fillna(False).to_numpy(bool)
    granted = rows["extended_on"].notna().to_numpy()
    days = np.select([granted, hard], [limits.special_days, limits.extended_days], limits.days)
    received = day_of(rows["received_on"])
    until = received + days.astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["complaint_id"],
            "anchor": until,
            "event_on": received,
            "since": received,
            "amount": np.nan,
            "adviser_id": rows["owner"],
            "variant": np.where(until < scene.month.as_of, "late", ""),
            "fact_until": until,
        }
    )


def complaint_closed(scene: Scene) -> pd.DataFrame | str:
    """Complaints that were closed: a call of care afterwards."""
    if not scene.book.has("complaints"):
        return "complaints"
    rows = _with_owner(scene, scene.book.table("complaints"))
    rows = rows[rows["closed_on"].notna()].reset_index(drop=True)
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["complaint_id"],
            "anchor": day_of(rows["closed_on"]),
            "amount": np.nan,
            "adviser_id": rows["owner"],
        }
    )


def _with_owner(scene: Scene, rows: pd.DataFrame) -> pd.DataFrame:
    """Who answers: the handler, else the client's adviser; never the one complained about, for
    whom the case goes to nobody until the branch head decides."""
    rows = scene.known(rows)
    owner = rows["handler_id"].fillna(scene.of_client("adviser_id", rows["client_id"]))
    biased = (owner == rows["against_adviser_id"]).fillna(False).to_numpy(bool)
    # An empty owner is a decision here, not a gap to be filled with the client's adviser.
    return rows.assign(owner=owner.where(~biased, "").fillna(""))
