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

from playbook.policy import law
from playbook.tables import (
    CHANNELS,
    CLIENT_LEVELS,
    EXTERNAL_FLOWS,
    PRODUCT_CLASSES,
    RISK_LEVELS,
    TABLES,
)

PERSONAS = (
    "owner", "exec", "pro", "public", "heir", "retiree", "homemaker", "payroll", "windfall",
    "young", "other",
)  # fmt: skip
STATUSES = (
    "lost", "churn_warning", "downgrade_warning", "dormant", "new", "recovered", "upgrading",
    "stable",
)  # fmt: skip
FAMILIARITY = ("stranger", "acquaintance", "familiar", "fan")
#: Classes of work in a plan: column ``klass`` of a row is the position here, counted from 1.
KLASSES = ("duty", "critical", "standard", "growth")


#: Trigger events (3.2) and their stages.
TRIGGERS = {
    "maturity_large": ("note", "call", "remind", "check",),
    "maturity_any": ("notice",),
    "inflow_large": ("ask",),
    "outflow_large": ("ask",),
    "eom_drop": ("call",),
    "near_tier": ("call",),
    "birthday": ("greet",),
    "festival": ("greet",),
    "life_event": ("call",),
    "risk_expiry": ("notice",),
    "id_expiry": ("notice",),
    "kyc_stale": ("update",),
    "nav_drop": ("explain",),
    "dividend": ("notice",),
    "open_period": ("notice",),
    "rating_change": ("notice",),
    "cooling_off": ("confirm",),
    "complaint_open": ("answer",),
    "complaint_closed": ("care",),
    "event_invite": ("invite",),
    "event_follow": ("follow",),
    "policy_notice": ("notice",),
    "no_contact": ("call",),
    "payroll_stop": ("call",),
}
#: Kinds of service standard (2.5), kinds of work, festivals.
STANDARDS = ("contact", "visit", "review", "diagnosis")
EFFORTS = ("call", "message", "visit", "review")
FESTIVALS = (
    "spring", "lantern", "qingming", "dragon_boat", "mid_autumn", "national", "double_ninth",
)  # fmt: skip


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


# ------------------------------------------------------------------------- events and handouts


@_rule
def programme_is_known(events) -> Iterator[Breach]:
    """Event types, personas, needs and channels are the words that the tables know (K17)."""
    yield from _unknown("events.channels", events.channels, CHANNELS)
    yield from _twice("events.channels", events.channels)
    needs = TABLES["products"]["need_tag"].allowed
    for code, part in events.programme.items():
        key = f"events.programme.{code}"
        yield from _unknown(f"{key}.type", [part.type], TABLES["events"]["type"].allowed)
        yield from _unknown(f"{key}.personas", part.personas, PERSONAS)
        yield from _unknown(f"{key}.needs", part.needs, needs)


@_rule
def mock_levels_rise(handout) -> Iterator[Breach]:
    """Each level of the practice questionnaire asks for more points than the one below (K41)."""
    levels = handout.mock_levels
    for code in levels:
        if code not in CLIENT_LEVELS:
            yield _stranger(f"handout.mock_levels.{code}", code, CLIENT_LEVELS)
    for below, code in pairwise([code for code in CLIENT_LEVELS if code in levels]):
        if levels[code] <= levels[below]:
            yield Breach(f"handout.mock_levels.{code}", "ladder_not_rising", levels[code],
                         f"{levels[below]:g}", below)  # fmt: skip


# ------------------------------------------------------------------------------------ planning


@_rule
def class_order_is_whole(planning) -> Iterator[Breach]:
    """Every class of work has its place, and no service duty is displaced (3.1)."""
    key, order = "planning.class_order", planning.class_order
    yield from _whole_order(key, order, KLASSES, last="")
    if KLASSES[0] in order and order[0] != KLASSES[0]:
        yield Breach(key, "order_first", order[0], KLASSES[0], at=0)
    yield from _unknown("planning.promised", planning.promised, KLASSES)
    yield from _twice("planning.promised", planning.promised)


@_rule
def stake_floor_is_below_the_cap(planning) -> Iterator[Breach]:
    """The stake of a row lies between its two limits (3.1)."""
    if planning.stake_floor > planning.stake_cap:
        yield Breach("planning.stake_floor", "above_other", planning.stake_floor,
                     f"{planning.stake_cap:.0f}", "planning.stake_cap")  # fmt: skip


