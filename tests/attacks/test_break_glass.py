"""Break-glass in the hands of those who mean harm: over the JSON face, the real databases and the real rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from broker.domain.identity import Caller, Role
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.builders import CHILD, CITIZEN
from tests.builders import STRANGER as SOMEBODY
from tests.front import Front, open_front
from tests.watch import (
    CALLOUT,
    COLLEAGUE,
    FAR_HEALTH_UNIT,
    GRETHE,
    HEALTH,
    HEALTH_UNIT,
    STRANGER,
    a_health_person,
    night_registry,
    on_call,
    staffed,
)

HANS = a_health_person(FAR_HEALTH_UNIT, "norrestrand", id=STRANGER)
TEXT = "CANARY7f3a she has taken pills, 710274-0022, and does not answer"
CALL = {"citizen": CITIZEN.disclose(), "callout": CALLOUT, "reason": "LIFE", "text": TEXT}
ASK = {"citizen": CITIZEN.disclose(), "purpose": "fare_for_liv", "case": CALLOUT, "sources": [HEALTH]}
# A number that no register knows.
NOBODY = Personal("1111110000")


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces at night; Lene stands before them."""
    async with open_front(postgres, tmp_path, staffed, **night_registry()) as made:
        made.caller = on_call()
        yield made


async def a_call(front: Front, **changes: Any) -> str:
    """Let Lene ask; give the request's id."""
    answer = await by(front, on_call(), "/v1/break-glass", CALL | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["request"])


async def by(front: Front, caller: Caller, path: str, body: Any) -> httpx2.Response:
    """Post as somebody."""
    front.caller = caller
    return await front.post(path, body)


async def say(
    front: Front, request: str, said: str = "yes", caller: Caller | None = None, citizen: Personal[str] = CITIZEN
) -> httpx2.Response:
    """Answer as Grethe, or as somebody else."""
    body = {"citizen": citizen.disclose(), "decision": said}
    return await by(front, caller or a_health_person(), f"/v1/break-glass/{request}/decision", body)


async def look(front: Front, request: str, caller: Caller | None = None, **changes: Any) -> httpx2.Response:
    """Ask for the profile as Lene, or as somebody else."""
    return await by(front, caller or on_call(), "/v1/exchange", ASK | {"emergency": request} | changes)


def codes(answer: httpx2.Response) -> tuple[int, list[str]]:
    """Give the status and the reasons."""
    return answer.status_code, [reason["code"] for reason in answer.json().get("reasons", ())]


NO = (403, ["EMERGENCY_NOT_JUSTIFIED"])


async def rows(front: Front, *tables: str) -> int:
    """Count the rows of tables, as the superuser."""
    admin = await asyncpg.connect(front.databases.admin)
    try:
        return sum([await admin.fetchval(f"SELECT count(*) FROM {table}") for table in tables])
    finally:
        await admin.close()


async def test_nobody_approves_their_own_request(front: Front) -> None:
    """Whoever is on call and a health person too asks and does not decide, from their own unit or the holder's."""
    both = (Role("vagt_akut", ("29.*",), 3), Role("sundhedsperson", ("29.*",), 3))
    hers = await by(front, on_call(id=GRETHE, roles=both), "/v1/break-glass", CALL)
    request = str(hers.json()["request"])

    from_the_askers_unit = await say(front, request, caller=on_call(id=GRETHE, roles=both))
    # The same person, in the unit that holds the data and where she works.
    from_the_holders = await say(front, request)

    assert (from_the_askers_unit.status_code, from_the_holders.status_code) == (404, 403)
    assert await rows(front, "break_glass.answer") == 0


