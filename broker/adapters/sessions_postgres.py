"""Sessions in PostgreSQL: sealed bytes under the hash of an id; the database can neither read nor use one."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar

from broker.adapters.database import Pool, reaching_the_store

T = TypeVar("T")

_OPEN = "INSERT INTO web.session (key, sealed, owner, idle_at, ends_at) VALUES ($1, $2, $3, $4, $5)"
_USE = """
UPDATE web.session SET idle_at = least($3, ends_at) WHERE key = $1 AND idle_at > $2 AND ends_at > $2 RETURNING sealed
"""
_LOOK = "SELECT sealed, idle_at FROM web.session WHERE key = $1 AND idle_at > $2 AND ends_at > $2"
_TAKE = "DELETE FROM web.session WHERE key = $1 RETURNING CASE WHEN idle_at > $2 AND ends_at > $2 THEN sealed END"
_CLOSE = "DELETE FROM web.session WHERE key = $1"
_CLOSE_ALL = "WITH gone AS (DELETE FROM web.session WHERE owner = $1 RETURNING 1) SELECT count(*) FROM gone"
_FORGET = "DELETE FROM web.session WHERE idle_at < $1 OR ends_at < $1"
FORGET_EVERY_SECONDS = 60.0


class PostgresSessions:
    """The sessions over a pool of `database.open_pool`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._forget_at = 0.0

    async def open(self, key: bytes, sealed: bytes, owner: bytes, *, idle_at: datetime, ends_at: datetime) -> None:
        """Keep a new session. Raises `StoreUnavailable`."""
        await _answered(self._pool.execute(_OPEN, key, sealed, owner, idle_at, ends_at))

    async def use(self, key: bytes, *, now: datetime, idle_at: datetime) -> bytes | None:
        """Give a live session's content and put off its idle end, or None. Raises `StoreUnavailable`."""
        await self._forget(now)
        return await _answered(self._pool.fetchval(_USE, key, now, idle_at))

    async def look(self, key: bytes, *, now: datetime) -> tuple[bytes, datetime] | None:
        """Give a live session's content and its idle end, or None. Raises `StoreUnavailable`."""
        rows = await _answered(self._pool.fetch(_LOOK, key, now))
        return (rows[0]["sealed"], rows[0]["idle_at"]) if rows else None

    async def take(self, key: bytes, *, now: datetime) -> bytes | None:
        """Give a live session's content once and for all, or None. Raises `StoreUnavailable`."""
        return await _answered(self._pool.fetchval(_TAKE, key, now))

    async def close(self, key: bytes) -> None:
        """End a session. Raises `StoreUnavailable`."""
        await _answered(self._pool.execute(_CLOSE, key))

    async def close_all(self, owner: bytes) -> int:
        """End every session of a person and say how many there were. Raises `StoreUnavailable`."""
        return int(await _answered(self._pool.fetchval(_CLOSE_ALL, owner)))

    async def _forget(self, now: datetime) -> None:
        """Delete what has ended, now and then, so that a CPR number stays no longer than its session."""
        if (tick := time.monotonic()) >= self._forget_at:
            self._forget_at = tick + FORGET_EVERY_SECONDS
            await _answered(self._pool.execute(_FORGET, now))


async def _answered(statement: Awaitable[T]) -> T:
    async with reaching_the_store():
        return await statement
