"""The log in PostgreSQL: append within a caller's transaction, and read.

Rules kept here:
- Appending goes through `log.append` alone; this module holds no INSERT, UPDATE or DELETE.
- Nothing here begins or ends a transaction or sets a tenant: row-level security and durability are the caller's,
  so that a change and its entry are one transaction.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Protocol, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from audit.commitment import SealedEntry
from audit.errors import UnknownLog
from audit.merkle import Frontier, consistency_ranges, inclusion_ranges
from audit.subtrees import roots, widths
from audit.tiles import WIDTH

Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"

OWNER_ROLE = "borgerbro_log_owner"
APPLICATION_ROLE = "borgerbro_app"
CHECKPOINTER_ROLE = "borgerbro_checkpointer"
ERASER_ROLE = "borgerbro_eraser"
PAGE = 1000


class Pool(Protocol):
    """Where connections come from: asyncpg's own pool, or anything that lends them as it does."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection for the length of a block."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A sealed entry and the log it belongs to."""

    origin: str
    sealed: SealedEntry


@dataclass(frozen=True, slots=True)
class Position:
    """Where an entry stands, and the head of its log once its batch was in."""

    eid: bytes
    log_id: int
    index: int
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A log as its head row has it."""

    log_id: int
    origin: str
    tenant: str
    year: int
    size: int
    root: bytes
    frontier: bytes


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as stored; a part that is not there is None."""

    index: int
    eid: bytes
    leaf: bytes
    leaf_hash: bytes
    ciphertext: bytes | None
    body_salt: bytes | None
    index_bytes: bytes | None

    def sealed(self) -> SealedEntry | None:
        """Give the whole entry, or None where its body or index row is gone."""
        if self.ciphertext is None or self.body_salt is None or self.index_bytes is None:
            return None
        return SealedEntry(self.leaf, self.ciphertext, self.body_salt, self.index_bytes)


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A checkpoint on record: the whole signed note, and the frontier to go on from.

    `published_at` is when a quorum of witnesses last stood behind it; None for one that is not published.
    """

    size: int
    root: bytes
    frontier: bytes
    note: str
    signed_at: datetime
    published_at: datetime | None


def schema_statements(
    *,
    owner_role: str = OWNER_ROLE,
    application_role: str = APPLICATION_ROLE,
    checkpointer_role: str = CHECKPOINTER_ROLE,
    script: str = "schema.sql",
) -> list[str]:
    """List the statements that make schema `log`, for these roles, in order, for one transaction.

    `map.sql` and `nodes.sql` are what comes on top of it, for the map and for tiles. Raises ValueError for a role name
    that is not plain lower-case letters, digits and underscores.
    """
    script = files("audit").joinpath("sql", script).read_text(encoding="utf-8")
    given = {OWNER_ROLE: owner_role, APPLICATION_ROLE: application_role, CHECKPOINTER_ROLE: checkpointer_role}
    for role in given.values():
        if not role.isascii() or not role.isidentifier() or role != role.lower():
            raise ValueError("a role's name is lower-case letters, digits and underscores")
    # Two steps, so that a given name that looks like another default is not replaced again.
    for number, default in enumerate(given):
        script = script.replace(default, f"\0{number}\0")
    for number, role in enumerate(given.values()):
        script = script.replace(f"\0{number}\0", role)
    return [statement.strip() for statement in script.split("\n-- next\n")]


def deletion_statements() -> list[str]:
    """List the statements that let `borgerbro_eraser` delete what is on record as deleted; they run again unharmed."""
    script = files("audit").joinpath("sql/deletion.sql").read_text(encoding="utf-8")
    return [statement.strip() for statement in script.split("\n-- next\n")]


async def open_log(connection: Connection, origin: str, tenant: str, year: int) -> int:
    """Make sure that a log exists and give its id; opening it again changes nothing.

    Raises asyncpg.PostgresError where the origin belongs to another tenant or year.
    """
    log_id: int = await connection.fetchval("SELECT log.open($1, $2, $3)", origin, tenant, year)
    return log_id


async def append(connection: Connection, entries: Sequence[NewEntry], *, early: bool = False) -> list[Position]:
    """Append entries, in order, inside the caller's transaction; they are durable once it has committed.

    With `early` they are not, until `flushed` says so (`append_by`). An entry id that is there already with the same
    leaf keeps its place. Raises UnknownLog for an origin that was never opened, and asyncpg.PostgresError where an id
    is taken by another entry; the transaction is then lost.
    """
    if not entries:
        return []
    statement = "SELECT * FROM log.append($1, $2, $3, $4, $5, $6)"
    return await append_by(connection, statement, entries, early=early)


async def append_by(
    connection: Connection, statement: str, entries: Sequence[NewEntry], *also: Sequence[Any], early: bool = False
) -> list[Position]:
    """Append entries by a statement that calls `log.append`, perhaps under a condition of its owner's.

    It takes the entries as six arrays ($1 origins, eids, leaves, ciphertexts, salts, $6 index rows), then `also`, and
    gives the positions of those it appended. With `early` its transaction ends, and lets go of the heads, before it
    is durable: nobody may be told until `flushed` has said so on the same connection. Raises as `append` does.
    """
    if early:
        # Local to the transaction that the statement is.
        statement = f"SELECT a.* FROM set_config('synchronous_commit', 'off', true), ({statement}) AS a"  # noqa: S608 - Ours.
    sealed = [entry.sealed for entry in entries]
    try:
        rows = await connection.fetch(
            statement,
            [entry.origin for entry in entries],
            [entry.eid for entry in sealed],
            [entry.leaf for entry in sealed],
            [entry.ciphertext for entry in sealed],
            [entry.body_salt for entry in sealed],
            [entry.index_bytes.decode() for entry in sealed],
            *also,
        )
    except asyncpg.PostgresError as error:
        if error.sqlstate == "LG001":
            raise UnknownLog("a log of that origin has not been opened") from None
        raise
    return [_position(row) for row in rows]


async def delete(connection: Connection, eid: bytes) -> int:
    """Delete bodies and index rows as the entry of this id says (`deletion.py`); give how many entries lost theirs.

    Raises asyncpg.PostgresError where no entry of that id says so, or the caller's role may not.
    """
    gone: int = await connection.fetchval("SELECT log.delete($1)", eid)
    return gone


async def flush(connection: Connection) -> None:
    """Write something of no meaning, so that the transaction's end waits until all before it is durable.

    Where a synchronous replica is demanded it waits for that too.
    """
    await connection.execute("SELECT pg_logical_emit_message(true, 'audit', '')")


async def flushed(connection: Connection, eid: bytes) -> bool:
    """Wait until all that was committed is durable, and tell whether an entry is part of it."""
    row = await connection.fetchrow(
        "SELECT pg_logical_emit_message(true, 'audit', ''), EXISTS (SELECT FROM log.entry WHERE eid = $1) AS there", eid
    )
    return row is not None and row["there"]


async def waiting_writers(connection: Connection) -> int:
    """Count who waits for a row that another transaction holds, among the connections this role may see."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND wait_event IN ('tuple', 'transactionid')"
    )
    return count


