"""Showing what kind of value was found without showing the value.

Faults name the cell; whoever may see the data looks there. What is written into a fault list,
a message or a log is masked when its column is about a person (privacy class P1 or P2).
"""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from playbook.tables import Column

LONGEST = 40
_UNITS = frozenset("万亿千百元年月日时分%.,:/-+() ")
_STARS = 8
#: Eleven digits or more, as telephone, card and identity numbers are written; a time has fewer
#: between two colons.
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){10,}[Xx]?")


def mask(value: str, column: Column | None) -> str:
    """``value`` as it may be shown for ``column``; an unknown column counts as personal.

    Identifiers keep two characters (``C0********``), words one. Amounts, dates and numbers keep
    their shape: signs and units stay, everything else is a star (``**万``, ``****-**-**``).
    In columns that are not personal a number as long as a telephone, card or identity number is
    masked all the same: cells that slipped into the wrong column are a common fault.
    """
    if column is not None and column.privacy == "P0":
        return _LONG_NUMBER.sub(lambda found: found[0][:2] + "*" * _STARS, value)[:LONGEST]
    kind = column.type if column is not None else "str"
    if kind == "id":
        return value[:2] + "*" * min(max(len(value) - 2, 0), _STARS)
    if kind in ("str", "enum"):
        return value[:1] + "*" * min(max(len(value) - 1, 0), _STARS)
    return "".join(_shape(sign) for sign in value[:LONGEST])


def _shape(sign: str) -> str:
    return sign if unicodedata.normalize("NFKC", sign) in _UNITS else "*"


def masked(values: pd.Series, column: Column | None) -> pd.Series:
    """:func:`mask` over a column of text; each distinct value is masked once."""
    texts = values.fillna("").astype(str)
    return texts.map({value: mask(value, column) for value in texts.unique()}).astype("str")
