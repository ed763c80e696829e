"""scripts/kit.py: set up once, go on after a break, one clear sentence for every trouble.

Nothing here downloads: real set-ups use tiny packages made in the test, the rest a fake pip.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import re
import shutil
import socket
import string
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import kit
import kit_env
import kit_pip
import kit_setup
import kit_words
import pytest
from kit_env import Trouble

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "scripts").glob("kit*.py"))
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
PYPROJECT = f'[project]\nrequires-python = ">=3.11,<3.{sys.version_info.minor + 1}"\n'


# ------------------------------------------------------------------ a tiny project, really set up


def make_wheel(folder: Path, name: str, version: str = "1.0", body: str = "x = 1\n") -> str:
    """A pure-Python wheel of one module; returns its line for the lock."""
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": body,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,{len(text)}\n" for path, text in files.items())
    record += f"{about}/RECORD,,\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for inside, text in [*files.items(), (f"{about}/RECORD", record)]:
            file.writestr(inside, text)
    return locked(name, version, hashlib.sha256(path.read_bytes()).hexdigest())


def locked(name: str, version: str, sha256: str, marker: str = "") -> str:
    return f"{name}=={version}{marker} \\\n    --hash=sha256:{sha256}\n"


class Project:
    """A project folder with the real scripts, three tiny packages and a `playbook` that echoes."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "项目 a"  # a blank and Chinese characters, as in real folder names
        self.wheels = folder / "wheels"
        self.wheels.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        (self.root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        self.lines = [make_wheel(self.wheels, name) for name in ("tiny_a", "tiny_b", "tiny_c")]
        # As in the real lock: a version for other Pythons beside the one for this Python.
        self.lines.append(locked("tiny-c", "9.9", "0" * 64, " ; python_full_version < '3.2'"))
        self.lock()
        package = self.root / "playbook"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(
            "import json, sys\nprint(json.dumps(sys.argv[1:]))\nsys.exit(len(sys.argv))\n",
            encoding="utf-8",
        )

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def site(self) -> Path:
        return Path(kit_env.ask_interpreter(str(self.venv))["site"])

    def state(self) -> dict:
        return json.loads((self.venv / "kit.json").read_text(encoding="utf-8"))

    def lock(self) -> None:
        text = "# a comment\n" + "".join(self.lines)
        (self.root / "requirements.lock").write_text(text, encoding="utf-8")

    def env(self, **more: str) -> dict[str, str]:
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "KIT_"))}
        return {
            **keep,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PLAYBOOK_LANG": "en",
            "PYTHONIOENCODING": "utf-8",
            **more,
        }

    def run(self, *arguments: str, before: str = "", **env: str) -> subprocess.CompletedProcess:
        """`kit.py ARGUMENTS` in a new process; `before` is Python run first (to break things)."""
        code = (
            f"import sys; sys.path.insert(0, {str(self.root / 'scripts')!r})\n"
            f"import kit, kit_pip, kit_env, kit_setup, os\n{before}\n"
            "sys.exit(kit.main(sys.argv[1:]))"
        )
        command = [sys.executable, "-c", code] if before else [sys.executable, "scripts/kit.py"]
        return subprocess.run(
            [*command, *arguments],
            cwd=self.root,
            env=self.env(**env),
            capture_output=True,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=240,
        )


@pytest.fixture(scope="module")
def ready(tmp_path_factory) -> Project:
    """A project that was set up; tests that use it leave it ready."""
    project = Project(tmp_path_factory.mktemp("ready"))
    done = project.run("setup")
    assert done.returncode == 0, done.stdout + done.stderr
    project.first = done
    return project


def test_the_first_run_tells_its_four_steps_and_says_nothing_on_the_output(ready) -> None:
    assert [f"[{n}/4]" in ready.first.stderr for n in (1, 2, 3, 4)] == [True] * 4
    assert "4/4" in ready.first.stderr
    assert "Ready" in ready.first.stderr
    assert ready.first.stdout == ""
    assert "\x1b" not in ready.first.stderr and "\r" not in ready.first.stderr
    assert ready.state()["complete"] is True


def test_the_command_gets_its_arguments_and_its_exit_code_comes_back(ready) -> None:
    done = ready.run("report", "--lang", "zh", "--branch", "B01")
    assert json.loads(done.stdout) == ["report", "--branch", "B01", "--lang", "zh"]
    assert done.returncode == 6
    assert done.stderr == "", "a set-up that is done says nothing"


