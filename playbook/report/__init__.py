"""The reports: notebooks run per branch and put together as one page each, safely.

:func:`playbook.report.run.make_reports` is the whole job of ``playbook report``. Each branch is
worked in a process of its own (:mod:`playbook.report.child`), in an attempt folder that becomes
the published folder by one rename (:mod:`playbook.report.files`).
"""
