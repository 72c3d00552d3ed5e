"""The door `SavedSearches` over PostgreSQL: names and criteria lie sealed under their officer's key."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import orjson

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.errors import Conflict, NotFound
from broker.domain.oversight_events import SearchRemoved, SearchSaved
from broker.domain.personal import Personal
from broker.oversight.saved import Saved

_OF = "SELECT * FROM searches.saved WHERE officer = $1 AND municipality = ANY ($2) ORDER BY at, id"
# Two at once would both count before either is there.
_ALONE = "SELECT pg_advisory_xact_lock(6210781, hashtext($1 || $2))"
_COUNT = "SELECT count(*) FROM searches.saved WHERE officer = $1 AND municipality = $2"
_ADD = "INSERT INTO searches.saved (id, municipality, officer, at, sealed) VALUES ($1, $2, $3, $4, $5)"
_TAKE = "DELETE FROM searches.saved WHERE id = $1 AND officer = $2 RETURNING true"


class SavedSearchesSql:
    """Kept searches in the main database."""

    def __init__(self, pool: Pool, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._pool = pool
        self._log = log
        self._vault = vault

    async def of(self, officer: str, municipalities: Collection[str]) -> tuple[Saved, ...]:
        """List an officer's own in these municipalities, the oldest first; what does not open is left out."""
        mine = sorted(municipalities)
        async with scoped(self._pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
            rows = await connection.fetch(_OF, officer, mine)
        keys = await self._vault.held_keys({(officer, row["municipality"]) for row in rows})
        found = [_opened(row, keys.get((officer, row["municipality"]))) for row in rows]
        return tuple(one for one in found if one is not None)

    async def save(self, one: Saved, most: int, event: SearchSaved) -> None:
        """Keep one; raise `Conflict` where so many are kept already."""
        pair = (event.actor, one.municipality)
        content = orjson.dumps({"name": one.name.disclose(), "criteria": dict(one.criteria)})
        sealed = seal(_key((await self._vault.keys([pair]))[pair]), content, one.id)
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=one.municipality)) as connection:
            await connection.execute(_ALONE, *pair)
            if await connection.fetchval(_COUNT, *pair) >= most:
                raise Conflict("too_many_kept")
            await connection.execute(_ADD, UUID(one.id), one.municipality, event.actor, one.at, sealed)
            await self._log.append_within(connection, [event], keys)

    async def remove(self, one: Saved, event: SearchRemoved) -> None:
        """Take the actor's own one away; raise `NotFound` where it is gone."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=one.municipality)) as connection:
            if not await connection.fetchval(_TAKE, UUID(one.id), event.actor):
                raise NotFound
            await self._log.append_within(connection, [event], keys)


def _key(officers: bytes) -> bytes:
    return derive(officers, "kept search")


def _opened(row: Any, key: bytes | None) -> Saved | None:
    if key is None:
        return None
    try:
        held = orjson.loads(unseal(_key(key), row["sealed"], str(row["id"])))
    except DoesNotOpen:
        return None
    return Saved(str(row["id"]), row["municipality"], Personal(held["name"]), held["criteria"], row["at"])
