"""The command line speaks the reader's language, keeps its exit codes, shows no traceback."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time

import pytest

from playbook import text
from playbook.cli import console, main
from playbook.cli import main as run
from playbook.cli import report as report_command
from playbook.cli.parser import wanted_language
from playbook.report import settings
from playbook.report.errors import ReportError
from playbook.report.run import BranchResult, RunResult

COMMANDS = [
    [], ["report"], ["check"], ["policy"], ["policy", "show"], ["policy", "check"],
    ["policy", "diff"], ["doctor"],
]  # fmt: skip
ENGLISH_LEFT = re.compile(
    r"usage:|optional arguments|positional arguments|show this help|options:", re.I
)


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    monkeypatch.delenv("PLAYBOOK_LANG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_is_chinese_unless_asked_otherwise(command, capsys):
    assert run([*command, "--help"]) == settings.OK
    said = capsys.readouterr().out
    assert said.startswith("用法：playbook") and "示例：" in said
    assert not ENGLISH_LEFT.search(said)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_english_help_holds_no_chinese(command, capsys):
    assert run([*command, "--lang", "en", "--help"]) == settings.OK
    said = capsys.readouterr().out
    assert said.startswith("Usage: playbook") and "Examples:" in said
    assert not re.search(r"[一-鿿（），。]", said)


def test_help_fits_the_console(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for command in COMMANDS:
        run([*command, "--help"])
        said, _, _ = capsys.readouterr().out.partition("示例：")
        assert max(console.width(line) for line in said.splitlines()) <= 80


def test_the_language_comes_from_option_then_environment(monkeypatch):
    assert wanted_language(["report"]) == "zh"
    monkeypatch.setenv("PLAYBOOK_LANG", "en_US.UTF-8")
    assert wanted_language(["report"]) == "en"
    assert wanted_language(["report", "--lang", "zh"]) == "zh"
    assert wanted_language(["report", "--lang=zh"]) == "zh"
    assert wanted_language(["report", "--lang"]) == "en"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["--nothing"], "playbook --help"),
        (["report", "--nothing"], "--nothing"),
        (["report", "--jobs", "many"], "many"),
        (["report", "--as-of", "2026-13-01"], "2026-13-01"),
        (["report", "--as-of", "30.9.2026"], "30.9.2026"),
        (["report", "--as-of"], "--as-of"),
        (["report", "--lang", "fr"], "fr"),
        (["teach"], "teach"),
        (["check"], "playbook check --help"),
        (["policy", "burn"], "burn"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_2(given, names, lang, capsys):
    before = ["--lang", lang] if "fr" not in given else []
    assert run([*before, *given]) == settings.USAGE
    said = capsys.readouterr()
    assert said.out == "" and names in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not re.search(r"Traceback|error:|argument ", said.err)
    if lang == "en" and before:
        assert not re.search(r"[一-鿿]", said.err)


def test_version(capsys):
    assert run(["--version"]) == settings.OK
    assert re.fullmatch(r"playbook \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyError("C00123 张三"), settings.NOTHING),
        (OSError(28, "no space", "C00123"), settings.NO_ROOM),
        (MemoryError(), settings.NO_ROOM),
        (ReportError("busy", settings.BUSY), settings.BUSY),
        (KeyboardInterrupt(), settings.INTERRUPTED),
    ],
)
def test_any_error_is_a_sentence_with_its_code(error, code, monkeypatch, capsys, tmp_path):
    def broken(*_):
        raise error

    monkeypatch.setattr(report_command, "make_reports", broken)
    assert run(["report"]) == code
    said = capsys.readouterr()
    written = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.log"))
    for place in (said.out, said.err, written):
        assert "Traceback" not in place and "C00123" not in place and "张三" not in place
    if isinstance(error, KeyError):
        assert "KeyError" in written and "main.py" in written
    else:
        assert not written


def result_of(*branches: BranchResult, code: int) -> RunResult:
    from pathlib import Path

    return RunResult("r1", branches, Path("reports/index.html"), False, code)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_closing_names_branch_step_and_cause(lang, monkeypatch, capsys):
    cause = {"key": "cell_failed", "exit": 4,
             "facts": {"step": "1_segment", "cell": 3, "kind": "KeyError"}}  # fmt: skip
    told = {"key": "told", "exit": 4, "facts": {"sentence": {"zh": "缺表", "en": "no table"}}}
    done = result_of(
        BranchResult("B01", ok=True, facts={"rejected": 7}),
        BranchResult("B02", cause=cause, step="1_segment"),
        BranchResult("B03", cause=told),
        code=settings.SOME,
    )  # fmt: skip
    asked = []

    def made(request, tell):
        asked.append(request)
        tell("", "plan", {"branches": ["B01", "B02", "B03"], "steps": ["1_segment"]})
        tell("B01", "opened", {"name": "滨江支行"})
        tell("B01", "cell", {"step": "1_segment", "done": 1, "of": 9})
        tell("B01", "step", {"step": "1_segment"})
        tell("B01", "done", {"ok": True})
        return done

    monkeypatch.setattr(report_command, "make_reports", made)
    given = ["report", "--lang", lang, "--branch", "B01,B02", "B03", "--branch", "B01"]
    assert run(given) == settings.SOME
    said = capsys.readouterr()
    assert asked[0].branches == ("B01", "B02", "B03")
    failed = [line for line in said.err.splitlines() if "B02" in line]
    assert len(failed) == 1 and "1_segment" in failed[0] and "KeyError" in failed[0]
    assert told["facts"]["sentence"][lang] in said.err
    assert any("B01" in line and "7" in line for line in said.err.splitlines())
    assert "index.html" in said.out


@pytest.mark.parametrize(("encoding", "sign"), [("utf-8", "█"), ("gbk", "#")])
def test_the_bar_tells_branch_and_step_on_a_terminal(encoding, sign, monkeypatch):
    class Terminal(io.TextIOWrapper):
        def isatty(self):
            return True

    stream = Terminal(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "100")
    with report_command._Progress("zh") as progress:
        progress.tell("", "plan", {"branches": ["B01"], "steps": ["0_start", "1_segment"]})
        progress.tell("B01", "opened", {"name": "滨江支行"})
        progress.tell("B01", "cell", {"step": "1_segment", "done": 3, "of": 9})
        progress.tell("B01", "step", {"step": "1_segment"})
        progress.tell("B01", "done", {"ok": True})
    stream.flush()
    shown = stream.buffer.getvalue().decode(encoding)
    assert "B01 1_segment 3/9" in shown and "1/2" in shown and sign in shown
    assert "滨江支行" in shown


def test_a_gbk_console_gets_through():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="gbk", errors="strict")
    kept, sys.stdout = sys.stdout, stream
    try:
        console.forgiving()
        console.say("镕喆堃 ✓ 完成")
    finally:
        sys.stdout = kept
    stream.flush()
    assert "完成" in stream.buffer.getvalue().decode("gbk")


def test_what_the_command_line_says_is_writable_in_gbk():
    for key in text.keys_under("cli."):
        for words in text.entries()[key].values():
            words.encode("gbk")


def test_chinese_text_wraps_and_lines_up():
    assert console.wrap("理财经理每天的客户清单", 10) == ["理财经理每", "天的客户清", "单"]
    assert console.wrap("清单。", 4) == ["清单。"]
    assert console.wrap("one two three", 7) == ["one two", "three"]
    assert console.cut("一二三四", 7) == "一二..." and console.cut("abc", 3) == "abc"
    shown = console.table(["表", "行数"], [["客户", "1,234"], ["a", "5"]], right=(1,))
    assert [console.width(line) for line in shown.splitlines()] == [11, 11, 11, 11]


def test_policy_commands(capsys, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("extends: cn6\ntiering:\n  near_ratio: 0.85\n", encoding="utf-8")
    assert run(["policy", "show", "cn6"]) == settings.OK
    assert "tiering.near_ratio" in capsys.readouterr().out
    assert run(["policy", "check", str(own)]) == settings.OK
    capsys.readouterr()
    assert run(["policy", "diff", "cn6", str(own)]) == settings.OK
    line = next(x for x in capsys.readouterr().out.splitlines() if "near_ratio" in x)
    assert "0.9" in line and "0.85" in line
    assert run(["policy", "diff", "cn6", "cn6"]) == settings.OK
    assert text.t("cli.policy.same", "zh") in capsys.readouterr().out
    own.write_text("extends: cn6\ntiering:\n  near_ratio: 7\n", encoding="utf-8")
    assert run(["policy", "check", str(own)]) == settings.NOTHING
    assert "own.yaml:3" in capsys.readouterr().err


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_wrong_policy_stops_a_report_with_every_fault_told(lang, capsys, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("extends: cn6\ntiering:\n  near_ratio: 7\n  n_down: many\n", encoding="utf-8")
    assert run(["report", "--lang", lang, "--policy", str(own)]) == settings.NOTHING
    said = capsys.readouterr().err
    assert "own.yaml:3" in said and "own.yaml:4" in said
    assert run(["report", "--lang", lang, "--policy", "no_such"]) == settings.NOTHING
    said = capsys.readouterr().err
    assert said.count("no_such") == 1 and "None" not in said and "NA" not in said
    assert run(["policy", "check", "no_such.yaml"]) == settings.NOTHING
    assert "no_such.yaml" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.log"))
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_data_that_are_not_there_are_told(lang, capsys, tmp_path):
    for command in (["report", "--data"], ["check"]):
        assert run([*command, "nowhere", "--lang", lang]) == settings.NOTHING
        said = "".join(capsys.readouterr())
        assert "nowhere" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "module", ["pandas", "matplotlib", "papermill", "nbconvert", "pydantic", "jinja2", "nbformat"]
)
def test_help_loads_nothing_heavy(module):
    code = (
        "import sys; from playbook.cli import main; main(['--help']); main(['report', '--help']);"
        f"sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.slow
def test_help_is_there_at_once():
    def took() -> float:
        begun = time.monotonic()
        command = [sys.executable, "-m", "playbook", "--help"]
        subprocess.run(command, capture_output=True, check=True)
        return time.monotonic() - begun

    assert min(took() for _ in range(5)) < 1.0


def test_a_closed_pipe_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "playbook", "policy", "show", "cn6"], stdout=write,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(write)
    assert b"Traceback" not in done.stderr and done.returncode == settings.OK


def test_main_is_the_entry_point():
    assert callable(main)
