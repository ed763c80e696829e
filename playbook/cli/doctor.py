"""``playbook doctor``: is this machine ready?"""

from __future__ import annotations

from playbook.cli import console
from playbook.doctor import FAIL, checks
from playbook.report import settings
from playbook.text import t


def doctor(options, lang: str) -> int:
    """One line a check, and the verdict. 0 when nothing fails, 4 else."""
    failed = 0
    for check in checks():
        failed += check.status == FAIL
        mark = t(f"doctor.mark.{check.status}", lang)
        console.say(f"[{mark}] {t(check.key, lang, **check.facts)}")
    if failed:
        console.say(t("doctor.end.fail", lang, count=failed))
        return settings.NOTHING
    console.say(t("doctor.end.ok", lang))
    return settings.OK
