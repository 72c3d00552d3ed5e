"""Break-glass requests, answers and their events for tests: say only what the test is about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from broker.domain.break_glass import BreakGlass, HolderAnswer, Words
from broker.domain.events import BreakGlassDecided, BreakGlassEvent, BreakGlassRequested
from broker.domain.personal import Personal

NOON = datetime(2019, 3, 4, 11, tzinfo=UTC)
HOME, NEXT_TOWN = "korsbaek", "oestby"
UNIT, HEALTH, FAR_HEALTH = "korsbaek-social", "korsbaek-health", "oestby-health"
WORDS = Words(Personal("V-2019-311"), Personal("CANARY she has taken pills and does not answer"))
E = TypeVar("E", bound=BreakGlassEvent)


def a_call(citizen: str, case: str, caseworker: str, **given: Any) -> BreakGlass:
    """Make a request to the health units of two municipalities."""
    made = BreakGlass(
        id=str(uuid4()),
        municipality=HOME,
        citizen=citizen,
        unit=UNIT,
        caseworker=caseworker,
        case=case,
        reason="LIFE",
        requested_at=NOON,
        sources={"health": HEALTH, "far-health": FAR_HEALTH},
        holders={HEALTH: HOME, FAR_HEALTH: NEXT_TOWN},
    )
    return replace(made, **given)


def called(call: BreakGlass, **given: Any) -> BreakGlassRequested:
    """Say that a request was made."""
    return event_of(BreakGlassRequested, call, actor=call.caseworker, **given)


def an_answer(by: str, said: str = "yes", unit: str = HEALTH, at: datetime = NOON) -> HolderAnswer:
    """Say yes, as the health unit at home."""
    return HolderAnswer(unit, said, by, at)


def decided(call: BreakGlass, answer: HolderAnswer, **given: Any) -> BreakGlassDecided:
    """Say that a unit answered."""
    told = {"actor": answer.by, "holder": answer.unit, "said": answer.said, "municipality": call.holders[answer.unit]}
    return event_of(BreakGlassDecided, call, **{**told, **given})


def event_of(kind: type[E], call: BreakGlass, **given: Any) -> E:
    """Make an event of a request."""
    plain = {
        "municipality": call.municipality,
        "subject": call.citizen,
        "at": NOON,
        "request": call.id,
        "requester": call.municipality,
        "unit": call.unit,
        "purpose": "fare_for_liv",
        "case": call.case,
        "reason": call.reason,
        "sources": tuple(sorted(call.sources)),
        "holders": tuple(sorted(call.holders)),
    }
    return kind(**{**plain, **given})
