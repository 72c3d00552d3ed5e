"""Sign the heads of all logs, one after the other: the checkpointer of a house that has none of its own yet.

It reads and keeps as the role `borgerbro_checkpointer`, which writes no entry. Each log is hashed again from its rows
before its head is signed; one that does not extend what was signed before stays unsigned, and the others go on.
"""

from __future__ import annotations

from audit import errors, postgres
from audit.checkpointer import Checkpointer
from audit.note import SigningKey
from broker.adapters.database import Pool, reaching_the_store


class LogSigner:
    """All logs of one database, signed with one key (C2SP signed-note private key text)."""

    def __init__(self, pool: Pool, key: str) -> None:
        self._pool = pool
        self._checkpointer = Checkpointer(pool, SigningKey.from_text(key))

    async def checkpoint_once(self) -> tuple[str, ...]:
        """Sign what is new on every log; give the origins of those that could not be: they have been tampered with.

        Raises `StoreUnavailable`.
        """
        refused = []
        async with reaching_the_store():
            async with self._pool.acquire() as connection:
                origins = [head.origin for head in await postgres.heads(connection)]
            for origin in origins:
                try:
                    await self._checkpointer.run_once(origin)
                except errors.TreeMismatch:
                    refused.append(origin)
        return tuple(refused)
