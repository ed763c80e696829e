"""How amounts, shares, counts and dates look on a page.

Money is kept in yuan and shown in 万元 (ten thousand yuan) in both languages, so that a figure
reads the same in the Chinese and the English report. Rounding is half up and happens here only.
An amount too small for its unit is told to the cent, so that a gap never reads as nothing.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

YUAN_PER_WAN = 10_000
_MISSING = "—"


def _missing(value: object) -> bool:
    return value is None or value != value


def _grouped(value: float, digits: int) -> str:
    step = Decimal(1).scaleb(-digits)
    return f"{Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP):,}"


def wan(yuan: float | None, digits: int = 2) -> str:
    """Yuan as a bare number of 万元: ``wan(1_234_500)`` is ``'123.45'``; missing is a dash."""
    return _MISSING if _missing(yuan) else _grouped(float(yuan) / YUAN_PER_WAN, digits)


def money(yuan: float | None, lang: str, digits: int = 2) -> str:
    """Yuan with its unit: ``123.45万元`` or ``CNY 1,234,500``; a missing value is a dash.

    What would read as zero and is not is told to the cent: ``30.00元``, ``CNY 0.30``.
    """
    if _missing(yuan):
        return _MISSING
    shown = wan(yuan, digits) if lang == "zh" else _grouped(float(yuan), 0)
    if yuan and not any(digit in "123456789" for digit in shown):
        exact = _grouped(float(yuan), 2)
        return f"{exact}元" if lang == "zh" else f"CNY {exact}"
    return f"{wan(yuan, digits)}万元" if lang == "zh" else f"CNY {_grouped(float(yuan), 0)}"


def percent(share: float | None, digits: int = 1) -> str:
    """A fraction as per cent: ``percent(0.1234)`` is ``'12.3%'``; a missing value is a dash."""
    return _MISSING if _missing(share) else f"{_grouped(float(share) * 100, digits)}%"


def reached(share: float | None, digits: int = 1) -> str:
    """Part of a goal as per cent, rounded down: just short of the goal never reads as 100%."""
    if _missing(share):
        return _MISSING
    step = Decimal(1).scaleb(-digits)
    return f"{(Decimal(repr(float(share))) * 100).quantize(step, ROUND_FLOOR):,}%"


def count(n: float | None) -> str:
    """A whole number with thousands separators; a missing value is a dash."""
    return _MISSING if _missing(n) else f"{int(n):,}"


def date_text(day: dt.date | None) -> str:
    """A date as ``2026-09-30``; a missing value is a dash."""
    return _MISSING if _missing(day) else f"{day:%Y-%m-%d}"
