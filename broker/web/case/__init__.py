"""The caseworker's pages at `/case`: one look-up about one citizen for one case, and asking the citizen for a yes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from broker.domain.identity import Caller
from broker.ports import Ports
from broker.web.case import consent_request, look_up
from broker.web.case.room import Room
from broker.web.consent_wire import moment
from broker.web.login import CASEWORKER, Logins
from broker.web.pages.show import Pages

Repeats = Callable[[Caller, str | None], Awaitable[bool]]


def build(ports: Ports, logins: Logins, pages: Pages, repeats: Repeats, *, test_numbers: bool) -> APIRouter:
    """Build the caseworker's pages. `repeats` tells whether a form was sent before (a reload)."""
    room = Room(ports, logins, pages, repeats, test_numbers)
    routes = APIRouter(include_in_schema=False)
    for part in (look_up, consent_request):
        routes.include_router(part.build(room))

    @routes.get("/case/session")
    async def get_session(request: Request) -> Response:
        """Stay logged in, and say until when; no token stands here."""
        mine = await logins.session(request, CASEWORKER)
        return JSONResponse({"idle_at": moment(mine.idle_at), "ends_at": moment(mine.ends_at)})

    return routes
