"""Whoever would see how logs stand, or have them checked, and may not; and whoever would wear a node out with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from broker.domain.errors import LogUnavailable
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.databases import BASE
from tests.log_events import an_ask, an_outcome
from tests.pages_house import PagesHouse, Reader, open_pages

MINE, THEIRS = f"{BASE}/korsbaek/2019", f"{BASE}/norrestrand/2019"
DOORS = ("/v1/integrity", "/v1/integrity/checks", "/dpo/integrity", "/dpo/integrity/checks")


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open a house with a log of two municipalities, one of them with an ask that has no outcome."""
    async with open_pages(postgres, tmp_path) as made:
        anna, kim = await made.databases.vault.citizens([Personal("0000000001"), Personal("0000000002")])
        far = an_ask(anna, kim, municipality="norrestrand", ask="far-1", unit="far-unit")
        await made.databases.log.append([an_outcome(anna, kim), far])
        yield made


async def csrf(reader: Reader) -> dict[str, str]:
    """Give the header that an overseer's changes carry."""
    return {"X-CSRF-Token": (await reader.http.get("/v1/accesses/session")).json()["csrf"]}


async def runs(house: PagesHouse) -> int:
    """Count the checks that were ever begun."""
    superuser = await asyncpg.connect(house.databases.admin)
    try:
        return int(await superuser.fetchval("SELECT count(*) FROM integrity.run"))
    finally:
        await superuser.close()


async def sizes(house: PagesHouse) -> dict[str, int]:
    """Tell how long the logs are."""
    return {state.origin: state.size for state in await house.databases.reader.logs()}


async def test_nobody_else_comes_in(house: PagesHouse) -> None:
    """A citizen, a caseworker, the desk and a stranger see nothing of it, and begin nothing."""
    before = await sizes(house)
    for reader in (await house.citizen(), await house.caseworker(), await house.desk(), house.stranger()):
        for door in DOORS:
            answer = await reader.get(door)
            assert answer.status_code in {303, 401}, door
        assert (await reader.http.post("/v1/integrity/checks", json={})).status_code == 401
        assert (await reader.post("/dpo/integrity/checks")).status_code in {303, 401}
    assert (await runs(house), await sizes(house)) == (0, before)


@pytest.mark.parametrize("changes", [{"role": "teamleder"}, {"role": "styregruppe"}, {"municipalities": []}])
async def test_another_role_does_not_either(house: PagesHouse, changes: dict[str, Any]) -> None:
    """Who oversees something else, or nothing, gets a no at each door, and nothing is written."""
    reader, before = await house.officer(**changes), await sizes(house)
    token = await csrf(reader)
    answers = [await reader.get(door) for door in DOORS]
    answers += [await reader.http.post("/v1/integrity/checks", json={}, headers=token)]
    answers += [await reader.post("/dpo/integrity/checks", csrf=token["X-CSRF-Token"], log=MINE)]

    assert {answer.status_code for answer in answers} == {403}
    assert (await runs(house), await sizes(house)) == (0, before)


