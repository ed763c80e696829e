"""Executed notebooks → the one page of a branch.

nbconvert turns each notebook into a fragment with a template of our own (its stock templates
fetch scripts from the network); the fragment is cleaned, gets ASCII heading ids and goes into
``report.html.j2``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from markupsafe import Markup
from nbformat import NotebookNode

from playbook.report import page as pages
from playbook.report.clean import Heading, clean
from playbook.report.facts import About
from playbook.report.notebook import Step

_CONTENTS_DEPTH = 3
#: Cells whose content stands on the cover already.
_COVER = "cover"


@dataclass(frozen=True)
class Section:
    """One notebook on the page: id, clean HTML, headings for the contents."""

    id: str
    html: Markup
    headings: tuple[Heading, ...]


def page(executed: Sequence[tuple[Step, NotebookNode]], about: About, lang: str) -> str:
    """The page of one branch: self-contained HTML, no code shown, no script, no request."""
    exporter = _exporter()
    sections = [
        _section(exporter, number, notebook)
        for number, (_, notebook) in enumerate(executed, start=1)
    ]
    contents = [
        heading
        for section in sections
        for heading in section.headings
        if heading.level <= _CONTENTS_DEPTH
    ]
    return pages.build(
        "report.html.j2", lang, about=about, sections=sections, contents=contents
    )


def _section(exporter, number: int, notebook: NotebookNode) -> Section:
    inside = NotebookNode(notebook)
    inside.cells = [c for c in notebook.cells if _COVER not in c.metadata.get("tags", [])]
    fragment, _ = exporter.from_notebook_node(inside)
    cleaned = clean(fragment, f"s{number}", down=1)
    return Section(f"s{number}", Markup(cleaned.html), tuple(cleaned.headings))


def _exporter():
    from nbconvert.exporters.html import HTMLExporter

    folder = resources.files("playbook.report").joinpath("templates")
    return HTMLExporter(
        extra_template_basedirs=[str(folder)], template_name="playbook",
        exclude_anchor_links=True, exclude_input=True, exclude_output_prompt=True,
    )  # fmt: skip
