"""A caseworker at a desk who means harm: consents and requests that are none of theirs, and what refusals tell."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.clock_system import FixedClock
from broker.consents.desk import TakenYes, record_at_desk
from broker.consents.desk_answer import SaidYes, yes_at_desk
from broker.consents.lines import Wanted, WantedLine
from broker.domain.errors import Conflict, MayNotOpen
from broker.domain.facts import CustodyHolder
from broker.domain.identity import Caller, Role, System
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CHILD, CITIZEN, FAMILY, FAR, HEALTH, NOON, PURPOSE, SOCIAL, STRANGER, a_caller
from tests.fakes.registers import FakePeople
from tests.front import Front, open_front

ASK = {"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE}
LINES = [{"source": SOCIAL, "category": "S01"}]
WANTED = ASK | {"lines": LINES, "to": "2020-03-03"}
ORAL = {"form": "oral", "evidence": "They said yes, trust me, it was on the phone.", "identity_checked": True}
A_WISH = Wanted(CITIZEN, PURPOSE, Personal(CASE), (WantedLine(SOCIAL, "S01"),), 20200303)
A_YES = TakenYes("oral", "da", Personal("Read aloud at the desk, and read back."))
TAKEN_BACK = {"citizen": CITIZEN.disclose(), "identity_checked": True}


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces over real databases."""
    async with open_front(postgres, tmp_path) as made:
        yield made


def of(unit: str, municipality: str = "korsbaek", *roles: str) -> Caller:
    """Name a caseworker of another unit, with these roles."""
    held = tuple(Role(name, ("15.*",), 3, attested_on=20190101) for name in roles or ("sagsbehandler",))
    says_who = {"id": Personal("mallory"), "cpr": Personal("6604770018")}
    caller = a_caller(unit=unit, municipality=municipality, roles=held, **says_who)
    return replace(caller, system=System(f"system-{unit}", municipality, frozenset({unit})))


async def a_request(front: Front, *lines: dict[str, str]) -> str:
    """Ask the citizen for consent as Lene; give the request's id."""
    answer = await front.post("/v1/consent-requests", WANTED | {"lines": list(lines) or LINES})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def a_consent(front: Front, *lines: dict[str, str]) -> str:
    """Let the citizen say yes; give the consent's id."""
    answer = await front.post(f"/v1/me/consent-requests/{await a_request(front, *lines)}/grant", {})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["consent"])


async def made_or_not(work: Awaitable[Any]) -> str:
    """Say whether something was made, or what stood against it."""
    try:
        await work
    except Conflict as conflict:
        return conflict.what
    return "made"


async def live_lines(front: Front) -> int:
    """Count the lines that are live, as the citizen sees them."""
    given = (await front.get("/v1/me/consents")).json()["consents"]
    return sum(line["state"] == "live" for consent in given for line in consent["lines"])


FAR_LINE = {"source": FAR, "category": "S01"}
STRANGERS = {
    "another unit of the municipality": of("social-centre"),
    "another unit whose system claims ours too": replace(of("social-centre"), system=a_caller().system),
    "the municipality whose source the consent opens": of("far-social-centre", "norrestrand"),
    "the desk of that municipality": of("far-social-centre", "norrestrand", "borgerservice"),
    "our unit, named to a foreign system": replace(a_caller(), system=of("far-social-centre", "norrestrand").system),
    "our unit, named to a system that does not speak for it": replace(a_caller(), system=of("social-centre").system),
}


@pytest.mark.parametrize("who", STRANGERS)
async def test_no_stranger_takes_a_citizens_yes_back(front: Front, who: str) -> None:
    """Who knows a consent's id and its giver's number still withdraws nothing that was not given to them."""
    consent = await a_consent(front, *LINES, FAR_LINE)
    before = await live_lines(front)

    front.caller = STRANGERS[who]
    answer = await front.post(f"/v1/consents/{consent}/withdrawal", TAKEN_BACK)

    assert answer.status_code == 404
    assert await live_lines(front) == before == 2


@pytest.mark.parametrize("desk", [a_caller(), of("health-centre", "korsbaek", "borgerservice")], ids=["unit", "desk"])
async def test_the_unit_and_the_citizens_desk_take_a_yes_back(front: Front, desk: Caller) -> None:
    """A call to the unit, or to Borgerservice, is enough; it needs no register and no case."""
    consent = await a_consent(front)
    front.caller = desk

    answer = await front.post(f"/v1/consents/{consent}/withdrawal", TAKEN_BACK)

    assert answer.status_code == 200
    assert await live_lines(front) == 0


def a_desk_role(**changes: Any) -> dict[str, Any]:
    """Hold the role of the desk, changed so."""
    return {"roles": (replace(Role("borgerservice", ("15.*",), 3, attested_on=20190101), **changes),)}


MAY_CLOSE_ALONE: dict[str, tuple[dict[str, Any], str]] = {
    "attested the day before a year ago": (a_desk_role(attested_on=20180303), "role_not_attested"),
    "attested tomorrow": (a_desk_role(attested_on=20190305), "role_not_attested"),
    "delegated by a neighbour": (a_desk_role(delegated_from="norrestrand"), "role_delegated"),
    "of no stated number": ({"cpr": None}, "no_number_stated"),
    "the citizen": ({"cpr": CITIZEN}, "own"),
}


@pytest.mark.parametrize("who", MAY_CLOSE_ALONE)
async def test_who_may_close_alone_opens_nothing(front: Front, who: str) -> None:
    """Whom the rules would not let ask says no yes and shares nothing again for a citizen; a stop is never refused."""
    changes, why = MAY_CLOSE_ALONE[who]
    consent = await a_consent(front)
    request = await a_request(front, {"source": SOCIAL, "category": "S02"})
    keeper = of("social-centre", "korsbaek", "borgerservice")
    front.caller = replace(keeper, caseworker=replace(keeper.caseworker, **changes))

    paused = await front.post(f"/v1/consents/{consent}/pause", TAKEN_BACK)
    resumed = await front.post(f"/v1/consents/{consent}/resumption", TAKEN_BACK)
    with pytest.raises(MayNotOpen) as caught:
        await yes_at_desk(request, SaidYes(None, "", A_YES), CITIZEN, front.caller, front.ports)
    withdrawn = await front.post(f"/v1/consents/{consent}/withdrawal", TAKEN_BACK)

    assert (paused.status_code, resumed.status_code, withdrawn.status_code) == (200, 403, 200)
    assert (resumed.json()["type"].rpartition(":")[2], resumed.json()["what"]) == ("may-not-open", why)
    assert caught.value.what == why
    assert await live_lines(front) == 0


async def test_a_role_attested_a_year_ago_to_the_day_opens(front: Front) -> None:
    """The last day of the year counts, as in an ask; so does a role for which the employer states no day."""
    consent = await a_consent(front)
    keeper = of("social-centre", "korsbaek", "borgerservice")
    for attested_on in (20180304, None):
        front.caller = replace(keeper, caseworker=replace(keeper.caseworker, **a_desk_role(attested_on=attested_on)))
        await front.post(f"/v1/consents/{consent}/pause", TAKEN_BACK)
        assert (await front.post(f"/v1/consents/{consent}/resumption", TAKEN_BACK)).status_code == 200
    assert await live_lines(front) == 1


async def test_a_desk_takes_back_for_the_giver_alone(front: Front) -> None:
    """With another citizen's number, or another consent's id, nothing is found and nothing is changed."""
    consent = await a_consent(front)
    other = TAKEN_BACK | {"citizen": STRANGER.disclose()}

    assert (await front.post(f"/v1/consents/{consent}/withdrawal", other)).status_code == 404
    assert (await front.post("/v1/consents/not-an-id/withdrawal", TAKEN_BACK)).status_code == 404
    unchecked = {"citizen": CITIZEN.disclose(), "identity_checked": False}
    assert (await front.post(f"/v1/consents/{consent}/withdrawal", unchecked)).status_code == 400
    assert await live_lines(front) == 1


@pytest.mark.parametrize("way", ["pause", "withdrawal"])
@pytest.mark.parametrize("role", ["sagsbehandler", "borgerservice"])
async def test_the_asking_unit_never_learns_by_a_try_which_parent_said_yes(front: Front, role: str, way: str) -> None:
    """Of two who are to answer, whoever was given a consent's id hears the same of each, and stops nothing."""
    father = Personal("6505700011")
    people: Any = front.ports.people
    both = (CustodyHolder(CITIZEN, 3), CustodyHolder(father, 4))
    people.persons[CHILD] = replace(people.persons[CHILD], custody=both)
    consent = await a_consent(front, {"source": FAMILY, "category": "F01"})
    tries = [(consent, CITIZEN), (consent, father), (consent, STRANGER), ("not-an-id", CITIZEN)]
    front.caller = of("jobcentre", "korsbaek", role)
    told = [
        await front.post(f"/v1/consents/{one}/{way}", TAKEN_BACK | {"citizen": who.disclose()}) for one, who in tries
    ]

    assert {(answer.status_code, answer.text) for answer in told} == {(404, told[0].text)}
    assert await live_lines(front) == 1
    front.caller = of("social-centre", "korsbaek", "borgerservice")
    assert (await front.post(f"/v1/consents/{consent}/{way}", TAKEN_BACK)).status_code == 200
    assert await live_lines(front) == 0


