"""A citizen's own look: on record first and last, only what may be shown, and nothing of what is withheld."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from broker.consents.blocks import BlockWish, set_block
from broker.domain.errors import LogUnavailable
from broker.domain.facts import CustodyHolder, RegisterPerson
from broker.domain.identity import CitizenLogin
from broker.domain.items import ItemPerson
from broker.domain.own_look import NOT_KNOWN, REGISTER_SILENT, TOO_YOUNG, OwnLookMade, OwnLookReached, OwnShown
from broker.domain.personal import Personal
from broker.transparency.own_look import look
from tests.builders import CHILD, CITIZEN, FAMILY, FAR, HEALTH, SCHOOL, SOCIAL, STRANGER, SmallHouse, a_house, an_item
from tests.consent_values import a_grant, a_line, granted

LOGIN = CitizenLogin(CITIZEN, "Substantial", datetime(2019, 3, 4, 10, tzinfo=UTC))
NEVER = {"B04", "S05", "F04"}


@pytest.fixture
async def house(tmp_path: Path) -> SmallHouse:
    """Give the small house: Annette, who has custody of Viktor, 12, alone."""
    return await a_house(tmp_path)


def places(shown: OwnShown) -> set[tuple[str, str]]:
    """Give what was shown, as (subject's place among the two, category)."""
    me = shown.permit.recorded.citizen
    return {("me" if item.subject == me else "child", item.category) for item in shown.found.items}


def child(house: SmallHouse, **changes: Any) -> None:
    """Let the register tell something else of the child."""
    house.people.persons[CHILD] = replace(house.people.persons[CHILD], **changes)


async def test_a_citizen_sees_what_helpers_could_see(house: SmallHouse) -> None:
    """What a purpose may share, here where they live, with a small child's help; never what is never shared."""
    shown = await look(LOGIN, house.ports)
    assert {code for who, code in places(shown) if who == "me"} == {
        *("B01", "B02", "B03", "S01", "S02", "S03", "S04", "H01", "H02", "H03")
    }
    assert {code for who, code in places(shown) if who == "child"} == {"F01", "F02"}
    assert "far-social" not in {item.source for item in shown.found.items}


async def test_only_what_may_be_shown_is_asked_for(house: SmallHouse) -> None:
    """No source is asked for a category that is never shared, or about a child for more than its help (P5)."""
    await look(LOGIN, house.ports)
    asked = {category for source in house.sources.values() for category in source.asked}
    assert asked & (NEVER | {"F03", "K01", "K02"}) == set()
    assert house.sources["far-social"].asked == []


async def test_it_is_on_record_before_anything_is_read(house: SmallHouse) -> None:
    """With the log down nothing is read, of registers and sources alike (P2)."""
    house.log.broken = True
    with pytest.raises(LogUnavailable):
        await look(LOGIN, house.ports)
    assert house.people.asked == []
    assert all(source.asked == [] for source in house.sources.values())


async def test_both_entries_stand_on_the_log(house: SmallHouse) -> None:
    """The look before, its outcome after, of the citizen and of the child, by the citizen and nobody else."""
    shown = await look(LOGIN, house.ports)
    first, *rest = house.log.events
    assert isinstance(first, OwnLookMade)
    reached = [event for event in rest if isinstance(event, OwnLookReached)]
    assert len(reached) == len(rest) == 2
    assert {(event.subject, event.aim) for event in reached} == {(house.citizen, "own"), (house.child, "child")}
    assert {event.actor for event in (first, *reached)} == {house.citizen}
    assert sum(event.items for event in reached) == len(shown.found.items)
    assert {event.look for event in reached} == {first.look}
    assert (reached[0].law, reached[0].rule) == ("GDPR-15", "own-look@1")


async def test_nothing_is_shown_that_is_not_on_record(house: SmallHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the outcome cannot be written, what was read is not shown."""
    append = house.log.append
    calls = 0

    async def once(*told: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise LogUnavailable
        return await append(*told, **more)

    monkeypatch.setattr(house.log, "append", once)
    with pytest.raises(LogUnavailable):
        await look(LOGIN, house.ports)


@pytest.mark.parametrize(
    "changes",
    [
        {"protected": True},
        {"protected": None},
        {"born": None},
        {"born": 20040101},
        {"custody": ()},
        {"custody": (CustodyHolder(STRANGER, 4),)},
        {"custody": (CustodyHolder(CITIZEN, 3, 20190305),)},
        {"custody": (CustodyHolder(CITIZEN, 3, 0, 20190303),)},
        {"custody": (CustodyHolder(CITIZEN, 3), CustodyHolder(STRANGER, 4))},
        {"dead_on": 20190101},
        {"known": False},
    ],
)
async def test_a_childs_help_is_left_out(house: SmallHouse, changes: dict[str, Any]) -> None:
    """Protected, or not told; from 15; no custody today; another holder: nothing is read of the child, or logged."""
    child(house, **changes)
    shown = await look(LOGIN, house.ports)
    assert {who for who, _ in places(shown)} == {"me"}
    assert house.sources[FAMILY].asked == house.sources[SCHOOL].asked == []
    assert {event.subject for event in house.log.events} == {house.citizen}


async def test_a_child_that_lives_with_one_is_seen_with_another_holder(house: SmallHouse) -> None:
    """Where two have custody, the one the child lives with sees its help."""
    both = (CustodyHolder(CITIZEN, 3), CustodyHolder(STRANGER, 4))
    child(house, custody=both, household=(CITIZEN,))
    assert ("child", "F01") in places(await look(LOGIN, house.ports))


async def test_where_a_child_is_protected_nothing_tells_its_place(house: SmallHouse) -> None:
    """What names the family is left out, and no title or text is shown; the rest of one's own help stays."""
    child(house, protected=True)
    named = an_item(SOCIAL, "S01", house.citizen, people=(ItemPerson("child", Personal("V"), Personal("43")),))
    house.sources[SOCIAL].told[CITIZEN.disclose()] = [named, an_item(SOCIAL, "S02", house.citizen)]
    shown = await look(LOGIN, house.ports)
    assert [item.category for item in shown.found.items if item.source == SOCIAL] == ["S02"]
    assert {item.title for item in shown.found.items} == {item.text for item in shown.found.items} == {None}
    assert shown.found.dropped == 0


async def test_the_family_has_no_names(house: SmallHouse) -> None:
    """A child, a parent or a guardian in an item stands without name or phone; who helps keeps theirs."""
    roles = ("child", "parent", "guardian", "helper")
    people = tuple(ItemPerson(role, Personal("N"), Personal("43")) for role in roles)
    house.sources[SOCIAL].told[CITIZEN.disclose()] = [an_item(SOCIAL, "S01", house.citizen, people=people)]
    (item,) = [item for item in (await look(LOGIN, house.ports)).found.items if item.source == SOCIAL]
    assert [(one.role, one.name is None, one.phone is None) for one in item.people] == [
        ("child", True, True),
        ("parent", True, True),
        ("guardian", True, True),
        ("helper", False, False),
    ]


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (RegisterPerson(CITIZEN, known=False), NOT_KNOWN),
        (RegisterPerson(CITIZEN, True, None, None, "0999", False), NOT_KNOWN),
        (RegisterPerson(CITIZEN, True, 19740211, 20190101, "0999", False), NOT_KNOWN),
        (RegisterPerson(CITIZEN, True, 20040305, None, "0999", False), TOO_YOUNG),
    ],
)
async def test_who_may_not_look_is_told_why(house: SmallHouse, person: RegisterPerson, reason: str) -> None:
    """Unknown, without a birth day, dead, or not yet 15: no source is asked, and the refusal is on record."""
    house.people.persons[CITIZEN] = person
    shown = await look(LOGIN, house.ports)
    assert (shown.permit.reason, shown.found.items) == (reason, ())
    assert all(source.asked == [] for source in house.sources.values())
    assert [getattr(event, "outcome", None) for event in house.log.events] == [None, "refused"]


