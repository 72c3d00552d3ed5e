"""The door `Checks`: whole logs checked by the auditors' own program, in a process of its own, told of in the database.

Rules kept here:
- The program is `python -m audit verify`, the one that anybody runs: not a line of ours judges.
- It reads as the reader's role where the node has that, in any case in transactions that cannot write, and looks at one
  log. Its address goes to it by a pipe; no list of processes shows it.
- A node runs one at a time, behind everybody else's work, with a bound on its memory and its time. What waits for its
  turn is under way too.
- Progress and result stand in the database, so that any node shows them. A node says every few seconds that it is at
  it; where nothing was heard for a minute the check counts as broken off, and another may begin.
- That it began is on the log before it runs; what it found is on the log in the same commit that keeps it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import orjson
import structlog

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Pool, Scope, scoped
from broker.domain.errors import Conflict, LogUnavailable, StoreUnavailable
from broker.domain.integrity import BROKEN_OFF, CheckBegun, LogVerified, Run
from broker.domain.receipts import Receipt
from broker.ports import Clock

log = structlog.get_logger()

BEAT_SECONDS = 2.0
MOST_SECONDS = 4 * 3600.0
MOST_MEMORY_BYTES = 1024**3
BEHIND_EVERYBODY = 15
MOST_FAULTS_KEPT = 50
LONGEST_FAULT = 300
NEWEST = 5

# A node of which nothing was heard for a minute is gone, or cannot reach the database.
_LAY_ASIDE = """UPDATE integrity.run SET state = 'broken_off', ended_at = seen_at
    WHERE log = $1 AND state = 'running' AND seen_at < clock_timestamp() - interval '1 minute'"""
_BEGIN = """INSERT INTO integrity.run (id, municipality, log, by, role, begun_at, total)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_BEAT = """UPDATE integrity.run SET seen_at = clock_timestamp(), done = $2, total = $3
    WHERE id = $1 AND state = 'running'"""
_END = """UPDATE integrity.run SET state = 'ended', done = total, ended_at = $2, size = $3, signed_size = $4,
    faults = $5, found = $6, deleted = $7 WHERE id = $1 AND state = 'running'"""
_BREAK_OFF = "UPDATE integrity.run SET state = 'broken_off', ended_at = $2 WHERE id = $1 AND state = 'running'"
_OF = """
SELECT r.*, r.state = 'running' AND r.seen_at < clock_timestamp() - interval '1 minute' AS gone
FROM (
    SELECT *, row_number() OVER (PARTITION BY log ORDER BY begun_at DESC, seen_at DESC) AS place,
        row_number() OVER (PARTITION BY log, state ORDER BY begun_at DESC, seen_at DESC) AS place_of_state
    FROM integrity.run WHERE municipality = ANY ($1)
) r WHERE r.place <= $2 OR (r.state = 'ended' AND r.place_of_state = 1) ORDER BY r.log, r.place
"""


@dataclass(frozen=True, slots=True, repr=False)
class Program:
    """How the check is run: over which database, and by which public keys."""

    address: str
    keys: tuple[str, ...]
    deletion_keys: tuple[str, ...] = ()
    most_seconds: float = MOST_SECONDS

    def scoped_address(self, municipality: str) -> str:
        """Write the database's address for a session that sees one municipality and can change nothing."""
        parts = urlsplit(self.address)
        settings = {
            "borgerbro.municipalities": municipality, "default_transaction_read_only": "on",
            "application_name": "broker check", "idle_in_transaction_session_timeout": "600000",
        }  # fmt: skip
        query = "&".join(filter(None, (parts.query, urlencode(settings))))
        return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))

    def words(self, origin: str) -> list[str]:
        """Write the command, without what is secret."""
        keys = [word for key in self.keys for word in ("--vkey", key)]
        deletion_keys = [word for key in self.deletion_keys for word in ("--deletion-vkey", key)]
        told = ["--origin", origin, *keys, *deletion_keys, "--json", "--progress"]
        return [sys.executable, "-m", "audit", "verify", "--database", "@-", *told]


@dataclass(slots=True)
class _UnderWay:
    run: Run
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Found:
    size: int
    signed_size: int | None
    faults: tuple[str, ...] = field(repr=False)
    deleted: int


