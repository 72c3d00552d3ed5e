"""Repeated requests: the same key and body lead to the same thing, the same key with another body is refused.

Kept are two HMACs and the id of what came of it; no key, no person and no body. A caller asks first which id its
resource shall have: a repeat is told the first one's, so that a request repeated after a lost answer, or twice at the
same moment, makes one thing.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from broker.adapters.database import Pool, Scope, scoped
from broker.domain.errors import KeyReused


@dataclass(frozen=True, slots=True)
class Claimed:
    """The id this request's resource has, and whether an earlier request with the same key chose it.

    Of a repeat the resource may not be there yet: then it is made now, under this very id.
    """

    resource: str
    repeated: bool


class IdempotencySql:
    """Keys are scoped to municipality, client, person and route; `secret` is 32 bytes of the house's own."""

    def __init__(self, pool: Pool, secret: bytes) -> None:
        self._pool = pool
        self._secret = secret

    async def claim(
        self, municipality: str, client: str, person: str, route: str, key: str, body: bytes, fresh: str
    ) -> Claimed:
        """Claim the id `fresh` for this request's resource, or learn the one that was claimed before.

        `person` is a handle. Raises `KeyReused` when the key came with another body, `StoreUnavailable`.
        """
        scope = self._digest(json.dumps([municipality, client, person, route, key]).encode())
        request = self._digest(b"body:" + body)
        async with scoped(self._pool, Scope(municipality=municipality)) as connection:
            # Inserted first: of two at the same moment the second waits here for the first.
            made = await connection.fetchval(
                "INSERT INTO consents.idempotency (scope, municipality, request, resource) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (scope) DO NOTHING RETURNING resource",
                scope,
                municipality,
                request,
                fresh,
            )
            if made is not None:
                return Claimed(fresh, repeated=False)
            row = await connection.fetchrow(
                "SELECT request, resource FROM consents.idempotency WHERE scope = $1", scope
            )
        if row is None or not hmac.compare_digest(row["request"], request):
            raise KeyReused
        return Claimed(row["resource"], repeated=True)

    async def sweep(self, municipality: str, before: datetime) -> None:
        """Forget a municipality's keys from before a moment."""
        async with scoped(self._pool, Scope(municipality=municipality)) as connection:
            await connection.execute("DELETE FROM consents.idempotency WHERE at < $1", before)

    def _digest(self, value: bytes) -> bytes:
        return hmac.digest(self._secret, value, "sha256")
