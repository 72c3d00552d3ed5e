"""Working through samples: a leader explains, a log controller closes, a DPO re-opens; each look is on the log first.

Whose hand a sample waits for, and who sees it, is as with every review (`hands.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from broker.domain.days import DANISH_TIME
from broker.domain.directory import Directory
from broker.domain.disclosed import OF_SAMPLE, ActorIdentity, EmployeeDisclosed
from broker.domain.entries import LogEntry
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.led import led_entry, led_sample
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.samples import (
    CLOSED,
    EXPLAINED,
    LATE,
    REOPENED,
    Coverage,
    Sample,
    SampleClosed,
    SampleEvent,
    SampleExplained,
    SampleRead,
    SampleReopened,
    late_before,
)
from broker.oversight.doors import Disclosures
from broker.oversight.hands import (
    HANDS,
    LEADER,
    Employers,
    hand_of,
    leads,
    may_ever,
    may_learn_who,
    next_step,
    refuse_unseen,
    units_of,
)
from broker.ports import Clock, Handles, LogReader, Samples

E = TypeVar("E", bound=SampleEvent)
EVENTS: dict[str, type[SampleEvent]] = {EXPLAINED: SampleExplained, CLOSED: SampleClosed, REOPENED: SampleReopened}


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors of the work with samples; `employers` are the issuers whose word names caseworkers, by municipality."""

    clock: Clock
    handles: Handles
    directory: Directory
    reader: LogReader
    samples: Samples
    employers: Employers
    disclosures: Disclosures


@dataclass(frozen=True, slots=True)
class Opened:
    """A sample as opened: with its words, the entry it is about where that is still there, and what may be done."""

    sample: Sample
    entry: LogEntry | None
    step: str | None
    may_learn_who: bool


async def listed(
    officer: OfficerLogin, desk: Desk, *, state: str | None = None, after: str | None = None, limit: int = 50
) -> tuple[Sample, ...]:
    """List the samples that are the officer's to see, without words; in the state `LATE`, those that are late.

    Raises `NotAllowed`, `NotFound`.
    """
    today = desk.clock.now().astimezone(DANISH_TIME).date()
    found = await desk.samples.of(
        officer.municipalities, units_of(officer), after, limit, None if state == LATE else state,
        waits_since=late_before(today) if state == LATE else None,
    )  # fmt: skip
    return tuple(led_sample(one) if leads(officer, one) else one for one in found)


async def coverage(officer: OfficerLogin, desk: Desk) -> tuple[Coverage, ...]:
    """Count accesses, drawn, explained and closed by month and unit, of the officer's units. Raises `NotAllowed`."""
    units = units_of(officer)
    rows = await desk.samples.coverage(officer.municipalities)
    return tuple(row for row in rows if units is None or (row.municipality, row.unit) in units)


async def opened(sample: str, officer: OfficerLogin, desk: Desk) -> Opened:
    """Open one, which is written down first. Raises `NotAllowed`, `NotFound`, `LogUnavailable`."""
    found, actor, mine = await _found(sample, officer, desk)
    await desk.samples.read(found, _event(SampleRead, found, actor, officer.role, desk))
    try:
        entry = await desk.reader.entry(found.about, municipalities=(found.municipality,))
    except NotFound:
        entry = None  # It was kept as long as it must be, and is gone.
    step = None if mine else next_step(found, actor, officer, desk.directory)
    who_is_told = not mine and may_learn_who(found, officer, desk.directory)
    if not leads(officer, found):
        return Opened(found, entry, step, who_is_told)
    # Who leads the unit that asked is shown what its caseworker was: the log's own reasons are kept from both (P6).
    return Opened(led_sample(found), led_entry(entry) if entry else None, step, who_is_told)


async def take(sample: str, step: str, text: Personal[str] | None, officer: OfficerLogin, desk: Desk) -> Receipt:
    """Explain, close or re-open; without words only where the citizen is erased.

    Raises `NotAllowed`, `NotFound`, `BadAsk`, and `Conflict` where that is not the next step.
    """
    if step not in EVENTS:
        raise BadAsk("/state")
    if not may_ever(officer, step):
        raise NotAllowed
    found, actor, mine = await _found(sample, officer, desk)
    if mine or next_step(found, actor, officer, desk.directory) != step:
        raise Conflict("not_the_next_step")
    if text is None and not found.erased:
        raise BadAsk("/text")
    return await desk.samples.step(found, step, text, _event(EVENTS[step], found, actor, HANDS[step], desk))


async def who(sample: str, officer: OfficerLogin, desk: Desk) -> ActorIdentity:
    """Tell a leader who of their own unit looked, which is written down first.

    Raises `NotAllowed` for everybody else, `NotFound`, `LogUnavailable`, and `Conflict` where nothing is to explain.
    """
    found, actor, mine = await _found(sample, officer, desk)
    if not may_ever(officer, EXPLAINED):
        raise NotAllowed
    if mine or not may_learn_who(found, officer, desk.directory):
        raise Conflict("not_the_next_step")
    return await desk.disclosures.tell(
        EmployeeDisclosed(
            municipality=found.municipality,
            subject=actor,
            actor=actor,
            at=desk.clock.now(),
            reason=OF_SAMPLE,
            review=found.id,
            unit=found.unit,
            employee=found.actor,
            role=LEADER,
        )
    )


async def _found(sample: str, officer: OfficerLogin, desk: Desk) -> tuple[Sample, str, bool]:
    """Give the sample, the officer's handle, and whether the access is the officer's own."""
    units_of(officer)
    found = await desk.samples.by_id(sample, officer.municipalities)
    refuse_unseen(found, officer)
    actor, mine = await hand_of(officer, found.actor, desk.employers, desk)
    return found, actor, mine


def _event(kind: type[E], sample: Sample, actor: str, role: str, desk: Desk) -> E:
    return kind(
        municipality=sample.municipality,
        subject=actor,
        actor=actor,
        at=desk.clock.now(),
        sample=sample.id,
        unit=sample.unit,
        log=sample.about.log,
        line=sample.about.index,
        role=role,
    )
