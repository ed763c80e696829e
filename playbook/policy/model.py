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
