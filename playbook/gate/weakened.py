"""The rules as the policy has them, and where a bank holds less than the law asks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import pandas as pd

from playbook.policy import law

_COLUMNS = ("rule", "basis", "change", "key", "listed", "now", "instrument")


def rule_table(policy, lang: str = "zh") -> pd.DataFrame:
    """Every rule and version: ``rule``, ``title``, ``basis``, ``looks_at``, ``verdict``, ``now``
    (the bank's setting), ``instrument``, ``name``, ``effective_from``, ``effective_to``,
    ``evidence``."""
    rows = []
    for rule in law.rules().values():
        setting = policy.gate.rules.get(rule.id)
        for version in rule.versions:
            now = version.verdict
            if setting is not None:
                now = "off" if not setting.on else now if setting.verdict == "listed" \
                    else setting.verdict  # fmt: skip
            instrument = law.instruments()[version.ref]
            rows.append((rule.id, rule.title(lang), rule.basis, rule.looks_at, version.verdict, now,
                         version.ref, instrument.title(lang), version.since, version.until,
                         version.evidence))  # fmt: skip
    table = pd.DataFrame(rows, columns=[
        "rule", "title", "basis", "looks_at", "verdict", "now", "instrument", "name",
        "effective_from", "effective_to", "evidence",
    ])  # fmt: skip
    for name in ("effective_from", "effective_to"):
        table[name] = pd.to_datetime(table[name])
    return table


def weakened(policy) -> pd.DataFrame:
    """Every rule that the policy holds more weakly than it is listed; empty when none is.

    Columns ``rule``, ``basis`` (law|house), ``change`` (off|warn|later|limit), ``key`` (of the
    policy), ``listed``, ``now`` and ``instrument``. Each report prints it (words at
    ``gate.weakened.<change>``).
    """
    rows = []
    for name, rule in law.rules().items():
        setting = policy.gate.rules.get(name)
        if setting is None:
            continue
        last, first = rule.versions[-1], rule.versions[0]
        key = f"gate.rules.{name}"
        if not setting.on:
            rows.append((name, rule.basis, "off", f"{key}.on", rule.severity, "off", last.ref))
            continue
        if setting.verdict == "warn" and any(v.verdict != "warn" for v in rule.versions):
            rows.append((name, rule.basis, "warn", f"{key}.verdict", rule.severity, "warn",
                         last.ref))  # fmt: skip
        if setting.since is not None and (first.since is None or setting.since > first.since):
            listed = "" if first.since is None else f"{first.since:%Y-%m-%d}"
            rows.append((name, rule.basis, "later", f"{key}.since", listed,
                         f"{setting.since:%Y-%m-%d}", first.ref))  # fmt: skip
    for key, limit in law.limits().items():
        now = reduce(_step, key.split("."), policy)
        if (
            ("most" in limit and now > limit["most"])
            or ("least" in limit and now < limit["least"])
            or ("holds" in limit and not set(limit["holds"]) <= set(now))
        ):
            listed = limit.get("most", limit.get("least", limit.get("holds")))
            rule = law.rules()[limit["rule"]]
            rows.append((rule.id, rule.basis, "limit", key, _said(listed), _said(now),
                         limit["ref"]))  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS), dtype="str")


def _step(part: object, name: str) -> object:
    return part[name] if isinstance(part, Mapping) else getattr(part, name)


def _said(value: object) -> str:
    return ", ".join(value) if isinstance(value, (list, tuple)) else f"{value}"
