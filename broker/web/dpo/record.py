"""`/dpo/record`: the record of processing activities, made of the registry and the law tables as they stand."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.domain.days import danish_day
from broker.oversight.record import ITSELF, records_for
from broker.web.dpo.record_words import ITSELF_WORDS, KEPT_WORDS, MEASURES
from broker.web.dpo.room import Room

PLACE = "/dpo/record"


def build(room: Room) -> APIRouter:
    """Build the page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_record(request: Request) -> Response:
        officer = await room.enter(request)
        directory, today = room.ports.directory, danish_day(room.ports.clock.now())
        found = records_for(officer, directory, today)
        yes = {row.id for row in directory.consent_laws}
        return await room.show(
            request,
            "record.html",
            officer,
            records=found,
            kept=KEPT_WORDS,
            measures=MEASURES,
            yes=yes,
            itself={what: ITSELF_WORDS[how] for what, how in ITSELF.items()},
        )

    return routes
