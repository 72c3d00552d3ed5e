"""A breach of security as a file (GDPR art. 33 and 34): what happened, whom it touches, who was told, and when.

Rules kept here:
- The 72 hours run from the moment of knowledge, holidays too; they stop at what was said to Datatilsynet, or why not.
- A ground for silence holds for the risk it was written of: once another risk is seen, it wants a new one.
- What is written is added to and never changed: the file is the register of breaches (art. 33, stk. 5).
- A file is closed once facts, effects, measures and assessment stand in it, and what became of both duties to tell.
- Texts stand in no event. Its subject is the officer: the log names no citizen for a file of many, but whom a DPO
  names to be told of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar

from broker.domain.events import NOTHING_LEFT, AuditEvent
from broker.domain.personal import Personal

HOURS = 72
FACTS, EFFECTS, MEASURES, FOUND = "facts", "effects", "measures", "found"
ASSESSED, NOTIFIED, NOT_NOTIFIED, TOLD, NOT_TOLD = "assessed", "notified", "not_notified", "told", "not_told"
CLOSED, REOPENED = "closed", "reopened"
# What an officer writes, in the order of the work; `found` is what a count on the log gave.
WRITTEN = (FACTS, EFFECTS, MEASURES, ASSESSED, NOTIFIED, NOT_NOTIFIED, TOLD, NOT_TOLD, CLOSED, REOPENED)
NOTES = (*WRITTEN, FOUND)
OPEN = "open"
STATES = (OPEN, ASSESSED, NOTIFIED, NOT_NOTIFIED, CLOSED)
NO_RISK, RISK, HIGH = "none", "risk", "high"
RISKS = (NO_RISK, RISK, HIGH)
LONGEST_TEXT = 4000
# What lets somebody see, or change, what is held about a citizen.
TOUCHING = (
    "outcome", "own.shown", "own.seen_for_another", "desk.looked", "break_glass.read", "log.searched", "entry.opened",
    "package.made", "recipients.seen", "inquiry.read", "evidence.made", "consent.granted", "consent.withdrawn",
    "consent.paused", "consent.resumed", "consent.refused", "block.changed",
)  # fmt: skip
TOUCHED_NOTHING = (*sorted(NOTHING_LEFT),)
NOTHING_MORE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Criteria:
    """By what the affected are found on the log: some seconds (`until` not in them), and perhaps who, where from."""

    since: int
    until: int
    actor: str = ""
    unit: str = ""
    source: str = ""

    def fields(self) -> dict[str, Any]:
        """Give what an index row must contain."""
        plain = {"actor": self.actor, "unit": self.unit}
        return {name: value for name, value in plain.items() if value} | (
            {"sources": [self.source]} if self.source else {}
        )

    def told(self) -> tuple[tuple[str, str], ...]:
        """Give them as an event has them: handles, codes and seconds."""
        rows = (("since", str(self.since)), ("until", str(self.until)), ("actor", self.actor), ("unit", self.unit),
                ("source", self.source))  # fmt: skip
        return tuple((name, value) for name, value in rows if value)


@dataclass(frozen=True, slots=True)
class Affected:
    """One citizen (handle) that a count found: how many lines, and from when to when."""

    citizen: str = field(repr=False)
    entries: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was written into a file: its number there, what, when, by whom (handle), with which codes.

    `more` has a `risk` of an assessment, a `reference` of a notification, `criteria` and counts of a find.
    """

    number: int
    kind: str
    at: datetime
    by: str = field(repr=False)
    text: Personal[str] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Breach:
    """A file: of which municipality, known since when, and what was written into it so far.

    `keeper` is who opened it (handle), under whose key its texts lie.
    """

    id: str
    municipality: str
    known_at: datetime
    opened_at: datetime
    keeper: str = field(repr=False)
    notes: tuple[Note, ...] = ()

    def last(self, *kinds: str) -> Note | None:
        """Give the newest note of these kinds."""
        return next((note for note in reversed(self.notes) if note.kind in kinds), None)

    @property
    def state(self) -> str:
        """Say how far it has come."""
        ended = self.last(CLOSED, REOPENED)
        if ended and ended.kind == CLOSED:
            return CLOSED
        said = self._said() or self.last(ASSESSED)
        return said.kind if said else OPEN

    @property
    def due(self) -> datetime:
        """Give the moment by which Datatilsynet is to be told (art. 33, stk. 1)."""
        return self.known_at + timedelta(hours=HOURS)

    @property
    def stopped_at(self) -> datetime | None:
        """Give the moment that the clock stopped: the first word to Datatilsynet, or else the ground for none."""
        said = self._said()
        return said.at if said else None

    def hours_left(self, at: datetime) -> int:
        """Count the whole hours left, or from when the clock stopped; less than nought when it is late."""
        return (self.due - (self.stopped_at or at)) // timedelta(hours=1)

    @property
    def risk(self) -> str:
        """Give the risk to citizens as it was assessed last; empty before."""
        assessed = self.last(ASSESSED)
        return str(assessed.more.get("risk", "")) if assessed else ""

    def first(self, kind: str, behind: int = 0) -> Note | None:
        """Give the oldest note of a kind behind a number."""
        return next((note for note in self.notes if note.kind == kind and note.number > behind), None)

    @property
    def weighed(self) -> int:
        """Give the number of the note in which the risk became what it is; nought before."""
        number, risk = 0, ""
        for note in self.notes:
            if note.kind == ASSESSED and note.more.get("risk") != risk:
                number, risk = note.number, str(note.more.get("risk"))
        return number

    def _said(self) -> Note | None:
        """Give the first word to Datatilsynet, or the first ground for none, which holds while there is no risk."""
        unsaid = self.first(NOT_NOTIFIED, self.weighed) if self.risk == NO_RISK else None
        return self.first(NOTIFIED) or unsaid

    @property
    def missing(self) -> tuple[str, ...]:
        """Name what is to be written before it can be closed; of a pair, its first."""
        once = [kind for kind in (FACTS, EFFECTS, MEASURES, ASSESSED) if self.last(kind) is None]
        pairs = ((NOTIFIED, NOT_NOTIFIED), (TOLD, NOT_TOLD))
        silent = [said for said, not_said in pairs if not (self.first(said) or self.first(not_said, self.weighed))]
        return (*once, *silent)

    def refuses(self, kind: str) -> str:
        """Say why a note cannot be written now, as a code; empty where it can."""
        if (self.state == CLOSED) != (kind == REOPENED):
            return "closed" if self.state == CLOSED else "not_closed"
        # Art. 33, stk. 1: only what is unlikely to be a risk may stay unsaid.
        unsaid = kind == NOT_NOTIFIED or (kind == CLOSED and self.last(NOTIFIED) is None)
        if unsaid and self.risk in {RISK, HIGH}:
            return "must_be_notified"
        if kind == NOT_NOTIFIED and not self.risk:
            return "not_assessed"
        return "not_whole" if kind == CLOSED and self.missing else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachEvent(AuditEvent):
    """What every step of a breach file says: which file, and as what the officer acted."""

    breach: str
    role: str

    def index(self) -> dict[str, Any]:
        """Add the file."""
        return AuditEvent.index(self) | {"breach": self.breach}


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachOpened(BreachEvent):
    """A DPO opened a file of a breach of security; `known_at` is the moment of knowledge (seconds)."""

    code: ClassVar[int] = 130
    name: ClassVar[str] = "breach.opened"

    known_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachRead(BreachEvent):
    """An officer opened a file; each time is an entry of its own."""

    code: ClassVar[int] = 131
    name: ClassVar[str] = "breach.read"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachNoted(BreachEvent):
    """An officer wrote into a file: what kind of note, not its words."""

    code: ClassVar[int] = 132
    name: ClassVar[str] = "breach.noted"

    note: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachCounted(BreachEvent):
    """An officer counted on the log whom a breach touches, by codes and handles; `citizens` is what came out."""

    code: ClassVar[int] = 133
    name: ClassVar[str] = "breach.counted"

    criteria: tuple[tuple[str, str], ...]
    entries: int
    citizens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachListed(BreachEvent):
    """An officer saw the handles that a count found; `shown` is how many of them."""

    code: ClassVar[int] = 134
    name: ClassVar[str] = "breach.listed"

    number: int
    shown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachExported(BreachEvent):
    """An officer took a file out, for the authority: its words and counts, no citizen."""

    code: ClassVar[int] = 135
    name: ClassVar[str] = "breach.exported"
