"""AuthZEN as a way round: another's rights, another citizen, an oracle, a flood, a header, a page of another search.

Whatever is tried: what is not decided here reads and writes nothing about anybody, and says the same of everybody.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from broker.domain.decisions import Decision
from broker.domain.errors import FactsChanged, LogUnavailable, PolicyUnavailable
from broker.domain.events import AskMade, OutcomeReached
from broker.domain.personal import Personal
from broker.evaluation.evaluate import evaluate
from broker.ports import Policy
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, SOCIAL, STRANGER, SmallHouse, a_caller, a_house, an_ask
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
from tests.front import Front, open_front
from tests.served_house import Served, open_served

CPR = re.compile(r"\d{6}-?\d{4}")
CANARY = "CANARY7f3a"
UNKNOWN = "6101010101"


@pytest.fixture(scope="module")
def served(postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve one house to all tests of this file."""
    with open_served(postgres, tmp_path_factory.mktemp("evaluated")) as made:
        yield made


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the JSON faces over fresh databases."""
    async with open_front(postgres, tmp_path) as opened:
        yield opened


def several(*rows: dict[str, Any], **top: Any) -> dict[str, Any]:
    """Ask several evaluations, of Lene's unless they say otherwise."""
    return {"subject": LENE, "action": READ, "context": CONTEXT} | top | {"evaluations": list(rows)}


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("another caseworker", {"subject": {"type": "caseworker", "id": "bo"}}),
    ("a system", {"subject": {"type": "system", "id": "momentum"}}),
    ("the citizen", {"subject": {"type": "citizen", "id": CITIZEN.disclose()}}),
    ("nearly oneself", {"subject": {"type": "caseworker", "id": "lene "}}),
    ("oneself in capitals", {"subject": {"type": "caseworker", "id": "LENE"}}),
    ("oneself by property", {"subject": {"type": "caseworker", "id": "bo", "properties": {"id": "lene"}}}),
    ("another action", {"action": {"name": "write"}}),
    ("every action", {"action": {"name": "*"}}),
    ("another type", {"resource": a_resource() | {"type": "citizen"}}),
    ("every category", {"resource": a_resource("social/*")}),
    ("a source alone", {"resource": a_resource("social")}),
    ("a way up", {"resource": a_resource("social/S01/../F01")}),
    ("a category the source lacks", {"resource": a_resource("social/B01")}),
]


@pytest.mark.parametrize(("what", "changes"), OTHERS)
def test_what_is_not_decided_here_is_the_same_no_for_everybody(
    served: Served, what: str, changes: dict[str, Any]
) -> None:
    """Another subject, action or thing is no, byte for byte, whoever the citizen is, and nothing is read or written."""
    before = served.run(served.rows())
    answers = []
    for citizen in (CITIZEN.disclose(), STRANGER.disclose(), UNKNOWN):
        body = an_evaluation(**changes)
        body["resource"] = body["resource"] | {"properties": {"citizen": citizen}}
        answers += [send(served, path, body, **{"X-Request-ID": "of-another"}) for path in (EVALUATION, EVALUATIONS)]

    assert {answer.status_code for answer in answers} == {200}, what
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["decision"] is False
    assert answers[0].json()["context"].keys() == {"error"}
    assert served.run(served.rows()) == before


def told(answer: httpx2.Response) -> dict[str, Any]:
    """Give an answer without what no two accesses share."""
    body: dict[str, Any] = answer.json()
    for name in ("ask", "receipt"):
        del body["context"][name]
    return body


def test_a_citizen_without_a_case_is_a_citizen_who_is_not(served: Served) -> None:
    """Somebody of whom the caller has no case, and a number that nobody has, are told of alike, and found alike."""
    who = [CITIZEN.disclose(), STRANGER.disclose(), UNKNOWN]
    mine, theirs, nobodys = (
        told(send(served, EVALUATION, an_evaluation(resource=a_resource(OWN, citizen)))) for citizen in who
    )
    searched = [
        told(send(served, RESOURCE_SEARCH, a_search(RESOURCE_SEARCH, resource=a_resource(OWN, citizen))))
        for citizen in who
    ]

    assert (mine["decision"], theirs["decision"]) == (True, False)
    assert theirs == nobodys
    assert searched[0]["results"]
    assert searched[1] == searched[2]
    assert searched[1]["results"] == []


