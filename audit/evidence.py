"""The evidence of one entry: what it says, that it is what was logged, and that it stands on the log; in one ZIP file.

What is in it, beside the two READMEs:

    entry.bin         the entry as the tree holds it (`entry.py`), 115 bytes
    entry.tlog-proof  its proof (C2SP tlog-proof): index, inclusion, checkpoint with cosignatures
    checkpoint        that checkpoint alone (C2SP signed-note)
    index.json        the index row, byte for byte as it was committed to
    shown.json        what its party is shown of its body, byte for byte as it was committed to; not of one erased
    opening.json      format, origin, index, and what opens the two commitments
    keys              the log's public keys (vkeys), for comparison with those one has from elsewhere
    tlog-policy       logs' keys, witnesses, quorum (C2SP tlog-policy)

Rules kept here:
- Whoever checks brings a key of the log, or a policy, from elsewhere: a package that vouches for itself proves none.
- Each byte counts: the file is what `pack` writes of what is in it, or it is refused. So are READMEs of other words.
- A salt opens one commitment of one entry; no key that opens content goes out. The index row goes out whole, for its
  commitment is over all of it, and with it the citizen's key in the log's map (`map`): it opens nothing, and ties the
  entry to their place in the map and to other packages of theirs.
"""

import hmac
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from audit import base64_strict
from audit.checkpoint import Checkpoint
from audit.commitment import SALT_SIZE, shown_commitment
from audit.entry import Leaf
from audit.errors import Malformed, NotVerified, PolicyRefused
from audit.evidence_words import READMES
from audit.note import VerifyKey
from audit.policy import Policy, parse
from audit.proof import Proof

FORMAT = "borgerbro-evidence@1"
MAX_BYTES = 2_000_000
ENTRY, PROOF, CHECKPOINT = "entry.bin", "entry.tlog-proof", "checkpoint"
INDEX, SHOWN, OPENING, KEYS, POLICY = "index.json", "shown.json", "opening.json", "keys", "tlog-policy"
ALWAYS = frozenset({ENTRY, PROOF, CHECKPOINT, INDEX, OPENING, KEYS, POLICY, *READMES})
_EARLIEST = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a package holds. `shown` and its salt are None where the party's key is gone."""

    origin: str
    index: int
    leaf: bytes
    proof: str
    index_bytes: bytes = field(repr=False)
    body_salt: bytes = field(repr=False)
    # SHA-256 of the encrypted body, which itself stays where it is.
    ciphertext_digest: bytes = field(repr=False)
    keys: tuple[str, ...]
    policy: str
    shown: bytes | None = field(default=None, repr=False)
    shown_salt: bytes | None = field(default=None, repr=False)

    @property
    def checkpoint(self) -> str:
        """Give the signed note that the proof stands on."""
        return Proof.from_text(self.proof).checkpoint

    def files(self) -> dict[str, bytes]:
        """Lay out every file, by name."""
        opening = {
            "format": FORMAT,
            "origin": self.origin,
            "index": self.index,
            "body_salt": base64_strict.encode(self.body_salt),
            "ciphertext_sha256": base64_strict.encode(self.ciphertext_digest),
            "shown_salt": None if self.shown_salt is None else base64_strict.encode(self.shown_salt),
        }
        made = {
            ENTRY: self.leaf,
            PROOF: self.proof.encode(),
            CHECKPOINT: self.checkpoint.encode(),
            INDEX: self.index_bytes,
            OPENING: json.dumps(opening, indent=1).encode() + b"\n",
            KEYS: "".join(f"{key}\n" for key in self.keys).encode(),
            POLICY: self.policy.encode(),
            **READMES,
        }
        return made if self.shown is None else {**made, SHOWN: self.shown}

    def pack(self) -> bytes:
        """Write the ZIP file: the same bytes each time."""
        return _zipped(self.files())


@dataclass(frozen=True, slots=True)
class Believed:
    """What a package proves: the checkpoint it was held against, the entry, and the witnesses who stand behind it."""

    checkpoint: Checkpoint
    leaf: Leaf
    witnesses: tuple[str, ...]
    # Whether whoever checked brought the policy; else the quorum is the package's own word.
    policy_brought: bool


