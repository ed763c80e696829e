"""What a type check says about a value, told in terms of the file.

The checker speaks of types; the reader needs the line, what was probably meant and how to write it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel

from playbook.policy import rules
from playbook.policy.faults import Fault, shown
from playbook.policy.model import Policy
from playbook.policy.source import BAD, Group, Leaf, place_of


def told(tree: Group, part: str, error: Mapping) -> list[Fault]:
    loc = tuple(step for step in error["loc"] if step != "[key]")
    path = (part, *loc)
    place = place_of(tree, path)
    key = ".".join(str(step) for step in path if not isinstance(step, int))
    value, kind, context = error["input"], error["type"], error.get("ctx", {})
    if value is BAD:
        return []

    def fault(code: str, expected: str = "", hint: str = "", text: object = value) -> list[Fault]:
        text = "" if isinstance(text, (dict, BaseModel)) else text
        return [Fault(place.file, place.line, key, shown(text), code, expected, hint)]

    if "[key]" in error["loc"]:
        return fault("bad_code")
    if kind == "missing":
        return fault("missing", text="")
    if kind == "extra_forbidden":
        return [unknown_key(tree, path, place)]
    if value is None:
        return fault("empty_value")
    if kind in ("int_type", "float_type", "int_from_float"):
        return fault(*_number_fault(value, kind))
    if kind == "bool_type":
        return fault("not_true_false")
    if kind == "string_type":
        single = not isinstance(value, (dict, list))
        return fault("needs_quotes", hint=f'"{shown(value)}"') if single else fault("not_one_value")
    if kind in ("tuple_type", "list_type"):
        return fault("not_a_list")
    if kind in ("model_type", "mapping_type", "dict_type", "model_attributes_type"):
        return fault("not_a_group")
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        near = rules.near(str(value), known)
        return fault(rules.not_known(near), ", ".join(known), near)
    if kind in ("date_type", "date_from_datetime_inexact", "is_instance_of"):
        return fault("not_a_day")
    if kind == "finite_number":
        return fault("not_finite")
    if kind in _BOUNDS:
        sign, name = _BOUNDS[kind]
        return fault("out_of_range", f"{sign} {shown(float(context[name]))}")
    if kind == "string_pattern_mismatch" and str(value).strip():
        return fault("bad_code")
    return fault("empty_text")


_BOUNDS = {
    "greater_than": (">", "gt"),
    "greater_than_equal": (">=", "ge"),
    "less_than": ("<", "lt"),
    "less_than_equal": ("<=", "le"),
}
_CHINESE_UNITS = {"万": 10_000, "亿": 100_000_000}


def _number_fault(value: object, kind: str) -> tuple[str, str, str]:
    """The code for a number that isn't one, and how to write what was probably meant."""
    if isinstance(value, float):
        return "not_whole", "", ""
    if not isinstance(value, str):
        return "not_a_number", "", ""
    text = unicodedata.normalize("NFKC", value).strip().removesuffix("元").strip()
    bare = text.replace(",", "")
    if bare[-1:] in _CHINESE_UNITS:
        number = _decimal(bare[:-1])
        if number is not None:
            return "number_wan", "", _written(number * _CHINESE_UNITS[bare[-1]])
    if bare.endswith("%"):
        number = _decimal(bare[:-1])
        if number is not None:
            return "number_percent", "", _written(number / 100)
    number = _decimal(bare)
    if number is None:
        return "not_a_number", "", ""
    if bare != text:
        return "number_commas", "", _written(number)
    if not value.isascii():
        return "number_wide", "", _written(number)
    return "number_quoted", "", _written(number)


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < len("9" * 20) else None


def _written(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# ------------------------------------------------------------------------------- did you mean


def unknown_key(tree: Group, path: tuple[str | int, ...], place: Group | Leaf) -> Fault:
    name = str(path[-1])
    key = ".".join(str(step) for step in path)
    siblings = _known_keys(tuple(str(step) for step in path[:-1]))
    # A setting in the wrong place is more likely than a misspelt neighbour.
    hint = next((k for k in _ALL_KEYS if k.rpartition(".")[2] == name), "")
    if not hint and (near := rules.near(name, siblings)):
        hint = ".".join([*(str(step) for step in path[:-1]), near])
    code = "unknown_key_near" if hint else "unknown_key"
    return Fault(place.file, place.line, key, name, code, ", ".join(siblings), hint)


def _inner(annotation: object) -> object:
    """The type inside ``Annotated``, optional and mapping types."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _inner(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _inner(next(a for a in get_args(annotation) if a is not type(None)))
    return annotation


def _is_mapping(kind: object) -> bool:
    return isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Mapping)


def _known_keys(above: tuple[str, ...]) -> list[str]:
    kind: object = Policy
    for step in above:
        kind = _inner(kind)
        kind = get_args(kind)[1] if _is_mapping(kind) else kind.model_fields[step].annotation
    kind = _inner(kind)
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _dotted(kind: object, path: str) -> Iterator[str]:
    kind = _inner(kind)
    if _is_mapping(kind):
        yield from _dotted(get_args(kind)[1], f"{path}.*")
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            key = f"{path}.{name}" if path else name
            if key == "notes":
                continue
            yield key
            yield from _dotted(field.annotation, key)


_ALL_KEYS = list(_dotted(Policy, ""))