def test_the_installed_command_works_from_anywhere(ready, tmp_path) -> None:
    command = ready.venv / ("Scripts/playbook.cmd" if os.name == "nt" else "bin/playbook")
    done = subprocess.run([command, "check"], cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(done.stdout) == ["check"]
    assert done.returncode == 2


def test_a_playbook_of_somebody_else_is_not_taken_for_ours(ready, tmp_path) -> None:
    other = tmp_path / "playbook"
    other.mkdir()
    (other / "__init__.py").touch()
    (other / "__main__.py").write_text("raise SystemExit('not ours')\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, ready.root / "scripts" / "kit.py", "report"],
        cwd=tmp_path,
        env=ready.env(PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == ["report"]


def test_setup_repairs_a_file_that_is_missing(ready) -> None:
    (ready.site / "tiny_b.py").unlink()
    kept = ready.site / "tiny_a.py"
    done = ready.run("setup")
    assert done.returncode == 0, done.stderr
    assert (ready.site / "tiny_b.py").exists() and kept.exists()
    again = ready.run("setup")
    assert (again.returncode, again.stderr) == (0, "")


def test_killed_in_the_middle_it_goes_on_and_repairs(tmp_path) -> None:
    project = Project(tmp_path)
    one_each = "kit_pip.PART = 1\n"
    # Killed after two packages: no clean-up of any kind runs.
    kill = one_each + (
        "done = kit_pip.Progress.part_done\n"
        "def part_done(self, size):\n"
        "    done(self, size)\n"
        "    if self.before == 2:\n"
        "        os._exit(9)\n"
        "kit_pip.Progress.part_done = part_done\n"
    )
    assert project.run("setup", before=kill).returncode == 9
    assert project.state()["complete"] is False
    assert sorted(pin for pins in project.state()["parts"].values() for pin in pins) == [
        "tiny-a==1.0",
        "tiny-b==1.0",
    ]

    # What the kill left is not trusted: one package lost a file, one is half there unrecorded.
    whole = project.site / "tiny_a.py"
    before = whole.stat().st_mtime_ns
    (project.site / "tiny_b.py").unlink()
    half = project.site / "tiny_c-1.0.dist-info"
    half.mkdir()
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny_c\nVersion: 1.0\n")

    done = project.run("setup", before=one_each)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "going on from package 1 of 4" in done.stderr
    assert whole.stat().st_mtime_ns == before, "what was intact is not installed again"
    for name in ("tiny_a", "tiny_b", "tiny_c"):
        assert (project.site / f"{name}.py").exists()
        assert (project.site / f"{name}-1.0.dist-info" / "RECORD").exists()
    assert project.state()["complete"] is True


# ------------------------------------------------------------------ real pip, in real trouble


def pip_fails(project: Project, monkeypatch, lines: str, **env: str) -> Trouble:
    for key in [key for key in os.environ if key.startswith("PIP_")]:
        monkeypatch.delenv(key)
    for key, value in project.env(**env).items():
        monkeypatch.setenv(key, value)
    part = project.venv / "bad.txt"
    part.write_text(lines, encoding="utf-8")
    command = kit_pip.pip_command(str(project.venv), str(part))
    code, heard = kit_pip.run_pip(command, str(project.venv / "bad.log"), lambda line: None)
    assert code != 0, heard
    assert (project.venv / "bad.log").read_text(encoding="utf-8").endswith(heard)
    trouble = kit_pip.diagnose(heard, str(project.venv), "tiny_x")
    assert trouble is not None, heard
    return trouble


def test_a_file_that_is_not_the_locked_one_is_refused(ready, monkeypatch) -> None:
    trouble = pip_fails(ready, monkeypatch, locked("tiny_a", "1.0", "0" * 64))
    assert (trouble.code, trouble.key) == (4, "hash")
    assert "tiny_a" in trouble.facts["name"]


def test_a_package_without_a_ready_built_file_is_named(ready, monkeypatch) -> None:
    odd = ready.wheels / "tiny_d-1.0-cp38-cp38-win32.whl"
    shutil.copy(ready.wheels / "tiny_a-1.0-py3-none-any.whl", odd)
    trouble = pip_fails(ready, monkeypatch, locked("tiny_d", "1.0", "0" * 64))
    assert (trouble.code, trouble.key) == (4, "wheel")
    assert trouble.facts["name"] == "tiny_d==1.0"


def test_without_network_it_says_network(ready, monkeypatch) -> None:
    with socket.socket() as held:  # a port where nobody listens
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    trouble = pip_fails(
        ready,
        monkeypatch,
        locked("tiny_z", "1.0", "0" * 64),
        PIP_NO_INDEX="0",
        PIP_FIND_LINKS="",
        PIP_INDEX_URL=f"http://127.0.0.1:{port}/simple",
        PIP_RETRIES="1",
        NO_PROXY="127.0.0.1",
    )
    assert (trouble.code, trouble.key) == (4, "network")


@pytest.mark.parametrize(
    ("said", "code", "key"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left",
            6,
            "disk",
        ),
        ("OSError: [WinError 112] 磁盘空间不足。", 6, "disk"),
        ("MemoryError", 6, "memory"),
        ("ERROR: OSError: [Errno 13] Permission denied: '/x/numpy'", 4, "permission"),
        ("PermissionError: [WinError 5] 拒绝访问。: 'C:\\x'", 4, "permission"),
        ("OSError: [WinError 206] 文件名或扩展名太长。", 4, "path"),
        ("HINT: ... does not have Windows Long Path support enabled", 4, "path"),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]",
            4,
            "certificate",
        ),
        ('ReadTimeoutError("HTTPSConnectionPool: Read timed out.")', 4, "network"),
        ("ERROR: HTTP error 403 while getting x", 4, "refused"),
        ("requests.exceptions.HTTPError: 503 Server Error: Unavailable for url", 4, "refused"),
    ],
)
def test_what_pip_says_is_recognised(tmp_path, said, code, key) -> None:
    trouble = kit_pip.diagnose("Collecting numpy==2.4.6\n" + said, str(tmp_path), "numpy")
    assert (trouble.code, trouble.key) == (code, key)
    for lang in (None, "zh", "en"):
        assert "{" not in kit_words.Voice(lang).words(trouble.key, **trouble.facts)


