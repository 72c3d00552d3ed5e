"""The door `Breaches` over PostgreSQL: each step commits with the event that says so, or not at all.

Rules kept here:
- What is written lies sealed under the key of who opened the file; it names no citizen by a key of their own.
- A note is numbered: of two at once, one is a `Conflict`.
- Whom a breach touches is read from the log's index rows, as the municipality whose log it is; no body is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.breach_letters_rows import add_batch, batches_of, let_go, letters_to
from broker.adapters.database import Connection, Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.outbox_rows import seal_notices
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.breach_letters import Addressed, Batch, BreachLetter
from broker.domain.breaches import TOUCHED_NOTHING, TOUCHING, Affected, Breach, BreachEvent, Criteria, Note
from broker.domain.errors import Conflict, NotFound
from broker.domain.notices import BREACH, Notice
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

_OPEN = """INSERT INTO breaches.breach (id, municipality, keeper, known_at, opened_at) VALUES ($1, $2, $3, $4, $5)"""
_NOTE = """INSERT INTO breaches.note (breach, number, municipality, kind, by, at, sealed_text, more)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)"""
_LIST = """
SELECT b.* FROM breaches.breach b WHERE b.municipality = ANY ($1) AND ($2::uuid IS NULL OR (b.known_at, b.id) < (
    SELECT o.known_at, o.id FROM breaches.breach o WHERE o.id = $2))
ORDER BY b.known_at DESC, b.id DESC LIMIT $3
"""
_ONE = "SELECT * FROM breaches.breach WHERE id = $1"
_NOTES = "SELECT * FROM breaches.note WHERE breach = ANY ($1) ORDER BY breach, number"
_TOUCHED = """
FROM log.index i WHERE i.tenant = $1 AND i.at >= $2 AND i.at < $3 AND i.kind = ANY ($4)
  AND i.citizen <> '' AND i.citizen <> i.fields ->> 'actor'
  AND coalesce(i.fields ->> 'outcome', '') <> ALL ($5) AND i.fields @> $6::jsonb
