"""The append in PostgreSQL: places, heads, idempotence, and who may not write."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from audit import postgres
from audit.commitment import SealedEntry
from audit.entry import MAP_ROOT, MAX_KIND, Leaf
from audit.errors import UnknownLog
from audit.map_committer import MapCommitter
from audit.merkle import Frontier, consistency_holds, inclusion_holds, leaf_hash
from audit.postgres import NewEntry
from tests.unit.audit.sealed import ORIGIN, OTHER, an_entry, new


async def test_the_database_hashes_what_the_python_tree_hashes(pool: "asyncpg.Pool[Any]") -> None:
    """After each append of 1 to 17 entries the head is the head of the independent Python tree."""
    frontier = Frontier()
    async with pool.acquire() as connection:
        number = 0
        for batch in (1, 2, 3, 1, 7, 8, 1, 17):
            fresh = [new(number + i) for i in range(batch)]
            number += batch
            places = await postgres.append(connection, fresh)
            frontier = frontier.extend(leaf_hash(entry.sealed.leaf) for entry in fresh)
            head = await postgres.head(connection, ORIGIN)
            assert (head.size, head.root, head.frontier) == (number, frontier.root(), frontier.to_bytes())
            assert [place.index for place in places] == list(range(number - batch, number))
            assert {(place.size, place.root) for place in places} == {(number, frontier.root())}


async def test_an_entry_comes_back_as_it_went_in(pool: "asyncpg.Pool[Any]") -> None:
    """Leaf, body, salt and index row are read as they were sealed, byte for byte."""
    sealed = an_entry(5, index={"kind": "ask", "unit": "Børn og Unge", "at": 1780000000})
    async with pool.acquire() as connection:
        (place,) = await postgres.append(connection, [postgres.NewEntry(ORIGIN, sealed)])
        stored = await postgres.entry(connection, place.log_id, place.index)
    assert stored is not None
    assert stored.sealed() == sealed
    assert stored.leaf_hash == leaf_hash(sealed.leaf)


async def test_two_logs_move_in_one_transaction(pool: "asyncpg.Pool[Any]") -> None:
    """A batch over two logs gives each entry its place in its own log, in the order handed in."""
    batch = [new(1, OTHER), new(2, ORIGIN), new(3, OTHER), new(4, ORIGIN), new(5, OTHER)]
    async with pool.acquire() as connection:
        places = await postgres.append(connection, batch)
        sizes = [head.size for head in await postgres.heads(connection)]
    assert [place.index for place in places] == [0, 0, 1, 1, 2]
    assert [place.eid for place in places] == [entry.sealed.eid for entry in batch]
    assert sizes == [2, 3]


async def test_a_rolled_back_append_leaves_nothing(pool: "asyncpg.Pool[Any]") -> None:
    """When the caller's transaction does not commit, neither log has moved."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await postgres.append(connection, [new(1), new(2, OTHER)])
        await transaction.rollback()
        assert [head.size for head in await postgres.heads(connection)] == [0, 0]
        assert await postgres.positions(connection, [new(1).sealed.eid]) == {}


async def test_an_entry_id_is_appended_once(pool: "asyncpg.Pool[Any]") -> None:
    """A repeat, in a later batch or in the same one, gets the place of the first and adds nothing."""
    first, second = new(1), new(2)
    async with pool.acquire() as connection:
        (placed,) = await postgres.append(connection, [first])
        again = await postgres.append(connection, [second, first, second])
        head = await postgres.head(connection, ORIGIN)
    assert [place.index for place in again] == [1, 0, 1]
    assert placed.index == 0
    assert head.size == 2


