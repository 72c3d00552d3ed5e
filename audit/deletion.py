"""Deletion on record: which bodies and index rows of a log were deleted on purpose, and which went missing.

A leaf is never deleted. Its body and index row may be, lawfully; then an entry of the same log says so in its index
row, under `deleted`: a signed note (C2SP signed-note) of at least three lines.

    log.example/101/2026
    deleted
    0-41
    43-43

Rules kept here:
- The statement stands in an index row, so the leaf's commitment, the tree and every checkpoint cover it.
- It counts only under a signature by a key known beforehand: whoever can only write to the database has no such key.
- It reaches places before its own alone, and never an entry that carries a statement itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from audit import note
from audit.errors import LogError, Malformed, NotVerified

MEMBER = "deleted"
MAX_SPANS = 2000
MAX_PLACE = 2**53 - 1
MOST_TOLD = 20
# First and last place of a row of entries, both included.
Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Deletion:
    """The places of one log whose bodies and index rows were deleted; unsigned, so worth nothing by itself."""

    origin: str
    spans: tuple[Span, ...]

    def __post_init__(self) -> None:
        """Refuse what could not be written and read back as the same statement."""
        if not self.origin or any(c < " " for c in self.origin):
            raise Malformed("an origin is not empty and holds no control characters")
        if not 0 < len(self.spans) <= MAX_SPANS:
            raise Malformed(f"a deletion names 1 to {MAX_SPANS} rows of entries")
        before = -2
        for first, last in self.spans:
            if not before + 1 < first <= last <= MAX_PLACE:
                raise Malformed("the rows of entries of a deletion rise and do not touch")
            before = last

    @classmethod
    def of(cls, origin: str, places: Iterable[int]) -> "Deletion":
        """Name single places, put together where they follow one another."""
        return cls(origin, tuple(spans_of(places)))

    @property
    def count(self) -> int:
        """Count the places."""
        return sum(last - first + 1 for first, last in self.spans)

    def signed_by(self, key: note.SigningKey) -> str:
        """Write the signed note."""
        lines = (self.origin, MEMBER, *(f"{first}-{last}" for first, last in self.spans))
        return note.sign("".join(f"{line}\n" for line in lines), [key])


def spans_of(places: Iterable[int]) -> list[Span]:
    """Put places together where they follow one another."""
    spans: list[Span] = []
    for place in sorted(set(places)):
        if spans and spans[-1][1] == place - 1:
            spans[-1] = (spans[-1][0], place)
        else:
            spans.append((place, place))
    return spans


def open_deletion(signed: str, origin: str, keys: Sequence[note.VerifyKey]) -> Deletion:
    """Read a statement about this log that one of these keys has signed; raise Malformed or NotVerified."""
    text, _ = note.open_note(signed, keys)
    deletion = read_text(text)
    if deletion.origin != origin:
        raise NotVerified("the statement is about another log")
    return deletion


def read_text(text: str) -> Deletion:
    """Read a statement's text, believing nothing; raise Malformed unless it is written in the one way."""
    origin, *rest = text.split("\n")
    if len(rest) < 3 or rest[0] != MEMBER or rest[-1]:
        raise Malformed("not a statement of deletion")
    return Deletion(origin, tuple(_span(line) for line in rest[1:-1]))


def _span(line: str) -> Span:
    first, dash, last = line.partition("-")
    for edge in (first, last):
        if not dash or not (edge.isascii() and edge.isdigit()) or len(edge) > 16 or edge != str(int(edge)):
            raise Malformed("a row of entries is two plain decimal numbers")
    return int(first), int(last)


@dataclass(frozen=True, slots=True)
class Deleted:
    """What went under one entry that says so: the rows of entries that have neither body nor index row any more."""

    entry: int
    spans: tuple[Span, ...]

    @property
    def count(self) -> int:
        """Count the entries."""
        return sum(last - first + 1 for first, last in self.spans)

    def __str__(self) -> str:
        """Say it in one line; of a long list, its beginning."""
        rows = [str(first) if first == last else f"{first} to {last}" for first, last in self.spans[:MOST_TOLD]]
        more = f" and {len(self.spans) - MOST_TOLD} rows more" if len(self.spans) > MOST_TOLD else ""
        told = f" ({', '.join(rows)}{more})" if rows else ""
        return f"{self.count} lawfully deleted under entry {self.entry}{told}"


@dataclass(frozen=True, slots=True)
class Settled:
    """What the statements of a log account for: places deleted by the entry that says so, and what nobody accounts for.

    `back` are places that were deleted and are there again.
    """

    under: tuple[Deleted, ...]
    unaccounted: tuple[Span, ...]
    back: tuple[Span, ...]


@dataclass(slots=True)
class Ledger:
    """Hears of every entry of a log in order: what is there, and who says that it was deleted. Then `settle` once."""

    origin: str
    keys: Sequence[note.VerifyKey]
    _present: list[Span] = field(default_factory=list)
    _absent: list[Span] = field(default_factory=list)
    _carriers: list[int] = field(default_factory=list)
    _statements: list[tuple[int, Deletion]] = field(default_factory=list)

    def entry(self, index: int, *, absent: bool) -> None:
        """Hear of an entry; it is absent where it has neither body nor index row."""
        spans = self._absent if absent else self._present
        if spans and spans[-1][1] == index - 1:
            spans[-1] = (spans[-1][0], index)
        else:
            spans.append((index, index))

    def stated(self, index: int, signed: str) -> str | None:
        """Hear an entry's statement; give what is wrong with it, or None where it counts."""
        try:
            deletion = open_deletion(signed, self.origin, self.keys)
        except LogError as error:
            return f"its statement of deletion does not count: {error}"
        if deletion.spans[-1][1] >= index:
            return "its statement of deletion reaches beyond itself"
        self._carriers.append(index)
        self._statements.append((index, deletion))
        return None

    def settle(self) -> Settled:
        """Hold what is absent against what was stated; a statement never accounts for one that carries another."""
        carriers = spans_of(self._carriers)
        claimed: list[Span] = []
        under = []
        for index, deletion in self._statements:
            spans = without(deletion.spans, carriers)
            under.append(Deleted(index, tuple(_both(spans, self._absent))))
            claimed += spans
        whole = _merged(claimed)
        return Settled(tuple(under), tuple(without(self._absent, whole)), tuple(_both(whole, self._present)))


def _both(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    return without(spans, without(spans, others))


def without(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """Take rows of entries away from others; both rise and do not overlap."""
    left: list[Span] = []
    at = 0
    for first, last in spans:
        while at < len(taken) and taken[at][1] < first:
            at += 1
        start, look = first, at
        while look < len(taken) and taken[look][0] <= last:
            if taken[look][0] > start:
                left.append((start, taken[look][0] - 1))
            start = taken[look][1] + 1
            look += 1
        if start <= last:
            left.append((start, last))
    return left


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
