"""Whom a unit's first fetch is told: once a unit and citizen, with the outcome or not at all (GDPR art. 14)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from broker.adapters.audit_log import AuditLogPostgres
from broker.domain.errors import FactsChanged, LogUnavailable, Refused
from broker.domain.facts import CustodyHolder
from broker.domain.notices import FETCHED, Notice, notice_to
from broker.domain.personal import Personal
from broker.exchange import exchange
from demo.postgres import PrivatePostgres
from tests.builders import CHILD, CITIZEN, FAMILY, SOCIAL, STRANGER, SmallHouse, a_caller, a_house, an_ask
from tests.consent_values import HOME, NOON, UNIT
from tests.databases import BASE
from tests.log_events import an_outcome
from tests.outboxes import ANNA, BO, FakeChannel, PostOffice, open_post_office


@pytest.fixture
async def house(tmp_path: Path) -> SmallHouse:
    """The small house: a citizen with a child of twelve, one open case, and no consent yet."""
    return await a_house(tmp_path)


@pytest.fixture
async def office(postgres: PrivatePostgres) -> AsyncIterator[PostOffice]:
    """Give an outbox over real databases."""
    async with open_post_office(postgres) as made:
        yield made


async def test_the_first_fetch_alone_is_told(house: SmallHouse) -> None:
    """Two asks that hand something out are one letter, to the citizen, for the unit that asked."""
    house.consents.standing.append(house.consented(SOCIAL, "S01"))
    for _ in range(2):
        await exchange(an_ask(), a_caller(), house.ports)

    (told,) = house.log.told
    assert (told.recipient, told.number, told.cause) == (house.citizen, CITIZEN, FETCHED)
    assert told.unit == a_caller().unit


async def test_where_nothing_goes_out_nobody_is_told(house: SmallHouse) -> None:
    """A refusal is no fetch: no letter, and the first real one still has its own."""
    with pytest.raises(Refused):
        await exchange(an_ask(), a_caller(), house.ports)

    assert house.log.told == []


async def test_a_source_that_stays_silent_is_no_fetch(house: SmallHouse) -> None:
    """What was tried and brought nothing is told nobody; the fetch that gets something is the first."""
    house.consents.standing.append(house.consented(SOCIAL, "S01"))
    house.sources[SOCIAL].fails = "timeout"
    await exchange(an_ask(), a_caller(), house.ports)
    before = list(house.log.told)
    house.sources[SOCIAL].fails = None
    await exchange(an_ask(), a_caller(), house.ports)

    assert (before, [told.recipient for told in house.log.told]) == ([], [house.citizen])


async def test_a_child_who_is_asked_about_itself_is_written_to_by_nobody(house: SmallHouse) -> None:
    """A case of the child's own is no reason to write to a child of twelve."""
    (mother,) = await house.handles.citizens([STRANGER])
    young = replace(house.people.persons[CITIZEN], born=20060920, custody=(CustodyHolder(STRANGER, 3),), children=())
    house.people.persons[CITIZEN] = young
    house.consents.standing.append(house.consented(FAMILY, "F01", giver=mother, capacity="custody_holder"))
    answer = await exchange(an_ask(), a_caller(), house.ports)

    assert {item.subject for item in answer.found.items} == {house.citizen}
    assert house.log.told == []


async def test_of_a_child_nobody_is_told_before_it_has_post_of_its_own(house: SmallHouse) -> None:
    """Of a child of twelve there is no letter; the parent has one of what was fetched about themself alone."""
    house.consents.standing.append(house.consented(FAMILY, "F01", house.child))
    answer = await exchange(an_ask(), a_caller(), house.ports)

    assert house.child in {item.subject for item in answer.found.items}
    assert house.log.told == []


async def test_a_young_person_has_a_letter_of_their_own(house: SmallHouse) -> None:
    """At fifteen they answer for themself, and are told; no parent is told in their place."""
    house.people.persons[CHILD] = replace(house.people.persons[CHILD], born=20040304)
    house.consents.standing += [
        house.consented(FAMILY, "F01", house.child),
        house.consented(FAMILY, "F01", house.child, giver=house.child, capacity="self"),
    ]
    await exchange(an_ask(), a_caller(), house.ports)

    assert [(told.recipient, told.number) for told in house.log.told] == [(house.child, CHILD)]


def letter(recipient: str, number: Personal[str] = ANNA, unit: str = UNIT, at: datetime = NOON) -> Notice:
    """Make the letter of a fetch."""
    return notice_to(recipient, number, HOME, FETCHED, at, unit=unit)


