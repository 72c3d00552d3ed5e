"""Letters of breaches as rows: prepared with their numbers sealed, moved to the outbox when a second person lets go.

Rules kept here:
- A number lies sealed under its citizen's key as the outbox has it, apart from the letter, and goes when it is let go.
- What was prepared and let go is added to, never changed; nobody has two letters of one breach.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from broker.adapters.database import Connection
from broker.adapters.outbox_rows import Waiting
from broker.domain.breach_letters import Batch, BreachLetter
from broker.domain.errors import Conflict
from broker.domain.notices import BREACH

_BATCH = """INSERT INTO breaches.batch (id, breach, municipality, nature, advice, by, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_LETTER = "INSERT INTO breaches.letter (id, batch, breach, municipality, citizen) VALUES ($1, $2, $3, $4, $5)"
_NUMBER = "INSERT INTO breaches.waiting_number (letter, municipality, sealed_number) VALUES ($1, $2, $3)"
_BATCHES = """
SELECT b.*, r.at AS released_at, (SELECT count(*) FROM breaches.letter l WHERE l.batch = b.id) AS letters
FROM breaches.batch b LEFT JOIN breaches.release r ON r.batch = b.id WHERE b.breach = $1 ORDER BY b.at, b.id
"""
_RELEASE = "INSERT INTO breaches.release (batch, municipality, by, at) VALUES ($1, $2, $3, $4)"
_GO = """
WITH gone AS (
    DELETE FROM breaches.waiting_number n USING breaches.letter l
    WHERE n.letter = l.id AND l.batch = $1 RETURNING l.id, l.municipality, l.citizen, n.sealed_number)
INSERT INTO notices.waiting (id, municipality, recipient, cause, unit, sealed_number, made_at, next_at)
SELECT id, municipality, citizen, $2, '', sealed_number, $3, $3 FROM gone
"""
_OF_CITIZEN = """
SELECT b.municipality, o.known_at, b.nature, b.advice, r.at FROM breaches.letter l
JOIN breaches.batch b ON b.id = l.batch JOIN breaches.breach o ON o.id = l.breach
JOIN breaches.release r ON r.batch = b.id WHERE l.citizen = $1
"""


async def add_batch(connection: Connection, new: Batch, waiting: Waiting) -> None:
    """Add prepared letters in the caller's own transaction; raise `Conflict` where one of them has one meanwhile."""
    batch, breach = UUID(new.id), UUID(new.breach)
    await connection.execute(
        _BATCH, batch, breach, new.municipality, new.nature, new.advice, new.prepared_by, new.prepared_at
    )
    try:
        await connection.executemany(
            _LETTER, [(id_, batch, breach, home, citizen) for id_, home, citizen, *_ in waiting]
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise Conflict("written_meanwhile") from None
    await connection.executemany(_NUMBER, [(row[0], row[1], row[5]) for row in waiting])


async def batches_of(connection: Connection, breach: str) -> tuple[Batch, ...]:
    """List what was prepared of a breach, the first first."""
    return tuple(_batch(row) for row in await connection.fetch(_BATCHES, UUID(breach)))


async def let_go(connection: Connection, batch: Batch, by: str, at: datetime) -> None:
    """Move letters to the outbox in the caller's own transaction; raise `Conflict` where somebody did."""
    try:
        await connection.execute(_RELEASE, UUID(batch.id), batch.municipality, by, at)
    except asyncpg.UniqueViolationError:
        raise Conflict("already_released") from None
    await connection.execute(_GO, UUID(batch.id), BREACH, at)


async def letters_to(connection: Connection, citizen: str) -> tuple[BreachLetter, ...]:
    """List the letters to a citizen that were let go."""
    rows: Sequence[Any] = await connection.fetch(_OF_CITIZEN, citizen)
    return tuple(BreachLetter(*row.values()) for row in rows)


def _batch(row: Any) -> Batch:
    return Batch(
        id=str(row["id"]),
        breach=str(row["breach"]),
        municipality=row["municipality"],
        nature=row["nature"],
        advice=row["advice"],
        prepared_at=row["at"],
        prepared_by=row["by"],
        letters=row["letters"],
        released_at=row["released_at"],
    )
