"""The whole job of ``playbook report``: every branch worked, published, told.

The parent opens no branch. It holds the lock of the output folder, starts one process per branch
(:mod:`playbook.report.child`), listens, ends what takes too long, publishes what is whole and
writes ledger and index.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from playbook.report import files, settings
from playbook.report.child import Job
from playbook.report.errors import ReportError, cause_of
from playbook.report.ledger import Ledger, new_run_id

#: How one branch is worked: a process that speaks as :mod:`playbook.report.child` does.
CHILD = [sys.executable, "-X", "utf8", "-m", "playbook.report.child"]


@dataclass(frozen=True)
class Request:
    """What to report on.

    ``branches`` empty means all of the data's; ``as_of`` empty means the last month end of the
    data; ``policy`` empty means each branch's own preset; ``jobs`` 0 means one per processor.
    ``notebooks`` names another folder of notebooks (the project's own when left out).
    """

    data: str
    out: Path
    lang: str
    branches: tuple[str, ...] = ()
    as_of: str = ""
    policy: str = ""
    jobs: int = 0
    notebooks: Path | None = None


@dataclass
class BranchResult:
    """What came of one branch. ``cause`` is set when ``ok`` is not."""

    branch: str
    ok: bool = False
    as_of: str = ""
    name: str = ""
    seconds: float = 0.0
    cause: dict | None = None
    step: str = ""
    facts: dict = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True)
class RunResult:
    """What came of a run; ``exit_code`` is what the command line returns."""

    run_id: str
    branches: tuple[BranchResult, ...]
    index: Path
    inputs_changed: bool
    exit_code: int


Tell = Callable[[str, str, dict], None]


def _silent(branch: str, event: str, facts: dict) -> None:
    """For callers that show no progress."""


def make_reports(request: Request, tell: Tell = _silent) -> RunResult:
    """Makes the report of every branch asked for.

    ``tell(branch, event, facts)`` hears ``plan`` (once, facts: branches, steps), ``opened``,
    ``cell``, ``step`` and ``done`` as they happen.
    A branch that fails leaves the others whole; its notebook up to the error and a log without
    values are kept under ``failed/``.
    Raises :class:`ReportError` when nothing can be started: ``busy`` (another run holds the
    folder), ``unknown_branch``; and the errors of book and policy.
    """
    from playbook.report import index, inputs, steps

    plan = _plan(request)
    tell("", "plan", {"branches": plan.branches, "steps": [s.name for s in steps.steps()]})
    with files.only_run(request.out):
        files.recover(request.out)
        run_id = new_run_id()
        run_folder = request.out / settings.ATTEMPTS / run_id
        run_folder.mkdir(parents=True)
        ledger = Ledger(request.out, run_id)
        before = inputs.folder_hashes(plan.data_folder)
        ledger.add(
            "run", lang=request.lang, as_of=request.as_of, branches=list(plan.branches),
            data=inputs.fingerprint(before), code=inputs.code_fingerprint(),
            notebooks=inputs.fingerprint(inputs.folder_hashes(plan.notebooks, "*.ipynb")),
            policy=plan.policy_fingerprint, versions=inputs.versions(),
        )  # fmt: skip
        results = _Results(request, ledger, run_folder, tell)
        try:
            _work_all(request, plan, run_id, run_folder, results)
        except KeyboardInterrupt:
            ledger.add("end", status="interrupted", done=len(results.finished))
            raise
        finally:
            files.recover(request.out)
        changed = inputs.folder_hashes(plan.data_folder) != before
        done = tuple(results.finished[name] for name in plan.branches)
        page = index.write(request.out, done, request.lang)
        code = _exit_code(done, changed)
        ledger.add("end", status="changed" if changed else "done", exit=code,
                   ok=sum(r.ok for r in done), failed=sum(not r.ok for r in done))  # fmt: skip
    return RunResult(run_id, done, page, changed, code)


@dataclass(frozen=True)
class _Plan:
    branches: tuple[str, ...]
    data: str
    data_folder: Path
    notebooks: Path
    policy: str
    policy_fingerprint: str


def _plan(request: Request) -> _Plan:
    from playbook.report import facts, steps

    data, folder = facts.locate(request.data)
    present = facts.branches_of(data)
    unknown = [name for name in request.branches if name not in present]
    if unknown:
        raise ReportError(
            "unknown_branch", settings.USAGE, branch=", ".join(unknown), known=", ".join(present)
        )
    policy, mark = facts.policy_argument(request.policy)
    chosen = tuple(name for name in present if not request.branches or name in request.branches)
    if not chosen:
        raise ReportError("no_branches")
    return _Plan(
        tuple(files.safe_id(name) for name in chosen), data, folder,
        request.notebooks or steps.notebooks_folder(), policy, mark,
    )  # fmt: skip


def _exit_code(done: Sequence[BranchResult], changed: bool) -> int:
    if any(r.cause and r.cause["exit"] == settings.NO_ROOM for r in done):
        return settings.NO_ROOM
    if not any(r.ok for r in done):
        return settings.NOTHING
    faulty = any(not r.ok or r.facts.get("rejected", 0) for r in done)
    return settings.SOME if faulty or changed else settings.OK


class _Results:
    """Takes in what the branch processes say, publishes and writes the ledger."""

    def __init__(self, request: Request, ledger: Ledger, run_folder: Path, tell: Tell) -> None:
        self.request = request
        self.ledger = ledger
        self.run_folder = run_folder
        self.tell = tell
        self.finished: dict[str, BranchResult] = {}

    def event(self, result: BranchResult, message: dict) -> None:
        kind = message.pop("event")
        if kind == "opened":
            result.as_of, result.name = message["as_of"], message["name"]
        elif kind == "facts":
            result.facts = message
        elif kind == "step":
            result.step = message["step"]
            self.ledger.add("notebook", branch=result.branch, notebook=message["step"],
                            status=message["status"], seconds=message["seconds"],
                            cause=(message.get("cause") or {}).get("key"))  # fmt: skip
        elif kind == "end":
            result.ok = message["status"] == "ok"
            result.cause = message.get("cause") or result.cause
        if kind in ("opened", "cell", "step"):
            self.tell(result.branch, kind, message)

    def close(self, result: BranchResult, attempt: Path) -> None:
        """Publishes a whole branch; keeps what a failed one left."""
        page = attempt / "page"
        failed = self.request.out / settings.FAILED / f"{result.branch}_{self.request.lang}"
        if result.ok and not files.is_whole(page):
            result.ok, result.cause = False, cause_of(ReportError("not_whole"))
        if result.ok:
            target = self.request.out / f"{result.branch}_{result.as_of}_{self.request.lang}"
            try:
                files.publish(page, target, self.run_folder)
                result.folder = target
                shutil.rmtree(failed, ignore_errors=True)
            except (OSError, ReportError) as error:
                result.ok, result.cause = False, cause_of(error)
        if not result.ok and page.exists():
            shutil.rmtree(failed, ignore_errors=True)
            failed.parent.mkdir(exist_ok=True)
            # What is left of a failure is a help, not a result: if it can't be kept, go on.
            with contextlib.suppress(OSError):
                page.rename(failed)
                result.folder = failed
        shutil.rmtree(attempt, ignore_errors=True)
        self.finished[result.branch] = result
        self.ledger.add("branch", branch=result.branch, as_of=result.as_of,
                        status="ok" if result.ok else "failed", seconds=round(result.seconds, 2),
                        cause=result.cause["key"] if result.cause else None)  # fmt: skip
        self.tell(result.branch, "done", {"ok": result.ok})


class _Process:
    """A running branch."""

    def __init__(self, job: Job, heard: queue.Queue) -> None:
        self.job = job
        self.result = BranchResult(job.branch)
        self.begun = time.monotonic()
        self.late = False
        own_group = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            if os.name == "nt"
            else {"start_new_session": True}
        )
        self.process = subprocess.Popen(
            CHILD,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **own_group,
        )  # fmt: skip
        self.process.stdin.write(json.dumps(asdict(job)).encode("ascii") + b"\n")
        self.process.stdin.flush()
        self.listener = threading.Thread(target=self._listen, args=(heard,), daemon=True)
        self.listener.start()

    def _listen(self, heard: queue.Queue) -> None:
        try:
            for line in self.process.stdout:
                # A process that is killed while it speaks leaves half a line.
                with contextlib.suppress(ValueError):
                    heard.put((self, json.loads(line)))
        finally:
            self.process.wait()
            heard.put((self, None))

    def end(self) -> None:
        """Asks the process to shut its kernel down, then ends it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(settings.GRACE_SECONDS)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def _work_all(
    request: Request, plan: _Plan, run_id: str, run_folder: Path, results: _Results
) -> None:
    heard: queue.Queue = queue.Queue()
    waiting = list(plan.branches)
    running: set[_Process] = set()
    most = request.jobs or os.cpu_count() or 1
    try:
        while waiting or running:
            while waiting and len(running) < most:
                branch = waiting.pop(0)
                attempt = run_folder / branch
                attempt.mkdir()
                running.add(
                    _Process(
                        Job(branch, plan.data, request.as_of, request.lang, plan.policy,
                            str(attempt.resolve()), str(plan.notebooks), run_id),
                        heard,
                    )
                )  # fmt: skip
            for process, message in _hear(heard):
                if message is not None:
                    results.event(process.result, message)
                    continue
                running.discard(process)
                _finish(process, results, run_folder)
            for process in running:
                if not process.late and time.monotonic() - process.begun > settings.BRANCH_SECONDS:
                    process.late = True
                    threading.Thread(target=process.end, daemon=True).start()
            if any(_no_room(r) for r in results.finished.values()):
                for branch in waiting:
                    results.finished[branch] = BranchResult(
                        branch, cause=cause_of(MemoryError())
                    )
                waiting.clear()
    finally:
        for process in running:
            if process.process.poll() is None:
                process.process.send_signal(signal.SIGTERM)
        for process in running:
            process.end()


def _no_room(result: BranchResult) -> bool:
    return bool(result.cause) and result.cause["exit"] == settings.NO_ROOM


def _hear(heard: queue.Queue) -> Iterator[tuple[_Process, dict | None]]:
    # A short wait, so that deadlines and Ctrl-C are noticed.
    with contextlib.suppress(queue.Empty):
        yield heard.get(timeout=0.2)
        while True:
            yield heard.get_nowait()


def _finish(process: _Process, results: _Results, run_folder: Path) -> None:
    result = process.result
    result.seconds = time.monotonic() - process.begun
    code = process.process.returncode
    if process.late:
        result.ok = False
        result.cause = cause_of(ReportError("branch_timeout", seconds=settings.BRANCH_SECONDS))
    elif not result.ok and result.cause is None:
        # No word of its own: killed from outside, most often because memory ran out.
        result.cause = cause_of(ReportError("process_died", code=code))
    elif result.ok and code != settings.OK:
        result.ok, result.cause = False, cause_of(ReportError("process_died", code=code))
    process.process.stdin.close()
    process.process.stdout.close()
    results.close(result, run_folder / result.branch)
