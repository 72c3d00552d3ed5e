"""The heads that a checkpointer signed, or a witness cosigned, last: one small file of its own, outside any database.

Rules kept here:
- A head is on the disk before anybody is told of the signature that rests on it.
- A head never goes back, and never changes at the same size.
- A file that is missing, damaged, another key's, or held by another process is refused: whoever forgot what they
  signed would sign a fork. It is made only where that is asked for by name.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from audit.durable_file import replace_file
from audit.errors import StateRefused
from audit.merkle import HASH_SIZE

VERSION = 1


@dataclass(frozen=True, slots=True)
class KeptHead:
    """The largest head that was signed of one log; `frontier` is empty, and `at` 0, where its keeper needs none."""

    size: int
    root: bytes
    frontier: bytes = b""
    at: int = 0


class HeadsFile:
    """The file `path`, held by this process alone until `close`. `owner` names the key that the heads are signed by."""

    def __init__(self, path: Path, owner: str, *, new: bool = False) -> None:
        self._path = path
        self._owner = owner
        self._lock = _locked(path)
        try:
            if new and not path.exists():
                self._write({})
            self.heads()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process have the file."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def heads(self) -> dict[str, KeptHead]:
        """Read every head, by origin; raise StateRefused where the file cannot be believed."""
        try:
            document = json.loads(self._path.read_bytes())
            kept = document["kept"]
            if document["version"] != VERSION or document["digest"] != _digest(kept):
                raise StateRefused(f"{self._path}: the file is damaged")
            if kept["owner"] != self._owner:
                raise StateRefused(f"{self._path}: the file belongs to another key")
            return {origin: _read(head) for origin, head in kept["heads"].items()}
        except FileNotFoundError:
            raise StateRefused(f"{self._path}: there is no such file (a new key begins one with --new-state)") from None
        except OSError as error:
            raise StateRefused(f"{self._path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StateRefused(f"{self._path}: the file is damaged") from None

    def keep(self, origin: str, head: KeptHead) -> None:
        """Put a head on the disk, even if it is there already.

        Raises StateRefused for one that goes back, or where the disk fails: then it is not known which of the two heads
        the disk has, and nothing may be signed on the new one.
        """
        heads = self.heads()
        before = heads.get(origin)
        if before is not None and (
            head.size < before.size or (head.size == before.size and head.root != before.root) or head.at < before.at
        ):
            raise StateRefused("a head that was signed never goes back")
        self._write(heads | {origin: head})

    def _write(self, heads: Mapping[str, KeptHead]) -> None:
        kept = {"owner": self._owner, "heads": {origin: _written(head) for origin, head in sorted(heads.items())}}
        document = {"version": VERSION, "kept": kept, "digest": _digest(kept)}
        try:
            replace_file(self._path, json.dumps(document, indent=1).encode() + b"\n")
        except OSError as error:
            raise StateRefused(f"{self._path}: {error.strerror}") from error


def _locked(path: Path) -> int:
    """Take the lock beside the file; the file itself is replaced, so it cannot carry one."""
    try:
        handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateRefused(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StateRefused(f"{path}: another process holds the file") from None
    return handle


def _digest(kept: Any) -> str:
    """Digest the content, so that a flipped bit is seen."""
    return sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _written(head: KeptHead) -> dict[str, Any]:
    return asdict(head) | {"root": head.root.hex(), "frontier": head.frontier.hex()}


def _read(row: Mapping[str, Any]) -> KeptHead:
    head = KeptHead(int(row["size"]), bytes.fromhex(row["root"]), bytes.fromhex(row["frontier"]), int(row["at"]))
    if head.size < 0 or len(head.root) != HASH_SIZE:
        raise ValueError
    return head