def test_a_drop_that_was_recovered_from_is_not_the_cause(tmp_path) -> None:
    heard = (
        "Collecting numpy==2.4.6\nWARNING: Retrying ... NewConnectionError\n"
        "Collecting scipy==1.17.1\nERROR: OSError: [Errno 28] No space left on device\n"
    )
    assert kit_pip.diagnose(heard, str(tmp_path), "scipy").key == "disk"
    assert kit_pip.diagnose("something new", str(tmp_path), "scipy") is None


# ------------------------------------------------------------------ with a fake pip, all the rest


class Fake:
    """Stands for pip and the environment's interpreter: `says` is what pip answers, in order."""

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.site = venv / "site"
        self.asked: list[list[str]] = []
        self.says: list[tuple[int, str]] = []
        self.made = 0
        self.loses: set[str] = set()

    def make_venv(self, venv: str, names: dict) -> dict:
        self.made += 1
        self.site.mkdir(parents=True)
        (self.venv / "bin").mkdir(exist_ok=True)
        (self.venv / "Scripts").mkdir(exist_ok=True)
        (self.venv / "pyvenv.cfg").touch()
        (self.venv / "alive").touch()
        return self.ask(venv)

    def ask(self, venv: str) -> dict | None:
        if not (self.venv / "alive").exists():
            return None
        return {"python": HERE, "site": str(self.site), "inside": True, "pip": True}

    def run_pip(self, command: list[str], log: str, on_line) -> tuple[int, str]:
        code, heard = self.says.pop(0) if self.says else (0, "")
        names = re.findall(r"^(\w+)==", Path(command[-1]).read_text(encoding="utf-8"), re.M)
        self.asked.append(names)
        for name in names if code == 0 else []:
            on_line(f"Collecting {name}==1.0")
            self.put(name)
        Path(log).write_text(heard, encoding="utf-8")
        return code, heard

    def put(self, name: str, version: str = "1.0") -> None:
        about = self.site / f"{name}-{version}.dist-info"
        about.mkdir(exist_ok=True)
        (about / "RECORD").write_text(f"{name}.py,sha256=x,2\n{about.name}/RECORD,,\n")
        if name not in self.loses:
            (self.site / f"{name}.py").write_text("x\n", newline="")


