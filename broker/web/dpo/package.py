"""`/dpo/package`: the file of what is held about a citizen, made by the DPO to be handed over."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request, Response

from broker.domain.errors import BadAsk
from broker.oversight.package import record_package
from broker.transparency.inquiries import Desk
from broker.web.doors import Ceilings
from broker.web.dpo.room import Room
from broker.web.export_wire import package_body
from broker.web.pages.forms import sent
from broker.web.pages.words import marked
from broker.web.wire import cpr_of

PLACE = "/dpo/package"
NO_CPR = (("citizen", marked("Write the citizen's CPR number with ten digits.")),)
AS_A_FILE = {"Content-Disposition": 'attachment; filename="indsigt.json"', "Cache-Control": "no-store"}


def build(room: Room, desk: Desk, ceilings: Ceilings) -> APIRouter:
    """Build the page with its form, and the file."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_package(request: Request) -> Response:
        return await room.show(request, "package.html", await room.enter(request), faults=())

    @routes.post(PLACE)
    async def post_package(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        try:
            citizen = cpr_of(form.one("citizen"), pointer="/citizen", test_numbers=room.test_numbers)
        except BadAsk:
            return await room.show(request, "package.html", officer, 400, faults=NO_CPR)
        package = await record_package(citizen, officer, room.ports, ceilings.count_package)
        body = orjson.dumps(await package_body(package, desk))
        return Response(body, media_type="application/json", headers=AS_A_FILE)

    return routes
