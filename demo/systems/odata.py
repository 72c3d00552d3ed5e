"""The part of OData v4 that the family centre speaks: query options read strictly, answers, errors, metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

from starlette.responses import JSONResponse, Response

from demo.systems.records import Row, cpr_digits

VERSION = {"OData-Version": "4.01"}
FORM = "application/x-www-form-urlencoded"
OPTIONS = ("$filter", "$select", "$top", "$skip")
_TERM = re.compile(r"(\w+) +eq +'((?:[^']|'')*)'", re.ASCII)
_AND = re.compile(r" +and +")


class QueryRefusedError(ValueError):
    """A query that this service does not answer; says which option, never its value."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query, understood: equalities that must all hold, properties to tell, and which rows of the result."""

    equal: dict[str, str]
    select: tuple[str, ...]
    top: int | None
    skip: int

    def rows(self, rows: list[Row]) -> list[Row]:
        """Give the rows that match, cut and narrowed as asked."""
        found = [row for row in rows if all(row.get(name) == value for name, value in self.equal.items())]
        cut = found[self.skip : None if self.top is None else self.skip + self.top]
        return [{name: row.get(name) for name in self.select} for row in cut]


def parse_query(body: str, content_type: str, properties: tuple[str, ...], filterable: tuple[str, ...]) -> Query:
    """Read the query options of a `$query` body (OData 4.01 URL Conventions 4.17). Raises `QueryRefusedError`."""
    options = _options(body, content_type)
    equal = _filter(options.get("$filter", ""), filterable)
    chosen = tuple(name.strip() for name in options["$select"].split(",")) if "$select" in options else properties
    if not set(chosen) <= set(properties):
        raise QueryRefusedError("$select names a property that there is not")
    top = _number("$top", options["$top"]) if "$top" in options else None
    return Query(equal, chosen, top, _number("$skip", options.get("$skip", "0")))


def _options(body: str, content_type: str) -> dict[str, str]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in {"text/plain", FORM}:
        raise QueryRefusedError("the body must be text/plain or a form")
    options: dict[str, str] = {}
    for part in re.split(r"[&\n]", body.strip()):
        name, _, value = part.partition("=")
        name, value = unquote(name), unquote(value.replace("+", " ") if kind == FORM else value)
        if name not in OPTIONS:
            raise QueryRefusedError(f"only {', '.join(OPTIONS)} are supported")
        if name in options:
            raise QueryRefusedError(f"{name} is given twice")
        options[name] = value
    return options


def _filter(text: str, filterable: tuple[str, ...]) -> dict[str, str]:
    equal: dict[str, str] = {}
    place = 0
    while term := _TERM.match(text, place):
        name, value = term[1], cpr_digits(term[2].replace("''", "'"))
        if name not in filterable or name in equal:
            raise QueryRefusedError("$filter compares a property that it cannot, or compares one twice")
        equal[name] = value
        if term.end() == len(text):
            return equal
        conjunction = _AND.match(text, term.end())
        if conjunction is None:
            break
        place = conjunction.end()
    raise QueryRefusedError("$filter must be equalities joined by `and`")


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII):
        raise QueryRefusedError(f"{name} must be a whole number")
    return int(text)


def collection(address: str, entity_set: str, rows: list[Row], following: str | None) -> Response:
    """Answer one page of a collection; `following` is the token of the next page."""
    body: Row = {"@odata.context": f"{address}/odata/$metadata#{entity_set}", "value": rows}
    if following is not None:
        body["@odata.nextLink"] = f"{address}/odata/{entity_set}?$skiptoken={following}"
    return JSONResponse(body, headers=VERSION)


def error(status: int, code: str, message: str) -> Response:
    """Answer an OData error (OData JSON Format 4.01 section 21.1)."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, VERSION)


def metadata(namespace: str, sets: Mapping[str, Mapping[str, str]], complexes: Mapping[str, Mapping[str, str]]) -> str:
    """Write the entity model as CSDL XML; every set's key is `Id`."""
    types = [
        f'<EntityType Name={quoteattr(name)}><Key><PropertyRef Name="Id"/></Key>{_properties(properties)}</EntityType>'
        for name, properties in sets.items()
    ]
    types += [
        f"<ComplexType Name={quoteattr(name)}>{_properties(properties)}</ComplexType>"
        for name, properties in complexes.items()
    ]
    entity_sets = "".join(
        f"<EntitySet Name={quoteattr(name)} EntityType={quoteattr(f'{namespace}.{name}')}/>" for name in sets
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>'
        f'<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace={quoteattr(namespace)}>'
        f'{"".join(types)}<EntityContainer Name="Container">{entity_sets}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )


def _properties(properties: Mapping[str, str]) -> str:
    return "".join(f"<Property Name={quoteattr(name)} Type={quoteattr(kind)}/>" for name, kind in properties.items())
