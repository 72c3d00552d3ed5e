"""A young person's own consent to what concerns their health leaves no trace where the parent looks (SUL § 17, 3)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from broker.consents.answer import Yes, grant
from broker.consents.lines import Wanted, WantedLine
from broker.consents.request import request_consent
from broker.consents.withdraw import withdraw
from broker.domain.errors import Refused
from broker.domain.events import AskMade, AuditEvent, ConsentEvent, OutcomeReached
from broker.domain.identity import CitizenLogin
from broker.domain.personal import Personal
from broker.exchange import exchange
from tests.builders import (
    CASE,
    CHILD,
    CITIZEN,
    FAMILY,
    HEALTH,
    NOON,
    PURPOSE,
    SOCIAL,
    SmallHouse,
    a_caller,
    a_house,
    an_ask,
)

AT_FIFTEEN = 20040304
YOUNG = CitizenLogin(CHILD, "Substantial", NOON)


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house, whose child is fifteen today."""
    made = asyncio.run(a_house(tmp_path))
    made.people.persons[CHILD] = replace(made.people.persons[CHILD], born=AT_FIFTEEN)
    return made


def ask_both(house: SmallHouse) -> None:
    """Ask, in the mother's case, for something of hers and for the young person's health."""
    lines = (WantedLine(SOCIAL, "S01"), WantedLine(HEALTH, "H01", CHILD))
    wanted = Wanted(CITIZEN, PURPOSE, Personal(CASE), lines, 20200303)
    asyncio.run(request_consent("r1", wanted, a_caller(), house.ports))


def about_the_mother(house: SmallHouse) -> list[AuditEvent]:
    """Give every entry that stands on the mother's list."""
    return [event for event in house.log.events if event.subject == house.citizen]


def test_the_parents_list_tells_nothing(house: SmallHouse) -> None:
    """Asked, said yes, taken back: the entries about the mother speak of her own line and of nothing else."""
    ask_both(house)
    given, _ = asyncio.run(grant("r1", Yes(), YOUNG, house.ports))
    asyncio.run(withdraw(given.id, None, YOUNG, house.ports))

    heard = [event.lines for event in about_the_mother(house) if isinstance(event, ConsentEvent)]
    assert heard == [((house.citizen, SOCIAL, "S01"),)]
    young = [event for event in house.log.events if event.subject == house.child]
    assert [type(event).name for event in young] == ["consent.requested", "consent.granted", "consent.withdrawn"]


def test_nothing_at_all_where_only_the_young_person_is_asked(house: SmallHouse) -> None:
    """Where no line is the parent's to see, no request stands on the parent's list."""
    wanted = Wanted(CITIZEN, PURPOSE, Personal(CASE), (WantedLine(HEALTH, "H01", CHILD),), 20200303)
    asyncio.run(request_consent("r1", wanted, a_caller(), house.ports))

    assert [type(event) for event in about_the_mother(house)] == [AskMade]
    assert asyncio.run(house.ports.consents.requests_of(house.citizen)) == ()


def test_what_takes_both_asks_both(house: SmallHouse) -> None:
    """From fifteen the family's help is asked of the young person too; with one yes alone nothing goes out."""
    wanted = Wanted(CITIZEN, PURPOSE, Personal(CASE), (WantedLine(FAMILY, "F01", CHILD),), 20200303)
    request, _ = asyncio.run(request_consent("r1", wanted, a_caller(), house.ports))
    assert {line.giver for line in request.lines} == {house.citizen, house.child}

    for login, opened in ((CitizenLogin(CITIZEN, "Substantial", NOON), False), (YOUNG, True)):
        asyncio.run(grant("r1", Yes(), login, house.ports))
        given = asyncio.run(released(house))
        assert (FAMILY in given) == opened


async def released(house: SmallHouse) -> set[str]:
    """Ask, and tell which sources something came from."""
    try:
        answer = await exchange(an_ask(), a_caller(), house.ports)
    except Refused:
        return set()
    return {item.source for item in answer.found.items}


def test_the_parent_cannot_answer_for_them(house: SmallHouse) -> None:
    """The mother's yes covers her own line alone."""
    ask_both(house)

    given, _ = asyncio.run(grant("r1", Yes(), CitizenLogin(CITIZEN, "Substantial", NOON), house.ports))

    assert {(line.subject, line.category) for line in given.lines} == {(house.citizen, "S01")}


def test_the_outcome_about_the_parent_names_no_place_read_for_the_child(house: SmallHouse) -> None:
    """Sources read for the child stand on the child's entry; the parent's names those read for the parent."""
    house.people.persons[CHILD] = replace(house.people.persons[CHILD], born=20100101)
    house.consents.standing += [house.consented(SOCIAL, "S01"), house.consented(FAMILY, "F01", house.child)]

    asyncio.run(exchange(an_ask(), a_caller(), house.ports))

    outcomes = {event.subject: event for event in house.log.events if isinstance(event, OutcomeReached)}
    assert FAMILY not in outcomes[house.citizen].sources_read
    assert outcomes[house.child].sources_read == (FAMILY,)
