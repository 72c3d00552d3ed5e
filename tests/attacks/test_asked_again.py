"""A unit that does not take no for an answer; and what the refusal to ask again could tell of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from broker.adapters.clock_system import FixedClock
from broker.consents.lapse import lapse_unanswered
from broker.domain.facts import CustodyHolder
from broker.domain.personal import Personal
from broker.ports import Ports
from demo.postgres import PrivatePostgres
from tests.attacks.test_desk import LINES, WANTED, of
from tests.builders import CHILD, CITIZEN, FAMILY, HEALTH, NOON, SOCIAL
from tests.fakes.registers import FakePeople
from tests.front import Front, open_front

FATHER = Personal("6505700011")
REASON = "Din nye bostøtte gør, at vi må se på planen igen."


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces over real databases."""
    async with open_front(postgres, tmp_path) as made:
        yield made


@pytest.fixture
async def two_parents(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """The same, where the child has two parents who both must say yes."""

    def change(ports: Ports) -> Ports:
        people = ports.people
        assert isinstance(people, FakePeople)
        child = people.persons[CHILD]
        both = (*child.custody, CustodyHolder(FATHER, 4))
        people.persons[CHILD] = replace(child, custody=both)
        return ports

    async with open_front(postgres, tmp_path, change) as made:
        yield made


PLAN = str(WANTED["purpose"])


async def ask(front: Front, **changes: object) -> tuple[int, str]:
    """Ask the citizen; give the status, and the request's id or the problem's kind."""
    answer = await front.post("/v1/consent-requests", WANTED | changes)
    body = answer.json()
    return answer.status_code, body["id"] if answer.status_code == 201 else body["type"].rpartition(":")[2]


async def refuse(front: Front, request: str) -> None:
    """Let whoever is logged in say no."""
    assert (await front.post(f"/v1/me/consent-requests/{request}/refuse", {})).status_code == 200


EVASIONS: dict[str, Callable[[], dict[str, object]]] = {
    "just again": dict,
    "other lines": lambda: {"lines": [{"source": HEALTH, "category": "H01"}]},
    "other days": lambda: {"to": "2019-06-30"},
    "another word to the citizen": lambda: {"why": "Vi vil gerne spørge dig om noget helt andet."},
    "a reason of nothing": lambda: {"again": " . , - ! ? : ; ( ) . , - !"},
}


@pytest.mark.parametrize("way", EVASIONS)
async def test_a_no_is_not_asked_round(front: Front, way: str) -> None:
    """The same unit and purpose is refused whatever else is changed; with a reason it is put before the citizen."""
    _, first = await ask(front)
    await refuse(front, first)

    assert await ask(front, **EVASIONS[way]()) == (409, "asked-again")
    assert (await ask(front, again=REASON))[0] == 201


async def test_a_reason_serves_once(front: Front) -> None:
    """Neither an earlier reason nor an earlier word to the citizen is a new one, in other letters and marks either."""
    _, first = await ask(front, why="Vi vil gerne lave en plan.")
    await refuse(front, first)
    _, second = await ask(front, again=REASON)
    await refuse(front, second)

    for used in (REASON, REASON.upper().replace(" ", "  "), "vi vil gerne lave en plan"):
        assert await ask(front, again=used) == (409, "asked-again")


async def test_the_refusal_says_no_more_than_the_unit_knows(front: Front) -> None:
    """It names the last day and nothing else; no case, no line, no caseworker, nothing of what was sent."""
    _, first = await ask(front)
    await refuse(front, first)

    answer = await front.post("/v1/consent-requests", WANTED)

    assert answer.json() == {
        "type": "urn:borgerbro:problem:asked-again",
        "title": "The citizen said no a short time ago. Ask again only with a reason in new words.",
        "status": 409,
        "until": "2019-04-03",
    }


async def test_another_units_no_does_not_show(front: Front) -> None:
    """In a world where another unit had a no, this unit's request goes the way it goes where nobody asked."""
    _, first = await ask(front)
    await refuse(front, first)
    (citizen,) = await front.databases.vault.citizens([CITIZEN])
    consents = front.databases.consents

    assert len(await consents.earlier_requests("korsbaek", "jobcentre", PLAN, [citizen])) == 1
    for municipality, unit in (("korsbaek", "social-centre"), ("norrestrand", "jobcentre")):
        assert await consents.earlier_requests(municipality, unit, PLAN, [citizen]) == ()
    front.caller = of("social-centre")
    assert (await front.get(f"/v1/consent-requests/{first}")).status_code == 404


@pytest.mark.parametrize("said", ["refuse", None])
async def test_one_parents_no_does_not_show_before_all_have_answered(two_parents: Front, said: str | None) -> None:
    """While the other has not answered, a new request is taken, whether the one said no or nothing (P6)."""
    child = {"lines": [{"source": FAMILY, "category": "F01"}]}
    status, first = await ask(two_parents, **child)
    assert status == 201
    if said:
        await refuse(two_parents, first)

    assert (await ask(two_parents, **child))[0] == 201
    two_parents.citizen = FATHER
    await refuse(two_parents, first)
    assert (await ask(two_parents, **child))[0] == (409 if said else 201)


async def test_what_was_left_out_of_a_yes_is_not_asked_round(front: Front) -> None:
    """One who said yes to some has said no to the rest; what they said yes to goes on holding."""
    _, first = await ask(front, lines=[*LINES, {"source": SOCIAL, "category": "S02"}])
    assert (await front.post(f"/v1/me/consent-requests/{first}/grant", {"lines": [0]})).status_code == 200

    assert await ask(front, lines=[{"source": SOCIAL, "category": "S02"}]) == (409, "asked-again")


async def test_the_other_parent_can_be_asked(two_parents: Front) -> None:
    """One parent's yes stands; that the other has not answered is no no, and a new request is taken."""
    child = {"lines": [{"source": FAMILY, "category": "F01"}]}
    _, first = await ask(two_parents, **child)
    assert (await two_parents.post(f"/v1/me/consent-requests/{first}/grant", {})).status_code == 200

    assert (await ask(two_parents, **child))[0] == 201


async def test_the_citizen_sees_how_often_they_were_asked(front: Front) -> None:
    """Each earlier time is there with their own answer, and the reason; a reason without a no before it too."""
    _, first = await ask(front)
    await refuse(front, first)
    await ask(front, again=REASON)

    rows = (await front.get("/v1/me/consent-requests")).json()["requests"]
    newest = next(row for row in rows if row["state"] == "requested")

    assert newest["again"] == REASON
    assert [row["answer"] for row in newest["asked_before"]] == ["refused"]


async def test_two_nodes_close_a_request_once(front: Front) -> None:
    """Nobody answers: after the last day one entry says so, however many nodes look, and the words stay sealed."""
    _, first = await ask(front, lines=[*LINES, {"source": SOCIAL, "category": "S02"}], why="Vi vil gerne lave en plan.")
    node = await front.databases.vault.node("a")
    open_still = await lapse_unanswered("korsbaek", node, front.ports)
    late = replace(front.ports, clock=FixedClock(NOON + timedelta(days=31)))

    closed = await asyncio.gather(*(lapse_unanswered("korsbaek", node, late) for _ in range(3)))
    again = await lapse_unanswered("korsbaek", node, late)
    (citizen,) = await front.databases.vault.citizens([CITIZEN])
    page = await front.databases.reader.of_subject(citizen)

    assert (open_still, sum(closed), again) == (0, 1, 0)
    (entry,) = [entry for entry in page.entries if entry.kind == "consent.unanswered"]
    assert entry.body is not None
    assert entry.body["consent"] == first
    assert {category for _, _, category in entry.body["lines"]} == {"S01", "S02"}
    assert (await front.post(f"/v1/me/consent-requests/{first}/grant", {})).status_code == 409
    assert (await front.get(f"/v1/consent-requests/{first}")).json()["state"] == "expired"
