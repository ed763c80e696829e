"""Money month by month: every yuan that moves is a dated flow, and every balance follows from it.

Amounts are whole cents (``int64``), so that the identity of domain rule K28 holds exactly: a
class's month end is its opening plus its flows plus its market change. A month needs the balances
of the one before, so the months run one after another; within a month everything is arrays over
clients and holdings.

Order within a month, by date, so that no account is overdrawn on any day: maturities and what is
done with them (on their days) · salary (to the 15th) · spending and large outflows (from the
16th), covered by selling holdings where needed · inflows (to the 25th) · leaving (20th to 28th) ·
idle money invested (from the 26th).
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from playbook.policy import load as load_policy
from playbook.sample.bank import DEMAND, Shelf
from playbook.sample.buying import World, band_of, mix, pick, purchase, start
from playbook.sample.clock import Clock
from playbook.sample.events import Gatherings
from playbook.sample.ledger import YUAN, Holdings, K, Ledger, Month
from playbook.sample.papers import NEVER, Assessments
from playbook.sample.parameters import Setting
from playbook.sample.people import FAN, People
from playbook.tables import PRODUCT_CLASSES

#: What is sold first to cover an outflow; classes not named can't be sold before their day.
_SALE_ORDER = ("fund_money", "wealth_open", "notice", "fund_bond", "fund_mixed", "fund_equity",
               "gold", "time_deposit", "large_cd")  # fmt: skip
_SALE_RANK = np.array(
    [_SALE_ORDER.index(c) if c in _SALE_ORDER else 99 for c in PRODUCT_CLASSES]
)  # fmt: skip


def run(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock, who: People,
        shelf: Shelf, papers: Assessments, party: Gatherings) -> Ledger:  # fmt: skip
    """Live through the history of one branch."""
    w = World(p, s, when, who, shelf, papers, party, rng)
    hold, balance = start(w)
    opening = balance.copy()
    n, months = who.n, when.n
    ends = np.zeros((months, n, K), dtype="int64")
    averages, markets = np.zeros_like(ends), np.zeros_like(ends)
    closed, left = np.full(n, NEVER), np.full(n, NEVER)
    comes_back = np.zeros(n, dtype="int64")
    flows: list[tuple] = []
    calls: list[dict] = []
    truth: list[dict] = []
    lifts: list[dict] = []
    for m in range(months):
        month = Month(n, int(when.first[m]), int(when.last[m]), balance)
        here = (who.arrives < m) & (left == NEVER)
        wealth = balance.sum(axis=1)
        leaves, leave_day = _leavers(w, m, here, wealth)
        idle = _maturities(w, month, hold, leaves, leave_day, calls, truth)
        active = here & ~leaves & ~who.quiet
        spent = _everyday(w, month, m, here & ~leaves, wealth)
        comes_back = _large(w, month, hold, active, wealth, spent, comes_back)
        _inflows(w, month, m, active, wealth, lifts)
        _dips(w, month, m, active, wealth, spent)
        _leave(w, month, hold, leaves, leave_day, wealth, left, closed)
        _sell_funds(w, month, hold, active)
        _interest(w, month, m, here & ~leaves)
        _invest(w, month, hold, m, active | (who.arrives == m), wealth, idle)
        _revalue(w, month, hold)
        ends[m], averages[m], markets[m] = month.close()
        balance = ends[m].copy()
        flows += month.flows
    return Ledger(
        opening, ends, averages, markets, _joined_flows(flows), hold, closed, left,
        _joined(calls), _joined(truth), _joined(lifts),
    )  # fmt: skip


def _joined(parts: list[dict]) -> dict[str, np.ndarray]:
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} if parts else {}


def _joined_flows(flows: list[tuple]) -> dict[str, np.ndarray]:
    names = ("client", "day", "sign", "amount", "kind", "product")
    return dict(zip(names, (np.concatenate(c) for c in zip(*flows, strict=True)), strict=True))


def _leavers(w: World, m: int, here, wealth) -> tuple[np.ndarray, np.ndarray]:
    """Who leaves this month, and on which day (NEVER for the others)."""
    q = w.p.money
    band = band_of(w, wealth)
    years = (w.when.first[m] - w.who.opened) / 365.25
    times = np.array(q.tenure_times)[np.select([years < 1, years < 4], [0, 1], 2)]
    hazard = np.array(q.loss)[band] * times
    hazard = np.where(band >= 3, hazard * w.s.get("loss_times_big", 1.0), hazard)
    hazard = hazard * w.s.get("loss_times", 1.0)
    rare = np.isin(w.who.persona, [w.p.personas.order.index(x) for x in ("heir", "other")])
    held = w.who.quiet | (w.who.target > 0) | (w.who.windfall >= 0) | rare
    leaves = here & ~held & (w.rng.random(w.who.n) < hazard)
    day = w.when.working(w.when.first[m] + 19 + w.rng.integers(0, 9, w.who.n))
    day = np.maximum(day, w.when.first[m])
    return leaves, np.where(leaves, day, NEVER)


def _maturities(
    w: World, month: Month, hold: Holdings, leaves, leave_day, calls, truth
) -> np.ndarray:
    """Pay out what matures; return the money that then lies idle, by client."""
    q, rng, shelf, who = w.p.money, w.rng, w.shelf, w.who
    idle = np.zeros(who.n, dtype="int64")
    due = (hold.maturity >= month.first) & (hold.maturity <= month.last) & (hold.ended == NEVER)
    at = np.flatnonzero(due & (hold.maturity <= leave_day[hold.client]))
    client, day, product = hold.client[at], hold.maturity[at], hold.product[at]
    paid = _pay_out(w, month, hold, at, day, "maturity")
    years = shelf.term[product] / 365
    interest = np.rint(hold.principal[at] * shelf.rate[product] * years).astype("int64")
    month.move(client, DEMAND, day, interest, market=True)
    month.flow(client, day, 1, interest, "interest", product)

    wealth = month.opening.sum(axis=1)[client]
    band = band_of(w, wealth)
    large = paid >= np.maximum(200_000 * YUAN, wealth // 5)
    steered, silent = who.target[client] > 0, who.quiet[client]
    gone = leaves[client]
    renews = hold.renews[at] & ~gone
    called = (
        rng.random(len(at)) < np.array(q.call_before)[band] * w.s.get("call_times", 1.0)
    ) & ~renews
    called &= (who.adviser[client] >= 0) & ~silent
    call_day = w.when.working(day - 1 - rng.integers(0, 6, len(at)))
    called &= (
        (call_day >= day - 7) & (call_day >= w.when.first[0]) & (call_day > who.opened[client])
    )
    reached = called & (rng.random(len(at)) < q.call_reached)
    before = q.take_over + q.take_over_fan * (who.close[client] == FAN)
    u = rng.random(len(at))
    p1 = np.minimum(before + q.take_over_contact, 1.0)
    takes = np.where(renews, True, u < np.where(reached, p1, before)) & ~gone & ~silent
    partial = (rng.random(len(at)) < q.take_over_partial[0]) & ~renews
    share = np.where(partial, rng.uniform(q.take_over_partial[1], 1.0, len(at)), 1.0)
    again = np.where(renews, paid, (paid * share).astype("int64") // 10_000 * 10_000)
    buy_day = np.where(
        renews | (rng.random(len(at)) < 0.5), day, day + 1 + rng.integers(0, 5, len(at))
    )
    buy_day = np.minimum(buy_day, month.last)
    cap = w.papers.level_on(client, buy_day)
    choice = pick(w, mix(w), band, np.where(cap > 0, cap, 1), again)
    # Half of those who stay choose what they know.
    same = renews | ((rng.random(len(at)) < 0.5) & (shelf.minimum[product] <= again)
                     & (shelf.risk[product] <= np.maximum(cap, 1)))  # fmt: skip
    choice = np.where(same, product, choice)
    buys = takes & (choice >= 0) & (again > 0)
    purchase(w, month, hold, client[buys], choice[buys], buy_day[buys], again[buys])

    goes = ~takes & ~gone & ~silent & ~steered & (rng.random(len(at)) < q.leaves)
    out = (paid * rng.uniform(0.7, 1.0, len(at))).astype("int64") // 10_000 * 10_000
    out_day = np.minimum(day + rng.integers(0, 4, len(at)), month.last)
    month.external(client[goes], out_day[goes], -out[goes], "transfer_self_otherbank")
    np.add.at(idle, client, paid + interest - np.where(buys, again, 0) - np.where(goes, out, 0))

    trigger = np.where(large, "maturity_large", "maturity_any")
    calls.append({"client": client[called], "day": call_day[called], "reached": reached[called],
                  "trigger": trigger[called]})  # fmt: skip
    free = ~(renews | gone | silent)
    truth.append({
        "holding": at, "client": client, "day": day, "amount": paid, "auto_renew": renews,
        "excluded": ~free, "contacted": called, "treated": reached, "taken": buys,
        "p_untreated": np.where(free, before, np.nan), "p_treated": np.where(free, p1, np.nan),
        "would_take_untreated": u < before, "would_take_treated": u < p1,
    })  # fmt: skip
    return idle


def _pay_out(w: World, month: Month, hold: Holdings, at, day, kind: str) -> np.ndarray:
    """End holdings on a day: their worth goes to demand, the change since month start is market."""
    client, product = hold.client[at], hold.product[at]
    cls = w.shelf.cls[product]
    worth = w.shelf.value(product, hold.principal[at], hold.cost[at], day)
    month.move(client, cls, day, worth - hold.value[at], market=True)
    month.move(client, cls, day, -worth)
    month.move(client, DEMAND, day, worth)
    month.flow(client, day, 1, worth, kind, product)
    hold.ended[at] = day
    hold.value[at] = 0
    return worth


def _everyday(w: World, month: Month, m: int, here, wealth) -> np.ndarray:
    """Salary and spending; returns the demand money surely there from the 16th on."""
    who, rng = w.who, w.rng
    n = who.n
    sure = month.opening[:, DEMAND].copy()
    paid = here & (who.salary > 0) & (who.salary_from < m) & (m < who.salary_to)
    at = np.flatnonzero(paid)
    wobble = 1 + np.round(rng.normal(0, 0.02, n), 3)
    amount = np.rint(who.salary * wobble).astype("int64") * YUAN
    day = month.first + np.array([7, 9, 14])[np.arange(n) % 3]
    month.external(at, day[at], amount[at], "payroll")
    sure[at] += amount[at]

    steered = who.target > 0
    spends = here & ~who.quiet & np.where(steered, paid, rng.random(n) < 0.55)
    usual = np.where(
        who.salary > 0, amount * rng.uniform(1.0, 2.5, n), wealth * rng.uniform(0.001, 0.012, n)
    )
    usual = np.where(steered, amount, usual)
    spend = np.minimum(usual, sure * np.where(steered, 1.0, 0.6)).astype("int64") // 1000 * 1000
    for share, kind in (
        ((0.0, 0.5), "merchant"),
        ((0.5, 0.8), "transfer_other"),
        ((0.8, 1.0), "cash"),
    ):
        mine = np.flatnonzero(spends & (spend > 0) & _lies(n, m, share))
        on = month.first + 15 + rng.integers(0, 10, len(mine))
        month.external(mine, on, -spend[mine], kind)
        sure[mine] -= spend[mine]
    if m % 12 == 5:
        fee = np.flatnonzero(here & (wealth > 0) & (wealth < 10_000 * YUAN) & (sure > 2000))
        month.external(fee, np.full(len(fee), month.first + 19), np.full(len(fee), -1000), "fee")
        sure[fee] -= 1000
    return sure


def _lies(n: int, m: int, share: tuple[float, float]) -> np.ndarray:
    """A fixed, evenly spread part of the clients that changes from month to month."""
    u = (np.arange(n) * 0.6180339887 + m * 0.7548776662) % 1.0
    return (u >= share[0]) & (u < share[1])


def _large(w: World, month: Month, hold: Holdings, active, wealth, sure, back) -> np.ndarray:
    """Large outflows, those of last month that return, large inflows; what returns next month."""
    q, rng, who = w.p.money, w.rng, w.who
    n = who.n
    free = active & (who.target == 0) & (who.windfall < 0)
    median, sd = q.large_size
    size = (wealth * median * np.exp(rng.normal(0, sd, n))).astype("int64") // 100_000 * 100_000
    # Money swings around what a client owns: who has drawn much puts back, and the other way
    # round; otherwise a few years of chance would tear the tiers apart.
    usual = np.rint(who.size).astype("int64") * YUAN
    swing = np.clip((np.maximum(wealth, 1) / np.maximum(usual, 1)) ** q.pull, 0.25, 4.0)
    swing = np.where(who.grower, 1.0, swing)
    out = free & (rng.random(n) < q.large_out * swing) & (size > 0)
    want = np.where(out, np.minimum(size, wealth * 9 // 10), 0)
    day = month.first + 16 + rng.integers(0, 9, n)
    got = _cover(w, month, hold, want, sure, day)
    paid = np.minimum(want, got) // 100 * 100
    at = np.flatnonzero(paid > 0)
    u = rng.random(len(at))
    for low, high, kind in ((0, 0.6, "transfer_self_otherbank"), (0.6, 0.92, "transfer_other"),
                            (0.92, 1.1, "cash")):  # fmt: skip
        mine = at[(u >= low) & (u < high)]
        month.external(mine, day[mine], -paid[mine], kind)
    returns = np.zeros(n, dtype="int64")
    again = at[rng.random(len(at)) < q.returns]
    returns[again] = paid[again]

    day = month.first + rng.integers(1, 25, n)
    come = np.flatnonzero(free & (back > 0))
    month.external(come, day[come], back[come], "transfer_self_otherbank")
    size = (wealth * median * np.exp(rng.normal(0, sd, n))).astype("int64") // 100_000 * 100_000
    into = free & (rng.random(n) < q.large_in / swing) & (size > 0)
    u = rng.random(n)
    for low, high, kind in ((0, 0.65, "transfer_self_otherbank"), (0.65, 0.95, "transfer_other"),
                            (0.95, 1.1, "cash")):  # fmt: skip
        mine = np.flatnonzero(into & (u >= low) & (u < high))
        month.external(mine, day[mine], size[mine], kind)
    return returns


def _cover(w: World, month: Month, hold: Holdings, want, sure, day) -> np.ndarray:
    """Sell holdings, most liquid first, until each client's outflow is covered; money on hand."""
    short = want - sure
    rank = _SALE_RANK[w.shelf.cls[hold.product]]
    open_ = (hold.ended == NEVER) & (hold.start < month.first) & (hold.maturity > month.last)
    at = np.flatnonzero(open_ & (rank < 99) & (short[hold.client] > 0) & (want[hold.client] > 0))
    on_hand = sure.copy()
    if len(at):
        at = at[np.lexsort((at, rank[at], hold.client[at]))]
        client = hold.client[at]
        total = np.cumsum(hold.value[at])
        first = np.r_[True, client[1:] != client[:-1]]
        base = np.where(first, total - hold.value[at], 0)
        before = total - hold.value[at] - np.maximum.accumulate(base)
        sell = at[before < short[client]]
        worth = _pay_out(w, month, hold, sell, day[hold.client[sell]], "redemption")
        np.add.at(on_hand, hold.client[sell], worth)
    return np.maximum(on_hand, 0)


