"""The plan card (规则 K15): for one client, everything an adviser needs before the contact.

Six questions (5W1H) and goal, action, owner, channel, best time, materials, success measure, next
date. Every answer is a code or a date, never empty, also for a client for whom nothing is due;
the words are at ``plancard.<field>.<code>``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.policy import Policy
from playbook.policy.calendar import next_working_day

#: What a row is about: its rule, grouped by what there is to do.
MATTER = {
    "maturity_large": "maturity", "maturity_any": "maturity", "inflow_large": "inflow",
    "outflow_large": "outflow", "eom_drop": "rescue", "near_tier": "upgrade",
    "birthday": "greeting", "festival": "greeting", "life_event": "life",
    "risk_expiry": "assessment", "id_expiry": "papers", "kyc_stale": "file",
    "nav_drop": "product_news", "dividend": "product_news", "open_period": "product_news",
    "rating_change": "product_news", "cooling_off": "cooling_off", "complaint_open": "complaint",
    "complaint_closed": "complaint_care", "event_invite": "invite", "event_follow": "follow",
    "policy_notice": "notice", "no_contact": "contact", "payroll_stop": "payroll",
    "contact": "contact", "visit": "visit", "review": "review", "diagnosis": "diagnosis",
}  # fmt: skip
#: For a client for whom nothing is due: what the status calls for.
BY_STATUS = {
    "lost": "rescue", "churn_warning": "outflow", "downgrade_warning": "upgrade",
    "upgrading": "upgrade",
}  # fmt: skip
QUIET = "keep"
MATTERS = tuple(dict.fromkeys([*MATTER.values(), *BY_STATUS.values(), QUIET]))

_WITH = {
    "complaint": "adviser_service", "complaint_care": "adviser_service",
    "diagnosis": "adviser_specialist", "papers": "adviser_operations",
}  # fmt: skip
_HOW = {"stranger": "introduce", "acquaintance": "listen", "familiar": "advise", "fan": "share"}
#: Codes of the fields that have some of their own.
CODES = {
    "why": ("row", "status"),
    "which": ("one", "family"),
    "when": ("planned", "window", "next_month"),
    "where": ("phone", "wecom", "sms", "visit", "branch", "event", "email", "ask"),
    "how": tuple(_HOW.values()),
    "owner": ("adviser", "adviser_head", *dict.fromkeys(_WITH.values()), "unassigned"),
    "next": ("planned", "standard", "check"),
}
#: Fields that are never empty (K15).
MANDATORY = (
    "why", "which", "what", "when", "where", "how", "goal", "action", "owner", "channel",
    "best_time", "materials", "success", "next_on", "next",
)  # fmt: skip


def cards(
    clients: pd.DataFrame, rows: pd.DataFrame, policy: Policy, month: pd.Timestamp
) -> pd.DataFrame:
    """One card per client of ``clients`` (the table of step 1), in its order.

    ``rows`` are those of the plan (``Plan.rows``, with ``outcome``, ``day``, ``start_at``),
    ``month`` the first day of the planned month. The card is about the client's first row: planned
    ones before others, then by class, day and id. Rows that were denied or are held out do not
    appear. What, goal, action, materials and success are codes of :data:`MATTERS`; ``row_id``,
    ``rule``, ``reason``, ``day``, ``start_at``, ``earliest_on``, ``latest_on`` and the rows' own
    facts are empty for a client without a row. Raises ``ValueError`` for a rule that no matter is
    known for.
    """
    month = pd.Timestamp(month)
    own = _open_rows(rows)
    strange = sorted(set(own["rule"]) - set(MATTER))
    if strange:
        raise ValueError(f"rules without a matter on the plan card: {', '.join(strange)}")
    first = own.drop_duplicates("client_id").set_index("client_id")
    ids = pd.Index(clients["client_id"])
    at = first.reindex(ids)
    has = ids.isin(first.index)
    status = clients["status"].astype("str")
    matter = np.where(
        has, at["rule"].map(MATTER).to_numpy(object), status.map(BY_STATUS).fillna(QUIET)
    )
    members = clients.groupby("household_id", dropna=False)["client_id"].transform("size")
    family = (members > 1) & clients["household_id"].notna()
    prefers = clients["pref_channel"].astype("str").replace({"none": np.nan})
    channel = at["channel"].astype("str").set_axis(clients.index).fillna(prefers).fillna("ask")
    day = pd.Series(at["day"].to_numpy(), index=clients.index)
    frame = clients[["client_id", "adviser_id", "household_id", "tier", "persona", "status",
                     "familiarity", "aum_avg", "severity"]].copy()  # fmt: skip
    # The reason's sentence needs the row's own facts.
    for name in own.columns.difference([*frame.columns, *CODES, *MANDATORY, "late"], sort=False):
        frame[name] = at[name].array
    frame["n_rows"] = own.groupby("client_id").size().reindex(ids, fill_value=0).to_numpy()
    frame["why"] = np.where(has, "row", "status")
    frame["which"] = np.where(family, "family", "one")
    frame["what"] = matter
    frame["when"] = np.select([day.notna(), has], ["planned", "window"], "next_month")
    frame["where"] = channel
    frame["how"] = clients["familiarity"].astype("str").map(_HOW).to_numpy(object)
    for name in ("goal", "action", "materials", "success"):
        frame[name] = matter
    frame["owner"] = _owner(clients, matter, policy)
    frame["channel"] = channel
    frame["best_time"] = clients["best_time"].astype("str").fillna("ask")
    frame["next_on"], frame["next"] = _next(clients, own, day, policy, month)
    return frame


def card(client_id: str, table: pd.DataFrame) -> dict[str, object]:
    """The card of one client out of ``table`` (see :func:`cards`), as a dict of its fields.

    Raises ``KeyError`` when there is no such client.
    """
    mine = table[table["client_id"] == client_id]
    if mine.empty:
        raise KeyError(client_id)
    return mine.iloc[0].to_dict()


def _open_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that are planned or still to be placed, each client's first one first."""
    own = rows[rows["outcome"].isin(("planned", "not_done"))]
    own = own.assign(late=own["day"].isna().to_numpy())
    return own.sort_values(
        ["client_id", "late", "klass", "day", "due_on", "row_id"], kind="stable"
    ).reset_index(drop=True)


