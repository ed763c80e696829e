"""Rules between the numbers of a policy: what must agree with what.

One function per rule. Its parameters name the parts that it reads, so a rule still speaks when
some other part of the file is wrong; it returns the breaches it finds.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise

from playbook.tables import CHANNELS, PRODUCT_CLASSES, TABLES

PERSONAS = (
    "owner", "exec", "pro", "public", "heir", "retiree", "homemaker", "payroll", "windfall",
    "young", "other",
)  # fmt: skip
STATUSES = (
    "lost", "churn_warning", "downgrade_warning", "dormant", "new", "recovered", "upgrading",
    "stable",
)  # fmt: skip
FAMILIARITY = ("stranger", "acquaintance", "familiar", "fan")


@dataclass(frozen=True)
class Breach:
    """A rule broken at ``key``; ``at`` is the position in a list, where the key holds one."""

    key: str
    code: str
    value: object = ""
    expected: str = ""
    hint: str = ""
    at: int | None = None


Rule = Callable[..., Iterator[Breach]]
_RULES: list[Rule] = []


def _rule(function: Rule) -> Rule:
    _RULES.append(function)
    return function


def breaches(parts: Mapping[str, object]) -> list[Breach]:
    """All breaches of the rules whose parts are there."""
    found: list[Breach] = []
    for rule in _RULES:
        needed = list(inspect.signature(rule).parameters)
        if all(name in parts for name in needed):
            found.extend(rule(**{name: parts[name] for name in needed}))
    return found


def near(word: str, known: Sequence[str]) -> str:
    """The known word that ``word`` was probably meant to be, or an empty text."""
    lowered = {k.lower(): k for k in reversed(known)}
    hits = get_close_matches(str(word).lower(), list(lowered), n=1)
    return lowered[hits[0]] if hits else ""


def not_known(hint: str) -> str:
    """Code of an unknown word, with or without a guess at what was meant."""
    return "not_known_near" if hint else "not_known"


def _stranger(
    key: str, word: str, known: Sequence[str], expected: str = "", at: int | None = None
) -> Breach:
    hint = near(word, known)
    return Breach(key, not_known(hint), word, expected or ", ".join(known), hint, at)


def _unknown(key: str, words: Sequence[str], known: Sequence[str]) -> Iterator[Breach]:
    for at, word in enumerate(words):
        if word not in known:
            yield _stranger(key, word, known, at=at)


def _twice(key: str, words: Sequence[str]) -> Iterator[Breach]:
    seen: set[str] = set()
    for at, word in enumerate(words):
        if word in seen:
            yield Breach(key, "listed_twice", word, at=at)
        seen.add(word)


def _whole_order(
    key: str, order: Sequence[str], known: Sequence[str], last: str
) -> Iterator[Breach]:
    yield from _unknown(key, order, known)
    yield from _twice(key, order)
    missing = [word for word in known if word not in order]
    if missing:
        yield Breach(key, "order_missing", "", ", ".join(known), ", ".join(missing))
    if last in order and order[-1] != last:
        yield Breach(key, "order_last", order[-1], last, at=len(order) - 1)


# ------------------------------------------------------------------------------------- tiers


@_rule
def lowest_floor_is_zero(tiers) -> Iterator[Breach]:
    """Every client has a tier (K01): the lowest one starts at 0."""
    if not tiers:
        yield Breach("tiers", "no_tiers")
        return
    code, lowest = next(iter(tiers.items()))
    if lowest.floor != 0:
        yield Breach(f"tiers.{code}.floor", "floor_not_zero", lowest.floor)


@_rule
def floors_rise(tiers) -> Iterator[Breach]:
    """A higher tier asks for more (K01)."""
    for (below, low), (code, high) in pairwise(tiers.items()):
        if high.floor <= low.floor:
            yield Breach(f"tiers.{code}.floor", "floor_not_rising", high.floor,
                         f"{low.floor:.0f}", below)  # fmt: skip


@_rule
def scope_reaches_the_top(tiers) -> Iterator[Breach]:
    """The clients in scope are all clients from one tier upwards (2.1)."""
    flags = [tier.in_scope for tier in tiers.values()]
    if tiers and not any(flags):
        yield Breach("tiers", "scope_empty")
    elif tiers:
        for code, flag in list(zip(tiers, flags, strict=True))[flags.index(True) :]:
            if not flag:
                yield Breach(f"tiers.{code}.in_scope", "scope_gap", False)


@_rule
def private_reaches_the_top(tiers) -> Iterator[Breach]:
    """Private-banking tiers, if there are any, are the highest ones (2.1)."""
    flags = [tier.private for tier in tiers.values()]
    if any(flags):
        for code, flag in list(zip(tiers, flags, strict=True))[flags.index(True) :]:
            if not flag:
                yield Breach(f"tiers.{code}.private", "private_gap", False)


@_rule
def nurture_is_out_of_scope(tiers) -> Iterator[Breach]:
    """Nurtured clients are those on their way into scope (2.1)."""
    for code, tier in tiers.items():
        if tier.nurture and tier.in_scope:
            yield Breach(f"tiers.{code}.nurture", "nurture_in_scope", True)


@_rule
def tier_names_differ(tiers) -> Iterator[Breach]:
    """Two tiers of one name could not be told apart on a page."""
    for lang in ("zh", "en"):
        seen: dict[str, str] = {}
        for code, tier in tiers.items():
            name = getattr(tier.name, lang)
            if name in seen:
                yield Breach(f"tiers.{code}.name.{lang}", "tier_name_twice", name, hint=seen[name])
            seen.setdefault(name, code)


@_rule
def standards_match_tiers(tiers, standards) -> Iterator[Breach]:
    """Each tier has its service standard and there is no standard without a tier (2.5)."""
    for code in tiers:
        if code not in standards:
            yield Breach(f"tiers.{code}", "standard_missing", code)
    for code in standards:
        if code not in tiers:
            yield Breach(f"standards.{code}", "standard_extra", code, ", ".join(tiers),
                         near(code, list(tiers)))  # fmt: skip


@_rule
def private_is_patient(tiering) -> Iterator[Breach]:
    """Private tiers are left no faster than the others (K02)."""
    if tiering.n_down_private < tiering.n_down:
        yield Breach("tiering.n_down_private", "private_faster", tiering.n_down_private,
                     str(tiering.n_down))  # fmt: skip


@_rule
def ultra_is_above_the_top(tiers, tiering) -> Iterator[Breach]:
    """Ultra-high-net-worth is a flag within the highest tier (2.1)."""
    if tiers:
        code, top = list(tiers.items())[-1]
        if tiering.uhnw_floor < top.floor:
            yield Breach("tiering.uhnw_floor", "uhnw_too_low", tiering.uhnw_floor,
                         f"{top.floor:.0f}", code)  # fmt: skip


@_rule
def every_class_has_a_weight(tiering) -> Iterator[Breach]:
    """A product class without a weight would silently drop out of AUM (2.1)."""
    weights = list(tiering.asset_weights)
    for word in weights:
        if word not in PRODUCT_CLASSES:
            yield _stranger(f"tiering.asset_weights.{word}", word, PRODUCT_CLASSES)
    missing = [word for word in PRODUCT_CLASSES if word not in weights]
    if missing:
        yield Breach("tiering.asset_weights", "weight_missing", hint=", ".join(missing))


# ----------------------------------------------------------------------------------- persona


@_rule
def persona_order_is_whole(persona) -> Iterator[Breach]:
    """Exactly one persona each: every rule once, the catch-all last (K04)."""
    yield from _whole_order("persona.order", persona.order, PERSONAS, "other")


@_rule
def persona_numbers_agree(persona) -> Iterator[Breach]:
    """Months asked for fit into the window; the young are younger than the old."""
    months, window = persona.payroll_min_months, persona.payroll_window_months
    if months > window:
        yield Breach("persona.payroll_min_months", "above_other", months, str(window),
                     "persona.payroll_window_months")  # fmt: skip
    if persona.young_below_age > persona.care_from_age:
        yield Breach("persona.young_below_age", "above_other", persona.young_below_age,
                     str(persona.care_from_age), "persona.care_from_age")  # fmt: skip
    for who in ("retirement_men", "retirement_women"):
        age = getattr(persona, who)
        if age.years_from > age.years_to:
            yield Breach(f"persona.{who}.years_from", "above_other", age.years_from,
                         str(age.years_to), f"persona.{who}.years_to")  # fmt: skip


# ------------------------------------------------------------------------- status, familiarity


@_rule
def status_order_is_whole(status) -> Iterator[Breach]:
    """Exactly one status each: every rule once, the catch-all last (K05)."""
    yield from _whole_order("status.order", status.order, STATUSES, "stable")


@_rule
def initiated_kinds_are_known(status) -> Iterator[Breach]:
    """Kinds of movement are those of the table of flows."""
    known = TABLES["flows"]["kind"].allowed
    yield from _unknown("status.client_initiated_kinds", status.client_initiated_kinds, known)
    yield from _twice("status.client_initiated_kinds", status.client_initiated_kinds)


@_rule
def face_channels_are_known(familiarity) -> Iterator[Breach]:
    """Channels are those of the table of contacts."""
    yield from _unknown("familiarity.face_channels", familiarity.face_channels, CHANNELS)
    yield from _twice("familiarity.face_channels", familiarity.face_channels)


@_rule
def ladder_rises_from_zero(familiarity) -> Iterator[Breach]:
    """Four steps of closeness, the first from 0 points, each asking for more (K06)."""
    steps = familiarity.ladder
    for word in steps:
        if word not in FAMILIARITY:
            yield _stranger(f"familiarity.ladder.{word}", word, FAMILIARITY)
    missing = [word for word in FAMILIARITY if word not in steps]
    if missing:
        yield Breach("familiarity.ladder", "order_missing", "", ", ".join(FAMILIARITY),
                     ", ".join(missing))  # fmt: skip
    first = FAMILIARITY[0]
    if steps.get(first, 0) != 0:
        yield Breach(f"familiarity.ladder.{first}", "ladder_not_zero", steps[first])
    for below, code in pairwise([word for word in FAMILIARITY if word in steps]):
        if steps[code] <= steps[below]:
            yield Breach(f"familiarity.ladder.{code}", "ladder_not_rising", steps[code],
                         f"{steps[below]:g}", below)  # fmt: skip


# ------------------------------------------------------------------------------- client file


def _file_fields() -> list[str]:
    own = [
        f"{table}.{column.name}"
        for table in ("clients", "households")
        for column in TABLES[table].columns
        if not column.key
    ]
    return [*own, "risk.assessment", "flows.any"]


@_rule
def file_fields_are_known(completeness) -> Iterator[Breach]:
    """A field of the client file is a column of a book, or a fact of the table of needs (K09)."""
    known = _file_fields()
    counts: Counter[str] = Counter()
    if not completeness.groups:
        yield Breach("completeness.groups", "no_groups")
    for group, part in completeness.groups.items():
        key = f"completeness.groups.{group}.fields"
        if not part.fields:
            yield Breach(key, "no_fields", group)
        for at, name in enumerate(part.fields):
            table, _, fact = name.partition(".")
            if name not in known and not (table == "needs" and fact.isidentifier()):
                expected = "clients.…, households.…, needs.…, risk.assessment, flows.any"
                yield _stranger(key, name, known, expected, at)
            if counts[name]:
                yield Breach(key, "listed_twice", name, at=at)
            counts[name] += 1
