"""Typing of single cells: what is accepted, what is refused, and that nothing is guessed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbook.book.mask import mask
from playbook.book.values import CELL_CODES, convert, spellings
from playbook.tables import TABLES, Column
from playbook.text import t

NA = None


def column(kind: str, **more) -> Column:
    return Column("x", "某列", "Some column", kind, nullable=True, **more)


def read(kind: str, cell, *, serials: bool = False, **more):
    """The value of one cell (None when missing) and its fault code."""
    typed = convert(pa.chunked_array([pa.array([cell])]), column(kind, **more), serials=serials)
    value = typed.values.iloc[0]
    return (None if pd.isna(value) else value), CELL_CODES[typed.bad[0]]


ACCEPTED = [
    ("date", "2026-09-30", pd.Timestamp("2026-09-30")),
    ("date", "2026/9/3", pd.Timestamp("2026-09-03")),
    ("date", "2026.9.3", pd.Timestamp("2026-09-03")),
    ("date", "20260930", pd.Timestamp("2026-09-30")),
    ("date", "2026年9月30日", pd.Timestamp("2026-09-30")),
    ("date", " 2026-09-30 00:00:00 ", pd.Timestamp("2026-09-30")),
    ("date", "9999-12-31", pd.Timestamp("9999-12-31")),
    ("date", "２０２６-09-30", pd.Timestamp("2026-09-30")),
    ("datetime", "2026-09-30 14:05", pd.Timestamp("2026-09-30 14:05")),
    ("datetime", "2026/9/30 9:05:07", pd.Timestamp("2026-09-30 09:05:07")),
    ("datetime", "2026-09-30T14:05:00", pd.Timestamp("2026-09-30 14:05")),
    ("datetime", "2026-09-30", pd.Timestamp("2026-09-30")),
    ("month", "2026-09", pd.Timestamp("2026-09-01")),
    ("month", "202609", pd.Timestamp("2026-09-01")),
    ("month", "2026/9", pd.Timestamp("2026-09-01")),
    ("month", "2026年9月", pd.Timestamp("2026-09-01")),
    ("month", "2026-09-01", pd.Timestamp("2026-09-01")),
    ("month", "2026-09-30", pd.Timestamp("2026-09-01")),
    ("monthday", "09-30", "09-30"),
    ("monthday", "9/3", "09-03"),
    ("monthday", "0229", "02-29"),
    ("monthday", "9月30日", "09-30"),
    ("money", "1,234,567.80", 1234567.8),
    ("money", " 12 ", 12.0),
    ("money", "１２３．４５", 123.45),
    ("money", "12.5000", 12.5),
    ("money", "-3.10", -3.1),
    ("money", ".5", 0.5),
    ("float", "1e-3", 0.001),
    ("int", "12", 12),
    ("int", "12.0", 12),
    ("int", "1,200", 1200),
    ("bool", "1", True),
    ("bool", "否", False),
    ("bool", "Y", True),
    ("bool", "FALSE", False),
    ("id", "0012", "0012"),
    ("id", "\tA-1_b ", "A-1_b"),
    ("str", "自由Ａ文本", "自由Ａ文本"),
]


@pytest.mark.parametrize(("kind", "cell", "value"), ACCEPTED)
def test_spellings_that_are_accepted(kind, cell, value):
    assert read(kind, cell) == (value, "")


REFUSED = [
    ("date", "30/9/2026", "date"),
    ("date", "26-9-30", "date"),
    ("date", "46295", "date"),
    ("date", "2026-02-30", "date_impossible"),
    ("date", "2026-13-01", "date_impossible"),
    ("date", "2026-09-30 12:00", "time"),
    ("date", "2026-09-30T00:00:00+08:00", "date"),
    ("datetime", "2026-09-30 25:00", "date_impossible"),
    ("month", "2026-13", "month"),
    ("month", "2026-09-15", "month"),
    ("month", "九月", "month"),
    ("monthday", "02-30", "month_day"),
    ("monthday", "1975-09-30", "month_day_full"),
    ("money", "12万", "money_wan"),
    ("money", "1.2亿元", "money_wan"),
    ("money", "1.234", "money_decimals"),
    ("money", "1.2E+07", "money_exponent"),
    ("money", "￥12", "money_text"),
    ("money", "12元", "money_text"),
    ("money", "(12.00)", "money_text"),
    ("money", "1,23", "money_text"),
    ("money", "-", "money_text"),
    ("money", "无", "money_text"),
    ("money", "#REF!", "excel_error"),
    ("float", "85%", "percent"),
    ("float", "nan", "number"),
    ("float", "1e999", "number"),
    ("int", "1.5", "whole_number"),
    ("int", "many", "number"),
    ("bool", "也许", "truth"),
    ("id", "1.23E+17", "id_exponent"),
    ("id", "张三", "id_form"),
    ("id", "A" * 33, "id_form"),
    ("str", "#N/A", "excel_error"),
]


@pytest.mark.parametrize(("kind", "cell", "code"), REFUSED)
def test_spellings_that_are_refused(kind, cell, code):
    assert read(kind, cell) == (NA, code)


@pytest.mark.parametrize("kind", ["str", "id", "bool", "int", "money", "date", "month"])
@pytest.mark.parametrize("cell", ["", "   ", "\\N", "NULL", "null", None])
def test_no_value_is_no_fault_where_it_may_be_missing(kind, cell):
    cells = pa.chunked_array([pa.array([cell], pa.string())])
    typed = convert(cells, column(kind))
    assert typed.values.isna().all()
    assert typed.bad.tolist() == [0]


def test_no_value_is_a_fault_where_it_is_needed():
    needed = Column("x", "某列", "Some column", "money")
    typed = convert(pa.chunked_array([pa.array(["", "1"])]), needed)
    assert [CELL_CODES[code] for code in typed.bad] == ["empty", ""]


def test_least_is_kept():
    assert read("money", "-0.01", least=0) == (NA, "below_least")
    assert read("money", "0", least=0) == (0.0, "")
    assert read("int", "0", least=1) == (NA, "below_least")


def test_excel_day_numbers_count_in_sheets_only():
    assert read("date", "46295", serials=True) == (pd.Timestamp("2026-09-30"), "")
    assert read("datetime", "46295.5", serials=True) == (pd.Timestamp("2026-09-30 12:00"), "")
    assert read("month", "46295", serials=True) == (pd.Timestamp("2026-09-01"), "")
    assert read("date", "46295.5", serials=True) == (NA, "time")


NATIVE = [
    ("money", Decimal("12.30"), 12.3, ""),
    ("money", 0.1 + 0.2, 0.3, ""),
    ("money", 12, 12.0, ""),
    ("money", 12.345, NA, "money_decimals"),
    ("money", float("nan"), NA, ""),
    ("money", float("inf"), NA, "number"),
    ("int", 3.0, 3, ""),
    ("int", 3.5, NA, "whole_number"),
    ("id", 123, "123", ""),
    ("id", 123.0, "123", ""),
    ("id", 1.23e17, NA, "id_exponent"),
    ("bool", 1, True, ""),
    ("bool", 2, NA, "truth"),
    ("month", 202609, pd.Timestamp("2026-09-01"), ""),
    ("month", dt.date(2026, 9, 30), pd.Timestamp("2026-09-01"), ""),
    ("month", dt.date(2026, 9, 15), NA, "month"),
    ("date", dt.date(2026, 9, 30), pd.Timestamp("2026-09-30"), ""),
    ("date", dt.datetime(2026, 9, 30, 12), NA, "time"),
    ("date", 20260930, pd.Timestamp("2026-09-30"), ""),
    ("datetime", dt.datetime(2026, 9, 30, 12), pd.Timestamp("2026-09-30 12:00"), ""),
]


@pytest.mark.parametrize(("kind", "cell", "value", "code"), NATIVE)
def test_native_values_mean_what_their_text_means(kind, cell, value, code):
    assert read(kind, cell) == (value, code)


def test_coded_values_by_code_or_by_either_name():
    kind = TABLES["clients"]["occupation"]
    ways = spellings(kind)
    chinese = t("name.occupation.owner", "zh")
    assert ways[chinese] == ways["owner"] == "owner"
    cells = pa.chunked_array([pa.array(["Owner", f" {chinese} ", "RETIRED", "astronaut"])])
    typed = convert(cells, kind)
    assert typed.values.tolist()[:3] == ["owner", "owner", "retired"]
    assert CELL_CODES[typed.bad[3]] == "unknown_value"
    assert list(typed.values.cat.categories) == list(kind.allowed)


def test_every_table_types_an_empty_column_to_its_dtype():
    expected = {
        "str": "str", "id": "str", "monthday": "str", "bool": "boolean", "int": "Int64",
        "float": "float64", "money": "float64", "date": "datetime64[us]",
        "datetime": "datetime64[us]", "month": "datetime64[us]", "enum": "category",
    }  # fmt: skip
    none = pa.chunked_array([pa.array([], pa.string())])
    for table in TABLES.values():
        for declared in table.columns:
            values = convert(none, declared).values
            assert str(values.dtype) == expected[declared.type], (table.name, declared.name)


@given(st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=30))
def test_money_is_exact_to_the_cent(cents):
    texts = [f"{'-' if c < 0 else ''}{abs(c) // 100:,}.{abs(c) % 100:02d}" for c in cents]
    typed = convert(pa.chunked_array([pa.array(texts)]), column("money"))
    assert not typed.bad.any()
    assert np.round(typed.values.to_numpy() * 100).astype(np.int64).tolist() == cents


@given(st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)), st.sampled_from("abcd"))
def test_every_day_is_read_in_every_spelling(day, way):
    text = {
        "a": day.isoformat(),
        "b": f"{day.year}/{day.month}/{day.day}",
        "c": f"{day:%Y%m%d}",
        "d": f"{day.year}年{day.month}月{day.day}日",
    }[way]
    assert read("date", text) == (pd.Timestamp(day), "")


KINDS = ["str", "id", "bool", "int", "float", "money", "date", "datetime", "month", "monthday"]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=20), st.sampled_from(KINDS))
def test_any_text_is_either_typed_or_faulty_never_both(texts, kind):
    typed = convert(pa.chunked_array([pa.array(texts, pa.string())]), column(kind))
    assert len(typed.values) == len(texts)
    assert typed.values[typed.bad > 0].isna().all()


def test_masks_show_the_kind_of_value_only():
    clients, balances = TABLES["clients"], TABLES["balances_monthly"]
    assert mask("C0012345", clients["client_id"]) == "C0******"
    assert mask("12万", balances["month_avg"]) == "**万"
    assert mask("1975-09-30", clients["birth_month_day"]) == "****-**-**"
    assert mask("企业老板", clients["occupation"]) == "企***"
    assert mask("R9", TABLES["products"]["risk_level"]) == "R9"
    assert mask("secret", None) == "s*****"


@pytest.mark.parametrize(
    ("slipped", "shown"),
    [
        ("13812345678", "13********"),
        ("138 1234-5678", "13********"),
        ("11010519491231002X", "11********"),
        ("2026-13", "2026-13"),
        ("20261345", "20261345"),
        ("2026-09-31 14:05:00", "2026-09-31 14:05:00"),
    ],
)
def test_a_long_number_in_the_wrong_column_is_masked_there_too(slipped, shown):
    assert mask(slipped, TABLES["balances_monthly"]["month"]) == shown
