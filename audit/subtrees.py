"""Subtrees as tiles hold them: which tiles a proof needs, and the proof's hashes out of those tiles; pure.

A range [start, end) of entries, as RFC 6962 cuts a tree, is a row of complete subtrees; the root of each lies in one
tile, or is folded from a few neighbours in it. So a proof at any size needs a tile or two a level, never the log.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.errors import Malformed
from audit.merkle import node_hash, tree_head
from audit.tiles import WIDTH

BITS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A tile's place without its width: its level and its number there."""

    level: int
    number: int


def widths(ranges: Iterable[tuple[int, int]]) -> dict[Place, int]:
    """List the tiles that these ranges are folded from, each with how many of its hashes must be there."""
    needed: dict[Place, int] = {}
    for start, end in ranges:
        for level, first, stop in _parts(start, end):
            place = Place(level, first // WIDTH)
            needed[place] = max(needed.get(place, 0), stop - place.number * WIDTH)
    return needed


def roots(ranges: Sequence[tuple[int, int]], tiles: Mapping[Place, Sequence[bytes]]) -> list[bytes]:
    """Compute the root of each range from the hashes of the tiles that `widths` names.

    Raises Malformed where a tile is missing or too short.
    """
    return [_root(start, end, tiles) for start, end in ranges]


def width_at(size: int, place: Place) -> int:
    """Tell how many hashes a tile holds in a tree of a size (C2SP tlog-tiles); 0 where it does not begin."""
    return max(0, min(WIDTH, (size >> (BITS * place.level)) - place.number * WIDTH))


def _root(start: int, end: int, tiles: Mapping[Place, Sequence[bytes]]) -> bytes:
    peaks = [_peak(level, first, stop, tiles) for level, first, stop in _parts(start, end)]
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return root


def _peak(level: int, first: int, stop: int, tiles: Mapping[Place, Sequence[bytes]]) -> bytes:
    number = first // WIDTH
    hashes = tiles.get(Place(level, number), ())[first - number * WIDTH : stop - number * WIDTH]
    if len(hashes) != stop - first:
        raise Malformed("a tile that the proof needs is missing or too short")
    return tree_head(hashes)


def _parts(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut a range into complete subtrees, largest first: level, and the hashes [first, stop) of that level."""
    if not 0 <= start < end:
        raise ValueError("a range of entries is not empty")
    while start < end:
        power = (end - start).bit_length() - 1
        level = power // BITS
        first = start >> (BITS * level)
        yield level, first, first + (1 << (power % BITS))
        start += 1 << power
