"""The overseer's pages of how the logs stand: what is told, what to do, a check from button to result, as JSON too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.databases import BASE
from tests.log_events import an_outcome
from tests.pages_house import LOG_KEY, PagesHouse, Reader, open_pages
from tests.signing import signing

LOG = f"{BASE}/korsbaek/2019"
# It bounds a hang and judges no speed.
SECONDS = 60.0


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open a house with a signed log of three entries."""
    async with open_pages(postgres, tmp_path) as made:
        anna, kim = await made.databases.vault.citizens([Personal("0000000001"), Personal("0000000002")])
        await made.databases.log.append([an_outcome(anna, kim)] * 3)
        async with signing(made.databases.at.checkpointer, LOG_KEY, tmp_path / "signer") as rounds:
            await rounds.once()
        yield made


async def checked(dorte: Reader) -> dict[str, Any]:
    """Wait for the newest check to end; give it as JSON."""
    async with asyncio.timeout(SECONDS):
        while True:
            answer = await dorte.http.get("/v1/integrity/checks")
            newest: dict[str, Any] = answer.json()["checks"][0]
            if newest["state"] != "running":
                return newest
            await asyncio.sleep(0.1)


async def kinds(house: PagesHouse) -> list[str]:
    """Give what stands on the log, in order."""
    superuser = await asyncpg.connect(house.databases.admin)
    try:
        rows = await superuser.fetch("SELECT kind FROM log.index WHERE kind <> 'map' ORDER BY idx")
    finally:
        await superuser.close()
    return [row["kind"] for row in rows]


async def test_from_a_look_to_a_whole_check(house: PagesHouse) -> None:
    """The page says that nobody checked; the button begins it; the page of checks tells its end; the look says so."""
    dorte = await house.officer()
    first = await dorte.get("/dpo/integrity")
    assert "Loggen er aldrig tjekket" in first.text
    assert 'href="/dpo/integrity"' in first.text
    going = await dorte.send("/dpo/integrity/checks", log=LOG)
    assert "Tjek af loggene" in going.text
    found = await checked(dorte)
    assert (found["state"], found["intact"], found["faults"]) == ("ended", True, [])
    ended = await dorte.get("/dpo/integrity/checks?follow=yes")
    assert "Ingen har ændret, flyttet eller fjernet en linje." in ended.text
    assert "Refresh" not in ended.headers
    again = await dorte.get("/dpo/integrity")
    assert "Loggen er aldrig tjekket" not in again.text
    assert "af dig" in again.text
    assert await kinds(house) == ["outcome"] * 3 + [
        "integrity.seen",
        "log.check_begun",
        "log.verified",
        "integrity.seen",
    ]


async def test_what_was_changed_is_told_with_what_to_do(house: PagesHouse) -> None:
    """A fault that the check found stands on both pages, and in the JSON, with whom to call."""
    superuser = await asyncpg.connect(house.databases.admin)
    await superuser.execute("UPDATE log.index SET index_bytes = replace(index_bytes, 'job', 'tax') WHERE idx = 1")
    await superuser.close()
    dorte = await house.officer()
    await dorte.get("/dpo/integrity")
    await dorte.post("/dpo/integrity/checks", log=LOG)
    assert (await checked(dorte))["intact"] is False
    for path in ("/dpo/integrity", "/dpo/integrity/checks"):
        assert "entry 1: index row does not match its commitment" in (await dorte.get(path)).text
    page = await dorte.get("/dpo/integrity")
    assert "Læs dem herunder, og ring til driften." in page.text
    (log,) = (await dorte.http.get("/v1/integrity")).json()["logs"]
    assert "check_found" in log["alarms"]
    assert log["last_check"]["found"] == 1


async def test_the_page_shows_itself_again_only_where_that_is_wanted(house: PagesHouse) -> None:
    """While a check goes on the page reloads without script, and stands still for whoever follows the link."""
    superuser = await asyncpg.connect(house.databases.admin)
    await superuser.execute(
        "INSERT INTO integrity.run (id, municipality, log, by, role, begun_at, done, total)"
        " VALUES (gen_random_uuid(), 'korsbaek', $1, 'x', 'dpo', now(), 50, 200)",
        LOG,
    )
    await superuser.close()
    dorte = await house.officer()
    follows, stands = await dorte.get("/dpo/integrity/checks?follow=yes"), await dorte.get("/dpo/integrity/checks")

    assert follows.headers["Refresh"] == "5"
    assert "Refresh" not in stands.headers
    for page in (follows, stands):
        assert '<progress max="100" value="25"' in page.text
        assert "50 af 200 linjer" in page.text
        assert "en anden fra tilsynet" in page.text


async def test_json_says_what_the_page_says(house: PagesHouse) -> None:
    """The same powers as JSON: the state, a check that begins, and how far it is."""
    dorte = await house.officer()
    csrf = {"X-CSRF-Token": (await dorte.http.get("/v1/accesses/session")).json()["csrf"]}
    begun = await dorte.http.post("/v1/integrity/checks", json={"log": LOG}, headers=csrf)
    assert (begun.status_code, begun.json()["checks"][0]["state"]) == (202, "running")
    await checked(dorte)
    (log,) = (await dorte.http.get("/v1/integrity")).json()["logs"]

    assert (log["log"], log["published_size"], log["alarms"], log["last_check"]["intact"]) == (LOG, 3, [], True)
    head = (await dorte.http.get(f"/log/{'/'.join(LOG.split('/')[-2:])}/checkpoint")).text
    assert log["published_root"] == head.splitlines()[2]
    assert log["published_root"] in (await dorte.get("/dpo/integrity")).text


async def test_english_too(house: PagesHouse) -> None:
    """In English every word is English."""
    dorte = await house.officer()
    page = await dorte.get("/dpo/integrity?lang=en")
    assert "The log was never checked from the first line to the last. Check it now." in page.text
    assert "Loggen" not in page.text
