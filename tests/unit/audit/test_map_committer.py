"""Epochs: what is on the log is counted, provably, and a map that was bent is not built upon."""

import asyncio
from typing import Any

import asyncpg
import pytest

from audit import postgres
from audit.commitment import Party, shown_commitment
from audit.errors import TreeMismatch, UnknownLog
from audit.map import chain_of, tile_root
from audit.map_committer import MapCommitter
from audit.map_postgres import map_entries, map_proof, map_state, map_tiles
from audit.map_root import MapRoot
from audit.merkle import leaf_hash
from audit.postgres import NewEntry
from audit.verify_postgres import verify_logs
from tests.unit.audit.sealed import CITIZEN, ORIGIN, OTHER, an_entry, mapped, new

SOREN = Party(b"citizen-handle-2", b"s" * 32)
NOBODY = Party(b"citizen-handle-3", b"n" * 32)


@pytest.fixture
async def all_powerful(dsn: str) -> Any:
    """Open connections as the superuser, who may append and commit."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool:
        yield pool


async def grow(pool: "asyncpg.Pool[Any]", *numbers: int, subject: Party = CITIZEN, origin: str = ORIGIN) -> None:
    """Append entries that stand in the map."""
    async with pool.acquire() as connection:
        await postgres.append(connection, [mapped(number, subject, origin) for number in numbers])


def at_once(pool: "asyncpg.Pool[Any]") -> MapCommitter:
    """Make a committer for which an epoch is always due where there is news."""
    return MapCommitter(pool, epoch_seconds=0)


async def proved(connection: postgres.Connection, subject: Party) -> int:
    """Check a party's list against the root that stands in the log; give how many entries it has."""
    head = await postgres.head(connection, ORIGIN)
    state = await map_state(connection, head.log_id)
    assert state is not None
    root = await postgres.entry(connection, head.log_id, state.index)
    assert root is not None
    key = subject.map_key(ORIGIN)
    listed = []
    for index, shown in await map_entries(connection, head.log_id, key):
        entry = await postgres.entry(connection, head.log_id, index)
        assert entry is not None
        assert shown == shown_commitment(subject.shown_salt(entry.eid), b"shown")
        listed.append((leaf_hash(entry.leaf), shown))
    count, proof = await map_proof(connection, head.log_id, key)
    assert count == len(listed)
    assert proof.root(key, chain_of(listed)) == MapRoot.from_leaf(root.leaf).root
    return count


async def test_everybody_can_prove_their_list_after_each_epoch(
    all_powerful: "asyncpg.Pool[Any]", pool: "asyncpg.Pool[Any]"
) -> None:
    """As the application may read: each has as many entries as they have, and a person who has none proves that."""
    committer = at_once(all_powerful)
    await grow(all_powerful, 0, 1)
    await grow(all_powerful, 2, 3, 4, subject=SOREN)
    assert await committer.run_once(ORIGIN) == 5
    await grow(all_powerful, 6, subject=SOREN)
    await grow(all_powerful, 7)
    assert await committer.run_once(ORIGIN) == 8
    async with pool.acquire() as connection:
        assert [await proved(connection, party) for party in (CITIZEN, SOREN, NOBODY)] == [3, 4, 0]
    (report,) = await _verified(all_powerful)
    assert report == ()


async def test_an_epoch_comes_when_there_is_news_and_not_before_its_time(all_powerful: "asyncpg.Pool[Any]") -> None:
    """Nothing for an empty log; none twice for the same entries; not within the epoch; one an hour where all rests."""
    committer = at_once(all_powerful)
    assert await committer.run_once(ORIGIN) is None
    await grow(all_powerful, 0)
    assert await committer.run_once(ORIGIN) == 1
    assert await committer.run_once(ORIGIN) is None
    await grow(all_powerful, 1)
    assert await MapCommitter(all_powerful).run_once(ORIGIN) is None
    assert await committer.run_once(ORIGIN) == 3
    assert await MapCommitter(all_powerful, idle_seconds=0).run_once(ORIGIN) == 4
    async with all_powerful.acquire() as connection:
        last = await postgres.entry(connection, 1, 4)
        state = await map_state(connection, 1)
    assert last is not None
    assert state is not None
    assert MapRoot.from_leaf(last.leaf) == MapRoot(state.root, 4)


