"""Is this machine ready? Eight checks, each one fact about the machine, for ``playbook doctor``.

A check never raises and never repairs: it answers ``ok``, ``warn`` (the playbook works, something
is less good) or ``fail`` (something of the playbook will not work) with its facts. The words are
in ``text/doctor.yaml`` under ``doctor.<code>.<status>``; ``playbook.cli.doctor`` shows them.
"""

from __future__ import annotations

import asyncio
import platform
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "four-step-playbook"
#: Rare characters of family and given names that many Chinese fonts lack.
NAME_CHARACTERS = "镕喆堃"
#: Characters every page needs; a console that has them is fit for Chinese.
CONSOLE_SAMPLE = "客户经营"
#: Megabytes: below the first the sample's reports do not fit, below the second a class may not.
DISK_FAIL_MB, DISK_WARN_MB = 200, 1000
KERNEL_SECONDS = 60
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Check:
    """One answer.

    code: what was looked at, for example ``"font"``. status: ``ok``, ``warn`` or ``fail``.
    facts: what the sentence ``doctor.<code>.<status>`` needs; numbers as numbers.
    """

    code: str
    status: str
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The words of this answer."""
        return f"doctor.{self.code}.{self.status}"


def checks(out: str | Path = "reports") -> list[Check]:
    """All checks in the order they are shown; takes about three seconds (a kernel is started).

    out: the folder reports go to. It need not exist and is not made.
    """
    return [
        python_version(),
        pinned_packages(),
        disk(out),
        output_folder(out),
        font(),
        kernel(),
        console_encoding(),
        browser(),
    ]


def python_version() -> Check:
    """Whether this Python is one that the pinned packages are made for."""
    low, high = re.findall(r"3\.(\d+)", _project()["requires-python"])[:2]
    inside = int(low) <= sys.version_info.minor < int(high) and sys.version_info.major == 3
    facts = {"found": platform.python_version(), "low": f"3.{low}", "high": f"3.{int(high) - 1}"}
    return Check("python", OK if inside else FAIL, facts)


def pinned_packages() -> Check:
    """Whether the packages the playbook uses are installed in the versions it was tested with.

    A missing package fails; another version warns, since figures or pictures may differ.
    """
    pins = dict(pin.split(";")[0].strip().split("==") for pin in _project()["dependencies"])
    missing, other = [], []
    for name, wanted in pins.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if found != wanted:
            other.append(f"{name} {found} (={wanted})")
    if missing:
        return Check("packages", FAIL, {"packages": ", ".join(missing)})
    if other:
        return Check("packages", WARN, {"packages": ", ".join(other)})
    return Check("packages", OK, {"count": len(pins)})


def disk(out: str | Path = "reports") -> Check:
    """Whether the disk that reports go to has room."""
    free = shutil.disk_usage(_existing(Path(out))).free // 10**6
    status = FAIL if free < DISK_FAIL_MB else WARN if free < DISK_WARN_MB else OK
    return Check("disk", status, {"free": free})


def output_folder(out: str | Path = "reports") -> Check:
    """Whether a file can be written where reports go (in the nearest folder that exists)."""
    folder = _existing(Path(out))
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError:
        return Check("output", FAIL, {"folder": str(folder)})
    return Check("output", OK, {"folder": str(folder)})


def font() -> Check:
    """Whether the Chinese font of charts and reports is there and has the rare name characters."""
    from playbook.show import fonts

    try:
        lacking = fonts.missing(NAME_CHARACTERS)
    except (fonts.FontError, OSError):
        return Check("font", FAIL)
    if lacking:
        return Check("font", WARN, {"characters": lacking})
    return Check("font", OK, {"characters": NAME_CHARACTERS})


def kernel() -> Check:
    """Whether the kernel that reports and lessons run in starts and computes."""
    try:
        answer = asyncio.run(asyncio.wait_for(_ask_kernel(), KERNEL_SECONDS))
    except Exception as error:  # a kernel fails in more ways than can be listed; all mean "no"
        return Check("kernel", FAIL, {"reason": type(error).__name__})
    if answer != "ok":
        return Check("kernel", FAIL, {"reason": answer})
    return Check("kernel", OK)


async def _ask_kernel() -> str:
    from playbook.report.kernel import PrivateKernelManager

    manager = PrivateKernelManager(kernel_name="python3")
    await manager.start_kernel()
    client = manager.client()
    try:
        client.start_channels()
        await client.wait_for_ready(timeout=KERNEL_SECONDS)
        reply = await client.execute_interactive(
            "1 + 1", timeout=KERNEL_SECONDS, output_hook=lambda message: None
        )
        return reply["content"]["status"]
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


def console_encoding() -> Check:
    """Whether this console can show Chinese. GBK can; a plain ASCII one shows question marks."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        CONSOLE_SAMPLE.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return Check("console", WARN, {"encoding": encoding})
    return Check("console", OK, {"encoding": encoding})


def browser() -> Check:
    """Whether a Chromium is here; only the maintainers' browser tests need one."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    return Check("browser", OK, {"path": found}) if found else Check("browser", WARN)


def _existing(path: Path) -> Path:
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _project() -> dict:
    """``requires-python`` and the direct pins: of the source tree, else of what was installed."""
    source = Path(__file__).resolve().parents[1] / "pyproject.toml"
    if source.is_file():
        return tomllib.loads(source.read_text(encoding="utf-8"))["project"]
    about = metadata.metadata(DISTRIBUTION)
    pins = [line for line in about.get_all("Requires-Dist") or [] if "extra ==" not in line]
    return {"requires-python": about["Requires-Python"], "dependencies": pins}
