"""What every page of the citizen's stands on: who is logged in, this Danish day, and how pages are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.consents.own import own_consents
from broker.domain.consents import Consent, ConsentRequest
from broker.domain.days import danish_day
from broker.domain.errors import NotFound
from broker.domain.identity import CitizenLogin
from broker.domain.receipts import Receipt
from broker.exchange.numbers import own_numbers
from broker.ports import Breaches, Inquiries, LogReader, Ports
from broker.transparency.notice_choices import Desk as NoticeDesk
from broker.web.doors import Ceilings, Records
from broker.web.login import CITIZEN, Logins
from broker.web.pages.show import Pages, Visitor, go_to, visitor_of


@dataclass(frozen=True, slots=True)
class Me:
    """The citizen who is logged in: their log-in, their handle, today, and what the page says of the log-in.

    `handles` are theirs under every number they have had, that of now first (ADR 60); `whole` is False where the
    register did not answer, so that only the one of now is known.
    """

    login: CitizenLogin
    handle: str
    handles: tuple[str, ...]
    today: int
    visitor: Visitor
    whole: bool

    def under(self, handle: str) -> Me:
        """Give the same citizen as the one a request is put to under a number they have, or had."""
        return replace(self, handle=handle)


@dataclass(frozen=True, slots=True)
class Room:
    """The doors of the citizen's pages. `witnesses` is the logs' policy of witnesses; empty where they have none."""

    ports: Ports
    reader: LogReader
    logins: Logins
    pages: Pages
    log_name: str
    records: Records
    address: str
    ceilings: Ceilings
    inquiries: Inquiries
    notice_desk: NoticeDesk
    breaches: Breaches
    witnesses: str

    async def enter(self, request: Request) -> Me:
        """Let a citizen in. Raises `NotAuthenticated`, and `NotAllowed` for a form that is not from our own page."""
        login = await self.logins.require_citizen(request)
        own = await own_numbers(login.cpr, self.ports.handles, self.ports.people)
        visitor = await visitor_of(self.logins, request, CITIZEN)
        return Me(login, own.handles[0], own.handles, danish_day(self.ports.clock.now()), visitor, own.whole)

    def show(self, request: Request, template: str, me: Me, status: int = 200, **values: Any) -> Response:
        """Show one page to the citizen."""
        return self.pages.show(
            request, f"citizen/{template}", status, visitor=me.visitor, me=me, directory=self.ports.directory, **values
        )

    def to_receipt(self, receipt: Receipt) -> Response:
        """Send the browser on to the receipt of a change."""
        municipality, year = receipt.log.split("/")[-2:]
        return go_to(f"/mine/receipts/{municipality}/{year}/{receipt.index}")


async def my_consent(room: Room, me: Me, consent_id: str) -> Consent:
    """Find a consent that this citizen gave; raise `NotFound` for any other."""
    given = await own_consents(me.handles, room.ports.consents, room.ports.clock.now())
    found = next((row for row in given if row.id == consent_id and row.giver == me.handle), None)
    if found is None:
        raise NotFound
    return found


def waits_for_me(request: ConsentRequest, me: Me) -> bool:
    """Tell whether a request has lines that this citizen may still answer."""
    return bool(request.lines_of(me.handle)) and not request.answered_by(me.handle) and me.today <= request.answer_by


def went_unanswered(request: ConsentRequest, me: Me) -> bool:
    """Tell whether a request is over with lines that this citizen never answered."""
    mine = any(line.giver == me.handle for line in request.unanswered)
    return mine and not waits_for_me(request, me)


def live(consent: Consent, me: Me) -> bool:
    """Tell whether any line of a consent holds today or will later."""
    return not consent.spent and any(line.state == "granted" and me.today <= line.to_day for line in consent.lines)
