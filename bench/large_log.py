"""`python -m bench.large_log [--entries N] [--folder FOLDER]`: what a large log costs those who use, sign and check it.

A log of the house's own tables is filled (`filled_log.py`), with its map; then a real checkpointer signs it, a real
witness cosigns it, proofs are made and checked, `python -m audit verify` reads all of it, and the database falls. With
`--folder` what was filled stays there, and is measured again without filling; two kilobytes an entry must fit.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
from rich.console import Console

from audit import postgres
from audit.checkpoint import read_unverified
from audit.committer import GroupCommitter, Submission
from audit.merkle import consistency_holds, consistency_ranges, inclusion_holds, inclusion_ranges, leaf_hash
from audit.postgres import Connection, KeptCheckpoint
from audit.prove import prove
from audit.subtrees import roots, widths
from audit.tiles import WIDTH
from bench.appending import an_entry
from bench.figures import percentile_99
from bench.filled_log import fill
from bench.heads import opened_heads
from bench.machine import described
from broker.adapters.database import Addresses, open_pool
from broker.adapters.house_keys import make_key_folder
from demo.world.children import BROKER_PARTS, ROOT, Nursery, WorldBroken
from demo.world.databases import Databases
from demo.world.files import WorldFiles, write_private
from demo.world.passing import passing_folder
from demo.world.signers import Signers
from demo.world.world import LOG_NAME
from tools.places import environment

ORIGIN = f"{LOG_NAME}/korsbaek/2019"
FEW = 20_000
SECONDS_TO_SIGN = 1800.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured; `goal` is the design's, or nothing."""

    what: str
    measured: str
    goal: str = ""


