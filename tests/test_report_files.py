"""Files of a run are whole or not there, whatever happens in between."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from playbook.report import files, ledger, settings
from playbook.report.errors import ReportError


def folder(path: Path, content: str, name: str) -> Path:
    path.mkdir(parents=True)
    (path / "page.html").write_text(content, encoding="utf-8")
    files.write_manifest(path, {"name": name})
    return path


def test_a_broken_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    files.write_atomic(path, "old")

    def full(_handle):
        raise OSError(28, "no space")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError):
        files.write_atomic(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("harm", ["change", "remove", "manifest"])
def test_whole_means_that_the_hashes_check(tmp_path, harm):
    page = folder(tmp_path / "B01", "报告", "B01")
    assert files.is_whole(page)
    if harm == "change":
        (page / "page.html").write_text("另一份", encoding="utf-8")
    elif harm == "remove":
        (page / "page.html").unlink()
    else:
        (page / settings.MANIFEST).write_text("{", encoding="utf-8")
    assert not files.is_whole(page)


def test_publishing_replaces_an_older_report(tmp_path):
    target = folder(tmp_path / "out" / "B01", "old", "B01")
    run = tmp_path / "out" / settings.ATTEMPTS / "r1"
    files.publish(folder(run / "B01" / "page", "new", "B01"), target, run)
    assert (target / "page.html").read_text(encoding="utf-8") == "new"
    assert files.is_whole(target)
    assert not list(run.glob("was-*"))


def test_when_the_second_rename_fails_the_old_report_is_back(tmp_path):
    target = folder(tmp_path / "out" / "B01", "old", "B01")
    run = tmp_path / "out" / settings.ATTEMPTS / "r1"
    run.mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        files.publish(run / "not-there", target, run)
    assert (target / "page.html").read_text(encoding="utf-8") == "old"


def test_a_machine_that_stops_between_the_renames_loses_nothing(tmp_path):
    out = tmp_path / "out"
    run = out / settings.ATTEMPTS / "r1"
    folder(run / "was-B01", "old", "B01")
    folder(run / "B01" / "page", "new", "B01")
    files.recover(out)
    assert (out / "B01" / "page.html").read_text(encoding="utf-8") == "old"
    assert not (out / settings.ATTEMPTS).exists()


def test_a_second_run_is_refused_and_a_dead_one_holds_nothing(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from playbook.report import files\n"
        "with files.only_run(Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(ReportError) as refused, files.only_run(tmp_path):
            pass
        assert (refused.value.key, refused.value.exit_code) == ("busy", settings.BUSY)
        holder.kill()
    with files.only_run(tmp_path):
        pass


@pytest.mark.parametrize("bad", ["../B01", "B 01", "网点", "", "a" * 33, "B01\n"])
def test_branch_ids_that_are_no_file_names_are_refused(bad):
    with pytest.raises(ReportError):
        files.safe_id(bad)


def test_the_ledger_survives_a_half_written_line(tmp_path):
    book = ledger.Ledger(tmp_path, "r1")
    book.add("run", branches=["B01"])
    with book.path.open("ab") as out:
        out.write(b'{"kind": "bro')
    book.add("end", status="done")
    assert [entry["kind"] for entry in ledger.read(tmp_path)] == ["run", "end"]
    assert all(entry["run"] == "r1" for entry in ledger.read(tmp_path))
    lines = book.path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3 and json.loads(lines[2])["status"] == "done"
