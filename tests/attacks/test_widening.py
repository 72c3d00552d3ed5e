"""A caller, a source or an engine that tries to widen what was permitted: the road gives no more than the rules did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from broker.domain.answers import Answer
from broker.domain.asks import Key
from broker.domain.decisions import MASK, RELEASE, WITHHOLD, Basis, Decision, PolicyMark, Verdict
from broker.domain.errors import PolicyBroken, Refused, SourceFailed
from broker.domain.events import OutcomeReached
from broker.domain.facts import RegisterPerson
from broker.domain.identity import System
from broker.domain.items import Item
from broker.domain.personal import Personal
from broker.exchange import exchange
from broker.web.wire import answer_body
from tests.builders import (
    FAMILY,
    FAR,
    HEALTH,
    JOB,
    SCHOOL,
    SOCIAL,
    STRANGER,
    SmallHouse,
    a_caller,
    a_house,
    an_ask,
    an_item,
)

T = TypeVar("T")
MARK = PolicyMark("test", "1", "0" * 64)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one coroutine to its end."""
    return asyncio.run(work)


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house, where the citizen said yes to one category of one source."""
    made = run(a_house(tmp_path))
    made.consents.standing.append(made.consented(SOCIAL, "S01"))
    return made


def released(answer: Answer) -> set[tuple[str, str]]:
    """Give what was handed out, beside the unit's own."""
    return {(item.source, item.category) for item in answer.found.items if item.source != JOB}


def asked_of(house: SmallHouse) -> dict[str, set[str]]:
    """Give the sources that were asked, and for what."""
    return {name: set(source.asked) for name, source in house.sources.items() if source.asked and name != JOB}


WIDER: dict[str, dict[str, Any]] = {
    "every kind of category": {"categories": frozenset({"S01", "S02", "S03", "S04", "S05", "H01", "F01", "K01"})},
    "every source there is": {"sources": frozenset({JOB, SOCIAL, FAMILY, HEALTH, SCHOOL, FAR})},
    "another municipality's source": {"sources": frozenset({SOCIAL, FAR}), "categories": frozenset({"S01"})},
    "a category that is for nobody": {"categories": frozenset({"S01", "S05"})},
    "a category beyond the purpose": {"categories": frozenset({"S01", "H02"})},
}  # fmt: skip


@pytest.mark.parametrize("what", WIDER)
def test_naming_more_gives_no_more(house: SmallHouse, what: str) -> None:
    """Whatever a caller writes into an ask, they get what the yes covers, and no other source hears of it."""
    answer = run(exchange(an_ask(**WIDER[what]), a_caller(), house.ports))

    assert released(answer) == {(SOCIAL, "S01")}
    assert asked_of(house) == {SOCIAL: {"S01"}}


