"""What a run and a page need to know of a book: the rooms below, asked in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import playbook as pb


@dataclass(frozen=True)
class Opened:
    """A branch opened and segmented."""

    book: pb.Book
    segments: object

    @property
    def book_name(self) -> str:
        """The branch's name, or its id when the data names none."""
        rows = self.book["branches"]
        mine = rows.loc[rows["branch_id"] == self.book.branch, "branch_name"].dropna()
        return str(mine.iloc[0]) if len(mine) else self.book.branch


@dataclass(frozen=True)
class Change:
    """A number of the policy that the bank set itself."""

    key: str
    preset: str
    bank: str
    meaning: str


@dataclass(frozen=True)
class About:
    """What the cover and the last page of a report say.

    ``numbers`` are plain values without anything about a single client; they also go into the
    manifest, from which the index is written.
    """

    branch: str
    name: str
    as_of: str
    month: str
    policy_id: str
    policy_name: str
    policy_mark: str
    synthetic: bool
    numbers: Mapping[str, object]
    changes: Sequence[Change] = ()
    findings: Sequence[str] = ()
    weakened: Sequence[str] = ()


def locate(data: str) -> tuple[str, Path]:
    """The data as the notebooks shall be told it, and the folder it is in.

    The name of a shipped dataset stays a name; a folder becomes a full path, because a kernel
    works in a folder of its own.
    """
    from playbook.book.sources import folder_of

    folder = folder_of(data)
    by_name = Path(data).name == data and not Path(data).is_dir()
    return (data if by_name else str(folder.resolve())), folder


def branches_of(data: str) -> list[str]:
    """Ids of all branches of the data. Raises the book's own error when there is none."""
    from playbook.book import list_branches

    return list(list_branches(data))


def policy_argument(policy: str) -> tuple[str, str]:
    """The policy as notebooks shall be told it, and its fingerprint; both empty for none.

    Raises ``PolicyError`` with all faults when it is not right.
    """
    if not policy:
        return "", ""
    from playbook.policy import load, presets

    loaded = load(policy)
    return (policy if policy in presets() else str(Path(policy).resolve())), loaded.fingerprint


def open_branch(data: str, branch: str, as_of: str, policy: str) -> Opened:
    """Opens one branch and works step 1. Empty ``as_of``: the last month end of the data."""
    from playbook.policy import load

    book = pb.open_book(
        data, branch=branch, as_of=as_of or None, policy=load(policy) if policy else None
    )
    return Opened(book, pb.segment(book))


def about(opened: Opened, lang: str) -> About:
    """Cover and index facts of an opened branch."""
    book, clients = opened.book, opened.segments.clients
    scope = clients[clients["in_scope"].fillna(False).astype(bool)]
    severity = book.faults["severity"] if len(book.faults) else []
    numbers = {
        "name": opened.book_name,
        "clients": len(clients),
        "in_scope": len(scope),
        "aum_end": _cents(clients["aum_end"].sum()),
        "aum_scope": _cents(scope["aum_avg"].sum()),
        "rejected": int(book.counts["rejected"].sum()),
        "notices": int(sum(severity == "notice")) if len(severity) else 0,
        "synthetic": bool(book.synthetic),
        "policy": book.policy.id,
    }
    last = book.last_month
    return About(
        branch=book.branch,
        name=opened.book_name,
        as_of=f"{book.as_of:%Y-%m-%d}",
        month=f"{last:%Y-%m}" if last is not None else "—",
        policy_id=book.policy.id,
        policy_name=getattr(book.policy.name, lang),
        policy_mark=book.policy.fingerprint[:8],
        synthetic=bool(book.synthetic),
        numbers=numbers,
        changes=_changes(book.policy, lang),
        findings=_findings(opened, lang),
        weakened=_weakened(book.policy, lang),
    )


def _cents(yuan: float) -> float:
    return round(float(yuan), 2)


def _changes(policy, lang: str) -> list[Change]:
    """What the bank set itself: the values whose evidence is the bank, beside the default policy's.

    cn6 is what every preset grows from and what the course teaches, so it is the measure.
    """
    from playbook.policy import diff, load

    own = {key for key, note in policy.notes.items() if note.evidence == "bank"}
    if not own:
        return []
    frame = diff(load("cn6"), policy, lang)
    return [
        Change(row.key, row.a, row.b, row.note)
        for row in frame.itertuples()
        if row.key in own
    ]


def _weakened(policy, lang: str) -> list[str]:
    """Rules of the gate that the policy holds more weakly than they are listed, in words."""
    from playbook.gate import weakened
    from playbook.policy import law
    from playbook.text import t

    return [
        t(f"gate.weakened.{row['change']}", lang,
          **{**row, "rule": f"{row['rule']} {law.rules()[row['rule']].title(lang)}",
             "instrument": law.instruments()[row["instrument"]].title(lang)})
        for row in weakened(policy).to_dict("records")
    ]  # fmt: skip


def _findings(opened: Opened, lang: str) -> tuple[str, ...]:
    from playbook.show.findings import findings
    from playbook.show.pages import page

    return findings(opened.segments, page(opened.book, opened.segments, lang)).sentences
