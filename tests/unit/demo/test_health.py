"""The health centre is a FHIR R4 server that searches people by form body only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

CPR_SYSTEM = "urn:oid:1.2.208.176.1.2"
ANNETTE = f"{CPR_SYSTEM}|7102740022"
LOCAL = "https://sundhed.korsbaek.example/kodesystem/forloeb"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def course(identity: str, code: str) -> dict[str, Any]:
    """Give one CarePlan of Annette's."""
    return {
        "resourceType": "CarePlan",
        "id": identity,
        "status": "active",
        "intent": "plan",
        "category": [{"coding": [{"system": LOCAL, "code": code}]}],
        "subject": {"reference": "Patient/pt-77a0"},
    }


@pytest.fixture(scope="module")
def health(start: Any, records: Any) -> Any:
    """The health centre with four courses and an appointment more, two resources a page."""
    appointment = {
        "resourceType": "Appointment",
        "id": "A1",
        "status": "booked",
        "participant": [
            {"actor": {"reference": "Patient/pt-77a0"}, "status": "accepted"},
            {"actor": {"display": "Fysioterapeut"}, "status": "accepted"},
        ],
    }
    courses = [course(f"C{n}", "genoptraening") for n in range(3)] + [course("C9", "alkoholbehandling")]
    resources = [*records["health"]["resources"], *courses, appointment]
    return start("systems.health", {"resources": resources}, "--page-size", "2")


@pytest.fixture(scope="module")
def bearer(health: Any) -> dict[str, str]:
    """A fresh token."""
    form = urlencode({"grant_type": "client_credentials", "client_id": "client-a", "client_secret": "secret-b"})
    return {"Authorization": f"Bearer {health.call('/oauth2/token', form, FORM).json['access_token']}"}


def search(health: Any, bearer: Any, kind: str, **form: str) -> Any:
    """Search one resource type by form."""
    body = urlencode({name.replace("__", "."): value for name, value in form.items()})
    return health.call(f"/fhir/{kind}/_search", body, bearer | FORM)


def ids(answer: Any) -> list[str]:
    """Give the ids of a Bundle's resources."""
    return [entry["resource"]["id"] for entry in answer.json["entry"]]


def test_a_patient_is_found_by_identifier(health: Any, bearer: Any) -> None:
    """System and number together find the patient; a number under another system finds nobody."""
    assert ids(search(health, bearer, "Patient", identifier=ANNETTE)) == ["pt-77a0"]
    assert ids(search(health, bearer, "Patient", identifier="urn:oid:9|7102740022")) == []


def test_limits_are_found_without_diagnoses(health: Any, bearer: Any) -> None:
    """Functional limits and diagnoses are separate searches: the one never tells the other."""
    limits = search(health, bearer, "Observation", patient__identifier=ANNETTE, category="funktion")

    assert ids(limits) == ["H1"]
    assert b"slidgigt" not in limits.raw
    assert ids(search(health, bearer, "Condition", patient="pt-77a0")) == ["H2"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("d450", ["H1"]),
        ("http://hl7.org/fhir/sid/icf|d415", ["H1"]),
        ("d999,d415", ["H1"]),
        ("http://hl7.org/fhir/sid/icd-10|d415", []),
        ("d999", []),
    ],
)
def test_codes_are_matched_as_tokens(health: Any, bearer: Any, code: str, found: list[str]) -> None:
    """A token matches by code, or by system and code; several are alternatives."""
    assert ids(search(health, bearer, "Observation", patient="Patient/pt-77a0", code=code)) == found


def test_a_bundle_is_followed_to_its_end(health: Any, bearer: Any) -> None:
    """Next links lead through the whole result and hold no search value; the total is told on every page."""
    answer = search(health, bearer, "CarePlan", patient__identifier=ANNETTE, category="genoptraening", _count="1")
    told, pages = ids(answer), 1
    while links := [one["url"] for one in answer.json["link"] if one["relation"] == "next"]:
        assert "7102740022" not in links[0]
        answer = health.call(links[0].removeprefix(health.url), None, bearer)
        told, pages = told + ids(answer), pages + 1
        assert answer.json["total"] == 3

    assert (told, pages) == (["C0", "C1", "C2"], 3)


