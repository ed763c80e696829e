"""Do the two languages of a notebook still say the same, and is the notebook still thin?

Pure checks on a notebook object; ``scripts/notebooks.py`` and the tests call them. The rules are
DESIGN rules 7 and 8: prose in twins, the ``en`` cell carrying a hash of the ``zh`` source it
translates; thin code cells that define nothing and loop over nothing; no stored output except
one pinned result.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass

PINNED = "nbval-check-output"
PARAMETERS = ("branch", "as_of", "data", "policy", "lang", "out")
MOST_LINES = 8
_DEFINING = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While,
    ast.Lambda, ast.comprehension,
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a notebook: position of the cell from 1, a code, its first line.

    Codes: ``untagged`` prose without a language · ``both`` prose of two languages ·
    ``no_twin`` a ``zh`` cell not followed by its ``en`` cell, or an ``en`` cell without one ·
    ``stale`` the ``zh`` cell changed after it was translated · ``long`` more than
    :data:`MOST_LINES` lines · ``defines`` a definition or a loop · ``syntax`` not Python ·
    ``output`` stored output outside the pinned cell · ``unpinned`` the pinned cell has none ·
    ``pins`` not exactly one pinned cell · ``parameters`` no parameters cell first among the code,
    or other parameters than :data:`PARAMETERS`.
    """

    cell: int
    code: str
    line: str


def digest(source: str) -> str:
    """Twelve hex digits that change when the Chinese source of a twin changes."""
    return hashlib.sha256(source.encode("utf-8")).hexdigest()[:12]


def check(nb, parameters: tuple[str, ...] = PARAMETERS) -> list[Fault]:
    """All faults of ``nb``, in cell order; an empty list when it is in order."""
    return sorted(
        [*_twins(nb), *_code(nb), *_outputs(nb), *_parameters(nb, parameters)],
        key=lambda fault: (fault.cell, fault.code),
    )


def stamp(nb) -> int:
    """Mark every ``en`` cell as the translation of the ``zh`` cell above it, in place.

    To be called by a person who has read both. Returns how many cells changed.
    """
    changed = 0
    for above, cell in zip(nb.cells, nb.cells[1:], strict=False):
        if _langs(above) == {"zh"} and _langs(cell) == {"en"}:
            fresh = {"of": digest(above.source)}
            changed += cell.metadata.get("playbook") != fresh
            cell.metadata["playbook"] = fresh
    return changed


def tags(cell) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def _langs(cell) -> set[str]:
    return tags(cell) & {"zh", "en"} if cell.cell_type == "markdown" else set()


def _unlike(cell, twin) -> bool:
    return _langs(twin) != {"en"} or tags(twin) - {"en"} != tags(cell) - {"zh"}


def _fault(nb, index: int, code: str) -> Fault:
    lines = nb.cells[index].source.strip().splitlines() if nb.cells else []
    return Fault(index + 1, code, lines[0] if lines else "")


def _twins(nb) -> list[Fault]:
    faults = []
    for i, cell in enumerate(nb.cells):
        if cell.cell_type != "markdown":
            continue
        langs = _langs(cell)
        above = nb.cells[i - 1] if i else None
        below = nb.cells[i + 1] if i + 1 < len(nb.cells) else None
        if not langs:
            faults.append(_fault(nb, i, "untagged"))
        elif len(langs) == 2:
            faults.append(_fault(nb, i, "both"))
        elif langs == {"zh"}:
            if below is None or _unlike(cell, below):
                faults.append(_fault(nb, i, "no_twin"))
        elif above is None or _langs(above) != {"zh"}:
            faults.append(_fault(nb, i, "no_twin"))
        elif cell.metadata.get("playbook", {}).get("of") != digest(above.source):
            faults.append(_fault(nb, i, "stale"))
    return faults


def _code(nb) -> list[Fault]:
    faults = []
    for i, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
            continue
        if len(cell.source.strip().splitlines()) > MOST_LINES:
            faults.append(_fault(nb, i, "long"))
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            faults.append(_fault(nb, i, "syntax"))
            continue
        if any(isinstance(node, _DEFINING) for node in ast.walk(tree)):
            faults.append(_fault(nb, i, "defines"))
    return faults


def _outputs(nb) -> list[Fault]:
    faults = []
    pinned = [i for i, cell in enumerate(nb.cells) if PINNED in tags(cell)]
    for i, cell in enumerate(nb.cells):
        if cell.cell_type == "code" and cell.get("outputs") and i not in pinned:
            faults.append(_fault(nb, i, "output"))
    faults += [_fault(nb, i, "unpinned") for i in pinned if not nb.cells[i].get("outputs")]
    if len(pinned) != 1:
        faults.append(Fault(0, "pins", ""))
    return faults


def _parameters(nb, wanted: tuple[str, ...]) -> list[Fault]:
    code = [i for i, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    marked = [i for i in code if "parameters" in tags(nb.cells[i])]
    if len(marked) != 1 or marked[0] != code[0]:
        return [Fault(0, "parameters", "")]
    try:
        tree = ast.parse(nb.cells[marked[0]].source)
    except SyntaxError:
        return [_fault(nb, marked[0], "parameters")]
    found = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    typed = all(
        isinstance(value, ast.Constant) and isinstance(value.value, str) for value in found.values()
    )
    return [] if tuple(found) == wanted and typed else [_fault(nb, marked[0], "parameters")]
