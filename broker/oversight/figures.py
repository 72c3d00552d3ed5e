"""An overseer reads the figures of a month; that they do is on the log before a figure is counted for them.

Rules kept here:
- Who may search the log may count it: the same roles, for their own municipalities alone. Another's is not there.
- Figures are exact, and so for the house alone. What leaves it is another table (`oversight/publication.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from broker.domain.days import DANISH_TIME
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk, NotAllowed, NotFound
from broker.domain.events import OutcomeReached
from broker.domain.figures import Counts, Figures, FiguresRead
from broker.domain.identity import OfficerLogin
from broker.domain.samples import Coverage
from broker.oversight.samples import month_at, month_of
from broker.oversight.search import READING_ROLES
from broker.ports import AuditLog, Clock, Handles

ALL = "all"
MOST_MONTHS = 12


class FigureCounts(Protocol):
    """What counts the log's index rows; no body is opened. Raises `StoreUnavailable`."""

    async def of(self, municipality: str, since: int, until: int) -> Counts:
        """Count the accesses of some seconds, `until` not in it."""

    async def happened(self, municipality: str, since: int, until: int, kinds: Sequence[str]) -> Mapping[str, int]:
        """Count, by kind of event, the break-glass requests and deferrals that something happened to."""

    async def emergency_looks(self, municipality: str, since: int, until: int) -> int:
        """Count the accesses that rested on danger to life."""


class Covered(Protocol):
    """What knows how much was drawn and looked at (the door `Samples` does). Raises `StoreUnavailable`."""

    async def coverage(self, municipalities: Collection[str]) -> tuple[Coverage, ...]:
        """Count accesses, drawn, explained and closed by draw and unit, the newest draw first."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors of the figures."""

    clock: Clock
    handles: Handles
    log: AuditLog
    counts: FigureCounts
    samples: Covered


def chosen(municipality: str, officer: OfficerLogin) -> str:
    """Say whose figures are meant: the one named, or the first of the officer's. Raises `NotAllowed`, `NotFound`."""
    if officer.role not in READING_ROLES or not officer.municipalities:
        raise NotAllowed
    if municipality and municipality not in officer.municipalities:
        raise NotFound
    return municipality or min(officer.municipalities)


def may_lack(municipality: str, directory: Directory, at: datetime) -> datetime | None:
    """Give the moment before which accesses may be deleted already; None where the municipality deletes none."""
    home = directory.municipalities.get(municipality)
    if home is None or home.retention is None:
        return None
    return home.retention.may_lack([OutcomeReached.name], at.astimezone(DANISH_TIME).date())


async def figures(municipality: str, month: str, officer: OfficerLogin, desk: Desk, *, table: str = ALL) -> Figures:
    """Count a month, this one where none is named. Raises `NotAllowed`, `NotFound`, `BadAsk`, `LogUnavailable`."""
    home, at = chosen(municipality, officer), desk.clock.now()
    month = month or month_at(at)
    try:
        since, until = month_of(month)
    except ValueError:
        raise BadAsk("/month") from None
    actor = await desk.handles.officer(officer)
    await desk.log.append(
        [FiguresRead(municipality=home, subject=actor, actor=actor, at=at, month=month, table=table, role=officer.role)]
    )
    return Figures(
        home, month, since, until, await desk.counts.of(home, since, until), await _covered(home, until, desk)
    )


async def _covered(home: str, until: int, desk: Desk) -> tuple[Coverage, ...]:
    """Give what was looked at of the month and the ones before, at most a year, the oldest first."""
    rows = [row for row in await desk.samples.coverage((home,)) if row.since < until]
    months = sorted({row.since for row in rows})[-MOST_MONTHS:]
    return tuple(sorted((row for row in rows if row.since in months), key=lambda row: (row.since, row.unit)))
