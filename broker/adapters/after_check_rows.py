"""Opening the after-check of three requests of one caseworker, in the transaction of the third."""

from __future__ import annotations

from uuid import UUID, uuid4

from broker.adapters.database import Connection
from broker.domain.after_checks import USES, WITHIN
from broker.domain.break_glass import BreakGlass

# Two requests of one caseworker at once wait for each other: else neither would see three.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(6210781, hashtext($1 || '/' || $2))"
_NOT_YET_COUNTED = """SELECT r.id FROM break_glass.request r WHERE r.municipality = $1 AND r.caseworker = $2
    AND r.requested_at > $3 AND NOT EXISTS (SELECT FROM break_glass.repeated_use u WHERE u.request = r.id)"""
_OPEN = """INSERT INTO break_glass.repeated (id, municipality, unit, caseworker, opened_at)
    VALUES ($1, $2, $3, $4, $5)"""
_USE = "INSERT INTO break_glass.repeated_use (repeated, request, municipality) VALUES ($1, $2, $3)"


async def open_repeated(connection: Connection, new: BreakGlass) -> None:
    """Open one where the request that was just added makes it three in 30 days; each request counts once."""
    await connection.execute(_ONE_AT_A_TIME, new.municipality, new.caseworker)
    rows = await connection.fetch(_NOT_YET_COUNTED, new.municipality, new.caseworker, new.requested_at - WITHIN)
    if len(rows) < USES:
        return
    opened: UUID = uuid4()
    await connection.execute(_OPEN, opened, new.municipality, new.unit, new.caseworker, new.requested_at)
    await connection.executemany(_USE, [(opened, row["id"], new.municipality) for row in rows])
