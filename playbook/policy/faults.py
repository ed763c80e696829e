"""What is wrong with a policy, as rows of a table.

A fault is a fact, not a sentence: where it is (file, line, dotted key), the value found and a code.
The sentence for the code that says what to do is ``policy.fault.<code>`` in the words of the
package, filled from the same row; :func:`worded` adds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

import pandas as pd

from playbook.text import language, t

#: How much of a wrong value is repeated: enough to find it, no more.
_SHOWN = 60


@dataclass(frozen=True)
class Fault:
    """One fault. ``line`` counts from 1 as an editor shows it; ``None``: no line (no file)."""

    file: str
    line: int | None
    key: str
    value: str
    code: str
    expected: str = ""
    hint: str = ""


COLUMNS = tuple(field.name for field in fields(Fault))


class PolicyError(ValueError):
    """A policy can't be used. ``faults`` is the table of everything that is wrong with it.

    Columns: ``file``, ``line`` (``Int64``, from 1), ``key`` (dotted), ``value`` (as written),
    ``code``, ``expected``, ``hint``.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.rows = tuple(faults)
        self.faults = frame(self.rows)
        where = "; ".join(
            f"{f.file}:{f.line if f.line else '-'} {f.key} [{f.code}]" for f in self.rows
        )
        super().__init__(f"{len(self.rows)} faults in the policy: {where}")

    def _render_traceback_(self) -> list[str]:
        # What a notebook shows in place of a traceback.
        return list(worded(self.faults, language())["message"])

    def __reduce__(self):
        # An error must survive the way back from a worker process.
        return type(self), (self.rows,)


def frame(faults: Iterable[Fault]) -> pd.DataFrame:
    """Faults as a table in the order of files and lines."""
    rows = [astuple(fault) for fault in faults]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = {name: "str" for name in COLUMNS if name != "line"}
    table = table.astype({**texts, "line": "Int64"})
    order = {"by": ["file", "line"], "kind": "stable", "na_position": "first"}
    return table.sort_values(**order, ignore_index=True)


def shown(value: object) -> str:
    """A value as it stands in a YAML file, cut when it is long."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < float(2**53):
        value = int(value)
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def worded(faults: pd.DataFrame, lang: str) -> pd.DataFrame:
    """The table with one more column, ``message``: what is wrong and what to do, in ``lang``."""
    messages = [t(f"policy.fault.{row['code']}", lang, **row) for row in faults.to_dict("records")]
    return faults.assign(message=pd.Series(messages, index=faults.index, dtype="str"))
