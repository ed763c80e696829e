"""From the bytes of a policy file to a tree of values that know their file and line.

YAML is read node by node, so that every fault can name its line and so that what YAML 1.1 silently
turns into something else (``no`` into false, ``12:30`` into 750, ``0123`` into 83) is told instead.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from playbook.policy.faults import Fault, shown

#: Stands where a value is already reported as wrong; nothing else is said about it.
BAD = object()

_ANNOTATION = ("value", "evidence", "zh", "en")
_TAGS = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ("map", "seq", "str", "null", "bool", "int", "float", "timestamp", "value", "merge")
}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*(_[0-9]{3})*)")
_LINE_END = re.compile(r"\r\n|\r|\n")
_INDENT_TAB = re.compile(r"^[ ]*\t[ \t]*[^\s#]")
_WIDE = re.compile("^[ ]*[\u00a0\u3000]+|\uff1a")


@dataclass(frozen=True)
class Leaf:
    """A value with where it stands. ``note`` is what the file says about it, if it says so."""

    value: object
    file: str = ""
    line: int | None = None
    note: Mapping[str, str] | None = None
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Group:
    """A group of keys with where it stands."""

    items: dict[str, Leaf | Group] = field(default_factory=dict)
    file: str = ""
    line: int | None = None


def leaves(tree: Group, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """Every leaf with its dotted key, in order."""
    for name, item in tree.items.items():
        key = f"{path}.{name}" if path else name
        if isinstance(item, Group):
            yield from leaves(item, key)
        else:
            yield key, item


def place_of(tree: Group, path: tuple[str | int, ...]) -> Group | Leaf:
    """The item at ``path``, or the nearest group above it."""
    at: Group | Leaf = tree
    for step in path:
        if isinstance(at, Leaf):
            if isinstance(step, int) and step < len(at.lines):
                return replace(at, line=at.lines[step])
            return at
        if str(step) not in at.items:
            return at
        at = at.items[str(step)]
    return at


def plain(item: Group | Leaf) -> object:
    if isinstance(item, Leaf):
        return item.value
    return {name: plain(part) for name, part in item.items.items()}


class _Loader(yaml.SafeLoader):
    def __init__(self, stream) -> None:
        super().__init__(stream)
        self.aliases: list[yaml.AliasEvent] = []

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            self.aliases.append(self.peek_event())
        return super().compose_node(parent, index)


def read(path: Path, file: str) -> tuple[Group, list[Fault]]:
    """The tree of the file and what is wrong with its writing. ``file`` is its name in faults."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Group(file=file), [Fault(file, None, "", file, "file_not_found")]
    except IsADirectoryError:
        return Group(file=file), [Fault(file, None, "", file, "is_a_folder")]
    except OSError:
        # Windows says "permission denied" when a folder is opened as a file.
        code = "is_a_folder" if path.is_dir() else "file_unreadable"
        return Group(file=file), [Fault(file, None, "", file, code)]
    text, faults = _decode(raw, file)
    return (Group(file=file), faults) if text is None else _Reader(text, file).tree()


