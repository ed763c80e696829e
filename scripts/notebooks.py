"""Keep the notebooks in order: check them, clean them, mark translations as fresh, pin results.

    python scripts/notebooks.py check            every fault, with notebook and cell; exit 1 if any
    python scripts/notebooks.py clean            no outputs but the pinned ones, no stray metadata
    python scripts/notebooks.py stamp NOTEBOOK   after reading both languages: the en cells are
                                                 translations of the zh cells as they stand now
    python scripts/notebooks.py pin [NOTEBOOK]   run and store the result of the pinned cell
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat

from playbook.report import twins

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("tags", "playbook")
SAYS = {
    "untagged": "prose without a language: tag it zh or en",
    "both": "tagged zh and en: make two cells of it",
    "no_twin": "without its twin: a zh cell is followed by its en cell, with the same other tags",
    "stale": "the zh cell changed since: bring the en cell up to date, then `stamp` the notebook",
    "long": f"more than {twins.MOST_LINES} lines of code: move the work into the package",
    "defines": "defines or loops: move it into the package",
    "syntax": "is not Python",
    "output": "has a stored output: run `clean`",
    "unpinned": "is pinned but has no stored result: run `pin`",
    "pins": f"exactly one cell must be pinned (tag {twins.PINNED})",
    "parameters": f"the first code cell must set the strings {', '.join(twins.PARAMETERS)}",
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("check", "clean", "stamp", "pin"))
    parser.add_argument("notebook", nargs="*", type=Path, help="default: all")
    given = parser.parse_args(arguments)
    if given.what == "stamp" and not given.notebook:
        parser.error("name the notebooks whose two languages you have read")
    paths = given.notebook or sorted(FOLDER.glob("*.ipynb"))
    return max([{"check": check, "clean": clean, "stamp": stamp, "pin": pin}[given.what](path)
                for path in paths], default=0)  # fmt: skip


def check(path: Path) -> int:
    """Print every fault of one notebook; 1 when there is any."""
    nb = read(path)
    faults = twins.check(nb)
    for fault in faults:
        print(f"{path.name}, cell {fault.cell}: {SAYS[fault.code]}  [{fault.line[:60]}]")
    if dumps(cleaned(nb)) != path.read_text(encoding="utf-8"):
        print(f"{path.name}: not clean: run `clean`")
        return 1
    return 1 if faults else 0


def clean(path: Path) -> int:
    """Write one notebook without outputs, counts and metadata that nobody asked for."""
    write(path, cleaned(read(path)))
    return 0


def stamp(path: Path) -> int:
    """Mark the translations of one notebook as up to date."""
    nb = read(path)
    print(f"{path.name}: {twins.stamp(nb)} stamped")
    write(path, nb)
    return 0


def pin(path: Path) -> int:
    """Run one notebook in its own folder and keep the result of its pinned cell."""
    from nbclient import NotebookClient

    nb = read(path)
    ran = NotebookClient(
        nbformat.from_dict(nb), timeout=300, resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    for cell, done in zip(nb.cells, ran.cells, strict=True):
        if twins.PINNED in twins.tags(cell):
            cell["outputs"] = done["outputs"]
    write(path, cleaned(nb))
    return 0


def cleaned(nb):
    """A copy with pinned outputs only, and only the metadata this project uses."""
    copy = nbformat.from_dict(nb)
    copy["metadata"] = nbformat.from_dict(METADATA)
    for cell in copy.cells:
        kept = {name: cell.metadata[name] for name in KEPT if name in cell.metadata}
        cell["metadata"] = nbformat.from_dict(kept)
        if cell.cell_type != "code":
            cell.pop("attachments", None)
            continue
        pinned = twins.PINNED in twins.tags(cell)
        cell["outputs"] = [_bare(output) for output in cell["outputs"]] if pinned else []
        cell["execution_count"] = 1 if pinned and cell["outputs"] else None
    return copy


def _bare(output):
    output = nbformat.from_dict(output)
    if "execution_count" in output:
        output["execution_count"] = 1
    if "metadata" in output:
        output["metadata"] = {}
    return output


def read(path: Path):
    """The notebook at ``path``."""
    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


def dumps(nb) -> str:
    """The text of a notebook as this project stores it."""
    return nbformat.writes(nb, indent=1, ensure_ascii=False) + "\n"


def write(path: Path, nb) -> None:
    """Store a notebook with line ends that are the same on every system."""
    nbformat.validate(nb)
    path.write_text(dumps(nb), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
