"""Requests for consent over PostgreSQL: what a unit asked before, what nobody answered, and the words in them.

A request's words lie sealed under the citizen's key, each in a place of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from broker.adapters import consents_rows as rows
from broker.adapters.audit_log import AuditLogPostgres, Keys
from broker.adapters.database import Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.outbox_sql import OutboxSql
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.consents import EXPIRED, Answer, ConsentRequest, ReadText
from broker.domain.errors import Conflict, NotFound
from broker.domain.events import ConsentUnanswered
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

_EARLIER = """
SELECT id FROM consents.request WHERE municipality = $1 AND unit = $2 AND purpose = $3 AND citizen = ANY ($4)
"""
_UNANSWERED = """
SELECT r.id FROM consents.request r WHERE r.municipality = $1 AND r.answer_by < $2
  AND NOT EXISTS (SELECT FROM consents.request_state s WHERE s.request = r.id AND s.state = 'expired')
  AND EXISTS (SELECT FROM consents.request_line l WHERE l.request = r.id AND NOT EXISTS (
      SELECT FROM consents.request_state s WHERE s.request = r.id AND s.giver = l.giver))
ORDER BY r.answer_by, r.id LIMIT 200
"""
_READ = """
SELECT municipality, language, text_digest, sealed_text FROM consents.request_state
WHERE request = $1 AND giver = $2 AND state = 'refused'
"""


class ConsentRequestsSql:
    """Requests in the main database; their words sealed with the vault's keys."""

    def __init__(self, pool: Pool, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._pool = pool
        self._log = log
        self._vault = vault
        self._outbox = OutboxSql(pool, log, vault)

    async def earlier_requests(
        self, municipality: str, unit: str, purpose: str, citizens: Collection[str]
    ) -> tuple[ConsentRequest, ...]:
        """List what a unit asked of a citizen for a purpose, newest first; the same statements whatever is found."""
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            ids = await connection.fetch(_EARLIER, municipality, unit, purpose, sorted(citizens))
            found = await rows.requests(connection, [row["id"] for row in ids])
        return await self.with_words(found)

    async def unanswered(self, municipality: str, before: int) -> tuple[ConsentRequest, ...]:
        """List requests that are over and still open, the oldest first, some at a time.

        A citizen who was erased since is left out: nothing more is written about them.
        """
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            ids = await connection.fetch(_UNANSWERED, municipality, before)
            found = await rows.requests(connection, [row["id"] for row in ids])
        whose = {(request.citizen, municipality) for request, _ in found}
        held = await self._vault.held_keys(whose) if whose else {}
        return tuple(request for request, _ in found if (request.citizen, municipality) in held)

    async def lapse(self, request: str, event: ConsentUnanswered, *also: ConsentUnanswered) -> tuple[Receipt, ...]:
        """Close a request that nobody may answer any more; raise `Conflict` where it is closed."""
        events = [event, *also]
        keys = await self._log.prepare(events)
        async with scoped(self._pool, Scope(municipality=event.municipality)) as connection:
            found = await rows.requests(connection, [UUID(request)])
            if not found:
                raise NotFound
            asked, over = found[0][0], Answer(EXPIRED, None, event.at, event.channel)
            if not asked.unanswered:
                raise Conflict("already_answered")
            try:
                await rows.add_answer(connection, request, over, event.actor, event.municipality, asked.parties)
            except asyncpg.UniqueViolationError:
                raise Conflict("already_lapsed") from None
            return await self._log.append_within(connection, events, keys)

    async def _sealed(self, new: ConsentRequest) -> rows.Words:
        """Seal what a caseworker wrote under the citizen's key: why they ask, and why again."""
        if new.why is None and new.again is None:
            return None, None
        key = await self._text_key(new.citizen, new.municipality)
        why = None if new.why is None else seal(key, new.why.disclose().encode(), new.id)
        again = None if new.again is None else seal(key, new.again.disclose().encode(), _place_of_again(new.id))
        return why, again

    async def _text_key(self, handle: str, municipality: str) -> bytes:
        keys: Keys = await self._vault.keys([(handle, municipality)])
        return derive(keys[handle, municipality], "consent text")

    async def read_before_no(self, request: str, giver: str) -> ReadText | None:
        """Give back to a giver what they read before their no; None where it was not kept. Raises `NotFound`."""
        try:
            asked = UUID(request)
        except ValueError:
            raise NotFound from None
        async with scoped(self._pool, Scope(citizen=giver), snapshot=True) as connection:
            row = await connection.fetchrow(_READ, asked, giver)
        if row is None:
            raise NotFound
        if row["text_digest"] is None:
            return None
        whose = (giver, row["municipality"])
        key = (await self._vault.held_keys([whose])).get(whose)
        return ReadText(row["language"], row["text_digest"], words_in(key, row["sealed_text"], _place_of_no(request)))

    async def _sealed_text(
        self, read: ReadText | None, request: str, giver: str, municipality: str
    ) -> Mapping[str, Any]:
        """Seal what was read before a no under its giver's key; give it by the names of its columns."""
        if read is None or read.words is None:
            return {}
        key = await self._text_key(giver, municipality)
        sealed = seal(key, read.words.disclose().encode(), _place_of_no(request))
        return {"language": read.language, "text_digest": read.digest, "sealed_text": sealed}

    async def with_words(self, found: Sequence[tuple[ConsentRequest, rows.Words]]) -> tuple[ConsentRequest, ...]:
        """Open what the caseworkers wrote, with all keys in one statement.

        Whoever else was to answer a request about somebody erased since sees it without its words (P9).
        """
        owners = {(request.citizen, request.municipality) for request, sealed in found if any(sealed)}
        keys = await self._vault.held_keys(owners) if owners else {}
        return tuple(
            request if not any(sealed) else _opened(request, keys.get((request.citizen, request.municipality)), sealed)
            for request, sealed in found
        )


def _opened(request: ConsentRequest, key: bytes | None, sealed: rows.Words) -> ConsentRequest:
    why, again = sealed
    return replace(
        request,
        why=words_in(key, why, request.id),
        again=words_in(key, again, _place_of_again(request.id)),
    )


def _place_of_no(request: str) -> str:
    return f"{request}/no"


def _place_of_again(request: str) -> str:
    return f"{request}/again"


def words_in(key: bytes | None, sealed: bytes | None, place: str) -> Personal[str] | None:
    """Open sealed words; nothing where the key they lie under is gone, or is another since."""
    if key is None or sealed is None:
        return None
    try:
        return Personal(unseal(derive(key, "consent text"), sealed, place).decode())
    except DoesNotOpen:
        return None
