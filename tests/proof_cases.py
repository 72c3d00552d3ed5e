"""A thousand inclusion proofs that hold and a thousand that do not, for every judge alike."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from audit.merkle import inclusion_proof, leaf_hash, tree_head

SIZE = 1000
LEAVES = [b"entry %d" % number for number in range(SIZE + 1)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


@dataclass(frozen=True)
class Case:
    """An entry, its place, the tree, and the proof."""

    index: int
    size: int
    leaf: bytes
    proof: tuple[bytes, ...]
    root: bytes


def sound() -> list[Case]:
    """Prove every entry of the tree."""
    root = tree_head(HASHES[:SIZE])
    return [Case(i, SIZE, LEAVES[i], tuple(inclusion_proof(HASHES[:SIZE], i)), root) for i in range(SIZE)]


def bent() -> Iterator[Case]:
    """Bend each of them in one of eight ways, each way in turn."""
    chance = random.Random(1000)
    for number, case in enumerate(sound()):
        place = chance.randrange(len(case.proof))
        before, hash_, after = case.proof[:place], case.proof[place], case.proof[place + 1 :]
        flipped = bytes([hash_[0] ^ 1 << chance.randrange(8)]) + hash_[1:]
        yield (
            replace(case, proof=(*before, flipped, *after)),
            replace(case, proof=(*before, *after)),
            replace(case, proof=(*before, hash_, hash_, *after)),
            replace(case, proof=(*case.proof, case.root)),
            replace(case, index=(case.index + chance.randrange(1, SIZE)) % SIZE),
            replace(case, leaf=case.leaf + b"!"),
            replace(case, root=leaf_hash(case.root)),
            replace(case, proof=case.proof[::-1] if case.proof[0] != case.proof[-1] else ()),
        )[number % 8]