"""
_COUNT = f"SELECT count(*) AS entries, count(DISTINCT i.citizen) AS citizens {_TOUCHED}"
_AFFECTED = (
    f"SELECT i.citizen, count(*) AS entries, min(i.at) AS first, max(i.at) AS last {_TOUCHED}"
    " GROUP BY i.citizen ORDER BY i.citizen OFFSET $7 LIMIT $8"
)


_UNTOLD = (
    f"SELECT DISTINCT i.citizen {_TOUCHED} AND i.citizen = ANY ($7)"  # noqa: S608 - as above
    " AND NOT EXISTS (SELECT FROM breaches.letter l WHERE l.breach = $8 AND l.citizen = i.citizen)"
)


class BreachesSql:
    """Breach files in the main database; their words sealed with the vault's keys."""

    def __init__(self, pool: Pool, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._pool = pool
        self._log = log
        self._vault = vault

    async def open(self, new: Breach, event: BreachEvent) -> Receipt:
        """Keep a new file with its first note; raise `Conflict` where its id is there."""
        keys = await self._log.prepare([event])
        rows = [await self._row(new, note) for note in new.notes]
        async with scoped(self._pool, Scope(municipality=new.municipality)) as connection:
            try:
                await connection.execute(
                    _OPEN, UUID(new.id), new.municipality, new.keeper, new.known_at, new.opened_at
                )  # fmt: skip
            except asyncpg.UniqueViolationError:
                raise Conflict("opened_before") from None
            await connection.executemany(_NOTE, rows)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def note(self, breach: Breach, new: Note, event: BreachEvent) -> Receipt:
        """Keep a note; raise `Conflict` where somebody else wrote meanwhile."""
        keys = await self._log.prepare([event])
        row = await self._row(breach, new)
        async with scoped(self._pool, Scope(municipality=breach.municipality)) as connection:
            await _insert(connection, row)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def log(self, breach: Breach, event: BreachEvent) -> Receipt:
        """Keep that something was looked at."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=breach.municipality)) as connection:
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def of(self, municipalities: Collection[str], after: str | None, limit: int) -> tuple[Breach, ...]:
        """List files, those known last first, from behind one on; no words."""
        mark = None if after is None else _id(after)
        async with scoped(self._pool, _read(municipalities), snapshot=True) as connection:
            rows = await connection.fetch(_LIST, sorted(municipalities), mark, limit)
            notes = await connection.fetch(_NOTES, [row["id"] for row in rows])
        return tuple(_breach(row, notes, None) for row in rows)

    async def by_id(self, breach: str, municipalities: Collection[str]) -> Breach:
        """Read one with its words; raise `NotFound`."""
        async with scoped(self._pool, _read(municipalities), snapshot=True) as connection:
            row = await connection.fetchrow(_ONE, _id(breach))
            notes = await connection.fetch(_NOTES, [row["id"]] if row else [])
        if row is None:
            raise NotFound
        pair = (row["keeper"], row["municipality"])
        return _breach(row, notes, (await self._vault.held_keys({pair})).get(pair))

    async def count(self, municipality: str, criteria: Criteria) -> tuple[int, int]:
        """Count lines, and the citizens in them."""
        async with scoped(self._pool, _read((municipality,)), snapshot=True) as connection:
            row = await connection.fetchrow(_COUNT, *_asked(municipality, criteria))
        return (row["entries"], row["citizens"]) if row else (0, 0)

    async def affected(
        self, municipality: str, criteria: Criteria, offset: int, limit: int
    ) -> tuple[Affected, ...]:  # fmt: skip
        """List the citizens of such lines, in the order of their handles."""
        async with scoped(self._pool, _read((municipality,)), snapshot=True) as connection:
            rows = await connection.fetch(_AFFECTED, *_asked(municipality, criteria), offset, limit)
        return tuple(
            Affected(row["citizen"], row["entries"], _moment(row["first"]), _moment(row["last"])) for row in rows
        )

    async def untold(self, breach: Breach, criteria: Criteria, named: Sequence[str]) -> frozenset[str]:
        """Tell which of these citizens are in such lines, and have no letter of the breach yet."""
        asked = (*_asked(breach.municipality, criteria), list(named), UUID(breach.id))
        async with scoped(self._pool, _read((breach.municipality,)), snapshot=True) as connection:
            return frozenset(row["citizen"] for row in await connection.fetch(_UNTOLD, *asked))

    async def prepare(self, new: Batch, letters: Sequence[Addressed], event: BreachEvent) -> Receipt:
        """Keep prepared letters, their numbers sealed; raise `Conflict` where somebody has one meanwhile."""
        notices = [Notice(one.id, new.municipality, one.citizen, one.number, BREACH, event.at) for one in letters]
        waiting, keys = await seal_notices(notices, self._vault), await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=new.municipality)) as connection:
            await add_batch(connection, new, waiting)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def batches(self, breach: Breach) -> tuple[Batch, ...]:
        """List what was prepared of a breach, the first first."""
        async with scoped(self._pool, _read((breach.municipality,)), snapshot=True) as connection:
            return await batches_of(connection, breach.id)

    async def release(self, batch: Batch, event: BreachEvent) -> Receipt:
        """Move prepared letters to the outbox; raise `Conflict` where somebody did."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=batch.municipality)) as connection:
            await let_go(connection, batch, event.actor, event.at)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def letters_of(self, citizen: str) -> tuple[BreachLetter, ...]:
        """List the letters to a citizen that were let go."""
        async with scoped(self._pool, Scope(citizen=citizen), snapshot=True) as connection:
            return await letters_to(connection, citizen)

    async def _row(self, breach: Breach, note: Note) -> tuple[Any, ...]:
        sealed = None
        if note.text is not None:
            pair = (breach.keeper, breach.municipality)
            key = (await self._vault.keys([pair]))[pair]
            sealed = seal(_words_key(key), note.text.disclose().encode(), _place(breach.id, note.number))
        more = orjson.dumps(dict(note.more)).decode()
        return UUID(breach.id), note.number, breach.municipality, note.kind, note.by, note.at, sealed, more


async def _insert(connection: Connection, row: Sequence[Any]) -> None:
    try:
        await connection.execute(_NOTE, *row)
    except asyncpg.UniqueViolationError:
        raise Conflict("written_meanwhile") from None


def _asked(municipality: str, criteria: Criteria) -> tuple[Any, ...]:
    fields = orjson.dumps(criteria.fields()).decode()
    return municipality, criteria.since, criteria.until, list(TOUCHING), list(TOUCHED_NOTHING), fields


def _read(municipalities: Collection[str]) -> Scope:
    return Scope(municipalities=tuple(sorted(municipalities)))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def _words_key(keepers: bytes) -> bytes:
    return derive(keepers, "breach words")


def _place(breach: str, number: int) -> str:
    return f"{breach} {number}"


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _breach(row: Any, notes: Sequence[Any], key: bytes | None) -> Breach:
    return Breach(
        id=str(row["id"]),
        municipality=row["municipality"],
        known_at=row["known_at"],
        opened_at=row["opened_at"],
        keeper=row["keeper"],
        notes=tuple(_note(note, key) for note in notes if note["breach"] == row["id"]),
    )


def _note(row: Any, key: bytes | None) -> Note:
    text = None
    if key is not None and row["sealed_text"] is not None:
        try:
            words = unseal(_words_key(key), row["sealed_text"], _place(str(row["breach"]), row["number"]))
            text = Personal(words.decode())
        except DoesNotOpen:
            pass
    return Note(row["number"], row["kind"], row["at"], row["by"], text, orjson.loads(row["more"]))
