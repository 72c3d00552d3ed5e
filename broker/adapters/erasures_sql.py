"""The door `Erasures` over PostgreSQL: who asked for an erasure, who approved it, and what holds deletion up.

Each change commits with the event that says so, or not at all. The broker's own role is used: it cannot delete.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

import asyncpg

from broker.adapters import erasure_rows as rows
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Pool, Scope, scoped
from broker.domain.erasure import Erasure, Standing
from broker.domain.errors import Conflict, NotFound
from broker.domain.events import ArchiveReceived, ErasureApproved, ErasureRequested, HoldChanged
from broker.domain.receipts import Receipt

_ASK = """INSERT INTO erasure.request (id, municipality, citizen, ground, requested_by, requested_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_SET = """INSERT INTO erasure.hold (id, municipality, citizen, ground, set_by, set_at)
    VALUES ($1, $2, $3, $4, $5, $6)"""
_LIFT = """UPDATE erasure.hold SET lifted_by = $2, lifted_at = $3 WHERE id = $1 AND lifted_at IS NULL
    RETURNING citizen, ground"""


class ErasuresSql:
    """Erasures, holds and archives' receipts in the main database."""

    def __init__(self, pool: Pool, log: AuditLogPostgres) -> None:
        self._pool = pool
        self._log = log

    async def standing(self, municipality: str, citizen: str, today: int) -> tuple[Standing, date | None]:
        """Read, in one snapshot, what bears on erasing a citizen, and the last day the archive has confirmed."""
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            found = await rows.standing(connection, municipality, citizen, today)
            return found, await rows.archived(connection, municipality)

    async def request(self, new: Erasure, event: ErasureRequested) -> Receipt:
        """Keep what was asked for."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=new.municipality)) as connection:
            asked = (new.citizen, new.ground, new.requested_by, new.requested_at, new.expires_at)
            await connection.execute(_ASK, UUID(new.id), new.municipality, *asked)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def approve(self, erasure: str, citizen: str, event: ErasureApproved) -> Receipt:
        """Keep the second person's yes, `event.actor`'s. Raises `NotFound` where it is about somebody else."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=event.municipality)) as connection:
            asked = await rows.one(connection, erasure, for_update=True)
            if asked.citizen != citizen:
                raise NotFound
            asked.refuse_approval(event.actor, event.at)
            await connection.execute(
                "UPDATE erasure.request SET approved_by = $2, approved_at = $3 WHERE id = $1",
                UUID(erasure),
                event.actor,
                event.at,
            )
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def by_id(self, erasure: str, municipality: str) -> Erasure:
        """Read one erasure; raise `NotFound`."""
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            return await rows.one(connection, erasure)

    async def waiting(self, municipalities: Collection[str]) -> tuple[Erasure, ...]:
        """List the erasures of these municipalities that are not done, the oldest first."""
        found: list[Erasure] = []
        for municipality in sorted(municipalities):
            async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
                asked = await connection.fetch("SELECT * FROM erasure.request ORDER BY requested_at, id")
            found += [rows.read(row) for row in asked]
        return tuple(found)

    async def set_hold(self, citizen: str | None, event: HoldChanged) -> Receipt:
        """Hold deletion up, of one citizen or of everybody in the municipality; it holds from this commit on."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=event.municipality)) as connection:
            await rows.hold_still(connection, event.municipality)
            held = (event.municipality, citizen, event.ground, event.actor, event.at)
            await connection.execute(_SET, UUID(event.hold), *held)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def held(self, hold: str, municipality: str) -> tuple[str | None, str]:
        """Give whom a hold in force is about (None: everybody) and its matter; raise `NotFound`."""
        try:
            wanted = UUID(hold)
        except ValueError:
            raise NotFound from None
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            row = await connection.fetchrow(
                "SELECT citizen, ground FROM erasure.hold WHERE id = $1 AND lifted_at IS NULL", wanted
            )
        if row is None:
            raise NotFound
        return row["citizen"], row["ground"]

    async def lift_hold(self, event: HoldChanged) -> Receipt:
        """Let deletion go on; raise `NotFound` where the hold is not in force."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=event.municipality)) as connection:
            if await connection.fetchrow(_LIFT, UUID(event.hold), event.actor, event.at) is None:
                raise NotFound
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def record_archived(self, event: ArchiveReceived) -> Receipt:
        """Keep an archive's receipt; raise `Conflict` where that day has one."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=event.municipality)) as connection:
            try:
                await connection.execute(
                    "INSERT INTO erasure.archived VALUES ($1, $2, $3, $4, $5)",
                    event.municipality,
                    event.until_day,
                    event.receipt,
                    event.actor,
                    event.at,
                )
            except asyncpg.UniqueViolationError:
                raise Conflict("already_recorded") from None
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt
