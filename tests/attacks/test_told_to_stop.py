"""Whoever would learn from the list of stopped yeses what they never got, or say in another's name that they heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from broker.adapters.clock_system import FixedClock
from broker.adapters.database import Scope, scoped
from broker.adapters.eraser_sql import _NOT_TOLD_TO_STOP, _UNTOLD
from broker.adapters.erasure_rows import hold_still
from broker.adapters.stops_sql import StopsSql
from broker.consents.stops import _events
from broker.domain.errors import NotFound
from broker.domain.identity import System
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CHILD, CITIZEN, FAMILY, HEALTH, NOON, PURPOSE, SOCIAL, STRANGER
from tests.evaluations import EVALUATION, an_evaluation
from tests.front import Front, open_front

LIST = "/v1/withdrawals"
ASK = {"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE, "sources": [SOCIAL], "categories": ["S01"]}
WANTED = {
    "citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE, "to": "2019-06-03",
    "lines": [{"source": SOCIAL, "category": "S01"}, {"source": SOCIAL, "category": "S02"}],
}  # fmt: skip
OTHERS = {
    "another unit of the municipality": System("other", "korsbaek", frozenset({"family-centre"})),
    "the source's own unit": System("social", "korsbaek", frozenset({"social-centre"})),
    "another municipality with a unit of the name": System("far", "oestby", frozenset({"jobcentre"})),
    "a system without units": System("none", "korsbaek", frozenset()),
}
GIVERS = {"mother": CITIZEN, "child": CHILD}
NOT_YET = {"received_at": None, "received_by": 0}
NOBODYS = "6f0c2f2e-9a54-4f0e-8f3e-2b6f3f1c7a10"


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces over real databases."""
    async with open_front(postgres, tmp_path) as made:
        yield made


async def a_yes(front: Front, **wish: Any) -> tuple[str, str]:
    """Let the citizen say yes; give the request's id and the consent's."""
    asked = (await front.post("/v1/consent-requests", WANTED | wish)).json()["id"]
    return asked, (await front.post(f"/v1/me/consent-requests/{asked}/grant", {})).json()["consent"]


async def look(front: Front, **changes: Any) -> int:
    """Ask for what the yes opens."""
    return (await front.post("/v1/exchange", ASK | changes)).status_code


async def stop(front: Front, consent: str, way: str = "withdraw") -> None:
    """Let the citizen change their yes."""
    answer = await front.post(f"/v1/me/consents/{consent}/{way}", {})
    assert answer.status_code == 200, answer.text


async def listed(front: Front, query: str = "") -> list[dict[str, Any]]:
    """Pull what the system was not heard to receive."""
    answer = await front.get(LIST + query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["withdrawals"])


async def told(front: Front, of: str | None = None) -> dict[str, Any]:
    """Give, by category, what the citizen reads of each line that its unit is told of."""
    (consent,) = [row for row in (await front.get("/v1/me/consents")).json()["consents"] if of in {None, row["id"]}]
    return {line["category"]: line["told"] for line in consent["lines"] if "told" in line}


def moved_to(front: Front, at: datetime) -> None:
    """Set the clock."""
    clock = front.ports.clock
    assert isinstance(clock, FixedClock)
    clock.at = at


async def kinds(front: Front) -> list[str]:
    """Name the entries about the citizen, oldest first."""
    (citizen,) = await front.databases.vault.citizens([CITIZEN])
    return [entry.kind for entry in reversed((await front.databases.reader.of_subject(citizen)).entries)]


async def kept_back_until_april(front: Front) -> datetime:
    """Let the law keep back what the unit asks about the citizen; until when."""
    (citizen,) = await front.databases.vault.citizens([CITIZEN])
    ends = NOON.replace(month=4)
    superuser = await asyncpg.connect(front.databases.admin)
    try:
        await superuser.execute(
            "INSERT INTO log.deferral (id, tenant, citizen, unit, ground, secret, asked_by, asked_at, until_at,"
            " approved_by, from_at) VALUES ($1, 'korsbaek', $2, 'jobcentre', 'dbl22_2', $3, 'a', $4, $5, 'b', $6)",
            uuid4(), citizen, b"s" * 32, int(NOON.timestamp()) - 9, int(ends.timestamp()), int(NOON.timestamp()) - 8,
        )  # fmt: skip
    finally:
        await superuser.close()
    return ends


