"""The door `Deferrals` over PostgreSQL: each change commits with the event that says so, or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Pool, Scope, scoped
from broker.domain.deferral import Deferral
from broker.domain.errors import Conflict, NotFound
from broker.domain.events import DeferralApproved, DeferralAsked, DeferralEnded
from broker.domain.receipts import Receipt

_READ = (
    "SELECT id, tenant, citizen, unit, ground, asked_by, asked_at, until_at, approved_by, from_at, ended_at"
    " FROM log.deferral"
)


class DeferralsSql:
    """Deferrals in the main database, written through its functions alone."""

    def __init__(self, pool: Pool, log: AuditLogPostgres) -> None:
        self._pool = pool
        self._log = log

    async def ask(self, new: Deferral, event: DeferralAsked) -> Receipt:
        """Keep what was asked for; nothing is kept back yet."""
        made = "SELECT log.ask_deferral($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        whose = (UUID(new.id), new.municipality, new.citizen, new.unit, new.ground, secrets.token_bytes(32))
        return await self._changed(event, made, *whose, new.asked_by, _seconds(new.asked_at), _seconds(new.until))

    async def approve(self, asked: Deferral, event: DeferralApproved) -> Receipt:
        """Put it in force. Raises `Conflict` where it was approved before, is late, or another is in force."""
        made = "SELECT log.approve_deferral($1, $2, $3, $4)"
        return await self._changed(event, made, UUID(asked.id), asked.municipality, event.actor, _seconds(event.at))

    async def end(self, kept: Deferral, event: DeferralEnded) -> Receipt:
        """End it before its time. Raises `Conflict` where it is not in force."""
        made = "SELECT log.end_deferral($1, $2, $3, $4)"
        return await self._changed(event, made, UUID(kept.id), kept.municipality, event.actor, _seconds(event.at))

    async def by_id(self, deferral: str, municipalities: Collection[str]) -> Deferral:
        """Read one of these municipalities' deferrals; raise `NotFound`."""
        try:
            wanted = UUID(deferral)
        except ValueError:
            raise NotFound from None
        async with scoped(self._pool, Scope(municipalities=tuple(sorted(municipalities))), snapshot=True) as connection:
            row = await connection.fetchrow(f"{_READ} WHERE id = $1", wanted)
        if row is None:
            raise NotFound
        return _deferral(row)

    async def of(self, municipalities: Collection[str]) -> tuple[Deferral, ...]:
        """List these municipalities' deferrals, the newest first."""
        async with scoped(self._pool, Scope(municipalities=tuple(sorted(municipalities))), snapshot=True) as connection:
            rows = await connection.fetch(f"{_READ} ORDER BY asked_at DESC, id")
        return tuple(_deferral(row) for row in rows)

    async def _changed(
        self, event: DeferralAsked | DeferralApproved | DeferralEnded, statement: str, *values: Any
    ) -> Receipt:
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=event.municipality)) as connection:
            if await connection.fetchval(statement, *values) is False:
                raise Conflict("not_open")
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt


def _deferral(row: Any) -> Deferral:
    ident, tenant, citizen, unit, ground, asked_by, asked_at, until, approved_by, began, ended = row
    times = [None if at is None else datetime.fromtimestamp(at, UTC) for at in (began, ended)]
    asked, last = datetime.fromtimestamp(asked_at, UTC), datetime.fromtimestamp(until, UTC)
    return Deferral(str(ident), tenant, citizen, unit, ground, asked_by, asked, last, approved_by, *times)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
