"""Why a run or a branch could not be done: a text key with facts, worded when it is shown."""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from playbook.report import settings
from playbook.text import LANGS, has, t

if TYPE_CHECKING:
    import pandas as pd

_NO_ROOM = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.ENOMEM}


class ReportError(Exception):
    """A cause that a person can act on.

    ``key`` is ``report.cause.<key>`` in the texts, ``facts`` fill its sentence, ``exit_code`` is
    what the command line returns. Facts never hold values of personal columns.
    """

    def __init__(self, key: str, exit_code: int = settings.NOTHING, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.exit_code = exit_code
        self.facts = facts
        #: Where in the code it came from, when that was in another process; no messages.
        self.places: list[str] = []

    def sentence(self, lang: str) -> str:
        """The cause as one sentence in ``lang``."""
        return cause_sentence({"key": self.key, "facts": self.facts}, lang)


def cause_sentence(cause: dict, lang: str) -> str:
    """The words of a cause ``{"key": …, "facts": {…}}``; a fact ``sentence`` brings its own."""
    key = f"report.cause.{cause['key']}"
    return t(key if has(key) else "report.cause.unforeseen", lang, **cause.get("facts", {}))


def cause_of(error: BaseException) -> dict:
    """Cause, facts and exit code of any exception, as plain values.

    Errors of the other rooms bring a sentence of their own (``.sentence(lang)``), which is kept
    in both languages. Nothing of an unforeseen error but its kind is kept: its message could hold
    a value of a client.
    """
    if isinstance(error, ReportError):
        return {"key": error.key, "facts": error.facts, "exit": error.exit_code}
    if isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno in _NO_ROOM
    ):
        return {"key": "no_room", "facts": {}, "exit": settings.NO_ROOM}
    if isinstance(error, PermissionError):
        name = Path(error.filename).name if error.filename else ""
        return {"key": "locked_file", "facts": {"file": name}, "exit": settings.NOTHING}
    if isinstance(error, OSError) and error.filename:
        name = Path(str(error.filename)).name
        return {"key": "file_trouble", "facts": {"file": name}, "exit": settings.NOTHING}
    said = getattr(error, "sentence", None) or _policy_words(error)
    if callable(said):
        words = {lang: str(said(lang)) for lang in LANGS}
        return {"key": "told", "facts": {"sentence": words}, "exit": settings.NOTHING}
    return {"key": "unforeseen", "facts": {"kind": type(error).__name__}, "exit": settings.NOTHING}


def _policy_words(error: BaseException) -> Callable[[str], str] | None:
    """How a policy error is told: every fault with its file and line, in either language."""
    from playbook.policy import PolicyError

    if not isinstance(error, PolicyError):
        return None
    return lambda lang: "\n".join(policy_sentences(error.faults, lang))


def policy_sentences(faults: pd.DataFrame, lang: str) -> list[str]:
    """One line per fault of a policy: file, line when there is one, what is wrong, what to do."""
    from playbook.policy import worded

    told = worded(faults, lang)
    lines = told["line"].astype("object").where(told["line"].notna(), None)
    return [
        f"{file}:{line}  {message}" if line is not None else message
        for file, line, message in zip(told["file"], lines, told["message"], strict=True)
    ]


def in_language(cause: dict, lang: str) -> dict:
    """The cause with sentences that came in both languages narrowed to ``lang``."""
    facts = {
        name: value[lang] if isinstance(value, dict) and set(value) == set(LANGS) else value
        for name, value in cause.get("facts", {}).items()
    }
    return {**cause, "facts": facts}


def frames_only(error: BaseException) -> str:
    """Kinds of error and places in the code, oldest first, without any message or value."""
    lines: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        lines.append(type(link).__name__)
        lines += [
            f"  {short_path(frame.filename)}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(link.__traceback__)
        ]
        lines += [f"  {place}" for place in getattr(link, "places", [])]
        link = link.__cause__ or link.__context__
    return "\n".join(lines) + "\n"


def short_path(file: str) -> str:
    """The last three parts of a path: enough to find the code, nothing about the machine."""
    return "/".join(re.split(r"[\\/]+", file)[-3:])
