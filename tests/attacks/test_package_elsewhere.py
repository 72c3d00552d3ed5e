"""What another municipality holds about a citizen is not read for a DPO's file: neither its rows nor its keys."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN
from tests.log_events import an_outcome
from tests.pages_house import PagesHouse, Reader, open_pages
from tests.sampling import an_officer

AWAY = {"municipality": "norrestrand", "requester": "norrestrand", "unit": "far-away"}


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house that looked a citizen up in two municipalities."""
    async with open_pages(postgres, tmp_path) as made:
        (citizen,) = await made.databases.vault.citizens([CITIZEN])
        actor = await made.databases.vault.officer(an_officer("nils", "employee"))
        here = an_outcome(citizen, actor)
        await made.databases.log.append([here, replace(here, **AWAY)])
        yield made


async def asked(dorte: Reader) -> tuple[int, Any]:
    """Ask for the file in JSON; give the answer's status and body."""
    await dorte.get("/dpo/package")
    told = {"X-CSRF-Token": dorte.csrf}
    answer = await dorte.http.post("/v1/packages", json={"citizen": CITIZEN.disclose()}, headers=told)
    return answer.status_code, answer.json()


async def test_a_broken_key_of_anothers_is_nothing_to_this_dpo(house: PagesHouse) -> None:
    """A key of Nørrestrand's that does not unwrap costs its own DPO the file, and Korsbæk's nothing: no oracle."""
    owner = await asyncpg.connect(house.databases.at.vault_owner)
    await owner.execute("ALTER TABLE vault.subject_key NO FORCE ROW LEVEL SECURITY")
    (citizen,) = await house.databases.vault.citizens([CITIZEN])
    spoil = "UPDATE vault.subject_key SET wrapped = 'x' WHERE handle = $1 AND municipality = 'norrestrand'"
    spoilt = await owner.execute(spoil, citizen)
    await owner.close()
    assert spoilt == "UPDATE 1"
    status, body = await asked(await house.officer())
    assert status == 200
    assert {row["municipality"] for row in body["entries"]} == {"korsbaek"}
    status, _ = await asked(await house.officer(id="n", municipalities=["norrestrand"]))
    assert status == 503


async def test_what_another_holds_takes_no_statement(house: PagesHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many statements and rows for a citizen whom another municipality looks up all day as for any other."""
    statements = list[tuple[str, int]]()
    fetch = asyncpg.Connection.fetch

    async def counted(self: Any, query: str, *args: Any, **more: Any) -> Any:
        rows = await fetch(self, query, *args, **more)
        statements.append((query, len(rows)))
        return rows

    monkeypatch.setattr(asyncpg.Connection, "fetch", counted)
    dorte = await house.officer()
    await asked(dorte)
    few = len(statements)
    statements.clear()
    (citizen,) = await house.databases.vault.citizens([CITIZEN])
    actor = await house.databases.vault.officer(an_officer("nils", "employee"))
    away = replace(an_outcome(citizen, actor), **AWAY)
    for _ in range(3):
        await house.databases.log.append([away] * 200)
    statements.clear()
    _, body = await asked(dorte)
    assert len(statements) == few
    assert {row["municipality"] for row in body["entries"]} == {"korsbaek"}
    whole = [count for query, count in statements if "log.body" in query]
    assert whole == [len(body["entries"])]
