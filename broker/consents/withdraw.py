"""Take a yes back, whole or line by line. As easy as giving it (GDPR art. 7(3)); it holds from its commit on (P3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from broker.consents.own import giver_of
from broker.domain.consents import Consent
from broker.domain.errors import NotFound
from broker.domain.events import ConsentWithdrawn
from broker.domain.identity import Caller, CitizenLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.exchange.numbers import own_handles
from broker.ports import Ports

ONLINE, PHONE = "online", "desk_phone"
# The desk that citizens ring, whichever unit their consent is to (`domain.md` 4.1: records consent, sees no data).
DESK_ROLE = "borgerservice"


async def withdraw(consent_id: str, lines: Sequence[str] | None, login: CitizenLogin, ports: Ports) -> Receipt:
    """Take back a consent this citizen gave, under any number of theirs (`lines` of None: all, else those ids).

    Raises `NotFound` where it is not theirs, `Conflict` when nothing is left to take back.
    """
    handles = await own_handles(login.cpr, ports.handles, ports.people)
    giver = await giver_of(consent_id, handles, ports.consents)
    return await _withdraw(consent_id, lines, giver, giver, ONLINE, ports)


async def withdraw_at_desk(
    consent_id: str, lines: Sequence[str] | None, citizen: Personal[str], caller: Caller, ports: Ports
) -> Receipt:
    """Record that a citizen took a consent back by phone or at the desk; the recorder is named on the log.

    No register is asked, so that this stays open when they are down (P2). Raises `NotFound` unless the consent was
    given to the caller's own unit, or to their municipality where the caller keeps its desk; else as `withdraw`.
    """
    (giver,) = await ports.handles.citizens([citizen])
    actor = await ports.handles.actor(caller.caseworker)

    def may(consent: Consent) -> bool:
        return _may_record(consent, caller)

    return await _withdraw(consent_id, lines, giver, actor, PHONE, ports, municipality=caller.municipality, may=may)


def _may_record(consent: Consent, caller: Caller) -> bool:
    """Tell whether this caller may record that a consent was taken back.

    A source's municipality may read the consents that open its source; that makes them no less another's.
    """
    if consent.municipality != caller.municipality or caller.unit not in caller.system.units:
        return False
    return consent.unit == caller.unit or any(role.name == DESK_ROLE for role in caller.caseworker.roles)


async def _withdraw(
    consent_id: str,
    lines: Sequence[str] | None,
    giver: str,
    actor: str,
    channel: str,
    ports: Ports,
    *,
    municipality: str = "",
    may: Callable[[Consent], bool] = lambda _: True,
) -> Receipt:
    given = await ports.consents.of_citizen(giver, municipality=municipality)
    consent = next((row for row in given if row.id == consent_id and row.giver == giver and may(row)), None)
    if consent is None:
        raise NotFound
    events = _events(consent, actor, channel, ports.clock.now())
    receipts = await ports.consents.withdraw(consent_id, lines, *events)
    return receipts[0]


def _events(consent: Consent, actor: str, channel: str, at: datetime) -> list[ConsentWithdrawn]:
    """One event about each person it concerned; the store fills in what was in fact taken back."""
    rows = {(line.subject, line.source, line.category) for line in consent.lines}
    return [
        ConsentWithdrawn(
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
