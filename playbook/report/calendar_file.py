"""One calendar file per adviser: the planned contacts of a month, for any calendar program.

A calendar travels to telephones and other people's servers: it names no client and no amount,
only the shortened pseudonym, the matter and the channel. The workbook has the rest.

The same plan gives the same bytes. An appointment keeps its UID whatever becomes of it, so that a
later file moves it instead of adding a second one.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from playbook.report.files import safe_id, write_atomic
from playbook.show.pages import Page

ZONE = "Asia/Shanghai"
_OFFSET = dt.timedelta(hours=8)
_ROW_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REVISIONS = 1000  # several files of one day stay in order
_START = dt.date(2000, 1, 1)


def calendar(rows: pd.DataFrame, adviser: str, page: Page, alarm: int, revision: int = 0) -> bytes:
    """The calendar of ``adviser`` out of planned ``rows``, as the bytes of an ``.ics`` file.

    ``rows`` need ``row_id``, ``adviser_id``, ``client_id``, ``day``, ``start_at``, ``minutes``,
    ``channel``, ``rule``; a row without ``start_at`` becomes an entry for the whole day. ``alarm``
    minutes before the start the calendar reminds. ``revision`` counts the files made on one day.
    Raises ``ValueError`` for two rows of one id, an id that is none, or a row without a day.
    """
    import icalendar  # only who writes calendars needs it

    mine = rows[rows["adviser_id"].astype("str") == adviser]
    _check(mine)
    stamp = dt.datetime.combine(page.as_of, dt.time(), tzinfo=dt.UTC)
    sequence = (page.as_of - _START).days * _REVISIONS + revision
    file = icalendar.Calendar()
    file.add("prodid", "-//four-step-playbook//calendar//ZH")
    file.add("version", "2.0")
    file.add("calscale", "GREGORIAN")
    file.add("method", "PUBLISH")
    name = page.t("workbook.calendar.name", branch=page.branch, adviser=adviser)
    file.add("x-wr-calname", icalendar.vText(name))  # only texts known as such are escaped
    file.add("x-wr-timezone", ZONE)
    file.add_component(_zone(icalendar))
    ordered = mine.sort_values(["day", "start_at", "row_id"], kind="stable", na_position="last")
    for row in ordered.to_dict("records"):
        file.add_component(_event(icalendar, row, page, stamp, sequence, alarm))
    return file.to_ical(sorted=False)


def write_calendar(
    path: Path, rows: pd.DataFrame, adviser: str, page: Page, alarm: int, revision: int = 0
) -> Path:
    """Writes :func:`calendar` to ``path``, whole or not at all; returns the path."""
    write_atomic(Path(path), calendar(rows, adviser, page, alarm, revision))
    return Path(path)


def write_calendars(
    folder: Path, rows: pd.DataFrame, page: Page, alarm: int, revision: int = 0
) -> list[Path]:
    """One file for each adviser with planned rows: ``calendar_<adviser>.ics`` in ``folder``."""
    advisers = sorted(rows["adviser_id"].dropna().astype("str").unique())
    return [
        write_calendar(
            Path(folder) / f"calendar_{safe_id(adviser)}.ics", rows, adviser, page, alarm, revision
        )
        for adviser in advisers
    ]


def _check(rows: pd.DataFrame) -> None:
    ids = rows["row_id"].astype("str")
    twice = sorted(ids[ids.duplicated()].unique())
    wrong = sorted(row for row in ids.unique() if not _ROW_ID.fullmatch(row))
    undated = sorted(ids[rows["day"].isna().to_numpy()])
    for rows_, words in ((twice, "twice"), (wrong, "not an id"), (undated, "without a day")):
        if rows_:
            raise ValueError(f"rows of the calendar {words}: {', '.join(rows_[:5])}")


def _zone(icalendar):
    """China Standard Time: one offset all year."""
    zone, standard = icalendar.Timezone(), icalendar.TimezoneStandard()
    zone.add("tzid", ZONE)
    standard.add("dtstart", dt.datetime(1970, 1, 1))
    standard.add("tzoffsetfrom", _OFFSET)
    standard.add("tzoffsetto", _OFFSET)
    standard.add("tzname", "CST")
    zone.add_component(standard)
    return zone


def _event(icalendar, row, page: Page, stamp, sequence: int, alarm: int):
    client = page.client(row["client_id"])
    facts = {"client": client, "rule": row["rule"], "channel": row["channel"]}
    event = icalendar.Event()
    event.add("uid", f"{row['row_id']}@playbook")
    event.add("dtstamp", stamp)
    event.add("last-modified", stamp)
    event.add("sequence", sequence)
    event.add("summary", page.t("workbook.calendar.title", **facts))
    event.add("description", page.t("workbook.calendar.text", row_id=row["row_id"], **facts))
    event.add("class", "PRIVATE")
    event.add("categories", [page.name("klass", row["klass"])] if "klass" in row else [])
    if pd.isna(row["start_at"]):
        day = pd.Timestamp(row["day"]).date()
        event.add("dtstart", day)
        event.add("dtend", day + dt.timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        return event
    start = pd.Timestamp(row["start_at"]).to_pydatetime().replace(tzinfo=ZoneInfo(ZONE))
    event.add("dtstart", start)
    event.add("dtend", start + dt.timedelta(minutes=max(int(row["minutes"]), 1)))
    event.add("transp", "OPAQUE")
    bell = icalendar.Alarm()
    bell.add("action", "DISPLAY")
    bell.add("description", page.t("workbook.calendar.title", **facts))
    bell.add("trigger", -dt.timedelta(minutes=alarm))
    event.add_component(bell)
    return event
