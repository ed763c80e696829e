"""The plan workbook of a branch: what to do, what was left out and why, and who the clients are.

Every intended row is on exactly one of four sheets (planned, not placed, stopped by the gate,
control group); the cover adds them up. The control group is counted and never listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from playbook.policy import law
from playbook.report.excel import Column, Cover, Sheet, sheet_name, write_workbook
from playbook.show.cards import reason as label_reason
from playbook.show.pages import Page
from playbook.show.pages import page as page_of
from playbook.show.plan_card import gate_reason, row_reason

__all__ = ["Column", "Cover", "Sheet", "plan_sheets", "plan_workbook", "sheet_name",
           "write_workbook"]  # fmt: skip

DONE = ("open", "done", "moved", "missed")
OUTCOMES = ("planned", "not_done", "denied", "held_out")
_LONGEST_NOTE = 12
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("day", "due_on", "event_on", "week"), "date"),
    **dict.fromkeys(("amount", "aum_avg", "aum_end", "gap_amount", "floor_gap"), "wan"),
    **dict.fromkeys(("minutes", "days_overdue", "n", "rows", "visits", "capacity", "days",
                     "watch_months", "months_left"), "n"),
    **dict.fromkeys(("reason", "gate_reason", "tier_reason", "status_reason", "instrument"),
                    "words"),
    "start_at": "time",
    "load": "share",
}  # fmt: skip
_NAMED = ("tier", "near_tier", "persona", "status", "familiarity", "rule", "channel", "klass",
          "source")  # fmt: skip


def plan_workbook(path: Path, book, segments, plan, lang: str) -> Path:
    """Writes the workbook of ``plan`` to ``path``, whole or not at all; returns the path.

    ``book``, ``segments`` and ``plan`` of one branch and day; ``lang`` ``zh`` or ``en``. The same
    plan gives the same bytes.
    """
    page = page_of(book, segments, lang)
    sheets = plan_sheets(segments, plan, page)
    head = page.t("workbook.head", branch=_branch(page), month=plan.month)
    cover = _cover(book, plan, sheets, page)
    return write_workbook(path, sheets, lang, cover=cover, head=head, as_of=book.as_of)


def plan_sheets(segments, plan, page: Page) -> list[Sheet]:
    """All sheets but the cover, in order."""
    rows = _worded(segments, plan, page)
    part = {code: rows[rows["outcome"] == code] for code in OUTCOMES}
    return [
        _planned(part["planned"], page),
        _not_done(part["not_done"], page),
        _denied(part["denied"], page),
        _held_out(part["held_out"], page),
        _load(plan, page),
        _triggers(rows, page),
        *_segments(segments, page),
    ]


def _worded(segments, plan, page: Page) -> pd.DataFrame:
    """The plan's rows with their words: masked client, names of codes, reasons as sentences."""
    persona = segments.clients.set_index("client_id")["persona"].astype("str")
    rows = plan.rows.reset_index(drop=True)
    rows = rows.assign(persona=rows["client_id"].map(persona))
    records = rows.to_dict("records")
    said = rows.assign(
        client=_clients(rows["client_id"], page),
        reason=_texts([row_reason(row, page) for row in records]),
        gate_reason=_texts(
            [gate_reason(r, page) if r["outcome"] == "denied" else "" for r in records]
        ),
    )
    return _named(said, page)


def _named(frame: pd.DataFrame, page: Page) -> pd.DataFrame:
    made = {
        f"{name}_name": _texts(page.named(name, frame[name].tolist()))
        for name in _NAMED if name in frame
    }  # fmt: skip
    return frame.assign(**{k: v.set_axis(frame.index) for k, v in made.items()})


def _texts(values: Sequence[str]) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def _clients(ids: pd.Series, page: Page) -> pd.Series:
    return ids.map({i: page.client(i) for i in ids.unique()}).astype("str")


def _columns(page: Page, frame: pd.DataFrame, names: Sequence[str], **more) -> tuple[Column, ...]:
    """Columns by name; a coded one shows its words, money its unit. ``more``: extra settings."""

    def one(name: str) -> Column:
        kind = _KINDS.get(name, "text")
        head = page.t(f"workbook.column.{name}")
        head = page.t("workbook.unit.wan", head=head) if kind == "wan" else head
        shown = f"{name}_name" if f"{name}_name" in frame else name
        return Column(shown, head, kind, **more.get(name, {}))

    more.setdefault("row_id", {"on_screen": True})
    return tuple(one(name) for name in names)