@pytest.fixture
def fake(tmp_path, monkeypatch) -> Fake:
    """A project of three packages, one a part, at `tmp_path`, whose pip is a fake."""
    root = tmp_path
    (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    write_lock(root, "aa", "bb", "cc")
    stand_in = Fake(root / ".venv")
    monkeypatch.delenv("KIT_VENV", raising=False)
    monkeypatch.setenv("PLAYBOOK_LANG", "en")
    monkeypatch.setattr(kit_pip, "PART", 1)
    monkeypatch.setattr(kit_setup, "make_venv", stand_in.make_venv)
    monkeypatch.setattr(kit_env, "ask_interpreter", stand_in.ask)
    monkeypatch.setattr(kit_pip, "run_pip", stand_in.run_pip)
    return stand_in


def write_lock(root: Path, *names: str) -> None:
    text = "".join(locked(name, "1.0", "0" * 64) for name in names)
    (root / "requirements.lock").write_text(text, encoding="utf-8")


def start(fake: Fake, *arguments: str) -> int:
    return kit.main(list(arguments) or ["setup"], root=str(fake.venv.parent))


def test_done_is_done(fake, capsys) -> None:
    assert start(fake) == 0
    assert "First use" in capsys.readouterr().err
    assert start(fake) == 0
    assert (fake.made, fake.asked) == (1, [["aa"], ["bb"], ["cc"]])
    assert capsys.readouterr().err == ""


def test_file_times_mean_nothing(fake) -> None:
    start(fake)
    for name in ("requirements.lock", "pyproject.toml"):
        os.utime(fake.venv.parent / name, (1, 1))
    os.utime(fake.venv / "kit.json", (2**31, 2**31))
    start(fake)
    assert fake.made == 1


def test_another_lock_makes_another_environment(fake, capsys) -> None:
    start(fake)
    write_lock(fake.venv.parent, "aa", "bb")
    assert start(fake) == 0
    assert fake.made == 2
    assert fake.asked[3:] == [["aa"], ["bb"]]
    assert not (fake.site / "cc.py").exists(), "nothing of the old environment stays"
    assert "has changed" in capsys.readouterr().err
    assert sorted(p.name for p in fake.venv.parent.glob(".venv*")) == [".venv", ".venv.lock"]


def test_another_project_file_installs_nothing_again(fake) -> None:
    start(fake)
    with (fake.venv.parent / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# more\n")
    assert not kit_env.is_ready(str(fake.venv.parent), str(fake.venv))
    assert start(fake) == 0
    assert (fake.made, len(fake.asked)) == (1, 3)
    assert kit_env.is_ready(str(fake.venv.parent), str(fake.venv))


@pytest.mark.parametrize("key", ["python", "machine", "root"])
def test_another_python_machine_or_folder_makes_another_environment(fake, key) -> None:
    start(fake)
    state = json.loads((fake.venv / "kit.json").read_text(encoding="utf-8"))
    state[key] = "other"
    (fake.venv / "kit.json").write_text(json.dumps(state), encoding="utf-8")
    assert start(fake) == 0
    assert fake.made == 2


def test_a_dead_interpreter_is_noticed_and_the_environment_made_again(fake, capsys) -> None:
    start(fake)
    (fake.venv / "alive").unlink()
    capsys.readouterr()
    assert start(fake, "setup") == 0
    assert fake.made == 2
    assert "incomplete or damaged" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"complete": true}', "\x00"])
def test_an_unreadable_record_is_not_trusted(fake, text) -> None:
    start(fake)
    (fake.venv / "kit.json").write_text(text, encoding="utf-8")
    assert start(fake) == 0
    assert fake.made == 2


def test_a_package_of_another_version_put_in_by_hand_is_not_kept(fake) -> None:
    start(fake)
    fake.put("bb", "2.0")
    assert start(fake, "setup") == 0
    assert fake.made == 2
    assert not (fake.site / "bb-2.0.dist-info").exists()


def test_fresh_starts_from_nothing(fake) -> None:
    start(fake)
    assert start(fake, "setup", "--fresh") == 0
    assert fake.made == 2


def test_a_failure_keeps_what_was_installed(fake, capsys) -> None:
    fake.says = [(0, ""), (1, "Collecting bb==1.0\nERROR: [Errno 28] No space left on device")]
    assert start(fake) == 6
    assert "Not enough disk" in capsys.readouterr().err
    assert start(fake) == 0
    assert fake.asked == [["aa"], ["bb"], ["bb"], ["cc"]]
    assert "going on from package 1 of 3" in capsys.readouterr().err


def test_a_network_that_drops_is_tried_again_one_that_is_not_there_is_not(fake, capsys) -> None:
    drop = (1, "Collecting bb==1.0\nReadTimeoutError: Read timed out.")
    fake.says = [(0, ""), drop, drop]
    assert start(fake) == 0
    assert fake.asked == [["aa"], ["bb"], ["bb"], ["bb"], ["cc"]]
    assert "try 3" in capsys.readouterr().err

    fake.says = [(1, "Collecting aa==1.0\nNewConnectionError")]
    assert start(fake, "setup", "--fresh") == 4
    assert len(fake.asked) == 6
    assert "cannot be reached" in capsys.readouterr().err


def test_a_failure_nobody_foresaw_names_the_log(fake, capsys) -> None:
    fake.says = [(7, "a riddle")]
    assert start(fake) == 4
    said = capsys.readouterr().err
    assert "pip returned 7" in said and "setup.log" in said
    assert (fake.venv / "setup.log").read_text(encoding="utf-8") == "a riddle"


def test_files_taken_away_by_security_software_are_told_and_repaired(fake, capsys) -> None:
    fake.loses = {"bb"}
    assert start(fake) == 4
    assert "bb" in capsys.readouterr().err
    fake.loses = set()
    assert start(fake) == 0
    assert fake.asked[3:] == [["bb"]]


def test_a_package_that_does_not_start_is_named(fake, monkeypatch, capsys) -> None:
    monkeypatch.setitem(kit_setup.TRYOUT, "bb", "no_such_module_here")
    monkeypatch.setattr(kit_setup, "venv_python", lambda venv: sys.executable)
    assert start(fake) == 4
    assert "package bb is installed but does not start" in capsys.readouterr().err
    assert "no_such_module_here" in (fake.venv / "setup.log").read_text(encoding="utf-8")
    assert not kit_env.is_ready(str(fake.venv.parent), str(fake.venv))


def test_too_little_disk_is_told_before_anything_is_made(fake, monkeypatch, capsys) -> None:
    monkeypatch.setattr(kit_env, "free_mb", lambda path: 10)
    assert start(fake) == 6
    said = capsys.readouterr().err
    assert "10 MB free" in said and f"{kit_setup.NEED_MB} MB needed" in said
    assert (fake.made, fake.asked) == (0, [])


def test_a_disk_that_fills_while_writing_is_told(fake, monkeypatch, capsys) -> None:
    def full(venv, state):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kit_env, "save_state", full)
    assert start(fake) == 6
    assert "Not enough disk" in capsys.readouterr().err


