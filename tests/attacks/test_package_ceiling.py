"""A DPO's log-in that somebody else got hold of makes no file of every citizen in a day."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.adapters import ceilings_postgres
from broker.adapters.ceilings_postgres import Ceiling, Limits, PostgresCeilings
from broker.domain.errors import TooManyAsks
from broker.domain.identity import OfficerLogin
from broker.oversight.package import record_package
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, STRANGER
from tests.pages_house import PagesHouse, open_pages
from tests.sampling import an_officer

ASKS = Ceiling(10, 3600)


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def test_so_many_files_in_a_day_and_no_more(house: PagesHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third is refused until the day is over, whoever it is about, and is not on the log; a colleague goes on."""
    monkeypatch.setattr(ceilings_postgres, "PACKAGES", Ceiling(2, 86400))
    ceilings = PostgresCeilings(house.databases.pool, Limits(ASKS, ASKS, ASKS))

    def made_by(name: str) -> OfficerLogin:
        return an_officer(name, "dpo")

    for citizen in (CITIZEN, STRANGER):
        await record_package(citizen, made_by("dorte"), house.ports, ceilings.count_package)
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    before = len((await house.databases.reader.of_subject(handle)).entries)
    with pytest.raises(TooManyAsks) as refused:
        await record_package(CITIZEN, made_by("dorte"), house.ports, ceilings.count_package)
    assert 0 < refused.value.retry_after_seconds <= 86400
    assert len((await house.databases.reader.of_subject(handle)).entries) == before
    await record_package(CITIZEN, made_by("nina"), house.ports, ceilings.count_package)


async def test_both_doors_count_on_one_ceiling(house: PagesHouse) -> None:
    """What is refused on the page is refused in JSON, by a problem that says when to come back and names nobody."""
    dorte = await house.officer()
    await dorte.get("/dpo/package")
    told = {"X-CSRF-Token": dorte.csrf}
    number = CITIZEN.disclose()
    answers = [
        *[await dorte.post("/dpo/package", citizen=number) for _ in range(ceilings_postgres.PACKAGES.asks - 1)],
        await dorte.http.post("/v1/packages", json={"citizen": number}, headers=told),
    ]
    assert {answer.status_code for answer in answers} == {200}
    page = await dorte.post("/dpo/package", citizen=number)
    body = await dorte.http.post("/v1/packages", json={"citizen": number}, headers=told)
    assert (page.status_code, body.status_code) == (429, 429)
    assert int(body.headers["retry-after"]) > 0
    assert number not in page.text + body.text
