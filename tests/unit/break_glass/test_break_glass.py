"""The emergency road over the small house: ask, decide, look, and what stands on the log of each step."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.break_glass.decide import read_as_holder, request_of_asker
from broker.domain.errors import BadAsk, Conflict, LogUnavailable, NotAllowed, NotFound, Refused, RegisterUnavailable
from broker.domain.events import AskMade, BreakGlassDecided, BreakGlassRead, BreakGlassRequested, OutcomeReached
from broker.domain.identity import Role
from tests.builders import CHILD, CITIZEN
from tests.watch import (
    CALLOUT,
    FAR_HEALTH_UNIT,
    HEALTH,
    HEALTH_UNIT,
    STRANGER,
    WORDS,
    Night,
    a_health_person,
    a_night,
    on_call,
)

FAR = a_health_person(FAR_HEALTH_UNIT, "norrestrand", id=STRANGER)
APPROVAL = {
    "unit": HEALTH_UNIT, "to_units": ["social-centre"], "from_day": "2019-01-01", "to_day": "2019-12-31",
}  # fmt: skip


@pytest.fixture
async def night(tmp_path: Path) -> Night:
    """Open the house."""
    return await a_night(tmp_path)


async def reasons(night: Night, request: Any, **changes: Any) -> tuple[str, ...]:
    """Ask, and give the reasons of the refusal."""
    with pytest.raises(Refused) as caught:
        await night.ask(request, **changes)
    return caught.value.reasons


async def test_a_yes_opens_the_profile(night: Night) -> None:
    """Lene asks, Grethe says yes, and Lene has the emergency profile of that source and nothing else."""
    call = await night.call()
    await night.say("yes", call)

    answer = await night.ask(call)

    assert {(item.source, item.category) for item in answer.found.items} == {
        (HEALTH, category) for category in ("E01", "H06", "P03")
    }
    assert night.house.sources[HEALTH].asked == ["E01", "H06", "P03"]


async def test_the_citizen_is_told_that_somebody_asked(night: Night) -> None:
    """At the number that was asked with, for the asking unit: what keeps its steps back keeps the letter back too."""
    call = await night.call()

    (notice,) = night.house.ports.emergencies.told  # type: ignore[attr-defined]  # the fake's own list

    assert (notice.recipient, notice.number) == (call.citizen, CITIZEN)
    assert (notice.cause, notice.unit) == (BreakGlassRequested.name, call.unit)


async def test_where_the_citizen_is_takes_a_reason_of_its_own(night: Night) -> None:
    """To go there the address is opened too."""
    call = await night.call(reason="LIFE_VISIT")
    await night.say("yes", call)

    answer = await night.ask(call)

    assert "P02" in {item.category for item in answer.found.items}


async def test_without_a_yes_nothing_is_read(night: Night) -> None:
    """Before anybody decided, and after a no, no source is asked."""
    call = await night.call()
    assert await reasons(night, call) == ("EMERGENCY_NOT_JUSTIFIED",)
    await night.say("no", call)
    assert await reasons(night, call) == ("EMERGENCY_NOT_JUSTIFIED",)

    assert night.house.sources[HEALTH].asked == []


async def test_four_hours(night: Night) -> None:
    """A yes holds for four hours less a second, and then no more."""
    call = await night.call()
    await night.say("yes", call)

    assert (await night.after(seconds=4 * 3600 - 1).ask(call)).found.items
    assert await reasons(night.after(hours=4), call) == ("EMERGENCY_NOT_JUSTIFIED",)


async def test_a_standing_yes(tmp_path: Path) -> None:
    """A registered yes of the holder opens at once; its no to the one request closes."""
    night = await a_night(tmp_path, standing_approvals={"s": APPROVAL})
    call = await night.call()

    assert (await night.ask(call)).found.items
    await night.say("no", call)
    assert await reasons(night, call) == ("EMERGENCY_NOT_JUSTIFIED",)


async def test_what_stands_on_the_log(night: Night) -> None:
    """Each step is an entry about the citizen that names the request; words and call-out stand nowhere."""
    call = await night.call()
    await read_as_holder(call.id, a_health_person(), night.ports)
    await night.say("yes", call)
    await night.ask(call)

    events = night.house.log.events
    assert [type(event) for event in events] == [
        BreakGlassRequested, BreakGlassRead, BreakGlassDecided, AskMade, OutcomeReached,
    ]  # fmt: skip
    assert {event.subject for event in events} == {night.house.citizen}
    assert {event.index().get("break_glass", call.id) for event in events} == {call.id}
    assert [event.index()["emergency"] for event in events if not isinstance(event, AskMade)] == [True] * 4
    assert events[2].index()["outcome"] == "yes"
    assert CALLOUT not in str(events)
    assert "CANARY she" not in str(events)


async def test_both_municipalities_have_it_on_their_log(night: Night) -> None:
    """A request to another municipality's health centre, and its answer, stand on both logs, each with its own part."""
    call = await night.call(sources=frozenset({HEALTH, "far-health"}))
    await night.say("yes", call, FAR)

    logs = {name.split("/")[2]: log for name, log in night.house.log.logs.items()}
    assert [type(event) for event in logs["norrestrand"]] == [BreakGlassRequested, BreakGlassDecided]
    assert [type(event) for event in logs["korsbaek"]] == [BreakGlassRequested, BreakGlassDecided]
    assert logs["norrestrand"][0].index()["sources"] == ["far-health"]


