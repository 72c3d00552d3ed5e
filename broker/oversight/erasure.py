"""Erasing a citizen: an operator asks, an overseer approves, the eraser carries it out; every step is on the log.

Rules kept here:
- Whoever asks is not who approves: neither the same handle, nor the same id at the machine and at the log-in.
- The overseer names the citizen again, as in every act of two persons: an id alone approves nothing.
- A case counts as closed only when its own register says so now; one that is not named counts as open.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from broker.domain.days import danish_day, day_number, day_of
from broker.domain.erasure import (
    GROUNDS,
    TIME_TO_APPROVE,
    Erasure,
    NotErasable,
    Obstacle,
    Standing,
    obstacles,
)
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound, RegisterUnavailable
from broker.domain.events import (
    ArchiveReceived,
    ErasureApproved,
    ErasureExamined,
    ErasureRequested,
    HoldChanged,
)
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.oversight.search import READING_ROLES
from broker.ports import AuditLog, Cases, Clock, Directory, Erasures, Handles

OPERATOR = "operator"
APPROVING_ROLES = frozenset({"dpo"})
# The number of a matter or a receipt: no sentence, and no CPR number.
MATTER = re.compile(r"(?!.*\d{6}-?\d{4})[A-Za-z0-9][A-Za-z0-9./:_-]{2,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors an erasure needs: no source, no policy."""

    clock: Clock
    handles: Handles
    cases: Mapping[str, Cases]
    log: AuditLog
    directory: Directory
    erasures: Erasures


@dataclass(frozen=True, slots=True)
class Examined:
    """What would go if a citizen were erased now, and what keeps it; the same shape whoever it is."""

    standing: Standing
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The citizen, and the cases that somebody says are closed: unit and number."""

    citizen: Personal[str]
    cases: Sequence[tuple[str, Personal[str]]] = ()


async def examine(named: Named, municipality: str, operator: OfficerLogin, desk: Desk) -> Examined:
    """Say what would go and what keeps it. That somebody looked is on the log first."""
    (citizen,) = await desk.handles.citizens([named.citizen])
    actor = await desk.handles.officer(operator)
    found = await _look(named, citizen, municipality, operator, desk)
    event = ErasureExamined(
        municipality=municipality,
        subject=citizen,
        actor=actor,
        at=desk.clock.now(),
        entries=len(found.standing.lines),
    )
    await desk.log.append([event])
    return found


async def request(named: Named, municipality: str, ground: str, operator: OfficerLogin, desk: Desk) -> Erasure:
    """Ask that a citizen be erased. Raises `NotErasable` with what keeps it, `BadAsk` for a ground that is none."""
    if ground not in GROUNDS:
        raise BadAsk("/ground")
    (citizen,) = await desk.handles.citizens([named.citizen])
    actor = await desk.handles.officer(operator)
    found = await _look(named, citizen, municipality, operator, desk)
    if found.obstacles:
        raise NotErasable(found.obstacles)
    at = desk.clock.now()
    made = Erasure(str(uuid.uuid4()), municipality, citizen, ground, actor, at, at + TIME_TO_APPROVE)
    event = ErasureRequested(
        municipality=municipality,
        subject=citizen,
        actor=actor,
        at=at,
        erasure=made.id,
        ground=ground,
        expires=danish_day(made.expires_at),
    )
    await desk.erasures.request(made, event)
    return made


async def approve(
    erasure: str, citizen: Personal[str], municipality: str, officer: OfficerLogin, desk: Desk
) -> Receipt:
    """Say yes as the second person. Raises `NotAllowed`, `NotFound` or `Conflict`."""
    if officer.role not in APPROVING_ROLES or municipality not in officer.municipalities:
        raise NotAllowed
    (handle,) = await desk.handles.citizens([citizen])
    actor = await desk.handles.officer(officer)
    at_the_machine = await desk.handles.officer(replace(officer, issuer=OPERATOR))
    asked = await desk.erasures.by_id(erasure, municipality)
    if asked.citizen != handle:
        raise NotFound
    if asked.requested_by in (actor, at_the_machine):
        raise Conflict("same_person")
    event = ErasureApproved(
        municipality=municipality,
        subject=handle,
        actor=actor,
        at=desk.clock.now(),
        erasure=asked.id,
        ground=asked.ground,
        role=officer.role,
    )
    return await desk.erasures.approve(asked.id, handle, event)


async def waiting(officer: OfficerLogin, desk: Desk) -> tuple[Erasure, ...]:
    """List what is to be erased in the overseer's municipalities, the oldest first. Raises `NotAllowed`."""
    if officer.role not in READING_ROLES:
        raise NotAllowed
    return await desk.erasures.waiting(officer.municipalities)


