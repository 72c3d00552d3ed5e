"""`/desk`: find a citizen by number, and see what they have said yes and no to."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.domain.errors import BadAsk
from broker.domain.identity import Caller
from broker.web.desk.room import NO_CPR, NOT_CHECKED, Faults, Room, is_checked
from broker.web.pages.forms import sent


def build(room: Room) -> APIRouter:
    """Build the form and the overview it leads to."""
    routes = APIRouter()

    @routes.get("/desk")
    async def get_form(request: Request) -> Response:
        return await _form(request, room, await room.enter(request))

    @routes.post("/desk")
    async def post_citizen(request: Request) -> Response:
        caller = await room.enter(request)
        form = await sent(request)
        checked: Faults = () if is_checked(form) else (("identity_checked", NOT_CHECKED),)
        try:
            citizen = room.citizen_of(form)
        except BadAsk:
            return await _form(request, room, caller, (("citizen", NO_CPR), *checked))
        if checked:
            return await _form(request, room, caller, checked)
        return await room.overview(request, caller, citizen)

    @routes.post("/desk/shared")
    async def post_shared(request: Request) -> Response:
        caller = await room.enter(request)
        form = await sent(request)
        citizen = room.citizen_of(form)
        if not is_checked(form):
            return await _form(request, room, caller, (("identity_checked", NOT_CHECKED),))
        return await room.overview(request, caller, citizen, template="shared.html")

    return routes


async def _form(request: Request, room: Room, caller: Caller, faults: Faults = ()) -> Response:
    """Show the form; after a fault it is empty again: a number is never shown back."""
    return await room.show(request, "find.html", caller, 400 if faults else 200, faults=faults)
