"""熟悉度: how close the client is to the adviser, by what both really did (rule K06).

Points for effective contacts, face-to-face meetings, events attended, replies to content,
referrals given and a file the adviser really knows, in the trailing window; each kind counts up to
its cap. Only what happened counts: attempts that reached nobody give nothing, and one more
effective contact never lowers the step on the ladder.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from playbook.segment.month import Assets, count_by, look_up

REASONS = ("none", "scored", "partly")
#: Written channels on which an answer to approved content is a reply.
REPLY_CHANNELS = ("sms", "wecom")
_SOURCES = {
    "contact": ("contacts",), "face_to_face": ("contacts",), "reply": ("contacts",),
    "event": ("event_attendance", "events"), "referral": ("referrals",),
}  # fmt: skip


@dataclass(frozen=True)
class Familiarities:
    """Familiarity columns, one row per client, and the kinds of points that had no table."""

    columns: pd.DataFrame
    na: dict[str, str]


def familiarity_of(book, assets: Assets, policy, kyc_score: np.ndarray) -> Familiarities:
    """Step, points and counts of every client.

    ``kyc_score`` is the completeness (0 … 1) from :mod:`completeness`; NaN gives no file point.
    Columns: ``familiarity`` (ordered), ``familiarity_points``, ``familiarity_reason``, the counts
    ``n_contact``, ``n_face_to_face``, ``n_event``, ``n_reply``, ``n_referral``, ``n_file`` of the
    window, and the points each gave after its cap, ``points_*``.
    """
    rules = policy.familiarity
    since = pd.Timestamp(book.as_of) - pd.DateOffset(months=rules.window_months)
    n = assets.shape[0]
    counts = _contacts(book, assets, since, rules.face_channels)
    counts["event"] = _events(book, assets, since)
    counts["referral"] = _referrals(book, assets, since)
    counts["file"] = (np.nan_to_num(kyc_score, nan=-1.0) >= rules.file_floor).astype(np.int64)
    kinds = ("contact", "face_to_face", "event", "reply", "referral", "file")
    points = {
        kind: np.minimum(counts[kind], getattr(rules, kind).cap) * getattr(rules, kind).each
        for kind in kinds
    }
    total = np.sum([points[kind] for kind in kinds], axis=0)
    steps = sorted(rules.ladder, key=rules.ladder.__getitem__)
    floors = np.array([rules.ladder[step] for step in steps])
    step = np.maximum(np.searchsorted(floors, total, side="right") - 1, 0)
    na = {
        f"familiarity.{kind}": ", ".join(absent)
        for kind, names in _SOURCES.items()
        if (absent := [name for name in names if not book.has(name)])
    }
    reason = np.where(na != {}, "partly", np.where(total > 0, "scored", "none"))
    frame = pd.DataFrame(
        {
            "familiarity": pd.Categorical.from_codes(step, categories=steps, ordered=True),
            "familiarity_points": total,
            "familiarity_reason": pd.Categorical(
                np.broadcast_to(reason, n), categories=list(REASONS)),
            "familiarity_months": np.full(n, rules.window_months),
        }
        | {f"n_{kind}": counts[kind] for kind in kinds}
        | {f"points_{kind}": points[kind] for kind in kinds}
    )  # fmt: skip
    return Familiarities(frame, na)


def _contacts(book, assets: Assets, since: pd.Timestamp, face: tuple[str, ...]) -> dict:
    rows = book.table("contacts")
    rows = rows[(rows["at"] >= since + pd.Timedelta(days=1)) & rows["reached"].fillna(False)]
    at, n = assets.row(rows["client_id"]), assets.shape[0]
    replied = rows["channel"].isin(REPLY_CHANNELS) & rows["content_id"].notna()
    return {
        "contact": count_by(at, n),
        "face_to_face": count_by(at, n, rows["channel"].isin(face)),
        "reply": count_by(at, n, replied),
    }


def _events(book, assets: Assets, since: pd.Timestamp) -> np.ndarray:
    rows = book.table("event_attendance")
    rows = rows[rows["attended"].fillna(False).astype(bool)]
    events = book.table("events")
    recent = look_up(rows["event_id"], events["event_id"], events["date"]) > since
    return count_by(assets.row(rows["client_id"]), assets.shape[0], recent)


def _referrals(book, assets: Assets, since: pd.Timestamp) -> np.ndarray:
    rows = book.table("referrals")
    rows = rows[rows["referred_on"] > since]
    return count_by(assets.row(rows["referrer_client_id"]), assets.shape[0])
