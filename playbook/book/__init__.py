"""The client book: the only room that reads data. Opens, checks, cuts; nothing is guessed."""

from playbook.book.check import CheckResult, check
from playbook.book.faults import sentence, with_words
from playbook.book.model import Book, BookError
from playbook.book.opening import list_branches, open_book
from playbook.book.workbook import kinds, verdict, write_faults_xlsx

__all__ = [
    "Book", "BookError", "CheckResult", "check", "kinds", "list_branches", "open_book", "sentence",
    "verdict", "with_words", "write_faults_xlsx",
]  # fmt: skip
