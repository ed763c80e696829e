"""Papers of a client: consents and risk assessments, each valid over stretches of days."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd

from playbook.sample.clock import Clock, add_months, dates
from playbook.sample.parameters import Setting
from playbook.sample.people import People

#: A day that never comes.
NEVER = 2**31
CHANNELS = ("phone", "sms", "wecom", "email")


@dataclass(frozen=True)
class Consents:
    """Marketing consents: ``granted`` and ``withdrawn`` are days by client, channel and stretch."""

    granted: np.ndarray
    withdrawn: np.ndarray
    table: pd.DataFrame

    def holds(self, client: np.ndarray, channel: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Whether the consent for ``channel`` (position in ``CHANNELS``) stands on the day."""
        day = np.asarray(day)[..., None]
        return (
            (self.granted[client, channel] <= day) & (day < self.withdrawn[client, channel])
        ).any(-1)

    def any_on(self, day: np.ndarray) -> np.ndarray:
        """``[day, client]``: whether some channel's consent stands."""
        day = np.asarray(day)[:, None, None, None]
        return ((self.granted[None] <= day) & (day < self.withdrawn[None])).any((2, 3))


@dataclass(frozen=True)
class Assessments:
    """Risk assessments: ``assessed`` and ``until`` are days by client and number; NEVER if none."""

    assessed: np.ndarray
    until: np.ndarray
    level: np.ndarray
    table: pd.DataFrame

    def level_on(self, client: np.ndarray, day: np.ndarray) -> np.ndarray:
        """C level of the latest assessment valid on the day; 0 where there is none."""
        day = np.asarray(day)[..., None]
        valid = (self.assessed[client] <= day) & (day < self.until[client])
        latest = valid.argmax(-1)
        level = np.take_along_axis(self.level[client], latest[..., None], -1)[..., 0]
        return np.where(valid.any(-1), level, 0)


def consents(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock,
             who: People) -> Consents:  # fmt: skip
    """Marketing consents by channel, and the table with service and profiling consents."""
    n, k = who.n, len(CHANNELS)
    share = np.array([p.people.consent[c] for c in CHANNELS])
    has = rng.random((n, k)) < share
    opened = who.opened[:, None]
    first = opened + np.minimum(rng.exponential(60, (n, k)), 400).astype("int64")
    first = np.where(first <= when.as_of, first, opened)
    out = has & (rng.random((n, k)) < p.people.opt_out)
    withdrawn = np.maximum(first + 30, when.as_of - rng.integers(5, 700, (n, k)))
    out &= withdrawn < when.as_of
    old = has & ~out & (first < when.as_of - 700) & (rng.random((n, k)) < 0.55)
    again = out & (withdrawn + 200 < when.as_of) & (rng.random((n, k)) < 0.2)
    renewed = np.where(old, when.as_of - rng.integers(20, 600, (n, k)), withdrawn + 190)

    never = np.full((n, k), NEVER)
    granted = np.stack(
        [np.where(has, first, never), np.where(old | again, renewed, never)], axis=-1
    )
    ends = np.stack([np.where(out, withdrawn, never), never], axis=-1)

    client, channel, stretch = np.nonzero(granted < NEVER)
    rows = [(client, np.array(CHANNELS)[channel], "marketing", granted[client, channel, stretch],
             ends[client, channel, stretch])]  # fmt: skip
    for name, purpose, rate in (("phone", "service", 0.96), ("wecom", "service", 0.7),
                                ("app", "profiling", 0.5)):  # fmt: skip
        yes = np.flatnonzero(rng.random(n) < rate)
        rows.append(
            (yes, np.full(len(yes), name), purpose, who.opened[yes], np.full(len(yes), NEVER))
        )
    table = pd.concat(
        [
            pd.DataFrame(
                {"client": c, "channel": ch, "purpose": why, "granted_on": g, "withdrawn_on": w}
            )
            for c, ch, why, g, w in rows
        ]
    ).sort_values(["client", "channel", "purpose", "granted_on"], kind="stable", ignore_index=True)
    table["proof_id"] = [f"{s.id}-CS{i:05d}" for i in range(1, len(table) + 1)]
    gone = table["withdrawn_on"].to_numpy() == NEVER
    table["withdrawn_on"] = dates(np.where(gone, 0, table["withdrawn_on"]), gone)
    table["granted_on"] = dates(table["granted_on"])
    table.insert(0, "branch_id", s.id)
    return Consents(granted, ends, table)


def assessments(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock,
                who: People) -> Assessments:  # fmt: skip
    """A chain of yearly assessments per client, the last of which may have run out."""
    n, chain = who.n, 4
    u = rng.random(n)
    none = u < s.get("assessment_none", p.people.assessment_none)
    expired = ~none & (u > 1 - s.get("assessment_expired", p.people.assessment_expired))
    age = np.where(expired, 366 + rng.integers(0, 330, n), rng.integers(3, 355, n))
    last = when.as_of - age
    # Years back, a few weeks earlier or later; an assessment before opening does not exist.
    gap = rng.integers(340, 400, (n, chain))
    gap[:, 0] = 0
    assessed = last[:, None] - np.cumsum(gap, axis=1)
    # A new client answers on the day of opening; one whose last answer is older had no account yet.
    late = (last < who.opened) & ~none
    assessed[:, 0] = np.where(late, who.opened, assessed[:, 0])
    assessed[:, 1:] = np.where(late[:, None], -1, assessed[:, 1:])
    real = ~none[:, None] & (assessed >= who.opened[:, None])
    # Older ones: sometimes a year was missed.
    real[:, 1:] &= rng.random((n, chain - 1)) < 0.93
    until = add_months(assessed, 12)
    drift = rng.choice([-1, 0, 0, 0, 0, 0, 0, 1], (n, chain))
    level = np.clip(who.level[:, None] + np.where(np.arange(chain) == 0, 0, drift), 1, 5)
    client, place = np.nonzero(real[:, ::-1])
    place = chain - 1 - place
    on = assessed[client, place]
    minute = 9 * 60 + rng.integers(0, 8 * 60, len(on))
    c = level[client, place]
    table = pd.DataFrame(
        {
            "branch_id": s.id,
            "ra_id": [f"{s.id}-RA{i:05d}" for i in range(1, len(on) + 1)],
            "client": client,
            "assessed_on": dates(on),
            "assessed_at": dates(on) + minute.astype("timedelta64[m]").astype("timedelta64[s]"),
            "level": np.array(["C0", "C1", "C2", "C3", "C4", "C5"])[c],
            "score": 10 + c * 16 + rng.integers(-6, 7, len(on)),
            "valid_until": dates(until[client, place]),
            "method": rng.choice(["branch", "app", "vtm"], len(on), p=[0.35, 0.6, 0.05]),
            "assessed_by": "client_self",
            "version": "2024A",
        }
    )
    return Assessments(np.where(real, assessed, NEVER), np.where(real, until, NEVER), level, table)