def _owner(clients: pd.DataFrame, matter: np.ndarray, policy: Policy) -> np.ndarray:
    private = [code for code, tier in policy.tiers.items() if tier.private]
    helped = pd.Series(matter, dtype="str").map(_WITH)
    return np.select(
        [clients["adviser_id"].isna(), helped.notna().to_numpy(),
         clients["tier"].astype("str").isin(private)],
        ["unassigned", helped.fillna("").to_numpy(object), "adviser_head"], "adviser",
    )  # fmt: skip


def _next(clients, own, day, policy, month) -> tuple[np.ndarray, np.ndarray]:
    """The next date after this contact, and where it comes from."""
    ids = pd.Index(clients["client_id"])
    placed = own.loc[own["day"].notna(), ["client_id", "day"]]
    main = placed["client_id"].map(pd.Series(day.to_numpy(), index=ids))
    later = placed[placed["day"] > main].groupby("client_id")["day"].min()
    again = later.reindex(ids).to_numpy().astype("datetime64[D]")
    yearly = clients["tier"].astype("str").map(
        {code: part.contacts_per_year for code, part in policy.standards.items()}
    ).to_numpy("float64")  # fmt: skip
    base = day.fillna(month).to_numpy().astype("datetime64[D]")
    steps = np.where(yearly > 0, np.rint(365.25 / np.where(yearly > 0, yearly, 1)), 0)
    by_standard = next_working_day(base + steps.astype("timedelta64[D]"))
    after = next_working_day(
        np.full(len(ids), (month + pd.offsets.MonthBegin(1)).to_datetime64(), dtype="datetime64[D]")
    )
    planned, standard = ~np.isnat(again), yearly > 0
    on = np.where(planned, again, np.where(standard, by_standard, after))
    why = np.select([planned, standard], ["planned", "standard"], "check")
    return on.astype("datetime64[s]"), why
