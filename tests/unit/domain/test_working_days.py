"""Working days by the Danish calendar, held against the dates that almanacs print."""

from datetime import date, timedelta

import pytest

from broker.domain.working_days import easter, holidays, is_working_day, late_before, working_days_after

# Easter Sundays as printed in the almanac of the University of Copenhagen; 2038 is the latest there can be.
SUNDAYS = [
    *("2000-04-23", "2008-03-23", "2011-04-24", "2018-04-01", "2019-04-21", "2020-04-12", "2021-04-04", "2022-04-17"),
    *("2023-04-09", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25"),
]


@pytest.mark.parametrize("sunday", SUNDAYS)
def test_easter(sunday: str) -> None:
    """Easter Sunday falls where the almanac has it."""
    assert easter(date.fromisoformat(sunday).year) == date.fromisoformat(sunday)


def test_holidays_of_a_year() -> None:
    """The public holidays of 2019 are those of the law, and no more."""
    days = ["01-01", "04-18", "04-19", "04-21", "04-22", "05-17", "05-30", "06-09", "06-10", "12-25", "12-26"]
    assert sorted(holidays(2019)) == [date.fromisoformat(f"2019-{day}") for day in days]


def test_great_prayer_day_was_abolished() -> None:
    """The fourth Friday after Easter was free until 2023 and is a working day since."""
    assert not is_working_day(date(2023, 5, 5))
    assert is_working_day(date(2024, 4, 26))


def test_working_days_go_round_what_is_free() -> None:
    """Three working days after the Wednesday before Easter is the Thursday after it; none is the day itself."""
    assert working_days_after(date(2019, 4, 17), 3) == date(2019, 4, 25)
    assert working_days_after(date(2019, 3, 1), 1) == date(2019, 3, 4)
    assert working_days_after(date(2019, 3, 2), 0) == date(2019, 3, 2)


@pytest.mark.parametrize("count", [0, 1, 3, 10])
def test_what_is_late_today_began_before_one_day(count: int) -> None:
    """A day's working days are over today just where it lies before the day given, over Easter and New Year too."""
    days = [date(2018, 12, 10) + timedelta(number) for number in range(200)]
    for today in days[60:]:
        first = late_before(today, count)
        assert [working_days_after(day, count) < today for day in days] == [day < first for day in days]