_TOTAL = {"total": True}


def _sheet(page: Page, code: str, frame: pd.DataFrame, names: Sequence[str], note: str = "",
           marks: Mapping[str, str] | None = None, **more) -> Sheet:  # fmt: skip
    return Sheet(
        page.t(f"workbook.sheet.{code}"), _columns(page, frame, names, **more), frame,
        page.t("workbook.empty"), note, marks or {},
    )  # fmt: skip


def _planned(rows: pd.DataFrame, page: Page) -> Sheet:
    words = [page.t(f"workbook.done.{code}") for code in DONE]
    frame = rows.sort_values(["day", "adviser_id", "start_at", "row_id"], kind="stable").assign(
        done=words[0], note_code=pd.NA
    )
    ask = page.t("workbook.ask.note_code")
    return _sheet(
        page, "plan", frame,
        ("day", "start_at", "adviser_id", "client", "tier", "persona", "status", "rule", "reason",
         "channel", "minutes", "amount", "done", "note_code", "row_id"),
        marks={words[1]: "grey", words[2]: "amber", words[3]: "amber"},
        minutes=_TOTAL, done={"choices": tuple(words)},
        note_code={"ask": ask, "longest": _LONGEST_NOTE},
    )  # fmt: skip


def _not_done(rows: pd.DataFrame, page: Page) -> Sheet:
    said = [page.t(f"plan.not_done.{code}") for code in rows["why"]]
    frame = rows.assign(why=_texts(said).set_axis(rows.index))
    frame = frame.sort_values(
        ["klass", "value", "row_id"], ascending=[True, False, True], kind="stable"
    )
    return _sheet(
        page, "not_done", frame,
        ("klass", "adviser_id", "client", "tier", "persona", "status", "rule", "reason", "why",
         "channel", "minutes", "amount", "due_on", "days_overdue", "row_id"),
        minutes=_TOTAL,
    )  # fmt: skip


def _denied(rows: pd.DataFrame, page: Page) -> Sheet:
    known = law.instruments()
    titles = [
        f"{ref} {known[ref].title(page.lang)}" if ref in known else str(ref)
        for ref in rows["gate_instrument"]
    ]
    frame = rows.assign(instrument=_texts(titles).set_axis(rows.index))
    frame = frame.sort_values(["gate_rule", "klass", "row_id"], kind="stable")
    return _sheet(
        page, "denied", frame,
        ("gate_rule", "gate_reason", "instrument", "adviser_id", "client", "tier", "rule",
         "reason", "channel", "minutes", "due_on", "row_id"),
        minutes=_TOTAL,
    )  # fmt: skip


def _held_out(rows: pd.DataFrame, page: Page) -> Sheet:
    counts = rows.groupby(["klass", "source"], as_index=False, observed=True).agg(
        n=("row_id", "size"), minutes=("minutes", "sum")
    )
    return _sheet(
        page, "held_out", _named(counts, page), ("klass", "source", "n", "minutes"),
        note=page.t("workbook.held_out.note"), n=_TOTAL, minutes=_TOTAL,
    )  # fmt: skip


def _load(plan, page: Page) -> Sheet:
    return _sheet(
        page, "load", plan.load.sort_values(["adviser_id", "week"], kind="stable"),
        ("adviser_id", "week", "days", "rows", "visits", "minutes", "capacity", "load"),
        rows=_TOTAL, visits=_TOTAL, minutes=_TOTAL, capacity=_TOTAL,
    )  # fmt: skip


def _triggers(rows: pd.DataFrame, page: Page) -> Sheet:
    mine = rows[rows["source"] == "trigger"]
    shown = mine[mine["outcome"] != "held_out"]
    said = [page.t(f"workbook.outcome.{code}") for code in shown["outcome"]]
    frame = shown.assign(outcome=_texts(said).set_axis(shown.index))
    frame = frame.sort_values(["event_on", "rule", "row_id"], kind="stable")
    return _sheet(
        page, "triggers", frame,
        ("event_on", "rule", "adviser_id", "client", "tier", "status", "reason", "amount",
         "due_on", "outcome", "day", "row_id"),
        note=page.t("workbook.triggers.note", n=len(mine) - len(shown)),
    )  # fmt: skip