def unpack(content: bytes) -> Evidence:
    """Read a package without believing it; raise Malformed for one that `pack` would not have written."""
    files = _files(content)
    try:
        opening = json.loads(files[OPENING])
        salt = opening["shown_salt"]
        evidence = Evidence(
            origin=opening["origin"],
            index=opening["index"],
            leaf=files[ENTRY],
            proof=files[PROOF].decode(),
            index_bytes=files[INDEX],
            body_salt=base64_strict.decode(opening["body_salt"]),
            ciphertext_digest=base64_strict.decode(opening["ciphertext_sha256"]),
            keys=tuple(files[KEYS].decode().splitlines()),
            policy=files[POLICY].decode(),
            shown=files.get(SHOWN),
            shown_salt=None if salt is None else base64_strict.decode(salt),
        )
        written = evidence.pack()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Malformed("the package is not of this form") from None
    if written != content:
        raise Malformed("the package is not as it was packed")
    return evidence


def verify(evidence: Evidence, trusted: Sequence[VerifyKey], policy: Policy | None = None) -> Believed:
    """Check everything a package says against keys, or a policy, from elsewhere; raise Malformed or NotVerified."""
    keys = [*trusted, *(log.key for log in policy.logs)] if policy is not None else list(trusted)
    if not keys:
        raise NotVerified("a package proves nothing without a key of the log from elsewhere")
    own = _own_policy(evidence, keys)
    if policy is not None and own.of_witnesses() != policy.of_witnesses():
        raise NotVerified("the package's policy is not the one that was brought")
    proof = Proof.from_text(evidence.proof)
    if proof.index != evidence.index or proof.extra != evidence.leaf:
        raise NotVerified("the proof is another entry's")
    checkpoint = proof.verify(evidence.leaf, evidence.origin, keys)
    own.open(evidence.checkpoint, evidence.origin)
    leaf = Leaf.from_bytes(evidence.leaf)
    _check_commitments(evidence, leaf)
    witnesses = tuple(own.cosigned(evidence.checkpoint))
    return Believed(checkpoint, leaf, witnesses, policy is not None)


def _own_policy(evidence: Evidence, trusted: Sequence[VerifyKey]) -> Policy:
    """Read the package's keys and policy; none may name a log's key that is not trusted."""
    try:
        own = parse(evidence.policy.encode())
    except PolicyRefused:
        raise Malformed("the package's policy is none") from None
    if own.to_text() != evidence.policy:
        raise Malformed("the package's policy is not as it was packed")
    named = {str(key) for key in (*map(VerifyKey.from_text, evidence.keys), *(log.key for log in own.logs))}
    if not evidence.keys or not named <= {str(key) for key in trusted}:
        raise NotVerified("the package names a key of the log that is not the one that was brought")
    return own


def _check_commitments(evidence: Evidence, leaf: Leaf) -> None:
    if len(evidence.body_salt) != SALT_SIZE or len(evidence.ciphertext_digest) != sha256().digest_size:
        raise Malformed("a salt and a digest are 32 bytes")
    covered = sha256(evidence.index_bytes).digest() + evidence.ciphertext_digest
    if not hmac.compare_digest(hmac.digest(evidence.body_salt, covered, "sha256"), leaf.body):
        raise NotVerified("the index row is not what was logged")
    if (evidence.shown is None) != (evidence.shown_salt is None):
        raise Malformed("what is shown comes with its salt")
    if evidence.shown is None or evidence.shown_salt is None:
        return
    if not hmac.compare_digest(shown_commitment(evidence.shown_salt, evidence.shown), shown_in(evidence.index_bytes)):
        raise NotVerified("what is shown is not what was logged")


def shown_in(index_bytes: bytes) -> bytes:
    """Read from an index row the commitment to what is shown of its entry; raise Malformed where it has none."""
    try:
        return bytes.fromhex(json.loads(index_bytes)["shown"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Malformed("the index row commits to nothing shown") from None


def _zipped(files: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as made:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _EARLIEST)
            member.create_system, member.external_attr = 3, 0o644 << 16
            made.writestr(member, files[name])
    return sink.getvalue()


def _files(content: bytes) -> dict[str, bytes]:
    """Read the members; nothing is written anywhere, and nothing unpacks to more than was handed in."""
    if len(content) > MAX_BYTES:
        raise Malformed("the package is too large")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as made:
            members = made.infolist()
            names = {member.filename for member in members}
            if len(names) != len(members) or names - {SHOWN} != ALWAYS:
                raise Malformed("the package has other files than a package has")
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise Malformed("the package is not as it was packed")
            if sum(member.file_size for member in members) > MAX_BYTES:
                raise Malformed("the package is too large")
            return {member.filename: made.read(member) for member in members}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, UnicodeError, ValueError):
        raise Malformed("the package is no ZIP file that can be read") from None
