"""Notices: that there is something new at `/mine`, and not a word of what it is.

Rules kept here:
- A notice names nobody and nothing: no unit, no purpose, no place, nobody else. Whoever reads it over somebody's
  shoulder learns that a municipality wrote, as with any letter.
- The number it is sent to is closed here, and sealed wherever it waits; what was sent is kept as an entry alone.
- It is tried again with growing pauses, and put on paper where it got nowhere for days.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import ClassVar

from broker.domain.days import DANISH_TIME, day_of
from broker.domain.events import AuditEvent
from broker.domain.personal import Personal

# What causes one: a request waits for an answer; somebody else than the giver recorded a change of their yes; leave to
# look was asked for, for danger to life. Where an event may be kept back from its citizen, the cause is its name.
REQUEST, RECORDED, EMERGENCY = "consent.requested", "recorded", "break_glass.requested"
# A unit fetched something about a citizen from another unit, for the first time (GDPR art. 14, stk. 1).
FETCHED = "outcome"
# The citizen chose another way to be told.
CHOSEN = "notices.chosen"
# A breach of security touches the citizen, and the municipality tells them (GDPR art. 34).
BREACH = "breach.told"
# A yes runs out soon.
ENDS = "consent.ends"
DAYS_BEFORE_AN_END = 30
MORNING = time(9)
# Every letter has the same words; one that always came at the same minute would tell by it what it is about.
WORKING_DAY = timedelta(hours=8)
PAPER = "paper"
# How long to wait after each try; after the last of them, always so long.
PAUSES = (
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=24),
)  # fmt: skip
# Well within the month of GDPR art. 14, stk. 3, and early in the 30 days that a request may be answered.
GIVEN_UP_AFTER = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: to whom (handle, and the number that post is sent to), by which municipality, since when, why.

    `unit` is who asked, where the law may keep that back: the notice then waits until it shows (P8).
    `consent` is the yes it is about, where it goes with that yes; one that is made for later has `made_at` to come.
    `address` is where its recipient wants e-mail, `tries` how often it was taken, and `together` are id and cause of
    each other notice that this one letter stands for, where its recipient is told once a week.
    """

    id: str
    municipality: str
    recipient: str
    number: Personal[str]
    cause: str
    made_at: datetime
    unit: str = ""
    consent: str = ""
    address: Personal[str] | None = None
    tries: int = field(default=0, compare=False)
    together: tuple[tuple[str, str], ...] = ()


def notice_to(
    recipient: str, number: Personal[str], municipality: str, cause: str, at: datetime, *, unit: str = ""
) -> Notice:
    """Make a notice under an id of its own, by which a second delivery can be told from a second notice."""
    return Notice(str(uuid.uuid4()), municipality, recipient, number, cause, at, unit)


def notice_of_end(
    consent: str, recipient: str, number: Personal[str], municipality: str, to_day: int, at: datetime
) -> tuple[Notice, ...]:
    """Make the notice that waits for some time of the working day 30 days before a yes ends; none for a shorter yes."""
    morning = datetime.combine(day_of(to_day) - timedelta(days=DAYS_BEFORE_AN_END), MORNING, DANISH_TIME)
    if morning <= at:
        return ()
    due = morning.astimezone(UTC) + timedelta(seconds=secrets.randbelow(int(WORKING_DAY.total_seconds())))
    return (Notice(str(uuid.uuid4()), municipality, recipient, number, ENDS, due, consent=consent),)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(AuditEvent):
    """A notice left for its recipient: through which channel, and what caused it. It held no content."""

    code: ClassVar[int] = 95
    name: ClassVar[str] = "notice.sent"

    notice: str
    cause: str
    channel: str  # "digital_post", "email", or "paper" where somebody took it on a list to be written to


def sent_events(notice: Notice, actor: str, channel: str, at: datetime) -> list[NoticeSent]:
    """Make the events that say so: of the notice, and of each that it stands for."""
    return [
        NoticeSent(
            municipality=notice.municipality,
            subject=notice.recipient,
            actor=actor,
            at=at,
            notice=id_,
            cause=cause,
            channel=channel,
        )
        for id_, cause in ((notice.id, notice.cause), *notice.together)
    ]
