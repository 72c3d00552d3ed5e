"""`/mine/requests/…`: read what is asked, then say yes to all, yes to some, or no; no answer is chosen beforehand.

What is kept as read is exactly what was shown: a form carries the digest of its text, and another text is not taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from broker.consents.answer import Yes, chosen, grant, refuse
from broker.consents.own import NOT_ANSWERED, asked_before
from broker.consents.texts import consent_text, text_digest
from broker.domain.consents import ConsentRequest, RequestLine
from broker.domain.errors import BadAsk, Conflict
from broker.web.citizen.room import Me, Room, waits_for_me
from broker.web.pages.forms import sent
from broker.web.pages.language import language_of
from broker.web.pages.words import marked

NOTHING_CHOSEN = (("line-0", marked("Choose at least one line, or say no.")),)


# What somebody answered themselves when they were asked before.
ANSWERED = {
    "granted": marked("you said yes"),
    "partly_granted": marked("you said yes to some"),
    "refused": marked("you said no"),
    NOT_ANSWERED: marked("you did not answer"),
}


def build(room: Room) -> APIRouter:
    """Build the pages of one request."""
    routes = APIRouter()

    @routes.get("/mine/requests/{request_id}")
    async def get_request(request: Request, request_id: str) -> Response:
        me = await room.enter(request)
        asked = await room.ports.consents.request_by_id(request_id, citizen=me.handle)
        return await _asked_page(request, room, me, asked)

    @routes.get("/mine/requests/{request_id}/some")
    async def get_some(request: Request, request_id: str) -> Response:
        me = await room.enter(request)
        asked = await room.ports.consents.request_by_id(request_id, citizen=me.handle)
        picked = _numbers(request.query_params.getlist("line"))
        if not picked:
            return await _asked_page(request, room, me, asked, faults=NOTHING_CHOSEN, status=400)
        lines = chosen(asked.lines_of(me.handle), picked)
        text = _text(request, room, me, asked, lines)
        return room.show(request, "some.html", me, asked=asked, picked=picked, text=text, digest=text_digest(text))

    @routes.post("/mine/requests/{request_id}/yes")
    async def post_yes(request: Request, request_id: str) -> Response:
        me = await room.enter(request)
        form = await sent(request)
        asked = await room.ports.consents.request_by_id(request_id, citizen=me.handle)
        picked = _numbers(form.every("line")) or None
        shown = _text(request, room, me, asked, chosen(asked.lines_of(me.handle), picked))
        if form.one("digest") != text_digest(shown):
            raise Conflict("text_changed")
        _, receipt = await grant(request_id, Yes(picked, None, language_of(request)), me.login, room.ports)
        return room.to_receipt(receipt)

    @routes.post("/mine/requests/{request_id}/no")
    async def post_no(request: Request, request_id: str) -> Response:
        me = await room.enter(request)
        return room.to_receipt(await refuse(request_id, me.login, room.ports))

    return routes


async def _asked_page(
    request: Request, room: Room, me: Me, asked: ConsentRequest, *,
    faults: Sequence[tuple[str, str]] = (), status: int = 200,
) -> Response:  # fmt: skip
    mine = asked.lines_of(me.handle)
    text = _text(request, room, me, asked, mine) if mine else ""
    return room.show(
        request,
        "request.html",
        me,
        status,
        asked=asked,
        mine=mine,
        open=waits_for_me(asked, me),
        text=text,
        digest=text_digest(text),
        # The caseworker's own words are to the citizen, not to a child's other parent or the child.
        why=asked.why.disclose() if asked.why and asked.citizen == me.handle else None,
        again=asked.again.disclose() if asked.again and asked.citizen == me.handle else None,
        before=asked_before(asked, await room.ports.consents.requests_of(me.handle), me.handle),
        words=ANSWERED,
        faults=faults,
    )


def _text(request: Request, room: Room, me: Me, asked: ConsentRequest, lines: Sequence[RequestLine]) -> str:
    days = (max(asked.from_day, me.today), asked.to_day)
    return consent_text(asked.unit, asked.purpose, lines, days, language_of(request), room.ports.directory)


def _numbers(texts: Sequence[str]) -> tuple[int, ...]:
    """Read line numbers; raise `BadAsk` for anything else."""
    if not all(text.isascii() and text.isdigit() and len(text) <= 3 for text in texts):
        raise BadAsk("/lines", "no_such_line")
    return tuple(int(text) for text in texts)
