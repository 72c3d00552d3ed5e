"""The door `Checks`: whole logs checked by the auditors' own program, in a process of its own, told of in the database.

Rules kept here:
- The program is `python -m audit verify`, the one that anybody runs: not a line of ours judges.
- It reads as the reader's role where the node has that, in any case in transactions that cannot write, and looks at one
  log. Its address goes to it by a pipe; no list of processes shows it.
- A node runs one at a time, behind everybody else's work, with a bound on its memory and its time. What waits for its
  turn is under way too.
- Progress and result stand in the database, so that any node shows them. A node says every few seconds that it is at
  it; where nothing was heard for a minute the check counts as broken off, and another may begin.
- What the program says is read up to a bound, and it is told to be brief: a log bent throughout is no more to read
  than another. Where it ends without a report, or takes too long, that is kept as what it is: somebody must look.
- That it began is on the log before it runs; what it found is on the log in the same commit that keeps it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import orjson
import structlog

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.beside import Beside, held_back
from broker.adapters.database import Pool, Scope, scoped
from broker.domain.errors import Conflict, LogUnavailable, StoreUnavailable
from broker.domain.integrity import BROKEN_OFF, NO_REPORT, NODE_ENDED, TOO_LONG, CheckBegun, LogVerified, Run
from broker.domain.receipts import Receipt
from broker.ports import Clock

log = structlog.get_logger()

MOST_SECONDS = 4 * 3600.0
# A brief report names fifty faults of three hundred characters; a character may take six bytes.
MOST_REPORT_BYTES = 256 * 1024
NEWEST = 5

# A node of which nothing was heard for a minute is gone, or cannot reach the database.
_LAY_ASIDE = """UPDATE integrity.run SET state = 'broken_off', why = 'node_ended', ended_at = seen_at
    WHERE log = $1 AND state = 'running' AND seen_at < clock_timestamp() - interval '1 minute'"""
_BEGIN = """INSERT INTO integrity.run (id, municipality, log, by, role, begun_at, total)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_BEAT = """UPDATE integrity.run SET seen_at = clock_timestamp(), done = $2, total = $3
    WHERE id = $1 AND state = 'running'"""
_END = """UPDATE integrity.run SET state = 'ended', done = total, ended_at = $2, size = $3, signed_size = $4,
    faults = $5, found = $6, deleted = $7 WHERE id = $1 AND state = 'running'"""
_BREAK_OFF = """UPDATE integrity.run SET state = 'broken_off', ended_at = $2, why = $3
    WHERE id = $1 AND state = 'running'"""
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
        """Write the command (for Python), without what is secret."""
        keys = [word for key in self.keys for word in ("--vkey", key)]
        deletion_keys = [word for key in self.deletion_keys for word in ("--deletion-vkey", key)]
        told = ["--origin", origin, *keys, *deletion_keys, "--json", "--brief", "--progress"]
        return ["-m", "audit", "verify", "--database", "@-", *told]


@dataclass(frozen=True, slots=True)
class _Found:
    size: int
    signed_size: int | None
    faults: tuple[str, ...] = field(repr=False)
    count: int
    deleted: int


@dataclass(slots=True)
class _Check:
    """One check on this node, as `Beside` carries it out."""

    pool: Pool = field(repr=False)
    log: AuditLogPostgres = field(repr=False)
    clock: Clock
    program: Program
    under_way: Run
    done: int
    total: int
    found: _Found | None = None
    why: str = NODE_ENDED

    async def run(self) -> None:
        """Run the program to its end; keep what it found, or that it ended without telling."""
        try:
            async with held_back(self.program.words(self.under_way.log)) as process:
                address = self.program.scoped_address(self.under_way.municipality)
                told, _, _ = await asyncio.gather(_read(process), self._hear(process), _say(process, address))
                await process.wait()
        except asyncio.CancelledError:
            # The node ends, or the time is over, which `keep` is told.
            raise
        except BaseException:
            self.why = NO_REPORT
            raise
        self.found = _found(told, self.under_way.log)
        self.why = NO_REPORT

    async def beat(self) -> None:
        """Say that this node is at it."""
        with contextlib.suppress(StoreUnavailable):
            async with scoped(self.pool, Scope(municipality=self.under_way.municipality)) as connection:
                await connection.execute(_BEAT, UUID(self.under_way.id), self.done, self.total)

    async def keep(self, failure: Exception | None) -> None:
        """Keep what a check found, with its entry, or that it was broken off."""
        run, found, now = self.under_way, self.found, self.clock.now()
        why = TOO_LONG if isinstance(failure, TimeoutError) else self.why
        if found is None:
            log.warning("check_broken_off", log=run.log, why=why)
        scope, ident = Scope(municipality=run.municipality), UUID(run.id)
        with contextlib.suppress(StoreUnavailable, LogUnavailable):
            if found is None:
                async with scoped(self.pool, scope) as connection:
                    await connection.execute(_BREAK_OFF, ident, now, why)
                return
            event = LogVerified(
                municipality=run.municipality, subject=run.by, actor=run.by, at=now, role=run.role, size=found.size,
                intact=not found.count, log=run.log, run=run.id, faults=found.count,
            )  # fmt: skip
            keys = await self.log.prepare([event])
            async with scoped(self.pool, scope) as connection:
                row = (ident, now, found.size, found.signed_size, list(found.faults), found.count, found.deleted)
                if await connection.execute(_END, *row) == "UPDATE 1":
                    await self.log.append_within(connection, [event], keys)

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        """Hear on the second channel how far the program is; what else it says there is for nobody."""
        if process.stderr is None:
            return
        async for line in process.stderr:
            words = line.split()
            if len(words) == 3 and words[0] == b"progress" and words[1].isdigit() and words[2].isdigit():
                self.done, self.total = int(words[1]), int(words[2])


class ChecksSql:
    """The checks of one node, and what is known of those of all nodes."""

    def __init__(self, pool: Pool, audit_log: AuditLogPostgres, clock: Clock, program: Program) -> None:
        self._pool = pool
        self._log = audit_log
        self._clock = clock
        self._program = program
        self._beside = Beside(program.most_seconds)

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
        await self._beside.begin(_Check(self._pool, self._log, self._clock, self._program, run, 0, run.total))
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
        await self._beside.aclose()


async def _say(process: asyncio.subprocess.Process, address: str) -> None:
    if process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(address.encode() + b"\n")
        await process.stdin.drain()
    process.stdin.close()


async def _read(process: asyncio.subprocess.Process) -> bytes:
    """Read what a program says to its end; one that says too much is ended, and has said nothing."""
    told = bytearray()
    while process.stdout is not None and (more := await process.stdout.read(MOST_REPORT_BYTES)):
        told += more
        if len(told) > MOST_REPORT_BYTES:
            process.kill()
            return b""
    return bytes(told)


def _found(told: bytes, origin: str) -> _Found | None:
    """Read what the program says of the log; None where it says nothing of it."""
    try:
        (report,) = orjson.loads(told)["logs"]
        if report["origin"] != origin or report["intact"] is not (report["found"] == 0):
            return None
        faults = tuple(map(str, report["faults"]))
        return _Found(report["size"], report["signed_size"], faults, report["found"], report["deleted"])
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
        why=NODE_ENDED if row["gone"] else row["why"],
    )
