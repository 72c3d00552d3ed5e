"""What an entry commits to, and how its body is sealed for one citizen.

Rules kept here (docs/decisions/0010-what-the-body-commitment-covers.md):
- C_subject and C_actor are HMACs of a random handle under a key of that party and that entry; so they also commit to
  the party's key, and two entries of one party do not look alike.
- The body is encrypted under a key of the subject and the entry, so that destroying the subject's key makes all their
  bodies unreadable, in old backups too.
- C_body covers the index row and the encrypted body, under a random salt stored beside them: whoever holds the
  database can check every row without any party's key.
"""

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from audit.entry import Leaf, eid_of
from audit.errors import Malformed, NotVerified, Unreadable

KEY_SIZE = 32
SALT_SIZE = 32
NONCE_SIZE = 12
_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_MOST = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Party:
    """Someone an entry is about or by: a random handle and a secret key of their own; the system has one too."""

    handle: bytes = field(repr=False)
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse an empty handle and a short key."""
        if not self.handle or len(self.key) != KEY_SIZE:
            raise ValueError("a party has a handle and a key of 32 bytes")

    def commit(self, eid: bytes, role: str) -> bytes:
        """Commit to this party's handle, and to their key, in one role of one entry."""
        return hmac.digest(derive_key(self.key, eid, role), self.handle, "sha256")

    def map_key(self, origin: str) -> bytes:
        """Give the key under which this party stands in one log's map (`audit/map.py`)."""
        return derive_key(self.key, origin.encode(), "map")

    def shown_salt(self, eid: bytes) -> bytes:
        """Give the salt that opens the commitment to what this party is shown of an entry of theirs."""
        return derive_key(self.key, eid, "shown")

    def placed(self, index: Mapping[str, Any], origin: str, eid: bytes, shown: bytes) -> dict[str, Any]:
        """Add to an index row where its entry stands in the map, and what its party will be shown of it."""
        return {
            **index,
            "map": self.map_key(origin).hex(),
            "shown": shown_commitment(self.shown_salt(eid), shown).hex(),
        }


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """A whole entry, ready to append: public leaf, encrypted body, its salt, and the index row as canonical JSON."""

    leaf: bytes
    ciphertext: bytes = field(repr=False)
    body_salt: bytes = field(repr=False)
    index_bytes: bytes = field(repr=False)

    @property
    def eid(self) -> bytes:
        """Give the entry's own id."""
        return eid_of(self.leaf)


def derive_key(party_key: bytes, eid: bytes, role: str) -> bytes:
    """Derive the key of one party for one role in one entry (HKDF-SHA-256, RFC 5869)."""
    return HKDF(SHA256(), KEY_SIZE, salt=None, info=eid + role.encode()).derive(party_key)


def canonical(index: Mapping[str, Any]) -> bytes:
    """Write an index row as canonical JSON (RFC 8785), the bytes that are stored and committed to.

    It holds text, whole numbers of 53 bits, yes, no, nothing, and lists and objects of these whose names are ASCII: for
    those the plain writer's form is the canonical one. Raises Malformed for anything else, such as fractions, which
    databases and languages write differently, and for what the database cannot hold; the message repeats nothing of it.
    """
    row = {**index}
    if not _is_plain(row):
        raise Malformed("the index row cannot be written as canonical JSON")
    try:
        written = _WRITER.encode(row).encode()
    except UnicodeEncodeError:
        raise Malformed("the index row cannot be written as canonical JSON") from None
    if b"\\u0000" in written:
        raise Malformed("the index row holds a NUL character")
    return written


def body_commitment(body_salt: bytes, index_bytes: bytes, ciphertext: bytes) -> bytes:
    """Commit to an index row and an encrypted body together: C_body."""
    covered = sha256(index_bytes).digest() + sha256(ciphertext).digest()
    return hmac.digest(body_salt, covered, "sha256")


def shown_commitment(salt: bytes, shown: bytes) -> bytes:
    """Commit to what an entry's party is shown of it."""
    return hmac.digest(salt, shown, "sha256")


def body_digest(body_salt: bytes, ciphertext: bytes) -> bytes:
    """Digest the body row alone, kept with the index row: tells which of the two was changed, should one be."""
    return sha256(body_salt + ciphertext).digest()


def seal(*, eid: bytes, kind: int, subject: Party, actor: Party, body: bytes, index: Mapping[str, Any]) -> SealedEntry:
    """Make a whole entry: encrypt the body for its subject and commit to subject, body, index row and actor.

    Raises Malformed for a kind, id or index row that does not fit. An entry without a citizen has the system as its
    subject. Sealing twice gives two different entries; a retry must hand in the first one again.
    """
    nonce, salt = os.urandom(NONCE_SIZE), os.urandom(SALT_SIZE)
    ciphertext = nonce + AESGCM(derive_key(subject.key, eid, "enc")).encrypt(nonce, body, eid)
    index_bytes = canonical(index)
    leaf = Leaf(
        kind=kind,
        eid=eid,
        subject=subject.commit(eid, "subject"),
        body=body_commitment(salt, index_bytes, ciphertext),
        actor=actor.commit(eid, "actor"),
    )
    return SealedEntry(leaf.to_bytes(), ciphertext, salt, index_bytes)


def check_rows(entry: SealedEntry) -> Leaf:
    """Check body and index row against the leaf without any key; raise NotVerified where they differ."""
    leaf = Leaf.from_bytes(entry.leaf)
    expected = body_commitment(entry.body_salt, entry.index_bytes, entry.ciphertext)
    if not hmac.compare_digest(expected, leaf.body):
        raise NotVerified("body or index row do not match their commitment")
    return leaf


def check_subject(leaf: Leaf, subject: Party) -> None:
    """Check that an entry is about this party; raise NotVerified where it is not."""
    if not hmac.compare_digest(subject.commit(leaf.eid, "subject"), leaf.subject):
        raise NotVerified("the entry is not about this party")


def check_actor(leaf: Leaf, actor: Party) -> None:
    """Check that an entry was made by this party; raise NotVerified where it was not."""
    if not hmac.compare_digest(actor.commit(leaf.eid, "actor"), leaf.actor):
        raise NotVerified("the entry is not by this party")


def open_body(entry: SealedEntry, subject: Party) -> bytes:
    """Check an entry's rows and subject, then decrypt its body.

    Raises Malformed or NotVerified where the entry does not hold, Unreadable where the body does not open.
    """
    leaf = check_rows(entry)
    check_subject(leaf, subject)
    nonce, encrypted = entry.ciphertext[:NONCE_SIZE], entry.ciphertext[NONCE_SIZE:]
    try:
        return AESGCM(derive_key(subject.key, leaf.eid, "enc")).decrypt(nonce, encrypted, leaf.eid)
    except (InvalidTag, ValueError):
        raise Unreadable("the body does not open under this key") from None


def _is_plain(value: object) -> bool:
    """Tell whether the plain writer's form of a value is RFC 8785's."""
    if value is None or isinstance(value, str | bool):
        return True
    if isinstance(value, int):
        return -_MOST <= value <= _MOST
    if isinstance(value, dict):
        # Beyond ASCII, RFC 8785 orders names by UTF-16 and the writer by code point.
        return all(isinstance(name, str) and name.isascii() for name in value) and all(map(_is_plain, value.values()))
    return isinstance(value, list | tuple) and all(map(_is_plain, value))
