"""Which days an item is about, and whether a period of the data holds any of them. Pure.

Rules kept here:
- An item touches a period when a day of its own lies in it. Its days are those its source tells: from its first to its
  last, and the days of its visits. Where no end is told, a thing that lasts is counted up to the day it was fetched;
  anything else, or what has not begun or is over, on its first day alone: what nobody told is not guessed.
- An item of no day lies in no named period (fail closed).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from broker.domain.days import NO_END, danish_day
from broker.domain.items import Item, Visit
from broker.domain.periods import Period

# Kinds that go on until something ends them; of the others, one day is told.
LASTING = frozenset({"plan", "goal", "intervention", "benefit", "limitation"})
UNDER_WAY = frozenset({None, "active"})


def within(item: Item, bounds: Iterable[tuple[Period, ...]]) -> Item | None:
    """Give an item that touches a period of each bound, without its visits on days outside them; else nothing."""
    rows = tuple(bounds)
    days = _days(item)
    for periods in rows:
        if not any(not period.named or any(period.meets(*span) for span in days) for period in periods):
            return None
    visits = tuple(visit for visit in item.visits if all(_lies_in(visit, periods) for periods in rows))
    return item if visits == item.visits else replace(item, visits=visits)


def _lies_in(visit: Visit, periods: tuple[Period, ...]) -> bool:
    return visit.day is None or any(period.meets(visit.day, visit.day) for period in periods)


def _days(item: Item) -> list[tuple[int, int]]:
    days = [(visit.day, visit.day) for visit in item.visits if visit.day is not None]
    if item.from_day is not None:
        days.append((item.from_day, _last_day(item, item.from_day)))
    elif item.to_day is not None:
        days.append((item.to_day, item.to_day))
    return days


def _last_day(item: Item, first: int) -> int:
    if item.to_day is not None and item.to_day < NO_END:
        return item.to_day
    lasts = item.kind in LASTING and item.status in UNDER_WAY
    return max(first, danish_day(item.fetched_at)) if lasts else first
