"""Days and moments as the policy reads them: Danish days as YYYYMMDD numbers, moments as whole seconds."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

DANISH_TIME = ZoneInfo("Europe/Copenhagen")
# An open end is a large number and an open beginning nought, so that no rule has to know about "never" (policy.md 4,
# rule 1).
NO_BEGINNING, NO_END = 0, 99991231


def danish_day(at: datetime) -> int:
    """Give the Danish calendar day of a moment, as YYYYMMDD."""
    return day_number(at.astimezone(DANISH_TIME).date())


def day_number(day: date) -> int:
    """Write a date as the number YYYYMMDD."""
    return day.year * 10000 + day.month * 100 + day.day


def day_of(number: int) -> date:
    """Read YYYYMMDD back; raise ValueError when there is no such day."""
    return date(number // 10000, number // 100 % 100, number % 100)


def midnight_before(at: datetime) -> datetime:
    """Give the moment at which a moment's Danish day began."""
    return datetime.combine(at.astimezone(DANISH_TIME).date(), time(), DANISH_TIME)
