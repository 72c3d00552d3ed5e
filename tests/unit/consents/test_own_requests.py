"""What somebody is asked under a number they had before: found, answered there, and found by whoever asks by either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from broker.consents.answer import Before, Yes, grant, refuse
from broker.consents.lines import Wanted, WantedLine
from broker.consents.own import asked_before, own_parts, own_requests
from broker.consents.renew import renewed
from broker.consents.request import request_consent
from broker.consents.texts import consent_text, text_digest
from broker.domain.consents import ConsentRequest
from broker.domain.errors import BadAsk, Conflict, NotFound
from broker.domain.events import ConsentGranted, ConsentRefused
from broker.domain.identity import CitizenLogin
from broker.domain.personal import Personal
from broker.exchange import exchange
from broker.exchange.numbers import own_numbers
from tests.builders import CASE, CHILD, CITIZEN, FAMILY, NOON, PURPOSE, SOCIAL, SmallHouse, a_caller, a_house, an_ask
from tests.consent_values import a_line, a_request, requested

NEW, OTHER_CHILD = Personal("6211740022"), "a-second-child"
BOTH = pytest.mark.parametrize("number", [CITIZEN, NEW], ids=["by the old number", "by the new number"])


@pytest.fixture
async def house(tmp_path: Path) -> SmallHouse:
    """The small house."""
    return await a_house(tmp_path)


def moved(house: SmallHouse) -> None:
    """Let the citizen get another number, which the departments and the case system know at once."""
    old = house.people.persons[CITIZEN]
    house.people.persons[CITIZEN] = replace(old, current_cpr=NEW)
    house.people.persons[NEW] = replace(old, cpr=NEW, former=(CITIZEN,))
    for source in house.sources.values():
        source.told[NEW.disclose()] = source.told.pop(CITIZEN.disclose())


def login(cpr: Personal[str] = NEW) -> CitizenLogin:
    """Log in by a number."""
    return CitizenLogin(cpr, "Substantial", NOON)


async def asked(house: SmallHouse, name: str = "r1", cpr: Personal[str] = CITIZEN) -> ConsentRequest:
    """Ask for one line as Lene, by a number."""
    case, _, caseworker = house.cases.known
    house.cases.known = (case, cpr, caseworker)
    wish = Wanted(cpr, PURPOSE, Personal(CASE), (WantedLine(SOCIAL, "S01"),), 20200303)
    made, _ = await request_consent(name, wish, a_caller(), house.ports)
    return made


async def handles_of(house: SmallHouse, cpr: Personal[str] = NEW) -> tuple[str, ...]:
    """Give the handles of who logs in by a number."""
    return (await own_numbers(cpr, house.handles, house.people)).handles


@BOTH
async def test_a_yes_to_what_was_asked_before_holds_by_either_number(house: SmallHouse, number: Personal[str]) -> None:
    """It is written under the handle it was put to them under, and opens what it says, by whichever number is asked."""
    request = await asked(house)
    moved(house)
    given, _ = await grant(request.id, Yes(), login(), house.ports)
    case, _, caseworker = house.cases.known
    house.cases.known = (case, number, caseworker)
    answer = await exchange(an_ask(citizen=number), a_caller(), house.ports)

    (event,) = [event for event in house.log.events if isinstance(event, ConsentGranted)]
    assert (event.subject, event.actor, event.giver, given.giver) == (house.citizen,) * 4
    assert "S01" in {row.category for row in answer.verdicts if row.outcome == "release"}


async def test_a_no_to_what_was_asked_before_is_kept_there(house: SmallHouse) -> None:
    """The no stands under the handle of then, with the text that was read."""
    request = await asked(house)
    moved(house)
    text = consent_text(request.unit, PURPOSE, request.lines, (20190304, 20200303), "da", house.directory)
    await refuse(request.id, login(), house.ports, Before(digest=text_digest(text)))

    (event,) = [event for event in house.log.events if isinstance(event, ConsentRefused)]
    assert (event.subject, event.actor, event.text_digest) == (house.citizen, house.citizen, text_digest(text))
    with pytest.raises(Conflict):
        await grant(request.id, Yes(), login(), house.ports)


async def test_it_is_listed_once_beside_what_is_asked_by_the_new_number(house: SmallHouse) -> None:
    """Newest first, each with the handle it is put to; being asked under another number is being asked before."""
    first = await asked(house)
    moved(house)
    new, old = await handles_of(house)
    second = await asked(house, "r2", NEW)
    mine = await own_requests((new, old), house.ports.consents)

    assert {(own.request.id, own.me) for own in mine} == {(first.id, old), (second.id, new)}
    assert len(asked_before(second, [own.request for own in mine], new, (new, old))) == 1
    assert asked_before(second, [own.request for own in mine], new) == ()


async def test_a_silent_register_tells_so_and_answers_what_is_asked_by_the_number_of_now(house: SmallHouse) -> None:
    """What stands under a number they had is then neither found nor answered; nothing else waits for the register."""
    before = await asked(house)
    moved(house)
    now = await asked(house, "r2", NEW)
    house.people.silent = True
    numbers = await own_numbers(NEW, house.handles, house.people)

    assert (len(numbers.handles), numbers.whole) == (1, False)
    with pytest.raises(NotFound):
        await grant(before.id, Yes(), login(), house.ports)
    await grant(now.id, Yes(), login(), house.ports)
    house.people.silent = False
    assert (await own_numbers(NEW, house.handles, house.people)).whole


async def test_what_a_yes_under_the_old_number_got_is_renewed_under_the_new(house: SmallHouse) -> None:
    """The new yes names the one it follows, whichever of their numbers that was given under."""
    request = await asked(house)
    moved(house)
    given, _ = await grant(request.id, Yes(), login(), house.ports)
    again = replace(await asked(house, "r2", NEW), renews=request.id)
    new, old = await handles_of(house)

    found = await renewed(again, (new, old), house.ports)
    assert found is not None
    assert found.id == given.id
    assert await renewed(again, (new,), house.ports) is None


async def twice_named(house: SmallHouse) -> tuple[ConsentRequest, str, str]:
    """Let a request name its giver by both numbers, of two children whose rows of the register differ."""
    moved(house)
    new, old = await handles_of(house)
    lines = (a_line(house.child, FAMILY, "F01", giver=old), a_line(OTHER_CHILD, FAMILY, "F01", giver=new))
    request = a_request("another-parent", house.case, *lines, unit="jobcentre", purpose=PURPOSE)
    await house.ports.consents.request(request, requested(request, "lene"))
    return request, new, old


async def test_a_question_that_names_them_by_both_numbers_is_answered_part_by_part(house: SmallHouse) -> None:
    """What waits is shown first; the second part is answered by who was shown it, never by an answer sent twice."""
    request, new, old = await twice_named(house)
    first, _ = await grant(request.id, Yes(), login(), house.ports)
    with pytest.raises(Conflict):
        await grant(request.id, Yes(), login(), house.ports)
    with pytest.raises(Conflict):
        await grant(request.id, Yes(), login(), house.ports, under=new)
    with pytest.raises(Conflict):
        await refuse(request.id, login(), house.ports)
    with pytest.raises(Conflict):
        await refuse(request.id, login(), house.ports, Before(digest="00" * 32))
    (waits,) = await own_requests((new, old), house.ports.consents)
    second, _ = await grant(request.id, Yes(), login(), house.ports, under=old)

    assert (first.giver, waits.me, second.giver) == (new, old, old)
    assert [line.subject for line in (*first.lines, *second.lines)] == [OTHER_CHILD, house.child]


async def test_what_was_read_of_its_second_part_is_what_a_no_is_to(house: SmallHouse) -> None:
    """A no that carries the mark of the text of the part that waits is kept for that part."""
    request, new, old = await twice_named(house)
    await refuse(request.id, login(), house.ports)
    (left,) = [part for part in await own_parts(request.id, (new, old), house.ports.consents) if not part.answered]
    days = (20190304, request.to_day)
    text = consent_text(request.unit, PURPOSE, left.mine, days, "da", house.directory)
    await refuse(request.id, login(), house.ports, Before(digest=text_digest(text)))

    kept = await house.ports.consents.read_before_no(request.id, old)
    assert kept is not None
    assert kept.digest == text_digest(text)


async def test_nothing_of_it_is_anybody_elses(house: SmallHouse) -> None:
    """A child, and who logs in by the number that was theirs before, finds nothing that is put to the number of now."""
    moved(house)
    request = await asked(house, "r1", NEW)
    for cpr in (CHILD, CITIZEN):
        with pytest.raises((NotFound, BadAsk)):
            await grant(request.id, Yes(), login(cpr), house.ports)
        assert await own_requests(await handles_of(house, cpr), house.ports.consents) == ()
