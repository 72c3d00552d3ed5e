"""`/mine/help` and `/mine/week`: who helps me with what, and when. Each sending is a look of its own, on the log first.

The page itself is only read; its button asks the systems, live. Nothing of what they tell is kept.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from broker.domain.own_look import OwnShown
from broker.transparency.own_look import look
from broker.view.own import OwnView, own_view
from broker.view.phrases import Language
from broker.view.texts import finding_text, need_text, suggestion
from broker.web.citizen.room import Me, Room
from broker.web.pages.language import language_of
from broker.web.pages.told import told
from broker.web.pages.week_picture import letters_of, picture
from broker.web.view_wire import person_body
from broker.web.wire import item_body

HELP, WEEK = "/mine/help", "/mine/week"


def build(room: Room) -> APIRouter:
    """Build both pages, before and after the systems were asked."""
    routes = APIRouter()

    @routes.get(HELP)
    async def get_help(request: Request) -> Response:
        return room.show(request, "before_look.html", await room.enter(request), week=False)

    @routes.get(WEEK)
    async def get_week(request: Request) -> Response:
        return room.show(request, "before_look.html", await room.enter(request), week=True)

    @routes.post(HELP)
    async def post_help(request: Request) -> Response:
        return await _looked(request, room, "help.html", HELP)

    @routes.post(WEEK)
    async def post_week(request: Request) -> Response:
        return await _looked(request, room, "my_week.html", WEEK)

    return routes


async def _looked(request: Request, room: Room, template: str, again: str) -> Response:
    """Look, then show. Who is logged in is asked for first; about them nothing is read before the log has it (P2)."""
    login = await room.logins.require_citizen(request)
    (citizen,) = await room.ports.handles.citizens([login.cpr])
    await room.ceilings.count_look(citizen)
    shown = await look(login, room.ports)
    me = await room.enter(request)
    values = _values(shown, room, me, language_of(request))
    return room.show(request, template, me, start_over=again, again=again, **values)


def _values(shown: OwnShown, room: Room, me: Me, language: Language) -> dict[str, Any]:
    items, me_now = shown.found.items, shown.permit.recorded.citizen
    view = own_view(items, shown.permit.today)
    letters = letters_of(view.weeks)
    labels = {item.subject: "citizen" if item.subject == me_now else "child" for item in items}
    return {
        "reason": shown.permit.reason,
        "at": room.ports.clock.now(),
        "items": [told(item_body(item, labels)) for item in items],
        "people": [told(person_body(person)) for person in view.people],
        "topics": [(_topic(name, room, language), held) for name, held in view.topics],
        "of_time": _spoken(view, language, of_time=True),
        "of_help": _spoken(view, language, of_time=False),
        "letters": letters,
        "weeks": [picture(week, letters) for week in view.weeks],
        "silent": sorted({row.source for row in shown.found.silent}),
        "receipt": shown.receipts[0],
        "mine": me.handle,
    }


def _topic(name: str, room: Room, language: Language) -> str:
    kind, _, code = name.partition(":")
    if kind == "need":
        text = need_text(code, language)
        return text[0].upper() + text[1:]
    category = room.ports.directory.categories[code]
    return category.name_da if language == "da" else category.name_en


def _spoken(view: OwnView, language: Language, *, of_time: bool) -> list[tuple[str, str]]:
    """Say each finding, once, however many weeks show it."""
    rows = view.of_time if of_time else view.of_help
    said = [(finding_text(one, language, own=True), suggestion(one, language, own=True)) for one in rows]
    return list(dict.fromkeys(said))
