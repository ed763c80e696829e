"""``python -m playbook``: the same as the command ``playbook``."""

import sys

from playbook.cli import main

if __name__ == "__main__":
    sys.exit(main())
