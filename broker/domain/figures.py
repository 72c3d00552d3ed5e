"""Figures of one municipality's month: what supervision counts. No figure names a citizen or an employee.

An access is an outcome on the municipality's log, as the draw of samples counts it (`domain/accesses.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from broker.domain.events import AuditEvent
from broker.domain.samples import Coverage


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted of the accesses of some seconds; what is not named here was not there.

    `days`: (Danish day YYYYMMDD, accesses). `hours`: (weekday from 1, hour of the Danish day, accesses). An access with
    two bases counts with each, an ask that two reasons held back with each. `reasons` counts asks; `refused` counts the
    citizens of these asks, each once for a reason.
    """

    days: tuple[tuple[int, int], ...]
    units: tuple[tuple[str, int], ...]
    outcomes: tuple[tuple[str, int], ...]
    bases: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]
    refused: tuple[tuple[str, int], ...]
    hours: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """A month (YYYY-MM) of one municipality, and how much of it and of the months before was looked at."""

    municipality: str
    month: str
    since: int
    until: int
    counts: Counts
    coverage: tuple[Coverage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresRead(AuditEvent):
    """An overseer read a month's figures: which month, and which of them (`all`, or one table's name)."""

    code: ClassVar[int] = 140
    name: ClassVar[str] = "figures.read"

    month: str
    table: str
    role: str

    def index(self) -> dict[str, Any]:
        """Add the month."""
        return AuditEvent.index(self) | {"month": self.month}


@dataclass(frozen=True, slots=True)
class Refusals:
    """What may leave the house of a quarter (`2026-Q3`): citizens by reason and month. None: withheld.

    `rows` holds per reason its code, the citizens it held something back of in each month, and the sum of these;
    `columns` the sums of the months.
    """

    municipality: str
    quarter: str
    months: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int | None, ...], int | None], ...]
    columns: tuple[int | None, ...]
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresPublished(AuditEvent):
    """A quarter's refusals were made ready for others, small numbers withheld: just what may leave the house, for good.

    Whoever wants them later gets these and no others: two files of one quarter could be subtracted.
    """

    code: ClassVar[int] = 141
    name: ClassVar[str] = "figures.published"

    quarter: str
    months: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int | None, ...], int | None], ...]
    columns: tuple[int | None, ...]
    total: int | None
    role: str

    def index(self) -> dict[str, Any]:
        """Add the quarter."""
        return AuditEvent.index(self) | {"quarter": self.quarter}