async def test_a_log_of_a_year_that_is_over_gets_one_last_root(
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]"
) -> None:
    """Once a root is dated after the log's year, and nothing is new, no more epochs come."""
    await superuser.execute("UPDATE log.head SET year = 2000 WHERE id = 1")
    committer = MapCommitter(all_powerful, epoch_seconds=0, idle_seconds=0)
    await grow(all_powerful, 0)
    assert await committer.run_once(ORIGIN) == 1
    assert await committer.run_once(ORIGIN) is None


async def test_two_processes_commit_in_turn_and_never_the_same_epoch_twice(all_powerful: "asyncpg.Pool[Any]") -> None:
    """Side by side, one of them writes the epoch; the other goes on from it next time."""
    one, two = at_once(all_powerful), at_once(all_powerful)
    await grow(all_powerful, 0, 1)
    first = await asyncio.gather(one.run_once(ORIGIN), two.run_once(ORIGIN))
    assert sorted(first, key=str) == [2, None]
    await grow(all_powerful, 3)
    assert await two.run_once(ORIGIN) == 4
    await grow(all_powerful, 5)
    assert await one.run_once(ORIGIN) == 6
    async with all_powerful.acquire() as connection:
        assert await proved(connection, CITIZEN) == 4


async def test_each_log_has_its_own_map(all_powerful: "asyncpg.Pool[Any]") -> None:
    """A person's key in one log stands nowhere in another; a log that is not there is said to be unknown."""
    committer = at_once(all_powerful)
    await grow(all_powerful, 0)
    await grow(all_powerful, 1, origin=OTHER)
    assert await committer.run_once(ORIGIN) == await committer.run_once(OTHER) == 1
    assert CITIZEN.map_key(ORIGIN) != CITIZEN.map_key(OTHER)
    async with all_powerful.acquire() as connection:
        assert await map_entries(connection, 2, CITIZEN.map_key(ORIGIN)) == []
    with pytest.raises(UnknownLog):
        await committer.run_once("log.example/none")


async def test_an_entry_from_before_there_was_a_map_stays_outside(all_powerful: "asyncpg.Pool[Any]") -> None:
    """An index row that names no key is counted for nobody, and stops nothing."""
    async with all_powerful.acquire() as connection:
        await postgres.append(connection, [new(0)])
    await grow(all_powerful, 1)
    assert await at_once(all_powerful).run_once(ORIGIN) == 2
    async with all_powerful.acquire() as connection:
        assert await proved(connection, CITIZEN) == 1


async def test_an_entry_erased_before_it_was_counted_stops_nothing(
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]"
) -> None:
    """With body and index row gone together it counts for nobody; `verify` says whether that was lawful."""
    await grow(all_powerful, 0, 1)
    await superuser.execute("WITH b AS (DELETE FROM log.body WHERE idx = 0) DELETE FROM log.index WHERE idx = 0")
    assert await at_once(all_powerful).run_once(ORIGIN) == 2
    async with all_powerful.acquire() as connection:
        assert await proved(connection, CITIZEN) == 1
    (faults,) = await _verified(all_powerful)
    assert [fault.index for fault in faults] == [0]


@pytest.mark.parametrize("place", [{"map": "ab", "shown": "ab" * 32}, {"map": "ab" * 32, "shown": ""}])
async def test_a_place_that_is_none_in_the_map_is_named_and_not_left_to_the_database(
    place: dict[str, str], all_powerful: "asyncpg.Pool[Any]"
) -> None:
    """It is this log's map that is wrong; a database that refused it would stop the signing of every log."""
    async with all_powerful.acquire() as connection:
        await postgres.append(connection, [NewEntry(ORIGIN, an_entry(index={"kind": "ask", **place}))])
    with pytest.raises(TreeMismatch, match="place"):
        await at_once(all_powerful).run_once(ORIGIN)


