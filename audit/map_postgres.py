"""The map of a log in PostgreSQL: read it as whoever may, and the parts of one epoch."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from audit.commitment import SealedEntry
from audit.errors import Malformed, TreeMismatch
from audit.map import Chain, MapProof, Slot, Tile, TileName, bucket_of, label_of, pack, path_of, tiles_of, unpack
from audit.postgres import Connection


@dataclass(frozen=True, slots=True)
class MapState:
    """How far a log's map goes, and where its root stands in the log; `age_seconds` is how long it has been there."""

    covered: int
    root: bytes
    index: int
    committed_at: datetime
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Held:
    """One party's row of the map."""

    map_key: bytes
    chain: Chain


@dataclass(frozen=True, slots=True)
class Counted:
    """An entry as it was counted: where, for which key, and the commitment to what its party is shown."""

    index: int
    map_key: bytes
    shown: bytes


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch writes: the entries it counts, chains and tiles as they are then, and the root's own entry."""

    origin: str
    start: int
    covered: int
    counted: tuple[Counted, ...]
    chains: dict[bytes, Chain]
    tiles: dict[TileName, Tile]
    root: SealedEntry


async def map_state(connection: Connection, log_id: int) -> MapState | None:
    """Read how far a log's map goes; None where no epoch was committed yet."""
    row = await connection.fetchrow(
        "SELECT covered, root, idx, committed_at, extract(epoch FROM clock_timestamp() - committed_at)::float8"
        " FROM log.map WHERE log_id = $1 AND idx >= 0",
        log_id,
    )
    return None if row is None else MapState(*row.values())


async def map_tiles(connection: Connection, log_id: int, names: Iterable[TileName]) -> dict[TileName, Tile]:
    """Read tiles; those that hold nothing are left out. Raises TreeMismatch for one that cannot be read."""
    wanted: dict[int, set[int]] = {}
    for level, place in names:
        wanted.setdefault(level, set()).add(place)
    tiles = {}
    for level, places in wanted.items():
        query = "SELECT place, packed FROM log.map_tile WHERE log_id = $1 AND level = $2 AND place = ANY ($3)"
        for place, packed in await connection.fetch(query, log_id, level, sorted(places)):
            tiles[level, place] = _unpacked(packed)
    return tiles


async def map_entries(connection: Connection, log_id: int, map_key: bytes) -> list[tuple[int, bytes]]:
    """List the entries that stand under a map key, in order: index, and commitment to what is shown."""
    rows = await connection.fetch("SELECT idx, shown FROM log.map_entries($1, $2)", log_id, map_key)
    return [(row["idx"], row["shown"]) for row in rows]


async def map_proof(connection: Connection, log_id: int, map_key: bytes) -> tuple[int, MapProof]:
    """Give how many entries the map holds for a key, and the proof of it; none is proved like any number."""
    label = label_of(map_key)
    rows = await connection.fetch("SELECT label, value, count FROM log.map_bucket($1, $2)", log_id, map_key)
    count = next((row["count"] for row in rows if row["count"] is not None), 0)
    neighbours = tuple(Slot(row["label"], row["value"]) for row in rows if row["label"] != label)
    bucket = bucket_of(label)
    return count, MapProof(path_of(bucket, await map_tiles(connection, log_id, tiles_of(bucket))), neighbours)


async def held_in(connection: Connection, log_id: int, buckets: Collection[int]) -> list[Held]:
    """Read every party's row in these buckets, as the checkpointer may."""
    rows = await connection.fetch(
        "SELECT map_key, count, head FROM log.map_leaf WHERE log_id = $1 AND bucket = ANY ($2)",
        log_id,
        sorted(buckets),
    )
    return [Held(row["map_key"], Chain(row["count"], row["head"])) for row in rows]


async def kept_under(connection: Connection, log_id: int, start: int, stop: int) -> dict[int, bytes]:
    """Say which entries of [start, stop) the law keeps back from their party for a time, and under which key."""
    rows = await connection.fetch("SELECT idx, map_key FROM log.kept_under($1, $2, $3)", log_id, start, stop)
    return {row["idx"]: row["map_key"] for row in rows}


async def commit_map(connection: Connection, epoch: Epoch) -> int:
    """Write an epoch and give where its root stands; raises asyncpg.PostgresError LG007 where another was first."""
    counted, chains, tiles = epoch.counted, epoch.chains, epoch.tiles
    index: int = await connection.fetchval(
        "SELECT log.commit_map($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        epoch.origin,
        epoch.start,
        epoch.covered,
        [one.index for one in counted],
        [one.map_key for one in counted],
        [one.shown for one in counted],
        list(chains),
        [chain.count for chain in chains.values()],
        [chain.head for chain in chains.values()],
        [chain.value(map_key) for map_key, chain in chains.items()],
        [level for level, _ in tiles],
        [place for _, place in tiles],
        [pack(tile) for tile in tiles.values()],
        epoch.root.leaf,
        epoch.root.body_salt,
        epoch.root.index_bytes.decode(),
    )
    return index


def _unpacked(packed: bytes) -> Tile:
    try:
        return unpack(packed)
    except Malformed:
        raise TreeMismatch("a tile of the map cannot be read") from None
