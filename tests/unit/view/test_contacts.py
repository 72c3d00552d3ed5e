"""L3, C26: follow-up must in total reach what the law asks for; talks are counted over all areas that are seen."""

from __future__ import annotations

from typing import Any

import pytest

from broker.domain.items import Item
from broker.view.gaps import Gap, gaps
from broker.view.texts import gap_text
from tests.unit.view.annette import a_directory, a_trial, an_item

TRIAL = a_trial(kind="processuel_fleksibilitet", contacts=4, contact_days=182)


def talk(day: int, source: str = "jobcentre", category: str = "B02") -> Item:
    """Make a talk on a day."""
    return an_item("meeting", source, category, from_day=day, to_day=day)


def short(*items: Item, today: int = 20190304, trial: Any = TRIAL) -> list[Gap]:
    """Give what the view says of too few talks."""
    return [gap for gap in gaps(items, (), a_directory(trial), today) if gap.code == "few_contacts"]


def test_three_talks_where_four_are_needed() -> None:
    """Three of four is said, with both figures; a fourth, in another area, is enough."""
    three = (talk(20181001), talk(20181203), talk(20190304))

    (gap,) = short(*three)

    assert (gap.held, gap.needed) == (3, 4)
    assert gap_text(gap, "da") == "Kommunens forsøg kræver 4 samtaler i alt i perioden. Du kan se 3."
    assert short(*three, talk(20190211, "social_centre", "S01")) == []


@pytest.mark.parametrize(("day", "counts"), [(20180904, True), (20180903, False), (20190304, True), (20190305, False)])
def test_the_days_that_count(day: int, counts: bool) -> None:
    """182 days with today are counted; what is only planned is not held."""
    others = (talk(20181001), talk(20181203), talk(20190114))

    assert (short(*others, talk(day)) == []) is counts


def test_only_where_a_trial_asks_for_it() -> None:
    """Without a trial, outside its days, or in another municipality nothing is said."""
    assert short(talk(20190304), trial=a_trial()) == []
    assert short(talk(20190304), trial=a_trial(contacts=4, contact_days=182, municipality="norrestrand")) == []
    assert short(talk(20220304), today=20220304) == []
