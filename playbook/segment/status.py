"""分类: the client's trend, one of eight labels by ordered rules (rule K05).

Every month is judged at its close, against the floor of the tier in force for the month that
follows, so that after a demotion (K02) a client is judged at the new tier. The first rule of
``policy.status.order`` that holds gives the label; ``recovered`` is asked before ``upgrading``,
because it only concerns clients who were lost or warned at the close before.

Reading of the rules:

- ``lost`` and ``churn_warning`` mean the loss of the tier's attainment, not of the client; leaving
  the bank is the separate column ``exited``. A floor of zero cannot be missed, so clients of the
  lowest tier are never lost, warned or on watch; the outflow rule leaves them out too.
- ``lost`` lasts while the month end stays below the floor, until the tier itself changes. A first
  month below the floor whose month end is back at it is ``downgrade_warning``.
- ``recovered`` asks whether the last close, judged without this rule, was lost or warned. Who has
  just been lowered is not recovered, but judged anew at the lower tier.
- A rule whose table is missing, or whose look-back is longer than the record, never holds; which
  ones is told in ``na``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from playbook.segment.month import CENTS, Assets, cents, net_flows, recorded_since
from playbook.segment.tier import Tiers, near

#: Why the status is what it is: each code begins with the first word of its status.
REASONS = (
    "lost_new", "lost_still",
    "churn_floor", "churn_outflow", "churn_both",
    "downgrade_watch", "downgrade_last",
    "dormant_since", "dormant_unseen",
    "new_opened", "new_reached",
    "upgrading_near", "upgrading_inflow", "upgrading_both",
    "recovered_back", "recovered_stopped",
    "stable_holding", "stable_partly",
)  # fmt: skip


#: Tables in which a client's own doings and effective contacts are seen, with their time.
_ACTIVE = {"flows": "date", "contacts": "at"}


@dataclass(frozen=True)
class Statuses:
    """Status codes (positions in ``order``) by client and month, −1 before the start, and the
    facts of the last close as ``columns`` (one row per client)."""

    order: tuple[str, ...]
    code: np.ndarray
    exited: np.ndarray
    columns: pd.DataFrame
    na: dict[str, str]


def rule_order(order: tuple[str, ...]) -> tuple[str, ...]:
    """The policy's order with ``recovered`` moved before ``upgrading`` where it stands after."""
    rest = [code for code in order if code != "recovered"]
    if "recovered" in order and order.index("recovered") > order.index("upgrading"):
        rest.insert(rest.index("upgrading"), "recovered")
        return tuple(rest)
    return tuple(order)


def statuses_of(book, assets: Assets, tiers: Tiers, policy) -> Statuses:
    """Judge every client at every close (array), and describe the last close (columns)."""
    order = rule_order(policy.status.order)
    signals = _signals(book, assets, tiers, policy)
    code = _judge(signals, order)
    na = _not_evaluable(book, assets, policy)
    frame = _describe(assets, tiers, policy, signals, code, order, bool(na))
    if "status.dormant" in na:
        frame["days_quiet"] = pd.array([pd.NA] * len(frame), dtype="Int64")
    return Statuses(order, code, signals.exited, frame, na)


@dataclass(frozen=True)
class _Signals:
    """What the rules ask about, as arrays of clients × months (``first_on``: clients)."""

    on_record: np.ndarray
    earlier: np.ndarray
    floor: np.ndarray
    below_end: np.ndarray
    slipping: np.ndarray
    fresh_loss: np.ndarray
    lost: np.ndarray
    lowered: np.ndarray
    watch: np.ndarray
    outflow: np.ndarray
    heavy: np.ndarray
    quiet_days: np.ndarray
    last_active: np.ndarray
    silent: np.ndarray
    first_on: np.ndarray
    joining: np.ndarray
    is_near: np.ndarray
    inflow: np.ndarray
    inflow_share: np.ndarray
    strong: np.ndarray
    exited: np.ndarray