async def test_what_a_unit_got_is_told_once_it_stops(front: Front) -> None:
    """While it holds there is nothing; then the line that something went out on, and no other, until it is received."""
    request, consent = await a_yes(front)
    before_it_was_used = await listed(front)
    assert await look(front) == 200
    while_it_holds = (await listed(front), await told(front))
    await stop(front, consent)
    (found,) = await listed(front)
    waits = await told(front)
    answer = await front.post(f"{LIST}/{found['id']}/acknowledgement", {})

    assert (before_it_was_used, while_it_holds) == ([], ([], {}))
    assert found == {
        "id": f"{consent}.2", "consent": consent, "request": request, "unit": "jobcentre", "purpose": PURPOSE,
        "since": "2019-03-04T11:00:00+00:00", "lines": [{"source": SOCIAL, "category": "S01"}], "received_at": None,
    }  # fmt: skip
    assert waits == {"S01": NOT_YET}
    assert answer.json() == {"withdrawal": found["id"], "received_at": "2019-03-04T11:00:00+00:00"}
    assert await told(front) == {"S01": {"received_at": "2019-03-04T11:00:00+00:00", "received_by": 1}}
    assert await listed(front) == []
    assert [row["id"] for row in await listed(front, "?received=yes")] == [found["id"]]
    assert (await kinds(front))[-2:] == ["consent.withdrawn", "stop.received"]


@pytest.mark.parametrize("who", OTHERS)
async def test_who_got_nothing_hears_nothing(front: Front, who: str) -> None:
    """Nobody else sees it or can say that they heard: byte for byte the answer for what is not there."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent)
    mine = front.caller
    front.caller = replace(mine, system=OTHERS[who])
    nowhere = f"{uuid4()}.2"
    answers = [await front.post(f"{LIST}/{name}/acknowledgement", {}) for name in (f"{consent}.2", nowhere)]

    assert await listed(front) == await listed(front, "?received=yes") == []
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({answer.content for answer in answers}) == 1
    front.caller = mine
    assert await told(front) == {"S01": NOT_YET}


async def test_a_yes_on_which_nothing_went_out_is_nobodys_news(front: Front) -> None:
    """Not for having asked whether one may, not where the source was silent, not where another line was used."""
    _, consent = await a_yes(front)
    assert (await front.post(EVALUATION, an_evaluation(f"{SOCIAL}/S01"))).json()["decision"]
    source: Any = front.ports.sources[SOCIAL]
    source.fails = "timeout"
    assert await look(front) == 200
    source.fails = None
    await stop(front, consent)

    assert (await listed(front), await told(front)) == ([], {})
    assert (await front.post(f"{LIST}/{consent}.2/acknowledgement", {})).status_code == 404


async def test_how_it_stopped_is_not_told(front: Front) -> None:
    """Paused, taken back or run out, the list has the same words; and what holds again is gone from it."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent, "pause")
    (paused,) = await listed(front)
    await stop(front, consent, "resume")
    resumed = await listed(front)
    late = await front.post(f"{LIST}/{paused['id']}/acknowledgement", {})
    moved_to(front, NOON.replace(month=6, day=4))
    (over,) = await listed(front)
    at_its_end = await told(front)
    await front.post(f"{LIST}/{over['id']}/acknowledgement", {})

    assert {name for name in paused if paused[name] != over[name]} == {"id", "since"}
    assert (resumed, late.status_code) == ([], 200)
    assert (over["id"], over["since"]) == (f"{consent}.0", "2019-06-03T22:00:00+00:00")
    assert (at_its_end, await listed(front)) == ({"S01": NOT_YET}, [])
    assert (await told(front))["S01"]["received_at"] == "2019-06-04T11:00:00+00:00"


async def test_what_was_paused_and_then_taken_back_is_told_anew(front: Front) -> None:
    """The word that the pause was received does not stand for the stop that followed."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent, "pause")
    await front.post(f"{LIST}/{consent}.2/acknowledgement", {})
    rests = await told(front)
    await stop(front, consent)

    assert rests["S01"]["received_at"] is not None
    assert await told(front) == {"S01": NOT_YET}
    assert [row["id"] for row in await listed(front)] == [f"{consent}.3"]


async def test_said_many_times_at_once_it_is_received_once(front: Front) -> None:
    """Of eight at once all hear the same, and one entry stands on the log."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent)
    answers = await asyncio.gather(*(front.post(f"{LIST}/{consent}.2/acknowledgement", {}) for _ in range(8)))

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert (await kinds(front)).count("stop.received") == 1


