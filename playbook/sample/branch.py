"""One branch: everything drawn in order, given ids, and laid out in the declared tables."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd

from playbook.sample import dossier, events, money, papers, people, voice, work
from playbook.sample.bank import Shelf
from playbook.sample.clock import Clock, dates
from playbook.sample.papers import NEVER
from playbook.sample.parameters import Setting
from playbook.tables import PRODUCT_CLASSES, TABLES

#: Each part of a branch has its own random stream: a change in one leaves the others as they were.
_STREAMS = (
    "people",
    "papers",
    "events",
    "money",
    "birthdays",
    "work",
    "file",
    "voice",
    "ids",
    "staff",
)


@dataclass(frozen=True)
class Branch:
    """The tables of one branch (columns as declared) and what was planted in it."""

    tables: dict[str, pd.DataFrame]
    truth: dict


def make(p: SimpleNamespace, s: Setting, when: Clock, shelf: Shelf, seed: int) -> Branch:
    """Generate one branch. The same seed, setting and parameters give the same tables."""
    parts = np.random.SeedSequence([seed, 1, s.n]).spawn(len(_STREAMS))
    rng = {
        name: np.random.Generator(np.random.PCG64(part))
        for name, part in zip(_STREAMS, parts, strict=True)
    }
    who = people.draw(rng["people"], p, s, when)
    consents = papers.consents(rng["papers"], p, s, when, who)
    risk = papers.assessments(rng["papers"], p, s, when, who)
    party = events.draw(rng["events"], p, s, when, who, consents)
    book = money.run(rng["money"], p, s, when, who, shelf, risk, party)
    born = dossier.birthdays(rng["birthdays"], who.n)
    month_born = (np.datetime64("2025-01-01") + born).astype("datetime64[M]").astype(
        "int64"
    ) % 12 + 1
    done = work.draw(rng["work"], p, s, when, who, consents, risk, book, month_born)
    known = dossier.draw(rng["file"], p, s, when, who, book, born)
    said = voice.complaints(rng["voice"], p, s, when, who, book)
    brought, referrer = voice.referrals(rng["voice"], p, s, when, who, book)
    spent = voice.costs(rng["voice"], p, s, when, party.events)

    ids = _Ids(rng["ids"], s, who.n, people.n_advisers(p, s))
    known.clients["referrer"] = referrer
    came = party.day[party.event] < np.minimum(book.left, NEVER)[party.client]
    attendance = party.attendance[came].reset_index(drop=True)
    raw = {
        "branches": _branch_row(p, s, book),
        "advisers": _staff(rng["staff"], p, s, when, ids),
        "households": known.households,
        "clients": known.clients,
        "consents": consents.table,
        "risk_assessments": risk.table,
        "balances_monthly": _balances(s, when, book),
        "holdings": _holdings(s, when, shelf, book),
        "flows": _flows(s, shelf, book),
        "contacts": done.contacts,
        "plans": done.plans,
        "needs": known.needs,
        "events": party.events,
        "event_attendance": attendance,
        "complaints": said,
        "referrals": brought,
        "costs": spent,
    }
    tables = {name: ids.give(name, frame) for name, frame in raw.items()}
    truth = {
        "who": who, "book": book, "party": party, "work": done, "ids": ids, "setting": s,
        "assessments": risk,
    }  # fmt: skip
    return Branch(tables, truth)


#: Columns that hold positions while a branch is made, and the column their ids go to.
_TARGET = {
    "client": "client_id", "household": "household_id", "adviser": "adviser_id",
    "referrer": "referrer_id", "referee": "referee_client_id", "handler": "handler_id",
    "accused": "against_adviser_id",
}  # fmt: skip


class _Ids:
    """Pseudonyms: client numbers are shuffled, so that an id tells nothing about its client."""

    def __init__(self, rng: np.random.Generator, s: Setting, n: int, advisers: int) -> None:
        width = max(4, len(str(n)))
        number = rng.permutation(n) + 1
        self.client = np.array([f"{s.id}-{i:0{width}d}" for i in number] + [None], dtype=object)
        self.household = np.array([f"{s.id}-H{i:0{width}d}" for i in number] + [None], dtype=object)
        self.adviser = np.array(
            [f"{s.id}-A{i}" for i in range(advisers + 1)] + [None], dtype=object
        )
        self.rank = np.append(number, n + 1)

    def give(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Positions become ids; columns come in declared order; rows are sorted by key."""
        of = {
            "client": self.client, "household": self.household, "adviser": self.adviser,
            "referrer": self.client, "referee": self.client, "handler": self.adviser,
            "accused": self.adviser,
        }  # fmt: skip
        out = {}
        for column in frame.columns:
            if column in of and column not in TABLES[name].by_name:
                target = _TARGET[column]
                if name == "referrals" and column == "client":
                    target = "referrer_client_id"
                out[target] = pd.Series(of[column][frame[column].to_numpy()], dtype="str")
            else:
                out[column] = frame[column].reset_index(drop=True)
        table = pd.DataFrame(out)
        table = table[[c for c in TABLES[name].names if c in table.columns]]
        key = list(TABLES[name].key)
        return table.sort_values(key, kind="stable", ignore_index=True)


