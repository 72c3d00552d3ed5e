"""`/mine` and stopping: what waits for an answer, what is shared now, each line with its stop; who looked last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from broker.consents.own import own_consents, own_requests
from broker.consents.withdraw import withdraw
from broker.domain.consents import WITHDRAWN, Consent
from broker.domain.facts import ConsentLine
from broker.domain.renewals import days_left
from broker.domain.stops import Told
from broker.oversight.breach_letters import letters_of
from broker.transparency.history import MyEntry, my_entries
from broker.web.citizen.room import Me, Room, live, my_consent, waits_for_me, went_unanswered
from broker.web.consent_wire import line_state
from broker.web.pages.forms import sent

LOOKED_BACK = 200
LOOKED, SHOWN = 3, 5
SHARED = ("live", "not_yet")


def build(room: Room) -> APIRouter:
    """Build the overview, and the page that stops one line or a whole consent."""
    routes = APIRouter()

    @routes.get("/mine")
    async def get_mine(request: Request) -> Response:
        me = await room.enter(request)
        by_topic = request.query_params.get("by") == "topic"
        return room.show(request, "mine.html", me, by_topic=by_topic, **await _start(room, me))

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
    asked = await own_requests(me.handles, room.ports.consents)
    mine = [(own.request, me.under(own.me)) for own in asked]
    given = await own_consents(me.handles, room.ports.consents, room.ports.clock.now())
    over = [row for row in given if not live(row, me)]
    state_of, at = _states(given, me), room.ports.clock.now()
    looked = [entry for entry in await _latest(room, me) if entry.kind == "outcome"]
    sharing = sorted((row for row in given if live(row, me)), key=lambda row: (row.unit, row.purpose))
    return {
        "breached": await letters_of(me.handles, room.breaches),
        "waiting": [(row, len(row.lines_of(who.handle))) for row, who in mine if waits_for_me(row, who)],
        "refused": [row for row, who in mine if row.answered_by(who.handle) and row.state(me.today) == "refused"],
        "unanswered": [row for row, who in mine if went_unanswered(row, who)],
        "sharing": sharing,
        "topics": _by_topic(sharing, state_of),
        "paused": [row for row in given if any(state_of(line) == "paused" for line in row.lines)],
        "ended": [row for row in over if any(state_of(line) != "paused" for line in row.lines)],
        "looked": looked[:LOOKED],
        "seen": [entry for entry in looked if entry.released][:SHOWN],
        "last_seen": _last_seen(looked),
        "state_of": state_of,
        "told_of": _told_of(me, at),
        "days_left": lambda line: days_left(line.to_day, me.today),
    }


def _states(given: Iterable[Consent], me: Me) -> Callable[[ConsentLine], str]:
    spent = {line.id for row in given if row.spent for line in row.lines}
    return lambda line: line_state(line.state, line.from_day, line.to_day, me.today, spent=line.id in spent)


def _by_topic(
    sharing: Iterable[Consent], state_of: Callable[[ConsentLine], str]
) -> list[tuple[str, list[tuple[Consent, ConsentLine]]]]:
    """Put the lines that are shared by what they are about, in the order of the categories' codes."""
    topics: dict[str, list[tuple[Consent, ConsentLine]]] = {}
    for consent in sharing:
        for line in consent.lines:
            if state_of(line) in SHARED:
                topics.setdefault(line.category, []).append((consent, line))
    return sorted(topics.items())


def _told_of(me: Me, at: datetime) -> Callable[[Consent, ConsentLine], Told | None]:
    """Tell of a line about oneself how far its unit has heard; what was got about another is that one's to see."""
    return lambda consent, line: consent.told(line, at) if line.subject in me.handles else None


def _last_seen(looked: Iterable[MyEntry]) -> dict[tuple[str | None, str, str], datetime]:
    """Give when a unit last saw a kind of information from a source, of looks that come newest first."""
    seen: dict[tuple[str | None, str, str], datetime] = {}
    for entry in looked:
        for source, category in entry.released:
            seen.setdefault((entry.unit, source, category), entry.at)
    return seen


def _to_stop(consent: Consent, me: Me, line: str | None) -> tuple[ConsentLine, ...]:
    """Give the lines that a stop would take back. Raises `NotFound`, or `Conflict` where nothing is left."""
    return consent.to_become(WITHDRAWN, None if line is None else [line], me.handle, me.today)


async def _seen(room: Room, me: Me) -> list[MyEntry]:
    """List the latest look-ups in which somebody was shown something, newest first."""
    return [entry for entry in await _latest(room, me) if entry.kind == "outcome" and entry.released]


async def _latest(room: Room, me: Me) -> tuple[MyEntry, ...]:
    return (await my_entries(me.login, room.ports, room.reader, limit=LOOKED_BACK)).entries
