"""The door `Accesses` over the log's index rows and heads; no body is opened."""

from __future__ import annotations

from typing import Any

import orjson

from audit import errors
from audit.checkpoint import open_checkpoint
from audit.note import VerifyKey
from broker.adapters.database import Pool, Scope, scoped
from broker.domain.accesses import Access, access_of
from broker.domain.draw import Head
from broker.domain.events import OutcomeReached
from broker.domain.receipts import Receipt

PAGE = 5000
_BETWEEN = """
SELECT i.at, i.log_id, i.idx, i.index_bytes, h.origin FROM log.index i JOIN log.head h ON h.id = i.log_id
WHERE i.tenant = $1 AND i.kind = $2 AND i.at >= $3 AND i.at < $4 AND (i.at, i.log_id, i.idx) > ($5, $6, $7)
ORDER BY i.at, i.log_id, i.idx LIMIT $8
"""
_PLACES = """
SELECT coalesce(i.unit, '') AS unit, i.idx FROM log.index i
WHERE i.tenant = $1 AND i.kind = $2 AND i.at >= $3 AND i.at < $4
    AND i.log_id = (SELECT id FROM log.head WHERE origin = $5)
"""
_HEADS = """
SELECT c.note FROM log.checkpoint c JOIN log.head h ON h.id = c.log_id WHERE h.origin = $1 AND c.size > $2
ORDER BY c.size LIMIT $3
"""
# A year has more heads than anybody should read at once, and the first that covers a place is wanted.
MOST_HEADS = 20


class AccessesSql:
    """The accesses as the broker's own role sees them. `keys` are those that heads are signed with."""

    def __init__(self, pool: Pool, keys: tuple[str, ...]) -> None:
        self._pool = pool
        self._keys = tuple(VerifyKey.from_text(key) for key in keys)

    async def between(self, municipality: str, since: int, until: int) -> tuple[Access, ...]:
        """List the accesses of some seconds, `until` not in it, in the order of their times."""
        found: list[Access] = []
        place: tuple[int, int, int] = (since, -1, -1)
        async with scoped(self._pool, Scope(municipalities=(municipality,)), snapshot=True) as connection:
            while True:
                rows = await connection.fetch(_BETWEEN, municipality, OutcomeReached.name, since, until, *place, PAGE)
                found += [_access(row) for row in rows]
                if len(rows) < PAGE:
                    return tuple(found)
                place = (rows[-1]["at"], rows[-1]["log_id"], rows[-1]["idx"])

    async def draw_from(self, municipality: str, log: str, since: int, until: int) -> tuple[tuple[str, int], ...]:
        """List (unit, entry) of the accesses of some seconds on one log."""
        async with scoped(self._pool, Scope(municipalities=(municipality,)), snapshot=True) as connection:
            rows = await connection.fetch(_PLACES, municipality, OutcomeReached.name, since, until, log)
        return tuple((row["unit"], row["idx"]) for row in rows)

    async def heads(self, log: str, beyond: int) -> tuple[Head, ...]:
        """List the first heads on record that cover more than so many entries and that the log's own key has signed."""
        async with scoped(self._pool, Scope(), snapshot=True) as connection:
            rows = await connection.fetch(_HEADS, log, beyond, MOST_HEADS)
        heads = (self._head(row["note"], log) for row in rows)
        return tuple(head for head in heads if head is not None)

    def _head(self, note: str, log: str) -> Head | None:
        try:
            checkpoint = open_checkpoint(note, log, self._keys)
        except errors.LogError:
            return None
        return Head(checkpoint.size, checkpoint.root)


def _access(row: Any) -> Access:
    return access_of(Receipt(row["origin"], row["idx"]), orjson.loads(row["index_bytes"]))
