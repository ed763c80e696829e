"""What a branch president should know first: a few sentences, each with its number and n."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from playbook.show.pages import Page


@dataclass(frozen=True)
class Findings:
    """Sentences in the reader's language, most important first."""

    sentences: tuple[str, ...]

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences)
        return f'<ol class="pb-findings">{items}</ol>'

    def _repr_markdown_(self) -> str:
        return "\n".join(f"{i}. {s}" for i, s in enumerate(self.sentences, 1))

    def __repr__(self) -> str:
        return "\n".join(self.sentences)


def findings(segments, page: Page) -> Findings:
    """Key findings of step 1 for the branch of ``page``.

    Scope and weight of the clients in scope, concentration, near-threshold, watch, lost and
    warned, and what service still lacks. What could not be worked out is left out here;
    :func:`missing_figures` names it.
    """
    everyone = segments.clients
    if everyone.empty:
        return Findings((page.t("show.findings.none"),))
    clients = everyone[everyone["in_scope"]]
    if clients.empty:
        return Findings((_scope(everyone, clients, page),))
    facts = [
        _scope(everyone, clients, page),
        _concentration(segments, page),
        _near(clients, segments.policy, page),
        _watch(clients, page),
        _risk(clients, page),
        _gaps(clients, segments.policy, page),
    ]
    return Findings(tuple(sentence for sentence in facts if sentence))


def missing_figures(page: Page) -> pd.DataFrame:
    """What the data did not allow: columns ``figure`` and ``table``; empty when all was there."""
    rows = [(page.figure(figure), page.needed(figure)) for figure in page.na]
    return pd.DataFrame(rows, columns=["figure", "table"], dtype="str")


def _scope(everyone: pd.DataFrame, clients: pd.DataFrame, page: Page) -> str:
    aum, total = float(clients["aum_avg"].sum()), float(everyone["aum_avg"].sum())
    return page.t(
        "show.finding.scope",
        n_all=len(everyone),
        n=len(clients),
        tier=page.in_scope[0],
        aum=aum,
        share_n=len(clients) / len(everyone),
        share_aum=aum / total if total else float("nan"),
    )


def _concentration(segments, page: Page) -> str:
    figures = segments.figures
    if pd.isna(figures["gini"]):
        return ""
    n, n_top = len(segments.clients), int(figures["n_top"])
    return page.t(
        "show.finding.concentration",
        n_top=n_top,
        top=n_top / n,
        n=n,
        share=figures["top_amount_share"],
        gini=f"{figures['gini']:.2f}",
    )


def _near(clients: pd.DataFrame, policy, page: Page) -> str:
    near = clients[clients["near_tier"].notna()]
    if near.empty:
        return page.t("show.finding.near_none", of=len(clients))
    gaps = near["gap_amount"]
    return page.t(
        "show.finding.near",
        n=len(near),
        ratio=f"{policy.tiering.near_ratio * 100:g}%",
        of=len(clients),
        gap=float(gaps.sum()),
        least=float(gaps.min()),
    )


def _watch(clients: pd.DataFrame, page: Page) -> str:
    on_watch = clients[clients["watch_months"] > 0]
    last = int((on_watch["months_left"] <= 1).sum())
    return page.t("show.finding.watch", n=len(on_watch), last=last, of=len(clients))


def _risk(clients: pd.DataFrame, page: Page) -> str:
    lost, churn = (clients[clients["status"] == code] for code in ("lost", "churn_warning"))
    stake = float(lost["severity"].sum() + churn["severity"].sum())
    return page.t(
        "show.finding.risk", lost=len(lost), churn=len(churn), stake=stake, of=len(clients)
    )


def _gaps(clients: pd.DataFrame, policy, page: Page) -> str:
    """What our own service still lacks: strangers, weak files, clients without an adviser."""
    if clients.empty:
        return ""
    parts = []
    if "familiarity.contact" not in page.na:
        rung = page.order("familiarity")[0]
        here = clients[clients["familiarity"] == rung]
        parts.append(
            page.t(
                "show.finding.strangers",
                n=len(here),
                familiarity=rung,
                share=len(here) / len(clients),
            )
        )
    score, floor = clients["kyc_score"].dropna(), policy.familiarity.file_floor
    if len(score):
        parts.append(
            page.t(
                "show.finding.files",
                score=f"{score.mean() * 100:.0f}",
                n=int((score < floor).sum()),
                floor=round(floor * 100),
            )
        )
    alone = clients[clients["adviser_id"].isna()]
    parts.append(page.t("show.finding.unassigned", n=len(alone), aum=float(alone["aum_avg"].sum())))
    return page.t(
        "show.finding.gaps", parts=page.t("show.finding.gap_join").join(parts), of=len(clients)
    )
