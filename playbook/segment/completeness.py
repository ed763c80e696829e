"""客户信息库: how complete and how fresh each client's file is (rule K09).

The policy names groups of fields with weights. A field counts when it is filled **and** fresh:

- ``needs.<field>`` has the date of its last update: older than ``fresh_months`` counts nothing.
- ``risk.assessment`` counts while the latest assessment is valid.
- ``flows.any`` counts when money moved within ``fresh_months``.
- ``clients.<column>`` and ``households.<column>`` carry no date in the book: filled is fresh. A
  value that says "unknown" is not filled.

Fields of a table that the data does not hold are left out of the score and told in ``na``; the
others keep their weights, and no file point of familiarity is given on such a partial score.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from playbook.segment.month import Assets, look_up

#: Values that a form writes for "we do not know".
UNKNOWN = ("unknown", "U")
WHY = ("missing", "stale")


@dataclass(frozen=True)
class Files:
    """``files``: one row per client; ``missing``: one row per client and field that counts
    nothing, with ``why`` missing or stale; ``whole`` when every field could be judged."""

    files: pd.DataFrame
    missing: pd.DataFrame
    na: dict[str, str]
    whole: bool


def files_of(book, assets: Assets, policy) -> Files:
    """Score the file of every client.

    ``files`` columns: ``client_id``, ``kyc_score`` (share 0 … 1 of the weights), ``score_<group>``
    (share 0 … 1 of the group's fields, NaN when none could be judged), ``n_fields``,
    ``n_fresh``, ``n_missing``, ``n_stale``.
    ``missing`` columns: ``client_id``, ``group``, ``field``, ``why``.
    """
    rules = policy.completeness
    n = len(assets.client_ids)
    since = pd.Timestamp(book.as_of) - pd.DateOffset(months=rules.fresh_months)
    listed = [(group, field) for group, part in rules.groups.items() for field in part.fields]
    judge = _Judge(book, assets, since)
    pairs = [judge.field(field) for _, field in listed]
    judged = np.array([pair is not None for pair in pairs], dtype=bool)
    nothing = np.zeros(n, dtype=bool)
    filled = np.stack([nothing if p is None else p[0] for p in pairs], axis=1)
    fresh = np.stack([nothing if p is None else p[1] for p in pairs], axis=1)
    group_of = np.array([group for group, _ in listed], dtype=object)

    scores, weighted, weights = {}, np.zeros(n), 0.0
    for group, part in rules.groups.items():
        mine = (group_of == group) & judged
        share = fresh[:, mine].mean(axis=1) if mine.any() else np.full(n, np.nan)
        scores[f"score_{group}"] = share
        if mine.any():
            weighted, weights = weighted + part.weight * share, weights + part.weight
    score = weighted / weights if weights else np.full(n, np.nan)
    lacking, stale = judged & ~filled, filled & ~fresh
    files = pd.DataFrame(
        {"client_id": assets.client_ids, "kyc_score": score} | scores | {
            "n_fields": np.full(n, judged.sum()), "n_fresh": fresh.sum(axis=1),
            "n_missing": lacking.sum(axis=1), "n_stale": stale.sum(axis=1),
        }
    )  # fmt: skip
    row, column = np.nonzero(lacking | stale)
    fields = pd.Categorical([field for _, field in listed])
    groups = pd.Categorical(group_of, categories=list(rules.groups))
    missing = pd.DataFrame(
        {
            "client_id": assets.client_ids[row],
            "group": groups[column],
            "field": fields[column],
            "why": pd.Categorical.from_codes(stale[row, column].astype(np.int8), WHY),
        }
    )
    absent = [
        (group, judge.table_of(field))
        for (group, field), pair in zip(listed, pairs, strict=True)
        if pair is None
    ]
    na = {
        f"completeness.{group}": ", ".join(dict.fromkeys(t for g, t in absent if g == group))
        for group, _ in absent
    }
    return Files(files, missing, na, bool(judged.all()))


@dataclass(frozen=True)
class _Judge:
    """Whether a field is filled and fresh, for all clients at once."""

    book: object
    assets: Assets
    since: pd.Timestamp

    def table_of(self, field: str) -> str:
        """Table that a field of the policy is read from."""
        head = field.partition(".")[0]
        return {"risk": "risk_assessments"}.get(head, head)

    def field(self, field: str) -> tuple[np.ndarray, np.ndarray] | None:
        """``(filled, fresh)`` by client, or None when the data does not hold the table."""
        table, name = self.table_of(field), field.partition(".")[2]
        if not self.book.has(table):
            return None
        frame = self.book.table(table)
        if table == "clients":
            return self._same(self._filled(frame[name]))
        if table == "households":
            ids = self.book.table("clients")["household_id"]
            return self._same(self._filled(look_up(ids, frame["household_id"], frame[name])))
        if table == "needs":
            names, field_of, row, fresh = self._needs
            mine = field_of == names.get(name, -1)
            return self._dated(row[mine], fresh[mine])
        if table == "flows":
            row = self.assets.row(frame["client_id"])
            return self._dated(row, (frame["date"] >= self.since).to_numpy(bool))
        latest = frame.sort_values(["client_id", "assessed_on", "ra_id"], kind="stable")
        latest = latest.drop_duplicates("client_id", keep="last")
        valid = latest["valid_until"] >= pd.Timestamp(self.book.as_of)
        return self._dated(self.assets.row(latest["client_id"]), valid.to_numpy(bool))

    @cached_property
    def _needs(self) -> tuple[dict[str, int], np.ndarray, np.ndarray, np.ndarray]:
        """Names of the facts, and of each filled fact its name's code, client and freshness."""
        rows = self.book.table("needs")
        rows = rows[rows["value"].notna()]
        field_of, names = pd.factorize(rows["field"])
        fresh = (rows["updated_on"] >= self.since).to_numpy(bool)
        codes = {name: code for code, name in enumerate(names)}
        return codes, field_of, self.assets.row(rows["client_id"]), fresh

    def _filled(self, values: pd.Series) -> np.ndarray:
        return (values.notna() & ~values.astype("str").isin(UNKNOWN)).to_numpy(bool)

    def _same(self, filled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return filled, filled

    def _dated(self, row: np.ndarray, fresh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        both = np.zeros((2, len(self.assets.client_ids)), dtype=bool)
        both[0, row[row >= 0]] = True
        both[1, row[(row >= 0) & fresh]] = True
        return both[0], both[1]
