"""The roots of complete subtrees beside the log: made from the entries, in order, by the checkpointer alone."""

import asyncio
from typing import Any

import asyncpg
import pytest

from audit import postgres
from audit.errors import Malformed, TreeMismatch
from audit.merkle import Frontier, consistency_holds, inclusion_holds, leaf_hash
from audit.node_keeper import keep_nodes
from audit.note import SigningKey
from audit.tiles import derive
from audit.verify_postgres import verify_logs
from tests.signing import own_checkpointer
from tests.unit.audit.sealed import ORIGIN, new

KEY = SigningKey.generate(ORIGIN)
# Rows as the append would have made them, faster; no row of body or index, which no proof needs.
FILLED = """
INSERT INTO log.entry SELECT 1, n, '0101', eid, leaf, sha256('\\x00'::bytea || leaf) FROM (
    SELECT n, decode(lpad(to_hex(n), 32, '0'), 'hex') AS eid,
        '\\x010001'::bytea || decode(lpad(to_hex(n), 32, '0'), 'hex') || sha256(n::text::bytea) AS leaf
    FROM generate_series(0, $1 - 1) AS n) AS made
"""


async def filled(connection: "asyncpg.Connection[Any]", size: int) -> list[bytes]:
    """Fill the log with so many entries; give their hashes."""
    await connection.execute(FILLED.replace("$1", str(size)))
    hashes = await postgres.leaf_hashes(connection, 1, 0, size)
    tree = Frontier().extend(hashes)
    set_head = "UPDATE log.head SET size = $1, root = $2, frontier = $3 WHERE id = 1"
    await connection.execute(set_head, size, tree.root(), tree.to_bytes())
    return hashes


async def test_nodes_are_the_tiles_above_the_first_level(superuser: "asyncpg.Connection[Any]") -> None:
    """Over 66,000 entries each level holds the hashes that tiles derived from all entries hold, and proofs hold."""
    hashes = await filled(superuser, 66_000)
    while not await keep_nodes(superuser, ORIGIN, 1, 66_000):
        pass
    for tile, packed in derive(hashes):
        start = tile.number * 256
        told = await postgres.nodes(superuser, 1, tile.level or 0, start, start + tile.width)
        assert b"".join(told) == packed
    root = Frontier().extend(hashes).root()
    for index in (0, 65_535, 65_536, 65_999):
        proof = await postgres.inclusion_proof(superuser, 1, index, 66_000)
        assert inclusion_holds(index, 66_000, hashes[index], proof, root)
        old = Frontier().extend(hashes[: index + 1]).root()
        proof = await postgres.consistency_proof(superuser, 1, index + 1, 66_000)
        assert consistency_holds(index + 1, 66_000, old, root, proof)


async def test_making_them_again_adds_nothing(superuser: "asyncpg.Connection[Any]") -> None:
    """What is made is left alone, whatever the step at which the last run ended."""
    await filled(superuser, 1100)
    assert await keep_nodes(superuser, ORIGIN, 1, 600)
    assert await keep_nodes(superuser, ORIGIN, 1, 1100)
    first = await superuser.fetch("SELECT * FROM log.node ORDER BY 1, 2, 3")
    assert await keep_nodes(superuser, ORIGIN, 1, 1100)
    assert await superuser.fetch("SELECT * FROM log.node ORDER BY 1, 2, 3") == first
    assert len(first) == 4


