"""The pool lends connections that are whole, loses no place, and lets nobody wait without end: over real PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence

import asyncpg
import pytest

from broker.adapters.pool import Lendable, Pool

# Far longer than any of these takes; only a hang reaches it.
LONGEST_SECONDS = 20
WHO = "SELECT pg_backend_pid()"
PoolOf = Callable[..., Pool]


@pytest.fixture
def connect(postgres_dsn: str) -> Callable[[], Awaitable[Lendable]]:
    """Give a way to connect to one empty database."""
    return lambda: asyncpg.connect(postgres_dsn)


@pytest.fixture
async def pool_of(connect: Callable[[], Awaitable[Lendable]]) -> AsyncIterator[PoolOf]:
    """Give a way to make pools, which are cut at the end."""
    made: list[Pool] = []

    def make(largest: int, connect: Callable[[], Awaitable[Lendable]] = connect, **limits: float) -> Pool:
        made.append(Pool(connect, largest=largest, **({"wait_seconds": LONGEST_SECONDS} | limits)))
        return made[-1]

    yield make
    for pool in made:
        pool.terminate()


@pytest.fixture
async def superuser(postgres_dsn: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Give a connection of its own to the same database."""
    connection = await asyncpg.connect(postgres_dsn)
    yield connection
    connection.terminate()


def handing_out(ready: Sequence[Lendable]) -> Callable[[], Awaitable[Lendable]]:
    """Give a way to connect that takes no time, so that a short limit judges what the test is about alone."""
    left = list(ready)

    async def hand_out() -> Lendable:
        return left.pop()

    return hand_out


async def test_the_last_one_used_goes_first(pool_of: PoolOf) -> None:
    """One after the other shares a connection; two at once have two, and no third is made afterwards."""
    pool = pool_of(4)
    one = {await pool.fetchval(WHO) for _ in range(3)}
    async with pool.acquire() as first, pool.acquire() as second:
        two = {await first.fetchval(WHO), await second.fetchval(WHO)}
    async with pool.acquire() as again, pool.acquire() as other:
        assert {await again.fetchval(WHO), await other.fetchval(WHO)} == two

    assert len(one) == 1
    assert one < two


async def test_a_statement_that_was_called_off_takes_its_connection_with_it(pool_of: PoolOf) -> None:
    """Who comes next has another connection, and reads their own answer there (no stranger's)."""
    pool = pool_of(1)
    before = await pool.fetchval(WHO)
    asleep = asyncio.create_task(pool.fetchval("SELECT 'a stranger''s' FROM pg_sleep(60)"))
    await asyncio.sleep(0.05)

    asleep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asleep

    assert await pool.fetchval("SELECT 'mine'") == "mine"
    assert await pool.fetchval(WHO) != before


async def test_a_statement_that_took_too_long_takes_its_connection_with_it(pool_of: PoolOf) -> None:
    """A deadline of ours says nothing of what the server still does: that connection is not lent again."""
    pool = pool_of(1)
    before = await pool.fetchval(WHO)
    with pytest.raises(TimeoutError):
        async with pool.acquire() as connection:
            await connection.fetchval("SELECT pg_sleep(60)", timeout=0.05)

    assert await pool.fetchval(WHO) != before


@pytest.mark.parametrize("leaves_by", [None, ValueError])
async def test_a_transaction_that_was_left_open_is_nobody_elses(
    pool_of: PoolOf, leaves_by: type[Exception] | None
) -> None:
    """Whoever forgets to end a transaction, or leaves it by an error, hands on neither it nor its settings."""
    pool = pool_of(1)
    with contextlib.suppress(ValueError):
        async with pool.acquire() as connection:
            await connection.execute("BEGIN")
            await connection.execute("SELECT set_config('borgerbro.municipality', 'korsbaek', true)")
            if leaves_by is not None:
                raise leaves_by

    async with pool.acquire() as connection:
        assert not connection.is_in_transaction()
        assert not await connection.fetchval("SELECT current_setting('borgerbro.municipality', true)")


