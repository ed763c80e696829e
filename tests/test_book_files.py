"""Opening and checking folders of files: names, formats, encodings, headers, broken files."""

from __future__ import annotations

import codecs
import datetime as dt
import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import load_workbook

from playbook.book import (
    BookError,
    check,
    kinds,
    list_branches,
    open_book,
    opening,
    verdict,
    write_faults_xlsx,
)
from playbook.book.decode import DecodeError, decode
from playbook.book.sources import Named, read_name
from playbook.tables import TABLES
from playbook.text import LANGS

BRANCHES = [{"branch_id": "B01", "branch_name": "滨江支行"},
            {"branch_id": "B02", "branch_name": "湖畔支行"}]  # fmt: skip
ADVISERS = [{"branch_id": f"B0{n}", "adviser_id": f"A{n}", "level": "adviser", "qualified": 1}
            for n in (1, 2)]  # fmt: skip
CLIENTS = [{"branch_id": f"B0{n}", "client_id": f"00{n}", "open_date": "2020-01-01",
            "adviser_id": f"A{n}"} for n in (1, 2)]  # fmt: skip
BALANCES = [{"branch_id": f"B0{n}", "client_id": f"00{n}", "month": m, "product_class": "demand",
             "month_avg": "10.50", "month_end": "11"}
            for n in (1, 2) for m in ("2026-08", "2026-09")]  # fmt: skip
EXPORT = {"branches": BRANCHES, "advisers": ADVISERS, "clients": CLIENTS,
          "balances_monthly": BALANCES}  # fmt: skip
CSV = ("branches", "advisers", "clients", "balances_monthly")


def columns_of(table: str, rows: list[dict]) -> list[str]:
    """Declared columns that a file needs or a row fills."""
    used = {name for row in rows for name in row}
    return [c.name for c in TABLES[table].columns if not c.optional or c.name in used]


def csv_text(table: str, rows: list[dict], *, heads: str = "name", sep: str = ",",
             leave_out: tuple[str, ...] = ()) -> str:  # fmt: skip
    names = [name for name in columns_of(table, rows) if name not in leave_out]
    shown = [getattr(TABLES[table][name], heads) for name in names]
    lines = [sep.join(shown)] + [sep.join(str(row.get(n, "")) for n in names) for row in rows]
    return "\r\n".join(lines) + "\r\n"


def write_csv(folder: Path, table: str, rows: list[dict], *, name: str = "",
              encoding: str = "utf-8-sig", **more) -> Path:  # fmt: skip
    path = folder / (name or f"{table}.csv")
    path.write_bytes(csv_text(table, rows, **more).encode(encoding))
    return path


def write_all(folder: Path, **changed: list[dict]) -> Path:
    for table, rows in (EXPORT | changed).items():
        write_csv(folder, table, rows)
    return folder


def frame_of(table: str, rows: list[dict]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns_of(table, rows))


def faults_of(folder: Path) -> list[tuple]:
    faults = check(folder).faults
    faults = faults[faults["code"] != "rule_skipped"]
    return list(zip(faults["file"], faults["row"].astype(object), faults["column"], faults["code"],
                    faults["severity"], strict=True))  # fmt: skip


def stopped(folder: Path, **options) -> list[str]:
    with pytest.raises(BookError) as error:
        open_book(folder, **({"branch": "B01"} | options))
    for lang in LANGS:
        assert error.value.sentence(lang)
    faults = error.value.faults
    return faults["code"][faults["severity"] == "stop"].tolist()


# Formats and encodings ---------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("heads", ["name", "zh", "en"])
def test_every_encoding_and_every_language_of_headings(tmp_path, encoding, heads):
    for table, rows in EXPORT.items():
        write_csv(tmp_path, table, rows, encoding=encoding, heads=heads)
    assert faults_of(tmp_path) == []
    book = open_book(tmp_path, "B01")
    assert book["branches"]["branch_name"].tolist() == ["滨江支行"]
    assert book["clients"]["client_id"].tolist() == ["001"]


@pytest.mark.parametrize("sep", [",", ";", "\t"])
def test_separators_are_told_apart(tmp_path, sep):
    write_all(tmp_path)
    write_csv(tmp_path, "clients", CLIENTS, sep=sep)
    assert faults_of(tmp_path) == []


def test_headings_may_differ_in_case_width_and_blanks(tmp_path):
    write_all(tmp_path)
    text = csv_text("clients", CLIENTS).replace("client_id", "  Client　ID ").replace(
        "open_date", "ＯＰＥＮ－ＤＡＴＥ"
    )  # fmt: skip
    (tmp_path / "clients.csv").write_text(text, encoding="utf-8")
    assert faults_of(tmp_path) == []


