"""Replay memory in PostgreSQL, shared by all nodes.

The table is UNLOGGED: fast, and empty after a crash or on a new primary. A second unlogged table with one row says
since when the memory is whole. A crash empties both; whoever then finds no row writes one with the present moment, and
what was issued before that moment is refused (`design.md` 6b l).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broker.adapters.database import Pool
from broker.adapters.grouped import Grouped

_REMEMBER = """
WITH fresh AS (
  INSERT INTO web.replay (key, keep_until) SELECT * FROM unnest($1::bytea[], $2::timestamptz[])
  ON CONFLICT DO NOTHING RETURNING key
)
SELECT (SELECT since FROM web.replay_since) AS since, array(SELECT key FROM fresh) AS fresh
"""
# A proof may be dated a few seconds ahead: one used just before the crash may bear a time just after it.
_BEGIN = """
INSERT INTO web.replay_since (one, since) VALUES (true, clock_timestamp() + interval '10 seconds')
ON CONFLICT DO NOTHING
"""
_FORGET = "DELETE FROM web.replay WHERE keep_until < clock_timestamp()"
FORGET_EVERY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Use:
    key: bytes
    issued_at: datetime
    keep_until: datetime


class PostgresReplay:
    """The replay memory over a pool of `database.open_pool`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._grouped: Grouped[_Use, bool] = Grouped(self._remember)
        self._forget_at = 0.0

    async def first_use(self, key: bytes, *, issued_at: datetime, keep_until: datetime) -> bool:
        """Remember a key and say whether this is surely its first use. Raises `StoreUnavailable`."""
        return await self._grouped.ask(_Use(key, issued_at, keep_until))

    async def _remember(self, uses: Sequence[_Use]) -> list[bool]:
        # One order on every node, so that two groups with the same keys cannot wait for one another.
        in_order = sorted({use.key: use for use in reversed(uses)}.values(), key=lambda use: use.key)
        keys, ends = [use.key for use in in_order], [use.keep_until for use in in_order]
        async with self._pool.acquire() as connection:
            (row,) = await connection.fetch(_REMEMBER, keys, ends)
            if row["since"] is None:
                await connection.execute(_BEGIN)
                return [False] * len(uses)
            if (now := time.monotonic()) >= self._forget_at:
                self._forget_at = now + FORGET_EVERY_SECONDS
                await connection.execute(_FORGET)
        fresh = set(row["fresh"])
        answers = []
        for use in uses:
            answers.append(use.key in fresh and use.issued_at >= row["since"])
            fresh.discard(use.key)
        return answers
