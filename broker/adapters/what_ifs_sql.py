"""The door `WhatIfs`: a month's questions tried in a program of their own, told of in the database.

Rules kept here:
- This node opens the questions, page by page, and hands them to a program that has no key and no address; what comes
  back are counts with small numbers withheld. Neither is kept anywhere else.
- A node runs one at a time, behind everybody else's work (`beside.py`); rules that run away end their run alone.
- That it began is on the log before a question is opened; that it ended, and why, in the commit that keeps it.
- A question that cannot be opened any more is counted as such. Where the store gives no answer nothing is told.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.beside import Beside, held_back
from broker.adapters.candidate_rules import Candidate, Candidates
from broker.adapters.database import Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.adapters.revisions_sql import RevisionsSql
from broker.adapters.what_if_program import WORDS
from broker.domain.entries import INTACT
from broker.domain.errors import Conflict, LogUnavailable, NotFound, StoreUnavailable
from broker.domain.past import PastDecision
from broker.domain.receipts import Receipt
from broker.domain.what_ifs import (
    BROKEN_OFF,
    NODE_ENDED,
    RAN_AWAY,
    RULES_UNUSABLE,
    STORE,
    TOO_LONG,
    Result,
    Row,
    WhatIf,
    WhatIfBegun,
    WhatIfEnded,
)
from broker.oversight.replay import NoQuestion, asked_of
from broker.oversight.replayed import NO_REVISION, UNASKED, UNREADABLE
from broker.oversight.samples import month_of
from broker.ports import Clock

log = structlog.get_logger()

MOST_SECONDS = 3600.0
PATIENCE_SECONDS = 60.0
PORTION = 100
NEWEST = 20

_LAY_ASIDE = """UPDATE what_if.run SET state = 'broken_off', ended_at = seen_at, why = 'node_ended'
    WHERE municipality = $1 AND state = 'running' AND seen_at < clock_timestamp() - interval '1 minute'"""
_TRIED = "SELECT 1 FROM what_if.run WHERE municipality = $1 AND month = $2 AND rules = $3 AND state = 'ended'"
_BEGIN = """INSERT INTO what_if.run (id, municipality, month, candidate, rules, by, role, begun_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
_BEAT = """UPDATE what_if.run SET seen_at = clock_timestamp(), done = $2, share = $3
    WHERE id = $1 AND state = 'running'"""
_END = """UPDATE what_if.run SET state = $2, ended_at = $3, done = $4, share = $5, why = $6, result = $7
    WHERE id = $1 AND state = 'running'"""
_SEEN = """SELECT r.*, r.state = 'running' AND r.seen_at < clock_timestamp() - interval '1 minute' AS gone
    FROM what_if.run r WHERE municipality = ANY ($1)"""
_OF = f"{_SEEN} ORDER BY begun_at DESC, seen_at DESC LIMIT $2"
_ONE = f"{_SEEN} AND id = $2"


class _BrokenOff(Exception):
    """A run cannot go on; its word says why."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Archive:
    """Where past questions and the rules that answered them are read."""

    decisions: PastDecisionsPostgres
    revisions: RevisionsSql
    schemas: Path


def archive(pool: Pool, vault: HandlesVault, schemas: Path) -> Archive:
    """Read them over the pools of a node; `schemas` is the folder of the forms that answers are held to."""
    return Archive(PastDecisionsPostgres(pool, vault), RevisionsSql(pool), schemas)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run may take: seconds for all of it, and for one portion of questions."""

    most_seconds: float = MOST_SECONDS
    patience_seconds: float = PATIENCE_SECONDS


class WhatIfsSql:
    """The runs of one node, and what is known of those of all nodes."""

    def __init__(
        self,
        pool: Pool,
        audit_log: AuditLogPostgres,
        clock: Clock,
        archive: Archive,
        folder: Path | None,
        bounds: Bounds | None = None,
    ) -> None:
        self._pool = pool
        self._log = audit_log
        self._clock = clock
        self._archive = archive
        self._candidates = None if folder is None else Candidates(folder)
        self._bounds = bounds or Bounds()
        self._beside = Beside(self._bounds.most_seconds)

    async def candidates(self) -> tuple[str, ...] | None:
        """Name the folders that operations has placed, sorted; None where this node is told of no place for them."""
        return None if self._candidates is None else await asyncio.to_thread(self._candidates.names)

    async def digest(self, candidate: str) -> str:
        """Give the SHA-256 of a candidate's rules and tables; raise `NotFound` where there is none, or no readable."""
        return (await self._read(candidate)).digest

    async def begin(self, run: WhatIf, event: WhatIfBegun) -> Receipt:
        """Write that a run begins, and begin it; raise `Conflict` (`WhatIfs` says of what) or `NotFound`."""
        candidate = await self._read(run.candidate)
        if candidate.digest != run.rules:
            raise Conflict("rules_unusable")
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=run.municipality)) as connection:
            await connection.execute(_LAY_ASIDE, run.municipality)
            if await connection.fetchval(_TRIED, run.municipality, run.month, run.rules):
                raise Conflict("tried")
            row = (run.municipality, run.month, run.candidate, run.rules, run.by, run.role, run.begun_at)
            try:
                await connection.execute(_BEGIN, UUID(run.id), *row)
            except asyncpg.UniqueViolationError:
                raise Conflict("under_way") from None
            (receipt,) = await self._log.append_within(connection, [event], keys)
        work = _Trying(self._pool, self._log, self._clock, self._archive, self._bounds, run, candidate)
        await self._beside.begin(work)
        return receipt

    async def of(self, municipalities: Collection[str]) -> tuple[WhatIf, ...]:
        """Give the newest runs of these municipalities, newest first, without results."""
        mine = sorted(municipalities)
        async with scoped(self._pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
            return tuple(_run(row, None) for row in await connection.fetch(_OF, mine, NEWEST))

    async def one(self, run: str, municipalities: Collection[str]) -> WhatIf:
        """Give one run with its result; raise `NotFound`."""
        mine = sorted(municipalities)
        try:
            ident = UUID(run)
        except ValueError:
            raise NotFound from None
        async with scoped(self._pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
            row = await connection.fetchrow(_ONE, mine, ident)
        if row is None:
            raise NotFound
        return _run(row, _result(row["result"]))

    async def aclose(self) -> None:
        """Break off what is under way on this node."""
        await self._beside.aclose()

    async def _read(self, candidate: str) -> Candidate:
        if self._candidates is None:
            raise NotFound
        return await asyncio.to_thread(self._candidates.read, candidate)


@dataclass(slots=True)
class _Trying:
    """One run on this node, as `Beside` carries it out."""

    pool: Pool = field(repr=False)
    log: AuditLogPostgres = field(repr=False)
    clock: Clock
    archive: Archive
    bounds: Bounds
    under_way: WhatIf
    candidate: Candidate
    done: int = 0
    share: int = 0
    opened: int = 0
    why: str = NODE_ENDED
    result: Mapping[str, Any] | None = field(default=None, repr=False)
    left_out: Counter[str] = field(default_factory=Counter)
    known: dict[str, bool] = field(default_factory=dict)

    async def run(self) -> None:
        """Put the month's questions to the program; keep the result, or why there is none."""
        try:
            async with held_back([*WORDS, str(self.bounds.patience_seconds)]) as process:
                deaf = asyncio.create_task(_read_away(process))
                try:
                    self.result = await self._put_all(process)
                finally:
                    deaf.cancel()
        except _BrokenOff as broken:
            self.why = broken.why
        except StoreUnavailable:
            self.why = STORE

    async def beat(self) -> None:
        """Say that this node is at it."""
        with contextlib.suppress(StoreUnavailable):
            async with scoped(self.pool, Scope(municipality=self.under_way.municipality)) as connection:
                await connection.execute(_BEAT, UUID(self.under_way.id), self.done, self.share)

    async def keep(self, failure: Exception | None) -> None:
        """Keep the result or the reason that there is none, with its entry."""
        run, now = self.under_way, self.clock.now()
        why = "" if self.result is not None else TOO_LONG if isinstance(failure, TimeoutError) else self.why
        if why:
            log.warning("what_if_broken_off", names=run.municipality, why=why)
        event = WhatIfEnded(
            municipality=run.municipality, subject=run.by, actor=run.by, at=now, role=run.role, run=run.id,
            month=run.month, candidate=run.candidate, decisions=self.opened, why=why,
        )  # fmt: skip
        kept = None if self.result is None else orjson.dumps(self.result).decode()
        row = (BROKEN_OFF if why else "ended", now, self.done, self.share if why else 100, why, kept)
        with contextlib.suppress(StoreUnavailable, LogUnavailable):
            keys = await self.log.prepare([event])
            async with scoped(self.pool, Scope(municipality=run.municipality)) as connection:
                if await connection.execute(_END, UUID(run.id), *row) == "UPDATE 1":
                    await self.log.append_within(connection, [event], keys)

    async def _put_all(self, process: asyncio.subprocess.Process) -> Mapping[str, Any]:
        tried = [dict(self.candidate.modules), dict(self.candidate.tables)]
        await self._say(process, {"candidate": tried, "schemas": str(self.archive.schemas)})
        async for revision, questions in self._portions():
            await self._revision(process, revision)
            told = await self._say(process, {"of": revision, "questions": questions})
            self.done = int(told["done"])
        deleted = await self.archive.decisions.deleted([self.under_way.municipality])
        told = await self._say(process, {"left_out": dict(self.left_out), "deleted": deleted})
        result: Mapping[str, Any] = told["result"]
        return result

    async def _portions(self) -> AsyncIterator[tuple[str, list[str]]]:
        """Open the month page by page, the newest first; give questions of one revision at a time."""
        home, cursor = self.under_way.municipality, None
        since, until = month_of(self.under_way.month)
        while True:
            page = await self.archive.decisions.page([home], since=since, until=until, cursor=cursor)
            waiting: dict[str, list[str]] = {}
            for past in page.decisions:
                self.opened += 1
                if (question := await self._question(past)) is not None:
                    waiting.setdefault(past.revision, []).append(question)
            for revision, some in waiting.items():
                for start in range(0, len(some), PORTION):
                    yield revision, some[start : start + PORTION]
            if page.decisions:
                gone = until - int(page.decisions[-1].at.timestamp())
                self.share = max(self.share, min(99, 100 * gone // (until - since)))
            if (cursor := page.next) is None:
                return

    async def _question(self, past: PastDecision) -> str | None:
        """Take the question of an entry; count one that cannot be put again, and why."""
        try:
            asked = asked_of(past)
        except NoQuestion:
            self.left_out[UNREADABLE] += 1
            return None
        if asked is None:
            self.left_out[UNASKED if past.state == INTACT else past.state] += 1
        elif not await self._knows(past.revision):
            self.left_out[NO_REVISION] += 1
        else:
            return asked.question.decode()
        return None

    async def _knows(self, revision: str) -> bool:
        """Say whether a revision is on record."""
        if revision not in self.known:
            try:
                await self.archive.revisions.read(revision)
                self.known[revision] = False
            except NotFound:
                return False
        return True

    async def _revision(self, process: asyncio.subprocess.Process, revision: str) -> None:
        """Hand over a revision before its first questions."""
        if not self.known[revision]:
            rules = await self.archive.revisions.read(revision)
            await self._say(process, {"revision": revision, "rules": list(rules)})
            self.known[revision] = True

    async def _say(self, process: asyncio.subprocess.Process, line: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the program a line, and hear its answer; raise `_BrokenOff` where there is none, or none in time."""
        if process.stdin is None or process.stdout is None:
            raise _BrokenOff(RAN_AWAY)
        try:
            async with asyncio.timeout(self.bounds.patience_seconds) as patience:
                process.stdin.write(orjson.dumps(line) + b"\n")
                await process.stdin.drain()
                told = orjson.loads(await process.stdout.readline())
        except TimeoutError:
            if not patience.expired():
                raise
            raise _BrokenOff(RAN_AWAY) from None
        except (OSError, ValueError):
            raise _BrokenOff(RAN_AWAY) from None
        if "fault" in told:
            raise _BrokenOff(RULES_UNUSABLE)
        found: Mapping[str, Any] = told
        return found


async def _read_away(process: asyncio.subprocess.Process) -> None:
    """Hear what the program says beside: it is for nobody."""
    while process.stderr is not None and await process.stderr.read(65536):
        continue


def _run(row: Any, result: Result | None) -> WhatIf:
    return WhatIf(
        id=str(row["id"]),
        municipality=row["municipality"],
        month=row["month"],
        candidate=row["candidate"],
        rules=row["rules"],
        by=row["by"],
        role=row["role"],
        begun_at=row["begun_at"],
        state=BROKEN_OFF if row["gone"] else row["state"],
        share=row["share"],
        done=row["done"],
        ended_at=row["ended_at"],
        why=NODE_ENDED if row["gone"] else row["why"],
        result=result,
    )


def _result(kept: str | None) -> Result | None:
    if kept is None:
        return None
    told = orjson.loads(kept)
    rows = tuple(Row(row["kind"], row["by"], tuple(row["counts"]), row["total"]) for row in told["rows"])
    return Result(tuple(told["purposes"]), rows, tuple(told["totals"]), told["total"], told["deleted"])
