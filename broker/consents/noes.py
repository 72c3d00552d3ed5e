"""What a unit was told no to: for how long it neither asks the same again nor records a yes to itself.

It rests on the unit's own requests alone, and on what it was told of them: no other unit's no shows (P6).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from broker.consents.lines import Prepared
from broker.domain.consents import ConsentRequest
from broker.domain.days import day_number, day_of
from broker.ports import Ports

# After a no the same is not asked again for so long, unless for a reason in words not used before.
DAYS_OF_A_NO = 30


async def asked_earlier(purpose: str, prepared: Prepared, ports: Ports) -> tuple[ConsentRequest, ...]:
    """List what the caller's unit asked of the citizen for a purpose, in any case, under each of their numbers."""
    caller = prepared.recorded.caller
    return await ports.consents.earlier_requests(caller.municipality, caller.unit, purpose, handles_of(prepared))


def handles_of(prepared: Prepared) -> set[str]:
    """Name the citizen under each of their numbers."""
    recorded, facts = prepared.recorded, prepared.facts
    return {recorded.citizen, *(old for old, new in facts.aliases if new in {recorded.citizen, facts.citizen})}


def no_until(earlier: Iterable[ConsentRequest], today: int) -> int | None:
    """Give the last day on which the unit's newest no still stands; None where none does."""
    noes = [day for asked in earlier if (day := asked.no_since(today)) is not None]
    until = day_number(day_of(max(noes)) + timedelta(days=DAYS_OF_A_NO)) if noes else 0
    return until if today <= until else None
