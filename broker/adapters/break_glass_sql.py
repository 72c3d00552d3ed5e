"""The door `Emergencies` over PostgreSQL: break-glass requests and answers, each with its event or not at all.

Rules kept here:
- An answer gives the citizen's state its next version in its own transaction, as a withdrawal does: a release that
  rests on the answers before it is judged again, on every node (P3). The state is locked before answers are read.
- Whoever answers acts for the unit's own municipality, and sees a request only where it was asked.
- What the on-call caseworker wrote lies sealed under the citizen's key.
- The third request of one caseworker in 30 days opens an after-check in its own transaction, so that none is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson

from broker.adapters import consents_rows
from broker.adapters.after_check_rows import open_repeated
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Connection, Pool, Scope, enter, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.outbox_rows import add_notices
from broker.adapters.outbox_sql import OutboxSql
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.break_glass import BreakGlass, HolderAnswer, Words
from broker.domain.errors import Conflict, NotFound
from broker.domain.events import BreakGlassDecided, BreakGlassEvent, BreakGlassRequested
from broker.domain.notices import Notice
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

E = TypeVar("E", bound=BreakGlassEvent)
_ADD_REQUEST = """INSERT INTO break_glass.request
    (id, municipality, readers, citizen, unit, caseworker, case_handle, reason, sealed_words, requested_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
_ADD_SOURCE = """INSERT INTO break_glass.source (request, municipality, readers, source, unit, holder)
    VALUES ($1, $2, $3, $4, $5, $6)"""
_ADD_ANSWER = """INSERT INTO break_glass.answer (request, municipality, readers, unit, said, by, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""


class BreakGlassSql:
    """Break-glass requests in the main database; their words sealed with the vault's keys."""

    def __init__(self, pool: Pool, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._pool = pool
        self._log = log
        self._vault = vault
        self._outbox = OutboxSql(pool, log, vault)

    async def request(
        self,
        new: BreakGlass,
        words: Words,
        event: BreakGlassRequested,
        *also: BreakGlassRequested,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Keep a request; one receipt an event. Raises `Conflict`, `LogUnavailable`, `StoreUnavailable`."""
        events = _about(new.id, event, *also)
        pair = (new.citizen, new.municipality)
        key = _words_key((await self._vault.keys([pair]))[pair])
        told = orjson.dumps({"callout": words.callout.disclose(), "text": words.text.disclose()})
        keys, waiting = await self._log.prepare(events), await self._outbox.sealed(tell)
        async with scoped(self._pool, Scope(municipality=new.municipality)) as connection:
            try:
                await _add(connection, new, seal(key, told, new.id))
            except asyncpg.UniqueViolationError:
                raise Conflict("already_asked") from None
            await open_repeated(connection, new)
            await add_notices(connection, waiting)
            return await self._log.append_within(connection, events, keys)

    async def decide(
        self, request: str, answer: HolderAnswer, municipality: str, event: BreakGlassDecided, *also: BreakGlassDecided
    ) -> tuple[Receipt, ...]:
        """Keep what a unit of a municipality said; it holds from this commit on.

        Raises `NotFound` where the unit was not asked, `Conflict` where it has said so already or has said no.
        """
        events = _about(request, event, *also)
        keys = await self._log.prepare(events)
        scope = Scope(municipality=municipality)
        async with scoped(self._pool, scope) as connection:
            found = await _one(connection, request)
            if found.holders.get(answer.unit) != municipality:
                raise NotFound
            await enter(connection, replace(scope, subjects=(found.citizen,)))
            await consents_rows.bump(connection, [found.citizen])
            # Read again behind the lock: somebody of the unit may just have said the opposite.
            (await _one(connection, request)).refuse_answer(answer.unit, answer.said)
            readers = sorted({found.municipality} - {municipality})
            await connection.execute(
                _ADD_ANSWER, UUID(request), municipality, readers, answer.unit, answer.said, answer.by, answer.at
            )
            return await self._log.append_within(connection, events, keys)

    async def by_id(self, request: str, municipality: str) -> BreakGlass:
        """Read one request with its answers, in one snapshot, as one municipality sees it; raise `NotFound`."""
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            return await _one(connection, request)

    async def words(self, request: BreakGlass, municipality: str) -> Words:
        """Open what the on-call caseworker wrote; raise `NotFound` for a request that is not to be seen here.

        The same where the key it lies under is gone, or is another since: its citizen was erased (P9). None is made.
        """
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            sealed = await connection.fetchval(
                "SELECT sealed_words FROM break_glass.request WHERE id = $1", UUID(request.id)
            )
        held = await self._vault.held_keys([(request.citizen, request.municipality)])
        if sealed is None or not held:
            raise NotFound
        try:
            told = orjson.loads(unseal(_words_key(*held.values()), sealed, request.id))
        except DoesNotOpen:
            raise NotFound from None
        return Words(Personal(told["callout"]), Personal(told["text"]))


def _words_key(citizens: bytes) -> bytes:
    """Give the key of words from the citizen's own."""
    return derive(citizens, "break-glass words")


def _about(request: str, *events: E) -> list[E]:
    """Give the events, all of which must speak of this request."""
    if any(event.request != request for event in events):
        raise ValueError("the event speaks of another request")
    return list(events)


async def _add(connection: Connection, new: BreakGlass, sealed: bytes) -> None:
    asked, readers = UUID(new.id), sorted(set(new.holders.values()) - {new.municipality})
    whose = (new.citizen, new.unit, new.caseworker, new.case)
    await connection.execute(
        _ADD_REQUEST, asked, new.municipality, readers, *whose, new.reason, sealed, new.requested_at
    )
    rows = [
        (asked, new.municipality, readers, source, unit, new.holders[unit])
        for source, unit in sorted(new.sources.items())
    ]
    await connection.executemany(_ADD_SOURCE, rows)


async def _one(connection: Connection, request: str) -> BreakGlass:
    """Read a request as this transaction's scope lets it be seen; what is no id names nothing."""
    try:
        asked = UUID(request)
    except ValueError:
        raise NotFound from None
    head = await connection.fetchrow("SELECT * FROM break_glass.request WHERE id = $1", asked)
    sources = await connection.fetch("SELECT * FROM break_glass.source WHERE request = $1 ORDER BY source", asked)
    answers = await connection.fetch(
        "SELECT * FROM break_glass.answer WHERE request = $1 ORDER BY at, unit, said", asked
    )
    if head is None:
        raise NotFound
    return _read(head, sources, answers)


def _read(head: Any, sources: Sequence[Any], answers: Sequence[Any]) -> BreakGlass:
    return BreakGlass(
        id=str(head["id"]),
        municipality=head["municipality"],
        citizen=head["citizen"],
        unit=head["unit"],
        caseworker=head["caseworker"],
        case=head["case_handle"],
        reason=head["reason"],
        requested_at=head["requested_at"],
        sources={row["source"]: row["unit"] for row in sources},
        holders={row["unit"]: row["holder"] for row in sources},
        answers=tuple(HolderAnswer(row["unit"], row["said"], row["by"], row["at"]) for row in answers),
    )
