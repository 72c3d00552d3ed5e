"""The part of FHIR R4 that the health centre speaks: searches by form, bundles with next links, outcomes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response

from demo.systems.records import Row, cpr_digits

JSON = "application/fhir+json"
CPR_SYSTEM = "urn:oid:1.2.208.176.1.2"  # HL7 Denmark core: the CPR number.
PATIENT_PARAMETERS = ("patient", "subject", "patient.identifier", "subject.identifier")


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource type: where it names its patient, which elements can be searched as tokens, its category."""

    subject: str
    category: str | None
    tokens: dict[str, str] = field(default_factory=dict)
    by_code: dict[str, str] = field(default_factory=dict)


class SearchRefusedError(ValueError):
    """A search that this server does not answer; says which parameter, never its value."""


def count_of(form: dict[str, str], most: int) -> int:
    """Give the page size that is asked for, at most `most`. Raises `SearchRefusedError`."""
    text = form.get("_count", str(most))
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or int(text) == 0:
        raise SearchRefusedError("_count must be a whole number from 1")
    return min(int(text), most)


def search(form: dict[str, str], kind: Kind, resources: list[Row], patients: list[Row]) -> list[Row]:
    """Give the resources that match every parameter. Raises `SearchRefusedError` for one that is unknown."""
    named = [name for name in PATIENT_PARAMETERS if name in form]
    unknown = set(form) - set(PATIENT_PARAMETERS) - set(kind.tokens) - {"_count"}
    if unknown or len(named) != 1:
        raise SearchRefusedError("one patient parameter, and only parameters of the CapabilityStatement, are allowed")
    reference = _patient(named[0], form[named[0]], patients)
    if reference is None:
        return []
    found = [row for row in resources if reference in _references(row.get(kind.subject))]
    for name, element in kind.tokens.items():
        if name in form:
            found = [row for row in found if _matches(row.get(element), form[name])]
    return found


def by_identifier(token: str, patients: list[Row]) -> list[Row]:
    """Give the patients who carry this very identifier, `system|value`."""
    system, _, value = token.partition("|")
    wanted = (system, cpr_digits(value))
    return [
        patient
        for patient in patients
        if wanted in ((one.get("system"), one.get("value")) for one in patient.get("identifier", []))
    ]


def _patient(name: str, value: str, patients: list[Row]) -> str | None:
    if name.endswith(".identifier"):
        found = by_identifier(value, patients)
        return f"Patient/{found[0]['id']}" if found else None
    return value if value.startswith("Patient/") else f"Patient/{value}"


def _references(element: Any) -> Iterator[str]:
    """Yield every reference below an element: a subject, or the actors of an appointment."""
    match element:
        case {"reference": str(reference)}:
            yield reference
        case {"actor": actor}:
            yield from _references(actor)
        case list():
            for inner in element:
                yield from _references(inner)


def codes_of(element: Any) -> Iterator[tuple[str | None, str]]:
    """Yield system and code of every coding of a concept, or of a list of concepts."""
    concepts: Iterable[Any] = element if isinstance(element, list) else [element]
    for concept in concepts:
        if isinstance(concept, dict):
            for coding in concept.get("coding", []):
                yield coding.get("system"), coding.get("code", "")


def _matches(element: Any, wanted: str) -> bool:
    """Tell whether any of the wanted tokens, separated by commas, is among the element's codes."""
    codes = set(codes_of(element))
    plain = {code for _, code in codes}
    for token in wanted.split(","):
        system, bar, code = token.rpartition("|")
        if ((system, code) in codes) if bar else (code in plain):
            return True
    return False


def bundle(address: str, kind: str, rows: list[Row], total: int, following: str | None) -> Response:
    """Answer one page of a search as a Bundle; links hold no search value."""
    links = [{"relation": "self", "url": f"{address}/fhir/{kind}/_search"}]
    if following is not None:
        links.append({"relation": "next", "url": f"{address}/fhir?_getpages={following}"})
    entries = [
        {"fullUrl": f"{address}/fhir/{kind}/{row['id']}", "resource": row, "search": {"mode": "match"}} for row in rows
    ]
    body = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entries}
    return JSONResponse(body, media_type=JSON)


def outcome(status: int, code: str, text: str) -> Response:
    """Answer an OperationOutcome."""
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return JSONResponse({"resourceType": "OperationOutcome", "issue": [issue]}, status, media_type=JSON)


def capabilities(kinds: dict[str, Kind]) -> Row:
    """Write the CapabilityStatement from the kinds that are served."""
    resources = [
        {
            "type": name,
            "interaction": [{"code": "search-type"}],
            "searchParam": [
                *({"name": one, "type": "token"} for one in kind.tokens),
                *([{"name": one, "type": "reference"} for one in ("patient", "subject")] if kind.subject else []),
            ],
        }
        for name, kind in kinds.items()
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2019-01-01",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": [JSON],
        "rest": [{"mode": "server", "resource": resources}],
    }
