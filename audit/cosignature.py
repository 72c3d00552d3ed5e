"""Cosignatures (C2SP tlog-cosignature): a witness's dated word that a log only grew.

Rules kept here:
- What is signed says when: `cosignature/v1` over the whole note text (Ed25519), or `subtree/v1` over origin, size and
  root (ML-DSA-44, FIPS 204, which also binds the witness's name).
- A time beyond 63 bits is no time. How old or new a cosignature may be is for the reader's policy to say.
- A build of the cryptography library without ML-DSA refuses such keys by name, and nothing else changes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit import base64_strict, note
from audit.checkpoint import Checkpoint
from audit.errors import Malformed

ED25519, ML_DSA_44 = 0x04, 0x06
LATEST_TIME = 2**63 - 1
_PUBLIC_SIZES = {ED25519: 32, ML_DSA_44: 1312}
_SIGNATURE_SIZES = {ED25519: 64, ML_DSA_44: 2420}
_SEED_SIZE = 32
_TIME_SIZE = 8


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A witness's public key under its name; its text form is the vkey `name+id+base64(kind || key)`."""

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        """Refuse a name or key that no cosignature could carry."""
        note.check_name(self.name)
        if len(self.public) != _PUBLIC_SIZES.get(self.kind):
            raise Malformed("a witness's key is Ed25519 (kind 4, 32 bytes) or ML-DSA-44 (kind 6, 1312 bytes)")

    @classmethod
    def from_text(cls, vkey: str) -> "CosignerKey":
        """Read a vkey; raise Malformed unless its id belongs to its name and key."""
        kind = note.kind_of(vkey)
        name, key_id, public = note.split_key(vkey.strip(), kind, _PUBLIC_SIZES.get(kind, 0))
        key = cls(name, kind, public)
        if key.key_id.hex() != key_id:
            raise Malformed("the key's id does not belong to its name and bytes")
        return key

    @property
    def key_id(self) -> bytes:
        """Give the four bytes that tell this key from others of its name."""
        return note.key_id_of(self.name, self.kind, self.public)

    def __str__(self) -> str:
        """Write the vkey."""
        return f"{self.name}+{self.key_id.hex()}+{base64_strict.encode(bytes((self.kind,)) + self.public)}"

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Tell whether a line's dated signature over a checkpoint's text is this key's."""
        if len(signature) != _TIME_SIZE + _SIGNATURE_SIZES[self.kind] or time_of(signature) > LATEST_TIME:
            return False
        try:
            message = _message(self.kind, self.name, text.decode(), time_of(signature))
            _public(self.kind, self.public).verify(signature[_TIME_SIZE:], message)
        except (InvalidSignature, ValueError, Malformed, UnsupportedAlgorithm):
            return False
        return True


class Cosigning(Protocol):
    """A private key of a witness, wherever it lies: it cosigns, and never shows itself."""

    @property
    def key(self) -> CosignerKey:
        """Give the public half."""

    def cosign(self, text: str, at: int) -> str:
        """Sign a checkpoint's text as seen at a moment; raise SignerUnavailable where the key cannot be reached."""


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's private key; its text form is `PRIVATE+KEY+name+id+base64(kind || seed)`."""

    name: str
    kind: int
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a name, kind or seed that nothing could be cosigned with."""
        note.check_name(self.name)
        if self.kind not in _PUBLIC_SIZES or len(self.seed) != _SEED_SIZE:
            raise Malformed("a witness's seed is 32 bytes, of kind 4 (Ed25519) or 6 (ML-DSA-44)")

    @classmethod
    def generate(cls, name: str, kind: int = ED25519) -> "Cosigner":
        """Make a new key from the system's randomness."""
        return cls(name, kind, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_text(cls, skey: str) -> "Cosigner":
        """Read the private text form; raise Malformed unless its id belongs to its name and key."""
        prefix, _, rest = skey.strip().partition("PRIVATE+KEY+")
        if prefix:
            raise Malformed("not a witness's private key")
        kind = note.kind_of(rest)
        name, key_id, seed = note.split_key(rest, kind, _SEED_SIZE)
        cosigner = cls(name, kind, seed)
        if cosigner.key.key_id.hex() != key_id:
            raise Malformed("the key's id does not belong to its name and bytes")
        return cosigner

    @property
    def key(self) -> CosignerKey:
        """Give the public half; raise Malformed where the library lacks ML-DSA."""
        return CosignerKey(self.name, self.kind, _private(self.kind, self.seed).public_key().public_bytes_raw())

    def secret_text(self) -> str:
        """Write the private text form: the secret itself, for a key file."""
        secret = base64_strict.encode(bytes((self.kind,)) + self.seed)
        return f"PRIVATE+KEY+{self.name}+{self.key.key_id.hex()}+{secret}"

    def cosign(self, text: str, at: int) -> str:
        """Sign a checkpoint's text as seen at a moment (POSIX seconds), and write the line that goes below it."""
        return dated_line(self.key, text, at, _private(self.kind, self.seed).sign)


def dated_line(key: CosignerKey, text: str, at: int, sign: Callable[[bytes], bytes]) -> str:
    """Write the line that goes below a checkpoint, signed by whoever holds the key's private half."""
    if not 0 <= at <= LATEST_TIME:
        raise Malformed("a cosignature's time has 63 bits")
    signature = sign(_message(key.kind, key.name, text, at))
    return note.signature_line(key.name, key.key_id, at.to_bytes(_TIME_SIZE, "big") + signature)


def time_of(signature: bytes) -> int:
    """Read when a cosignature says it was made (POSIX seconds)."""
    return int.from_bytes(signature[:_TIME_SIZE], "big")


def has_ml_dsa() -> bool:
    """Tell whether the cryptography library here can do ML-DSA-44."""
    try:
        _private(ML_DSA_44, bytes(_SEED_SIZE))
    except Malformed:
        return False
    return True


def _message(kind: int, name: str, text: str, at: int) -> bytes:
    """Write what is signed (tlog-cosignature, Ed25519 and ML-DSA-44 signed message)."""
    if kind == ED25519:
        return f"cosignature/v1\ntime {at}\n{text}".encode()
    checkpoint = Checkpoint.from_text(text)
    return b"".join(
        (
            b"subtree/v1\n\0",
            _counted(name),
            at.to_bytes(8, "big"),
            _counted(checkpoint.origin),
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _counted(text: str) -> bytes:
    encoded = text.encode()
    if not 1 <= len(encoded) <= 255:
        raise Malformed("a name that ML-DSA signs has 1 to 255 bytes")
    return bytes((len(encoded),)) + encoded


def _private(kind: int, seed: bytes) -> Any:
    if kind == ED25519:
        return Ed25519PrivateKey.from_private_bytes(seed)
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey  # noqa: PLC0415 - may be lacking

        return MLDSA44PrivateKey.from_seed_bytes(seed)
    except (ImportError, UnsupportedAlgorithm):
        raise Malformed("the cryptography library here has no ML-DSA-44") from None


def _public(kind: int, public: bytes) -> Any:
    if kind == ED25519:
        return Ed25519PublicKey.from_public_bytes(public)
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415 - may be lacking

        return MLDSA44PublicKey.from_public_bytes(public)
    except ImportError:
        raise Malformed("the cryptography library here has no ML-DSA-44") from None
