"""Signed notes (C2SP signed-note v1): text that carries its signatures; here the Ed25519 signature of a log itself.

Rules kept here:
- Signatures by unknown keys are ignored; one bad signature by a known key rejects the whole note; without a good
  signature by a known key there is no note.
- A key is known by name and id together, and the id binds the name to the key.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit import base64_strict
from audit.errors import Malformed, NotVerified

ED25519 = 0x01
MAX_BYTES = 1_000_000
MAX_SIGNATURES = 100
_KEY_SIZE = 32


class Verifier(Protocol):
    """A public key that a signature line of a note can be held against."""

    @property
    def name(self) -> str:
        """Give the name that the key signs under."""

    @property
    def key_id(self) -> bytes:
        """Give the four bytes that tell this key from others of its name."""

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Tell whether a line's signature over a note's text is this key's."""


class Signer(Protocol):
    """A private key of a log, wherever it lies: it signs, and never shows itself."""

    @property
    def name(self) -> str:
        """Give the name that the key signs under."""

    @property
    def verify_key(self) -> "VerifyKey":
        """Give the public half."""

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519 (RFC 8032); raise SignerUnavailable where the key cannot be reached."""


Known = TypeVar("Known", bound=Verifier)


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public key under a name; its text form is the vkey `name+id+base64(0x01 || key)`."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        """Refuse a name or a key that no note could carry."""
        check_name(self.name)
        if len(self.public) != _KEY_SIZE:
            raise Malformed("an Ed25519 public key is 32 bytes")

    @classmethod
    def from_text(cls, vkey: str) -> "VerifyKey":
        """Read a vkey; raise Malformed unless its id belongs to its name and key."""
        name, key_id, key = split_key(vkey.strip(), ED25519)
        verify_key = cls(name, key)
        if verify_key.key_id.hex() != key_id:
            raise Malformed("the key's id does not belong to its name and bytes")
        return verify_key

    @property
    def key_id(self) -> bytes:
        """Give the four bytes that tell this key from others of its name."""
        return key_id_of(self.name, ED25519, self.public)

    def __str__(self) -> str:
        """Write the vkey."""
        return f"{self.name}+{self.key_id.hex()}+{base64_strict.encode(bytes((ED25519,)) + self.public)}"

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Tell whether a signature over these bytes is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key under a name; its text form is the skey `PRIVATE+KEY+name+id+base64(0x01 || seed)`."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a name or a seed that no note could be signed with."""
        check_name(self.name)
        if len(self.seed) != _KEY_SIZE:
            raise Malformed("an Ed25519 seed is 32 bytes")

    @classmethod
    def generate(cls, name: str) -> "SigningKey":
        """Make a new key from the system's randomness."""
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_text(cls, skey: str) -> "SigningKey":
        """Read an skey; raise Malformed unless its id belongs to its name and key."""
        prefix, _, rest = skey.strip().partition("PRIVATE+KEY+")
        if prefix:
            raise Malformed("not a signing key")
        name, key_id, seed = split_key(rest, ED25519)
        signing_key = cls(name, seed)
        if signing_key.verify_key.key_id.hex() != key_id:
            raise Malformed("the key's id does not belong to its name and bytes")
        return signing_key

    @property
    def verify_key(self) -> VerifyKey:
        """Give the public half."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return VerifyKey(self.name, private.public_key().public_bytes_raw())

    def secret_text(self) -> str:
        """Write the skey: the secret itself, for a key file."""
        secret = base64_strict.encode(bytes((ED25519,)) + self.seed)
        return f"PRIVATE+KEY+{self.name}+{self.verify_key.key_id.hex()}+{secret}"

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519 (RFC 8032)."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line as it was found: whose it claims to be, and its bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note as read: its text and every signature line, verified or not."""

    text: str
    signatures: tuple[Signature, ...]


