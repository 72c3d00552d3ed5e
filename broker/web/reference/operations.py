"""An OpenAPI document as rows: each operation with its fields and answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "post", "put", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body or an address: where it stands, its type in a word, whether it must be there, an example."""

    name: str
    place: str
    kind: str
    required: bool
    about: str
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a caller can do."""

    method: str
    path: str
    summary: str
    fields: tuple[Field, ...]
    answers: tuple[tuple[str, str], ...]


def operations_of(document: Mapping[str, Any]) -> list[tuple[str, list[Operation]]]:
    """List the operations by tag, in the document's own order."""
    rooms: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                told = methods[method]
                room = next(iter(told.get("tags", ())), "other")
                rooms.setdefault(room, []).append(_operation(method, path, told, document))
    return list(rooms.items())


def _operation(method: str, path: str, told: Mapping[str, Any], document: Mapping[str, Any]) -> Operation:
    fields = [_parameter(row, document) for row in told.get("parameters", ())]
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        fields += _body_fields(body, document)
    answers = sorted((status, row.get("description", "")) for status, row in told.get("responses", {}).items())
    return Operation(method.upper(), path, told.get("summary", ""), tuple(fields), tuple(answers))


def _parameter(row: Mapping[str, Any], document: Mapping[str, Any]) -> Field:
    schema = row.get("schema", {})
    return Field(
        name=row["name"],
        place=row["in"],
        kind=_kind(schema, document),
        required=bool(row.get("required")),
        about=row.get("description", schema.get("description", "")),
        example=_example(schema),
    )


def _body_fields(schema: Mapping[str, Any], document: Mapping[str, Any]) -> list[Field]:
    whole = _resolved(schema, document)
    return [
        Field(
            name=name,
            place="body",
            kind=_kind(row, document),
            required=name in whole.get("required", ()),
            about=row.get("description", ""),
            example=_example(row),
        )
        for name, row in whole.get("properties", {}).items()
    ]


def _kind(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Say a type in a word: text, list of text, one of the values it may have."""
    whole = _resolved(schema, document)
    options = [row for row in whole.get("anyOf", ()) if row.get("type") != "null"]
    if options:
        return _kind(options[0], document)
    if "const" in whole or "enum" in whole:
        return " | ".join(str(value) for value in whole.get("enum", [whole.get("const")]))
    if whole.get("type") == "array":
        return f"list of {_kind(whole.get('items', {}), document)}"
    if "properties" in whole:
        inside = ", ".join(whole["properties"])
        return f"{{{inside}}}"
    return str(whole.get("type", "any"))


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return found


def _example(schema: Mapping[str, Any]) -> str:
    examples = schema.get("examples") or [row["examples"][0] for row in schema.get("anyOf", ()) if row.get("examples")]
    return str(examples[0]) if examples else ""