@dataclass(slots=True)
class LargeLog:
    """The log, where it stands, and who signs it."""

    files: WorldFiles
    databases: Databases
    signers: Signers
    at: Addresses
    tries: int

    async def measured(self, *, check: bool) -> AsyncIterator[Figure]:
        """Measure one thing after the other; without `check` nobody reads all of it once more."""
        parts = (self._first_head, self._proofs, self._heads, self._starts, self._checks, self._falls)
        for part in parts:
            if check or part != self._checks:
                for figure in await part():
                    yield figure

    async def _first_head(self) -> list[Figure]:
        """Start checkpointer and witness over a log of which nothing was signed; until its head is published."""
        connection = await asyncpg.connect(self.databases.superuser)
        head = await postgres.head(connection, ORIGIN)
        fresh = await postgres.last_checkpoint(connection, head.log_id) is None
        began = time.monotonic()
        await self.signers.start(self.at.checkpointer, fresh=fresh)
        while True:
            kept = await postgres.published_checkpoint(connection, head.log_id)
            if kept is not None and kept.size >= head.size:
                break
            if time.monotonic() - began > SECONDS_TO_SIGN:
                raise WorldBroken("the log was not signed")
            await asyncio.sleep(0.1)
        await connection.close()
        what = "first head of all" if fresh else "first head after a pause"
        return [Figure(f"{what}, hashed, signed, witnessed", f"{time.monotonic() - began:.1f} s")]

    async def _proofs(self) -> list[Figure]:
        """Make proofs of chance's choosing under the published head, and hold each against it."""
        connection = await asyncpg.connect(self.at.app)
        log_id = (await postgres.head(connection, ORIGIN)).log_id
        kept = await postgres.published_checkpoint(connection, log_id)
        if kept is None:
            raise WorldBroken("nothing is published")
        figures = [
            await self._floor(connection, log_id, kept.size),
            *await self._timed("inclusion", lambda: _included(connection, log_id, kept)),
            *await self._timed("consistency", lambda: _consistent(connection, log_id, kept)),
        ]
        longest = max([len((await prove(connection, ORIGIN, _chosen(kept.size))).to_text()) for _ in range(20)])
        await connection.close()
        return [*figures, Figure("longest proof file, of 20", f"{longest:,} bytes", "≤ 2,048 bytes")]

    async def _floor(self, connection: Connection, log_id: int, size: int) -> Figure:
        """Read one row by its key as often: what a proof's reads can be compared with where the machine is busy."""
        took = []
        for _ in range(self.tries):
            index, began = _chosen(size), time.perf_counter()
            await postgres.leaves(connection, log_id, index, index + 1)
            took.append((time.perf_counter() - began) * 1000)
        return Figure(f"one row by its key, of {self.tries}, p50 and p99", _times(took))

    async def _timed(self, what: str, make: Callable[[], Awaitable[tuple[float, int]]]) -> list[Figure]:
        made = [await make() for _ in range(self.tries)]
        took = [milliseconds for milliseconds, _ in made]
        return [
            Figure(f"{what} proof, of {self.tries}, p50 and p99", _times(took), "p99 ≤ 5 ms"),
            Figure(f"{what} proof, most tiles read", f"{max(tiles for _, tiles in made)}", "≤ 6"),
        ]

    async def _heads(self) -> list[Figure]:
        """Append now and then, and wait for the head."""
        async with opened_heads(self.at.app, ORIGIN) as heads:
            waits = [await heads.wait() for _ in range(max(5, self.tries // 20))]
        figures = []
        for what, row, goal in zip(("signed", "witnessed"), zip(*waits, strict=True), ("≤ 1 s", "≤ 5 s"), strict=True):
            said = f"{median(row):.2f} s, {max(row):.2f} s"
            figures.append(Figure(f"head {what} after an append of {len(row)}, median and slowest", said, goal))
        return figures

    async def _checks(self) -> list[Figure]:
        """Let the auditor's command read all of the log, and then only what came since."""
        state, figures = self.files.folder / f"verified-{secrets.token_hex(4)}", []
        for what, goal in (("full check", "≤ 60 s"), ("check of what came since", "")):
            took, paid = await asyncio.to_thread(self._verified, state)
            said = f"{took:.1f} s, of them {paid:.1f} s its own CPU"
            figures.append(Figure(f"{what}, one process", said, goal))
            await append_once(self.at.app)
        return figures

    def _verified(self, state: Path) -> tuple[float, float]:
        """Run `python -m audit verify`; give seconds and CPU seconds. Raises `WorldBroken` for a log not intact."""
        address = self.files.folder / "reader"
        write_private(address, self.at.reader)
        command = [sys.executable, "-m", "audit", "verify", "--database", f"@{address}"]
        command += ["--vkey-file", str(self.files.keys / "log.vkey"), "--state", str(state)]
        before, began = _children_cpu(), time.monotonic()
        told = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        if told.returncode != 0:
            raise WorldBroken(f"the log is not intact: {(told.stdout + told.stderr).strip()[-400:]}")
        return time.monotonic() - began, _children_cpu() - before

    async def _starts(self) -> list[Figure]:
        """Start a process that appends, three times."""
        took = [await asyncio.to_thread(_started_and_appended, self.at.app) for _ in range(3)]
        return [Figure("a process's start to its first durable append, of 3", f"{max(took):.2f} s", "≤ 2 s")]

    async def _falls(self) -> list[Figure]:
        """Let the database fall, and come back, and append."""
        await self.signers.stop()
        await append_once(self.at.app)
        server = self.databases.server
        await asyncio.to_thread(server.kill)
        began = time.monotonic()
        await asyncio.to_thread(server.start)
        up = time.monotonic() - began
        await append_once(self.at.app.replace(f":{self._port(self.at.app)}/", f":{server.port}/"))
        said = f"{time.monotonic() - began:.2f} s, of them {up:.2f} s PostgreSQL's"
        return [Figure("database killed and started, to the first durable append", said, "≤ 2 s")]

    @staticmethod
    def _port(address: str) -> str:
        return address.rpartition(":")[2].partition("/")[0]


async def append_once(address: str) -> None:
    """Append one entry as a node does, with a pool and a committer of its own; returns when it is durable."""
    pool = await open_pool(address, name="bench", largest=1)
    committer = GroupCommitter(pool)
    await committer.submit(Submission((an_entry(ORIGIN),)))
    await committer.aclose()
    await pool.close()


@asynccontextmanager
async def opened_log(folder: Path, entries: int, say: Callable[[str], None]) -> AsyncIterator[LargeLog]:
    """Fill a log in a folder, unless it was before, and open all that uses it; end every process."""
    files = WorldFiles(folder)
    passwords, postgres_folder = files.passwords(), folder / "postgres"
    make_key_folder(files.keys, LOG_NAME, folder / "checkpointer")
    nursery = Nursery(folder / "run", *BROKER_PARTS)
    nursery.open()
    # Whoever only fills waits for no disk; what is measured does.
    hasty = Databases(postgres_folder, passwords)
    try:
        await hasty.open()
        if (size := await _size(hasty.superuser)) is None:
            await fill(hasty.superuser, ORIGIN, entries, lambda done: say(f"filling: {done:,} of {entries:,}"))
        elif size < entries:
            raise WorldBroken(f"the log in {folder} has {size:,} entries: delete the folder to fill another")
    finally:
        hasty.close()
    databases = Databases(postgres_folder, passwords, durable=True)
    try:
        at = await databases.open()
        signers = Signers(files, nursery, LOG_NAME)
        yield LargeLog(files, databases, signers, at, tries=min(1000, max(100, entries // 100)))
    finally:
        nursery.close()
        databases.close()


async def _size(address: str) -> int | None:
    connection = await asyncpg.connect(address)
    try:
        size: int | None = await connection.fetchval("SELECT size FROM log.head WHERE origin = $1", ORIGIN)
        return size
    finally:
        await connection.close()


async def _included(connection: Connection, log_id: int, kept: KeptCheckpoint) -> tuple[float, int]:
    """Prove one entry; give milliseconds and tiles. Raises `WorldBroken` where the proof does not hold."""
    index, signed = _chosen(kept.size), read_unverified(kept.note)
    began = time.perf_counter()
    proof = await postgres.inclusion_proof(connection, log_id, index, kept.size)
    took = (time.perf_counter() - began) * 1000
    (leaf,) = await postgres.leaves(connection, log_id, index, index + 1)
    if not inclusion_holds(index, signed.size, leaf_hash(leaf), proof, signed.root):
        raise WorldBroken("an inclusion proof does not hold")
    return took, len(widths(inclusion_ranges(index, 0, kept.size)))


async def _consistent(connection: Connection, log_id: int, kept: KeptCheckpoint) -> tuple[float, int]:
    """Prove an earlier head part of the published one; gives and raises as `_included` does."""
    old, signed = 1 + _chosen(kept.size - 1), read_unverified(kept.note)
    began = time.perf_counter()
    proof = await postgres.consistency_proof(connection, log_id, old, kept.size)
    took = (time.perf_counter() - began) * 1000
    if not consistency_holds(old, signed.size, await _root(connection, log_id, old), signed.root, proof):
        raise WorldBroken("a consistency proof does not hold")
    return took, len(widths(consistency_ranges(old, kept.size)))


async def _root(connection: Connection, log_id: int, size: int) -> bytes:
    """Compute the root that the log had at a size."""
    tiles = {}
    for place, width in widths([(0, size)]).items():
        start = place.number * WIDTH
        tiles[place] = await postgres.nodes(connection, log_id, place.level, start, start + width)
    (root,) = roots([(0, size)], tiles)
    return root


def _times(took: list[float]) -> str:
    return f"{median(took):.1f} ms, {percentile_99(took):.1f} ms"


def _chosen(below: int) -> int:
    return random.randrange(below)  # noqa: S311 - No secret hangs on it.


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _started_and_appended(address: str) -> float:
    """Start a Python process that appends one entry; give the seconds until it has ended."""
    began = time.monotonic()
    command = [sys.executable, "-m", "bench.large_log", "--append"]
    subprocess.run(command, cwd=ROOT, env=environment(), input=address, text=True, check=True)
    return time.monotonic() - began


def main() -> int:
    """Measure and print; 2 where nothing can be measured here."""
    options = _options()
    if options.append:
        asyncio.run(append_once(sys.stdin.read()))
        return 0
    try:
        with nullcontext(options.folder) if options.folder else passing_folder("large") as folder:
            folder.mkdir(parents=True, exist_ok=True)
            # Root's PostgreSQL is another user, who must pass through; what is secret in here is so by itself.
            folder.chmod(0o711)
            asyncio.run(_told(folder, options.entries, check=not options.no_check))
    except WorldBroken as error:
        print(f"large_log: {error}", file=sys.stderr)
        return 2
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.large_log", description=__doc__)
    parser.add_argument("--entries", type=int, default=FEW, help=f"default {FEW:,}: shows that it works")
    parser.add_argument("--folder", type=Path, help="where the log is filled and kept, or found again")
    parser.add_argument("--no-check", action="store_true", help="leave out the check of every row, which takes longest")
    parser.add_argument("--append", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


async def _told(folder: Path, entries: int, *, check: bool) -> None:
    with Console(stderr=True).status("starting") as status:
        async with opened_log(folder, entries, status.update) as log:
            print(f"{entries:,} entries; {described()}; load {os.getloadavg()[0]:.1f}", flush=True)
            async for figure in log.measured(check=check):
                goal = f" ({figure.goal})" if figure.goal else ""
                print(f"{figure.what}: {figure.measured}{goal}", flush=True)
            print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    sys.exit(main())
