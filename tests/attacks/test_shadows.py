"""An asker who compares answers: facts they may not learn change no byte and no call (P6)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from broker.domain.errors import Refused
from broker.domain.facts import Block, RegisterRepresentative
from broker.domain.personal import Personal
from broker.exchange import exchange
from broker.web.problems import problem_for
from broker.web.wire import answer_body
from tests.builders import (
    CHILD,
    CITIZEN,
    FAMILY,
    HEALTH,
    SCHOOL,
    SOCIAL,
    STRANGER,
    SmallHouse,
    a_caller,
    a_house,
    an_ask,
)

Change = Callable[[SmallHouse], None]
OTHER_CHILD = Personal("8009064022")
APART = {"ask", "receipt", "entry"}


def of(cpr: Personal[str], **facts: Any) -> Change:
    """Let the register say something else of a person."""

    def change(house: SmallHouse) -> None:
        house.people.persons[cpr] = replace(house.people.persons[cpr], **facts)

    return change


def another_child(**facts: Any) -> Change:
    """Let the citizen have one more child, of whom this is known."""

    def change(house: SmallHouse) -> None:
        house.people.persons[OTHER_CHILD] = replace(house.people.persons[CHILD], cpr=OTHER_CHILD, **facts)
        house.people.persons[CITIZEN] = replace(house.people.persons[CITIZEN], children=(CHILD, OTHER_CHILD))

    return change


def unknown_child(house: SmallHouse) -> None:
    """Let the register know no more of the child than the number."""
    del house.people.persons[CHILD]


def a_block(*, of_child: bool = False, **named: str) -> Change:
    """Let a standing no be set."""

    def change(house: SmallHouse) -> None:
        subject = house.child if of_child else house.citizen
        house.consents.blocks["b"] = Block("b", subject, named.get("source"), named.get("unit"), named.get("category"))

    return change


GUARDIAN = (RegisterRepresentative(STRANGER, "guardian_6", ("economic", "personal")),)
NOBODY_SPOKE_OF_A_CHILD: dict[str, Change] = {
    "no child": of(CITIZEN, children=()),
    "two children": another_child(),
    "a child of sixteen": of(CHILD, born=20020920),
    "a grown child": of(CHILD, born=19990920),
    "a child over whom nobody holds custody": of(CHILD, custody=()),
    "a child that died": of(CHILD, dead_on=20180101),
    "a child under guardianship": of(CHILD, representatives=GUARDIAN),
    "a child of unknown age": of(CHILD, born=None),
    "a child whose address is protected": of(CHILD, protected=True),
    "a child the register does not know": unknown_child,
    "a child's own standing no": a_block(of_child=True),
    "a standing no to a source": a_block(source=HEALTH),
    "a standing no to a category": a_block(category="S02"),
    "a standing no to the family centre": a_block(source=FAMILY),
    "a child in another municipality": of(CHILD, municipality="0998"),
}
ONE_CHILD_S_DATA_IS_RELEASED: dict[str, Change] = {
    "one more child": another_child(),
    "one more child, of sixteen": another_child(born=20020920),
    "one more child, over whom nobody holds custody": another_child(custody=()),
    "one more child, that died": another_child(dead_on=20180101),
    "one more child, whose address is protected": another_child(protected=True),
    "a standing no to the school": a_block(source=SCHOOL),
    "a standing no to a category": a_block(category="S02"),
}


def seen(change: Change | None, places: list[tuple[str, str]]) -> tuple[bytes, dict[str, list[str]]]:
    """Ask in a world with live consents to these places; give the bytes of the answer and the calls to sources."""

    async def play() -> tuple[bytes, dict[str, list[str]]]:
        with tempfile.TemporaryDirectory() as folder:
            house = await a_house(Path(folder))
        for source, category in places:
            house.consents.standing.append(
                house.consented(source, category, house.child if category[0] in "FK" else None)
            )
        if change is not None:
            change(house)
        try:
            answer = await exchange(an_ask(), a_caller(), house.ports)
            body = answer_body(answer, house.directory)
        except Refused as refused:
            body = orjson.loads(bytes(problem_for(refused, house.directory.reasons).body))
        told = {name: value for name, value in body.items() if name not in APART}
        return orjson.dumps(told), {name: source.asked for name, source in house.sources.items()}

    return asyncio.run(play())


@pytest.mark.parametrize("places", [[], [(SOCIAL, "S01")]], ids=["refused", "in part"])
@pytest.mark.parametrize("world", NOBODY_SPOKE_OF_A_CHILD)
def test_what_the_asker_may_not_learn_is_not_in_the_answer(world: str, places: list[tuple[str, str]]) -> None:
    """Children, their age and custody, protection and standing noes: the answer is the same without them."""
    assert seen(NOBODY_SPOKE_OF_A_CHILD[world], places) == seen(None, places)


@pytest.mark.parametrize("world", ONE_CHILD_S_DATA_IS_RELEASED)
def test_a_released_child_tells_nothing_of_another(world: str) -> None:
    """Where one child's data goes out, a sibling nobody spoke of stays out of sight."""
    places = [(SOCIAL, "S01"), (FAMILY, "F01")]

    assert seen(ONE_CHILD_S_DATA_IS_RELEASED[world], places) == seen(None, places)
