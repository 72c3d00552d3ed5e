"""Proof files (c2sp.org/tlog-proof@v1): entry index, inclusion proof and checkpoint in one text to keep."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit import base64_strict
from audit.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint
from audit.errors import Malformed, NotVerified
from audit.merkle import HASH_SIZE, inclusion_holds, leaf_hash
from audit.note import MAX_BYTES, VerifyKey

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's place in a log, proved against a signed checkpoint; `extra` is not covered by the proof."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def to_text(self) -> str:
        """Write the proof file."""
        extra = [] if self.extra is None else [f"extra {base64_strict.encode(self.extra)}"]
        hashes = [base64_strict.encode(value) for value in self.hashes]
        return "\n".join([HEADER, *extra, f"index {self.index}", *hashes, "", self.checkpoint])

    @classmethod
    def from_text(cls, text: str) -> "Proof":
        """Read a proof file; raise Malformed where a line is not what the format says."""
        above, separator, checkpoint = text.partition("\n\n")
        if len(text) > MAX_BYTES or not separator or not checkpoint:
            raise Malformed("a proof is a head, an empty line and a checkpoint")
        header, *lines = above.split("\n")
        if header != HEADER:
            raise Malformed("not a tlog-proof@v1")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = base64_strict.decode(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index "):
            raise Malformed("the proof names no index")
        index = _read_index(lines.pop(0).removeprefix("index "))
        hashes = tuple(base64_strict.decode(line) for line in lines)
        if len(hashes) > MAX_HASHES or any(len(value) != HASH_SIZE for value in hashes):
            raise Malformed("a proof holds at most 63 hashes of 32 bytes")
        return cls(index, hashes, checkpoint, extra)

    def verify(self, leaf: bytes, origin: str, keys: Sequence[VerifyKey]) -> Checkpoint:
        """Check that an entry's bytes stand at the index under a checkpoint one of these keys signed.

        Raises Malformed or NotVerified; gives the checkpoint that was believed.
        """
        checkpoint = open_checkpoint(self.checkpoint, origin, keys)
        if not inclusion_holds(self.index, checkpoint.size, leaf_hash(leaf), self.hashes, checkpoint.root):
            raise NotVerified("the entry is not in the log at this index")
        return checkpoint


def _read_index(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or (text != "0" and text[0] == "0"):
        raise Malformed("an index is a plain decimal number")
    index = int(text)
    if index > MAX_SIZE:
        raise Malformed("an index has at most 63 bits")
    return index
