"""The practice forms: what they take, where they keep it, how they print."""

from __future__ import annotations

import datetime as dt
import os

import pytest

from playbook.policy import load
from playbook.show import form_store as store
from playbook.show import forms
from playbook.text import LANGS

POLICY = load("cn6")
RECORD = {
    "client_id": "B01-0007", "contact_on": "2026-10-09", "channel": "phone", "purpose": "service",
    "outcome": "talked", "need": "retire", "minutes": 18, "next_on": "", "note_code": "N05",
}  # fmt: skip
MOCK = {"client_id": "B01-0007", "answered_on": "2026-10-09", "answered_by_client": True,
        **{f"q{n}": "c" for n in range(1, 7)}}  # fmt: skip


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("kind", forms.FORMS)
def test_every_form_prints_blank_and_filled_in_both_languages(kind, lang):
    blank = forms.print_form(kind, None, lang).html
    assert "□" in blank and "forms." not in blank and "name." not in blank
    row = {f.name: list(f.options[:2]) if f.type == "many" else f.options[0] if f.options else "X1"
           for f in forms.FORMS[kind]}  # fmt: skip
    filled = forms.print_form(kind, row, lang).html
    assert filled.count("<tr>") == len(forms.FORMS[kind]) and "□" not in filled


def test_print_escapes_what_was_typed():
    html = forms.print_form("record", {**RECORD, "note_code": "<script>"}, "zh").html
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_no_field_could_hold_a_name():
    types = {field.type for fields in forms.FORMS.values() for field in fields}
    assert types == {"id", "choice", "many", "number", "date", "yes"}


@pytest.mark.parametrize(
    "change",
    [{"client_id": ""}, {"client_id": "张三"}, {"client_id": "13800138000"},
     {"client_id": "11010519491231002X"}, {"client_id": "6222021234567890123"},
     {"channel": "fax"}, {"minutes": -1}, {"minutes": True}, {"minutes": "18"},
     {"contact_on": "2026-02-30"}, {"name": "Li"}],
)  # fmt: skip
def test_a_bad_row_is_told_in_both_languages(change):
    for lang in LANGS:
        assert forms.faults("record", RECORD, lang) == []
        assert len(forms.faults("record", {**RECORD, **change}, lang)) == 1


def test_the_mock_is_for_the_client_alone_and_rises_with_the_answers():
    assert forms.faults("risk_mock", {**MOCK, "answered_by_client": False}, "en")
    levels = [forms.mock_level({**MOCK, **{f"q{n}": code for n in range(1, 7)}}, POLICY)
              for code in "abcde"]  # fmt: skip
    assert levels == [("C1", 6), ("C2", 12), ("C3", 18), ("C4", 24), ("C5", 30)]


def test_saved_rows_come_back_and_corrections_keep_the_entry(tmp_path):
    first = store.save(tmp_path, "record", RECORD)
    second = store.save(tmp_path, "record", {**RECORD, "minutes": 20})
    again = store.save(tmp_path, "record", {**RECORD, "minutes": 75}, corrects=first)
    rows = store.load(tmp_path, "record").set_index("entry")
    assert again == first != second and list(rows.index) == [first, second]
    assert rows["versions"].to_dict() == {first: 2, second: 1}
    assert rows.at[first, "row"]["minutes"] == 75 and rows.at[second, "row"]["minutes"] == 20
    assert len(store.path_of(tmp_path, "record").read_bytes().splitlines()) == 3
    with pytest.raises(KeyError):
        store.save(tmp_path, "record", RECORD, corrects="nobody")


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_line_cut_off_by_a_crash_costs_that_line_alone(tmp_path, cut):
    kept = store.save(tmp_path, "record", RECORD)
    store.save(tmp_path, "record", RECORD)
    path = store.path_of(tmp_path, "record")
    path.write_bytes(path.read_bytes()[:-cut])
    later = store.save(tmp_path, "record", {**RECORD, "minutes": 9})
    rows = store.load(tmp_path, "record")
    # Only the line's end is missing when one byte is: its content still fits its checksum.
    assert [kept, later] == [e for e in rows["entry"] if e in (kept, later)]
    assert len(rows) + store.broken(tmp_path, "record") == 3
    assert store.broken(tmp_path, "record") == (0 if cut == 1 else 1)


def test_a_changed_line_is_not_believed(tmp_path):
    store.save(tmp_path, "record", RECORD)
    path = store.path_of(tmp_path, "record")
    path.write_bytes(path.read_bytes().replace(b"talked", b"refuse"))
    assert store.load(tmp_path, "record").empty and store.broken(tmp_path, "record") == 1


def test_the_form_saves_loads_corrects(tmp_path):
    form = forms.Form("record", tmp_path, POLICY, "en")
    form.save.click()
    assert "Please fill in" in form.message.value and not any(tmp_path.iterdir())
    form._set(RECORD)
    assert form.row() == RECORD
    form.save.click()
    form.fields["minutes"].value = 30
    form.save.click()
    assert "corrected" in form.message.value
    other = forms.Form("record", tmp_path, POLICY, "en")
    other.last.click()
    assert other.row() == {**RECORD, "minutes": 30}
    assert other.fields["contact_on"].value == dt.date(2026, 10, 9)
    other.blank.click()
    assert other.row()["client_id"] == ""
    other.paper.click()
    assert "Maintenance record" in other.shown.value
    assert len(store.load(tmp_path, "record")) == 1


def test_nothing_is_called_saved_that_is_not_on_the_disk(tmp_path, monkeypatch):
    form = forms.Form("risk_mock", tmp_path, POLICY, "zh")
    form._set(MOCK)
    def full(handle):
        raise OSError(28, "no space")
    monkeypatch.setattr(os, "fsync", full)
    form.save.click()
    assert "没有保存成功" in form.message.value
    monkeypatch.undo()
    form.save.click()
    assert "已保存" in form.message.value and "教学演示" in form.message.value
