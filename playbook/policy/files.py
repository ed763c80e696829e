"""Presets and a bank's own files: found, laid over one another, checked, loaded."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd

from playbook.policy import build, rules
from playbook.policy.faults import Fault, PolicyError, frame, shown
from playbook.policy.model import Policy
from playbook.policy.source import Group, Leaf, read

DEFAULT = "cn6"
_FOLDER = Path(__file__).parent / "presets"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


@cache
def _preset_paths() -> dict[str, Path]:
    found = {path.stem: path for path in sorted(_FOLDER.glob("*.yaml"))}
    return {DEFAULT: found.pop(DEFAULT), **found}


def presets() -> list[str]:
    """Names of the shipped policies, the default first."""
    return list(_preset_paths())


def load(name_or_path: str | Path = DEFAULT) -> Policy:
    """A policy by the name of a preset, or from a bank's own YAML file.

    A bank's file says ``extends: cn6`` (or another preset, or a file beside it) and gives only
    what the bank decides differently. Raises :class:`PolicyError`, whose ``faults`` list everything
    that is wrong with the file, each with its line.
    """
    if str(name_or_path) in _preset_paths():
        return _preset(str(name_or_path))
    policy, faults = _loaded(name_or_path)
    if policy is None or faults:
        raise PolicyError(faults)
    return policy


def check_file(path: str | Path) -> pd.DataFrame:
    """Everything wrong with a policy file, as the table ``PolicyError.faults``; empty if fine."""
    return frame(_loaded(path)[1])


@cache
def _preset(name: str) -> Policy:
    policy, faults = _loaded(name)
    if policy is None:
        raise PolicyError(faults)
    return policy


def _loaded(wanted: str | Path) -> tuple[Policy | None, list[Fault]]:
    known = _preset_paths()
    if str(wanted) in known:
        path, shown_as = known[str(wanted)], known[str(wanted)].name
    else:
        path, shown_as = Path(wanted), str(wanted)
        if not path.exists() and not path.suffix:
            near = rules.near(str(wanted), list(known))
            return None, [Fault(shown_as, None, "", shown_as, "no_such_preset",
                                ", ".join(known), near)]  # fmt: skip
    tree, faults = _resolved(path, shown_as, ())
    if tree is None:
        return None, faults
    policy, more = build.built(tree)
    faults = _dedup([*faults, *more])
    return (None if faults else policy), faults


@cache
def _resolved_preset(name: str) -> tuple[Group | None, list[Fault]]:
    path = _preset_paths()[name]
    return _resolved(path, path.name, ())


def _resolved(
    path: Path, shown_as: str, above: tuple[Path, ...]
) -> tuple[Group | None, list[Fault]]:
    """The tree of a file with everything that it extends, notes included."""
    over, faults = read(path, shown_as)
    if not over.items:
        return None, faults
    base: Group | None = None
    chain = (*above, path.resolve())
    if "extends" in over.items:
        base, more = _base(over.items["extends"], path, shown_as, chain)
        if base is None:
            return None, [*faults, *more]
        faults += more
    elif path not in _preset_paths().values():
        missing = [part for part in Policy.model_fields if part not in (*over.items, "notes")]
        if missing:
            # One fault that says what to do, instead of a dozen missing parts.
            known = ", ".join(_preset_paths())
            lacking = Fault(shown_as, 1, "extends", "", "no_extends", known, ", ".join(missing))
            return None, [*faults, lacking]
    meanings = None
    if base is None and path != _preset_paths()[DEFAULT]:
        meanings = _resolved_preset(DEFAULT)[0]
    if "id" not in over.items:
        own = path.stem if _CODE.fullmatch(path.stem) else "bank"
        over = replace(over, items={"id": Leaf(own, shown_as, 1), **over.items})
    tree, more = build.lay(over, base, meanings)
    return tree, [*faults, *more]


def _base(
    item: Leaf | Group, path: Path, shown_as: str, chain: tuple[Path, ...]
) -> tuple[Group | None, list[Fault]]:
    known = _preset_paths()
    wanted = item.value if isinstance(item, Leaf) else None

    def fault(code: str, hint: str = "") -> tuple[None, list[Fault]]:
        return None, [Fault(shown_as, item.line, "extends", shown(wanted), code,
                            ", ".join(known), hint)]  # fmt: skip

    if not isinstance(wanted, str) or not wanted.strip():
        return fault("extends_not_a_name")
    if wanted in known and path not in known.values():
        return _resolved_preset(wanted)
    target = known.get(wanted, path.parent / wanted)
    name = target.name if wanted in known else str(Path(shown_as).parent / wanted)
    if target.resolve() in chain:
        links = [*chain[chain.index(target.resolve()) :], target.resolve()]
        return fault("extends_cycle", " -> ".join(link.name for link in links))
    if not target.is_file():
        return fault("extends_unknown", rules.near(wanted, list(known)))
    return _resolved(target, name, chain)


def _dedup(faults: list[Fault]) -> list[Fault]:
    return list(dict.fromkeys(faults))