def _inflows(w: World, month: Month, m: int, active, wealth, lifts) -> None:
    """Opening deposits, trends, windfalls, planted event effects and the story's steering."""
    who, rng, q = w.who, w.rng, w.p.money
    n = who.n
    arrive = np.flatnonzero(who.arrives == m)
    money = np.rint(who.size[arrive]).astype("int64") // 100 * 100 * YUAN
    month.external(arrive, who.opened[arrive], money, "transfer_self_otherbank")

    trend = w.s.get("grower", q.grower)[1]
    grows = active & who.grower & (rng.random(n) < 0.5)
    amount = (wealth * (2 * trend) * rng.uniform(0.6, 1.4, n)).astype("int64") // 1000 * 1000
    at = np.flatnonzero(grows)
    month.external(
        at, month.first + rng.integers(1, 25, n)[at], amount[at], "transfer_self_otherbank"
    )

    at = np.flatnonzero(active & (w.party.lift[:, m] > 0))
    lift = (wealth[at] * w.party.lift[at, m]).astype("int64") // 100 * 100
    month.external(at, month.first + rng.integers(1, 25, n)[at], lift, "transfer_self_otherbank")
    lifts.append({"client": at, "month": np.full(len(at), m), "share": w.party.lift[at, m],
                  "amount": lift})  # fmt: skip

    at = np.flatnonzero(who.windfall == m)
    got = np.rint(who.windfall_size[at]).astype("int64") * YUAN
    month.external(at, month.first + 2 + rng.integers(0, 20, len(at)), got, "transfer_other")

    # Steering ends before the last month, so that its average stands where the story needs it.
    if w.when.n - 6 <= m <= w.when.n - 3:
        goal = np.rint(who.target).astype("int64") * YUAN
        left = w.when.n - 2 - m
        gap = np.where(active & (who.target > 0), goal - wealth, 0) // left
        sure = month.opening[:, DEMAND]
        gap = np.where(gap < 0, -np.minimum(-gap, sure // 2), gap)
        at = np.flatnonzero(np.abs(gap) >= 100_000)
        step = np.sign(gap[at]) * (np.abs(gap[at]) // 1000 * 1000)
        day = np.where(step > 0, month.first + 9, month.first + 3)
        month.external(at, day, step, "transfer_self_otherbank")


def _dips(w: World, month: Month, m: int, active, wealth, sure) -> None:
    """A few clients just above a floor take money out for most of the last month: a watch month."""
    if m != w.when.n - 1:
        return
    floors = np.rint(load_policy(w.s.preset).floors * YUAN).astype("int64")
    above = wealth - floors[np.maximum(np.searchsorted(floors, wealth, side="right") - 1, 0)]
    # Away from the 3rd to the 23rd, twice what stands above the floor: the average falls below it.
    amount = above * 2 // 10_000 * 10_000 + 100_000
    at = np.flatnonzero(active & w.who.dip & (amount < sure))
    month.external(at, np.full(len(at), month.first + 2), -amount[at], "transfer_self_otherbank")
    month.external(at, np.full(len(at), month.first + 23), amount[at], "transfer_self_otherbank")


def _leave(w: World, month: Month, hold: Holdings, leaves, day, wealth, left, closed) -> None:
    """Sell everything and take the money away; half close the account, half leave small change."""
    rng = w.rng
    if not leaves.any():
        return
    at = np.flatnonzero(leaves[hold.client] & (hold.ended == NEVER))
    _pay_out(w, month, hold, at, day[hold.client[at]], "redemption")
    out = np.flatnonzero(leaves)
    all_ = month.demand()[out]
    shuts = rng.random(len(out)) < w.p.money.closes
    rest = np.where(shuts, 0, rng.integers(500, 40_000, len(out)) * YUAN)
    # Who has little cannot leave much behind.
    rest = np.minimum(rest, all_ // 3)
    month.external(out, day[out], -(all_ - rest), "transfer_self_otherbank")
    left[out] = day[out]
    last = w.when.working(day[out] + rng.integers(0, 20, len(out)))
    closed[out] = np.where(shuts, np.maximum(last, day[out]), NEVER)


def _sell_funds(w: World, month: Month, hold: Holdings, active) -> None:
    """Some funds and open wealth products are sold for no special reason."""
    cls = w.shelf.cls[hold.product]
    sold = (hold.ended == NEVER) & (hold.start < month.first) & active[hold.client]
    sold &= (_SALE_RANK[cls] < 7) & (w.who.target[hold.client] == 0)
    at = np.flatnonzero(sold & (w.rng.random(len(sold)) < w.p.money.fund_redeem))
    _pay_out(w, month, hold, at, w.when.working(month.first + 9 + w.rng.integers(0, 11, len(at))),
             "redemption")  # fmt: skip


def _interest(w: World, month: Month, m: int, here) -> None:
    """Quarterly interest on demand money."""
    if (w.when.months[m].astype("int64") + 1) % 3:
        return
    amount = np.rint(month.opening[:, DEMAND] * (w.p.money.demand_rate / 4)).astype("int64")
    at = np.flatnonzero(here & (amount > 0))
    day = np.full(len(at), month.first + 20)
    month.move(at, np.full(len(at), DEMAND), day, amount[at], market=True)
    month.flow(at, day, 1, amount[at], "interest")


def _invest(w: World, month: Month, hold: Holdings, m: int, active, wealth, idle) -> None:
    """Demand money above the usual share goes into products at the end of the month."""
    q, who, rng = w.p.money, w.who, w.rng
    total = (month.opening + month.delta.reshape(-1, K)).sum(axis=1)
    cash = month.demand() - np.maximum(idle, 0)
    new = who.arrives == m
    eager = np.where(new, 0.95, q.invests)
    invests = active & (cash > total * q.idle_share) & (rng.random(who.n) < eager)
    spare = np.maximum(cash - (total * q.demand_share).astype("int64"), 0)
    day = w.when.working(month.last - rng.integers(0, 4, who.n))
    day = np.maximum(day, month.first + 25)
    weight = mix(w)
    for split in (0.6, 1.0):
        amount = np.where(invests, (spare * split).astype("int64") // 100_000 * 100_000, 0)
        at = np.flatnonzero(amount >= 100_000)
        cap = w.papers.level_on(at, day[at])
        product = pick(w, weight, band_of(w, total)[at], np.where(cap > 0, cap, 1), amount[at])
        keep = product >= 0
        purchase(w, month, hold, at[keep], product[keep], day[at][keep], amount[at][keep])
        spare[at[keep]] -= amount[at][keep]


def _revalue(w: World, month: Month, hold: Holdings) -> None:
    """Worth of open holdings on the month's last day; the change is market."""
    at = np.flatnonzero(hold.ended == NEVER)
    product = hold.product[at]
    worth = w.shelf.value(product, hold.principal[at], hold.cost[at], month.last)
    month.move(hold.client[at], w.shelf.cls[product], np.full(len(at), month.last),
               worth - hold.value[at], market=True)  # fmt: skip
    hold.value[at] = worth
