"""SEL § 49 a, stk. 2 over the whole road: what the broker itself handed out counts, day by day, child by child."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.adapters.clock_system import FixedClock
from broker.domain.answers import Answer
from broker.domain.errors import Refused
from broker.domain.events import OutcomeReached
from broker.exchange import exchange
from tests.builders import FAMILY, SCHOOL, SmallHouse, a_caller, a_house, an_ask

# The day changes at midnight in Denmark: an hour before it does in Greenwich, two in summer.
FIRST = datetime(2019, 3, 4, 11, tzinfo=UTC)
SAME_EVENING = datetime(2019, 3, 4, 22, 59, tzinfo=UTC)
NEXT_DAY = datetime(2019, 3, 4, 23, tzinfo=UTC)
IN_SUMMER = datetime(2019, 5, 1, 22, tzinfo=UTC)
A_YEAR_LATER = datetime(2020, 3, 3, 23, tzinfo=UTC)


async def a_meeting(house: SmallHouse, at: datetime, *, follow_up: bool = False) -> Answer | tuple[str, ...]:
    """Ask the family centre about the child, from the school; give what is shown, or the reasons of a refusal."""
    role = replace(a_caller().caseworker.roles[0], name="skoleperson", kle=("17.*",), attested_on=None)
    caller = a_caller(unit="school-office", roles=(role,))
    caller = replace(caller, system=replace(caller.system, units=frozenset({"school-office"})))
    house.cases.unit, house.cases.kle = "school-office", "17.00.00"
    ask = an_ask(purpose="ssd_moede", sources=frozenset({FAMILY, SCHOOL}), follow_up=follow_up)
    try:
        return await exchange(ask, caller, replace(house.ports, clock=FixedClock(at)))
    except Refused as refused:
        return refused.reasons


def met(result: Answer | tuple[str, ...]) -> bool:
    """Tell whether the meeting could be held."""
    return isinstance(result, Answer)


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house: a citizen with a child of twelve."""
    return asyncio.run(a_house(tmp_path))


def test_a_day_is_one_meeting(house: SmallHouse) -> None:
    """All asks of one Danish day are one meeting; a minute after midnight it is another, and refused."""

    async def play() -> list[bool]:
        return [met(await a_meeting(house, at)) for at in (FIRST, FIRST, SAME_EVENING, NEXT_DAY)]

    assert asyncio.run(play()) == [True, True, True, False]


def test_one_follow_up(house: SmallHouse) -> None:
    """The follow-up must be called one; there is one, on one day; within a year no third meeting is held."""

    async def play() -> list[bool]:
        return [
            met(await a_meeting(house, FIRST)),
            met(await a_meeting(house, NEXT_DAY, follow_up=True)),
            met(await a_meeting(house, NEXT_DAY)),
            met(await a_meeting(house, IN_SUMMER, follow_up=True)),
        ]

    assert asyncio.run(play()) == [True, True, True, False]


def test_a_year_later_one_may_meet_again(house: SmallHouse) -> None:
    """A calendar year after the meeting it counts no more, from that day on in Denmark."""

    async def play() -> list[bool]:
        eve = datetime(2020, 3, 3, 22, 59, tzinfo=UTC)
        return [met(await a_meeting(house, at)) for at in (FIRST, eve, A_YEAR_LATER)]

    assert asyncio.run(play()) == [True, False, True]


def test_a_refusal_is_no_meeting(house: SmallHouse) -> None:
    """What nothing came of is not remembered as a meeting, and no reason but the limit is told of the child."""

    async def play() -> tuple[Answer | tuple[str, ...], Answer | tuple[str, ...]]:
        house.cases.employed = False
        refused = await a_meeting(house, FIRST)
        house.cases.employed = True
        return refused, await a_meeting(house, NEXT_DAY)

    refused, held = asyncio.run(play())

    assert refused == ("ROLE_EXPIRED",)
    assert met(held)
    meetings = [event for event in house.log.events if isinstance(event, OutcomeReached) and event.meeting]
    assert {event.subject for event in meetings} == {house.child}


def test_asks_at_once_are_the_same_meeting(house: SmallHouse) -> None:
    """Two asks of one day that run side by side are both answered; the next day's is not."""

    async def play() -> list[bool]:
        both = await asyncio.gather(a_meeting(house, FIRST), a_meeting(house, FIRST))
        return [*(met(one) for one in both), met(await a_meeting(house, NEXT_DAY))]

    assert asyncio.run(play()) == [True, True, False]