def test_a_citizen_stands_in_the_resource_alone(served: Served) -> None:
    """A number anywhere else names nobody: the evaluation lacks its citizen, and none is taken from another row."""
    elsewhere = {"citizen": CITIZEN.disclose()}
    bare = {"type": "category", "id": GIVEN}
    bodies = [
        an_evaluation(resource=bare | elsewhere),
        an_evaluation(resource=bare, context=CONTEXT | elsewhere),
        an_evaluation(resource=bare, subject=LENE | {"properties": elsewhere}),
        an_evaluation(resource=bare, action=READ | {"properties": elsewhere}),
        an_evaluation(resource=bare) | elsewhere,
    ]
    before = served.run(served.rows())

    assert {send(served, EVALUATION, body).status_code for body in bodies} == {400}
    assert served.run(served.rows()) == before
    rows = send(served, EVALUATIONS, several({"resource": a_resource(OWN)}, {"resource": bare})).json()["evaluations"]
    assert [row["decision"] for row in rows] == [True, False]


PERSONAL: list[tuple[str, dict[str, Any]]] = [
    (EVALUATION, an_evaluation(subject={"type": "caseworker", "id": CITIZEN.disclose()})),
    (EVALUATION, an_evaluation(resource=a_resource(CITIZEN.disclose()))),
    (EVALUATION, an_evaluation(resource=a_resource(f"social/{CITIZEN.disclose()}"))),
    (EVALUATION, an_evaluation(action={"name": CITIZEN.disclose()})),
    (EVALUATION, an_evaluation(context=CONTEXT | {"purpose": CITIZEN.disclose()})),
    (EVALUATION, an_evaluation(context=CONTEXT | {"case": CITIZEN.disclose()})),
    (EVALUATION, an_evaluation(resource=a_resource(citizen=CITIZEN.disclose() + "x"))),
    (EVALUATION, {CITIZEN.disclose(): 1}),
    (EVALUATIONS, several({"resource": {CITIZEN.disclose(): 1}}, {CITIZEN.disclose(): 1}, {"context": "7102740022"})),
    (EVALUATIONS, several({}, options={"evaluations_semantic": CITIZEN.disclose()})),
    (RESOURCE_SEARCH, a_search(RESOURCE_SEARCH, page={"token": CITIZEN.disclose()})),
    (RESOURCE_SEARCH, a_search(RESOURCE_SEARCH, resource=all_of_the_citizen() | {"id": CITIZEN.disclose()})),
    (SUBJECT_SEARCH, a_search(SUBJECT_SEARCH, subject={"type": "caseworker", "id": CITIZEN.disclose()})),
    (SUBJECT_SEARCH, a_search(SUBJECT_SEARCH, subject={"type": CITIZEN.disclose()})),
    (ACTION_SEARCH, a_search(ACTION_SEARCH, action={"name": CITIZEN.disclose()})),
]


@pytest.mark.parametrize(("path", "body"), PERSONAL)
def test_no_answer_holds_a_number_of_a_person(served: Served, path: str, body: dict[str, Any]) -> None:
    """Wherever a CPR number is put, and in a good request too, no answer repeats it, in body or headers."""
    for sent in (body, asking(path)):
        answer = send(served, path, sent, **{"X-Request-ID": "r-1"})
        # Hashes and ids of ours are long: a number of a person stands by itself.
        words = re.findall(r"[\w-]+", answer.text + str(answer.headers))

        assert [word for word in words if CPR.fullmatch(word)] == []
        assert CITIZEN.disclose() not in answer.text


MANY: dict[str, dict[str, Any]] = {
    "ten thousand": {"evaluations": [{}] * 10_000},
    "one too many": several(*({"resource": a_resource(OWN)} for _ in range(101))),
    "ten thousand of a number": {"evaluations": [1] * 10_000},
    "eleven citizens": several(*({"resource": a_resource(OWN, f"61010101{n:02}")} for n in range(11))),
    "eleven purposes": several(
        *({"context": CONTEXT | {"purpose": f"p{n}"}} for n in range(11)), resource=a_resource()
    ),
    "eleven cases": several(*({"context": CONTEXT | {"case": f"c{n}"}} for n in range(11)), resource=a_resource()),
}


