"""Tessera's own test log (Apache-2.0): 16 checkpoints verified, its tiles and bundles made again byte for byte."""

import pytest

from audit.checkpoint import open_checkpoint
from audit.errors import NotVerified
from audit.merkle import consistency_holds, consistency_proof, inclusion_holds, inclusion_proof, leaf_hash, tree_head
from audit.note import SigningKey, VerifyKey
from audit.tiles import bundle, bundles_of, derive, read_bundle, read_tile
from tests.unit.audit.vectors import vectors

FOLDER = vectors("tessera-log")
ORIGIN = "example.com/log/testdata"
KEY = VerifyKey.from_text(f"{ORIGIN}+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
ENTRIES = read_bundle((FOLDER / "tile/entries/000.p/15").read_bytes())
HASHES = [leaf_hash(entry) for entry in ENTRIES]


@pytest.mark.parametrize("size", range(16))
def test_the_checkpoint_of_each_size_is_verified(size: int) -> None:
    """Signature, origin, size and root of each checkpoint hold for the first entries; another key's do not."""
    note = (FOLDER / f"checkpoint.{size}").read_text(encoding="utf-8")
    checkpoint = open_checkpoint(note, ORIGIN, [KEY])
    assert (checkpoint.size, checkpoint.root) == (size, tree_head(HASHES[:size]))
    with pytest.raises(NotVerified):
        open_checkpoint(note, ORIGIN, [SigningKey.generate(ORIGIN).verify_key])


def test_the_last_checkpoint_is_verified() -> None:
    """The mutable checkpoint is the one of fifteen entries."""
    note = (FOLDER / "checkpoint").read_text(encoding="utf-8")
    assert open_checkpoint(note, ORIGIN, [KEY]).size == 15


def test_every_tile_and_bundle_is_made_again_byte_for_byte() -> None:
    """From the fifteen entries our writer makes just the files that Tessera wrote, for every size."""
    made: dict[str, bytes] = {}
    for size in range(16):
        made |= {tile.path: packed for tile, packed in derive(HASHES[:size])}
        made |= {tile.path: bundle(ENTRIES[: tile.width]) for tile in bundles_of(size)}
    found = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in (FOLDER / "tile").rglob("*")
        if path.is_file()
    }
    assert made == found


def test_proofs_between_its_checkpoints_hold() -> None:
    """Every pair of sizes is consistent and every entry is included, by proofs from its tiles."""
    hashes = read_tile((FOLDER / "tile/0/000.p/15").read_bytes())
    for new in range(1, 16):
        for old in range(1, new + 1):
            proof = consistency_proof(hashes[:new], old)
            assert consistency_holds(old, new, tree_head(HASHES[:old]), tree_head(HASHES[:new]), proof)
        for index in range(new):
            proof = inclusion_proof(hashes[:new], index)
            assert inclusion_holds(index, new, HASHES[index], proof, tree_head(HASHES[:new]))
