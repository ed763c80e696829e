"""The bank's numbers and rules as a typed, validated model.

One instance is one bank's decision about the method. It is read from a preset or a bank's own
YAML file by :func:`playbook.policy.load`; each number's meaning and evidence travels with it in
``Policy.notes``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

from playbook.policy import rules

# The bounds of these types are limits of arithmetic and of the calendar, not numbers of the
# method: cents stay exact in a float up to 1e13, a span of time stays within a working life.
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Share = Annotated[Number, Field(ge=0, le=1)]
Money = Annotated[Number, Field(ge=0, le=1e13)]
Rate = Annotated[Number, Field(ge=0, le=999_999)]
Count = Annotated[int, Strict(), Field(ge=0, le=999_999)]
Positive = Annotated[int, Strict(), Field(ge=1, le=999_999)]
Months = Annotated[int, Strict(), Field(ge=1, le=120)]
Days = Annotated[int, Strict(), Field(ge=1, le=3660)]
Age = Annotated[int, Strict(), Field(ge=1, le=120)]
Flag = Annotated[bool, Strict()]
Day = Annotated[dt.date, Strict()]
Code = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
RuleId = Annotated[str, Field(pattern=r"^[A-Z]{3,6}-[0-9]{2}$")]
Words = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Part(BaseModel):
    """Base of every part: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(Part):
    """A name in both languages."""

    zh: Words
    en: Words


class Tier(Part):
    """One tier of 分层; ``floor`` is the least month-average AUM (yuan) that reaches it (K01)."""

    floor: Money
    name: Name
    in_scope: Flag
    private: Flag = False
    nurture: Flag = False


class Tiering(Part):
    """Movement between tiers: up fast, down slow (K01–K03)."""

    n_down: Months
    n_down_private: Months
    near_ratio: Annotated[Number, Field(gt=0, lt=1)]
    basis: Literal["client", "household"]
    asset_weights: Mapping[str, Rate]
    uhnw_floor: Money


class RetirementAge(Part):
    """Statutory retirement age, rising by one month every ``months_per_step`` months (2.2)."""

    years_from: Age
    years_to: Age
    months_per_step: Months


class Persona(Part):
    """Ordered rules of 分群; the first that matches gives the persona (K04, 2.2)."""

    order: tuple[str, ...]
    payroll_min_months: Months
    payroll_window_months: Months
    windfall_floor: Money
    windfall_share: Share
    windfall_months: Months
    young_below_age: Age
    care_from_age: Age
    retirement_start: Day
    retirement_men: RetirementAge
    retirement_women: RetirementAge


class Status(Part):
    """Ordered rules of 分类 by trend; the first that matches gives the status (K05, 2.3)."""

    order: tuple[str, ...]
    outflow_share: Share
    dormant_days: Days
    new_days: Days
    inflow_share: Share
    inflow_floor: Money
    inflow_months: Months
    exited_floor: Money
    exited_months: Months
    client_initiated_kinds: tuple[str, ...]


class Points(Part):
    """Points of one kind of closeness: ``each`` per occurrence, counted ``cap`` times at most."""

    each: Rate
    cap: Positive


class Familiarity(Part):
    """Score and ladder of closeness in the trailing window (K06, 2.3)."""

    window_months: Months
    contact: Points
    face_to_face: Points
    event: Points
    reply: Points
    referral: Points
    file: Points
    file_floor: Share
    face_channels: tuple[str, ...]
    ladder: Mapping[str, Rate]


class FileGroup(Part):
    """One group of the client file with its weight and the fields that fill it (K09).

    A field is ``clients.<column>``, ``households.<column>``, ``needs.<field>``,
    ``risk.assessment`` (a valid assessment) or ``flows.any`` (money movements on record).
    """

    weight: Annotated[Rate, Field(gt=0)]
    fields: tuple[str, ...]


class Completeness(Part):
    """What a complete and fresh client file is (K09)."""

    fresh_months: Months
    groups: Mapping[Code, FileGroup]


class Concentration(Part):
    """Contribution curve (K10)."""

    top_share: Annotated[Number, Field(gt=0, lt=1)]