async def test_each_holder_opens_its_own(night: Night) -> None:
    """One unit's yes opens that unit's source; the other's stays closed."""
    both = frozenset({HEALTH, "far-health"})
    call = await night.call(sources=both)
    await night.say("yes", call, FAR)

    answer = await night.ask(call, sources=both)

    assert {item.source for item in answer.found.items} == {"far-health"}


async def test_the_holder_reads_why(night: Night) -> None:
    """The words go to a health person of a unit that was asked, after an entry that says so; to nobody else."""
    call = await night.call()

    _, words, _ = await read_as_holder(call.id, a_health_person(), night.ports)

    assert words.text == WORDS
    for stranger in (FAR, on_call(), a_health_person(roles=(Role("sagsbehandler", ("29.*",), 3),))):
        with pytest.raises(NotFound):
            await read_as_holder(call.id, stranger, night.ports)


async def test_only_the_one_who_asked_sees_how_it_stands(night: Night) -> None:
    """A colleague of the same unit finds nothing."""
    call = await night.call()

    assert await request_of_asker(call.id, on_call(), night.ports) == call
    with pytest.raises(NotFound):
        await request_of_asker(call.id, on_call(id=STRANGER), night.ports)


@pytest.mark.parametrize("caller", [
    on_call(roles=()),
    on_call(roles=(Role("sagsbehandler", ("29.*",), 3),)),
    replace(on_call(), system=replace(on_call().system, units=frozenset({"jobcentre"}))),
])  # fmt: skip
async def test_who_may_ask(night: Night, caller: Any) -> None:
    """Only who is on call, through a system of their own unit, may ask; nothing is written for another."""
    with pytest.raises(NotAllowed):
        await night.call(caller)
    assert night.house.log.events == []


@pytest.mark.parametrize(("wrong", "pointer"), [
    ({"reason": "BORED"}, "/reason"),
    ({"sources": frozenset({"social"})}, "/sources"),
    ({"sources": frozenset({"job", HEALTH})}, "/sources"),
    ({"sources": frozenset()}, "/sources"),
])  # fmt: skip
async def test_what_may_be_asked(night: Night, wrong: Any, pointer: str) -> None:
    """A reason of the table, and sources that a health person of another unit holds; else nothing is written."""
    with pytest.raises(BadAsk) as caught:
        await night.call(**wrong)
    assert caught.value.pointer == pointer
    assert night.house.log.events == []


async def test_a_health_unit_asks_no_health_unit_of_its_own(night: Night) -> None:
    """The health centre on call cannot ask itself: two units decide."""
    caller = a_health_person(roles=(Role("vagt_akut", ("29.*",), 3), Role("sundhedsperson", ("29.*",), 3)))
    with pytest.raises(BadAsk):
        await night.call(caller, sources=frozenset({HEALTH}))


@pytest.mark.parametrize("changes", [
    {"roles": ()},
    {"roles": (Role("sagsbehandler", ("29.*",), 3),)},
    {"roles": (Role("sundhedsperson", ("29.*",), 3, attested_on=20180303),)},
    {"nsis": "Low"},
    {"id": STRANGER},
])  # fmt: skip
async def test_who_may_decide(night: Night, changes: Any) -> None:
    """A health person of the unit: role attested within a year, log-in strong enough, employed there today."""
    call = await night.call()
    with pytest.raises(NotAllowed):
        await night.say("yes", call, a_health_person(**changes))
    assert await reasons(night, call) == ("EMERGENCY_NOT_JUSTIFIED",)


