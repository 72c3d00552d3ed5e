"""Change lines of a consent that stands: find it as its giver's, and write the change with its events.

At a desk of the unit that it is to, where several were to say yes, none of them has given anything that it can find:
whether a consent is there would tell who said what (P6). Another unit's desk, or the giver's own page, changes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from broker.consents.desk_powers import keeps_desk
from broker.domain.consents import Consent, ConsentRequest
from broker.domain.errors import NotFound
from broker.domain.events import LinesChanged
from broker.domain.identity import Caller
from broker.domain.notices import RECORDED, notice_to
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import Ports

ONLINE, PHONE = "online", "desk_phone"
E = TypeVar("E", bound=LinesChanged)


def anyone(_: Consent) -> bool:
    """Let a giver change any consent that they gave."""
    return True


def at_its_desk(caller: Caller) -> Callable[[Consent], bool]:
    """Tell of a consent whether this caller keeps the desk of the municipality it was given to."""

    def may(consent: Consent) -> bool:
        return _is_home(consent, caller) and keeps_desk(caller)

    return may


def at_its_desk_or_unit(caller: Caller) -> Callable[[Consent], bool]:
    """Tell the same, also where the consent was given to the caller's own unit."""
    at_desk = at_its_desk(caller)
    return lambda consent: at_desk(consent) or (_is_home(consent, caller) and consent.unit == caller.unit)


def would_tell_who_answered(request: ConsentRequest, caller: Caller) -> bool:
    """Tell whether the caller's own unit asked several: it hears of them together alone, never who said what (P6)."""
    return request.unit == caller.unit and len(request.givers) > 1


def _is_home(consent: Consent, caller: Caller) -> bool:
    # A source's municipality may read the consents that open its source; that makes them no less another's.
    return consent.municipality == caller.municipality and caller.unit in caller.system.units


async def close_at_desk(
    event: type[E],
    write: Callable[..., Awaitable[tuple[Receipt, ...]]],
    consent_id: str,
    lines: Sequence[str] | None,
    citizen: Personal[str],
    caller: Caller,
    ports: Ports,
) -> Receipt:
    """Write what a giver closed by phone or at a desk; the recorder is named on the log. No register is asked (P2).

    Raises `NotFound` unless the consent was given to the caller's own unit, and by one who alone was to answer, or to
    their municipality where the caller keeps its desk; else as `change`.
    """
    (giver,) = await ports.handles.citizens([citizen])
    actor = await ports.handles.actor(caller.caseworker)
    # Read whatever the giver answered, and before it: the calls are the same.
    asked = await ports.consents.requests_of(giver, municipality=caller.municipality)
    unsaid = {row.id for row in asked if would_tell_who_answered(row, caller)}
    theirs = at_its_desk_or_unit(caller)

    def may(consent: Consent) -> bool:
        return consent.request not in unsaid and theirs(consent)

    return await change(
        event, write, consent_id, lines, giver, actor, PHONE, ports,
        municipality=caller.municipality, may=may, number=citizen,
    )  # fmt: skip


async def change(
    event: type[E],
    write: Callable[..., Awaitable[tuple[Receipt, ...]]],
    consent_id: str,
    lines: Sequence[str] | None,
    giver: str,
    actor: str,
    channel: str,
    ports: Ports,
    *,
    municipality: str = "",
    may: Callable[[Consent], bool] = anyone,
    number: Personal[str] | None = None,
) -> Receipt:
    """Write one change of a giver's lines, with an event of a kind about each person it concerns.

    `number` is the giver's where somebody else recorded it: then the giver is told that there is something new.
    Raises `NotFound` where the consent is not the giver's, or not one that `may` lets be changed; else as `write`.
    """
    given = await ports.consents.of_citizen(giver, municipality=municipality)
    at, theirs = ports.clock.now(), [row for row in given if row.id == consent_id and row.giver == giver]
    consent = next((row for row in theirs if may(row.as_shown(at))), None)
    if consent is None:
        raise NotFound
    told = [] if number is None else [notice_to(giver, number, consent.municipality, RECORDED, at)]
    receipts = await write(consent_id, lines, *_events(event, consent, actor, channel, at), tell=told)
    return receipts[0]


def _events(event: type[E], consent: Consent, actor: str, channel: str, at: datetime) -> list[E]:
    """One event about each person it concerned; the store fills in which lines in fact changed."""
    rows = {(line.subject, line.source, line.category) for line in consent.lines}
    return [
        event(
            municipality=consent.municipality,
            subject=subject,
            actor=actor,
            at=at,
            consent=consent.id,
            unit=consent.unit,
            purpose=consent.purpose,
            case=consent.case,
            lines=tuple(sorted(row for row in rows if row[0] == subject)),
            channel=channel,
            text_version=consent.text_version,
            version=consent.version + 1,
            giver=consent.giver,
        )
        for subject in sorted({row[0] for row in rows})
    ]
