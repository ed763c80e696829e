"""营销话术检查: words that may not be said, found as they are really written (MKT-01, K46).

Width, case, traditional characters, blanks, signs and hidden characters inside a phrase make no
difference; "非保本", "不保证收益" or "无风险提示" are not hits, because there the phrase is denied
or means something else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import pandas as pd

from playbook.policy import law

_SENTENCE_MARKS = "。！？；!?;"
_COLUMNS = (
    "row", "rule", "phrase", "shown", "found", "start", "end", "instrument", "effective_from",
)  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """One forbidden phrase: what it is, where it stands in the text as written."""

    phrase: str
    shown: str
    found: str
    start: int
    end: int
    ref: str


def check_text(text: str | pd.Series, on=None) -> pd.DataFrame:
    """Forbidden wording in a text, or in each text of a column (MKT-01).

    One row per hit: ``row`` (index of the text, 0 for a single one), ``rule``, ``phrase`` (id),
    ``shown`` (the phrase), ``found`` (as it is written), ``start`` and ``end`` (characters),
    ``instrument`` and ``effective_from``. With ``on`` only what was forbidden on that day.
    """
    texts = text if isinstance(text, pd.Series) else pd.Series([text], dtype="str")
    since = {version.ref: version.since for version in law.rules()["MKT-01"].versions}
    rows = [
        (row, "MKT-01", hit.phrase, hit.shown, hit.found, hit.start, hit.end, hit.ref,
         since[hit.ref])
        for row, value in texts.dropna().items()
        for hit in hits(str(value))
        if on is None or pd.Timestamp(since[hit.ref]) <= pd.Timestamp(on)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    table["effective_from"] = pd.to_datetime(table["effective_from"])
    return table


def check_claims(text: str | pd.Series) -> pd.DataFrame:
    """Training claims that stand in a report without the number of their note (CLAIM-01).

    Columns ``row``, ``rule``, ``claim``. A claim is noted when its number, such as ``CL-1``, is in
    the same text. Claims are recognised by their usual wording only.
    """
    texts = text if isinstance(text, pd.Series) else pd.Series([text], dtype="str")
    rows = []
    for row, value in texts.dropna().items():
        bare = _even(str(value)).bare
        for claim in law.phrases()["claims"]:
            noted = re.search(rf"{claim['id'].replace('-', '-?')}(?!\d)", str(value), re.I)
            if re.search(claim["find"], bare) and not noted:
                rows.append((row, "CLAIM-01", claim["id"]))
    return pd.DataFrame(rows, columns=["row", "rule", "claim"])


@lru_cache(maxsize=4096)
def hits(text: str) -> tuple[Hit, ...]:
    """All hits of one text, in the order of the text."""
    even = _even(text)
    found = []
    for phrase, pattern in _patterns():
        for match in pattern.finditer(even.bare):
            start, end = match.span()
            if start < end and not _torn(even, start, end) and not _denied(even, start, end) \
                    and not _other_meaning(phrase, even.bare, start, end):  # fmt: skip
                first, last = even.place[start], even.place[end - 1] + 1
                found.append(Hit(phrase["id"], phrase["shown"], text[first:last], first, last,
                                 phrase["ref"]))  # fmt: skip
    return tuple(sorted(found, key=lambda hit: (hit.start, hit.end, hit.phrase)))


@lru_cache(maxsize=4096)
def missing(text: str, issuer: str = "") -> tuple[str, ...]:
    """What product material does not say though it must (MKT-03): codes, in order."""
    bare, needed = _even(text).bare, law.phrases()["required"]
    lacks = [code for code in ("level", "risk") if not re.search(needed[code], bare)]
    if issuer and _even(issuer).bare not in bare:
        lacks.append("issuer")
    if re.search(needed["benchmark_word"], bare) and not re.search(needed["benchmark"], bare):
        lacks.append("benchmark")
    return tuple(lacks)


# ------------------------------------------------------------------------------ evening out


@dataclass(frozen=True)
class _Even:
    """A text evened out: letters only; where each stood; which clause it belongs to."""

    bare: str
    place: tuple[int, ...]
    clause: tuple[int, ...]


def _even(text: str) -> _Even:
    letters, places, clauses = [], [], []
    clause, fold, marks = 0, _fold(), _clause_marks()
    for at, sign in enumerate(text):
        if sign in marks:
            clause += 1
            continue
        for part in unicodedata.normalize("NFKC", sign).lower():
            kind = unicodedata.category(part)[0]
            if kind in "LN" or part == "%":
                letters.append(fold.get(part, part))
                places.append(at)
                clauses.append(clause)
    return _Even("".join(letters), tuple(places), tuple(clauses))


@cache
def _fold() -> dict[str, str]:
    return {odd: plain for plain, odds in law.phrases()["fold"].items() for odd in odds}


@cache
def _clause_marks() -> frozenset[str]:
    return frozenset(_SENTENCE_MARKS + law.phrases()["clause_marks"])


# ---------------------------------------------------------------------------------- meaning


@cache
def _patterns() -> tuple[tuple[dict, re.Pattern], ...]:
    return tuple((p, re.compile(p["find"])) for p in law.phrases()["phrases"])


def _torn(even: _Even, start: int, end: int) -> bool:
    """Whether the match only arises from words of two clauses ("风险高，收益高" is not 高收益).

    Signs set between single letters ("保，本") are a trick and tear nothing.
    """
    clauses = even.clause[start:end]
    if clauses[0] == clauses[-1]:
        return False
    return len(set(clauses)) < len(clauses)


@cache
def _denials() -> tuple[re.Pattern, re.Pattern, re.Pattern]:
    words = law.phrases()
    links = f"(?:{words['links']})*"
    return (
        re.compile(f"(?:{words['negators']}){links}$"),
        re.compile(f"(?:{words['false_negators']}){links}$"),
        re.compile(words["denied_after"]),
    )


def _denied(even: _Even, start: int, end: int) -> bool:
    """Whether the clause says that it is not so."""
    before, falsely, after = _denials()
    low = start
    while low > 0 and even.clause[low - 1] == even.clause[start]:
        low -= 1
    high = end
    while high < len(even.bare) and even.clause[high] == even.clause[end - 1]:
        high += 1
    lead, rest = even.bare[low:start], even.bare[end:high]
    if before.search(lead) and not falsely.search(lead):
        return True
    return after.match(rest) is not None


def _other_meaning(phrase: dict, bare: str, start: int, end: int) -> bool:
    left, right = phrase.get("not_after"), phrase.get("not_before")
    return bool(
        (left and re.search(f"(?:{left})$", bare[:start]))
        or (right and re.match(f"(?:{right})", bare[end:]))
    )


def first_forbidden(texts: np.ndarray) -> Iterator[tuple[str, np.ndarray, str]]:
    """For a column of texts: per instrument, which texts it forbids, and one such phrase each."""
    codes, values = pd.factorize(pd.Series(texts))
    found = [hits(str(value)) for value in values]
    for ref in dict.fromkeys(version.ref for version in law.rules()["MKT-01"].versions):
        said = [next((hit.found for hit in each if hit.ref == ref), None) for each in found]
        yield ref, np.array([*(s is not None for s in said), False])[codes], np.array(
            [*said, None], dtype=object
        )[codes]
