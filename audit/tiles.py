"""Tiles (C2SP tlog-tiles): the tree and its entries as files that anyone can fetch; pure.

A tile holds up to 256 hashes of one level; level 0 are leaf hashes, and one hash of level n + 1 is the root over a
full tile of level n. An entry bundle holds up to 256 entries, each after its length in two bytes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.errors import Malformed
from audit.merkle import HASH_SIZE, tree_head

WIDTH = 256
MAX_ENTRY = 0xFFFF
MAX_LEVEL = 63
_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile's place: its level (None for an entry bundle), its number there, and how many values it holds."""

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Write the path below a log's address, such as `tile/0/x001/234.p/7`."""
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level is None else str(self.level)
        suffix = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{number}{suffix}"

    @classmethod
    def from_path(cls, path: str) -> "Tile":
        """Read a path; raise Malformed for any spelling that `path` would not have written."""
        parts = _PATH.fullmatch(path)
        if parts is None:
            raise Malformed("not the path of a tile")
        level = None if parts[1] == "entries" else int(parts[1])
        tile = cls(level, int(re.sub("[x/]", "", parts[2])), WIDTH if parts[3] is None else int(parts[3]))
        if tile.path != path or tile.width > WIDTH or (level or 0) > MAX_LEVEL:
            raise Malformed("not the path of a tile")
        return tile

    def covered_by(self, size: int) -> bool:
        """Tell whether a tree of this size has all of the tile's values."""
        return (self.number * WIDTH + self.width) << (8 * (self.level or 0)) <= size


def bundles_of(size: int, first: int = 0) -> Iterator[Tile]:
    """List the entry bundles of a log of this size, from a number on, the last one partial where it must be."""
    yield from _level(None, size, first)


def tiles_of(size: int) -> Iterator[Tile]:
    """List the hash tiles of a tree of this size, level by level."""
    level, count = 0, size
    while count:
        yield from _level(level, count)
        level, count = level + 1, count // WIDTH


def derive(leaf_hashes: Sequence[bytes]) -> Iterator[tuple[Tile, bytes]]:
    """Make every hash tile of the tree over these leaves, in the order of `tiles_of`."""
    level, hashes = 0, list(leaf_hashes)
    while hashes:
        above: list[bytes] = []
        for tile in _level(level, len(hashes)):
            part = hashes[tile.number * WIDTH :][: tile.width]
            if tile.width == WIDTH:
                above.append(tree_head(part))
            yield tile, b"".join(part)
        level, hashes = level + 1, above


def bundle(entries: Iterable[bytes]) -> bytes:
    """Write entries as a bundle; raise ValueError for one longer than 65,535 bytes."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise ValueError("an entry has at most 65,535 bytes")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def read_bundle(packed: bytes) -> list[bytes]:
    """Read a bundle's entries; raise Malformed where lengths and bytes do not add up."""
    entries, at = [], 0
    while at < len(packed):
        length = int.from_bytes(packed[at : at + 2], "big")
        start, at = at + 2, at + 2 + length
        if at > len(packed):
            raise Malformed("an entry bundle ends in the middle of an entry")
        entries.append(packed[start:at])
    return entries


def read_tile(packed: bytes) -> list[bytes]:
    """Read a tile's hashes; raise Malformed unless it is a whole number of them."""
    if len(packed) % HASH_SIZE:
        raise Malformed("a tile is a whole number of 32-byte hashes")
    return [packed[i : i + HASH_SIZE] for i in range(0, len(packed), HASH_SIZE)]


def _level(level: int | None, count: int, first: int = 0) -> Iterator[Tile]:
    full, rest = divmod(count, WIDTH)
    for number in range(first, full):
        yield Tile(level, number)
    if rest:
        yield Tile(level, full, rest)
