"""``playbook learn``: the notebooks in JupyterLab, in a folder of the reader's own."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from playbook.cli import console
from playbook.report import settings
from playbook.text import t

#: How long a server may take to listen before the address is told anyway.
_PATIENCE_SECONDS = 30
_ADDRESS = "127.0.0.1"


def learn(options, lang: str) -> int:
    """Lays the notebooks down and, unless ``--prepare``, opens JupyterLab until it is ended."""
    folder = Path(options.out) / lang
    laid = prepare(folder, lang, options.fresh)
    if laid.put_aside:
        console.say(t("cli.learn.aside", lang, folder=str(folder / laid.put_aside)))
    for name in laid.kept:
        console.say(t("cli.learn.kept", lang, file=name))
    console.say(t("cli.learn.ready", lang, folder=str(folder)))
    return settings.OK if options.prepare else _serve(folder, lang, options.no_browser)


def prepare(folder: Path, lang: str, fresh: bool = False):
    """Writes the step notebooks in ``lang`` into ``folder``; see ``playbook.train.workspace``."""
    import nbformat

    from playbook.report.render import render
    from playbook.report.steps import notebooks_folder, source, steps
    from playbook.train.workspace import lay

    pages = {
        f"{step.name}.ipynb": nbformat.writes(render(source(notebooks_folder(), step), lang)) + "\n"
        for step in steps()
    }
    return lay(folder, pages, fresh)


def lab_settings(lang: str) -> dict[str, dict[str, object]]:
    """JupyterLab's own settings: the reader's language, and no request to the outside."""
    return {
        "@jupyterlab/translation-extension:plugin": {
            "locale": "zh_CN" if lang == "zh" else "default"
        },
        "@jupyterlab/apputils-extension:notification": {
            "checkForUpdates": False,
            "fetchNews": "false",
        },
    }


def command(folder: Path, port: int, lab_folder: Path, no_browser: bool) -> list[str]:
    """The command line of the server: this machine only, kernels not readable by other users."""
    transport = "tcp" if os.name == "nt" else "ipc"
    return [
        sys.executable, "-m", "jupyterlab",
        f"--ServerApp.root_dir={folder.resolve()}",
        f"--ServerApp.ip={_ADDRESS}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.open_browser={not no_browser}",
        "--ServerApp.answer_yes=True",
        "--ServerApp.allow_root=True",
        "--LabApp.default_url=/lab/tree/0_start.ipynb",
        f"--LabApp.app_settings_dir={lab_folder.resolve()}",
        f"--KernelManager.transport={transport}",
        "--Application.log_level=ERROR",
    ]  # fmt: skip


def _serve(folder: Path, lang: str, no_browser: bool) -> int:
    lab_folder = folder / ".lab"
    lab_folder.mkdir(exist_ok=True)
    (lab_folder / "overrides.json").write_text(
        json.dumps(lab_settings(lang), indent=1), encoding="utf-8"
    )
    port = _free_port()
    token = secrets.token_urlsafe(24)
    # By environment: on the command line other users of the machine could read it.
    environment = {**os.environ, "JUPYTER_TOKEN": token, "PLAYBOOK_LANG": lang}
    server = subprocess.Popen(
        command(folder, port, lab_folder, no_browser), env=environment, stdin=subprocess.DEVNULL
    )
    try:
        _wait_until_listening(server, port)
        if server.poll() is None:
            console.say(
                t("cli.learn.address", lang, address=f"http://{_ADDRESS}:{port}/lab?token={token}")
            )
            console.say(t("cli.learn.end", lang))
        code = server.wait()
    except KeyboardInterrupt:
        # The terminal sends the interrupt to the server too; it closes its kernels and ends.
        try:
            server.wait(settings.GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        console.say(t("cli.learn.closed", lang))
        return settings.OK
    if code:
        console.complain(t("cli.learn.failed", lang))
        return settings.NOTHING
    console.say(t("cli.learn.closed", lang))
    return settings.OK


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_ADDRESS, 0))
        return probe.getsockname()[1]


def _wait_until_listening(server: subprocess.Popen, port: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex((_ADDRESS, port)) == 0:
                return
        time.sleep(0.2)
