"""sigstore-python judges our checkpoint and inclusion proofs (its internal parts; the version is pinned)."""

from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.checkpoint import Checkpoint
from audit.merkle import inclusion_proof, leaf_hash, tree_head
from audit.note import SigningKey
from tests import proof_cases

sigstore = pytest.importorskip("sigstore", reason="sigstore is not installed: this judge is not asked")
from sigstore._internal.merkle import verify_merkle_inclusion  # noqa: E402 - after the skip above
from sigstore._internal.rekor.checkpoint import SignedCheckpoint  # noqa: E402
from sigstore.errors import VerificationError  # noqa: E402

ORIGIN = "log.example/101-2026"
KEY = SigningKey.generate(ORIGIN)
LEAVES = [b"entry %d" % number for number in range(50)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


# The parts below are sigstore's own classes in its code; ours only look like them where they are used.
KEY_ID: Any = KEY.verify_key.key_id


class Keyring:
    """The one door sigstore's note verification uses of its key ring, over our public key."""

    def verify(self, *, key_id: bytes, signature: bytes, data: bytes) -> None:
        """Verify with the plain primitive; raise as sigstore's own ring does."""
        assert key_id == KEY.verify_key.key_id
        try:
            Ed25519PublicKey.from_public_bytes(KEY.verify_key.public).verify(signature, data)
        except InvalidSignature:
            raise VerificationError("invalid") from None


RING: Any = Keyring()


def test_sigstore_reads_our_checkpoint_and_refuses_a_forged_one() -> None:
    """Origin, size and root are read as we wrote them; the signature holds, and not after a change."""
    signed = Checkpoint(ORIGIN, 50, tree_head(HASHES)).signed_by(KEY)
    read = SignedCheckpoint.from_text(signed)
    assert (read.checkpoint.origin, read.checkpoint.log_size) == (ORIGIN, 50)
    assert read.checkpoint.log_hash == tree_head(HASHES).hex()
    read.signed_note.verify(RING, KEY_ID)
    forged = SignedCheckpoint.from_text(signed.replace("\n50\n", "\n51\n"))
    with pytest.raises(VerificationError):
        forged.signed_note.verify(RING, KEY_ID)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 33, 50])
def test_sigstore_accepts_our_inclusion_proofs_and_no_forged_entry(size: int) -> None:
    """Every entry of the tree is accepted by its proof, and another entry under the same proof is not."""
    root = tree_head(HASHES[:size])
    for index in range(size):
        proof = SimpleNamespace(
            log_index=index, tree_size=size, root_hash=root, hashes=inclusion_proof(HASHES[:size], index)
        )
        entry: Any = SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=proof, canonicalized_body=LEAVES[index]))
        verify_merkle_inclusion(entry)
        entry._inner.canonicalized_body = b"forged"
        with pytest.raises(VerificationError):
            verify_merkle_inclusion(entry)


def test_sigstore_accepts_a_thousand_proofs_and_refuses_a_thousand_bent_ones() -> None:
    """Every entry of a tree of 1,000 is accepted by its proof; each proof bent in one place is refused."""

    def accepts(one: proof_cases.Case) -> bool:
        proof = SimpleNamespace(log_index=one.index, tree_size=one.size, root_hash=one.root, hashes=list(one.proof))
        entry: Any = SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=proof, canonicalized_body=one.leaf))
        try:
            verify_merkle_inclusion(entry)
        except VerificationError:
            return False
        return True

    assert sum(accepts(one) for one in proof_cases.sound()) == 1000
    assert sum(accepts(one) for one in proof_cases.bent()) == 0