BENT = {
    "a row is gone": "DELETE FROM log.entry WHERE idx = 3",
    "a body is gone": "DELETE FROM log.body WHERE idx = 3",
    "an entry was moved to another key": "UPDATE log.index SET index_bytes = replace(index_bytes, 'a', 'b')",
    "a chain was cut": "UPDATE log.map_leaf SET count = 1, head = sha256('')",
    "a chain is gone": "DELETE FROM log.map_leaf",
    "chains and tiles are gone": "WITH t AS (DELETE FROM log.map_tile) DELETE FROM log.map_leaf",
    "a low tile is gone": "DELETE FROM log.map_tile WHERE level = 2",
    "the top tile is gone": "DELETE FROM log.map_tile WHERE level = 0",
    "a tile was emptied": "UPDATE log.map_tile SET packed = decode(repeat('00', 32), 'hex') WHERE level = 1",
    "a tile cannot be read": "UPDATE log.map_tile SET packed = 'x' WHERE level = 2",
    "the root was changed": "UPDATE log.map SET root = sha256('')",
    "the root is said to stand elsewhere": "UPDATE log.map SET idx = 0",
    "the map is said to go further": "UPDATE log.map SET covered = 4",
}


@pytest.mark.parametrize("statement", BENT.values(), ids=BENT.keys())
async def test_a_bent_map_is_not_built_upon(
    statement: str, all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]"
) -> None:
    """Whatever a superuser changes of rows or map before the next epoch, that epoch is refused."""
    committer = at_once(all_powerful)
    await grow(all_powerful, 0, 1)
    assert await committer.run_once(ORIGIN) == 2
    await grow(all_powerful, 3)
    await superuser.execute(statement)
    for one in (committer, at_once(all_powerful)):
        with pytest.raises(TreeMismatch):
            await one.run_once(ORIGIN)
    async with all_powerful.acquire() as connection:
        assert (await postgres.head(connection, ORIGIN)).size == 4


async def test_a_map_that_went_back_is_seen_by_who_committed_it(
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]"
) -> None:
    """A map put back to an earlier epoch, root and all, is refused by the process that committed the later one."""
    committer = at_once(all_powerful)
    await grow(all_powerful, 0)
    await committer.run_once(ORIGIN)
    kept = await superuser.fetchrow("SELECT root, idx, covered FROM log.map")
    await grow(all_powerful, 2)
    await committer.run_once(ORIGIN)
    await superuser.execute("UPDATE log.map SET root = $1, idx = $2, covered = $3", *kept)
    with pytest.raises(TreeMismatch):
        await committer.run_once(ORIGIN)


async def test_a_root_that_stands_is_not_committed_again(
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]"
) -> None:
    """Whoever commits the leaf of an earlier epoch once more leaves the map as it was."""
    await grow(all_powerful, 0)
    await at_once(all_powerful).run_once(ORIGIN)
    before = await superuser.fetchrow("SELECT * FROM log.map")
    with pytest.raises(asyncpg.PostgresError) as refused:
        await superuser.execute(
            "SELECT log.commit_map($1, 1, 1, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',"
            " (SELECT leaf FROM log.entry WHERE idx = 1), '', '{}')",
            ORIGIN,
        )
    assert refused.value.sqlstate == "LG006"
    assert await superuser.fetchrow("SELECT * FROM log.map") == before


async def test_the_application_reads_of_the_map_only_what_it_may(
    all_powerful: "asyncpg.Pool[Any]", pool: "asyncpg.Pool[Any]"
) -> None:
    """It can neither list keys and chains, nor commit an epoch; tiles and roots are hashes and open."""
    await grow(all_powerful, 0)
    await at_once(all_powerful).run_once(ORIGIN)
    for refused in ("SELECT * FROM log.map_entry", "SELECT * FROM log.map_leaf", "SELECT log.kept_under(1, 0, 9)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.fetch(refused)
    await grow(all_powerful, 9)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await at_once(pool).run_once(ORIGIN)
    async with pool.acquire() as connection:
        tiles = await map_tiles(connection, 1, [(0, 0)])
        state = await map_state(connection, 1)
    assert state is not None
    assert tile_root(tiles[0, 0]) == state.root


async def _verified(pool: "asyncpg.Pool[Any]") -> list[tuple[Any, ...]]:
    async with pool.acquire() as connection:
        return [report.faults for report in await verify_logs(connection, origin=ORIGIN)]
