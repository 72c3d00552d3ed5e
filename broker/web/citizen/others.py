"""`/mine/others`: my children, and people I speak for: what is shared about them and who has looked. Never a proof.

The page itself is only read; each button is a look of its own, on the log first. A number stands in a form, never in
an address.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.domain.errors import BadAsk, NotFound
from broker.transparency.others import Other, my_children, represented
from broker.web.citizen.room import Me, Room
from broker.web.consent_wire import line_state
from broker.web.pages.forms import sent
from broker.web.pages.words import marked
from broker.web.wire import cpr_of

PLACE = "/mine/others"
NO_NUMBER = (("citizen", marked("Write the CPR number with ten digits.")),)
NOBODY = (("citizen", marked("We can show you nothing about that number.")),)
Faults = tuple[tuple[str, str], ...]


def build(room: Room) -> APIRouter:
    """Build the page, and what its two forms show."""
    routes = APIRouter()

    @routes.get(PLACE)
    async def get_others(request: Request) -> Response:
        return _ask(request, room, await room.enter(request))

    @routes.post(PLACE + "/children")
    async def post_children(request: Request) -> Response:
        me = await _counted(request, room)
        return _show(request, room, me, await my_children(me.login, room.ports, room.reader), children=True)

    @routes.post(PLACE + "/represented")
    async def post_represented(request: Request) -> Response:
        me = await _counted(request, room)
        try:
            # Which numbers there are is the register's to say; a test number that nobody has is nobody's.
            number = cpr_of((await sent(request)).one("citizen").strip(), pointer="/citizen", test_numbers=True)
        except BadAsk:
            return _ask(request, room, me, NO_NUMBER)
        try:
            found = await represented(number, me.login, room.ports, room.reader)
        except NotFound:
            return _ask(request, room, me, NOBODY)
        return _show(request, room, me, (found,), children=False)

    return routes


async def _counted(request: Request, room: Room) -> Me:
    me = await room.enter(request)
    await room.ceilings.count_look(me.handle)
    return me


def _ask(request: Request, room: Room, me: Me, faults: Faults = ()) -> Response:
    """Show the two forms; never the number that was written."""
    start_over = PLACE if faults else None
    return room.show(request, "others.html", me, 400 if faults else 200, faults=faults, start_over=start_over)


def _show(request: Request, room: Room, me: Me, found: tuple[Other, ...], *, children: bool) -> Response:
    return room.show(
        request,
        "seen_for_others.html",
        me,
        found=found,
        children=children,
        state_of=lambda line: line_state(line.state, line.from_day, line.to_day, me.today),
        start_over=PLACE,
    )
