"""How large a year is played."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """So many citizens, caseworkers, units and hidden snoopers, over so many days.

    `visits` is how often one caseworker turns to a citizen on a whole day of work; each visit is some accesses.
    """

    citizens: int
    staff: int
    units: int
    snoopers: int
    days: int
    caseload: int = 38
    visits: float = 10.6


FULL = Size(citizens=100_000, staff=400, units=25, snoopers=40, days=365)
QUICK = Size(citizens=6_000, staff=48, units=8, snoopers=24, days=120)
