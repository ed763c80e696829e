"""The month's work as arrays: rows in their order of service, and each adviser's days.

Everything that places rows on days (the plain order, the search for the best plan, prices and
relief) reads the same :class:`Work`, so that they all mean the same limits by the same words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from playbook.policy import KLASSES, Policy

#: Columns of ``rows`` that planning reads.
NEEDED = (
    "row_id", "client_id", "adviser_id", "household_id", "klass", "mandatory", "purpose",
    "is_visit", "channel", "minutes", "amount", "p_effect", "days_overdue", "due_on",
    "earliest_on", "latest_on",
)  # fmt: skip
_NEVER_EMPTY = ("row_id", "client_id", "klass", "minutes", "is_visit", "purpose", "due_on",
                "earliest_on", "latest_on")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Work:
    """Rows in order of service (class, then score, then ``row_id``) with the days they may be on.

    Per row: ``label`` its index in the table of rows, ``rank`` place of its class in the policy's
    order, ``value`` whole yuan of expected effect, ``minutes``, ``visit``, ``adviser``, ``client``
    (codes; ``client`` counts for the gap only where ``marketing``), ``lo``, ``hi`` first and last
    position in ``days``. Per adviser and day: ``cap`` minutes and ``visits`` at most; a day with
    0 minutes is a day away. ``gap`` days between two marketing contacts with one client.
    """

    label: np.ndarray
    rank: np.ndarray
    value: np.ndarray
    minutes: np.ndarray
    visit: np.ndarray
    marketing: np.ndarray
    adviser: np.ndarray
    client: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    advisers: pd.Index
    days: np.ndarray
    cap: np.ndarray
    visits: np.ndarray
    gap: int

    def __len__(self) -> int:
        return len(self.label)

    def only(self, keep: np.ndarray) -> Work:
        """The same month with the rows ``keep`` (a mask or positions) alone."""
        names = ("label", "rank", "value", "minutes", "visit", "marketing", "adviser", "client",
                 "lo", "hi")  # fmt: skip
        return replace(self, **{name: getattr(self, name)[keep] for name in names})

    def window(self) -> np.ndarray:
        """Rows × days: within the row's window, and its adviser is at work."""
        at = np.arange(len(self.days))
        inside = (at >= self.lo[:, None]) & (at <= self.hi[:, None])
        return inside & (self.cap[self.adviser] > 0)

    def totals(self, day: np.ndarray, ranks: int) -> tuple[int, ...]:
        """What a plan reaches, most important first: rows of the first class, then its value, then
        the value of each further class. ``day`` is the position in ``days`` per row, −1 undone."""
        done = day >= 0
        value = np.bincount(self.rank[done], self.value[done], minlength=ranks).astype(np.int64)
        return (int((done & (self.rank == 0)).sum()), *value.tolist())

    def load(self, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Minutes and visits per adviser and day of a plan."""
        minutes, visits = np.zeros_like(self.cap), np.zeros_like(self.visits)
        done = day >= 0
        at = (self.adviser[done], day[done])
        np.add.at(minutes, at, self.minutes[done])
        np.add.at(visits, at, self.visit[done].astype(visits.dtype))
        return minutes, visits

    def too_close(self, row: int, day: np.ndarray) -> np.ndarray:
        """Per day: whether ``row`` would meet another marketing contact of its client too soon."""
        if not self.marketing[row]:
            return np.zeros(len(self.days), dtype=bool)
        others = (self.client == self.client[row]) & self.marketing & (day >= 0)
        others[row] = False
        apart = np.abs(self.days[:, None] - self.days[day[others]]).astype("timedelta64[D]")
        return (apart < np.timedelta64(self.gap, "D")).any(axis=1)


def checked(rows: pd.DataFrame, capacity: pd.DataFrame) -> None:
    """Raise ``ValueError`` that names every column or row planning cannot do without."""
    faults = [f"rows: no column {name}" for name in NEEDED if name not in rows]
    faults += [f"capacity: no column {name}" for name in ("adviser_id", "day", "minutes", "visits")
               if name not in capacity]  # fmt: skip
    if faults:
        raise ValueError("; ".join(faults))
    for name in _NEVER_EMPTY:
        faults += [f"rows: {name} is empty at {where}" for where in rows.index[rows[name].isna()]]
    twice = rows.loc[rows["row_id"].duplicated(), "row_id"]
    faults += [f"rows: row_id {row} is there twice" for row in twice]
    strange = rows.loc[~rows["klass"].isin(range(1, len(KLASSES) + 1)), "klass"]
    faults += [f"rows: klass {klass} is not 1 to {len(KLASSES)}" for klass in strange.unique()]
    faults += [f"rows: minutes {m} below 0" for m in rows.loc[rows["minutes"] < 0, "minutes"]]
    again = capacity.duplicated(["adviser_id", "day"])
    double = capacity.loc[again, ["adviser_id", "day"]].itertuples(index=False)
    faults += [f"capacity: {who} {day:%Y-%m-%d} is there twice" for who, day in double]
    below = (capacity[["minutes", "visits"]] < 0).any(axis=1) | capacity.isna().any(axis=1)
    faults += [f"capacity: empty or below 0 at {where}" for where in capacity.index[below]]
    if faults:
        raise ValueError("; ".join(faults))


def scores(rows: pd.DataFrame, policy: Policy, start: pd.Timestamp) -> pd.DataFrame:
    """What each row is worth (domain 3.1): stake, urgency, value (yuan), score (per minute).

    ``stake`` is the amount within the policy's limits; ``urgency`` is 1/(1 + days from ``start``
    to the due day), and an overdue row gains 1 for each interval of its service standard
    (``fact_interval``, days), or for every ``overdue_days`` where it has none; ``value`` = stake ×
    p_effect × urgency in whole yuan, at least 1. A row without minutes costs nothing: its score is
    infinite.
    """
    plan = policy.planning
    stake = rows["amount"].astype("float64").fillna(0.0).clip(plan.stake_floor, plan.stake_cap)
    effect = rows["p_effect"].astype("float64").fillna(plan.p_effect_unknown)
    ahead = (rows["due_on"] - start).dt.days.clip(lower=0).astype("float64")
    late = rows["days_overdue"].astype("float64").fillna(0.0).clip(lower=0.0)
    interval = pd.Series(float(plan.overdue_days), rows.index)
    if "fact_interval" in rows:
        own = rows["fact_interval"].astype("float64")
        interval = own.where(own > 0, interval)
    urgency = 1 / (1 + ahead) + late / interval
    value = (stake * effect * urgency).round().clip(lower=1.0)
    minutes = rows["minutes"].astype("float64")
    score = (value / minutes.where(minutes > 0)).fillna(np.inf)
    return pd.DataFrame({"stake": stake, "urgency": urgency, "value": value, "score": score})


def work_of(rows: pd.DataFrame, capacity: pd.DataFrame, policy: Policy) -> Work:
    """The rows that compete for time, as :class:`Work`. ``rows`` have an adviser and a score."""
    plan = policy.planning
    days = working_days(capacity)
    advisers = pd.Index(sorted(capacity["adviser_id"].unique()))
    shape = (len(advisers), len(days))
    cap, visits = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    at_work = capacity[capacity["minutes"] > 0]
    at = (advisers.get_indexer(at_work["adviser_id"]),
          days.searchsorted(at_work["day"].to_numpy("datetime64[D]")))  # fmt: skip
    cap[at] = at_work["minutes"].to_numpy("int64")
    visits[at] = at_work["visits"].to_numpy("int64")
    place = np.array([plan.class_order.index(name) for name in KLASSES])
    rank = place[rows["klass"].to_numpy("int64") - 1] if len(rows) else np.empty(0, np.int64)
    value = rows["value"].to_numpy("int64")
    row_id = rows["row_id"].astype("str").to_numpy(dtype=object)
    order = np.lexsort((np.argsort(np.argsort(row_id)), -rows["score"].to_numpy("float64"), rank))
    rows = rows.iloc[order]
    return Work(
        label=rows.index.to_numpy(),
        rank=rank[order],
        value=value[order],
        minutes=rows["minutes"].to_numpy("int64"),
        visit=rows["is_visit"].to_numpy("bool"),
        marketing=(rows["purpose"] == "marketing").to_numpy("bool"),
        adviser=advisers.get_indexer(rows["adviser_id"]),
        client=pd.factorize(rows["client_id"], sort=True)[0],
        lo=np.searchsorted(days, rows["earliest_on"].to_numpy("datetime64[D]")),
        hi=np.searchsorted(days, rows["latest_on"].to_numpy("datetime64[D]"), side="right") - 1,
        advisers=advisers,
        days=days,
        cap=cap,
        visits=visits,
        gap=plan.marketing_gap_days,
    )


def working_days(capacity: pd.DataFrame) -> np.ndarray:
    """Days on which anybody of the branch works, in order."""
    days = capacity.loc[capacity["minutes"] > 0, "day"].to_numpy("datetime64[D]")
    return np.unique(days)