@pytest.mark.parametrize("who", STRANGERS)
async def test_no_stranger_reads_how_a_request_stands(front: Front, who: str) -> None:
    """A request's purpose, lines and answer are for the unit that made it: a neighbour in the town hall sees none."""
    request = await a_request(front)
    front.caller = STRANGERS[who]

    assert (await front.get(f"/v1/consent-requests/{request}")).status_code == 404


async def test_no_yes_is_recorded_for_a_citizen_without_relation(front: Front) -> None:
    """A desk cannot make up a consent: without a case with the citizen it is refused, and that is on the log."""
    made_up = WANTED | ORAL
    for wish in (made_up | {"citizen": STRANGER.disclose()}, made_up | {"case": "JC-2019-0999"}):
        answer = await front.post("/v1/consents", wish)
        assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (403, "CASE_MISMATCH")

    front.caller = of("social-centre")
    assert (await front.post("/v1/consents", made_up)).status_code == 403
    assert await live_lines(front) == 0
    assert (await front.get("/v1/accesses?kind=ask")).json()["entries"]


ROUND_A_NO: dict[str, dict[str, Any]] = {
    "by word of mouth": {},
    "on paper": {"form": "paper"},
    "for other lines and days": {"lines": [{"source": HEALTH, "category": "H01"}], "to": "2019-06-30"},
    "for once": {"limit": {"times": 1, "per": "consent"}},
}


@pytest.mark.parametrize("way", ROUND_A_NO)
async def test_a_unit_makes_no_yes_of_a_no(front: Front, way: str) -> None:
    """What the citizen said no to, the unit that asked records no yes to, whatever it says of how it was said."""
    request = await a_request(front)
    await front.post(f"/v1/me/consent-requests/{request}/refuse", {})

    answer = await front.post("/v1/consents", WANTED | ORAL | ROUND_A_NO[way])

    assert answer.status_code == 409
    assert answer.json()["what"] == "said_no_here"
    assert await live_lines(front) == 0
    assert (await front.get("/v1/accesses?kind=ask")).json()["entries"]


async def test_after_a_no_the_citizen_changes_their_own_mind(front: Front) -> None:
    """The unit asks again for a reason, and the citizen says yes to that; nothing was recorded in between."""
    await front.post(f"/v1/me/consent-requests/{await a_request(front)}/refuse", {})
    asked = await front.post("/v1/consent-requests", WANTED | {"again": "Din nye bostøtte gør det muligt."})

    assert (await front.post("/v1/consents", WANTED | ORAL)).status_code == 409
    assert (await front.post(f"/v1/me/consent-requests/{asked.json()['id']}/grant", {})).status_code == 200
    assert await live_lines(front) == 1


async def test_without_a_no_the_unit_records_what_it_was_told(front: Front) -> None:
    """Nobody asked, an open question and a no to another purpose stand in nobody's way; a no is over after 30 days."""
    await a_request(front)
    assert (await front.post("/v1/consents", WANTED | ORAL)).status_code == 201
    said_no = await a_request(front)
    await front.post(f"/v1/me/consent-requests/{said_no}/refuse", {})
    statuses = []
    for days in (30, 31):
        ports = replace(front.ports, clock=FixedClock(NOON + timedelta(days=days)))
        made = record_at_desk(str(uuid.uuid4()), A_WISH, A_YES, front.caller, ports)
        statuses.append(await made_or_not(made))

    assert statuses == ["said_no_here", "made"]


@pytest.mark.parametrize("checked", [{}, {"identity_checked": False}, {"identity_checked": "true"}])
async def test_no_yes_is_recorded_of_whom_nobody_checked(front: Front, checked: dict[str, Any]) -> None:
    """Who does not say that they checked the giver's identity records no yes, and nothing is sought."""
    unsaid = {name: ORAL[name] for name in ("form", "evidence")}

    assert (await front.post("/v1/consents", WANTED | unsaid | checked)).status_code == 400
    assert await live_lines(front) == 0


@pytest.mark.parametrize("path", ["/v1/consent-requests", "/v1/consents"])
async def test_nobody_without_a_case_learns_whose_child_somebody_is(front: Front, path: str) -> None:
    """A guess at a child's number is answered alike for the citizen's child and for anybody else."""
    desk = ORAL if path == "/v1/consents" else {}

    async def guess(child: Personal[str]) -> tuple[int, Any]:
        line = {"source": FAMILY, "category": "F01", "subject": child.disclose()}
        answer = await front.post(path, WANTED | desk | {"lines": [line], "case": "JC-2019-0999"})
        told = answer.json()
        return answer.status_code, {name: told[name] for name in told if name != "entry"}

    assert await guess(CHILD) == await guess(STRANGER)


