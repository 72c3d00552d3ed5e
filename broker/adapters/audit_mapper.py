"""Commit the maps of all logs, one after the other, as the role `borgerbro_checkpointer`."""

from __future__ import annotations

from audit import errors, postgres
from audit.map_committer import EPOCH_SECONDS, MapCommitter
from broker.adapters.database import Pool, reaching_the_store


class LogMapper:
    """The maps of one database's logs. `epoch_seconds` is how soon after the last an epoch may come."""

    def __init__(self, pool: Pool, *, epoch_seconds: float = EPOCH_SECONDS) -> None:
        self._pool = pool
        self._committer = MapCommitter(pool, epoch_seconds=epoch_seconds)

    async def commit_once(self) -> tuple[str, ...]:
        """Commit what is due on every log; give the origins of those whose rows or map were tampered with.

        Raises `StoreUnavailable`.
        """
        refused = []
        async with reaching_the_store():
            async with self._pool.acquire() as connection:
                origins = [head.origin for head in await postgres.heads(connection)]
            for origin in origins:
                try:
                    await self._committer.run_once(origin)
                except errors.TreeMismatch:
                    refused.append(origin)
        return tuple(refused)
