"""Tables, findings and cards of step 2: what is due, planned, stopped, left undone, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from playbook.plan.capacity import unit_minutes, workload
from playbook.plan.card import card as card_of
from playbook.plan.card import cards as cards_of
from playbook.policy import law
from playbook.show.cards import Cards
from playbook.show.charts.plan import rule_name
from playbook.show.data import Said
from playbook.show.findings import Findings
from playbook.show.pages import Page
from playbook.show.plan_card import gate_reason, plan_card, row_reason
from playbook.show.tables import Shown, table
from playbook.text import has, percent

_STANDARD = ("contacts_per_year", "visits_per_year", "reviews_per_year", "diagnoses_per_year",
             "event_invites_per_year", "marketing_cap_per_year")  # fmt: skip
#: Below this nothing is said about the distance to the best plan but "under 0.1%".
_LEAST_GAP = 0.001


def plan_findings(plan, page: Page) -> Findings:
    """Key findings of step 2: how much, the duties, the gate, the load, what stays undone."""
    rows, sums = plan.rows, plan.reconcile.sum()
    if rows.empty:
        return Findings((page.t("show.finding.plan_none"),))
    said = [
        page.t("show.finding.plan_all", month=f"{plan.month:%Y-%m}", n=len(rows),
               due=int(sums["due"]), triggered=int(sums["triggered"]),
               planned=int(sums["planned"]), share=sums["planned"] / len(rows)),
        _duties(plan, page),
        _gate(plan, page),
        _load(plan, page),
        _undone(plan, page),
    ]  # fmt: skip
    return Findings(tuple(sentence for sentence in said if sentence))


def _duties(plan, page: Page) -> str:
    duties = plan.rows[plan.rows["mandatory"]]
    n, planned = len(duties), int((duties["outcome"] == "planned").sum())
    if not n:
        return ""
    if n == planned:
        return page.t("show.finding.plan_duties_whole", n=n)
    return page.t("show.finding.plan_duties", n=n, planned=planned, rest=n - planned)


def _gate(plan, page: Page) -> str:
    rules = plan.denied["gate_rule"].value_counts()
    if rules.empty:
        return ""
    return page.t("show.finding.plan_gate", n=int(rules.sum()), most=int(rules.iloc[0]),
                  rule=rule_name(rules.index[0], page), of=len(plan.rows))  # fmt: skip


def _load(plan, page: Page) -> str:
    used = plan.load.groupby("adviser_id")[["minutes", "capacity"]].sum()
    used = used[used["capacity"] > 0]
    if used.empty:
        return ""
    share = used["minutes"] / used["capacity"]
    whole = used["minutes"].sum() / used["capacity"].sum()
    return page.t("show.finding.plan_load", load=whole, adviser=share.idxmax(),
                  most=float(share.max()), n=len(used))  # fmt: skip


def _undone(plan, page: Page) -> str:
    left = plan.not_done
    if left.empty:
        return ""
    why = left["why"].value_counts().index[0]
    mine = left[left["why"] == why]
    return page.t("show.finding.plan_undone", n=len(left), undone=why, most=len(mine),
                  minutes=int(mine["minutes"].sum()), of=len(plan.rows))  # fmt: skip


# ---- what is due ----


def matrix(policy, page: Page) -> Shown:
    """The service standard of every tier, highest first (K11, domain 2.5)."""
    codes = list(policy.tier_codes)[::-1]
    rows = pd.DataFrame(
        {"tier": codes, "owner": [getattr(policy.standards[c].owner, page.lang) for c in codes]}
        | {name: [_times(getattr(policy.standards[c], name)) for c in codes] for name in _STANDARD}
    )
    shown = table(rows, page, total=False, caption=page.t("show.plan.matrix"))
    right = tuple(name in _STANDARD for name in rows.columns)
    return replace(shown, right=right, classes=tuple("pb-num" if r else "" for r in right))


def _times(number: float) -> str:
    return f"{number:g}"


def books(segments) -> pd.DataFrame:
    """The typical month of each adviser's book: :func:`playbook.plan.capacity.workload` by adviser.

    Clients in scope only, with ``adviser_id``; see ``workload`` for the other columns.
    """
    mine = segments.clients[segments.clients["in_scope"]]
    counts = pd.crosstab(mine["adviser_id"], mine["tier"].astype("str"))
    counts = counts.reindex(columns=list(segments.policy.in_scope), fill_value=0)
    return workload(counts, segments.policy).reset_index()


def arithmetic(segments, page: Page) -> Shown:
    """Workload against capacity of each adviser in a typical month (K12, domain 2.6)."""
    policy = segments.policy
    rows = books(segments)
    whole = ["clients", "contacts", "visits", "reviews", "triggers", "minutes", "capacity"]
    rows[whole] = rows[whole].round(0).astype("int64")
    rows = rows.rename(columns={"minutes": "needed_minutes", "capacity": "capacity_minutes"})
    shown = table(rows, page, caption=page.t("show.plan.books"), total=False)
    loads = [percent(value, 0) for value in rows["load"]]
    cells = tuple((*row[:-1], said) for row, said in zip(shown.rows, loads, strict=True))
    units, cost = unit_minutes(policy), policy.capacity
    note = page.t("show.plan.books_note", call=units["call"], visit=units["visit"],
                  review=units["review"], share=cost.trigger_share, days=cost.working_days,
                  day=cost.minutes_per_day, facing=cost.client_facing_share)  # fmt: skip
    return replace(shown, rows=cells, notes=(note,))


def found(plan, page: Page) -> Shown:
    """Per rule: what was found, and what became of it before it was a row of the month (K13)."""
    counts = plan.found.set_index("rule")
    rows = pd.DataFrame(
        {
            "matter": page.named("rule", counts.index),
            "found": counts["found"].to_numpy(),
            "rows_of_rule": counts["rows"].to_numpy(),
            "merged": counts[["larger", "together", "covered", "attached"]].sum(axis=1).to_numpy(),
            "waiting": counts["waiting"].to_numpy(),
            "handled": counts["handled"].to_numpy(),
            "expired": counts["expired"].to_numpy(),
        }
    )
    shown = table(rows[rows["found"] > 0], page)
    return replace(shown, notes=(page.t("show.plan.found_note"),))


def reconciled(plan, page: Page) -> Shown:
    """Due + triggered = planned + not done + stopped + held out, class by class."""
    rows = plan.reconcile.copy()
    sums = {name: int(rows[name].sum()) for name in rows.columns if name not in ("klass",)}
    rows["klass"] = rows["klass"].astype("str")
    names = ["klass", "due", "triggered", "planned", "not_done", "denied", "held_out"]
    names += ["difference"] if rows["difference"].any() else []
    del sums["difference"]
    return replace(table(rows, page, names), notes=(page.t("show.plan.adds_up", **sums),))


# ---- rows with their reasons ----


def dated(plan, page: Page, limit: int = 12) -> Shown:
    """The first planned conversations in order of time, each with its reason; no messages."""
    talks = plan.planned[plan.planned["effort"] != "message"]
    return _listed(talks, page, limit, ["time", "client_id", "klass", "channel", "reason"])


def not_done(plan, page: Page, limit: int = 12) -> Shown | Said:
    """The honest list: what stays undone, the most important first, and why."""
    columns = ["client_id", "adviser_id", "klass", "undone", "reason"]
    return _listed(plan.not_done, page, limit, columns)


def stopped(plan, page: Page, limit: int = 10) -> Shown | Said:
    """What the gate stopped, with the rule, the instrument and what to do instead.

    The rules take turns, so that a frequent one does not hide the others.
    """
    rows = plan.denied
    rows = rows.assign(turn=rows.groupby("gate_rule").cumcount())
    rows = rows.sort_values(["turn", "klass", "gate_rule"], kind="stable")
    part = rows.head(limit)
    records = part.to_dict("records")
    shown = pd.DataFrame(
        {
            "client_id": part["client_id"],
            "matter": page.named("rule", part["rule"]),
            "gate_rule": part["gate_rule"],
            "reason": [
                page.t("show.plan.stopped", reason=gate_reason(row, page),
                       instrument=_instrument(row["gate_instrument"], page))
                for row in records
            ],
        }
    )
    return _noted(table(shown, page, total=False), len(part), len(rows), page)


def _instrument(ref: str, page: Page) -> str:
    known = law.instruments().get(ref)
    return ref if known is None else f"{ref} {known.title(page.lang)}"


def _listed(rows: pd.DataFrame, page: Page, limit: int, columns: list[str]) -> Shown:
    part = rows.head(limit)
    records = part.to_dict("records")
    shown = part.assign(
        time=[
            f"{at:%m-%d %H:%M}" if pd.notna(at) else f"{day:%m-%d}" if pd.notna(day) else "—"
            for at, day in zip(part["start_at"], part["day"], strict=True)
        ],
        klass=part["klass"].astype("str"),
        undone=part["why"],
        reason=pd.Series([row_reason(row, page) for row in records], part.index, dtype="str"),
    )
    return _noted(table(shown, page, columns, total=False), len(part), len(rows), page)


def _noted(shown: Shown, n: int, of: int, page: Page) -> Shown:
    if n == of:
        return shown
    return replace(shown, notes=(page.t("show.table.first", shown=n, n=of),))


# ---- what relief would do ----


def one_more_hour(plan, page: Page) -> Shown:
    """What one more hour of each adviser buys, and the smallest relief that makes all owed fit."""
    both = plan.prices.merge(plan.relief, on="adviser_id", how="left")
    records = both.to_dict("records")
    rows = pd.DataFrame(
        {
            "adviser_id": both["adviser_id"],
            "hour": [_hour(row, plan, page) for row in records],
            "relief": [_relief(row, page) for row in records],
        }
    )
    gap = page.t("show.plan.gap_unknown")
    if plan.gap == plan.gap:
        gap = percent(max(plan.gap, _LEAST_GAP))
    note = page.t("show.plan.fingerprint", method=page.name("method", plan.method), gap=gap)
    return replace(table(rows, page, total=False), notes=(note,))


def _hour(row: Mapping[str, object], plan, page: Page) -> str:
    if row["n_in"]:
        return page.t("show.plan.hour_gain", minutes=row["minutes"], n=row["n_in"],
                      klass=page.name("klass", row["klass"]), out=row["n_out"])  # fmt: skip
    left = plan.not_done
    left = left[(left["adviser_id"] == row["adviser_id"]) & left["why"].isin(_TIME)]
    if left.empty:
        return page.t("show.plan.hour_none")
    return page.t("show.plan.hour_blocked", minutes=row["minutes"])


#: Reasons of rows that competed for time.
_TIME = ("no_capacity", "visit_cap", "client_gap")


def _relief(row: Mapping[str, object], page: Page) -> str:
    short, beyond = row["minutes_short"], row["rows_beyond"]
    short, beyond = (0 if pd.isna(value) else int(value) for value in (short, beyond))
    if not short:
        said = page.t("show.plan.relief_none") if not beyond else ""
    elif pd.isna(row["clients"]):
        said = page.t("show.plan.relief_hours", minutes=short)
    else:
        said = page.t("show.plan.relief_clients", minutes=short, n=int(row["clients"]),
                      adviser=row["to_adviser"])  # fmt: skip
    more = page.t("show.plan.relief_beyond", n=beyond) if beyond else ""
    return (said + ("" if page.lang == "zh" or not said else " ") + more).strip()


def held_out(plan, page: Page) -> Shown:
    """How many rows are kept aside, by class: numbers only."""
    rows = plan.held_out.groupby("klass", as_index=False)[["n", "minutes"]].sum()
    rows = rows.rename(columns={"n": "held_out"}).assign(klass=rows["klass"].astype("str"))
    return replace(table(rows, page), notes=(page.t("show.plan.held_note"),))


# ---- one client ----


def plan_cards(plan, segments) -> pd.DataFrame:
    """The plan cards of all clients (K15): see :func:`playbook.plan.card.cards`."""
    return cards_of(segments.clients, plan.rows, plan.policy, plan.month)


def next_cards(plan, segments, page: Page, limit: int = 2) -> Cards:
    """The cards of the clients with the most important planned conversations."""
    talks = plan.planned[plan.planned["effort"] != "message"]
    first = talks.sort_values(["klass", "value"], ascending=[True, False], kind="stable")
    ids = first["client_id"].drop_duplicates()
    found = plan_cards(plan, segments)
    shown = tuple(plan_card(card_of(client, found), page) for client in ids.head(limit))
    note = page.t("show.table.first", shown=len(shown), n=len(ids)) if len(shown) < len(ids) else ""
    return Cards(shown, note)


def plan_gaps(plan, page: Page) -> Shown | Said:
    """What could not be judged for want of data, and what it would need."""
    if not plan.na:
        return Said(page.t("show.na.all"))
    mine = replace(page, na=plan.na)
    rows = pd.DataFrame(
        {
            "figure": [mine.figure(code) for code in plan.na],
            "table": [page.name("list", need) if has(f"name.list.{need}") else mine.needed(code)
                      for code, need in plan.na.items()],
        }
    )  # fmt: skip
    return table(rows, page, total=False, caption=page.t("show.na.heading"))
