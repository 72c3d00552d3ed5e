"""P10: every decision on record is given again by the question, the rules and the tables that stand with it."""

from __future__ import annotations

import contextlib
import itertools
import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from broker.domain.errors import BrokerError
from broker.domain.events import OutcomeReached
from broker.domain.kept import decided, digest, unpacked
from broker.evaluation.evaluate import evaluate
from broker.exchange import exchange
from tests.builders import FAMILY, HEALTH, SCHOOL, SOCIAL, SmallHouse, a_caller, a_house, an_ask

PLACES = [(SOCIAL, "S01"), (SOCIAL, "S02"), (FAMILY, "F01"), (HEALTH, "H01"), (SCHOOL, "K01")]
STATES = ("granted", "withdrawn", "paused")


async def house_of(seed: int, folder: Path) -> SmallHouse:
    """Build a house where some of the consents stand, some of them no longer."""
    chance = random.Random(seed)
    house = await a_house(folder)
    for source, category in PLACES:
        if chance.random() < 0.7:
            subject = house.child if source in (FAMILY, SCHOOL) else house.citizen
            house.consents.standing.append(
                house.consented(source, category, subject, state=chance.choices(STATES, weights=[5, 1, 1])[0])
            )
    house.people.silent = chance.random() < 0.1
    return house


async def ask(house: SmallHouse, **changes: Any) -> list[OutcomeReached]:
    """Ask, however it ends, and give the outcomes on the log in the order they were written."""
    with contextlib.suppress(BrokerError):
        await exchange(an_ask(**changes), a_caller(), house.ports)
    return [event for event in house.log.events if isinstance(event, OutcomeReached)]


async def replayed(house: SmallHouse, entry: OutcomeReached) -> Any:
    """Put the kept question to the same rules again."""
    assert entry.question_packed is not None
    question = orjson.loads(unpacked(entry.question_packed))
    return (await house.ports.policy.decide(question)).verdicts if question["keys"] else ()


@pytest.mark.parametrize("seed", range(40))
async def test_the_kept_question_gives_the_decision_again(seed: int, tmp_path: Path) -> None:
    """Released, partly or refused: the question on the citizen's entry has the hash on every entry, and its answer."""
    house = await house_of(seed, tmp_path)
    first, *others = await ask(house)
    verdicts = await replayed(house, first)

    assert first.question_packed is not None
    assert digest(unpacked(first.question_packed)) == first.question
    assert decided(verdicts) == first.decided
    told = [event for event in (first, *others) if event.municipality == "korsbaek"]
    assert set(itertools.chain.from_iterable(event.verdicts for event in told)) == set(verdicts)


@pytest.mark.parametrize("seed", range(10))
async def test_the_question_stands_once(seed: int, tmp_path: Path) -> None:
    """Only the entry about the citizen asked for, on the requester's own log, holds the question; the rest its hash."""
    house = await house_of(seed, tmp_path)
    first, *others = await ask(house)

    assert (first.subject, first.municipality) == (house.citizen, "korsbaek")
    assert all((event.question_packed, event.decided) == (None, None) for event in others)
    assert {event.question for event in others} <= {first.question}


async def test_an_ask_about_nothing_has_its_question_too(tmp_path: Path) -> None:
    """Where no key was asked for, the empty decision is on record with the question that led to it."""
    house = await house_of(0, tmp_path)
    [entry] = await ask(house, purpose="marketing")

    assert decided(await replayed(house, entry)) == entry.decided


async def test_what_was_judged_again_keeps_the_last_question(tmp_path: Path) -> None:
    """The facts at release are what is kept, with the policy's own answer to them; the verdicts are none wider."""
    house = await house_of(0, tmp_path)
    house.consents.standing[:] = [house.consented(SOCIAL, "S01"), house.consented(SOCIAL, "S02")]
    reading = house.sources[SOCIAL].read

    async def withdrawn_while_read(*arguments: Any) -> Any:
        items = await reading(*arguments)
        house.consents.standing[:] = house.consents.standing[1:]
        house.consents.versions[house.citizen] = house.consents.versions.get(house.citizen, 0) + 1
        return items

    house.sources[SOCIAL].read = withdrawn_while_read  # type: ignore[method-assign]  # the race, at its worst moment
    entry = (await ask(house, sources=frozenset({SOCIAL})))[0]
    again = await replayed(house, entry)

    assert entry.judged_again
    assert decided(again) == entry.decided
    assert {v.key.category for v in entry.verdicts if v.released} == {v.key.category for v in again if v.released}
    assert {v.key.category for v in again if v.released} == {"S02"}


@pytest.mark.parametrize("seed", range(8))
async def test_an_evaluation_is_given_again_too(seed: int, tmp_path: Path) -> None:
    """Who asked only whether they may is judged by a question that is on record too, of just the places named."""
    house = await house_of(seed, tmp_path)
    named = {"sources": frozenset({SOCIAL, HEALTH}), "categories": frozenset({"S01", "H01"})}
    places = frozenset({(SOCIAL, "S01"), (HEALTH, "H01")})
    await evaluate(an_ask(**named, places=places), a_caller(), house.ports)
    [entry] = [event for event in house.log.events if isinstance(event, OutcomeReached)]

    assert entry.outcome == "evaluated"
    assert decided(await replayed(house, entry)) == entry.decided
    assert {(verdict.key.source, verdict.key.category) for verdict in entry.verdicts} == places
