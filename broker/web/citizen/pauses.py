"""`/mine/consents/…/pause` and `…/resume`: let a yes rest, or hold again; each is one page and one button.

To let it hold again opens it, as a yes does, and takes a fresh log-in; a pause takes none.
"""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broker.consents.pause import pause, resume
from broker.domain.consents import GRANTED, PAUSED
from broker.web.citizen.room import Room, my_consent
from broker.web.login import CITIZEN
from broker.web.pages.forms import sent
from broker.web.pages.show import go_to


def build(room: Room) -> APIRouter:
    """Build both pages and what their buttons do."""
    routes = APIRouter()

    @routes.get("/mine/consents/{consent_id}/pause")
    async def get_pause(request: Request, consent_id: str, line: str | None = None) -> Response:
        return await _page(request, room, consent_id, line, "pause", PAUSED)

    @routes.post("/mine/consents/{consent_id}/pause")
    async def post_pause(request: Request, consent_id: str) -> Response:
        me = await room.enter(request)
        lines = (await sent(request)).every("line")
        return room.to_receipt(await pause(consent_id, lines or None, me.login, room.ports))

    @routes.get("/mine/consents/{consent_id}/resume")
    async def get_resume(request: Request, consent_id: str, line: str | None = None) -> Response:
        return await _page(request, room, consent_id, line, "resume", GRANTED)

    @routes.post("/mine/consents/{consent_id}/resume")
    async def post_resume(request: Request, consent_id: str) -> Response:
        me = await room.enter(request)
        lines = (await sent(request)).every("line")
        if not await room.logins.may_sign(request):
            consent = await my_consent(room, me, consent_id)
            return go_to(_again(consent.id, next(iter(lines), None)))
        return room.to_receipt(await resume(consent_id, lines or None, me.login, room.ports))

    return routes


async def _page(request: Request, room: Room, consent_id: str, line: str | None, way: str, state: str) -> Response:
    """Show what would change. Raises `NotFound`, or `Conflict` where nothing would."""
    me = await room.enter(request)
    consent = await my_consent(room, me, consent_id)
    lines = consent.to_become(state, None if line is None else [line], me.handle, me.today)
    back = _again(consent.id, line, anew="1")
    return room.show(
        request, "pause.html", me,
        consent=consent, lines=lines, line=line, way=way, anew="anew" in request.query_params,
        may_sign=await room.logins.may_sign(request),
        log_in=f"/login/{CITIZEN}?{urlencode({'anew': '1', 'next': back})}",
    )  # fmt: skip


def _again(consent_id: str, line: str | None, **more: str) -> str:
    """Give the page on which what rests is read once more, and from which an old log-in is made anew."""
    query = urlencode(({"line": line} if line is not None else {}) | more)
    return f"/mine/consents/{consent_id}/resume" + (f"?{query}" if query else "")
