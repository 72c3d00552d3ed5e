"""`/dpo/erasures`: who is to be erased, and the second person's yes. The number is named again, in the form."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from broker.domain.errors import BadAsk, Conflict, NotFound
from broker.domain.identity import OfficerLogin
from broker.oversight.erasure import Desk, approve, waiting
from broker.ports import Erasures
from broker.web.dpo.room import Room
from broker.web.pages.forms import sent
from broker.web.pages.words import marked
from broker.web.wire import cpr_of

PLACE = "/dpo/erasures"
NO_CPR = (("citizen", marked("Write the citizen's CPR number with ten digits.")),)
ANOTHER = (("citizen", marked("This erasure is about somebody else, or it is no longer there.")),)
REFUSED = {
    "same_person": (("citizen", marked("You asked for this yourself. Somebody else must approve it.")),),
    "expired": (("citizen", marked("Its time has run out. It must be asked for again.")),),
    "already_approved": (("citizen", marked("It is approved already.")),),
}


def build(room: Room, erasures: Erasures) -> APIRouter:
    """Build the page and its form."""
    routes = APIRouter(include_in_schema=False)
    ports = room.ports
    desk = Desk(ports.clock, ports.handles, ports.cases, ports.log, ports.directory, erasures)

    @routes.get(PLACE)
    async def get_erasures(request: Request) -> Response:
        return await _page(request, await room.enter(request))

    @routes.post(PLACE + "/{erasure}")
    async def post_approval(request: Request, erasure: str) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        try:
            citizen = cpr_of(form.one("citizen"), pointer="/citizen", test_numbers=room.test_numbers)
        except BadAsk:
            return await _page(request, officer, NO_CPR)
        try:
            await approve(erasure, citizen, form.one("municipality"), officer, desk)
        except NotFound:
            return await _page(request, officer, ANOTHER)
        except Conflict as conflict:
            return await _page(request, officer, REFUSED.get(conflict.what, ANOTHER))
        return RedirectResponse(PLACE, 303)

    async def _page(request: Request, officer: OfficerLogin, faults: tuple[tuple[str, str], ...] = ()) -> Response:
        rows = await waiting(officer, desk)
        status = 400 if faults else 200
        return await room.show(request, "erasures.html", officer, status, waiting=rows, faults=faults)

    return routes
