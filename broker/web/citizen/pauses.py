"""`/mine/consents/…/pause` and `…/resume`: let a yes rest, or hold again; each is one page and one button."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.consents.pause import pause, resume
from broker.domain.consents import GRANTED, PAUSED
from broker.web.citizen.room import Room, my_consent
from broker.web.pages.forms import sent


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
        return room.to_receipt(await resume(consent_id, lines or None, me.login, room.ports))

    return routes


async def _page(request: Request, room: Room, consent_id: str, line: str | None, way: str, state: str) -> Response:
    """Show what would change. Raises `NotFound`, or `Conflict` where nothing would."""
    me = await room.enter(request)
    consent = await my_consent(room, me, consent_id)
    lines = consent.to_become(state, None if line is None else [line], me.handle, me.today)
    return room.show(request, "pause.html", me, consent=consent, lines=lines, line=line, way=way)
