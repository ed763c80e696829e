"""Who reads the page, and of which branch and month: what every figure and table needs to know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd

from playbook.segment import TIER_FACTS
from playbook.tables import TABLES
from playbook.text import has, language, t


@dataclass(frozen=True)
class Page:
    """The reader's language, the bank's own names, and the period all figures share.

    ``names`` gives words for codes that the policy names (tiers); all other codes are named by
    text keys ``name.<kind>.<code>``. ``month`` is the first day of the last complete month, which
    all figures of step 1 are about. ``na`` maps a figure to the table it would have needed.
    ``mask`` shortens client pseudonyms wherever they are shown.
    """

    lang: str
    branch: str
    as_of: dt.date
    branch_name: str = ""
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tiers: tuple[str, ...] = ()
    in_scope: tuple[str, ...] = ()
    floors: tuple[float, ...] = ()
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    na: Mapping[str, str] = field(default_factory=dict)
    month: pd.Timestamp | None = None
    synthetic: bool = False
    mask: bool = True

    def t(self, key: str, **facts: object) -> str:
        """The words of ``key`` in the reader's language, with the bank's own names filled in."""
        return t(key, self.lang, self.names, **facts)

    def name(self, kind: str, code: object) -> str:
        """The name of one coded value; the code itself when nobody named it; a dash for none."""
        if code is None or code is pd.NA or code != code:
            return "—"
        own = self.names.get(kind, {}).get(str(code))
        key = f"name.{kind}.{code}"
        return own or (t(key, self.lang) if has(key) else str(code))

    def named(self, kind: str, codes: Iterable[object]) -> list[str]:
        """Names of several coded values of one kind."""
        return [self.name(kind, code) for code in codes]

    def order(self, kind: str, found: Iterable[object] = ()) -> list[str]:
        """All codes of ``kind`` in the method's order, then any other that was found."""
        known = list(self.orders.get(kind, ()))
        return known + sorted({str(code) for code in found if code == code} - set(known))

    def client(self, client_id: str) -> str:
        """A client's pseudonym as shown; when the page masks, only its two ends: ``B01-…0123``."""
        text = str(client_id)
        head = f"{text.split('-')[0]}-" if "-" in text else ""
        return f"{head}…{text[-4:]}" if self.mask and len(text) > len(head) + 5 else text

    def figure(self, code: str) -> str:
        """The name of a figure that could not be worked out (``status.dormant``)."""
        kind, _, part = code.partition(".")
        for key in (f"show.figure.{code}", f"show.figure.{kind}"):
            if has(key):
                whole, rest = t(key, self.lang), part if key.endswith(kind) else ""
                colon = "：" if self.lang == "zh" else ": "
                return f"{whole}{colon}{self.name(_PART.get(kind, kind), rest)}" if rest else whole
        return code

    def needed(self, code: str) -> str:
        """The tables or columns that the figure ``code`` would have needed, by their names."""
        joined = "、" if self.lang == "zh" else ", "
        return joined.join(_label(need.strip(), self.lang) for need in self.na[code].split(","))

    def partial(self, kind: str) -> str:
        """What a figure of ``kind`` leaves out for want of data; empty when it is whole."""
        codes = [code for code in self.na if code.split(".")[0] == kind]
        if not codes:
            return ""
        gap = "；" if self.lang == "zh" else "; "
        parts = gap.join(
            self.t("show.na.part", part=self.figure(code), label=self.needed(code))
            for code in codes
        )
        return self.t("show.na.partial", parts=parts)

    def scope(self, n: int | None = None) -> str:
        """Branch, period and number of clients behind a figure, for its second line."""
        place = f"{self.branch} {self.branch_name}".strip()
        parts = [place, self.t("show.scope.as_of", as_of=self.as_of)]
        if self.month is not None and self.month + pd.offsets.MonthEnd(0) != pd.Timestamp(
            self.as_of
        ):
            parts.append(self.t("show.scope.month", month=f"{self.month:%Y-%m}"))
        return "　".join([*parts, self.t("show.scope.n", n=n)] if n is not None else parts)


def page(book, segments=None, lang: str | None = None, mask: bool = True) -> Page:
    """The page of one branch for one reader.

    ``book`` as opened; ``segments`` (step 1) adds what could not be worked out and why. ``lang``
    is ``zh`` or ``en``; without it the environment's language, else Chinese.
    """
    chosen = language(lang)
    policy = getattr(segments, "policy", None) or book.policy
    rows = book["branches"]
    ladder = policy.familiarity.ladder
    mine = rows.loc[rows["branch_id"] == book.branch, "branch_name"]
    return Page(
        lang=chosen,
        branch=book.branch,
        branch_name="" if mine.empty or pd.isna(mine.iloc[0]) else str(mine.iloc[0]),
        as_of=book.as_of,
        names=MappingProxyType({kind: policy.tier_names(chosen) for kind in TIER_KINDS}),
        tiers=tuple(policy.tier_codes),
        in_scope=tuple(policy.in_scope),
        floors=tuple(float(floor) for floor in policy.floors),
        orders=MappingProxyType(
            {
                **{kind: tuple(policy.tier_codes) for kind in TIER_KINDS},
                "persona": _with_last(policy.persona.order, "other"),
                "status": _with_last(policy.status.order, "stable"),
                "familiarity": tuple(sorted(ladder, key=ladder.__getitem__)),
                "group": tuple(policy.completeness.groups),
            }
        ),
        na=MappingProxyType(dict(getattr(segments, "na", None) or {})),
        month=book.last_month,
        synthetic=book.synthetic,
        mask=mask,
    )


#: Columns whose values are tier codes: their names come from the policy.
TIER_KINDS = TIER_FACTS


#: Under which kind the second half of a figure's code has its name.
_PART = {"status": "status", "persona": "persona", "completeness": "group", "familiarity": "points"}


def _label(need: str, lang: str) -> str:
    table, _, column = need.partition(".")
    if table not in TABLES:
        return need
    if column in TABLES[table].by_name:
        dot = "·" if lang == "zh" else " / "
        return f"{TABLES[table].label(lang)}{dot}{TABLES[table][column].label(lang)}"
    return TABLES[table].label(lang)


def _with_last(order: Iterable[str], last: str) -> tuple[str, ...]:
    return (*(code for code in order if code != last), last)