async def test_a_version_that_stopped_nothing_cannot_be_received(front: Front) -> None:
    """Not the yes itself, not what is to come, not that its last day is over before it is, not that it holds again."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent, "pause")
    await stop(front, consent, "resume")
    names = [f"{consent}.{step}" for step in (0, 1, 3, 4, 999999999)]
    answers = [await front.post(f"{LIST}/{name}/acknowledgement", {}) for name in names]

    assert [answer.status_code for answer in answers] == [404] * len(names)
    assert "stop.received" not in await kinds(front)


@pytest.mark.parametrize(
    "name", ["%00", "x", "..", CITIZEN.disclose(), "{}.02", "{}.-1", "{}.9999999999", "{}.2.2", "{}", "{}.%00", "{}.٢"]
)
async def test_a_name_that_is_none_is_not_there(front: Front, name: str) -> None:
    """It is refused as what is not there, and nothing of it is repeated."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent)
    answer = await front.post(f"{LIST}/{name.format(consent)}/acknowledgement", {})

    assert answer.status_code == 404
    assert CITIZEN.disclose() not in answer.text
    assert await told(front) == {"S01": NOT_YET}


@pytest.mark.parametrize(
    "query",
    ["?cursor=x", "?cursor=1.2.3", "?cursor=%00", "?limit=0", "?limit=201", "?received=both",
     f"?cursor={'9' * 17}.{NOBODYS}.2", f"?cursor=1.{NOBODYS}.-1"],
)  # fmt: skip
async def test_a_mark_that_was_never_given_is_refused(front: Front, query: str) -> None:
    """It is malformed, said so, and shows nothing."""
    assert (await front.get(LIST + query)).status_code == 400


async def test_pages_neither_skip_nor_repeat(front: Front) -> None:
    """Page by page each stop comes once, also while those that were shown are received."""
    stopped = []
    for minute in range(5):
        moved_to(front, NOON.replace(minute=minute))
        _, consent = await a_yes(front, again=f"Vi ved nu noget nyt, nummer {minute}")
        assert await look(front) == 200
        await stop(front, consent)
        stopped.append(f"{consent}.2")
    found: list[str] = []
    cursor = ""
    while True:
        page = (await front.get(f"{LIST}?limit=2{cursor}")).json()
        found += [row["id"] for row in page["withdrawals"]]
        await front.post(f"{LIST}/{page['withdrawals'][0]['id']}/acknowledgement", {})
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"

    assert found == stopped
    assert len(await listed(front)) == 2


async def test_another_citizen_and_another_unit_see_nothing_of_it(front: Front) -> None:
    """What a unit received of one citizen's yes stands on nobody else's page."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent)
    front.citizen = STRANGER

    assert (await front.get("/v1/me/consents")).json()["consents"] == []


async def test_two_looks_at_once_on_a_fresh_yes_both_go_out(front: Front) -> None:
    """Both are the first; neither waits for the other for ever, and the line is noted once."""
    _, consent = await a_yes(front)
    async with asyncio.timeout(30):
        both = await asyncio.gather(*(look(front, categories=["S01", "S02"]) for _ in range(6)))
    await stop(front, consent)
    (found,) = await listed(front)

    assert both == [200] * 6
    assert [line["category"] for line in found["lines"]] == ["S01", "S02"]


async def test_of_a_yes_taken_back_under_a_running_ask_nothing_went_out(front: Front) -> None:
    """Where the stop was first, the outcome is judged again, and the unit is not told of what it never got."""
    _, consent = await a_yes(front)
    source: Any = front.ports.sources[SOCIAL]
    read = source.read

    async def stopped_meanwhile(*args: Any, **named: Any) -> Any:
        found = await read(*args, **named)
        await stop(front, consent)
        return found

    source.read = stopped_meanwhile
    assert await look(front) == 403

    assert (await listed(front), await told(front)) == ([], {})


async def test_what_the_law_keeps_back_shows_neither_here(front: Front) -> None:
    """While the unit's asks are kept back the citizen reads not that it is told, nor that it heard; afterwards both."""
    _, consent = await a_yes(front)
    ends = await kept_back_until_april(front)
    await look(front)
    await stop(front, consent)
    (found,) = await listed(front)
    before = await told(front)
    await front.post(f"{LIST}/{found['id']}/acknowledgement", {})
    kept_back = (await told(front), await kinds(front))
    moved_to(front, ends)

    assert (before, kept_back[0]) == ({}, {})
    assert kept_back[1] == ["consent.requested", "consent.granted", "consent.withdrawn"]
    assert (await told(front))["S01"]["received_at"] == "2019-03-04T11:00:00+00:00"


