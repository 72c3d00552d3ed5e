"""Letters of breaches as rows: prepared with their numbers sealed, moved to the outbox when a second person lets go.

Rules kept here:
- What waits lies apart from what was let go: a citizen with their number sealed as the outbox has it. It goes when it
  is let go, taken back, or has waited too long; then the citizen can be named again.
- A batch ends once, let go or taken back, whoever tries both. What was let go is added to, never changed.
- Whom the law keeps their lines back from is left out when letters are prepared, and again when they are let go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from broker.adapters.database import Connection
from broker.adapters.outbox_rows import Waiting
from broker.domain.breach_letters import A_DAY, MOST_A_DAY, Batch, BreachLetter
from broker.domain.breaches import CLOSED, REOPENED, TOUCHED_NOTHING, TOUCHING, Criteria
from broker.domain.errors import Conflict, TooManyAsks
from broker.domain.notices import BREACH

LOCK = 6_210_774
TOUCHED = """
FROM log.index i WHERE i.tenant = $1 AND i.at >= $2 AND i.at < $3 AND i.kind = ANY ($4)
  AND i.citizen <> '' AND i.citizen <> i.fields ->> 'actor'
  AND coalesce(i.fields ->> 'outcome', '') <> ALL ($5) AND i.fields @> $6::jsonb
"""
_TOLD = "AND NOT log.kept_back(i.citizen, i.unit, i.kind, i.at)"
_UNTOLD = (
    f"SELECT DISTINCT i.citizen {TOUCHED} {_TOLD} AND i.citizen = ANY ($7)"  # noqa: S608 - our own words
    " AND NOT EXISTS (SELECT FROM breaches.letter l WHERE l.breach = $8 AND l.citizen = i.citizen)"
)
_KIND = "SELECT kind FROM breaches.note WHERE breach = $1 AND kind = ANY ($2) ORDER BY number DESC LIMIT 1"
_NAMED = "SELECT coalesce(sum(named), 0) FROM breaches.batch WHERE by = $1 AND at > $2"
_BATCH = """INSERT INTO breaches.batch (id, breach, municipality, nature, advice, by, at, count, named)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
# Who waits already in another batch is passed over in silence: an error would tell that the count found them.
_WAIT = """INSERT INTO breaches.waiting (letter, batch, breach, municipality, citizen, sealed_number, ends_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (breach, citizen) DO NOTHING"""
_BATCHES = """
SELECT b.*, r.at AS ended_at, r.withdrawn, (SELECT count(*) FROM breaches.letter l WHERE l.batch = b.id) AS letters
FROM breaches.batch b LEFT JOIN breaches.release r ON r.batch = b.id WHERE b.breach = $1 ORDER BY b.at, b.id
"""
_END = "INSERT INTO breaches.release (batch, municipality, by, at, withdrawn) VALUES ($1, $2, $3, $4, $5)"
_PUT_OFF = f"""
DELETE FROM breaches.waiting w WHERE w.batch = $7 AND NOT EXISTS (
    SELECT {TOUCHED} {_TOLD} AND i.citizen = w.citizen)
"""  # noqa: S608 - our own words
_GO = """
WITH gone AS (
    DELETE FROM breaches.waiting w WHERE w.batch = $1
    RETURNING w.letter, w.batch, w.breach, w.municipality, w.citizen, w.sealed_number),
told AS (
    INSERT INTO breaches.letter (id, batch, breach, municipality, citizen)
    SELECT letter, batch, breach, municipality, citizen FROM gone
    ON CONFLICT (breach, citizen) DO NOTHING RETURNING id)
INSERT INTO notices.waiting (id, municipality, recipient, cause, unit, sealed_number, made_at, next_at)
SELECT letter, municipality, citizen, $2, '', sealed_number, $3, $3 FROM gone JOIN told ON told.id = gone.letter
"""
_FORGET = "DELETE FROM breaches.waiting WHERE municipality = $1 AND ends_at <= $2"
_OF_CITIZEN = """
SELECT b.municipality, o.known_at, b.nature, b.advice, r.at FROM breaches.letter l
JOIN breaches.batch b ON b.id = l.batch JOIN breaches.breach o ON o.id = l.breach
JOIN breaches.release r ON r.batch = b.id WHERE l.citizen = $1
"""


