"""Asking for consent, answering and taking back: over the small house in memory, with the real rules."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from broker.consents.answer import Yes, grant, refuse
from broker.consents.desk import TakenYes, record_at_desk
from broker.consents.lines import Wanted, WantedLine
from broker.consents.request import request_consent
from broker.consents.withdraw import withdraw, withdraw_at_desk
from broker.domain.answers import Answer
from broker.domain.consents import ConsentRequest
from broker.domain.errors import BadAsk, Conflict, ConsentNotNeeded, LogUnavailable, NotFound, Refused
from broker.domain.events import AskMade, ConsentGranted, ConsentRequested, ConsentWithdrawn
from broker.domain.facts import CustodyHolder
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
    STRANGER,
    SmallHouse,
    a_caller,
    a_house,
    an_ask,
)

T = TypeVar("T")
FATHER = Personal("6505700011")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one coroutine to its end."""
    return asyncio.run(work)


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house: a citizen with a child of twelve, one open case."""
    return run(a_house(tmp_path))


def wanted(*lines: tuple[str, str], **changes: Any) -> Wanted:
    """Ask for these lines, for the joint plan, until the last day that is allowed."""
    made = Wanted(CITIZEN, PURPOSE, Personal(CASE), tuple(WantedLine(*line) for line in lines), 20200303)
    return replace(made, **changes)


def login(cpr: Personal[str] = CITIZEN) -> CitizenLogin:
    """A citizen who logged in."""
    return CitizenLogin(cpr, "Substantial", NOON)


async def asked(house: SmallHouse, wish: Wanted) -> ConsentRequest:
    """Ask for consent as Lene."""
    made, _ = await request_consent(str(uuid.uuid4()), wish, a_caller(), house.ports)
    return made


def test_a_yes_to_some_opens_just_those(house: SmallHouse) -> None:
    """Of two lines one is given: the ask then releases that one, and the other is withheld."""

    async def play() -> Answer:
        request = await asked(house, wanted((SOCIAL, "S01"), (SOCIAL, "S02")))
        await grant(request.id, Yes(lines=(0,)), login(), house.ports)
        return await exchange(an_ask(), a_caller(), house.ports)

    answer = run(play())
    assert {item.category for item in answer.found.items if item.source == SOCIAL} == {"S01"}


def test_what_is_sought_is_on_the_log_before_the_registers_are_read(house: SmallHouse) -> None:
    """A request is two entries: that consent was sought (before any register), and the request itself."""
    run(asked(house, wanted((SOCIAL, "S01"))))

    first, second = house.log.events
    assert isinstance(first, AskMade)
    assert first.aim == "consent"
    assert isinstance(second, ConsentRequested)
    assert second.lines == ((house.citizen, SOCIAL, "S01"),)


def test_with_the_log_down_no_register_is_read_for_a_request(house: SmallHouse) -> None:
    """P2: what could not be written down is not looked up, not even to find out who would have to say yes."""
    house.log.broken = True

    with pytest.raises(LogUnavailable):
        run(asked(house, wanted((SOCIAL, "S01"))))

    assert house.people.asked == []


def test_both_custody_holders_are_asked_and_both_are_needed(house: SmallHouse) -> None:
    """Under shared custody a child's line stands before each holder; one yes alone opens nothing (S1b)."""
    both = (CustodyHolder(CITIZEN, 3), CustodyHolder(FATHER, 4))
    house.people.persons[CHILD] = replace(house.people.persons[CHILD], custody=both)

    async def play() -> tuple[Answer | Refused, Answer]:
        request = await asked(house, wanted((FAMILY, "F01")))
        await grant(request.id, Yes(), login(), house.ports)
        try:
            half: Answer | Refused = await exchange(an_ask(), a_caller(), house.ports)
        except Refused as refused:
            half = refused
        await grant(request.id, Yes(), login(FATHER), house.ports)
        return half, await exchange(an_ask(), a_caller(), house.ports)

    half, whole = run(play())
    assert isinstance(half, Refused)
    assert "CUSTODY_INCOMPLETE" in half.reasons
    assert {item.category for item in whole.found.items if item.source == FAMILY} == {"F01"}


def test_a_withdrawal_ends_what_was_given(house: SmallHouse) -> None:
    """After the yes is taken back, the same ask is refused with the reason."""

    async def play() -> Refused:
        request = await asked(house, wanted((SOCIAL, "S01")))
        given, _ = await grant(request.id, Yes(), login(), house.ports)
        await withdraw(given.id, None, login(), house.ports)
        with pytest.raises(Refused) as caught:
            await exchange(an_ask(), a_caller(), house.ports)
        return caught.value

    assert "CONSENT_REVOKED" in run(play()).reasons
    assert any(isinstance(event, ConsentWithdrawn) for event in house.log.events)


