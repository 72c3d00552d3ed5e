"""The contract of AuthZEN 1.0 over real HTTP, PostgreSQL and rules, case by case as its certification scenario has it.

The scenario is `certification/authorization-api-1_0-scenario.md` of openid/authzen; its ids stand with each test. Its
fixture (alice, record-1) is policy of its own: here Lene asks about one citizen's categories. Sections are those of the
specification.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from broker.web.problems import MEDIA_TYPE
from demo.postgres import PrivatePostgres
from tests.builders import CASE, PURPOSE, ROOT
from tests.evaluations import (
    ACTION_SEARCH,
    CONTEXT,
    EVALUATION,
    EVALUATIONS,
    GIVEN,
    LENE,
    NOT_GIVEN,
    OWN,
    POSTS,
    READ,
    RESOURCE_SEARCH,
    SUBJECT_SEARCH,
    a_resource,
    a_search,
    all_of_the_citizen,
    an_evaluation,
    asking,
    send,
)
from tests.pages_house import LINES, PUBLIC, ask_for, say_yes
from tests.served_house import Served, open_served

BOB = {"type": "caseworker", "id": "bob"}
REQUEST_ID = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"


@pytest.fixture(scope="module")
def served(postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a house whose citizen said yes to four places."""
    with open_served(postgres, tmp_path_factory.mktemp("authzen")) as made:
        made.run(_consented(made))
        yield made


async def _consented(served: Served) -> None:
    await ask_for(served.readers["caseworker"], LINES)
    await say_yes(served.readers["citizen"])
    for source in served.house.sources.values():
        source.asked.clear()


def decisions(answer: httpx2.Response) -> list[bool]:
    """Give the decisions of several evaluations, in order."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return [row["decision"] for row in answer.json()["evaluations"]]


def results(answer: httpx2.Response) -> list[dict[str, Any]]:
    """Give what a search found."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def entries(served: Served) -> list[dict[str, Any]]:
    """Read the citizen's own list, newest first."""
    path = "/v1/me/accesses"
    answer = httpx2.get(served.address + path, headers=served.credentials("citizen", "GET", path), timeout=30)
    rows: list[dict[str, Any]] = answer.json()["entries"]
    return rows


def since(served: Served, before: dict[str, Any]) -> list[dict[str, Any]]:
    """Read what came on the citizen's list after the entry that was its newest, newest first."""
    return list(itertools.takewhile(lambda entry: entry != before, entries(served)))


def test_a_permit_says_yes_and_on_what_it_rests(served: Served) -> None:
    """c-2-2-1, section 6.2: what consent opens is `true`, with basis, masks as obligations, and a receipt."""
    answer = send(served, EVALUATION, an_evaluation(GIVEN))
    context = answer.json()["context"]

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["decision"] is True
    assert [basis["kind"] for basis in context["basis"]] == ["consent"]
    assert context["obligations"] == []
    assert context["receipt"].keys() == {"log", "index", "checkpoint"}


def test_a_denial_is_an_answer_with_its_reasons(served: Served) -> None:
    """c-2-2-2, section 10.1.2: a no is 200 with `false`, our code, paragraph and sentence, and what would turn it."""
    answer = send(served, EVALUATION, an_evaluation(NOT_GIVEN))
    context = answer.json()["context"]

    assert (answer.status_code, answer.json()["decision"]) == (200, False)
    assert [reason["code"] for reason in context["reasons"]] == ["NO_CONSENT"]
    assert context["reasons"][0]["paragraph"]
    assert context["reason_user"] == {tongue: context["reasons"][0][tongue] for tongue in ("da", "en")}
    assert context["missing"] == [{"source": "school", "category": "K01", "giver": "custody_holder"}]
    assert "reason_admin" not in context


def test_a_mask_is_an_obligation(served: Served) -> None:
    """Section 5.5.1: where an ask's answer would be masked, the permit says by what."""
    answer = send(served, EVALUATION, an_evaluation("family/F01"))

    assert answer.json()["decision"] is True
    assert [row["what"] for row in answer.json()["context"]["obligations"]] == ["child_name"]


