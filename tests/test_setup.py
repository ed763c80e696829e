"""The pins are the same everywhere, every file is hashed, and no address stands anywhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import lock
import pytest
import yaml
from kit_env import python_window
from kit_pip import plain, read_lock
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIRECT = dict(pin.split("==") for pin in lock.direct_pins(PROJECT))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENTRIES = read_lock(str(ROOT))


def locked_here() -> dict[str, Requirement]:
    """The lock's packages that this machine and Python install."""
    found = {}
    for name, text in ENTRIES:
        requirement = Requirement(text.split("\\")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate():
            found[name] = requirement
    return found


def version_of(requirement: Requirement) -> str:
    (pin,) = requirement.specifier
    assert pin.operator == "=="
    return pin.version


@pytest.mark.parametrize("pin", lock.direct_pins(PROJECT))
def test_a_direct_dependency_has_one_exact_version(pin: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin)


@pytest.mark.parametrize("name", DIRECT)
def test_a_direct_dependency_is_locked_in_its_version(name: str) -> None:
    locked = locked_here()
    assert plain(name) in locked
    assert version_of(locked[plain(name)]) == DIRECT[name]


def test_the_conda_environment_has_the_same_pins_and_python() -> None:
    told = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (by_pip,) = [entry["pip"] for entry in told["dependencies"] if isinstance(entry, dict)]
    assert dict(line.split("==") for line in by_pip if "==" in line) == DIRECT
    assert [line for line in by_pip if "==" not in line] == ["-e ."]
    assert f"python {PROJECT['requires-python']}" in told["dependencies"]
    assert "channels" not in told, "conda asks where its owner told it to"


def test_the_conda_environment_is_what_the_script_writes() -> None:
    assert (ROOT / "environment.yml").read_text(encoding="utf-8") == lock.environment_text(PROJECT)


def test_every_locked_package_has_one_version_and_hashes() -> None:
    assert len(ENTRIES) > len(DIRECT)
    for name, text in ENTRIES:
        first, *rest = text.splitlines()
        assert re.match(r"[a-z0-9-]+==[0-9][^ ]*( ;.*)? \\$", first), first
        assert rest, f"{name} has no hash"
        for line in rest:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yml", ".ci/run"])
def test_no_address_and_no_index_is_written(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|^-[if] ", text, re.M)
    assert not re.search(r"\w\.(org|com|cn|io|net)\b", text)


def test_the_lock_holds_all_that_its_packages_need_here() -> None:
    """pip resolves nothing at set-up (--no-deps), so what the lock lacks would be missing."""
    locked = locked_here()
    lacking = []
    for name in locked:
        for line in metadata.requires(name) or []:
            need = Requirement(line)
            if need.marker is not None and not need.marker.evaluate({"extra": ""}):
                continue
            have = locked.get(plain(need.name))
            if have is None or not need.specifier.contains(version_of(have), prereleases=True):
                lacking.append(f"{name} needs {line}")
    assert not lacking


def test_this_environment_is_the_locked_one() -> None:
    other = {
        name: (metadata.version(name), version_of(requirement))
        for name, requirement in locked_here().items()
        if metadata.version(name) != version_of(requirement)
    }
    assert not other


def test_the_python_window_is_read_from_the_project_file() -> None:
    low, high = python_window(str(ROOT))
    assert low == (3, 11)
    assert lock.python_minors(PROJECT["requires-python"])[0] == "3.11"
    assert low <= sys.version_info[:2] < high


def test_ci_runs_the_one_command() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    done = [line for line in lines if line and not line.startswith(("#", "set "))]
    assert done == [
        'cd "$(dirname "${BASH_SOURCE[0]}")/.."',
        "exec python3 scripts/kit.py test",
    ]


def test_everything_made_by_running_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    made = [".venv/x", ".venv.lock", "reports/B01/x.html", "workspace/x", "playbook/__pycache__/x"]
    kept = ["playbook/report/x.py", "datasets/sample/x.csv", "requirements.lock"]
    paths = made + kept + ["notebooks/.ipynb_checkpoints/x", ".hypothesis/x", "a.egg-info/x"]
    told = subprocess.run(
        ["git", "-C", str(tmp_path), "check-ignore", *paths], capture_output=True, text=True
    )
    assert set(told.stdout.split()) == set(paths) - set(kept)


def test_without_uv_the_lock_script_says_so(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock.shutil, "which", lambda name: None)
    assert lock.main([]) == 4
    assert "`uv`" in capsys.readouterr().err
    assert lock.main(["--environment-only"]) == 0
    assert (tmp_path / "environment.yml").exists()
    assert lock.main(["--nonsense"]) == 2
