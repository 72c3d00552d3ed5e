"""Rows of erasure as values, and what an erasure must look at: the SQL of `erasures_sql.py` and `eraser_sql.py`.

Every function runs in the caller's transaction and sees one municipality's rows alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from broker.adapters.database import Connection
from broker.domain.days import day_of
from broker.domain.erasure import Erasure, Line, Standing
from broker.domain.errors import NotFound

LOCK = 6_210_772

_LINES = """
SELECT h.origin, i.idx, i.kind, log.shown_from(i.citizen, i.unit, i.kind, i.at) AS at, i.fields ->> 'case' AS of_case
FROM log.index i JOIN log.head h ON h.id = i.log_id
WHERE i.citizen = $1 AND i.tenant = $2 ORDER BY h.origin, i.idx
"""
_CONSENTS = """
SELECT count(*) FROM consents.line l JOIN consents.consent c ON c.id = l.consent
WHERE c.municipality = $2 AND $1 IN (c.citizen, l.subject, l.giver) AND l.to_day >= $3
  AND (SELECT s.state FROM consents.line_state s WHERE s.line = l.id ORDER BY s.version DESC LIMIT 1) <> 'withdrawn'
"""
_REQUESTS = """
SELECT count(DISTINCT r.id) FROM consents.request r JOIN consents.request_line l ON l.request = r.id
WHERE r.municipality = $2 AND $1 IN (r.citizen, l.subject, l.giver) AND r.answer_by >= $3
  AND NOT EXISTS (SELECT FROM consents.request_state s WHERE s.request = r.id AND s.giver = l.giver)
"""
_HOLDS = """
SELECT count(*) FROM erasure.hold
WHERE municipality = $2 AND lifted_at IS NULL AND (citizen IS NULL OR citizen = $1)
"""
_CASES = """
SELECT case_handle FROM consents.request WHERE citizen = $1 AND municipality = $2
UNION SELECT case_handle FROM consents.consent WHERE citizen = $1 AND municipality = $2
UNION SELECT case_handle FROM break_glass.request WHERE citizen = $1 AND municipality = $2
"""
_STEPS = """
SELECT i.kind, i.citizen, i.actor, h.origin, i.fields ->> 'deleted' AS deleted
FROM log.index i JOIN log.head h ON h.id = i.log_id
WHERE i.tenant = $1 AND i.at >= $2 AND i.fields ->> 'erasure' = $3"""
_STEPS_ABOUT = _STEPS + " AND i.citizen = $4"
_ONE = "SELECT * FROM erasure.request WHERE id = $1"
_ONE_HELD = _ONE + " FOR UPDATE"
# A case that somebody else's consent or request stands on keeps its name: theirs would stop working without it.
_OWN_CASES = """
SELECT c FROM unnest($1::text[]) AS c WHERE NOT EXISTS (
    SELECT FROM consents.request r WHERE r.case_handle = c AND r.citizen <> $2
    UNION ALL SELECT FROM consents.consent k WHERE k.case_handle = c AND k.citizen <> $2
    UNION ALL SELECT FROM break_glass.request b WHERE b.case_handle = c AND b.citizen <> $2
) ORDER BY c
"""


async def hold_still(connection: Connection, municipality: str) -> None:
    """Let nobody set a hold or delete in this municipality until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", LOCK, municipality)


async def keep_from_erasure(connection: Connection, municipality: str) -> None:
    """Let nobody delete in this municipality until the transaction ends; many may keep it so at once."""
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1, hashtext($2))", LOCK, municipality)


async def standing(connection: Connection, municipality: str, citizen: str, today: int) -> Standing:
    """Read all that bears on erasing a citizen; the same statements whoever it is."""
    whose = (citizen, municipality)
    rows = await connection.fetch(_LINES, *whose)
    cases = {row["case_handle"] for row in await connection.fetch(_CASES, *whose)}
    return Standing(
        lines=tuple(
            Line(row["origin"], row["idx"], row["kind"], datetime.fromtimestamp(row["at"], UTC)) for row in rows
        ),
        consents=await connection.fetchval(_CONSENTS, *whose, today),
        requests=await connection.fetchval(_REQUESTS, *whose, today),
        holds=await connection.fetchval(_HOLDS, *whose),
        cases=frozenset(cases | {row["of_case"] for row in rows if row["of_case"]}),
    )


async def own_cases(connection: Connection, cases: Collection[str], citizen: str) -> list[str]:
    """Name those of a citizen's cases that nobody else's consent or request stands on."""
    return [row["c"] for row in await connection.fetch(_OWN_CASES, sorted(cases), citizen)]


async def archived(connection: Connection, municipality: str) -> date | None:
    """Give the last day that the municipality's archive has confirmed."""
    day = await connection.fetchval("SELECT max(until_day) FROM erasure.archived WHERE municipality = $1", municipality)
    return None if day is None else day_of(day)


async def one(connection: Connection, erasure: str, *, for_update: bool = False) -> Erasure:
    """Read one erasure; raise `NotFound` where it is none of this municipality's."""
    try:
        wanted = UUID(erasure)
    except ValueError:
        raise NotFound from None
    statement = _ONE_HELD if for_update else _ONE
    row = await connection.fetchrow(statement, wanted)
    if row is None:
        raise NotFound
    return read(row)


async def steps(connection: Connection, asked: Erasure) -> list[tuple[str, str, str, str, str | None]]:
    """List what the log says of an erasure: kind, citizen, actor, log and statement."""
    which = (asked.municipality, int(asked.requested_at.timestamp()), asked.id)
    if asked.written:
        return [tuple(row) for row in await connection.fetch(_STEPS, *which)]
    return [tuple(row) for row in await connection.fetch(_STEPS_ABOUT, *which, asked.citizen)]


def read(row: Any) -> Erasure:
    """Read a row of erasure.request."""
    return Erasure(
        id=str(row["id"]),
        municipality=row["municipality"],
        citizen=row["citizen"],
        ground=row["ground"],
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        expires_at=row["expires_at"],
        approved_by=row["approved_by"],
        written=row["written_at"] is not None,
    )


def counted(kinds: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Count kinds, in order of name."""
    told = sorted(kinds)
    return tuple((kind, told.count(kind)) for kind in dict.fromkeys(told))
