"""Intended rows: what is due and what was triggered, each once (rules K11 and K13 together).

>>> rows, na = intended(book, segments.clients, segments.history, segments.missing) # doctest: +SKIP

What is merged, and where it went, is told in ``merged``; ``counts`` adds up: for every rule, what
was found is a row of the plan, was merged into one, waits for the next contact, was handled
before, or expired.

- ``larger``: an ordinary maturity that is also a large one.
- ``together``: matters of one kind with one client whose windows meet are one contact, for the
  largest amount; its window is what they have in common, its amount their sum.
- ``covered``: a standard contact is made by a conversation that goes before it (service duty,
  time-critical value), or by the call to a client long unseen. Visits and reviews are counted
  beside contacts, as in the workload of 2.6, and cover none.
- ``attached``: a matter for the next contact goes with the client's first conversation of the
  month; without any it waits (``waiting``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from playbook.plan import standard, triggers
from playbook.plan.capacity import unit_minutes
from playbook.plan.scene import Scene, looked_up, scene_of
from playbook.plan.windows import day_of
from playbook.policy import KLASSES, Policy
from playbook.policy.calendar import is_published
from playbook.policy.rules import TRIGGERS

#: Columns of a row, in order; the facts of its sentence (``fact_*`` and others) follow.
COLUMNS = (
    "row_id", "client_id", "adviser_id", "household_id", "source", "rule", "stage", "object_id",
    "event_on", "due_on", "earliest_on", "latest_on", "purpose", "klass", "mandatory", "channel",
    "is_visit", "minutes", "amount", "severity", "p_effect", "days_overdue", "lead_days",
    "entry_point", "core_service", "reason", "product_id", "content_id", "effort", "owner_from",
    "covers", "n_covers", "tier", "status", "familiarity",
)  # fmt: skip
#: Codes of the sentences ``plan.reason.<code>``.
REASONS = standard.REASONS + triggers.REASONS
#: Facts that hold tier codes: pass ``names={column: policy.tier_names(lang)}`` for each.
TIER_FACTS = ("tier", "fact_near_tier")
#: What happened to what was found; the columns of ``counts`` after ``rule`` and ``found``.
FATES = ("rows", "larger", "together", "covered", "attached", "waiting", "handled", "expired")
_DATES = ("event_on", "due_on", "earliest_on", "latest_on")


@dataclass(frozen=True, eq=False)
class Intended:
    """``rows`` to be judged and planned · ``merged`` what went into another row or waits, with
    ``into`` (row id, empty for none) and ``why`` · ``counts`` per rule, adding up · ``handled``
    triggers that need no row any more (handled or expired) · ``na`` rule → table it would need."""

    rows: pd.DataFrame
    merged: pd.DataFrame
    counts: pd.DataFrame
    handled: pd.DataFrame
    na: Mapping[str, str]


def intended(
    book, clients: pd.DataFrame, history: pd.DataFrame, missing: pd.DataFrame,
    policy: Policy | None = None, lists: Mapping[str, pd.DataFrame] | None = None,
) -> tuple[pd.DataFrame, dict[str, str]]:  # fmt: skip
    """The rows of the month after the book's last complete one, and what cannot be judged.

    ``clients``, ``history`` and ``missing`` are the tables of step 1, ``lists`` what head office
    gives (see :class:`~playbook.plan.scene.Scene`).
    """
    found = collect(book, clients, history, missing, policy, lists)
    return found.rows, dict(found.na)


def collect(
    book, clients: pd.DataFrame, history: pd.DataFrame, missing: pd.DataFrame,
    policy: Policy | None = None, lists: Mapping[str, pd.DataFrame] | None = None,
) -> Intended:  # fmt: skip
    """The same with everything that was merged, handled or could not be judged."""
    scene = scene_of(book, clients, history, missing, policy, lists)
    due, na_due = standard.due(scene)
    raised, na_raised = triggers.raised(scene)
    everything = pd.concat([due.assign(source="standard", status="open", stage=""),
                            raised.assign(source="trigger")], ignore_index=True)  # fmt: skip
    everything = everything.rename(columns={"status": "fate"})
    for name in (*_DATES, "handled_on", "fact_last_on", "fact_until"):
        if name in everything:
            everything[name] = pd.DatetimeIndex(everything[name]).as_unit("s")
    everything = _worked_out(scene, everything)
    everything["into"] = pd.Series("", index=everything.index, dtype="str")
    _join_larger(everything)
    _join_together(everything)
    _join_covered(everything)
    _attach(everything)
    rows = everything[everything["fate"] == "open"]
    rows = _with_covers(rows, everything)
    left_out = {*COLUMNS, "fate", "into", "handled_on", "product_class"}
    facts = [name for name in rows if name not in left_out]
    rows = rows[[*COLUMNS, *facts]].sort_values(
        ["klass", "due_on", "client_id", "rule", "row_id"], kind="stable", ignore_index=True
    )
    gone = everything["fate"].isin(("handled", "expired"))
    base = ["row_id", "client_id", "adviser_id", "source", "rule", "stage", "object_id", "event_on",
            "due_on", "amount", "reason"]  # fmt: skip
    merged = everything[~gone & (everything["fate"] != "open")]
    return Intended(
        rows=rows,
        merged=merged[[*base, "into", "fate"]]
        .rename(columns={"fate": "why"})
        .reset_index(drop=True),
        counts=_counts(everything),
        handled=everything.loc[gone, [*base, "fate", "handled_on"]].reset_index(drop=True),
        na=na_due | na_raised | _calendar(scene),
    )  # fmt: skip


# ------------------------------------------------------------------------------ one row's columns


def _worked_out(scene: Scene, rows: pd.DataFrame) -> pd.DataFrame:
    """Purpose, class, kind of work, channel, minutes, stake and owner of every row."""
    policy = scene.policy
    rules = policy.triggers
    for name in ("effort", "channel", "adviser_id", "severity", "amount", "lead_days"):
        if name not in rows:
            rows[name] = np.nan if name in ("severity", "amount", "lead_days") else None
    klass = {("standard", kind, ""): "standard" for kind in rules.standards}
    words = {kind: ("service", part.entry_point, part.core_service, part.effort)
             for kind, part in rules.standards.items()}  # fmt: skip
    for code, rule in rules.rules.items():
        words[code] = (rule.purpose, rule.entry_point, rule.core_service, "")
        klass |= {("trigger", code, name): part.klass for name, part in rule.stages.items()}
    for place, name in enumerate(("purpose", "entry_point", "core_service")):
        values = rows["rule"].map({key: part[place] for key, part in words.items()})
        rows[name] = values.where(values != "none", "").astype("str")
    effort = rows["effort"].astype("str").where(rows["effort"].notna())
    rows["effort"] = effort.fillna(rows["rule"].map({k: p[3] for k, p in words.items()}))
    keys = zip(rows["source"], rows["rule"], rows["stage"].fillna(""), strict=True)
    places = {key: KLASSES.index(name) + 1 for key, name in klass.items()}
    rows["klass"] = pd.Series(keys, index=rows.index, dtype=object).map(places).astype(np.int64)
    rows["mandatory"] = rows["klass"] == 1
    rows["channel"] = _channel(scene, rows)
    # A review is prepared at the desk; the meeting itself is a visit of its own (2.6).
    rows["is_visit"] = rows["effort"] == "visit"
    minutes = unit_minutes(policy) | {"attach": 0}
    rows["minutes"] = rows["effort"].map(minutes).astype(np.int64)
    own = scene.of_client("aum_avg", rows["client_id"])
    rows["amount"] = rows["amount"].astype("float64").fillna(own)
    stake = scene.of_client("severity", rows["client_id"])
    rows["severity"] = rows["severity"].astype("float64").fillna(stake)
    rows["lead_days"] = rows["lead_days"].fillna(
        pd.Series((day_of(rows["event_on"]) - day_of(rows["due_on"])).astype(np.int64), rows.index)
    ).astype(np.int64)  # fmt: skip
    for name in ("household_id", "tier", "status", "familiarity"):
        rows[name] = scene.of_client(name, rows["client_id"])
    rows["p_effect"] = _effect(policy, rows)
    rows["adviser_id"], rows["owner_from"] = _owner(scene, rows)
    for name in ("product_id", "content_id"):
        rows[name] = pd.Series(None, index=rows.index, dtype="str")
    rows["row_id"] = _ids(rows)
    return rows


def _channel(scene: Scene, rows: pd.DataFrame) -> pd.Series:
    """The client's preferred channel where this kind of work allows it, else the first allowed."""
    wanted = scene.of_client("pref_channel", rows["client_id"]).astype("str")
    chosen = rows["channel"].astype("str").where(rows["channel"].notna())
    for effort, allowed in scene.policy.triggers.channels.items():
        mine = rows["effort"] == effort
        fits = wanted.where(wanted.isin(allowed), allowed[0])
        chosen = chosen.where(~(mine & chosen.isna()), fits)
    default = scene.policy.triggers.channels["call"][0]
    return chosen.fillna(default).astype("str")


