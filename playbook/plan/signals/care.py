"""Birthdays, festivals and family events: a greeting, no product (domain 3.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.plan.scene import Scene
from playbook.plan.windows import day_of
from playbook.policy.calendar import festivals

#: Days around the planned month within which a festival or birthday may belong to it.
_MARGIN = np.timedelta64(31, "D")
_LEAP_DAY, _DAY_BEFORE = "02-29", "02-28"


def birthday(scene: Scene) -> pd.DataFrame | str:
    """Birthdays by month and day; 29 February is kept on the 28th where there is none."""
    who = greeted(scene)
    clients = scene.book.table("clients").drop_duplicates("client_id").set_index("client_id")
    days = clients["birth_month_day"].reindex(who["client_id"]).reset_index(drop=True)
    who, days = who[days.notna()].reset_index(drop=True), days.dropna().reset_index(drop=True)
    low, high = scene.month.start - _MARGIN, scene.month.end + _MARGIN
    years = range(int(str(low)[:4]), int(str(high)[:4]) + 1)
    found = [who.assign(anchor=_in_year(days, year)) for year in years]
    rows = pd.concat(found, ignore_index=True)
    rows = rows[(rows["anchor"] >= low) & (rows["anchor"] <= high)].reset_index(drop=True)
    return rows.assign(object_id=rows["anchor"].dt.year.astype("str"), amount=np.nan)


def _in_year(days: pd.Series, year: int) -> np.ndarray:
    leap = np.datetime64(f"{year}-03-01", "D") - np.timedelta64(1, "D")
    if not str(leap).endswith(_LEAP_DAY):
        days = days.where(days != _LEAP_DAY, _DAY_BEFORE)
    texts = (str(year) + "-" + days.astype("str")).to_numpy(dtype="U10")
    return texts.astype("datetime64[D]")


def festival(scene: Scene) -> pd.DataFrame | str:
    """Festivals of the calendar, for everybody or for clients of special care (policy)."""
    low, high = scene.month.start - _MARGIN, scene.month.end + _MARGIN
    audience = scene.policy.triggers.festivals
    days = festivals(low, high)
    days = days[days["festival"].map(dict(audience)) != "none"]
    rows = greeted(scene).merge(days, how="cross")
    care = rows["festival"].map(dict(audience)) == "care"
    elder = scene.of_client("needs_care", rows["client_id"]).fillna(False).to_numpy(bool)
    rows = rows[~care.to_numpy() | elder].reset_index(drop=True)
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["festival"] + rows["date"].dt.year.astype("str"),
            "anchor": day_of(rows["date"]),
            "amount": np.nan,
            "effort": rows["effort"],
            "channel": rows["channel"],
            "fact_festival": rows["festival"],
            "variant": rows["festival"].where(rows["festival"] == SOLEMN, ""),
        }
    )


#: The festival on which the dead are remembered: no word of joy.
SOLEMN = "qingming"


def greeted(scene: Scene) -> pd.DataFrame:
    """Who gets greetings and how (2.5): private tiers by phone, tiers with frequent contacts by
    messenger, the others by text message. Tiers neither in scope nor nurtured get none."""
    policy = scene.policy
    tier = scene.clients["tier"].astype("str")
    private = {code: part.private for code, part in policy.tiers.items()}
    served = {code: part.in_scope or part.nurture for code, part in policy.tiers.items()}
    often = scene.per_year["contacts_per_year"] >= policy.triggers.personal_greeting_per_year
    by_phone = tier.map(private).to_numpy(bool)
    rows = pd.DataFrame(
        {
            "client_id": scene.clients["client_id"],
            "effort": np.where(by_phone, "call", "message"),
            "channel": np.select([by_phone, often], ["phone", "wecom"], "sms"),
        }
    )
    return rows[tier.map(served).to_numpy(bool)].reset_index(drop=True)


def life_event(scene: Scene) -> pd.DataFrame | str:
    """Family events that the file reports, in the facts that the policy names."""
    fields = scene.policy.triggers.life_event_fields
    wanted = ", ".join(f"needs.{name}" for name in fields)
    if not scene.book.has("needs"):
        return wanted
    rows = scene.book.table("needs")
    if not rows["field"].isin(fields).any():
        return wanted
    rows = scene.known(rows[rows["field"].isin(fields) & rows["value"].notna()])
    return pd.DataFrame(
        {
            "client_id": rows["client_id"],
            "object_id": rows["field"],
            "anchor": day_of(rows["updated_on"]),
            "amount": np.nan,
        }
    ).reset_index(drop=True)
