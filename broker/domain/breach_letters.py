"""Letters to the citizens whom a breach touches (GDPR art. 34): prepared by the DPO, let go by a second person.

Rules kept here:
- The letter itself is the outbox's one text, which says nothing; what happened is read at `/mine/breaches` alone.
- What is read there comes of codes and fixed sentences: nobody writes in it, so it names nobody.
- Who prepared letters does not let them go.
- Naming somebody stands on their own list, and tells the officer nothing: how many of the named get a letter is told
  once a second person has let them go. Whom the law keeps their lines back from gets none before that is over.
- What waits, ends: a number that nobody let go is deleted with its letter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from broker.domain.breaches import BreachEvent
from broker.domain.personal import Personal

# What happened to the information, and what the citizen should do.
SEEN, SENT, LOST, CHANGED = "seen", "sent", "lost", "changed"
NATURES = (SEEN, SENT, LOST, CHANGED)
NOTHING, WATCH, ASK = "nothing", "watch", "ask"
ADVICE = (NOTHING, WATCH, ASK)
MOST_NUMBERS = 2000
# How many numbers one officer may name in a day, over all files of a municipality.
MOST_A_DAY = 10_000
A_DAY = timedelta(days=1)
# How long a number may wait for a second person.
WAITS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Addressed:
    """One letter to be: its id, to whom (handle), and the number that post is sent to."""

    id: str
    citizen: str = field(repr=False)
    number: Personal[str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Letters prepared together: what they say, of which count, how many were named, by whom (handle), when.

    `letters` is how many were let go, nought before; `withdrawn_at` that they were taken back instead.
    """

    id: str
    breach: str
    municipality: str
    nature: str
    advice: str
    prepared_at: datetime
    prepared_by: str = field(repr=False)
    count: int
    named: int
    letters: int = 0
    released_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """Give the moment from which its numbers wait no more."""
        return self.prepared_at + WAITS

    def waits(self, at: datetime) -> bool:
        """Tell whether a second person may still let it go."""
        return self.released_at is None and self.withdrawn_at is None and at < self.ends_at


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
    """A DPO prepared letters to citizens whom a breach may touch: how many were named, what they say, as codes.

    Durable before anything is looked up about them. How many get one is told when the letters are let go.
    """

    code: ClassVar[int] = 137
    name: ClassVar[str] = "breach.letters_prepared"

    batch: str
    nature: str
    advice: str
    named: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachCitizenNamed(BreachEvent):
    """A DPO named a citizen, to be told of a breach if it touches them. Its subject is the citizen.

    Durable before anything is looked up about them. It stands for everybody named, touched or not.
    """

    code: ClassVar[int] = 142
    name: ClassVar[str] = "breach.named"

    batch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachLettersWithdrawn(BreachEvent):
    """Prepared letters were taken back before anybody let them go; the numbers are gone."""

    code: ClassVar[int] = 143
    name: ClassVar[str] = "breach.letters_withdrawn"

    batch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachLettersReleased(BreachEvent):
    """A second person let prepared letters go, so many of them; each stands on the log by itself once it has left."""

    code: ClassVar[int] = 138
    name: ClassVar[str] = "breach.letters_released"

    batch: str
    letters: int