def sign(text: str, keys: Sequence[Signer]) -> str:
    """Write a text with one signature a key; raise Malformed where the text is no note text."""
    if not text.endswith("\n") or text == "\n" or not _is_plain(text):
        raise Malformed("a note's text ends in a newline and holds no other control characters")
    if not keys:
        raise ValueError("a note needs at least one signature")
    lines = (signature_line(key.name, key.verify_key.key_id, key.sign(text.encode())) for key in keys)
    return text + "\n" + "".join(lines)


def signature_line(name: str, key_id: bytes, signature: bytes) -> str:
    """Write the line that carries a signature below a note."""
    return f"— {name} {base64_strict.encode(key_id + signature)}\n"


def read(signed: str) -> Note:
    """Take a signed note apart without believing it; raise Malformed where it is no note."""
    if not _is_plain(signed) or len(signed.encode()) > MAX_BYTES:
        raise Malformed("the note is too long or holds control characters")
    text, separator, below = signed.rpartition("\n\n")
    if not separator or not text or not below.endswith("\n"):
        raise Malformed("a note is a text, an empty line and signature lines")
    lines = below[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Malformed("the note has too many signatures")
    return Note(text + "\n", tuple(_read_line(line) for line in lines))


def open_note(signed: str, known: Sequence[Known]) -> tuple[str, tuple[Known, ...]]:
    """Give the text of a note and the known keys that signed it.

    Raises Malformed where it is no note, NotVerified where a known key's signature is bad or none is there.
    """
    note = read(signed)
    by_identity = {(key.name, key.key_id): key for key in known}
    good: list[Known] = []
    for line in note.signatures:
        key = by_identity.get((line.name, line.key_id))
        if key is None or key in good:
            continue  # Unknown keys are ignored (signed-note, Signatures); a repeated line adds nothing.
        if not key.verifies(note.text.encode(), line.signature):
            raise NotVerified("a signature by a known key does not hold")
        good.append(key)
    if not good:
        raise NotVerified("no known key has signed this note")
    return note.text, tuple(good)


def _read_line(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, space, encoded = rest.partition(" ")
    if dash != "—" or not space:
        raise Malformed("a signature line is a dash, a name and a signature")
    check_name(name)
    value = base64_strict.decode(encoded)
    if len(value) <= 4:
        raise Malformed("a signature line without a signature")
    return Signature(name, value[:4], value[4:])


def key_id_of(name: str, kind: int, public: bytes) -> bytes:
    """Compute a key's id from its name, kind of signature and public bytes (signed-note, Signatures)."""
    return sha256(name.encode() + b"\n" + bytes((kind,)) + public).digest()[:4]


def kind_of(key: str) -> int:
    """Tell what kind of signature a key in its text form makes; raise Malformed where it is none."""
    encoded = key.strip().removeprefix("PRIVATE+KEY+").partition("+")[2].partition("+")[2]
    typed = base64_strict.decode(encoded)
    if not typed:
        raise Malformed("a key without bytes")
    return typed[0]


def split_key(text: str, kind: int, size: int = _KEY_SIZE) -> tuple[str, str, bytes]:
    """Take a key's text apart into name, id and bytes; raise Malformed unless it is of this kind and size."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    if len(key_id) != 8 or any(c not in "0123456789abcdef" for c in key_id):
        raise Malformed("not a key: name, id and bytes are parted by plus signs")
    typed = base64_strict.decode(encoded)
    if len(typed) != 1 + size or typed[0] != kind:
        raise Malformed("not a key of the wanted kind and size")
    return name, key_id, typed[1:]


def check_name(name: str) -> None:
    """Raise Malformed for a name that no note could carry."""
    if not name or "+" in name or any(c.isspace() for c in name) or not _is_plain(name):
        raise Malformed("a key's name is not empty and holds no space, plus or control character")


def _is_plain(text: str) -> bool:
    # Lone surrogates are no UTF-8 and have no place in a note.
    return all(c == "\n" or " " <= c < "\ud800" or c > "\udfff" for c in text)
