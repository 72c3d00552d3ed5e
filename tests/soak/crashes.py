"""A PostgreSQL that falls at random moments under load: nothing acknowledged is lost, and the log stays whole.

Three writers run on through every fall: one that waits for the disk under the head's lock, one that always lets it go
before that, and one that sees for itself. The checkpointer runs on too, and must never be startled.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from audit import postgres
from audit.checkpointer import Checkpointer
from audit.commitment import seal
from audit.committer import GroupCommitter, Submission
from audit.contention import Line
from audit.errors import LogUnavailable
from audit.note import SigningKey
from audit.postgres import NewEntry, Pool
from audit.verify_postgres import verify_logs
from broker.adapters.database import open_pool
from demo.postgres import PrivatePostgres
from tests.signing import own_checkpointer
from tests.unit.audit.sealed import ACTOR, CITIZEN, ORIGIN, OTHER, Crowded, laid

CALLERS = 8
# Who writes until the next fall: those who always let go early by themselves, since everybody else's waiting for the
# disk would make theirs durable too; then all.
WRITERS = ((1,), (0, 1, 2))
MOST_SECONDS_UP = 0.5
MOST_SECONDS_BETWEEN_TRIES = 0.64
# Says nothing of speed: whoever waits longer waits for ever.
SECONDS_TO_RECOVER = 60.0
KEYS = {origin: SigningKey.generate(origin) for origin in (ORIGIN, OTHER)}


class Calm(Line):
    """A line in which nobody stands."""

    @property
    def crowded(self) -> bool:
        """Say no."""
        return False


@dataclass
class Book:
    """What callers were told: where their entries stand, or that nobody knows."""

    told: dict[bytes, tuple[str, int]] = field(default_factory=dict)
    unknown: set[bytes] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)


@dataclass
class Falling:
    """The server, the writers over it, and their book."""

    server: PrivatePostgres
    dsn: str
    pool: Pool
    committers: list[GroupCommitter]
    checkpointers: dict[str, Checkpointer]
    dice: random.Random
    book: Book = field(default_factory=Book)

    async def fall(self) -> None:
        """Write for a while, fall, come back, and look whether all that was told is so; raise AssertionError."""
        stop = asyncio.Event()
        background = await self._stop_background_writing()
        writers = [self.committers[number] for number in WRITERS[self.book.counts["falls"] % len(WRITERS)]]
        callers = [asyncio.create_task(self._call(writer, stop)) for writer in writers for _ in range(CALLERS)]
        await asyncio.sleep(self.dice.uniform(0.02, MOST_SECONDS_UP))
        # An immediate stop, or a postmaster that is gone from one moment to the next.
        os.kill(background, signal.SIGKILL)
        await asyncio.to_thread(self.server.kill, self.dice.choice((signal.SIGQUIT, signal.SIGKILL)))
        await asyncio.to_thread(self.server.start)
        stop.set()
        await asyncio.gather(*callers)
        await self._look()
        self.book.counts["falls"] += 1

    async def whole(self) -> None:
        """Check every row of every log; raise AssertionError."""
        connection = await asyncpg.connect(self.dsn)
        for origin, key in KEYS.items():
            (report,) = await verify_logs(connection, origin=origin, keys=[key.verify_key])
            assert report.intact, report.faults
        await connection.close()

    async def _stop_background_writing(self) -> int:
        """Let the process stand still that writes WAL for those who do not wait for it; give its number.

        It would bring nearly all to the disk within a millisecond: then nobody could be told anything too early.
        """
        connection = await self._connected()
        asked = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
        async with asyncio.timeout(SECONDS_TO_RECOVER):
            while (process := await connection.fetchval(asked)) is None:
                await asyncio.sleep(0.01)
        await connection.close()
        os.kill(process, signal.SIGSTOP)
        return int(process)

    async def _call(self, committer: GroupCommitter, stop: asyncio.Event) -> None:
        pause = 0.02
        while not stop.is_set():
            entries = tuple(self._entry() for _ in range(self.dice.choice((1, 1, 2, 3))))
            eids = [entry.sealed.eid for entry in entries]
            try:
                places = await committer.submit(Submission(entries))
            except LogUnavailable:
                self.book.unknown.update(eids)
                await asyncio.sleep(pause)
                # Who knocks all the time only keeps the server from coming back.
                pause = min(2 * pause, MOST_SECONDS_BETWEEN_TRIES)
            else:
                for entry, place in zip(entries, places, strict=True):
                    self.book.told[place.eid] = (entry.origin, place.index)

    def _entry(self) -> NewEntry:
        origin = self.dice.choice((ORIGIN, OTHER))
        sealed = seal(eid=os.urandom(16), kind=1, subject=CITIZEN, actor=ACTOR, body=b"body", index={"kind": "ask"})
        return NewEntry(origin, sealed)

    async def _look(self) -> None:
        """Find what was told where it was told to be, sign what came, and count what nobody knew of."""
        connection = await self._connected()
        origins = {head.log_id: head.origin for head in await postgres.heads(connection)}
        found = await postgres.positions(connection, [*self.book.told, *self.book.unknown])
        await connection.close()
        lost = [eid for eid, place in self.book.told.items() if _place(found.get(eid), origins) != place]
        assert lost == [], f"{len(lost)} entries that were acknowledged are lost or elsewhere"
        self.book.counts["acknowledged"] += len(self.book.told)
        self.book.counts["stored, and nobody was told"] += len(self.book.unknown & found.keys())
        self.book.counts["refused, and not stored"] += len(self.book.unknown - found.keys())
        self.book.told.clear()
        self.book.unknown.clear()
        for origin, checkpointer in self.checkpointers.items():
            signed = await checkpointer.run_once(origin)
            self.book.counts[f"signed size of {origin}"] = signed.checkpoint.size

    async def _connected(self) -> asyncpg.Connection[Any]:
        async with asyncio.timeout(SECONDS_TO_RECOVER):
            while True:
                with contextlib.suppress(OSError, asyncpg.PostgresError):
                    return await asyncpg.connect(self.dsn)
                await asyncio.sleep(0.05)


def _place(found: postgres.Position | None, origins: dict[int, str]) -> tuple[str, int] | None:
    return None if found is None else (origins[found.log_id], found.index)


@asynccontextmanager
async def falling(folder: Path, seed: int) -> AsyncIterator[Falling]:
    """Start a durable server with two logs, and the writers; take all away."""
    server = PrivatePostgres(folder, durable=True)
    try:
        await asyncio.to_thread(server.start)
        dsn = await asyncio.to_thread(server.create_database, "falling")
        if sys.platform == "linux":
            # After a fall the server syncs a thousand files one by one before it reads its WAL; this is one call.
            await asyncio.to_thread(server.query, "ALTER SYSTEM SET recovery_init_sync_method = 'syncfs'")
        connection = await asyncpg.connect(dsn)
        for statement in laid():
            await connection.execute(statement)
        for origin in (ORIGIN, OTHER):
            await postgres.open_log(connection, origin, origin, 2026)
        await connection.close()
        pool = await open_pool(dsn, name="falling", largest=12)
        committers = [GroupCommitter(pool, line=line(), timeout_seconds=5.0) for line in (Calm, Crowded, Line)]
        checkpointers = {origin: own_checkpointer(pool, key) for origin, key in KEYS.items()}
        yield Falling(server, dsn, pool, committers, checkpointers, random.Random(seed))
        for committer in committers:
            await committer.aclose()
        await pool.close()
    finally:
        await asyncio.to_thread(server.remove)


async def crashes(folder: Path, seed: int, goes_on: Callable[[int], bool]) -> Counter[str]:
    """Fall again and again while `goes_on` says so of the falls so far; give what was counted."""
    async with falling(folder, seed) as trial:
        while trial.book.counts["falls"] == 0 or goes_on(trial.book.counts["falls"]):
            await trial.fall()
        await trial.whole()
        return trial.book.counts
