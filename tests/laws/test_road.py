"""The laws of the road (P1, P2, P3, P5, P6), over a small house in memory with the real rules."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.answers import Answer
from broker.domain.errors import LogUnavailable, Refused
from broker.domain.events import AskMade, OutcomeReached
from broker.domain.facts import Block, RegisterPerson
from broker.domain.items import Item
from broker.domain.personal import Personal
from broker.exchange import exchange
from broker.web.wire import answer_body
from tests.builders import (
    CHILD,
    CITIZEN,
    FAMILY,
    HEALTH,
    JOB,
    PURPOSE,
    REGISTRY,
    SCHOOL,
    SOCIAL,
    SmallHouse,
    a_caller,
    a_house,
    an_ask,
    an_item,
)

T = TypeVar("T")
PLACES = [
    (SOCIAL, "S01"), (SOCIAL, "S02"), (SOCIAL, "S03"), (FAMILY, "F01"), (FAMILY, "F02"), (HEALTH, "H01"),
    (HEALTH, "H03"), (SCHOOL, "K01"), (SCHOOL, "K02"),
]  # fmt: skip
CHILD_CATEGORIES = "FK"
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one coroutine to its end."""
    return asyncio.run(work)


async def a_house_with(
    places: frozenset[tuple[str, str]], *, children: bool = True, purpose: str = PURPOSE, **registry: Any
) -> SmallHouse:
    """Build the house with a live consent line for each place."""
    with tempfile.TemporaryDirectory() as folder:
        house = await a_house(Path(folder), children=children, **registry)
    for source, category in sorted(places):
        subject = house.child if children and category[0] in CHILD_CATEGORIES else house.citizen
        house.consents.standing.append(house.consented(source, category, subject, purpose=purpose))
    return house


def holding(held: dict[str, list[str]]) -> dict[str, Any]:
    """Let some sources of the registry hold other categories."""
    reads = {name: {"reads": {category: {} for category in categories}} for name, categories in held.items()}
    return {"sources": {name: row | reads.get(name, {}) for name, row in REGISTRY["sources"].items()}}


HOME_PURPOSE = "stoette_til_familien"
WITH_HOMES = holding({SOCIAL: ["S01", "P02"], FAMILY: ["F01", "F02", "P02"]})


async def ask_of(house: SmallHouse, **changes: Any) -> Answer | Refused:
    """Ask, and give what comes back, a refusal too."""
    try:
        return await exchange(an_ask(**changes), a_caller(), house.ports)
    except Refused as refused:
        return refused


def shown(house: SmallHouse, answer: Answer | Refused) -> bytes:
    """Give the bytes the asker sees, without the receipt and the ask's id."""
    if isinstance(answer, Refused):
        return orjson.dumps([sorted(answer.reasons), answer.missing])
    body = answer_body(answer, house.directory)
    return orjson.dumps({name: value for name, value in body.items() if name not in {"ask", "receipt"}})


def unmasked(house: SmallHouse, answer: Answer | Refused) -> bytes:
    """Give the same bytes without what a mask changes in what goes out: the mask itself, and what it hides."""
    if isinstance(answer, Answer):
        rows = tuple(replace(v, outcome="release", masks=()) if v.basis else v for v in answer.verdicts)
        answer = replace(answer, verdicts=rows, found=replace(answer.found, items=tuple(map(bare, answer.found.items))))
    return shown(house, answer)


def bare(item: Item) -> Item:
    """Take from an item all that a mask hides, and more."""
    return an_item(item.source, item.category, item.subject)


@QUICK
@given(st.frozensets(st.sampled_from(PLACES)))
def test_nothing_leaves_without_a_basis(places: frozenset[tuple[str, str]]) -> None:
    """P1: every item of an answer belongs to a verdict that releases and names its basis."""
    house = run(a_house_with(places))
    answer = run(ask_of(house))

    if isinstance(answer, Refused):
        assert not any(category for _, category in places)
        return
    released = {(v.source, v.category) for v in answer.verdicts if v.outcome != "withhold" and v.basis}
    assert {(item.source, item.category) for item in answer.found.items} <= released
    assert {place for place in released if place[0] != JOB} == places


@QUICK
@given(st.frozensets(st.sampled_from(PLACES)))
def test_only_what_was_permitted_is_asked_for(places: frozenset[tuple[str, str]]) -> None:
    """P5: a source hears the permitted categories alone, and one with none is not called."""
    house = run(a_house_with(places))
    run(ask_of(house))

    asked = {(name, category) for name, source in house.sources.items() for category in source.asked}
    assert {place for place in asked if place[0] != JOB} == places
    assert places or not asked


