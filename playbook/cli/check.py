"""``playbook check``: is this export usable, and what is wrong with it, row by row?"""

from __future__ import annotations

from pathlib import Path

from playbook.cli import console
from playbook.cli.report import day
from playbook.report import settings
from playbook.tables import TABLES
from playbook.text import count, t

_COUNTS = ("rows_in", "accepted", "rejected", "after_as_of")
#: Kinds of fault told on the console; all of them are in the file.
_KINDS_TOLD = 12
_INDENT = 8


def check(options, lang: str) -> int:
    """Checks all branches, prints the sums, writes the list of faults; returns the exit code."""
    from xlsxwriter.exceptions import FileCreateError

    from playbook.book import check as check_book
    from playbook.book import verdict, write_faults_xlsx

    as_of = day(options.as_of, lang)
    console.complain(t("cli.check.start", lang, data=options.data))
    result = check_book(options.data, as_of=as_of or None)
    if len(result.counts):
        console.say(_sums(result.counts, lang))
        console.say()
    console.say(verdict(result, lang))
    if result.clean and not options.out:
        return settings.OK
    _kinds(result, lang)
    if not len(result.counts):  # nothing was read; the sentences above are all there is to list
        return settings.NOTHING
    try:
        out = write_faults_xlsx(result, Path(options.out or "faults.xlsx"), lang)
    except FileCreateError as error:
        raise error.args[0] from error
    console.say(t("cli.check.list", lang, file=str(out)))
    if not result.usable:
        return settings.NOTHING
    return settings.OK if result.clean else settings.SOME


def _sums(counts, lang: str) -> str:
    sums = counts.groupby("table", sort=False, observed=True)[list(_COUNTS)].sum()
    head = [t("book.head.table", lang), *(t(f"book.head.{name}", lang) for name in _COUNTS)]
    rows = [
        [TABLES[table].label(lang) if table in TABLES else str(table), *map(count, numbers)]
        for table, *numbers in sums.itertuples()
    ]
    return console.table(head, rows, right=(1, 2, 3, 4))


def _kinds(result, lang: str) -> None:
    from playbook.book import kinds

    found = kinds(result, lang)
    gap = "" if lang == "zh" else " "
    for row in found.head(_KINDS_TOLD).itertuples():
        words = f"{_place(row, lang)}{row.problem}{gap}{row.todo}"
        first, *rest = console.wrap(words, console.columns() - _INDENT)
        console.say(f"{count(row.n):>{_INDENT - 2}}  {first}")
        for line in rest:
            console.say(" " * _INDENT + line)
    if len(found) > _KINDS_TOLD:
        console.say(t("cli.check.more", lang, n=len(found) - _KINDS_TOLD))


def _place(row, lang: str) -> str:
    """Where the example of a kind of fault is, as the start of its sentence."""
    # A fault of a whole file names the file in its own sentence.
    from pandas import isna

    if not row.file or isna(row.row):
        return ""
    return t("cli.check.place", lang, file=row.file, row=int(row.row))
