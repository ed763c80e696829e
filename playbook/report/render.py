"""One notebook source, two languages, two purposes.

A notebook in ``notebooks/`` holds its code once and its prose twice: every prose cell tagged
``zh`` is followed by its twin tagged ``en``. Whatever people open, and whatever papermill runs,
has gone through :func:`render` first.
"""

from __future__ import annotations

import copy
from typing import Literal

from playbook.text import LANGS

Purpose = Literal["workspace", "report"]

#: Cells for the project's own tests only, and cells that need a person in front of them.
DROPPED = {"workspace": ("check",), "report": ("check", "interactive")}
#: Cells whose code a learner need not see before wanting to; JupyterLab shows a bar to unfold it.
FOLDED = "hide-input"


def render(nb, lang: str, purpose: Purpose = "workspace"):
    """A copy of ``nb`` for readers of ``lang``: no cell of the other language, no stored output.

    ``purpose="workspace"`` keeps everything a learner works with and folds the code of cells
    tagged ``hide-input``; ``purpose="report"`` also leaves out the cells tagged ``interactive``
    (widgets). Cells tagged ``check`` (the pinned table for the tests) are in neither. The default
    of the notebook's parameter ``lang`` becomes ``lang``. ``nb`` itself is not changed.

    Raises ``ValueError`` for a language or a purpose that does not exist.
    """
    if lang not in LANGS:
        raise ValueError(f"lang must be one of {LANGS}, got {lang!r}")
    if purpose not in DROPPED:
        raise ValueError(f"purpose must be one of {tuple(DROPPED)}, got {purpose!r}")
    from nbconvert.preprocessors import ClearOutputPreprocessor, TagRemovePreprocessor

    unwanted = {other for other in LANGS if other != lang} | set(DROPPED[purpose])
    # enabled=True: without it the preprocessor silently removes nothing.
    remover = TagRemovePreprocessor(enabled=True, remove_cell_tags=unwanted)
    rendered, _ = remover.preprocess(copy.deepcopy(nb), {})
    rendered, _ = ClearOutputPreprocessor(enabled=True).preprocess(rendered, {})
    for cell in rendered.cells:
        tags = cell.metadata.get("tags", [])
        if "parameters" in tags:
            cell.source = _with_lang(cell.source, lang)
        if purpose == "workspace" and FOLDED in tags:
            cell.metadata["jupyter"] = {"source_hidden": True}
    rendered.metadata["playbook"] = {"lang": lang, "purpose": purpose}
    return rendered


def _with_lang(source: str, lang: str) -> str:
    return "\n".join(
        f'lang = "{lang}"' if line.split("=")[0].strip() == "lang" else line
        for line in source.split("\n")
    )