def test_damaged_utf8_is_not_taken_for_another_encoding(tmp_path):
    write_all(tmp_path)
    rows = [BRANCHES[0] | {"region": "华东地区，沿江各网点"}, BRANCHES[1]]
    good = csv_text("branches", rows).replace("，", "、").encode("utf-8")
    at = good.index("华".encode()) + 1
    (tmp_path / "branches.csv").write_bytes(good[:at] + b"\xff" + good[at + 1:])
    assert ("branches.csv", 2, "", "encoding", "stop") in faults_of(tmp_path)


def test_damage_that_would_read_as_chinese_nonsense_is_refused():
    """GB18030 takes these bytes; they are UTF-8 with one byte changed."""
    sound = "滨江支行，湖畔支行，城东支行\n" * 3
    raw = sound.encode()
    changed = [raw[:at] + b"\xb5" + raw[at + 1 :] for at in range(40)]
    readable = [raw for raw in changed if _reads(raw, "gb18030") and not _reads(raw, "utf-8")]
    assert readable
    for raw in readable:
        with pytest.raises(DecodeError, match="encoding"):
            decode(raw)
    assert decode(sound.encode("gb18030")).data.decode() == sound


def _reads(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def sheet(book, name: str, table: str, rows: list[dict], native: dict | None = None) -> None:
    page = book.add_worksheet(name)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    names = columns_of(table, rows)
    page.write_row(0, 0, [TABLES[table][n].zh for n in names])
    for at, row in enumerate(rows, start=1):
        for place, column in enumerate(names):
            value = (native or {}).get(column, {}).get(at, row.get(column, ""))
            if isinstance(value, dt.date):
                page.write_datetime(at, place, value, day)
            elif value != "":
                page.write(at, place, value)


def test_one_workbook_with_a_sheet_per_table(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "导出.xlsx")) as book:
        for table, rows in EXPORT.items():
            native = {
                "open_date": {1: dt.date(2020, 1, 1), 2: 43831},
                "month": {1: 202608, 2: dt.date(2026, 9, 1), 3: "2026/8", 4: 46266},
                "month_avg": {1: 10.5, 2: 0.1 + 0.2},
            }  # fmt: skip
            sheet(book, TABLES[table].zh, table, rows, native)
        book.add_worksheet("说明")
    assert faults_of(tmp_path) == []
    book = open_book(tmp_path, "B01")
    assert book["balances_monthly"]["month_avg"].tolist() == [10.5, 0.3]
    assert book["balances_monthly"]["month"].dt.month.tolist() == [8, 9]
    assert book["clients"]["open_date"].tolist() == [pd.Timestamp("2020-01-01")]


def test_one_workbook_per_table_and_rows_as_excel_numbers_them(tmp_path):
    write_all(tmp_path)
    (tmp_path / "clients.csv").unlink()
    with xlsxwriter.Workbook(str(tmp_path / "客户.xlsx")) as book:
        rows = [CLIENTS[0], {}, CLIENTS[1] | {"client_id": 1.23e17}]
        sheet(book, "Sheet1", "clients", rows)
    found = faults_of(tmp_path)
    assert ("客户.xlsx", 4, "客户号", "id_exponent", "reject") in found
    counts = check(tmp_path).counts.set_index("file")
    assert counts.loc["客户.xlsx", "rows_in"] == 2, "a blank row is no row"


def test_a_parquet_file_keeps_its_own_types(tmp_path):
    write_all(tmp_path)
    (tmp_path / "balances_monthly.csv").unlink()
    frame = frame_of("balances_monthly", BALANCES).assign(
        month=pd.to_datetime(["2026-08-01", "2026-09-01"] * 2), month_avg=[1.25, 2, 3, 4.005],
        month_end=[1, 2, 3, 4],
    )  # fmt: skip
    frame.to_parquet(tmp_path / "balances_monthly.parquet")
    assert faults_of(tmp_path) == [
        ("balances_monthly.parquet", 5, "month_avg", "money_decimals", "reject")
    ]
    assert open_book(tmp_path, "B01")["balances_monthly"]["month_avg"].tolist() == [1.25, 2.0]


