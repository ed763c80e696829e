"""The declarations of the tables, and the data dictionary that is written from them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from playbook.book.dictionary import data_dictionary, filled, schema_json
from playbook.book.headings import lacking_columns, meanings, read_headings
from playbook.book.values import normal
from playbook.policy import forbidden
from playbook.tables import EXTERNAL_FLOWS, INTERNAL_FLOWS, RETURN_FLOWS, TABLES
from playbook.text import LANGS

DATASETS = Path(__file__).resolve().parents[1] / "datasets"
EVERY = [(table, column) for table in TABLES.values() for column in table.columns]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_no_two_headings_of_a_table_can_be_confused(table):
    words = [{normal(w) for w in (c.name, c.zh, c.en)} for c in table.columns]
    twice = [word for word, n in Counter(w for own in words for w in own).items() if n > 1]
    assert not twice
    assert set(meanings(table.name).values()) == set(table.names)


def test_no_two_tables_can_be_confused():
    words = [normal(w) for t in TABLES.values() for w in {t.name, t.zh}]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("lang", [*LANGS, "name"])
def test_every_table_is_read_by_its_headings_in_each_language(lang):
    for table in TABLES.values():
        heads = [c.name if lang == "name" else c.label(lang) for c in table.columns]
        headings = read_headings(heads, table)
        assert list(headings.place) == list(table.names)
        assert not headings.unknown and not headings.refused and not headings.twice


def test_no_declared_column_is_forbidden():
    for _, column in EVERY:
        for word in (column.name, column.zh, column.en):
            assert forbidden(word) is None, word


def test_references_point_to_keys_of_tables_that_come_before():
    order = list(TABLES)
    for table, column in EVERY:
        if column.ref:
            target, key = column.ref.split(".")
            assert TABLES[target].key == (key,)
            assert order.index(target) < order.index(table.name), (table.name, column.name)


def test_only_dates_are_cut_and_blanks_fit_their_columns():
    for table, column in EVERY:
        if column.cut != "keep":
            assert column.type in ("date", "datetime", "month"), column.name
        if column.cut == "blank":
            assert column.nullable
        for name, value in column.blanks:
            other = table[name]
            assert other.nullable if value is None else value in other.allowed


def test_people_are_never_public():
    for table, column in EVERY:
        if column.ref in ("clients.client_id", "advisers.adviser_id"):
            assert column.privacy != "P0", (table.name, column.name)
        if column.type == "money" and "client_id" in table.by_name and column.key is False:
            known = table.name in ("event_attendance",)
            assert known or column.privacy == "P2", (table.name, column.name)


def test_every_flow_is_of_one_sort():
    sorts = [*EXTERNAL_FLOWS, *INTERNAL_FLOWS, *RETURN_FLOWS]
    assert len(set(sorts)) == len(sorts)
    assert set(sorts) == set(TABLES["flows"]["kind"].allowed)


def test_optional_columns_can_be_left_out_of_a_file():
    clients = TABLES["clients"]
    needed = [c.name for c in clients.columns if not c.optional]
    assert lacking_columns(clients, needed, complete=True) == []
    assert lacking_columns(clients, needed[1:], complete=True) == [needed[0]]
    assert lacking_columns(clients, ["client_id"], complete=False) == ["open_date"]


# The dictionary ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
def test_the_dictionary_has_every_column(lang):
    page = data_dictionary(lang)
    for table in TABLES.values():
        section = page.split(f"#### `{table.name}` ")[1].split("\n#### ")[0]
        lines = [line for line in section.splitlines() if line.startswith("| `")]
        assert [line.split("`")[1] for line in lines] == list(table.names)
        assert {line.count(" | ") for line in lines} == {7}


def test_the_shipped_dictionary_is_up_to_date():
    """Run ``python scripts/data_dictionary.py`` after changing a table."""
    page = (DATASETS / "README.md").read_text(encoding="utf-8")
    assert filled(page) == page
    assert (DATASETS / "schema.json").read_text(encoding="utf-8") == schema_json()


def test_the_schema_says_what_the_tables_say():
    said = json.loads(schema_json())
    assert list(said) == list(TABLES)
    for table, column in EVERY:
        own = {c["name"]: c for c in said[table.name]["columns"]}[column.name]
        assert (own["zh"], own["type"], own["key"]) == (column.zh, column.type, column.key)
        assert tuple(own["allowed"]) == column.allowed


def test_a_page_without_markers_is_refused():
    with pytest.raises(ValueError, match="dictionary:zh"):
        filled("# nothing")
