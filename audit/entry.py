"""One entry as the tree holds it: 115 public bytes that say nothing about anyone.

Layout, version 1, no separators and no options:

    offset  length  field
    0       1       version, 0x01
    1       2       kind, unsigned, big-endian; its meaning is the caller's
    3       16      eid, the entry's own id, random
    19      32      C_subject, commits to the subject's handle under the subject's key
    51      32      C_body, commits to the encrypted body and the index row
    83      32      C_actor, commits to the actor's handle under the actor's key

Kinds from 0xFF00 on are the log's own and about nobody. There is one, MAP_ROOT: in the place of C_subject it has the
root of the map (`audit/map.py`), in that of C_actor how many entries of this log the map covers (8 bytes, big-endian)
and 24 zero bytes; C_body commits as ever, to an index row that says when.

Rules kept here: no time, no place, no purpose in these bytes (they are public); a version that is not known is refused.
"""

import struct
from dataclasses import dataclass

from audit.errors import Malformed

VERSION = 1
EID_SIZE = 16
COMMITMENT_SIZE = 32
MAX_KIND = 0xFFFF
MAP_ROOT = 0xFF01
_LAYOUT = struct.Struct(">BH16s32s32s32s")
LEAF_SIZE = _LAYOUT.size
_EID = slice(3, 3 + EID_SIZE)


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry's public part, taken apart."""

    kind: int
    eid: bytes
    subject: bytes
    body: bytes
    actor: bytes

    def __post_init__(self) -> None:
        """Refuse fields that do not fit the layout."""
        if not 0 <= self.kind <= MAX_KIND or len(self.eid) != EID_SIZE:
            raise Malformed("a kind has 16 bits and an entry id 16 bytes")
        if any(len(value) != COMMITMENT_SIZE for value in (self.subject, self.body, self.actor)):
            raise Malformed("a commitment is 32 bytes")

    def to_bytes(self) -> bytes:
        """Write the leaf as the tree hashes it."""
        return _LAYOUT.pack(VERSION, self.kind, self.eid, self.subject, self.body, self.actor)

    @classmethod
    def from_bytes(cls, leaf: bytes) -> "Leaf":
        """Read a leaf; raise Malformed for another length or version."""
        if len(leaf) != LEAF_SIZE:
            raise Malformed("an entry is 115 bytes")
        version, kind, eid, subject, body, actor = _LAYOUT.unpack(leaf)
        if version != VERSION:
            raise Malformed("an entry of an unknown version")
        return cls(kind, eid, subject, body, actor)


def eid_of(leaf: bytes) -> bytes:
    """Read an entry's own id alone; raise Malformed for another length or version."""
    if len(leaf) != LEAF_SIZE or leaf[0] != VERSION:
        raise Malformed("an entry is 115 bytes, of a known version")
    return leaf[_EID]
