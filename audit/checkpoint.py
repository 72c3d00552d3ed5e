"""Checkpoints (C2SP tlog-checkpoint): the head of a log as a signed note.

Rules kept here:
- Origin, size and root are written in one way only; what reads differently is refused.
- A checkpoint is believed only when the log's own key, known beforehand, has signed it.
- We write no extension lines (not recommended: monitors cannot audit them) and keep those that others wrote.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audit import base64_strict, note
from audit.errors import Malformed, NotVerified
from audit.merkle import HASH_SIZE

MAX_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How large a log is and what its root is; unsigned, so worth nothing by itself."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be written and read back as the same checkpoint."""
        lines = (self.origin, *self.extensions)
        if any(not line or any(c < " " for c in line) for line in lines):
            raise Malformed("origin and extension lines are not empty and hold no control characters")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise Malformed("a checkpoint has a size of at most 63 bits and a root of 32 bytes")

    def to_text(self) -> str:
        """Write the note text: origin, size, root, extension lines."""
        lines = (self.origin, str(self.size), base64_strict.encode(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_text(cls, text: str) -> "Checkpoint":
        """Read a note text; raise Malformed unless `to_text` would write the very same."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:
            raise Malformed("a checkpoint has at least three lines")
        origin, size, root, *extensions = lines[:-1]
        return cls(origin, read_size(size), base64_strict.decode(root), tuple(extensions))

    def signed_by(self, *keys: note.Signer) -> str:
        """Write the signed note."""
        return note.sign(self.to_text(), keys)


def read_size(text: str) -> int:
    """Read a tree's size as it must be written: decimal, no leading zero, at most 63 bits; raise Malformed."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or (text != "0" and text[0] == "0"):
        raise Malformed("a size is a plain decimal number")
    size = int(text)
    if size > MAX_SIZE:
        raise Malformed("a size has at most 63 bits")
    return size


def read_unverified(signed: str) -> Checkpoint:
    """Read what a signed note claims, believing nothing; raise Malformed where it is no checkpoint."""
    return Checkpoint.from_text(note.read(signed).text)


def open_checkpoint(signed: str, origin: str, keys: Sequence[note.VerifyKey]) -> Checkpoint:
    """Read a checkpoint of this origin that one of these keys has signed.

    Raises Malformed, or NotVerified for a missing or bad signature or another log's origin.
    """
    text, _ = note.open_note(signed, keys)
    checkpoint = Checkpoint.from_text(text)
    if checkpoint.origin != origin:
        raise NotVerified("the checkpoint is another log's")
    return checkpoint
