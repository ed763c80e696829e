"""The stories of the shipped branches as a page section, in both languages, figures computed."""

from __future__ import annotations

import re
from typing import Any

from playbook.text import t

#: The places in datasets/README.md that are filled: the first in Chinese, the second in English.
_PLACE = re.compile(r"(<!-- stories -->\n).*?(<!-- /stories -->)", re.DOTALL)


def section(truth: dict[str, Any], names: dict[str, str], lang: str) -> str:
    """Markdown of the stories, answers folded away. ``names``: branch id -> branch name."""
    effects = truth["true_effects"]
    take = effects["take_over"]
    head = t("sample.stories.columns", lang).split("|")
    rows = []
    for id_, branch in truth["branches"].items():
        story = f"sample.story.{branch['story']}"
        others = [b["findings"] for other, b in truth["branches"].items() if other != id_]
        facts = branch["findings"] | {
            "near_elsewhere": max(f["near_threshold"] for f in others),
            "wall_elsewhere": max(f["wall_share_of_aum"] for f in others),
        }
        finding = t(f"{story}.finding", lang, **facts)
        rows.append(f"| {id_} {names[id_]} | {t(f'{story}.name', lang)} | {finding} |")
    told = t(
        "sample.stories.effects", lang, take_over=take["untreated"],
        contact=round(take["call_reached_T7_T1"] * 100), fan=round(take["fan"] * 100),
        event=effects["event_inflow_share_next_month"]["fan"],
    )  # fmt: skip
    return "\n".join([
        f"### {t('sample.stories.heading', lang)}", "",
        t("sample.stories.intro", lang, as_of=truth["as_of"]), "",
        f"<details><summary>{t('sample.stories.spoiler', lang)}</summary>", "",
        f"| {' | '.join(head)} |", "| --- | --- | --- |", *rows, "", told, "", "</details>", "",
        t("sample.stories.holdings", lang), "",
    ])  # fmt: skip


def filled(page: str, truth: dict[str, Any], names: dict[str, str]) -> str:
    """The page with its story sections renewed; a page without such places stays as it is."""
    langs = iter(("zh", "en"))
    return _PLACE.sub(lambda found: found[1] + section(truth, names, next(langs)) + found[2], page)
