"""The limits and fixed names of a run. None of them is a number of the method."""

from __future__ import annotations

#: A kernel that is not up by then is taken for dead.
KERNEL_START_SECONDS = 120
#: Longest time for one notebook cell; papermill alone would wait for ever.
CELL_SECONDS = 300
#: Longest time for one branch; the process is ended from outside.
BRANCH_SECONDS = 1800
#: Time a branch process gets to shut its kernel down before it is killed.
GRACE_SECONDS = 8

ATTEMPTS = ".attempts"
FAILED = "failed"
INDEX = "index.html"
LEDGER = "ledger.jsonl"
LOCK = ".lock"
MANIFEST = "manifest.json"

# Exit codes of every command.
OK = 0
USAGE = 2
SOME = 3
NOTHING = 4
BUSY = 5
NO_ROOM = 6
INTERRUPTED = 130