class Standard(Part):
    """Service standard of one tier (2.5), per client and year.

    0 a year means: on need or by trigger only. ``reviews_per_year`` are held by the adviser and
    cost the adviser's minutes; ``digital_reviews_per_year`` are sent by the system and cost none.
    ``max_clients`` per owner; empty: a pool without a limit.
    """

    owner: Name
    max_clients: Positive | None
    contacts_per_year: Rate
    visits_per_year: Rate
    reviews_per_year: Rate
    digital_reviews_per_year: Rate
    diagnoses_per_year: Rate
    event_invites_per_year: Count
    marketing_cap_per_year: Rate
    response_hours: Annotated[Rate, Field(gt=0)]


class Privacy(Part):
    """What may leave the branch, and which columns may never be in a book (PRIV-01 … PRIV-04)."""

    min_cell: Positive
    pia_ref: Words | None = None


class Programme(Part):
    """One theme of the event and education programme (K17).

    ``personas`` and ``needs`` say whom it is for (empty: everybody), ``aum_from`` the least
    month-average AUM in yuan; it is held in each of ``months`` on the first working day from
    ``day`` on, for ``seats`` guests.
    """

    name: Name
    type: str
    personas: tuple[str, ...]
    needs: tuple[str, ...]
    aum_from: Money
    months: tuple[Annotated[int, Strict(), Field(ge=1, le=12)], ...]
    day: Annotated[int, Strict(), Field(ge=1, le=28)]
    seats: Positive


class Events(Part):
    """Event and education calendar: how many are invited, over which channels (K17)."""

    invite_ratio: Annotated[Number, Field(ge=1, le=20)]
    seats_default: Positive
    look_back_months: Months
    per_client_month: Positive
    channels: tuple[str, ...]
    programme: Mapping[Code, Programme]


class Handout(Part):
    """What is handed to the advisers: calendar files and practice forms (K15, K41)."""

    alarm_minutes: Positive
    mock_levels: Mapping[Code, Count]


class Span(Part):
    """A stretch of the day in hours (9.5 is 09:30)."""

    start: Annotated[Number, Field(ge=0, le=24)]
    end: Annotated[Number, Field(ge=0, le=24)]


class Solver(Part):
    """Limits of the search for the best plan (K14).

    ``nodes`` is a limit that every machine reaches at the same place; ``seconds`` only guards
    against a machine that is far too slow, and what it cuts off is planned by the plain order. Up
    to ``exact_rows`` rows every equally good choice of the earlier classes is tried as well.
    """

    nodes: Positive
    exact_rows: Count
    gap: Share
    seconds: Positive


class Planning(Part):
    """How the month is filled: who is first, what a contact is worth, what may be when (K14, 3.1).

    ``class_order`` the classes of work, first served first; ``promised`` those a branch owes its
    clients (the relief is counted for them). ``p_effect`` status → familiarity → expected effect
    of a contact. ``hours`` channel → spans in which a contact starts and ends, ``best_times`` the
    spans that clients call convenient. Money in yuan.
    """

    holdout_share: Share
    class_order: tuple[str, ...]
    promised: tuple[str, ...]
    stake_floor: Annotated[Money, Field(gt=0)]
    stake_cap: Annotated[Money, Field(gt=0)]
    overdue_days: Days
    marketing_gap_days: Days
    price_minutes: Positive
    relief_clients: Positive
    solver: Solver
    p_effect_unknown: Share
    p_effect: Mapping[str, Mapping[str, Share]]
    hours: Mapping[str, Mapping[Code, Span]]
    best_times: Mapping[str, Span]


class Suitability(Part):
    """Which product may be spoken of to whom (SUIT-01 … SUIT-10, K42).

    ``highest`` client level → highest product level; shares are of the client's AUM; the month
    end's ``liquid_classes`` and what falls due within ``liquid_days`` count as liquid.
    """

    valid_months: Months
    highest: Mapping[str, str]
    capacity_share: Share
    capacity_share_care: Share
    liquid_classes: tuple[str, ...]
    liquid_days: Days
    care_from_level: str
    adult_age: Age
    assessments_per_day: Positive
    assessments_per_year: Positive
    concentration_from_level: str
    product_share: Share
    issuer_share: Share