@pytest.mark.parametrize("what", MANY)
def test_far_too_many_are_refused_before_any_is_asked(served: Served, what: str) -> None:
    """Ten thousand evaluations, or more citizens, purposes or cases than ten, are a bad request and leave nothing."""
    before = served.run(served.rows())

    assert send(served, EVALUATIONS, MANY[what]).status_code == 400
    assert served.run(served.rows()) == before


async def test_every_ask_of_a_request_counts(front: Front) -> None:
    """A request about ten citizens counts as ten asks; one about a hundred places of one citizen as the one it is."""
    ten = [{"resource": a_resource(OWN, f"61010101{n:02}")} for n in range(1, 11)]
    await front.post(EVALUATIONS, several(*ten))
    # The gate, which a test's front does without, counts the first.
    assert front.counted == 9

    await front.post(EVALUATIONS, several(*({"resource": a_resource(OWN)} for _ in range(100))))
    assert front.counted == 9


async def test_at_the_ceiling_nobody_is_asked_about(front: Front) -> None:
    """A request that would go over the ceiling is refused whole (429), before its first citizen is asked about."""
    front.most = 5
    answer = await front.post(
        EVALUATIONS, several(*({"resource": a_resource(OWN, f"61010101{n:02}")} for n in range(1, 11)))
    )

    assert (answer.status_code, answer.headers.get("retry-after")) == (429, "60")
    assert (await front.get("/v1/me/accesses")).json()["entries"] == []
    async with front.databases.pool.acquire() as connection:
        assert await connection.fetchval("SELECT coalesce(sum(size), 0)::int FROM log.head") == 0


def nested(levels: int) -> Any:
    """Nest lists in lists."""
    made: Any = CANARY
    for _ in range(levels):
        made = [made]
    return made


JUNK: dict[str, dict[str, Any]] = {
    "deep": {"x": nested(200)},
    "wide": {f"{CANARY}{n}": n for n in range(400)},
    "huge": {"x": 1e308, "y": 2**63, "z": -(2**63)},
    "odd letters": {"\u0000": "\u202e", "__proto__": {"decision": True}, "constructor": CANARY},
    "an answer": {"decision": True, "released": True, "own": True, "outcome": "release"},
    "facts": {"roles": ["admin"], "case": {"open": True}, "consents": [{"state": "granted"}], "related": False},
}


@pytest.mark.parametrize("what", JUNK)
def test_junk_in_properties_decides_nothing_and_comes_back_nowhere(served: Served, what: str) -> None:
    """Whatever stands in properties or context beside what is read there, the decision is the same, without a word."""
    junk = JUNK[what]
    body = an_evaluation(
        NOT_GIVEN,
        subject=LENE | {"properties": junk},
        action=READ | {"properties": junk},
        context=junk | CONTEXT,
        resource=a_resource(NOT_GIVEN) | {"properties": junk | {"citizen": CITIZEN.disclose()}},
    )
    answer = send(served, EVALUATION, body)

    assert (answer.status_code, answer.json()["decision"]) == (200, False)
    assert CANARY not in answer.text


def test_nesting_without_end_is_a_bad_request(served: Served) -> None:
    """Lists in lists, as deep as a body can hold, are refused and leave nothing."""
    deep = json.dumps(an_evaluation()).replace('"citizen"', '"x":' + "[" * 20_000 + "]" * 20_000 + ',"citizen"')
    before = served.run(served.rows())
    headers = served.credentials("system", "POST", EVALUATION) | {"Content-Type": "application/json"}
    answer = httpx2.post(served.address + EVALUATION, content=deep, headers=headers, timeout=30)

    assert answer.status_code == 400
    assert served.run(served.rows()) == before


BAD_IDS: list[list[bytes]] = [
    [b"a", b"b"], [b"same", b"same"], [b""], [b"x" * 129], [b"two words"], [b"\xc3\xa6\xc3\xb8"], [b"\x80"],
    [b"710274-0022"], [b"7102740022"], [b"citizen=7102740022"], [b"a\tb"], [b"a", b""],
]  # fmt: skip


