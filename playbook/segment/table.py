"""三分总表: the three divisions in one table, and who looks after whom (rule K07)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.segment.month import exact_sum, sum_by


def pivot_of(clients: pd.DataFrame) -> pd.DataFrame:
    """Tier × persona × status: ``n`` clients, ``aum_avg``, ``aum_end`` and ``severity`` in yuan.

    One row per combination that occurs, in policy order. ``n`` adds up to the clients, the amounts
    to the clients' amounts to the cent.
    """
    keys = ["tier", "persona", "status"]
    spans = [len(clients[key].cat.categories) for key in keys]
    codes = [clients[key].cat.codes.to_numpy(np.int64) for key in keys]
    cell, which = np.unique(np.ravel_multi_index(codes, spans), return_inverse=True)
    parts = np.unravel_index(cell, spans)
    frame = pd.DataFrame(
        {
            key: pd.Categorical.from_codes(part, dtype=clients[key].dtype)
            for key, part in zip(keys, parts, strict=True)
        }
    )
    frame["n"] = np.bincount(which, minlength=len(cell))
    for amount in ("aum_avg", "aum_end", "severity"):
        frame[amount] = sum_by(which, len(cell), clients[amount])
    return frame


def coverage_of(clients: pd.DataFrame, advisers: pd.DataFrame) -> pd.DataFrame:
    """Clients of each adviser; the last row, without adviser id, is nobody's clients.

    Columns ``adviser_id``, ``level``, ``n`` clients, ``n_in_scope``, ``n_urgent`` (something at
    stake), ``aum_avg`` (yuan), ``assigned``. Advisers without clients are listed too.
    """
    known = pd.Index(advisers["adviser_id"])
    named = pd.Index(clients["adviser_id"].dropna().unique())
    ids = known.append(named.difference(known))
    row = ids.get_indexer(clients["adviser_id"])
    row = np.where(clients["adviser_id"].isna(), len(ids), row)
    n = len(ids) + 1
    level = advisers.set_index("adviser_id")["level"].reindex(ids).astype("str")
    return pd.DataFrame(
        {
            "adviser_id": pd.Series([*ids, None], dtype="str"),
            "level": pd.Series([*level, None], dtype="str"),
            "n": np.bincount(row, minlength=n),
            "n_in_scope": np.bincount(row[clients["in_scope"].to_numpy(bool)], minlength=n),
            "n_urgent": np.bincount(row[clients["severity"].to_numpy() > 0], minlength=n),
            "aum_avg": sum_by(row, n, clients["aum_avg"]),
            "assigned": np.arange(n) < len(ids),
        }
    )


def figures_of(clients: pd.DataFrame) -> dict[str, float]:
    """Figures of the branch at the last close: counts, amounts in yuan, shares as fractions (NaN
    where there is nobody to count)."""
    n = len(clients)
    scope = clients["in_scope"].to_numpy(bool)
    status = clients["status"].astype("str")
    unknown = (clients["persona_reason"] == "other_unknown").to_numpy()
    near, near_gap = clients["near_tier"].notna(), clients["gap_amount"]
    # A family judged together has one gap, however many its members.
    together = clients["basis"].eq("household").to_numpy(bool)
    gap_once = near & ~(together & clients["household_id"].where(near).duplicated())
    total = {key: float(sum_by(np.zeros(n, np.int64), 1, clients[key])[0])
             for key in ("aum_avg", "aum_end", "severity")}  # fmt: skip
    return {
        "n_clients": n,
        "n_in_scope": int(scope.sum()),
        "n_unassigned": int((clients["adviser_id"].isna() & scope).sum()),
        "n_watch": int((clients["watch_months"] > 0).sum()),
        "n_near": int(near.sum()),
        "near_gap": exact_sum(near_gap[gap_once]),
        "n_urgent": int((clients["severity"] > 0).sum()),
        "n_exited": int(clients["exited"].sum()),
        "n_dormant": int((status == "dormant").sum()),
        "n_uhnw": int(clients["uhnw"].sum()),
        "n_households": int(clients["household_id"].nunique()),
        "n_persona_unknown": int(unknown.sum()),
        "persona_unknown_share": float(unknown.mean()) if n else np.nan,
        "kyc_score": float(clients["kyc_score"].mean()) if n else np.nan,
    } | total
