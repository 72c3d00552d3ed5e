"""Each door dies at each moment of an ask: nothing is answered that the log does not hold (P2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from broker.domain.answers import Answer
from broker.domain.errors import (
    BrokerError,
    FactsChanged,
    LogUnavailable,
    PolicyUnavailable,
    Refused,
    SourceFailed,
    StoreUnavailable,
)
from broker.domain.events import AskMade, OutcomeReached
from broker.exchange import exchange
from tests.builders import FAMILY, FAR, SOCIAL, SmallHouse, a_caller, a_house, an_ask

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one coroutine to its end."""
    return asyncio.run(work)


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house, with consents to a source here, one about the child, and one of another municipality."""
    made = run(a_house(tmp_path))
    made.consents.standing += [
        made.consented(SOCIAL, "S01"),
        made.consented(FAMILY, "F01", made.child),
        made.consented(FAR, "S02"),
    ]
    return made


class Dying:
    """A door that answers a number of calls, then fails each time; everything else passes through."""

    def __init__(self, door: Any, error: Callable[[], Exception], after: int) -> None:
        self._door, self._error, self._left = door, error, after
        self.died = False

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._door, name)
        if not callable(inner):
            return inner

        async def call(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                self.died = True
                raise self._error()
            return await inner(*arguments, **named)

        return call


DOORS: dict[str, Callable[[], Exception]] = {
    "handles": StoreUnavailable,
    "log": LogUnavailable,
    "consents": StoreUnavailable,
    "policy": PolicyUnavailable,
    # Errors that nobody named: a fault of ours, or of a library.
    "people": lambda: RuntimeError("CANARY"),
}
MOMENTS = [(door, after) for door in DOORS for after in range(6)]


@pytest.mark.parametrize(("door", "after"), MOMENTS, ids=str)
def test_a_door_that_dies_takes_the_answer_with_it(house: SmallHouse, door: str, after: int) -> None:
    """Whatever dies at whichever call: either the whole ask is on the log, or nothing is answered."""
    dying = Dying(getattr(house.ports, door), DOORS[door], after)
    ports: Any = replace(house.ports, **{door: dying})

    try:
        answer: Answer | None = run(exchange(an_ask(), a_caller(), ports))
    except (BrokerError, RuntimeError):
        answer = None

    assert (answer is None) == dying.died
    made = [type(event) for event in house.log.events]
    asked = [name for name, source in house.sources.items() if source.asked]
    if answer is not None:
        assert made[:2] == [AskMade, OutcomeReached]
        assert {event.municipality for event in house.log.events} == {"korsbaek", "norrestrand"}
    else:
        assert OutcomeReached not in made
    assert not (asked or house.people.asked) or made[0] is AskMade
    assert made or not asked


@pytest.mark.parametrize("error", [SourceFailed(SOCIAL, "timeout"), MemoryError(), KeyError("CANARY")], ids=repr)
def test_a_source_that_dies_hands_nothing_out(house: SmallHouse, error: Exception) -> None:
    """A source that fails in our words is named silent; a fault nobody named ends the ask without an outcome."""

    async def die(*_: Any) -> Any:
        raise error

    house.sources[SOCIAL].read = die  # type: ignore[method-assign]  # a source at its worst
    if not isinstance(error, SourceFailed):
        with pytest.raises(type(error)):
            run(exchange(an_ask(), a_caller(), house.ports))
        assert [type(event) for event in house.log.events] == [AskMade]
        return
    answer = run(exchange(an_ask(), a_caller(), house.ports))
    assert [(row.source, row.why) for row in answer.found.silent] == [(SOCIAL, "timeout")]
    assert {item.source for item in answer.found.items} >= {FAMILY, FAR}


def test_the_outcome_is_on_every_log_or_on_none(house: SmallHouse) -> None:
    """One append holds the outcome for requester, child and the source's municipality: no half of it stands."""
    appended: list[int] = []
    real = house.ports.log

    class Counting:
        async def append(self, events: Any, **named: Any) -> Any:
            appended.append(len(events))
            return await real.append(events, **named)

    run(exchange(an_ask(), a_caller(), replace(house.ports, log=Counting())))

    assert appended == [1, 3]


def test_a_citizen_who_never_rests_gets_a_no(house: SmallHouse) -> None:
    """Facts that change at each try end the ask: nothing is handed out on facts that no longer hold."""

    class Restless:
        def __init__(self) -> None:
            self.tries = 0

        async def append(self, events: Any, *, versions: Any = (), **_: Any) -> Any:
            if versions:
                self.tries += 1
                raise FactsChanged
            return await house.log.append(events)

    log = Restless()
    with pytest.raises(FactsChanged):
        run(exchange(an_ask(), a_caller(), replace(house.ports, log=log)))

    assert log.tries == 5
    assert isinstance(house.log.events[0], AskMade)
    outcomes = [event for event in house.log.events[1:] if isinstance(event, OutcomeReached)]
    assert outcomes == house.log.events[1:]
    assert {event.outcome for event in outcomes} == {"refused"}
    assert all(event.kept == () for event in outcomes)


@pytest.mark.parametrize("which", ["people", "cases"])
def test_a_silent_register_is_a_no_on_the_log(house: SmallHouse, which: str) -> None:
    """Unknown facts refuse, no source is asked, and the outcome names the register."""
    register = house.people if which == "people" else house.cases
    register.silent = True

    with pytest.raises(Refused):
        run(exchange(an_ask(), a_caller(), house.ports))

    assert all(source.asked == [] for source in house.sources.values())
    outcomes = [event for event in house.log.events if isinstance(event, OutcomeReached)]
    assert all(event.failed_registers == (which,) for event in outcomes)