@QUICK
@given(st.frozensets(st.sampled_from(PLACES)), st.sampled_from(sorted({source for source, _ in PLACES})))
def test_withheld_records_leave_no_shadow(places: frozenset[tuple[str, str]], source: str) -> None:
    """P6: two worlds that differ only in records the asker may not see give equal bytes and equal calls."""
    full, empty = run(a_house_with(places)), run(a_house_with(places))
    hidden = {category for s, category in PLACES if s == source} - {c for s, c in places if s == source}
    for cpr in empty.sources[source].told:
        told = empty.sources[source].told[cpr]
        empty.sources[source].told[cpr] = [item for item in told if item.category not in hidden]

    assert shown(full, run(ask_of(full))) == shown(empty, run(ask_of(empty)))
    assert {n: s.asked for n, s in full.sources.items()} == {n: s.asked for n, s in empty.sources.items()}


@QUICK
@given(st.frozensets(st.sampled_from([place for place in PLACES if place[1][0] not in CHILD_CATEGORIES])))
def test_a_child_nobody_spoke_of_leaves_no_shadow(places: frozenset[tuple[str, str]]) -> None:
    """P6: whether the citizen has a child cannot be told from an answer in which no child's data is released."""
    with_child, without = run(a_house_with(places)), run(a_house_with(places, children=False))

    assert shown(with_child, run(ask_of(with_child))) == shown(without, run(ask_of(without)))


@QUICK
@given(
    st.frozensets(st.sampled_from([(SOCIAL, "S01"), (FAMILY, "F01"), (FAMILY, "F02"), (SCHOOL, "K01")])),
    st.sampled_from([True, None]),
    st.booleans(),
)
def test_a_protected_address_leaves_no_shadow(
    places: frozenset[tuple[str, str]], protected: bool | None, of_child: bool
) -> None:
    """P6: where nobody consented to the address, only the masks of what does go out tell that it is protected."""
    plain, hidden = (run(a_house_with(places, purpose=HOME_PURPOSE, **WITH_HOMES)) for _ in range(2))
    cpr = CHILD if of_child else CITIZEN
    hidden.people.persons[cpr] = replace(hidden.people.persons[cpr], protected=protected)

    first, second = (run(ask_of(house, purpose=HOME_PURPOSE)) for house in (plain, hidden))

    assert unmasked(plain, first) == unmasked(hidden, second)
    assert {n: s.asked for n, s in plain.sources.items()} == {n: s.asked for n, s in hidden.sources.items()}


@QUICK
@given(st.frozensets(st.sampled_from(PLACES)), st.sampled_from(PLACES), st.booleans())
def test_a_block_where_no_consent_stands_leaves_no_shadow(
    places: frozenset[tuple[str, str]], place: tuple[str, str], children: bool
) -> None:
    """P6: a block against what nobody consented to changes no byte of the answer and no call."""
    given_places = places - {place}
    free, blocked = (run(a_house_with(given_places, children=children)) for _ in range(2))
    for subject in (blocked.citizen, blocked.child):
        name = f"b-{subject}"
        blocked.consents.blocks[name] = Block(name, subject, place[0], None, place[1])

    assert shown(free, run(ask_of(free))) == shown(blocked, run(ask_of(blocked)))
    assert {n: s.asked for n, s in free.sources.items()} == {n: s.asked for n, s in blocked.sources.items()}


@QUICK
@given(st.frozensets(st.sampled_from(["S01", "S02"])), st.sampled_from(["known", "no custody", "dead", "young"]))
def test_no_child_looks_like_a_child_of_a_source_that_consents_name(named: frozenset[str], lot: str) -> None:
    """P6: nor can it be told where consents name other categories of the source that holds the child's."""
    mixed = {SOCIAL: ["S01", "S02", "F01"]}
    places = frozenset((SOCIAL, category) for category in named)
    with_child, without = (run(a_house_with(places, children=c, **holding(mixed))) for c in (True, False))
    lots: dict[str, dict[str, Any]] = {
        "known": {},
        "no custody": {"custody": ()},
        "dead": {"dead_on": 20180101},
        "young": {"born": 20030920},
    }
    with_child.people.persons[CHILD] = replace(with_child.people.persons[CHILD], **lots[lot])

    assert shown(with_child, run(ask_of(with_child))) == shown(without, run(ask_of(without)))


def test_an_unknown_citizen_is_a_citizen_without_relation() -> None:
    """P6: a number nobody has and a citizen who is no case of ours are refused in the same words."""
    unknown, unrelated = run(a_house_with(frozenset(PLACES))), run(a_house_with(frozenset(PLACES)))
    stranger = CITIZEN.__class__("6301010007")
    unrelated.people.persons[stranger] = RegisterPerson(stranger, True, 19500101, None, "0998", True)

    first, second = run(ask_of(unknown, citizen=stranger)), run(ask_of(unrelated, citizen=stranger))

    assert shown(unknown, first) == shown(unrelated, second)
    assert len(unknown.log.events) == len(unrelated.log.events)


def test_the_ask_is_on_the_log_before_any_register_is_read() -> None:
    """P2: with the log down, no register, no consent and no source is read."""
    house = run(a_house_with(frozenset(PLACES)))
    house.log.broken = True

    with pytest.raises(LogUnavailable):
        run(exchange(an_ask(), a_caller(), house.ports))

    assert house.people.asked == []
    assert all(source.asked == [] for source in house.sources.values())


