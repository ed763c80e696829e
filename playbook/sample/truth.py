"""What was planted: causes, stories and what a branch must therefore find.

Written beside the sample, never inside it: no step reads it; tests compare estimates with it.
Every finding is computed from the generated money, none is typed.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from playbook.policy import load as load_policy
from playbook.sample.bank import Shelf
from playbook.sample.branch import Branch
from playbook.sample.clock import Clock, dates, day
from playbook.sample.papers import NEVER
from playbook.sample.people import FAN, n_advisers

_LADDER = ("stranger", "acquaintance", "familiar", "fan")


def maturities(branch: Branch) -> pd.DataFrame:
    """Every maturity with both of its outcomes: what the client did, and would have done.

    ``p_untreated`` and ``p_treated`` are the probabilities of a take-over without and with a call
    reached in T-7 … T-1; ``would_take_*`` what the same draw gives in either case. Rows marked
    ``excluded`` (automatic renewals, clients leaving, silent clients) were not up to chance.
    """
    ids, book, s = branch.truth["ids"], branch.truth["book"], branch.truth["setting"]
    t = book.truth
    number = [f"{s.id}-H{i + 1:06d}" for i in t["holding"]]
    return pd.DataFrame(
        {
            "branch_id": s.id,
            "holding_id": number,
            "client_id": ids.client[t["client"]],
            "maturity_date": dates(t["day"]),
            "amount": t["amount"] / 100,
            "auto_renew": t["auto_renew"],
            "excluded": t["excluded"],
            "contacted": t["contacted"],
            "treated": t["treated"],
            "taken": t["taken"],
            "p_untreated": t["p_untreated"].round(4),
            "p_treated": t["p_treated"].round(4),
            "would_take_untreated": t["would_take_untreated"],
            "would_take_treated": t["would_take_treated"],
        }
    ).sort_values("holding_id", kind="stable", ignore_index=True)


def event_lifts(branch: Branch, when: Clock) -> pd.DataFrame:
    """The inflow (yuan) that events of the month before caused, by client and month."""
    ids, book, s = branch.truth["ids"], branch.truth["book"], branch.truth["setting"]
    t = book.lift
    return pd.DataFrame({
        "branch_id": s.id, "client_id": ids.client[t["client"]],
        "month": pd.Series(when.months[t["month"]].astype(str), dtype="str"), "share": t["share"],
        "amount": t["amount"] / 100,
    }).sort_values(["client_id", "month"], kind="stable", ignore_index=True)  # fmt: skip


def clients(p: SimpleNamespace, branch: Branch) -> pd.DataFrame:
    """Latent facts of each client that no bank would know."""
    ids, who, book = branch.truth["ids"], branch.truth["who"], branch.truth["book"]
    left = book.left < NEVER
    near = (who.target > 0) & ~who.dip
    return pd.DataFrame({
        "branch_id": branch.truth["setting"].id, "client_id": ids.client[np.arange(who.n)],
        "persona": np.array(p.personas.order)[who.persona],
        "closeness": np.array(_LADDER)[who.close], "quiet": who.quiet, "grower": who.grower,
        "near_target": near, "dip": who.dip,
        "left_on": pd.Series(dates(np.where(left, book.left, 0), ~left)),
    }).sort_values("client_id", kind="stable", ignore_index=True)  # fmt: skip


def account(
    p: SimpleNamespace, branches: list[Branch], when: Clock, shelf: Shelf, seed: int
) -> dict:
    """The whole truth: seed, true effects, and each branch's story with its findings."""
    return {
        "seed": seed,
        "as_of": str(p.horizon.as_of),
        "months": when.n,
        "true_effects": {
            "take_over": {
                "untreated": p.money.take_over,
                "call_reached_T7_T1": p.money.take_over_contact,
                "fan": p.money.take_over_fan,
                "treatment": "trigger_code maturity_large or maturity_any, reached, T-7 … T-1",
            },
            "event_inflow_share_next_month": dict(zip(_LADDER, p.events.effect, strict=True)),
            "stage_rates": dict(
                zip(("opened", "need", "proposal", "deal"), p.work.stages, strict=True)
            ),
            "reach": p.work.reach,
        },
        "holdings": "every class but demand is made of holdings; their market_value at as_of adds "
        "up to month_end of the class",
        "branches": {b.truth["setting"].id: _branch(p, b, when, shelf) for b in branches},
    }


def _branch(p: SimpleNamespace, b: Branch, when: Clock, shelf: Shelf) -> dict[str, Any]:
    s, who, book, ids, work = (b.truth[k] for k in ("setting", "who", "book", "ids", "work"))
    return {
        "story": s.story,
        "twist": dict(s.twist),
        "planted": {
            "advisers": {
                str(a): {"reach": float(r), "opened": float(o)}
                for a, r, o in zip(ids.adviser, work.reach, work.opening, strict=False)
            },
            "grower_inflow_a_month": s.get("grower", p.money.grower)[1],
            "event_effect_times": s.get("effect_times", 1.0),
            "near_threshold_clients": sorted(ids.client[:-1][(who.target > 0) & ~who.dip]),
            "dip_clients": sorted(ids.client[:-1][who.dip]),
        },
        "findings": {
            **_flow_of_clients(p, who, book, when),
            **_near(s, who, book),
            **_wall(book, when),
            **_load(p, s, b, when),
            **_papers(b, when),
            **_mirage(b, when),
            **_take_over(book, who),
        },
    }


def _yuan(cents: Any) -> float:
    return round(float(cents) / 100, 2)


def _share(part: float, whole: float) -> float | None:
    return round(float(part) / float(whole), 4) if whole else None