async def test_an_error_that_leaves_nothing_open_costs_no_connection(pool_of: PoolOf) -> None:
    """What the database refuses, and an error of ours, say nothing against the connection."""
    pool = pool_of(1)
    before = await pool.fetchval(WHO)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await pool.fetchval("SELECT 1 / 0")
    with pytest.raises(ValueError, match="ours"):
        async with pool.acquire():
            raise ValueError("ours")

    assert await pool.fetchval(WHO) == before


async def test_connections_the_server_ended_meanwhile_cost_nobody_an_answer(
    pool_of: PoolOf, superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    """All that rest are ended at the other end: who comes next has a new one."""
    pool = pool_of(3)
    async with pool.acquire() as one, pool.acquire() as two:
        pids = [await one.fetchval(WHO), await two.fetchval(WHO)]
    for pid in pids:
        await superuser.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    async with asyncio.timeout(LONGEST_SECONDS):
        while not (one.is_closed() and two.is_closed()):
            await asyncio.sleep(0.01)

    assert await pool.fetchval(WHO) not in pids


async def test_a_connection_the_server_ends_under_a_statement_is_not_lent_again(
    pool_of: PoolOf, superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    """Whose statement it was hears of it; nobody else does."""
    pool = pool_of(1)
    pid = await pool.fetchval(WHO)
    asleep = asyncio.create_task(pool.fetchval("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.05)
    await superuser.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await asleep

    assert await pool.fetchval(WHO) != pid


async def test_nobody_waits_longer_than_the_limit(pool_of: PoolOf, connect: Callable[[], Awaitable[Lendable]]) -> None:
    """While the only connection is lent, who waits is told no in time, and takes no place with them."""
    pool = pool_of(1, handing_out([await connect()]), wait_seconds=0.05)
    async with asyncio.timeout(LONGEST_SECONDS), pool.acquire():
        waiting = [asyncio.create_task(pool.fetchval(WHO)) for _ in range(5)]
        told = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(error) for error in told] == [TimeoutError] * 5
    assert await pool.fetchval("SELECT 1") == 1


async def test_connecting_counts_as_waiting(pool_of: PoolOf) -> None:
    """A database that takes a connection and says nothing holds nobody longer than the limit."""

    async def never() -> Lendable:
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(LONGEST_SECONDS):
        with pytest.raises(TimeoutError):
            await pool_of(1, never, wait_seconds=0.05).fetchval(WHO)


async def test_a_database_that_was_gone_costs_no_place(
    pool_of: PoolOf, connect: Callable[[], Awaitable[Lendable]]
) -> None:
    """Connecting that failed, or was called off, leaves the place to the next one."""
    faults: list[type[BaseException]] = [ConnectionRefusedError, asyncpg.CannotConnectNowError, asyncio.CancelledError]

    async def sometimes() -> Lendable:
        if faults:
            raise faults.pop()
        return await connect()

    pool = pool_of(1, sometimes)
    for fault in (asyncio.CancelledError, asyncpg.CannotConnectNowError, ConnectionRefusedError):
        with pytest.raises(fault):
            await pool.fetchval(WHO)

    assert await pool.fetchval("SELECT 1") == 1


async def test_a_closed_pool_lends_nothing(pool_of: PoolOf) -> None:
    """Closing waits for what is lent, then closes it; who stands in line hears no; closing twice is closing."""
    pool = pool_of(1)
    async with pool.acquire() as connection:
        in_line = asyncio.create_task(pool.fetchval(WHO))
        await asyncio.sleep(0)
        closing = asyncio.create_task(pool.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        assert await connection.fetchval("SELECT 1") == 1
    await closing
    await pool.close()

    assert connection.is_closed()
    for late in (in_line, pool.fetchval(WHO)):
        with pytest.raises(asyncpg.InterfaceError):
            await late


@contextlib.contextmanager
def hanging(pids: Iterable[int]) -> Iterator[None]:
    """Let the server's ends of some connections stand still."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_a_pool_is_closed_though_its_database_hangs(
    pool_of: PoolOf, connect: Callable[[], Awaitable[Lendable]]
) -> None:
    """Connections whose other end says nothing are cut, each of them, and closing comes to its end."""
    ready = [await connect() for _ in range(3)]
    pids = [await connection.fetchval(WHO) for connection in ready]
    pool = pool_of(3, handing_out(ready), wait_seconds=0.2)
    async with pool.acquire(), pool.acquire(), pool.acquire():
        pass
    with hanging(pids):
        async with asyncio.timeout(LONGEST_SECONDS):
            await pool.close()

        assert [connection.is_closed() for connection in ready] == [True] * 3
    with pytest.raises(asyncpg.InterfaceError):
        await pool.fetchval(WHO)


async def test_a_pool_is_closed_though_somebody_keeps_a_connection(
    pool_of: PoolOf, connect: Callable[[], Awaitable[Lendable]]
) -> None:
    """Who does not give back in time finds it cut, and gives back afterwards like anybody."""
    pool = pool_of(2, handing_out([await connect()]), wait_seconds=0.1)
    async with pool.acquire() as connection:
        async with asyncio.timeout(LONGEST_SECONDS):
            await pool.close()
        with pytest.raises(asyncpg.InterfaceError):
            await connection.fetchval(WHO)

    assert connection.is_closed()


class Gone(asyncpg.Connection):
    """A connection whose other end goes in the very moment of closing."""

    async def close(self, *, timeout: float | None = None) -> None:
        """Find nobody there."""
        raise ConnectionResetError


async def test_one_connection_that_does_not_close_leaves_none_open(pool_of: PoolOf, postgres_dsn: str) -> None:
    """Where the first end is gone already, the others are closed all the same, and nobody hears of it."""
    ready = [await asyncpg.connect(postgres_dsn, connection_class=Gone) for _ in range(2)]
    pool = pool_of(2, handing_out(ready))
    async with pool.acquire(), pool.acquire():
        pass

    await pool.close()

    assert [connection.is_closed() for connection in ready] == [True, True]


async def test_a_pool_that_is_cut_cuts_what_is_lent(pool_of: PoolOf) -> None:
    """Who holds a connection of a pool that is cut finds it closed; nothing is lent any more."""
    pool = pool_of(2)
    async with pool.acquire() as connection:
        pool.terminate()
        with pytest.raises(asyncpg.InterfaceError):
            await connection.fetchval(WHO)
    with pytest.raises(asyncpg.InterfaceError):
        await pool.fetchval(WHO)


async def test_what_rested_too_long_is_closed_but_for_the_last(pool_of: PoolOf) -> None:
    """After a rush the connections that nobody needs go; one stays open for the next."""
    pool = pool_of(3, rest_seconds=0.0)
    held = [await pool.take() for _ in range(3)]
    for connection in held:
        pool.give_back(connection)
        await asyncio.sleep(0.001)

    assert [connection.is_closed() for connection in held] == [True, True, False]


async def test_a_rush_with_many_called_off_loses_no_place(pool_of: PoolOf) -> None:
    """Of many at once, a third called off at any moment, each who stays reads their own answer; all places remain."""
    chance = random.Random(4)
    pool = pool_of(4)

    async def ask(number: int) -> int:
        told: int = await pool.fetchval("SELECT $1::int FROM pg_sleep($2)", number, chance.random() / 500)
        return told

    asks = [asyncio.create_task(ask(number)) for number in range(200)]
    for called_off in chance.sample(asks, 70):
        await asyncio.sleep(chance.random() / 500)
        called_off.cancel()
    told = await asyncio.gather(*asks, return_exceptions=True)

    assert all(answer == number for number, answer in enumerate(told) if not isinstance(answer, asyncio.CancelledError))
    async with contextlib.AsyncExitStack() as stack:
        held = [await stack.enter_async_context(pool.acquire()) for _ in range(4)]
        assert [await connection.fetchval("SELECT 1") for connection in held] == [1] * 4
