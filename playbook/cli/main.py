"""What ``playbook`` does with its arguments, and the guard that turns any error into a sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from playbook.cli import console
from playbook.cli.parser import Parser, UsageError, wanted_language
from playbook.report import settings
from playbook.text import LANGS, t


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code.

    0 all done · 2 wrong use · 3 some rejected or failed, told · 4 nothing usable · 5 already
    running · 6 no disk or memory · 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    lang = wanted_language(given)
    console.forgiving()
    try:
        options = _parser(lang).parse_args(given)
        return options.run(options, lang)
    except SystemExit as finished:  # --help and --version
        return int(finished.code or 0)
    except UsageError as error:
        console.complain(str(error))
        return settings.USAGE
    except KeyboardInterrupt:
        console.complain(t("cli.interrupted", lang))
        return settings.INTERRUPTED
    except BaseException as error:  # the last guard: a sentence, a log without values, a code
        return _told(error, lang)


def _told(error: BaseException, lang: str) -> int:
    from playbook.report.errors import cause_of, cause_sentence, in_language

    cause = cause_of(error)
    console.complain(cause_sentence(in_language(cause, lang), lang))
    if cause["key"] == "unforeseen":
        log = _log(error)
        if log:
            console.complain(t("cli.log", lang, file=log))
    return cause["exit"]


def _log(error: BaseException) -> str:
    """Writes where the error came through to ``playbook-error.log``; empty when it can't."""
    import tempfile
    from pathlib import Path

    from playbook.report.errors import frames_only

    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        try:
            path = folder / "playbook-error.log"
            path.write_text(frames_only(error), encoding="utf-8")
            return str(path)
        except OSError:
            continue
    return ""


def _parser(lang: str) -> Parser:
    def words(key: str) -> str:
        return t(f"cli.{key}", lang)

    parser = Parser(lang=lang, prog="playbook", description=words("about"),
                    example=words("example.playbook"))  # fmt: skip
    parser.add_argument("--version", action="version", version=_version(),
                        help=words("option.version"))  # fmt: skip
    _language_option(parser, lang)
    commands = parser.add_subparsers(
        dest="command", required=True, metavar=words("value.command"), parser_class=Parser
    )

    def command(key: str, run: Callable, under=commands, prog: str = "") -> Parser:
        name = key.rpartition(".")[2]
        made = under.add_parser(
            name, lang=lang, prog=prog or f"playbook {name}", help=words(f"command.{key}"),
            description=words(f"command.{key}"), example=words(f"example.{key}"),
        )  # fmt: skip
        _language_option(made, lang)
        made.set_defaults(run=run)
        return made

    report = command("report", _report)
    report.add_argument("--data", default="sample", metavar=words("value.folder"),
                        help=words("option.data"))  # fmt: skip
    report.add_argument("--branch", nargs="+", action="extend", default=[],
                        metavar=words("value.branch"), help=words("option.branch"))  # fmt: skip
    report.add_argument("--as-of", default="", metavar=words("value.day"),
                        help=words("option.as_of"))  # fmt: skip
    report.add_argument("--policy", default="", metavar=words("value.policy"),
                        help=words("option.policy"))  # fmt: skip
    report.add_argument("--out", default="reports", metavar=words("value.folder"),
                        help=words("option.out"))  # fmt: skip
    report.add_argument("--jobs", default="0", metavar=words("value.number"),
                        help=words("option.jobs"))  # fmt: skip

    check = command("check", _check)
    check.add_argument("data", metavar=words("value.folder"), help=words("option.check_data"))
    check.add_argument("--as-of", default="", metavar=words("value.day"),
                       help=words("option.as_of"))  # fmt: skip
    check.add_argument("--out", default="", metavar=words("value.file"),
                       help=words("option.faults"))  # fmt: skip

    policy = commands.add_parser(
        "policy", lang=lang, prog="playbook policy", help=words("command.policy"),
        description=words("command.policy"), example=words("example.policy"),
    )  # fmt: skip
    _language_option(policy, lang)
    verbs = policy.add_subparsers(
        dest="verb", required=True, metavar=words("value.command"), parser_class=Parser
    )
    show = command("policy.show", _policy_show, verbs, "playbook policy show")
    show.add_argument("policy", nargs="?", default="cn6", metavar=words("value.policy"),
                      help=words("option.policy_show"))  # fmt: skip
    checked = command("policy.check", _policy_check, verbs, "playbook policy check")
    checked.add_argument("policy", metavar=words("value.file"), help=words("option.policy_file"))
    diff = command("policy.diff", _policy_diff, verbs, "playbook policy diff")
    diff.add_argument("a", metavar=words("value.policy"), help=words("option.policy_a"))
    diff.add_argument("b", metavar=words("value.policy"), help=words("option.policy_b"))

    learn = command("learn", _learn)
    learn.add_argument("--out", default="workspace", metavar=words("value.folder"),
                       help=words("option.workspace"))  # fmt: skip
    learn.add_argument("--fresh", action="store_true", help=words("option.fresh"))
    learn.add_argument("--prepare", action="store_true", help=words("option.prepare"))
    learn.add_argument("--no-browser", action="store_true", help=words("option.no_browser"))

    command("doctor", _doctor)
    return parser


def _language_option(parser: Parser, lang: str) -> None:
    parser.add_argument("--lang", choices=LANGS, default=lang, metavar="zh|en",
                        help=t("cli.option.lang", lang))  # fmt: skip


def _version() -> str:
    from playbook.report.inputs import own_version

    return f"playbook {own_version()}"


def _report(options, lang: str) -> int:
    from playbook.cli.report import report

    return report(options, lang)


def _check(options, lang: str) -> int:
    from playbook.cli.check import check

    return check(options, lang)


def _policy_show(options, lang: str) -> int:
    from playbook.cli import policy

    return policy.show(options, lang)


def _policy_check(options, lang: str) -> int:
    from playbook.cli import policy

    return policy.check(options, lang)


def _policy_diff(options, lang: str) -> int:
    from playbook.cli import policy

    return policy.diff(options, lang)


def _learn(options, lang: str) -> int:
    from playbook.cli.learn import learn

    return learn(options, lang)


def _doctor(options, lang: str) -> int:
    from playbook.cli.doctor import doctor

    return doctor(options, lang)
