"""Keeping entries back from their citizen for a time: one overseer asks, another approves; each step is on the log.

Rules kept here:
- Whoever asks is not who approves, and both oversee the municipality whose unit's asks are kept back.
- Both name the citizen: an id alone approves nothing.
- That it was asked for is about the one who asked; that it was approved is about the citizen, and is the first entry
  that it keeps back, of the second after, in which it begins. So nothing about the citizen tells of it before its
  time is over.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from broker.domain.days import DANISH_TIME, day_number
from broker.domain.deferral import GROUNDS, LONGEST, Deferral
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound
from broker.domain.events import DeferralApproved, DeferralAsked, DeferralEnded
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.oversight.search import READING_ROLES
from broker.ports import Clock, Deferrals, Handles, Ports


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors a deferral needs: no source, no policy."""

    clock: Clock
    handles: Handles
    ports: Ports
    deferrals: Deferrals


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: of whom, which unit's asks, on what ground, and the last day of it."""

    citizen: Personal[str]
    unit: str
    ground: str
    last_day: date


async def ask(wish: Wish, officer: OfficerLogin, desk: Desk) -> Deferral:
    """Ask that a unit's asks be kept back from a citizen. Raises `NotAllowed`, or `BadAsk` for what cannot be."""
    municipality = _municipality(wish.unit, officer, desk)
    at, until = _whole(desk.clock.now()), _after(wish.last_day)
    if wish.ground not in GROUNDS:
        raise BadAsk("/ground")
    if not at < until <= at + LONGEST:
        raise BadAsk("/last_day")
    (citizen,) = await desk.handles.citizens([wish.citizen])
    actor = await desk.handles.officer(officer)
    made = Deferral(str(uuid.uuid4()), municipality, citizen, wish.unit, wish.ground, actor, at, until)
    event = DeferralAsked(
        municipality=municipality, subject=actor, actor=actor, at=at, deferral=made.id, unit=wish.unit,
        ground=wish.ground, until=day_number(wish.last_day), role=officer.role,
    )  # fmt: skip
    await desk.deferrals.ask(made, event)
    return made


async def approve(deferral: str, citizen: Personal[str], officer: OfficerLogin, desk: Desk) -> Receipt:
    """Say yes as the second person; in force from the next second. Raises `NotAllowed`, `NotFound` or `Conflict`."""
    asked = await _found(deferral, citizen, officer, desk)
    actor = await desk.handles.officer(officer)
    if actor == asked.asked_by:
        raise Conflict("same_person")
    # What was written earlier in this second may be shown and counted already.
    begins = _whole(desk.clock.now()) + timedelta(seconds=1)
    event = DeferralApproved(
        municipality=asked.municipality, subject=asked.citizen, actor=actor, at=begins,
        deferral=asked.id, unit=asked.unit, ground=asked.ground, until=_last_day(asked), role=officer.role,
    )  # fmt: skip
    return await desk.deferrals.approve(asked, event)


async def end(deferral: str, citizen: Personal[str], officer: OfficerLogin, desk: Desk) -> Receipt:
    """End it before its time: what it kept back shows at once. One person may; raises as `approve` does."""
    kept = await _found(deferral, citizen, officer, desk)
    actor = await desk.handles.officer(officer)
    event = DeferralEnded(
        municipality=kept.municipality, subject=kept.citizen, actor=actor, at=_whole(desk.clock.now()),
        deferral=kept.id, unit=kept.unit, ground=kept.ground, until=_last_day(kept), role=officer.role,
    )  # fmt: skip
    return await desk.deferrals.end(kept, event)


async def deferrals(officer: OfficerLogin, desk: Desk) -> tuple[Deferral, ...]:
    """List those of the overseer's municipalities, those whose time is over too, the newest first."""
    _check(officer)
    return await desk.deferrals.of(officer.municipalities)


def _municipality(unit: str, officer: OfficerLogin, desk: Desk) -> str:
    _check(officer)
    known = desk.ports.directory.units.get(unit)
    if known is None:
        raise BadAsk("/unit")
    if known.municipality not in officer.municipalities:
        raise NotAllowed
    return known.municipality


def _check(officer: OfficerLogin) -> None:
    if officer.role not in READING_ROLES or not officer.municipalities:
        raise NotAllowed


async def _found(deferral: str, citizen: Personal[str], officer: OfficerLogin, desk: Desk) -> Deferral:
    _check(officer)
    found = await desk.deferrals.by_id(deferral, officer.municipalities)
    (handle,) = await desk.handles.citizens([citizen])
    if found.citizen != handle:
        raise NotFound
    return found


def _whole(at: datetime) -> datetime:
    """Cut a moment to its second, as the log's rows have it."""
    return at.replace(microsecond=0)


def _after(day: date) -> datetime:
    """Give the moment at which a Danish day is over."""
    return datetime.combine(date.fromordinal(day.toordinal() + 1), time(), DANISH_TIME)


def _last_day(kept: Deferral) -> int:
    last = kept.until.astimezone(DANISH_TIME).date()
    return day_number(date.fromordinal(last.toordinal() - 1))