def test_abuse_treatment_is_a_search_of_its_own(health: Any, bearer: Any) -> None:
    """Treatment for alcohol is found by its own code, and the engine sees that it was asked for."""
    health.control("/reset", {})
    assert ids(search(health, bearer, "CarePlan", patient="pt-77a0", category="alkoholbehandling")) == ["C9"]
    search(health, bearer, "CarePlan", patient="pt-77a0", category="genoptraening")

    assert health.calls() == [
        ("POST", "/fhir/CarePlan/_search", "H07"),
        ("POST", "/fhir/CarePlan/_search", "H03"),
    ]


def test_an_appointment_is_found_by_its_participant(health: Any, bearer: Any) -> None:
    """The patient of an appointment is one of its actors."""
    assert ids(search(health, bearer, "Appointment", patient__identifier=ANNETTE)) == ["A1"]


def test_that_a_statement_exists_and_what_it_says_are_two_things(health: Any, bearer: Any) -> None:
    """A statement's metadata come as DocumentReference, its content (if any) as QuestionnaireResponse."""
    assert ids(search(health, bearer, "DocumentReference", patient="pt-77a0")) == ["H-LAE125"]
    assert ids(search(health, bearer, "QuestionnaireResponse", patient="pt-77a0")) == []


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("Observation", {}),
        ("Observation", {"code": "d450"}),
        ("Observation", {"patient": "pt-77a0", "subject": "pt-77a0"}),
        ("Observation", {"patient": "pt-77a0", "value": "x"}),
        ("Observation", {"patient": "pt-77a0", "_count": "0"}),
        ("Patient", {"name": "Annette"}),
    ],
)
def test_what_it_does_not_understand_is_refused(health: Any, bearer: Any, kind: str, form: dict[str, str]) -> None:
    """A search without one patient, or with an unknown parameter, gives an OperationOutcome."""
    answer = search(health, bearer, kind, **form)
    assert (answer.status, answer.json["resourceType"]) == (400, "OperationOutcome")


def test_search_values_in_a_url_are_refused(health: Any, bearer: Any) -> None:
    """Neither a GET search nor parameters beside the form are taken."""
    assert health.call("/fhir/Observation?patient=pt-77a0", None, bearer).status == 404
    assert health.call("/fhir/Observation/_search?patient=pt-77a0", "", bearer | FORM).status == 400
    twice = health.call("/fhir/Observation/_search", "patient=pt-77a0&code=a&code=b", bearer | FORM)
    assert twice.status == 400


def test_marks_of_confidentiality_are_told(health: Any, bearer: Any) -> None:
    """A resource keeps its security label."""
    resource = search(health, bearer, "Condition", patient="pt-77a0").json["entry"][0]["resource"]
    assert resource["meta"]["security"][0]["code"] == "R"


def test_the_capability_statement_needs_no_token(health: Any) -> None:
    """What the server can do is open; everything else needs a token."""
    statement = health.call("/fhir/metadata").json
    served = {one["type"] for one in statement["rest"][0]["resource"]}

    assert statement["fhirVersion"] == "4.0.1"
    assert {"Patient", "CarePlan", "Condition", "Observation", "Appointment"} <= served
    assert health.call("/fhir/Condition/_search", "patient=pt-77a0", FORM).status == 401
    assert health.call("/fhir?_getpages=x").status == 401


def test_a_page_that_is_gone_says_so(health: Any, bearer: Any) -> None:
    """An unknown continuation is 410."""
    assert health.call("/fhir?_getpages=none", None, bearer).status == 410


def test_a_leaking_server_ignores_the_category(health: Any, bearer: Any) -> None:
    """Told to leak, it answers about the right patient but does not keep to the code it was asked for."""
    health.control("", {"leak": True})
    assert search(health, bearer, "CarePlan", patient="pt-77a0", category="forebyggelse").json["total"] == 4
    health.control("/reset", {})
    assert search(health, bearer, "CarePlan", patient="pt-77a0", category="forebyggelse").json["total"] == 0
