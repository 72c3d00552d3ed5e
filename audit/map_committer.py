"""Bring a log's map up to its head, an epoch at a time, and put the new root on the log.

Rules kept here:
- Only what holds is counted: each new entry's rows are held against their commitment first, so that nobody can move an
  entry to another key between writing and counting.
- What is read of the map is held against the root that stands in the log, and against this process's memory where it
  has one: a map that was changed in the database is not built upon. Then TreeMismatch, until someone has looked.
- An epoch comes when something is new, at the earliest `epoch_seconds` after the last. A log where nothing is new gets
  one each `idle_seconds` in its own year, so that a fresh root can be told from an old one, and a last one after it.
"""

import json
from dataclasses import dataclass

import asyncpg

from audit import postgres
from audit.commitment import check_rows
from audit.errors import LogError, Malformed, TreeMismatch
from audit.map import NOTHING, Chain, Slot, Tile, TileName, bucket_hash, bucket_of, label_of, put, tile_root, tiles_of
from audit.map_postgres import Counted, Epoch, Held, MapState, commit_map, held_in, kept_under, map_state, map_tiles
from audit.map_root import MapRoot, is_map_root
from audit.merkle import HASH_SIZE, leaf_hash
from audit.postgres import Connection, Head, Pool, StoredEntry

EPOCH_SECONDS = 60.0
IDLE_SECONDS = 3600.0
MOST_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class _Read:
    """What an epoch starts from: every row of the touched buckets, and the tiles above them."""

    held: list[Held]
    tiles: dict[TileName, Tile]


class MapCommitter:
    """Commits the maps of one database's logs, as the checkpointer's role."""

    def __init__(self, pool: Pool, *, epoch_seconds: float = EPOCH_SECONDS, idle_seconds: float = IDLE_SECONDS) -> None:
        self._pool = pool
        self._epoch_seconds = epoch_seconds
        self._idle_seconds = idle_seconds
        self._committed: dict[str, tuple[int, bytes]] = {}

    async def run_once(self, origin: str) -> int | None:
        """Commit an epoch where one is due; give where its root stands, or None.

        Raises TreeMismatch where log or map are not what was committed, UnknownLog where there is no such log.
        """
        async with self._pool.acquire() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                head = await postgres.head(connection, origin)
                state = await map_state(connection, head.log_id)
                if not await self._due(connection, head, state):
                    return None
                epoch, root = await self._epoch(connection, head, state)
            try:
                index = await commit_map(connection, epoch)
            except asyncpg.PostgresError as error:
                if error.sqlstate == "LG007":
                    return None  # Another process has committed in the meantime; the next run goes on from there.
                raise
        self._committed[origin] = (index, root)
        return index

    async def _due(self, connection: Connection, head: Head, state: MapState | None) -> bool:
        if state is None:
            return head.size > 0
        await self._check_state(connection, head, state)
        if state.covered < state.index or state.index + 1 < head.size:
            return state.age_seconds >= self._epoch_seconds or head.size - state.covered > MOST_ENTRIES
        return state.committed_at.year <= head.year and state.age_seconds >= self._idle_seconds

    async def _check_state(self, connection: Connection, head: Head, state: MapState) -> None:
        """Hold what the map's row says against the entry that its root stands in, and against what we committed."""
        remembered = self._committed.get(head.origin)
        if remembered and (state.index, state.root) != remembered and state.index <= remembered[0]:
            raise TreeMismatch("the map is not the one that was committed")
        entry = await postgres.entry(connection, head.log_id, state.index)
        try:
            stands = None if entry is None else MapRoot.from_leaf(entry.leaf)
        except Malformed:
            stands = None
        if stands != MapRoot(state.root, state.covered):
            raise TreeMismatch("the map's root is not the one that stands in the log")

    async def _epoch(self, connection: Connection, head: Head, state: MapState | None) -> tuple[Epoch, bytes]:
        start = 0 if state is None else state.covered
        stop = min(head.size, start + MOST_ENTRIES)
        added = await self._counted(connection, head, start, stop)
        buckets = {bucket_of(label_of(one.map_key)) for one, _ in added}
        names = {(0, 0), *(name for bucket in buckets for name in tiles_of(bucket))}
        read = _Read(await held_in(connection, head.log_id, buckets), await map_tiles(connection, head.log_id, names))
        _check_read(read, buckets, NOTHING if state is None else state.root)
        chains = {held.map_key: held.chain for held in read.held}
        for one, hashed in added:
            chains[one.map_key] = chains.get(one.map_key, Chain()).then(hashed, one.shown)
        root = put(read.tiles, _hashed(chains)) if added else NOTHING if state is None else state.root
        at = await connection.fetchval("SELECT clock_timestamp()")
        kept = await connection.fetchval("SELECT count(*) FROM log.kept_under($1, 0, $2)", head.log_id, stop)
        sealed = MapRoot(root, stop).sealed(head.tenant, head.year, at, kept)
        counted = tuple(one for one, _ in added)
        moved = {one.map_key: chains[one.map_key] for one in counted}
        return Epoch(head.origin, start, stop, counted, moved, read.tiles if added else {}, sealed), root

    async def _counted(self, connection: Connection, head: Head, start: int, stop: int) -> list[tuple[Counted, bytes]]:
        """Read the new entries that stand in the map, each with its leaf's hash."""
        kept = await kept_under(connection, head.log_id, start, stop)
        added, expected = [], start
        async for entry in postgres.entries(connection, head.log_id, start, stop):
            if entry.index != expected:
                break
            expected += 1
            if not is_map_root(entry.leaf):
                placed = place_of(entry)
                if placed is not None:
                    key = kept.get(entry.index, placed.map_key)
                    added.append((Counted(entry.index, key, placed.shown), leaf_hash(entry.leaf)))
        if expected != stop:
            raise TreeMismatch("the log has lost entries")
        return added


