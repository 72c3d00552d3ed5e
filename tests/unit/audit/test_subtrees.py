"""Proofs out of tiles: the same hashes as from the whole tree, from a few tiles, at any size."""

import random

import pytest

from audit.errors import Malformed
from audit.merkle import consistency_proof, consistency_ranges, inclusion_proof, inclusion_ranges, leaf_hash
from audit.subtrees import Place, roots, width_at, widths
from audit.tiles import Tile, bundles_of, derive, read_tile, tiles_of

HASHES = [leaf_hash(b"%d" % number) for number in range(66_000)]
TILES = {Place(tile.level or 0, tile.number): read_tile(packed) for tile, packed in derive(HASHES)}
SIZES = [*range(1, 66), 255, 256, 257, 511, 512, 513, 4097, 65_535, 65_536, 65_537, 66_000]


def cut(size: int) -> dict[Place, list[bytes]]:
    """Give the tiles of a tree of a size."""
    return {place: TILES[place][: width_at(size, place)] for place in TILES if width_at(size, place)}


@pytest.mark.parametrize("size", SIZES)
def test_a_proof_out_of_tiles_is_the_proof_out_of_the_tree(size: int) -> None:
    """Inclusion and consistency proofs are the same hash by hash, and need two tiles a level at most."""
    chance = random.Random(size)
    tiles = cut(size)
    for place in {0, size // 2, size - 1, chance.randrange(size)}:
        inside = inclusion_ranges(place, 0, size)
        since = consistency_ranges(place + 1, size)
        assert roots(inside, tiles) == inclusion_proof(HASHES[:size], place)
        assert roots(since, tiles) == consistency_proof(HASHES[:size], place + 1)
        for ranges in (inside, since):
            assert all(count <= len(tiles[at]) for at, count in widths(ranges).items())
            assert len(widths(ranges)) <= 2 * (1 + max((at.level for at in tiles), default=0))


def test_a_proof_at_ten_million_reads_six_tiles_at_most() -> None:
    """However large the log, a proof is read from a handful of tiles (`audit.md` goal 8)."""
    chance = random.Random(8)
    for _ in range(500):
        size = chance.randrange(9_000_000, 10_000_001)
        index, old = chance.randrange(size), chance.randrange(1, size + 1)
        assert len(widths(inclusion_ranges(index, 0, size))) <= 6
        assert len(widths(consistency_ranges(old, size))) <= 6


def test_what_is_missing_is_said() -> None:
    """Without a tile, or with one too short, there is no proof; nothing is made up."""
    tiles = cut(700)
    ranges = inclusion_ranges(3, 0, 700)
    for place in widths(ranges):
        with pytest.raises(Malformed):
            roots(ranges, {at: hashes for at, hashes in tiles.items() if at != place})
        with pytest.raises(Malformed):
            roots(ranges, tiles | {place: tiles[place][: widths(ranges)[place] - 1]})


def test_every_path_is_read_back() -> None:
    """Each tile and bundle of logs of many sizes is known again by its path, and covered from its own size on."""
    for size in (1, 255, 256, 70_000, 3_000_000):
        for tile in [*tiles_of(size), *bundles_of(size)][:: max(1, size // 5000)]:
            assert Tile.from_path(tile.path) == tile
            assert tile.covered_by(size)
            needs = (tile.number * 256 + tile.width) << (8 * (tile.level or 0))
            assert tile.covered_by(needs)
            assert not tile.covered_by(needs - 1)
    assert Tile.from_path("tile/0/x001/x234/067") == Tile(0, 1_234_067)


ODD_PATHS = [
    "", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/-1/000",
    "tile/64/000", "tile/0/x000/000", "tile/0/x001", "tile/0/001/002", "tile/0/X001/002", "tile/0/000.p/0",
    "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/entries/000.p/999", "tile/data/000",
    "tile/0/000/", "/tile/0/000", "tile/0/000\n", "tile/0/٠٠٠", "tile/0/" + "x999/" * 7 + "999", "tile/0/../checkpoint",
]  # fmt: skip


@pytest.mark.parametrize("path", ODD_PATHS)
def test_another_spelling_of_a_path_is_no_path(path: str) -> None:
    """A tile has one path; whatever else is asked for is not there."""
    with pytest.raises(Malformed):
        Tile.from_path(path)
