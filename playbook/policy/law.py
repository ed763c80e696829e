"""The regulation as data: instruments, the rules of the gate with their dates, phrases.

A rule has one or more versions, each resting on an instrument and in force for a span of days; a
row is judged by the version of its own date. Reading is cached; nothing here decides anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

_FOLDER = Path(__file__).parent / "regulation"
#: Severity of a verdict; ``graded`` rules say ``warn`` or ``deny`` by the case.
VERDICTS = ("allow", "warn", "deny")
GRADED = "graded"
#: Rule of the kit itself: what can not be judged is not allowed. No bank switches it off.
DATA_RULE = "DATA-01"


@dataclass(frozen=True)
class Instrument:
    """A law, measure or notice; ``since`` is its first day in force (None: not dated)."""

    ref: str
    zh: str
    en: str
    number: str
    since: dt.date | None
    evidence: str

    def title(self, lang: str) -> str:
        """Title in ``lang`` (``zh`` or ``en``)."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True)
class Version:
    """A rule as one instrument has it, from ``since`` to ``until`` (both included, None: open)."""

    ref: str
    verdict: str
    since: dt.date | None
    until: dt.date | None
    evidence: str


@dataclass(frozen=True)
class Rule:
    """One rule of the gate. ``rank`` is its place in the order of precedence."""

    id: str
    zh: str
    en: str
    basis: str
    looks_at: str
    versions: tuple[Version, ...]
    rank: int

    def title(self, lang: str) -> str:
        """What the rule is about, in ``lang`` (``zh`` or ``en``)."""
        return self.zh if lang == "zh" else self.en

    @property
    def severity(self) -> str:
        """Verdict of the version listed last: ``warn``, ``deny`` or ``graded``."""
        return self.versions[-1].verdict


@cache
def instruments() -> Mapping[str, Instrument]:
    """All instruments by their reference (``R1`` …, ``HOUSE``)."""
    return MappingProxyType(
        {ref: Instrument(ref, **entry) for ref, entry in _read("instruments").items()}
    )


@cache
def rules() -> Mapping[str, Rule]:
    """All rules of the gate by id, in order of precedence."""
    found = {}
    for rank, (name, entry) in enumerate(_read("rules").items()):
        versions = tuple(Version(**version) for version in entry["versions"])
        found[name] = Rule(name, **{**entry, "versions": versions}, rank=rank)
    return MappingProxyType(found)


@cache
def limits() -> Mapping[str, Mapping[str, object]]:
    """What the law says about numbers: policy key → ``most``, ``least`` or ``holds``, and why."""
    return MappingProxyType(_read("limits"))


@cache
def phrases() -> Mapping[str, object]:
    """Forbidden and required wording (``regulation/phrases.yaml``)."""
    return MappingProxyType(_read("phrases"))


def _read(name: str) -> dict:
    return yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
