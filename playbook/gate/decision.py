"""From what the rules found to one verdict a row.

Deny beats warn beats allow. Among rules that say the same, the one listed first in
``regulation/rules.yaml`` is named; all that fired are told beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from playbook.policy import law

ALLOW, WARN, DENY = range(len(law.VERDICTS))
VERDICT = pd.CategoricalDtype(list(law.VERDICTS), ordered=True)
#: Facts of the deciding rule that a sentence may name, with their kind.
FACTS = {
    "fact_on": "date", "fact_until": "date", "fact_n": "number", "fact_limit": "number",
    "fact_amount": "number", "fact_id": "text", "fact_level": "text", "fact_risk": "text",
}  # fmt: skip
_DAY = "datetime64[D]"


@dataclass(frozen=True)
class Finding:
    """Rows at positions ``at`` break ``rule``, for ``reason``, as badly as ``level``.

    ``facts`` hold one value per position, or one for all; ``ref`` names the instrument per
    position where it depends on the row, as with forbidden words.
    """

    rule: str
    at: np.ndarray
    level: int
    reason: str
    facts: dict[str, object] = field(default_factory=dict)
    ref: np.ndarray | None = None


def found(rule: str, mask, level: int, reason: str, /, **facts) -> Finding:
    """A finding from a mask over all rows; facts may be full columns or single values."""
    at = np.flatnonzero(mask)
    picked = {f"fact_{name}": _pick(value, at) for name, value in facts.items()}
    return Finding(rule, at, level, reason, picked)


def _pick(value, at: np.ndarray):
    if isinstance(value, (pd.Series, pd.Index)):
        value = value.to_numpy()
    return value[at] if isinstance(value, np.ndarray) else value


class Decision:
    """Takes findings in order of precedence; :meth:`frame` is the verdict of every row."""

    def __init__(self, day: np.ndarray, policy) -> None:
        n = len(day)
        self.day = day
        self.policy = policy
        self.level = np.zeros(n, dtype=np.int8)
        self._rule = np.full(n, -1, dtype=np.int16)
        self._version = np.zeros(n, dtype=np.int16)
        self._reason = np.full(n, -1, dtype=np.int16)
        self._fired = np.zeros(n, dtype=np.int64)
        self._open = np.zeros(n, dtype=np.int64)
        self._reasons: list[str] = []
        self._facts: dict[str, np.ndarray] = {}

    def add(self, finding: Finding) -> None:
        """Lays a finding on what is decided so far."""
        rule = law.rules()[finding.rule]
        version = _version(rule, self.day[finding.at], self.policy, finding.ref)
        here = np.flatnonzero(version >= 0)
        at, version = finding.at[here], version[here]
        if not len(at):
            return
        level = _level(rule, version, finding.level, self.policy)
        self._fired[at] |= 1 << rule.rank
        worse = level > self.level[at]
        won = at[worse]
        self.level[won] = level[worse]
        self._rule[won] = rule.rank
        self._version[won] = version[worse]
        if finding.reason not in self._reasons:
            self._reasons.append(finding.reason)
        self._reason[won] = self._reasons.index(finding.reason)
        for values in self._facts.values():
            values[won] = _NOTHING[values.dtype.kind]
        for name, value in finding.facts.items():
            column = self._facts.setdefault(name, _blank(FACTS[name], len(self.day)))
            value = np.asarray(value)
            column[won] = value[here][worse] if value.ndim else value

    def leave_open(self, rule: str, mask: np.ndarray) -> None:
        """``rule`` could not be judged for these rows, because the data does not say."""
        setting = self.policy.gate.rules.get(rule)
        if setting is None or setting.on:
            self._open[np.flatnonzero(mask)] |= 1 << law.rules()[rule].rank

    def frame(self, index: pd.Index) -> pd.DataFrame:
        """Columns of :func:`playbook.gate.judge`."""
        names = list(law.rules())
        spans, span = self._spans()
        table = {
            "verdict": pd.Categorical.from_codes(self.level, dtype=VERDICT),
            "rule": _words(names, self._rule),
            "rules": _joined(self._fired, names),
            "reason": _words(self._reasons, self._reason),
            "instrument": _words([v.ref for v in spans], span),
            "effective_from": _days([v.since for v in spans], span),
            "effective_to": _days([v.until for v in spans], span),
            "undecided": _joined(self._open, names),
            "on": self.day.astype("datetime64[s]"),
        }
        for name, kind in FACTS.items():
            values = self._facts.get(name)
            values = _blank(kind, len(self.day)) if values is None else values
            if kind == "text":
                table[name] = pd.array(values, dtype="str")
            else:
                table[name] = values.astype("datetime64[s]") if kind == "date" else values
        return pd.DataFrame(table, index=index)

    def _spans(self) -> tuple[list[law.Version], np.ndarray]:
        # A version's place in the list of all versions of all rules.
        rules = list(law.rules().values())
        starts = np.cumsum([0, *(len(rule.versions) for rule in rules)])
        spans = [version for rule in rules for version in rule.versions]
        return spans, np.where(self._rule < 0, -1, starts[self._rule] + self._version)


_NOTHING = {"M": np.datetime64("NaT"), "f": np.nan, "O": None}


def _blank(kind: str, n: int) -> np.ndarray:
    if kind == "date":
        return np.full(n, np.datetime64("NaT"), dtype=_DAY)
    return np.full(n, np.nan) if kind == "number" else np.full(n, None, dtype=object)


def _version(rule: law.Rule, day: np.ndarray, policy, ref: np.ndarray | None) -> np.ndarray:
    """Which version of the rule judges each day; -1: the rule is not applied on it."""
    setting = policy.gate.rules.get(rule.id)
    if setting is not None and not setting.on:
        return np.full(len(day), -1)
    chosen = np.full(len(day), -1)
    early = np.full(len(day), True)
    for at, version in enumerate(rule.versions):
        since = np.full(len(day), True) if version.since is None else day >= _np(version.since)
        until = np.full(len(day), True) if version.until is None else day <= _np(version.until)
        mine = since & until if ref is None else since & until & (ref == version.ref)
        chosen[mine] = at
        early &= ~since
    if setting is not None and setting.since is not None:
        # A bank may hold a rule before the law does; the first version then says how.
        chosen = np.where(early & (chosen < 0), 0, chosen)
        chosen = np.where(day >= _np(setting.since), chosen, -1)
    return chosen


def _level(rule: law.Rule, version: np.ndarray, graded: int, policy) -> np.ndarray:
    listed = [
        graded if v.verdict == law.GRADED else law.VERDICTS.index(v.verdict) for v in rule.versions
    ]
    level = np.array(listed, dtype=np.int8)[version]
    setting = policy.gate.rules.get(rule.id)
    if setting is not None and setting.verdict != "listed":
        level = np.full(len(level), law.VERDICTS.index(setting.verdict), dtype=np.int8)
    return level


def _np(day) -> np.datetime64:
    return np.datetime64(day, "D")


def _words(words: list[str], codes: np.ndarray):
    order = list(dict.fromkeys([*words, ""]))
    # The last place is that of code -1: nothing to say.
    place = np.array([order.index(word) for word in [*words, ""]])
    said = pd.Categorical.from_codes(place[codes], categories=order)
    return pd.Series(said).astype("str").array


def _days(days: list, codes: np.ndarray) -> np.ndarray:
    known = np.array([np.datetime64("NaT") if d is None else _np(d) for d in days], dtype=_DAY)
    return np.where(codes < 0, np.datetime64("NaT"), known[codes]).astype("datetime64[s]")


def _joined(masks: np.ndarray, names: list[str]):
    """Space-separated rule ids of bit masks, in order of precedence."""
    seen, codes = np.unique(masks, return_inverse=True)
    said = [" ".join(n for at, n in enumerate(names) if mask >> at & 1) for mask in seen.tolist()]
    return pd.Series(pd.Categorical.from_codes(codes, categories=said)).astype("str").array
