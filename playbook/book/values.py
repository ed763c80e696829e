"""From what a cell holds to what its column declares, a column at a time.

Text is brought to one form first (full-width digits and letters, surrounding blanks), then has to
match the column's type exactly; what does not match gets a fault code and no value. Nothing is
guessed: an amount written "12万" is not read, the reader is told to write 120000.

An empty cell, ``\\N`` and ``NULL`` (any case) are "no value". Every other word is a value, so that
"NA", "无" or "-" never vanish silently.

Accepted spellings
    dates ``2026-09-30`` ``2026/9/30`` ``2026.9.30`` ``20260930`` ``2026年9月30日``, with a time of
    midnight or none · times the same with ``14:05`` or ``14:05:00`` behind, without one it is
    midnight · months ``2026-09`` ``202609`` ``2026/9`` ``2026年9月`` or the first or last day of
    the month · month-days ``09-30`` ``9/30`` ``0930`` ``9月30日`` · numbers with or without
    thousands separators · truth ``1 0 true false yes no y n 是 否`` · coded values by code or by
    their Chinese or English name. Sheets may also hold true dates and Excel's day numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from playbook import text
from playbook.tables import Column

TEXT = pa.large_string()

#: Fault codes of single cells; their place in this tuple is how they are stored while reading.
CELL_CODES = (
    "", "empty", "excel_error", "number", "whole_number", "percent", "money_text", "money_wan",
    "money_decimals", "money_exponent", "date", "date_impossible", "time", "month", "month_day",
    "month_day_full", "truth", "unknown_value", "id_exponent", "id_form", "below_least",
)  # fmt: skip
_AT = {code: place for place, code in enumerate(CELL_CODES)}

_NUMBER = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$"
_EXPONENT = r"^[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+$"
_GROUPED = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$"
_CENTS = r"^[+-]?(?:[0-9]+(?:\.[0-9]{0,2}0*)?|\.[0-9]{1,2}0*)$"
_WHOLE = r"^[+-]?[0-9]{1,15}(?:\.0*)?$"
_DAY = (
    r"^(?:(?P<y1>[0-9]{4})[-/.](?P<m1>[0-9]{1,2})[-/.](?P<d1>[0-9]{1,2})"
    r"|(?P<y2>[0-9]{4})(?P<m2>[0-9]{2})(?P<d2>[0-9]{2})"
    r"|(?P<y3>[0-9]{4})年(?P<m3>[0-9]{1,2})月(?P<d3>[0-9]{1,2})日)"
    r"(?:[T ]+(?P<h>[0-9]{1,2}):(?P<i>[0-9]{2})(?::(?P<s>[0-9]{2})(?:\.(?P<f>[0-9]{1,9}))?)?)?$"
)
_MONTH = (
    r"^(?:(?P<y1>[0-9]{4})[-/.](?P<m1>[0-9]{1,2})|(?P<y2>[0-9]{4})(?P<m2>[0-9]{2})"
    r"|(?P<y3>[0-9]{4})年(?P<m3>[0-9]{1,2})月)$"
)
_MONTH_DAY = (
    r"^(?:(?P<m1>[0-9]{1,2})[-/.](?P<d1>[0-9]{1,2})|(?P<m2>[0-9]{2})(?P<d2>[0-9]{2})"
    r"|(?P<m3>[0-9]{1,2})月(?P<d3>[0-9]{1,2})日)$"
)
_SERIAL = r"^[0-9]{5}(?:\.[0-9]+)?$"
_ID = r"^[A-Za-z0-9_-]{1,32}$"
_EXCEL_ERROR = r"^#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|#+)"
#: What a cell without a value may hold, in capitals.
NO_VALUE = ("", "\\N", "NULL")
_TRUE = ("1", "1.0", "true", "yes", "y", "是")
_FALSE = ("0", "0.0", "false", "no", "n", "否")
_EXCEL_EPOCH = np.datetime64("1899-12-30", "us")
_DAY_US = 86_400_000_000
_CENT_NOISE = 1e-6
_LARGEST_WHOLE = 1e15


@dataclass(frozen=True)
class Typed:
    """A column after typing: ``values`` (missing where faulty) and ``bad``, a code per cell.

    ``bad`` holds places in :data:`CELL_CODES`; 0 is fine.
    """

    values: pd.Series
    bad: np.ndarray


def normal(word: str) -> str:
    """One form for words that people spell in many ways: width, case, blanks, underscores."""
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", word)).casefold()


@cache
def spellings(column: Column) -> dict[str, str]:
    """All unambiguous ways to write a coded value of ``column``: normal form → code."""
    names: dict[str, set[str]] = {}
    for code in column.allowed:
        key = f"name.{column.name}.{code}"
        if text.has(key):
            for lang in text.LANGS:
                names.setdefault(normal(text.t(key, lang)), set()).add(code)
    ways = {word: next(iter(codes)) for word, codes in names.items() if len(codes) == 1}
    return ways | {normal(code): code for code in column.allowed}


def convert(cells: pa.ChunkedArray, column: Column, *, serials: bool = False) -> Typed:
    """Type the cells of one column.

    ``cells`` are text, or native values as Parquet and data frames hold them. ``serials`` says
    that a five-digit number may be Excel's number of a day. Values come back with the dtype of
    the column's declared type: ``str``, categorical, ``boolean``, ``Int64``, ``float64`` or
    ``datetime64[us]``. A native value is accepted when it says the same thing as the text would.
    """
    if isinstance(cells.type, pa.DictionaryType):
        cells = cells.cast(cells.type.value_type)
    kind = cells.type
    if pa.types.is_null(kind):
        return _finish(_Read(pa.nulls(1, TEXT), column), np.zeros(len(cells), np.int64), column)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        native = _native(cells, column)
        if native is not None:
            return native
        cells = _as_text(cells)
    one = pa.concat_arrays([*cells.cast(TEXT).chunks, pa.array([], TEXT)])
    # Each distinct spelling is typed once: a month or a product class repeats a million times.
    coded = one.dictionary_encode()
    words = pa.concat_arrays([coded.dictionary.cast(TEXT), pa.array([""], TEXT)])
    places = pc.fill_null(coded.indices, len(words) - 1).to_numpy(zero_copy_only=False)
    return _finish(_Read(words, column, serials), places, column)


class _Read:
    """Distinct words of a column with what they mean."""

    def __init__(self, words: pa.Array, column: Column, serials: bool = False) -> None:
        trimmed = pc.utf8_trim_whitespace(words)
        clean = pc.utf8_normalize(trimmed, "NFKC")
        # Free text keeps its own characters; everything else is compared in one form.
        self.words = trimmed if column.type == "str" else pc.utf8_trim_whitespace(clean)
        upper = pc.utf8_upper(pc.fill_null(clean, ""))
        self.null = _flags(pc.is_in(upper, pa.array(NO_VALUE, TEXT)))
        self.bad = np.zeros(len(words), np.int8)
        self.serials = serials
        self.column = column
        self.put("excel_error", self.matches(_EXCEL_ERROR))
        self.values = _READERS[column.type](self)
        self.bad[self.null] = 0
        if column.least is not None:
            numbers = self.values
            with np.errstate(invalid="ignore"):
                self.put("below_least", ~self.null & (numbers < column.least))

    def matches(self, pattern: str) -> np.ndarray:
        return _flags(pc.match_substring_regex(self.words, pattern))

    def put(self, code: str, where: np.ndarray) -> None:
        """Give ``code`` to the words that have none yet."""
        self.bad[where & (self.bad == 0)] = _AT[code]


def _finish(read: _Read, places: np.ndarray, column: Column) -> Typed:
    missing = read.null | (read.bad > 0)
    series = _series(read.values, missing, column)
    bad = read.bad.copy()
    if not column.nullable:
        bad[read.null] = _AT["empty"]
    return Typed(series.take(places).reset_index(drop=True), bad[places])


def _series(values: np.ndarray | pa.Array, missing: np.ndarray, column: Column) -> pd.Series:
    """Values of one column under its declared dtype, nothing where ``missing``."""
    kind = column.type
    if kind == "bool":
        return pd.Series(pd.arrays.BooleanArray(values.astype(bool), missing.copy()))
    if kind == "int":
        whole = np.where(missing, 0, np.nan_to_num(values)).astype(np.int64)
        return pd.Series(pd.arrays.IntegerArray(whole, missing.copy()))
    if kind in ("float", "money"):
        return pd.Series(np.where(missing, np.nan, values))
    if kind in ("date", "datetime", "month"):
        return pd.Series(np.where(missing, np.datetime64("NaT", "us"), values))
    if kind == "enum" and column.allowed:
        codes = np.where(missing, -1, values)
        return pd.Series(pd.Categorical.from_codes(codes, categories=list(column.allowed)))
    texts = pc.if_else(pa.array(missing), pa.scalar(None, TEXT), values)
    return pd.Series(texts.to_pandas(), dtype="str")


def _flags(mask: pa.Array) -> np.ndarray:
    return pc.fill_null(mask, False).to_numpy(zero_copy_only=False).astype(bool)


def _plain_numbers(read: _Read) -> tuple[np.ndarray, np.ndarray]:
    """Numbers without thousands separators, and which words are numbers at all."""
    grouped = read.matches(_GROUPED)
    if grouped.any():
        bare = pc.replace_substring(read.words, ",", "")
        read.words = pc.if_else(pa.array(grouped), bare, read.words)
    is_number = read.matches(_NUMBER)
    return _floats(read, is_number), is_number


def _floats(read: _Read, where: np.ndarray) -> np.ndarray:
    digits = pc.if_else(pa.array(where), read.words, pa.scalar(None, TEXT))
    return pc.fill_null(digits.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)


def _read_float(read: _Read) -> np.ndarray:
    values, is_number = _plain_numbers(read)
    exponent = read.matches(_EXPONENT)
    if exponent.any():
        values = _floats(read, is_number | exponent)
    read.put("percent", read.matches(r"^[+-]?[0-9.,]+%$"))
    read.put("number", ~(is_number | exponent) | ~np.isfinite(values))
    return values


def _read_int(read: _Read) -> np.ndarray:
    values, is_number = _plain_numbers(read)
    whole = read.matches(_WHOLE)
    read.put("whole_number", is_number & ~whole)
    read.put("number", ~whole)
    return values


def _read_money(read: _Read) -> np.ndarray:
    values, is_number = _plain_numbers(read)
    read.put("money_wan", read.matches(r"^[+-]?[0-9.,]+\s*[万亿千百]元?$"))
    read.put("money_exponent", read.matches(_EXPONENT))
    read.put("money_text", ~is_number)
    read.put("money_decimals", ~read.matches(_CENTS))
    return values


def _read_id(read: _Read) -> pa.Array:
    read.put("id_exponent", read.matches(r"^[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]+$"))
    read.put("id_form", ~read.matches(_ID))
    return read.words


def _read_str(read: _Read) -> pa.Array:
    return read.words


def _read_enum(read: _Read) -> np.ndarray | pa.Array:
    if not read.column.allowed:
        return read.words
    ways = spellings(read.column)
    place = {code: at for at, code in enumerate(read.column.allowed)}
    # The distinct spellings of a coded column are few.
    known = [ways.get(normal(word or "")) for word in read.words.to_pylist()]
    codes = np.array([-1 if code is None else place[code] for code in known], np.int64)
    read.put("unknown_value", codes < 0)
    return codes


def _read_bool(read: _Read) -> np.ndarray:
    lower = pc.utf8_lower(read.words)
    true = _flags(pc.is_in(lower, pa.array(_TRUE, TEXT)))
    false = _flags(pc.is_in(lower, pa.array(_FALSE, TEXT)))
    read.put("truth", ~(true | false))
    return true


def _parts(read: _Read, pattern: str) -> tuple[np.ndarray, Callable[..., np.ndarray]]:
    """Which words match, and a function giving the first filled of some groups as numbers."""
    found = pc.extract_regex(read.words, pattern)
    hit = _flags(pc.is_valid(found))

    def number(*groups: str) -> np.ndarray:
        total = np.zeros(len(hit), np.int64)
        for group in groups:
            digits = pc.struct_field(found, group)
            filled = pc.if_else(pc.equal(pc.fill_null(digits, ""), ""), "0", digits)
            total += pc.fill_null(filled, "0").cast(pa.int64()).to_numpy(zero_copy_only=False)
        return total

    return hit, number


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days as ``datetime64[us]`` and whether each exists in the calendar."""
    exists = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    first = ((np.where(exists, year, 1970) - 1970) * 12 + np.where(exists, month, 1) - 1).astype(
        "datetime64[M]"
    )
    date = first.astype("datetime64[D]") + np.where(exists, day - 1, 0)
    exists &= date.astype("datetime64[M]") == first
    return date.astype("datetime64[us]"), exists


