"""`/mine` and stopping: what waits for an answer, what is shared now, each line with its stop; who looked last."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from broker.consents.own import own_consents
from broker.consents.withdraw import withdraw
from broker.domain.consents import WITHDRAWN, Consent
from broker.domain.facts import ConsentLine
from broker.transparency.history import MyEntry, my_entries
from broker.web.citizen.room import Me, Room, live, my_consent, waits_for_me, went_unanswered
from broker.web.consent_wire import line_state
from broker.web.pages.forms import sent

LOOKED_BACK = 200
LOOKED, SHOWN = 3, 5


def build(room: Room) -> APIRouter:
    """Build the overview, and the page that stops one line or a whole consent."""
    routes = APIRouter()

    @routes.get("/mine")
    async def get_mine(request: Request) -> Response:
        me = await room.enter(request)
        return room.show(request, "mine.html", me, **await _start(room, me))

    @routes.get("/mine/consents/{consent_id}/stop")
    async def get_stop(request: Request, consent_id: str, line: str | None = None) -> Response:
        me = await room.enter(request)
        consent = await my_consent(room, me, consent_id)
        lines = _to_stop(consent, me, line)
        stopping = {(row.source, row.category) for row in lines}
        seen = [
            entry for entry in await _seen(room, me) if entry.unit == consent.unit and stopping & set(entry.released)
        ]
        return room.show(request, "stop.html", me, consent=consent, lines=lines, line=line, seen=seen)

    @routes.post("/mine/consents/{consent_id}/stop")
    async def post_stop(request: Request, consent_id: str) -> Response:
        me = await room.enter(request)
        lines = (await sent(request)).every("line")
        return room.to_receipt(await withdraw(consent_id, lines or None, me.login, room.ports))

    return routes


async def _start(room: Room, me: Me) -> dict[str, Any]:
    """Gather what waits, what is shared, what rests, what is over, and who looked last."""
    asked = await room.ports.consents.requests_of(me.handle)
    given = await own_consents(me.handles, room.ports.consents)
    over = [row for row in given if not live(row, me)]
    looked = [entry for entry in await _latest(room, me) if entry.kind == "outcome"]
    return {
        "waiting": [row for row in asked if waits_for_me(row, me)],
        "refused": [row for row in asked if row.answered_by(me.handle) and row.state(me.today) == "refused"],
        "unanswered": [row for row in asked if went_unanswered(row, me)],
        "sharing": sorted((row for row in given if live(row, me)), key=lambda row: (row.unit, row.purpose)),
        "paused": [row for row in given if any(_state(line, me) == "paused" for line in row.lines)],
        "ended": [row for row in over if any(_state(line, me) != "paused" for line in row.lines)],
        "looked": looked[:LOOKED],
        "seen": [entry for entry in looked if entry.released][:SHOWN],
        "state_of": lambda line: _state(line, me),
    }


def _to_stop(consent: Consent, me: Me, line: str | None) -> tuple[ConsentLine, ...]:
    """Give the lines that a stop would take back. Raises `NotFound`, or `Conflict` where nothing is left."""
    return consent.to_become(WITHDRAWN, None if line is None else [line], me.handle, me.today)


async def _seen(room: Room, me: Me) -> list[MyEntry]:
    """List the latest look-ups in which somebody was shown something, newest first."""
    return [entry for entry in await _latest(room, me) if entry.kind == "outcome" and entry.released]


async def _latest(room: Room, me: Me) -> tuple[MyEntry, ...]:
    return (await my_entries(me.login, room.ports, room.reader, limit=LOOKED_BACK)).entries


def _state(line: ConsentLine, me: Me) -> str:
    return line_state(line.state, line.from_day, line.to_day, me.today)
