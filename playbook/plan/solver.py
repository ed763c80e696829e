"""The best plan under the same limits, by HiGHS, class after class (rules K14, domain 3.1).

Advisers are independent unless they share a client with marketing rows, so each such group is a
problem of its own. Rows of one adviser with the same window, minutes and kind are interchangeable
but for their value: the search decides how many of each kind go on which day, which keeps it small.
Classes are solved in order of service with what the earlier ones reached held fixed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from playbook.plan import greedy
from playbook.plan.work import Work
from playbook.policy import KLASSES, Policy

#: Code of ``scipy.optimize.milp`` for a search ended by a limit of time.
_LIMIT = 1


@dataclass(frozen=True, eq=False)
class Found:
    """A plan and what is known about it.

    ``day`` position in ``work.days`` per row, −1 undone · ``gap`` the most that may be
    missing to the best plan, as a share of its value (0: proven best), each class being asked
    what it can reach after the rows that the classes before it chose · ``cut`` whether the guard
    against a slow machine struck, so that ``day`` is the plain order.
    """

    day: np.ndarray
    gap: float
    cut: bool


@dataclass(frozen=True, eq=False)
class Model:
    """Kinds of rows and the days each may be on, as columns of an integer programme.

    ``kind`` per row · ``of`` and ``on`` kind and day of each placing column · ``matrix``, ``low``,
    ``high`` limits over the columns [chosen rows | placings | minutes beyond capacity].
    """

    kind: np.ndarray
    of: np.ndarray
    on: np.ndarray
    extra: np.ndarray
    matrix: sparse.csr_array
    low: np.ndarray
    high: np.ndarray

    @property
    def columns(self) -> int:
        return len(self.kind) + len(self.of) + len(self.extra)


def groups(work: Work) -> np.ndarray:
    """Group number per adviser: advisers who share a client with marketing rows belong together."""
    size = len(work.advisers)
    rows = np.flatnonzero(work.marketing)
    clients = int(work.client.max(initial=-1)) + 1
    ones = np.ones(len(rows), dtype=np.int8)
    links = sparse.coo_array(
        (ones, (work.adviser[rows], size + work.client[rows])), shape=(size + clients,) * 2
    )
    return sparse.csgraph.connected_components(links.tocsr(), directed=False)[1][:size]


def model_of(work: Work, pool: np.ndarray) -> Model:
    """The limits of planning ``work``: once each, minutes, visits, gap between contacts."""
    window = work.window()
    kind = _kinds(work)
    first = np.unique(kind, return_index=True)[1]
    of, on = np.nonzero(window[first])
    chief = first[of]  # a row that stands for the kind of each placing
    n, placings = len(work), len(of)
    own = np.flatnonzero(pool > 0)
    extra = np.argwhere(work.cap[own] > 0)
    extra[:, 0] = own[extra[:, 0]]
    start, pooled = n, n + placings
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    lows: list[np.ndarray] = []
    highs: list[np.ndarray] = []

    def limit(row: np.ndarray, column: np.ndarray, weight: np.ndarray, low, high) -> None:
        shift = sum(len(part) for part in highs)
        parts.append((row + shift, column, weight.astype("float64")))
        lows.append(low)
        highs.append(high)

    # Of every kind as many are placed as are chosen.
    none = np.zeros(len(first))
    limit(np.concatenate([kind, of]), np.arange(n + placings),
          np.concatenate([np.ones(n), -np.ones(placings)]), none, none)  # fmt: skip
    cells = work.adviser[chief] * len(work.days) + on
    own_cells = extra[:, 0] * len(work.days) + extra[:, 1]
    limit(np.concatenate([cells, own_cells]), start + np.arange(placings + len(extra)),
          np.concatenate([work.minutes[chief], -np.ones(len(extra))]),
          np.full(work.cap.size, -np.inf), work.cap.ravel().astype("float64"))  # fmt: skip
    met = np.flatnonzero(work.visit[chief])
    limit(cells[met], start + met, np.ones(len(met)),
          np.full(work.cap.size, -np.inf), work.visits.ravel().astype("float64"))  # fmt: skip
    limit(extra[:, 0], pooled + np.arange(len(extra)), np.ones(len(extra)),
          np.full(len(pool), -np.inf), pool.astype("float64"))  # fmt: skip
    row, column = _close(work, chief, on)
    used, row = np.unique(row, return_inverse=True)
    limit(row, start + column, np.ones(len(row)), np.full(len(used), -np.inf), np.ones(len(used)))
    row, column, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    low, high = np.concatenate(lows), np.concatenate(highs)
    matrix = sparse.csr_array((weight, (row, column)), shape=(len(high), pooled + len(extra)))
    return Model(kind, of, on, extra, matrix, low, high)


def _kinds(work: Work) -> np.ndarray:
    """Kind per row. A marketing row whose client has another one is a kind of its own."""
    several = np.bincount(work.client[work.marketing], minlength=work.client.max(initial=0) + 1)
    alone = work.marketing & (several[work.client] > 1)
    single = np.where(alone, np.arange(len(work)) + 1, 0)
    facts = np.column_stack([work.adviser, work.lo, work.hi, work.minutes, work.visit, single])
    return np.unique(facts, axis=0, return_inverse=True)[1].ravel()


def _close(work: Work, chief: np.ndarray, on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(limit, placing) pairs: marketing placings of one client within one gap are one at most.

    Any two placings closer than the gap are within the gap that begins on the earlier one's day.
    """
    several = np.bincount(work.client[work.marketing], minlength=work.client.max(initial=0) + 1)
    placing = np.flatnonzero(work.marketing[chief] & (several[work.client[chief]] > 1))
    since = (work.days[on[placing]][:, None] - work.days).astype("timedelta64[D]")
    inside = (since >= np.timedelta64(0, "D")) & (since < np.timedelta64(work.gap, "D"))
    at, begin = np.nonzero(inside)
    return work.client[chief[placing[at]]] * len(work.days) + begin, placing[at]