async def positions(connection: Connection, eids: Iterable[bytes]) -> dict[bytes, Position]:
    """Look entry ids up: those that are on a log, with their log's present head."""
    rows = await connection.fetch(
        "SELECT e.eid, e.log_id, e.idx, h.size, h.root FROM log.entry e JOIN log.head h ON h.id = e.log_id"
        " WHERE e.eid = ANY ($1::bytea[])",
        list(eids),
    )
    return {row["eid"]: _position(row) for row in rows}


async def head(connection: Connection, origin: str) -> Head:
    """Read a log's head; raise UnknownLog where there is none (or the caller's tenant may not see it)."""
    row = await connection.fetchrow(f"{_HEADS} WHERE origin = $1", origin)
    if row is None:
        raise UnknownLog("there is no log of that origin")
    return Head(*row.values())


async def heads(connection: Connection) -> list[Head]:
    """List every log, by origin."""
    return [Head(*row.values()) for row in await connection.fetch(f"{_HEADS} ORDER BY origin")]


async def entries(connection: Connection, log_id: int, start: int, stop: int) -> AsyncIterator[StoredEntry]:
    """Read the entries of [start, stop) in order, a page at a time; gaps are simply not there."""
    for low in range(start, stop, PAGE):
        rows = await connection.fetch(_ENTRIES, log_id, low, min(low + PAGE, stop))
        for row in rows:
            yield _stored(row)


async def entry(connection: Connection, log_id: int, index: int) -> StoredEntry | None:
    """Read one entry, or None where there is none."""
    row = await connection.fetchrow(_ENTRIES, log_id, index, index + 1)
    return None if row is None else _stored(row)


async def leaves(connection: Connection, log_id: int, start: int, stop: int) -> list[bytes]:
    """Read the leaves of [start, stop), in order; fewer come back where rows are missing."""
    rows = await connection.fetch(
        "SELECT leaf FROM log.entry WHERE log_id = $1 AND idx >= $2 AND idx < $3 ORDER BY idx",
        log_id,
        start,
        stop,
    )
    return [row["leaf"] for row in rows]


async def leaf_hashes(connection: Connection, log_id: int, start: int, stop: int) -> list[bytes]:
    """Read the recorded leaf hashes of [start, stop), in order."""
    rows = await connection.fetch(
        "SELECT leaf_hash FROM log.entry WHERE log_id = $1 AND idx >= $2 AND idx < $3 ORDER BY idx",
        log_id,
        start,
        stop,
    )
    return [row["leaf_hash"] for row in rows]