def test_a_folder_without_write_permission_is_told(fake, monkeypatch, capsys) -> None:
    def refuse(*arguments, **more):
        raise PermissionError(13, "denied", str(fake.venv))

    monkeypatch.setattr(kit_setup.os, "makedirs", refuse)
    assert start(fake) == 4
    assert f"{fake.venv} cannot be written" in capsys.readouterr().err


def test_a_path_that_is_too_long_is_told(fake, monkeypatch, capsys) -> None:
    def too_long(path, exist_ok=False):
        if "kkk" in path:
            raise FileNotFoundError(2, "not found", path)  # what Windows answers
        Path(path).mkdir(parents=True, exist_ok=exist_ok)

    monkeypatch.setattr(kit_setup.os, "makedirs", too_long)
    assert start(fake) == 4
    assert "too long" in capsys.readouterr().err
    assert fake.made == 0


def test_the_longest_path_is_long_enough() -> None:
    venv = Path(sys.prefix)
    longest = max(
        len(str(path.relative_to(venv)))
        for path in (venv / "share").parent.rglob("*/galata/**/*")
        if "site-packages" in path.parts
    )
    # On Windows the same file lies under Lib\site-packages, one folder less.
    assert longest - len(f"lib/python{HERE}/") + len("Lib/") <= kit_setup.LONGEST


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told(fake, monkeypatch, capsys, module) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert start(fake) == 4
    assert f"lacks the module {module}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (">=3.90,<3.95", "too old; install Python 3.90 to 3.94"),
        (">=3.2,<3.5", "do not support yet; install Python 3.2 to 3.4"),
    ],
)
def test_a_python_outside_the_window_is_told(fake, capsys, window, words) -> None:
    text = f'[project]\nrequires-python = "{window}"\n'
    (fake.venv.parent / "pyproject.toml").write_text(text, encoding="utf-8")
    assert start(fake, "report") == 4
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_project_with_a_file_missing_is_told(fake, capsys, name) -> None:
    (fake.venv.parent / name).unlink()
    assert start(fake) == 4
    assert f"{name} is missing" in capsys.readouterr().err


