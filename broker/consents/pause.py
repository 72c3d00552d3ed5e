"""Let a yes rest, whole or line by line, and hold again. Both bite like a withdrawal: from their commit on (P3).

Pausing closes, so that whoever may record a withdrawal may record it. Holding again opens: it is its giver's alone,
and by phone only the citizens' desk records it, never the unit that would see the data.
"""

from __future__ import annotations

from collections.abc import Sequence

from broker.consents.change import ONLINE, PHONE, at_its_desk, change, close_at_desk
from broker.consents.desk_powers import check_may_open, keeps_desk
from broker.consents.own import giver_of
from broker.domain.consents import Consent
from broker.domain.events import ConsentPaused, ConsentResumed
from broker.domain.identity import Caller, CitizenLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.exchange.numbers import own_handles
from broker.ports import Ports


async def pause(consent_id: str, lines: Sequence[str] | None, login: CitizenLogin, ports: Ports) -> Receipt:
    """Let a consent of this citizen's rest (`lines` of None: all of it, else those ids).

    Raises `NotFound` where it is not theirs, `Conflict` when nothing of it holds now or later.
    """
    giver = await _giver(consent_id, login, ports)
    return await change(ConsentPaused, ports.consents.pause, consent_id, lines, giver, giver, ONLINE, ports)


async def resume(consent_id: str, lines: Sequence[str] | None, login: CitizenLogin, ports: Ports) -> Receipt:
    """Let what this citizen paused hold again, to its last day as before.

    Raises `NotFound` where it is not theirs, `Conflict` when nothing is paused that could still hold.
    """
    giver = await _giver(consent_id, login, ports)
    return await change(ConsentResumed, ports.consents.resume, consent_id, lines, giver, giver, ONLINE, ports)


async def pause_at_desk(
    consent_id: str, lines: Sequence[str] | None, citizen: Personal[str], caller: Caller, ports: Ports
) -> Receipt:
    """Record that a citizen paused a consent by phone or at the desk. Raises as `withdraw_at_desk` does."""
    return await close_at_desk(ConsentPaused, ports.consents.pause, consent_id, lines, citizen, caller, ports)


async def resume_at_desk(
    consent_id: str, lines: Sequence[str] | None, citizen: Personal[str], caller: Caller, ports: Ports
) -> Receipt:
    """Record that a citizen let a paused consent hold again, by phone or at the desk.

    Raises `NotFound` unless the caller keeps their municipality's desk and the consent is to another unit than theirs,
    `MayNotOpen` where they may close there alone.
    """
    if keeps_desk(caller):
        check_may_open(citizen, caller, ports)
    (giver,) = await ports.handles.citizens([citizen])
    actor = await ports.handles.actor(caller.caseworker)
    at_desk = at_its_desk(caller)

    def may(consent: Consent) -> bool:
        return at_desk(consent) and consent.unit != caller.unit

    return await change(
        ConsentResumed, ports.consents.resume, consent_id, lines, giver, actor, PHONE, ports,
        municipality=caller.municipality, may=may, number=citizen,
    )  # fmt: skip


async def _giver(consent_id: str, login: CitizenLogin, ports: Ports) -> str:
    handles = await own_handles(login.cpr, ports.handles, ports.people)
    return await giver_of(consent_id, handles, ports.consents)
