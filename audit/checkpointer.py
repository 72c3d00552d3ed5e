"""Sign the head of a log, after hashing again all that came since the last signature.

Rules kept here:
- The new rows are hashed by the Python tree, not by the database that wrote them; the frontier goes on from the last
  signed checkpoint, so that what is signed is an extension of it by construction.
- The last checkpoint is believed for our own signature, and for this process's memory where it has one.
- Whatever does not fit: nothing is signed, TreeMismatch is raised, and it stays so until someone has looked.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from audit import postgres
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.errors import Malformed, NotVerified, TreeMismatch
from audit.merkle import Frontier, leaf_hash
from audit.node_keeper import keep_nodes
from audit.note import SigningKey, VerifyKey
from audit.postgres import Connection, Head, KeptCheckpoint, Pool
from audit.subtrees import BITS

Prepare: TypeAlias = Callable[[Connection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A checkpoint and the signed note that carries it."""

    checkpoint: Checkpoint
    note: str


class Checkpointer:
    """Signs logs with one key; `prepare` runs first in each transaction (tenant settings).

    `former_keys` are keys that signed earlier checkpoints of the same logs.
    """

    def __init__(
        self,
        pool: Pool,
        key: SigningKey,
        *,
        former_keys: Sequence[VerifyKey] = (),
        prepare: Prepare | None = None,
    ) -> None:
        self._pool = pool
        self._key = key
        self._known = (key.verify_key, *former_keys)
        self._prepare = prepare
        self._signed: dict[str, Frontier] = {}
        self._noded: dict[str, int] = {}

    async def run_once(self, origin: str) -> SignedHead:
        """Sign the log's present head and put it on record; give the one on record where nothing is new.

        Raises TreeMismatch where the log does not extend what was signed before, UnknownLog where there is none.
        """
        async with self._pool.acquire() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                if self._prepare:
                    await self._prepare(connection)
                head = await postgres.head(connection, origin)
                kept = await postgres.last_checkpoint(connection, head.log_id)
                frontier = await self._extended(connection, head, kept)
            # Entries may be seen before they are durable; what is signed must not be lost with the next crash.
            await postgres.flush(connection)
            await self._keep_nodes(connection, head, frontier.size)
            checkpoint = Checkpoint(origin, frontier.size, frontier.root())
            if kept is None or kept.size < checkpoint.size:
                note = checkpoint.signed_by(self._key)
                await self._keep(connection, checkpoint, frontier, note)
            else:
                note = kept.note
        self._signed[origin] = frontier
        return SignedHead(checkpoint, note)

    async def _keep_nodes(self, connection: Connection, head: Head, size: int) -> None:
        """See to it that whatever is signed can be proved and served in tiles at once."""
        whole = self._noded.get(head.origin, 0) == size >> BITS
        while not whole:
            async with connection.transaction():
                if self._prepare:
                    await self._prepare(connection)
                whole = await keep_nodes(connection, head.origin, head.log_id, size)
        self._noded[head.origin] = size >> BITS

    async def _extended(self, connection: Connection, head: Head, kept: KeptCheckpoint | None) -> Frontier:
        """Hash the rows since the last signature and compare all that is known of the log on the way."""
        recorded = self._believed(head.origin, kept)
        frontier = self._signed.get(head.origin, recorded)
        if recorded.size < frontier.size:
            raise TreeMismatch("the checkpoint that was signed last is no longer on record")
        if head.size < recorded.size:
            raise TreeMismatch("the log is shorter than what was signed")
        frontier = await _grown(connection, head, frontier, recorded.size)
        if frontier != recorded:
            raise TreeMismatch("the checkpoint on record does not extend what was signed")
        frontier = await _grown(connection, head, frontier, head.size)
        if (frontier.root(), frontier.to_bytes()) != (head.root, head.frontier):
            raise TreeMismatch("the head is not the head of the log's entries")
        return frontier

    def _believed(self, origin: str, kept: KeptCheckpoint | None) -> Frontier:
        """Read the frontier of the checkpoint on record, held against the signature."""
        if kept is None:
            return Frontier()
        try:
            signed = open_checkpoint(kept.note, origin, self._known)
            frontier = Frontier.from_bytes(kept.size, kept.frontier)
        except (Malformed, NotVerified, ValueError) as error:
            raise TreeMismatch("the checkpoint on record is not one that was signed") from error
        if (signed.size, signed.root) != (frontier.size, frontier.root()) or kept.root != signed.root:
            raise TreeMismatch("the checkpoint on record is not the one that was signed")
        return frontier

    async def _keep(self, connection: Connection, checkpoint: Checkpoint, frontier: Frontier, note: str) -> None:
        try:
            async with connection.transaction():
                if self._prepare:
                    await self._prepare(connection)
                await postgres.keep_checkpoint(connection, checkpoint.origin, frontier, note)
        except asyncpg.PostgresError as error:
            # LG004: another process has put a larger checkpoint on record in the meantime. The next run checks it.
            if error.sqlstate != "LG004":
                raise


async def _grown(connection: Connection, head: Head, frontier: Frontier, size: int) -> Frontier:
    """Extend a frontier over the log's rows up to a size; raise TreeMismatch where one is missing."""
    for low in range(frontier.size, size, postgres.PAGE):
        stop = min(low + postgres.PAGE, size)
        leaves = await postgres.leaves(connection, head.log_id, low, stop)
        if len(leaves) != stop - low:
            raise TreeMismatch("the log has lost entries")
        frontier = frontier.extend(leaf_hash(leaf) for leaf in leaves)
    return frontier
