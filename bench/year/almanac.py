"""The days of the year that is played: Danish working days and holidays, and moments of a day in epoch seconds."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache

from broker.domain.days import DANISH_TIME

FIRST = date(2025, 1, 1)
EASTER = date(2025, 4, 20)
DAYS = 365
HALF_A_DAY = 43_200
# Counted from Easter: Maundy Thursday, Good Friday, Easter Monday, Ascension Day, Whit Monday. The fifth of June and
# Christmas Eve are days off in a municipality, if not in law.
OFF = frozenset(
    [EASTER + timedelta(days) for days in (-3, -2, 0, 1, 39, 49, 50)]
    + [date(2025, month, day) for month, day in ((1, 1), (6, 5), (12, 24), (12, 25), (12, 26), (12, 31))]
)


def date_of(day: int) -> date:
    """Give the date of a numbered day; the first is 0."""
    return FIRST + timedelta(day)


def is_working_day(day: int) -> bool:
    """Tell whether offices are open."""
    when = date_of(day)
    return when.weekday() < 5 and when not in OFF


@cache
def midnight(day: int) -> int:
    """Give the epoch second a day begins at, in Danish time."""
    return int(datetime.combine(date_of(day), time(), DANISH_TIME).timestamp())


def is_deadline(day: int) -> bool:
    """Tell the days on which benefits are settled and plans handed in: the 10th, the 20th and the last few."""
    return date_of(day).day in (10, 20, 27, 28)


def in_summer(day: int) -> bool:
    """Tell the weeks in which most are on holiday (28 to 31)."""
    return 28 <= date_of(day).isocalendar().week <= 31