@pytest.mark.parametrize("who", [
    HANS,
    a_health_person("school-office"),
    a_health_person(roles=(Role("sagsbehandler", ("29.*",), 4),)),
    replace(a_health_person(), system=replace(on_call().system, units=frozenset({"school-office"}))),
    # Another municipality's employer who says that she works in ours.
    a_health_person(HEALTH_UNIT, "norrestrand"),
])  # fmt: skip
async def test_a_decision_of_those_who_were_not_asked(front: Front, who: Caller) -> None:
    """Another unit, municipality, role or system says nothing that counts, and leaves nothing."""
    request = await a_call(front)
    before = await rows(front, "break_glass.answer", "log.entry")

    answer = await say(front, request, caller=who)

    assert answer.status_code in (403, 404)
    assert await rows(front, "break_glass.answer", "log.entry") == before
    assert codes(await look(front, request)) == NO


@pytest.mark.parametrize(
    "guess", ["5f0c9c0e-8d55-4a3f-9b1e-2f6a7c1d4e90", "00000000-0000-0000-0000-000000000000", "-" * 36]
)
async def test_a_guessed_id(front: Front, guess: str) -> None:
    """An id of nothing is answered like one that is another's, to the asker, the reader and the decider alike."""
    request = await a_call(front)
    stranger = on_call(id=COLLEAGUE)

    assert codes(await look(front, guess)) == codes(await look(front, request, stranger)) == NO
    assert (await say(front, guess)).content == (await say(front, request, caller=HANS)).content
    front.caller = stranger
    assert (await front.get(f"/v1/break-glass/{guess}")).content == (
        await front.get(f"/v1/break-glass/{request}")
    ).content


@pytest.mark.parametrize("change", [
    {"citizen": SOMEBODY.disclose()}, {"citizen": CHILD.disclose()}, {"citizen": NOBODY.disclose()},
    {"case": "V-2019-312"}, {"purpose": "helhedsorienteret_plan"}, {"purpose": "boernefaglig_undersoegelse"},
    {"sources": ["far-health"]}, {"sources": ["social"]},
])  # fmt: skip
async def test_a_yes_used_for_something_else(front: Front, change: dict[str, Any]) -> None:
    """A yes opens nothing about another citizen, for another call-out or purpose, or from another source."""
    request = await a_call(front)
    assert (await say(front, request)).status_code == 200

    answer = await look(front, request, **change)

    assert answer.status_code == 403
    assert set(codes(answer)[1]) <= {"EMERGENCY_NOT_JUSTIFIED", "PURPOSE_MISMATCH"}


@pytest.mark.parametrize("thief", [
    on_call(id=COLLEAGUE),
    on_call(unit="family-centre"),
    on_call(roles=(Role("koordinerende_sagsbehandler", ("15.*", "27.*", "29.*"), 4),)),
    on_call(nsis="Low"),
])  # fmt: skip
async def test_a_yes_in_anothers_hands(front: Front, thief: Caller) -> None:
    """A colleague, another unit, another role or a weak log-in has nothing of it."""
    request = await a_call(front)
    assert (await say(front, request)).status_code == 200

    assert (await look(front, request, thief)).status_code == 403


async def test_a_decision_sent_again(front: Front) -> None:
    """A yes that is played again is a conflict, and the hours it holds stay as they were."""
    request = await a_call(front)
    first = await say(front, request)

    again = await say(front, request)

    assert (first.status_code, again.status_code) == (200, 409)
    front.caller = on_call()
    assert (await front.get(f"/v1/break-glass/{request}")).json()["holders"] == first.json()["holders"]


