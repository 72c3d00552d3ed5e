"""Which days an item is about, and what lies within the days of the data that somebody said yes to."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.errors import BadAsk
from broker.domain.item_days import within
from broker.domain.items import Visit
from broker.domain.periods import EVERY_DAY, Period
from tests.builders import an_item

LAST_YEAR, JANUARY = Period(20180101, 20181231), Period(20190101, 20190131)
# Fetched on 4 March 2019.
FETCHED = 20190304


def of(**told: Any) -> Any:
    """Make an item of which a source tells this."""
    return an_item("social", "S01", "h-anna", **told)


@pytest.mark.parametrize(
    ("told", "inside"),
    [
        ({"from_day": 20181231, "to_day": 20190630}, True),
        ({"from_day": 20190101, "to_day": 20190630}, False),
        ({"from_day": 20170101, "to_day": 20180101}, True),
        ({"from_day": 20170101, "to_day": 20171231}, False),
        ({"from_day": 20170101, "to_day": 20190630}, True),
        ({"from_day": 20180601, "to_day": 20180601}, True),
        ({"from_day": 20180601, "to_day": 20180531}, False),
        ({"from_day": 20170101}, True),
        ({"from_day": 20170101, "to_day": 99991231}, True),
        ({"from_day": 20170101, "status": "active"}, True),
        ({"from_day": 20170101, "status": "finished"}, False),
        ({"from_day": 20170101, "status": "planned"}, False),
        ({"from_day": 20170101, "kind": "statement"}, False),
        ({"from_day": 20170101, "kind": "meeting"}, False),
        ({"from_day": 20180301, "kind": "statement"}, True),
        ({"to_day": 20181231}, True),
        ({"to_day": 20190101}, False),
        ({}, False),
        ({"visits": (Visit(0, 60, weekday=1),)}, False),
        ({"visits": (Visit(0, 60, day=20181231),)}, True),
        ({"visits": (Visit(0, 60, day=20190101),)}, False),
    ],
)
def test_an_item_of_a_day_in_the_period_is_inside(told: dict[str, Any], inside: bool) -> None:
    """One day in common is enough; what nobody told is not guessed; an item of no day is in no named period."""
    item = of(**told)

    assert within(item, [(LAST_YEAR,)]) == (item if inside else None)
    assert within(item, []) == within(item, [(EVERY_DAY,)]) == item


def test_what_goes_on_is_counted_up_to_the_day_it_was_fetched() -> None:
    """Whether it goes on tomorrow nobody has told; what begins later has its own first day."""
    goes_on, to_come = of(from_day=20170101), of(from_day=20190601)

    assert within(goes_on, [(Period(FETCHED, FETCHED),)]) == goes_on
    assert within(goes_on, [(Period(FETCHED + 1, 20191231),)]) is None
    assert within(to_come, [(Period(20190601, 20190601),)]) == to_come
    assert within(to_come, [(Period(20190602, 20191231),)]) is None


def test_every_bound_must_be_met_by_one_of_its_periods() -> None:
    """Of periods of one giver either is enough; of several givers each bounds what goes out."""
    last_summer = of(from_day=20180601, to_day=20180831)

    assert within(last_summer, [(JANUARY, LAST_YEAR)]) == last_summer
    assert within(last_summer, [(LAST_YEAR,), (JANUARY,)]) is None
    assert within(of(from_day=20180601, to_day=20190110), [(LAST_YEAR,), (JANUARY,)]) is not None


def test_visits_of_other_days_are_left_out() -> None:
    """Of an item that is inside, a booked day outside the period does not go along; a weekly one is the item's own."""
    weekly, inside, outside = Visit(0, 60, weekday=1), Visit(0, 60, day=20181201), Visit(0, 60, day=20190101)
    item = of(from_day=20180101, to_day=20190630, visits=(weekly, inside, outside))

    assert within(item, [(LAST_YEAR,)]) == replace(item, visits=(weekly, inside))


@pytest.mark.parametrize("days", [(20190101, 20181231), (20180230, 20181231), (20180101, 20181301), (1, 20181231)])
def test_a_period_is_of_real_days_in_order(days: tuple[int, int]) -> None:
    """A period that no calendar has is none."""
    with pytest.raises(BadAsk):
        Period(*days)