class ChecksSql:
    """The checks of one node, and what is known of those of all nodes."""

    def __init__(self, pool: Pool, audit_log: AuditLogPostgres, clock: Clock, program: Program) -> None:
        self._pool = pool
        self._log = audit_log
        self._clock = clock
        self._program = program
        self._turn = asyncio.Semaphore(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, run: Run, event: CheckBegun) -> Receipt:
        """Write that a check begins, and begin it; raise `Conflict` where one of that log is under way."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=run.municipality)) as connection:
            await connection.execute(_LAY_ASIDE, run.log)
            row = (UUID(run.id), run.municipality, run.log, run.by, run.role, run.begun_at, run.total)
            try:
                await connection.execute(_BEGIN, *row)
            except asyncpg.UniqueViolationError:
                raise Conflict("under_way") from None
            (receipt,) = await self._log.append_within(connection, [event], keys)
        task = asyncio.create_task(self._carry_out(_UnderWay(run, 0, run.total)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # It stands in its own try from here on, so that even an end of the node at this moment breaks it off in words.
        await asyncio.sleep(0)
        return receipt

    async def of(self, municipalities: Collection[str]) -> Mapping[str, tuple[Run, ...]]:
        """Give the newest checks of each log of these municipalities, newest first, the last whole one among them."""
        mine = sorted(municipalities)
        async with scoped(self._pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
            rows = await connection.fetch(_OF, mine, NEWEST)
        found: dict[str, list[Run]] = {}
        for row in rows:
            found.setdefault(row["log"], []).append(_run(row))
        return {name: tuple(runs) for name, runs in found.items()}

    async def aclose(self) -> None:
        """Break off what is under way on this node."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry_out(self, under_way: _UnderWay) -> None:
        """Wait for the turn, run the program, keep what it found; say all the while that this node is at it."""
        beating = asyncio.create_task(self._beat(under_way))
        found = None
        try:
            async with self._turn, asyncio.timeout(self._program.most_seconds):
                found = await self._run(under_way)
        except (TimeoutError, OSError):
            log.warning("check_broken_off", log=under_way.run.log)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            await asyncio.shield(self._keep(under_way, found))

    async def _beat(self, under_way: _UnderWay) -> None:
        scope = Scope(municipality=under_way.run.municipality)
        while True:
            with contextlib.suppress(StoreUnavailable):
                async with scoped(self._pool, scope) as connection:
                    await connection.execute(_BEAT, UUID(under_way.run.id), under_way.done, under_way.total)
            await asyncio.sleep(BEAT_SECONDS)

    async def _run(self, under_way: _UnderWay) -> _Found | None:
        """Run the program to its end; give what it found, or None where it could not tell."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._program.words(under_way.run.log), stdin=pipe, stdout=pipe, stderr=pipe,
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, start_new_session=True,
        )  # fmt: skip
        try:
            _hold_back(process.pid)
            address = self._program.scoped_address(under_way.run.municipality)
            told, _, _ = await asyncio.gather(_read(process), _hear(process, under_way), _say(process, address))
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _found(told, under_way.run.log)

    async def _keep(self, under_way: _UnderWay, found: _Found | None) -> None:
        """Keep what a check found, with its entry, or that it was broken off."""
        run, now = under_way.run, self._clock.now()
        scope, ident = Scope(municipality=run.municipality), UUID(run.id)
        with contextlib.suppress(StoreUnavailable, LogUnavailable):
            if found is None:
                async with scoped(self._pool, scope) as connection:
                    await connection.execute(_BREAK_OFF, ident, now)
                return
            event = LogVerified(
                municipality=run.municipality, subject=run.by, actor=run.by, at=now, role=run.role, size=found.size,
                intact=not found.faults, log=run.log, run=run.id, faults=len(found.faults),
            )  # fmt: skip
            keys = await self._log.prepare([event])
            kept = [fault[:LONGEST_FAULT] for fault in found.faults[:MOST_FAULTS_KEPT]]
            async with scoped(self._pool, scope) as connection:
                row = (ident, now, found.size, found.signed_size, kept, len(found.faults), found.deleted)
                if await connection.execute(_END, *row) == "UPDATE 1":
                    await self._log.append_within(connection, [event], keys)


def _hold_back(pid: int) -> None:
    """Put a process behind everybody's work and bound its memory, before it is told what to do."""
    os.setpriority(os.PRIO_PROCESS, pid, BEHIND_EVERYBODY)
    resource.prlimit(pid, resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))


async def _say(process: asyncio.subprocess.Process, address: str) -> None:
    if process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(address.encode() + b"\n")
        await process.stdin.drain()
    process.stdin.close()


async def _hear(process: asyncio.subprocess.Process, under_way: _UnderWay) -> None:
    """Hear on the second channel how far the program is; what else it says there is for nobody."""
    if process.stderr is None:
        return
    async for line in process.stderr:
        words = line.split()
        if len(words) == 3 and words[0] == b"progress" and words[1].isdigit() and words[2].isdigit():
            under_way.done, under_way.total = int(words[1]), int(words[2])


async def _read(process: asyncio.subprocess.Process) -> bytes:
    return b"" if process.stdout is None else await process.stdout.read()


def _found(told: bytes, origin: str) -> _Found | None:
    """Read what the program says of the log; None where it says nothing of it."""
    try:
        (report,) = orjson.loads(told)["logs"]
        faults = tuple(f"{fault['where']}: {fault['what']}" for fault in report["faults"])
        deleted = sum(one["entries"] for one in report["deleted"])
        return _Found(report["size"], report["signed_size"], faults, deleted) if report["origin"] == origin else None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _run(row: Any) -> Run:
    faults: Sequence[str] = row["faults"]
    return Run(
        id=str(row["id"]),
        municipality=row["municipality"],
        log=row["log"],
        by=row["by"],
        role=row["role"],
        begun_at=row["begun_at"],
        state=BROKEN_OFF if row["gone"] else row["state"],
        done=row["done"],
        total=row["total"],
        ended_at=row["ended_at"],
        size=row["size"],
        signed_size=row["signed_size"],
        faults=tuple(faults),
        found=row["found"],
        deleted=row["deleted"],
    )
