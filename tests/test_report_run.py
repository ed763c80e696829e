"""The run over branches: one branch's bad luck is its own; what is told is true."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from playbook.report import facts, files, ledger, run, settings
from playbook.report.errors import ReportError
from playbook.text import t

#: Speaks as playbook.report.child does; what it does is said by the branch id.
CHILD = textwrap.dedent('''
    import json, os, sys, time
    from pathlib import Path
    sys.path.insert(0, {root!r})
    from playbook.report import files
    from playbook.report.child import Job
    job = Job(**json.loads(sys.stdin.buffer.readline()))
    def tell(event, **facts):
        print(json.dumps(dict(event=event, **facts)), flush=True)
    page = job.page_folder
    page.mkdir(parents=True)
    fate = job.branch.partition("-")[0]
    name = f"{{job.branch}}_2026-09-30_{{job.lang}}"
    numbers = dict(name="滨江支行", in_scope=3, aum_end=10000.0, rejected=int(fate == "rejects"),
                   synthetic=True)
    tell("opened", as_of="2026-09-30", name="滨江支行")
    (page / "1_segment.ipynb").write_text("{{}}", encoding="utf-8")
    if fate == "stutters":
        print('{{"event": "st', flush=True)
        os._exit(1)
    if fate == "dies":
        os._exit(137)
    if fate == "hangs":
        time.sleep(60)
    if fate in ("fails", "full"):
        facts = dict(step="1_segment", cell=3, kind="KeyError")
        cause = dict(key="cell_failed", facts=facts, exit=4)
        if fate == "full":
            cause = dict(key="no_room", facts=dict(), exit=6)
        tell("step", step="1_segment", status="failed", seconds=1, cause=cause)
        tell("end", status="failed", cause=cause)
        sys.exit(cause["exit"])
    (page / f"{{name}}.html").write_text("页", encoding="utf-8")
    files.write_manifest(page, dict(run=job.run, branch=job.branch, as_of="2026-09-30",
                                    lang=job.lang, name=name, facts=numbers))
    if fate == "damaged":
        (page / f"{{name}}.html").write_text("改", encoding="utf-8")
    tell("step", step="1_segment", status="ok", seconds=1)
    tell("facts", **numbers)
    tell("end", status="ok")
''')


@pytest.fixture
def make(tmp_path, monkeypatch):
    script = tmp_path / "child.py"
    root = str(Path(run.__file__).parents[2])
    script.write_text(CHILD.format(root=root), encoding="utf-8")
    data = tmp_path / "data"
    data.mkdir()
    (data / "clients.csv").write_text("client_id\n", encoding="utf-8")
    monkeypatch.setattr(run, "CHILD", [sys.executable, "-X", "utf8", str(script)])
    monkeypatch.setattr(facts, "locate", lambda given: (given, data))
    monkeypatch.setattr(facts, "policy_argument", lambda given: ("", ""))
    monkeypatch.setattr(settings, "GRACE_SECONDS", 2)

    def made(*branches, tell=run._silent, **more):
        monkeypatch.setattr(facts, "branches_of", lambda given: list(branches))
        request = run.Request(data="sample", out=tmp_path / "out", lang="zh", jobs=2, **more)
        return run.make_reports(request, tell)

    made.out = tmp_path / "out"
    made.data = data
    return made


def names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir() if not path.name.startswith(".")}


def test_all_branches_done(make):
    result = make("ok-1", "ok-2", "ok-3")
    assert result.exit_code == settings.OK
    published = {f"ok-{i}_2026-09-30_zh" for i in (1, 2, 3)}
    assert names(make.out) == published | {"index.html", "ledger.jsonl"}
    assert all(files.is_whole(make.out / name) for name in published)
    assert not (make.out / settings.ATTEMPTS).exists()
    page = result.index.read_text(encoding="utf-8")
    for name in published:
        assert f'href="{name}/{name}.html"' in page


@pytest.mark.parametrize(
    ("fate", "cause"),
    [
        ("fails", "cell_failed"), ("dies", "process_died"), ("stutters", "process_died"),
        ("damaged", "not_whole"),
    ],
)
def test_a_failing_branch_leaves_the_others_whole(make, fate, cause):
    result = make("ok-1", f"{fate}-2", "ok-3")
    assert result.exit_code == settings.SOME
    assert [branch.ok for branch in result.branches] == [True, False, True]
    assert result.branches[1].cause["key"] == cause
    assert (make.out / settings.FAILED / f"{fate}-2_zh" / "1_segment.ipynb").exists()
    assert files.is_whole(make.out / "ok-1_2026-09-30_zh")
    entries = [entry for entry in ledger.read(make.out) if entry["kind"] == "branch"]
    assert {(e["branch"], e["status"], e["cause"]) for e in entries} == {
        ("ok-1", "ok", None), (f"{fate}-2", "failed", cause), ("ok-3", "ok", None),
    }  # fmt: skip
    assert f"{fate}-2" in result.index.read_text(encoding="utf-8")


def test_nothing_usable(make):
    assert make("fails-1", "fails-2").exit_code == settings.NOTHING


def test_rejected_rows_are_told_by_the_exit_code(make):
    assert make("ok-1", "rejects-2").exit_code == settings.SOME


def test_a_full_disk_ends_the_run(make):
    result = make("full-1", "full-2", "ok-3", "ok-4")
    assert result.exit_code == settings.NO_ROOM
    assert {branch.branch for branch in result.branches} == {"full-1", "full-2", "ok-3", "ok-4"}


def test_a_branch_that_never_ends_is_ended(make, monkeypatch):
    monkeypatch.setattr(settings, "BRANCH_SECONDS", 1)
    result = make("hangs-1", "ok-2")
    assert result.branches[0].cause["key"] == "branch_timeout"
    assert result.branches[1].ok


def test_an_old_report_stays_when_the_new_one_fails(make, monkeypatch):
    make("ok-1")
    before = (make.out / "ok-1_2026-09-30_zh" / settings.MANIFEST).read_bytes()
    monkeypatch.setattr(run, "CHILD", [sys.executable, "-c", "import os; os._exit(1)"])
    result = make("ok-1")
    assert result.exit_code == settings.NOTHING
    assert (make.out / "ok-1_2026-09-30_zh" / settings.MANIFEST).read_bytes() == before
    assert files.is_whole(make.out / "ok-1_2026-09-30_zh")


def test_success_clears_what_an_earlier_failure_left(make):
    left = make.out / settings.FAILED / "ok-1_zh"
    left.mkdir(parents=True)
    make("ok-1")
    assert not left.exists()


def test_data_that_changes_during_the_run_is_told(make):
    def change(branch, event, facts):
        if event == "done":
            (make.data / "clients.csv").write_text("client_id\nC1\n", encoding="utf-8")

    result = make("ok-1", tell=change)
    assert result.inputs_changed and result.exit_code == settings.SOME
    assert ledger.read(make.out)[-1]["status"] == "changed"


def test_unknown_branches_are_named_with_those_there_are(make):
    with pytest.raises(ReportError) as told:
        make("B01", "B02", branches=("B02", "B9"))
    assert told.value.exit_code == settings.USAGE
    for lang in ("zh", "en"):
        assert "B9" in told.value.sentence(lang) and "B01, B02" in told.value.sentence(lang)


def test_a_branch_id_that_is_no_file_name_is_refused(make):
    with pytest.raises(ReportError) as told:
        make("../evil")
    assert told.value.key == "unsafe_id"
    assert not make.out.exists()


def test_a_second_run_is_refused_without_touching_the_first(make):
    started = threading.Event()
    first: list = []

    def tell(branch, event, facts):
        if event == "opened":
            started.set()

    worker = threading.Thread(target=lambda: first.append(make("hangs-1", tell=tell)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "BRANCH_SECONDS", 4)
        worker.start()
        assert started.wait(20)
        with pytest.raises(ReportError) as told:
            make("hangs-1")
        assert told.value.exit_code == settings.BUSY
        worker.join()
    assert first[0].branches[0].cause["key"] == "branch_timeout"


@pytest.mark.skipif(os.name == "nt", reason="signals of a terminal are a matter of POSIX")
def test_ctrl_c_leaves_no_process_and_no_attempt(make, tmp_path):
    code = textwrap.dedent(f'''
        import sys
        from pathlib import Path
        from playbook.report import facts, run
        run.CHILD = {run.CHILD!r}
        facts.locate = lambda given: (given, Path({str(make.data)!r}))
        facts.branches_of = lambda given: ["hangs-1", "hangs-2"]
        facts.policy_argument = lambda given: ("", "")
        def tell(branch, event, facts):
            if event == "opened":
                print(branch, flush=True)
        try:
            run.make_reports(run.Request("sample", Path({str(make.out)!r}), "zh", jobs=2), tell)
        except KeyboardInterrupt:
            sys.exit(130)
    ''')
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as runner:
        assert {runner.stdout.readline().strip() for _ in range(2)} == {b"hangs-1", b"hangs-2"}
        runner.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert runner.wait(20) == 130
        assert time.monotonic() - begun < 15
    assert not (make.out / settings.ATTEMPTS).exists()
    assert ledger.read(make.out)[-1]["status"] == "interrupted"
    alive = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False)
    assert str(tmp_path / "child.py") not in alive.stdout


def test_the_index_holds_reports_of_earlier_runs_and_says_when_one_is_damaged(make):
    make("ok-1")
    page = make("ok-2").index.read_text(encoding="utf-8")
    assert "ok-1_2026-09-30_zh.html" in page and "ok-2_2026-09-30_zh.html" in page
    broken = make.out / "ok-1_2026-09-30_zh" / "ok-1_2026-09-30_zh.html"
    broken.write_text("x", encoding="utf-8")
    page = make("ok-2").index.read_text(encoding="utf-8")
    assert t("report.cause.not_whole", "zh") in page


def test_the_ledger_names_inputs_code_and_versions(make):
    make("ok-1")
    begin = next(entry for entry in ledger.read(make.out) if entry["kind"] == "run")
    assert len(begin["data"]) == len(begin["code"]) == len(begin["notebooks"]) == 64
    assert begin["versions"]["pandas"]
    assert json.dumps(begin)  # plain values only
