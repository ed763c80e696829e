"""The numbers of the sample, read from ``parameters.yaml``, and one branch's settings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType, SimpleNamespace
from typing import Any

import yaml


@dataclass(frozen=True)
class Setting:
    """Everything that makes one branch: who it is, how large, its story and its numbers.

    ``n`` numbers the branch (seed of its own random stream); ``story`` is a key of ``stories`` in
    ``parameters.yaml`` and ``twist`` its values.
    """

    id: str
    n: int
    name: str
    story: str
    in_scope: int
    city_tier: str
    region: str
    preset: str
    alpha: float
    opened_on: dt.date
    twist: MappingProxyType[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, key: str, usual: Any) -> Any:
        """The story's value of ``key``, or the usual one."""
        return self.twist.get(key, usual)


def raw() -> dict[str, Any]:
    """The parameter file as it stands, with evidence codes and notes."""
    text = files("playbook.sample").joinpath("parameters.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def load() -> SimpleNamespace:
    """Values only, as ``p.money.loss``; mappings stay mappings."""
    tree = raw()
    rooms = {
        room: SimpleNamespace(**{key: entry["value"] for key, entry in tree[room].items()})
        for room in tree
        if room not in ("stories", "branches")
    }
    return SimpleNamespace(**rooms, stories=tree["stories"], branches=tree["branches"])


def shipped(p: SimpleNamespace) -> list[Setting]:
    """The six branches that come with the project, each with its story."""
    return [
        Setting(**row, n=number, twist=MappingProxyType(p.stories[row["story"]]))
        for number, row in enumerate(p.branches, start=1)
    ]


def many(p: SimpleNamespace, count: int, in_scope: int, width: int = 4) -> list[Setting]:
    """``count`` branches of ``in_scope`` clients, the six stories in turn, for tests of size.

    ``width`` is the number of digits in a branch id: ``B0001``.
    """
    width = max(width, len(str(count)))
    models = shipped(p)
    return [
        Setting(
            id=f"B{n:0{width}d}",
            n=n,
            name=f"{models[(n - 1) % len(models)].name}{n:0{width}d}",
            story=(model := models[(n - 1) % len(models)]).story,
            in_scope=in_scope,
            city_tier=model.city_tier,
            region=model.region,
            preset="cn6",
            alpha=model.alpha,
            opened_on=model.opened_on,
            twist=model.twist,
        )
        for n in range(1, count + 1)
    ]