@pytest.mark.parametrize("ids", BAD_IDS, ids=str)
@pytest.mark.parametrize("path", POSTS)
def test_a_request_id_that_cannot_come_back_is_refused(served: Served, path: str, ids: list[bytes]) -> None:
    """Two ids, none, one too long, of other letters or of a person's number: 400, not given back, nothing asked."""
    before = served.run(served.rows())
    headers = [(name.encode(), value.encode()) for name, value in served.credentials("system", "POST", path).items()]
    headers += [(b"x-request-id", value) for value in ids]
    answer = httpx2.post(served.address + path, json=asking(path), headers=headers, timeout=30)

    assert (answer.status_code, answer.json().get("what")) == (400, "x_request_id")
    assert "x-request-id" not in answer.headers
    assert served.run(served.rows()) == before


INJECTED = [
    b"a\r\nSet-Cookie: x=1", b"a\nSet-Cookie: x=1", b"a\rSet-Cookie: x=1", b"a\r\n Set-Cookie: x=1", b"a\0b",
    b"a%0d%0aSet-Cookie:%20x=1",
]  # fmt: skip


@pytest.mark.parametrize("value", INJECTED)
def test_a_request_id_sets_no_header(served: Served, value: bytes) -> None:
    """A break in an id, however it is written, never becomes a header of the answer."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as line:
        line.sendall(
            b"POST /access/v1/evaluation HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n"
            b"X-Request-ID: " + value + b"\r\n\r\n"
        )
        answer = b""
        while chunk := line.recv(65_536):
            answer += chunk
    head = answer.partition(b"\r\n\r\n")[0].lower()

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401"))
    assert not re.search(rb"^set-cookie:", head, re.MULTILINE)


def test_an_id_comes_back_from_these_addresses_alone(served: Served) -> None:
    """Other addresses do not give the header back: it is AuthZEN's."""
    answer = httpx2.get(served.address + "/health/live", headers={"X-Request-ID": CANARY}, timeout=30)

    assert "x-request-id" not in answer.headers


def page_of(served: Served, **changes: Any) -> httpx2.Response:
    """Search a page of all of the citizen."""
    return send(served, RESOURCE_SEARCH, a_search(RESOURCE_SEARCH, **changes))


ANOTHER: list[dict[str, Any]] = [
    {"resource": all_of_the_citizen() | {"properties": {"citizen": STRANGER.disclose()}}},
    {"context": CONTEXT | {"purpose": "stoette_til_familien"}},
    {"context": CONTEXT | {"case": "JC-1"}},
    {"context": CONTEXT | {"more": 1}},
    {"action": READ | {"properties": {"x": 1}}},
]


@pytest.mark.parametrize("changes", ANOTHER)
def test_a_page_of_another_search_is_refused(served: Served, changes: dict[str, Any]) -> None:
    """Section 8.2.1: with a token all else is as it was; another citizen, purpose or case is an error."""
    token = page_of(served, page={"limit": 1}).json()["page"]["next_token"]
    before = served.run(served.rows())
    answer = page_of(served, page={"token": token}, **changes)

    assert (answer.status_code, answer.json().get("what")) == (400, "another_search")
    assert page_of(served, page={"token": token, "limit": 2}).status_code == 400
    assert send(served, ACTION_SEARCH, a_search(ACTION_SEARCH, page={"token": token})).status_code == 400
    assert served.run(served.rows()) == before


def test_a_token_is_another_callers_nothing(served: Served) -> None:
    """A token is bound to who asked: a changed, cut or made-up one is refused, and none tells of the citizen."""
    token = page_of(served, page={"limit": 1}).json()["page"]["next_token"]
    changed = ["A" * len(token), token[:-4], token + "AAAA", "=", "é", "AAAA", token[4:], "//////8=" + token]

    assert {page_of(served, page={"token": bad}).status_code for bad in changed} == {400}
    assert CITIZEN.disclose() not in token


async def test_a_token_goes_with_the_caseworker(front: Front) -> None:
    """A page that one caseworker began is no page of another's."""
    begun = await front.post(RESOURCE_SEARCH, a_search(RESOURCE_SEARCH, page={"limit": 1}))
    token = begun.json()["page"]["next_token"]
    front.caller = a_caller(id=Personal("bo"))
    body = a_search(RESOURCE_SEARCH, subject={"type": "caseworker", "id": "bo"}, page={"token": token})

    assert (await front.post(RESOURCE_SEARCH, body)).status_code == 400


