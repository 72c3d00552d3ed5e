"""What stands under every number of who is logged in: their consents and standing noes, told as theirs (ADR 60).

Shown under the handle of the number they have now; each change is written under the handle that it belongs to.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from broker.domain.consents import Consent, ConsentRequest
from broker.domain.facts import Block
from broker.ports import Consents

NOT_ANSWERED = "none"


async def own_consents(
    handles: Sequence[str], consents: Consents, at: datetime, *, within: Collection[str] | None = None
) -> tuple[Consent, ...]:
    """List the consents about or by somebody under each of their handles, told under the first; newest first.

    Of their uses, those that they may know of at a moment.
    """
    found = {
        consent.id: consent
        for handle in reversed(handles)
        for consent in await consents.of_citizen(handle, within=within)
    }
    told = [_told(consent, handles).as_shown(at) for consent in found.values()]
    return tuple(sorted(told, key=lambda consent: (consent.given_at, consent.id), reverse=True))


@dataclass(frozen=True, slots=True)
class Asked:
    """That somebody was asked the same before: when, and what they themselves answered (`none` where they did not)."""

    at: datetime
    answer: str


def asked_before(request: ConsentRequest, asked: Sequence[ConsentRequest], me: str) -> tuple[Asked, ...]:
    """List how often the same unit asked somebody for the same purpose before, newest first, whatever the case."""
    same = (request.municipality, request.unit, request.purpose, request.citizen)
    return tuple(
        Asked(row.asked_at, next((answer.state for answer in row.answers if answer.giver == me), NOT_ANSWERED))
        for row in asked
        if (row.municipality, row.unit, row.purpose, row.citizen) == same
        and row.id != request.id
        and row.asked_at <= request.asked_at
        and row.lines_of(me)
    )


async def own_blocks(handles: Sequence[str], consents: Consents) -> tuple[Block, ...]:
    """List somebody's standing noes in force under each of their handles, each with the handle it stands under."""
    return tuple([block for handle in handles for block in await consents.blocks_of(handle)])


async def giver_of(consent: str, handles: Sequence[str], consents: Consents) -> str:
    """Find under which handle somebody gave a consent; the first where they gave none."""
    for handle in handles:
        if any(one.id == consent and one.giver == handle for one in await consents.of_citizen(handle)):
            return handle
    return handles[0]


def _told(consent: Consent, handles: Sequence[str]) -> Consent:
    def now(handle: str) -> str:
        return handles[0] if handle in handles else handle

    lines = tuple(replace(ln, subject=now(ln.subject), giver=now(ln.giver)) for ln in consent.lines)
    return replace(consent, citizen=now(consent.citizen), giver=now(consent.giver), lines=lines)
