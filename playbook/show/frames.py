"""Small sums of step 1 in the form that a figure or a table wants them."""

from __future__ import annotations

import pandas as pd


def file_groups(segments) -> pd.DataFrame:
    """K09 for a figure: one row per part of the client file, over the clients in scope.

    Columns ``group``, ``filled`` (and fresh), ``stale``, ``empty`` (shares of the part's fields,
    which sum to one) and ``n`` clients. A part that could not be judged at all is left out.
    """
    clients = segments.clients
    mine = set(clients.loc[clients["in_scope"], "client_id"])
    files = segments.files[segments.files["client_id"].isin(mine)]
    missing = segments.missing[segments.missing["client_id"].isin(mine)]
    scores = files[[name for name in files.columns if name.startswith("score_")]].mean().dropna()
    filled = scores.rename(index=lambda name: name.removeprefix("score_"))
    counts = missing.groupby(["group", "why"], observed=False).size().unstack(fill_value=0)
    counts = counts.reindex(index=filled.index, columns=["missing", "stale"], fill_value=0)
    stale = counts["stale"] / counts.sum(axis=1).clip(lower=1) * (1 - filled)
    frame = pd.DataFrame({"filled": filled, "stale": stale, "empty": 1 - filled - stale})
    frame["n"] = len(files)
    return frame.rename_axis("group").reset_index()


def top_missing(segments, page, limit: int = 8) -> pd.DataFrame:
    """Fields that are most often empty or stale among clients in scope.

    Columns ``group``, ``field``, ``n_missing``, ``n_stale``, ``share`` of those clients.
    """
    clients = segments.clients
    mine = clients.loc[clients["in_scope"], "client_id"]
    rows = segments.missing[segments.missing["client_id"].isin(mine)]
    counts = rows.groupby(["group", "field", "why"], observed=True).size().unstack(fill_value=0)
    counts = counts.reindex(columns=["missing", "stale"], fill_value=0)
    counts = counts.rename(columns={"missing": "n_missing", "stale": "n_stale"}).reset_index()
    counts["share"] = (counts["n_missing"] + counts["n_stale"]) / max(len(mine), 1)
    counts["field"] = field_names(counts["field"].astype("str"), page)
    ranked = counts.sort_values(["share", "group", "field"], ascending=[False, True, True])
    return ranked.head(limit).reset_index(drop=True)


def field_names(fields: pd.Series, page) -> pd.Series:
    """Readable names of file fields such as ``clients.occupation`` or ``needs.goal``."""
    from playbook.tables import TABLES
    from playbook.text import has, t

    def name(field: str) -> str:
        table, _, column = field.partition(".")
        key = f"name.field.{column}"
        if table in TABLES and column in TABLES[table].by_name:
            return TABLES[table][column].label(page.lang)
        for key in (f"name.field.{field}", f"name.field.{column}", f"name.need.{column}"):
            if has(key):
                return t(key, page.lang)
        return field

    return fields.map({field: name(field) for field in fields.unique()}).astype("str")


def tier_summary(segments) -> pd.DataFrame:
    """Tier by tier: ``tier``, ``in_scope``, ``floor`` (yuan), ``n_down``, ``n``, ``share_n``,
    ``aum``, ``share_aum``; highest tier first."""
    policy, clients = segments.policy, segments.clients
    sums = clients.groupby("tier", observed=False)["aum_avg"].agg(["size", "sum"])
    codes = list(policy.tier_codes)
    sums = sums.reindex(codes, fill_value=0)
    frame = pd.DataFrame(
        {
            "tier": pd.Categorical(codes, dtype=policy.tier_dtype),
            "in_scope": [code in set(policy.in_scope) for code in codes],
            "floor": policy.floors,
            # Nobody can fall out of the lowest tier.
            "n_down": pd.array([pd.NA, *map(policy.n_down, codes[1:])], dtype="Int64"),
            "n": sums["size"].to_numpy(),
            "share_n": sums["size"].to_numpy() / max(len(clients), 1),
            "aum": sums["sum"].to_numpy(dtype=float),
        }
    )
    total = frame["aum"].sum()
    frame["share_aum"] = frame["aum"] / total if total else float("nan")
    return frame.iloc[::-1].reset_index(drop=True)


def division(segments, by: str) -> pd.DataFrame:
    """Clients in scope by one label: ``<by>``, ``n``, ``share_n``, ``aum``, ``share_aum``."""
    clients = segments.clients[segments.clients["in_scope"]]
    sums = clients.groupby(by, observed=True)["aum_avg"].agg(["size", "sum"])
    frame = pd.DataFrame({"n": sums["size"], "aum": sums["sum"]}).rename_axis(by).reset_index()
    frame.insert(2, "share_n", frame["n"] / max(len(clients), 1))
    total = frame["aum"].sum()
    frame["share_aum"] = frame["aum"] / total if total else float("nan")
    return frame.sort_values(["n", "aum"], ascending=False, kind="stable").reset_index(drop=True)
