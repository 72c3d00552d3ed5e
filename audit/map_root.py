"""The root of a map as an entry of the log itself: public, about nobody, and signed and witnessed like any entry."""

import os
from dataclasses import dataclass
from datetime import datetime

from audit.commitment import SALT_SIZE, SealedEntry, body_commitment, canonical
from audit.entry import EID_SIZE, MAP_ROOT, Leaf
from audit.errors import Malformed
from audit.merkle import HASH_SIZE

# The index row's word for it.
KIND = "map"
_COUNT_SIZE = 8


@dataclass(frozen=True, slots=True)
class MapRoot:
    """A map's root, and how many entries of the log the map covers."""

    root: bytes
    covered: int

    def sealed(self, tenant: str, year: int, at: datetime, kept_back: int) -> SealedEntry:
        """Write the entry.

        Its index row says whose log of which year it is, when, and how many of the entries that are covered the law has
        kept back from their party for a time.
        """
        index = canonical(
            {
                "at": int(at.timestamp()),
                "covered": self.covered,
                "kept_back": kept_back,
                "kind": KIND,
                "municipality": tenant,
                "year": year,
            }
        )
        salt = os.urandom(SALT_SIZE)
        covered = self.covered.to_bytes(_COUNT_SIZE, "big")
        leaf = Leaf(
            kind=MAP_ROOT,
            eid=os.urandom(EID_SIZE),
            subject=self.root,
            body=body_commitment(salt, index, b""),
            actor=covered + bytes(HASH_SIZE - _COUNT_SIZE),
        )
        return SealedEntry(leaf.to_bytes(), b"", salt, index)

    @classmethod
    def from_leaf(cls, packed: bytes) -> "MapRoot":
        """Read the public part; raise Malformed where it is no map root."""
        leaf = Leaf.from_bytes(packed)
        if leaf.kind != MAP_ROOT or any(leaf.actor[_COUNT_SIZE:]):
            raise Malformed("the entry is no root of a map")
        return cls(leaf.subject, int.from_bytes(leaf.actor[:_COUNT_SIZE], "big"))

    @staticmethod
    def body_of(packed: bytes) -> bytes:
        """Give the commitment to what a root says of itself."""
        return Leaf.from_bytes(packed).body


def is_map_root(packed: bytes) -> bool:
    """Tell whether a leaf is a map's root, which is about nobody and stands in no map."""
    return Leaf.from_bytes(packed).kind == MAP_ROOT
