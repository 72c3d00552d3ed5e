"""HL7's own JSON schema of FHIR R4 (as Medplum's package carries it) takes our AuditEvents, and takes no bent one."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from broker.domain.catalogue import CATALOGUE
from broker.oversight.fhir import audit_event, bundle
from tests.serving import NODE, node_or_skip
from tests.unit.test_fhir_audit_event import AT, WHOLE, an_entry

SCHEMA = NODE / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4" / "fhir.schema.json"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Read HL7's schema."""
    node_or_skip()
    found: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    return found


def faults(schema: dict[str, Any], kind: str, resource: dict[str, Any]) -> list[str]:
    """Judge a resource as one of this kind."""
    judge = jsonschema.Draft6Validator({"$ref": f"#/definitions/{kind}", "definitions": schema["definitions"]})
    return [fault.message for fault in judge.iter_errors(json.loads(json.dumps(resource)))]


def test_every_kind_of_entry_is_one_of_hl7s_audit_events(schema: dict[str, Any]) -> None:
    """Bare, full and about oneself, and a page of them."""
    made = [
        audit_event(an_entry(kind=event.name, **index))
        for event in CATALOGUE
        for index in ({}, WHOLE, {"citizen": "a" * 32})
    ]
    assert [(one["subtype"], fault) for one in made for fault in faults(schema, "AuditEvent", one)] == []
    for page in (bundle([an_entry()], AT, "/v1/accesses/fhir?cursor=1.2.3"), bundle([], AT)):
        assert faults(schema, "Bundle", page) == []


@pytest.mark.parametrize(
    "bend",
    [{"agent": None}, {"outcome": "released"}, {"recorded": "4. marts"}, {"action": "X"}, {"citizen": "CANARY"}],
    ids=lambda bend: next(iter(bend)),
)
def test_a_bent_one_is_none(schema: dict[str, Any], bend: dict[str, Any]) -> None:
    """So the judge judges: a part left out, a word of our own, a field that FHIR does not know."""
    made = audit_event(an_entry(**WHOLE)) | bend
    assert faults(schema, "AuditEvent", {name: value for name, value in made.items() if value is not None})
