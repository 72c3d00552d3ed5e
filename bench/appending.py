"""One process of a crowd that appends: it takes orders on standard input, and ends when its input does.

    {"address": …, "callers": 16}                   once: open so many connections, ready to append in groups
    {"what": "grouped", "origin": …, "each": 60}    seal the entries and say "ready"; play when a line says "go"

It tells when it began and ended, by the clock that all processes of a machine share, and how long each append took.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from audit.commitment import Party, seal
from audit.committer import GroupCommitter, Submission
from audit.postgres import NewEntry
from broker.adapters.database import Pool, open_pool

CITIZEN, ACTOR = Party(b"bench-citizen", b"c" * 32), Party(b"bench-actor", b"a" * 32)
BODY = b"x" * 300
INDEX = {"kind": "ask", "unit": "korsbaek-school", "purpose": "helhedsorienteret_plan"}
RAW_INSERT = "INSERT INTO bench_raw (eid, leaf, ciphertext, salt, fields) VALUES ($1, $2, $3, $4, $5::jsonb)"

Write = Callable[[NewEntry], Awaitable[Any]]


def an_entry(origin: str) -> NewEntry:
    """Seal one entry for a log."""
    return NewEntry(origin, seal(eid=os.urandom(16), kind=1, subject=CITIZEN, actor=ACTOR, body=BODY, index=INDEX))


def plain(pool: Pool) -> Write:
    """Give a way to insert an entry's bytes as one plain row a transaction."""

    async def insert(entry: NewEntry) -> None:
        one = entry.sealed
        row = (one.eid, one.leaf, one.ciphertext, one.body_salt, one.index_bytes.decode())
        await pool.execute(RAW_INSERT, *row)

    return insert


def proven(committer: GroupCommitter) -> Write:
    """Give a way to append an entry to its log."""
    return lambda entry: committer.submit(Submission((entry,)))


async def in_a_loop(entries: Sequence[NewEntry], callers: int, write: Write) -> list[float]:
    """Let so many callers write, each their share, one after the other; give the milliseconds of each."""
    took: list[float] = []

    async def caller(number: int) -> None:
        for entry in entries[number::callers]:
            sent = time.perf_counter()
            await write(entry)
            took.append((time.perf_counter() - sent) * 1000)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    return took


async def _serve() -> None:
    first = json.loads(await asyncio.to_thread(sys.stdin.readline))
    pool = await open_pool(first["address"], name="bench", largest=first["callers"])
    committer = GroupCommitter(pool)
    try:
        ways = {"raw": plain(pool), "grouped": proven(committer)}
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            entries = [an_entry(order["origin"]) for _ in range(order["callers"] * order["each"])]
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            begun = time.monotonic()
            took = await in_a_loop(entries, order["callers"], ways[order["what"]])
            print(json.dumps({"begun": begun, "ended": time.monotonic(), "took": took}), flush=True)
    finally:
        await committer.aclose()
        await pool.close()


if __name__ == "__main__":
    asyncio.run(_serve())
