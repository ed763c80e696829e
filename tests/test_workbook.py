"""The workbook: typed and safe cells, one bytes for one plan, sheets that add up."""

from __future__ import annotations

import datetime as dt
import re
import zipfile

import openpyxl
import pandas as pd
import pytest

import playbook as pb
from playbook.plan import plan
from playbook.report.excel import Column, Cover, Sheet, sheet_name, write_workbook
from playbook.report.workbook import DONE, OUTCOMES, plan_workbook
from playbook.text import LANGS, t

DAY = dt.date(2026, 9, 30)
RISKY = ["=1+1", "+86", "-2", "@SUM(A1)", "=HYPERLINK(\"http://x\",\"y\")", "\t=1", "https://x.cn",
         "007", "6222021234567890123", "1e5"]  # fmt: skip


def opened(path):
    return openpyxl.load_workbook(path)


def small(**more) -> Sheet:
    frame = pd.DataFrame(
        {
            "id": ["0001", "=2"],
            "on": pd.to_datetime(["2026-10-08", None]),
            "at": pd.to_datetime(["2026-10-08 09:30", None]),
            "money": [1_234_500.0, 0.5],
            "share": [0.25, None],
            "done": ["待办", "待办"],
        }
    )
    columns = (
        Column("id", "编号"), Column("on", "日期", "date"), Column("at", "时间", "time"),
        Column("money", "金额", "wan", total=True), Column("share", "占比", "share"),
        Column("done", "状态", choices=("待办", "已完成"), ask="选一项"),
    )  # fmt: skip
    return Sheet(**{"name": "表", "columns": columns, "frame": frame, "empty": "无"} | more)


@pytest.fixture(scope="module")
def sample():
    book = pb.open_book("sample", branch="B01", as_of="2026-09-30")
    segments = pb.segment(book)
    return book, segments, plan(book, segments)