def _same_words(key: str, given: Sequence[str], known: Sequence[str]) -> Iterator[Breach]:
    for word in given:
        if word not in known:
            yield _stranger(f"{key}.{word}", word, known)
    missing = [word for word in known if word not in given]
    if missing:
        yield Breach(key, "order_missing", "", ", ".join(known), ", ".join(missing))


@_rule
def effects_are_whole(planning) -> Iterator[Breach]:
    """Every status and familiarity has its expected effect of a contact (3.1)."""
    yield from _same_words("planning.p_effect", list(planning.p_effect), STATUSES)
    for status, row in planning.p_effect.items():
        yield from _same_words(f"planning.p_effect.{status}", list(row), FAMILIARITY)


@_rule
def hours_are_whole(planning) -> Iterator[Breach]:
    """Every channel has its hours, one span after the other; a span ends after it starts."""
    yield from _same_words("planning.hours", list(planning.hours), CHANNELS)
    known = [word for word in TABLES["clients"]["best_time"].allowed if word not in _ANY_TIME]
    yield from _same_words("planning.best_times", list(planning.best_times), known)
    spans = {f"planning.best_times.{name}": span for name, span in planning.best_times.items()}
    for channel, parts in planning.hours.items():
        if not parts:
            yield Breach(f"planning.hours.{channel}", "order_missing", "", "start, end", channel)
        named = {f"planning.hours.{channel}.{name}": span for name, span in parts.items()}
        spans |= named
        for (first, earlier), (second, later) in pairwise(named.items()):
            if earlier.end > later.start:
                yield Breach(f"{first}.end", "above_other", earlier.end, f"{later.start:g}",
                             f"{second}.start")  # fmt: skip
    for key, span in spans.items():
        if span.start >= span.end:
            yield Breach(f"{key}.start", "above_other", span.start, f"{span.end:g}", f"{key}.end")


#: Values of ``clients.best_time`` that name no part of a working day.
_ANY_TIME = ("weekend", "any")


# ---------------------------------------------------------------------- capacity and triggers


@_rule
def pool_levels_are_known(capacity) -> Iterator[Breach]:
    """Levels of staff are those of the table of advisers (K12)."""
    known = TABLES["advisers"]["level"].allowed
    yield from _unknown("capacity.pool_levels", capacity.pool_levels, known)
    yield from _twice("capacity.pool_levels", capacity.pool_levels)


@_rule
def trigger_words_are_known(triggers) -> Iterator[Breach]:
    """Classes, kinds of flow, statuses, levels, channels and festivals are known words (K13)."""
    lists = {
        "large_classes": PRODUCT_CLASSES,
        "risk_classes": PRODUCT_CLASSES,
        "flow_kinds": EXTERNAL_FLOWS,
        "drop_statuses": STATUSES,
    }
    for name, known in lists.items():
        words = getattr(triggers, name)
        yield from _unknown(f"triggers.{name}", words, known)
        yield from _twice(f"triggers.{name}", words)
    for word in triggers.nav_drop:
        if word not in RISK_LEVELS:
            yield _stranger(f"triggers.nav_drop.{word}", word, RISK_LEVELS)
    yield from _same_words("triggers.festivals", list(triggers.festivals), FESTIVALS)
    yield from _same_words("triggers.channels", list(triggers.channels), EFFORTS)
    yield from _same_words("triggers.standards", list(triggers.standards), STANDARDS)
    for effort, channels in triggers.channels.items():
        key = f"triggers.channels.{effort}"
        yield from _unknown(key, channels, CHANNELS)
        yield from _twice(key, channels)
        if not channels:
            yield Breach(key, "order_missing", "", ", ".join(CHANNELS), CHANNELS[0])


@_rule
def triggers_are_whole(triggers) -> Iterator[Breach]:
    """Every trigger with its stages, no other; first day, due day and last day in order (K13)."""
    yield from _same_words("triggers.rules", list(triggers.rules), list(TRIGGERS))
    for code, rule in triggers.rules.items():
        key = f"triggers.rules.{code}.stages"
        if code in TRIGGERS:
            yield from _same_words(key, list(rule.stages), TRIGGERS[code])
        for name, stage in rule.stages.items():
            first, due, last = stage.days
            at = f"{key}.{name}.days"
            if first > due:
                yield Breach(at, "above_other", first, f"{due}", at)
            if due > last:
                yield Breach(at, "above_other", due, f"{last}", at)