def test_a_desk_records_a_spoken_yes_and_a_withdrawal_by_phone(house: SmallHouse) -> None:
    """A citizen without a computer gives and takes back through a named caseworker, who stands on the log."""

    async def play() -> None:
        taken = TakenYes("oral", "da", Personal("Read aloud at the desk, read back, no interpreter"))
        made = str(uuid.uuid4())
        given, _ = await record_at_desk(made, wanted((HEALTH, "H01")), taken, a_caller(), house.ports)
        await withdraw_at_desk(given.id, None, CITIZEN, a_caller(), house.ports)

    run(play())
    granted = next(event for event in house.log.events if isinstance(event, ConsentGranted))
    assert (granted.channel, granted.actor != granted.giver) == ("desk_oral", True)


def test_the_text_shown_is_the_text_digested(house: SmallHouse) -> None:
    """What the giver read is kept with the yes, names what they gave, and its digest is on the log."""

    async def play() -> tuple[str, str]:
        request = await asked(house, wanted((SOCIAL, "S01"), (SOCIAL, "S02")))
        given, _ = await grant(request.id, Yes(lines=(1,), language="en"), login(), house.ports)
        return given.text.disclose(), given.text_digest

    text, digest = run(play())
    granted = next(event for event in house.log.events if isinstance(event, ConsentGranted))
    assert granted.text_digest == digest
    assert house.directory.categories["S02"].name_en in text
    assert house.directory.categories["S01"].name_en not in text


Break = Callable[[SmallHouse], Wanted]
BAD: list[tuple[str, Break, type[Exception]]] = [
    ("a statute is the basis", lambda _: wanted((SOCIAL, "S01"), purpose="flytning"), ConsentNotNeeded),
    ("beyond the purpose", lambda _: wanted((HEALTH, "H02")), BadAsk),
    ("never to anybody", lambda _: wanted((SOCIAL, "S05")), BadAsk),
    ("a source that does not hold it", lambda _: wanted((SOCIAL, "H01")), BadAsk),
    ("an unknown source", lambda _: wanted(("none", "S01")), BadAsk),
    ("an unknown purpose", lambda _: wanted((SOCIAL, "S01"), purpose="marketing"), BadAsk),
    ("more than a calendar year", lambda _: wanted((SOCIAL, "S01"), to_day=20200304), BadAsk),
    ("backdated", lambda _: wanted((SOCIAL, "S01"), from_day=20190301), BadAsk),
    ("nothing at all", lambda _: wanted(), BadAsk),
    ("another's child", lambda _: Wanted(
        CITIZEN, PURPOSE, Personal(CASE), (WantedLine(FAMILY, "F01", STRANGER),), 20200303), BadAsk),
    ("a case that is another's", lambda _: wanted((SOCIAL, "S01"), case=Personal("JC-2019-0999")), Refused),
    ("a citizen without relation", lambda _: wanted((SOCIAL, "S01"), citizen=STRANGER), Refused),
]  # fmt: skip


@pytest.mark.parametrize("row", BAD, ids=lambda row: row[0])
def test_what_must_not_be_asked_for_is_not(house: SmallHouse, row: tuple[str, Break, type[Exception]]) -> None:
    """The citizen is not asked for what no yes may open, nor by somebody who has no case with them."""
    _, wish, expected = row
    with pytest.raises(expected):
        run(asked(house, wish(house)))

    assert house.consents.requests == {}


def test_only_the_giver_answers(house: SmallHouse) -> None:
    """Another citizen does not see the request; the giver cannot answer twice, nor lines that are not there."""

    async def play() -> None:
        request = await asked(house, wanted((SOCIAL, "S01")))
        with pytest.raises(NotFound):
            await grant(request.id, Yes(), login(STRANGER), house.ports)
        with pytest.raises(BadAsk):
            await grant(request.id, Yes(lines=(1,)), login(), house.ports)
        with pytest.raises(BadAsk):
            await grant(request.id, Yes(to_day=20200401), login(), house.ports)
        await refuse(request.id, login(), house.ports)
        with pytest.raises(Conflict):
            await grant(request.id, Yes(), login(), house.ports)

    run(play())


def test_a_consent_is_withdrawn_by_its_giver_alone(house: SmallHouse) -> None:
    """A stranger finds no such consent; the giver cannot take back twice."""

    async def play() -> None:
        request = await asked(house, wanted((SOCIAL, "S01")))
        given, _ = await grant(request.id, Yes(), login(), house.ports)
        with pytest.raises(NotFound):
            await withdraw(given.id, None, login(STRANGER), house.ports)
        await withdraw(given.id, None, login(), house.ports)
        with pytest.raises(Conflict):
            await withdraw(given.id, None, login(), house.ports)

    run(play())
