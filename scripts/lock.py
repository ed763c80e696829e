"""Make requirements.lock and environment.yml again from pyproject.toml (maintainers only).

Usage:  python3 scripts/lock.py [--upgrade] [--environment-only]

The direct pins are written once, in pyproject.toml. From them this script makes

* requirements.lock: every package those pins need, on Windows, macOS and Linux and on every Python
  of `requires-python`, each with the sha256 of its files. No address stands in it: a bank's own
  mirror serves it as well as the public registry does.
* environment.yml: the same pins for people who use conda.

Then it asks whether each package has a ready-built file for each system we promise, because
scripts/kit.py builds nothing from source on an adviser's machine.

Needs `uv` (a maintainer's tool, not a requirement of the project) for everything but
`--environment-only`. Exit codes: 0 done, 2 wrong use, 3 made but some system is not served,
4 `uv` is missing or could not resolve.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Made by scripts/lock.py from pyproject.toml. Do not edit by hand.\n"
SYSTEMS = (
    "windows",
    "macos",
    "x86_64-apple-darwin",
    "linux",
    "aarch64-unknown-linux-gnu",
)


def project(root: Path) -> dict:
    """The `[project]` table of pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def direct_pins(table: dict) -> list[str]:
    """Every direct pin, run-time and test, as `name==version`, in alphabetical order."""
    pins = list(table["dependencies"])
    for extra in table.get("optional-dependencies", {}).values():
        pins += extra
    return sorted(pins, key=str.lower)


def python_minors(requires_python: str) -> list[str]:
    """`">=3.11,<3.15"` as `["3.11", "3.12", "3.13", "3.14"]`."""
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", requires_python).groups()
    return [f"3.{minor}" for minor in range(int(low), int(high))]


def environment_text(table: dict) -> str:
    """The text of environment.yml. It names no channel: conda asks where its owner told it to."""
    lines = [
        HEADER.rstrip(),
        f"name: {table['name']}",
        "dependencies:",
        f"  - python {table['requires-python']}",
        "  - pip",
        "  - pip:",
        *(f"      - {pin}" for pin in direct_pins(table)),
        "      - -e .",
    ]
    return "\n".join(lines) + "\n"


def run_uv(uv: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`uv pip compile` with the arguments given; nothing of the caller's pip settings counts."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
    env["UV_PYTHON_DOWNLOADS"] = "never"
    command = [uv, "pip", "compile", "--no-emit-index-url", "--no-emit-find-links", "--no-header"]
    return subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def lock_text(uv: str, minors: list[str], upgrade: bool) -> str:
    """The text of requirements.lock. Raises SystemExit(4) with uv's own words when it can't."""
    options = ["--universal", "--all-extras", "--generate-hashes", "--python-version", minors[0]]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "requirements.lock")
        if not upgrade and (ROOT / "requirements.lock").exists():
            shutil.copyfile(ROOT / "requirements.lock", out)
        done = run_uv(uv, "pyproject.toml", *options, "--output-file", str(out))
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            raise SystemExit(4)
        text = out.read_text(encoding="utf-8")
    if "://" in text:
        print("The lock names an address; take it out of pyproject.toml.", file=sys.stderr)
        raise SystemExit(4)
    return HEADER + "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def unserved(uv: str, minors: list[str]) -> list[str]:
    """`system, Python: uv's words` for each pair that lacks a ready-built file of some package."""
    missing = []
    options = ["--no-deps", "--only-binary", ":all:", "--no-annotate"]
    for system in SYSTEMS:
        for minor in minors:
            pair = ["--python-platform", system, "--python-version", minor]
            done = run_uv(uv, "requirements.lock", *options, *pair)
            if done.returncode:
                missing.append(f"{system}, Python {minor}: {done.stderr.strip()}")
    return missing


def main(arguments: list[str]) -> int:
    """Do what the usage says; the exit code is in the module's docstring."""
    known = {"--upgrade", "--environment-only"}
    if set(arguments) - known:
        print(__doc__, file=sys.stderr)
        return 2
    table = project(ROOT)
    (ROOT / "environment.yml").write_text(environment_text(table), encoding="utf-8", newline="\n")
    if "--environment-only" in arguments:
        return 0
    uv = shutil.which("uv")
    if uv is None:
        print(
            "scripts/lock.py needs the program `uv` to make requirements.lock, and it is not on "
            "this machine's PATH. Install it (for example: pip install uv) and run this again.",
            file=sys.stderr,
        )
        return 4
    minors = python_minors(table["requires-python"])
    text = lock_text(uv, minors, "--upgrade" in arguments)
    (ROOT / "requirements.lock").write_text(text, encoding="utf-8", newline="\n")
    print(f"requirements.lock: {len(re.findall(r'^[^# ].*==', text, re.M))} packages")
    missing = unserved(uv, minors)
    for line in missing:
        print(line, file=sys.stderr)
    return 3 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