async def test_another_municipalitys_log_is_not_there(house: PagesHouse) -> None:
    """One's own pages tell nothing of it; to have it checked is answered as for a log that does not exist."""
    dorte = await house.officer()
    token = await csrf(dorte)
    told = [(await dorte.get(door)).text for door in DOORS]
    assert all("norrestrand" not in text.lower() and "far-" not in text for text in told)
    answers = [
        await dorte.http.post("/v1/integrity/checks", json={"log": log}, headers=token)
        for log in (THEIRS, f"{BASE}/nowhere/2019", f"{BASE}/norrestrand/2018", "x", "' OR 1=1 --")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    pages = [await dorte.post("/dpo/integrity/checks", log=log) for log in (THEIRS, "x", "")]
    assert [page.status_code for page in pages] == [404, 404, 404]
    assert await runs(house) == 0


async def test_a_check_needs_the_pages_token(house: PagesHouse) -> None:
    """From another site, or without the token, no check begins."""
    dorte = await house.officer()
    token = await csrf(dorte)
    for headers in ({}, {"X-CSRF-Token": "x"}, token | {"origin": "https://evil.example"}):
        assert (await dorte.http.post("/v1/integrity/checks", json={}, headers=headers)).status_code == 403
    assert await runs(house) == 0


async def test_ten_at_once_begin_one(house: PagesHouse) -> None:
    """Whoever presses ten times at the same moment has one check under way, and one entry that says so."""
    dorte = await house.officer()
    token = await csrf(dorte)
    answers: list[httpx2.Response] = await asyncio.gather(
        *(dorte.http.post("/v1/integrity/checks", json={"log": MINE}, headers=token) for _ in range(10))
    )
    begun = [answer for answer in answers if answer.status_code == 202]

    assert {answer.status_code for answer in answers} <= {202, 409}
    # A check may end before the last of the ten is read; never do two go on at once.
    assert len(begun) == await runs(house)
    assert len(begun) < 10


@pytest.mark.parametrize("body", [{"log": "\0"}, {"log": "x" * 301}, {"log": ""}, {"log": 1}, {"more": "x"}, []])
async def test_what_is_no_log_is_refused(house: PagesHouse, body: Any) -> None:
    """A name that can be no log's is refused, and echoes nothing."""
    dorte = await house.officer()
    answer = await dorte.http.post("/v1/integrity/checks", json=body, headers=await csrf(dorte))
    assert answer.status_code in {400, 404}
    assert await runs(house) == 0


async def test_without_the_log_nothing_is_shown_and_nothing_begins(house: PagesHouse) -> None:
    """Whoever cannot be written down as a reader sees nothing, and no check runs that no entry tells of."""
    dorte = await house.officer()
    token = await csrf(dorte)

    async def down(*_: Any, **__: Any) -> Any:
        raise LogUnavailable

    house.databases.log.append = down  # type: ignore[method-assign]  # the log is down
    house.databases.log.append_within = down  # type: ignore[method-assign]  # in every way
    for door in ("/v1/integrity", "/dpo/integrity"):
        answer = await dorte.get(door)
        assert (answer.status_code, MINE in answer.text) == (503, False)
    begun = await dorte.http.post("/v1/integrity/checks", json={}, headers=token)
    assert (begun.status_code, await runs(house)) == (503, 0)


async def test_a_check_holds_nobody_up(house: PagesHouse) -> None:
    """While a check runs the node answers others: it is a process of its own, not a thread or a loop of the node's."""
    dorte, annette = await house.officer(), await house.citizen()
    begun = await dorte.http.post("/v1/integrity/checks", json={}, headers=await csrf(dorte))
    assert begun.status_code == 202
    (state,) = {run["state"] for run in (await dorte.http.get("/v1/integrity/checks")).json()["checks"]}
    assert state == "running"
    assert (await annette.get("/mine")).status_code == 200


@pytest.mark.parametrize("page", ["/dpo/integrity/checks", "/dpo/what-if/{run}"], ids=["checks", "what-if"])
async def test_a_page_that_shows_itself_again_keeps_no_session_alive(house: PagesHouse, page: str) -> None:
    """Whoever leaves a page to follow what goes on is logged out after a quarter of an hour, as from any other page."""
    superuser = await asyncpg.connect(house.databases.admin)
    await superuser.execute(
        "INSERT INTO integrity.run (id, municipality, log, by, role, begun_at, seen_at)"
        " VALUES (gen_random_uuid(), 'korsbaek', $1, 'x', 'dpo', now(), now() + interval '1 hour')",
        MINE,
    )
    run = await superuser.fetchval(
        "INSERT INTO what_if.run (id, municipality, month, candidate, rules, by, role, begun_at, seen_at)"
        " VALUES (gen_random_uuid(), 'korsbaek', '2019-02', 'x', 'sha256:' || repeat('0', 64), 'x', 'dpo', now(),"
        " now() + interval '1 hour') RETURNING id"
    )
    await superuser.close()
    dorte, door = await house.officer(), page.format(run=run) + "?follow=yes"
    for _ in range(3):
        assert (await dorte.get(door)).headers["Refresh"] == "5"
        house.clock.at += timedelta(minutes=4)
    # What a person opens puts it off; what the page opens by itself does not, neither before nor after.
    assert (await dorte.get("/dpo")).status_code == 200
    house.clock.at += timedelta(minutes=10)
    assert (await dorte.get(door)).status_code == 200
    house.clock.at += timedelta(minutes=6)

    ended = await dorte.get(door)
    assert (ended.status_code, "Refresh" in ended.headers) == (303, False)
    assert ended.headers["location"].startswith("/login/officer?")
