"""The client's standing with us: drops, near thresholds, long silence, events, notices (3.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.plan import standard
from playbook.plan.scene import Scene
from playbook.plan.windows import day_of


def eom_drop(scene: Scene) -> pd.DataFrame | str:
    """The month end fell below the tier's floor, or money left (status, K05); variant ``lost``
    where the month average fell below it too, ``outflow`` where the floor still holds. Counted
    from the close of the status."""
    clients = scene.clients
    rows = clients[clients["status"].isin(scene.policy.triggers.drop_statuses)]
    rows = rows.reset_index(drop=True)
    lost, left = rows["status"] == "lost", rows["tier_aum_end"] >= rows["tier_floor"]
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["status"].astype("str"),
            "anchor": day_of(rows["status_since"]),
            "amount": rows["severity"],
            "severity": rows["severity"],
            "variant": np.select([lost, left], ["lost", "outflow"], ""),
            "fact_floor": rows["tier_floor"],
            "fact_end": rows["tier_aum_end"],
        }
    )


def near_tier(scene: Scene) -> pd.DataFrame | str:
    """The month average is close to the next tier's floor (K03), counted from the first close of
    the months in a row in which it was."""
    rows = scene.clients[scene.clients["near_tier"].notna()].reset_index(drop=True)
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["near_tier"].astype("str"),
            "anchor": _near_since(scene, rows["client_id"]),
            "amount": rows["gap_amount"],
            "severity": 0.0,
            "fact_near_tier": rows["near_tier"].astype("str"),
        }
    )


def _near_since(scene: Scene, client_ids: pd.Series) -> np.ndarray:
    if client_ids.empty:
        return np.empty(0, dtype="datetime64[D]")
    policy = scene.policy
    rows = scene.history[scene.history["client_id"].isin(client_ids)]
    floors = np.append(policy.floors, np.inf)
    rank = rows["tier"].cat.codes.to_numpy()
    avg = rows["aum_avg"].to_numpy()
    near = (avg >= policy.tiering.near_ratio * floors[rank + 1]) & (avg < floors[rank + 1])
    near &= avg >= floors[rank]
    close = pd.DatetimeIndex(rows["month"]) + pd.offsets.MonthEnd(0)
    closes = pd.Series(close, index=rows["client_id"].to_numpy())
    away = day_of(closes.where(~near).groupby(level=0).max().reindex(client_ids))
    first = day_of(closes.groupby(level=0).min().reindex(client_ids))
    # The close after the last one that was not near; the first on record when all were.
    following = day_of(pd.DatetimeIndex(away) + pd.offsets.MonthEnd(1))
    since = np.where(np.isnat(away), first, following)
    # With household tiers the client's own average need not be near: then it counts from now.
    return np.fmin(since, scene.month.as_of)


def no_contact(scene: Scene) -> pd.DataFrame | str:
    """No effective contact for ``no_contact_ratio`` × the tier's interval (K11); variant
    ``first`` when there is none on record."""
    if not scene.book.has("contacts"):
        return "contacts"
    last, base, interval = standard.counted_from(scene, "contact")
    has = ~np.isnan(interval)
    over = standard.added(base, interval * scene.policy.triggers.no_contact_ratio)
    over = np.fmax(over, standard.raised_on(scene))
    who = np.flatnonzero(has & (over < scene.month.as_of))
    return pd.DataFrame(
        {
            "client_id": scene.clients["client_id"].take(who).reset_index(drop=True),
            "object_id": "",
            "anchor": over[who],
            "amount": np.nan,
            "variant": np.where(np.isnat(last[who]), "first", ""),
            "fact_last_on": last[who],
            "fact_days": (scene.month.as_of - base[who]).astype(np.int64),
            "fact_interval": np.rint(interval[who]).astype(np.int64),
        }
    )


def event_invite(scene: Scene) -> pd.DataFrame | str:
    """The client is on the target list of an event to come."""
    return _listed(scene, "event_targets", "event_id")


def event_follow(scene: Scene) -> pd.DataFrame | str:
    """The client attended an event."""
    absent = [name for name in ("events", "event_attendance") if not scene.book.has(name)]
    if absent:
        return ", ".join(absent)
    rows = scene.known(scene.book.table("event_attendance"))
    rows = rows[rows["attended"].fillna(False).to_numpy(bool)]
    rows = rows.merge(scene.book.table("events")[["event_id", "title", "date"]], on="event_id")
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["event_id"],
            "anchor": day_of(rows["date"]),
            "amount": np.nan,
            "fact_event": rows["title"],
        }
    )


def policy_notice(scene: Scene) -> pd.DataFrame | str:
    """A change of policy or rules that head office wants this client to hear from us first."""
    return _listed(scene, "policy_notices", "notice_id")


def _listed(scene: Scene, name: str, key: str) -> pd.DataFrame | str:
    rows = scene.lists.get(name)
    if rows is None:
        return name
    rows = scene.known(rows).reset_index(drop=True)
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows[key].astype("str"),
            "anchor": day_of(rows["date"]),
            "amount": np.nan,
            "fact_title": rows["title"] if "title" in rows else rows[key].astype("str"),
        }
    )
