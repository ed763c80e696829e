"""Events and who came: drawn before the money, because coming may move money."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd

from playbook.sample.clock import Clock, dates
from playbook.sample.papers import Consents
from playbook.sample.parameters import Setting
from playbook.sample.people import People

_TYPES = ("lecture", "salon", "reception", "golf", "art", "parent_child", "travel", "symposium",
          "club", "education")  # fmt: skip
_TITLES = {
    "lecture": "家庭资产配置讲座", "salon": "养老规划沙龙", "reception": "新春客户答谢会",
    "golf": "高尔夫体验日", "art": "书画艺术鉴赏", "parent_child": "亲子财商课堂",
    "travel": "周边健康行", "symposium": "企业主座谈会", "club": "读书会",
    "education": "防诈骗与金融知识课堂",
}  # fmt: skip
_TARGET = {"golf": "owner", "symposium": "owner", "parent_child": "homemaker", "salon": "retiree",
           "education": "retiree"}  # fmt: skip
_NEED = {"lecture": "growth", "salon": "retire", "parent_child": "education", "symposium": "legacy",
         "education": "protect"}  # fmt: skip


@dataclass(frozen=True)
class Gatherings:
    """Events, the invited (one row per event and client) and the planted effect by month.

    ``lift[client, month]`` is the share of opening AUM that flows in because of an event of the
    month before: the truth an estimate is compared with.
    """

    events: pd.DataFrame
    attendance: pd.DataFrame
    lift: np.ndarray
    day: np.ndarray
    event: np.ndarray
    client: np.ndarray
    attended: np.ndarray


def draw(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock, who: People,
         consents: Consents) -> Gatherings:  # fmt: skip
    """Events of the whole history; only clients whose consent stands on the day are invited."""
    q = p.events
    count = when.n * q.per_month
    month = np.repeat(np.arange(when.n), q.per_month)
    kind = rng.integers(0, len(_TYPES), count)
    day = when.working(when.first[month] + rng.integers(9, 26, count))
    cost = q.cost_median * s.get("event_cost_times", 1.0) * np.exp(rng.normal(0, 0.8, count))
    cost = np.round(np.clip(cost, *q.cost_range), -2)

    # One score per event and client; the highest come, the next are invited and stay away.
    weight = np.array(q.weight_close)[who.close] * np.where(
        who.grower, s.get("attend_grower_times", 1.0), 1.0
    )
    weight = weight * np.select([who.band >= 4, who.band >= 2], [1.6, 1.0], 0.15)
    open_to = (who.opened[None, :] < day[:, None] - 20) & consents.any_on(day - 10)
    score = rng.exponential(1.0, (count, who.n)) / weight[None, :]
    score = np.where(open_to & ~who.quiet[None, :], score, np.inf)
    guests = np.minimum(rng.poisson(q.guests, count), 40)
    invited_n = guests * 2 + rng.integers(0, 8, count)
    order = np.argsort(score, axis=1, kind="stable")[:, : int(invited_n.max())]
    rank = np.arange(order.shape[1])[None, :]
    asked = (rank < invited_n[:, None]) & np.isfinite(np.take_along_axis(score, order, axis=1))
    event, place = np.nonzero(asked)
    client = order[event, place]
    attended = place < guests[event]
    accepted = attended | (rng.random(len(event)) < 0.25)
    effect = np.array(q.effect)[who.close[client]] * s.get("effect_times", 1.0)

    lift = np.zeros((who.n, when.n))
    felt = attended & (month[event] + 1 < when.n)
    np.add.at(lift, (client[felt], month[event][felt] + 1), effect[felt])

    brings = np.where(attended, rng.poisson(0.3, len(event)), 0)
    seats = np.bincount(event, attended + brings, count).astype("int64")
    ids = np.array([f"{s.id}-E{i:03d}" for i in range(1, count + 1)], dtype=object)
    types = np.array(_TYPES, dtype=object)[kind]
    events = pd.DataFrame({
        "branch_id": s.id, "event_id": ids, "type": types, "title": [_TITLES[t] for t in types],
        "date": dates(day), "cost": cost, "capacity": seats + rng.integers(3, 10, count),
        "persona_target": pd.array([_TARGET.get(t) for t in types], dtype="str"),
        "need_tag": pd.array([_NEED.get(t) for t in types], dtype="str"),
        "content_id": [f"CT{101 + k}" for k in kind],
    })  # fmt: skip
    benefit = attended & (rng.random(len(event)) < 0.3)
    attendance = pd.DataFrame({
        "branch_id": s.id, "event_id": ids[event], "client": client, "invited": True,
        "accepted": accepted, "attended": attended,
        "guest_n": brings,
        "benefit_value": np.where(benefit, rng.integers(2, 11, len(event)) * 10.0, 0.0),
        "benefit_condition": "none",
    })  # fmt: skip
    return Gatherings(events, attendance, lift, day, event, client, attended)
