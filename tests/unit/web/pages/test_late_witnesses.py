"""A log without its witnesses, over HTTP: the DPO reads that they are missing, asks are refused, oversight goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from broker.adapters.audit_lateness import Lateness
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.builders import NOON
from tests.databases import BASE
from tests.log_events import an_ask
from tests.pages_house import ASK, LOG_KEY, PagesHouse, open_pages
from tests.signing import own_checkpointer, sign_and_publish

MISSING = "Vidnerne mangler: ring til driften."
LIMIT = 900


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open a house whose log has an entry that was never signed, and that refuses what comes too long after."""
    async with open_pages(postgres, tmp_path) as made:
        anna, kim = await made.databases.vault.citizens([Personal("0000000001"), Personal("0000000002")])
        await made.databases.log.append([an_ask(anna, kim)])
        vars(made.databases.log)["_lateness"] = Lateness(made.databases.pool, LIMIT)
        yield made


async def superuser(house: PagesHouse, statement: str, *values: object) -> None:
    """Change what no role of ours may, and let the node look."""
    connection = await asyncpg.connect(house.databases.admin)
    await connection.execute(statement, *values)
    await connection.close()
    await vars(house.databases.log)["_lateness"].look()


async def sign(house: PagesHouse) -> None:
    """Let the checkpointer sign and publish."""
    async with asyncpg.create_pool(house.databases.at.checkpointer, min_size=1, max_size=1) as pool:
        await sign_and_publish(own_checkpointer(pool, LOG_KEY), f"{BASE}/korsbaek/2019")


async def test_the_dpo_reads_that_witnesses_are_missing(house: PagesHouse) -> None:
    """A log that nobody signed says so; one just published does not; one left too long does again."""
    dorte = await house.officer()
    never = (await dorte.get("/dpo")).text
    await sign(house)
    signed = (await dorte.get("/dpo")).text
    late = NOON - timedelta(minutes=10)
    await superuser(house, "UPDATE log.checkpoint SET published_at = $1 WHERE published_at IS NOT NULL", late)
    ago = (await dorte.get("/dpo")).text

    assert [MISSING in page for page in (never, signed, ago)] == [True, False, True]


async def test_without_witnesses_asks_are_refused_in_words_and_oversight_goes_on(house: PagesHouse) -> None:
    """Past the limit a caseworker's page is a 503 that shows nothing of the citizen; the DPO still reads the log."""
    lene, dorte = await house.caseworker(), await house.officer()
    await lene.get("/case")
    await superuser(house, "UPDATE log.head SET opened_at = now() - interval '1 hour'")

    refused = await lene.post("/case", **ASK)

    assert refused.status_code == 503
    assert not any(source.asked for source in house.sources.values())
    assert (await dorte.get("/dpo")).status_code == 200

    await superuser(house, "UPDATE log.head SET opened_at = now()")
    await lene.get("/case")
    taken = await lene.post("/case", **ASK)
    assert (taken.status_code, "Der er ikke samtykke" in taken.text) == (403, True)