async def test_a_signature_finds_its_nodes_there(dsn: str, superuser: "asyncpg.Connection[Any]") -> None:
    """Whatever is signed can be proved at once, also on a log that is older than its nodes."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool:
        checkpointer = own_checkpointer(pool, KEY)
        entries = [new(number) for number in range(700)]
        for start, stop in ((0, 300), (300, 700)):
            async with pool.acquire() as connection:
                await postgres.append(connection, entries[start:stop])
            signed = (await checkpointer.run_once(ORIGIN)).checkpoint
            proof = await postgres.inclusion_proof(superuser, 1, 7, stop)
            assert inclusion_holds(7, stop, leaf_hash(entries[7].sealed.leaf), proof, signed.root)
        await superuser.execute("DELETE FROM log.node")
        await own_checkpointer(pool, KEY).run_once(ORIGIN)
    assert await superuser.fetchval("SELECT count(*) FROM log.node") == 2


async def test_two_may_make_them_at_once(dsn: str, superuser: "asyncpg.Connection[Any]") -> None:
    """Processes side by side make the same rows, once."""
    await filled(superuser, 2600)
    async with asyncpg.create_pool(dsn, min_size=4, max_size=4) as pool:

        async def one() -> None:
            async with pool.acquire() as connection:
                await keep_nodes(connection, ORIGIN, 1, 2600)

        await asyncio.gather(*(one() for _ in range(4)))
    assert await superuser.fetchval("SELECT count(*) FROM log.node") == 10


async def test_without_nodes_there_is_no_proof(superuser: "asyncpg.Connection[Any]") -> None:
    """A proof that would need a node that is not there is not made up."""
    await filled(superuser, 600)
    with pytest.raises(Malformed):
        await postgres.inclusion_proof(superuser, 1, 7, 600)


async def test_lost_entries_make_no_nodes(superuser: "asyncpg.Connection[Any]") -> None:
    """Where an entry is gone nothing is derived over the gap."""
    await filled(superuser, 600)
    await superuser.execute("DELETE FROM log.entry WHERE idx = 300")
    with pytest.raises(TreeMismatch):
        await keep_nodes(superuser, ORIGIN, 1, 600)
    assert await superuser.fetchval("SELECT count(*) FROM log.node") == 0


@pytest.mark.parametrize(("start", "count"), [(0, 3), (2, 1), (-1, 1)])
async def test_nodes_beyond_the_log_are_refused(superuser: "asyncpg.Connection[Any]", start: int, count: int) -> None:
    """The function takes no node of entries that are not there."""
    await filled(superuser, 600)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await superuser.execute("SELECT log.keep_nodes($1, 1::smallint, $2, $3)", ORIGIN, start, [bytes(32)] * count)
    assert refused.value.sqlstate == "LG006"


async def test_the_application_makes_no_nodes(pool: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]") -> None:
    """The broker's own role reads them and can neither add nor change one."""
    await filled(superuser, 600)
    async with pool.acquire() as connection:
        assert await postgres.nodes(connection, 1, 1, 0, 5) == []
        for statement in (
            f"SELECT log.keep_nodes('{ORIGIN}', 1::smallint, 0, ARRAY[sha256('x')])",
            "INSERT INTO log.node VALUES (1, 1, 0, '0101', sha256('x'))",
            "DELETE FROM log.node",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def read_rows(connection: "asyncpg.Connection[Any]") -> tuple[int, int]:
    """Count what was ever read of entries and nodes: row by row through a whole table, and by an index."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    row = await connection.fetchrow(
        "SELECT sum(seq_tup_read)::bigint, sum(idx_tup_fetch)::bigint FROM pg_stat_user_tables"
        " WHERE schemaname = 'log' AND relname IN ('entry', 'node')"
    )
    assert row is not None
    return row[0], row[1]


async def test_the_first_proof_after_a_start_reads_few_rows(dsn: str, superuser: "asyncpg.Connection[Any]") -> None:
    """A process that has just begun proves entries of a log of 66,000 without a look at the whole of it."""
    await filled(superuser, 66_000)
    while not await keep_nodes(superuser, ORIGIN, 1, 66_000):
        pass
    await superuser.execute("ANALYZE log.entry; ANALYZE log.node")
    fresh = await asyncpg.connect(dsn)
    try:
        before = await read_rows(fresh)
        for index in (0, 40_000, 65_999):
            await postgres.inclusion_proof(fresh, 1, index, 66_000)
            await postgres.consistency_proof(fresh, 1, index + 1, 66_000)
        scanned, looked_up = (b - a for a, b in zip(before, await read_rows(fresh), strict=True))
    finally:
        await fresh.close()
    assert scanned <= 6 * 512
    assert 0 < looked_up <= 6 * 6 * 256


async def test_a_node_that_was_changed_is_named(dsn: str, superuser: "asyncpg.Connection[Any]") -> None:
    """Verifying computes every node again: one that was changed or taken away is named by level and number."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        async with pool.acquire() as connection:
            await postgres.append(connection, [new(number) for number in range(600)])
        await own_checkpointer(pool, KEY).run_once(ORIGIN)

    async def told() -> list[str]:
        (report,) = await verify_logs(superuser, origin=ORIGIN, keys=[KEY.verify_key])
        # The fences of a database with every part are another test's.
        return [str(fault) for fault in report.faults if fault.where.startswith("node ")]

    assert await told() == []
    await superuser.execute("UPDATE log.node SET hash = sha256(hash) WHERE idx = 1")
    assert await told() == ["node 1/1: is not the root of its entries"]
    await superuser.execute("DELETE FROM log.node WHERE idx = 1")
    assert await told() == ["node 1/1: is missing"]