async def test_of_who_was_erased_no_unit_is_told_more(front: Front) -> None:
    """The eraser takes what went out with it: the stop leaves the list, and the broker's own role cannot do as much."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent)
    (citizen,) = await front.databases.vault.citizens([CITIZEN])
    async with scoped(front.databases.pool, Scope(municipality="korsbaek")) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM consents.handed_out")
    eraser = await asyncpg.connect(front.databases.at.eraser)
    try:
        async with eraser.transaction():
            await eraser.execute("SELECT set_config('borgerbro.municipality', 'korsbaek', true)")
            await eraser.execute(_UNTOLD[-1], "korsbaek", citizen)
    finally:
        await eraser.close()

    assert (await listed(front), await told(front)) == ([], {})
    assert (await front.post(f"{LIST}/{consent}.2/acknowledgement", {})).status_code == 404


async def test_a_rest_from_before_anything_went_out_is_not_received(front: Front) -> None:
    """It was over when the unit got something: nothing of it is listed, and nobody can say that they heard of it."""
    _, consent = await a_yes(front)
    await stop(front, consent, "pause")
    moved_to(front, NOON.replace(minute=1))
    await stop(front, consent, "resume")
    moved_to(front, NOON.replace(minute=2))
    assert await look(front) == 200
    answer = await front.post(f"{LIST}/{consent}.2/acknowledgement", {})

    assert (answer.status_code, await listed(front)) == (404, [])
    assert "stop.received" not in await kinds(front)


async def test_what_was_taken_back_is_not_said_to_have_run_out(front: Front) -> None:
    """After its last day, that it was over cannot be received of what had been taken back before."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent)
    moved_to(front, NOON.replace(month=6, day=4))

    assert (await front.post(f"{LIST}/{consent}.0/acknowledgement", {})).status_code == 404
    assert [row["id"] for row in await listed(front)] == [f"{consent}.2"]


async def the_two(front: Front) -> tuple[str, dict[str, str]]:
    """Let mother and child of fifteen each say yes to their own, and let both go out; the request, and whose yes."""
    people: Any = front.ports.people
    people.persons[CHILD] = replace(people.persons[CHILD], born=20040304)
    child = {"subject": CHILD.disclose()}
    lines = [{"source": HEALTH, "category": "H01"} | child, {"source": FAMILY, "category": "F01"} | child]
    lines.append({"source": SOCIAL, "category": "S01"})
    asked = await front.post("/v1/consent-requests", WANTED | {"lines": lines})
    assert asked.status_code == 201, asked.text
    request = asked.json()["id"]
    given = {}
    for name, who in GIVERS.items():
        front.citizen = who
        answer = await front.post(f"/v1/me/consent-requests/{request}/grant", {})
        given[name] = answer.json()["consent"]
    superuser = await asyncpg.connect(front.databases.admin)
    try:
        await superuser.execute(
            "INSERT INTO consents.handed_out (line, municipality, unit, consent, at)"
            " SELECT l.id, c.municipality, c.unit, c.id, $1 FROM consents.line l JOIN consents.consent c"
            " ON c.id = l.consent", NOON,
        )  # fmt: skip
    finally:
        await superuser.close()
    return request, given


async def test_what_one_was_told_of_is_no_other_partys_to_see(front: Front) -> None:
    """Who said yes for another reads not what was got about them, nor whether it was received; the other does."""
    _, given = await the_two(front)
    for name, who in GIVERS.items():
        front.citizen = who
        await stop(front, given[name])
    seen = {}
    for name, who in GIVERS.items():
        front.citizen = who
        found = (await front.get("/v1/me/consents")).json()["consents"]
        seen[name] = [(line["about"], "told" in line) for one in found for line in one["lines"]]

    assert all(told == (about == "me") for rows in seen.values() for about, told in rows)
    assert all(("me", True) in rows for rows in seen.values())


async def test_what_is_kept_back_about_the_cases_citizen_shows_at_no_party(front: Front) -> None:
    """The child's own line in the mother's case tells not yet that its unit got something on it; afterwards it does."""
    ends = await kept_back_until_april(front)
    _, given = await the_two(front)
    front.citizen = CHILD
    await stop(front, given["child"])
    before = await told(front, given["child"])
    moved_to(front, ends)

    assert before == {}
    assert await told(front, given["child"]) == dict.fromkeys(("F01", "H01"), NOT_YET)


