"""Who banks at the branch: sizes, personas, ages, households, closeness, advisers."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from playbook.policy import load as load_policy
from playbook.sample.clock import Clock
from playbook.sample.parameters import Setting

STRANGER, WEAK, FAMILIAR, FAN = range(4)


@dataclass(frozen=True)
class People:
    """Clients as arrays, one position per client; those in the book at the start come first.

    ``arrives`` is the month of opening (-1: in the book at the start), ``size`` the money in yuan
    they start with. ``windfall`` is the month of a single large inflow (-1: none) of
    ``windfall_size`` yuan. ``target`` is the size in yuan to which a client is steered (0: none):
    a little below the next band for a story, a little above a floor for those marked ``dip``.
    """

    n: int
    size: np.ndarray
    band: np.ndarray
    persona: np.ndarray
    age: np.ndarray
    female: np.ndarray
    arrives: np.ndarray
    opened: np.ndarray
    close: np.ndarray
    quiet: np.ndarray
    grower: np.ndarray
    target: np.ndarray
    dip: np.ndarray
    windfall: np.ndarray
    windfall_size: np.ndarray
    salary: np.ndarray
    salary_from: np.ndarray
    salary_to: np.ndarray
    level: np.ndarray
    kyc: np.ndarray
    source: np.ndarray
    adviser: np.ndarray


def pareto(rng: np.random.Generator, low: np.ndarray, high: np.ndarray, alpha: float) -> np.ndarray:
    """Draws of a Pareto tail cut to ``[low, high)``."""
    u = rng.random(len(low))
    return (low**-alpha - u * (low**-alpha - high**-alpha)) ** (-1 / alpha)


def sizes(rng, p: SimpleNamespace, n: int, low: float, alpha: float) -> np.ndarray:
    """Sizes of clients of at least ``low`` yuan: one tail to 6 million, a thinner one above."""
    b = p.bands
    knee = float(b.floor[-1])
    above = rng.random(n) < (low / knee) ** alpha
    below = pareto(rng, np.full(n, low), np.full(n, knee), alpha)
    top = pareto(rng, np.full(n, knee), np.full(n, float(b.cap)), b.alpha_high)
    return np.where(above, top, below)


def n_start(p: SimpleNamespace, s: Setting) -> int:
    """In-scope clients at the start, so that about ``in_scope`` are left at the end."""
    return round(s.in_scope * s.get("start_times", 1.0))


def draw(rng: np.random.Generator, p: SimpleNamespace, s: Setting, when: Clock) -> People:
    """Everyone who is or becomes a client of the branch."""
    b = p.bands
    floor = np.array(b.floor, dtype=float)
    core = n_start(p, s)
    low, mass = round(s.in_scope * b.nurture_share), round(s.in_scope * b.mass_share)
    new = rng.poisson(s.in_scope * p.money.arrivals * s.get("arrival_times", 1.0), when.n)
    arrives = np.concatenate([np.full(core + low + mass, -1), np.repeat(np.arange(when.n), new)])
    n, n_new = len(arrives), int(new.sum())

    new_core = rng.random(n_new) < p.money.arrival_in_scope
    small = s.get("arrival_small", None)
    new_size = np.where(
        new_core,
        rng.uniform(*small, n_new) if small else sizes(rng, p, n_new, floor[2], s.alpha),
        rng.uniform(floor[1], floor[2], n_new),
    )
    size = np.concatenate([
        sizes(rng, p, core, floor[2], s.alpha),
        pareto(rng, np.full(low, floor[1]), np.full(low, floor[2]), s.alpha),
        rng.uniform(2000, floor[1], mass),
        new_size,
    ])  # fmt: skip
    names = list(p.people.source_mix)
    source = rng.choice(len(names), n, p=list(p.people.source_mix.values()))
    dear = (arrives >= 0) & (source == names.index("intermediary")) & (small is None)
    size = np.minimum(np.where(dear, size * p.people.intermediary_times, size), float(b.cap))
    band = np.searchsorted(floor, size, side="right") - 1

    persona = _personas(rng, p, size, band, arrives)
    female = rng.random(n) < np.array(p.personas.female)[persona]
    age = _ages(rng, p, persona, female)
    windfall, windfall_size, size = _windfalls(rng, p, persona, band, size, when)
    band = np.searchsorted(floor, size, side="right") - 1
    fixed = persona == p.personas.order.index("windfall")

    target = np.zeros(n)
    if share := s.get("near_share", 0.0):
        # Only clients who stand a little below the next band's floor on their way up.
        may = np.flatnonzero((arrives < 0) & np.isin(band, (2, 3)) & ~fixed)
        chosen = rng.permutation(may)[: round(share * s.in_scope)]
        goal = floor[band[chosen] + 1] * rng.uniform(0.905, 0.985, len(chosen))
        target[chosen] = goal
        size[chosen] = np.round(goal * rng.uniform(0.78, 0.96, len(chosen)), 0)

    dip = _dippers(rng, p, s, persona, size, arrives, target)
    band = np.searchsorted(floor, size, side="right") - 1

    quiet = (rng.random(n) < p.people.quiet) & (arrives < 0) & (target == 0) & ~fixed
    grow_share = s.get("grower", p.money.grower)[0]
    grower = (rng.random(n) < grow_share) & ~quiet & (target == 0) & ~fixed
    close = rng.choice(4, n, p=p.people.closeness)
    close = np.where(quiet, STRANGER, close)
    salary, start, stop = _salaries(rng, p, persona, band, arrives, quiet, when)
    tenure = rng.exponential(p.people.tenure_mean_years, n) * 365.25
    earliest = (np.datetime64(s.opened_on, "D")).astype("int64") + 30
    opened = np.where(
        arrives < 0,
        np.maximum(when.first[0] - 20 - tenure.astype("int64"), earliest),
        when.working(when.first[np.maximum(arrives, 0)] + 9 + rng.integers(0, 12, n)),
    )
    level = 1 + rng.choice(5, n, p=p.people.level_mix)
    return People(
        n,
        size,
        band,
        persona,
        age,
        female,
        arrives,
        opened,
        close,
        quiet,
        grower,
        target,
        dip,
        windfall,
        windfall_size,
        salary,
        start,
        stop,
        level,
        rng.beta(*p.people.kyc_beta, n),
        source,
        _advisers(rng, p, s, band, windfall_size),
    )


def _dippers(rng, p, s, persona, size, arrives, target) -> np.ndarray:
    """A few clients without a salary, moved to just above a floor of the branch's tiers."""
    floors = np.array([f for f in load_policy(s.preset).floors if f >= p.bands.floor[2]])
    calm = np.flatnonzero(np.array(p.personas.payroll_also) == 0.0)
    calm = np.setdiff1d(
        calm, [p.personas.order.index(x) for x in ("windfall", "heir", "other", "young")]
    )
    may = np.flatnonzero(
        np.isin(persona, calm) & (arrives < 0) & (target == 0) & (size >= floors[0])
        & (size < p.bands.floor[4])
    )  # fmt: skip
    chosen = rng.permutation(may)[: p.money.dips]
    floor = floors[np.searchsorted(floors, size[chosen], side="right") - 1]
    target[chosen] = np.round(floor * rng.uniform(1.005, 1.015, len(chosen)))
    size[chosen] = np.round(target[chosen] * rng.uniform(0.94, 1.0, len(chosen)))
    dip = np.zeros(len(size), dtype=bool)
    dip[chosen] = True
    return dip