async def set_hold(
    citizen: Personal[str] | None, municipality: str, matter: str, operator: OfficerLogin, desk: Desk
) -> str:
    """Hold deletion up for a matter, of one citizen or of everybody; give the hold's id. Raises `BadAsk`."""
    named(matter)
    handle = None if citizen is None else (await desk.handles.citizens([citizen]))[0]
    event = await _hold(str(uuid.uuid4()), handle, municipality, matter, operator, desk, lifted=False)
    await desk.erasures.set_hold(handle, event)
    return event.hold


async def lift_hold(hold: str, municipality: str, operator: OfficerLogin, desk: Desk) -> None:
    """Let deletion go on; raise `NotFound` where the hold is not in force."""
    handle, matter = await desk.erasures.held(hold, municipality)
    await desk.erasures.lift_hold(await _hold(hold, handle, municipality, matter, operator, desk, lifted=True))


async def record_archived(until: date, receipt: str, municipality: str, operator: OfficerLogin, desk: Desk) -> None:
    """Write down that the archive has everything to a day. Raises `BadAsk`, `Conflict` where that day has a receipt."""
    named(receipt)
    actor, at = await desk.handles.officer(operator), desk.clock.now()
    if day_number(until) > danish_day(at):
        raise BadAsk("/until")
    event = ArchiveReceived(
        municipality=municipality, subject=actor, actor=actor, at=at, until_day=day_number(until), receipt=receipt
    )
    await desk.erasures.record_archived(event)


def named(matter: str) -> None:
    """Raise `BadAsk` for what is no number of a matter or receipt: a sentence, or what looks like a CPR number."""
    if MATTER.fullmatch(matter) is None:
        raise BadAsk("/matter")


async def _hold(
    hold: str,
    citizen: str | None,
    municipality: str,
    matter: str,
    operator: OfficerLogin,
    desk: Desk,
    *,
    lifted: bool,
) -> HoldChanged:
    actor = await desk.handles.officer(operator)
    return HoldChanged(
        municipality=municipality,
        subject=citizen or actor,
        actor=actor,
        at=desk.clock.now(),
        hold=hold,
        ground=matter,
        lifted=lifted,
        everybody=citizen is None,
    )


async def _look(asked: Named, citizen: str, municipality: str, operator: OfficerLogin, desk: Desk) -> Examined:
    """Read what there is and hold it against what keeps it."""
    today = danish_day(desk.clock.now())
    standing, archived = await desk.erasures.standing(municipality, citizen, today)
    closed = await _closed(asked, municipality, operator, desk)
    retention = desk.directory.municipalities[municipality].retention
    return Examined(standing, obstacles(standing, retention, archived, day_of(today), closed))


async def _closed(asked: Named, municipality: str, operator: OfficerLogin, desk: Desk) -> set[str]:
    """Ask each named case's own register whether it is closed; a register that gives no answer has closed nothing."""
    closed = set()
    for unit, number in asked.cases:
        if unit not in desk.directory.units or desk.directory.units[unit].municipality != municipality:
            raise BadAsk("/cases")
        if unit not in desk.cases:
            continue
        try:
            record, _ = await desk.cases[unit].case(number, asked.citizen, operator.id)
        except RegisterUnavailable:
            continue
        if not record.open:
            closed.add(await desk.handles.case(unit, number))
    return closed
