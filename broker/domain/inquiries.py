"""A citizen's questions about lines of the log, and what the municipality's DPO says to them.

Rules kept here:
- What is written, by either, stands in no event: an event names the inquiry and the line it is about.
- What is to be put right or to stop is passed on to whoever holds or got it; to whom stands on the log (art. 19).
- A citizen asks a few a day, in the whole house.
- It is to be answered within one month of the day it came (GDPR art. 12, stk. 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from broker.domain.days import DANISH_TIME, day_of
from broker.domain.events import AuditEvent
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.retention import months_after

SENT, READ, PASSED_ON, ANSWERED = "sent", "read", "passed_on", "answered"
# What is asked for: to know, that something wrong is put right (GDPR art. 16), or that it stops (art. 21).
QUESTION, CORRECTION, OBJECTION = "question", "correction", "objection"
AIMS = (QUESTION, CORRECTION, OBJECTION)
LONGEST_TEXT = 2000
A_DAY = 10


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One inquiry: whose (handle), to which municipality, about which line, and how far it has come.

    `number` counts the citizen's earlier inquiries about the same line, each of them answered.
    """

    id: str
    municipality: str
    citizen: str = field(repr=False)
    about: Receipt
    number: int
    sent_at: datetime
    read_at: datetime | None = None
    answered_at: datetime | None = None
    aim: str = QUESTION
    passed_on_at: datetime | None = None
    told: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Say how far it has come."""
        if self.answered_at:
            return ANSWERED
        return PASSED_ON if self.passed_on_at else READ if self.read_at else SENT

    @property
    def answer_by(self) -> date:
        """Give the last day to answer it."""
        return months_after(self.sent_at.astimezone(DANISH_TIME).date(), 1)

    def days_left(self, today: int) -> int:
        """Count the days left to answer it from a day (YYYYMMDD); less than nought when it is late."""
        return (self.answer_by - day_of(today)).days


@dataclass(frozen=True, slots=True)
class Place:
    """Where an inquiry stands in the list of those that wait longest first; those with an answer come last."""

    answered: bool
    sent_at: datetime
    id: str


def place_of(one: Inquiry) -> Place:
    """Tell where an inquiry stands in the list."""
    return Place(one.answered_at is not None, one.sent_at, one.id)


@dataclass(frozen=True, slots=True)
class Told:
    """An inquiry with what was written, by the citizen and by the DPO."""

    inquiry: Inquiry
    text: Personal[str]
    answer: Personal[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryEvent(AuditEvent):
    """What every step of an inquiry says: which one, and the line of the log it is about."""

    inquiry: str
    log: str
    line: int

    def index(self) -> dict[str, Any]:
        """Add the inquiry that ties its entries."""
        return AuditEvent.index(self) | {"inquiry": self.inquiry}


@dataclass(frozen=True, slots=True, kw_only=True)
class InquirySent(InquiryEvent):
    """A citizen asked their municipality's DPO about a line of the log."""

    code: ClassVar[int] = 100
    name: ClassVar[str] = "inquiry.sent"

    aim: str = QUESTION


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryRead(InquiryEvent):
    """A DPO opened what a citizen wrote; each time is an entry of its own."""

    code: ClassVar[int] = 101
    name: ClassVar[str] = "inquiry.read"

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryAnswered(InquiryEvent):
    """A DPO answered a citizen's question about a line of the log."""

    code: ClassVar[int] = 102
    name: ClassVar[str] = "inquiry.answered"

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryPassedOn(InquiryEvent):
    """A DPO told who holds (`source/ID`) or got (`unit/ID`) it that a citizen wants it put right, or stopped."""

    code: ClassVar[int] = 103
    name: ClassVar[str] = "inquiry.passed_on"

    role: str
    told: tuple[str, ...]
