"""A learner's folder: nothing a learner wrote is lost; the server speaks to this machine only."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

from playbook.cli import learn
from playbook.cli.main import main
from playbook.train.workspace import lay


def test_a_first_time_writes_and_a_second_changes_nothing(tmp_path: Path) -> None:
    files = {"a.txt": "甲", "b.txt": "乙"}
    assert lay(tmp_path, files).new == ("a.txt", "b.txt")
    again = lay(tmp_path, files)
    assert (again.new, again.renewed, again.kept) == ((), ("a.txt", "b.txt"), ())


def test_an_unchanged_copy_is_renewed_and_a_changed_one_kept(tmp_path: Path) -> None:
    lay(tmp_path, {"a.txt": "old", "b.txt": "old"})
    (tmp_path / "b.txt").write_text("mine", encoding="utf-8")
    result = lay(tmp_path, {"a.txt": "new", "b.txt": "new"})
    assert (result.renewed, result.kept) == (("a.txt",), ("b.txt",))
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == "mine"
    # Still the learner's own after the next release, and the one after that.
    assert lay(tmp_path, {"a.txt": "new", "b.txt": "newer"}).kept == ("b.txt",)


@pytest.mark.parametrize("damage", ["", "{", "[1]", None])
def test_without_a_good_record_nothing_is_overwritten(tmp_path: Path, damage: str | None) -> None:
    lay(tmp_path, {"a.txt": "old"})
    record = tmp_path / ".laid.json"
    record.unlink() if damage is None else record.write_text(damage, encoding="utf-8")
    assert lay(tmp_path, {"a.txt": "new"}).kept == ("a.txt",)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"


def test_a_fresh_start_puts_the_old_ones_aside_each_time(tmp_path: Path) -> None:
    lay(tmp_path, {"a.txt": "one"})
    (tmp_path / "a.txt").write_text("mine", encoding="utf-8")
    assert lay(tmp_path, {"a.txt": "two"}, fresh=True).put_aside == "before-1"
    assert lay(tmp_path, {"a.txt": "three"}, fresh=True).put_aside == "before-2"
    assert (tmp_path / "before-1" / "a.txt").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "before-2" / "a.txt").read_text(encoding="utf-8") == "two"
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "three"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_prepare_lays_readable_notebooks_of_one_language(tmp_path: Path, lang: str, capsys) -> None:
    assert main(["learn", "--lang", lang, "--out", str(tmp_path), "--prepare"]) == 0
    other = "en" if lang == "zh" else "zh"
    pages = sorted((tmp_path / lang).glob("*.ipynb"))
    assert [page.stem for page in pages][:2] == ["0_start", "1_segment"]
    for page in pages:
        notebook = nbformat.read(page, as_version=4)
        nbformat.validate(notebook)
        assert not any(other in cell.metadata.get("tags", []) for cell in notebook.cells)
        assert any("interactive" in cell.metadata.get("tags", []) for cell in notebook.cells)
    assert str(tmp_path) in capsys.readouterr().out


def test_lab_asks_nothing_of_the_outside() -> None:
    settings = learn.lab_settings("zh")
    notice = settings["@jupyterlab/apputils-extension:notification"]
    assert notice == {"checkForUpdates": False, "fetchNews": "false"}
    assert settings["@jupyterlab/translation-extension:plugin"]["locale"] == "zh_CN"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="ends the server by a POSIX signal")
def test_the_server_starts_in_chinese_and_ends_clean(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "playbook", "learn", "--out", str(tmp_path), "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True,
        encoding="utf-8", start_new_session=True,
    )  # fmt: skip
    try:
        seen = []
        address = None
        until = time.monotonic() + 120
        while address is None and time.monotonic() < until:
            line = process.stdout.readline()
            if not line:
                break
            seen.append(line)
            address = re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\S+", line)
        assert address, seen
        base, _, token = address[0].partition("/lab?token=")
        request = urllib.request.Request(
            f"{base}/lab/api/settings/@jupyterlab/translation-extension:plugin",
            headers={"Authorization": f"token {token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert "zh_CN" in json.dumps(json.load(answer))
        with pytest.raises(urllib.error.HTTPError), urllib.request.urlopen(
            f"{base}/api/contents", timeout=60
        ):
            pass
    finally:
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
    assert process.returncode == 0, rest
    assert "Traceback" not in "".join(seen) + rest
    assert "已关闭" in rest
