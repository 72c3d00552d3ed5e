"""Samples of accesses as small tasks: the leader explains, the log controller closes with a note, the DPO may re-open.

Rules kept here:
- The DPO decides no case (GDPR art. 38, stk. 6): re-opening says only that it must be looked at again.
- Texts stand in no event. An event names the sample and its line, and its subject is the officer: whoever a deferral
  keeps an access back from learns nothing of it here.
- A step is to be taken within ten working days of what it follows on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, ClassVar

from broker.domain import working_days
from broker.domain.days import DANISH_TIME
from broker.domain.draw import Terms
from broker.domain.events import AuditEvent
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

OPEN, EXPLAINED, CLOSED, REOPENED = "open", "explained", "closed", "reopened"
STATES = (OPEN, EXPLAINED, CLOSED, REOPENED)
# What a list of reviews can be asked for beside the states.
LATE = "late"
RANDOM, RANKED = "random", "ranked"
# What a leader is told where no sign of their unit's own work put it forward (`led.py`).
UNDISCLOSED = "undisclosed"
LONGEST_TEXT = 2000
WORKING_DAYS = 10


@dataclass(frozen=True, slots=True)
class Round:
    """A draw, committed and perhaps carried out: its terms, where its commitment stands on the log, since when."""

    id: str
    terms: Terms
    seeded: Receipt
    seeded_at: datetime
    drawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody did with a sample, when; `by` is their handle. The words are gone once the citizen is erased."""

    state: str
    at: datetime
    by: str = field(repr=False)
    text: Personal[str] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One access to be looked at: of which draw, why it was chosen, by which signs, and how far it has come.

    `erased` is that its citizen's key is gone: nothing can be written of it any more.
    """

    id: str
    round: str
    municipality: str
    unit: str
    about: Receipt
    at: datetime
    citizen: str = field(repr=False)
    actor: str = field(repr=False)
    how: str
    signs: tuple[str, ...]
    explained: tuple[tuple[str, str], ...]
    opened_at: datetime
    steps: tuple[Step, ...] = ()
    erased: bool = False

    @property
    def state(self) -> str:
        """Say how far it has come."""
        return self.steps[-1].state if self.steps else OPEN

    @property
    def due(self) -> date:
        """Give the last day for the step that is missing."""
        since = self.steps[-1].at if self.steps else self.opened_at
        return working_days.working_days_after(since.astimezone(DANISH_TIME).date(), WORKING_DAYS)

    def late(self, today: date) -> bool:
        """Tell whether somebody should have done something by now."""
        return self.days_late(today) > 0

    def days_late(self, today: date) -> int:
        """Count the days since somebody should have done something; none while it is not late."""
        return 0 if self.state == CLOSED else max(0, (today - self.due).days)


def late_before(today: date) -> datetime:
    """Give the moment before which what waits for a step since is late today."""
    return datetime.combine(working_days.late_before(today, WORKING_DAYS), time(), DANISH_TIME)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one draw and unit: how many accesses there were, how many were drawn, and how far those have come."""

    municipality: str
    unit: str
    since: int
    accesses: int
    drawn: int
    explained: int
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSeeded(AuditEvent):
    """What a draw will go by was fixed, before anybody could know what it gives; of the seed, only its SHA-256."""

    code: ClassVar[int] = 110
    name: ClassVar[str] = "sample.seeded"

    round: str
    since: int
    until: int
    per_unit: int
    commitment: str
    rules: str

    def index(self) -> dict[str, Any]:
        """Add the draw."""
        return AuditEvent.index(self) | {"round": self.round}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDrawn(AuditEvent):
    """A draw was carried out: the seed laid open, the head it goes by, what was there, and what was drawn or ranked."""

    code: ClassVar[int] = 111
    name: ClassVar[str] = "sample.drawn"

    round: str
    seed: str
    head_size: int
    head_root: str
    log: str
    accesses: tuple[tuple[str, int], ...]
    drawn: tuple[tuple[str, int], ...]
    ranked: tuple[tuple[str, int], ...]

    def index(self) -> dict[str, Any]:
        """Add the draw."""
        return AuditEvent.index(self) | {"round": self.round}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEvent(AuditEvent):
    """What every step of a sample says: which one, of which unit, which line of the log it is about, and as what."""

    sample: str
    unit: str
    log: str
    line: int
    role: str

    def index(self) -> dict[str, Any]:
        """Add unit and sample."""
        return AuditEvent.index(self) | {"unit": self.unit, "sample": self.sample}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRead(SampleEvent):
    """An officer opened a sample; each time is an entry of its own."""

    code: ClassVar[int] = 112
    name: ClassVar[str] = "sample.read"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleExplained(SampleEvent):
    """A leader of the unit explained the access."""

    code: ClassVar[int] = 113
    name: ClassVar[str] = "sample.explained"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleClosed(SampleEvent):
    """A log controller closed it with a note; without one where its citizen is erased."""

    code: ClassVar[int] = 114
    name: ClassVar[str] = "sample.closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReopened(SampleEvent):
    """A DPO asked that it be looked at again."""

    code: ClassVar[int] = 115
    name: ClassVar[str] = "sample.reopened"
