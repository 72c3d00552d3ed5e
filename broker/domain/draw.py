"""The draw of a random sample: fixed beforehand, foreseen by nobody, and done again by whoever doubts it.

Rules kept here:
- The seed is committed on the log before the draw, and the key is HMAC-SHA256 of the seed over the root of the first
  signed checkpoint that covers that entry and the whole period: nobody foresees it who does not both know the seed
  and write the log. A node does both (docs/samples.md).
- In each unit those accesses are drawn whose HMAC-SHA256 under that key, over log and entry number, are the smallest.
- One unit's accesses change nothing of another's draw, and their order nothing at all.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from typing import TypeAlias

SEED_BYTES = 32
Drawn: TypeAlias = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is fixed before a draw: whose log, which period (seconds, end not in it), how many a unit, which rules.

    `commitment` is the SHA-256 of the seed, and `rules` the SHA-256 of the rules that ranking goes by, in hexadecimal.
    """

    municipality: str
    since: int
    until: int
    per_unit: int
    commitment: str
    rules: str


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head of a log: how many entries it covers, and their root."""

    size: int
    root: bytes


@dataclass(slots=True)
class Counted:
    """What a draw went over: how many accesses each unit had, and the entries drawn of them."""

    accesses: dict[str, int] = field(default_factory=dict)
    drawn: Drawn = field(default_factory=dict)


def commitment_of(seed: bytes) -> str:
    """Give what is committed of a seed; raise ValueError for one of another length."""
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed has 32 bytes")
    return hashlib.sha256(seed).hexdigest()


def key_of(seed: bytes, root: bytes) -> bytes:
    """Give the draw's key."""
    return hmac.digest(seed, root, "sha256")


def rank_of(key: bytes, log: str, entry: int) -> bytes:
    """Give an access its place in the draw; the smallest are drawn."""
    return hmac.digest(key, f"{log} {entry}".encode(), "sha256")


def head_for(heads: Sequence[Head], seeded: int, last: int) -> Head | None:
    """Choose the first head that covers the seed's entry and the period's last; None while there is none."""
    covering = [head for head in heads if head.size > max(seeded, last)]
    return min(covering, key=lambda head: head.size, default=None)


def draw(key: bytes, log: str, accesses: Iterable[tuple[str, int]], per_unit: int) -> Counted:
    """Draw from (unit, entry) pairs, each unit for itself; in memory only what may still be drawn."""
    heaps: dict[str, list[tuple[int, int]]] = {}
    counted = Counted()
    for unit, entry in accesses:
        counted.accesses[unit] = counted.accesses.get(unit, 0) + 1
        # Negative, because the heap gives up its smallest and we want to give up the largest.
        place = (-int.from_bytes(rank_of(key, log, entry), "big"), entry)
        heap = heaps.setdefault(unit, [])
        if len(heap) < per_unit:
            heappush(heap, place)
        elif per_unit:
            heappushpop(heap, place)
    counted.drawn = {unit: tuple(entry for _, entry in sorted(heap, reverse=True)) for unit, heap in heaps.items()}
    return counted
