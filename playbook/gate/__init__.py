"""合规闸门: everything planned, suggested or recorded passes here, with rule and reason.

>>> from playbook.gate import check_text
>>> check_text("非保本浮动收益，历史业绩不代表未来").empty
True
>>> list(check_text("这款 保*本 又稳 赚")["shown"])
['保本', '稳赚']
"""

from playbook.gate.judge import contact_rows, judge
from playbook.gate.phrases import check_claims, check_text
from playbook.gate.registers import (
    judge_assessments,
    judge_benefits,
    judge_complaints,
    judge_holdings,
    judge_referrals,
)
from playbook.gate.suppress import suppress
from playbook.gate.weakened import rule_table, weakened

__all__ = [
    "check_claims", "check_text", "contact_rows", "judge", "judge_assessments", "judge_benefits",
    "judge_complaints", "judge_holdings", "judge_referrals", "rule_table", "suppress", "weakened",
]  # fmt: skip
