"""A value held against a JSON Schema, each fault in plain words at its place; no value is repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from broker.registry.faults import Fault, Path, listed, nearest, shown, spelled
from broker.registry.text import Written

_TYPES = {
    "string": "text",
    "object": "entries below it",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_BOUNDS = {
    "minLength": "must not be empty",
    "minItems": "must name at least one",
    "minProperties": "must have at least one entry",
    "maxProperties": "must have one entry only",
    "uniqueItems": "names one thing twice",
    "minimum": "is too small",
    "exclusiveMinimum": "is too small",
    "maximum": "is too large",
    "const": "has another value than the one that fits",
    "dependentRequired": "lacks a field that goes with another",
}


def shape_faults(
    schema: Mapping[str, Any], value: Any, written: Written, at: Path = ()
) -> Iterator[tuple[Path, Fault]]:
    """Yield each fault of a value that stands at `at`, with the path of the entry that is wrong."""
    for error in Draft202012Validator(schema).iter_errors(value):
        yield from _faults_of(error, written, (*at, *error.absolute_path))


def _faults_of(error: ValidationError, written: Written, path: Path) -> Iterator[tuple[Path, Fault]]:
    match error.validator:
        case "additionalProperties":
            yield from _unknown(error, written, path)
        case "required":
            yield from _missing(error, written, path)
        case _ if "propertyNames" in error.absolute_schema_path:
            inner = (*path, str(error.instance))
            says = f"{shown(str(error.instance))} cannot be a name here"
            yield inner, Fault(written.place(inner, name=True), spelled(path), says, _expected(error))
        case _:
            yield path, Fault(written.place(path), spelled(path), *_said(error))


def _unknown(error: ValidationError, written: Written, path: Path) -> Iterator[tuple[Path, Fault]]:
    given: Any = error.instance
    known = [name for name in _schema(error).get("properties", {}) if name not in given]
    for name in given:
        if name in _schema(error).get("properties", {}):
            continue
        meant = nearest(name, known)
        remedy = f"did you mean {meant}?" if meant else f"take it out, or use one of {listed(known)}"
        inner = (*path, name)
        # Whoever put a secret where only its place belongs may have put it anywhere there.
        told = "such a field here" if {"secret", "secrets"} & set(path) else f"field {shown(name)}"
        yield inner, Fault(written.place(inner, name=True), spelled(path), f"there is no {told}", remedy)


def _missing(error: ValidationError, written: Written, path: Path) -> Iterator[tuple[Path, Fault]]:
    """Name the field that is missing, unless it is there under a misspelt name, which is said already."""
    name = error.message.split("'")[1]
    known = _schema(error).get("properties", {})
    given: Any = error.instance
    absent = [one for one in known if one not in given]
    closed = _schema(error).get("additionalProperties") is False
    misspelt = closed and any(nearest(stranger, absent) == name for stranger in given if stranger not in known)
    if not misspelt:
        under = f"under {spelled(path)}:" if path else "to the file"
        yield path, Fault(written.place(path, name=True), spelled(path), f"{name} is missing", f"add {name}: {under}")


def _said(error: ValidationError) -> tuple[str, str]:
    """Say what is wrong, and the remedy."""
    rule, bound = str(error.validator), _bound(error)
    if rule == "type":
        return _wrong_type(error)
    if rule == "enum":
        meant = nearest(error.instance, map(str, bound)) if isinstance(error.instance, str) else None
        remedy = f"did you mean {meant}?" if meant else f"use one of {listed(map(str, bound))}"
        return "is none of the words that fit here", remedy
    if rule == "oneOf" and all(isinstance(way, dict) and way.keys() == {"required"} for way in bound):
        names = " or ".join(name for way in bound for name in way["required"])
        return f"must have {names}, and not both", f"write one of {names}"
    return _BOUNDS.get(rule, "does not fit"), _expected(error)


def _wrong_type(error: ValidationError) -> tuple[str, str]:
    bound = _bound(error)
    wanted = bound if isinstance(bound, list) else [bound]
    words = " or ".join(_TYPES[one] for one in wanted)
    if "string" in wanted and isinstance(error.instance, int | float):
        return f"must be {words}", "put it in quotes"
    return f"must be {words}", _expected(error) if "description" in _schema(error) else f"write {words}"


def _expected(error: ValidationError) -> str:
    """Tell what the schema says of this place."""
    told = _schema(error).get("description")
    if told:
        return f"expected: {told}"
    bound = _bound(error)
    return f"the bound is {str(bound).lower()}" if isinstance(bound, int | float) else "the schema tells what fits"


def _schema(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _bound(error: ValidationError) -> Any:
    return error.validator_value