async def fetch(office: PostOffice, *tell: Notice, log: AuditLogPostgres | None = None, **given: Any) -> None:
    """Write an outcome about Anna, as a release does."""
    await (log or office.databases.log).append([an_outcome(office.anna, office.kim)], tell=tell, **given)


async def waiting(office: PostOffice) -> list[tuple[str, str]]:
    """List who waits to be told of which unit's fetch."""
    return sorted((row["recipient"], row["unit"]) for row in await office.rows())


async def test_each_unit_tells_each_citizen_once(office: PostOffice) -> None:
    """Again by the same unit: nothing. By another, or about another: a letter. A node started anew knows it too."""
    anew = AuditLogPostgres(office.databases.pool, office.databases.vault, BASE)
    await fetch(office, letter(office.anna))
    await fetch(office, letter(office.anna))
    await fetch(office, letter(office.anna), log=anew)
    await fetch(office, letter(office.anna), letter(office.bo, BO))
    await fetch(office, letter(office.anna, unit="korsbaek-school"))
    await anew.aclose()

    expected = [(office.anna, UNIT), (office.anna, "korsbaek-school"), (office.bo, UNIT)]
    assert await waiting(office) == sorted(expected)


async def test_two_nodes_at_once_write_one_letter(office: PostOffice) -> None:
    """Neither knows of the other's fetch, and both outcomes stand."""
    nodes = [AuditLogPostgres(office.databases.pool, office.databases.vault, BASE) for _ in range(4)]
    await asyncio.gather(*(fetch(office, letter(office.anna), log=node) for node in nodes))
    for node in nodes:
        await node.aclose()

    assert await waiting(office) == [(office.anna, UNIT)]
    assert len(await office.rows("SELECT FROM log.index WHERE kind = 'outcome'")) == 4


async def test_asks_about_the_same_two_at_once_all_come_through(office: PostOffice) -> None:
    """Whichever of two people is named first: nobody waits for ever, each outcome stands, and each has one letter."""
    nodes = [AuditLogPostgres(office.databases.pool, office.databases.vault, BASE) for _ in range(6)]
    letters = [letter(office.anna), letter(office.bo, BO)]
    both = [letters if number % 2 else letters[::-1] for number in range(6)]
    await asyncio.gather(
        *(
            fetch(office, *[replace(one, id=str(uuid4())) for one in named], log=node)
            for node, named in zip(nodes, both, strict=True)
        )
    )
    for node in nodes:
        await node.aclose()

    assert await waiting(office) == sorted([(office.anna, UNIT), (office.bo, UNIT)])
    assert len(await office.rows("SELECT FROM log.index WHERE kind = 'outcome'")) == 6


async def test_a_fetch_that_was_not_written_down_is_not_told(office: PostOffice) -> None:
    """Consents changed, or the log took nothing: no letter, and the next fetch is still the first."""
    with pytest.raises(FactsChanged):
        await fetch(office, letter(office.anna), versions=[(office.anna, 7)])
    await office.rows("REVOKE EXECUTE ON FUNCTION log.append FROM borgerbro_app")
    with pytest.raises(LogUnavailable):
        await fetch(office, letter(office.anna))
    await office.rows("GRANT EXECUTE ON FUNCTION log.append TO borgerbro_app")
    before = await waiting(office)
    await fetch(office, letter(office.anna), versions=[(office.anna, 0)])

    assert (before, await waiting(office)) == ([], [(office.anna, UNIT)])


async def test_with_nowhere_to_write_a_letter_nothing_goes_out(office: PostOffice) -> None:
    """A letter that cannot wait keeps its outcome off the log, so that nothing leaves untold."""
    await office.rows("REVOKE INSERT ON notices.first_fetch FROM borgerbro_app")
    with pytest.raises(LogUnavailable):
        await fetch(office, letter(office.anna))
    await office.rows("GRANT INSERT ON notices.first_fetch TO borgerbro_app")

    assert await office.rows("SELECT FROM log.index WHERE kind = 'outcome'") == []


async def test_a_fetch_that_the_law_keeps_back_is_told_when_it_shows(office: PostOffice) -> None:
    """Not while it is kept back, and then once."""
    await office.keep_back(office.anna, UNIT, NOON + timedelta(days=20))
    await fetch(office, letter(office.anna))
    channel = FakeChannel()
    early = await office.round(channel, timedelta(days=19))
    late = await office.round(channel, timedelta(days=21))

    assert (early.sent, early.given_up, late.sent) == (0, 0, 1)
    assert [notice.recipient for notice in channel.took] == [office.anna]
