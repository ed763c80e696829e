"""A notebook counts as run only when it really ran to its end. One odd notebook per failure."""

from __future__ import annotations

import nbformat
import pytest
from nbformat import v4

from playbook.report import notebook
from playbook.report.errors import ReportError

PARAMETERS = {"branch": "007", "lang": "zh"}
SECRET = "C00123"


@pytest.fixture(autouse=True)
def private_folders(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("rt")))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ip")))


def odd(*sources: str):
    cells = [v4.new_markdown_cell("# 标题", metadata={"tags": ["zh"]})]
    cells += [v4.new_code_cell('branch = "B01"\nlang = "zh"', metadata={"tags": ["parameters"]})]
    cells += [v4.new_code_cell(source) for source in sources]
    made = v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"name": "no-such-kernel", "language": "python",
                                   "display_name": "x"}  # fmt: skip
    return made


def ran(tmp_path, *sources: str, figures: int = 0, heard=lambda done, of: None):
    ready = notebook.prepare(odd(*sources), PARAMETERS, "word")
    step = notebook.Step("odd", figures)
    return notebook.run(ready, PARAMETERS, "word", step, tmp_path / "work",
                        tmp_path / "page" / "odd.ipynb", heard)  # fmt: skip


def test_a_whole_notebook_keeps_its_results_and_no_trace_of_the_run(tmp_path):
    heard = []
    code = "import sys\nprint('branch', branch)\nprint('warning', file=sys.stderr)"
    executed = ran(tmp_path, code, heard=lambda done, of: heard.append((done, of)))
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs] == ["branch 007\n"]
    stored = (tmp_path / "page" / "odd.ipynb").read_text(encoding="utf-8")
    assert nbformat.reads(stored, as_version=4) == executed
    assert str(tmp_path) not in stored and "papermill" not in stored
    assert heard[-1][0] == heard[-1][1]


def test_the_same_notebook_gives_the_same_bytes(tmp_path):
    source = odd("print(branch)")
    for folder in ("a", "b"):
        ready = notebook.prepare(source, PARAMETERS, folder)
        notebook.run(ready, PARAMETERS, folder, notebook.Step("odd", 0), tmp_path / folder,
                     tmp_path / f"{folder}.ipynb")  # fmt: skip
    assert (tmp_path / "a.ipynb").read_bytes() == (tmp_path / "b.ipynb").read_bytes()


@pytest.mark.parametrize(
    ("source", "figures", "cause"),
    [
        ("import sys; sys.exit(0)", 0, "not_ended"),
        ("raise SystemExit", 0, "not_ended"),
        ("import os; os._exit(0)", 0, "kernel_dead"),
        (f"{{}}['{SECRET}']", 0, "cell_failed"),
        ("'no picture'", 1, "no_figures"),
    ],
)
def test_what_did_not_end_well_is_no_result(tmp_path, source, figures, cause):
    with pytest.raises(ReportError) as told:
        ran(tmp_path, "print('kept')", source, "print('after')", figures=figures)
    assert told.value.key == cause
    for lang in ("zh", "en"):
        assert "odd" in told.value.sentence(lang)
    if cause == "cell_failed":
        stored = (tmp_path / "page" / "odd.ipynb").read_text(encoding="utf-8")
        assert '"kept\\n"' in stored
        kept = nbformat.reads(stored, as_version=4)
        errors = [o for c in kept.cells for o in c.get("outputs", []) if o.output_type == "error"]
        assert [(error.ename, error.evalue) for error in errors] == [("KeyError", "")]
        assert SECRET not in "".join(errors[0].traceback)


def test_a_cell_that_never_ends_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(notebook.settings, "CELL_SECONDS", 1)
    with pytest.raises(ReportError) as told:
        ran(tmp_path, "import time; time.sleep(60)")
    assert told.value.key == "cell_timeout"


@pytest.mark.parametrize("given", [{"branch": "B01"}, {**PARAMETERS, "brnach": "B01"}])
def test_parameters_must_be_the_notebooks_own(given):
    with pytest.raises(ReportError) as told:
        notebook.prepare(odd(), given, "word")
    assert told.value.key == "unknown_parameter"


def test_parameters_are_text():
    with pytest.raises(TypeError):
        notebook.prepare(odd(), {"branch": 7, "lang": "zh"}, "word")


def test_the_kernel_is_reachable_by_this_user_only(tmp_path):
    import os
    import stat
    from pathlib import Path

    code = (
        "import os, pathlib\n"
        "here = pathlib.Path(os.environ['JUPYTER_RUNTIME_DIR'])\n"
        "print(','.join(sorted(p.suffix or p.name[-5:] for p in here.iterdir())))"
    )
    executed = ran(tmp_path, code)
    said = executed.cells[-1].outputs[0].text
    if os.name == "nt":
        assert ".json" in said
    else:
        assert {"ipc-1", "ipc-5", ".json"} <= set(said.strip().split(","))
        mode = Path(os.environ["JUPYTER_RUNTIME_DIR"]).stat().st_mode
        assert stat.S_IMODE(mode) & 0o077 == 0
