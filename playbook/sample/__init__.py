"""The synthetic sample: branches made of chance, with planted stories and known causes.

For whom: the sample that ships with the project (``datasets/``), tests of size, and anyone who
wants more branches (``python scripts/make_datasets.py --help``). No step of the method uses this
room; it writes the same tables that a bank would export.
"""

from playbook.sample.bank import Shelf, shelf
from playbook.sample.branch import Branch, make
from playbook.sample.clock import Clock, clock
from playbook.sample.parameters import Setting, load, many, shipped

__all__ = [
    "Branch",
    "Clock",
    "Setting",
    "Shelf",
    "clock",
    "load",
    "make",
    "many",
    "shelf",
    "shipped",
]
