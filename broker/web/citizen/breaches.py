"""`/mine/breaches`: what one was told of breaches of security, in fixed sentences."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.domain.breach_letters import ASK, CHANGED, LOST, NOTHING, SEEN, SENT, WATCH
from broker.oversight.breach_letters import letters_of
from broker.web.citizen.room import Room
from broker.web.pages.words import marked

NATURE_WORDS = {
    SEEN: marked("Somebody saw information about you without needing it for their work."),
    SENT: marked("Information about you was given to somebody who should not have it."),
    LOST: marked("Information about you was lost, or could not be reached."),
    CHANGED: marked("Something about you was changed that should not be."),
}
MEANING_WORDS = {
    SEEN: marked("They may know something that you did not want them to know."),
    SENT: marked("They may know something that you did not want them to know."),
    LOST: marked("Your help may be delayed, or something may be asked of you again."),
    CHANGED: marked("Something wrong may have been used about you."),
}
ADVICE_WORDS = {
    NOTHING: marked("You need do nothing."),
    WATCH: marked("Take care if somebody you do not know writes or calls and knows things about you."),
    ASK: marked("Call the municipality, so that they can help you."),
}


def build(room: Room) -> APIRouter:
    """Build the page."""
    routes = APIRouter()

    @routes.get("/mine/breaches")
    async def get_breaches(request: Request) -> Response:
        me = await room.enter(request)
        letters = await letters_of(me.handles, room.breaches)
        return room.show(
            request, "breaches.html", me, letters=letters, natures=NATURE_WORDS, meanings=MEANING_WORDS,
            advice=ADVICE_WORDS,
        )  # fmt: skip

    return routes
