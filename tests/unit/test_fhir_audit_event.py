"""The log as FHIR R4 AuditEvents: their shape and codes, and that they tell nothing but what the index row holds."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from broker.domain.catalogue import CATALOGUE
from broker.domain.entries import EVERYTHING, LogEntry
from broker.domain.receipts import Receipt
from broker.oversight.fhir import audit_event, bundle
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN
from tests.log_events import an_outcome
from tests.pages_house import PagesHouse, open_pages
from tests.sampling import an_officer

AT = datetime(2019, 3, 4, 11, 30, tzinfo=UTC)
ID = r"^[A-Za-z0-9\-.]{1,64}$"
INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
TEXT: dict[str, Any] = {"type": "string", "minLength": 1, "pattern": r"\S"}


def an_object(required: list[str], **fields: Any) -> dict[str, Any]:
    """Describe an object that has no other field."""
    return {
        "type": "object",
        "required": required,
        "properties": fields,
        "additionalProperties": False,
        "minProperties": 1,
    }


def some(of: dict[str, Any]) -> dict[str, Any]:
    """Describe a list, which FHIR has never empty."""
    return {"type": "array", "items": of, "minItems": 1}


URI = {"type": "string", "pattern": r"^\S+$"}
CODE = {"type": "string", "pattern": r"^[^\s]+( [^\s]+)*$"}
CODING = an_object([], system=URI, version=TEXT, code=CODE, display=TEXT, userSelected={"type": "boolean"})
CONCEPT = an_object([], coding=some(CODING), text=TEXT)
IDENTIFIER = an_object([], use=CODE, type=CONCEPT, system=URI, value=TEXT)
REFERENCE = an_object([], reference=TEXT, type=URI, identifier=IDENTIFIER, display=TEXT)
PERIOD = an_object([], start=TEXT, end=TEXT)
DETAIL = {**an_object(["type", "valueString"], type=TEXT, valueString=TEXT, valueBase64Binary=TEXT)}
# http://hl7.org/fhir/R4/auditevent.html: every element of the resource, with what it requires.
AGENT = an_object(
    ["requestor"], type=CONCEPT, role=some(CONCEPT), who=REFERENCE, altId=TEXT, name=TEXT,
    requestor={"type": "boolean"}, location=REFERENCE, policy=some(URI), media=CODING, purposeOfUse=some(CONCEPT),
)  # fmt: skip
ENTITY = an_object(
    [], what=REFERENCE, type=CODING, role=CODING, lifecycle=CODING, securityLabel=some(CODING), name=TEXT,
    description=TEXT, query=TEXT, detail=some(DETAIL),
)  # fmt: skip
AUDIT_EVENT = an_object(
    ["resourceType", "type", "recorded", "agent", "source"],
    resourceType={"const": "AuditEvent"}, id={"type": "string", "pattern": ID}, type=CODING, subtype=some(CODING),
    action={"enum": ["C", "R", "U", "D", "E"]}, period=PERIOD, recorded={"type": "string", "pattern": INSTANT},
    outcome={"enum": ["0", "4", "8", "12"]}, outcomeDesc=TEXT, purposeOfEvent=some(CONCEPT), agent=some(AGENT),
    source=an_object(["observer"], site=TEXT, observer=REFERENCE, type=some(CODING)), entity=some(ENTITY),
)  # fmt: skip
BUNDLE = an_object(
    ["resourceType", "type"], resourceType={"const": "Bundle"}, type={"const": "collection"},
    timestamp={"type": "string", "pattern": INSTANT}, identifier=an_object(["system", "value"], system=URI, value=TEXT),
    link=some(an_object(["relation", "url"], relation=TEXT, url=URI)),
    entry=some(an_object([], fullUrl={"type": "string", "pattern": "^urn:uuid:[0-9a-f-]{36}$"}, resource=AUDIT_EVENT)),
)  # fmt: skip
# DICOM PS3.16, context group 400: the codes that we use, as they are called there.
DCM = {
    "110100": "Application Activity", "110101": "Audit Log Used", "110106": "Export", "110110": "Patient Record",
    "110112": "Query", "110113": "Security Alert", "110127": "Emergency Override Started",
    "110129": "Security Configuration",
}  # fmt: skip
# http://terminology.hl7.org/CodeSystem: the codes that we use of each.
CODES = {
    "audit-entity-type": {"1": "Person", "2": "System Object", "4": "Other"},
    "object-role": {"1": "Patient", "4": "Domain Resource", "13": "Security Resource"},
    "security-source-type": {"4": "Application Server"},
    "v3-ActReason": {"BTG": "break the glass"},
}


def an_entry(**index: Any) -> LogEntry:
    """Make an entry with this index row."""
    row = {"municipality": "korsbaek", "kind": "outcome", "citizen": "c" * 32, "actor": "a" * 32} | index
    return LogEntry(Receipt("x.example/log/korsbaek/2019", 17), "korsbaek", AT, row["kind"], row, "intact",
                    {"secret": "CANARY"})  # fmt: skip


def codings(value: Any) -> list[dict[str, str]]:
    """Gather every coding of a resource."""
    if isinstance(value, dict):
        own = [value] if {"system", "code"} <= value.keys() else []
        return own + [one for part in value.values() for one in codings(part)]
    return [one for part in value for one in codings(part)] if isinstance(value, list) else []


def strings(value: Any) -> set[str]:
    """Gather every string of a value."""
    if isinstance(value, dict | list):
        return {one for part in (value.values() if isinstance(value, dict) else value) for one in strings(part)}
    return {value} if isinstance(value, str) else set()


WHOLE = {
    "unit": "jobcentre", "purpose": "jobplan", "outcome": "released", "basis": ["consent"], "reasons": ["NO_CONSENT"],
    "categories": ["S01"], "sources": ["social"], "emergency": True, "break_glass": "b1", "ask": "q1", "case": "d" * 32,
}  # fmt: skip


@pytest.mark.parametrize("kind", [event.name for event in CATALOGUE])
@pytest.mark.parametrize("index", [{}, WHOLE, {"citizen": "a" * 32}], ids=["bare", "whole", "own"])
def test_every_kind_is_an_audit_event(kind: str, index: dict[str, Any]) -> None:
    """Each kind of entry, bare or full, has the shape of R4 and codes that are what their systems call them."""
    made = json.loads(json.dumps(audit_event(an_entry(kind=kind, **index))))
    jsonschema.validate(made, AUDIT_EVENT)
    assert sum(agent["requestor"] for agent in made["agent"]) == 1
    for one in codings(made):
        system = one["system"]
        if system == "http://dicom.nema.org/resources/ontology/DCM":
            assert DCM[one["code"]] == one["display"]
        elif system.startswith("http://terminology.hl7.org/CodeSystem/"):
            assert CODES[system.rpartition("/")[2]][one["code"]] == one["display"]
        else:
            assert system.startswith("urn:borgerbro:")
    assert made["type"]["system"].endswith("DCM")


def test_nothing_but_the_index_row_is_told() -> None:
    """No word of a body goes in; every handle in it stands in the row; who acts for themself is no patient."""
    entry = an_entry(**WHOLE)
    made = audit_event(entry)
    assert "CANARY" not in json.dumps(made)
    long = {one for one in strings(made) if re.fullmatch(r"[0-9a-f]{32}", one)}
    assert long <= strings(dict(entry.index))
    own = audit_event(an_entry(citizen="a" * 32))
    assert not any(one["role"]["code"] == "1" for one in own["entity"])
    assert any(one["role"]["code"] == "1" for one in made["entity"])


@pytest.mark.parametrize(("outcome", "code"), [("released", "0"), ("partly", "0"), ("refused", "4"), ("no", "4")])
def test_a_no_is_a_failure(outcome: str, code: str) -> None:
    """What was refused reads as a failure, what was given as a success."""
    assert audit_event(an_entry(outcome=outcome))["outcome"] == code


def test_a_line_keeps_its_id_and_a_bundle_its_shape() -> None:
    """The same line has the same id each time, another another; a page is a bundle, an empty one has no list."""
    first, again = audit_event(an_entry()), audit_event(an_entry(unit="x"))
    other = audit_event(replace(an_entry(), receipt=Receipt("x.example/log/korsbaek/2019", 18)))
    assert first["id"] == again["id"] != other["id"]
    for made in (bundle([an_entry()], AT, "/v1/accesses/fhir?cursor=1.2.3"), bundle([], AT)):
        jsonschema.validate(made, BUNDLE)


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house in which somebody looked."""
    async with open_pages(postgres, tmp_path) as made:
        vault = made.databases.vault
        (citizen,) = await vault.citizens([CITIZEN])
        actor = await vault.officer(an_officer("lene", "employee"))
        away = replace(an_outcome(citizen, actor), municipality="norrestrand")
        await made.databases.log.append([an_outcome(citizen, actor), an_outcome(citizen, actor), away])
        yield made


