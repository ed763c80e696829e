"""Households kept unplanned, so that what planning achieves can be measured (K14, K36).

The choice is a fixed function of household and month: nobody picks, nothing is drawn, and the same
data give the same households on every machine.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd


def held_out(rows: pd.DataFrame, month: str, share: float) -> np.ndarray:
    """Which ``rows`` belong to the comparison households of ``month`` (``2026-10``).

    A household is held out as a whole, a client without one for herself; rows that must be done
    (``mandatory`` or class 1) never are. ``share`` is the expected share of households.
    """
    unit = rows["household_id"].astype("str").fillna(rows["client_id"].astype("str"))
    codes, units = pd.factorize(unit)
    below = np.array([_fraction(f"{name} {month}") < share for name in units], dtype=bool)
    free = (rows["klass"] != 1) & ~rows["mandatory"].fillna(False).astype("bool")
    return below[codes] & free.to_numpy() if len(rows) else np.empty(0, dtype=bool)


def _fraction(name: str) -> float:
    digest = hashlib.sha256(name.encode("utf-8")).digest()
    most = int.from_bytes(b"\xff" * len(digest), "big")
    return int.from_bytes(digest, "big") / most