def asked(municipality: str, criteria: Criteria) -> tuple[Any, ...]:
    """Give the values that `TOUCHED` is asked with."""
    fields = orjson.dumps(criteria.fields()).decode()
    return municipality, criteria.since, criteria.until, list(TOUCHING), list(TOUCHED_NOTHING), fields


async def hold_file(connection: Connection, breach: str) -> None:
    """Let nobody else write in a file, or end its letters, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", LOCK, breach)


async def hold_open(connection: Connection, breach: str) -> None:
    """Hold a file; raise `Conflict` where it is closed."""
    await hold_file(connection, breach)
    if await connection.fetchval(_KIND, UUID(breach), [CLOSED, REOPENED]) == CLOSED:
        raise Conflict("closed")


async def add_batch(connection: Connection, new: Batch) -> None:
    """Add a batch without its letters; raise `TooManyAsks` where its officer named too many within a day."""
    # Their own lock, so that many batches at once do not pass the ceiling together.
    await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", LOCK, new.prepared_by)
    named = await connection.fetchval(_NAMED, new.prepared_by, new.prepared_at - A_DAY)
    if named + new.named > MOST_A_DAY:
        raise TooManyAsks(int(A_DAY.total_seconds()))
    await connection.execute(
        _BATCH, UUID(new.id), UUID(new.breach), new.municipality, new.nature, new.advice, new.prepared_by,
        new.prepared_at, new.count, new.named,
    )  # fmt: skip


async def untold(connection: Connection, breach: str, touched: Sequence[Any], named: Sequence[str]) -> frozenset[str]:
    """Tell which of these citizens a count found and may be told now, and have no letter of the breach yet."""
    rows = await connection.fetch(_UNTOLD, *touched, list(named), UUID(breach))
    return frozenset(row["citizen"] for row in rows)


async def add_waiting(connection: Connection, batch: Batch, waiting: Waiting) -> None:
    """Let letters of a batch wait, those alone whose citizens wait in no other of the breach."""
    await forget_waiting(connection, batch.municipality, batch.prepared_at)
    ids = UUID(batch.id), UUID(batch.breach)
    rows = [(letter, *ids, home, citizen, sealed, batch.ends_at) for letter, home, citizen, _, _, sealed, *_ in waiting]
    await connection.executemany(_WAIT, rows)


async def batches_of(connection: Connection, breach: str) -> tuple[Batch, ...]:
    """List what was prepared of a breach, the first first."""
    return tuple(_batch(row) for row in await connection.fetch(_BATCHES, UUID(breach)))


async def let_go(connection: Connection, batch: Batch, touched: Sequence[Any], by: str, at: datetime) -> int:
    """Move letters to the outbox in the caller's own transaction; give how many. Raises as `end` does."""
    await end(connection, batch, by, at, withdrawn=False)
    # The law may keep back now what it did not when they were prepared; they are free to be named later.
    await connection.execute(_PUT_OFF, *touched, UUID(batch.id))
    return int((await connection.execute(_GO, UUID(batch.id), BREACH, at)).rpartition(" ")[2])


async def take_back(connection: Connection, batch: Batch, by: str, at: datetime) -> None:
    """Delete what waits of a batch in the caller's own transaction. Raises as `end` does."""
    await end(connection, batch, by, at, withdrawn=True)
    await connection.execute("DELETE FROM breaches.waiting WHERE batch = $1", UUID(batch.id))


async def end(connection: Connection, batch: Batch, by: str, at: datetime, *, withdrawn: bool) -> None:
    """Keep how a batch ended; raise `Conflict` where it ended before."""
    try:
        await connection.execute(_END, UUID(batch.id), batch.municipality, by, at, withdrawn)
    except asyncpg.UniqueViolationError:
        raise Conflict("ended_before") from None


async def forget_waiting(connection: Connection, municipality: str, at: datetime) -> None:
    """Delete the letters of a municipality, with their numbers, that have waited too long."""
    await connection.execute(_FORGET, municipality, at)


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
        count=row["count"],
        named=row["named"],
        letters=row["letters"],
        released_at=None if row["withdrawn"] else row["ended_at"],
        withdrawn_at=row["ended_at"] if row["withdrawn"] else None,
    )
