"""`/mine/whole`: is anything missing? A check in the browser, and a file to check anywhere else.

The browser gets the logs' keys and the policy of their witnesses (C2SP tlog-policy) with the page.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.web.citizen.room import Room


def build(room: Room) -> APIRouter:
    """Build the page. It works without script: then the file is downloaded and checked by the command that it tells."""
    routes = APIRouter()

    @routes.get("/mine/whole")
    async def get_whole(request: Request) -> Response:
        me = await room.enter(request)
        return room.show(
            request, "whole.html", me, keys=room.reader.keys(), policy=room.witnesses, log_name=room.log_name
        )

    return routes
