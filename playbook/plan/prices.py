"""What one more hour of each adviser would buy: the plan made again with it, row by row (K14).

A dual price of the relaxed problem would be a slope; an hour is a step, and the question "which
clients would be served?" needs the plan itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from playbook.plan import solver
from playbook.plan.work import Work
from playbook.policy import KLASSES, Policy


@dataclass(frozen=True, eq=False)
class Prices:
    """``table`` one row per adviser: minutes added, rows that come in and go out, ``klass`` the
    first class that gains, ``value_klass`` yuan gained in it, ``value`` yuan gained in all (can
    be below the former: a row of a lower class may have to go). ``rows`` which rows: adviser_id,
    row_label, change (in | out), klass, value."""

    table: pd.DataFrame
    rows: pd.DataFrame


def prices_of(work: Work, day: np.ndarray, policy: Policy) -> Prices:
    """Prices of the plan ``day`` of ``work``. An adviser with nothing left undone has price 0."""
    group = solver.groups(work)
    more = policy.planning.price_minutes
    table, rows = [], []
    for code, adviser in enumerate(work.advisers):
        after, part = day, group[work.adviser] == group[code]
        if (day[part] < 0).any() and (work.cap[code] > 0).any():
            pool = np.zeros(len(work.advisers), dtype=np.int64)
            pool[code] = more
            after = day.copy()
            after[part] = solver.best(work.only(part), policy, pool, day[part]).day
        came, went = (after >= 0) & (day < 0), (after < 0) & (day >= 0)
        changed = np.flatnonzero(came | went)
        sign = np.where(came, 1, -1)[changed]
        gain = np.bincount(work.rank[changed], work.value[changed] * sign, minlength=len(KLASSES))
        number = np.bincount(work.rank[changed], sign, minlength=len(KLASSES))
        first = np.flatnonzero((gain > 0) | (number > 0))
        name = policy.planning.class_order[first[0]] if len(first) else None
        table.append({
            "adviser_id": adviser, "minutes": more, "n_in": int(came.sum()),
            "n_out": int(went.sum()), "klass": KLASSES.index(name) + 1 if name else pd.NA,
            "value_klass": float(gain[first[0]]) if len(first) else 0.0, "value": float(gain.sum()),
        })  # fmt: skip
        rows.append(pd.DataFrame({
            "adviser_id": adviser, "row_label": work.label[changed],
            "change": np.where(sign > 0, "in", "out"),
            "klass": _klass(work.rank[changed], policy), "value": work.value[changed],
        }))  # fmt: skip
    columns = ["adviser_id", "minutes", "n_in", "n_out", "klass", "value_klass", "value"]
    frame = pd.DataFrame(table, columns=columns).astype({"klass": "Int64"})
    empty = pd.DataFrame(columns=["adviser_id", "row_label", "change", "klass", "value"])
    return Prices(frame, pd.concat(rows, ignore_index=True) if rows else empty)


def _klass(rank: np.ndarray, policy: Policy) -> np.ndarray:
    order = np.array([KLASSES.index(name) + 1 for name in policy.planning.class_order])
    return order[rank]
