"""`/mine/inquiries`: what I asked the DPO, how far it is, the answer; and asking about one line of my list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from broker.domain.errors import BadAsk, Conflict
from broker.domain.inquiries import AIMS, CORRECTION, LONGEST_TEXT, OBJECTION, QUESTION
from broker.domain.receipts import Receipt
from broker.transparency.history import my_entry
from broker.transparency.inquiries import Desk, my_inquiries, send
from broker.web.citizen.room import Me, Room
from broker.web.inquiry_wire import aim_from, words_from
from broker.web.pages.forms import sent
from broker.web.pages.show import go_to
from broker.web.pages.words import marked

PLACE = "/mine/inquiries"
LINE = "/mine/accesses/{municipality}/{year}/{index}/ask"
Name = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,64}$")]
Year = Annotated[int, Path(ge=1, le=9999)]
Index = Annotated[int, Path(ge=0, le=2**62)]
NO_WORDS = (("text", marked("Write what you want. At most 2,000 signs.")),)
AIM_WORDS = {
    QUESTION: marked("I want to know something"),
    CORRECTION: marked("Something is wrong and must be put right"),
    OBJECTION: marked("I do not want them to use it"),
}
WAITS = (("text", marked("You have asked about this line. Wait for the answer before you ask again.")),)

TOO_MANY = (("text", marked("You have asked ten times today. Keep what you wrote, and send it tomorrow.")),)


def build(room: Room) -> APIRouter:
    """Build the list, and the form of one line."""
    routes = APIRouter()
    desk = Desk(room.ports, room.reader, room.inquiries)

    @routes.get(PLACE)
    async def get_inquiries(request: Request) -> Response:
        me = await room.enter(request)
        return room.show(request, "inquiries.html", me, inquiries=await my_inquiries(me.login, desk), words=AIM_WORDS)

    @routes.get(LINE)
    async def get_form(request: Request, municipality: Name, year: Year, index: Index) -> Response:
        me = await room.enter(request)
        return await _form(request, room, me, _about(room, municipality, year, index))

    @routes.post(LINE)
    async def post_form(request: Request, municipality: Name, year: Year, index: Index) -> Response:
        me = await room.enter(request)
        about, form = _about(room, municipality, year, index), await sent(request)
        text, aim = form.one("text"), form.one("aim") or QUESTION
        try:
            await send(about, words_from(text), me.login, desk, aim_from(aim))
        except BadAsk:
            return await _form(request, room, me, about, text, NO_WORDS, aim)
        except Conflict as refused:
            faults = TOO_MANY if refused.what == "too_many_inquiries" else WAITS
            return await _form(request, room, me, about, text, faults, aim)
        return go_to(PLACE)

    return routes


def _about(room: Room, municipality: str, year: int, index: int) -> Receipt:
    return Receipt(f"{room.log_name}/{municipality}/{year}", index)


async def _form(
    request: Request, room: Room, me: Me, about: Receipt, text: str = "", faults: tuple[tuple[str, str], ...] = (),
    aim: str = QUESTION,
) -> Response:  # fmt: skip
    """Show the form with what was written; raise `NotFound` for a line that is not one's own."""
    entry = await my_entry(about, me.login, room.ports, room.reader)
    status = 400 if faults else 200
    start_over = None if request.method == "GET" else "/mine/accesses"
    return room.show(
        request, "inquire.html", me, status, entry=entry, text=text, faults=faults, longest=LONGEST_TEXT,
        start_over=start_over, words=AIM_WORDS, aim=aim if aim in AIMS else QUESTION,
    )  # fmt: skip
