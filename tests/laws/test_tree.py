"""What holds for every tree there can be (RFC 6962), from any number of leaves and any way of growing."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    node_hash,
    tree_head,
)
from audit.tiles import WIDTH, derive, tiles_of

SIZES = st.integers(1, 70)


def leaves(size: int) -> list[bytes]:
    """Make that many different leaf hashes."""
    return [sha256(number.to_bytes(8, "big")).digest() for number in range(size)]


def plain_root(hashes: list[bytes]) -> bytes:
    """Compute MTH word for word as RFC 6962 2.1 defines it."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(plain_root(hashes[:split]), plain_root(hashes[split:]))


@given(size=st.integers(0, 200), cut=st.integers(0, 200))
def test_a_tree_grown_in_parts_is_the_tree_the_rfc_defines(size: int, cut: int) -> None:
    """However the leaves are split into batches, frontier and root are those of the definition."""
    hashes = leaves(size)
    first = Frontier().extend(hashes[:cut])
    kept = Frontier.from_bytes(first.size, first.to_bytes())
    assert kept.extend(hashes[cut:]).root() == plain_root(hashes) == tree_head(hashes)


@given(size=SIZES, data=st.data())
def test_a_true_inclusion_proof_holds_and_only_for_its_own_place(size: int, data: st.DataObject) -> None:
    """The proof of a leaf holds; for another index, size, leaf or root, or with one hash changed, it does not."""
    hashes, index = leaves(size), data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(hashes, index), tree_head(hashes)
    assert inclusion_holds(index, size, hashes[index], proof, root)
    for other in {*range(size + 2), 2**64} - {index}:
        assert not inclusion_holds(other, size, hashes[index], proof, root)
    assert not inclusion_holds(-1, size, hashes[index], proof, root)
    assert not inclusion_holds(index, size, root if size > 1 else EMPTY_ROOT, proof, root)
    assert not inclusion_holds(index, size, hashes[index], proof, hashes[index] if size > 1 else EMPTY_ROOT)
    for broken in _broken(proof):
        assert not inclusion_holds(index, size, hashes[index], broken, root)


@given(size=SIZES, data=st.data())
def test_a_true_consistency_proof_holds_and_only_for_its_own_sizes(size: int, data: st.DataObject) -> None:
    """The proof of a prefix holds; with another old root, or with one hash changed, it does not."""
    hashes, old = leaves(size), data.draw(st.integers(1, size))
    proof = consistency_proof(hashes, old)
    old_root, root = tree_head(hashes[:old]), tree_head(hashes)
    assert consistency_holds(old, size, old_root, root, proof)
    forged = tree_head([*hashes[: old - 1], EMPTY_ROOT])
    assert not consistency_holds(old, size, forged, root, proof)
    assert not consistency_holds(old, size, old_root, EMPTY_ROOT, proof)
    assert not consistency_holds(0, size, EMPTY_ROOT, root, [])
    assert not consistency_holds(size + 1, size, old_root, root, proof)
    for broken in _broken(proof):
        assert not consistency_holds(old, size, old_root, root, broken)


@given(old=SIZES, new=SIZES, change=st.integers(0, 69))
def test_two_histories_that_differ_are_never_consistent(old: int, new: int, change: int) -> None:
    """When an entry of the old tree is another in the new one, no proof from the new tree convinces."""
    old, new = min(old, new), max(old, new)
    change %= old
    rewritten = leaves(new)
    rewritten[change] = sha256(b"rewritten").digest()
    proof = consistency_proof(rewritten, old)
    assert not consistency_holds(old, new, tree_head(leaves(old)), tree_head(rewritten), proof)


@given(size=st.integers(0, 3 * WIDTH))
def test_tiles_are_just_those_that_the_size_demands(size: int) -> None:
    """Derived tiles have the widths the specification gives, and the topmost fold to the root."""
    hashes = leaves(size)
    made = dict(derive(hashes))
    assert list(made) == list(tiles_of(size))
    for tile, packed in made.items():
        assert len(packed) == 32 * tile.width
        whole = size // WIDTH ** (tile.level or 0)
        assert tile.width == min(WIDTH, whole - tile.number * WIDTH)


def _broken(proof: list[bytes]) -> list[list[bytes]]:
    """Give proofs that are wrong in one way each."""
    flipped = [[*proof[:n], bytes([value[0] ^ 1]) + value[1:], *proof[n + 1 :]] for n, value in enumerate(proof)]
    shortened = [proof[1:], proof[:-1], [*proof[:-1], proof[-1][:-1]]] if proof else []
    return [*flipped, *shortened, [*proof, EMPTY_ROOT], [EMPTY_ROOT, *proof], [*proof, b""]]
