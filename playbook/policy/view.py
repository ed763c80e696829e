"""A policy to read, and two policies side by side."""

from __future__ import annotations

import pandas as pd

from playbook.policy import build
from playbook.policy.faults import shown
from playbook.policy.model import Policy
from playbook.policy.source import leaves
from playbook.text import t


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,g}"
    return shown(value) if value is None or isinstance(value, bool) else str(value)


def _values(policy: Policy) -> dict[str, str]:
    tree = build.grown(policy)
    return {key: _text(leaf.value) for key, leaf in leaves(tree)}


def show(policy: Policy, lang: str = "zh") -> pd.DataFrame:
    """Every value of the policy: columns ``key``, ``value``, ``evidence``, ``meaning``.

    ``evidence`` is the code of the source (``P``, ``L``, ``R``, ``M``, ``A``, ``S:D10``, ``bank``),
    ``meaning`` a phrase in ``lang``. Values are texts, ready to read.
    """
    values = _values(policy)
    notes = [policy.notes.get(key) for key in values]
    return pd.DataFrame(
        {
            "key": list(values),
            "value": list(values.values()),
            "evidence": [note.evidence if note else "" for note in notes],
            "meaning": [getattr(note, lang) if note else "" for note in notes],
        },
        dtype="str",
    )


def diff(a: Policy, b: Policy, lang: str = "zh") -> pd.DataFrame:
    """What differs between two policies: columns ``key``, ``a``, ``b``, ``note``.

    An empty value with the note "only in the other" means that the key is not there at all, as
    with a tier that one of the two does not have.
    """
    left, right = _values(a), _values(b)
    keys = [key for key in dict.fromkeys([*left, *right]) if left.get(key) != right.get(key)]
    notes = []
    for key in keys:
        note = b.notes.get(key) or a.notes.get(key)
        meaning = getattr(note, lang) if note else ""
        only = "policy.diff.only_b" if key not in left else "policy.diff.only_a"
        if key not in left or key not in right:
            meaning = t(only, lang, meaning=meaning, a=a.id, b=b.id).strip()
        notes.append(meaning)
    return pd.DataFrame(
        {
            "key": keys,
            "a": [left.get(key, "") for key in keys],
            "b": [right.get(key, "") for key in keys],
            "note": notes,
        },
        dtype="str",
    )
