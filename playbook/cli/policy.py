"""``playbook policy``: show a policy, check a bank's own file, compare two."""

from __future__ import annotations

from playbook.cli import console
from playbook.policy import PolicyError, check_file, load
from playbook.policy import diff as compare
from playbook.policy import show as values_of
from playbook.report import settings
from playbook.report.errors import policy_sentences
from playbook.text import t

#: Widest cell; only the last column, the meaning, may be longer.
_MOST = 44


def show(options, lang: str) -> int:
    """Every value with its evidence and meaning."""
    policy = _load(options.policy, lang)
    if policy is None:
        return settings.NOTHING
    frame = values_of(policy, lang)
    console.say(f"{getattr(policy.name, lang)} ({policy.id})")
    console.say(_table(frame, ("key", "value", "evidence", "meaning"), lang))
    return settings.OK


def check(options, lang: str) -> int:
    """All faults of a bank's own file."""
    faults = check_file(options.policy)
    if len(faults):
        _tell(faults, lang)
        return settings.NOTHING
    console.say(t("cli.policy.right", lang, file=options.policy))
    return settings.OK


def diff(options, lang: str) -> int:
    """What two policies have different."""
    a, b = _load(options.a, lang), _load(options.b, lang)
    if a is None or b is None:
        return settings.NOTHING
    frame = compare(a, b, lang)
    if frame.empty:
        console.say(t("cli.policy.same", lang))
        return settings.OK
    heads = {"a": a.id, "b": b.id}
    console.say(_table(frame, ("key", "a", "b", "note"), lang, heads))
    return settings.OK


def _load(policy: str, lang: str):
    try:
        return load(policy)
    except PolicyError as error:
        _tell(error.faults, lang)
        return None


def _tell(faults, lang: str) -> None:
    for sentence in policy_sentences(faults, lang):
        console.complain(sentence)
    console.complain(t("cli.policy.faults", lang, n=len(faults)))


def _table(frame, columns: tuple[str, ...], lang: str, heads: dict | None = None) -> str:
    named = heads or {}
    head = [named.get(name) or t(f"cli.policy.{name}", lang) for name in columns]
    rows = [
        [*(console.cut(str(value), _MOST) for value in row[:-1]), str(row[-1])]
        for row in frame[list(columns)].itertuples(index=False)
    ]
    table = console.table(head, rows)
    return table if console.fits(table) else _stacked(head, rows)


def _stacked(head: list[str], rows: list[list[str]]) -> str:
    """The same for a narrow window: the values in one line, the meaning indented below."""
    lines = []
    for name, *values, meaning in rows:
        said = (f"{title} {value}" for title, value in zip(head[1:-1], values, strict=True))
        lines.append("  ".join([name, *said]))
        lines += [f"    {line}" for line in console.wrap(meaning, console.columns() - 4)]
    return "\n".join(lines)
