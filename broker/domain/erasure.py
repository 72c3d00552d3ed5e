"""Erasing a citizen: on what ground, what would go, and what keeps it from going (P9).

Rules kept here:
- One person asks and another approves, in time; neither can do the other's part.
- Nothing goes that somebody may still need: what is kept for its term or a hold, what an archive must have first, a yes
  that is in force, a request that waits for an answer, a case that is not known to be closed.
- A citizen of whom nothing is known is erased like any other: the answers tell nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from broker.domain.errors import Conflict
from broker.domain.retention import Retention

# GDPR art. 17, stk. 1: no longer needed, objected to, processed unlawfully, a law demands it.
GROUNDS = ("art17_1_a", "art17_1_c", "art17_1_d", "art17_1_e")
# Entries of deletion itself do not keep it from being carried out.
OWN_STEPS = frozenset({"erasure.examined", "erasure.requested", "erasure.approved", "hold.changed"})
TIME_TO_APPROVE = timedelta(days=14)

# What keeps a citizen from being erased.
NO_RETENTION, KEPT, ARCHIVE, HOLD = "no_retention_set", "kept_for_its_term", "archive_first", "legal_hold"
CONSENTS, REQUESTS, CASES = "consent_in_force", "request_unanswered", "case_not_known_closed"


@dataclass(frozen=True, slots=True)
class Line:
    """One entry about the citizen: which log, where, what kind, from when the citizen could see it."""

    log: str
    index: int
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """All that one municipality's part of the broker knows that bears on erasing a citizen. `cases` are handles."""

    lines: tuple[Line, ...]
    consents: int
    requests: int
    holds: int
    cases: frozenset[str] = field(repr=False)

    @property
    def kinds(self) -> dict[str, int]:
        """Count the entries by kind."""
        return dict(sorted(Counter(line.kind for line in self.lines).items()))


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that keeps a citizen from being erased: how many of them, and the last day of it where it has one."""

    code: str
    count: int = 1
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure as asked for: whose (handle), on what ground, by whom (handles), and how far it has come."""

    id: str
    municipality: str
    citizen: str = field(repr=False)
    ground: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    approved_by: str | None = None
    written: bool = False

    def refuse_approval(self, by: str, at: datetime) -> None:
        """Raise `Conflict` unless this person may approve it at this moment."""
        if by == self.requested_by:
            raise Conflict("same_person")
        if self.approved_by is not None:
            raise Conflict("already_approved")
        self.refuse_if_late(at)

    def refuse_if_late(self, at: datetime) -> None:
        """Raise `Conflict` once its time has run out."""
        if at >= self.expires_at:
            raise Conflict("expired")


class NotErasable(Conflict):
    """Something keeps the citizen from being erased; nothing was done."""

    def __init__(self, obstacles: tuple[Obstacle, ...]) -> None:
        super().__init__("not_erasable")
        self.obstacles = obstacles


def obstacles(
    standing: Standing, retention: Retention | None, archived: date | None, today: date, closed: Collection[str] | None
) -> tuple[Obstacle, ...]:
    """List what keeps a citizen from being erased today; none means they may be.

    `archived` is the last day the archive has confirmed; `closed` are the cases that their own register has just said
    are closed, None where cases were looked at before.
    """
    found = [Obstacle(NO_RETENTION)] if retention is None else _kept(standing, retention, archived, today)
    open_cases = set() if closed is None else standing.cases - set(closed)
    counts = ((HOLD, standing.holds), (CONSENTS, standing.consents), (REQUESTS, standing.requests))
    found += [Obstacle(code, count) for code, count in (*counts, (CASES, len(open_cases))) if count]
    return tuple(found)


def _kept(standing: Standing, retention: Retention, archived: date | None, today: date) -> list[Obstacle]:
    """List what is within its term, and what is past it but waits for the archive."""
    lines = [line for line in standing.lines if line.kind not in OWN_STEPS]
    until = {line: retention.keeps_until(line.kind, line.at) for line in lines}
    kept = [line for line in lines if (last := until[line]) is None or today <= last]
    found = []
    if kept:
        days = [until[line] for line in kept]
        found.append(Obstacle(KEPT, len(kept), None if None in days else max(day for day in days if day)))
    waiting = [line for line in lines if line not in kept and _waits(line, retention, archived, today)]
    return found + ([Obstacle(ARCHIVE, len(waiting))] if waiting else [])


def _waits(line: Line, retention: Retention, archived: date | None, today: date) -> bool:
    end = retention.ends(line.kind, today, archived)
    return line.kind in retention.archive and (end is None or line.at >= end)


def places_in(statement: str) -> tuple[tuple[int, int], ...]:
    """Read the places of a statement of deletion (`audit/deletion.py`), to show; what cannot be read is left out."""
    lines = statement.partition("\n\n")[0].split("\n")[2:]
    pairs = [line.partition("-") for line in lines]
    return tuple((int(first), int(last)) for first, _, last in pairs if first.isdigit() and last.isdigit())
