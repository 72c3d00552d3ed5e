"""Whoever got a new CPR number is the same person under both: what stands under one holds under the other."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from broker.consents.blocks import BlockWish, set_block
from broker.domain.errors import Refused
from broker.domain.events import OutcomeReached
from broker.domain.facts import CustodyHolder, RegisterPerson
from broker.domain.identity import CitizenLogin
from broker.domain.items import Item
from broker.domain.personal import Personal
from broker.exchange import exchange
from broker.web.wire import answer_body
from tests.builders import CHILD, CITIZEN, FAMILY, NOON, SOCIAL, SmallHouse, a_caller, a_house, an_ask, an_item
from tests.fakes.sources import FakeSource

NEW = Personal("6211740022")
BOTH = pytest.mark.parametrize("number", [CITIZEN, NEW], ids=["by the old number", "by the new number"])
APART = {"ask", "id", "receipt", "entry"}


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house, whose citizen said yes, and then got another number; the departments know the new one."""
    made = asyncio.run(a_house(tmp_path))
    made.consents.standing.append(made.consented(SOCIAL, "S01"))
    old = made.people.persons[CITIZEN]
    made.people.persons[CITIZEN] = replace(old, current_cpr=NEW)
    made.people.persons[NEW] = replace(old, cpr=NEW, former=(CITIZEN,))
    for source in made.sources.values():
        source.told[NEW.disclose()] = source.told.pop(CITIZEN.disclose())
    return made


def ask(house: SmallHouse, number: Personal[str]) -> Any:
    """Ask about the citizen by one number; the case system knows the case by it."""
    case, _, caseworker = house.cases.known
    house.cases.known = (case, number, caseworker)
    return asyncio.run(exchange(an_ask(citizen=number), a_caller(), house.ports))


def reasons(house: SmallHouse) -> set[str]:
    """Give every reason that the log holds against S01 of the social centre."""
    outcomes = [event for event in house.log.events if isinstance(event, OutcomeReached)]
    verdicts = [verdict for event in outcomes for verdict in event.verdicts]
    theirs = [v for v in verdicts if (v.key.source, v.key.category) == (SOCIAL, "S01")]
    return {code for verdict in theirs for code in verdict.reasons}


@BOTH
def test_a_yes_holds_under_both_numbers(house: SmallHouse, number: Personal[str]) -> None:
    """What was consented to under the old number is handed out, whichever number is asked by."""
    answer = ask(house, number)

    assert {verdict.category for verdict in answer.verdicts if verdict.outcome == "release"} >= {"S01"}


def test_both_numbers_are_answered_alike(house: SmallHouse) -> None:
    """But for its receipt and ids, an ask by the old number is answered as one by the new."""
    told = [answer_body(ask(house, number), house.directory) for number in (CITIZEN, NEW)]
    for body in told:
        body["items"] = sorted(orjson.dumps(item) for item in body["items"] if item["source"] == SOCIAL)

    one, other = ({name: part for name, part in body.items() if name not in APART} for body in told)
    assert one["verdicts"] == other["verdicts"]


@BOTH
@pytest.mark.parametrize("stood", [CITIZEN, NEW], ids=["set under the old", "set under the new"])
def test_a_block_stands_under_both_numbers(house: SmallHouse, number: Personal[str], stood: Personal[str]) -> None:
    """A standing no binds whoever asks by either number, whichever it was said under."""
    login = CitizenLogin(stood, "Substantial", NOON)
    asyncio.run(set_block(BlockWish(SOCIAL, None, None), login, house.ports))

    with pytest.raises(Refused):
        ask(house, number)

    assert "BLOCKED_BY_CITIZEN" in reasons(house)


@BOTH
def test_what_was_taken_back_stays_so(house: SmallHouse, number: Personal[str]) -> None:
    """A yes taken back under the old number opens nothing under the new."""
    house.consents.standing[:] = [replace(line, state="withdrawn") for line in house.consents.standing]

    with pytest.raises(Refused):
        ask(house, number)

    assert reasons(house) == {"CONSENT_REVOKED"}


@BOTH
def test_a_parents_yes_for_a_child_holds_under_both(house: SmallHouse, number: Personal[str]) -> None:
    """A holder of custody who got a new number is still the one who said yes."""
    son = house.people.persons[CHILD]
    house.people.persons[CHILD] = replace(son, custody=(CustodyHolder(NEW, 3),))
    house.consents.standing.append(house.consented(FAMILY, "F01", house.child))

    assert FAMILY in {item.source for item in ask(house, number).found.items}


@BOTH
@pytest.mark.parametrize("stood", [CITIZEN, NEW], ids=["stands under the old", "stands under the new"])
def test_what_is_taken_back_while_sources_answer_stays(
    house: SmallHouse, number: Personal[str], stood: Personal[str]
) -> None:
    """Both handles stand in the release's check: a yes taken back under either number bites in a running ask (P3)."""
    (handle,) = asyncio.run(house.handles.citizens([stood]))
    house.consents.standing[:] = [replace(line, subject=handle, giver=handle) for line in house.consents.standing]
    at_rest = house.sources[SOCIAL]

    class Meanwhile(FakeSource):
        """The social centre, during whose answer the yes is taken back."""

        async def read(self, *asked: Any) -> tuple[Item, ...]:
            """Answer as the fake does."""
            house.consents.standing[:] = [replace(line, state="withdrawn") for line in house.consents.standing]
            house.consents.versions[handle] = house.consents.versions.get(handle, 0) + 1
            return await super().read(*asked)

    house.ports.sources[SOCIAL] = Meanwhile(SOCIAL, at_rest.told, at_rest.categories)

    with pytest.raises(Refused):
        ask(house, number)

    (outcome,) = {event.ask: event for event in house.log.events if isinstance(event, OutcomeReached)}.values()
    assert outcome.judged_again
    assert reasons(house) == {"CONSENT_REVOKED"}


def test_a_stranger_is_not_followed(house: SmallHouse) -> None:
    """In a case of somebody else's the register is asked once, so that no call tells whose number changed."""
    house.cases.known = (house.cases.known[0], CHILD, house.cases.known[2])
    house.people.asked.clear()

    with pytest.raises(Refused):
        asyncio.run(exchange(an_ask(), a_caller(), house.ports))

    assert house.people.asked == [CITIZEN]


def test_a_number_that_leads_on_is_no_answer(house: SmallHouse) -> None:
    """A register whose current number is not current has not answered."""
    house.people.persons[NEW] = replace(house.people.persons[NEW], current_cpr=CHILD)

    with pytest.raises(Refused) as caught:
        ask(house, CITIZEN)

    assert caught.value.reasons == ("SOURCE_UNAVAILABLE",)


def test_nobody_takes_anothers_number(house: SmallHouse) -> None:
    """A child of whom the register tells the parent's number does not get the parent's consents."""
    son = house.people.persons[CHILD]
    house.people.persons[CHILD] = replace(son, former=(NEW, CITIZEN))

    answer = ask(house, NEW)

    assert {verdict.subject for verdict in answer.verdicts if verdict.category == "S01"} == {"citizen"}


def test_a_department_that_still_knows_the_old_number_is_heard(house: SmallHouse) -> None:
    """A source that holds somebody under a number they no longer have answers too."""
    source = house.sources[SOCIAL]
    source.told = {CITIZEN.disclose(): [an_item(SOCIAL, "S01", house.citizen)]}

    assert {item.source for item in ask(house, CITIZEN).found.items} >= {SOCIAL}
    assert isinstance(house.people.persons[NEW], RegisterPerson)