def _signals(book, assets: Assets, tiers: Tiers, policy) -> _Signals:
    rules = policy.status
    month = np.arange(assets.shape[1])
    on_record = month >= assets.start[:, None]
    earlier = month > assets.start[:, None]
    floor = policy.floors[np.maximum(tiers.decided, 0)]
    below_avg, below_end = assets.tier_avg < floor, assets.tier_end < floor
    fresh_loss = earlier & below_avg & below_end & (_shift(assets.tier_avg) >= floor)
    tier_before = _shift(tiers.decided, -1)
    net = net_flows(book, assets, policy.tiering.basis == "household")
    outflow, heavy = _outflow(assets, net, floor, rules)
    quiet_days, last_active, silent = _silence(book, assets, rules)
    in_scope, first_on, joining = _entry(assets, tiers, policy, on_record)
    _, is_near, _ = near(assets.tier_avg, tiers.decided, policy.floors, policy.tiering.near_ratio)
    inflow, inflow_share, strong = _inflow(assets, net, rules)
    return _Signals(
        on_record=on_record, earlier=earlier, floor=floor, below_end=below_end,
        slipping=~below_avg & below_end, fresh_loss=fresh_loss,
        lost=_latest(fresh_loss) > _latest(~below_end | (tiers.decided != tier_before)),
        lowered=tiers.decided < tier_before, watch=tiers.watch,
        outflow=outflow, heavy=heavy, quiet_days=quiet_days, last_active=last_active,
        silent=silent, first_on=first_on, joining=joining, is_near=is_near, inflow=inflow,
        inflow_share=inflow_share, strong=strong,
        exited=_exited(assets, in_scope, on_record, rules),
    )  # fmt: skip


def _judge(s: _Signals, order: tuple[str, ...]) -> np.ndarray:
    """The first rule of ``order`` that holds, by client and month."""
    holds = {
        "lost": s.lost,
        "churn_warning": s.slipping | s.heavy,
        "downgrade_warning": s.watch > 0,
        "dormant": s.silent,
        "new": s.joining,
        "upgrading": s.is_near | s.strong,
        "recovered": np.zeros_like(s.lost),
        "stable": np.ones_like(s.lost),
    }
    plain = _first(holds, order)
    gone = np.isin(plain, [order.index("lost"), order.index("churn_warning")])
    holds["recovered"] = s.earlier & ~s.below_end & ~s.lowered & _shift(gone, False)
    return np.where(s.on_record, _first(holds, order), -1).astype(np.int8)


def _describe(
    assets: Assets, tiers: Tiers, policy, s: _Signals, code: np.ndarray, order, partly: bool
) -> pd.DataFrame:
    """Label, reason, stake and facts of the last close, one row per client."""
    n, end = len(code), assets.shape[1] - 1
    asked = ["floor", "slipping", "fresh_loss", "watch", "outflow", "heavy", "is_near", "strong"]
    now = {name: getattr(s, name)[:, end] for name in asked}
    label = code[:, end]
    is_now = {status: label == at for at, status in enumerate(order)}
    to_floor = np.maximum(now["floor"] - assets.tier_end[:, end], 0.0)
    n_down = np.array([policy.n_down(c) for c in policy.tier_codes])[tiers.decided[:, end]]
    reason = {
        "lost": np.where(now["fresh_loss"], "lost_new", "lost_still"),
        "churn_warning": _which(now["slipping"], now["heavy"],
                                "churn_floor", "churn_outflow", "churn_both"),
        "downgrade_warning": np.where(
            n_down - now["watch"] == 1, "downgrade_last", "downgrade_watch"),
        "dormant": np.where(
            np.isnat(s.last_active[:, end]), "dormant_unseen", "dormant_since"),
        "new": np.where(s.first_on == assets.opened_on, "new_opened", "new_reached"),
        "upgrading": _which(now["is_near"], now["strong"],
                            "upgrading_near", "upgrading_inflow", "upgrading_both"),
        "recovered": np.where(
            _shift(s.below_end, False)[:, end], "recovered_back", "recovered_stopped"),
        "stable": np.full(n, "stable_partly" if partly else "stable_holding"),
    }  # fmt: skip
    stake = {
        "lost": to_floor,
        "churn_warning": np.maximum(to_floor, np.where(now["heavy"], now["outflow"], 0.0)),
        "downgrade_warning": now["floor"] - assets.tier_avg[:, end],
    }
    opening = _shift(assets.tier_booked)[:, end]
    since = _latest(code != _shift(code, -2))[:, end]
    return pd.DataFrame(
        {
            "status": pd.Categorical.from_codes(label, categories=list(order)),
            "status_since": assets.close_days[since].astype("datetime64[s]"),
            "severity": np.round(
                np.select([is_now[c] for c in stake], list(stake.values()), 0.0), 2),
            "status_reason": pd.Categorical(
                np.select([is_now[c] for c in reason], list(reason.values()), ""),
                categories=list(REASONS)),
            "exited": s.exited[:, end],
            "tier_aum_end": assets.tier_end[:, end],
            "end_gap": np.round(to_floor, 2),
            "opening_aum": opening,
            "outflow": now["outflow"],
            "outflow_share": _share(now["outflow"], opening),
            "inflow": s.inflow[:, end],
            "inflow_share": s.inflow_share[:, end],
            "inflow_months": np.full(n, policy.status.inflow_months),
            "days_quiet": pd.array(s.quiet_days[:, end], dtype="Int64"),
            "last_active_on": s.last_active[:, end].astype("datetime64[s]"),
            "first_in_scope_on": s.first_on.astype("datetime64[s]"),
        }
    )  # fmt: skip