UNKNOWN: dict[str, dict[str, Any]] = {
    "more context": {
        "context": CONTEXT | {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1", "nested": {"a": [1]}}
    },
    "unknown fields": {"foo": "bar", "futureField": {"nested": True}},
    "a subject's properties": {"subject": LENE | {"properties": {"department": "Sales", "role": "manager"}}},
    "an action's properties": {"action": READ | {"properties": {"method": "GET"}}},
    "a resource's properties": {
        "resource": a_resource() | {"properties": a_resource()["properties"] | {"owner": "bob", "status": None}}
    },
    "unknown fields inside": {
        "subject": LENE | {"x": 1},
        "action": READ | {"x": 1},
        "resource": a_resource() | {"x": 1},
    },
    "no properties": {"subject": LENE | {"properties": None}},
}


@pytest.mark.parametrize("more", UNKNOWN)
@pytest.mark.parametrize(("place", "permitted"), [(GIVEN, True), (NOT_GIVEN, False)])
def test_what_is_not_known_is_ignored(served: Served, more: str, place: str, *, permitted: bool) -> None:
    """c-2-2-3, c-2-2-8, c-2-2-9, section 10.1.1: further context, properties and fields change no decision."""
    changes = UNKNOWN[more]
    body = an_evaluation(**changes)
    body["resource"] = body["resource"] | {"id": place}

    assert send(served, EVALUATION, body).json()["decision"] is permitted


WITHOUT: list[tuple[str, Any, str]] = [
    ("subject", None, "/subject"),
    ("action", None, "/action"),
    ("resource", None, "/resource"),
    ("subject", {"id": "lene"}, "/subject/type"),
    ("subject", {"type": "caseworker"}, "/subject/id"),
    ("action", {}, "/action/name"),
    ("resource", {"id": GIVEN}, "/resource/type"),
    ("resource", {"type": "category"}, "/resource/id"),
    ("subject", "lene", "/subject"),
    ("subject", ["lene"], "/subject"),
    ("subject", LENE | {"id": 1}, "/subject/id"),
    ("subject", LENE | {"properties": "x"}, "/subject/properties"),
    ("action", {"name": 123}, "/action/name"),
    ("action", {"name": None}, "/action/name"),
    ("resource", a_resource() | {"properties": []}, "/resource/properties"),
    ("context", "x", "/context"),
    ("context", None, "/context/purpose"),
    ("context", {"purpose": PURPOSE}, "/context/case"),
    ("context", {"purpose": 1, "case": CASE}, "/context/purpose"),
    ("resource", {"type": "category", "id": GIVEN}, "/resource/properties/citizen"),
    ("resource", a_resource(citizen="7102740"), "/resource/properties/citizen"),
    (
        "resource",
        a_resource() | {"properties": {"citizen": 7102740022}},
        "/resource/properties/citizen",
    ),
]


@pytest.mark.parametrize(("field", "value", "pointer"), WITHOUT)
def test_what_lacks_something_is_a_bad_request(served: Served, field: str, value: Any, pointer: str) -> None:
    """c-2-4-1, c-2-4-2, c-2-4-6, section 10.1.1: a missing or misshapen field is 400 and leaves nothing."""
    before = served.run(served.rows())
    for path in (EVALUATION, EVALUATIONS):
        answer = send(
            served,
            path,
            an_evaluation(**{field: value}),
            **{"X-Request-ID": "malformed"},
        )

        assert (answer.status_code, answer.headers["content-type"]) == (400, MEDIA_TYPE)
        assert answer.json()["pointer"] == pointer
    assert served.run(served.rows()) == before


BODIES: list[tuple[str, bytes]] = [
    ("text/plain", b""), ("application/xml", json.dumps(an_evaluation()).encode()),
    ("application/vnd.api+json", json.dumps(an_evaluation()).encode()), ("", json.dumps(an_evaluation()).encode()),
    ("application/json", b""), ("application/json", b'{"subject":'), ("application/json", b"[]"),
    ("application/json", b"null"), ("application/json", b'"subject"'),
]  # fmt: skip


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_a_body_that_is_no_json_object_is_a_bad_request(served: Served, path: str, kind: str, body: bytes) -> None:
    """c-2-4-3 to c-2-4-5, section 10.1: another kind of body, none, or broken JSON is 400."""
    headers = served.credentials("system", "POST", path) | {"Content-Type": kind}
    answer = httpx2.post(served.address + path, content=body, headers=headers, timeout=30)

    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("path", POSTS)
def test_a_request_id_comes_back_with_every_answer(served: Served, path: str) -> None:
    """c-2-5-1, c-2-5-2, section 10.1.3: the very id, with a good answer, a bad request and a refusal alike, or none."""
    good = send(served, path, asking(path), **{"X-Request-ID": REQUEST_ID})
    bad = send(served, path, {}, **{"X-Request-ID": REQUEST_ID})
    nobody = httpx2.post(served.address + path, json=asking(path), headers={"X-Request-ID": REQUEST_ID}, timeout=30)
    wrong_method = httpx2.get(served.address + path, headers={"X-Request-ID": REQUEST_ID}, timeout=30)
    answers = [good, bad, nobody, wrong_method]

    assert [answer.status_code for answer in answers] == [200, 400, 401, 405]
    assert [answer.headers.get_list("x-request-id") for answer in answers] == [[REQUEST_ID]] * 4
    assert "x-request-id" not in send(served, path, asking(path)).headers


def test_the_same_again_is_decided_the_same_and_logged_again(served: Served) -> None:
    """c-2-6: a repeat has the same decision; each is an access of its own, and the citizen sees every one."""
    before = entries(served)[0]
    answers = [send(served, EVALUATION, an_evaluation(), **{"X-Request-ID": "again"}).json() for _ in range(3)]

    assert [answer["decision"] for answer in answers] == [True] * 3
    assert len({answer["context"]["ask"] for answer in answers}) == 3
    assert len(since(served, before)) == 6


def test_an_evaluation_is_seen_by_the_citizen_and_reads_no_source(served: Served) -> None:
    """`design.md` 5: an ask of aim `evaluation` and an outcome `evaluated`; nothing released, no source asked."""
    asked = send(served, EVALUATION, an_evaluation(OWN)).json()["context"]["ask"]
    outcome, ask = entries(served)[:2]

    assert (ask["kind"], ask["aim"], ask["ask"]) == ("ask", "evaluation", asked)
    assert (outcome["kind"], outcome["outcome"], outcome["ask"]) == ("outcome", "evaluated", asked)
    assert outcome["allowed"] == [{"source": "job", "category": "B01"}]
    assert "released" not in outcome
    assert {name: source.asked for name, source in served.house.sources.items() if source.asked} == {}


def several(*rows: dict[str, Any], **top: Any) -> dict[str, Any]:
    """Ask several evaluations."""
    return {**top, "evaluations": list(rows)}


TOP = {"subject": LENE, "action": READ, "context": CONTEXT}
PLACES = [{"resource": a_resource(place)} for place in (OWN, NOT_GIVEN, GIVEN)]


def test_several_are_answered_each_in_order(served: Served) -> None:
    """c-3-2-1, c-3-2-2, c-3-3, section 7.2: as many decisions as evaluations, in their order, and none on top."""
    answer = send(served, EVALUATIONS, several(*PLACES, **TOP))

    assert decisions(answer) == [True, False, True]
    assert answer.json().keys() == {"evaluations"}
    turned = send(served, EVALUATIONS, several(*reversed(PLACES), **TOP))
    assert decisions(turned) == [True, False, True]
    swapped = send(served, EVALUATIONS, several(PLACES[1], PLACES[0], **TOP))
    assert decisions(swapped) == [False, True]


def test_one_citizen_purpose_and_case_is_one_ask(served: Served) -> None:
    """Evaluations about one citizen for one purpose from one case are one ask, of these places and no other."""
    before = entries(served)[0]
    rows = send(served, EVALUATIONS, several(*PLACES, *PLACES, **TOP)).json()["evaluations"]
    outcome = entries(served)[0]

    assert len({row["context"]["ask"] for row in rows}) == 1
    # The child, whom K01 is about, has an entry of their own; the citizen's list has the ask and its outcome.
    assert len(since(served, before)) == 2
    told = [(row["source"], row["category"]) for row in outcome["allowed"]]
    assert told == [("job", "B01"), ("social", "S01")]


def test_two_purposes_are_two_asks(served: Served) -> None:
    """Each purpose is asked for by itself, and stands so on the citizen's list."""
    other = CONTEXT | {"purpose": "stoette_til_familien"}
    before = entries(served)[0]
    answer = send(served, EVALUATIONS, several({}, {"context": other}, {}, **an_evaluation(GIVEN)))

    assert decisions(answer) == [True, False, True]
    assert len({row["context"]["ask"] for row in answer.json()["evaluations"]}) == 2
    assert len(since(served, before)) == 4


def test_nothing_need_stand_on_top(served: Served) -> None:
    """c-3-2-5: evaluations that are whole need no default."""
    answer = send(served, EVALUATIONS, several(an_evaluation(GIVEN), an_evaluation(NOT_GIVEN)))

    assert decisions(answer) == [True, False]


def test_a_context_on_top_holds_unless_overridden(served: Served) -> None:
    """c-3-2-6, section 7.1.1: what an evaluation names replaces the default as a whole."""
    rows = [{}, {"context": CONTEXT | {"source": "batch-override"}}, {"context": {"purpose": PURPOSE}}]
    answer = send(served, EVALUATIONS, several(*rows, **an_evaluation(GIVEN)))

    assert decisions(answer) == [True, True, False]
    assert answer.json()["evaluations"][2]["context"]["error"]["pointer"] == "/context/case"


def test_a_type_on_top_completes_an_id(served: Served) -> None:
    """c-3-2-7: only type, id and name are taken from a default that is replaced; the citizen never is."""
    rows = [
        {"resource": {"id": GIVEN, "properties": a_resource()["properties"]}},
        {"resource": {"id": GIVEN}},
    ]
    answer = send(served, EVALUATIONS, several(*rows, **TOP, resource=all_of_the_citizen()))

    assert decisions(answer) == [True, False]
    assert answer.json()["evaluations"][1]["context"]["error"]["pointer"] == "/resource/properties/citizen"


def test_one_bad_evaluation_spoils_no_other(served: Served) -> None:
    """c-3-4-1, section 7.2.1: an error of one evaluation is `false` with the error in its context, alone."""
    rows = [PLACES[0], {}, {"resource": "x"}, {"resource": a_resource("nowhere/S01")}, {"subject": BOB, **PLACES[2]}]
    answer = send(served, EVALUATIONS, several(*rows, **TOP))
    errors = [row["context"].get("error", {}).get("status") for row in answer.json()["evaluations"]]

    assert decisions(answer) == [True, False, False, False, False]
    assert errors == [None, 400, 400, 404, 403]


@pytest.mark.parametrize("evaluations", [{}, {"evaluations": []}, {"evaluations": None}])
def test_without_evaluations_it_is_a_single_one(served: Served, evaluations: dict[str, Any]) -> None:
    """c-3-4-2, c-3-4-3, section 7.1: without an array, or with an empty one, the answer is that of one evaluation."""
    answer = send(served, EVALUATIONS, an_evaluation(GIVEN) | evaluations)

    assert (answer.status_code, answer.json()["decision"]) == (200, True)
    assert "evaluations" not in answer.json()
    assert send(served, EVALUATIONS, evaluations).status_code == 400


SEMANTICS = [
    ("execute_all", [True, False, True]),
    ("deny_on_first_deny", [True, False]),
    ("permit_on_first_permit", [True]),
]


@pytest.mark.parametrize(("semantic", "expected"), SEMANTICS)
def test_each_semantic_stops_where_it_says(served: Served, semantic: str, expected: list[bool]) -> None:
    """Section 7.1.2.1, by the specification's own example: all; up to the first no; up to the first yes."""
    options = {"evaluations_semantic": semantic, "another_option": "value"}

    assert decisions(send(served, EVALUATIONS, several(*PLACES, **TOP, options=options))) == expected


def test_an_error_is_a_denial_at_which_is_stopped(served: Served) -> None:
    """Section 7.1.2.1: any denial, an error too, ends `deny_on_first_deny`; who comes after is not asked about."""
    options = {"evaluations_semantic": "deny_on_first_deny"}
    before = entries(served)[0]
    answer = send(served, EVALUATIONS, several({"resource": {}}, *PLACES, **TOP, options=options))

    assert decisions(answer) == [False]
    assert since(served, before) == []


@pytest.mark.parametrize("options", ["execute_all", {"evaluations_semantic": "all"}, {"evaluations_semantic": 1}])
def test_another_semantic_is_a_bad_request(served: Served, options: Any) -> None:
    """Section 7.1.2.1: exactly one of three words."""
    assert send(served, EVALUATIONS, several(*PLACES, **TOP, options=options)).status_code == 400


def test_a_search_for_subjects_finds_the_caller_alone(served: Served) -> None:
    """c-4-2, section 8.4: who may read it, of all people, is told of the caller; an id that is sent is ignored."""
    assert results(send(served, SUBJECT_SEARCH, a_search(SUBJECT_SEARCH))) == [LENE]
    assert results(send(served, SUBJECT_SEARCH, a_search(SUBJECT_SEARCH, subject=BOB | {"id": 7}))) == [LENE]
    assert results(send(served, SUBJECT_SEARCH, a_search(SUBJECT_SEARCH, resource=a_resource(NOT_GIVEN)))) == []


def test_a_search_for_resources_finds_what_may_be_read(served: Served) -> None:
    """c-4-3, section 8.5: each category the caller may read of this citizen, each of which is then evaluated to yes."""
    found = results(send(served, RESOURCE_SEARCH, a_search(RESOURCE_SEARCH)))
    again = several(*({"resource": row | all_of_the_citizen()} for row in found), **TOP)

    assert {row["id"] for row in found} >= {OWN, *LINES}
    assert NOT_GIVEN not in {row["id"] for row in found}
    assert {row["type"] for row in found} == {"category"}
    assert decisions(send(served, EVALUATIONS, again)) == [True] * len(found)
    ignored = a_search(RESOURCE_SEARCH, resource=all_of_the_citizen() | {"id": 1})
    assert results(send(served, RESOURCE_SEARCH, ignored)) == found


def test_a_search_for_actions_finds_read(served: Served) -> None:
    """c-4-4, section 8.6: `read` where it is permitted, nothing where it is not."""
    assert results(send(served, ACTION_SEARCH, a_search(ACTION_SEARCH))) == [READ]
    assert results(send(served, ACTION_SEARCH, a_search(ACTION_SEARCH, resource=a_resource(NOT_GIVEN)))) == []


@pytest.mark.parametrize("path", [SUBJECT_SEARCH, RESOURCE_SEARCH, ACTION_SEARCH])
def test_a_search_is_logged_as_an_evaluation(served: Served, path: str) -> None:
    """Each search is one access that the citizen sees, and no result is a citizen."""
    before = entries(served)[0]
    answer = send(served, path, a_search(path))

    assert len(since(served, before)) == 2
    assert (entries(served)[0]["outcome"], entries(served)[1]["aim"]) == ("evaluated", "evaluation")
    assert answer.json()["context"]["ask"] == entries(served)[0]["ask"]


NOTHING_FOUND: list[tuple[str, dict[str, Any]]] = [
    (SUBJECT_SEARCH, {"subject": {"type": "spaceship"}}),
    (SUBJECT_SEARCH, {"action": {"name": "write"}}),
    (SUBJECT_SEARCH, {"resource": a_resource("social/X99")}),
    (RESOURCE_SEARCH, {"subject": BOB}),
    (RESOURCE_SEARCH, {"resource": {"type": "spaceship"}}),
    (RESOURCE_SEARCH, {"action": {"name": "write"}}),
    (ACTION_SEARCH, {"subject": BOB}),
    (ACTION_SEARCH, {"subject": {"type": "spaceship", "id": "lene"}}),
    (ACTION_SEARCH, {"resource": a_resource("nowhere/S01")}),
]


@pytest.mark.parametrize(("path", "changes"), NOTHING_FOUND)
def test_what_is_not_known_is_not_found(served: Served, path: str, changes: dict[str, Any]) -> None:
    """c-4-6: an unknown id or type finds nothing, without an error of the request; and nobody is asked about."""
    before = served.run(served.rows())
    answer = send(served, path, a_search(path, **changes))

    assert results(answer) == []
    assert answer.json()["context"]["error"]["status"] in {403, 404}
    assert served.run(served.rows()) == before


SEARCH_WITHOUT: list[tuple[str, dict[str, Any]]] = [
    (SUBJECT_SEARCH, {"action": None}), (SUBJECT_SEARCH, {"resource": {"type": "category"}}),
    (SUBJECT_SEARCH, {"subject": None}), (SUBJECT_SEARCH, {"subject": {"id": "lene"}}),
    (RESOURCE_SEARCH, {"subject": None}), (RESOURCE_SEARCH, {"subject": {"type": "caseworker"}}),
    (RESOURCE_SEARCH, {"resource": None}), (RESOURCE_SEARCH, {"action": None}),
    (RESOURCE_SEARCH, {"resource": {"type": "category"}}), (RESOURCE_SEARCH, {"page": {"limit": -1}}),
    (RESOURCE_SEARCH, {"page": {"limit": "2"}}), (RESOURCE_SEARCH, {"page": 1}),
    (RESOURCE_SEARCH, {"page": {"token": 1}}),
    (ACTION_SEARCH, {"resource": None}), (ACTION_SEARCH, {"subject": None}), (ACTION_SEARCH, {"context": {}}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "changes"), SEARCH_WITHOUT)
def test_a_search_that_lacks_something_is_a_bad_request(served: Served, path: str, changes: dict[str, Any]) -> None:
    """c-4-7, section 8: every required field and sub-field of a search, and the form of its page."""
    before = served.run(served.rows())

    assert send(served, path, a_search(path, **changes)).status_code == 400
    assert served.run(served.rows()) == before


def test_pages_follow_one_another_to_the_end(served: Served) -> None:
    """c-4-5, section 8.2: each token leads on, with the limit again or without; the last is empty; it is all."""
    whole = results(send(served, RESOURCE_SEARCH, a_search(RESOURCE_SEARCH)))
    found, page, counts = [], {"limit": 2}, []
    while True:
        told = send(served, RESOURCE_SEARCH, a_search(RESOURCE_SEARCH, page=page)).json()
        found += told["results"]
        counts.append(told["page"]["count"])
        assert told["page"]["total"] == len(whole)
        if not told["page"]["next_token"]:
            break
        page = {"token": told["page"]["next_token"]} | ({"limit": 2} if len(counts) % 2 else {})

    assert found == whole
    assert sum(counts) == len(whole) > 4
    assert list(told) == ["page", "context", "results"]


def test_a_search_without_a_page_is_whole(served: Served) -> None:
    """Section 8.2: what fits in one answer ends with an empty token; a limit of none gives none, and a way on."""
    told = send(served, RESOURCE_SEARCH, a_search(RESOURCE_SEARCH, page={})).json()
    none = send(served, RESOURCE_SEARCH, a_search(RESOURCE_SEARCH, page={"limit": 0})).json()

    assert told["page"]["next_token"] == ""
    assert (none["results"], none["page"]["count"]) == ([], 0)
    assert none["page"]["next_token"]


def test_the_metadata_name_every_endpoint(served: Served) -> None:
    """c-6, section 9: the identifier is our public address; each endpoint is under it and is there; none is empty."""
    answer = httpx2.get(served.address + "/.well-known/authzen-configuration", timeout=30)
    told = answer.json()

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert told.pop("policy_decision_point") == PUBLIC
    assert told == {
        "access_evaluation_endpoint": PUBLIC + EVALUATION,
        "access_evaluations_endpoint": PUBLIC + EVALUATIONS,
        "search_subject_endpoint": PUBLIC + SUBJECT_SEARCH,
        "search_resource_endpoint": PUBLIC + RESOURCE_SEARCH,
        "search_action_endpoint": PUBLIC + ACTION_SEARCH,
    }
    for address in told.values():
        path = address.removeprefix(PUBLIC)
        assert send(served, path, asking(path)).status_code == 200


EXAMPLE = re.compile(r'```json title="(\w+)\.json"\n(.*?)```', re.DOTALL)
IN_THE_SMALL_HOUSE = {"korsbaek-social/S03": NOT_GIVEN, "korsbaek-social/": "social/", "korsbaek-jobcentre/": "job/"}
ASKED_AT = {"evaluation": EVALUATION, "evaluations": EVALUATIONS, "search": RESOURCE_SEARCH}


def test_the_examples_of_the_page_are_answered(served: Served) -> None:
    """Each request of `docs/authzen.md`, with this house's names, is answered and has no error."""
    text = (ROOT / "docs" / "authzen.md").read_text("utf-8")
    for theirs, ours in IN_THE_SMALL_HOUSE.items():
        text = text.replace(theirs, ours)
    examples = {name: json.loads(re.sub(r'"[0-9a-f-]{36}"', '"lene"', body)) for name, body in EXAMPLE.findall(text)}
    answers = {name: send(served, ASKED_AT[name], body) for name, body in examples.items()}

    assert examples.keys() == ASKED_AT.keys()
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(ASKED_AT, 200)
    assert not [answer.text for answer in answers.values() if '"error"' in answer.text]
    assert answers["evaluation"].json()["decision"] is False
    assert decisions(answers["evaluations"]) == [True, True]
    assert results(answers["search"])


ALICE, CAN_READ = {"type": "user", "id": "alice@example.com"}, {"name": "can_read"}
ACCOUNT, TIME = {"type": "account", "id": "123"}, {"time": "2024-10-26T01:22-07:00"}
DOCUMENTS = [{"resource": {"type": "document", "id": name}} for name in ("1", "2", "3")]
# The requests of the specification's own examples (sections 6.1.1, 7.1, 7.1.1, 7.1.2, 8.2.3, 8.4.2, 8.5.2, 8.6.2).
OF_THE_SPECIFICATION: list[tuple[str, dict[str, Any], int]] = [
    (EVALUATION, {"subject": ALICE, "resource": ACCOUNT, "action": CAN_READ | {"properties": {"method": "GET"}},
                  "context": {"time": "1985-10-26T01:22-07:00"}}, 0),
    (EVALUATIONS, several(*({"subject": ALICE, "action": CAN_READ, "context": TIME} | row for row in DOCUMENTS)), 3),
    (EVALUATIONS, several(*({"action": CAN_READ} | row for row in DOCUMENTS), subject=ALICE, context=TIME), 3),
    (EVALUATIONS, several(*DOCUMENTS[:2], {"action": {"name": "can_edit"}} | DOCUMENTS[2], subject=ALICE, context=TIME,
                          action=CAN_READ), 3),
    (EVALUATIONS, several({"resource": {"type": "doc", "id": "1"}, "subject": {"type": "doc", "id": "2"}},
                          options={"evaluations_semantic": "execute_all", "another_option": "value"}), 1),
    (EVALUATIONS, several(*DOCUMENTS, subject=ALICE, action={"name": "read"},
                          options={"evaluations_semantic": "deny_on_first_deny"}), 1),
    (EVALUATIONS, several(*DOCUMENTS, subject=ALICE, action={"name": "read"},
                          options={"evaluations_semantic": "permit_on_first_permit"}), 3),
    (RESOURCE_SEARCH, {"subject": ALICE, "action": CAN_READ, "resource": {"type": "account"}, "page": {"limit": 2}}, 0),
    (SUBJECT_SEARCH, {"subject": {"type": "user"}, "action": CAN_READ, "resource": ACCOUNT, "context": TIME}, 0),
    (RESOURCE_SEARCH, {"subject": ALICE, "action": CAN_READ, "resource": {"type": "account"}}, 0),
    (ACTION_SEARCH, {"subject": ALICE, "resource": ACCOUNT, "context": TIME}, 0),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "decided"), OF_THE_SPECIFICATION)
def test_the_specification_s_own_requests_are_well_formed(
    served: Served, path: str, body: dict[str, Any], decided: int
) -> None:
    """Nobody here is alice and nothing an account: each example is understood, answered no, and leaves nothing."""
    before = served.run(served.rows())
    answer = send(served, path, body, **{"X-Request-ID": REQUEST_ID})

    assert answer.status_code == 200, answer.text
    if decided:
        assert decisions(answer) == [False] * decided
    elif path == EVALUATION:
        assert answer.json()["decision"] is False
    else:
        assert results(answer) == []
    assert served.run(served.rows()) == before
