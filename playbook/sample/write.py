"""Whole data sets on disk: the shipped six branches with their truth, or any number of branches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from playbook.sample import faulty, files, stories, truth
from playbook.sample.bank import Shelf, shelf
from playbook.sample.branch import Branch, make
from playbook.sample.clock import Clock, clock
from playbook.sample.parameters import load, many, shipped
from playbook.tables import TABLES

#: Seed of the shipped files.
SEED = 20260930
Progress = Callable[..., Iterable]


def _plain(items: Iterable, **_: object) -> Iterable:
    return items


def shipped_branches(seed: int = SEED) -> list[Branch]:
    """The six shipped branches in memory."""
    p = load()
    when = clock(p)
    goods = shelf(p, seed, when)
    return [make(p, s, when, goods, seed) for s in shipped(p)]


def shipped_files(folder: Path, seed: int = SEED, progress: Progress = _plain) -> None:
    """Write ``sample``, ``truth``, ``faulty`` and ``faulty_forbidden`` under a folder."""
    p = load()
    when = clock(p)
    goods = shelf(p, seed, when)
    sample = folder / "sample"
    sample.mkdir(parents=True, exist_ok=True)
    small: dict[str, list] = {name: [] for name in TABLES if name not in files.LARGE}
    small["products"].append(goods.products)
    small["product_nav"].append(goods.product_nav)
    made: list[Branch] = []
    with files.ParquetSink(sample) as sink:
        for s in progress(shipped(p), unit="branch"):
            branch = make(p, s, when, goods, seed)
            made.append(branch)
            for name, frame in branch.tables.items():
                if name in small:
                    small[name].append(frame)
                else:
                    sink.add(name, frame)
    for name, frames in small.items():
        files.write_csv(sample, name, frames)
    _truth(folder / "truth", p, made, when, goods, seed)
    faulty.write(folder, p, seed)


def _truth(folder: Path, p: SimpleNamespace, made: list[Branch], when: Clock, goods: Shelf,
           seed: int) -> None:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    account = truth.account(p, made, when, goods, seed)
    told = json.dumps(account, ensure_ascii=False, indent=1)
    (folder / "truth.json").write_text(told + "\n", encoding="utf-8", newline="\n")
    page = folder.parent / "README.md"
    if page.exists():
        names = {b.truth["setting"].id: b.truth["setting"].name for b in made}
        text = stories.filled(page.read_text(encoding="utf-8"), account, names)
        page.write_text(text, encoding="utf-8", newline="\n")
    for name, frames in (
        ("maturities", [truth.maturities(b) for b in made]),
        ("event_lifts", [truth.event_lifts(b, when) for b in made]),
        ("clients", [truth.clients(p, b) for b in made]),
    ):
        files.write_plain_parquet(folder / f"{name}.parquet", pd.concat(frames, ignore_index=True))


def many_files(folder: Path, branches: int, clients: int, months: int, seed: int,
               progress: Progress = _plain) -> None:  # fmt: skip
    """Write any number of branches straight to Parquet, one by one: memory stays bounded."""
    p = load()
    when = clock(p, months)
    goods = shelf(p, seed, when)
    folder.mkdir(parents=True, exist_ok=True)
    with files.ParquetSink(folder) as sink:
        sink.add("products", goods.products)
        sink.add("product_nav", goods.product_nav)
        for s in progress(many(p, branches, clients), unit="branch"):
            for name, frame in make(p, s, when, goods, seed).tables.items():
                sink.add(name, frame)
