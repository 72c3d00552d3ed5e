"""Telling the citizens whom a breach touches: the DPO prepares the letters, a second person lets them go.

Rules kept here:
- The broker keeps no CPR number: the municipality names those it has, in a form's body. A number whose citizen the
  count did not find gets no letter; nobody gets two letters of one breach.
- Preparing and letting go each stand on the log; who prepared does not let go.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from broker.domain.breach_letters import (
    ADVICE,
    MOST_NUMBERS,
    NATURES,
    Addressed,
    Batch,
    BreachLetter,
    BreachLettersPrepared,
    BreachLettersReleased,
)
from broker.domain.breaches import CLOSED, FOUND, Breach
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.oversight.breaches import CONTROLLER, DPO, Desk, criteria_of
from broker.ports import Breaches


@dataclass(frozen=True, slots=True)
class Wanted:
    """Letters to be: of which count, what they say, and the numbers that the municipality has."""

    count: int
    nature: str
    advice: str
    numbers: Sequence[Personal[str]]


async def prepare(breach: str, wanted: Wanted, officer: OfficerLogin, desk: Desk) -> Batch:
    """Prepare letters; give how many. Raises `NotAllowed`, `NotFound`, `BadAsk` by field, `Conflict`."""
    if wanted.nature not in NATURES:
        raise BadAsk("/nature")
    if wanted.advice not in ADVICE:
        raise BadAsk("/advice")
    if not 0 < len(wanted.numbers) <= MOST_NUMBERS:
        raise BadAsk("/numbers")
    found, actor = await _found(breach, officer, desk, DPO)
    if found.state == CLOSED:
        raise Conflict("closed")
    counted = next((note for note in found.notes if note.number == wanted.count and note.kind == FOUND), None)
    if counted is None:
        raise BadAsk("/count")
    named = dict(zip(await desk.handles.citizens(wanted.numbers), wanted.numbers, strict=True))
    touched = await desk.breaches.untold(found, criteria_of(counted), sorted(named))
    if not touched:
        raise BadAsk("/numbers", "nobody_new")
    letters = [Addressed(str(uuid.uuid4()), citizen, named[citizen]) for citizen in sorted(touched)]
    at = desk.clock.now()
    made = Batch(
        str(uuid.uuid4()), found.id, found.municipality, wanted.nature, wanted.advice, at, actor, len(letters)
    )  # fmt: skip
    event = BreachLettersPrepared(
        municipality=found.municipality,
        subject=actor,
        actor=actor,
        at=at,
        breach=found.id,
        role=officer.role,
        batch=made.id,
        nature=made.nature,
        advice=made.advice,
        letters=made.letters,
    )
    await desk.breaches.prepare(made, letters, event)
    return made


async def release(breach: str, batch: str, officer: OfficerLogin, desk: Desk) -> Receipt:
    """Let prepared letters go into the outbox. Raises `NotAllowed`, `NotFound`, `Conflict` for one's own or gone."""
    found, actor = await _found(breach, officer, desk, DPO, CONTROLLER)
    waiting = next((one for one in await desk.breaches.batches(found) if one.id == batch), None)
    if waiting is None:
        raise NotFound
    if waiting.prepared_by == actor:
        raise Conflict("same_person")
    if waiting.released_at:
        raise Conflict("already_released")
    event = BreachLettersReleased(
        municipality=found.municipality,
        subject=actor,
        actor=actor,
        at=desk.clock.now(),
        breach=found.id,
        role=officer.role,
        batch=waiting.id,
        letters=waiting.letters,
    )
    return await desk.breaches.release(waiting, event)


async def letters_of(handles: Sequence[str], breaches: Breaches) -> tuple[BreachLetter, ...]:
    """List what somebody was told of breaches under each of their handles, the newest first."""
    found = [letter for handle in handles for letter in await breaches.letters_of(handle)]
    return tuple(sorted(found, key=lambda letter: letter.at, reverse=True))


async def _found(breach: str, officer: OfficerLogin, desk: Desk, *roles: str) -> tuple[Breach, str]:
    if officer.role not in roles or not officer.municipalities:
        raise NotAllowed
    found = await desk.breaches.by_id(breach, officer.municipalities)
    return found, await desk.handles.officer(officer)
