"""Arguments read and explained in the reader's language.

argparse speaks English; its help is set in our words and its complaints are recognised and said
again, each as one sentence with the command that shows the help.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from playbook.cli import console
from playbook.text import language, t

_INDENT = 2
_COLUMN = 26

#: What argparse says when something is wrong → our sentence and its facts, in order.
_COMPLAINTS = (
    (r"unrecognized arguments: (?P<what>.+)", "unknown"),
    (r"argument (?P<what>\S+).*: invalid choice: '?(?P<value>[^']*)'? "
     r"\(choose from (?P<known>.+)\)", "choice"),
    (r"argument (?P<what>.+): (?:invalid \w+ value: )'?(?P<value>[^']*)'?", "value"),
    (r"argument (?P<what>.+): expected .+ arguments?", "no_value"),
    (r"argument (?P<what>.+): not allowed with .+", "unknown"),
    (r"the following arguments are required: (?P<what>.+)", "required"),
    (r"ambiguous option: (?P<what>\S+) could match (?P<known>.+)", "ambiguous"),
)  # fmt: skip


def wanted_language(arguments: Sequence[str]) -> str:
    """``zh`` or ``en``, before anything is parsed: ``--lang``, else as the environment says."""
    found = None
    for position, this in enumerate(arguments):
        if this == "--lang":
            found = next(iter(arguments[position + 1 :]), None)
        elif this.startswith("--lang="):
            found = this.partition("=")[2]
    return language(found)


_PIECE = re.compile(r"\[[^\[\]]*(?:\[[^\]]*\][^\[\]]*)*\]|\S+")


class UsageError(Exception):
    """Wrong use of the command line, as one sentence."""


class Parser(argparse.ArgumentParser):
    """An argument parser that helps and complains in ``lang``."""

    def __init__(self, *, lang: str = "zh", example: str = "", **more: object) -> None:
        super().__init__(
            **more, add_help=False, allow_abbrev=False, formatter_class=_Formatter,
        )  # fmt: skip
        self.lang = lang
        self.example = example
        self._positionals.title = t("cli.help.positionals", lang)
        self._optionals.title = t("cli.help.options", lang)
        self.add_argument("-h", "--help", action="help", help=t("cli.help.help", lang))

    def format_usage(self) -> str:
        formatter = self._get_formatter()
        formatter.add_usage(
            self.usage, self._actions, self._mutually_exclusive_groups,
            prefix=t("cli.help.usage", self.lang),
        )  # fmt: skip
        prefix = t("cli.help.usage", self.lang)
        pieces = _PIECE.findall(" ".join(formatter.format_help().split())[len(prefix) :])
        start = len(self.prog.split())
        indent = console.width(f"{prefix}{self.prog} ")
        lines = [f"{prefix}{' '.join(pieces[:start])}"]
        for piece in pieces[start:]:
            if console.width(f"{lines[-1]} {piece}") > console.columns():
                lines.append(" " * (indent - 1))
            lines[-1] += f" {piece}"
        return "\n".join(lines) + "\n"

    def format_help(self) -> str:
        wide = console.columns()
        parts = [self.format_usage().rstrip(), ""]
        if self.description:
            parts += [*console.wrap(self.description, wide), ""]
        for group in self._action_groups:
            rows = [row for action in group._group_actions for row in self._rows(action)]
            if rows:
                parts += [group.title, *_listed(rows, wide), ""]
        if self.example:
            parts += [t("cli.help.example", self.lang)]
            parts += [" " * _INDENT + line for line in self.example.strip().splitlines()]
        return "\n".join(parts).rstrip() + "\n"

    def _rows(self, action: argparse.Action) -> list[tuple[str, str]]:
        if action.help == argparse.SUPPRESS:
            return []
        if isinstance(action, argparse._SubParsersAction):
            return [(choice.dest, choice.help or "") for choice in action._choices_actions]
        value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        shown = f"{names} {value}".strip() if action.option_strings and action.nargs != 0 else names
        return [(shown, action.help or "")]

    def error(self, message: str) -> None:
        """Raises :class:`UsageError` with our words for what argparse found wrong."""
        for pattern, key in _COMPLAINTS:
            match = re.fullmatch(pattern, message, re.DOTALL)
            if match:
                facts = {k: value.replace("'", "") for k, value in match.groupdict().items()}
                facts["help"] = f"{self.prog} --help"
                raise UsageError(t(f"cli.wrong.{key}", self.lang, **facts))
        raise UsageError(t("cli.wrong.other", self.lang, help=f"{self.prog} --help"))


class _Formatter(argparse.HelpFormatter):
    """Only writes the usage line; the rest is set by :meth:`Parser.format_help`."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=10_000)


def _listed(rows: Sequence[tuple[str, str]], wide: int) -> list[str]:
    lines: list[str] = []
    for name, meaning in rows:
        text = console.wrap(meaning, wide - _COLUMN)
        head = " " * _INDENT + name
        if console.width(head) > _COLUMN - 2:
            lines.append(head)
            head = ""
        lines.append(console.pad(head, _COLUMN) + text[0])
        lines += [" " * _COLUMN + more for more in text[1:]]
    return lines
