"""Canaries: values that stand in one place alone, every guise a copy of one may wear, and the search for all of them.

A canary is planted in a text field of a record. Whoever then finds it, or its hash, elsewhere has found a copy.
The search finds each guise at every offset of any bytes, also inside gzip and zlib streams lying anywhere in them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import string
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# What a record is tied together by: renamed alike wherever it stands.
TIES = frozenset(
    {"id", "Id", "SagId", "borgerId", "sagsnr", "indsatsnr", "plannr", "udredningsnr", "oplysningsnr", "elevnr"}
    | {"loebenr", "reference"}
)
LETTERS, DIGITS = 18, 14
_CPR = re.compile(r"\d{6}-?\d{4}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T.*)?|\d\d:\d\d")
_NUMBERS = re.compile(r"[\d .,+-]+")
# A window of eight bytes is looked up at every offset, so every guise is at least that long.
_WINDOW = 8
_ZEROS = re.compile(rb"\0{64,}")
# What a hurried hand would key a hash with, and what it would write before a number.
GUESSABLE_KEYS = (b"", b"key", b"secret", b"pepper", b"salt", b"cpr", b"citizen", b"borgerbro")
PREFIXES = ("", "citizen:", "cpr:")
HASHES = ("sha256", "sha1", "md5", "sha512", "sha3_256", "blake2b", "blake2s")
# Where a gzip (RFC 1952) or zlib (RFC 1950) stream may begin.
_STREAM = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_MOST_PACKED, _MOST_UNPACKED, _DEEPEST = 1 << 20, 1 << 22, 2


@dataclass(frozen=True, slots=True)
class Canary:
    """One planted value: in which field, the part that stands nowhere else, and the whole text of the field."""

    where: str
    token: str
    value: str


class Hit(NamedTuple):
    """A canary that was found: which, and in which guise."""

    where: str
    guise: str


@dataclass(slots=True)
class Flock:
    """All canaries of one play."""

    canaries: list[Canary] = field(default_factory=list)

    def word(self, where: str, before: str = "") -> str:
        """Give a new text that ends in a canary of letters."""
        token = "".join(secrets.choice(string.ascii_lowercase) for _ in range(LETTERS))
        return self._kept(where, token, f"{before} {token}".strip())

    def number(self, where: str) -> str:
        """Give a new text that is a canary of digits."""
        token = "".join(secrets.choice(string.digits) for _ in range(DIGITS))
        return self._kept(where, token, token)

    def known(self, where: str, value: str) -> None:
        """Count a value that stands already, such as a CPR number."""
        self._kept(where, value, value)

    def plant(self, records: Any, where: str, *, spared: AbstractSet[str], times: bool) -> Any:
        """Give records with a canary in every text field, but those spared by name or text, and numbers of persons.

        Without `times`, days and times of day stay as they are. What ties records together is renamed alike.
        """
        return _Planting(self, spared, times).through(records, where, "")

    def in_texts(self, texts: Iterable[str]) -> set[str]:
        """Tell which canaries stand in these texts."""
        told = "\n".join(texts)
        return {canary.where for canary in self.canaries if canary.token in told}

    def _kept(self, where: str, token: str, value: str) -> str:
        self.canaries.append(Canary(where, token, value))
        return value


@dataclass(slots=True)
class _Planting:
    flock: Flock
    spared: AbstractSet[str]
    times: bool
    ties: dict[str, str] = field(default_factory=dict)

    def through(self, value: Any, where: str, name: str) -> Any:
        match value:
            case dict():
                return {key: self.through(inner, f"{where}.{key}", key) for key, inner in value.items()}
            case list():
                return [self.through(inner, f"{where}.{place}", name) for place, inner in enumerate(value)]
            case str():
                return self._text(value, where, name)
        return value

    def _text(self, text: str, where: str, name: str) -> str:
        if name in TIES:
            before, _, own = text.rpartition("/")
            self.ties[own] = self.ties.get(own) or self.flock.word(where)
            return f"{before}/{self.ties[own]}" if before else self.ties[own]
        if _CPR.fullmatch(text) or name in self.spared or text in self.spared:
            return text
        if not self.times and _TIME.fullmatch(text):
            return text
        if _NUMBERS.fullmatch(text) and not _TIME.fullmatch(text):
            return self.flock.number(where)
        return self.flock.word(where, text)


def guises(text: str) -> Iterator[tuple[str, bytes]]:
    """Give what a text looks like when it is written down in another way."""
    raw = text.encode()
    yield "utf-8", raw
    yield "utf-16-le", text.encode("utf-16-le")
    yield "utf-16-be", text.encode("utf-16-be")
    yield "utf-32-le", text.encode("utf-32-le")
    yield "backwards", raw[::-1]
    yield "base32", base64.b32encode(raw)[: len(raw) * 8 // 5]
    yield "base85", base64.b85encode(raw)[: len(raw) // 4 * 5]
    yield "ascii85", base64.a85encode(raw)[: len(raw) // 4 * 5]
    yield from (("hex", form) for form in _hex(raw))
    for before in range(3):
        yield from ((f"base64+{before}", form) for form in _base64(raw, before))
    percent = "".join(f"%{byte:02x}" for byte in raw)
    yield from (("percent", form.encode()) for form in {percent, percent.upper()})


def digests(text: str) -> Iterator[tuple[str, bytes]]:
    """Give the hashes of a text that anybody could make, plain or under a guessable key, raw and written down."""
    for prefix in PREFIXES:
        raw = (prefix + text).encode()
        for name in HASHES:
            yield from _written(f"{name} of {prefix}", hashlib.new(name, raw, usedforsecurity=False).digest())
        for key in (*GUESSABLE_KEYS, text.encode()):
            yield from _written(f"hmac by {key!r} of {prefix}", hmac.digest(key, raw, "sha256"))


def _written(name: str, digest: bytes) -> Iterator[tuple[str, bytes]]:
    yield f"{name} raw", digest
    yield from ((f"{name} hex", form) for form in _hex(digest))
    yield from ((f"{name} base64", form) for form in _base64(digest, 0))


def _hex(raw: bytes) -> set[bytes]:
    return {raw.hex().encode(), raw.hex().upper().encode()}


def _base64(raw: bytes, before: int) -> set[bytes]:
    """Write base64 as it looks after so many bytes of something else; only the letters that these bytes decide."""
    first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
    whole = bytes(before) + raw
    return {written(whole)[first:last] for written in (base64.b64encode, base64.urlsafe_b64encode)}


class Search:
    """Looks for every guise of every canary at once."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._needles: dict[bytes, Hit] = {}
        for canary in canaries:
            for guise, needle in (*guises(canary.token), *digests(canary.token), *digests(canary.value)):
                self._needles[needle] = Hit(canary.where, guise)
        starts: defaultdict[int, list[bytes]] = defaultdict(list)
        for needle in self._needles:
            starts[int.from_bytes(needle[:_WINDOW], sys.byteorder)].append(needle)
        self._starts, self._first = dict(starts), frozenset(starts)

    def __len__(self) -> int:
        return len(self._needles)

    def through(self, data: bytes, depth: int = 0) -> set[Hit]:
        """Find what there is of any canary in these bytes, packed or not."""
        data = _ZEROS.sub(bytes(_WINDOW), data)
        found = {self._needles[needle] for needle in self._candidates(data) if needle in data}
        if depth < _DEEPEST:
            for unpacked in _unpacked(data):
                found |= {Hit(hit.where, f"packed {hit.guise}") for hit in self.through(unpacked, depth + 1)}
        return found

    def _candidates(self, data: bytes) -> set[bytes]:
        starts: set[int] = set()
        for shift in range(_WINDOW):
            whole = (len(data) - shift) // _WINDOW * _WINDOW
            if whole > 0:
                starts |= self._first.intersection(memoryview(data)[shift : shift + whole].cast("Q"))
        return {needle for start in starts for needle in self._starts[start]}


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Unpack whatever may be a stream, wherever it begins; what breaks off gives what came until then."""
    for found in _STREAM.finditer(data):
        packed = memoryview(data)[found.start() : found.start() + _MOST_PACKED]
        told = _first_of(packed)
        if len(told) >= _WINDOW:
            yield told


def _first_of(packed: memoryview) -> bytes:
    stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
    told = b""
    try:
        # By pieces: an error in one loses that piece alone.
        for begin in range(0, len(packed), 256):
            told += stream.decompress(packed[begin : begin + 256], _MOST_UNPACKED)
            if stream.eof or len(told) > _MOST_UNPACKED:
                break
    except zlib.error:
        pass
    return told


def as_text(value: Any) -> str:
    """Write a JSON value as the text a reader sees."""
    return json.dumps(value, ensure_ascii=False)
