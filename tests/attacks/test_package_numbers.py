"""A DPO's file of somebody who got a new CPR number: whole by either number, seen by the citizen, joined to nobody."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import asyncpg
import pytest

from broker.domain.entries import LogFilter
from broker.domain.errors import LogUnavailable
from broker.domain.facts import RegisterPerson
from broker.domain.personal import Personal
from broker.oversight.package import record_package
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, NOON, STRANGER
from tests.fakes.registers import FakePeople
from tests.log_events import an_outcome
from tests.pages_house import LINES, PagesHouse, ask_for, open_pages
from tests.sampling import an_officer

NEW = Personal("6211740022")


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house in which a citizen was looked up and asked, and asked the DPO, before they got another number."""
    async with open_pages(postgres, tmp_path) as made:
        lene, annette = await made.caseworker(), await made.citizen()
        await lene.get("/case")
        await ask_for(lene, LINES)
        (citizen,) = await made.databases.vault.citizens([CITIZEN])
        actor = await made.databases.vault.officer(an_officer("nils", "employee"))
        await made.databases.log.append([an_outcome(citizen, actor)])
        await annette.get("/mine/accesses/korsbaek/2019/0/ask")
        await annette.post("/mine/accesses/korsbaek/2019/0/ask", text="hvorfor mig?")
        register = people(made)
        old = register.persons[CITIZEN]
        register.persons[CITIZEN] = replace(old, current_cpr=NEW)
        register.persons[NEW] = replace(old, cpr=NEW, former=(CITIZEN,))
        yield made


def people(house: PagesHouse) -> FakePeople:
    """Give the register of persons."""
    assert isinstance(house.ports.people, FakePeople)
    return house.ports.people


async def file_of(house: PagesHouse, cpr: Personal[str], status: int = 200) -> Any:
    """Ask for somebody's file as the DPO."""
    dorte = await house.officer()
    await dorte.get("/dpo/package")
    told = {"X-CSRF-Token": dorte.csrf}
    answer = await dorte.http.post("/v1/packages", json={"citizen": cpr.disclose()}, headers=told)
    assert answer.status_code == status
    return answer.json()


async def made_for(house: PagesHouse, cpr: Personal[str]) -> int:
    """Count the files that the log says were made, under one number."""
    (handle,) = await house.databases.vault.citizens([cpr])
    page = await house.databases.reader.of_subject(handle, wanted=LogFilter(kind="package.made"))
    return len(page.entries)


@pytest.mark.parametrize("named", [CITIZEN, NEW])
async def test_it_is_whole_by_either_number_and_seen_by_the_new(house: PagesHouse, named: Personal[str]) -> None:
    """Whichever number is written, the file has what stands under both, and the citizen sees that it was made."""
    told = await file_of(house, named)
    assert {"outcome", "inquiry.sent", "consent.requested"} <= {row["kind"] for row in told["entries"]}
    assert told["recipients"]
    assert [row["text"] for row in told["inquiries"]] == ["hvorfor mig?"]
    assert len(told["requests"]) == 1
    assert (await made_for(house, CITIZEN), await made_for(house, NEW)) == (1, 1)
    annette = await house.citizen(NEW)
    assert "lavede en fil med det, der er gemt om dig" in (await annette.get("/mine/accesses")).text
    mine = (await annette.http.get("/v1/me/export")).json()
    assert [mine[part] for part in ("entries", "requests", "inquiries")] == [
        told[part] for part in ("entries", "requests", "inquiries")
    ]


async def test_one_register_row_alone_joins_nobody(house: PagesHouse) -> None:
    """A number counts only where both rows say so: neither a claim to another's number nor a lead to it opens any."""
    people(house).persons[STRANGER] = RegisterPerson(STRANGER, True, 19630101, former=(CITIZEN, NEW))
    assert {row["kind"] for row in (await file_of(house, STRANGER))["entries"]} == {"package.made"}
    assert (await made_for(house, CITIZEN), await made_for(house, NEW)) == (0, 0)
    people(house).persons[STRANGER] = RegisterPerson(STRANGER, True, 19630101, current_cpr=NEW)
    assert {row["kind"] for row in (await file_of(house, STRANGER))["entries"]} == {"package.made"}
    assert (await made_for(house, CITIZEN), await made_for(house, NEW)) == (0, 0)


async def test_without_the_register_there_is_no_file(house: PagesHouse) -> None:
    """A register that is silent, or leads on and on, gives no half a file; that it was asked stands where it was."""
    people(house).persons[NEW] = replace(people(house).persons[NEW], current_cpr=STRANGER)
    await file_of(house, CITIZEN, 502)
    people(house).silent = True
    assert (await made_for(house, CITIZEN), await made_for(house, NEW)) == (1, 0)
    await file_of(house, NEW, 502)
    assert (await made_for(house, CITIZEN), await made_for(house, NEW)) == (1, 1)


async def test_no_register_is_asked_before_the_log_has_it(house: PagesHouse) -> None:
    """With the log down, the register is asked for nobody (P2)."""

    class Down:
        async def append(self, *_: Any, **__: Any) -> Any:
            raise LogUnavailable

    asked = people(house).asked
    before = list(asked)
    ports = replace(house.ports, log=cast("Any", Down()))
    with pytest.raises(LogUnavailable):
        await record_package(CITIZEN, an_officer("dorte", "dpo"), ports, uncounted)
    assert asked == before
    await record_package(CITIZEN, an_officer("dorte", "dpo"), house.ports, uncounted)
    assert asked != before


async def uncounted(_: str) -> None:
    """Hold nobody to a ceiling."""


async def test_what_the_law_keeps_back_under_one_number_it_keeps_back_under_each(house: PagesHouse) -> None:
    """Entries under the old number stay out of the file while the law keeps that unit's back under the new one."""
    (handle,) = await house.databases.vault.citizens([NEW])
    superuser = await asyncpg.connect(house.databases.admin)
    at = int(NOON.timestamp())
    await superuser.execute(
        "INSERT INTO log.deferral (id, tenant, citizen, unit, ground, secret, asked_by, asked_at, until_at,"
        " approved_by, from_at) VALUES ($1, 'korsbaek', $2, 'korsbaek-job', 'g', $3, 'a', $4, $5, 'b', $4)",
        uuid4(), handle, b"s" * 32, at - 30 * 86400, at + 86400,
    )  # fmt: skip
    await superuser.close()
    told = await file_of(house, CITIZEN)
    assert "korsbaek-job" not in {row.get("unit") for row in told["entries"]}
    assert "inquiry.sent" in {row["kind"] for row in told["entries"]}