def _personas(rng, p, size, band, arrives) -> np.ndarray:
    q = p.personas
    table = np.array([q.share_low, q.share_core, q.share_top])
    row = np.select([band >= 4, band >= 2], [2, 1], 0)
    edge = np.cumsum(table / table.sum(axis=1, keepdims=True), axis=1)
    persona = (rng.random(len(band))[:, None] > edge[row]).sum(axis=1)
    windfall = q.order.index("windfall")
    # A rare persona is met in every branch; it is taken from the commoner ones.
    large = (size >= q.least_size) & (arrives < 0)
    for code in range(len(q.order)):
        short = q.least_n - int(((persona == code) & large).sum())
        if short > 0:
            may = np.flatnonzero((persona <= 3) & large & (size < 3_000_000))
            persona[rng.permutation(may)[:short]] = code
    # A windfall is an event of someone already in the book.
    return np.where((persona == windfall) & ((arrives >= 0) | (band < 2)), 0, persona)


def _ages(rng, p, persona, female) -> np.ndarray:
    q = p.personas
    age = rng.normal(np.array(q.age_mean)[persona], np.array(q.age_sd)[persona])
    retiree = persona == q.order.index("retiree")
    least = np.where(retiree & ~female, q.age_min_retired_m, np.array(q.age_min)[persona])
    most = np.where(female, np.array(q.age_max_f)[persona], np.array(q.age_max_m)[persona])
    inside = np.clip(age, least, most)
    # Those cut off are spread over the range, or the limits would stand out in a histogram.
    spread = least + rng.random(len(age)) * (most - least)
    return np.where(inside == age, age, spread).astype("int64")


def _windfalls(rng, p, persona, band, size, when):
    q = p.personas
    is_one = persona == q.order.index("windfall")
    top = band >= 4
    got = np.where(
        top,
        rng.uniform(*q.windfall_top, len(size)),
        rng.uniform(*q.windfall_core, len(size)),
    )
    month = rng.integers(max(when.n - 5, 1), max(when.n - 1, 2), len(size))
    before = np.where(
        top, rng.uniform(0.1, 0.6, len(size)) * got, rng.uniform(0.1, 0.5, len(size)) * got
    )
    return (
        np.where(is_one, month, -1),
        np.where(is_one, np.round(got, -4), 0.0),
        np.where(is_one, before, size),
    )


def _salaries(rng, p, persona, band, arrives, quiet, when):
    q = p.personas
    n = len(persona)
    paid = (rng.random(n) < np.array(q.payroll_also)[persona]) & ~quiet
    # The persona is payroll because the salary arrives: a silent one keeps it.
    paid |= persona == q.order.index("payroll")
    times = np.array([0.55, 0.7, 1.0, 1.5, 2.4, 4.0])[band]
    salary = np.round(q.salary_median * times * np.exp(rng.normal(0, 0.35, n)), -2)
    late = rng.random(n) < q.salary_start
    start = np.where(late, rng.integers(0, max(when.n - 8, 1), n), -1)
    start = np.maximum(start, arrives)
    stop = np.where(rng.random(n) < q.salary_stop, when.n - 2, when.n)
    return np.where(paid, salary, 0.0), start, stop


def _advisers(rng, p, s, band, windfall_size) -> np.ndarray:
    """Adviser of each client: 0 the assistant's pool, 1 … the advisers, -1 nobody yet."""
    count = n_advisers(p, s)
    served = (band >= 2) | (windfall_size > 0)
    adviser = np.where(served, 1 + rng.integers(0, count, len(band)), 0)
    return np.where(served & (rng.random(len(band)) < p.people.unassigned), -1, adviser)


def n_advisers(p: SimpleNamespace, s: Setting) -> int:
    """Wealth advisers of the branch, the assistant not counted."""
    return s.get("advisers", -(-s.in_scope // p.work.clients_per_adviser))
