"""What a page says about its own data: its head, what came in, what was wrong or missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

import pandas as pd

from playbook.book.faults import with_words
from playbook.policy.view import show as policy_rows
from playbook.show.findings import missing_figures
from playbook.show.pages import Page
from playbook.show.tables import Shown, table
from playbook.tables import TABLES
from playbook.text import percent


@dataclass(frozen=True)
class Head:
    """First lines of a notebook: branch, day, tier scheme, and the banner over synthetic data."""

    name: str
    facts: str
    banner: str = ""

    def _repr_html_(self) -> str:
        banner = f'<p class="pb-banner">{escape(self.banner)}</p>' if self.banner else ""
        return (
            f'<div class="pb-head"><div class="pb-head-name">{escape(self.name)}</div>'
            f'<div class="pb-head-facts">{escape(self.facts)}</div></div>{banner}'
        )

    def __repr__(self) -> str:
        return "\n".join(part for part in (self.name, self.facts, self.banner) if part)


@dataclass(frozen=True)
class Said:
    """A sentence in the place of a table that would be empty."""

    sentence: str

    def _repr_html_(self) -> str:
        return f'<p class="pb-said">{escape(self.sentence)}</p>'

    def __repr__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Styles:
    """The style sheet of all tables and cards, for notebooks; reports carry it in their page."""

    def _repr_html_(self) -> str:
        return f"<style>{stylesheet()}</style>"

    def __repr__(self) -> str:
        return ""


def stylesheet() -> str:
    """The text of ``style.css``."""
    from importlib import resources

    return resources.files("playbook.show").joinpath("style.css").read_text(encoding="utf-8")


def head(book, page: Page) -> Head:
    """Branch, day and tier scheme; with the banner when the data are synthetic."""
    names = book.policy.name
    facts = page.t(
        "show.head.facts",
        as_of=book.as_of,
        policy=getattr(names, page.lang),
        fingerprint=book.policy.fingerprint[:8],
    )
    banner = page.t("show.banner.synthetic") if book.synthetic else ""
    return Head(f"{page.branch} {page.branch_name}".strip(), facts, banner)


def counts(book, page: Page) -> Shown:
    """Rows received, accepted, rejected, per table; they add up."""
    wanted = ["rows_in", "accepted", "rejected", "after_as_of", "other_branch", "superseded"]
    columns = [name for name in wanted if name in book.counts.columns]
    # A column of noughts says nothing; the three that must add up always stay.
    columns = [c for c in columns if c in wanted[:3] or book.counts[c].sum()]
    rows = book.counts.groupby("table", sort=False)[columns].sum()
    rows = rows.reindex([name for name in TABLES if name in rows.index]).reset_index()
    rows["table"] = [TABLES[name].label(page.lang) for name in rows["table"]]
    return table(rows, page, caption=page.t("show.counts.title"))


def faults(book, page: Page, limit: int = 10, name: str = "") -> Shown | Said:
    """The first faults of the branch's data (or of its table ``name``), with what to do."""
    found = book.faults
    if name:
        found = found[found["table"] == name]
    if found.empty:
        return Said(page.t("show.widget.no_faults" if name else "show.faults.none"))
    part = with_words(found.head(limit), page.lang)
    gap = "" if page.lang == "zh" else " "
    rows = pd.DataFrame(
        {
            "file": part["file"],
            "row": part["row"],
            "column": part["column"],
            "rule": part["rule"],
            "severity_of_fault": [page.t(f"show.fault.{code}") for code in part["severity"]],
            "sentence": part["problem"] + gap + part["todo"],
        }
    )
    shown = table(rows, page, total=False)
    note = page.t("show.table.first", shown=len(part), n=len(found))
    notes = (note,) if len(part) < len(found) else ()
    return replace(shown, caption=page.t("show.faults.title"), notes=notes)


def unavailable_figures(page: Page) -> Shown | Said:
    """What could not be worked out for this branch, and which table it would have needed."""
    rows = missing_figures(page)
    if rows.empty:
        return Said(page.t("show.na.all"))
    return table(rows, page, total=False, caption=page.t("show.na.heading"))


def parameters(policy, page: Page, *prefixes: str) -> Shown:
    """The policy's values whose keys begin with one of ``prefixes``: meaning, value, evidence."""
    rows = policy_rows(policy, page.lang)
    rows = rows[rows["key"].str.startswith(tuple(prefixes))] if prefixes else rows
    rows = rows[rows["meaning"] != ""]
    shown = pd.DataFrame(
        {
            "parameter": rows["meaning"],
            "setting": [
                _setting(key, value, page)
                for key, value in zip(rows["key"], rows["value"], strict=True)
            ],
            "evidence": rows["evidence"],
        }
    )
    title = page.t("show.parameters.of", policy=getattr(policy.name, page.lang))
    return table(shown, page, total=False, caption=title)


#: Settings whose values are codes, and the kind whose names they have.
_CODES = {
    "tiering.basis": "tier_basis",
    "persona.order": "persona",
    "status.order": "status",
    "familiarity.face_channels": "channel",
    "status.client_initiated_kinds": "kind",
}
_SHARES = ("_share", "_ratio", "file_floor")


def _setting(key: str, value: str, page: Page) -> str:
    if key in _CODES:
        joined = "、" if page.lang == "zh" else ", "
        return joined.join(page.named(_CODES[key], value.split(", ")))
    return percent(float(value), 0) if key.endswith(_SHARES) else value