async def test_an_answer_sent_twice_is_one(front: Front) -> None:
    """By its Idempotency-Key a lost answer may be sent again: one yes, one set of entries, the same hours.

    The same key with another answer, or for another request, is refused; somebody else's key is another.
    """
    request, other = await a_call(front), await a_call(front, callout="V-2")
    body = {"citizen": CITIZEN.disclose(), "decision": "yes"}
    path, key = f"/v1/break-glass/{request}/decision", {"Idempotency-Key": "k-1"}
    front.caller = a_health_person()
    first = await front.post(path, body, **key)
    kept = await rows(front, "break_glass.answer", "log.entry")

    again = await front.post(path, body, **key)
    turned = await front.post(path, body | {"decision": "no"}, **key)
    elsewhere = await front.post(f"/v1/break-glass/{other}/decision", body, **key)
    stranger = await front.post(path, body | {"citizen": NOBODY.disclose()}, **{"Idempotency-Key": "k-2"})

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["holders"] == first.json()["holders"]
    assert (turned.status_code, elsewhere.status_code, stranger.status_code) == (422, 422, 404)
    assert await rows(front, "break_glass.answer", "log.entry") == kept


async def test_a_yes_and_a_no_at_once(front: Front) -> None:
    """However they race, the no stands and nothing is opened afterwards."""
    for number in range(5):
        request = await a_call(front, callout=f"V-{number}")
        front.caller = a_health_person()
        body = {"citizen": CITIZEN.disclose()}
        path = f"/v1/break-glass/{request}/decision"
        yes, no = await asyncio.gather(
            front.post(path, body | {"decision": "yes"}), front.post(path, body | {"decision": "no"})
        )

        assert no.status_code == 200
        assert yes.status_code in (200, 409)
        assert codes(await look(front, request, case=f"V-{number}")) == NO


async def test_nothing_of_the_words_comes_back(front: Front) -> None:
    """Text, call-out and number stand in no answer to the asker, no refusal, no index row and no public part."""
    request = await a_call(front)
    answers = [
        await by(front, on_call(), "/v1/break-glass", CALL | {"reason": TEXT}),
        await by(front, on_call(), "/v1/break-glass", CALL | {"text": TEXT, "citizen": TEXT}),
        await by(front, on_call(), "/v1/break-glass", CALL | {"callout": TEXT}),
        await by(front, on_call(), "/v1/break-glass", CALL | {"sources": [TEXT]}),
        await by(front, on_call(), "/v1/break-glass", CALL | {TEXT: TEXT}),
        await say(front, request, TEXT),
        await say(front, TEXT),
        await look(front, request),
    ]
    front.caller = on_call()
    answers.append(await front.get(f"/v1/break-glass/{request}"))
    admin = await asyncpg.connect(front.databases.admin)
    tables = ("log.entry", "log.index", "log.body", "break_glass.request", "break_glass.source", "consents.idempotency")
    kept = [str(row) for table in tables for row in await admin.fetch(f"SELECT * FROM {table}")]
    await admin.close()

    assert not [answer.text for answer in answers if "CANARY7f3a" in answer.text or CITIZEN.disclose() in answer.text]
    assert not [row for row in kept if any(word in row for word in ("CANARY7f3a", CALLOUT, CITIZEN.disclose()))]


async def test_a_request_tells_nothing_of_the_citizen(front: Front) -> None:
    """Whoever the number belongs to, or nobody: the same bytes but for id, entry and time, and no register is asked."""
    asked = front.ports.people.asked  # type: ignore[attr-defined]  # the fake's own memory
    told = []
    for citizen in (CITIZEN, CHILD, SOMEBODY, NOBODY):
        answer = await by(front, on_call(), "/v1/break-glass", CALL | {"citizen": citizen.disclose()})
        body = answer.json()
        told.append((answer.status_code, len(body.pop("request")), body.pop("receipt").keys(), body))

    assert all(row == told[0] for row in told)
    assert asked == []


async def test_without_a_yes_the_answer_tells_nothing_of_the_citizen(front: Front) -> None:
    """The ask too: a known and an unknown number, a grown-up and a child are refused with the same words."""
    told = []
    for citizen in (CITIZEN, CHILD, SOMEBODY, NOBODY):
        request = await a_call(front, citizen=citizen.disclose())
        body = (await look(front, request, citizen=citizen.disclose())).json()
        body.pop("entry")
        told.append(body)

    assert all(row == told[0] for row in told)


