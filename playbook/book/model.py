"""The book itself, and the error that says why there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbook import text
from playbook.book import faults as fl
from playbook.tables import TABLES

if TYPE_CHECKING:
    from playbook.policy import Policy

_TOLD = 5


class BookError(Exception):
    """An export that can not be opened; ``faults`` says all that stands in the way.

    :meth:`sentence` words it for people. ``str()`` gives codes and files only, never a value.
    """

    def __init__(self, faults: pd.DataFrame) -> None:
        self.faults = faults
        stops = self._stops()
        super().__init__("; ".join(f"{f['code']} {f['file']}".strip() for f in stops))

    def _stops(self) -> list[dict[str, Any]]:
        stops = self.faults[self.faults["severity"] == "stop"]
        return (stops if len(stops) else self.faults).to_dict("records")

    def _render_traceback_(self) -> list[str]:
        # What a notebook shows in place of a traceback.
        return self.sentence(text.language()).splitlines()

    def sentence(self, lang: str) -> str:
        """Why the book can not be opened and what to do, in ``lang``; the first few reasons."""
        stops = self._stops()
        said = [fl.sentence(fault, lang) for fault in stops[:_TOLD]]
        if len(stops) > _TOLD:
            said.append(text.t("book.error.more", lang, n=len(stops) - _TOLD))
        return "\n".join(said)


@dataclass(frozen=True, repr=False, eq=False)
class Book:
    """One branch's client book on one day: all tables, cut at ``as_of``.

    ``tables`` holds every declared table with all declared columns in order (a table that the
    export lacks is empty, see :meth:`has`); ``faults`` everything that was wrong, ``counts`` per
    file the rows in, accepted, rejected, dated later, of other branches and superseded, which add
    up. ``months`` are the complete months with balances. Frames handed out are the caller's own:
    changing them does not change the book.
    """

    branch: str
    as_of: dt.date
    policy: Policy
    tables: Mapping[str, pd.DataFrame]
    faults: pd.DataFrame
    counts: pd.DataFrame
    months: pd.DatetimeIndex
    present: frozenset[str]
    source: str = ""
    synthetic: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.table(name)

    def __repr__(self) -> str:
        kinds = self.faults["severity"].value_counts()
        return (
            f"Book({self.branch}, {self.as_of}, clients={len(self.tables['clients'])}, "
            f"months={len(self.months)}, rows={sum(map(len, self.tables.values()))}, "
            f"rejected={int(self.counts['rejected'].sum())}, notices={int(kinds.get('notice', 0))})"
        )

    def table(self, name: str) -> pd.DataFrame:
        """A table by its name. Raises ``KeyError`` for a name that is not declared."""
        return self.tables[name].copy(deep=False)

    def has(self, name: str) -> bool:
        """Whether the export had this table (it may still be empty)."""
        if name not in TABLES:
            raise KeyError(name)
        return name in self.present

    @property
    def last_month(self) -> pd.Timestamp | None:
        """First day of the last complete month, None without balances."""
        return self.months[-1] if len(self.months) else None

    @classmethod
    def from_frames(
        cls,
        frames: Mapping[str, pd.DataFrame | Sequence[Mapping[str, Any]]],
        branch: str | None = None,
        as_of: str | dt.date | None = None,
        policy: Policy | str | None = None,
        *,
        complete: bool = False,
        synthetic: bool = False,
    ) -> Book:
        """Build a book in memory, through the same typing and the same rules as a folder.

        ``frames`` table name → data frame or list of rows. Unless ``complete`` is set, tables and
        columns that may be empty can be left out. Row numbers in faults count from 2, as if a
        header stood above. Raises :class:`BookError`.
        """
        from playbook.book.memory import book_of

        return book_of(frames, branch, as_of, policy, complete=complete, synthetic=synthetic)