LIES: dict[str, dict[str, Any]] = {
    "a unit of another municipality": {"unit": "far-social-centre"},
    "another unit here": {"unit": "social-centre"},
    "a unit nobody has": {"unit": "no-such-unit"},
    "a unit with odd letters": {"unit": "jobcentre\u200b"},
    "a role that is nowhere": {"roles": ()},
    "another's case": {"id": Personal("mallory")},
    "a weak log-in": {"nsis": "Low"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_caller_gets_nothing_and_is_on_the_log(house: SmallHouse, lie: str) -> None:
    """A refusal, two entries, no source asked; and only the case system of a unit the system speaks for."""
    asked: list[str] = []

    class Listening:
        name = "cases"

        def __init__(self, unit: str) -> None:
            self._unit = unit

        async def case(self, *arguments: Any) -> Any:
            asked.append(self._unit)
            return await house.cases.case(*arguments)

    ports = replace(house.ports, cases={unit: Listening(unit) for unit in house.directory.units})
    with pytest.raises(Refused):
        run(exchange(an_ask(), a_caller(**LIES[lie]), ports))

    assert set(asked) <= {"jobcentre"}
    assert all(source.asked == [] for source in house.sources.values())
    assert [event.name for event in house.log.events][:2] == ["ask", "outcome"]


def test_a_foreign_system_uses_no_consent_of_ours(house: SmallHouse) -> None:
    """A system of another municipality that brings our caseworker and our unit is refused, on its own log."""
    foreign = replace(a_caller(), system=System("spy", "norrestrand", frozenset({"far-social-centre"})))

    with pytest.raises(Refused):
        run(exchange(an_ask(), foreign, house.ports))

    assert all(source.asked == [] for source in house.sources.values())
    assert {event.municipality for event in house.log.events} == {"norrestrand"}


def test_a_child_of_somebody_else_is_nobodys_business(house: SmallHouse) -> None:
    """A line about a child whom the register gives to another citizen opens nothing."""
    (other,) = run(house.handles.citizens([STRANGER]))
    house.people.persons[STRANGER] = RegisterPerson(STRANGER, True, 20100101, None, "0999", False)
    house.sources[FAMILY].told[STRANGER.disclose()] = [an_item(FAMILY, "F01", other)]
    house.consents.standing.append(house.consented(FAMILY, "F01", other))

    answer = run(exchange(an_ask(), a_caller(), house.ports))

    assert released(answer) == {(SOCIAL, "S01")}
    assert STRANGER not in house.people.asked


# --- a source that answers for others -----------------------------------------


STOLEN = ("category", "no category", "child", "nobody", "name", "child and name")


def stolen(house: SmallHouse) -> dict[str, list[Item]]:
    """What a hostile source may tell beside its own: about, or by, somebody it was not asked for."""
    child = house.child
    return {
        "category": [an_item(SOCIAL, "S02", house.citizen)],
        "no category": [an_item(SOCIAL, "X99", house.citizen)],
        "child": [an_item(SOCIAL, "S01", child)],
        "nobody": [an_item(SOCIAL, "S01", "f" * 32)],
        "name": [an_item(HEALTH, "H01", house.citizen)],
        "child and name": [an_item(FAMILY, "F01", child)],
    }


@pytest.mark.parametrize("what", STOLEN)
def test_a_source_speaks_for_itself_about_whom_it_was_asked(house: SmallHouse, what: str) -> None:
    """What comes too much is dropped and counted, also where another source was permitted to tell it."""
    house.consents.standing += [house.consented(HEALTH, "H01"), house.consented(FAMILY, "F01", house.child)]
    forged = [replace(item, title=Personal("FORGED"), id=Personal("forged")) for item in stolen(house)[what]]
    reading = house.sources[SOCIAL].read

    async def read(*arguments: Any) -> Any:
        return (*await reading(*arguments), *forged)

    house.sources[SOCIAL].read = read  # type: ignore[method-assign]  # the hostile source
    answer = run(exchange(an_ask(), a_caller(), house.ports))

    assert "forged" not in {item.id.disclose() for item in answer.found.items}
    assert released(answer) == {(SOCIAL, "S01"), (HEALTH, "H01"), (FAMILY, "F01")}
    outcome = next(event for event in house.log.events if isinstance(event, OutcomeReached))
    assert outcome.dropped == 1


# --- an engine that answers too much ------------------------------------------


class Bent:
    """The real rules, whose answer is bent on the way: from the `since`-th question on."""

    def __init__(self, house: SmallHouse, bend: Callable[[Decision], Decision], since: int = 1) -> None:
        self._real, self._bend, self._since, self._asked = house.ports.policy, bend, since, 0
        self.mark = house.ports.policy.mark

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer, bent."""
        decision = await self._real.decide(question)
        self._asked += 1
        return self._bend(decision) if self._asked >= self._since else decision


def extra_key(decision: Decision) -> Decision:
    """Release a key that nobody asked about."""
    basis = (Basis("consent", "c1", "1", "RSL-11a-1"),)
    more = Verdict(Key(FAR, "S01", decision.verdicts[0].key.subject), RELEASE, basis)
    return replace(decision, verdicts=(*decision.verdicts, more))


def fewer_keys(decision: Decision) -> Decision:
    """Say nothing of most keys."""
    return replace(decision, verdicts=decision.verdicts[:1])


@pytest.mark.parametrize("bend", [extra_key, fewer_keys])
def test_an_answer_about_other_keys_is_no_decision(house: SmallHouse, bend: Callable[[Decision], Decision]) -> None:
    """An engine that answers more or less than it was asked stops the ask before any source is read."""
    with pytest.raises(PolicyBroken):
        run(exchange(an_ask(), a_caller(), replace(house.ports, policy=Bent(house, bend))))

    assert all(source.asked == [] for source in house.sources.values())


def everything(decision: Decision) -> Decision:
    """Release all."""
    basis = (Basis("statute", "none", "1", "none"),)
    return replace(decision, verdicts=tuple(Verdict(v.key, RELEASE, basis) for v in decision.verdicts))


@pytest.mark.parametrize("bend", [extra_key, fewer_keys, everything])
def test_judging_again_never_widens(house: SmallHouse, bend: Callable[[Decision], Decision]) -> None:
    """A second decision can only take away; about other keys it is none, and nothing is answered."""
    reading = house.sources[SOCIAL].read

    async def change_while_reading(*arguments: Any) -> Any:
        house.consents.versions[house.citizen] = 1
        return await reading(*arguments)

    house.sources[SOCIAL].read = change_while_reading  # type: ignore[method-assign]  # a change under way
    ask = exchange(an_ask(), a_caller(), replace(house.ports, policy=Bent(house, bend, since=2)))
    if bend is everything:
        answer = run(ask)
        assert released(answer) == {(SOCIAL, "S01")}
        assert shared_by_word(answer) == {(SOCIAL, "S01")}
        assert shared_on_the_log(house) == {(SOCIAL, "S01")}
        return
    with pytest.raises(PolicyBroken):
        run(ask)


def shared_by_word(answer: Answer) -> set[tuple[str, str]]:
    """Give what the answer says is released, beside the unit's own, whether or not anything came of it."""
    return {(row.source, row.category) for row in answer.verdicts if row.outcome != WITHHOLD and row.source != JOB}


def shared_on_the_log(house: SmallHouse) -> set[tuple[str, str]]:
    """Give what the outcomes on the log say was released, beside the unit's own."""
    outcomes = [event for event in house.log.events if isinstance(event, OutcomeReached)]
    verdicts = [verdict for event in outcomes for verdict in event.verdicts]
    return {(v.key.source, v.key.category) for v in verdicts if v.released and v.key.source != JOB}


def test_what_one_of_two_judgements_masks_is_masked() -> None:
    """Masks of both decisions add up, and neither decision lifts the other's."""
    place, name = ("address",), ("child_name",)

    def said(outcome: str, masks: tuple[str, ...] = ()) -> Decision:
        return Decision((Verdict(KEY, outcome, BASIS, masks=masks),), MARK)

    for first, again, both in (
        (said(MASK, place), said(RELEASE), place),
        (said(RELEASE), said(MASK, name), name),
        (said(MASK, place), said(MASK, name), (*place, *name)),
    ):
        (verdict,) = first.narrowed(again).verdicts
        assert (verdict.outcome, verdict.masks) == (MASK, both)


KEY, BASIS = Key(SOCIAL, "S01", "a"), (Basis("consent", "c", "1", "RSL-11a-1"),)
NO = ("NO_CONSENT",)
TWO_ANSWERS: dict[str, dict[str, Any]] = {
    "a release without a basis": {"outcome": RELEASE},
    "a release with a reason against it": {"outcome": RELEASE, "basis": BASIS, "reasons": NO},
    "a mask that hides nothing": {"outcome": MASK, "basis": BASIS},
    "a release that hides": {"outcome": RELEASE, "basis": BASIS, "masks": ("address",)},
    "a refusal without a reason": {"outcome": WITHHOLD, "shown": NO},
    "a refusal with nothing to show": {"outcome": WITHHOLD, "reasons": NO},
    "a word nobody knows": {"outcome": "RELEASE", "basis": BASIS},
}


@pytest.mark.parametrize("what", TWO_ANSWERS)
def test_a_verdict_that_says_two_things_is_none(what: str) -> None:
    """P1: no verdict can be made that releases without a basis, masks nothing or refuses without a reason."""
    with pytest.raises(PolicyBroken):
        Verdict(KEY, **TWO_ANSWERS[what])


# --- what was read stays on record, what was taken back casts no shadow ---------


def test_a_source_read_for_a_yes_taken_back_stays_on_record(house: SmallHouse) -> None:
    """P2: the far municipality's register was asked about the citizen, so its log says so though nothing left it."""
    house.consents.standing.append(house.consented(FAR, "S01"))
    reading = house.sources[FAR].read

    async def withdraw_while_reading(*arguments: Any) -> Any:
        items = await reading(*arguments)
        house.consents.standing = [line for line in house.consents.standing if line.source != FAR]
        house.consents.versions[house.citizen] = 1
        return items

    house.sources[FAR].read = withdraw_while_reading  # type: ignore[method-assign]  # the race, at its worst moment
    answer = run(exchange(an_ask(), a_caller(), house.ports))

    assert released(answer) == {(SOCIAL, "S01")}
    outcomes = {
        e.municipality: e for e in house.log.events if isinstance(e, OutcomeReached) and e.subject == house.citizen
    }
    assert FAR in outcomes["korsbaek"].sources_read
    assert (outcomes["norrestrand"].sources_read, outcomes["norrestrand"].outcome) == ((FAR,), "refused")
    assert outcomes["norrestrand"].kept == ()


def test_a_silent_source_of_a_yes_taken_back_looks_withheld(house: SmallHouse) -> None:
    """P6: whether a source that is no longer permitted had been asked, and fell silent, is not told."""
    house.consents.standing.append(house.consented(HEALTH, "H01"))

    async def withdraw_and_fail(*_: Any) -> Any:
        house.consents.standing = [line for line in house.consents.standing if line.source != HEALTH]
        house.consents.versions[house.citizen] = 1
        raise SourceFailed(HEALTH, "timeout")

    house.sources[HEALTH].read = withdraw_and_fail  # type: ignore[method-assign]  # the race, at its worst moment
    body = answer_body(run(exchange(an_ask(), a_caller(), house.ports)), house.directory)

    assert {row["source"]: row["state"] for row in body["sources"]}[HEALTH] == "withheld"
    outcome = next(event for event in house.log.events if isinstance(event, OutcomeReached))
    assert [row.source for row in outcome.silent] == [HEALTH]
