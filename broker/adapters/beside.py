"""Work beside a node's other work: one piece at a time, behind everybody, heard of all the while, and always ended.

Rules kept here:
- What waits for its turn is under way too, and says so: only a node that is gone is not heard of.
- A piece of work comes to its end in any case: by itself, after its time, or with the node. Then its end is written.
- A program of ours runs behind everybody else's work with a bound on its memory, in an environment without secrets.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

BEAT_SECONDS = 2.0
MOST_MEMORY_BYTES = 1024**3
BEHIND_EVERYBODY = 15
LONGEST_LINE_BYTES = 16 * 1024**2


class Work(Protocol):
    """One piece of work."""

    async def run(self) -> None:
        """Do it. What it raises of its own kind is for `keep` to tell; TimeoutError and OSError end it in words."""

    async def beat(self) -> None:
        """Say once that this node is at it, and how far."""

    async def keep(self, failure: Exception | None) -> None:
        """Write down its end: what came of it, or why it was broken off (CancelledError is none: the node ends)."""


class Beside:
    """The pieces of work of one kind on one node."""

    def __init__(self, most_seconds: float) -> None:
        self._most_seconds = most_seconds
        self._turn = asyncio.Semaphore(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, work: Work) -> None:
        """Begin it, and go on at once."""
        task = asyncio.create_task(self._carry_out(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # It stands in its own try from here on, so that even an end of the node at this moment breaks it off in words.
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Break off what is under way on this node."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry_out(self, work: Work) -> None:
        beating = asyncio.create_task(_beat(work))
        failure: Exception | None = None
        try:
            async with self._turn, asyncio.timeout(self._most_seconds):
                await work.run()
        except (TimeoutError, OSError) as error:
            failure = error
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            await asyncio.shield(work.keep(failure))


async def _beat(work: Work) -> None:
    while True:
        await work.beat()
        await asyncio.sleep(BEAT_SECONDS)


@asynccontextmanager
async def held_back(words: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a program of ours, held back before it is told what to do; it is gone when this ends, whatever happens."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdin=pipe, stdout=pipe, stderr=pipe, limit=LONGEST_LINE_BYTES,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, start_new_session=True,
    )  # fmt: skip
    try:
        hold_back(process.pid)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def hold_back(pid: int) -> None:
    """Put a process behind everybody's work and bound its memory, before it is told what to do."""
    os.setpriority(os.PRIO_PROCESS, pid, BEHIND_EVERYBODY)
    resource.prlimit(pid, resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
