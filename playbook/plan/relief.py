"""The smallest relief with which everything promised can be done: hours, or clients handed over.

Asked for the classes that a branch owes its clients (``policy.planning.promised``), each adviser
alone: how many minutes are missing at least, and which fewest clients would have to go to one
colleague who has room for them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from playbook.plan import greedy, solver
from playbook.plan.work import Work
from playbook.policy import Policy


class Short(NamedTuple):
    """What one adviser lacks: see :func:`relief_of`."""

    rows: int
    minutes_short: int
    minutes_least: int
    rows_beyond: int


class Handed(NamedTuple):
    """Clients who would have to go to one colleague: see :func:`relief_of`."""

    to_adviser: str | None = None
    clients: int | None = None
    clients_least: int | None = None
    client_codes: tuple[int, ...] = ()


def relief_of(work: Work, policy: Policy) -> pd.DataFrame:
    """One row per adviser: ``rows`` promised · ``minutes_short`` missing for all of them that more
    time can place (``minutes_least`` its proven bound) · ``rows_beyond`` those that more time does
    not place: visits a day or the gap to another contact stand against it · ``to_adviser`` and
    ``clients``: the colleague and the fewest clients to hand over instead, with the proven
    ``clients_least``; empty when no single colleague has room · ``client_codes`` which clients.
    """
    order = policy.planning.class_order
    owed = work.only(np.isin(work.rank, [order.index(name) for name in policy.planning.promised]))
    short = [_hours(owed, code, policy) for code in range(len(work.advisers))]
    moves = [_handed(owed, code, short, policy) if lack.minutes_short else Handed()
             for code, lack in enumerate(short)]  # fmt: skip
    table = pd.concat(
        [
            pd.DataFrame({"adviser_id": work.advisers}),
            pd.DataFrame(short, columns=list(Short._fields)),
            pd.DataFrame(moves, columns=list(Handed._fields)),
        ],
        axis=1,
    )
    whole = ["rows", "minutes_short", "minutes_least", "rows_beyond", "clients", "clients_least"]
    return table.astype(dict.fromkeys(whole, "Int64"))


def _hours(owed: Work, code: int, policy: Policy) -> Short:
    part = owed.only(owed.adviser == code)
    n = len(part)
    if not n or (greedy.fill(part) >= 0).all():
        return Short(n, 0, 0, 0)
    pool = np.zeros(len(owed.advisers), dtype=np.int64)
    pool[code] = part.minutes.sum()
    # Every row as good as any other: how many can be placed at all.
    level = replace(part, rank=np.zeros(n, dtype=np.int64), value=np.ones(n, dtype=np.int64))
    placing = solver.best(level, policy, pool)
    number = int((placing.day >= 0).sum())
    model = solver.model_of(part, pool)
    extra = len(model.extra)
    cost = np.zeros(model.columns)
    cost[len(cost) - extra :] = 1
    whole = np.ones(model.columns)
    upper = np.concatenate(
        [np.ones(n), np.bincount(model.kind)[model.of], np.full(extra, pool[code])]
    )
    count = (cost * 0)[None, :].copy()
    count[0, :n] = 1
    limits = [LinearConstraint(model.matrix, model.low, model.high),
              LinearConstraint(count, number, np.inf)]  # fmt: skip
    result = milp(cost, integrality=whole, bounds=Bounds(0, upper), constraints=limits,
                  options=_options(policy))  # fmt: skip
    minutes = part.load(placing.day)[0]
    fallback = int(np.maximum(minutes - part.cap, 0).sum())
    unknown = result.x is None or solver.by_clock(result)
    found = fallback if unknown else round(result.fun)
    return Short(n, found, min(found, _bound(result)), n - number)


def _handed(owed: Work, code: int, short: list[Short], policy: Policy) -> Handed:
    mine = owed.only(owed.adviser == code)
    heavy = np.sort(np.bincount(mine.client, mine.minutes))[::-1].cumsum()
    # Handing over a client frees no more than the client's own minutes.
    least = int(np.searchsorted(heavy, short[code].minutes_least)) + 1
    load = np.array([owed.minutes[owed.adviser == other].sum() for other in range(len(short))])
    spare = owed.cap.sum(axis=1) - load
    able = [other != code and not lack.minutes_short for other, lack in enumerate(short)]
    able = np.array(able) & (spare > 0)
    colleagues = [other for other in np.argsort(-spare, kind="stable") if able[other]]
    best = Handed()
    for other in colleagues:
        found = _to(owed, code, other, policy) if least <= policy.planning.relief_clients else None
        if found is not None and (best.clients is None or len(found[0]) < best.clients):
            clients, proven = found
            best = Handed(owed.advisers[other], len(clients), max(least, proven), tuple(clients))
        if best.clients == least:
            break
    return best


def _to(owed: Work, code: int, other: int, policy: Policy) -> tuple[list[int], int] | None:
    """Fewest clients of ``code`` whom ``other`` takes so that both place all their rows."""
    mine, theirs = np.flatnonzero(owed.adviser == code), np.flatnonzero(owed.adviser == other)
    both = owed.only(np.concatenate([mine, mine, theirs]))
    n, m = len(mine), len(theirs)
    both.adviser[n : 2 * n] = other
    model = solver.model_of(both, np.zeros(len(owed.advisers), dtype=np.int64))
    clients, client = np.unique(owed.client[mine], return_inverse=True)
    columns = model.columns + len(clients)
    rows, eye = np.arange(n), sparse.eye_array(n)
    stays = sparse.csr_array((np.ones(n), (rows, client)), shape=(n, len(clients)))
    blank = sparse.csr_array((n, columns - 2 * n - len(clients)))
    none = sparse.csr_array((n, n))
    kept = sparse.hstack([eye, none, blank, stays])
    gone = sparse.hstack([none, eye, blank, -stays])
    matrix = sparse.hstack([model.matrix, sparse.csr_array((len(model.low), len(clients)))])
    cost = np.zeros(columns)
    cost[model.columns :] = 1
    lower, upper = np.zeros(columns), np.ones(columns)
    lower[2 * n : 2 * n + m] = 1
    upper[len(both) : model.columns] = np.bincount(model.kind)[model.of]
    limits = [
        LinearConstraint(matrix, model.low, model.high),
        LinearConstraint(kept, 1, 1),
        LinearConstraint(gone, 0, 0),
        LinearConstraint(cost[None, :], 0, policy.planning.relief_clients),
    ]
    result = milp(cost, integrality=np.ones(columns), bounds=Bounds(lower, upper),
                  constraints=limits, options=_options(policy))  # fmt: skip
    if result.x is None or solver.by_clock(result):
        return None
    moved = clients[np.round(result.x[model.columns :]) > 0]
    return moved.tolist(), min(len(moved), _bound(result))


def _options(policy: Policy) -> dict[str, float]:
    limits = policy.planning.solver
    return {"node_limit": limits.nodes, "mip_rel_gap": 0, "time_limit": limits.seconds}


def _bound(result) -> int:
    """The next whole number that no solution is below."""
    bound = None if solver.by_clock(result) else result.mip_dual_bound
    return 0 if bound is None or not np.isfinite(bound) else max(int(np.ceil(bound - 1 / 100)), 0)