class Watching:
    """The real policy, which does something before it answers."""

    def __init__(self, policy: Policy, act: Any, *, dies_after: int = 99) -> None:
        self._policy, self._act, self._left = policy, act, dies_after
        self.mark = policy.mark
        self.questions: list[Mapping[str, Any]] = []

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Act, and answer the question."""
        if not self._left:
            raise PolicyUnavailable
        self._left -= 1
        self.questions.append(question)
        decision = await self._policy.decide(question)
        self._act()
        return decision


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house, where the citizen said yes to one category of one source."""
    made = asyncio.run(a_house(tmp_path))
    made.consents.standing.append(made.consented(SOCIAL, "S01"))
    return made


ASKED = {"sources": frozenset({SOCIAL}), "categories": frozenset({"S01"}), "places": frozenset({(SOCIAL, "S01")})}


def withdraw(house: SmallHouse) -> None:
    """Let the citizen take their yes back."""
    house.consents.standing.clear()
    house.consents.versions[house.citizen] = house.consents.versions.get(house.citizen, 0) + 1


def test_a_yes_withdrawn_meanwhile_is_no_yes(house: SmallHouse) -> None:
    """P3: who withdraws while an evaluation is decided has withdrawn for it too; it is judged again, and told no."""
    policy = Watching(house.ports.policy, lambda: withdraw(house) if len(policy.questions) == 1 else None)
    found = asyncio.run(evaluate(an_ask(**ASKED), a_caller(), replace(house.ports, policy=policy)))
    _, outcome = house.log.events

    assert found.rows[SOCIAL, "S01"].outcome == "withhold"
    assert len(policy.questions) == 2
    assert isinstance(outcome, OutcomeReached)
    assert (outcome.outcome, outcome.judged_again, outcome.sources_read) == ("evaluated", True, ())


@pytest.mark.parametrize("dies_after", [1, 99])
def test_who_cannot_be_judged_is_told_nothing(house: SmallHouse, dies_after: int) -> None:
    """With no second judgement to be had nothing is answered, and that is what the citizen's list says."""
    policy = Watching(house.ports.policy, lambda: withdraw(house), dies_after=dies_after)
    with pytest.raises(PolicyUnavailable if dies_after == 1 else FactsChanged):
        asyncio.run(evaluate(an_ask(**ASKED), a_caller(), replace(house.ports, policy=policy)))
    *_, outcome = house.log.events

    assert isinstance(outcome, OutcomeReached)
    assert outcome.outcome == "evaluated"
    assert {code for verdict in outcome.verdicts for code in verdict.reasons} == {"POLICY_ERROR"}


def test_with_the_log_down_nothing_is_read_and_nothing_told(house: SmallHouse) -> None:
    """P2: an evaluation that the log does not take reads no register; an outcome it does not take is not answered."""
    house.log.broken = True
    with pytest.raises(LogUnavailable):
        asyncio.run(evaluate(an_ask(**ASKED), a_caller(), house.ports))
    assert house.people.asked == []

    house.log.broken = False

    def fall() -> None:
        house.log.broken = True

    policy = Watching(house.ports.policy, fall)
    with pytest.raises(LogUnavailable):
        asyncio.run(evaluate(an_ask(**ASKED), a_caller(), replace(house.ports, policy=policy)))
    assert [type(event) for event in house.log.events] == [AskMade]


def test_an_evaluation_asks_of_its_places_alone(house: SmallHouse) -> None:
    """Two places are two keys, though their sources and categories cross to four; and no source is read."""
    places = frozenset({(SOCIAL, "S01"), ("far-social", "S02")})
    ask = an_ask(sources=frozenset({SOCIAL, "far-social"}), categories=frozenset({"S01", "S02"}), places=places)
    policy = Watching(house.ports.policy, lambda: None)
    found = asyncio.run(evaluate(ask, a_caller(), replace(house.ports, policy=policy)))

    assert found.rows.keys() == places
    assert {(key["source"], key["category"]) for key in policy.questions[0]["keys"]} == places
    assert len(policy.questions) == 1
    assert [source.asked for source in house.sources.values() if source.asked] == []
