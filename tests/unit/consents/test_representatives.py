"""Who is asked for a yes about a grown-up whom somebody represents: those who may give it today, and nobody else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from broker.consents.answer import Yes, grant
from broker.consents.lines import Wanted, WantedLine
from broker.consents.request import request_consent
from broker.domain.consents import ATTORNEY, GUARDIAN, SELF
from broker.domain.errors import BadAsk, NotFound, Refused
from broker.domain.facts import RegisterRepresentative
from broker.domain.identity import CitizenLogin
from broker.domain.personal import Personal
from broker.exchange import exchange
from tests.builders import CASE, CITIZEN, NOON, PURPOSE, SOCIAL, STRANGER, SmallHouse, a_caller, a_house, an_ask

SHARING, PERSONAL, ECONOMIC = "data_sharing", "personal", "economic"
HERS, HIS = (CITIZEN, SELF), (STRANGER, GUARDIAN)
LAST = 20190304


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house."""
    return asyncio.run(a_house(tmp_path))


def represented(house: SmallHouse, kind: str, *scope: str, to_day: int = 99991231) -> None:
    """Let a stranger represent the citizen."""
    row = RegisterRepresentative(STRANGER, kind, scope, 20180101, to_day)
    house.people.persons[CITIZEN] = replace(house.people.persons[CITIZEN], representatives=(row,))


def asked(house: SmallHouse) -> set[tuple[str, str]]:
    """Ask for S01, and tell by handle who is to answer and in what capacity."""
    wanted = Wanted(CITIZEN, PURPOSE, Personal(CASE), (WantedLine(SOCIAL, "S01"),), 20200303)
    request, _ = asyncio.run(request_consent("r1", wanted, a_caller(), house.ports))
    return {(line.giver, line.capacity) for line in request.lines}


@pytest.mark.parametrize(
    ("kind", "scope", "to_day", "expected"),
    [
        ("guardian_6", (PERSONAL, ECONOMIC), LAST, {HIS}),
        ("guardian_5", (PERSONAL,), LAST, {HIS}),
        ("guardian_5", (PERSONAL,), LAST - 1, {HERS}),
        ("guardian_5", (ECONOMIC,), LAST, {HERS}),
        ("future_power", (PERSONAL, SHARING), LAST, {(STRANGER, ATTORNEY)}),
        ("future_power", (PERSONAL,), LAST, {HERS}),
        ("power_of_attorney", (PERSONAL, SHARING), LAST, {HERS, (STRANGER, ATTORNEY)}),
        ("power_of_attorney", (PERSONAL,), LAST, {HERS}),
        ("assistant", (PERSONAL, SHARING), LAST, {HERS}),
        ("friend", (PERSONAL, SHARING), LAST, {HERS}),
    ],
)
def test_who_is_asked(
    house: SmallHouse, kind: str, scope: tuple[str, ...], to_day: int, expected: set[tuple[Personal[str], str]]
) -> None:
    """Guardian and attorney are asked within their paper and its days; the citizen where nobody speaks instead."""
    represented(house, kind, *scope, to_day=to_day)
    hers, his = asyncio.run(house.handles.citizens([CITIZEN, STRANGER]))

    assert asked(house) == {({CITIZEN: hers, STRANGER: his}[who], capacity) for who, capacity in expected}


def test_a_bisidder_answers_nothing(house: SmallHouse) -> None:
    """Whoever only comes along finds no request of theirs."""
    represented(house, "assistant", PERSONAL, SHARING)
    asked(house)

    with pytest.raises((NotFound, BadAsk)):
        asyncio.run(grant("r1", Yes(), CitizenLogin(STRANGER, "Substantial", NOON), house.ports))


def test_an_ended_guardianship_ends_at_once(house: SmallHouse) -> None:
    """The guardian's yes stands untouched in the store, and opens nothing once the register tells of the end."""
    represented(house, "guardian_5", PERSONAL)
    asked(house)
    asyncio.run(grant("r1", Yes(), CitizenLogin(STRANGER, "Substantial", NOON), house.ports))
    before = asyncio.run(exchange(an_ask(), a_caller(), house.ports))
    represented(house, "guardian_5", PERSONAL, to_day=LAST - 1)

    assert {item.category for item in before.found.items if item.source == SOCIAL} == {"S01"}
    with pytest.raises(Refused):
        asyncio.run(exchange(an_ask(), a_caller(), house.ports))
