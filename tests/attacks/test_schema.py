"""Whatever the OpenAPI document lets a caller send, and what it does not: no server error, no answer it does not name.

Each operation is called over HTTP as those who may call it, by schemathesis: with what the document permits, with what
it does not, and with real numbers, cases and ids put in, so that the calls reach deep. Longer:
`SCHEMA_EXAMPLES=2000 .venv/bin/python -m pytest tests/attacks/test_schema.py`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from audit.note import SigningKey
from broker.web.api.described import CALLERS, PROBLEMS
from broker.web.limits import HEADERS
from broker.web.problems import MEDIA_TYPE, PROBLEM_TYPE
from demo.postgres import PrivatePostgres
from docs.generate import openapi
from tests.builders import CASE, CITIZEN, PURPOSE, ROOT
from tests.evaluations import CONTEXT, GIVEN, LENE, NOT_GIVEN, OWN, READ, a_resource, all_of_the_citizen
from tests.pages_house import LINES, ask_for, say_yes
from tests.served_house import Served, open_served
from tests.signing import signing

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "12"))
# The same calls each time, unless somebody asks for more of them.
STEADY = "SCHEMA_EXAMPLES" not in os.environ
WHO = {"systemAndCaseworker": "system", "system": "system", "citizenSession": "citizen", "officerSession": "officer"}
DOCUMENT: dict[str, Any] = json.loads(openapi())
OPERATIONS = [(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
CPR = re.compile(r"(?<![\w-])\d{6}-?\d{4}(?![\w-])")
# Shorter strings stand in every sentence by chance.
TELLING = 5
PER_TEST = settings(
    max_examples=EXAMPLES,
    derandomize=STEADY,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def closed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the document without its callers, and closed: a field of an answer that it does not name is a fault."""
    made = deepcopy(dict(document))
    for methods in made["paths"].values():
        for operation in methods.values():
            # Who calls is said by each test itself.
            operation["security"] = []
    for name, schema in made["components"]["schemas"].items():
        if not name.endswith("Body"):
            _close(schema)
    return made


def _close(schema: Any) -> None:
    if isinstance(schema, list):
        for part in schema:
            _close(part)
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close(part)


SCHEMA = schemathesis.openapi.from_dict(closed(DOCUMENT))
# What our own code holds is no echo: the generator reads it too, and sends some of it.
KNOWN = json.dumps(DOCUMENT, ensure_ascii=False) + "".join(
    path.read_text("utf-8") for path in sorted((ROOT / "broker").rglob("*.py"))
)


