"""The door `PublicLog` over the transparency log: its files (C2SP tlog-tiles), made from rows as they are asked for.

Rules kept here:
- Nothing is given that the newest published checkpoint does not cover.
- Strangers ask here without log-in: few of their reads run at once, so that the road keeps its connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from audit import errors, postgres
from audit.tiles import WIDTH, Tile, bundle
from broker.adapters.database import Connection, Pool, Scope, scoped
from broker.domain.errors import NotFound, TooManyAsks

AT_ONCE = 2
MOST_WAITING = 64
COME_BACK_SECONDS = 1


class Turns:
    """Lets strangers read from one database, few at once and a bounded number waiting."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Connection]:
        """Lend a connection that sees what anyone may, at one moment; raise `TooManyAsks`, `StoreUnavailable`."""
        if self._waiting >= MOST_WAITING:
            raise TooManyAsks(COME_BACK_SECONDS)
        self._waiting += 1
        try:
            async with self._turns, scoped(self._pool, Scope(), snapshot=True) as connection:
                yield connection
        finally:
            self._waiting -= 1


class LogTilesPostgres:
    """The public files of every log in one database, as the broker's own role reads them."""

    def __init__(self, pool: Pool) -> None:
        self._turns = Turns(pool)
        # What a log is known to have published: it never becomes less, so a tile below it needs no look.
        self._published: dict[str, tuple[int, int]] = {}

    async def checkpoint(self, origin: str) -> str:
        """Give a log's newest published checkpoint, a signed note; raise `NotFound` where there is none yet."""
        async with self._turns.take() as connection:
            kept = await self._kept(connection, origin)
        return kept.note

    async def tile(self, origin: str, path: str) -> bytes:
        """Give a tile or an entry bundle by its path, such as `tile/0/x001/234.p/7`.

        Raises `NotFound` for what is no such path, or lies beyond the newest checkpoint; `TooManyAsks`.
        """
        try:
            tile = Tile.from_path(path)
        except errors.Malformed:
            raise NotFound from None
        async with self._turns.take() as connection:
            log_id, size = self._published.get(origin, (0, 0))
            if not tile.covered_by(size):
                await self._kept(connection, origin)
                log_id, size = self._published[origin]
            if not tile.covered_by(size):
                raise NotFound
            return await _packed(connection, log_id, tile)

    async def _kept(self, connection: Connection, origin: str) -> postgres.KeptCheckpoint:
        try:
            log_id = (await postgres.head(connection, origin)).log_id
        except errors.UnknownLog:
            raise NotFound from None
        kept = await postgres.published_checkpoint(connection, log_id)
        if kept is None:
            raise NotFound
        self._published[origin] = (log_id, kept.size)
        return kept


async def _packed(connection: Connection, log_id: int, tile: Tile) -> bytes:
    """Write a tile from its rows; raise `NotFound` where they are not all there (nodes follow a moment later)."""
    start = tile.number * WIDTH
    stop = start + tile.width
    if tile.level is None:
        values = await postgres.leaves(connection, log_id, start, stop)
    else:
        values = await postgres.nodes(connection, log_id, tile.level, start, stop)
    if len(values) != tile.width:
        raise NotFound
    return bundle(values) if tile.level is None else b"".join(values)
