"""Working days as Danish authorities count them: not Saturdays, not Sundays, not public holidays.

Public holidays are those of the law (lukkeloven § 1), and great prayer day until it was abolished from 2024
(lov nr. 214 af 6/3 2023). Days that are free by agreement alone, such as 5 June and 24 December, are working days.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

SATURDAY = 5
# Days from Easter Sunday: Maundy Thursday, Good Friday, Easter and its Monday, Ascension, Whitsun and its Monday.
MOVED_BY_EASTER = (-3, -2, 0, 1, 39, 49, 50)
GREAT_PRAYER_DAY, LAST_GREAT_PRAYER_DAY = 26, 2023
FIXED = ((1, 1), (12, 25), (12, 26))


def easter(year: int) -> date:
    """Give Easter Sunday of a Gregorian year (the anonymous algorithm of 1876)."""
    century, in_century = divmod(year, 100)
    golden = year % 19
    corrected = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - corrected + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (in_century // 4) - epact - in_century % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


@cache
def holidays(year: int) -> frozenset[date]:
    """Give the public holidays of a year."""
    sunday = easter(year)
    moved = MOVED_BY_EASTER if year > LAST_GREAT_PRAYER_DAY else (*MOVED_BY_EASTER, GREAT_PRAYER_DAY)
    return frozenset({sunday + timedelta(days) for days in moved} | {date(year, *day) for day in FIXED})


def is_working_day(day: date) -> bool:
    """Tell whether a day is neither of a weekend nor a public holiday."""
    return day.weekday() < SATURDAY and day not in holidays(day.year)


def working_days_after(day: date, count: int) -> date:
    """Give the day that lies so many working days after a day; the day itself for none."""
    while count > 0:
        day += timedelta(1)
        count -= is_working_day(day)
    return day


def late_before(today: date, count: int) -> date:
    """Give the first day of which so many working days are not over today; all before it are late."""
    day = today
    while working_days_after(day - timedelta(1), count) >= today:
        day -= timedelta(1)
    return day
