"""Writing to a console, whatever its character set and width."""

from __future__ import annotations

import contextlib
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

_WIDE = frozenset("WFA")
_NOT_FIRST = frozenset("，。、；：！？）》」』”’…,.;:!?)")


def forgiving() -> None:
    """Never fail on a character the console does not have (Chinese Windows is GBK)."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")


def say(text: str = "", stream: TextIO | None = None) -> None:
    """One line, at once. A closed pipe (``| head``) is not an error."""
    target = stream or sys.stdout
    with contextlib.suppress(BrokenPipeError):
        target.write(f"{text}\n")
        target.flush()


def complain(text: str) -> None:
    """One line for the person, on the error stream."""
    say(text, sys.stderr)


def is_utf8(stream: TextIO) -> bool:
    """Whether the stream can show every character."""
    return (getattr(stream, "encoding", "") or "").lower().replace("-", "") == "utf8"


def columns() -> int:
    """Width to write in: the console's, between 60 and 100."""
    return max(60, min(100, shutil.get_terminal_size().columns - 2))


def fits(table: str) -> bool:
    """Whether no line is wider than the window; what goes into a file or a pipe always fits."""
    if not sys.stdout.isatty():
        return True
    return max(map(width, table.split("\n"))) <= shutil.get_terminal_size().columns


def width(text: str) -> int:
    """Columns a text takes: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in _WIDE else 1 for char in text)


def pad(text: str, to: int, right: bool = False) -> str:
    """``text`` filled with spaces to ``to`` columns."""
    gap = " " * max(0, to - width(text))
    return gap + text if right else text + gap


def wrap(text: str, to: int) -> list[str]:
    """``text`` in lines of at most ``to`` columns; Chinese may break anywhere, words may not."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(" ".join(text.split())):
        if line and width(line + piece.rstrip()) > to and piece[0] not in _NOT_FIRST:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for char in text:
        wide = unicodedata.east_asian_width(char) in "WF"
        if pieces and not wide and width(pieces[-1][-1]) == 1 and pieces[-1][-1] != " ":
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def cut(text: str, to: int) -> str:
    """``text`` in at most ``to`` columns, the end of a longer one replaced by an ellipsis."""
    while width(text) > to:
        text = text.removesuffix("...")[:-1] + "..."
    return text


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A plain table; columns numbered in ``right`` are set flush right."""
    widths = [max(width(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(pad(cell, widths[i], i in right) for i, cell in enumerate(row)).rstrip()
        for row in [head, ["-" * w for w in widths], *rows]
    ]
    return "\n".join(lines)
