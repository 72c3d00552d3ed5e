"""What stands under every number of who is logged in: what they are asked, their consents, their noes (ADR 60).

Consents are told under the handle of the number they have now; a request stays as it is kept, beside the handle that it
is put to them under, because its text is read and answered as exactly that. Each change is written under the handle
that it belongs to.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from broker.domain.consents import Consent, ConsentRequest, RequestLine
from broker.domain.errors import NotFound
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
class OwnRequest:
    """A request as one of somebody's handles may see it, and that handle: `me` answers it, and no other of theirs."""

    request: ConsentRequest
    me: str

    @property
    def mine(self) -> tuple[RequestLine, ...]:
        """The lines that are this handle's to answer."""
        return self.request.lines_of(self.me)

    @property
    def answered(self) -> bool:
        """Tell whether they have answered under this handle."""
        return bool(self.mine) and self.request.answered_by(self.me)


async def own_requests(
    handles: Sequence[str], consents: Consents, *, within: Collection[str] | None = None
) -> tuple[OwnRequest, ...]:
    """List what concerns somebody, or is theirs to answer, under each of their handles, newest first; each once."""
    seen: dict[str, list[OwnRequest]] = {}
    for me in handles:
        for row in await consents.requests_of(me, within=within):
            seen.setdefault(row.id, []).append(OwnRequest(row, me))
    return tuple(sorted(map(foremost, seen.values()), key=lambda own: own.request.asked_at, reverse=True))


async def own_parts(request_id: str, handles: Sequence[str], consents: Consents) -> tuple[OwnRequest, ...]:
    """Read one request as each of somebody's handles that may see it; raise `NotFound` where none may."""
    found = list[OwnRequest]()
    for me in handles:
        try:
            found.append(OwnRequest(await consents.request_by_id(request_id, citizen=me), me))
        except NotFound:
            continue
    if not found:
        raise NotFound
    return tuple(found)


def foremost(parts: Sequence[OwnRequest]) -> OwnRequest:
    """Choose, of one request, the part to show: what waits for an answer, else what was answered, else the first.

    Somebody is put one question under two numbers only where the register names them by both, of two of their children.
    """
    return min(parts, key=lambda part: (part.answered or not part.mine, not part.mine))


@dataclass(frozen=True, slots=True)
class Asked:
    """That somebody was asked the same before: when, and what they themselves answered (`none` where they did not)."""

    at: datetime
    answer: str


def asked_before(
    request: ConsentRequest, asked: Sequence[ConsentRequest], me: str, also: Collection[str] = ()
) -> tuple[Asked, ...]:
    """List how often the same unit asked somebody for the same purpose before, newest first, whatever the case.

    `also` are the handles they have besides: being asked under another number is being asked.
    """
    mine = {me, *also}
    same = (request.municipality, request.unit, request.purpose)
    citizens = mine if request.citizen in mine else {request.citizen}
    return tuple(
        Asked(row.asked_at, next((answer.state for answer in row.answers if answer.giver in mine), NOT_ANSWERED))
        for row in asked
        if (row.municipality, row.unit, row.purpose) == same
        and row.citizen in citizens
        and row.id != request.id
        and row.asked_at <= request.asked_at
        and row.givers & mine
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