def test_a_yes_taken_back_while_sources_answer_is_not_released() -> None:
    """P3: a line withdrawn after the decision and before the outcome releases nothing, and the log says why."""
    house = run(a_house_with(frozenset({(SOCIAL, "S01"), (SOCIAL, "S02")})))
    reading = house.sources[SOCIAL].read

    async def withdraw_while_reading(*arguments: Any) -> Any:
        items = await reading(*arguments)
        gone = next(line for line in house.consents.standing if line.category == "S02")
        house.consents.standing.remove(gone)
        house.consents.versions[house.citizen] = 1
        return items

    house.sources[SOCIAL].read = withdraw_while_reading  # type: ignore[method-assign]  # the race, at its worst moment
    answer = run(ask_of(house))

    assert isinstance(answer, Answer)
    assert {item.category for item in answer.found.items if item.source == SOCIAL} == {"S01"}
    outcome = next(event for event in house.log.events if isinstance(event, OutcomeReached))
    assert outcome.judged_again


def test_an_ask_has_two_entries_and_a_childs_data_has_its_own() -> None:
    """The log holds ask and outcome of the citizen, and an outcome under the child's own key."""
    house = run(a_house_with(frozenset({(SOCIAL, "S01"), (FAMILY, "F01")})))
    answer = run(ask_of(house))

    assert isinstance(answer, Answer)
    assert [type(event) for event in house.log.events] == [AskMade, OutcomeReached, OutcomeReached]
    assert [event.subject for event in house.log.events] == [house.citizen, house.citizen, house.child]
    child_items = [item for item in answer.found.items if item.category == "F01"]
    assert [answer.labels[item.subject] for item in child_items] == ["child-1"]
    assert all(item.title is None for item in child_items)


def test_a_refused_ask_reads_no_source_not_even_its_own() -> None:
    """403 means that no shared category was permitted; own data is then not fetched either."""
    house = run(a_house_with(frozenset()))
    answer = run(ask_of(house))

    assert isinstance(answer, Refused)
    assert all(source.asked == [] for source in house.sources.values())
    assert [type(event) for event in house.log.events] == [AskMade, OutcomeReached, OutcomeReached]


def test_a_silent_register_means_no() -> None:
    """Unknown facts refuse: with the CPR register silent nothing is released, and the outcome says which register."""
    house = run(a_house_with(frozenset(PLACES)))
    house.people.silent = True
    answer = run(ask_of(house))

    assert isinstance(answer, Refused)
    assert answer.reasons == ("SOURCE_UNAVAILABLE",)
    outcome = house.log.events[-1]
    assert isinstance(outcome, OutcomeReached)
    assert outcome.failed_registers == ("people",)


def test_whom_no_register_knows_is_noted_and_silence_says_nothing() -> None:
    """A handle made for a number that the register does not know can go; where the register is silent, none can."""
    house = run(a_house_with(frozenset(PLACES)))
    run(ask_of(house))
    run(ask_of(house, citizen=Personal("010190-9999")))
    stranger = house.log.events[-1].subject

    assert (house.handles.known[house.citizen], house.handles.known[stranger]) == (True, False)

    house.people.silent = True
    run(ask_of(house, citizen=Personal("010190-8888")))
    assert house.log.events[-1].subject not in house.handles.known


def test_an_ask_about_nothing_is_refused_and_on_the_log() -> None:
    """Nobody objecting is not a yes: a purpose nobody knows covers nothing, reads nothing, and is logged twice."""
    house = run(a_house_with(frozenset(PLACES)))
    answer = run(ask_of(house, purpose="marketing"))

    assert isinstance(answer, Refused)
    assert answer.reasons == ("PURPOSE_MISMATCH",)
    assert all(source.asked == [] for source in house.sources.values())
    assert [type(event) for event in house.log.events] == [AskMade, OutcomeReached]


def test_a_second_child_without_a_line_leaves_no_shadow() -> None:
    """P6: a paused line for one child shows the same whether or not the citizen has another child."""

    async def house_with(*, sibling: bool) -> SmallHouse:
        house = await a_house_with(frozenset({(SOCIAL, "S01")}))
        paused = house.consented(FAMILY, "F01", house.child, state="paused")
        live = house.consented(FAMILY, "F02", house.child)
        house.consents.standing += [paused, live]
        if sibling:
            other = Personal("8203104012")
            custody = house.people.persons[CHILD].custody
            house.people.persons[other] = RegisterPerson(other, True, 20100322, None, "0999", False, custody)
            mother = house.people.persons[CITIZEN]
            house.people.persons[CITIZEN] = replace(mother, children=(CHILD, other))
        return house

    alone, with_sibling = run(house_with(sibling=False)), run(house_with(sibling=True))

    assert shown(alone, run(ask_of(alone))) == shown(with_sibling, run(ask_of(with_sibling)))
