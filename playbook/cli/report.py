"""``playbook report``: progress while it works, and what came of it."""

from __future__ import annotations

import datetime as dt
import re
import sys
import time
from pathlib import Path

from playbook.cli import console
from playbook.cli.parser import UsageError
from playbook.report.errors import cause_sentence, in_language
from playbook.report.run import Request, RunResult, make_reports
from playbook.text import t


def report(options, lang: str) -> int:
    """Makes the reports; returns the exit code."""
    request = Request(
        data=options.data, out=Path(options.out), lang=lang, branches=_branches(options.branch),
        as_of=day(options.as_of, lang), policy=options.policy, jobs=_jobs(options.jobs, lang),
    )  # fmt: skip
    begun = time.monotonic()
    with _Progress(lang) as progress:
        result = make_reports(request, progress.tell)
    _closing(result, lang, time.monotonic() - begun)
    return result.exit_code


def day(given: str, lang: str) -> str:
    """An ISO date as given, or nothing. Raises :class:`UsageError` for anything else."""
    if not given:
        return ""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
            raise ValueError
        dt.date.fromisoformat(given)
    except ValueError:
        raise UsageError(t("cli.wrong.day", lang, value=given)) from None
    return given


def _branches(given: list[str]) -> tuple[str, ...]:
    names = [name for item in given for name in re.split(r"[,，\s]+", item) if name]
    return tuple(dict.fromkeys(names))


def _jobs(given: str, lang: str) -> int:
    if not re.fullmatch(r"\d{1,3}", given):
        raise UsageError(t("cli.wrong.jobs", lang, value=given))
    return int(given)


class _Progress:
    """A bar over all notebooks of all branches; plain lines where there is no terminal."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.bar = None
        self.total = 0
        self.done = 0
        self.names: dict[str, str] = {}

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def tell(self, branch: str, event: str, facts: dict) -> None:
        """Hears what :func:`playbook.report.run.make_reports` tells."""
        if event == "plan":
            self._start(len(facts["branches"]), len(facts["steps"]))
        elif event == "opened":
            self.names[branch] = facts["name"]
        elif event == "cell" and self.bar is not None:
            self._where(f"{branch} {facts['step']} {facts['done']}/{facts['of']}")
        elif event == "step":
            self.done += 1
            if self.bar is not None:
                self.bar.update(1)
        elif event == "done":
            self._line(branch, facts["ok"])

    def _start(self, branches: int, steps: int) -> None:
        self.total = branches * steps
        console.complain(t("cli.report.start", self.lang, branches=branches, steps=steps))
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(
                total=self.total, ascii=not console.is_utf8(sys.stderr), leave=False,
                dynamic_ncols=True, file=sys.stderr,
                bar_format="{percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} [{elapsed}] {desc}",
            )  # fmt: skip

    def _where(self, text: str) -> None:
        self.bar.set_description_str(text, refresh=True)

    def _line(self, branch: str, ok: bool) -> None:
        key = "cli.report.branch_ok" if ok else "cli.report.branch_failed"
        text = t(key, self.lang, branch=branch, name=self.names.get(branch, "")).rstrip()
        if self.bar is None:
            console.complain(text)
        else:
            self.bar.write(text, file=sys.stderr)


def _closing(result: RunResult, lang: str, seconds: float) -> None:
    whole = [branch for branch in result.branches if branch.ok]
    for cause, branches in _failed(result, lang).items():
        named = ("、" if lang == "zh" else ", ").join(branches)
        console.complain(t("cli.report.failed", lang, branches=named, cause=cause))
    for branch in whole:
        if branch.facts.get("rejected"):
            console.complain(t("cli.report.rejected", lang, branch=branch.branch,
                               n=branch.facts["rejected"]))  # fmt: skip
    if result.inputs_changed:
        console.complain(t("report.cause.changed", lang))
    console.say(t("cli.report.done", lang, whole=len(whole), of=len(result.branches),
                  seconds=round(seconds)))  # fmt: skip
    console.say(t("cli.report.open", lang, file=str(result.index)))


def _failed(result: RunResult, lang: str) -> dict[str, list[str]]:
    """Branches by the sentence that says why, so that one cause for all is told once."""
    said: dict[str, list[str]] = {}
    for branch in result.branches:
        if not branch.ok:
            cause = cause_sentence(in_language(branch.cause, lang), lang)
            told = branch.step and "step" not in branch.cause.get("facts", {})
            where = f"{branch.branch} {branch.step}" if told else branch.branch
            said.setdefault(" ".join(cause.split()), []).append(where)
    return said