def _segments(segments, page: Page) -> list[Sheet]:
    mine = segments.clients[segments.clients["in_scope"].to_numpy(bool)].reset_index(drop=True)
    records = mine.to_dict("records")
    frame = _named(mine, page).assign(
        client=_clients(mine["client_id"], page),
        tier_reason=_texts([label_reason(row, "tier", page) for row in records]),
        status_reason=_texts([label_reason(row, "status", page) for row in records]),
    )
    frame = frame.sort_values(
        ["tier", "aum_avg", "client_id"], ascending=[False, False, True], kind="stable"
    )
    near = segments.clients["near_tier"].notna().to_numpy()
    rising = segments.clients[near].reset_index(drop=True)
    rising = _named(rising, page).assign(client=_clients(rising["client_id"], page))
    watch = frame[(frame["watch_months"] > 0).to_numpy()]
    return [
        _sheet(page, "clients", frame,
               ("client", "adviser_id", "tier", "persona", "status", "familiarity", "aum_avg",
                "aum_end", "tier_reason", "status_reason"), aum_avg=_TOTAL, aum_end=_TOTAL),
        _sheet(page, "near",
               rising.sort_values(["gap_amount", "client_id"], kind="stable"),
               ("client", "adviser_id", "tier", "near_tier", "gap_amount", "aum_avg", "persona",
                "familiarity"), gap_amount=_TOTAL),
        _sheet(page, "watch",
               watch.sort_values(["months_left", "floor_gap", "client_id"],
                                 ascending=[True, False, True], kind="stable"),
               ("client", "adviser_id", "tier", "floor_gap", "watch_months", "months_left",
                "aum_avg", "tier_reason"), floor_gap=_TOTAL),
    ]  # fmt: skip


def _branch(page: Page) -> str:
    return f"{page.branch} {page.branch_name}".strip()


def _cover(book, plan, sheets: Sequence[Sheet], page: Page) -> Cover:
    policy = plan.policy
    na = sorted(set(plan.na)) if plan.na else []
    joined = "、" if page.lang == "zh" else ", "
    missing = joined.join(page.figure(code) for code in na) or page.t("workbook.cover.na_none")
    facts = [
        ("branch", _branch(page)),
        ("month", f"{plan.month:%Y-%m}"),
        ("as_of", f"{book.as_of:%Y-%m-%d}"),
        ("policy", page.t("workbook.cover.policy_value", policy=getattr(policy.name, page.lang),
                          id=policy.id, mark=policy.fingerprint[:8])),
        ("method", page.t(f"plan.method.{plan.method}", gap=plan.gap)),
        ("na", missing),
    ]  # fmt: skip
    contents = ("plan", "not_done", "denied", "held_out", "load", "triggers", "clients", "near",
                "watch")  # fmt: skip
    return Cover(
        name=page.t("workbook.cover.sheet"),
        title=page.t("workbook.cover.title", month=plan.month),
        banner=page.t("workbook.cover.banner") if book.synthetic else "",
        facts=[(page.t(f"workbook.cover.{code}"), value) for code, value in facts],
        sums_title=page.t("workbook.sums.title"),
        sums=_sums(plan.rows, page),
        sums_note=page.t("workbook.sums.note"),
        contents_title=page.t("workbook.contents.title"),
        contents=[(sheet.name, page.t(f"workbook.about.{code}"))
                  for code, sheet in zip(contents, sheets, strict=True)],
        words_title=page.t("workbook.words.title"),
        words=[(page.t(f"workbook.column.{code}"), page.t(f"workbook.term.{code}"))
               for code in ("aum_avg", "klass", "amount", "minutes", "client")],
    )  # fmt: skip


def _sums(rows: pd.DataFrame, page: Page) -> list[tuple[str | int, ...]]:
    """Outcome by outcome: rows, clients, minutes; the last line counts all rows by themselves."""
    heads = tuple(page.t(f"workbook.sums.{c}")
                  for c in ("outcome", "where", "rows", "clients", "minutes"))  # fmt: skip
    where = {"planned": "plan"}

    def line(label: str, sheet: str, part: pd.DataFrame) -> tuple[str | int, ...]:
        return (label, sheet, len(part), int(part["client_id"].nunique()),
                int(part["minutes"].sum()))  # fmt: skip

    lines = [
        line(page.t(f"workbook.outcome.{code}"),
             page.t(f"workbook.sheet.{where.get(code, code)}"), rows[rows["outcome"] == code])
        for code in OUTCOMES
    ]  # fmt: skip
    return [heads, *lines, line(page.t("workbook.sums.all"), "", rows)]


