"""Who got what: counted from what left at each answer, for whoever must hear that it was wrong (GDPR art. 19)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from broker.domain.events import AuditEvent

# Why a DPO must know it: what was put right, erased or held back (GDPR art. 16, 17 and 18).
CORRECTED, ERASED, RESTRICTED = "corrected", "erased", "restricted"
AIMS = (CORRECTED, ERASED, RESTRICTED)


@dataclass(frozen=True, slots=True)
class Given:
    """What left at one answer: on which ask, to which unit, when; `kinds` holds (source, category)."""

    ask: str | None
    unit: str
    at: datetime
    kinds: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    """A unit that got one kind of information from one source: the first time, the last, and how often."""

    unit: str
    source: str
    category: str
    first: datetime
    last: datetime
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientsSeen(AuditEvent):
    """A DPO saw who got some of what is held about a citizen, from one municipality's log, to tell those (art. 19).

    `aim` is why: it was corrected, erased or restricted. An empty category means all of the source's; the days are the
    first and the last. Durable before anything is read, the register included.
    """

    code: ClassVar[int] = 139
    name: ClassVar[str] = "recipients.seen"

    role: str
    aim: str
    source: str
    category: str
    first_day: int
    last_day: int


def recipients_of(answers: Iterable[Given]) -> tuple[Recipient, ...]:
    """Count what was handed out, by unit, source and category; an ask that stands on two logs counts once."""
    found: dict[tuple[str, str, str], Recipient] = {}
    counted: set[tuple[str | None, tuple[str, str, str]]] = set()
    for answer in answers:
        for source, category in answer.kinds:
            if (answer.ask, place := (answer.unit, source, category)) in counted:
                continue
            counted.add((answer.ask, place))
            known = found.get(place, Recipient(*place, answer.at, answer.at, 0))
            found[place] = replace(
                known, first=min(known.first, answer.at), last=max(known.last, answer.at), times=known.times + 1
            )
    return tuple(found[place] for place in sorted(found))
