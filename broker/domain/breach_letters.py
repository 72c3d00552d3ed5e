"""Letters to the citizens whom a breach touches (GDPR art. 34): prepared by the DPO, let go by a second person.

Rules kept here:
- The letter itself is the outbox's one text, which says nothing; what happened is read at `/mine/breaches` alone.
- What is read there comes of codes and fixed sentences: nobody writes in it, so it names nobody.
- Who prepared letters does not let them go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from broker.domain.breaches import BreachEvent
from broker.domain.personal import Personal

# What happened to the information, and what the citizen should do.
SEEN, SENT, LOST, CHANGED = "seen", "sent", "lost", "changed"
NATURES = (SEEN, SENT, LOST, CHANGED)
NOTHING, WATCH, ASK = "nothing", "watch", "ask"
ADVICE = (NOTHING, WATCH, ASK)
MOST_NUMBERS = 2000


@dataclass(frozen=True, slots=True)
class Addressed:
    """One letter to be: its id, to whom (handle), and the number that post is sent to."""

    id: str
    citizen: str = field(repr=False)
    number: Personal[str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Letters prepared together: what they say, how many, by whom (handle), when; and when they were let go."""

    id: str
    breach: str
    municipality: str
    nature: str
    advice: str
    prepared_at: datetime
    prepared_by: str = field(repr=False)
    letters: int = 0
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BreachLetter:
    """What a citizen reads of a breach: whose it was, since when it is known, what happened, what to do."""

    municipality: str
    known_at: datetime
    nature: str
    advice: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachLettersPrepared(BreachEvent):
    """A DPO prepared letters to citizens whom a breach touches: how many, and what they say, as codes."""

    code: ClassVar[int] = 137
    name: ClassVar[str] = "breach.letters_prepared"

    batch: str
    nature: str
    advice: str
    letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachLettersReleased(BreachEvent):
    """A second person let prepared letters go; each stands on the log by itself once it has left."""

    code: ClassVar[int] = 138
    name: ClassVar[str] = "breach.letters_released"

    batch: str
    letters: int