def best(work: Work, policy: Policy, pool: np.ndarray | None = None,
         start: np.ndarray | None = None) -> Found:  # fmt: skip
    """The plan of ``work`` that reaches most, class by class; never worse than ``start``.

    ``pool``: minutes per adviser beyond the capacity, on any days. Deterministic: ``work`` is in
    its order of service whatever the order of the rows was, and the limit is counted in steps.
    """
    pool = np.zeros(len(work.advisers), dtype=np.int64) if pool is None else pool
    plain = greedy.fill(work, pool=pool)
    if start is not None and _better(work, start, plain):
        plain = greedy.fill(work, start, pool)
    day, counted, missing, total = plain, 0.0, 0, 0
    held: list[tuple[np.ndarray, int]] = []
    for goal, rank in _goals(work):
        reached, most = int(goal[day >= 0].sum()), int(goal.sum())
        proven = most
        for active, forced, least in _tries(work, day, rank, held, policy):
            if reached == most:
                break
            part = work.only(active)
            answer = _solve(part, pool, forced[active], [(w[active], v) for w, v in least],
                            goal[active], policy)  # fmt: skip
            if answer is None:
                return Found(plain, np.nan, True)
            placing, bound = answer
            if placing is not None and int(goal[active][placing >= 0].sum()) > reached:
                day = np.full(len(work), -1)
                day[active] = placing
                day = greedy.fill(work, day, pool)
                reached = int(goal[day >= 0].sum())
            proven = min(most, bound)
        proven = max(reached, proven)
        if rank == 0 and not held:
            counted = (proven - reached) / max(proven, 1)
        else:
            missing, total = missing + proven - reached, total + proven
        held.append((goal, reached))
    return Found(day, max(counted, missing / max(total, 1)), False)


def _tries(work: Work, day: np.ndarray, rank: int, held: list[tuple[np.ndarray, int]],
           policy: Policy) -> list[tuple[np.ndarray, np.ndarray, list]]:  # fmt: skip
    """(rows that take part, rows that stay, sums to keep) of the searches for one class.

    The first keeps the rows that earlier classes chose. A small problem is searched again with
    any others that are as good for those classes.
    """
    earlier = (work.rank < rank) & (day >= 0)
    # The first class is asked twice: how many, then how much; the second keeps the number.
    tries = [(earlier | (work.rank == rank), earlier, held if rank == 0 else [])]
    upto = work.rank <= rank
    if earlier.any() and upto.sum() <= policy.planning.solver.exact_rows:
        tries.append((upto, np.zeros(len(work), dtype=bool), held))
    return tries


def _better(work: Work, one: np.ndarray, other: np.ndarray) -> bool:
    return work.totals(one, len(KLASSES)) > work.totals(other, len(KLASSES))