async def searches(house: PagesHouse) -> int:
    """Count the searches and openings on Korsbæk's log."""
    kinds = ("log.searched", "entry.opened")
    pages = [await house.databases.reader.search(["korsbaek"], replace(EVERYTHING, kind=kind)) for kind in kinds]
    return sum(len(page.entries) for page in pages)


async def test_search_and_line_are_on_the_log(house: PagesHouse) -> None:
    """A search by codes, by citizen, and one line: each has R4's shape, its media type, and an entry of its own."""
    dorte = await house.officer()
    await dorte.get("/dpo/inquiries")
    by_codes = await dorte.http.get("/v1/accesses/fhir", params={"kind": "outcome", "limit": 1})
    told = {"X-CSRF-Token": dorte.csrf}
    by_citizen = await dorte.http.post("/v1/accesses/fhir", json={"citizen": CITIZEN.disclose()}, headers=told)
    one = await dorte.http.get("/v1/accesses/fhir/korsbaek/2019/0")
    for answer, shape in ((by_codes, BUNDLE), (by_citizen, BUNDLE), (one, AUDIT_EVENT)):
        assert answer.headers["content-type"] == "application/fhir+json"
        jsonschema.validate(answer.json(), shape)
        assert CITIZEN.disclose() not in answer.text
    assert await searches(house) == 3
    (link,) = by_codes.json()["link"]
    following = (await dorte.http.get(link["url"])).json()
    assert following["entry"][0]["fullUrl"] != by_codes.json()["entry"][0]["fullUrl"]
    assert "/v1/accesses/fhir/korsbaek/2019/0" in (await dorte.get("/dpo")).text


