"""服务标准: which regular contacts, visits, reviews and diagnoses are due (rule K11, domain 2.5).

``due = last + interval``: the interval is a year divided by the tier's number a year, ``last`` the
last effective one of the kind on record. Who has none starts at the opening of the account, or on
the day the tier came into force if that is later. A client who moved up is measured by the new
standard from that day on, not before. A kind with no number a year has no due row.

- *contact* any effective contact counts · *visit* a meeting in person
- *review* and *diagnosis* contacts logged for the triggers ``review_due`` and ``plan_due``

Contacts that are missed do not pile up: an overdue one is due once, and the next one an interval
after the month begins.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.plan.scene import Scene
from playbook.plan.windows import day_of, next_working_day, previous_working_day

DAYS_PER_YEAR, MONTHS_PER_YEAR = 365, 12
#: Kind → field of the standard, trigger code under which such a contact is logged (none: any).
KINDS = {
    "contact": ("contacts_per_year", ""),
    "visit": ("visits_per_year", ""),
    "review": ("reviews_per_year", "review_due"),
    "diagnosis": ("diagnoses_per_year", "plan_due"),
}
#: Why a row is due: counted from the last one · none on record · from the day of moving up.
REASONS = tuple(f"{kind}_{why}" for kind in KINDS for why in ("due", "first", "raised"))
_NAT = np.datetime64("NaT", "D")


def due(scene: Scene) -> tuple[pd.DataFrame, dict[str, str]]:
    """Everything that is due by the end of the planned month, and kinds that cannot be judged.

    Columns: ``client_id``, ``rule`` (kind), ``object_id`` (empty), ``event_on`` (the day counted
    from), ``due_on``, ``earliest_on``, ``latest_on``, ``days_overdue`` (days from ``due_on`` to
    ``as_of``), ``reason``, ``fact_interval`` (days), ``fact_last_on``.
    """
    if not scene.book.has("contacts"):
        return _empty(), {f"rule.{kind}": "contacts" for kind in KINDS}
    rules = scene.policy.triggers
    found = [_kind(scene, kind, rules.early_days) for kind in KINDS]
    return pd.concat(found, ignore_index=True), {}


def counted_from(scene: Scene, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Last effective one of ``kind`` (NaT for none), the day counted from, and the interval in
    days (NaN for none), by client."""
    field, code = KINDS[kind]
    contacts = scene.contacts
    if kind == "visit":
        mine = contacts["channel"].isin(scene.policy.familiarity.face_channels)
    elif code:
        mine = contacts["trigger_code"] == code
    else:
        mine = pd.Series(True, index=contacts.index)
    last = scene.last(mine.fillna(False).to_numpy(bool))
    start = np.fmax(day_of(_opened(scene)), day_of(scene.clients["tier_since"]))
    start = np.minimum(start, scene.month.as_of)
    yearly = scene.per_year[field].to_numpy()
    interval = np.divide(DAYS_PER_YEAR, yearly, out=np.full(len(yearly), np.nan), where=yearly > 0)
    return last, np.where(np.isnat(last), start, last), interval


def added(start: np.ndarray, days: np.ndarray) -> np.ndarray:
    """``start`` plus an interval in days. Whole months go by the calendar: a monthly contact of
    15 September is due on 15 October."""
    months = days * MONTHS_PER_YEAR / DAYS_PER_YEAR
    whole = np.rint(months)
    by_month = (np.abs(months - whole) < 1 / DAYS_PER_YEAR) & (whole >= 1)
    steps = np.where(by_month, whole, 0).astype(np.int64)
    first = start.astype("datetime64[M]")
    shifted = (first + steps).astype("datetime64[D]")
    length = ((first + steps + 1).astype("datetime64[D]") - shifted).astype(np.int64)
    day = (start - first.astype("datetime64[D]")).astype(np.int64)
    moved = shifted + np.minimum(day, length - 1)
    return np.where(by_month, moved, start + np.rint(np.nan_to_num(days)).astype(np.int64))


