"""PRIV-03: small cells of a shared table are hidden, and what they could be worked out from too."""

from __future__ import annotations

import numpy as np
import pandas as pd

TOTAL = "total"


def suppress(counts: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """A table of client counts with its totals, fit to leave the branch.

    ``counts`` is the body: clients by two codes, without totals. Returns it with a last row and
    column ``total`` as ``Int64``; a cell of fewer than ``minimum`` clients (a total too) is
    missing. Further cells are hidden until nobody can bring a hidden one down, by subtracting from
    totals, to a range narrower than ``minimum`` (complementary suppression). An empty cell is about
    no client and may be shown. Sums of money belong to counts: hide them by the same cells.
    """
    body = counts.fillna(0).to_numpy(dtype=np.int64)
    whole = np.block([
        [body, body.sum(axis=1, keepdims=True)],
        [body.sum(axis=0, keepdims=True), body.sum(keepdims=True)],
    ])  # fmt: skip
    hidden = (whole > 0) & (whole < minimum)
    while (weak := _weakest(whole, hidden, minimum)) is not None:
        more = _companions(whole, hidden, weak, minimum)
        if not more:
            # Nothing is left that could protect it.
            hidden[:] = True
            break
        for at in more:
            hidden[at] = True
    table = pd.DataFrame(
        whole, index=[*counts.index, TOTAL], columns=[*counts.columns, TOTAL]
    ).astype("Int64")
    return table.mask(hidden)


def _weakest(whole: np.ndarray, hidden: np.ndarray, minimum: int) -> tuple[int, int] | None:
    """The first hidden cell whose possible values lie closer together than ``minimum``."""
    if not hidden.any() or hidden.all():
        return None
    cells = np.argwhere(hidden)
    equations, right = _equations(whole, hidden, cells)
    for at, cell in enumerate(cells):
        low, high = _range(at, equations, right)
        if high - low < minimum:
            return tuple(cell)
    return None


def _equations(whole, hidden, cells) -> tuple[np.ndarray, np.ndarray]:
    """Each row and column: its cells, less its total, are nothing; seen cells are known."""
    n, m = whole.shape
    sign = np.ones((n, m))
    down, across = sign.copy(), sign.copy()
    down[-1], across[:, -1] = -1, -1
    known = np.where(hidden, 0, whole)
    left = np.zeros((n + m, len(cells)))
    at = np.arange(len(cells))
    left[cells[:, 0], at] = across[cells[:, 0], cells[:, 1]]
    left[n + cells[:, 1], at] = down[cells[:, 0], cells[:, 1]]
    right = -np.concatenate([(known * across).sum(axis=1), (known * down).sum(axis=0)])
    return left, right


def _range(at: int, equations: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    from scipy.optimize import linprog  # only shared tables need it

    ends = []
    for way in (1.0, -1.0):
        goal = np.zeros(equations.shape[1])
        goal[at] = way
        solved = linprog(goal, A_eq=equations, b_eq=right, bounds=(0, None), method="highs")
        # HiGHS answers "unbounded" without a value.
        ends.append(way * (np.inf if solved.fun is None else solved.fun))
    low, high = ends
    return round(low, 6), high if np.isinf(high) else round(high, 6)


def _companions(whole, hidden, cell, minimum) -> list[tuple[int, int]]:
    """Cells to hide with ``cell``: the cheapest rectangle on it that still shows something.

    Along a hidden rectangle values can be shifted round without changing a total. One in the body
    that leaves enough room is best; next any in the body, then those with a total.
    """
    row, column = cell
    n, m = whole.shape
    choices = []
    for i in range(n):
        for j in range(m):
            more = [at for at in ((row, j), (i, column), (i, j)) if not hidden[at]]
            if i == row or j == column or not more:
                continue
            total = n - 1 in (row, i) or m - 1 in (column, j)
            room = min(whole[row, j], whole[i, column]) + min(whole[cell], whole[i, j])
            cost = sum(int(whole[at]) for at in more)
            choices.append((total, room < minimum, cost, i, j, more))
    return min(choices)[-1] if choices else []
