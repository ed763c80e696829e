"""One branch, in a process of its own: ``python -m playbook.report.child``.

The job comes as one JSON line on standard input, events go as JSON lines to standard output, and
the end of standard input means that the parent is gone: the process then ends too. Nothing of one
branch can be left over for the next, and a crash takes one branch with it only.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from playbook.report import settings
from playbook.report.errors import cause_of, frames_only


@dataclass(frozen=True)
class Job:
    """What one process has to do; plain text values, so that it travels as JSON.

    ``as_of`` and ``policy`` may be empty. ``attempt`` is the folder to work in, ``notebooks`` the
    folder of the stored notebooks.
    """

    branch: str
    data: str
    as_of: str
    lang: str
    policy: str
    attempt: str
    notebooks: str
    run: str

    @property
    def page_folder(self) -> Path:
        """What will be published."""
        return Path(self.attempt) / "page"

    @property
    def work_folder(self) -> Path:
        """Where the kernels run; thrown away."""
        return Path(self.attempt) / "work"


class Teller:
    """Sends events to the parent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: str, **facts: object) -> None:
        self._stream.write(json.dumps({"event": event, **facts}, ensure_ascii=True) + "\n")
        self._stream.flush()


def work(job: Job, tell: Teller) -> None:
    """Opens the branch, runs its notebooks, puts its page together, writes the manifest.

    Raises ``ReportError`` and the errors of the rooms below.
    """
    from playbook.report import facts, files, html, inputs, notebook, render, steps

    page = job.page_folder
    page.mkdir(parents=True, exist_ok=True)
    opened = facts.open_branch(job.data, job.branch, job.as_of, job.policy)
    as_of = f"{opened.book.as_of:%Y-%m-%d}"
    tell("opened", as_of=as_of, name=opened.book_name)
    parameters = {
        "branch": job.branch, "as_of": as_of, "data": job.data, "policy": job.policy,
        "lang": job.lang, "out": "",
    }  # fmt: skip
    executed = []
    for step in steps.steps():
        begun = time.monotonic()
        word = f"{job.run}:{job.branch}:{step.name}"
        stored = steps.source(Path(job.notebooks), step)
        ready = notebook.prepare(render.render(stored, job.lang, "report"), parameters, word)

        def heard(done: int, of: int, name: str = step.name) -> None:
            tell("cell", step=name, done=done, of=of)

        try:
            executed.append(
                (step, notebook.run(ready, parameters, word, step, job.work_folder / step.name,
                                    page / f"{step.name}.ipynb", heard))
            )  # fmt: skip
        except BaseException as error:
            tell("step", step=step.name, status="failed", cause=cause_of(error),
                 seconds=round(time.monotonic() - begun, 2))  # fmt: skip
            raise
        tell("step", step=step.name, status="ok", seconds=round(time.monotonic() - begun, 2))
    name = f"{job.branch}_{as_of}_{job.lang}"
    about = facts.about(opened, job.lang)
    files.write_atomic(page / f"{name}.html", html.page(executed, about, job.lang))
    handouts(page, name, opened, job.lang)
    files.write_manifest(
        page,
        {
            "run": job.run, "branch": job.branch, "as_of": as_of, "lang": job.lang, "name": name,
            "facts": about.numbers, "policy": opened.book.policy.fingerprint,
            "versions": inputs.versions(),
        },
    )  # fmt: skip
    shutil.rmtree(job.work_folder, ignore_errors=True)
    tell("facts", **about.numbers)


def handouts(folder: Path, name: str, opened, lang: str) -> None:
    """Beside the page: the month's workbook, and a calendar file for each adviser with a plan."""
    from playbook.plan import plan as plan_of
    from playbook.report.calendar_file import write_calendars
    from playbook.report.workbook import plan_workbook
    from playbook.show import page

    book, segments = opened.book, opened.segments
    plan = plan_of(book, segments)
    plan_workbook(folder / f"{name}.xlsx", book, segments, plan, lang)
    alarm = book.policy.handout.alarm_minutes
    write_calendars(folder, plan.planned, page(book, segments, lang), alarm)


def _private_folders() -> str:
    """Folders of this process only, readable by this user only: kernel sockets, IPython, history.

    The path is kept short, because the name of a local socket may have about 100 characters.
    """
    short = len(tempfile.gettempdir()) <= 60 or os.name == "nt"
    folder = tempfile.mkdtemp(prefix="pb-", dir=None if short else "/tmp")
    os.environ["JUPYTER_RUNTIME_DIR"] = folder
    os.environ["IPYTHONDIR"] = str(Path(folder) / "ipython")
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    os.environ["PYTHONUTF8"] = "1"
    os.environ.pop("PYTHONSTARTUP", None)
    return folder


def _end_with_parent() -> None:
    def wait() -> None:
        # Unbuffered: a thread that waits in a buffered stream aborts the interpreter's end.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(settings.GRACE_SECONDS)
        os._exit(settings.INTERRUPTED)

    threading.Thread(target=wait, daemon=True).start()


def _interrupt(*_: object) -> None:
    # Once: a second signal must not break off the clearing up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Does the job of standard input; returns the exit code."""
    tell = Teller(os.fdopen(os.dup(1), "w", encoding="ascii"))
    # Whatever a library prints must not mix with the events.
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    job = Job(**json.loads(sys.stdin.buffer.readline()))
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    _end_with_parent()
    private = _private_folders()
    try:
        work(job, tell)
        tell("end", status="ok")
        return settings.OK
    except KeyboardInterrupt:
        tell("end", status="interrupted")
        return settings.INTERRUPTED
    except BaseException as error:  # told as a cause, with places in the code but no values
        cause = cause_of(error)
        try:
            Path(job.attempt, "page").mkdir(parents=True, exist_ok=True)
            Path(job.attempt, "page", "error.log").write_text(frames_only(error), encoding="utf-8")
        except OSError:
            cause = cause_of(OSError(28, "")) if cause["exit"] == settings.NO_ROOM else cause
        tell("end", status="failed", cause=cause)
        return cause["exit"]
    finally:
        shutil.rmtree(private, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
