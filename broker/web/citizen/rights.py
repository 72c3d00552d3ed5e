"""`/mine/rights`: what one may ask for, all that is held about one as a file, and who got what since when."""

from __future__ import annotations

from itertools import groupby

from fastapi import APIRouter, Request, Response

from broker.transparency.recipients import my_recipients
from broker.web.citizen.room import Room

PLACE = "/mine/rights"


def build(room: Room) -> APIRouter:
    """Build both pages; the file is that of `/v1/me/export`."""
    routes = APIRouter()

    @routes.get(PLACE)
    async def get_rights(request: Request) -> Response:
        return room.show(request, "rights.html", await room.enter(request))

    @routes.get(PLACE + "/recipients")
    async def get_recipients(request: Request) -> Response:
        me = await room.enter(request)
        found = await my_recipients(me.login, room.ports, room.reader)
        units = [(unit, list(rows)) for unit, rows in groupby(found, key=lambda row: row.unit)]
        return room.show(request, "recipients.html", me, units=units)

    return routes