def test_two_at_once_do_not_clash(fake, capsys) -> None:
    with kit_env.exclusive(f"{fake.venv}.lock"):
        assert start(fake) == 5
    assert "Another window" in capsys.readouterr().err
    assert fake.made == 0
    assert start(fake) == 0


def test_a_dead_holder_leaves_no_lock(tmp_path) -> None:
    path = tmp_path / "x.lock"
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
        f"import kit_env, os\nwith kit_env.exclusive({str(path)!r}):\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n    os._exit(9)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Trouble) as held, kit_env.exclusive(str(path)):
        pass
    assert held.value.code == 5
    holder.communicate()
    assert holder.returncode == 9
    with kit_env.exclusive(str(path)):
        pass


def test_a_folder_with_other_things_is_left_alone(fake, monkeypatch, capsys) -> None:
    home = fake.venv.parent / "home"
    home.mkdir()
    (home / "thesis.docx").write_text("years of work", encoding="utf-8")
    monkeypatch.setenv("KIT_VENV", str(home))
    assert start(fake) == 2
    assert start(fake, "setup", "--fresh") == 2
    assert (home / "thesis.docx").read_text(encoding="utf-8") == "years of work"
    assert "left alone" in capsys.readouterr().err


def test_an_interruption_ends_with_130_and_keeps_what_is_done(fake, monkeypatch, capsys) -> None:
    real = kit_pip.run_pip

    def interrupted(command, log, on_line):
        if fake.asked:
            raise KeyboardInterrupt
        return real(command, log, on_line)

    monkeypatch.setattr(kit_pip, "run_pip", interrupted)
    assert start(fake) == 130
    assert "Interrupted" in capsys.readouterr().err
    monkeypatch.setattr(kit_pip, "run_pip", real)
    assert start(fake) == 0
    assert fake.asked == [["aa"], ["bb"], ["cc"]]


def test_what_nobody_foresaw_is_a_sentence_too(fake, monkeypatch, capsys) -> None:
    monkeypatch.setattr(kit_setup, "make_venv", lambda venv, names: 1 / 0)
    assert start(fake) == 4
    said = capsys.readouterr().err
    assert "Something unexpected: ZeroDivisionError" in said and "Traceback" not in said


# ------------------------------------------------------------------ pip's process