class Consent(Part):
    """Consent and refusal (CONS-01 … CONS-05).

    ``channels`` channel of a contact → channels of which one must have consent; an empty list
    means that the client comes to us and none is needed. ``opt_out`` what a client refuses who opts
    out in a talk: the channel it was said on, or all.
    """

    channels: Mapping[str, tuple[str, ...]]
    opt_out: Literal["channel", "all"]
    stale_months: Months
    ask_again_days: Days


class Quiet(Part):
    """When a client may be called (TIME-01) and how often (FREQ-01)."""

    channels: tuple[str, ...]
    rest_days: Flag
    spans: Mapping[Code, Span]
    unanswered_per_day: Positive


class Benefits(Part):
    """What may be given (GIFT-01 … GIFT-03)."""

    yearly_cap: Money
    refused_conditions: tuple[str, ...]
    refused_rewards: tuple[str, ...]


class Cases(Part):
    """Calendar days until a complaint must be closed (COMP-01)."""

    warn_days: Days
    days: Days
    extended_days: Days
    special_days: Days


class Content(Part):
    """One piece of approved content: what it is, how long it may be used (MKT-02)."""

    kind: Literal["product", "education", "event", "notice"]
    name: Name
    since: Day | None
    until: Day | None


class RuleSetting(Part):
    """What the bank does with one rule: on or off, its verdict, since when.

    ``verdict`` ``listed`` is what the regulation list says. ``since`` the day from which the bank
    holds the rule; empty: the day on which the rule itself takes effect.
    """

    on: Flag
    verdict: Literal["listed", "warn", "deny"]
    since: Day | None


class Gate(Part):
    """Numbers and switches of the compliance gate (K16, K42–K47)."""

    suitability: Suitability
    consent: Consent
    quiet: Quiet
    benefits: Benefits
    cases: Cases
    id_notice_days: Days
    content: Mapping[Code, Content]
    rules: Mapping[RuleId, RuleSetting]


class Capacity(Part):
    """Time for clients and what each kind of work costs, in minutes (K12, 2.6).

    A call that reaches the client costs talk and preparation, and the failed attempts before it.
    ``pool_levels`` are the levels of advisers who look after the pool (the tiers out of scope).
    """

    minutes_per_day: Positive
    working_days: Positive
    client_facing_share: Annotated[Number, Field(gt=0, le=1)]
    visits_per_day: Count
    talk_minutes: Positive
    call_prep_minutes: Count
    reach_share: Annotated[Number, Field(gt=0, le=1)]
    failed_call_minutes: Count
    message_minutes: Positive
    visit_minutes: Positive
    review_minutes: Positive
    trigger_share: Rate
    pool_levels: tuple[str, ...]


Offset = Annotated[int, Strict(), Field(ge=-3660, le=3660)]
Klass = Literal["duty", "critical", "standard", "growth"]
Effort = Literal["call", "message", "visit", "review", "attach"]


class Stage(Part):
    """One step of a trigger: ``days`` from the event to the first day, the due day and the last.

    ``lasting``: there is no last day while the condition lasts. ``effort`` ``attach`` is no
    contact of its own but a matter for the next one.
    """

    days: tuple[Offset, Offset, Offset]
    lasting: Flag
    klass: Klass
    effort: Effort


class Trigger(Part):
    """One trigger event of 3.2 (K13): purpose, entry point and core service, and its stages.

    ``closed_by`` what settles it: a contact logged for this trigger (``same``), or any effective
    conversation since then (``any``).
    """

    on: Flag
    purpose: Literal["service", "marketing", "care"]
    entry_point: Literal["daily_care", "after_sales", "events", "diagnosis", "none"]
    core_service: Literal["return_visit", "asset_review", "notice", "greeting", "none"]
    closed_by: Literal["same", "any"]
    stages: Mapping[Code, Stage]


class Duty(Part):
    """How one kind of service standard is carried out (K11)."""

    entry_point: Literal["daily_care", "after_sales", "events", "diagnosis", "none"]
    core_service: Literal["return_visit", "asset_review", "notice", "greeting", "none"]
    effort: Literal["call", "visit", "review"]


