"""The book closes at ``as_of``: what is dated later is not known yet.

Rows dated later are left out and counted apart; a later value in a row that is known is taken
out, together with what follows from it (``tables.Column.cut`` and ``blanks``). A month counts
when its last day has come.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from playbook.book.draft import LATER, LIVE, REJECTED, Draft
from playbook.tables import Column


def last_day(months: pd.Series) -> pd.Series:
    """The last day of each month."""
    return months + pd.offsets.MonthEnd(0)


def cut(draft: Draft, as_of: dt.date) -> None:
    """Cut one table at ``as_of``."""
    # Later stages first, so that what the earliest missing stage says is what stays.
    for column in reversed(draft.table.columns):
        if column.cut == "keep":
            continue
        late = _later(draft.frame[column.name], column, as_of)
        if column.cut == "row":
            draft.state[late & np.isin(draft.state, (LIVE, REJECTED))] = LATER
        else:
            where = np.flatnonzero(late)
            draft.blank(column.name, where)
            for name, value in column.blanks:
                if value is None:
                    draft.blank(name, where)
                elif len(where):
                    draft.frame.loc[where, name] = value


def _later(values: pd.Series, column: Column, as_of: dt.date) -> np.ndarray:
    days = last_day(values) if column.type == "month" else values
    return (days >= pd.Timestamp(as_of) + pd.Timedelta(days=1)).to_numpy(bool)
