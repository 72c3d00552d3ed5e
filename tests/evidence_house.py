"""An evidence package of a small log, with everything it is held against: for tests that bend it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from audit.checkpoint import Checkpoint
from audit.commitment import Party, seal
from audit.cosignature import Cosigner
from audit.evidence import Evidence
from audit.merkle import Frontier, inclusion_proof, leaf_hash
from audit.note import SigningKey
from audit.policy import Policy, parse
from audit.proof import Proof

ORIGIN = "broker.example/log/korsbaek/2019"
LOG_KEY, ANOTHER = SigningKey("broker.example/log", b"l" * 32), SigningKey("broker.example/log", b"m" * 32)
WITNESSES = [Cosigner(f"witness.example/{name}", 4, name.encode() * 32) for name in "ab"]
PARTY, ACTOR = Party(b"citizen-handle", b"c" * 32), Party(b"actor-handle", b"a" * 32)
SHOWN = b'{"at":"2019-03-01T11:00:00Z","event":"outcome","outcome":"released","purpose":"jobplan"}'
AT = 1_551_438_000
INDEX = 5


@dataclass(frozen=True)
class Made:
    """A package, the policy that its checkpoint satisfies, and the key that signed it."""

    evidence: Evidence
    policy: Policy
    key: SigningKey


def a_policy(*keys: SigningKey, least: int = 2) -> Policy:
    """Make a policy of two witnesses."""
    logs = "".join(f"log {key.verify_key}\n" for key in keys)
    named = "".join(f"witness {name} {one.key}\n" for name, one in zip("ab", WITNESSES, strict=True))
    return parse(f"{logs}{named}group both {least} a b\nquorum both\n".encode())


def made(key: SigningKey = LOG_KEY, *, shown: bytes | None = SHOWN) -> Made:
    """Make a log of twelve entries and the package of one of them."""
    leaves, chosen = [], None
    for number in range(12):
        eid = sha256(b"%d" % number).digest()[:16]
        index = PARTY.placed({"kind": "outcome", "at": AT, "municipality": "korsbaek"}, ORIGIN, eid, SHOWN)
        sealed = seal(eid=eid, kind=2, subject=PARTY, actor=ACTOR, body=b"{}", index=index)
        leaves.append(sealed.leaf)
        chosen = sealed if number == INDEX else chosen
    assert chosen is not None
    hashes = [leaf_hash(leaf) for leaf in leaves]
    checkpoint = Checkpoint(ORIGIN, len(leaves), Frontier().extend(hashes).root())
    signed = checkpoint.signed_by(key)
    note = signed + "".join(one.cosign(checkpoint.to_text(), AT) for one in WITNESSES)
    proof = Proof(INDEX, tuple(inclusion_proof(hashes, INDEX)), note, chosen.leaf)
    policy = a_policy(key)
    evidence = Evidence(
        origin=ORIGIN,
        index=INDEX,
        leaf=chosen.leaf,
        proof=proof.to_text(),
        index_bytes=chosen.index_bytes,
        body_salt=chosen.body_salt,
        ciphertext_digest=sha256(chosen.ciphertext).digest(),
        keys=(str(key.verify_key),),
        policy=policy.to_text(),
        shown=shown,
        shown_salt=None if shown is None else PARTY.shown_salt(chosen.eid),
    )
    return Made(evidence, policy, key)


def opening_of(evidence: Evidence) -> dict[str, object]:
    """Read what opens the commitments, as it stands in the package."""
    told: dict[str, object] = json.loads(evidence.files()["opening.json"])
    return told
