"""Sign the head of a log, after hashing again all that came since the last signature.

Rules kept here:
- The new rows are hashed by the Python tree, not by the database that wrote them; the frontier goes on from the last
  signed head, so that what is signed is an extension of it by construction.
- The last head is remembered twice: in a file of this process's own, and on record in the database, under our own
  signature. A database that was put back is refused by the file, a file that was put back by the database; both put
  back together are refused by the witnesses.
- What is signed is on the disk first: the rows (and on the replica, where one is waited for), then the file.
- Whatever does not fit: nothing is signed, TreeMismatch is raised, and it stays so until someone has looked.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from audit import postgres
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.errors import Malformed, NotVerified, TreeMismatch
from audit.heads_file import HeadsFile, KeptHead
from audit.merkle import Frontier, leaf_hash
from audit.node_keeper import keep_nodes
from audit.note import Signer, VerifyKey
from audit.postgres import Connection, Head, KeptCheckpoint, Pool
from audit.subtrees import BITS

Prepare: TypeAlias = Callable[[Connection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A checkpoint and the signed note that carries it, of the log with this id."""

    log_id: int
    checkpoint: Checkpoint
    note: str


class Checkpointer:
    """Signs logs with one key, or with several side by side; `prepare` runs first in each transaction.

    `former_keys` are keys that signed earlier checkpoints of the same logs. With `take_over` a log whose checkpoints
    this `heads` file has never heard of is hashed again from its first entry, held against its record, and signed from
    then on; without it such a log is refused.
    """

    def __init__(
        self,
        pool: Pool,
        keys: Sequence[Signer],
        heads: HeadsFile,
        *,
        former_keys: Sequence[VerifyKey] = (),
        take_over: bool = False,
        prepare: Prepare | None = None,
    ) -> None:
        self._pool = pool
        self._keys = tuple(keys)
        self._known = (*(key.verify_key for key in keys), *former_keys)
        self._heads = heads
        self._take_over = take_over
        self._prepare = prepare
        self._on_record: dict[str, int] = {}
        self._noded: dict[str, int] = {}

    async def run_once(self, origin: str) -> SignedHead:
        """Sign the log's present head and put it on record; give the one on record where nothing is new.

        Raises TreeMismatch where the log does not extend what was signed before, UnknownLog where there is none, and
        StateRefused or OSError where the file of heads fails: then nothing was signed.
        """
        mine = self._heads.heads().get(origin)
        async with self._pool.acquire() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                if self._prepare:
                    await self._prepare(connection)
                head = await postgres.head(connection, origin)
                kept = await postgres.last_checkpoint(connection, head.log_id)
                frontier = await self._extended(connection, head, kept, mine)
            await self._keep_nodes(connection, head, frontier.size)
            checkpoint = Checkpoint(origin, frontier.size, frontier.root())
            note = kept.note if kept is not None and kept.size == checkpoint.size else None
            if note is None or mine is None:
                # A node may have let go of the log before its entries were on the disk; what was read must be, now.
                await postgres.flush(connection)
                self._heads.keep(origin, KeptHead(checkpoint.size, checkpoint.root, frontier.to_bytes()))
            if note is None:
                note = self.signed(checkpoint)
                await self._keep(connection, checkpoint, frontier, note)
            self._on_record[origin] = checkpoint.size
        return SignedHead(head.log_id, checkpoint, note)

    async def _keep_nodes(self, connection: Connection, head: Head, size: int) -> None:
        """See to it that whatever is signed can be proved and served in tiles at once."""
        whole = self._noded.get(head.origin, 0) == size >> BITS
        while not whole:
            async with connection.transaction():
                if self._prepare:
                    await self._prepare(connection)
                whole = await keep_nodes(connection, head.origin, head.log_id, size)
        self._noded[head.origin] = size >> BITS

    def signed(self, checkpoint: Checkpoint) -> str:
        """Write a checkpoint with the signatures of all keys; raise SignerUnavailable where one cannot sign."""
        return checkpoint.signed_by(*self._keys)

    async def _extended(
        self, connection: Connection, head: Head, kept: KeptCheckpoint | None, mine: KeptHead | None
    ) -> Frontier:
        """Hash the rows since the last signature and compare all that is known of the log on the way."""
        recorded = self._believed(head.origin, kept)
        if recorded.size < self._on_record.get(head.origin, 0):
            raise TreeMismatch("the checkpoint that was signed last is no longer on record")
        if mine is None and kept is not None and not self._take_over:
            raise TreeMismatch("the log was signed before, and the state file has not heard of it")
        remembered = recorded if mine is None else _remembered(mine, recorded)
        if head.size < remembered.size:
            raise TreeMismatch("the log is shorter than what was signed")
        # A record that lags behind what is remembered: this process ended between the two, or the database was put
        # back. Then the rows tell; for a log that is taken over they are hashed from the first.
        start = Frontier() if mine is None else recorded
        frontier = await _grown(connection, head, start, remembered.size)
        if frontier != remembered:
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
        async with connection.transaction():
            if self._prepare:
                await self._prepare(connection)
            try:
                await postgres.keep_checkpoint(connection, checkpoint.origin, frontier, note)
            except asyncpg.PostgresError as error:
                if error.sqlstate != "LG004":
                    raise
                raise TreeMismatch("the record went on without this process: two sign, or one was put back") from None


def _remembered(mine: KeptHead, recorded: Frontier) -> Frontier:
    """Give the frontier that the file remembers; raise TreeMismatch where the record knows of more."""
    if recorded.size > mine.size:
        raise TreeMismatch("more was signed than the state file has heard of: it was put back, or two sign")
    try:
        frontier = Frontier.from_bytes(mine.size, mine.frontier)
    except ValueError:
        raise TreeMismatch("the state file's frontier does not fit its size") from None
    if frontier.root() != mine.root:
        raise TreeMismatch("the state file's frontier does not fit its root")
    return frontier


async def _grown(connection: Connection, head: Head, frontier: Frontier, size: int) -> Frontier:
    """Extend a frontier over the log's rows up to a size; raise TreeMismatch where one is missing."""
    for low in range(frontier.size, size, postgres.PAGE):
        stop = min(low + postgres.PAGE, size)
        leaves = await postgres.leaves(connection, head.log_id, low, stop)
        if len(leaves) != stop - low:
            raise TreeMismatch("the log has lost entries")
        frontier = frontier.extend(leaf_hash(leaf) for leaf in leaves)
    return frontier
