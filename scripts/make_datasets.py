"""Make the synthetic data: the shipped sample, its faulty twin, or any number of branches.

python scripts/make_datasets.py                          the shipped files under datasets/
python scripts/make_datasets.py --out DIR --branches 1000 --clients 300 --months 24 --seed 7
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from playbook.sample import write

ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str] | None = None) -> int:
    """Read the options and write the files; exit code 2 for wrong use."""
    parser = argparse.ArgumentParser(
        description="Make synthetic client books (no real person is in them).",
        epilog="Example: python scripts/make_datasets.py --out big --branches 1000 --clients 300",
    )
    parser.add_argument("--out", type=Path, help="folder to write to; without it: datasets/")
    parser.add_argument(
        "--branches", type=int, help="number of branches; without it: the six shipped"
    )
    parser.add_argument("--clients", type=int, default=300, help="in-scope clients of a branch")
    parser.add_argument("--months", type=int, default=24, help="months of history")
    parser.add_argument("--seed", type=int, default=write.SEED, help="same seed, same bytes")
    options = parser.parse_args(argv)
    for name in ("branches", "clients", "months"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name} must be at least 1")
    if options.branches is None:
        write.shipped_files(options.out or ROOT / "datasets", options.seed, progress=tqdm)
        return 0
    if options.out is None:
        parser.error("--branches needs --out: a folder for the files")
    write.many_files(
        options.out, options.branches, options.clients, options.months, options.seed, progress=tqdm
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
