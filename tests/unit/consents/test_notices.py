"""Who is told that there is something new, by what is asked of them and by what others record: the small house."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.consents.answer import Yes, grant
from broker.consents.desk import TakenYes, record_at_desk
from broker.consents.lines import Wanted, WantedLine
from broker.consents.pause import pause_at_desk
from broker.consents.request import request_consent
from broker.consents.withdraw import withdraw, withdraw_at_desk
from broker.domain.errors import BadAsk, LogUnavailable
from broker.domain.facts import CustodyHolder
from broker.domain.identity import CitizenLogin
from broker.domain.notices import ENDS, RECORDED, REQUEST, WORKING_DAY
from broker.domain.personal import Personal
from tests.builders import CASE, CHILD, CITIZEN, FAMILY, NOON, PURPOSE, SOCIAL, SmallHouse, a_caller, a_house

FATHER = Personal("6505700011")
ME = CitizenLogin(CITIZEN, "Substantial", NOON)


@pytest.fixture
async def house(tmp_path: Path) -> SmallHouse:
    """The small house: a citizen with a child of twelve, one open case."""
    return await a_house(tmp_path)


def wanted(*lines: tuple[str, str]) -> Wanted:
    """Ask for these lines, until the last day that is allowed."""
    return Wanted(CITIZEN, PURPOSE, Personal(CASE), tuple(WantedLine(*line) for line in lines), 20200303)


async def asked(house: SmallHouse, *lines: tuple[str, str]) -> str:
    """Ask for consent as Lene; give the request."""
    made, _ = await request_consent(str(uuid.uuid4()), wanted(*lines), a_caller(), house.ports)
    return made.id


async def recorded(house: SmallHouse) -> str:
    """Record a yes on paper; give the consent."""
    taken = TakenYes("paper", "da", Personal("underskrevet"))
    made, _ = await record_at_desk(str(uuid.uuid4()), wanted((SOCIAL, "S01")), taken, a_caller(), house.ports)
    return made.id


def told(house: SmallHouse) -> list[tuple[str, Personal[str], str]]:
    """List who was told at once: handle, number, cause."""
    return [(one.recipient, one.number, one.cause) for one in house.consents.told if one.made_at <= NOON]


async def test_whoever_must_answer_is_told_once_however_many_lines(house: SmallHouse) -> None:
    """One request of two lines is one notice, to the one who answers."""
    await asked(house, (SOCIAL, "S01"), (SOCIAL, "S02"))

    assert told(house) == [(house.citizen, CITIZEN, REQUEST)]


async def test_both_custody_holders_are_told_and_the_child_is_not(house: SmallHouse) -> None:
    """Each holder hears at their own number; a child of twelve, who has nothing to answer, does not."""
    both = (CustodyHolder(CITIZEN, 3), CustodyHolder(FATHER, 4))
    house.people.persons[CHILD] = replace(house.people.persons[CHILD], custody=both)
    (father,) = await house.handles.citizens([FATHER])

    await asked(house, (FAMILY, "F01"))

    assert sorted(told(house), key=lambda row: row[0]) == sorted(
        [(house.citizen, CITIZEN, REQUEST), (father, FATHER, REQUEST)], key=lambda row: row[0]
    )


async def test_what_another_records_is_told_to_whoever_it_is_said_of(house: SmallHouse) -> None:
    """A yes on paper, a pause and a withdrawal by phone: each time the giver hears, who may never have said so."""
    consent = await recorded(house)
    await pause_at_desk(consent, None, CITIZEN, a_caller(), house.ports)
    await withdraw_at_desk(consent, None, CITIZEN, a_caller(), house.ports)

    assert told(house) == [(house.citizen, CITIZEN, RECORDED)] * 3


async def test_nobody_is_told_of_what_they_did_themselves(house: SmallHouse) -> None:
    """A yes and a withdrawal on the page cause no notice."""
    request = await asked(house, (SOCIAL, "S01"))

    given, _ = await grant(request, Yes(), ME, house.ports)
    await withdraw(given.id, None, ME, house.ports)

    assert [cause for _, _, cause in told(house)] == [REQUEST]


async def test_what_does_not_come_about_is_told_to_nobody(house: SmallHouse) -> None:
    """A request that is refused or cannot be written down leaves no notice."""
    with pytest.raises(BadAsk):
        await asked(house, ("nowhere", "S01"))
    house.log.broken = True
    with pytest.raises(LogUnavailable):
        await asked(house, (SOCIAL, "S01"))

    assert told(house) == []


async def test_a_yes_brings_the_letter_that_it_ends_soon(house: SmallHouse) -> None:
    """On the page and at the desk: one letter to whoever gave it, in the morning 30 days before, and of that yes."""
    given, _ = await grant(await asked(house, (SOCIAL, "S01")), Yes(), ME, house.ports)
    on_paper = await recorded(house)

    ends = [one for one in house.consents.told if one.cause == ENDS]
    assert [(one.recipient, one.number, one.consent) for one in ends] == [
        (house.citizen, CITIZEN, given.id),
        (house.citizen, CITIZEN, on_paper),
    ]
    # 3 March 2020 less 30 days, some time of the working day that begins at nine in Denmark.
    morning = datetime(2020, 2, 2, 8, tzinfo=UTC)
    assert all(morning <= one.made_at < morning + WORKING_DAY for one in ends)


async def test_a_short_yes_brings_none(house: SmallHouse) -> None:
    """Whoever says yes for less than a month has just read when it ends."""
    await grant(await asked(house, (SOCIAL, "S01")), Yes(to_day=20190331), ME, house.ports)

    assert [one.cause for one in house.consents.told] == [REQUEST]