def _outflow(assets: Assets, net: np.ndarray | None, floor: np.ndarray, rules):
    """Net outflow of each month (yuan) and whether it is a heavy part of the opening assets."""
    if net is None:
        return np.full(assets.shape, np.nan), np.zeros(assets.shape, dtype=bool)
    outflow, opening = np.maximum(-net, 0.0), _shift(assets.tier_booked)
    heavy = (opening > 0) & (outflow >= np.round(opening * rules.outflow_share, 2)) & (floor > 0)
    return outflow, heavy & (outflow > 0)


def _inflow(assets: Assets, net: np.ndarray | None, rules):
    """Net inflow over the rule's months (yuan), its share of the opening assets, and whether it
    is strong. Where the window begins before the record of an older client, nothing is known."""
    shape, k = assets.shape, rules.inflow_months
    if net is None:
        return np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    total = np.cumsum(cents(net), axis=1)
    inflow = (total - _shift(total, 0.0, k)) / CENTS
    opening = _shift(assets.tier_booked, 0.0, k)
    unknown = assets.opened_before[:, None] & (np.arange(shape[1]) < k)
    inflow, opening = np.where(unknown, np.nan, inflow), np.where(unknown, np.nan, opening)
    strong = (inflow >= rules.inflow_floor) & (inflow >= np.round(opening * rules.inflow_share, 2))
    return inflow, _share(inflow, opening), strong


def _silence(book, assets: Assets, rules):
    """Days since the client last did something or was reached, the day of that (NaT when never
    seen on record), and whether it is long enough to be dormant.

    A client never seen has been silent since opening, at most since the record begins. The record
    of both tables is needed: where one begins later, what only the other saw before says nothing.
    """
    n, m = assets.shape
    days = assets.close_days.astype(np.int64)
    both = max(_recorded(book, name) for name in _ACTIVE).astype(np.int64)
    seen = np.full((n, m), np.iinfo(np.int64).min)
    for name, mask in (
        ("flows", lambda t: t["kind"].isin(rules.client_initiated_kinds)),
        ("contacts", lambda t: t["reached"].fillna(False).astype(bool)),
    ):
        rows, date = book.table(name), _ACTIVE[name]
        rows = rows[mask(rows)]
        at = assets.row(rows["client_id"])
        day = pd.DatetimeIndex(rows[date]).values.astype("datetime64[D]").astype(np.int64)
        column = np.clip(assets.column(rows[date]), 0, m - 1)
        np.maximum.at(seen, (at[at >= 0], column[at >= 0]), day[at >= 0])
    seen = np.maximum.accumulate(seen, axis=1)
    unseen = seen < both
    record = max(assets.months.values[0].astype("datetime64[D]").astype(np.int64), both)
    begin = np.maximum(assets.opened_on.astype(np.int64), record)[:, None]
    quiet = np.maximum(days - np.where(unseen, begin, seen), 0)
    known = book.has("flows") and book.has("contacts")
    silent = (quiet >= rules.dormant_days) & (days - record >= rules.dormant_days) & known
    last = np.where(unseen, np.int64(np.iinfo(np.int64).min), seen).view("datetime64[D]")
    return quiet, last, silent