async def test_a_silent_register_decides_nothing(night: Night) -> None:
    """Where nobody tells whether Grethe works there, nothing is decided."""
    call = await night.call()
    night.house.cases.silent = True
    with pytest.raises(RegisterUnavailable):
        await night.say("yes", call)


async def test_said_once(night: Night) -> None:
    """A yes said again does not lengthen it, and a no is final."""
    call = await night.call()
    await night.say("yes", call)
    with pytest.raises(Conflict):
        await night.after(hours=3).say("yes", call)
    await night.say("no", call)
    with pytest.raises(Conflict):
        await night.say("yes", call)
    assert await reasons(night, call) == ("EMERGENCY_NOT_JUSTIFIED",)


async def test_the_log_is_down(night: Night) -> None:
    """P2: nothing is asked for, decided, read or shown, and each refusal points to the paper procedure."""
    call = await night.call()
    await night.say("yes", call)
    night.house.log.broken = True

    for work in (
        night.call(),
        night.say("no", call),
        night.ask(call),
        read_as_holder(call.id, a_health_person(), night.ports),
    ):
        with pytest.raises(LogUnavailable) as caught:
            await work
        assert caught.value.paper
    assert night.house.sources[HEALTH].asked == []


async def test_an_ordinary_ask_names_no_paper(night: Night) -> None:
    """Outside an emergency a log that is down says nothing of paper."""
    night.house.log.broken = True
    with pytest.raises(LogUnavailable) as caught:
        await night.ask(None)
    assert not caught.value.paper


async def test_a_child_is_asked_about_by_name(night: Night) -> None:
    """A yes about the mother opens nothing of the child; one about the child opens the child's own."""
    mother = await night.call()
    await night.say("yes", mother)
    answer = await night.ask(mother)
    assert {item.subject for item in answer.found.items} == {night.house.citizen}

    son = await night.call(citizen=CHILD)
    await night.say("yes", son, citizen=CHILD)
    theirs = await night.ask(son, citizen=CHILD)
    assert {item.subject for item in theirs.found.items} == {night.house.child}


async def test_a_no_while_the_source_answers_wins(night: Night) -> None:
    """P3: Grethe takes her yes back while the health system is read; what was read stays inside."""
    call = await night.call()
    await night.say("yes", call)
    source = night.house.sources[HEALTH]
    reading = source.read

    async def read_meanwhile(*arguments: Any) -> Any:
        items = await reading(*arguments)
        await night.say("no", call)
        return items

    source.read = read_meanwhile  # type: ignore[method-assign]  # the race, at its worst moment
    assert await reasons(night, call) == ("EMERGENCY_NOT_JUSTIFIED",)

    outcome = night.house.log.events[-1]
    assert isinstance(outcome, OutcomeReached)
    assert (outcome.outcome, outcome.sources_read, outcome.kept, outcome.judged_again) == (
        "refused",
        (HEALTH,),
        (),
        True,
    )


async def test_a_yes_while_the_ask_runs_opens_nothing(night: Night) -> None:
    """Judged again an ask is never wider: the other unit's yes that comes meanwhile waits for the next ask."""
    both = frozenset({HEALTH, "far-health"})
    call = await night.call(sources=both)
    await night.say("yes", call)
    source = night.house.sources[HEALTH]
    reading = source.read

    async def read_meanwhile(*arguments: Any) -> Any:
        items = await reading(*arguments)
        await night.say("yes", call, FAR)
        return items

    source.read = read_meanwhile  # type: ignore[method-assign]  # the race, at its worst moment
    first = await night.ask(call, sources=both)
    source.read = reading  # type: ignore[method-assign]  # as it was
    second = await night.ask(call, sources=both)

    assert {item.source for item in first.found.items} == {HEALTH}
    assert {item.source for item in second.found.items} == both


async def test_a_yes_is_to_the_person_it_names(night: Night) -> None:
    """Who was told of another person says yes to nobody: no such request, and no answer is kept."""
    call = await night.call()
    with pytest.raises(NotFound):
        await night.say("yes", call, citizen=CHILD)
    assert await reasons(night, call) == ("EMERGENCY_NOT_JUSTIFIED",)
