"""The gate: one function that every intended, suggested or recorded row passes (K16)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.gate.consent import approach, hours
from playbook.gate.decision import DENY, Decision, Finding, found
from playbook.gate.marketing import frequency, material
from playbook.gate.rows import Rows
from playbook.gate.suitability import suitability
from playbook.policy import law


def judge(rows: pd.DataFrame, book, policy=None, on=None) -> pd.DataFrame:
    """Verdict of every row: ``allow``, ``warn`` or ``deny``, with the rule and its instrument.

    ``rows`` needs ``client_id``, ``purpose``, ``channel`` and a date; each row is judged on its
    ``on`` (or the day of ``at``), else on ``due_on`` but not before ``earliest_on``; the argument
    ``on`` overrules all of them. The rules and versions in force on that day judge it.

    Looked at where given: ``adviser_id``, ``at`` (time), ``product_id``, ``amount`` (yuan; of the
    product), ``term_days``, ``horizon`` (years), ``content_id``, ``text``, ``automated``,
    ``asks_consent``, ``proposal``, ``proposal_at``, ``deal``, ``dual_record_id``, ``object_id``,
    ``tier``, ``klass``, ``row_id``, and for contacts that happened ``contact_id``, ``reached``.
    Calling hours (TIME-01) bind a row whose day was chosen (``on``, ``at``), not a mere due date.

    Returns a frame with the index of ``rows``: ``verdict`` (ordered category), ``rule`` (the
    deciding one), ``rules`` (all that fired), ``reason`` (words at ``gate.reason.<reason>``, facts
    in ``fact_*``), ``instrument``, ``effective_from``, ``effective_to``, ``undecided`` (rules that
    the data could not decide) and ``on``. Deny beats warn; see ``regulation/rules.yaml`` for the
    order among equals. What can't be judged at all is denied by ``DATA-01``, and a missing
    consent, assessment or evidence counts as none. Raises ``ValueError`` for missing columns.
    """
    policy = policy or book.policy
    facts = Rows(rows, book, policy, on)
    decision = Decision(facts.day_or_zero, policy)
    findings = [
        *_unjudgeable(facts), *approach(facts, decision), *suitability(facts, decision),
        *material(facts, decision), *hours(facts),
    ]  # fmt: skip
    ranks = {name: rule.rank for name, rule in law.rules().items()}
    for finding in sorted(findings, key=lambda f: ranks[f.rule]):
        decision.add(finding)
    for finding in frequency(facts, decision):
        decision.add(finding)
    table = decision.frame(rows.index)
    table["on"] = table["on"].where(facts.known_day)
    return table


def _unjudgeable(rows: Rows) -> list[Finding]:
    closed = rows.client_days("close_date")
    who = rows.frame["client_id"].to_numpy(dtype=object)
    return [
        found("DATA-01", rows.client < 0, DENY, "client_unknown", id=who),
        found("DATA-01", closed <= rows.day_or_zero, DENY, "client_closed", on=closed),
        found("DATA-01", ~rows.known_day, DENY, "date_missing"),
        found("DATA-01", rows.purpose < 0, DENY, "purpose_missing"),
        found("DATA-01", rows.channel < 0, DENY, "channel_missing"),
    ]


def contact_rows(book) -> pd.DataFrame:
    """The book's contact records as rows for :func:`judge`: what was really done."""
    rows = book["contacts"]
    return rows.assign(on=rows["at"].to_numpy().astype("datetime64[D]").astype("datetime64[s]"),
                       row_id=np.asarray(rows["contact_id"], dtype=object))  # fmt: skip
