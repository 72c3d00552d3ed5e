"""Change lines of a consent that stands: find it as its giver's, and write the change with its events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from broker.domain.consents import Consent
from broker.domain.errors import NotFound
from broker.domain.events import LinesChanged
from broker.domain.identity import Caller
from broker.domain.receipts import Receipt
from broker.ports import Ports

ONLINE, PHONE = "online", "desk_phone"
# The desk that citizens ring, whichever unit their consent is to (`domain.md` 4.1: records consent, sees no data).
DESK_ROLE = "borgerservice"
E = TypeVar("E", bound=LinesChanged)


def anyone(_: Consent) -> bool:
    """Let a giver change any consent that they gave."""
    return True


def at_its_desk(caller: Caller) -> Callable[[Consent], bool]:
    """Tell of a consent whether this caller keeps the desk of the municipality it was given to."""

    def may(consent: Consent) -> bool:
        return _is_home(consent, caller) and any(role.name == DESK_ROLE for role in caller.caseworker.roles)

    return may


def at_its_desk_or_unit(caller: Caller) -> Callable[[Consent], bool]:
    """Tell the same, also where the consent was given to the caller's own unit."""
    at_desk = at_its_desk(caller)
    return lambda consent: at_desk(consent) or (_is_home(consent, caller) and consent.unit == caller.unit)


def _is_home(consent: Consent, caller: Caller) -> bool:
    # A source's municipality may read the consents that open its source; that makes them no less another's.
    return consent.municipality == caller.municipality and caller.unit in caller.system.units


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
) -> Receipt:
    """Write one change of a giver's lines, with an event of a kind about each person it concerns.

    Raises `NotFound` where the consent is not the giver's, or not one that `may` lets be changed; else as `write`.
    """
    given = await ports.consents.of_citizen(giver, municipality=municipality)
    consent = next((row for row in given if row.id == consent_id and row.giver == giver and may(row)), None)
    if consent is None:
        raise NotFound
    receipts = await write(consent_id, lines, *_events(event, consent, actor, channel, ports.clock.now()))
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
