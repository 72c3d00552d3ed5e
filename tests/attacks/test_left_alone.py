"""Nothing of an ask runs on when the ask is over: not where one read ends it, nor where somebody calls it off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import StoreUnavailable
from broker.domain.events import AskMade
from broker.exchange import exchange
from broker.exchange.together import Together, each
from tests.builders import CASE, FAMILY, FAR, JOB, SOCIAL, SmallHouse, a_caller, a_house, an_ask

Reading = Callable[..., Awaitable[Any]]


class Slow:
    """A reading that takes for ever; remembers that it began, and how it ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.called_off = False

    async def __call__(self, *_: Any) -> Any:
        """Wait until somebody calls it off."""
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.called_off = True
            raise


async def consented(folder: Path) -> SmallHouse:
    """Give the small house with consents to three sources."""
    house = await a_house(folder)
    consents: Any = house.consents
    consents.standing += [
        house.consented(SOCIAL, "S01"),
        house.consented(FAMILY, "F01", house.child),
        house.consented(FAR, "S02"),
    ]
    return house


def others() -> set[asyncio.Task[Any]]:
    """Give what runs beside the test itself."""
    return asyncio.all_tasks() - {asyncio.current_task()}


@pytest.mark.parametrize("error", [KeyError("CANARY"), MemoryError()], ids=repr)
async def test_a_fault_in_one_read_leaves_no_other_running(tmp_path: Path, error: Exception) -> None:
    """An error nobody named ends the ask, and every other read with it before the ask's end is told."""
    house = await consented(tmp_path)
    slow = [Slow(), Slow()]

    async def die(*_: Any) -> Any:
        await asyncio.gather(*(one.begun.wait() for one in slow))
        raise error

    sources: dict[str, Any] = {**house.sources}
    sources[SOCIAL].read, sources[FAMILY].read, sources[FAR].read = die, *slow
    with pytest.raises(type(error)) as raised:
        await exchange(an_ask(), a_caller(), house.ports)

    assert [one.called_off for one in slow] == [True, True]
    assert others() == set()
    # The error itself, no group of errors: it has its own answer, and nobody else's words hang on it.
    assert raised.value is error
    assert [type(event) for event in house.log.events] == [AskMade]


@pytest.mark.parametrize("where", [JOB, FAMILY, "person", "case"])
async def test_an_ask_called_off_calls_off_all_it_began(tmp_path: Path, where: str) -> None:
    """When the ask is called off while sources or registers are read, nothing reads on."""
    house = await consented(tmp_path)
    slow = Slow()
    registers = {"person": house.people, "case": house.cases}
    if where in registers:
        setattr(registers[where], where, slow)
    else:
        setattr(house.sources[where], "read", slow)  # noqa: B010  # A source that hangs, in place of a typed method.
    asking = asyncio.create_task(exchange(an_ask(), a_caller(), house.ports))
    await slow.begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert slow.called_off
    assert others() == set()
    assert [type(event) for event in house.log.events] == [AskMade]


async def test_a_register_that_breaks_leaves_the_other_no_errand(tmp_path: Path) -> None:
    """An error nobody named at one register ends the look-up at the other."""
    house = await consented(tmp_path)
    slow = Slow()

    async def die(*_: Any) -> Any:
        await slow.begun.wait()
        raise KeyError(CASE)

    people: Any = house.people
    cases: Any = house.cases
    people.person, cases.case = die, slow
    with pytest.raises(KeyError):
        await exchange(an_ask(), a_caller(), house.ports)

    assert slow.called_off
    assert others() == set()


async def test_the_first_of_many_errors_is_told() -> None:
    """Where several fail at once the first error comes out alone, with nothing of the others on it."""

    async def die(error: Exception) -> None:
        raise error

    async def all_at_once() -> None:
        async with Together() as group:
            group.create_task(die(StoreUnavailable()))
            group.create_task(die(KeyError("CANARY")))

    with pytest.raises(StoreUnavailable) as raised:
        await all_at_once()

    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None


async def test_nothing_hangs_on_an_error_that_calls_off_who_started_it() -> None:
    """Whoever started the others and does a part of the work itself is called off with them, and leaves no trace."""
    slow = Slow()

    async def die() -> None:
        await slow.begun.wait()
        raise KeyError("CANARY")

    async def both() -> None:
        async with Together() as group:
            group.create_task(die())
            await slow()

    with pytest.raises(KeyError) as raised:
        await both()

    assert slow.called_off
    assert raised.value.__context__ is raised.value.__cause__ is None


@pytest.mark.parametrize("many", [0, 1, 2, 5])
async def test_each_gives_what_each_gave_in_order(many: int) -> None:
    """However many there are, none is left out, and the last to be done changes no place."""

    async def give(number: int) -> int:
        await asyncio.sleep((many - number) / 1000)
        return number

    assert await each([give(number) for number in range(many)]) == list(range(many))
