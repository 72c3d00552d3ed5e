"""An overseer's log-in that somebody else got hold of is no list of who is known here, and opens no year of lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CITIZEN
from tests.pages_house import ASK, PagesHouse, Reader, open_pages

MOST = 3
# Invented numbers that nobody has, of people who would be born in 1970 and after.
GUESSES = [Personal(f"0101{year}4{serial:03d}") for year in range(70, 80) for serial in (10, 11)]


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house whose overseers are soon stopped, after one ask."""
    async with open_pages(postgres, tmp_path) as made:
        made.ceilings.most = {"search": MOST, "line": MOST}
        lene = await made.caseworker()
        await lene.get("/case")
        await lene.post("/case", **ASK)
        yield made


async def left(house: PagesHouse) -> list[int]:
    """Count whom the vault has a code for, and the lines of the log."""
    counts = []
    for address, table in ((house.databases.at.vault_owner, "vault.person"), (house.databases.admin, "log.index")):
        superuser = await asyncpg.connect(address)
        counts.append(await superuser.fetchval(f"SELECT count(*) FROM {table}"))
        await superuser.close()
    return counts


async def searched(dorte: Reader, **body: object) -> int:
    """Search as a program would; give the status."""
    answer = await dorte.http.post("/v1/accesses/search", json=body, headers={"X-CSRF-Token": dorte.csrf})
    assert "retry-after" in answer.headers or answer.status_code != 429
    return int(answer.status_code)


async def test_numbers_are_not_tried_without_end(house: PagesHouse) -> None:
    """Each door counts on the one ceiling; what is refused makes no person, writes no entry and repeats no number."""
    dorte = await house.officer()
    await dorte.get("/dpo")
    numbers = [one.disclose() for one in GUESSES]
    assert (await dorte.post("/dpo/find", citizen=numbers[0])).status_code == 200
    assert await searched(dorte, citizen=numbers[1]) == 200
    headers = {"X-CSRF-Token": dorte.csrf}
    fhir = await dorte.http.post("/v1/accesses/fhir", json={"citizen": numbers[2]}, headers=headers)
    assert fhir.status_code == 200
    before = await left(house)
    page = await dorte.post("/dpo/find", citizen=numbers[3])
    fhir = await dorte.http.post("/v1/accesses/fhir", json={"citizen": numbers[4]}, headers=headers)
    assert (page.status_code, fhir.status_code, await searched(dorte, citizen=numbers[5])) == (429, 429, 429)
    assert not [number for number in numbers if number in page.text + fhir.text]
    assert await left(house) == before


async def test_nor_are_the_numbers_of_cases(house: PagesHouse) -> None:
    """A case's number names somebody, too."""
    dorte = await house.officer()
    await dorte.get("/dpo")
    told = [await searched(dorte, case=f"{CASE}{number}", unit="jobcentre") for number in range(MOST + 1)]
    assert told == [200] * MOST + [429]


async def test_who_names_nobody_and_a_colleague_go_on(house: PagesHouse) -> None:
    """The ceiling is the officer's own, and of searches that name somebody: the work of the day goes on beside it."""
    dorte, nina = await house.officer(), await house.officer(id="nina")
    for one in (dorte, nina):
        await one.get("/dpo")
    assert [await searched(dorte, citizen=CITIZEN.disclose()) for _ in range(MOST + 1)] == [200] * MOST + [429]
    assert await searched(dorte, kind="ask") == 200
    assert await searched(nina, citizen=CITIZEN.disclose()) == 200


async def test_lines_are_not_opened_without_end(house: PagesHouse) -> None:
    """Page, JSON and FHIR count on one ceiling; who is refused is shown nothing of the line."""
    dorte = await house.officer()
    place = "korsbaek/2019/0"
    doors = (f"/dpo/lines/{place}", f"/v1/accesses/{place}", f"/v1/accesses/fhir/{place}")
    assert [(await dorte.get(door)).status_code for door in doors] == [200] * MOST
    before = await left(house)
    told = [await dorte.get(door) for door in doors]
    assert [one.status_code for one in told] == [429] * MOST
    assert not [one for one in told if "jobcentre" in one.text]
    assert await left(house) == before
