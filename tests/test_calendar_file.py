"""Calendar files, read by a parser of our own (RFC 5545: unfold, split, unescape)."""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd
import pytest

from playbook.report.calendar_file import calendar, write_calendars
from playbook.show.pages import Page

PAGE = Page(lang="zh", branch="B01", as_of=dt.date(2026, 9, 30), branch_name="滨江支行")


def rows(**changes) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "row_id": ["0a0a", "0b0b", "0c0c"],
            "adviser_id": ["B01-A1", "B01-A1", "B01-A2"],
            "client_id": ["B01-1230007", "B01-1230008", "B01-1230009"],
            "day": pd.to_datetime(["2026-10-08", "2026-10-09", "2026-10-09"]),
            "start_at": pd.to_datetime(["2026-10-08 09:00", None, "2026-10-09 14:30"]),
            "minutes": [18, 2, 75],
            "channel": ["phone", "sms", "visit"],
            "rule": ["maturity_large", "birthday", "visit"],
            "klass": [1, 3, 3],
        }
    )
    return frame.assign(**changes)


def parsed(data: bytes) -> list[dict[str, str]]:
    """Components as dicts of their properties; ``PARTS`` names the component it lies in."""
    text = data.decode("utf-8")
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode("utf-8")) <= 75 for line in text.split("\r\n"))
    found, open_ = [], []
    for line in re.sub(r"\r\n[ \t]", "", text).split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        if name == "BEGIN":
            open_.append({"TYPE": value, "IN": open_[-1]["TYPE"] if open_ else ""})
        elif name == "END":
            assert open_[-1]["TYPE"] == value
            found.append(open_.pop())
        else:
            value = re.sub(r"\\([,;\\nN])", lambda m: "\n" if m[1] in "nN" else m[1], value)
            open_[-1][name] = value
    assert not open_
    return found


def events(data: bytes) -> dict[str, dict[str, str]]:
    return {part["UID"]: part for part in parsed(data) if part["TYPE"] == "VEVENT"}


def test_one_adviser_gets_own_rows_in_china_time():
    made = events(calendar(rows(), "B01-A1", PAGE, 15))
    assert set(made) == {"0a0a@playbook", "0b0b@playbook"}
    call = made["0a0a@playbook"]
    assert call["DTSTART;TZID=Asia/Shanghai"] == "20261008T090000"
    assert call["DTEND;TZID=Asia/Shanghai"] == "20261008T091800"
    assert call["DTSTAMP"] == "20260930T000000Z" and call["CLASS"] == "PRIVATE"
    whole = made["0b0b@playbook"]
    assert (whole["DTSTART;VALUE=DATE"], whole["DTEND;VALUE=DATE"]) == ("20261009", "20261010")
    parts = parsed(calendar(rows(), "B01-A1", PAGE, 15))
    zone = next(part for part in parts if part["TYPE"] == "STANDARD")
    assert (zone["TZOFFSETFROM"], zone["TZOFFSETTO"], zone["IN"]) == ("+0800", "+0800", "VTIMEZONE")
    bells = [part for part in parts if part["TYPE"] == "VALARM"]
    assert [bell["TRIGGER"] for bell in bells] == ["-PT15M"]


def test_no_client_and_no_amount_leaves_the_bank():
    data = calendar(rows(amount=1234567.0), "B01-A1", PAGE, 15).decode("utf-8")
    flat = re.sub(r"\r\n[ \t]", "", data)
    assert "1230007" not in flat and "…0007" in flat
    assert "123.45" not in flat and "1234567" not in flat
    assert events(data.encode())["0a0a@playbook"]["SUMMARY"] == "B01-…0007 · 大额到期"


def test_signs_with_a_meaning_are_escaped():
    odd = "a,b;c\\d\nBEGIN:VEVENT"
    page = Page(lang="en", branch=odd, as_of=PAGE.as_of)
    parts = parsed(calendar(rows(), "B01-A2", page, 15))
    whole = next(part for part in parts if part["TYPE"] == "VCALENDAR")
    assert odd in whole["X-WR-CALNAME"]
    assert sum(part["TYPE"] == "VEVENT" for part in parts) == 1


def test_a_later_file_moves_appointments_instead_of_adding_new_ones():
    before = events(calendar(rows(), "B01-A1", PAGE, 15))
    moved = rows()
    moved.loc[0, "day"] = pd.Timestamp("2026-10-12")
    moved.loc[0, "start_at"] = pd.Timestamp("2026-10-12 10:00")
    after = events(calendar(moved, "B01-A1", PAGE, 15, revision=1))
    assert set(after) == set(before)
    first = "0a0a@playbook"
    assert int(after[first]["SEQUENCE"]) == int(before[first]["SEQUENCE"]) + 1
    assert after[first]["DTSTART;TZID=Asia/Shanghai"] == "20261012T100000"
    tomorrow = Page(lang="zh", branch="B01", as_of=dt.date(2026, 10, 1))
    later = events(calendar(rows(), "B01-A1", tomorrow, 15))
    assert int(later[first]["SEQUENCE"]) > int(after[first]["SEQUENCE"])


def test_same_rows_in_any_order_give_the_same_bytes(tmp_path):
    mixed = rows().sample(frac=1, random_state=3)
    assert calendar(mixed, "B01-A1", PAGE, 15) == calendar(rows(), "B01-A1", PAGE, 15)
    made = write_calendars(tmp_path, mixed, PAGE, 15)
    assert [path.name for path in made] == ["calendar_B01-A1.ics", "calendar_B01-A2.ics"]
    assert made[0].read_bytes() == calendar(rows(), "B01-A1", PAGE, 15)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"row_id": ["0a0a", "0a0a", "x"]}, "twice"), ({"row_id": ["a b", "c", "d"]}, "not an id"),
     ({"day": pd.NaT}, "without a day")],
)  # fmt: skip
def test_rows_that_would_spoil_a_calendar_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        calendar(rows(**change), "B01-A1", PAGE, 15)