def place_of(entry: StoredEntry) -> Counted | None:
    """Read from an entry's index row where it stands in the map.

    None for one written before there was a map, and for one of which nothing but the leaf is left: erased since, which
    `verify` tells from tampering (`audit/deletion.py`). Raises TreeMismatch where its rows do not hold.
    """
    sealed = entry.sealed()
    if entry.ciphertext is None and entry.index_bytes is None:
        return None
    if sealed is None:
        raise TreeMismatch("an entry has lost its body or index row before it was counted")
    try:
        check_rows(sealed)
        index = json.loads(sealed.index_bytes)
        if "map" not in index:
            return None
        counted = Counted(entry.index, bytes.fromhex(index["map"]), bytes.fromhex(index["shown"]))
    except (LogError, ValueError, KeyError, TypeError):
        raise TreeMismatch("an entry's rows do not match their commitment") from None
    if not len(counted.map_key) == len(counted.shown) == HASH_SIZE:
        # The database would refuse the epoch, which would keep the heads of all logs from being signed.
        raise TreeMismatch("an entry names a place that is none in the map")
    return counted


def _check_read(read: _Read, buckets: set[int], root: bytes) -> None:
    """Hold what was read of a map against its root; raise TreeMismatch where it is not what was committed."""
    tiles = read.tiles
    here = {bucket: tiles.get(tiles_of(bucket)[0], {}).get(bucket & 0xFF, NOTHING) for bucket in buckets}
    rows = dict.fromkeys(buckets, NOTHING) | _hashed({held.map_key: held.chain for held in read.held})
    parents_hold = all(
        tile_root(tiles.get((level, place), {})) == tiles.get((level - 1, place >> 8), {}).get(place & 0xFF, NOTHING)
        for level, place in {name for bucket in buckets for name in tiles_of(bucket)}
        if level
    )
    if rows != here or not parents_hold or tile_root(tiles.get((0, 0), {})) != root:
        raise TreeMismatch("the map in the database is not the one that was committed")


def _hashed(chains: dict[bytes, Chain]) -> dict[int, bytes]:
    buckets: dict[int, list[Slot]] = {}
    for map_key, chain in chains.items():
        label = label_of(map_key)
        buckets.setdefault(bucket_of(label), []).append(Slot(label, chain.value(map_key)))
    return {bucket: bucket_hash(slots) for bucket, slots in buckets.items()}
