"""The house keeps its shape: who imports whom, where words live, what is public."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import playbook
from playbook import tables, text

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "playbook"

#: Floors of the house, lowest first. A room may import rooms of lower floors only.
FLOORS = [
    {"tables", "text"},
    {"policy"},
    {"book", "sample"},
    {"gate"},
    {"segment", "plan", "engage", "value"},
    {"show"},
    {"report", "train"},
    {"doctor"},
    {"cli"},
    {"__main__"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
            if node.module == "playbook":
                names = [f"playbook.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            pytest.fail(f"{path.relative_to(ROOT)}: relative import; the rooms are named in full")
        for name in names:
            parts = name.split(".")
            if parts[0] == "playbook" and len(parts) > 1:
                rooms.add(parts[1])
    return rooms


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    for other in imported_rooms(path) - {room}:
        assert other in FLOOR_OF, f"{other} is no room of the house"
        assert FLOOR_OF[other] < FLOOR_OF[room], f"{room} imports {other}, which is not below it"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_method_prints_nothing_and_reads_no_clock(path: Path) -> None:
    room = room_of(path)
    if FLOOR_OF.get(room, 99) >= FLOOR_OF["show"] or room in {"doctor", "__init__"}:
        return
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    called = {
        node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    assert not called & {"print", "input", "now", "today", "utcnow"}, called
    assert "matplotlib" not in source
    if room_of(path) != "sample":
        assert not re.search(r"^\s*(import|from) (random|secrets|time)\b", source, re.M)
        assert "default_rng" not in source


def test_steps_hold_no_number_of_the_method() -> None:
    """Numbers above two live in policy; the few others are said here with their reason."""
    allowed = {
        0, 1, 2, -1, 0.5,
        12,  # months of a year
        100,  # cents of a yuan; per cent
        365, 365.25,  # days of a year
    }  # fmt: skip
    found = []
    for path in sorted((PACKAGE / "segment").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, int | float)
                and not isinstance(node.value, bool)
                and node.value not in allowed
            ):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.value}")
    assert not found, found


@pytest.mark.parametrize("path", sorted((PACKAGE / "text").glob("*.yaml")), ids=lambda p: p.name)
def test_no_word_is_given_twice_in_a_file(path: Path) -> None:
    """YAML keeps the last of two equal keys without a word."""
    keys = re.findall(r"^([A-Za-z][\w.-]*):", path.read_text(encoding="utf-8"), re.M)
    assert sorted({key for key in keys if keys.count(key) > 1}) == []


def test_every_word_has_both_languages() -> None:
    for key, pair in text.entries().items():
        assert set(pair) == {"zh", "en"}, key
        for lang in text.LANGS:
            assert isinstance(pair[lang], str) and pair[lang].strip(), f"{key} {lang}"
        fields = [set(re.findall(r"\{(\w+)", pair[lang])) for lang in text.LANGS]
        assert fields[0] == fields[1], f"{key}: the twins name different facts {fields}"
        assert not re.search(r"[一-鿿]", pair["en"]) or key.startswith(("glossary.", "cli.")), (
            f"{key}: Chinese in the English text: {pair['en']}"
        )


def test_words_that_code_asks_for_exist() -> None:
    """Literal keys given to ``t(...)`` are in the files; keys made at run time are tested there."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "t"
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
            ):
                key = node.args[0].value
                assert text.has(key), f"{path.name}:{node.lineno} {key}"


def test_every_declared_column_is_whole() -> None:
    assert len(tables.TABLES) == 19
    for table in tables.TABLES.values():
        assert table.key, table.name
        assert len(set(table.names)) == len(table.names), table.name
        for lang in text.LANGS:
            labels = [column.label(lang) for column in table.columns]
            assert len(set(labels)) == len(labels), (table.name, lang)
        for column in table.columns:
            assert (column.type == "enum") == bool(column.allowed), column.name
            assert not (column.key and column.nullable), column.name
            assert not column.optional or column.nullable or column.name == "branch_id", column.name
            if column.ref:
                target, _, name = column.ref.partition(".")
                assert name in tables.TABLES[target].by_name, column.ref
            for blanked, _ in column.blanks:
                assert blanked in table.by_name, (table.name, blanked)


def test_public_names_are_said_and_are_there() -> None:
    assert set(playbook.__all__) >= {"open_book", "segment", "Book", "__version__"}
    for name in playbook.__all__:
        assert getattr(playbook, name) is not None, name
    assert set(playbook.__all__) <= set(dir(playbook))


TEXTUAL = {".py", ".md", ".yaml", ".yml", ".toml", ".ipynb", ".lock", ".j2", ".html", ".css"}
TRACKED = [
    path
    for folder in ("playbook", "scripts", "tests", "notebooks", "datasets", "exercises", ".")
    for path in ((ROOT / folder).rglob("*") if folder != "." else ROOT.glob("*"))
    if path.is_file()
    and path.suffix in TEXTUAL
    and "__pycache__" not in path.parts
    and ".ipynb_checkpoints" not in path.parts
]


def test_no_file_speaks_of_a_machine_or_a_registry() -> None:
    home = str(Path.home())
    patterns = [
        re.escape(str(ROOT.parent)) + "/",
        re.escape(home) + "/",
        r"files\.pythonhosted|" + "pypi" + r"\.org",
    ]
    for path in TRACKED:
        source = path.read_text(encoding="utf-8")
        for pattern in patterns:
            if pattern in {"//", re.escape("/") + "/"}:
                continue
            assert not re.search(pattern, source), f"{path.relative_to(ROOT)} names {pattern}"
