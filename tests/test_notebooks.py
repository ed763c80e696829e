"""Notebooks stay thin, twinned, clean and parameterised; rendering keeps one language."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path

import nbformat
import pytest

from playbook.report import twins
from playbook.report.render import render

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
IDS = [path.stem for path in NOTEBOOKS]


def read(path: Path):
    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


def tool():
    spec = importlib.util.spec_from_file_location("notebooks", ROOT / "scripts" / "notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code(source: str, *tags: str, **more):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}, **more)


def prose(source: str, *tags: str, of: str | None = None):
    metadata = {"tags": list(tags)} | ({"playbook": {"of": twins.digest(of)}} if of else {})
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)


def tiny():
    """A notebook in order: parameters, one twin, one widget, one pinned result."""
    output = nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=1)
    nb = nbformat.v4.new_notebook()
    nb.cells = [
        code("\n".join(f'{name} = "x"' for name in twins.PARAMETERS), "parameters"),
        prose("分层", "zh"),
        prose("Tiers", "en", of="分层"),
        code("widget", "interactive", "hide-input"),
        code("1 + 1", "check", twins.PINNED, outputs=[output], execution_count=1),
    ]
    return nb


def codes(nb) -> list[str]:
    return [fault.code for fault in twins.check(nb)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_notebook_is_in_order(path):
    assert twins.check(read(path)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_notebook_is_stored_clean(path):
    tools = tool()
    assert tools.dumps(tools.cleaned(read(path))) == path.read_text(encoding="utf-8")


def test_there_are_notebooks():
    assert {"0_start", "1_segment"} <= set(IDS)


@pytest.mark.parametrize("lang, other", [("zh", "en"), ("en", "zh")])
@pytest.mark.parametrize("purpose", ["workspace", "report"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_rendering_keeps_one_language(path, purpose, lang, other):
    nb = read(path)
    before = copy.deepcopy(nb)
    rendered = render(nb, lang, purpose)
    assert nb == before
    assert not [cell for cell in rendered.cells if other in twins.tags(cell)]
    kept = [cell for cell in rendered.cells if lang in twins.tags(cell)]
    dropped = {"interactive", "check"} if purpose == "report" else {"check"}
    wanted = [c for c in nb.cells if lang in twins.tags(c) and not dropped & twins.tags(c)]
    assert [cell.source for cell in kept] == [cell.source for cell in wanted]
    assert not [cell for cell in rendered.cells if cell.get("outputs")]
    parameters = next(c for c in rendered.cells if "parameters" in twins.tags(c))
    assert f'lang = "{lang}"' in parameters.source


def test_report_has_no_widgets_and_no_test_cells():
    rendered = render(tiny(), "zh", "report")
    assert [cell.source for cell in rendered.cells][1:] == ["分层"]


def test_workspace_keeps_widgets_and_folds_their_code():
    widget = render(tiny(), "en", "workspace").cells[2]
    assert widget.source == "widget" and widget.metadata["jupyter"] == {"source_hidden": True}


def test_rendering_refuses_other_words():
    with pytest.raises(ValueError, match="lang"):
        render(tiny(), "fr")
    with pytest.raises(ValueError, match="purpose"):
        render(tiny(), "zh", "slides")


def test_tiny_notebook_has_no_faults():
    assert codes(tiny()) == []


FAULTS = {
    "untagged": lambda nb: nb.cells.insert(1, prose("stray")),
    "both": lambda nb: nb.cells.insert(1, prose("stray", "zh", "en")),
    "no_twin": lambda nb: nb.cells.insert(1, prose("只有中文", "zh")),
    "stale": lambda nb: nb.cells[1].update(source="分层改了"),
    "long": lambda nb: nb.cells.insert(1, code("\n".join(["1"] * 9))),
    "syntax": lambda nb: nb.cells.insert(1, code("1 +")),
    "output": lambda nb: nb.cells[3].update(outputs=nb.cells[4].outputs),
    "unpinned": lambda nb: nb.cells[4].update(outputs=[]),
    "pins": lambda nb: nb.cells.pop(4),
    "parameters": lambda nb: nb.cells[0].update(source='branch = "B01"'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found(fault):
    nb = tiny()
    FAULTS[fault](nb)
    assert codes(nb) == [fault]


@pytest.mark.parametrize(
    "source",
    ["def f():\n    pass", "class A:\n    pass", "for x in []:\n    x", "while False:\n    1",
     "f = lambda: 1", "[x for x in y]"],
)  # fmt: skip
def test_defining_and_looping_are_found(source):
    nb = tiny()
    nb.cells.insert(1, code(source))
    assert codes(nb) == ["defines"]


def test_twins_must_share_their_other_tags():
    nb = tiny()
    nb.cells[1].metadata["tags"].append("interactive")
    assert codes(nb) == ["no_twin"]


def test_number_as_parameter_is_a_fault():
    nb = tiny()
    nb.cells[0].source = nb.cells[0].source.replace('branch = "x"', "branch = 7")
    assert codes(nb) == ["parameters"]


def test_stamp_freshens_a_translation_once():
    nb = tiny()
    nb.cells[1].source = "分层改了"
    assert twins.stamp(nb) == 1 and codes(nb) == [] and twins.stamp(nb) == 0


def test_cleaning_removes_all_but_the_pinned_result():
    nb = tiny()
    nb.cells[3].update(outputs=nb.cells[4].outputs, execution_count=7)
    nb.cells[3].metadata["collapsed"] = True
    nb.metadata["widgets"] = {"state": {}}
    cleaned = tool().cleaned(nb)
    assert cleaned.cells[3].outputs == [] and cleaned.cells[3].execution_count is None
    assert cleaned.cells[3].metadata == {"tags": ["interactive", "hide-input"]}
    assert len(cleaned.cells[4].outputs) == 1 and cleaned.cells[4].execution_count == 1
    assert set(cleaned.metadata) == {"kernelspec", "language_info"}
