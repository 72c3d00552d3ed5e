"""Telling the citizens whom a breach touches: the DPO prepares the letters, a second person lets them go.

Rules kept here:
- The broker keeps no CPR number: the municipality names those it has, in a form's body. A number whose citizen the
  count did not find gets no letter; nobody gets two letters of one breach.
- Naming is a look at each who is named: it stands on their own list before the log is asked, and the answer is the same
  whether they are touched or not. How many letters there are is told when they have gone.
- Whom the law keeps their lines back from gets no letter before that is over, looked at when it is let go too.
- Preparing, letting go and taking back each stand on the log; who prepared does not let go.
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
    BreachCitizenNamed,
    BreachLetter,
    BreachLettersPrepared,
    BreachLettersReleased,
    BreachLettersWithdrawn,
)
from broker.domain.breaches import FOUND, Breach, Criteria
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
    """Prepare letters; whom they reach is not told.

    Raises `NotAllowed`, `NotFound`, `BadAsk` by field, `Conflict`, `TooManyAsks`.
    """
    if wanted.nature not in NATURES:
        raise BadAsk("/nature")
    if wanted.advice not in ADVICE:
        raise BadAsk("/advice")
    if not 0 < len(wanted.numbers) <= MOST_NUMBERS:
        raise BadAsk("/numbers")
    found, actor = await _found(breach, officer, desk, DPO)
    counted = _counted(found, wanted.count)
    if counted is None:
        raise BadAsk("/count")
    named = dict(zip(await desk.handles.citizens(wanted.numbers), wanted.numbers, strict=True))
    made = Batch(
        str(uuid.uuid4()), found.id, found.municipality, wanted.nature, wanted.advice, desk.clock.now(), actor,
        wanted.count, len(named),
    )  # fmt: skip
    await _write_down(made, found, sorted(named), officer, desk)
    # Only now is anything looked up about them; and nothing of what is found goes back to the officer.
    touched = await desk.breaches.untold(made, counted, sorted(named))
    letters = [Addressed(str(uuid.uuid4()), citizen, named[citizen]) for citizen in sorted(touched)]
    await desk.breaches.add_letters(made, letters)
    return made


async def _write_down(made: Batch, found: Breach, named: Sequence[str], officer: OfficerLogin, desk: Desk) -> None:
    """Write down what is prepared, and under each citizen that they were named."""
    actor, at = made.prepared_by, made.prepared_at
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
        named=made.named,
    )
    entries = [
        BreachCitizenNamed(
            municipality=found.municipality,
            subject=citizen,
            actor=actor,
            at=at,
            breach=found.id,
            role=officer.role,
            batch=made.id,
        )
        for citizen in named
    ]
    await desk.breaches.prepare(made, event, entries)


async def release(breach: str, batch: str, officer: OfficerLogin, desk: Desk) -> Receipt:
    """Let prepared letters go into the outbox: to those who may know now, so that some may be told later.

    Raises `NotAllowed`, `NotFound`, `Conflict` for one's own, what ended before or has waited too long, a closed file.
    """
    found, actor = await _found(breach, officer, desk, DPO, CONTROLLER)
    waiting, at = await _batch(found, batch, desk), desk.clock.now()
    if waiting.prepared_by == actor:
        raise Conflict("same_person")
    counted = _counted(found, waiting.count)
    if counted is None or not waiting.waits(at):
        raise Conflict("ended_before")
    event = BreachLettersReleased(
        municipality=found.municipality,
        subject=actor,
        actor=actor,
        at=at,
        breach=found.id,
        role=officer.role,
        batch=waiting.id,
        letters=0,
    )
    return await desk.breaches.release(waiting, counted, event)


async def withdraw(breach: str, batch: str, officer: OfficerLogin, desk: Desk) -> Receipt:
    """Take prepared letters back; who was named can be named again. Raises as `release`, but anybody may, and closed.

    It is for a mistake in the letters, or for somebody who keeps citizens from being told by letting letters wait.
    """
    found, actor = await _found(breach, officer, desk, DPO, CONTROLLER)
    waiting = await _batch(found, batch, desk)
    event = BreachLettersWithdrawn(
        municipality=found.municipality,
        subject=actor,
        actor=actor,
        at=desk.clock.now(),
        breach=found.id,
        role=officer.role,
        batch=waiting.id,
    )
    return await desk.breaches.withdraw(waiting, event)


async def _batch(found: Breach, batch: str, desk: Desk) -> Batch:
    """Give one of a file's batches; raise `NotFound`."""
    waiting = next((one for one in await desk.breaches.batches(found) if one.id == batch), None)
    if waiting is None:
        raise NotFound
    return waiting


def _counted(found: Breach, number: int) -> Criteria | None:
    """Read by what a count of a file was made; None where it has no such count."""
    return next((criteria_of(note) for note in found.notes if note.number == number and note.kind == FOUND), None)


async def letters_of(handles: Sequence[str], breaches: Breaches) -> tuple[BreachLetter, ...]:
    """List what somebody was told of breaches under each of their handles, the newest first."""
    found = [letter for handle in handles for letter in await breaches.letters_of(handle)]
    return tuple(sorted(found, key=lambda letter: letter.at, reverse=True))


async def _found(breach: str, officer: OfficerLogin, desk: Desk, *roles: str) -> tuple[Breach, str]:
    if officer.role not in roles or not officer.municipalities:
        raise NotAllowed
    found = await desk.breaches.by_id(breach, officer.municipalities)
    return found, await desk.handles.officer(officer)
