"""sigstore-js judges our checkpoint and inclusion proofs: what we make it accepts, what is bent it refuses."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.checkpoint import Checkpoint
from audit.note import SigningKey
from tests.proof_cases import Case, bent, sound
from tests.serving import NODE, node

ORIGIN = "log.example/korsbaek/2026"
KEY = SigningKey.generate(ORIGIN)


def text(value: bytes) -> str:
    """Write bytes as the judge reads them."""
    return b64encode(value).decode()


def case(one: Case) -> dict[str, Any]:
    """Write a case as the judge reads it."""
    proof = [text(value) for value in one.proof]
    return {"index": one.index, "size": one.size, "leaf": text(one.leaf), "proof": proof, "root": text(one.root)}


async def judged(notes: list[str], proofs: list[Case]) -> Any:
    """Ask the judge; skipped where it is not installed."""
    if not (Path(NODE) / "node_modules" / "@sigstore").is_dir():
        pytest.skip("sigstore-js is not installed (npm ci in tests/peers/node): this judge is not asked")
    public = Ed25519PublicKey.from_public_bytes(KEY.verify_key.public)
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = {"id": text(KEY.verify_key.key_id), "spki": text(spki)}
    address = f"https://{ORIGIN}"
    return await node(
        "sigstore.mjs", {"address": address, "key": key, "notes": notes, "proofs": list(map(case, proofs))}
    )


async def test_it_reads_our_checkpoint_and_refuses_a_forged_one() -> None:
    """Origin, size and root are read as we wrote them; with a changed size, or by another key, nothing is."""
    root = sound()[0].root
    good = Checkpoint(ORIGIN, 1000, root).signed_by(KEY)
    stranger = Checkpoint(ORIGIN, 1000, root).signed_by(SigningKey.generate(ORIGIN))
    told = (await judged([good, good.replace("\n1000\n", "\n1001\n"), stranger], []))["notes"]
    assert told == [[ORIGIN, 1000, text(root)], "invalid checkpoint signature", "invalid checkpoint signature"]


async def test_it_accepts_a_thousand_proofs_and_refuses_a_thousand_bent_ones() -> None:
    """Every entry of a tree of 1,000 is accepted by its proof; each proof bent in one place is refused."""
    told = (await judged([], [*sound(), *bent()]))["proofs"]
    assert set(told[:1000]) == {""}
    assert "" not in told[1000:]
    assert len(told) == 2000