def _goals(work: Work) -> list[tuple[np.ndarray, int]]:
    """What is maximised, in order: (weight per row, last class that takes part)."""
    count = (work.rank == 0).astype(np.int64)
    ranks = np.unique(work.rank)
    goals = [(count, 0)] if count.any() else []
    return goals + [(np.where(work.rank == rank, work.value, 0), int(rank)) for rank in ranks]


def _solve(
    work: Work, pool: np.ndarray, forced: np.ndarray, held: list[tuple[np.ndarray, int]],
    goal: np.ndarray, policy: Policy,
) -> tuple[np.ndarray | None, int] | None:  # fmt: skip
    """Best days for ``goal`` and its proven bound; ``None`` when the guard of seconds struck.

    ``forced`` rows are placed, each weighting of ``held`` reaches its least sum.
    """
    model = model_of(work, pool)
    n, columns = len(work), model.columns
    limits = [LinearConstraint(model.matrix, model.low, model.high)]
    for weight, least in held:
        padded = np.zeros(columns)
        padded[:n] = weight / max(weight.max(), 1)
        limits.append(LinearConstraint(padded[None, :], least / max(weight.max(), 1), np.inf))
    size = np.bincount(model.kind)
    upper = np.concatenate([np.ones(n), size[model.of], pool[model.extra[:, 0]]])
    whole = np.ones(columns)
    whole[n + len(model.of) :] = 0
    lower = np.zeros(columns)
    lower[:n] = forced
    scale = goal.max()
    cost = np.zeros(columns)
    cost[:n] = -goal / scale
    solver = policy.planning.solver
    result = milp(
        cost, integrality=whole, bounds=Bounds(lower, upper), constraints=limits,
        options={"node_limit": solver.nodes, "mip_rel_gap": solver.gap,
                 "time_limit": solver.seconds},
    )  # fmt: skip
    if by_clock(result):
        return None
    bound = result.mip_dual_bound
    proven = int(goal.sum())
    if bound is not None and np.isfinite(bound):
        proven = min(proven, int(np.floor(-bound * scale + 0.5)))
    if result.x is None:
        return None, proven
    day = placed(work, model, result.x)
    sound = all(int(weight[day >= 0].sum()) >= least for weight, least in held)
    sound = sound and bool((day[forced] >= 0).all())
    return (day if sound and fits(work, day, pool) else None), proven


def by_clock(result) -> bool:
    """Whether the guard of seconds ended a search, so that another machine might get further."""
    return result.status == _LIMIT and "ime limit" in result.message


def placed(work: Work, model: Model, x: np.ndarray) -> np.ndarray:
    """Days of the rows from the numbers per kind and day.

    Of each kind and class the most valuable rows are chosen and, the first in the order of
    service first, put on the earliest of the kind's days.
    """
    n = len(work)
    chosen = np.round(x[:n]).astype(np.int64)
    number = np.round(x[n : n + len(model.of)]).astype(np.int64)
    classes = work.rank.max(initial=0) + 1
    cell = model.kind * classes + work.rank
    wanted = np.bincount(cell, chosen)
    order = np.lexsort((np.arange(n), -work.value, cell))
    place = np.arange(n) - np.searchsorted(cell[order], cell[order])
    taken = np.sort(order[place < wanted[cell[order]]])
    taken = taken[np.argsort(model.kind[taken], kind="stable")]
    # Placings are listed by kind and then by day, as the chosen rows are by kind and service.
    kinds = np.repeat(model.of, number)
    days = np.repeat(model.on, number)
    day = np.full(n, -1)
    if np.array_equal(kinds, model.kind[taken]):
        day[taken] = days
    return day


def fits(work: Work, day: np.ndarray, pool: np.ndarray) -> bool:
    """Whether a plan keeps every limit, checked on whole numbers, not on the solver's."""
    minutes, visits = work.load(day)
    over = np.maximum(minutes - work.cap, 0).sum(axis=1)
    done = np.flatnonzero(day >= 0)
    if not work.window()[done, day[done]].all():
        return False
    mine = done[work.marketing[done]]
    mine = mine[np.lexsort((day[mine], work.client[mine]))]
    same = work.client[mine][1:] == work.client[mine][:-1]
    apart = np.diff(work.days[day[mine]]).astype("timedelta64[D]")
    near = same & (apart < np.timedelta64(work.gap, "D"))
    return bool((over <= pool).all() and (visits <= work.visits).all() and not near.any())
