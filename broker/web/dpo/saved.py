"""`/dpo/searches`: keeping the search that is on the page by a name, and taking a kept one away."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.domain.errors import BadAsk, Conflict
from broker.oversight.saved import Desk, remove, save
from broker.web.dpo.log import log_page
from broker.web.dpo.room import Room
from broker.web.dpo.wish import Criteria, wish_of_codes
from broker.web.kept_wire import NAMES, name_of
from broker.web.pages.forms import read, sent
from broker.web.pages.show import go_to
from broker.web.pages.words import marked

NO_NAME = (("name", marked("Give it a short name, without a CPR number.")),)
TOO_MANY = (("name", marked("You have kept as many as you can. Take one away first.")),)


def build(room: Room, desk: Desk) -> APIRouter:
    """Build the two forms of the page of the log."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/dpo/searches")
    async def post_search(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        criteria, _ = read(Criteria, form.filled(*NAMES))
        if criteria is None:
            raise BadAsk("/criteria")
        written = wish_of_codes(criteria)
        try:
            await save(name_of(form.one("name")), written.kept, officer, desk)
        except BadAsk:
            return await log_page(request, room, officer, written, desk, faults=NO_NAME)
        except Conflict:
            return await log_page(request, room, officer, written, desk, faults=TOO_MANY)
        return go_to("/dpo#kept")

    @routes.post("/dpo/searches/{search}/remove")
    async def post_removal(request: Request, search: str) -> Response:
        officer = await room.enter(request)
        await sent(request)
        await remove(search, officer, desk)
        return go_to("/dpo#kept")

    return routes
