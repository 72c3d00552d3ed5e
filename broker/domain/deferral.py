"""Lawful deferral: keeping back, for a time, from a citizen that one unit has asked about them (P8).

Rules kept here:
- A ground in law, two persons, and an end: nothing is kept back for longer than half a year at a time.
- It reaches asks and answers of one unit, written while it is in force; nothing that was already shown.
- When its time is over, what it kept back appears by itself, and so does that it was kept back, why and by whom.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

# Databeskyttelsesloven § 22, stk. 1 (private interests that clearly weigh more) and stk. 2 (public ones, such as the
# investigation of a crime); sundhedsloven § 43, stk. 4 (danger to somebody, after an emergency).
GROUNDS = ("dbl22_1", "dbl22_2", "sul43_4")
LONGEST = timedelta(days=183)

WAITING, IN_FORCE, OVER, LAPSED = "waiting", "in_force", "over", "lapsed"


@dataclass(frozen=True, slots=True)
class Deferral:
    """One deferral: whose entries (handle), about which unit's asks, why, by whom (handles), from when and how long.

    `until` is the first moment at which it no longer holds; `approved_by` and `began_at` are there once approved.
    """

    id: str
    municipality: str
    citizen: str = field(repr=False)
    unit: str
    ground: str
    asked_by: str
    asked_at: datetime
    until: datetime
    approved_by: str | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None

    def state(self, at: datetime) -> str:
        """Say how it stands: it waits, it is in force, it is over, or it was never approved in time."""
        over = at >= (self.ended_at or self.until)
        if self.approved_by is None:
            return LAPSED if over else WAITING
        return OVER if over else IN_FORCE
