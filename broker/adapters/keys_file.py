"""The house's own secrets, in one file that only its owner may read.

Rules kept here:
- A file that others may read or write, that is not a plain file, or whose keys are not whole, is refused.
- No key shows itself in a `repr`, and no message repeats what the file holds.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass, field, fields
from pathlib import Path

KEY_SIZE = 32
OTHERS = 0o077


class KeyFileRefused(Exception):
    """The key file cannot be used; the message says why in one line and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class HouseKeys:
    """Three secrets of 32 bytes: one wraps the citizens' keys, one digests numbers, one digests repeated requests."""

    wrapping: bytes = field(repr=False)
    pepper: bytes = field(repr=False)
    requests: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if any(len(getattr(self, part.name)) != KEY_SIZE for part in fields(self)):
            raise KeyFileRefused("the key file does not hold three keys of 32 bytes")


def new_house_keys() -> HouseKeys:
    """Draw fresh keys."""
    return HouseKeys(*(secrets.token_bytes(KEY_SIZE) for _ in fields(HouseKeys)))


def write_house_keys(path: Path, keys: HouseKeys) -> None:
    """Write a new key file for its owner alone; raise `FileExistsError` rather than replace one."""
    text = json.dumps({part.name: b64encode(getattr(keys, part.name)).decode() for part in fields(HouseKeys)})
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_house_keys(path: Path) -> HouseKeys:
    """Read the key file; raise `KeyFileRefused` when it is missing, open to others or not whole."""
    try:
        with path.open(encoding="ascii") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_mode & OTHERS:
                raise KeyFileRefused("the key file must be a plain file that only its owner may read (mode 0600)")
            held = json.load(file)
        return HouseKeys(*(b64decode(held[part.name], validate=True) for part in fields(HouseKeys)))
    except OSError as error:
        raise KeyFileRefused(f"the key file cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, NotBase64):
        raise KeyFileRefused("the key file is not the JSON that `broker keys new` writes") from None
