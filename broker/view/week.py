"""ISO weeks, and where visits fall in them. Minutes are clock minutes, as planned and as people read them.

A night of 25 or 23 hours is planned by the clock like any other, so daylight saving moves no figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from broker.domain.days import day_number, day_of
from broker.domain.items import Item, Visit
from broker.view.activity import period
from broker.view.codes import SCHOOL, area_of, is_counted

DAY_MINUTES = 1440
WEEK_MINUTES = 7 * DAY_MINUTES
# Far beyond any plan, and far from where a calendar ends and sums of days overflow.
_YEARS = (1900, 2999)
_NAME = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class IsoWeek:
    """One week of ISO 8601, Monday to Sunday: `2019-W11`. The year is the week's own, not the calendar's."""

    year: int
    number: int

    @classmethod
    def of(cls, day: int) -> IsoWeek:
        """Give the week that a day (YYYYMMDD) falls in."""
        return cls._holding(day_of(day))

    @classmethod
    def read(cls, name: str) -> IsoWeek:
        """Read `2019-W11`; raise ValueError when there is no such week."""
        match = _NAME.fullmatch(name)
        week = cls(int(match[1]), int(match[2])) if match else cls(0, 0)
        last = date(week.year, 12, 28).isocalendar().week if _YEARS[0] <= week.year <= _YEARS[1] else 0
        if not 1 <= week.number <= last:
            raise ValueError("a week is written YYYY-Www")
        return week

    @classmethod
    def _holding(cls, day: date) -> IsoWeek:
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @property
    def monday(self) -> date:
        """The date the week begins on."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def next(self) -> IsoWeek:
        """The week after this one."""
        return IsoWeek._holding(self.monday + timedelta(days=7))

    def __str__(self) -> str:
        return f"{self.year:04d}-W{self.number:02d}"


@dataclass(frozen=True, slots=True, repr=False)
class Presence:
    """Somebody is to be there: item `item`, on `weekday` (1 = Monday), minutes after midnight, at most one day long.

    `counted` is False for what is shown but never weighed: BPA, and a child's support at school.
    """

    item: int
    weekday: int
    start_minute: int
    end_minute: int
    counted: bool = True

    @property
    def span(self) -> tuple[int, int]:
        """The stretch in minutes from the start of the week."""
        midnight = (self.weekday - 1) * DAY_MINUTES
        return midnight + self.start_minute, midnight + self.end_minute


def upcoming(today: int, count: int = 5) -> tuple[IsoWeek, ...]:
    """List this week and those after it, `count` in all."""
    weeks = [IsoWeek.of(today)]
    while len(weeks) < count:
        weeks.append(weeks[-1].next)
    return tuple(weeks[:count])


def presences(items: tuple[Item, ...], kinds: frozenset[str], week: IsoWeek, today: int) -> tuple[Presence, ...]:
    """Lay out every visit of the items of these kinds within a week, day by day, in order of time."""
    found = [
        presence
        for index, item in enumerate(items)
        if item.kind in kinds
        for visit in item.visits
        for presence in _of_visit(index, item, visit, week, today)
    ]
    return tuple(sorted(found, key=lambda one: (one.span, one.item)))


def _of_visit(index: int, item: Item, visit: Visit, week: IsoWeek, today: int) -> Iterator[Presence]:
    """Give a visit's part in a week; one that passes midnight is cut there, and may begin on the Sunday before."""
    counted = is_counted(item) and (item.kind == "meeting" or area_of(item) != SCHOOL)
    length = visit.end_minute - visit.start_minute
    length += DAY_MINUTES if length < 0 else 0
    for offset in range(-1, 7):
        day = week.monday + timedelta(days=offset)
        if not _falls_on(item, visit, day, today):
            continue
        start = offset * DAY_MINUTES + visit.start_minute
        for midnight in range(0, WEEK_MINUTES, DAY_MINUTES):
            first, last = max(start, midnight) - midnight, min(start + length, midnight + DAY_MINUTES) - midnight
            if first < last:
                yield Presence(index, midnight // DAY_MINUTES + 1, first, last, counted)


def _falls_on(item: Item, visit: Visit, day: date, today: int) -> bool:
    number = day_number(day)
    if visit.day is not None:
        # A booked day stands by itself: an appointment need not tell a period as well.
        within = (item.from_day or 0) <= number and (item.to_day is None or number <= item.to_day)
        return visit.day == number and within and item.status != "cancelled"
    first, last = period(item, today)
    return visit.weekday == day.isoweekday() and first <= number <= last
