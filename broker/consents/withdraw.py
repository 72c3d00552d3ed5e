"""Take a yes back, whole or line by line. As easy as giving it (GDPR art. 7(3)); it holds from its commit on (P3)."""

from __future__ import annotations

from collections.abc import Sequence

from broker.consents.change import ONLINE, change, close_at_desk
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

    Raises as `close_at_desk` does, and `Conflict` when nothing is left to take back.
    """
    write = ports.consents.withdraw
    return await close_at_desk(ConsentWithdrawn, write, consent_id, lines, citizen, caller, ports)
