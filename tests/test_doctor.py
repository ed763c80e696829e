"""Each check of the doctor says yes on a sound machine and no where its one thing is wrong."""

from __future__ import annotations

import io
from importlib import metadata
from types import SimpleNamespace

import pytest

from playbook import doctor, text
from playbook.cli.doctor import doctor as command


def test_a_sound_machine_has_no_failure(tmp_path) -> None:
    found = doctor.checks(tmp_path)
    assert [check.code for check in found] == [
        "python", "packages", "disk", "output", "font", "kernel", "console", "browser",
    ]  # fmt: skip
    # The disk and the browser are the machine's own affair.
    wrong = [c for c in found if c.status == "fail" and c.code != "disk"]
    assert wrong == []


def test_every_answer_has_its_words() -> None:
    facts = {
        "found": "3.11.7", "low": "3.11", "high": "3.14", "count": 22, "packages": "numpy",
        "free": 5, "folder": "reports", "characters": "镕", "reason": "RuntimeError",
        "encoding": "gbk", "path": "chromium",
    }  # fmt: skip
    keys = [key for key in text.keys_under("doctor.") if key.split(".")[1] not in ("mark", "end")]
    assert {key.split(".")[1] for key in keys} == {
        "python", "packages", "disk", "output", "font", "kernel", "console", "browser",
    }  # fmt: skip
    for key in keys:
        for lang in text.LANGS:
            assert "{" not in text.t(key, lang, **facts)


def test_an_unsupported_python_fails(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "_project", lambda: {"requires-python": ">=3.90,<3.95"})
    check = doctor.python_version()
    assert (check.status, check.facts["low"], check.facts["high"]) == ("fail", "3.90", "3.94")


@pytest.mark.parametrize(
    ("pins", "status"),
    [
        (["numpy==0.0.1", "pandas==3.1.1"], "warn"),
        (["numpy==0.0.1", "no-such-package-here==1.0"], "fail"),
        ([f"numpy=={metadata.version('numpy')}"], "ok"),
    ],
)
def test_packages_are_compared_with_the_pins(monkeypatch, pins, status) -> None:
    monkeypatch.setattr(doctor, "_project", lambda: {"dependencies": pins})
    assert doctor.pinned_packages().status == status


@pytest.mark.parametrize(("free_mb", "status"), [(100, "fail"), (500, "warn"), (5000, "ok")])
def test_disk_thresholds(monkeypatch, tmp_path, free_mb, status) -> None:
    usage = SimpleNamespace(free=free_mb * 10**6)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    check = doctor.disk(tmp_path)
    assert (check.status, check.facts["free"]) == (status, free_mb)


def test_a_folder_that_cannot_be_written_fails(monkeypatch, tmp_path) -> None:
    def refuse(dir):
        raise PermissionError(13, "denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert doctor.output_folder(tmp_path / "not" / "yet").facts == {"folder": str(tmp_path)}
    assert doctor.output_folder(tmp_path).status == "fail"


def test_a_font_that_lacks_name_characters_warns_and_a_missing_one_fails(monkeypatch) -> None:
    from playbook.show import fonts

    monkeypatch.setattr(fonts, "missing", lambda text: "镕")
    assert doctor.font() == doctor.Check("font", "warn", {"characters": "镕"})

    def gone(text):
        raise fonts.FontError("gone")

    monkeypatch.setattr(fonts, "missing", gone)
    assert doctor.font().status == "fail"


def test_a_kernel_that_does_not_start_fails_with_its_reason(monkeypatch) -> None:
    async def dead():
        raise RuntimeError("kernel died")

    monkeypatch.setattr(doctor, "_ask_kernel", dead)
    assert doctor.kernel() == doctor.Check("kernel", "fail", {"reason": "RuntimeError"})


@pytest.mark.parametrize(
    ("encoding", "status"), [("utf-8", "ok"), ("gbk", "ok"), ("ascii", "warn"), ("cp1252", "warn")]
)
def test_console_encodings(monkeypatch, encoding, status) -> None:
    monkeypatch.setattr(doctor.sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert doctor.console_encoding().status == status


def test_the_browser_is_optional(monkeypatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor.browser() == doctor.Check("browser", "warn")


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("warn", 0), ("fail", 4)])
def test_the_command_fails_only_on_a_failure(monkeypatch, capsys, status, code) -> None:
    answers = {
        "ok": doctor.Check("kernel", "ok"),
        "warn": doctor.Check("browser", "warn"),
        "fail": doctor.Check("kernel", "fail", {"reason": "RuntimeError"}),
    }
    monkeypatch.setattr("playbook.cli.doctor.checks", lambda: [answers[status]])
    assert command(SimpleNamespace(), "en") == code
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert said[0].startswith({"ok": "[ok]", "warn": "[note]", "fail": "[FAIL]"}[status])