@pytest.mark.parametrize("dictionary", [False, True])
def test_a_folder_partitioned_by_branch(tmp_path, dictionary):
    write_all(tmp_path)
    (tmp_path / "balances_monthly.csv").unlink()
    for branch, rows in pd.DataFrame(BALANCES).groupby("branch_id"):
        folder = tmp_path / "balances_monthly" / f"branch_id={branch}"
        folder.mkdir(parents=True)
        part = rows.drop(columns="branch_id").astype({"month_avg": float, "month_end": float})
        if dictionary:
            part = part.astype({"product_class": "category", "client_id": "category"})
        part.to_parquet(folder / "part-0.parquet")
    assert faults_of(tmp_path) == []
    assert open_book(tmp_path, "B02")["balances_monthly"]["branch_id"].tolist() == ["B02", "B02"]


# Only this branch --------------------------------------------------------------------------------


def test_files_of_other_branches_are_not_even_opened(tmp_path):
    write_all(tmp_path)
    for table in ("clients", "balances_monthly"):
        (tmp_path / f"{table}.csv").unlink()
        write_csv(tmp_path, table, [r for r in EXPORT[table] if r["branch_id"] == "B01"],
                  name=f"{table}_b01.csv", leave_out=("branch_id",))  # fmt: skip
        (tmp_path / f"{table}_B02.csv").write_bytes(b"\x00\xff broken")
    book = open_book(tmp_path, "B01")
    assert book.faults["code"].eq("rule_skipped").all()
    assert book["balances_monthly"]["branch_id"].tolist() == ["B01", "B01"]
    assert {code for *_, code, _ in faults_of(tmp_path)} >= {"nul"}


