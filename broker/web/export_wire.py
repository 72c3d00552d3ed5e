"""All that the broker holds about who is logged in, as one body (GDPR art. 15), each part as its own face has it.

Not in it: what an on-call caseworker wrote in an emergency, and what the law keeps back for a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broker.consents.own import own_blocks, own_consents, own_requests
from broker.domain.days import danish_day
from broker.domain.directory import Directory
from broker.domain.facts import Block
from broker.domain.identity import CitizenLogin
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
class _Whose:
    handles: tuple[str, ...]
    at: datetime
    homes: frozenset[str] | None = None
    whole: bool = True

    def has(self, municipality: str) -> bool:
        return self.homes is None or municipality in self.homes

    def may_know(self, block: Block, directory: Directory) -> bool:
        """Tell whether a standing no concerns one of the municipalities, or everybody."""
        unit, source = directory.units.get(block.unit or ""), directory.sources.get(block.source or "")
        named = [row.municipality for row in (unit, source) if row is not None]
        lost = (block.unit is not None and unit is None) or (block.source is not None and source is None)
        return self.homes is None or (not lost and all(self.has(home) for home in named))

    @property
    def today(self) -> int:
        return danish_day(self.at)


async def package_body(package: Package, desk: Desk) -> dict[str, Any]:
    """Gather what some municipalities answer for, for their DPO to hand over; whoever calls has it on the log.

    Raises `StoreUnavailable`.
    """
    return await _body(_Whose(package.handles, desk.ports.clock.now(), package.municipalities), desk)


async def export_body(login: CitizenLogin, desk: Desk) -> dict[str, Any]:
    """Gather it all, for the citizen themself. Raises `StoreUnavailable`."""
    own = await own_numbers(login.cpr, desk.ports.handles, desk.ports.people)
    return await _body(_Whose(own.handles, desk.ports.clock.now(), whole=own.whole), desk)


async def _body(whose: _Whose, desk: Desk) -> dict[str, Any]:
    """Gather what stands under every number somebody has had, each part newest first."""
    entries = await _entries(whose, desk)
    handed_out = recipients_in(entry for entry in entries if entry.kind == OUTCOMES.kind)
    mine = [one for me in whose.handles for one in await desk.inquiries.of_citizen(me, within=whose.homes)]
    asked = sorted(mine, key=lambda one: one.inquiry.sent_at, reverse=True)
    return {
        "format": FORMAT,
        "made_at": moment(whose.at),
        # False where the register did not answer: what stands under a number they had before is then not in it.
        "whole": whose.whole,
        **await _answers(whose, desk),
        "entries": [my_entry_body(entry, desk.ports.directory) for entry in entries],
        "recipients": [recipient_body(one) for one in handed_out],
        "inquiries": [my_inquiry_body(one, whose.today) for one in asked],
    }


async def _entries(whose: _Whose, desk: Desk) -> list[MyEntry]:
    """List the entries; what the law keeps back from somebody under one number, it keeps back under each."""
    found = list[MyEntry]()
    for me in whose.handles:
        found += await whole_list(me, desk.reader, within=whose.homes, also=set(whose.handles) - {me})
    return sorted(found, key=lambda entry: entry.at, reverse=True)


async def _requests(whose: _Whose, desk: Desk) -> list[dict[str, Any]]:
    asked = await own_requests(whose.handles, desk.ports.consents, within=whose.homes)
    return [my_request_body(own, asked, whose.handles, whose.today, desk.ports.directory) for own in asked]


async def _answers(whose: _Whose, desk: Desk) -> dict[str, Any]:
    me, consents = whose.handles[0], desk.ports.consents
    own, given = desk.ports.directory, await own_consents(whose.handles, consents, whose.at, within=whose.homes)
    blocks = [b for b in await own_blocks(whose.handles, consents) if whose.may_know(b, own)]
    return {
        "consents": [consent_body(one, me, whose.at, whose.handles) for one in given],
        "requests": await _requests(whose, desk),
        "blocks": [{"id": b.id, "source": b.source, "unit": b.unit, "category": b.category} for b in blocks],
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
