"""Group commit: while one batch is being made durable, the next one collects.

Rules kept here:
- A submission is whole: all its entries in one transaction, or none. A submitter hears a position only after COMMIT.
- A batch is one statement, which is its own transaction: heads and guards are held for no round trip to us.
- Where writers stand in line, heads are let go before the disk (and a synchronous replica) is waited for. WAL is
  written in order, so one small transaction behind the batch is durable only once the batch is; several processes
  share such waits. It runs on the same connection and looks for the batch: a server that fell in between, and lost
  what nobody had been told of, cannot say yes for it.
- Guards are checked inside that statement, before any head is locked; a refused submission takes nobody with it.
- One poisoned submission does not poison its batch: after a failure each is tried once more by itself.
- Where the connection broke, the entry ids are looked up before anything is said. What is not found is reported as
  not written; should it appear later after all, the log holds too much rather than too little.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import asyncpg

from audit import postgres
from audit.contention import Line
from audit.errors import GuardChanged, LogUnavailable, UnknownLog
from audit.postgres import Connection, NewEntry, Pool, Position


@dataclass(frozen=True, slots=True)
class Submission:
    """Entries that belong together, and the guard that must still hold when they are written."""

    entries: tuple[NewEntry, ...]
    guard: Any = field(default=None, repr=False)


Places: TypeAlias = Sequence[list[Position] | None]
Write: TypeAlias = Callable[[Connection, Sequence[Submission], bool], Awaitable[Places]]


async def append_all(
    connection: Connection,
    submissions: Sequence[Submission],
    early: bool,  # noqa: FBT001 - The shape of every `Write`.
) -> Places:
    """Append whatever is handed in, without looking at guards; raise as `postgres.append` does."""
    entries = [entry for one in submissions for entry in one.entries]
    places = iter(await postgres.append(connection, entries, early=early))
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
    whose guard no longer holds. Told to be `early`, it does not wait for the disk (`postgres.append_by`). The time
    limit covers one batch, waiting for a connection included. `line` says when writers stand in line.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        write: Write = append_all,
        max_entries: int = 1000,
        timeout_seconds: float = 10.0,
        line: Line | None = None,
    ) -> None:
        self._pool = pool
        self._line = line or Line()
        self._took = 0.0
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
                    await self._look_at_the_line()
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
            began, early = time.monotonic(), self._line.crowded
            written = await self._write(connection, [waiting.submission for waiting in batch], early)
            if early:
                await self._flush(connection, written)
            self._took = time.monotonic() - began
        for waiting, places in zip(batch, written, strict=True):
            if places is None:
                waiting.refuse(GuardChanged("what the submission relied on has changed"))
            else:
                waiting.give(places)

    async def _flush(self, connection: Connection, written: Places) -> None:
        """Wait until what this very connection has just appended is durable; raise _Broken where it is not there."""
        last = next((places[-1] for places in reversed(written) if places), None)
        if last is not None and not await postgres.flushed(connection, last.eid):
            raise _Broken

    async def _look_at_the_line(self) -> None:
        """See whether others wait, after the submitters have their answers; what cannot be seen changes nothing."""
        if not self._line.suspicious(self._took):
            return
        with contextlib.suppress(_Broken, asyncpg.PostgresError):
            async with self._connection() as connection:
                await self._line.look(connection)

    async def _look_up(self, batch: list[_Waiting]) -> None:
        eids = [entry.sealed.eid for waiting in batch for entry in waiting.submission.entries]
        try:
            async with self._connection() as connection, connection.transaction():
                # A commit cut off while it waited for a replica can be seen here and be lost there. This one of our
                # own stands behind it, so that it ends well only once both are safe.
                await postgres.flush(connection)
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

    @contextlib.asynccontextmanager
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
