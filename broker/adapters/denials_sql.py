"""Denials counted from the log's index rows: no body is opened. The requester's own log alone holds reasons."""

from __future__ import annotations

from collections.abc import Collection

from broker.adapters.database import Pool, Scope, scoped
from broker.domain.events import OutcomeReached
from broker.oversight.denials import Denied

# An ask about a parent and a child has an outcome each; it is one ask.
_DENIED = """
SELECT i.tenant, to_char(to_timestamp(i.at) AT TIME ZONE 'Europe/Copenhagen', 'YYYY-MM') AS month, r.reason,
    count(DISTINCT i.ask)
FROM log.index i, jsonb_array_elements_text(i.fields -> 'reasons') AS r (reason)
WHERE i.kind = $2 AND i.tenant = ANY ($1)
GROUP BY 1, 2, 3
"""
_OF_ALL = "SELECT DISTINCT tenant FROM log.head"


async def count_denials(pool: Pool, municipalities: Collection[str] = ()) -> list[Denied]:
    """Count the asks that each reason held something back from; of all municipalities, or these.

    Raises `StoreUnavailable`.
    """
    async with scoped(pool, Scope(), snapshot=True) as connection:
        mine = sorted(municipalities) or [row["tenant"] for row in await connection.fetch(_OF_ALL)]
    async with scoped(pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
        rows = await connection.fetch(_DENIED, mine, OutcomeReached.name)
    return [Denied(*row.values()) for row in rows]