@pytest.mark.parametrize("way", ["withdraw", "pause"])
async def test_of_several_who_said_yes_none_is_told_to_have_stopped(front: Front, way: str) -> None:
    """Mother or child, the unit reads the same bytes: the whole request, once; and its word reaches who stopped."""
    request, given = await the_two(front)
    answers = []
    for name, who in GIVERS.items():
        front.citizen = who
        moved_to(front, NOON.replace(minute=10))
        await stop(front, given[name], "pause")
        answers.append((await front.get(LIST)).content)
        await stop(front, given[name], "resume")
    assert answers[0] == answers[1]
    front.citizen = CHILD
    await stop(front, given["child"], way)
    (found,) = await listed(front)
    assert (found["id"], found["consent"], found["request"]) == (f"{request}.600", None, request)
    assert [line["category"] for line in found["lines"]] == ["F01", "H01", "S01"]
    heard = [await front.post(f"{LIST}/{found['id']}/acknowledgement", {}) for _ in range(2)]

    assert [answer.status_code for answer in heard] == [200, 200]
    assert heard[0].content == heard[1].content
    assert all(row["received_at"] is not None for row in (await told(front, given["child"])).values())
    assert await listed(front) == []
    assert (await front.post(f"{LIST}/{given['child']}.4/acknowledgement", {})).status_code == 404
    moved_to(front, NOON.replace(minute=20))
    front.citizen = CITIZEN
    await stop(front, given["mother"])
    assert [row["id"] for row in await listed(front)] == [f"{request}.1200"]


async def test_what_is_gone_before_the_word_is_written_is_not_received(front: Front) -> None:
    """Where the eraser came between the reading and the writing, it is not there, and nothing is written."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent)
    stops = StopsSql(front.databases.pool, front.databases.log)
    units, today = frozenset({"jobcentre"}), 20190304
    system = await front.ports.handles.system("momentum")
    (part,) = await stops.parts(f"{consent}.2", "korsbaek", units, today, system)
    superuser = await asyncpg.connect(front.databases.admin)
    try:
        await superuser.execute("DELETE FROM consents.handed_out")
    finally:
        await superuser.close()
    events = _events(part, front.caller.system, system, NOON)
    with pytest.raises(NotFound):
        await stops.receive(part.id, units, today, events)

    assert "stop.received" not in await kinds(front)


async def test_each_system_of_a_unit_hears_for_itself(front: Front) -> None:
    """What one system has received waits for the others still; the citizen sees how many have, and when last."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent)
    first = front.caller
    second = replace(first, system=replace(first.system, client_id="its-second-system"))
    await front.post(f"{LIST}/{consent}.2/acknowledgement", {})
    one = await told(front)
    front.caller = second
    waits, none = await listed(front), await listed(front, "?received=yes")
    moved_to(front, NOON.replace(minute=7))
    answers = await asyncio.gather(*(front.post(f"{LIST}/{consent}.2/acknowledgement", {}) for _ in range(4)))
    front.caller = first
    again = await front.post(f"{LIST}/{consent}.2/acknowledgement", {})

    assert one == {"S01": {"received_at": "2019-03-04T11:00:00+00:00", "received_by": 1}}
    assert ([(row["id"], row["received_at"]) for row in waits], none) == ([(f"{consent}.2", None)], [])
    assert {answer.json()["received_at"] for answer in answers} == {"2019-03-04T11:07:00+00:00"}
    assert again.json()["received_at"] == "2019-03-04T11:00:00+00:00"
    assert await told(front) == {"S01": {"received_at": "2019-03-04T11:07:00+00:00", "received_by": 2}}
    assert (await kinds(front)).count("stop.received") == 2


async def test_no_word_is_written_while_somebody_is_erased(front: Front) -> None:
    """A word that comes while the eraser deletes waits for it, finds nothing, and writes nothing."""
    _, consent = await a_yes(front)
    await look(front)
    await stop(front, consent)
    (citizen,) = await front.databases.vault.citizens([CITIZEN])
    eraser = await asyncpg.connect(front.databases.at.eraser)
    try:
        async with eraser.transaction():
            await eraser.execute("SELECT set_config('borgerbro.municipality', 'korsbaek', true)")
            await hold_still(eraser, "korsbaek")
            await eraser.execute(_NOT_TOLD_TO_STOP, "korsbaek", citizen)
            word = asyncio.create_task(front.post(f"{LIST}/{consent}.2/acknowledgement", {}))
            await asyncio.sleep(0.5)
    finally:
        await eraser.close()

    assert (await word).status_code == 404
    assert "stop.received" not in await kinds(front)
