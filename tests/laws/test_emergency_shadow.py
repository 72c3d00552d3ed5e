"""P6 in an emergency: what the asker may not learn changes neither the answer nor who is called for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import Refused
from broker.domain.facts import CustodyHolder, RegisterPerson
from broker.domain.personal import Personal
from tests.builders import CHILD, CITIZEN
from tests.fakes.registers import FakePeople
from tests.watch import HEALTH, LENE, Night, a_night, on_call

KIN = Personal("6301010015")
PLAIN = RegisterPerson(CITIZEN, known=True, born=19740211, municipality="0999", protected=False)
WORLDS: dict[str, RegisterPerson] = {
    "nobody's number": RegisterPerson(CITIZEN, known=False),
    "dead": replace(PLAIN, dead_on=20190301),
    "protected": replace(PLAIN, protected=True),
    "not told whether protected": replace(PLAIN, protected=None),
    "of another municipality": replace(PLAIN, municipality="0998"),
    "with a child": replace(PLAIN, children=(CHILD,)),
    "a child": replace(PLAIN, born=20100101, custody=(CustodyHolder(KIN, 3),)),
    "the caseworker's own child": replace(PLAIN, born=20100101, custody=(CustodyHolder(Personal("0101800001"), 3),)),
}
CALLER = on_call(cpr=Personal("0101800001"))


async def played(night: Night, person: RegisterPerson, said: str | None, reason: str) -> dict[str, Any]:
    """Ask about one person, after a holder's yes, no, or nothing; give all that came of it."""
    people = FakePeople(person)
    source = night.house.sources[HEALTH]
    source.asked.clear()
    here = Night(night.house, replace(night.ports, people=people))
    call = await here.call(CALLER, reason=reason)
    if said is not None:
        await here.say(said, call)
    try:
        answer = await here.ask(call, CALLER, sources=frozenset({HEALTH}))
    except Refused as refused:
        told: Any = (refused.reasons, refused.missing)
    else:
        told = (answer.verdicts, [(item.category, item.title, item.unit) for item in answer.found.items])
    return {"told": told, "people": len(people.asked), "source": list(source.asked)}


@pytest.mark.parametrize("reason", ["LIFE", "LIFE_VISIT"])
@pytest.mark.parametrize("said", [None, "no"])
@pytest.mark.parametrize("world", WORLDS)
def test_without_a_yes_everybody_looks_alike(tmp_path: Path, world: str, said: str | None, reason: str) -> None:
    """Before a yes, and after a no, the answer and the calls are those of a citizen of whom nothing is special."""

    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        night = await a_night(tmp_path)
        return await played(night, PLAIN, said, reason), await played(night, WORLDS[world], said, reason)

    plain, other = asyncio.run(both())

    assert plain == other
    assert plain["told"] == (("EMERGENCY_NOT_JUSTIFIED",), ())
    assert plain["source"] == []


@pytest.mark.parametrize(
    "world", ["protected", "not told whether protected", "of another municipality", "with a child"]
)
def test_with_a_yes_to_go_there(tmp_path: Path, world: str) -> None:
    """Where somebody must go there, the protected citizen's answer is anybody's: all of the profile, nothing hidden."""

    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        night = await a_night(tmp_path)
        return await played(night, PLAIN, "yes", "LIFE_VISIT"), await played(night, WORLDS[world], "yes", "LIFE_VISIT")

    plain, other = asyncio.run(both())

    assert plain == other
    assert plain["source"] == ["E01", "H06", "P02", "P03"]


def test_a_place_is_withheld_from_everybody_alike(tmp_path: Path) -> None:
    """Without such a reason the address is no more told of than of the protected: the same verdict on P02."""

    async def both() -> tuple[Any, Any]:
        night = await a_night(tmp_path)
        asked = [await played(night, WORLDS.get(world, PLAIN), "yes", "LIFE") for world in ("", "protected")]
        return tuple([row for row in one["told"][0] if row.category == "P02"] for one in asked)  # type: ignore[return-value]  # two of them

    plain, protected = asyncio.run(both())

    assert plain == protected
    assert plain[0].outcome == "withhold"


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    """A yes and no yes are told apart by what is compared; Lene is who asks."""

    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        night = await a_night(tmp_path)
        return await played(night, PLAIN, "yes", "LIFE"), await played(night, PLAIN, None, "LIFE")

    one, other = asyncio.run(both())

    assert one != other
    assert CALLER.caseworker.id == LENE
