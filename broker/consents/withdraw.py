"""Take a yes back, whole or line by line. As easy as giving it (GDPR art. 7(3)); it holds from its commit on (P3)."""

from __future__ import annotations

from collections.abc import Sequence

from broker.consents.change import ONLINE, PHONE, at_its_desk_or_unit, change
from broker.consents.own import giver_of
from broker.domain.events import ConsentWithdrawn
from broker.domain.identity import Caller, CitizenLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.exchange.numbers import own_handles
from broker.ports import Ports


async def withdraw(consent_id: str, lines: Sequence[str] | None, login: CitizenLogin, ports: Ports) -> Receipt:
    """Take back a consent this citizen gave, under any number of theirs (`lines` of None: all, else those ids).

    Raises `NotFound` where it is not theirs, `Conflict` when nothing is left to take back.
    """
    handles = await own_handles(login.cpr, ports.handles, ports.people)
    giver = await giver_of(consent_id, handles, ports.consents)
    write = ports.consents.withdraw
    return await change(ConsentWithdrawn, write, consent_id, lines, giver, giver, ONLINE, ports)


async def withdraw_at_desk(
    consent_id: str, lines: Sequence[str] | None, citizen: Personal[str], caller: Caller, ports: Ports
) -> Receipt:
    """Record that a citizen took a consent back by phone or at the desk; the recorder is named on the log.

    No register is asked, so that this stays open when they are down (P2). Raises `NotFound` unless the consent was
    given to the caller's own unit, or to their municipality where the caller keeps its desk; else as `withdraw`.
    """
    (giver,) = await ports.handles.citizens([citizen])
    actor = await ports.handles.actor(caller.caseworker)
    return await change(
        ConsentWithdrawn, ports.consents.withdraw, consent_id, lines, giver, actor, PHONE, ports,
        municipality=caller.municipality, may=at_its_desk_or_unit(caller),
    )  # fmt: skip
