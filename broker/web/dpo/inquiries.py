"""`/dpo/inquiries`: what citizens ask about lines of the log, with the days that are left, and the answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from broker.domain.days import danish_day
from broker.domain.errors import BadAsk, Conflict, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.inquiries import CORRECTION, LONGEST_TEXT, OBJECTION, QUESTION, Told
from broker.oversight.inquiries import Desk, answer, concerned, inquiries, pass_on, read
from broker.ports import Inquiries
from broker.web.dpo.room import Room
from broker.web.inquiry_wire import cursor_of, place_from, words_from
from broker.web.pages.choices import KINDS
from broker.web.pages.forms import sent
from broker.web.pages.told import told
from broker.web.pages.words import marked

AIM_WORDS = {
    QUESTION: marked("they want to know something"),
    CORRECTION: marked("something is wrong and must be put right"),
    OBJECTION: marked("they do not want it to be used"),
}
PLACE = "/dpo/inquiries"
Cursor = Annotated[str | None, Query(max_length=80)]
NO_WORDS = (("text", marked("Write an answer. At most 2,000 signs.")),)
NOBODY_TOLD = (("told-1", marked("Tick at least one, of those on the list.")),)
HAS_ONE = (("text", marked("Somebody has answered it already.")),)


def build(room: Room, door: Inquiries) -> APIRouter:
    """Build the list and the page of one."""
    routes = APIRouter(include_in_schema=False)
    desk = Desk(room.ports.clock, room.ports.handles, door)

    @routes.get(PLACE)
    async def get_inquiries(request: Request, cursor: Cursor = None) -> Response:
        officer = await room.enter(request)
        return await _list(request, room, officer, cursor, desk)

    @routes.get(PLACE + "/{inquiry}")
    async def get_inquiry(request: Request, inquiry: str) -> Response:
        officer = await room.enter(request)
        return await _page(request, room, officer, await read(inquiry, officer, desk), desk)

    @routes.post(PLACE + "/{inquiry}")
    async def post_answer(request: Request, inquiry: str) -> Response:
        officer = await room.enter(request)
        text = (await sent(request)).one("text")
        try:
            await answer(inquiry, words_from(text), officer, desk)
        except BadAsk:
            found = await read(inquiry, officer, desk)
            return await _page(request, room, officer, found, desk, text, NO_WORDS)
        except Conflict:
            return await _page(request, room, officer, await read(inquiry, officer, desk), desk, faults=HAS_ONE)
        return RedirectResponse(PLACE, 303)

    @routes.post(PLACE + "/{inquiry}/passed-on")
    async def post_passed_on(request: Request, inquiry: str) -> Response:
        officer = await room.enter(request)
        told = tuple((await sent(request)).every("told"))
        try:
            await pass_on(inquiry, told, officer, desk, room.reader)
        except BadAsk:
            found = await read(inquiry, officer, desk)
            return await _page(request, room, officer, found, desk, faults=NOBODY_TOLD)
        except Conflict:
            pass  # It stands there already, with those who were told then.
        return RedirectResponse(PLACE, 303)

    return routes


async def _list(request: Request, room: Room, officer: OfficerLogin, cursor: str | None, desk: Desk) -> Response:
    page, following = await inquiries(officer, desk, place_from(cursor))
    today = danish_day(desk.clock.now())
    return await room.show(
        request, "inquiries.html", officer, rows=[(one, one.days_left(today)) for one in page], words=AIM_WORDS,
        first=cursor is None, following=None if following is None else cursor_of(following),
    )  # fmt: skip


async def _page(
    request: Request, room: Room, officer: OfficerLogin, found: Told, desk: Desk, text: str = "",
    faults: tuple[tuple[str, str], ...] = (),
) -> Response:  # fmt: skip
    about = found.inquiry.about
    try:
        entry = await room.reader.entry(about, municipalities=officer.municipalities)
    except NotFound:
        entry = None  # It was kept as long as it must be, and is gone.
    return await room.show(
        request,
        "inquiry.html",
        officer,
        400 if faults else 200,
        one=found,
        left=found.inquiry.days_left(danish_day(desk.clock.now())),
        entry=entry,
        row=told(dict(entry.index)) if entry else None,
        kinds=KINDS,
        concerned=await concerned(found.inquiry, officer, room.reader),
        words=AIM_WORDS,
        text=text,
        faults=faults,
        longest=LONGEST_TEXT,
    )
