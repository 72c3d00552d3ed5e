"""A yes that holds no more, told to the unit that got something on it: use it no further (`domain.md` 2.2). Pure.

Rules kept here:
- Told is the unit that the yes was given to, and only of lines on which something went out to it: what it knows.
- It hears that they stopped and since when, never how: taken back, paused and run out are one word to it (P6).
- Where several were to say yes to one request, it hears of all of it as one, so that it learns not who stopped (P6).
- What was stopped in one go is one stop, named by the consent and the version that stopped it; 0 is that its last day
  is over. What holds again is not told of: whoever asks, gets it.
- Each system of a unit has its own list: that one has received a stop takes it off no other's.
- What the law keeps back from a citizen for a time shows here no earlier than on their list (P8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import ClassVar

from broker.domain.days import DANISH_TIME, day_of
from broker.domain.errors import NotFound
from broker.domain.events import ConsentEvent

RUN_OUT = 0
_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Handed:
    """That something goes out, to the unit that a yes was given to, on one of its lines (id)."""

    municipality: str
    line: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HandedOut:
    """That something went out on a line, and from when the citizen may see that it did."""

    line: str
    shown_from: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """That one of a unit's systems has received a stop, and from when the citizen may see that it has."""

    step: int
    at: datetime
    shown_from: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What the citizen is told of a stopped line: that its unit is told too, and when that was received last.

    `received_by` counts the unit's systems that have received it: each hears for itself.
    """

    received_at: datetime | None
    received_by: int = 0


@dataclass(frozen=True, slots=True)
class StoppedLine:
    """One line of a stop: whose data (handle), from which source, which category."""

    subject: str
    source: str
    category: str


@dataclass(frozen=True, slots=True)
class Stop:
    """What holds no more of one consent since a moment, of what its unit got on it. `case` is a handle.

    `request` is the unit's own request that the yes answered, where there was one. Where several were to say yes to it,
    the stop is the request's: `consent` is None, `step` the seconds since it was asked, `lines` all that went out.
    """

    name: str
    consent: str | None
    step: int
    municipality: str
    unit: str
    purpose: str
    case: str = field(repr=False)
    text_version: str
    request: str | None
    since: datetime
    lines: tuple[StoppedLine, ...] = field(repr=False)
    received_at: datetime | None = None

    @property
    def id(self) -> str:
        """The name by which a system acknowledges it."""
        return f"{self.name}.{self.step}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReceived(ConsentEvent):
    """A unit's system said that it has received that a yes holds no more: the version that stopped it (0: run out).

    The actor is the system.
    """

    code: ClassVar[int] = 77
    name: ClassVar[str] = "stop.received"

    step: int
    system: str


def parted(name: str) -> tuple[str, int]:
    """Part a stop's name into whose it is and step; raise `NotFound` for what names none."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise NotFound
    return found[1], int(found[2])


def day_after(day: int) -> datetime:
    """Give the moment at which what lasts to a Danish day is over."""
    return datetime.combine(day_of(day) + timedelta(days=1), time(), DANISH_TIME)
