"""Group commit: while one batch is being made durable, the next one collects.

Rules kept here:
- A submission is whole: all its entries in one transaction, or none. A submitter hears a position only after COMMIT.
- A batch is one statement, which is its own transaction: heads and guards are held for no round trip to us.
- Guards are checked inside that statement, before any head is locked; a refused submission takes nobody with it.
- One poisoned submission does not poison its batch: after a failure each is tried once more by itself.
- Where the connection broke, the entry ids are looked up before anything is said. What is not found is reported as
  not written; should it appear later after all, the log holds too much rather than too little.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import asyncpg

from audit import postgres
from audit.errors import GuardChanged, LogUnavailable, UnknownLog
from audit.postgres import Connection, NewEntry, Pool, Position


@dataclass(frozen=True, slots=True)
class Submission:
    """Entries that belong together, and the guard that must still hold when they are written."""

    entries: tuple[NewEntry, ...]
    guard: Any = field(default=None, repr=False)


Write: TypeAlias = Callable[[Connection, Sequence[Submission]], Awaitable[Sequence[list[Position] | None]]]


async def append_all(connection: Connection, submissions: Sequence[Submission]) -> Sequence[list[Position] | None]:
    """Append whatever is handed in, without looking at guards; raise as `postgres.append` does."""
    places = iter(await postgres.append(connection, [entry for one in submissions for entry in one.entries]))
    return [[next(places) for _ in one.entries] for one in submissions]


@dataclass(slots=True)
class _Waiting:
    submission: Submission
    answer: asyncio.Future[list[Position]]

    def give(self, positions: list[Position]) -> None:
        if not self.answer.done():  # The submitter may have gone away.
            self.answer.set_result(positions)

    def refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class _Broken(Exception):
    """The connection ended, so it is not known whether the transaction has committed."""


class GroupCommitter:
    """Appends for many callers of one process, one transaction a batch.

    `write` appends whole submissions in one transaction and says where their entries stand: None for a submission
    whose guard no longer holds. The time limit covers one batch, waiting for a connection included.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        write: Write = append_all,
        max_entries: int = 1000,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._pool = pool
        self._write = write
        self._max_entries = max_entries
        self._timeout_seconds = timeout_seconds
        self._waiting: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, submission: Submission) -> list[Position]:
        """Append a submission's entries and say where they stand, once they are durable.

        Raises GuardChanged where its guard no longer holds, UnknownLog for a log that was never opened, and
        LogUnavailable where the log did not confirm; in all three nothing may be released.
        """
        if not submission.entries:
            return []
        waiting = _Waiting(submission, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await waiting.answer

    async def aclose(self) -> None:
        """Finish what was submitted; a fault that stopped the last batch is raised here."""
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch = self._next_batch()
                if batch:
                    await self._settle(batch)
        except BaseException:
            # A fault of ours or the loop's end: nobody waits for ever, and nobody is told yes.
            for waiting in (*batch, *self._waiting):
                waiting.refuse(LogUnavailable("the log stopped before it confirmed"))
            self._waiting.clear()
            raise

    def _next_batch(self) -> list[_Waiting]:
        self._waiting = [waiting for waiting in self._waiting if not waiting.answer.done()]
        count, entries = 0, 0
        for waiting in self._waiting:
            entries += len(waiting.submission.entries)
            if count and entries > self._max_entries:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _settle(self, batch: list[_Waiting]) -> None:
        """Answer every submitter of a batch, whatever happens to it."""
        try:
            await self._commit(batch)
        except _Broken:
            await self._look_up(batch)
        except (asyncpg.PostgresError, UnknownLog) as error:
            if len(batch) > 1:
                for waiting in batch:
                    await self._settle([waiting])
            elif isinstance(error, UnknownLog):
                batch[0].refuse(UnknownLog(*error.args))
            else:
                batch[0].refuse(LogUnavailable("the database refused the entries"))

    async def _commit(self, batch: list[_Waiting]) -> None:
        async with self._connection() as connection:
            written = await self._write(connection, [waiting.submission for waiting in batch])
        for waiting, places in zip(batch, written, strict=True):
            if places is None:
                waiting.refuse(GuardChanged("what the submission relied on has changed"))
            else:
                waiting.give(places)

    async def _look_up(self, batch: list[_Waiting]) -> None:
        eids = [entry.sealed.eid for waiting in batch for entry in waiting.submission.entries]
        try:
            async with self._connection() as connection, connection.transaction():
                # A commit cut off while it waited for a replica can be seen here and be lost there. This one of our
                # own stands behind it, so that it ends well only once both are safe.
                await connection.execute("SELECT pg_logical_emit_message(true, 'audit', '')")
                found = await postgres.positions(connection, eids)
        except (_Broken, asyncpg.PostgresError):
            found = {}
        for waiting in batch:
            places = [found.get(entry.sealed.eid) for entry in waiting.submission.entries]
            known = [place for place in places if place is not None]
            if len(known) == len(places):
                waiting.give(known)
            else:
                waiting.refuse(LogUnavailable("the log did not confirm that the entries are written"))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; raise _Broken where it is not known what became of what was done with it."""
        try:
            async with asyncio.timeout(self._timeout_seconds), self._pool.acquire() as connection:
                yield connection
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, *_ENDED) as error:
            raise _Broken from error


# The server ended the connection (classes 08 and 57): a COMMIT under way may have succeeded.
_ENDED = (
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
)