async def test_what_follows_a_search_by_body_is_asked_with_that_body(house: PagesHouse) -> None:
    """No address leads on from what was found about one citizen to lines of all: the cursor goes with the same body."""
    dorte = await house.officer()
    await dorte.get("/dpo/inquiries")
    told = {"X-CSRF-Token": dorte.csrf}
    for order in (False, True):
        body = {"citizen": CITIZEN.disclose(), "oldest_first": order, "limit": 1, "kind": "outcome"}
        first = (await dorte.http.post("/v1/accesses/fhir", json=body, headers=told)).json()
        assert "link" not in first
        jsonschema.validate(first, BUNDLE)
        assert first["identifier"]["system"] == "urn:borgerbro:cursor"
        on = body | {"cursor": first["identifier"]["value"]}
        second = (await dorte.http.post("/v1/accesses/fhir", json=on, headers=told)).json()
        whose = [page["entry"][0]["resource"]["entity"][1]["what"] for page in (first, second)]
        assert whose[0] == whose[1]
        assert first["entry"][0]["fullUrl"] != second["entry"][0]["fullUrl"]


@pytest.mark.parametrize("place", ["norrestrand/2019/0", "korsbaek/2019/4000", "korsbaek/1999/0", "nowhere/2019/0"])
async def test_what_is_not_theirs_is_not_there(house: PagesHouse, place: str) -> None:
    """Another municipality's line, one past the end, of another year or of nobody: the same answer, and no entry."""
    dorte = await house.officer()
    answer = await dorte.http.get(f"/v1/accesses/fhir/{place}")
    nothing = await dorte.http.get("/v1/accesses/fhir/korsbaek/2019/9999")
    assert (answer.status_code, answer.text) == (404, nothing.text)
    assert await searches(house) == 0


async def test_who_may_not_search_gets_none(house: PagesHouse) -> None:
    """A leader, a citizen, and a form of another site get no line of the log in this form either."""
    lise = await house.officer(id="l", role="teamleder", units=[["korsbaek", "jobcentre"]])
    annette, dorte = await house.citizen(), await house.officer()
    for path in ("/v1/accesses/fhir", "/v1/accesses/fhir/korsbaek/2019/0"):
        assert (await lise.http.get(path)).status_code == 403
        assert (await annette.http.get(path)).status_code in {401, 403}
    assert (await dorte.http.post("/v1/accesses/fhir", json={})).status_code == 403
    assert await searches(house) == 0