async def nodes(connection: Connection, log_id: int, level: int, start: int, stop: int) -> list[bytes]:
    """Read the hashes [start, stop) of a tile level, in order; level 0 are leaf hashes. Fewer come where rows miss."""
    if level == 0:
        return await leaf_hashes(connection, log_id, start, stop)
    return list((await numbered_nodes(connection, log_id, level, start, stop)).values())


async def numbered_nodes(connection: Connection, log_id: int, level: int, start: int, stop: int) -> dict[int, bytes]:
    """Read the nodes of a level that lie in [start, stop), each by its index, in order."""
    rows = await connection.fetch(_NODES, log_id, level, start, stop)
    return {row["idx"]: row["hash"] for row in rows}


async def inclusion_proof(connection: Connection, log_id: int, index: int, size: int) -> list[bytes]:
    """Prove one entry in the tree of a size.

    Raises ValueError where it lies outside, Malformed where rows or nodes are missing (`audit/node_keeper.py`).
    """
    return await _subtrees(connection, log_id, inclusion_ranges(index, 0, size))


async def consistency_proof(connection: Connection, log_id: int, old_size: int, new_size: int) -> list[bytes]:
    """Prove the tree of one size a prefix of the tree of another.

    Raises ValueError unless 0 < old <= new, Malformed where rows or nodes are missing.
    """
    return await _subtrees(connection, log_id, consistency_ranges(old_size, new_size))


async def checkpoints(connection: Connection, log_id: int) -> AsyncIterator[KeptCheckpoint]:
    """Read the checkpoints on record, smallest first, a page at a time."""
    size = -(2**63)
    while rows := await connection.fetch(f"{_CHECKPOINTS} AND size > $2 ORDER BY size LIMIT {PAGE}", log_id, size):
        for row in rows:
            yield KeptCheckpoint(*row.values())
        size = rows[-1]["size"]


async def last_checkpoint(connection: Connection, log_id: int) -> KeptCheckpoint | None:
    """Read the largest checkpoint on record, or None."""
    row = await connection.fetchrow(f"{_CHECKPOINTS} ORDER BY size DESC LIMIT 1", log_id)
    return None if row is None else KeptCheckpoint(*row.values())


async def published_checkpoint(connection: Connection, log_id: int) -> KeptCheckpoint | None:
    """Read the largest published checkpoint, or None: what is shown, served and proved under."""
    query = f"{_CHECKPOINTS} AND published_at IS NOT NULL ORDER BY size DESC LIMIT 1"
    row = await connection.fetchrow(query, log_id)
    return None if row is None else KeptCheckpoint(*row.values())


async def publish_checkpoint(connection: Connection, origin: str, size: int, note: str) -> None:
    """Publish a checkpoint on record with its cosignatures; raise asyncpg.PostgresError where it is not on record."""
    await connection.execute("SELECT log.publish_checkpoint($1, $2, $3)", origin, size, note)


async def keep_checkpoint(connection: Connection, origin: str, frontier: Frontier, note: str) -> None:
    """Put a signed checkpoint on record; raise asyncpg.PostgresError where it does not continue the log."""
    await connection.execute(
        "SELECT log.keep_checkpoint($1, $2, $3, $4, $5)",
        origin,
        frontier.size,
        frontier.root(),
        frontier.to_bytes(),
        note,
    )


_HEADS = "SELECT id, origin, tenant, year, size, root, frontier FROM log.head"
_CHECKPOINTS = "SELECT size, root, frontier, note, signed_at, published_at FROM log.checkpoint WHERE log_id = $1"
_NODES = "SELECT idx, hash FROM log.node WHERE log_id = $1 AND level = $2 AND idx >= $3 AND idx < $4 ORDER BY idx"
_ENTRIES = (
    "SELECT e.idx, e.eid, e.leaf, e.leaf_hash, b.ciphertext, b.body_salt, i.index_bytes"
    " FROM log.entry e LEFT JOIN log.body b USING (log_id, idx) LEFT JOIN log.index i USING (log_id, idx)"
    " WHERE e.log_id = $1 AND e.idx >= $2 AND e.idx < $3 ORDER BY e.idx"
)


async def _subtrees(connection: Connection, log_id: int, ranges: list[tuple[int, int]]) -> list[bytes]:
    tiles = {}
    for place, width in widths(ranges).items():
        start = place.number * WIDTH
        tiles[place] = await nodes(connection, log_id, place.level, start, start + width)
    return roots(ranges, tiles)


def _position(row: Any) -> Position:
    return Position(row["eid"], row["log_id"], row["idx"], row["size"], row["root"])


def _stored(row: Any) -> StoredEntry:
    index = row["index_bytes"]
    return StoredEntry(
        row["idx"],
        row["eid"],
        row["leaf"],
        row["leaf_hash"],
        row["ciphertext"],
        row["body_salt"],
        None if index is None else index.encode(),
    )