def test_when_this_script_dies_pip_dies_too(tmp_path) -> None:
    (tmp_path / "pip.py").write_text(
        "import time\nprint('up', flush=True)\ntime.sleep(60)\n", encoding="utf-8"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", kit_pip.GUARD],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout.readline().strip() == b"up"
    child.stdin.close()
    assert child.wait(timeout=20) == 1
    child.stdout.close()


def test_pip_is_ended_when_this_is_interrupted(tmp_path) -> None:
    code = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n"
    pids = []

    def hear(line):
        if line:
            pids.append(int(line))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kit_pip.run_pip([sys.executable, "-c", code], str(tmp_path / "log"), hear)
    if os.name != "nt":
        with pytest.raises(ProcessLookupError):
            os.kill(pids[0], 0)


def test_there_are_signs_of_life_while_pip_is_silent(tmp_path) -> None:
    beats = []
    code = "import time\ntime.sleep(1.4)\n"
    kit_pip.run_pip([sys.executable, "-c", code], str(tmp_path / "log"), beats.append)
    assert beats.count(None) >= 2


def test_pip_installs_where_it_should_and_from_where_the_user_says(monkeypatch) -> None:
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    monkeypatch.setenv("PYTHONHOME", "elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "a mirror")
    env = kit_env.child_env()
    assert "PIP_TARGET" not in env and "PYTHONHOME" not in env
    assert env["PIP_INDEX_URL"] == "a mirror"
    command = kit_pip.pip_command("v", "part.txt")
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(command)
    assert not [word for word in command if "index" in word or "find-links" in word]


# ------------------------------------------------------------------ words and consoles


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_every_sentence_is_there_twice_with_the_same_facts() -> None:
    def fields(text: str) -> set:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, (zh, en) in kit_words.WORDS.items():
        assert fields(zh) == fields(en), key
        assert re.search("[\u4e00-\u9fff]", zh) and not re.search("[\u4e00-\u9fff]", en), key
        zh.encode("gbk")
        en.encode("ascii")


def test_every_sentence_is_used_and_every_used_one_is_there() -> None:
    source = "".join(p.read_text(encoding="utf-8") for p in SCRIPTS if p.name != "kit_words.py")
    source += (
        (ROOT / "scripts" / "kit_words.py").read_text(encoding="utf-8").partition("def pick")[2]
    )
    for key in kit_words.WORDS:
        assert f'"{key}"' in source, f"no code says {key}"
    said = re.findall(
        r'(?:say|words)\("([a-z.]+)"|Trouble\(\d, "([a-z.]+)"|\(\d, "([a-z]+)", r', source
    )
    for keys in said:
        assert "".join(keys) in kit_words.WORDS


@pytest.mark.parametrize(
    ("arguments", "environ", "language"),
    [
        (["report", "--lang", "en"], {"PLAYBOOK_LANG": "zh"}, "en"),
        (["report", "--lang=zh"], {"LANG": "en_US.UTF-8"}, "zh"),
        (["report"], {"PLAYBOOK_LANG": "zh-CN", "LANG": "en_US.UTF-8"}, "zh"),
        (["report"], {"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        (["report"], {"LANG": "zh_CN.UTF-8"}, "zh"),
        (["report"], {"LANG": "C.UTF-8"}, None),
        (["report", "--lang"], {"LANG": "de_DE.UTF-8"}, None),
    ],
)
def test_the_language_is_found(arguments, environ, language) -> None:
    assert kit_words.pick_language(arguments, environ) == language


def test_no_language_means_both() -> None:
    out = io.StringIO()
    kit_words.Voice(None, out).say("interrupted")
    assert out.getvalue() == "已中断。\nInterrupted.\n"


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "cp1252", "utf-8"])
def test_no_console_can_make_it_crash(encoding) -> None:
    raw = io.BytesIO()
    voice = kit_words.Voice(None, io.TextIOWrapper(raw, encoding=encoding))
    voice.say("foreign", path="C:\\用户\\ärger\\😀")
    voice.bar(1, 3, "näme😀", 2, landmark=True)
    assert b"\x1b" not in raw.getvalue()
    assert b"1/3" in raw.getvalue()


def test_without_a_terminal_there_are_landmarks_and_heartbeats_only(monkeypatch) -> None:
    out, clock = io.StringIO(), [1000.0]
    monkeypatch.setattr(kit_words.time, "time", lambda: clock[0])
    voice = kit_words.Voice("en", out)
    for second in range(40):
        clock[0] += 1
        voice.bar(3, 10, "numpy", second)
    voice.bar(4, 10, "pandas", 40, landmark=True)
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[-1].split() == ["[#########...............]", "4/10", "40", "s", "pandas"]


def test_on_a_terminal_the_bar_is_redrawn_and_never_wraps(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    voice = kit_words.Voice("zh", out)
    voice.bar(1, 10, "a" * 60, 1)
    voice.bar(2, 10, "b", 2)
    voice.say("interrupted")
    assert "\x1b" not in out.getvalue()
    drawn = [text for text in out.getvalue().split("\r") if text]
    assert all(kit_words.width(text.rstrip("\n")) < 40 for text in drawn)
    assert drawn[-1] == "已中断。\n"


def test_width_counts_chinese_as_two() -> None:
    assert kit_words.width("网点a") == 5
    assert kit_words.fit("网点a", 3) == "网"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_it_starts_on_old_pythons_and_needs_the_standard_library_only(path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
    own = {p.stem for p in SCRIPTS}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        else:
            continue
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names | own, name
            # These came after 3.6.
            assert name not in {"dataclasses", "tomllib", "zoneinfo", "graphlib", "contextvars"}
    # Arguments of subprocess that came with 3.7, and annotations' future import.
    assert not re.search(r"capture_output|\btext=True|import annotations", path.read_text("utf-8"))


# ------------------------------------------------------------------ the commands


@pytest.fixture
def commanded(fake, monkeypatch) -> list:
    """A project that is ready; what would be run is noted, and answered with `codes`."""
    start(fake)
    ran = []

    def run_child(command, env, cwd=None):
        ran.append(command[1:])
        return 0

    monkeypatch.setattr(kit, "run_child", run_child)
    return ran


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2), (["--nonsense"], 2), (["--help"], 0), (["help"], 0),
        (["setup", "--nonsense"], 2), (["report", "--lang", "fr"], 2), (["report", "--lang"], 2),
    ],
)  # fmt: skip
def test_wrong_use_is_told_and_sets_nothing_up(tmp_path, monkeypatch, arguments, code) -> None:
    monkeypatch.setattr(kit_setup, "ensure", lambda *a, **k: pytest.fail("set up"))
    assert kit.main(arguments, root=str(tmp_path)) == code


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        (["report"], ["report"]),
        (["--lang", "en", "report", "--jobs", "2"], ["report", "--jobs", "2", "--lang", "en"]),
        (["check", "a folder", "--lang=zh"], ["check", "a folder", "--lang", "zh"]),
    ],
)
def test_other_commands_are_handed_on(fake, commanded, arguments, passed) -> None:
    assert start(fake, *arguments) == 0
    assert commanded == [["-P", "-m", "playbook", *passed]]


