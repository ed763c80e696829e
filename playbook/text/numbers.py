"""How amounts, shares, counts and dates look on a page.

Money is kept in yuan and shown in 万元 (ten thousand yuan) in both languages, so that a figure
reads the same in the Chinese and the English report. Rounding is half up and happens here only.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

YUAN_PER_WAN = 10_000
_MISSING = "—"


def _missing(value: object) -> bool:
    return value is None or value != value


def _grouped(value: float, digits: int) -> str:
    step = Decimal(1).scaleb(-digits)
    return f"{Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP):,}"


def wan(yuan: float | None, digits: int = 2) -> str:
    """Yuan as a bare number of 万元: ``wan(1_234_500)`` is ``'123.45'``; a missing value is a dash."""
    return _MISSING if _missing(yuan) else _grouped(float(yuan) / YUAN_PER_WAN, digits)


def money(yuan: float | None, lang: str, digits: int = 2) -> str:
    """Yuan with its unit: ``123.45万元`` or ``CNY 1,234,500``; a missing value is a dash."""
    if _missing(yuan):
        return _MISSING
    return f"{wan(yuan, digits)}万元" if lang == "zh" else f"CNY {_grouped(float(yuan), 0)}"


def percent(share: float | None, digits: int = 1) -> str:
    """A fraction as per cent: ``percent(0.1234)`` is ``'12.3%'``; a missing value is a dash."""
    return _MISSING if _missing(share) else f"{_grouped(float(share) * 100, digits)}%"


def count(n: float | None) -> str:
    """A whole number with thousands separators; a missing value is a dash."""
    return _MISSING if _missing(n) else f"{int(n):,}"


def date_text(day: dt.date | None) -> str:
    """A date as ``2026-09-30``; a missing value is a dash."""
    return _MISSING if _missing(day) else f"{day:%Y-%m-%d}"
