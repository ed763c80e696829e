"""Comparing many rows by several columns at once, by whole numbers instead of by text."""

from __future__ import annotations

import numpy as np
import pandas as pd


def numbered(columns: list[pd.Series]) -> np.ndarray:
    """One number per row, equal where all columns are equal; -1 where one of them is missing."""
    total = np.zeros(len(columns[0]), np.int64)
    missing = np.zeros(len(total), bool)
    for column in columns:
        codes, uniques = pd.factorize(column)
        missing |= codes < 0
        total, _ = pd.factorize(total * (len(uniques) + 1) + codes)
    total = total.astype(np.int64)
    total[missing] = -1
    return total


def places(left: list[pd.Series], right: list[pd.Series]) -> np.ndarray:
    """For each row of ``left`` the first place in ``right`` with equal values, else -1.

    A missing value equals nothing.
    """
    n = len(left[0])
    both = [
        pd.concat([a.astype("str"), b.astype("str")], ignore_index=True)
        for a, b in zip(left, right, strict=True)
    ]
    codes = numbered(both)
    mine, theirs = codes[:n], codes[n:]
    first = np.full(codes.max(initial=-1) + 1, -1, np.int64)
    known = np.flatnonzero(theirs >= 0)[::-1]
    first[theirs[known]] = known
    found = np.full(n, -1, np.int64)
    found[mine >= 0] = first[mine[mine >= 0]]
    return found


def repeated(columns: list[pd.Series], among: np.ndarray) -> np.ndarray:
    """Number of the group of each row that shares its values with another row of ``among``.

    -1 for rows that are alone, not in ``among`` or have a missing value.
    """
    groups = np.where(among, numbered(columns), -1)
    filled = groups >= 0
    size = np.bincount(groups[filled], minlength=groups.max(initial=-1) + 1)
    several = np.zeros(len(groups), bool)
    several[filled] = size[groups[filled]] > 1
    return np.where(several, groups, -1)
