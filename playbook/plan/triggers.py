"""触发事件: everything that happened or is about to, with its dates (rule K13, domain 3.2).

Finders say what happened (:mod:`playbook.plan.signals`); here each occurrence gets the stages of
the policy: first, due and last day, purpose, class, kind of work. One row per client, trigger,
stage, object and due day: asking twice gives the same rows with the same ids.

``status`` mirrors a bank's reminder tables: ``open`` to be planned · ``handled`` a contact settled
it (``handled_on``) · ``expired`` its last day passed between the closed month and the planned one ·
``larger`` an ordinary maturity that is raised as a large one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.plan.scene import Scene
from playbook.plan.signals import FINDERS, VARIANTS
from playbook.plan.windows import day_of, settle
from playbook.policy.rules import TRIGGERS

_NAT = np.datetime64("NaT", "D")
_SPAN = 1 << 32
STATUSES = ("open", "handled", "expired", "larger")
#: Codes of the sentences ``plan.reason.<code>``: trigger, stage where there are several, variant.
REASONS = tuple(
    "_".join(part for part in (code, stage if len(stages) > 1 else "", variant) if part)
    for code, stages in TRIGGERS.items()
    for stage in stages
    for variant in ("", *VARIANTS.get(code, ()))
)


def raised(scene: Scene) -> tuple[pd.DataFrame, dict[str, str]]:
    """All trigger rows that concern the planned month, and triggers that cannot be judged.

    Columns: ``client_id``, ``rule`` (trigger code), ``stage``, ``object_id``, ``event_on``,
    ``due_on``, ``earliest_on``, ``latest_on`` (within the month), ``lead_days`` (``event_on``
    minus ``due_on``: positive before the event), ``days_overdue``, ``status``, ``handled_on``,
    ``amount`` and ``severity`` (yuan, NaN where the occurrence has none), ``reason``, ``effort``,
    ``channel`` and ``adviser_id`` (empty: decided later), facts.
    """
    na: dict[str, str] = {}
    found: list[pd.DataFrame] = []
    for code, rule in scene.policy.triggers.rules.items():
        if not rule.on:
            continue
        rows = FINDERS[code](scene)
        if isinstance(rows, str):
            na[f"rule.{code}"] = rows
        elif len(rows):
            rows = rows.reset_index(drop=True)
            found += [_stage(scene, code, name, rows) for name in rule.stages]
    if not scene.book.has("contacts"):
        na["rule.handled"] = "contacts"
    found = [rows for rows in found if len(rows)]
    if not found:
        return _empty(), na
    rows = pd.concat(found, ignore_index=True)
    rows["status"] = _status(scene, rows)
    low, high = scene.month.first, scene.month.last
    rows["earliest_on"] = np.clip(day_of(rows["low"]), low, high)
    rows["latest_on"] = np.clip(day_of(rows["high"]), low, high)
    return rows.drop(columns=["low", "high"]), na


def _stage(scene: Scene, code: str, name: str, found: pd.DataFrame) -> pd.DataFrame:
    rule = scene.policy.triggers.rules[code]
    stage = rule.stages[name]
    month = scene.month
    anchor = day_of(found["anchor"])
    cap = day_of(found["cap"]) if "cap" in found else None
    low, due, high = settle(anchor, stage.days, stage.lasting, cap)
    since = low if rule.closed_by == "same" else anchor
    if "since" in found:
        since = day_of(found["since"])
    handled, again = _handled(scene, code, found["client_id"], since, stage.lasting)
    due = np.where(np.isnat(again), due, again)
    closed_month = month.start.astype("datetime64[M]") - 1
    keep = (due <= month.end) & (high >= closed_month.astype("datetime64[D]"))
    event = day_of(found["event_on"]) if "event_on" in found else anchor
    rows = found.drop(columns=["anchor", "cap", "since", "event_on"], errors="ignore")
    variant = rows.pop("variant").to_numpy() if "variant" in rows else np.full(len(rows), "")
    head = code if len(rule.stages) == 1 else f"{code}_{name}"
    reason = pd.Series(variant).map(lambda v: f"{head}_{v}" if v else head)
    effort = rows.pop("effort").to_numpy() if "effort" in rows else np.full(len(rows), "")
    rows = rows.assign(
        rule=code, stage=name, event_on=event, due_on=due, low=low, high=high,
        lead_days=(event - due).astype(np.int64), handled_on=handled, reason=reason.to_numpy(),
        effort=np.where(effort == "", stage.effort, effort),
        days_overdue=np.maximum((month.as_of - due).astype(np.int64), 0),
    )  # fmt: skip
    return rows[keep].reset_index(drop=True)


def _handled(
    scene: Scene, code: str, client_ids: pd.Series, since: np.ndarray, lasting: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Day of the contact that settled each occurrence (NaT: none), and the new due day of those
    whose condition lasts although they were reminded long ago (NaT: none)."""
    nothing = np.full(len(client_ids), _NAT)
    if not scene.book.has("contacts"):
        return nothing, nothing
    rules = scene.policy.triggers
    contacts = scene.contacts
    if rules.rules[code].closed_by == "same":
        mine = (contacts["trigger_code"] == code).fillna(False)
    else:
        mine = contacts["live"]
    mine = contacts[mine.to_numpy(bool)]
    # Client and day in one sorted number: the first contact from a day on is one search.
    keys = np.sort(mine["at"].to_numpy(np.int64) * _SPAN + _number(mine["on"]))
    at = scene.row(client_ids).astype(np.int64)
    as_of, start = scene.month.as_of, since.astype(np.int64)
    end = np.datetime64(as_of, "D").astype(np.int64)
    if not lasting:
        place = np.searchsorted(keys, at * _SPAN + start)
    else:
        place = np.searchsorted(keys, at * _SPAN + end, side="right") - 1
    inside = (place >= 0) & (place < len(keys))
    key = keys[np.clip(place, 0, len(keys) - 1)] if len(keys) else np.full(len(at), -1)
    day = key % _SPAN
    hit = inside & (key // _SPAN == at) & (day >= start)
    on = np.where(hit, day.astype("datetime64[D]"), _NAT)
    if not lasting:
        return on, nothing
    again = on + np.timedelta64(rules.remind_again_days, "D")
    old = hit & (again <= scene.month.end)
    return np.where(old, _NAT, on), np.where(old, again, _NAT)


def _number(days: pd.Series) -> np.ndarray:
    return day_of(days).astype(np.int64)


def _status(scene: Scene, rows: pd.DataFrame) -> np.ndarray:
    large = rows.loc[rows["rule"] == "maturity_large", "object_id"]
    twin = (rows["rule"] == "maturity_any") & rows["object_id"].isin(large)
    expired = day_of(rows["high"]) < scene.month.first
    choices = [twin.to_numpy(), rows["handled_on"].notna().to_numpy(), expired]
    return np.select(choices, ["larger", "handled", "expired"], "open")


def _empty() -> pd.DataFrame:
    texts = ("client_id", "rule", "stage", "object_id", "reason", "effort", "status")
    days = ("event_on", "due_on", "earliest_on", "latest_on", "handled_on")
    counts = ("lead_days", "days_overdue")
    return pd.DataFrame(
        {name: pd.Series(dtype="str") for name in texts}
        | {name: np.empty(0, dtype="datetime64[s]") for name in days}
        | {name: np.empty(0, dtype=np.int64) for name in counts}
        | {name: np.empty(0, dtype=np.float64) for name in ("amount", "severity")}
    )
