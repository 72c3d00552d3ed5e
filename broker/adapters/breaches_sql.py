"""The door `Breaches` over PostgreSQL: each step commits with the event that says so, or not at all.

Rules kept here:
- What is written lies sealed under the key of who opened the file; it names no citizen by a key of their own.
- A note is numbered: of two at once, one is a `Conflict`.
- Whom a breach touches is read from the log's index rows, as the municipality whose log it is; no body is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from broker.adapters import breach_letters_rows as letters
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.breach_letters_rows import TOUCHED, asked
from broker.adapters.database import Connection, Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.outbox_rows import seal_notices
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.breach_letters import Addressed, Batch, BreachLetter, BreachLettersReleased
from broker.domain.breaches import Affected, Breach, BreachEvent, Criteria, Note
from broker.domain.errors import Conflict, NotFound
from broker.domain.notices import BREACH, Notice
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

# Of what is named at once, so many stand on the log in one transaction.
AT_ONCE = 200
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
# Each reads a log from some moment on; a second of the same log waits for nothing, it is refused.
_ALONE = "SELECT pg_try_advisory_xact_lock(6210776, hashtext($1))"
_COUNT = f"SELECT count(*) AS entries, count(DISTINCT i.citizen) AS citizens {TOUCHED}"
_AFFECTED = (
    f"SELECT i.citizen, count(*) AS entries, min(i.at) AS first, max(i.at) AS last {TOUCHED}"
    " GROUP BY i.citizen ORDER BY i.citizen OFFSET $7 LIMIT $8"
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
            await letters.hold_file(connection, breach.id)
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
        """Count lines, and the citizens in them; raise `Conflict` while that log is so read already, on any node."""
        async with scoped(self._pool, _read((municipality,)), snapshot=True) as connection:
            await _alone(connection, municipality)
            row = await connection.fetchrow(_COUNT, *asked(municipality, criteria))
        return (row["entries"], row["citizens"]) if row else (0, 0)

    async def affected(
        self, municipality: str, criteria: Criteria, offset: int, limit: int
    ) -> tuple[Affected, ...]:  # fmt: skip
        """List the citizens of such lines, in the order of their handles; raise `Conflict` as `count`."""
        async with scoped(self._pool, _read((municipality,)), snapshot=True) as connection:
            await _alone(connection, municipality)
            rows = await connection.fetch(_AFFECTED, *asked(municipality, criteria), offset, limit)
        return tuple(
            Affected(row["citizen"], row["entries"], _moment(row["first"]), _moment(row["last"])) for row in rows
        )

    async def prepare(self, new: Batch, event: BreachEvent, named: Sequence[BreachEvent]) -> Receipt:
        """Keep a batch without letters, then that citizens were named: some in each transaction.

        Raises `Conflict` for a closed file, `TooManyAsks` past a day's numbers.
        """
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=new.municipality)) as connection:
            await letters.hold_open(connection, new.breach)
            await letters.add_batch(connection, new)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        await self.log_named(new, named)
        return receipt

    async def log_named(self, new: Batch, events: Sequence[BreachEvent]) -> None:
        """Keep that citizens were named, some in each transaction, so that no ask waits long for the log's head."""
        for some in (events[at : at + AT_ONCE] for at in range(0, len(events), AT_ONCE)):
            keys = await self._log.prepare(some)
            async with scoped(self._pool, Scope(municipality=new.municipality)) as connection:
                await self._log.append_within(connection, some, keys)

    async def untold(self, batch: Batch, criteria: Criteria, named: Sequence[str]) -> frozenset[str]:
        """Tell which of these citizens are in such lines and may know of them now, and have no letter of the breach."""
        scope = replace(_read((batch.municipality,)), now=_second(batch.prepared_at))
        async with scoped(self._pool, scope, snapshot=True) as connection:
            return await letters.untold(connection, batch.breach, asked(batch.municipality, criteria), named)

    async def add_letters(self, batch: Batch, waiting: Sequence[Addressed]) -> None:
        """Keep letters of a batch, their numbers sealed; who waits for one already is passed over."""
        notices = [Notice(one.id, batch.municipality, one.citizen, one.number, BREACH, batch.prepared_at)
                   for one in waiting]  # fmt: skip
        sealed = await seal_notices(notices, self._vault)
        async with scoped(self._pool, Scope(municipality=batch.municipality)) as connection:
            await letters.add_waiting(connection, batch, sealed)

    async def batches(self, breach: Breach) -> tuple[Batch, ...]:
        """List what was prepared of a breach, the first first."""
        async with scoped(self._pool, _read((breach.municipality,)), snapshot=True) as connection:
            return await letters.batches_of(connection, breach.id)

    async def release(self, batch: Batch, criteria: Criteria, event: BreachLettersReleased) -> Receipt:
        """Move letters to those who may know now to the outbox; raise `Conflict` where it ended, or is closed."""
        keys = await self._log.prepare([event])
        scope = Scope(municipality=batch.municipality, now=_second(event.at))
        async with scoped(self._pool, scope) as connection:
            await letters.hold_open(connection, batch.breach)
            gone = await letters.let_go(
                connection, batch, asked(batch.municipality, criteria), event.actor, event.at
            )  # fmt: skip
            (receipt,) = await self._log.append_within(connection, [replace(event, letters=gone)], keys)
        return receipt

    async def withdraw(self, batch: Batch, event: BreachEvent) -> Receipt:
        """Delete letters that wait; raise `Conflict` where they ended before."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=batch.municipality)) as connection:
            await letters.take_back(connection, batch, event.actor, event.at)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def forget_waiting(self, municipality: str, at: datetime) -> None:
        """Delete letters, with their numbers, that have waited too long for a second person."""
        async with scoped(self._pool, Scope(municipality=municipality)) as connection:
            await letters.forget_waiting(connection, municipality, at)

    async def letters_of(self, citizen: str) -> tuple[BreachLetter, ...]:
        """List the letters to a citizen that were let go."""
        async with scoped(self._pool, Scope(citizen=citizen), snapshot=True) as connection:
            return await letters.letters_to(connection, citizen)

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


async def _alone(connection: Connection, municipality: str) -> None:
    if not await connection.fetchval(_ALONE, municipality):
        raise Conflict("count_runs")


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


def _second(at: datetime) -> int:
    return int(at.timestamp())


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
