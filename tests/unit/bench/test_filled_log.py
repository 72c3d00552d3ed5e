"""The log that the bench fills is one that the real checkpointer signs and the real verifiers believe."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from audit import postgres as log_in_postgres
from audit.note import SigningKey
from audit.verify_map import verify_maps
from audit.verify_postgres import verify_logs
from bench import filled_log
from bench.filled_log import fill
from bench.goals import goals
from bench.heads import opened_heads
from bench.large_log import ORIGIN
from demo.postgres import PrivatePostgres
from tests.databases import fresh
from tests.signing import own_checkpointer, sign_and_publish
from tests.unit.bench.test_figures import made_up

# Two whole subtrees of 256 and a rest, in several copies.
ENTRIES = 600
SIZE = "SELECT size FROM log.head WHERE origin = $1"
KEY = SigningKey.generate("borgerbro.example/log")


async def test_what_is_filled_is_what_appending_would_have_written(
    postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed without surprise, whole by every row, hash and list; one byte changed, and both verifiers say where."""
    async with fresh(postgres) as (admin, at):
        monkeypatch.setattr(filled_log, "AT_ONCE", 250)
        connection = await asyncpg.connect(admin)
        indexes = "SELECT array_agg(indexdef ORDER BY indexdef) FROM pg_indexes WHERE schemaname = 'log'"
        before = await connection.fetchval(indexes)

        await fill(admin, ORIGIN, ENTRIES)
        async with asyncpg.create_pool(at.checkpointer, min_size=1, max_size=1) as pool:
            await sign_and_publish(own_checkpointer(pool, KEY), ORIGIN)

        head = await log_in_postgres.head(connection, ORIGIN)
        (report,) = await verify_logs(connection, keys=[KEY.verify_key])
        assert (report.size, report.signed_size, report.faults) == (ENTRIES + 1, ENTRIES + 1, ())
        assert len(await log_in_postgres.nodes(connection, head.log_id, 1, 0, 9)) == 2
        assert await verify_maps(connection) == {ORIGIN: []}
        assert await connection.fetchval(indexes) == before
        await connection.execute(
            "UPDATE log.body SET ciphertext = set_byte(ciphertext, 20, 7) || '\\x00' WHERE idx = 300"
        )
        await connection.execute("DELETE FROM log.map_entry WHERE idx = 301")
        (report,) = await verify_logs(connection, keys=[KEY.verify_key])
        assert [str(fault) for fault in report.faults] == ["entry 300: body does not match its commitment"]
        assert [str(fault) for fault in (await verify_maps(connection))[ORIGIN]] == [
            "entry 301: is missing from its list"
        ]
        await connection.close()


async def test_an_entry_waits_for_its_own_head(postgres: PrivatePostgres) -> None:
    """What is told is the time until a published head covers that very entry; an older head does not count."""
    async with (
        fresh(postgres) as (_, at),
        opened_heads(at.app, ORIGIN) as heads,
        asyncpg.create_pool(at.checkpointer, min_size=1, max_size=1) as pool,
    ):
        signer = own_checkpointer(pool, KEY)
        for size in (1, 2):
            waiting = asyncio.create_task(heads.wait())
            while not waiting.done() and await pool.fetchval(SIZE, ORIGIN) < size:
                await asyncio.sleep(0.01)
            assert not waiting.done()
            await sign_and_publish(signer, ORIGIN)
            signed, published = await waiting
            assert 0 < signed <= published


def test_the_slowest_head_is_the_one_that_is_judged() -> None:
    """A head that was late once is late, however quick the others were."""
    figures = made_up()
    figures.series["head", "signed"] = [0.2, 1.01]
    figures.series["head", "witnessed"] = [0.3, 5.0]
    found = {goal.what: goal.reached for goal in goals(figures) if goal.what.startswith("head")}

    assert found == {
        "head signed after an append, the slowest of 2": False,
        "head witnessed after an append, the slowest of 2": True,
    }
