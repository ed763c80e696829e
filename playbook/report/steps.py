"""Which notebooks make a report, and where they are."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

import playbook
from playbook.report.errors import ReportError
from playbook.report.notebook import Step


def steps() -> list[Step]:
    """The notebooks of a report, in order (``steps.yaml``)."""
    text = resources.files("playbook.report").joinpath("steps.yaml").read_text(encoding="utf-8")
    return [Step(**entry) for entry in yaml.safe_load(text)]


def notebooks_folder() -> Path:
    """The folder of the project's notebooks, beside the package."""
    return Path(playbook.__file__).parent.parent / "notebooks"


def source(folder: Path, step: Step) -> NotebookNode:
    """The notebook of a step as it is stored. Raises ``ReportError`` ``no_notebook``."""
    path = folder / f"{step.name}.ipynb"
    if not path.is_file():
        raise ReportError("no_notebook", step=step.name)
    return nbformat.read(path, as_version=4)
