"""Every word that code shows, one key with its Chinese and English side by side.

Prose of the course lives in the notebooks; labels of tables and columns live in
:mod:`playbook.tables`. All other words live in the YAML files of this folder, one file per room,
each entry ``key: {zh: …, en: …}``.
"""

from playbook.text.numbers import count, date_text, money, percent, wan
from playbook.text.words import (
    LANGS,
    entries,
    has,
    keys_under,
    language,
    t,
    word_rows,
)

__all__ = [
    "LANGS", "count", "date_text", "entries", "has", "keys_under", "language", "money", "percent",
    "t", "wan", "word_rows",
]  # fmt: skip
