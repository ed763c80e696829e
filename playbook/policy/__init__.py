"""The bank's numbers and rules: presets, a bank's own files, what-if copies, forbidden columns.

>>> from playbook.policy import load
>>> policy = load("cn6")
>>> policy.in_scope
['T2', 'T3', 'T4', 'T5']
>>> policy.with_(**{"tiering.near_ratio": 0.85}).tiering.near_ratio
0.85
"""

from playbook.policy.faults import PolicyError, worded
from playbook.policy.files import check_file, load, presets
from playbook.policy.headers import forbidden
from playbook.policy.model import Policy
from playbook.policy.rules import FAMILIARITY, KLASSES, PERSONAS, STATUSES
from playbook.policy.view import diff, show

__all__ = [
    "FAMILIARITY", "KLASSES", "PERSONAS", "STATUSES", "Policy", "PolicyError", "check_file", "diff",
    "forbidden", "load", "presets", "show", "worded",
]  # fmt: skip