class Triggers(Part):
    """Conditions of the trigger events and what each asks for (K13, 3.2). Money in yuan."""

    large_floor: Money
    large_share: Share
    large_classes: tuple[str, ...]
    risk_classes: tuple[str, ...]
    flow_kinds: tuple[str, ...]
    nav_drop: Mapping[str, Share]
    nav_days: Days
    no_contact_ratio: Annotated[Number, Field(ge=1, le=10)]
    payroll_months: Months
    payroll_missing: Months
    drop_statuses: tuple[str, ...]
    life_event_fields: tuple[str, ...]
    festivals: Mapping[str, Literal["all", "care", "none"]]
    personal_greeting_per_year: Rate
    remind_again_days: Days
    early_days: Count
    channels: Mapping[str, tuple[str, ...]]
    standards: Mapping[str, Duty]
    rules: Mapping[Code, Trigger]


class Note(Part):
    """Why a number is what it is: its evidence code and its meaning in both languages."""

    evidence: Words
    zh: Words
    en: Words


class Policy(Part):
    """A bank's policy. ``tiers`` and ``standards`` are in order, lowest tier first.

    Made by :func:`playbook.policy.load`; its parts agree with one another (see
    :mod:`playbook.policy.rules`), however it is made.
    """

    id: Code
    name: Name
    tiers: Mapping[Code, Tier]
    tiering: Tiering
    persona: Persona
    status: Status
    familiarity: Familiarity
    completeness: Completeness
    concentration: Concentration
    standards: Mapping[Code, Standard]
    privacy: Privacy
    events: Events
    handout: Handout
    planning: Planning
    gate: Gate
    capacity: Capacity
    triggers: Triggers
    notes: Mapping[str, Note] = Field(default_factory=dict, repr=False)

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        breaches = rules.breaches({name: getattr(self, name) for name in type(self).model_fields})
        if breaches:
            raise ValueError("; ".join(f"{b.key}: {b.code}" for b in breaches))
        return self

    @property
    def tier_codes(self) -> list[str]:
        """Codes of the tiers, lowest first."""
        return list(self.tiers)

    @property
    def floors(self) -> np.ndarray:
        """Floors of the tiers in yuan, lowest first, strictly rising from 0."""
        return np.array([tier.floor for tier in self.tiers.values()], dtype="float64")

    @property
    def tier_dtype(self) -> pd.CategoricalDtype:
        """Ordered categorical of the tiers, so that every table comes out in policy order."""
        return pd.CategoricalDtype(self.tier_codes, ordered=True)

    @property
    def in_scope(self) -> list[str]:
        """Codes of the tiers that the method serves (中高净值), lowest first."""
        return [code for code, tier in self.tiers.items() if tier.in_scope]

    @property
    def own_keys(self) -> list[str]:
        """Dotted keys that the bank decided itself (evidence code ``bank``), names left out."""
        return [
            key
            for key, note in self.notes.items()
            if note.evidence == "bank" and key.partition(".")[0] not in ("id", "name")
        ]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything in the policy: equal exactly when nothing differs."""
        text = json.dumps(
            self.model_dump(mode="json"), ensure_ascii=True, sort_keys=True, separators=(",", ":")
        )
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def tier_names(self, lang: str) -> dict[str, str]:
        """Names of the tiers in ``lang`` (``zh`` or ``en``), for the words of a page."""
        return {code: getattr(tier.name, lang) for code, tier in self.tiers.items()}

    def n_down(self, code: str) -> int:
        """Consecutive months below the floor before a client leaves tier ``code`` (K02)."""
        private = self.tiers[code].private
        return self.tiering.n_down_private if private else self.tiering.n_down

    def with_(self, **changes: object) -> Policy:
        """A checked copy for what-if: ``policy.with_(**{"tiers.T3.floor": 600_000})``.

        Keys are dotted as in a bank's file, a value may be a whole group (a dict), ``None``
        removes a tier. Raises ``PolicyError`` with all faults; ``self`` never changes.
        """
        from playbook.policy import build  # the builder needs this model first

        return build.changed(self, changes)
