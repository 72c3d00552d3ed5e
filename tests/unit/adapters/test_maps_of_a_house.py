"""The maps of a house: committed as the checkpointer, and a bent one is named."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from audit import postgres
from audit.bundle import verify_bundle
from audit.checkpointer_command import ALL_WELL, NOT_DONE, WRONG
from audit.map_committer import MapCommitter
from audit.map_postgres import map_state
from audit.note import SigningKey
from audit.postgres import Pool
from broker.adapters.audit_reader import LogReaderPostgres
from broker.domain.entries import LogFilter
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.databases import BASE, Databases, opened
from tests.log_events import an_ask, an_outcome
from tests.signing import signing

ORIGIN = f"{BASE}/korsbaek/2019"
SIGNER = SigningKey.generate("test.example")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def house(postgres: PrivatePostgres) -> AsyncIterator[Databases]:
    """Give a log of two entries about Anna, and one in another municipality."""
    async with opened(postgres) as databases:
        anna, kim = await databases.vault.citizens([Personal(f"{n:010d}") for n in range(2)])
        await databases.log.append([an_ask(anna, kim), an_outcome(anna, kim), an_ask(anna, kim, municipality="oestby")])
        yield databases


def soon(pool: Pool) -> MapCommitter:
    """Commit maps with no time between epochs."""
    return MapCommitter(pool, epoch_seconds=0)


async def test_every_log_is_mapped_and_nobody_sees_more_entries_for_it(house: Databases, tmp_path: Path) -> None:
    """Each log gets its root once, on the log itself, and signed; lists of people and overseers are as before."""
    async with signing(house.at.checkpointer, SIGNER, tmp_path, maps=soon) as rounds:
        assert [await rounds.once() for _ in range(2)] == [ALL_WELL, ALL_WELL]
    states = await house.reader.logs()
    assert [(state.size, state.signed_size) for state in states] == [(3, 3), (2, 2)]
    page = await house.reader.search(["korsbaek"], LogFilter())
    assert [entry.kind for entry in page.entries] == ["outcome", "ask"]
    assert all({"map", "shown"}.isdisjoint(entry.index) for entry in page.entries)
    async with house.pool.acquire() as connection:
        state = await map_state(connection, (await postgres.head(connection, ORIGIN)).log_id)
    assert state is not None
    assert (state.covered, state.index) == (2, 2)


async def test_a_log_whose_map_was_bent_is_named_and_the_others_go_on(house: Databases, tmp_path: Path) -> None:
    """A superuser changes one log's index row before it is counted: that log's map is refused, the other's is made."""
    admin = await asyncpg.connect(house.admin)
    await admin.execute("UPDATE log.index SET index_bytes = index_bytes || ' ' WHERE idx = 1")
    await admin.close()
    async with signing(house.at.checkpointer, SIGNER, tmp_path, maps=soon) as rounds:
        assert await rounds.once() == WRONG
        assert set(rounds.wrong) == {f"map of {ORIGIN}"}
    assert [state.size for state in await house.reader.logs()] == [2, 2]


async def test_a_citizen_gets_all_that_proves_their_list_whole(house: Databases, tmp_path: Path) -> None:
    """Each municipality's log with its list, shown as the page shows it; the employee's name is nowhere in it."""
    reader = LogReaderPostgres(house.pool, house.vault, wait_seconds=0)
    anna, kim, stranger = await house.vault.citizens([Personal(f"{n:010d}") for n in range(3)])
    unsigned = verify_bundle(await reader.bundle(anna, made_at=NOW), [SIGNER.verify_key], now=NOW)
    assert len(unsigned) == 2
    assert all(one.fault for one in unsigned)
    async with signing(house.at.checkpointer, SIGNER, tmp_path, maps=soon) as rounds:
        assert await rounds.once() == ALL_WELL
    text = await reader.bundle(anna, made_at=datetime.now(UTC))
    whole = {one.origin: one for one in verify_bundle(text, [SIGNER.verify_key])}
    assert [one.fault for one in whole.values()] == [None, None]
    assert [entry.index for entry in whole[ORIGIN].lists[0]] == [0, 1]
    outcome = json.loads(whole[ORIGIN].lists[0][1].shown or "")
    assert (outcome["event"], outcome["unit"], outcome["outcome"]) == ("outcome", "korsbaek-job", "released")
    assert [verdict["category"] for verdict in outcome["verdicts"]] == ["S01"]
    assert kim not in text
    assert anna not in text
    assert json.loads(await reader.bundle(stranger, made_at=NOW))["logs"] == []


async def test_what_was_hidden_from_a_citizen_shows_in_their_own_check(house: Databases, tmp_path: Path) -> None:
    """Bodies erased, the proof still holds; a row taken out of the person's part of the map, it does not."""
    reader = LogReaderPostgres(house.pool, house.vault, wait_seconds=0)
    (anna,) = await house.vault.citizens([Personal(f"{0:010d}")])
    async with signing(house.at.checkpointer, SIGNER, tmp_path, maps=soon) as rounds:
        assert await rounds.once() == ALL_WELL
    admin = await asyncpg.connect(house.admin)
    await admin.execute("WITH b AS (DELETE FROM log.body WHERE idx = 0) DELETE FROM log.index WHERE idx = 0")
    told = verify_bundle(await reader.bundle(anna, made_at=datetime.now(UTC)), [SIGNER.verify_key])
    assert [one.fault for one in told] == [None, None]
    assert all(one.lists[0][0].shown is None for one in told)
    await admin.execute("DELETE FROM log.map_entry WHERE idx = 0")
    await admin.close()
    told = verify_bundle(await reader.bundle(anna, made_at=datetime.now(UTC)), [SIGNER.verify_key])
    assert all("not whole" in str(one.fault) for one in told)


async def test_a_database_that_is_gone_is_said_and_tried_again(house: Databases, tmp_path: Path) -> None:
    """No word of the driver's comes through, and the next round does what this one could not."""
    async with signing(house.at.checkpointer, SIGNER, tmp_path, maps=soon) as rounds:
        admin = await asyncpg.connect(house.admin)
        await admin.execute("REVOKE SELECT ON log.head FROM borgerbro_checkpointer")
        assert await rounds.once() == NOT_DONE
        assert rounds.wrong == {"database": "no answer (InsufficientPrivilegeError)"}
        await admin.execute("GRANT SELECT ON log.head TO borgerbro_checkpointer")
        await admin.close()
        assert await rounds.once() == ALL_WELL