def _branch_row(p, s: Setting, book) -> pd.DataFrame:
    start = book.opening.sum() / 100
    return pd.DataFrame(
        {
            "branch_id": [s.id],
            "branch_name": [s.name],
            "city_tier": [s.city_tier],
            "region": [s.region],
            "opened_on": [pd.Timestamp(s.opened_on)],
            "preset": [s.preset],
            "client_target_n": [round(s.in_scope * 1.08)],
            "aum_target": [float(round(start * 1.06, -5))],
        }
    )


def _staff(rng, p, s: Setting, when: Clock, ids: _Ids) -> pd.DataFrame:
    n = people.n_advisers(p, s) + 1
    hired = when.first[0] - rng.integers(400, 4000, n)
    level = np.where(
        np.arange(n) == 0, "assistant", rng.choice(["adviser", "senior"], n, p=[0.6, 0.4])
    )
    return pd.DataFrame(
        {
            "branch_id": s.id,
            "adviser_id": ids.adviser[:n],
            "level": level,
            "qualified": np.arange(n) > 0,
            "qualification_expiry": dates(when.as_of + rng.integers(60, 900, n), np.arange(n) == 0),
            "hired_on": dates(hired),
            "client_facing_share": np.where(np.arange(n) == 0, 0.15, 0.45),
            "skill_tag": rng.choice(["invest", "plan", "care"], n),
        }
    )


def _balances(s: Setting, when: Clock, book) -> pd.DataFrame:
    busy = (book.end != 0) | (book.average != 0) | (book.market != 0)
    month, client, cls = np.nonzero(busy)
    return pd.DataFrame({
        "branch_id": s.id, "client": client, "month": when.months[month].astype("datetime64[s]"),
        "product_class": np.array(PRODUCT_CLASSES)[cls],
        "month_avg": book.average[busy] / 100, "month_end": book.end[busy] / 100,
        "market_change": book.market[busy] / 100,
    })  # fmt: skip


def _holdings(s: Setting, when: Clock, shelf: Shelf, book) -> pd.DataFrame:
    h = book.holdings
    open_ = h.ended == NEVER
    return pd.DataFrame({
        "branch_id": s.id, "holding_id": _numbered(s, "H", len(h.client), 6), "client": h.client,
        "product_id": shelf.ids[h.product], "start_date": dates(h.start),
        "maturity_date": dates(np.where(h.maturity < NEVER, h.maturity, 0), h.maturity == NEVER),
        "ended_on": dates(np.where(open_, 0, h.ended), open_), "principal": h.principal / 100,
        "market_value": np.where(open_, h.value / 100, np.nan), "cost_nav": h.cost,
        "auto_renew": h.renews,
        "as_of": dates(np.full(len(h.client), when.as_of), ~open_),
    })  # fmt: skip


def _flows(s: Setting, shelf: Shelf, book) -> pd.DataFrame:
    f = book.flows
    order = np.lexsort((np.arange(len(f["client"])), f["client"], f["day"]))
    product = f["product"][order]
    return pd.DataFrame(
        {
            "branch_id": s.id,
            "flow_id": _numbered(s, "F", len(order), 6),
            "client": f["client"][order],
            "date": dates(f["day"][order]),
            "direction": np.where(f["sign"][order] > 0, "in", "out"),
            "amount": f["amount"][order] / 100,
            "kind": f["kind"][order],
            "product_id": pd.Series(np.where(product >= 0, shelf.ids[product], None)).astype("str"),
        }
    )


def _numbered(s: Setting, letter: str, n: int, width: int) -> list[str]:
    return [f"{s.id}-{letter}{i:0{width}d}" for i in range(1, n + 1)]
