"""Who logs in with their new CPR number takes back what they gave under the old one; nobody else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from broker.consents.blocks import BlockWish, lift_block, set_block
from broker.consents.own import own_blocks, own_consents
from broker.consents.withdraw import withdraw
from broker.domain.errors import NotFound
from broker.domain.events import BlockChanged, ConsentWithdrawn
from broker.domain.facts import RegisterPerson
from broker.domain.identity import CitizenLogin
from broker.domain.personal import Personal
from broker.exchange.numbers import own_handles
from tests.builders import CITIZEN, NOON, SOCIAL, STRANGER, SmallHouse, a_house
from tests.consent_values import a_grant, granted

NEW = Personal("6211740022")


@pytest.fixture
async def house(tmp_path: Path) -> SmallHouse:
    """The small house, whose citizen got another number."""
    made = await a_house(tmp_path)
    old = made.people.persons[CITIZEN]
    made.people.persons[CITIZEN] = replace(old, current_cpr=NEW)
    made.people.persons[NEW] = replace(old, cpr=NEW, former=(CITIZEN,))
    return made


def login(cpr: Personal[str]) -> CitizenLogin:
    """Log in by a number."""
    return CitizenLogin(cpr, "Substantial", NOON)


async def given(house: SmallHouse, cpr: Personal[str]) -> str:
    """Let somebody have said yes under a number; give the consent's id."""
    (handle,) = await house.handles.citizens([cpr])
    yes = a_grant(handle, house.case)
    await house.ports.consents.grant(yes, granted(yes))
    return yes.id


async def test_what_was_given_under_the_old_number_is_taken_back_by_the_new(house: SmallHouse) -> None:
    """It is listed as theirs, taken back, and written under the handle it was given under; the handles stay two."""
    consent = await given(house, CITIZEN)
    handles = await own_handles(NEW, house.handles, house.people)
    (shown,) = await own_consents(handles, house.ports.consents, NOON)

    await withdraw(consent, None, login(NEW), house.ports)

    assert (shown.giver, shown.lines[0].giver, shown.lines[0].subject) == (handles[0],) * 3
    (event,) = [event for event in house.log.events if isinstance(event, ConsentWithdrawn)]
    assert (event.giver, event.subject, event.actor) == (house.citizen,) * 3
    assert handles[0] != house.citizen
    (kept,) = await house.ports.consents.of_citizen(house.citizen)
    assert {line.state for line in kept.lines} == {"withdrawn"}
    assert await house.ports.consents.of_citizen(handles[0]) == ()


async def test_a_no_set_under_the_old_number_is_lifted_by_the_new(house: SmallHouse) -> None:
    """A standing no is seen and lifted under the handle it stands under."""
    block, _ = await set_block(BlockWish(SOCIAL, None, None), login(CITIZEN), house.ports)
    handles = await own_handles(NEW, house.handles, house.people)
    assert [one.id for one in await own_blocks(handles, house.ports.consents)] == [block.id]

    await lift_block(block.id, login(NEW), house.ports)

    lifted = [event for event in house.log.events if isinstance(event, BlockChanged)][-1]
    assert (lifted.subject, lifted.lifted) == (house.citizen, True)


async def test_a_register_that_claims_anothers_number_opens_nothing(house: SmallHouse) -> None:
    """A number counts as one they had only where it leads to them: one wrong row joins nobody (ADR 60)."""
    consent = await given(house, CITIZEN)
    house.people.persons[STRANGER] = RegisterPerson(STRANGER, True, 19630101, former=(CITIZEN, NEW))

    assert len(await own_handles(STRANGER, house.handles, house.people)) == 1
    with pytest.raises(NotFound):
        await withdraw(consent, None, login(STRANGER), house.ports)


async def test_the_old_number_opens_nothing_of_the_new(house: SmallHouse) -> None:
    """A log-in by a number that somebody no longer has reaches what stands under it alone."""
    consent = await given(house, NEW)

    with pytest.raises(NotFound):
        await withdraw(consent, None, login(CITIZEN), house.ports)


async def test_a_silent_register_holds_up_no_withdrawal(house: SmallHouse) -> None:
    """What stands under the number of the log-in is taken back all the same (P2)."""
    consent = await given(house, NEW)
    house.people.silent = True

    await withdraw(consent, None, login(NEW), house.ports)

    assert [event.consent for event in house.log.events if isinstance(event, ConsentWithdrawn)] == [consent]
