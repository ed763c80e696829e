"""What has happened, or is about to: one finder per trigger event of domain 3.2 (rule K13).

A finder takes the :class:`~playbook.plan.scene.Scene` and gives one row per occurrence, or the
name of the table it would need. Columns of an occurrence: ``client_id``, ``object_id``, ``anchor``
(the day that the policy's offsets count from, ``datetime64[D]``), ``amount`` (yuan); where they
differ from the usual also ``event_on``, ``since``, ``cap``, ``severity``, ``variant``, ``effort``,
``channel``, ``adviser_id``; and the facts of its sentence, ``fact_*``. Windows, purposes and
minutes are not decided here: they come from the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd

from playbook.plan.scene import Scene
from playbook.plan.signals import care, maturity, money, papers, products, relation

Finder = Callable[[Scene], "pd.DataFrame | str"]

#: Trigger code → its finder, in the order of domain 3.2.
FINDERS: Mapping[str, Finder] = MappingProxyType(
    {
        "maturity_large": maturity.large,
        "maturity_any": maturity.every,
        "inflow_large": money.inflow,
        "outflow_large": money.outflow,
        "eom_drop": relation.eom_drop,
        "near_tier": relation.near_tier,
        "birthday": care.birthday,
        "festival": care.festival,
        "life_event": care.life_event,
        "risk_expiry": papers.risk_expiry,
        "id_expiry": papers.id_expiry,
        "kyc_stale": papers.kyc_stale,
        "nav_drop": products.nav_drop,
        "dividend": products.dividend,
        "open_period": products.open_period,
        "rating_change": products.rating_change,
        "cooling_off": products.cooling_off,
        "complaint_open": papers.complaint_open,
        "complaint_closed": papers.complaint_closed,
        "event_invite": relation.event_invite,
        "event_follow": relation.event_follow,
        "policy_notice": relation.policy_notice,
        "no_contact": relation.no_contact,
        "payroll_stop": money.payroll_stop,
    }
)

#: Trigger code → the variants of its sentence beside the plain one.
VARIANTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "maturity_any": ("renew",),
        "outflow_large": ("own",),
        "eom_drop": ("lost", "outflow"),
        "festival": (care.SOLEMN,),
        "risk_expiry": ("expired",),
        "id_expiry": ("expired",),
        "complaint_open": ("late",),
        "nav_drop": ("fall",),
        "no_contact": ("first",),
    }
)
