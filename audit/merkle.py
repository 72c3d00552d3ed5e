"""The Merkle tree of RFC 6962: hashes, frontiers, proofs and their verification; pure.

Rules kept here:
- A leaf and a node can never be mistaken for one another: 0x00 goes before a leaf, 0x01 before a node (RFC 6962 2.1).
- A proof is accepted by the steps of RFC 9162 2.1.3.2 and 2.1.4.2, and of the subtree forms of
  draft-ietf-plants-merkle-tree-certs 4; the generating code below is never used to check.
- Whatever is hashed in a verification is 32 bytes long. Two public vectors need a word on that. "Empty root and leaf"
  (nothing equals nothing) is refused: the values are no SHA-256 hashes. "Sizes are equal (one)" with 12-byte roots is
  accepted: at equal sizes nothing is hashed, the two heads are compared and they are the same bytes. Checkpoints
  never carry such roots, because reading one demands 32 bytes.
- A consistency proof from an empty tree is refused: everything extends nothing, so it would prove nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Hash one entry's bytes as a leaf (RFC 6962 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent (RFC 6962 2.1)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the complete subtrees of a tree, largest first: all that is needed to go on appending."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a frontier whose number of peaks cannot belong to its size."""
        if self.size < 0 or self.size.bit_count() != len(self.peaks):
            raise ValueError("the frontier's peaks do not fit its size")
        if any(len(peak) != HASH_SIZE for peak in self.peaks):
            raise ValueError("a frontier's peaks are 32 bytes each")

    @classmethod
    def from_bytes(cls, size: int, packed: bytes) -> "Frontier":
        """Read the peaks from their concatenation; raise ValueError where they do not fit the size."""
        return cls(size, tuple(packed[i : i + HASH_SIZE] for i in range(0, len(packed), HASH_SIZE)))

    def to_bytes(self) -> bytes:
        """Write the peaks one after the other."""
        return b"".join(self.peaks)

    def extend(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """Append leaves in order and give the new frontier; this one stays as it is."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaf_hashes:
            carried, count = leaf, size
            while count & 1:
                carried = node_hash(peaks.pop(), carried)
                count >>= 1
            peaks.append(carried)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """Fold the peaks into the tree's root; the empty tree has SHA-256 of nothing (RFC 6962 2.1)."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def tree_head(leaf_hashes: Iterable[bytes]) -> bytes:
    """Compute the root over leaf hashes, MTH of RFC 6962 2.1."""
    return Frontier().extend(leaf_hashes).root()


def inclusion_ranges(index: int, start: int, end: int) -> list[tuple[int, int]]:
    """List the subtrees, as [start, end), that prove one leaf inside [start, end), nearest the leaf first.

    Source: PATH of RFC 6962 2.1.1. Raises ValueError when the index lies outside.
    """
    if not start <= index < end:
        raise ValueError("the index lies outside the tree")
    ranges = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """List the subtrees, as [start, end), that prove a smaller tree to be a prefix of a larger one.

    Source: PROOF of RFC 6962 2.1.2. Raises ValueError unless 0 < old_size <= new_size.
    """
    if not 0 < old_size <= new_size:
        raise ValueError("a consistency proof needs 0 < old size <= new size")
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, new_size, True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Prove that the leaf at an index belongs to the tree over all these leaves (RFC 6962 2.1.1)."""
    return [tree_head(leaf_hashes[a:b]) for a, b in inclusion_ranges(index, 0, len(leaf_hashes))]


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """Prove that the tree over the first leaves is a prefix of the tree over all (RFC 6962 2.1.2)."""
    return [tree_head(leaf_hashes[a:b]) for a, b in consistency_ranges(old_size, len(leaf_hashes))]


def inclusion_holds(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a leaf hash stands at an index of the tree with this size and root (RFC 9162 2.1.3.2)."""
    return subtree_inclusion_holds(index, 0, size, leaf=leaf, proof=proof, root=root)


def subtree_inclusion_holds(
    index: int, start: int, end: int, *, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether a leaf hash stands at an index of the subtree [start, end) with this root."""
    if not (is_subtree(start, end) and start <= index < end and _are_hashes(leaf, root, *proof)):
        return False
    position, last, computed = index - start, end - start - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and computed == root


def consistency_holds(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether the old tree is a prefix of the new one (RFC 9162 2.1.4.2).

    From an empty tree the answer is no: such a proof says nothing.
    """
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    return subtree_consistency_holds(0, old_size, new_size, subtree_root=old_root, root=new_root, proof=proof)


def subtree_consistency_holds(
    start: int, end: int, size: int, *, subtree_root: bytes, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether [start, end) with its root is a subtree of the tree with this size and root.

    An empty subtree is part of every tree, with an empty proof and the empty root; the tree is then not looked at.
    Source: draft-ietf-plants-merkle-tree-certs 4.4.3.
    """
    if not is_subtree(start, end) or end > size:
        return False
    if start == end:
        return not proof and subtree_root == EMPTY_ROOT
    if (start, end) == (0, size):
        return not proof and subtree_root == root
    if not _are_hashes(subtree_root, root, *proof):
        return False
    return _walk_consistency((start, end, size), subtree_root, root, proof)


def _walk_consistency(span: tuple[int, int, int], subtree_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    start, end, size = span
    first, last, top = start, end - 1, size - 1
    # Climb to the largest complete subtree that ends where [start, end) ends.
    apart = (first ^ last).bit_length()
    climb = apart if last == top else min(apart, _trailing_zeros(last + 1))
    first, last, top = first >> climb, last >> climb, top >> climb
    # A subtree that is whole in the tree starts its own path; any other's first hash comes with the proof.
    path = [subtree_root, *proof] if first == last else list(proof)
    if not path:
        return False
    subtree = tree = path[0]
    for sibling in path[1:]:
        if top == 0:
            return False
        climb = 1
        if last & 1 or last == top:
            if first < last:
                subtree = node_hash(sibling, subtree)
            tree = node_hash(sibling, tree)
            climb += _trailing_zeros(last)
        else:
            tree = node_hash(tree, sibling)
        first, last, top = first >> climb, last >> climb, top >> climb
    return top == 0 and subtree == subtree_root and tree == root


def is_subtree(start: int, end: int) -> bool:
    """Tell whether [start, end) is a subtree: its start is a multiple of its width, rounded up to a power of two."""
    if not 0 <= start <= end:
        return False
    width = end - start
    return start == 0 or width <= 1 or start % (1 << (width - 1).bit_length()) == 0


def _split(width: int) -> int:
    """Give the largest power of two below a width (RFC 6962 2.1)."""
    return 1 << ((width - 1).bit_length() - 1)


def _trailing_zeros(number: int) -> int:
    """Count the zero bits at the low end; of zero itself, none."""
    return (number & -number).bit_length() - 1 if number else 0


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_SIZE for value in values)
