"""How long an entry waits for a head that covers it, signed and then witnessed.

By the processes of a world (`demo/world/signers.py`): the head goes into the file of a real checkpointer and over HTTP
to a real witness, and is published with its cosignature. All is told by the clock of the database.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from audit.committer import GroupCommitter, Submission
from audit.postgres import open_log
from bench.appending import an_entry
from bench.figures import Figures
from broker.adapters.database import Pool, open_pool
from demo.world.children import WorldBroken

SECONDS_TO_WAIT = 60.0
LOOK_SECONDS = 0.02
# A checkpointer looks every second: who comes at any moment of it waits for any part of it.
MOST_SECONDS_BETWEEN = 1.0


@dataclass(frozen=True, slots=True)
class Heads:
    """A log whose heads are signed, and how to append to it."""

    pool: Pool
    committer: GroupCommitter
    origin: str

    async def wait(self) -> tuple[float, float]:
        """Append an entry at a moment of chance; give the seconds from then until its head is signed, and is published.

        Raises `WorldBroken` where that takes a minute.
        """
        await asyncio.sleep(random.uniform(0, MOST_SECONDS_BETWEEN))  # noqa: S311 - No secret hangs on it.
        handed_in = await self.pool.fetchval("SELECT clock_timestamp()")
        (place,) = await self.committer.submit(Submission((an_entry(self.origin),)))
        waited = 0.0
        while waited < SECONDS_TO_WAIT:
            (row,) = await self.pool.fetch(_COVERED, place.log_id, place.index)
            if row["published_at"] is not None:
                signed, published = row["signed_at"] - handed_in, row["published_at"] - handed_in
                return signed.total_seconds(), published.total_seconds()
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS
        raise WorldBroken(f"no published head covers an entry after {SECONDS_TO_WAIT:.0f} seconds")

    async def round(self, into: Figures, times: int) -> None:
        """Wait so many times, and note each in seconds."""
        for _ in range(times):
            signed, witnessed = await self.wait()
            into.add("head", "signed", value=signed)
            into.add("head", "witnessed", value=witnessed)


@asynccontextmanager
async def opened_heads(address: str, origin: str) -> AsyncIterator[Heads]:
    """Open a log below the name that the world's witness knows, as a node would; close what was opened."""
    pool = await open_pool(address, name="bench heads", largest=2)
    committer = GroupCommitter(pool)
    try:
        tenant, year = origin.split("/")[-2:]
        async with pool.acquire() as connection:
            await open_log(connection, origin, tenant, int(year))
        yield Heads(pool, committer, origin)
    finally:
        await committer.aclose()
        await pool.close()


_COVERED = """
SELECT min(signed_at) AS signed_at, min(published_at) AS published_at
FROM log.checkpoint WHERE log_id = $1 AND size > $2
"""
