"""The map of a log: for each party's key how many entries are theirs, and a chain over them; pure.

A proof that an entry is on the log never shows that none is hidden. The map does: its root stands in the log itself
(`audit/entry.py`, MAP_ROOT), so whoever holds their own map key can see that the entries they were given are all.

Rules kept here:
- A map key is secret to the party and to the database; its label, a hash of it, says where it stands. What neighbours
  see of one another is label and value, and a value is an HMAC under the map key: neither can be guessed nor linked.
- The tree is binary, 24 levels over 2^24 buckets, kept as 256-wide tiles of three levels. A subtree with nothing in
  it is 32 zero bytes, which no SHA-256 is known to give; so a proof of absence costs what a proof of presence does.
- Every kind of hash has a first byte of its own.
"""

import hmac
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

from audit.errors import Malformed
from audit.merkle import HASH_SIZE, node_hash

LEVELS = 3
BITS = 24
FAN = 256
NOTHING = bytes(HASH_SIZE)
_LABEL, _CHAIN, _BUCKET = b"\x02", b"\x03", b"\x04"

# A tile is named by level (0 is the top) and place, and holds the hashes of its children that are not nothing.
TileName: TypeAlias = tuple[int, int]
Tile: TypeAlias = dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Chain:
    """How many entries a party has, and the hash that went over all of them in order."""

    count: int = 0
    head: bytes = NOTHING

    def then(self, leaf_hash: bytes, shown: bytes) -> "Chain":
        """Add an entry: the hash of its leaf, and the commitment to what of it is shown to its party."""
        return Chain(self.count + 1, sha256(_CHAIN + self.head + leaf_hash + shown).digest())

    def value(self, map_key: bytes) -> bytes:
        """Write what the map holds for a key: a commitment, so that a neighbour cannot guess the entries."""
        return hmac.digest(map_key, self.count.to_bytes(8, "big") + self.head, "sha256")


@dataclass(frozen=True, slots=True)
class Slot:
    """One party's place in a bucket, as neighbours may see it."""

    label: bytes
    value: bytes

    def __post_init__(self) -> None:
        """Refuse what no slot can hold."""
        if len(self.label) != HASH_SIZE or len(self.value) != HASH_SIZE:
            raise Malformed("a label and a value are 32 bytes each")


def label_of(map_key: bytes) -> bytes:
    """Say where a map key stands, without saying the key."""
    return sha256(_LABEL + map_key).digest()


def bucket_of(label: bytes) -> int:
    """Give the bucket of a label: its first 24 bits."""
    return int.from_bytes(label[:3], "big")


def bucket_hash(slots: Iterable[Slot]) -> bytes:
    """Hash a bucket's slots in order of label; none is nothing."""
    packed = b"".join(slot.label + slot.value for slot in sorted(slots, key=lambda slot: slot.label))
    return sha256(_BUCKET + packed).digest() if packed else NOTHING