def _flow_of_clients(p, who, book, when: Clock) -> dict:
    """Clients of band 2 and above who came and who left in the last twelve months."""
    year = max(when.n - 12, 0)
    total = np.concatenate([book.opening[None], book.end]).sum(axis=2)
    came = (who.arrives >= year) & (who.size >= p.bands.floor[2])
    month = when.month_of(np.minimum(book.left, when.as_of))
    before = total[np.clip(month, 0, when.n), np.arange(who.n)]
    gone = (book.left < NEVER) & (month >= year) & (before >= p.bands.floor[2] * 100)
    return {
        "new_in_scope_12m": int(came.sum()),
        "new_mean_yuan": _yuan(who.size[came].mean() * 100) if came.any() else None,
        "left_in_scope_12m": int(gone.sum()),
        "left_mean_yuan": _yuan(before[gone].mean()) if gone.any() else None,
        "aum_12m_ago_yuan": _yuan(total[year].sum()), "aum_now_yuan": _yuan(total[-1].sum()),
    }  # fmt: skip


def _near(s, who, book) -> dict:
    """In-scope clients of the branch's scheme within a tenth of the next floor."""
    policy = load_policy(s.preset)
    floors = np.rint(np.asarray(policy.floors) * 100)
    average = book.average[-1].sum(axis=1)
    tier = np.searchsorted(floors, average, side="right") - 1
    lowest = policy.tier_codes.index(policy.in_scope[0])
    above = np.append(floors, np.inf)[tier + 1]
    near = (tier >= lowest) & (average >= policy.tiering.near_ratio * above)
    planted = near & (who.target > 0) & ~who.dip
    return {
        "in_scope_by_average": int((tier >= lowest).sum()), "near_threshold": int(near.sum()),
        "near_threshold_planted": int(planted.sum()),
        "near_gap_yuan": _yuan((above - average)[near].sum()),
    }  # fmt: skip


def _wall(book, when: Clock) -> dict:
    """What matures in the first quarter after as_of, as a share of all money."""
    h = book.holdings
    year = int(str(when.months[-1])[:4]) + (int(str(when.months[-1])[5:]) > 3)
    first, last = day(f"{year}-01-01"), day(f"{year}-03-31")
    due = (h.ended == NEVER) & (h.maturity >= first) & (h.maturity <= last)
    return {
        "wall_quarter": f"{year}Q1", "wall_yuan": _yuan(h.value[due].sum()),
        "wall_share_of_aum": _share(h.value[due].sum(), book.end[-1].sum()),
        "wall_n": int(due.sum()),
    }  # fmt: skip


def _load(p, s, b: Branch, when: Clock) -> dict:
    contacts = b.tables["contacts"]
    recent = contacts["at"] >= np.datetime64(when.months[max(when.n - 3, 0)], "D")
    reached = int((contacts["reached"] & recent & (contacts["adviser_id"] != f"{s.id}-A0")).sum())
    total = b.truth["book"].end[-1].sum(axis=1)
    scope = total >= p.bands.floor[2] * 100
    n = n_advisers(p, s)
    return {
        "advisers": n, "clients_from_200k_per_adviser": round(int(scope.sum()) / n, 1),
        "reached_last_3m_per_client": round(reached / max(int(scope.sum()), 1), 2),
    }  # fmt: skip


def _papers(b: Branch, when: Clock) -> dict:
    book, papers, who = b.truth["book"], b.truth["assessments"], b.truth["who"]
    here = (book.left == NEVER) & (who.band >= 2)
    level = papers.level_on(np.arange(who.n), np.full(who.n, when.as_of))
    never = (papers.assessed >= NEVER).all(axis=1)
    return {
        "assessment_expired_share": _share((here & (level == 0) & ~never).sum(), here.sum()),
        "assessment_none_share": _share((here & never).sum(), here.sum()),
    }


def _mirage(b: Branch, when: Clock) -> dict:
    """Growth of those who came to events of the first year, and of the others: the naive look."""
    book, party, who = b.truth["book"], b.truth["party"], b.truth["who"]
    half = max(when.n - 12, 1)
    total = book.end.sum(axis=2).astype(float)
    stays = (who.arrives < 0) & (book.left == NEVER) & (who.band >= 2) & (who.target == 0)
    early = party.attended & (party.day[party.event] <= when.last[half - 1])
    came = np.zeros(who.n, bool)
    came[party.client[early]] = True
    grew = total[-1] / np.maximum(total[half - 1], 1) - 1
    a, o = stays & came, stays & ~came
    return {
        "attendees_growth_12m_median": round(float(np.median(grew[a])), 4) if a.any() else None,
        "others_growth_12m_median": round(float(np.median(grew[o])), 4) if o.any() else None,
        "growers_among_attendees": _share((a & who.grower).sum(), a.sum()),
        "growers_among_others": _share((o & who.grower).sum(), o.sum()),
        "event_caused_inflow_yuan": _yuan(book.lift["amount"].sum()) if book.lift else 0.0,
    }


def _take_over(book, who) -> dict:
    t = book.truth
    free = ~t["excluded"]
    called = free & t["treated"]
    effect = t["would_take_treated"].astype(float) - t["would_take_untreated"]
    return {
        "maturities": int(free.sum()),
        "maturities_treated": int(called.sum()),
        "take_over_treated": _share((t["taken"] & called).sum(), called.sum()),
        "take_over_untreated": _share((t["taken"] & free & ~called).sum(), (free & ~called).sum()),
        "take_over_effect_on_treated": round(float(effect[called].mean()), 4)
        if called.any()
        else None,
        "fans_among_maturities": _share((free & (who.close[t["client"]] == FAN)).sum(), free.sum()),
    }