# -------------------------------------------------------------------------------------- gate


@_rule
def gate_rules_are_known(gate) -> Iterator[Breach]:
    """A switch belongs to a rule of the list, and every rule of the list has its switch (4.2)."""
    known = [name for name in law.rules() if name != law.DATA_RULE]
    for name in gate.rules:
        if name not in known:
            yield _stranger(f"gate.rules.{name}", name, known)
    missing = [name for name in known if name not in gate.rules]
    if missing:
        yield Breach("gate.rules", "order_missing", "", ", ".join(known), ", ".join(missing))


@_rule
def gate_levels_are_known(gate) -> Iterator[Breach]:
    """Levels of clients and products are those of the tables; the ladder never falls (SUIT-01)."""
    rules = gate.suitability
    for level in rules.highest:
        if level not in CLIENT_LEVELS:
            yield _stranger(f"gate.suitability.highest.{level}", level, CLIENT_LEVELS)
    missing = [level for level in CLIENT_LEVELS if level not in rules.highest]
    if missing:
        yield Breach("gate.suitability.highest", "order_missing", "", ", ".join(CLIENT_LEVELS),
                     ", ".join(missing))  # fmt: skip
    named = {f"highest.{level}": top for level, top in rules.highest.items()}
    named |= {n: getattr(rules, n) for n in ("care_from_level", "concentration_from_level")}
    for key, level in named.items():
        if level not in RISK_LEVELS:
            yield _stranger(f"gate.suitability.{key}", level, RISK_LEVELS)
    for below, above in pairwise([c for c in CLIENT_LEVELS if c in rules.highest]):
        low, high = rules.highest[below], rules.highest[above]
        if low in RISK_LEVELS and high in RISK_LEVELS and low > high:
            yield Breach(f"gate.suitability.highest.{below}", "above_other", low, high,
                         f"gate.suitability.highest.{above}")  # fmt: skip


@_rule
def gate_numbers_agree(gate) -> Iterator[Breach]:
    """Longer terms are not shorter, special care is not looser, hours end after they start."""
    pairs = [
        ("suitability", "capacity_share_care", "capacity_share"),
        ("suitability", "product_share", "issuer_share"),
        ("suitability", "assessments_per_day", "assessments_per_year"),
        ("cases", "warn_days", "days"), ("cases", "days", "extended_days"),
        ("cases", "extended_days", "special_days"),
    ]  # fmt: skip
    for part, low, high in pairs:
        small, large = getattr(getattr(gate, part), low), getattr(getattr(gate, part), high)
        if small > large:
            yield Breach(f"gate.{part}.{low}", "above_other", small, f"{large}",
                         f"gate.{part}.{high}")  # fmt: skip
    for name, span in gate.quiet.spans.items():
        if span.start >= span.end:
            yield Breach(f"gate.quiet.spans.{name}.start", "above_other", span.start,
                         f"{span.end:g}", f"gate.quiet.spans.{name}.end")  # fmt: skip


@_rule
def gate_words_are_known(gate) -> Iterator[Breach]:
    """Channels, classes, conditions and rewards are those of the tables."""
    own = TABLES["consents"]["channel"].allowed
    for channel, sources in gate.consent.channels.items():
        if channel not in CHANNELS:
            yield _stranger(f"gate.consent.channels.{channel}", channel, CHANNELS)
        yield from _unknown(f"gate.consent.channels.{channel}", sources, own)
    missing = [channel for channel in CHANNELS if channel not in gate.consent.channels]
    if missing:
        yield Breach("gate.consent.channels", "order_missing", "", ", ".join(CHANNELS),
                     ", ".join(missing))  # fmt: skip
    conditions = TABLES["event_attendance"]["benefit_condition"].allowed
    rewards = TABLES["referrals"]["reward_type"].allowed
    listed = {
        "gate.quiet.channels": (gate.quiet.channels, CHANNELS),
        "gate.suitability.liquid_classes": (gate.suitability.liquid_classes, PRODUCT_CLASSES),
        "gate.benefits.refused_conditions": (gate.benefits.refused_conditions, conditions),
        "gate.benefits.refused_rewards": (gate.benefits.refused_rewards, rewards),
    }  # fmt: skip
    for key, (words, known) in listed.items():
        yield from _unknown(key, words, known)
        yield from _twice(key, words)