@pytest.fixture(scope="module")
def served(postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a house in which one request was answered with a yes, and others wait for an answer."""
    with open_served(postgres, tmp_path_factory.mktemp("schema")) as made:
        made.run(_lived_in(made, tmp_path_factory.mktemp("signer")))
        yield made


async def _lived_in(served: Served, folder: Path) -> None:
    lene, annette = served.readers["caseworker"], served.readers["citizen"]
    await ask_for(lene, LINES)
    await say_yes(annette)
    for _ in range(4):
        await ask_for(lene, LINES[:1])
    await annette.get("/mine")
    await lene.get("/case")
    address = served.house.databases.at.checkpointer
    async with signing(address, SigningKey.generate("test.example"), folder) as rounds:
        await rounds.once()


@pytest.fixture(scope="module")
def ids(served: Served) -> dict[str, list[str]]:
    """Give the ids of what stands, for the places of an address."""
    asked = _get(served, "/v1/me/consent-requests")["requests"]
    given = _get(served, "/v1/me/consents")["consents"]
    blocked = httpx2.post(
        f"{served.address}/v1/me/blocks",
        json={"source": "school"},
        headers=served.credentials("citizen", "POST", ""),
        timeout=30,
    ).json()
    return {
        "request_id": [row["id"] for row in asked],
        "consent_id": [row["id"] for row in given],
        "block_id": [blocked["block"]],
        "municipality": ["korsbaek", "norrestrand"],
        "year": ["2019"],
        "index": ["0", "1"],
    }


def _get(served: Served, path: str) -> Any:
    return httpx2.get(served.address + path, headers=served.credentials("citizen", "GET", path), timeout=30).json()


# What is real in this house, by the name of its field.
REAL: dict[str, list[Any]] = {
    "citizen": [CITIZEN.disclose(), "710274-0022"],
    "giver": [CITIZEN.disclose()],
    "purpose": [PURPOSE],
    "case": [CASE],
    "categories": [["S01"], ["S01", "F01"]],
    "sources": [["social"], ["social", "family"]],
    "weeks": [["2019-W11"]],
    "lines": [[{"source": "social", "category": "S01"}], [{"source": "family", "category": "F01"}], [0]],
    "source": ["social"],
    "category": ["S01"],
    "unit": ["jobcentre"],
    "to": ["2020-02-29"],
    "from": ["2019-03-05"],
    "since": ["2019-03-04T10:00:00+01:00"],
    "kind": ["ask", "outcome"],
    "cursor": ["0"],
    "subject": [LENE],
    "action": [READ],
    "resource": [a_resource(), a_resource(OWN), all_of_the_citizen()],
    "context": [CONTEXT],
    "evaluations": [[{"resource": a_resource(place)} for place in (OWN, GIVEN, NOT_GIVEN)]],
    "options": [{"evaluations_semantic": "deny_on_first_deny"}],
    "page": [{"limit": 2}],
}


def realer(case: Any, data: Any, ids: Mapping[str, list[str]]) -> None:
    """Put real values into some of a call's fields and into most places of its address."""
    for name in case.path_parameters or {}:
        if name in ids and data.draw(st.integers(0, 3)):
            case.path_parameters[name] = data.draw(st.sampled_from(ids[name]))
    if isinstance(case.body, dict) and data.draw(st.integers(0, 3)):
        for name in case.body:
            if name in REAL and data.draw(st.integers(0, 7)):
                case.body[name] = data.draw(st.sampled_from(REAL[name]))


def told_no_more_than_named(case: Any, answer: Any) -> None:
    """Hold one answer against what every answer of ours keeps, beside what the document says of it."""
    text = answer.content.decode("utf-8", "replace")
    absent = [name for name in HEADERS if name.lower() not in answer.headers]
    assert not absent, absent
    # The logs' public files are the same for everybody; whatever else is said, and every refusal, nobody keeps.
    public = case.operation.path.startswith("/log/") and answer.status_code < 400
    assert (answer.headers["cache-control"] != ["no-store"]) == public
    if answer.status_code < 400:
        return
    assert not CPR.search(text), "digits of a person"
    echoed = [word for word in strings_of([case.body, case.query, case.path_parameters, case.headers]) if word in text]
    assert not echoed, "an error repeats what was sent"
    if case.operation.path == "/oauth2/token" and answer.status_code in {400, 401}:
        return
    document = json.loads(text)
    assert answer.headers["content-type"] == [MEDIA_TYPE]
    assert document["type"].removeprefix(PROBLEM_TYPE) in PROBLEMS
    assert document["status"] == answer.status_code


def strings_of(value: Any) -> Iterator[str]:
    """Give every telling string of a call: none that our own code holds."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from strings_of(name)
            yield from strings_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings_of(part)
    elif isinstance(value, str) and len(value) >= TELLING and value not in KNOWN:
        yield value


def sent(served: Served, case: Any, caller: str | None) -> Any:
    """Send a call as somebody, and hold its answer against everything."""
    path = urlsplit(case.as_transport_kwargs(base_url=served.address)["url"]).path
    known = served.credentials(caller, case.method.upper(), path)
    answer = case.call(base_url=served.address, headers=known, timeout=30)
    case.validate_response(answer, checks=CHECKS, headers=known)
    told_no_more_than_named(case, answer)
    return answer


def caller_of(method: str, path: str) -> str | None:
    """Name who may call an operation."""
    security = DOCUMENT["paths"][path][method.lower()]["security"]
    return WHO[next(iter(security[0]))] if security else None


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)
def test_what_the_document_permits_is_answered_as_it_says(
    served: Served, ids: dict[str, list[str]], method: str, path: str
) -> None:
    """Whatever a good caller sends in good form, each answer is one that the document names, in the form it names."""
    strategy = SCHEMA[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE)

    @PER_TEST
    @given(case=strategy, data=st.data())
    def holds(case: Any, data: Any) -> None:
        realer(case, data, ids)
        sent(served, case, caller_of(method, path))

    holds()


def takes_anything(method: str, path: str) -> bool:
    """Tell whether an operation has nothing that could be malformed."""
    told = DOCUMENT["paths"][path][method.lower()]
    # An id in an address may be any text; the wrong ones are not found.
    bound = [
        row
        for row in told.get("parameters", ())
        if row["schema"].keys() - {"title"} != {"type"} or row["schema"]["type"] != "string"
    ]
    return "requestBody" not in told and not bound


MALFORMED = [row for row in OPERATIONS if not takes_anything(*row)]


@pytest.mark.parametrize(("method", "path"), MALFORMED, ids=lambda value: value)
def test_what_the_document_forbids_is_a_clear_problem(served: Served, method: str, path: str) -> None:
    """Whatever a good caller sends in bad form is refused, in a form that the document names, and repeated nowhere."""
    strategy = SCHEMA[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @PER_TEST
    @given(case=strategy)
    def holds(case: Any) -> None:
        answer = sent(served, case, caller_of(method, path))
        # A body or an address that is far too long may be refused unread.
        if answer.status_code not in {413, 431}:
            case.validate_response(answer, checks=[negative_data_rejection])

    holds()


CLOSED = [row for row in OPERATIONS if caller_of(*row)]


@pytest.mark.parametrize(("method", "path"), CLOSED, ids=lambda value: value)
def test_nobody_and_everybody_else_stay_outside(served: Served, method: str, path: str) -> None:
    """Nobody is let in (401), nor is another kind of caller, whatever they send; and a body is judged of neither."""
    strategy = SCHEMA[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE)
    others = [who for who in (None, *dict.fromkeys(WHO.values())) if who != caller_of(method, path)]

    @settings(PER_TEST, max_examples=max(2, EXAMPLES // 6))
    @given(case=strategy)
    def holds(case: Any) -> None:
        for who in others:
            assert sent(served, case, who).status_code == 401

    holds()


def test_every_operation_says_who_may_call_it() -> None:
    """An operation names its caller by its tag, or is one of the few that are open to anyone."""
    rows = [(method, path) for method, path in OPERATIONS if not caller_of(method, path)]

    assert CALLERS.keys() <= {
        tag for methods in DOCUMENT["paths"].values() for row in methods.values() for tag in row["tags"]
    }
    assert {path for _, path in rows} == {
        "/health/live", "/health/ready", "/metrics", "/log/{municipality}/{year}/checkpoint",
        "/log/{municipality}/{year}/tile/{place}", "/log/keys", "/log/logs.json",
        "/v1/log/proofs/{municipality}/{year}/{index}", "/oauth2/token", "/oauth2/jwks",
        "/.well-known/oauth-authorization-server", "/.well-known/authzen-configuration",
        "/.well-known/consent-receipt-keys",
    }  # fmt: skip