async def test_a_request_for_consent_does_not_tell_of_a_block(front: Front) -> None:
    """Only the log knows a standing no; the request goes out as to anybody else, and opens nothing."""
    plain = await front.post("/v1/consent-requests", WANTED)
    await front.post("/v1/me/blocks", {"source": SOCIAL})
    blocked = await front.post("/v1/consent-requests", WANTED)

    hidden = {"id", "receipt"}
    first, second = ({n: v for n, v in a.json().items() if n not in hidden} for a in (plain, blocked))
    assert (plain.status_code, first) == (blocked.status_code, second)
    await front.post(f"/v1/me/consent-requests/{blocked.json()['id']}/grant", {})
    assert (await front.post("/v1/exchange", ASK)).status_code == 403


async def test_another_parent_reads_their_own_lines_alone(front: Front) -> None:
    """The other holder of custody sees neither what is asked about the citizen, nor the words written to them."""
    father = Personal("6505700011")
    people: Any = front.ports.people
    son = people.persons[CHILD]
    people.persons[CHILD] = replace(son, custody=(CustodyHolder(CITIZEN, 3), CustodyHolder(father, 4)))
    lines = [{"source": SOCIAL, "category": "S02"}, {"source": FAMILY, "category": "F01"}]
    asked = await front.post("/v1/consent-requests", WANTED | {"lines": lines, "why": "CANARY about the mother"})
    assert asked.status_code == 201, asked.text

    mothers = (await front.get("/v1/me/consent-requests")).text
    front.citizen = father
    fathers = await front.get("/v1/me/consent-requests")

    assert "CANARY" in mothers
    assert "CANARY" not in fathers.text
    assert "S02" not in fathers.text
    assert [line["category"] for line in fathers.json()["requests"][0]["my_lines"]] == ["F01"]


async def test_no_citizen_answers_for_another(front: Front) -> None:
    """Grant, refuse and withdraw with another's ids find nothing; their lists are empty."""
    consent, request = await a_consent(front), await a_request(front)
    block = (await front.post("/v1/me/blocks", {"source": FAMILY})).json()["block"]
    front.citizen = STRANGER

    tries = [
        await front.post(f"/v1/me/consent-requests/{request}/grant", {}),
        await front.post(f"/v1/me/consent-requests/{request}/refuse", {}),
        await front.post(f"/v1/me/consents/{consent}/withdraw", {}),
        await front.post(f"/v1/me/blocks/{block}/lift", {}),
    ]
    assert [answer.status_code for answer in tries] == [404, 404, 404, 404]
    for path, name in (("consents", "consents"), ("consent-requests", "requests"), ("blocks", "blocks")):
        assert (await front.get(f"/v1/me/{path}")).json()[name] == []
    assert (await front.get("/v1/me/accesses")).json()["entries"] == []


async def test_a_repeated_request_makes_one_thing_and_another_body_is_refused(front: Front) -> None:
    """The same key twice is one request; with another body, or by another person, it opens nothing of the first."""
    key = {"Idempotency-Key": "one"}
    first = await front.post("/v1/consent-requests", WANTED, **key)
    again = await front.post("/v1/consent-requests", WANTED, **key)
    other = await front.post("/v1/consent-requests", WANTED | {"to": "2020-01-01"}, **key)

    assert first.json()["id"] == again.json()["id"]
    assert (first.status_code, other.status_code) == (201, 422)
    assert "2020-01-01" not in other.text

    front.caller = replace(a_caller(), caseworker=replace(a_caller().caseworker, id=Personal("mallory")))
    assert (await front.post("/v1/consent-requests", WANTED, **key)).status_code == 403


async def test_a_grown_child_hears_nothing_of_a_parents_case(front: Front) -> None:
    """Neither an ask about a parent nor a request to them reaches a child of theirs who is of age."""
    people = front.ports.people
    assert isinstance(people, FakePeople)
    people.persons[CHILD] = replace(people.persons[CHILD], born=19990920, custody=())
    lines = [{"source": FAMILY, "category": "F01"}, {"source": SOCIAL, "category": "S01"}]

    assert (await front.post("/v1/exchange", ASK)).status_code == 403
    assert (await front.post("/v1/consent-requests", WANTED | {"lines": lines})).status_code == 201

    front.citizen = CHILD
    assert (await front.get("/v1/me/consent-requests")).json()["requests"] == []
    assert (await front.get("/v1/me/accesses")).json()["entries"] == []
    front.citizen = CITIZEN
    assert len((await front.get("/v1/me/accesses")).json()["entries"]) >= 3
