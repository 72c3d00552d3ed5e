"""Which items are alive: today, later, or over. Days are Danish, YYYYMMDD, both ends of a period inclusive.

Rules kept here:
- An item that has not begun counts from its start (C17); one that is planned without a start has no day yet.
- `cancelled` never counts; `finished` counts no day from today on, whatever end its source still shows.
"""

from __future__ import annotations

from datetime import timedelta

from broker.domain.days import NO_END, day_number, day_of
from broker.domain.items import Item

# A medical statement is fresh for 180 days, an assessment for 365 (rules O5 and O4, `domain.md` 7).
STATEMENT_DAYS = 180
ASSESSMENT_DAYS = 365
NOT_BEGUN = frozenset({"requested", "planned"})
_OVER = frozenset({"finished", "cancelled"})
_EFFORTS = frozenset({"plan", "goal", "intervention", "visit", "meeting", "assessment", "limitation", "contact"})
NEVER = (NO_END, 0)


def period(item: Item, today: int) -> tuple[int, int]:
    """Give the first and last day an item is in force; the last is before the first when there is no such day."""
    first = item.from_day
    if first is None:
        first = NO_END if item.status in NOT_BEGUN else 0
    last = NO_END if item.to_day is None else item.to_day
    if item.status == "cancelled":
        return NEVER
    if item.status == "finished":
        last = min(last, shifted(today, -1))
    return first, last


def is_coming(item: Item, today: int) -> bool:
    """Tell whether an item is in force today or on some later day."""
    first, last = period(item, today)
    return max(first, today) <= last


def is_open(item: Item, today: int) -> bool:
    """Tell whether an assessment or statement is still to be made: asked for, planned or under way.

    Without a status, it is open as long as no end is told or the end is still to come.
    """
    if item.status is None:
        return item.to_day is None or item.to_day >= today
    return item.status not in _OVER


def is_effort(item: Item, today: int) -> bool:
    """Tell whether an item shows its area at work with the citizen now (C12): in force, or still fresh."""
    if item.status == "cancelled":
        return False
    if item.kind == "statement":
        return days_between(item.from_day or today, today) <= STATEMENT_DAYS
    if item.kind == "assessment" and not is_open(item, today):
        return days_between(item.to_day or item.from_day or today, today) <= ASSESSMENT_DAYS
    return item.kind in _EFFORTS and is_coming(item, today)


def shifted(day: int, days: int) -> int:
    """Move a day by a number of days."""
    return day_number(day_of(day) + timedelta(days=days))


def days_between(one: int, other: int) -> int:
    """Count the days from one day to another, whichever comes first."""
    return abs((day_of(one) - day_of(other)).days)