@pytest.fixture(scope="module")
def made(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("workbook")
    return {lang: plan_workbook(folder / f"{lang}.xlsx", *sample, lang) for lang in LANGS}


def table(path, lang: str, code: str) -> pd.DataFrame:
    """The rows of one sheet, its totals and notes left out."""
    sheet = opened(path)[t(f"workbook.sheet.{code}", lang)]
    last = int(re.search(r"(\d+)$", sheet.auto_filter.ref)[1]) if sheet.auto_filter.ref else 1
    head, *rows = list(sheet.values)[:last]
    return pd.DataFrame(rows, columns=head)


def test_cells_keep_their_types(tmp_path):
    sheet = opened(write_workbook(tmp_path / "a.xlsx", [small()], "zh"))["表"]
    assert [c.value for c in sheet[2]] == ["0001", dt.datetime(2026, 10, 8), dt.time(9, 30), 123.45,
                                           0.25, "待办"]  # fmt: skip
    assert [sheet["B3"].value, sheet["C3"].value, sheet["E3"].value] == [None, None, None]
    assert sheet["D4"].value == pytest.approx(123.45005) and sheet["A4"].value == "合计"
    assert sheet["D2"].number_format == "#,##0.00" and sheet["B2"].number_format == "yyyy-mm-dd"


@pytest.mark.parametrize("text", RISKY)
def test_a_text_is_a_text_whatever_its_first_sign(tmp_path, text):
    frame = pd.DataFrame({"id": [text]})
    path = write_workbook(tmp_path / "a.xlsx", [Sheet(text, (Column("id", text),), frame)], "en")
    sheet = opened(path).worksheets[0]
    assert {c.data_type for c in (sheet["A1"], sheet["A2"])} == {"s"}
    assert sheet["A2"].value.strip() == text.strip() and sheet["A2"].hyperlink is None
    if text[0] in "=+-@\t":
        assert sheet["A2"].style_id and sheet["A2"].quotePrefix
    inside = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode("utf-8")
    assert "<f>" not in inside and "hyperlink" not in inside


def test_strange_signs_and_long_texts_still_give_a_file(tmp_path):
    texts = ["a\x00b\x07", "😀", "\ud800x", "<&>\"'", "字" * 40_000]
    frame = pd.DataFrame({"id": pd.Series(texts, dtype=object)})
    sheet = opened(
        write_workbook(tmp_path / "a.xlsx", [Sheet("s", (Column("id", "i"),), frame)], "en")
    )["s"]
    values = [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert values == ["a b ", "😀", "?x", "<&>\"'", "字" * 32_000]


def test_sheets_print_on_a4_with_their_heads(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", [small()], "zh", head="B01 A&B　2026-10")
    sheet = opened(path)["表"]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    # One page wide is what a sheet that says nothing means.
    assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToHeight == 0
    assert sheet.page_setup.fitToWidth in (None, 1)
    assert sheet.freeze_panes == "A2" and sheet.print_title_rows == "$1:$1"
    assert sheet.auto_filter.ref == "A1:F3"
    assert "A&&B" in sheet.oddHeader.left.text and "&P / &N" in sheet.oddFooter.right.text
    (rule,) = sheet.data_validations.dataValidation
    assert (rule.type, rule.formula1, str(rule.sqref)) == ("list", '"待办,已完成"', "F2:F3")


def test_columns_are_as_wide_as_their_chinese_words(tmp_path):
    frame = pd.DataFrame({"a": ["企业高管客户"], "b": ["abcdef"]})
    made = Sheet("s", (Column("a", "甲"), Column("b", "乙")), frame)
    wide = opened(write_workbook(tmp_path / "a.xlsx", [made], "zh"))["s"].column_dimensions
    assert wide["A"].width > wide["B"].width >= 6


def test_an_empty_sheet_says_so(tmp_path):
    sheet = opened(write_workbook(tmp_path / "a.xlsx", [small(frame=small().frame.head(0))], "zh"))
    assert sheet["表"]["A2"].value == "无" and not sheet["表"].auto_filter.ref


def test_sheet_names_are_made_fit_and_never_double(tmp_path):
    assert sheet_name("a/b:c[d]*?'") == "a b c d" and len(sheet_name("名" * 40)) == 31
    assert sheet_name("'") == "-"
    with pytest.raises(ValueError, match="one name"):
        write_workbook(tmp_path / "a.xlsx", [small(), small()], "zh")


def test_the_same_tables_give_the_same_bytes_and_the_day_is_the_books(tmp_path):
    cover = Cover("封面", "题", "", [("a", "b")])
    one = write_workbook(tmp_path / "a.xlsx", [small()], "zh", cover, as_of=DAY).read_bytes()
    two = write_workbook(tmp_path / "b.xlsx", [small()], "zh", cover, as_of=DAY).read_bytes()
    assert one == two
    assert opened(tmp_path / "a.xlsx").properties.created == dt.datetime(2026, 9, 30)


# --------------------------------------------------------------------------------- the plan's


@pytest.mark.parametrize("lang", LANGS)
def test_the_cover_adds_up_to_all_rows(sample, made, lang):
    made_plan = sample[2]
    cover = opened(made[lang]).worksheets[0]
    lines = list(cover.values)
    head = next(i for i, line in enumerate(lines) if line[0] == t("workbook.sums.outcome", lang))
    *parts, whole = lines[head + 1 : head + 2 + len(OUTCOMES)]
    assert [sum(p[2] for p in parts), sum(p[4] for p in parts)] == [whole[2], whole[4]]
    assert whole[2:5] == (
        len(made_plan.rows), made_plan.rows["client_id"].nunique(), made_plan.rows["minutes"].sum()
    )  # fmt: skip
    said = "\n".join(str(value) for line in lines for value in line if value)
    assert t("workbook.cover.banner", lang) in said and "B01" in said and "2026-10" in said


@pytest.mark.parametrize("lang", LANGS)
def test_every_row_is_on_exactly_one_sheet_and_the_control_group_on_none(sample, made, lang):
    rows = sample[2].rows
    head = t("workbook.column.row_id", lang)
    listed = [table(made[lang], lang, code)[head] for code in ("plan", "not_done", "denied")]
    held = rows.loc[rows["outcome"] == "held_out", "row_id"]
    every = pd.concat(listed)
    assert every.is_unique and set(every) | set(held) == set(rows["row_id"]) and len(held)
    assert set(table(made[lang], lang, "triggers")[head]) == set(
        rows.loc[(rows["source"] == "trigger") & (rows["outcome"] != "held_out"), "row_id"]
    )
    counts = table(made[lang], lang, "held_out")[t("workbook.column.n", lang)]
    assert counts.sum() == len(held)
    with zipfile.ZipFile(made[lang]) as file:
        inside = b"".join(file.read(name) for name in file.namelist()).decode("utf-8")
    assert not any(row_id in inside for row_id in held)


def test_minutes_of_the_load_are_those_of_the_plan(sample, made):
    head = t("workbook.column.minutes", "zh")
    planned, load = table(made["zh"], "zh", "plan")[head], table(made["zh"], "zh", "load")[head]
    assert planned.sum() == load.sum() == sample[2].rows.query("outcome == 'planned'").minutes.sum()


@pytest.mark.parametrize("lang", LANGS)
def test_the_plan_can_be_worked_with(made, lang):
    sheet = opened(made[lang])[t("workbook.sheet.plan", lang)]
    words = ",".join(t(f"workbook.done.{code}", lang) for code in DONE)
    rules = {rule.type: rule for rule in sheet.data_validations.dataValidation}
    assert rules["list"].formula1 == f'"{words}"' and rules["textLength"].formula1 == "12"
    shown = table(made[lang], lang, "plan")
    assert set(shown[t("workbook.column.done", lang)]) == {t("workbook.done.open", lang)}
    assert shown[t("workbook.column.reason", lang)].str.len().min() > 5
    days = shown[t("workbook.column.day", lang)]
    assert days.between(dt.datetime(2026, 10, 1), dt.datetime(2026, 10, 31)).all()
    assert days.is_monotonic_increasing


def test_segment_sheets_hold_the_clients_of_step_1(sample, made):
    clients = sample[1].clients
    mine = clients[clients["in_scope"]]
    shown = table(made["en"], "en", "clients")
    assert len(shown) == len(mine)
    money = t("workbook.unit.wan", "en", head=t("workbook.column.aum_avg", "en"))
    assert shown[money].sum() * 10_000 == pytest.approx(mine["aum_avg"].sum())
    assert len(table(made["en"], "en", "near")) == clients["near_tier"].notna().sum()
    assert len(table(made["en"], "en", "watch")) == (mine["watch_months"] > 0).sum()


def test_one_plan_gives_one_file_and_no_word_is_missing(sample, made, tmp_path):
    again = plan_workbook(tmp_path / "again.xlsx", *sample, "zh")
    assert again.read_bytes() == made["zh"].read_bytes()
    for lang in LANGS:
        for sheet in opened(made[lang]):
            for line in sheet.values:
                for value in line:
                    assert not re.match(r"(workbook|plan|gate|segment|name)\.[a-z_.]+$", str(value))
    english = zipfile.ZipFile(made["en"]).read("xl/sharedStrings.xml").decode("utf-8")
    found = set(re.findall(r"[一-鿿]+", english))
    # Names of the bank's own products and branch are data; everything else is worded.
    data = "".join(map(str, sample[0]["products"]["product_name"])) + "滨江支行"
    assert not {word for word in found if word not in data}
