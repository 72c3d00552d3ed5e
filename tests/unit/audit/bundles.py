"""Bundles for tests, made from nothing but the log's own rules: no database, no broker."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from audit import base64_strict
from audit.bundle import FORMAT
from audit.checkpoint import Checkpoint
from audit.commitment import Party, SealedEntry, shown_commitment
from audit.map import NOTHING, Map
from audit.map_root import MapRoot
from audit.merkle import inclusion_proof, leaf_hash, tree_head
from audit.note import SigningKey
from tests.unit.audit.sealed import an_entry

ORIGIN = "log.example/korsbaek/2026"
KEY = SigningKey(ORIGIN, b"k" * 32)
MADE_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA, BO = Party(b"anna", b"a" * 32), Party(b"bo", b"b" * 32)
encode = base64_strict.encode


def shown_of(number: int) -> str:
    """Say what is shown of an entry."""
    return json.dumps({"event": "ask", "n": number, "unit": "Jobcenter Korsbæk"}, ensure_ascii=False)


class Town:
    """A log whose n-th entry is the n-th owner's, with its map, and whatever bundle one makes of it.

    `after` are entries that came after the epoch; `hidden` are places left out of the map, as a dishonest house might.
    """

    def __init__(
        self,
        *owners: Party,
        after: int = 0,
        age: timedelta = timedelta(0),
        year: int = 2026,
        hidden: tuple[int, ...] = (),
        origin: str = "",
    ) -> None:
        self.owners = owners
        self.origin = origin or f"log.example/korsbaek/{year}"
        self.entries: list[SealedEntry] = [an_entry(n, subject=owner) for n, owner in enumerate(owners)]
        self.map = Map()
        for number, (owner, entry) in enumerate(zip(owners, self.entries, strict=True)):
            if number not in hidden:
                self.map.add(owner.map_key(self.origin), leaf_hash(entry.leaf), self.committed(number))
        self.root = MapRoot(self.map.root(), len(owners)).sealed("korsbaek", year, MADE_AT - age, 0)
        self.entries += [self.root, *(an_entry(1000 + n) for n in range(after))]
        self.hashes = [leaf_hash(entry.leaf) for entry in self.entries]
        self.checkpoint = Checkpoint(self.origin, len(self.hashes), tree_head(self.hashes)).signed_by(KEY)

    def committed(self, number: int) -> bytes:
        """Commit to what is shown of an entry."""
        salt = self.owners[number].shown_salt(self.entries[number].eid)
        return shown_commitment(salt, shown_of(number).encode())

    def place(self, index: int) -> dict[str, Any]:
        """Prove an entry's place."""
        hashes = [encode(value) for value in inclusion_proof(self.hashes, index)]
        return {"index": index, "leaf": encode(self.entries[index].leaf), "hashes": hashes}

    def list_of(self, owner: Party, *without: int, deleted: tuple[int, ...] = ()) -> dict[str, Any]:
        """Lay out a person's list, perhaps without some entries, some with their content deleted."""
        proof = self.map.prove(owner.map_key(self.origin))
        mine = [n for n, one in enumerate(self.owners) if one == owner and n not in without]
        entries = []
        for number in mine:
            salt = owner.shown_salt(self.entries[number].eid)
            opened = {"shown": shown_of(number), "salt": encode(salt)}
            closed = {"committed": encode(self.committed(number))}
            entries.append({**self.place(number), **(closed if number in deleted else opened)})
        return {
            "key": encode(owner.map_key(self.origin)),
            "siblings": ["" if one == NOTHING else encode(one) for one in proof.siblings],
            "neighbours": [[encode(one.label), encode(one.value)] for one in proof.neighbours],
            "entries": entries,
        }

    def bundle(self, *lists: dict[str, Any]) -> dict[str, Any]:
        """Lay out a bundle of these lists."""
        index = len(self.owners)
        root = {**self.place(index), "row": self.root.index_bytes.decode(), "salt": encode(self.root.body_salt)}
        log = {"origin": self.origin, "checkpoint": self.checkpoint, "root": root, "lists": list(lists)}
        return {"format": FORMAT, "made_at": MADE_AT.isoformat(), "logs": [log]}


def a_stranger() -> Party:
    """Make somebody about whom nothing is on the log."""
    return Party(os.urandom(16), os.urandom(32))
