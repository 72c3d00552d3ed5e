"""Shapes: a JSON Schema of ours, made once into a check that takes microseconds.

Every question is checked before any engine sees it, and every answer before it is believed, so that no rule ever has
to cope with a missing member or a number in place of a word. Only the keywords that our schemas use are known; any
other is refused when the shape is made, so a schema can never say more than is checked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Check = Callable[[Any], bool]

_KNOWN = frozenset({
    "$schema", "$id", "title", "description", "type", "const", "enum", "minimum", "maximum", "minLength", "minItems",
    "items", "properties", "required", "additionalProperties",
})  # fmt: skip
# JSON has one word for what Python has two: a boolean is never a number here.
_TYPES: Mapping[str, Check] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def shape(file: Path) -> Check:
    """Make the check of one schema file; raise ValueError when the schema says what the check does not know."""
    return _check(json.loads(file.read_text("utf-8")))


def _check(schema: Mapping[str, Any]) -> Check:
    unknown = set(schema) - _KNOWN
    if unknown:
        raise ValueError(f"unknown schema keywords: {sorted(unknown)}")
    checks = [*_of_values(schema), *_of_bounds(schema)]
    if "items" in schema:
        checks.append(_of_items(_check(schema["items"])))
    if "properties" in schema:
        checks.append(_of_members(schema))
    return _all_of(checks)


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


def _of_values(schema: Mapping[str, Any]) -> list[Check]:
    checks: list[Check] = []
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        types = [_TYPES[name] for name in names]
        checks.append(types[0] if len(types) == 1 else lambda value: any(is_type(value) for is_type in types))
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if allowed is not None:
        checks.append(lambda value: any(type(value) is type(one) and value == one for one in allowed))
    return checks


def _of_bounds(schema: Mapping[str, Any]) -> list[Check]:
    checks: list[Check] = []
    if "minimum" in schema:
        least = schema["minimum"]
        checks.append(lambda value: value is None or value >= least)
    if "maximum" in schema:
        most = schema["maximum"]
        checks.append(lambda value: value is None or value <= most)
    lengths = (schema[keyword] for keyword in ("minLength", "minItems") if keyword in schema)
    return [*checks, *(_at_least(length) for length in lengths)]


def _at_least(length: int) -> Check:
    return lambda value: value is None or len(value) >= length


def _of_items(check: Check) -> Check:
    def holds(value: Any) -> bool:
        for item in value:  # noqa: SIM110 -- as above
            if not check(item):
                return False
        return True

    return holds


def _of_members(schema: Mapping[str, Any]) -> Check:
    """Check an object of ours: exactly the members named, each of its own shape."""
    if schema.get("additionalProperties") is not False or set(schema["required"]) != set(schema["properties"]):
        raise ValueError("an object of ours names all its members and takes no other")
    members = {name: _check(member) for name, member in schema["properties"].items()}
    names, checks = members.keys(), tuple(members.items())

    def holds(value: Any) -> bool:
        if value.keys() != names:
            return False
        for name, check in checks:  # noqa: SIM110 -- as above
            if not check(value[name]):
                return False
        return True

    return holds