@dataclass(frozen=True, slots=True)
class MapProof:
    """The way from a bucket to the root: the siblings, nearest first, and who else stands in the bucket."""

    siblings: tuple[bytes, ...]
    neighbours: tuple[Slot, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a way of another length, and slots that are not once each."""
        if len(self.siblings) != BITS or any(len(value) != HASH_SIZE for value in self.siblings):
            raise Malformed("a map proof has 24 hashes of 32 bytes")
        if len({slot.label for slot in self.neighbours}) != len(self.neighbours):
            raise Malformed("a label stands twice in a bucket")

    def root(self, map_key: bytes, chain: Chain) -> bytes:
        """Compute the root of a map that holds this chain for this key; an empty chain means that it holds none.

        Raises Malformed where the bucket shows the key's own label as a neighbour's, or another bucket's.
        """
        label = label_of(map_key)
        place = bucket_of(label)
        if any(slot.label == label or bucket_of(slot.label) != place for slot in self.neighbours):
            raise Malformed("a neighbour that does not belong in this bucket")
        mine = [Slot(label, chain.value(map_key))] if chain.count else []
        here = bucket_hash([*mine, *self.neighbours])
        for sibling in self.siblings:
            here = _parent(sibling, here) if place & 1 else _parent(here, sibling)
            place >>= 1
        return here


def tile_root(tile: Mapping[int, bytes]) -> bytes:
    """Hash a tile's 256 children, eight levels, into the one above them."""
    row = dict(tile)
    for _ in range(8):
        row = {place: _parent(row.get(2 * place, NOTHING), row.get(2 * place + 1, NOTHING)) for place in _halved(row)}
    return row.get(0, NOTHING)


def tile_path(tile: Mapping[int, bytes], child: int) -> list[bytes]:
    """List the eight siblings between one child of a tile and the tile's own hash, nearest first."""
    siblings, row, place = [], dict(tile), child
    for _ in range(8):
        siblings.append(row.get(place ^ 1, NOTHING))
        row = {half: _parent(row.get(2 * half, NOTHING), row.get(2 * half + 1, NOTHING)) for half in _halved(row)}
        place >>= 1
    return siblings


def tiles_of(bucket: int) -> list[TileName]:
    """Name the tiles above a bucket, the lowest first."""
    return [(level, bucket >> (8 * (LEVELS - level))) for level in reversed(range(LEVELS))]


def path_of(bucket: int, tiles: Mapping[TileName, Tile]) -> tuple[bytes, ...]:
    """Give the siblings of a bucket, nearest first; a tile that is not there holds nothing."""
    return tuple(
        sibling
        for level, place in tiles_of(bucket)
        for sibling in tile_path(tiles.get((level, place), {}), bucket >> (8 * (LEVELS - 1 - level)) & 0xFF)
    )


def put(tiles: MutableMapping[TileName, Tile], buckets: Mapping[int, bytes]) -> bytes:
    """Set the hashes of buckets in the tiles above them, in place, and give the map's new root.

    `tiles` has every tile above these buckets that is not empty.
    """
    changed = dict(buckets)
    for level in reversed(range(LEVELS)):
        above: dict[int, set[int]] = {}
        for place, value in changed.items():
            tiles.setdefault((level, place >> 8), {})[place & 0xFF] = value
            above.setdefault(place >> 8, set()).add(place)
        changed = {place: tile_root(tiles[level, place]) for place in above}
    return changed[0] if changed else tile_root(tiles.get((0, 0), {}))


def pack(tile: Mapping[int, bytes]) -> bytes:
    """Write a tile: which of its 256 children are there, one bit each, then their hashes in order."""
    there = sorted(place for place, value in tile.items() if value != NOTHING)
    bits = sum(1 << place for place in there)
    return bits.to_bytes(HASH_SIZE, "little") + b"".join(tile[place] for place in there)


def unpack(packed: bytes) -> Tile:
    """Read a tile; raise Malformed where hashes and bits do not fit."""
    bits = int.from_bytes(packed[:HASH_SIZE], "little")
    places = [place for place in range(FAN) if bits >> place & 1]
    if len(packed) != HASH_SIZE * (1 + len(places)):
        raise Malformed("a tile of the map does not hold what it says")
    return {place: packed[HASH_SIZE * n : HASH_SIZE * (n + 1)] for n, place in enumerate(places, 1)}


@dataclass(slots=True)
class Map:
    """A whole map in memory: for building one anew from the rows of a log."""

    chains: dict[bytes, Chain] = field(default_factory=dict)
    _buckets: dict[int, set[bytes]] = field(default_factory=dict)
    _tiles: dict[TileName, Tile] = field(default_factory=dict)
    _changed: set[bytes] = field(default_factory=set)

    def add(self, map_key: bytes, leaf_hash: bytes, shown: bytes) -> None:
        """Add one entry of a party."""
        self.chains[map_key] = self.chains.get(map_key, Chain()).then(leaf_hash, shown)
        self._changed.add(map_key)

    def root(self) -> bytes:
        """Give the root over all that was added so far."""
        touched = set()
        for map_key in self._changed:
            bucket = bucket_of(label_of(map_key))
            self._buckets.setdefault(bucket, set()).add(map_key)
            touched.add(bucket)
        self._changed.clear()
        return put(self._tiles, {bucket: bucket_hash(self._slots(self._buckets[bucket])) for bucket in touched})

    def tiles(self) -> dict[TileName, Tile]:
        """Give every tile over all that was added so far."""
        self.root()
        return self._tiles

    def prove(self, map_key: bytes) -> MapProof:
        """Prove what the map holds for a key, or that it holds nothing for it."""
        self.root()
        label = label_of(map_key)
        others = self._buckets.get(bucket_of(label), set()) - {map_key}
        neighbours = sorted(self._slots(others), key=lambda slot: slot.label)
        return MapProof(path_of(bucket_of(label), self._tiles), tuple(neighbours))

    def _slots(self, map_keys: Iterable[bytes]) -> list[Slot]:
        return [Slot(label_of(map_key), self.chains[map_key].value(map_key)) for map_key in map_keys]


def chain_of(entries: Sequence[tuple[bytes, bytes]]) -> Chain:
    """Chain a party's entries, given in order as (leaf hash, commitment to what is shown)."""
    chain = Chain()
    for leaf_hash, shown in entries:
        chain = chain.then(leaf_hash, shown)
    return chain


def _parent(left: bytes, right: bytes) -> bytes:
    return NOTHING if left == NOTHING and right == NOTHING else node_hash(left, right)


def _halved(row: Iterable[int]) -> set[int]:
    return {place >> 1 for place in row}
