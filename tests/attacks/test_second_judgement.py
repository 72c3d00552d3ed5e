"""What was read is on record even when no second judgement can be had: a dead engine, a restless citizen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.decisions import Decision
from broker.domain.errors import BrokerError, FactsChanged, LogUnwitnessed, PolicyUnavailable
from broker.domain.events import AskMade, OutcomeReached
from broker.exchange import exchange
from broker.ports import Policy
from tests.builders import SOCIAL, SmallHouse, a_caller, a_house, an_ask


class DiesAfterOne:
    """The real policy, which answers one question and no other."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.mark = policy.mark
        self._asked = 0

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer the first question; be dead after it."""
        self._asked += 1
        if self._asked > 1:
            raise PolicyUnavailable
        return await self._policy.decide(question)


def play(house: SmallHouse, *, restless: bool, policy: Policy) -> type[BrokerError]:
    """Ask while the citizen's version moves, once or without end, and give how the ask ended."""
    house.consents.standing.append(house.consented(SOCIAL, "S01"))
    reading, appending = house.sources[SOCIAL].read, house.log.append

    def move() -> None:
        house.consents.versions[house.citizen] = house.consents.versions.get(house.citizen, 0) + 1

    async def read_while_it_moves(*arguments: Any) -> Any:
        items = await reading(*arguments)
        move()
        return items

    async def append_while_it_moves(events: Any, *, versions: Any = (), **more: Any) -> Any:
        if restless and versions:
            move()
        return await appending(events, versions=versions, **more)

    house.sources[SOCIAL].read = read_while_it_moves  # type: ignore[method-assign]  # the race, at its worst moment
    house.log.append = append_while_it_moves  # type: ignore[method-assign]  # the same
    with pytest.raises(BrokerError) as caught:
        asyncio.run(exchange(an_ask(sources=frozenset({SOCIAL})), a_caller(), replace(house.ports, policy=policy)))
    return caught.type


@pytest.mark.parametrize("restless", [False, True])
def test_what_was_read_is_on_record_when_nobody_can_judge_again(tmp_path: Path, restless: bool) -> None:
    """Nothing is answered, and the outcome says refused, which source was read, and that no item left."""
    house = asyncio.run(a_house(tmp_path))
    policy: Policy = house.ports.policy if restless else DiesAfterOne(house.ports.policy)

    assert play(house, restless=restless, policy=policy) is (FactsChanged if restless else PolicyUnavailable)
    first, outcome = house.log.events[:2]
    assert isinstance(first, AskMade)
    assert isinstance(outcome, OutcomeReached)
    assert (outcome.outcome, outcome.sources_read, outcome.kept) == ("refused", (SOCIAL,), ())
    assert {code for verdict in outcome.verdicts for code in verdict.reasons} == {"POLICY_ERROR"}


def test_what_was_read_is_on_record_when_witnesses_are_missed_meanwhile(tmp_path: Path) -> None:
    """A log whose witnesses are gone by the time something would leave lets nothing out, and says what was read."""
    house = asyncio.run(a_house(tmp_path))
    house.consents.standing.append(house.consented(SOCIAL, "S01"))
    appending = house.log.append

    async def append_unwitnessed(events: Any, *, versions: Any = (), **more: Any) -> Any:
        if any(isinstance(event, OutcomeReached) and event.outcome != "refused" for event in events):
            raise LogUnwitnessed
        return await appending(events, versions=versions, **more)

    house.log.append = append_unwitnessed  # type: ignore[method-assign]  # as the log is once it is late
    with pytest.raises(LogUnwitnessed):
        asyncio.run(exchange(an_ask(sources=frozenset({SOCIAL})), a_caller(), house.ports))
    first, outcome = house.log.events[:2]
    assert isinstance(first, AskMade)
    assert isinstance(outcome, OutcomeReached)
    assert (outcome.outcome, outcome.sources_read, outcome.kept) == ("refused", (SOCIAL,), ())
