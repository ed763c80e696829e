"""The page over all branches: what is there, what failed and why, with links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from playbook.report import files, page, settings
from playbook.report.errors import cause_sentence, in_language
from playbook.text import LANGS, t

if TYPE_CHECKING:
    from playbook.report.run import BranchResult


@dataclass(frozen=True)
class Link:
    """Where a row leads to."""

    href: str
    label: str


@dataclass
class Row:
    """One branch on one day. ``cause`` is empty when the report is whole."""

    branch: str
    as_of: str
    name: str = ""
    in_scope: int | None = None
    aum_end: float | None = None
    rejected: int | None = None
    synthetic: bool = False
    cause: str = ""
    links: list[Link] = field(default_factory=list)


def write(out: Path, results: Sequence[BranchResult], lang: str) -> Path:
    """Writes ``index.html`` over everything published in ``out`` and this run's failures."""
    rows = published(out, lang)
    rows += [_failed(out, result, lang) for result in results if not result.ok]
    rows.sort(key=lambda row: row.branch)
    rows.sort(key=lambda row: row.as_of or "9999", reverse=True)
    whole = sum(not row.cause for row in rows)
    text = page.build("index.html.j2", lang, rows=rows, whole=whole, failed=len(rows) - whole)
    path = out / settings.INDEX
    files.write_atomic(path, text)
    return path


def published(out: Path, lang: str) -> list[Row]:
    """A row per branch and day of every published folder; damaged ones say so.

    A folder is what its manifest says and its hashes prove; folders without a manifest are not
    ours and are left out.
    """
    rows: dict[tuple[str, str], Row] = {}
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        manifest = files.read_manifest(folder)
        if manifest is None or folder.name != manifest.get("name"):
            continue
        facts = manifest["facts"]
        row = rows.setdefault(
            (manifest["branch"], manifest["as_of"]),
            Row(manifest["branch"], manifest["as_of"], facts["name"], facts["in_scope"],
                facts["aum_end"], facts["rejected"], facts["synthetic"]),
        )  # fmt: skip
        if not files.is_whole(folder):
            row.cause = t("report.cause.not_whole", lang)
        label = t(f"report.lang.{manifest['lang']}", lang)
        row.links.append(Link(f"{folder.name}/{folder.name}.html", label))
    for row in rows.values():
        order = [t(f"report.lang.{code}", lang) for code in (lang, *LANGS)]
        row.links.sort(key=lambda link: order.index(link.label))
    return list(rows.values())


def _failed(out: Path, result: BranchResult, lang: str) -> Row:
    row = Row(result.branch, result.as_of, result.name or result.branch)
    row.cause = cause_sentence(in_language(result.cause or {"key": "unforeseen"}, lang), lang)
    if result.folder is not None:
        row.links = [
            Link(f"{result.folder.relative_to(out).as_posix()}/{notebook.name}", notebook.name)
            for notebook in sorted(result.folder.glob("*.ipynb"))
        ]
    return row