@pytest.mark.parametrize("kind", [0xFF00, MAP_ROOT, MAX_KIND])
async def test_an_entry_of_the_logs_own_kinds_comes_with_its_epoch_alone(
    dsn: str, pool: "asyncpg.Pool[Any]", kind: int
) -> None:
    """Nobody appends one, alone or beside another, in a log with or without a map; a root is not put there again."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as checkpointer, pool.acquire() as connection:
        await postgres.append(connection, [new(1), new(2, OTHER)])
        assert await MapCommitter(checkpointer, epoch_seconds=0).run_once(ORIGIN) == 1
        stands = await postgres.leaves(connection, 1, 1, 2)
        own = replace(Leaf.from_bytes(stands[0]), kind=kind, eid=b"r" * 16).to_bytes()
        for origin in (ORIGIN, OTHER):
            entry = NewEntry(origin, SealedEntry(own, b"", b"s" * 32, b"{}"))
            for batch in ([entry], [new(3, origin), entry]):
                with pytest.raises(asyncpg.PostgresError) as refused:
                    await postgres.append(connection, batch)
                assert refused.value.sqlstate == "LG008"
        assert [head.size for head in await postgres.heads(connection)] == [2, 1]


@pytest.mark.parametrize("origin", [ORIGIN, OTHER])
async def test_an_entry_id_cannot_stand_for_another_entry(pool: "asyncpg.Pool[Any]", origin: str) -> None:
    """The same id with other content, or in another log, is refused rather than taken for the first."""
    async with pool.acquire() as connection:
        await postgres.append(connection, [new(1)])
        with pytest.raises(asyncpg.PostgresError) as refused:
            await postgres.append(connection, [new(1, origin)])
    assert refused.value.sqlstate == "LG003"


async def test_a_log_that_was_not_opened_takes_nothing(pool: "asyncpg.Pool[Any]") -> None:
    """An unknown origin is refused, also beside known ones."""
    async with pool.acquire() as connection:
        with pytest.raises(UnknownLog):
            await postgres.append(connection, [new(1), new(2, "log.example/none")])
        assert (await postgres.head(connection, ORIGIN)).size == 0
        with pytest.raises(UnknownLog):
            await postgres.head(connection, "log.example/none")


async def test_opening_a_log_again_changes_nothing(pool: "asyncpg.Pool[Any]") -> None:
    """The same log opens to the same id; its origin for another tenant is refused."""
    async with pool.acquire() as connection:
        await postgres.append(connection, [new(1)])
        head = await postgres.head(connection, ORIGIN)
        assert await postgres.open_log(connection, ORIGIN, "0101", 2026) == head.log_id
        assert (await postgres.head(connection, ORIGIN)).size == 1
        with pytest.raises(asyncpg.PostgresError) as refused:
            await postgres.open_log(connection, ORIGIN, "0147", 2026)
    assert refused.value.sqlstate == "LG002"


async def test_many_writers_make_one_gapless_log(pool: "asyncpg.Pool[Any]") -> None:
    """Forty tasks over eight connections and two logs: each place given once, both roots right, no deadlock."""

    async def write(number: int) -> None:
        pair = [new(2 * number, OTHER), new(2 * number + 1, ORIGIN)]
        async with pool.acquire() as connection, connection.transaction():
            await postgres.append(connection, pair if number % 2 else pair[::-1])

    await asyncio.gather(*(write(number) for number in range(40)))
    async with pool.acquire() as connection:
        for head in await postgres.heads(connection):
            stored = [entry async for entry in postgres.entries(connection, head.log_id, 0, 100)]
            assert [entry.index for entry in stored] == list(range(40))
            assert head.root == Frontier().extend(leaf_hash(entry.leaf) for entry in stored).root()


async def test_proofs_from_the_database_hold(pool: "asyncpg.Pool[Any]") -> None:
    """Inclusion and consistency proofs read from the rows convince the independent verifier."""
    async with pool.acquire() as connection:
        heads = {}
        for number in range(13):
            (place,) = await postgres.append(connection, [new(number)])
            heads[place.size] = place.root
        for index in range(13):
            proof = await postgres.inclusion_proof(connection, place.log_id, index, 13)
            stored = await postgres.entry(connection, place.log_id, index)
            assert stored is not None
            assert inclusion_holds(index, 13, stored.leaf_hash, proof, heads[13])
            proof = await postgres.consistency_proof(connection, place.log_id, index + 1, 13)
            assert consistency_holds(index + 1, 13, heads[index + 1], heads[13], proof)


async def test_an_append_does_not_read_the_log_it_adds_to(superuser: "asyncpg.Connection[Any]") -> None:
    """On a log of three thousand entries that nobody has analysed, one more costs a handful of look-ups."""
    for start in range(0, 3000, 500):
        await postgres.append(superuser, [new(number) for number in range(start, start + 500)])
    counted = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'log.entry'::regclass"
    async with superuser.transaction():
        before = await superuser.fetchval(counted)
        await postgres.append(superuser, [new(3000)])
        read = await superuser.fetchval(counted) - before
    assert read < 10


@pytest.mark.parametrize("table", ["head", "entry", "body", "index", "checkpoint"])
@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO log.{} DEFAULT VALUES", "UPDATE log.{} SET tenant = ''", "DELETE FROM log.{}", "TRUNCATE log.{}"],
)
async def test_the_application_cannot_write_past_the_function(
    pool: "asyncpg.Pool[Any]", table: str, statement: str
) -> None:
    """INSERT, UPDATE, DELETE and TRUNCATE are refused to the application's role on every table of the log."""
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.format(table))


async def test_the_application_cannot_keep_checkpoints_or_become_the_owner(pool: "asyncpg.Pool[Any]") -> None:
    """Keeping checkpoints is the checkpointer's; strangers may execute nothing at all."""
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await postgres.keep_checkpoint(connection, ORIGIN, Frontier(), "note")
        public = await connection.fetchval(
            "SELECT count(*) FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
            " WHERE p.pronamespace = 'log'::regnamespace AND a.grantee = 0"
        )
        assert public == 0
        assert not await connection.fetchval(
            "SELECT pg_has_role($1, $2, 'member')", postgres.APPLICATION_ROLE, postgres.OWNER_ROLE
        )


def test_the_schema_takes_other_role_names() -> None:
    """Each role's name is replaced everywhere; a name that is no plain word is refused."""
    script = "\n".join(postgres.schema_statements(application_role="web", checkpointer_role="web"))
    assert postgres.APPLICATION_ROLE not in script
    assert postgres.CHECKPOINTER_ROLE not in script
    with pytest.raises(ValueError, match="role"):
        postgres.schema_statements(application_role="web; DROP")
