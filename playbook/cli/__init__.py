"""The command line: ``playbook report | check | policy | doctor``.

Everything heavy is imported by the command that needs it, so that ``playbook --help`` is there at
once. Nobody ever sees a traceback: what is wrong is told in one sentence, with an exit code
(:mod:`playbook.report.settings`).
"""

from playbook.cli.main import main

__all__ = ["main"]