def test_row_groups_of_other_branches_are_not_read(tmp_path):
    write_all(tmp_path)
    (tmp_path / "balances_monthly.csv").unlink()
    path = tmp_path / "balances_monthly.parquet"
    table = pa.Table.from_pandas(
        frame_of("balances_monthly", BALANCES).astype({"month_avg": float, "month_end": float})
    )
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        writer.write_table(table.slice(0, 2))
        writer.write_table(table.slice(2, 2))
    second = pq.ParquetFile(path).metadata.row_group(1)
    data = bytearray(path.read_bytes())
    for at in range(second.num_columns):
        chunk = second.column(at)
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        data[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    path.write_bytes(bytes(data))
    book = open_book(tmp_path, "B01")
    assert len(book["balances_monthly"]) == 2
    counts = book.counts.set_index("table").loc["balances_monthly"]
    assert (counts["rows_in"], counts["other_branch"]) == (4, 2)
    assert stopped(tmp_path, branch="B02") == ["damaged"]


def test_only_the_branch_asked_for_is_in_the_book(tmp_path):
    write_all(tmp_path)
    book = open_book(tmp_path, "B02")
    for name, frame in book.tables.items():
        if "branch_id" in frame and len(frame):
            assert set(frame["branch_id"]) == {"B02"}, name
    assert list(book["balances_monthly"]["product_class"].cat.categories) == list(
        TABLES["balances_monthly"]["product_class"].allowed
    )


def test_without_a_branch_column_the_client_tells_the_branch(tmp_path):
    write_all(tmp_path)
    write_csv(tmp_path, "balances_monthly", BALANCES, leave_out=("branch_id",))
    assert faults_of(tmp_path) == []
    book = open_book(tmp_path, "B02")
    assert book["balances_monthly"]["branch_id"].tolist() == ["B02", "B02"]
    assert book.counts.set_index("table").loc["balances_monthly", "other_branch"] == 2


def test_without_any_sign_of_the_branch_nothing_is_guessed(tmp_path):
    write_all(tmp_path)
    write_csv(tmp_path, "advisers", ADVISERS, leave_out=("branch_id",))
    assert stopped(tmp_path) == ["branch_unclear"]


def test_a_row_of_another_branch_in_a_branch_file_is_refused(tmp_path):
    write_all(tmp_path)
    (tmp_path / "clients.csv").unlink()
    write_csv(tmp_path, "clients", CLIENTS, name="clients_B01.csv")
    assert ("clients_B01.csv", 3, "branch_id", "branch_differs", "reject") in faults_of(tmp_path)


def test_the_only_branch_need_not_be_named(tmp_path):
    write_all(tmp_path)
    with pytest.raises(BookError) as error:
        open_book(tmp_path)
    assert "B01" in error.value.sentence("zh") and "B02" in error.value.sentence("zh")
    assert list_branches(tmp_path) == ["B01", "B02"]
    write_csv(tmp_path, "branches", BRANCHES[:1])
    assert open_book(tmp_path).branch == "B01"
    assert stopped(tmp_path, branch="B09") == ["no_branch"]


def test_a_client_of_two_branches_is_told(tmp_path):
    write_all(tmp_path, clients=[*CLIENTS, CLIENTS[0] | {"branch_id": "B02", "adviser_id": "A2"}])
    assert [f[3:] for f in faults_of(tmp_path)] == [("two_branches", "notice")] * 2


def test_an_adviser_of_another_branch_is_not_found(tmp_path):
    write_all(tmp_path, clients=[CLIENTS[0] | {"adviser_id": "A2"}, CLIENTS[1]])
    expected = [("clients.csv", 2, "adviser_id", "ref_missing", "notice")]
    assert faults_of(tmp_path) == expected
    book = open_book(tmp_path, "B01")
    assert book.faults["code"].value_counts()["ref_missing"] == 1
    assert book["clients"]["adviser_id"].isna().all()


# Files by month ----------------------------------------------------------------------------------


def test_the_newest_month_counts_and_later_months_are_not_read(tmp_path):
    write_all(tmp_path)
    (tmp_path / "clients.csv").unlink()
    old = [CLIENTS[0] | {"gender": "U"}, CLIENTS[1]]
    write_csv(tmp_path, "clients", old, name="clients_202608.csv")
    write_csv(tmp_path, "clients", [CLIENTS[0] | {"gender": "F"}], name="clients_202609.csv")
    (tmp_path / "clients_202610.csv").write_bytes(b"\x00")
    book = open_book(tmp_path, "B01", as_of="2026-09-30")
    assert book["clients"]["gender"].tolist() == ["F"]
    assert book.counts["superseded"].sum() == 1
    assert open_book(tmp_path, "B01", as_of="2026-08-31")["clients"]["gender"].tolist() == ["U"]


NAMES = [
    ("clients", Named("clients")),
    ("客户_B01", Named("clients", "B01")),
    ("clients_202609", Named("clients", None, "202609")),
    ("clients_B01_202609", Named("clients", "B01", "202609")),
    ("clients_310001", Named("clients", "310001")),
    ("clients_NJ_01_202609", Named("clients", "NJ_01", "202609")),
    ("Balances_Monthly_B01", Named("balances_monthly", "B01")),
    ("月度资产", Named("balances_monthly")),
    ("Monthly balances", Named("balances_monthly")),
    ("event_attendance_B01", Named("event_attendance", "B01")),
    ("clients (1)", None),
    ("customers", None),
]


@pytest.mark.parametrize(("stem", "named"), NAMES)
def test_what_a_file_name_says(stem, named):
    assert read_name(stem) == named


@pytest.mark.parametrize("second", ["clients.xlsx", "客户.csv", "clients_B01.csv",
                                    "clients_202609.csv", "clients.parquet"])  # fmt: skip
def test_a_table_given_twice_is_refused(tmp_path, second):
    write_all(tmp_path)
    write_csv(tmp_path, "clients", CLIENTS, name=second)
    if second.endswith("xlsx"):
        with xlsxwriter.Workbook(str(tmp_path / second)) as book:
            sheet(book, "Sheet1", "clients", CLIENTS)
    assert "twice" in stopped(tmp_path)


# Broken files ------------------------------------------------------------------------------------


def break_client_file(folder: Path, data: bytes, name: str = "clients.csv") -> list[tuple]:
    write_all(folder)
    (folder / "clients.csv").unlink()
    (folder / name).write_bytes(data)
    found = [fault for fault in faults_of(folder) if fault[0] == name]
    assert found, "the broken file is named"
    return found


GOOD = csv_text("clients", CLIENTS)
LINE = GOOD.split("\r\n")[1]
WIDE = f"客户清单{',' * GOOD.split(chr(13))[0].count(',')}\r\n"
BROKEN_FILES = [
    (b"", "clients.csv", (None, "empty_file")),
    (b"\r\n\r\n", "clients.csv", (None, "empty_file")),
    (codecs.BOM_UTF8, "clients.csv", (None, "empty_file")),
    (GOOD.split("\r\n")[0].encode(), "clients.csv", (None, "no_rows")),
    (b"a,b\r\n1,2\r\n", "clients.csv", (None, "header_missing")),
    (LINE.encode(), "clients.csv", (None, "header_missing")),
    (f"2026年9月客户清单\r\n\r\n{GOOD}".encode(), "clients.csv", (3, "header_below")),
    ((WIDE + GOOD).encode(), "clients.csv", (2, "header_below")),
    (GOOD.encode() + b"\x00", "clients.csv", (4, "nul")),
    (GOOD.replace("\r\n", "\r\n\xff\xfe\xfa", 1).encode("latin-1"), "clients.csv", (2, "encoding")),
    (GOOD.replace("client_id", '"client_id').encode(), "clients.csv", (None, "header_missing")),
    ((GOOD + '"open').encode(), "clients.csv", (4, "quote_open")),
    ((GOOD + 'B01,"x"y,,\r\n').encode(), "clients.csv", (4, "quote")),
    ((GOOD + "B01,003\r\n").encode(), "clients.csv", (4, "cells")),
    ((GOOD + LINE.replace("001", "003") + ",extra\r\n").encode(), "clients.csv", (4, "cells")),
    (b"PK\x03\x04rest", "clients.csv", (None, "not_csv")),
    (b"<html><table></table></html>", "clients.xls", (None, "not_excel")),
    (b"PK\x03\x04 not a zip at all", "clients.xlsx", (None, "damaged")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 wrapped", "clients.xlsx", (None, "locked")),
    (b"", "clients.xlsx", (None, "empty_file")),
    (b"", "clients.parquet", (None, "empty_file")),
    (b"PAR1 torn", "clients.parquet", (None, "damaged")),
    (b"text", "clients.parquet", (None, "damaged")),
    (GOOD.replace("gender", "client_id").encode(), "clients.csv", (1, "heading_twice")),
    (GOOD.replace("open_date", "opened").encode(), "clients.csv", (None, "column_missing")),
    (GOOD.replace("taboo_note_code", "客户姓名").encode(), "clients.csv", (1, "column_forbidden")),
    (GOOD.replace("taboo_note_code", "可疑交易").encode(), "clients.csv", (1, "column_suspicion")),
]


BROKEN_IDS = [f"{at}-{expected[1]}" for at, (_, _, expected) in enumerate(BROKEN_FILES)]


@pytest.mark.parametrize(("data", "name", "expected"), BROKEN_FILES, ids=BROKEN_IDS)
def test_a_broken_file_is_told_and_never_raises(tmp_path, data, name, expected):
    found = break_client_file(tmp_path, data, name)
    assert expected in [(row if not pd.isna(row) else None, code) for _, row, _, code, _ in found]


def test_a_forbidden_column_stops_the_book_and_its_rule_is_named(tmp_path):
    write_all(tmp_path)
    (tmp_path / "clients.csv").write_text(GOOD.replace("best_time", "手机号"), encoding="utf-8")
    assert "column_forbidden" in stopped(tmp_path)
    faults = check(tmp_path).faults
    assert "PRIV-01" in faults["rule"].tolist()


def test_an_unknown_column_is_left_out_and_told(tmp_path):
    write_all(tmp_path)
    text = GOOD.replace("branch_id", "branch_id,内部标签", 1).replace("B01,", "B01,x,").replace(
        "B02,", "B02,y,"
    )  # fmt: skip
    (tmp_path / "clients.csv").write_text(text, encoding="utf-8")
    assert faults_of(tmp_path) == [("clients.csv", 1, "内部标签", "column_unknown", "notice")]
    assert check(tmp_path).faults["rule"].tolist()[0] == "PRIV-02"


def test_blank_lines_keep_the_numbering_and_quoted_line_breaks_are_one_row(tmp_path):
    rows = [CLIENTS[0], CLIENTS[1]]
    lines = csv_text("clients", rows).split("\r\n")
    commas = "," * lines[0].count(",")
    bad = lines[2].replace("2020-01-01", "someday")
    quoted = lines[1].replace("A1", '"A1"').replace("001", '"001\n"')
    write_all(tmp_path)
    (tmp_path / "clients.csv").write_text(
        "\r\n".join([lines[0], "", quoted, commas, "", bad, "", ""]), encoding="utf-8", newline=""
    )
    found = [fault for fault in faults_of(tmp_path) if fault[3] == "date"]
    assert found == [("clients.csv", 6, "open_date", "date", "reject")]
    counts = check(tmp_path).counts.set_index("table")
    assert counts.loc["clients", ["rows_in", "accepted", "rejected"]].tolist() == [2, 1, 1]


@pytest.mark.parametrize("line", ["", "   ", ",,,,,,,", " , ,\u3000, , , , , "])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_line_of_blanks_is_no_row_whichever_way_it_is_read(tmp_path, line, quote):
    write_all(tmp_path)
    head, first, *rest = csv_text("balances_monthly", BALANCES).splitlines()
    first = f"{quote}{first.split(',')[0]}{quote},{first.partition(',')[2]}"
    bad = rest[0].replace("2026", "20x6")
    path = tmp_path / "balances_monthly.csv"
    path.write_text("\n".join([head, first, line, bad, *rest[1:]]), encoding="utf-8")
    assert [fault[:2] for fault in faults_of(tmp_path)] == [("balances_monthly.csv", 4)]


def test_a_check_tells_why_there_is_no_month_to_close_with(tmp_path):
    write_all(tmp_path)
    (tmp_path / "balances_monthly.csv").write_text("C1,1,2,3\n", encoding="utf-8")
    codes = set(check(tmp_path).faults.query("severity == 'stop'")["code"])
    assert codes == {"header_missing", "no_months"}


def test_quoted_thousands_and_trailing_separators_are_fine(tmp_path):
    write_all(tmp_path, balances_monthly=[BALANCES[0] | {"month_avg": '"1,234.50"'}])
    text = "\r\n".join(
        line + ",," if at else line for at, line in enumerate(GOOD.strip().split("\r\n"))
    )
    (tmp_path / "clients.csv").write_text(text, encoding="utf-8")
    assert faults_of(tmp_path) == []
    assert open_book(tmp_path, "B01")["balances_monthly"]["month_avg"].tolist() == [1234.5]


def test_a_month_that_one_branch_lacks_is_told_of_that_branch(tmp_path):
    write_all(tmp_path, balances_monthly=[BALANCES[0], BALANCES[1], BALANCES[2]])
    gap = check(tmp_path).faults.query("code == 'month_gap'")
    assert gap["detail"].tolist() == ["B02 2026-09 (1)"]
    alone = open_book(tmp_path, "B02", as_of="2026-09-30").faults.query("code == 'month_gap'")
    assert alone["detail"].tolist() == ["2026-09 (1)"]


def test_a_close_before_all_months_opens_no_book(tmp_path):
    write_all(tmp_path)
    assert stopped(tmp_path, branch="B01", as_of="2020-01-31") == ["no_closed_month"]
    early = check(tmp_path, as_of="2020-01-31")
    assert not early.usable and "no_closed_month" in set(early.faults["code"])


def test_an_empty_folder_a_file_and_nothing(tmp_path):
    assert "no_tables" in stopped(tmp_path)
    (tmp_path / "file.csv").write_text("x", encoding="utf-8")
    assert stopped(tmp_path / "file.csv") == ["not_folder"]
    assert stopped(tmp_path / "nowhere") == ["no_folder"]


def test_required_tables_are_missed_and_strange_files_told(tmp_path):
    write_all(tmp_path)
    (tmp_path / "balances_monthly.csv").rename(tmp_path / "balances (1).csv")
    write_csv(tmp_path, "clients", CLIENTS[:1], name="contacts_B77.csv")
    found = {(file, code, severity) for file, _, _, code, severity in faults_of(tmp_path)}
    assert ("balances (1).csv", "unknown_file", "notice") in found
    assert ("contacts_B77.csv", "unknown_branch_file", "notice") in found
    assert ("", "table_missing", "stop") in found
    assert stopped(tmp_path) == ["table_missing"]


def test_everything_wrong_is_told_at_once(tmp_path):
    write_all(
        tmp_path,
        clients=[CLIENTS[0] | {"open_date": "someday"}, CLIENTS[1] | {"gender": "?"}],
        balances_monthly=[*BALANCES[:3], BALANCES[3] | {"month_avg": "12万"}],
    )
    (tmp_path / "flows.csv").write_bytes(b"")
    assert {code for *_, code, _ in faults_of(tmp_path)} == {
        "date", "unknown_value", "money_wan", "empty_file", "ref_rejected",
    }  # fmt: skip


# The result --------------------------------------------------------------------------------------


def test_a_branch_opened_alone_has_the_faults_that_the_check_tells(tmp_path):
    write_all(
        tmp_path,
        clients=[CLIENTS[0] | {"gender": "?"}, CLIENTS[1] | {"age": "-1"}],
        balances_monthly=[*BALANCES[:3], BALANCES[3] | {"month_avg": "1.234"}],
    )
    together = check(tmp_path).faults
    alone = pd.concat([open_book(tmp_path, branch).faults for branch in ("B01", "B02")])
    keys = ["file", "row", "column", "code", "severity", "value"]
    both = [frame[frame["code"] != "rule_skipped"][keys].sort_values(keys, ignore_index=True)
            for frame in (together, alone)]  # fmt: skip
    pd.testing.assert_frame_equal(*both)


def test_reading_in_groups_of_branches_tells_the_same(tmp_path, monkeypatch):
    """Parquet by branch, with rows of no branch, of an unknown one, and shared faulty tables."""
    branches = [f"B{n:02d}" for n in range(1, 8)]
    write_all(
        tmp_path,
        branches=[{"branch_id": b, "branch_name": b, "preset": "?"} for b in branches],
        advisers=[{"branch_id": b, "adviser_id": f"A{b}", "level": "adviser", "qualified": 1}
                  for b in branches],
        clients=[{"branch_id": b, "client_id": c, "open_date": "2020-01-01", "adviser_id": a}
                 for b, c, a in [("B01", "C1", "AB01"), ("B04", "C4", "AB01"), ("B07", "C1", ""),
                                 ("B99", "C9", ""), ("", "C8", "")]],
        products=[{"product_id": "P1", "product_name": "x", "product_class": "?"}],
    )  # fmt: skip
    (tmp_path / "balances_monthly.csv").unlink()
    rows = [{"branch_id": b, "client_id": c, "month": m, "product_class": "demand",
             "month_avg": 1.0, "month_end": e}
            for b, c, m, e in [("B01", "C1", "2026-07", 1.0), ("B04", "C4", "2026-08", -1.0),
                               ("B07", "C1", "2026-09", 1.234), ("B88", "C1", "2026-09", 1.0)]]
    frame_of("balances_monthly", rows).to_parquet(
        tmp_path / "balances_monthly.parquet", row_group_size=1
    )  # fmt: skip
    whole = check(tmp_path)
    assert {"two_branches", "ref_missing", "empty", "preset_unknown"} <= set(whole.faults["code"])
    groups = importlib.import_module("playbook.book.check")
    monkeypatch.setattr(groups, "MOST_AT_ONCE", 1)
    assert len(groups.groups(branches, groups.n_separable(
        opening.sources_of(tmp_path)[0]), 1)) == 4  # fmt: skip
    grouped = check(tmp_path)
    assert grouped.as_of == whole.as_of == dt.date(2026, 9, 30)
    pd.testing.assert_frame_equal(
        *(r.faults.query("code not in ('month_gap', 'rule_skipped')").reset_index(drop=True)
          for r in (whole, grouped))
    )  # fmt: skip
    pd.testing.assert_frame_equal(whole.counts, grouped.counts, check_dtype=False)


def test_orphans_without_any_branch_are_told_in_groups_too(tmp_path, monkeypatch):
    write_all(tmp_path)
    (tmp_path / "clients.csv").unlink()
    frame_of("clients", CLIENTS).to_parquet(tmp_path / "clients.parquet", row_group_size=1)
    rows = [BALANCES[0], BALANCES[3] | {"client_id": "009"}]
    write_csv(tmp_path, "balances_monthly", rows, leave_out=("branch_id",))
    monkeypatch.setattr(importlib.import_module("playbook.book.check"), "MOST_AT_ONCE", 1)
    assert faults_of(tmp_path) == [
        ("balances_monthly.csv", 3, "client_id", "ref_missing", "reject")
    ]


def test_made_up_data_say_so(tmp_path):
    write_all(tmp_path)
    assert not open_book(tmp_path, "B01").synthetic
    (tmp_path / "SYNTHETIC").touch()
    assert open_book(tmp_path, "B01").synthetic


@pytest.mark.parametrize("lang", LANGS)
def test_the_workbook_lists_every_fault_and_nothing_runs_in_it(tmp_path, lang):
    write_all(tmp_path, products=[
        {"product_id": "P1", "product_name": "x", "product_class": '=HYPERLINK("http://x")'},
        {"product_id": "P2", "product_name": "x", "product_class": "+1"},
    ])  # fmt: skip
    result = check(tmp_path)
    path = write_faults_xlsx(result, tmp_path / "faults.xlsx", lang)
    book = load_workbook(str(path))
    assert len(book.sheet_names) == 3
    listed = book.get_sheet_by_index(1).to_python()
    assert len(listed) == len(result.faults) + 1
    assert any('=HYPERLINK("http://x")' in map(str, line) for line in listed)
    assert len(kinds(result, lang)) == len(result.summary())
    assert verdict(result, lang) in [cell for line in book.get_sheet_by_index(0).to_python()
                                     for cell in line]  # fmt: skip
    counted = book.get_sheet_by_index(2).to_python()
    assert len(counted) == len(result.counts) + 1


def test_a_summary_counts_every_fault_and_shows_the_first(tmp_path):
    rows = [BALANCES[0] | {"client_id": f"{n:03d}", "month_avg": "12万"} for n in range(300)]
    write_all(tmp_path, balances_monthly=rows)
    stop, first = check(tmp_path).summary().head(2).to_dict("records")
    assert stop["code"] == "no_closed_month"  # no row of the balances is left
    assert (first["code"], first["n"], first["row"]) == ("money_wan", 300, 2)


def test_verdicts_of_clean_and_unusable_exports(tmp_path):
    write_all(tmp_path)
    assert check(tmp_path).clean and check(tmp_path).usable
    (tmp_path / "clients.csv").unlink()
    assert not check(tmp_path).usable
    assert verdict(check(tmp_path), "en") != verdict(check(tmp_path / "nowhere"), "zh")


def test_no_fault_shows_a_personal_value(tmp_path):
    secrets = ["13912345678x", "张某某", "1975-09-30", "987654.321"]
    write_all(
        tmp_path,
        clients=[CLIENTS[0] | {"client_id": secrets[0] + "+", "birth_month_day": secrets[2]},
                 CLIENTS[1] | {"occupation": secrets[1]}],
        balances_monthly=[BALANCES[2] | {"month_avg": secrets[3]}],
    )  # fmt: skip
    result = check(tmp_path)
    assert len(result.faults) >= 4
    said = result.faults.to_csv() + repr(result) + kinds(result, "zh").to_csv()
    for secret in secrets:
        assert secret not in said


@settings(max_examples=30, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.lists(st.tuples(st.sampled_from(["B01", "B02", "B9", ""]),
                          st.sampled_from(["001", "002", "", "1.2E+10"]),
                          st.sampled_from(["2026-08", "2026-09", "2026-10", "x"]),
                          st.sampled_from(["1", "1.234", '"1,000"', '"1', "", "-1"])),
                max_size=8), st.sampled_from(["", "\r\n"]))  # fmt: skip
def test_rows_of_a_file_always_reconcile(tmp_path, cells, gap):
    lines = ["branch_id,client_id,month,product_class,month_avg,month_end"]
    lines += [f"{b},{c},{m},demand,{v},1" for b, c, m, v in cells]
    write_all(tmp_path)
    path = tmp_path / "balances_monthly.csv"
    path.write_text(f"\r\n{gap}".join(lines) + "\r\n", encoding="utf-8", newline="")
    together = check(tmp_path, as_of="2026-09-30")
    for counts in (together.counts, *(_counts(tmp_path, b) for b in ("B01", "B02"))):
        if counts is None:
            continue
        parts = counts[["accepted", "rejected", "after_as_of", "other_branch", "superseded"]]
        assert (counts["rows_in"] == parts.sum(axis=1)).all()
        assert (counts["noticed"] <= counts["accepted"]).all()


def _counts(folder: Path, branch: str) -> pd.DataFrame | None:
    try:
        return open_book(folder, branch, as_of="2026-09-30").counts
    except BookError as error:
        assert set(error.faults["code"]) <= {
            "quote_open", "no_rows", "quote", "rule_skipped", "no_closed_month",
        }  # fmt: skip
        return None


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.binary(max_size=200), st.sampled_from(["clients.csv", "clients.xlsx", "clients.parquet"]),
       st.booleans())  # fmt: skip
def test_any_bytes_are_told_and_never_raise(tmp_path, junk, name, after_header):
    for path in tmp_path.iterdir():
        path.unlink()
    write_all(tmp_path)
    (tmp_path / "clients.csv").unlink()
    head = GOOD.split("\r\n")[0].encode() + b"\r\n" if after_header else b""
    (tmp_path / name).write_bytes(head + junk)
    result = check(tmp_path)
    assert set(result.faults["severity"]) <= {"stop", "reject", "notice"}
    for lang in LANGS:
        assert verdict(result, lang)


def test_speed_of_reading_does_not_depend_on_the_number_of_faults(tmp_path):
    """Every cell of 20,000 rows wrong: told in full, in seconds rather than minutes."""
    n = 20_000
    frame = pd.DataFrame({
        "branch_id": "B01", "client_id": np.arange(n).astype(str), "month": "soon",
        "product_class": "x", "month_avg": "12万", "month_end": "1.234",
    })  # fmt: skip
    write_all(tmp_path)
    frame.to_csv(tmp_path / "balances_monthly.csv", index=False)
    result = check(tmp_path, as_of="2026-09-30")
    assert (result.faults["table"] == "balances_monthly").sum() >= 4 * n
    assert result.counts.set_index("table").loc["balances_monthly", "rejected"] == n