def _serial_days(read: _Read, hit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Excel's day numbers as times, for the words that are one and match nothing else."""
    if not read.serials:
        return np.zeros(len(hit), "datetime64[us]"), np.zeros(len(hit), bool)
    is_serial = read.matches(_SERIAL) & ~hit
    number = np.nan_to_num(_floats(read, is_serial))
    # A day number carries a time to the second at best; the rest is noise of the fraction.
    seconds = np.round(number * 86_400).astype(np.int64)
    return _EXCEL_EPOCH + (seconds * 1_000_000).astype("timedelta64[us]"), is_serial


def _moments(read: _Read) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Date and time of each word, whether it is written as one, whether it exists."""
    hit, number = _parts(read, _DAY)
    year, month, day = (number(f"{part}1", f"{part}2", f"{part}3") for part in "ymd")
    date, exists = _days(year, month, day)
    hour, minute, second = number("h"), number("i"), number("s")
    exists &= (hour < 24) & (minute < 60) & (second < 60)
    moment = date + ((hour * 60 + minute) * 60 + second) * np.timedelta64(1_000_000, "us")
    serial, is_serial = _serial_days(read, hit)
    return np.where(is_serial, serial, moment), hit | is_serial, exists | is_serial


def _read_date(read: _Read) -> np.ndarray:
    moment, hit, exists = _moments(read)
    read.put("date", ~hit)
    read.put("date_impossible", ~exists)
    read.put("time", moment != moment.astype("datetime64[D]"))
    return moment


def _read_datetime(read: _Read) -> np.ndarray:
    moment, hit, exists = _moments(read)
    read.put("date", ~hit)
    read.put("date_impossible", ~exists)
    return moment


def _read_month(read: _Read) -> np.ndarray:
    hit, number = _parts(read, _MONTH)
    first, exists = _days(
        number("y1", "y2", "y3"), number("m1", "m2", "m3"), np.ones(len(hit), np.int64)
    )
    moment, is_day, day_exists = _moments(read)
    month, ends = _month_of(moment)
    is_day &= ends & day_exists & ~hit
    read.put("month", ~((hit & exists) | is_day))
    return np.where(is_day, month, first)


def _month_of(moment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First day of the month, and whether the moment is that month's first or last day."""
    month = moment.astype("datetime64[M]")
    day = moment.astype("datetime64[D]")
    last = (month + 1).astype("datetime64[D]") - 1
    whole = (day == month.astype("datetime64[D]")) | (day == last)
    return month.astype("datetime64[us]"), whole & (moment == day)


def _read_monthday(read: _Read) -> pa.Array:
    hit, number = _parts(read, _MONTH_DAY)
    month, day = number("m1", "m2", "m3"), number("d1", "d2", "d3")
    # Any leap year serves: 29 February is a birthday.
    _, exists = _days(np.full(len(hit), 2024), month, day)
    full, _ = _parts(read, _DAY)
    read.put("month_day_full", full | (read.matches(_SERIAL) & read.serials))
    read.put("month_day", ~(hit & exists))
    two = [pd.Series(part).astype("str").str.zfill(2) for part in (month, day)]
    return pa.array(two[0] + "-" + two[1], TEXT)


_READERS: dict[str, Callable[[_Read], np.ndarray | pa.Array]] = {
    "str": _read_str, "id": _read_id, "enum": _read_enum, "bool": _read_bool, "int": _read_int,
    "float": _read_float, "money": _read_money, "date": _read_date, "datetime": _read_datetime,
    "month": _read_month, "monthday": _read_monthday,
}  # fmt: skip


def _as_text(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Native values as the text a reader would see; whole floats lose their ``.0``."""
    if pa.types.is_floating(cells.type):
        values = cells.cast(pa.float64())
        return pc.if_else(pc.is_nan(values), pa.scalar(None, TEXT), values.cast(TEXT))
    if pa.types.is_boolean(cells.type) or pa.types.is_decimal(cells.type):
        return cells.cast(pa.string()).cast(TEXT)
    try:
        return cells.cast(TEXT)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        texts = [None if value is None else str(value) for value in cells.to_pylist()]
        return pa.chunked_array([pa.array(texts, TEXT)])


def _native(cells: pa.ChunkedArray, column: Column) -> Typed | None:
    """Typed without a detour over text, where the stored type already fits the declared one."""
    kind, declared = cells.type, column.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    naive = pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None)
    missing = _flags(pc.is_null(cells.combine_chunks(), nan_is_null=pa.types.is_floating(kind)))
    bad = np.zeros(len(cells), np.int8)
    if declared in ("money", "float", "int") and number:
        values = cells.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
        values = np.where(missing, np.nan, values)
        bad[~missing & ~np.isfinite(values)] = _AT["number"]
        values = np.where(bad > 0, np.nan, values)
        if declared == "money":
            cents = np.round(values, 2)
            # Sums of cents in binary carry noise far below a cent; a third decimal is more.
            bad[(bad == 0) & ~missing & (np.abs(values - cents) > _CENT_NOISE)] = _AT[
                "money_decimals"
            ]
            values = cents
        elif declared == "int":
            odd = (values != np.round(values)) | (np.abs(values) >= _LARGEST_WHOLE)
            bad[(bad == 0) & ~missing & odd] = _AT["whole_number"]
        if column.least is not None:
            with np.errstate(invalid="ignore"):
                bad[(bad == 0) & (values < column.least)] = _AT["below_least"]
    elif declared in ("date", "datetime", "month") and naive:
        values = cells.cast(pa.timestamp("us"), safe=False).to_numpy().astype("datetime64[us]")
        if declared == "date":
            whole = values == values.astype("datetime64[D]")
            bad[~missing & ~whole] = _AT["time"]
        elif declared == "month":
            values, whole = _month_of(values)
            bad[~missing & ~whole] = _AT["month"]
    elif declared == "bool" and pa.types.is_boolean(kind):
        values = pc.fill_null(cells, False).to_numpy()
    else:
        return None
    series = _series(values, missing | (bad > 0), column)
    if not column.nullable:
        bad[missing] = _AT["empty"]
    return Typed(series, bad)
