"""贡献度: how much of the assets, or of any other amount, the largest clients hold (rule K10)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd

from playbook.segment.month import cents


def curve(amounts: pd.Series | np.ndarray) -> pd.DataFrame:
    """Contribution curve of clients ranked from the largest amount to the smallest.

    Columns ``n`` (clients so far), ``rank_share`` (of clients) and ``amount_share`` (of the
    amount), both from 0 to 1. An amount below zero contributes nothing and counts as zero. Without
    any positive amount there is no curve: the frame is empty.
    """
    ranked = np.sort(np.maximum(cents(amounts), 0.0))[::-1]
    total = ranked.sum()
    if not total > 0:
        return pd.DataFrame(
            {"n": np.empty(0, np.int64), "rank_share": np.empty(0), "amount_share": np.empty(0)}
        )
    n = np.arange(len(ranked) + 1)
    share = np.concatenate([[0.0], np.cumsum(ranked)]) / total
    return pd.DataFrame({"n": n, "rank_share": n / len(ranked), "amount_share": share})


def measures(amounts: pd.Series | np.ndarray, top_share: float) -> dict[str, float]:
    """Figures of the curve: ``n_top`` clients in the top ``top_share`` (rounded up to whole
    clients), ``top_amount_share`` they hold, and the ``gini`` coefficient (0 equal … near 1);
    NaN where there is no positive amount."""
    line = curve(amounts)
    if line.empty:
        return {"n_top": 0, "top_amount_share": math.nan, "gini": math.nan}
    n = len(line) - 1
    # By the share's decimal digits: 0.2 of 15 is a little more than three in binary fractions.
    n_top = math.ceil(Fraction(str(top_share)) * n)
    share = line["amount_share"].to_numpy()
    # Twice the area between the curve and the line of equality, by trapezoids of width 1/n.
    gini = (share[1:] + share[:-1]).sum() / n - 1.0
    return {"n_top": n_top, "top_amount_share": float(share[n_top]), "gini": float(gini)}
