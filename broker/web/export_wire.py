"""All that the broker holds about somebody (GDPR art. 15), as values and as one body, each part as its own face has it.

Not in it: what an on-call caseworker wrote in an emergency, and what the law keeps back for a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broker.consents.own import OwnRequest, own_blocks, own_consents, own_requests
from broker.domain.consents import Consent
from broker.domain.days import danish_day
from broker.domain.directory import Directory
from broker.domain.facts import Block
from broker.domain.identity import CitizenLogin
from broker.domain.inquiries import Told
from broker.domain.recipients import Recipient
from broker.exchange.numbers import own_numbers
from broker.oversight.package import Package
from broker.transparency.history import MyEntry, whole_list
from broker.transparency.inquiries import Desk
from broker.transparency.recipients import OUTCOMES, recipients_in
from broker.web.access_wire import my_entry_body
from broker.web.consent_wire import consent_body, moment, my_request_body
from broker.web.inquiry_wire import my_inquiry_body

FORMAT = "borgerbro-export@v1"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whom it is about, by each handle they have had, that of now first; of which moment; of which municipalities.

    `homes` of None means all. `whole` is False where the register did not answer: what stands under a number they had
    before is then not in it.
    """

    handles: tuple[str, ...]
    at: datetime
    homes: frozenset[str] | None = None
    whole: bool = True

    def has(self, municipality: str) -> bool:
        """Tell whether a municipality is one of them."""
        return self.homes is None or municipality in self.homes

    def may_know(self, block: Block, directory: Directory) -> bool:
        """Tell whether a standing no concerns one of the municipalities, or everybody."""
        unit, source = directory.units.get(block.unit or ""), directory.sources.get(block.source or "")
        named = [row.municipality for row in (unit, source) if row is not None]
        lost = (block.unit is not None and unit is None) or (block.source is not None and source is None)
        return self.homes is None or (not lost and all(self.has(home) for home in named))

    @property
    def today(self) -> int:
        """The Danish day it is of."""
        return danish_day(self.at)


@dataclass(frozen=True, slots=True)
class Held:
    """All that is held, each part newest first: the file and the paper are both made of it, so neither says more."""

    whose: Whose
    consents: tuple[Consent, ...]
    requests: tuple[OwnRequest, ...]
    blocks: tuple[Block, ...]
    entries: tuple[MyEntry, ...]
    recipients: tuple[Recipient, ...]
    inquiries: tuple[Told, ...]


async def package_held(package: Package, desk: Desk) -> Held:
    """Gather what some municipalities answer for, for their DPO to hand over; whoever calls has it on the log.

    Raises `StoreUnavailable`.
    """
    return await _held(Whose(package.handles, desk.ports.clock.now(), package.municipalities), desk)


async def package_body(package: Package, desk: Desk) -> dict[str, Any]:
    """Gather it as the body of a file. Raises as `package_held`."""
    return held_body(await package_held(package, desk), desk.ports.directory)


async def export_body(login: CitizenLogin, desk: Desk) -> dict[str, Any]:
    """Gather it all, for the citizen themself. Raises `StoreUnavailable`."""
    own = await own_numbers(login.cpr, desk.ports.handles, desk.ports.people)
    whose = Whose(own.handles, desk.ports.clock.now(), whole=own.whole)
    return held_body(await _held(whose, desk), desk.ports.directory)


async def _held(whose: Whose, desk: Desk) -> Held:
    """Gather what stands under every number somebody has had."""
    me, consents = whose.handles, desk.ports.consents
    entries = await _entries(whose, desk)
    mine = [one for handle in me for one in await desk.inquiries.of_citizen(handle, within=whose.homes)]
    blocks = await own_blocks(me, consents)
    return Held(
        whose,
        consents=await own_consents(me, consents, whose.at, within=whose.homes),
        requests=await own_requests(me, consents, within=whose.homes),
        blocks=tuple(block for block in blocks if whose.may_know(block, desk.ports.directory)),
        entries=entries,
        recipients=recipients_in(entry for entry in entries if entry.kind == OUTCOMES.kind),
        inquiries=tuple(sorted(mine, key=lambda one: one.inquiry.sent_at, reverse=True)),
    )


async def _entries(whose: Whose, desk: Desk) -> tuple[MyEntry, ...]:
    """List the entries; what the law keeps back from somebody under one number, it keeps back under each."""
    found = list[MyEntry]()
    for me in whose.handles:
        found += await whole_list(me, desk.reader, within=whose.homes, also=set(whose.handles) - {me})
    return tuple(sorted(found, key=lambda entry: entry.at, reverse=True))


def held_body(held: Held, directory: Directory) -> dict[str, Any]:
    """Lay it out as the file."""
    whose, me = held.whose, held.whose.handles
    return {
        "format": FORMAT,
        "made_at": moment(whose.at),
        "whole": whose.whole,
        "consents": [consent_body(one, me[0], whose.at, me) for one in held.consents],
        "requests": [my_request_body(own, held.requests, me, whose.today, directory) for own in held.requests],
        "blocks": [{"id": b.id, "source": b.source, "unit": b.unit, "category": b.category} for b in held.blocks],
        "entries": [my_entry_body(entry, directory) for entry in held.entries],
        "recipients": [recipient_body(one) for one in held.recipients],
        "inquiries": [my_inquiry_body(one, whose.today) for one in held.inquiries],
    }


def recipient_body(one: Recipient) -> dict[str, Any]:
    """Lay out one row of who got what."""
    return {
        "unit": one.unit,
        "source": one.source,
        "category": one.category,
        "first": moment(one.first),
        "last": moment(one.last),
        "times": one.times,
    }
