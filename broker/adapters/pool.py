"""Connections to one database, kept open and lent for the length of a block.

Rules kept here:
- Nobody waits for a connection longer than the limit: asks that come while the database hangs do not queue for each
  other.
- Giving back waits for nothing, so whoever is called off gives back too.
- Closing ends within the limit, and no connection outlives it, even where the database hangs.
- A connection of which something is unknown is never lent again: one whose statement was given up, that the server
  ended, or with a transaction left open.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeAlias

import asyncpg

Lendable: TypeAlias = "asyncpg.Connection[Any]"

REST_SECONDS = 300.0
# After these it is not known what became of a statement. They are no whole list: see `_is_doubtful`.
_DOUBTFUL = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
)


class Pool:
    """At most `largest` connections, each made by `connect` when it is first needed; the last one used goes first.

    One that rested for longer than `rest_seconds` is closed, unless it is the last.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Lendable]],
        *,
        largest: int,
        wait_seconds: float,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self.largest = largest
        self._connect = connect
        self._wait_seconds = wait_seconds
        self._rest_seconds = rest_seconds
        self._places = asyncio.Semaphore(largest)
        self._resting: deque[tuple[Lendable, float]] = deque()
        self._lent: set[Lendable] = set()
        self._closed = False

    def acquire(self) -> Lent:
        """Lend a connection: `async with pool.acquire() as connection`.

        Raises `TimeoutError` when there is none in time, `asyncpg.InterfaceError` after `close`, and what connecting
        raises.
        """
        return Lent(self)

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        """Run one statement and give its rows."""
        async with Lent(self) as connection:
            rows: list[Any] = await connection.fetch(query, *values)
            return rows

    async def fetchval(self, query: str, *values: Any) -> Any:
        """Run one statement and give the first value of its first row."""
        async with Lent(self) as connection:
            return await connection.fetchval(query, *values)

    async def execute(self, query: str, *values: Any) -> str:
        """Run one statement and give its status."""
        async with Lent(self) as connection:
            return await connection.execute(query, *values)

    async def close(self) -> None:
        """Close every connection, those that are lent when they are back; what takes longer than the limit is cut."""
        if self._closed:
            return
        self._closed = True
        taken, in_time = 0, asyncio.timeout(self._wait_seconds)
        try:
            # What hangs, or is gone already, says so by one of these, and is cut below.
            with suppress(*_DOUBTFUL):
                async with in_time:
                    while taken < self.largest:
                        await self._places.acquire()
                        taken += 1
                    for connection, _ in self._resting:
                        await connection.close()
        finally:
            self.terminate()
            # Whoever still waits, or comes, hears at once that the pool is closed.
            for _ in range(taken):
                self._places.release()

    def terminate(self) -> None:
        """Cut every connection at once, lent or not."""
        self._closed = True
        for connection in (*self._lent, *(connection for connection, _ in self._resting)):
            connection.terminate()
        self._resting.clear()

    async def take(self) -> Lendable:
        """Take a connection; whoever takes it gives it back."""
        # A limit is set only for whoever may have to wait, for a place or for a new connection.
        if self._resting and not self._places.locked():
            return await self._taken()
        async with asyncio.timeout(self._wait_seconds):
            return await self._taken()

    async def _taken(self) -> Lendable:
        await self._places.acquire()
        try:
            connection = self._rested() or await self._connect()
        except BaseException:
            self._places.release()
            raise
        self._lent.add(connection)
        return connection

    def give_back(self, connection: Lendable, error: BaseException | None = None) -> None:
        """Give a connection back, and say how the work with it ended."""
        self._lent.discard(connection)
        if not connection.is_closed():
            if self._closed or _is_doubtful(error) or connection.is_in_transaction():
                connection.terminate()
            else:
                self._resting.append((connection, time.monotonic()))
        self._places.release()
        while len(self._resting) > 1 and self._resting[0][1] < time.monotonic() - self._rest_seconds:
            self._resting.popleft()[0].terminate()

    def _rested(self) -> Lendable | None:
        """Give the connection that rested the shortest and still stands, if there is one."""
        if self._closed:
            raise asyncpg.InterfaceError("the pool is closed")
        while self._resting:
            connection, _ = self._resting.pop()
            if not connection.is_closed():
                return connection
        return None


class Lent:
    """A connection for the length of a block."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Lendable:
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.give_back(self._connection, error)


def _is_doubtful(error: BaseException | None) -> bool:
    """Tell whether work that ended so may have left a statement under way; being called off is no `Exception`."""
    return error is not None and (not isinstance(error, Exception) or isinstance(error, _DOUBTFUL))
