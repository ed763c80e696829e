"""From trees of values to a policy: one file laid over another, notes resolved, all checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import TypeAdapter, ValidationError

from playbook.policy import rules, told
from playbook.policy.faults import Fault, PolicyError, shown
from playbook.policy.model import Note, Policy
from playbook.policy.source import Group, Leaf, leaves, place_of, plain

#: Groups whose keys are the bank's own choice: a key can be added, or taken away by ``null``.
OPEN = ("tiers", "standards", "tiering.asset_weights", "familiarity.ladder", "completeness.groups",
        "events.programme", "gate.content")
_NOTE_KEYS = ("evidence", "zh", "en")
_PARTS = {name: field for name, field in Policy.model_fields.items() if name != "notes"}
_ADAPTERS = {
    name: TypeAdapter(Annotated[field.annotation, *field.metadata] if field.metadata
                      else field.annotation)
    for name, field in _PARTS.items()
}  # fmt: skip


# --------------------------------------------------------------------------------- laying over


def lay(over: Group, base: Group | None, meanings: Group | None) -> tuple[Group, list[Fault]]:
    """``over`` laid upon ``base``: its values win, its notes win, the rest is inherited.

    A number that ``over`` gives without saying why is the bank's own decision (evidence ``bank``);
    what the number means is taken from ``base``, or from ``meanings`` for a file without a base.
    """
    faults: list[Fault] = []
    items = dict(over.items)
    notes = items.pop("notes", None)
    items.pop("extends", None)
    over = replace(over, items=items)
    patterns, wrong = _patterns(notes)
    faults += wrong
    if base is not None:
        faults += _removals(over, base)
    over, unused = _noted(over, patterns, _Meanings(base or meanings))
    faults += unused
    tree = over if base is None else _merged(over, base, "")
    return _without_empty(tree), faults


def _removals(over: Group, base: Group) -> list[Fault]:
    faults = []
    for path in OPEN:
        mine, theirs = place_of(over, _split(path)), place_of(base, _split(path))
        if not isinstance(mine, Group) or not isinstance(theirs, Group):
            continue
        for name, item in mine.items.items():
            removed = isinstance(item, Leaf) and item.value is None
            if removed and path != "standards" and name not in theirs.items:
                known = list(theirs.items)
                faults.append(Fault(item.file, item.line, f"{path}.{name}", name, "remove_unknown",
                                    ", ".join(known), rules.near(name, known)))  # fmt: skip
    return faults


def _merged(over: Group, base: Group, path: str) -> Group:
    items: dict[str, Leaf | Group] = {}
    for name, old in base.items.items():
        key = f"{path}.{name}" if path else name
        new = over.items.get(name, old)
        if isinstance(new, Group) and isinstance(old, Group) and new is not old:
            new = _merged(new, old, key)
        items[name] = new
    added = {name: item for name, item in over.items.items() if name not in base.items}
    items = _inserted(items, added) if path == "tiers" else {**items, **added}
    if path == "":
        items = _standards_follow(items, over)
    return Group(items, over.file, over.line)


def _inserted(items: dict[str, Leaf | Group], added: dict[str, Leaf | Group]) -> dict:
    """New tiers between the old ones, by floor; the old ones keep their order."""
    order = list(items)
    for name, item in added.items():
        floor = _floor(item)
        below = [
            at for at, code in enumerate(order) if floor is not None
            and (other := _floor({**items, **added}[code])) is not None and other <= floor
        ]  # fmt: skip
        order.insert(below[-1] + 1 if below else len(order) if floor is None else 0, name)
    return {name: {**items, **added}[name] for name in order}


def _floor(item: Leaf | Group) -> float | None:
    leaf = item.items.get("floor") if isinstance(item, Group) else None
    value = leaf.value if isinstance(leaf, Leaf) else None
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number else None


def _standards_follow(items: dict[str, Leaf | Group], over: Group) -> dict[str, Leaf | Group]:
    """A tier that is taken away takes its inherited service standard with it."""
    tiers, standards = items.get("tiers"), items.get("standards")
    if not isinstance(tiers, Group) or not isinstance(standards, Group):
        return items
    gone = {n for n, item in tiers.items.items() if isinstance(item, Leaf) and item.value is None}
    own = over.items.get("standards")
    kept = set(own.items) if isinstance(own, Group) else set()
    left = {n: item for n, item in standards.items.items() if n not in gone - kept}
    ordered = {n: left[n] for n in tiers.items if n in left}
    return {**items, "standards": replace(standards, items={**ordered, **left})}


def _without_empty(tree: Group) -> Group:
    def cleared(group: Group, path: str) -> Group:
        items = {}
        for name, item in group.items.items():
            key = f"{path}.{name}" if path else name
            if path in OPEN and isinstance(item, Leaf) and item.value is None:
                continue
            items[name] = cleared(item, key) if isinstance(item, Group) else item
        return replace(group, items=items)

    return cleared(tree, "")


# --------------------------------------------------------------------------------------- notes


class _Meanings:
    """What inherited numbers mean: by the same key, else by the same key of a neighbour."""

    def __init__(self, tree: Group | None) -> None:
        self.exact: dict[str, Mapping[str, str]] = {}
        self.shape: dict[str, Mapping[str, str]] = {}
        for key, leaf in leaves(tree) if tree is not None else ():
            if leaf.note:
                self.exact[key] = leaf.note
                self.shape.setdefault(_shape(key), leaf.note)

    def of(self, key: str) -> dict[str, str]:
        note = self.exact.get(key) or self.shape.get(_shape(key)) or {}
        return {name: note[name] for name in ("zh", "en") if name in note}


def _shape(key: str) -> str:
    for path in OPEN:
        if key.startswith(f"{path}."):
            rest = key[len(path) + 1 :].split(".")
            return ".".join([path, "*", *rest[1:]])
    return key


def _patterns(notes: Group | Leaf | None) -> tuple[dict[str, Group], list[Fault]]:
    faults: list[Fault] = []
    found: dict[str, Group] = {}
    if isinstance(notes, Leaf):
        code = "empty_value" if notes.value is None else "not_a_group"
        return {}, [Fault(notes.file, notes.line, "notes", shown(notes.value), code)]
    for pattern, item in notes.items.items() if notes else ():
        key = f"notes.{pattern}"
        if isinstance(item, Leaf):
            faults.append(Fault(item.file, item.line, key, shown(item.value), "not_a_group"))
            continue
        found[pattern] = item
        for name, part in item.items.items():
            if name not in _NOTE_KEYS:
                faults.append(Fault(part.file, part.line, f"{key}.{name}", name, "note_key",
                                    ", ".join(_NOTE_KEYS)))  # fmt: skip
            elif isinstance(part, Group) or not str(part.value or "").strip():
                faults.append(Fault(part.file, part.line, f"{key}.{name}", "", "note_empty"))
    return found, faults


def _matches(pattern: str, key: str) -> bool:
    mine, theirs = pattern.split("."), key.split(".")
    return len(mine) == len(theirs) and all(
        m in ("*", k) for m, k in zip(mine, theirs, strict=True)
    )


def _words(note: Group) -> dict[str, str]:
    # What else stands there is reported by _patterns.
    parts = {name: note.items.get(name) for name in _NOTE_KEYS}
    return {
        name: str(part.value)
        for name, part in parts.items()
        if isinstance(part, Leaf) and str(part.value or "").strip()
    }


def _noted(
    over: Group, patterns: Mapping[str, Group], meanings: _Meanings
) -> tuple[Group, list[Fault]]:
    # The most literal pattern is laid on last and so has the last word.
    ranked = sorted(patterns, key=lambda p: -p.split(".").count("*"))
    used: set[str] = set()

    def noted(group: Group, path: str) -> Group:
        items: dict[str, Leaf | Group] = {}
        for name, item in group.items.items():
            key = f"{path}.{name}" if path else name
            if isinstance(item, Group):
                items[name] = noted(item, key)
                continue
            note = {"evidence": "bank", **meanings.of(key)}
            for pattern in ranked:
                if _matches(pattern, key):
                    used.add(pattern)
                    note |= _words(patterns[pattern])
            items[name] = replace(item, note=note | dict(item.note or {}))
        return replace(group, items=items)

    tree = noted(over, "")
    faults = [
        Fault(item.file, item.line, f"notes.{pattern}", pattern, "note_unused")
        for pattern, item in patterns.items()
        if pattern not in used
    ]
    return tree, faults


# -------------------------------------------------------------------------------------- checks


def built(tree: Group) -> tuple[Policy | None, list[Fault]]:
    """The policy of a resolved tree, or everything that is wrong with it."""
    faults: list[Fault] = []
    parts: dict[str, object] = {}
    for name, item in tree.items.items():
        if name not in _PARTS:
            faults.append(told.unknown_key(tree, (name,), item))
    for name, adapter in _ADAPTERS.items():
        if name not in tree.items:
            faults.append(Fault(tree.file, tree.line, name, "", "missing"))
            continue
        try:
            parts[name] = adapter.validate_python(plain(tree.items[name]))
        except ValidationError as wrong:
            for error in wrong.errors(include_url=False):
                faults += told.told(tree, name, error)
    faults += [_breached(tree, breach) for breach in rules.breaches(parts)]
    if faults or len(parts) < len(_PARTS):
        # A part can be unusable without a fault here: its writing is reported by the reader.
        return None, faults
    notes = {
        key: Note(**leaf.note)
        for key, leaf in leaves(tree)
        if leaf.note and all(leaf.note.get(name) for name in _NOTE_KEYS)
    }
    return Policy(**parts, notes=notes), []


def changed(policy: Policy, changes: Mapping[str, object]) -> Policy:
    """The policy with dotted ``changes``, checked like a file. Raises ``PolicyError``."""
    over = Group()
    for key, value in changes.items():
        at, (*above, last) = over, key.split(".")
        for step in above:
            item = at.items.get(step)
            if not isinstance(item, Group):
                item = at.items[step] = Group()
            at = item
        at.items[last] = _grown(value)
    tree, faults = lay(over, grown(policy), None)
    made, more = built(tree)
    if made is None or faults:
        raise PolicyError([*faults, *more])
    return made


def grown(policy: Policy) -> Group:
    """The tree of a policy, with its notes."""
    tree = _grown(policy.model_dump(exclude={"notes"}))
    return _renoted(tree, policy.notes, "")


def _grown(value: object) -> Group | Leaf:
    if isinstance(value, Mapping):
        return Group({str(name): _grown(part) for name, part in value.items()})
    if isinstance(value, (list, tuple)):
        return Leaf(list(value))
    return Leaf(value.item() if isinstance(value, np.generic) else value)


def _renoted(tree: Group, notes: Mapping[str, Note], path: str) -> Group:
    items: dict[str, Leaf | Group] = {}
    for name, item in tree.items.items():
        key = f"{path}.{name}" if path else name
        if isinstance(item, Group):
            items[name] = _renoted(item, notes, key)
        else:
            items[name] = replace(item, note=notes[key].model_dump() if key in notes else None)
    return Group(items)


def _breached(tree: Group, breach: rules.Breach) -> Fault:
    path = _split(breach.key) + ((breach.at,) if breach.at is not None else ())
    place = place_of(tree, path)
    return Fault(place.file, place.line, breach.key, shown(breach.value), breach.code,
                 breach.expected, breach.hint)  # fmt: skip


def _split(key: str) -> tuple[str | int, ...]:
    return tuple(key.split("."))