async def test_a_request_sent_twice_is_one(front: Front) -> None:
    """With the same key the same request comes back; with another body it is refused."""
    key = {"Idempotency-Key": "k-1"}
    first = await front.post("/v1/break-glass", CALL, **key)
    again = await front.post("/v1/break-glass", CALL, **key)
    other = await front.post("/v1/break-glass", CALL | {"reason": "LIFE_VISIT"}, **key)

    assert [answer.status_code for answer in (first, again, other)] == [201, 200, 422]
    assert first.json()["request"] == again.json()["request"]
    assert await rows(front, "break_glass.request") == 1


async def test_the_holder_reads_only_with_an_entry(front: Front) -> None:
    """The words go to the holder after an entry about the citizen says who read them."""
    request = await a_call(front)
    before = await rows(front, "log.entry")
    front.caller = a_health_person()
    answer = await front.get(f"/v1/break-glass/{request}")

    assert answer.json()["text"] == TEXT
    assert await rows(front, "log.entry") == before + 1


async def test_the_log_is_down_and_paper_is_named(front: Front) -> None:
    """P2: no request, no decision, no reading, no ask; each answer says what is done on paper, and nothing is kept."""
    request = await a_call(front)
    assert (await say(front, request)).status_code == 200
    admin = await asyncpg.connect(front.databases.admin)
    before = await rows(front, "break_glass.request", "break_glass.answer", "log.entry")
    await admin.execute("REVOKE EXECUTE ON FUNCTION log.append FROM borgerbro_app")
    try:
        answers = [
            await by(front, on_call(), "/v1/break-glass", CALL),
            await say(front, request, "no"),
            await look(front, request),
        ]
        front.caller = a_health_person()
        answers.append(await front.get(f"/v1/break-glass/{request}"))
    finally:
        await admin.execute("GRANT EXECUTE ON FUNCTION log.append TO borgerbro_app")
        await admin.close()

    assert {answer.status_code for answer in answers} == {503}
    assert all(set(answer.json()["procedure"]) == {"da", "en"} for answer in answers)
    assert not any("CANARY" in answer.text for answer in answers)
    assert await rows(front, "break_glass.request", "break_glass.answer", "log.entry") == before
    assert front.ports.sources[HEALTH].asked == []  # type: ignore[attr-defined]  # the fake's own memory


async def test_another_municipality_reads_no_row(front: Front) -> None:
    """Row-level security: under a stranger's scope, or none, no row of break-glass is there."""
    request = await a_call(front)
    await say(front, request)
    for scope in ("", "norrestrand", "%"):
        async with front.databases.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT set_config('borgerbro.municipality', $1, true)", scope)
            for table in ("request", "source", "answer"):
                assert await connection.fetchval(f"SELECT count(*) FROM break_glass.{table}") == 0


@pytest.mark.parametrize(
    "after", ["nobody knows them", "another municipality knows them", "they are asked about again"]
)
async def test_a_request_about_the_erased_is_nowhere(front: Front, after: str) -> None:
    """P9: once its words lie under no key there is nothing to read, no entry says so, and no key is made for it."""
    request = await a_call(front)
    vault = front.databases.vault
    (handle,) = await vault.citizens([CITIZEN])
    if after != "nobody knows them":
        await vault.keys({(handle, "norrestrand")})
    eraser = await asyncpg.connect(front.databases.at.vault_eraser)
    await eraser.execute("SELECT vault.shred($1, 'korsbaek', $2)", handle, [])
    await eraser.close()
    if after == "they are asked about again":
        await vault.keys({(handle, "korsbaek")})
    keys, before = await vault.held_keys({(handle, "korsbaek")}), await rows(front, "log.entry")

    front.caller = a_health_person()
    read = await front.get(f"/v1/break-glass/{request}")

    assert read.status_code == 404
    assert await rows(front, "log.entry") == before
    assert await vault.held_keys({(handle, "korsbaek")}) == keys
