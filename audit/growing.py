"""Make a log's tiles as its entries come, in order, holding one tile a level; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.merkle import tree_head
from audit.tiles import WIDTH, Tile


@dataclass(frozen=True, slots=True)
class Made:
    """A tile and its hashes; None stands for one that could not be computed."""

    tile: Tile
    hashes: tuple[bytes | None, ...]

    @property
    def packed(self) -> bytes | None:
        """Write the tile, or None where a hash is not known."""
        known = [value for value in self.hashes if value is not None]
        return b"".join(known) if len(known) == len(self.hashes) else None

    def differing(self, stored: Sequence[bytes]) -> list[int]:
        """Name the places where a tile as stored is not what was computed; what is not known differs nowhere."""
        pairs = enumerate(zip(self.hashes, stored, strict=True))
        return [place for place, (mine, theirs) in pairs if mine is not None and mine != theirs]


class Growing:
    """The right edge of a tree in tiles: leaf hashes in, tiles out as they fill.

    It may begin in the middle, at the start of a bundle; what lies to the left of it is then not known.
    """

    def __init__(self, start: int = 0) -> None:
        if start % WIDTH:
            raise ValueError("a tree goes on from the start of a bundle")
        self._rows: list[list[bytes | None]] = []
        self._numbers: list[int] = []
        while start:
            number, left = divmod(start, WIDTH)
            self._numbers.append(number)
            self._rows.append([None] * left)
            start = number

    def add(self, leaf: bytes | None) -> Iterator[Made]:
        """Add one leaf hash, or None for an entry that cannot be read; give the tiles that are full by it."""
        level, value = 0, leaf
        while True:
            if level == len(self._rows):
                self._rows.append([])
                self._numbers.append(0)
            row = self._rows[level]
            row.append(value)
            if len(row) < WIDTH:
                return
            made = Made(Tile(level, self._numbers[level]), tuple(row))
            known = [one for one in row if one is not None]
            value = tree_head(known) if len(known) == WIDTH else None
            row.clear()
            self._numbers[level] += 1
            yield made
            level += 1

    def rest(self) -> Iterator[Made]:
        """Give the partial tiles of the tree as it now is, the lowest first."""
        for level, row in enumerate(self._rows):
            if row:
                yield Made(Tile(level, self._numbers[level], len(row)), tuple(row))