def _recorded(book, name: str) -> np.datetime64:
    return recorded_since(book, name, _ACTIVE[name])


def _entry(assets: Assets, tiers: Tiers, policy, on_record: np.ndarray):
    """Clients in scope at each close, the day they first were, and whether that is recent."""
    scope = np.array([code in set(policy.in_scope) for code in policy.tier_codes])
    in_scope = scope[np.maximum(tiers.decided, 0)] & on_record
    ever, first = in_scope.any(axis=1), in_scope.argmax(axis=1)
    following = assets.months + pd.offsets.MonthBegin(1)
    first_on = np.where(
        first == assets.start, assets.opened_on, following.values.astype("datetime64[D]")[first]
    )
    first_on = np.where(ever, first_on, np.datetime64("NaT"))
    age = assets.close_days - first_on[:, None]
    return in_scope, first_on, in_scope & (age <= np.timedelta64(policy.status.new_days, "D"))


def _exited(assets: Assets, in_scope: np.ndarray, on_record: np.ndarray, rules) -> np.ndarray:
    """Closed, or for the rule's months below the exit floor after having been in scope."""
    month = np.arange(assets.shape[1])
    low = (assets.avg < rules.exited_floor) & on_record
    months_low = month - _latest(~low)
    was_in = np.maximum.accumulate(in_scope, axis=1)
    closed = assets.closed[:, None] & (month >= assets.stop[:, None])
    return closed | (was_in & (months_low >= rules.exited_months))


def _not_evaluable(book, assets: Assets, policy) -> dict[str, str]:
    """Rules that could not be judged at the last close, and the table they would need."""
    na, m = {}, assets.shape[1]
    rules, missing = policy.status, [name for name in ("flows", "contacts") if not book.has(name)]
    if m < 2:
        na |= dict.fromkeys(("status.lost", "status.recovered"), "balances_monthly")
    if "flows" in missing or m < 2:
        na["status.churn_outflow"] = "flows" if "flows" in missing else "balances_monthly"
    if "flows" in missing or m <= rules.inflow_months:
        na["status.upgrading_inflow"] = "flows" if "flows" in missing else "balances_monthly"
    if missing:
        na["status.dormant"] = ", ".join(missing)
    else:
        needed = assets.close_days[-1] - np.timedelta64(rules.dormant_days, "D")
        begun = {"balances_monthly": assets.months.values[0].astype("datetime64[D]")}
        begun |= {name: _recorded(book, name) for name in _ACTIVE}
        if late := [name for name, day in begun.items() if day > needed]:
            na["status.dormant"] = ", ".join(late)
    return na


def _first(holds: dict[str, np.ndarray], order: tuple[str, ...]) -> np.ndarray:
    """Position in ``order`` of the first rule that holds; the last one always does."""
    code = np.full(holds[order[-1]].shape, len(order) - 1, dtype=np.int8)
    for at in range(len(order) - 2, -1, -1):
        code[holds[order[at]]] = at
    return code


def _latest(flag: np.ndarray) -> np.ndarray:
    """Column of the latest true value up to each column, −1 before the first."""
    month = np.arange(flag.shape[1], dtype=np.int16)
    return np.maximum.accumulate(np.where(flag, month, np.int16(-1)), axis=1)


def _shift(values: np.ndarray, fill=np.nan, by: int = 1) -> np.ndarray:
    """The value ``by`` months earlier, ``fill`` where there is none."""
    moved = np.full_like(values, fill)
    moved[:, by:] = values[:, :-by]
    return moved


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, NaN where there is no whole."""
    return part / np.where(whole > 0, whole, np.nan)


def _which(one: np.ndarray, two: np.ndarray, first: str, second: str, both: str) -> np.ndarray:
    return np.select([one & two, two], [both, second], first)