def _effect(policy: Policy, rows: pd.DataFrame) -> pd.Series:
    table = policy.planning.p_effect
    effects = {f"{s} {f}": value for s, row in table.items() for f, value in row.items()}
    key = rows["status"].astype("str") + " " + rows["familiarity"].astype("str")
    return key.map(effects).fillna(policy.planning.p_effect_unknown).astype("float64")


def _owner(scene: Scene, rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Who does it: named by the case, else the client's adviser, else, out of scope, the pool's
    staff in turn. ``owner_from``: case, client, pool, or empty for nobody."""
    named = rows["adviser_id"].astype("str").where(rows["adviser_id"].notna())
    client = scene.of_client("adviser_id", rows["client_id"])
    advisers = scene.book.table("advisers")
    staff = advisers["adviser_id"][advisers["level"].isin(scene.policy.capacity.pool_levels)]
    staff = np.sort(staff.to_numpy(dtype=object))
    pool = pd.Series(None, index=rows.index, dtype="str")
    if len(staff):
        outside = ~rows["tier"].astype("str").isin(scene.policy.in_scope)
        turn = staff[scene.row(rows["client_id"]) % len(staff)]
        pool = pd.Series(turn, index=rows.index, dtype="str").where(outside)
    # A case that names nobody (the empty text) stays without an owner.
    owner = named.fillna(client).fillna(pool)
    owner = owner.where(owner != "").astype("str")
    parts = [owner.isna(), named.notna(), client.notna()]
    return owner, pd.Series(np.select(parts, ["", "case", "client"], "pool"), index=rows.index)


def _ids(rows: pd.DataFrame) -> pd.Series:
    """A stable id from client, rule, stage, object and due day: 16 hexadecimal signs."""
    text = rows["client_id"].astype("str")
    for name in ("rule", "stage", "object_id"):
        text = text + "|" + rows[name].astype("str").fillna("")
    text = text + "|" + np.datetime_as_string(day_of(rows["due_on"]), unit="D")
    number = pd.util.hash_array(text.to_numpy(dtype=object), categorize=False)
    return pd.Series(np.char.mod("%016x", number), index=rows.index, dtype="str")


def _calendar(scene: Scene) -> dict[str, str]:
    """Make-up working days of a year whose notice is not out yet are not known."""
    year = int(str(scene.month.start)[:4])
    return {} if is_published(year) else {"calendar": f"days_off_{year}"}


# ------------------------------------------------------------------------------------ merging


def _join_larger(rows: pd.DataFrame) -> None:
    """An ordinary maturity goes into the large one of the same holding."""
    large = rows[(rows["rule"] == "maturity_large") & (rows["fate"] == "open")]
    large = large.sort_values(["klass", "due_on", "row_id"], kind="stable")
    target = large.drop_duplicates("object_id").set_index("object_id")["row_id"]
    mine = rows["fate"] == "larger"
    rows.loc[mine, "into"] = looked_up(rows.loc[mine, "object_id"], target).fillna("")


def _join_together(rows: pd.DataFrame) -> None:
    """Rows of one client, rule, stage, owner and kind of work whose windows meet become one."""
    kind = ["client_id", "rule", "stage", "adviser_id", "effort", "channel"]
    group = rows.groupby(kind, dropna=False, sort=False, observed=True).ngroup()
    # Only triggers about objects (a holding, a flow, a case) can be several at once.
    left = (rows["fate"] == "open") & (rows["source"] == "trigger")
    left &= group.map(group[left].value_counts()).fillna(0) > 1
    while left.any():
        part = rows[left]
        code = group[left]
        point = part.groupby(code)["latest_on"].transform("min")
        meets = part["earliest_on"] <= point
        part, code = part[meets], code[meets]
        order = part.assign(code=code).sort_values(["amount", "row_id"], ascending=[False, True])
        head = order.drop_duplicates("code").set_index("code")
        leader = code.map(head["row_id"])
        many = code.groupby(code).transform("size") > 1
        first = many & (part["row_id"] == leader)
        rest = many & ~first
        rows.loc[rest[rest].index, "fate"] = "together"
        rows.loc[rest[rest].index, "into"] = leader[rest]
        at = first[first].index
        for name, how in (("earliest_on", "max"), ("latest_on", "min"), ("due_on", "min"),
                          ("amount", "sum"), ("severity", "sum"),
                          ("days_overdue", "max")):  # fmt: skip
            rows.loc[at, name] = part.groupby(code)[name].transform(how)[at]
        left &= ~rows.index.isin(part.index)
        again = group.map(group[left].value_counts()).fillna(0)
        left &= again > 1


def _join_covered(rows: pd.DataFrame) -> None:
    """The client's first standard contact is made by a conversation that goes before it."""
    open_ = rows["fate"] == "open"
    first_class = (rows["klass"] < KLASSES.index("standard") + 1) & (rows["effort"] == "call")
    cover = open_ & (rows["source"] == "trigger") & rows["purpose"].ne("marketing")
    cover &= first_class | (rows["rule"] == "no_contact")
    best = rows[cover].sort_values(["klass", "latest_on", "row_id"], kind="stable")
    target = best.drop_duplicates("client_id").set_index("client_id")["row_id"]
    due = rows[open_ & (rows["rule"] == "contact") & (rows["source"] == "standard")]
    due = due.sort_values(["due_on", "row_id"], kind="stable").drop_duplicates("client_id")
    into = looked_up(due["client_id"], target)
    into = into[into.notna()]
    rows.loc[into.index, "fate"] = "covered"
    rows.loc[into.index, "into"] = into


def _attach(rows: pd.DataFrame) -> None:
    """Matters for the next contact go with the client's first conversation of the month."""
    matter = (rows["fate"] == "open") & (rows["effort"] == "attach")
    talk = (rows["fate"] == "open") & rows["effort"].isin(("call", "visit", "review"))
    talk &= rows["purpose"] == "service"
    best = rows[talk].sort_values(["klass", "latest_on", "row_id"], kind="stable")
    target = best.drop_duplicates("client_id").set_index("client_id")["row_id"]
    into = looked_up(rows.loc[matter, "client_id"], target)
    rows.loc[matter, "fate"] = np.where(into.notna(), "attached", "waiting")
    rows.loc[matter, "into"] = into.fillna("")


def _with_covers(rows: pd.DataFrame, everything: pd.DataFrame) -> pd.DataFrame:
    """``covers``: the rules of what went into the row, each once; ``n_covers`` how many matters."""
    gone = everything[everything["into"] != ""].drop_duplicates("row_id")
    # What covered a contact may itself have gone together with another row: follow one step more.
    step = gone.set_index("row_id")["into"]
    target = looked_up(gone["into"], step).fillna(gone["into"])
    pairs = pd.DataFrame({"into": target, "rule": gone["rule"]})
    pairs = pairs.drop_duplicates().sort_values(["into", "rule"], kind="stable")
    rules = pairs.groupby("into")["rule"].agg(" ".join).astype("str")
    n = target.value_counts()
    covers = looked_up(rows["row_id"], rules).fillna("")
    return rows.assign(
        covers=covers, n_covers=looked_up(rows["row_id"], n).fillna(0).astype(np.int64)
    )


def _counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Per rule: ``found`` and what became of it; the fates add up to ``found``."""
    fate = rows["fate"].where(rows["fate"] != "open", "rows")
    table = pd.crosstab(rows["rule"], fate).reindex(columns=list(FATES), fill_value=0)
    known = [*standard.KINDS, *TRIGGERS]
    table = table.reindex([rule for rule in known if rule in table.index])
    table.insert(0, "found", table.sum(axis=1))
    table.columns.name = None
    return table.reset_index()