def raised_on(scene: Scene) -> np.ndarray:
    """Day on which the tier in force began, for those who moved up to it; NaT for the others."""
    since = day_of(scene.clients["tier_since"])
    before = pd.DatetimeIndex(scene.clients["tier_since"]) - pd.offsets.MonthBegin(1)
    key = pd.MultiIndex.from_arrays([scene.clients["client_id"], before.as_unit("s")])
    history = scene.history
    ranks = pd.Series(
        history["tier_before"].cat.codes.to_numpy(),
        index=[history["client_id"], pd.DatetimeIndex(history["month"]).as_unit("s")],
    )
    was = ranks.reindex(key).to_numpy(dtype=np.float64)
    rank = scene.clients["tier"].cat.codes.to_numpy()
    return np.where((was >= 0) & (was < rank), since, _NAT)


def _opened(scene: Scene) -> pd.Series:
    clients = scene.book.table("clients").drop_duplicates("client_id").set_index("client_id")
    return clients["open_date"].reindex(scene.ids)


def _kind(scene: Scene, kind: str, early: int) -> pd.DataFrame:
    month = scene.month
    last, base, interval = counted_from(scene, kind)
    has = ~np.isnan(interval)
    due_on = np.where(has, added(base, interval), _NAT)
    up = raised_on(scene)
    late_standard = ~np.isnat(up) & (due_on < up)
    due_on = np.where(late_standard, up, due_on)
    why = np.select([late_standard, np.isnat(last)], ["raised", "first"], "due")
    rows, number = [], 0
    current = due_on
    while True:
        at = np.flatnonzero(has & (current <= month.end))
        if not at.size:
            break
        coming = added(np.maximum(current, month.start), interval)
        rows.append(
            _rows(scene, kind, at, base, current, coming, interval, why, last, early, number)
        )
        current, number = np.where(current <= month.end, coming, _NAT), number + 1
    return pd.concat(rows, ignore_index=True) if rows else _empty()


def _rows(scene, kind, at, base, due_on, coming, interval, why, last, early, number):
    month = scene.month
    day = np.timedelta64(1, "D")
    low = np.maximum(due_on[at] - np.timedelta64(early, "D"), month.start)
    if number:
        # The windows of two contacts in one month do not meet.
        low = np.maximum(low, due_on[at])
    high = np.where(coming[at] <= month.end, coming[at] - day, month.end)
    low = np.clip(next_working_day(low), month.first, month.last)
    high = np.maximum(previous_working_day(high), low)
    overdue = np.maximum((month.as_of - due_on[at]).astype(np.int64), 0)
    ids = scene.clients["client_id"].take(at).reset_index(drop=True)
    return pd.DataFrame(
        {
            "client_id": ids,
            "rule": kind,
            "object_id": "",
            "event_on": base[at],
            "due_on": due_on[at],
            "earliest_on": low,
            "latest_on": high,
            "days_overdue": overdue,
            "reason": np.char.add(f"{kind}_", why[at]),
            "fact_interval": np.rint(interval[at]).astype(np.int64),
            "fact_last_on": last[at],
        }
    )


def _empty() -> pd.DataFrame:
    none = np.empty(0, dtype="datetime64[D]")
    return pd.DataFrame(
        {
            "client_id": pd.Series(dtype="str"), "rule": pd.Series(dtype="str"),
            "object_id": pd.Series(dtype="str"), "event_on": none, "due_on": none,
            "earliest_on": none, "latest_on": none, "days_overdue": np.empty(0, dtype=np.int64),
            "reason": pd.Series(dtype="str"), "fact_interval": np.empty(0, dtype=np.int64),
            "fact_last_on": none,
        }
    )  # fmt: skip


__all__ = ["KINDS", "REASONS", "added", "counted_from", "due", "raised_on"]