async def test_from_fifteen_one_sees_ones_own(house: SmallHouse) -> None:
    """On the day one is 15, one's own help is there, what is held about children too; nobody else's is."""
    house.people.persons[CITIZEN] = RegisterPerson(CITIZEN, True, 20040304, None, "0999", False, (), (CHILD,))
    shown = await look(LOGIN, house.ports)
    assert shown.permit.reason == ""
    assert {who for who, _ in places(shown)} == {"me"}
    assert {"F01", "F02", "H01"} <= {code for _, code in places(shown)}
    assert {"F03", "K01"}.isdisjoint(code for _, code in places(shown))


async def test_a_silent_register_means_no(house: SmallHouse) -> None:
    """Who cannot be looked up sees nothing, and that is on record."""
    house.people.silent = True
    shown = await look(LOGIN, house.ports)
    assert shown.permit.reason == REGISTER_SILENT
    assert len(house.log.events) == 2


async def test_a_silent_source_is_named_and_stops_no_other(house: SmallHouse) -> None:
    """The source that does not answer is named; what the others tell is shown (P12)."""
    house.sources[HEALTH].fails = "timeout"
    shown = await look(LOGIN, house.ports)
    assert {row.source for row in shown.found.silent} == {HEALTH}
    assert ("me", "S01") in places(shown)


async def test_a_standing_no_does_not_bind_who_set_it(house: SmallHouse) -> None:
    """A no to a source is a no to others: one's own look asks it all the same, and each look is its own."""
    before = await look(LOGIN, house.ports)
    await set_block(BlockWish(SOCIAL, None, None), LOGIN, house.ports)
    after = await look(LOGIN, house.ports)
    assert places(before) == places(after)
    assert before.permit.recorded.id != after.permit.recorded.id


async def test_what_a_yes_names_elsewhere_is_seen_too(house: SmallHouse) -> None:
    """A source of another municipality is asked where a yes of the citizen names it, and its log is told."""
    line = a_line(house.citizen, FAR, "S01")
    grant = a_grant(house.citizen, house.case, line)
    await house.consents.grant(grant, granted(grant))
    shown = await look(LOGIN, house.ports)
    assert FAR in {item.source for item in shown.found.items}
    far = [event for event in house.log.events if event.municipality == "norrestrand"]
    assert [(type(event), event.sources_read) for event in far] == [(OwnLookReached, (FAR,))]


async def test_what_is_left_out_leaves_no_shadow(tmp_path: Path) -> None:
    """With a protected child, what names the family may be there or not: calls, entries and answer are the same."""
    told = []
    for there in (True, False):
        (tmp_path / str(there)).mkdir()
        house = await a_house(tmp_path / str(there))
        child(house, protected=True)
        hidden = an_item(SOCIAL, "S01", house.citizen, people=(ItemPerson("child", Personal("V")),))
        house.sources[SOCIAL].told[CITIZEN.disclose()] = [hidden] if there else []
        shown = await look(LOGIN, house.ports)
        entries = [(type(event), event.index() | {"citizen": "", "actor": "", "ask": ""}) for event in house.log.events]
        reached = [(event.items, event.dropped, event.silent) for event in house.log.events[1:]]
        calls = {name: source.asked for name, source in house.sources.items()}
        items = [(item.source, item.category, item.title) for item in shown.found.items]
        told.append((calls, house.people.asked, entries, reached, items))
    assert told[0] == told[1]
