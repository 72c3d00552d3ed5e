"""Letting go of a log's head before the disk is waited for: when it is done, and that nobody hears yes too early."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest

from audit import postgres
from audit.committer import GroupCommitter, Places, Submission, append_all
from audit.contention import MANY, SECONDS_BETWEEN_LOOKS, SECONDS_CROWDED, SUSPICIOUS_SECONDS, Line
from audit.errors import LogUnavailable
from audit.postgres import Connection
from tests.unit.audit.sealed import ORIGIN, OTHER, Crowded, new


class Watch:
    """A stopwatch that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def waiting_for(dsn: str, origin: str, count: int) -> list[tuple["asyncpg.Connection[Any]", asyncio.Task[Any]]]:
    """Let so many writers of one log wait for its head, which somebody else holds."""
    waiting = []
    for number in range(count):
        connection = await asyncpg.connect(dsn)
        waiting.append((connection, asyncio.create_task(postgres.append(connection, [new(900 + number, origin)]))))
    return waiting


async def until_seen(dsn: str, count: int) -> None:
    """Wait until so many writers are seen to wait."""
    looking = await asyncpg.connect(dsn)
    async with asyncio.timeout(20):
        while await postgres.waiting_writers(looking) != count:
            await asyncio.sleep(0.01)
    await looking.close()


@pytest.fixture
async def one_role(dsn: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    """Open connections of the role that waits in these tests: nodes see each other's waits, because theirs is one."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as opened:
        yield opened


async def test_a_line_is_seen_remembered_and_forgotten(
    dsn: str, superuser: "asyncpg.Connection[Any]", one_role: "asyncpg.Pool[Any]"
) -> None:
    """Two who wait make a crowd for a while; one is enough to keep it, nobody lets it end."""
    watch = Watch()
    line = Line(watch)
    async with one_role.acquire() as connection:
        await line.look(connection)
        assert not line.crowded
        await superuser.execute("BEGIN")
        await superuser.execute("SELECT FROM log.head FOR UPDATE")
        writers = await waiting_for(dsn, OTHER, MANY)
        await until_seen(dsn, MANY)
        assert not line.crowded
        await line.look(connection)
        assert line.crowded
        watch.now += SECONDS_CROWDED - 0.1
        writers[1][1].cancel()
        await until_seen(dsn, 1)
        await line.look(connection)
        watch.now += 1.0
        assert line.crowded
        await superuser.execute("ROLLBACK")
        await writers[0][1]
        await line.look(connection)
        watch.now += SECONDS_CROWDED
        assert not line.crowded
    for writer, _ in writers:
        await writer.close()


async def test_a_look_is_taken_seldom_and_only_after_a_long_append(pool: "asyncpg.Pool[Any]") -> None:
    """An append that was quick, or one soon after the last look, costs no statement."""
    watch = Watch()
    line = Line(watch)
    assert not line.suspicious(SUSPICIOUS_SECONDS)
    assert line.suspicious(2 * SUSPICIOUS_SECONDS)
    async with pool.acquire() as connection:
        await line.look(connection)
    assert not line.suspicious(1.0)
    watch.now += SECONDS_BETWEEN_LOOKS
    assert line.suspicious(1.0)


async def test_a_process_that_stood_in_line_lets_go_early_from_then_on(
    dsn: str, superuser: "asyncpg.Connection[Any]", one_role: "asyncpg.Pool[Any]"
) -> None:
    """After an append that had to wait, while others still do, the next one does not wait for the disk under lock."""
    seen: list[bool] = []

    async def write(connection: Connection, submissions: Sequence[Submission], early: bool) -> Places:
        seen.append(early)
        return await append_all(connection, submissions, early)

    committer = GroupCommitter(one_role, write=write)
    holder = await asyncpg.connect(dsn)
    for connection, origin in ((superuser, ORIGIN), (holder, OTHER)):
        await connection.execute("BEGIN")
        await connection.execute("SELECT FROM log.head WHERE origin = $1 FOR UPDATE", origin)
    held = asyncio.create_task(committer.submit(Submission((new(1),))))
    writers = await waiting_for(dsn, OTHER, MANY)
    await until_seen(dsn, MANY + 1)
    await superuser.execute("ROLLBACK")
    await held
    await committer.aclose()
    await committer.submit(Submission((new(2),)))
    assert seen == [False, True]
    await holder.execute("ROLLBACK")
    await asyncio.gather(*(task for _, task in writers))
    for connection in (holder, *(one for one, _ in writers)):
        await connection.close()


async def test_what_is_gone_when_the_disk_has_answered_is_no_yes(pool: "asyncpg.Pool[Any]") -> None:
    """Where the server lost the batch between its append and the flush, submitters hear LogUnavailable."""

    async def lost(connection: Connection, submissions: Sequence[Submission], early: bool) -> Places:
        transaction = connection.transaction()
        await transaction.start()
        places = await append_all(connection, submissions, early)
        await transaction.rollback()
        return places

    committer = GroupCommitter(pool, write=lost, line=Crowded())
    answers = await asyncio.gather(*(committer.submit(Submission((new(n),))) for n in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [LogUnavailable] * 3


async def test_an_early_append_is_not_flushed_by_itself_but_the_next_transaction_is(
    pool: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]"
) -> None:
    """The setting ends with the statement that the append is: what comes after on the connection waits again."""
    async with pool.acquire() as connection:
        (place,) = await postgres.append(connection, [new(1)], early=True)
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        assert await postgres.flushed(connection, place.eid)
        assert not await postgres.flushed(connection, b"?" * 16)
        behind = await superuser.fetchval("SELECT pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn()")
        assert behind == 0


async def test_submitters_to_several_logs_meet_in_no_deadlock(pool: "asyncpg.Pool[Any]") -> None:
    """Six committers, each ask over both logs in either order, early and late: all are placed, and both are gapless."""
    lines, refused = (Line, Crowded), []

    async def write(connection: Connection, submissions: Sequence[Submission], early: bool) -> Places:
        try:
            return await append_all(connection, submissions, early)
        except asyncpg.PostgresError as error:
            refused.append(error)
            raise

    committers = [GroupCommitter(pool, write=write, line=lines[number % 2]()) for number in range(6)]

    async def ask(number: int) -> None:
        pair = [new(2 * number, ORIGIN), new(2 * number + 1, OTHER)]
        committer = committers[number % len(committers)]
        await committer.submit(Submission(tuple(pair if number % 4 < 2 else pair[::-1])))

    async with asyncio.timeout(60):
        await asyncio.gather(*(ask(number) for number in range(240)))
    async with pool.acquire() as connection:
        assert [head.size for head in await postgres.heads(connection)] == [240, 240]
        assert (
            await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
        )