JUNIT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


@pytest.mark.parametrize(
    ("answers", "code", "line"),
    [
        ([(0, (10, 0, 0, 1)), (0, (5, 0, 0, 0))], 0, "kit: 14 passed, 0 failed, 1 skipped"),
        ([(1, (10, 2, 1, 1)), (0, (5, 0, 0, 0))], 1, "kit: 11 passed, 3 failed, 1 skipped"),
        ([(0, (10, 0, 0, 0)), (1, (5, 1, 0, 0))], 1, "kit: 14 passed, 1 failed, 0 skipped"),
        ([(0, (10, 0, 0, 0)), (5, (0, 0, 0, 0))], 5, "kit: 10 passed, 0 failed, 0 skipped"),
        ([(3, None), (0, (5, 0, 0, 0))], 3, "kit: 5 passed, 1 failed, 0 skipped"),
        ([(2, (4, 0, 0, 0))], 2, "kit: 4 passed, 0 failed, 0 skipped"),
    ],
)
def test_the_test_command_sums_up_both_runs(
    fake, commanded, monkeypatch, capsys, answers, code, line
):
    ran = []

    def run_child(command, env, cwd):
        ran.append(command)
        answer, figures = answers[len(ran) - 1]
        if figures:
            Path(command[-1]).write_text(JUNIT.format(*figures), encoding="utf-8")
        return answer

    monkeypatch.setattr(kit, "run_child", run_child)
    assert start(fake, "test") == code
    assert capsys.readouterr().out.splitlines()[-1] == line
    assert len(ran) == len(answers)
    assert all("loadfile" in command for command in ran)
    if len(ran) == 2:
        assert "--nbval-lax" in ran[1] and "--nbval-lax" not in ran[0]


def test_chosen_tests_run_alone(fake, commanded, capsys) -> None:
    start(fake, "test", "-k", "gate", "--lang", "en")
    (command,) = commanded
    assert command[-4:-1] == ["-k", "gate", "--junitxml"]
    assert "--nbval-lax" not in command


@pytest.mark.parametrize(("code", "answer"), [("raise SystemExit(7)", 7), ("pass", 0)])
def test_a_childs_exit_code_comes_back(code, answer) -> None:
    assert kit.run_child([sys.executable, "-c", code], dict(os.environ)) == answer


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_child_ended_by_a_signal_counts_as_a_shell_counts_it() -> None:
    code = "import os; os.kill(os.getpid(), 15)"
    assert kit.run_child([sys.executable, "-c", code], dict(os.environ)) == 143


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ended_from_outside_it_ends_what_it_started(ready, tmp_path) -> None:
    note = tmp_path / "pid"
    main = ready.root / "playbook" / "__main__.py"
    echo = main.read_text(encoding="utf-8")
    main.write_text(
        f"import os, time\nopen({str(note)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n",
        encoding="utf-8",
    )
    try:
        started = subprocess.Popen(
            [sys.executable, "scripts/kit.py", "learn"], cwd=ready.root, env=ready.env()
        )
        limit = time.time() + 30
        while not (note.exists() and note.read_text()):
            assert time.time() < limit
            time.sleep(0.05)
        started.terminate()
        assert started.wait(timeout=20) == 143
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)
    finally:
        main.write_text(echo, encoding="utf-8")
