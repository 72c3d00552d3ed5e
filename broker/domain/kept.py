"""What an outcome keeps so that its decision can be replayed: the question, packed, and a hash of the whole answer.

Rules kept here:
- The same question and the same verdicts give the same bytes for ever: a field that a verdict gets later is written
  only where it says something, or no decision of before could be replayed (P10).
- What is unpacked is bounded before it is believed: a packed question may have been written by anybody.
"""

from __future__ import annotations

import binascii
import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from broker.domain.decisions import Verdict

# Speed before size: a question shrinks to a fifth either way, and every ask waits for this.
LEVEL = 1
MOST_BYTES = 4 * 1024 * 1024


class NoQuestion(ValueError):
    """What was kept is not a packed question. Says nothing of what it is."""

    def __init__(self) -> None:
        super().__init__("not a packed question")


def canonical(question: Mapping[str, Any]) -> bytes:
    """Write a question as canonical JSON: members sorted, no spaces, UTF-8."""
    return orjson.dumps(question, option=orjson.OPT_SORT_KEYS)


def digest(content: bytes) -> str:
    """Name bytes by their SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def packed(content: bytes) -> str:
    """Pack a canonical question: zlib (RFC 1950), then base64, so that it is one string in a body."""
    return b64encode(zlib.compress(content, LEVEL)).decode("ascii")


def unpacked(text: str) -> bytes:
    """Give the canonical question that was packed; raise `NoQuestion` for anything else, or for more than 4 MiB."""
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(b64decode(text, validate=True), MOST_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        raise NoQuestion from None
    if not unpacker.eof or unpacker.unused_data:
        raise NoQuestion
    return content


def decided(verdicts: Iterable[Verdict]) -> str:
    """Name a whole decision by one SHA-256 over its verdicts, in key order."""
    rows = [
        (v.key, v.outcome, v.basis, v.reasons, v.shown, v.masks, v.missing, v.own, *([v.periods] if v.periods else []))
        for v in sorted(verdicts, key=lambda verdict: verdict.key)
    ]
    return digest(orjson.dumps(rows, option=orjson.OPT_SORT_KEYS))
