"""One notebook run with papermill, and the proof that it really ran to its end.

papermill marks every cell as done when a kernel dies or a cell calls ``sys.exit``, and only warns
about an unknown parameter. So parameters are compared first, and a last cell must say a word that
nothing else says.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from playbook.report import settings
from playbook.report.errors import ReportError, short_path

_END_TAG = "playbook-end"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_FRAME = re.compile(r"File (.+?):(\d+)(?:, in (\w+))?|Cell In\[(\d+)\], line (\d+)")


@dataclass(frozen=True)
class Step:
    """A notebook of the report. ``figures`` is how many pictures it must show at least."""

    name: str
    figures: int


def prepare(rendered: NotebookNode, parameters: Mapping[str, str], word: str) -> NotebookNode:
    """A copy that ends by saying ``word``.

    Raises ``ReportError`` ``unknown_parameter`` when the notebook declares other parameters than
    those given, and ``TypeError`` for a parameter that is not text (papermill's own command line
    turns ``007`` into 7).
    """
    from papermill import inspect_notebook

    not_text = [name for name, value in parameters.items() if not isinstance(value, str)]
    if not_text:
        raise TypeError(f"parameters must be text: {', '.join(not_text)}")
    known = set(inspect_notebook(rendered))
    odd = sorted(set(parameters) ^ known)
    if odd:
        raise ReportError("unknown_parameter", parameter=", ".join(odd))
    copy = nbformat.from_dict(rendered)
    end = nbformat.v4.new_code_cell(f"print({word!r})", metadata={"tags": [_END_TAG]})
    end["id"] = _END_TAG
    copy.cells = [*copy.cells, end]
    for cell in copy.cells:
        cell.metadata.setdefault("tags", [])
    return copy


def run(
    prepared: NotebookNode,
    parameters: Mapping[str, str],
    word: str,
    step: Step,
    work: Path,
    save_as: Path,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> NotebookNode:
    """Runs a prepared notebook and returns it executed, without its last cell.

    ``work`` is the folder the kernel runs in; ``tell(done, of)`` hears of every cell. The executed
    notebook is written to ``save_as`` in every case, a failed one up to its error, without
    messages that could hold a client's value.
    Raises ``ReportError``: ``kernel_dead``, ``cell_timeout``, ``cell_failed``, ``not_ended``,
    ``no_figures``.
    """
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    from playbook.report.kernel import PrivateKernelManager

    logging.getLogger("papermill").setLevel(logging.ERROR)
    work.mkdir(parents=True, exist_ok=True)
    source = work / f"{step.name}.prepared.ipynb"
    output = work / f"{step.name}.executed.ipynb"
    nbformat.write(prepared, source)
    total = len(prepared.cells)

    def heard(cell: NotebookNode, cell_index: int, **_: object) -> None:
        tell(min(cell_index + 1, total), total)

    cause: ReportError | None = None
    try:
        execute_notebook(
            source, output, parameters=dict(parameters), kernel_name="python3", cwd=work,
            progress_bar=False, log_output=False, request_save_on_cell_execute=False,
            start_timeout=settings.KERNEL_START_SECONDS, execution_timeout=settings.CELL_SECONDS,
            kernel_manager_class=PrivateKernelManager, on_cell_executed=heard,
        )  # fmt: skip
    except PapermillExecutionError as error:
        cause = ReportError("cell_failed", step=step.name, cell=error.exec_count or 0,
                            kind=error.ename)  # fmt: skip
    except CellTimeoutError:
        cause = ReportError("cell_timeout", step=step.name, seconds=settings.CELL_SECONDS)
    except (DeadKernelError, RuntimeError) as error:
        cause = ReportError("kernel_dead", step=step.name, kind=type(error).__name__)
    if not output.exists():
        raise cause or ReportError("not_ended", step=step.name)
    executed = nbformat.read(output, as_version=4)
    if cause is None and not _said(executed, word):
        cause = ReportError("not_ended", step=step.name)
    executed = tidy(executed)
    if cause is None and _figures(executed) < step.figures:
        cause = ReportError("no_figures", step=step.name)
    save_as.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(executed, save_as)
    if cause is not None:
        cause.places = [
            place
            for cell in executed.cells
            for output in cell.get("outputs", [])
            if output.output_type == "error"
            for place in (output.ename, *output.traceback)
        ]
        raise cause
    return executed


def _said(executed: NotebookNode, word: str) -> bool:
    last = executed.cells[-1]
    heard = "".join(
        output.text for output in last.get("outputs", []) if output.output_type == "stream"
    )
    return _END_TAG in last.metadata.get("tags", []) and heard.strip() == word


def _figures(executed: NotebookNode) -> int:
    return sum(
        "image/png" in output.get("data", {})
        for cell in executed.cells
        for output in cell.get("outputs", [])
    )


def tidy(executed: NotebookNode) -> NotebookNode:
    """Without the last cell, papermill's notes (times, paths) and messages of errors.

    What stays is the same for the same input, and an error keeps its kind and the places in the
    code it came through, but no message: that could hold a client's value.
    """
    executed.cells = [
        cell
        for cell in executed.cells
        if _END_TAG not in cell.metadata.get("tags", [])
        and "papermill-error-cell-tag" not in cell.metadata.get("tags", [])
    ]
    executed.metadata.pop("papermill", None)
    executed.metadata.pop("widgets", None)
    for number, cell in enumerate(executed.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        cell["id"] = cell.id if "injected-parameters" not in cell.metadata.get("tags", []) else (
            f"injected-{number}"
        )  # fmt: skip
        if cell.cell_type == "code":
            # Warnings of libraries: paths of this machine, sometimes values.
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = _places("\n".join(output.traceback)) or [output.ename]
                output.evalue = ""
    return executed


def _places(traceback: str) -> list[str]:
    found = []
    for match in _FRAME.finditer(_ANSI.sub("", traceback)):
        file, line, name, cell, cell_line = match.groups()
        found.append(
            f"{short_path(file)}:{line} {name or ''}".strip() if file else f"[{cell}]:{cell_line}"
        )
    return found
