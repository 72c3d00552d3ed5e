"""Shapes: a JSON Schema of ours, made once into a check that takes microseconds.

Every question is checked before any engine sees it, and every answer before it is believed, so that no rule ever has
to cope with a missing member or a number in place of a word. Only the keywords that our schemas use are known; any
other is refused when the shape is made, so a schema can never say more than is checked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from typing import Any

Check = Callable[[Any], bool]

_KNOWN = frozenset({
    "$schema", "$id", "title", "description", "type", "const", "enum", "minimum", "maximum", "minLength", "minItems",
    "items", "properties", "required", "additionalProperties",
})  # fmt: skip
_TYPES: Mapping[str, type] = {
    "string": str, "integer": int, "boolean": bool, "null": type(None), "array": list, "object": dict,
}  # fmt: skip
_PROSE = frozenset({"title", "description"})
# Most members are such words: they are checked where their object is, with no call for each.
_WORD = {"type": "string", "minLength": 1}


def shape(file: Path) -> Check:
    """Make the check of one schema file; raise ValueError when the schema says what the check does not know."""
    return _check(json.loads(file.read_text("utf-8")))


def _check(schema: Mapping[str, Any]) -> Check:
    unknown = set(schema) - _KNOWN
    if unknown:
        raise ValueError(f"unknown schema keywords: {sorted(unknown)}")
    inner = [make(schema) for keyword, make in (("items", _of_items), ("properties", _of_members)) if keyword in schema]
    return _all_of([*(inner or _of_types(schema)), *_of_words(schema), *_of_bounds(schema)])


def _all_of(checks: list[Check]) -> Check:
    """Make one check of several. Plain loops here and below: every ask runs them over its whole question."""
    if len(checks) == 1:
        return checks[0]

    def holds(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 -- a generator costs more than the check itself
            if not check(value):
                return False
        return True

    return holds


def _of_types(schema: Mapping[str, Any]) -> list[Check]:
    """Check that a value has one of the types. JSON has one word for what Python has two: a boolean is no number."""
    if "type" not in schema:
        return []
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    types = tuple(_TYPES[name] for name in names)
    if int in types and bool not in types:
        return [lambda value: isinstance(value, types) and not isinstance(value, bool)]
    return [lambda value: isinstance(value, types)]


def _of_words(schema: Mapping[str, Any]) -> list[Check]:
    """Check that a value is one of those listed, looked up with its type: 1 and true are one to Python, two to JSON."""
    if "enum" not in schema and "const" not in schema:
        return []
    allowed = schema.get("enum", [schema.get("const")])
    kinds, pairs = frozenset(map(type, allowed)), frozenset((type(one), one) for one in allowed)
    return [lambda value: type(value) in kinds and (type(value), value) in pairs]


def _of_bounds(schema: Mapping[str, Any]) -> list[Check]:
    checks: list[Check] = []
    if "minimum" in schema or "maximum" in schema:
        least, most = schema.get("minimum", -inf), schema.get("maximum", inf)
        checks.append(lambda value: value is None or least <= value <= most)
    lengths = (schema[keyword] for keyword in ("minLength", "minItems") if keyword in schema)
    return [*checks, *(_at_least(length) for length in lengths)]


def _at_least(length: int) -> Check:
    return lambda value: value is None or len(value) >= length


def _of_items(schema: Mapping[str, Any]) -> Check:
    """Check a list of ours, each item of one shape."""
    if schema.get("type") != "array":
        raise ValueError("what has items is a list")
    check = _check(schema["items"])

    def holds(value: Any) -> bool:
        if not isinstance(value, list):
            return False
        for item in value:  # noqa: SIM110 -- as above
            if not check(item):
                return False
        return True

    return holds


def _of_members(schema: Mapping[str, Any]) -> Check:
    """Check an object of ours: exactly the members named, each of its own shape."""
    _refuse_open(schema)
    members = schema["properties"]
    names, words = members.keys(), tuple(name for name, member in members.items() if _says_word(member))
    checks = tuple((name, _check(member)) for name, member in members.items() if name not in words)

    def holds(value: Any) -> bool:
        if not isinstance(value, dict) or value.keys() != names:
            return False
        for name in words:
            if not isinstance(value[name], str) or value[name] == "":
                return False
        for name, check in checks:  # noqa: SIM110 -- as above
            if not check(value[name]):
                return False
        return True

    return holds


def _refuse_open(schema: Mapping[str, Any]) -> None:
    if schema.get("type") != "object":
        raise ValueError("what has members is an object")
    if schema.get("additionalProperties") is not False or set(schema["required"]) != set(schema["properties"]):
        raise ValueError("an object of ours names all its members and takes no other")


def _says_word(schema: Mapping[str, Any]) -> bool:
    return {keyword: said for keyword, said in schema.items() if keyword not in _PROSE} == _WORD
