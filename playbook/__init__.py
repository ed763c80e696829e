"""The four-step playbook: segment, plan, engage, value (中高净值客户经营与维护四步法).

    import playbook as pb
    book     = pb.open_book("sample", branch="B01", as_of="2026-09-30")
    segments = pb.segment(book)
    plan     = pb.plan(book, segments)

Names are loaded when they are first used, so that ``import playbook`` costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playbook.book import Book, BookError, check, list_branches, open_book
    from playbook.plan import Plan, plan
    from playbook.policy import Policy, PolicyError
    from playbook.segment import Segments, segment

__version__ = "0.1.0"

_HOMES = {
    "Book": "playbook.book",
    "BookError": "playbook.book",
    "check": "playbook.book",
    "list_branches": "playbook.book",
    "open_book": "playbook.book",
    "Plan": "playbook.plan",
    "plan": "playbook.plan",
    "Policy": "playbook.policy",
    "PolicyError": "playbook.policy",
    "Segments": "playbook.segment",
    "segment": "playbook.segment",
}

__all__ = [
    "Book", "BookError", "Plan", "Policy", "PolicyError", "Segments", "__version__", "check",
    "list_branches", "open_book", "plan", "segment",
]  # fmt: skip


class _Sentence(ModuleType):
    """The package as the method's sentence: ``pb.segment`` is the verb, not the room behind it.

    Importing a room binds its module to the package under the same name; that must not hide the
    verb. ``from playbook.segment import …`` still reaches the room.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'playbook' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)

    def __dir__(self) -> list[str]:
        return sorted({*__all__, *super().__dir__()})


sys.modules[__name__].__class__ = _Sentence