def _decode(raw: bytes, file: str) -> tuple[str | None, list[Fault]]:
    if b"\0" in raw:
        return None, [Fault(file, None, "", file, "not_text_file")]
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding), []
        except UnicodeDecodeError as wrong:
            start = wrong.start
    line = raw[:start].count(b"\n") + 1
    return None, [Fault(file, line, "", file, "encoding")]


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.faults: list[Fault] = []
        self.starts = [0, *(m.end() for m in _LINE_END.finditer(text))]

    def tree(self) -> tuple[Group, list[Fault]]:
        empty = Group(file=self.file, line=1)
        node = self._compose()
        if self.faults:
            return empty, self.faults
        if node is None:
            self._fault(1, "", "", "empty_file")
            return empty, self.faults
        if not isinstance(node, yaml.MappingNode):
            if not self._wide_signs():
                self._fault(self._line(node), "", node.value if _scalar(node) else "", "no_keys")
            return empty, self.faults
        tree = self._group(node, "", 1)
        if not tree.items and not self.faults:
            self._fault(1, "", "", "empty_file")
        return tree, self.faults

    # ---- lines

    def _line(self, node: yaml.Node) -> int:
        return self._line_at(node.start_mark.index)

    def _line_at(self, index: int) -> int:
        # Not the mark's own count: YAML also counts characters that no editor breaks a line at.
        return bisect_right(self.starts, index)

    def _fault(
        self, line: int, key: str, value: object, code: str, expected: str = "", hint: str = ""
    ) -> None:
        self.faults.append(Fault(self.file, line, key, shown(value), code, expected, hint))

    # ---- writing

    def _compose(self) -> yaml.Node | None:
        try:
            loader = _Loader(self.text)
            node = loader.get_single_node()
        except yaml.reader.ReaderError as wrong:
            self._fault(self._line_at(wrong.position), "", "", "strange_sign",
                        f"U+{wrong.character:04X}")  # fmt: skip
            return None
        except RecursionError:
            self._fault(1, "", "", "too_deep")
            return None
        except yaml.MarkedYAMLError as wrong:
            self._syntax(wrong)
            return None
        for alias in loader.aliases:
            self._fault(self._line_at(alias.start_mark.index), "", f"*{alias.anchor}", "alias")
        return node

    def _syntax(self, wrong: yaml.MarkedYAMLError) -> None:
        lines = _LINE_END.split(self.text)
        tabs = [at for at, line in enumerate(lines, 1) if _INDENT_TAB.match(line)]
        for at in tabs:
            self._fault(at, "", lines[at - 1].strip(), "tab")
        if tabs or self._wide_signs():
            return
        mark = wrong.problem_mark or wrong.context_mark
        at = self._line_at(mark.index) if mark else 1
        at = min(at, len(lines))
        if mark and wrong.context_mark and wrong.context and "simple key" in wrong.context:
            # A key without its colon: YAML notices on the next line, the reader looks at this one.
            at = self._line_at(wrong.context_mark.index)
        code = "second_document" if "single document" in (wrong.context or "") else "syntax"
        self._fault(at, "", lines[at - 1].strip(), code)

    def _wide_signs(self) -> bool:
        found = False
        for at, line in enumerate(_LINE_END.split(self.text), 1):
            bare = line.split("#", 1)[0]
            hit = _WIDE.search(bare)
            if hit and ":" not in bare[: hit.start()]:
                self._fault(at, "", line.strip(), "wide_sign")
                found = True
        return found

    # ---- nodes

    def _group(self, node: yaml.MappingNode, path: str, line: int) -> Group:
        items: dict[str, Leaf | Group] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            at = self._line(key_node)
            if not _scalar(key_node):
                self._fault(at, path, "", "key_not_a_word")
                continue
            name = key_node.value
            key = f"{path}.{name}" if path else name
            if name in first:
                self._fault(at, key, name, "key_twice", hint=str(first[name]))
                continue
            first[name] = at
            items[name] = self._item(value_node, key, at)
        return Group(items, self.file, line)

    def _item(self, node: yaml.Node, key: str, line: int) -> Leaf | Group:
        if isinstance(node, yaml.MappingNode):
            names = [k.value for k, _ in node.value if _scalar(k)]
            if "value" in names and not key.startswith("notes."):
                return self._annotated(node, key, line)
            self._tag(node, key)
            return self._group(node, key, line)
        return self._leaf(node, key, line)

    def _annotated(self, node: yaml.MappingNode, key: str, line: int) -> Leaf:
        note: dict[str, str] = {}
        leaf = Leaf(BAD, self.file, line)
        seen: set[str] = set()
        for name_node, value_node in node.value:
            name = name_node.value if _scalar(name_node) else ""
            at = self._line(name_node)
            if name in seen:
                self._fault(at, f"{key}.{name}", name, "key_twice", hint=str(line))
            elif name == "value":
                leaf = self._leaf(value_node, key, self._line(value_node))
            elif name in _ANNOTATION and _scalar(value_node) and value_node.value.strip():
                note[name] = value_node.value
            elif name in _ANNOTATION:
                self._fault(at, f"{key}.{name}", "", "note_empty")
            else:
                self._fault(at, f"{key}.{name}", name, "note_key", ", ".join(_ANNOTATION))
            seen.add(name)
        return Leaf(leaf.value, self.file, leaf.line, note, leaf.lines)

    def _leaf(self, node: yaml.Node, key: str, line: int) -> Leaf:
        self._tag(node, key)
        if isinstance(node, yaml.SequenceNode):
            lines = tuple(self._line(item) for item in node.value)
            values = [self._plain(item, key) for item in node.value]
            return Leaf(values, self.file, line, None, lines)
        if isinstance(node, yaml.MappingNode):
            return Leaf(self._plain(node, key), self.file, line)
        at = self._line(node) if node.value else line
        return Leaf(self._scalar(node, key), self.file, at)

    def _plain(self, node: yaml.Node, key: str) -> object:
        # Only lists of words exist in a policy; whatever else stands there is told by its type.
        if _scalar(node):
            return self._scalar(node, key)
        return {} if isinstance(node, yaml.MappingNode) else []

    def _tag(self, node: yaml.Node, key: str) -> None:
        if node.tag not in _TAGS:
            self._fault(self._line(node), key, node.tag, "tag")

    def _scalar(self, node: yaml.ScalarNode, key: str) -> object:
        kind = node.tag.rpartition(":")[2]
        text = node.value
        if node.tag not in _TAGS:
            return BAD
        if node.style in ("'", '"', "|", ">") or kind in ("str", "value", "merge"):
            return text
        if kind == "null":
            return None
        if kind == "bool":
            if text.lower() in ("true", "false"):
                return text.lower() == "true"
            return self._trap(node, key, "yes_no", "true" if _yes(text) else "false")
        if kind == "int":
            if ":" in text:
                return self._trap(node, key, "clock_number")
            if not _WHOLE.fullmatch(text):
                return self._trap(node, key, "odd_number")
            return int(text.replace("_", ""))
        if kind == "float":
            if ":" in text:
                return self._trap(node, key, "clock_number")
            # ".inf" and ".nan" are YAML's spelling; the type check tells what is wrong with them.
            return float(re.sub(r"\.(inf|nan)", r"\1", text.replace("_", "").lower()))
        if kind == "timestamp":
            try:
                return yaml.SafeLoader.construct_yaml_timestamp(_TIMES, node)
            except ValueError:
                return self._trap(node, key, "no_such_day")
        return text

    def _trap(self, node: yaml.ScalarNode, key: str, code: str, hint: str = "") -> object:
        self._fault(self._line(node), key, node.value, code, hint=hint)
        return BAD


_TIMES = yaml.SafeLoader("")


def _scalar(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode)


def _yes(text: str) -> bool:
    return text.lower() in ("yes", "on")
