"""Step 2: write the ask down, durably, before anything about the citizen is read anywhere (P2)."""

from __future__ import annotations

from datetime import datetime

from broker.domain.asks import SHARE, Ask
from broker.domain.events import AskMade
from broker.domain.identity import Caller
from broker.domain.receipts import Recorded
from broker.ports import AuditLog, Handles


async def record(
    ask: Ask, caller: Caller, at: datetime, handles: Handles, log: AuditLog, *, aim: str = SHARE
) -> Recorded:
    """Put the ask on the requester's log and give a recorded ask; raise `LogUnavailable` or `StoreUnavailable`.

    Handles are made by the same statements whether the number is known or not, so making one reads nothing.
    """
    citizen, actor, case = await handles.of_ask(ask.citizen, caller.caseworker, caller.unit, ask.case)
    event = AskMade(
        municipality=caller.municipality,
        subject=citizen,
        actor=actor,
        at=at,
        ask=ask.id,
        requester=caller.municipality,
        unit=caller.unit,
        system=caller.system.client_id,
        roles=tuple(sorted(role.name for role in caller.caseworker.roles)),
        nsis=caller.caseworker.nsis,
        purpose=ask.purpose,
        case=case,
        categories=_sorted(ask.categories),
        sources=_sorted(ask.sources),
        repeat=ask.repeat,
        aim=aim,
        break_glass=ask.emergency or "",
    )
    (receipt,) = await log.append([event])
    return Recorded(ask, caller, citizen, actor, case, at, receipt, aim)


def _sorted(names: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))
