"""`/mine/notices`: how I am told that there is something new, in each municipality; and the code sent to an address.

To have fewer letters, or have them elsewhere, takes a fresh log-in: one that was left open silences nothing. To go back
to a letter each time in Digital Post takes none.
"""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broker.domain.errors import BadAsk, Conflict, NotFound, NoticeNotSent
from broker.domain.notice_choices import DIGITAL_POST, EMAIL, LEAST, WAYS, Choice
from broker.domain.receipts import Receipt
from broker.transparency.notice_choices import Step, Wish, choose, confirm, my_choices
from broker.web.citizen.room import Me, Room
from broker.web.login import CITIZEN
from broker.web.pages.forms import sent
from broker.web.pages.show import go_to
from broker.web.pages.words import marked

PLACE = "/mine/notices"
WEEKLY, EACH = "weekly", "each"
Faults = tuple[tuple[str, str], ...]
OFTEN = (EACH, WEEKLY)
BY_DEFAULT = (DIGITAL_POST, False)
WORDS = {
    DIGITAL_POST: marked("Digital Post. On paper, if you do not have it."),
    EMAIL: marked("E-mail"),
    LEAST: marked("As little as the law allows, in Digital Post"),
    EACH: marked("Each time"),
    WEEKLY: marked("Once a week, on Monday"),
}
NO_WAY: Faults = (("way", marked("Choose one of them.")),)
NO_ADDRESS: Faults = (("address", marked("Write an e-mail address, such as navn@eksempel.dk.")),)
TOO_MANY: Faults = (("address", marked("You have asked for too many codes today. Try again tomorrow.")),)
TOO_OFTEN: Faults = (("way", marked("You have changed this too many times today. Try again tomorrow.")),)
NOT_SENT: Faults = (("address", marked("We could not send an e-mail there now. Nothing is changed. Try again later.")),)
WRONG: Faults = (("code", marked("That is not the code. Look in the newest e-mail.")),)
NONE_WAITS: Faults = (("code", marked("That code cannot be used any more. Go back and ask for a new one.")),)


def build(room: Room) -> APIRouter:
    """Build the list, the form of one municipality, and the form for the code."""
    routes = APIRouter()

    @routes.get(PLACE)
    async def get_choices(request: Request) -> Response:
        me = await room.enter(request)
        choices = await my_choices(me.login, room.notice_desk)
        return room.show(
            request, "notices.html", me, choices=choices, words=WORDS, unchanged="unchanged" in request.query_params
        )

    @routes.get(PLACE + "/{municipality}")
    async def get_form(request: Request, municipality: str) -> Response:
        return await _form(request, room, await room.enter(request), municipality)

    @routes.post(PLACE + "/{municipality}")
    async def post_form(request: Request, municipality: str) -> Response:
        me = await room.enter(request)
        form = await sent(request)
        wish = Wish(form.one("way"), form.one("often") == WEEKLY, form.one("address"))
        if (wish.way, wish.weekly) != BY_DEFAULT and not await room.logins.may_sign(request):
            return go_to(f"{PLACE}/{municipality}")
        try:
            done = await choose(municipality, wish, me.login, room.notice_desk)
        except (BadAsk, Conflict, NoticeNotSent) as refused:
            return await _form(request, room, me, municipality, wish, _what_is_wrong(refused))
        return _after(done, room, municipality)

    @routes.get(PLACE + "/{municipality}/code")
    async def get_code(request: Request, municipality: str) -> Response:
        return _code_form(request, room, await room.enter(request), municipality)

    @routes.post(PLACE + "/{municipality}/code")
    async def post_code(request: Request, municipality: str) -> Response:
        me = await room.enter(request)
        code = "".join((await sent(request)).one("code").split())
        try:
            done = await confirm(municipality, code, me.login, room.notice_desk)
        except (BadAsk, Conflict) as refused:
            return _code_form(request, room, me, municipality, _what_is_wrong_with_the_code(refused))
        return _after(done, room, municipality)

    return routes


def _after(done: Receipt | Step, room: Room, municipality: str) -> Response:
    """Go on to the receipt, to the form for the code, or back to the list where nothing was changed."""
    if done is Step.CODE_SENT:
        return go_to(f"{PLACE}/{municipality}/code")
    return go_to(PLACE + "?unchanged=1") if isinstance(done, Step) else room.to_receipt(done)


def _what_is_wrong_with_the_code(refused: BadAsk | Conflict) -> Faults:
    """Say in words why a code took no address into use."""
    if isinstance(refused, BadAsk):
        return WRONG
    return (("code", TOO_OFTEN[0][1]),) if refused.what == "too_many_changes" else NONE_WAITS


def _what_is_wrong(refused: BadAsk | Conflict | NoticeNotSent) -> Faults:
    """Say in words, at its field, why a choice was not kept."""
    match refused:
        case BadAsk(pointer="/way"):
            return NO_WAY
        case BadAsk():
            return NO_ADDRESS
        case Conflict(what="too_many_changes"):
            return TOO_OFTEN
        case Conflict():
            return TOO_MANY
        case _:
            return NOT_SENT


async def _form(
    request: Request, room: Room, me: Me, municipality: str, wish: Wish | None = None, faults: Faults = ()
) -> Response:
    """Show the form of one municipality, with what holds or with what was written; `NotFound` for none of ours."""
    held = (await my_choices(me.login, room.notice_desk)).get(municipality)
    if held is None:
        raise NotFound
    offered = [way for way in WAYS if way != EMAIL or room.notice_desk.mail is not None]
    back = f"{PLACE}/{municipality}?anew=1"
    return room.show(
        request, "notices_choose.html", me, 400 if faults else 200, home=municipality, words=WORDS, offered=offered,
        often=OFTEN, wish=wish or _as_wish(held), by_default=(held.way, held.weekly) == BY_DEFAULT, faults=faults,
        may_sign=await room.logins.may_sign(request), anew="anew" in request.query_params,
        log_in=f"/login/{CITIZEN}?{urlencode({'anew': '1', 'next': back})}",
        start_over=None if request.method == "GET" else f"{PLACE}/{municipality}",
    )  # fmt: skip


def _as_wish(held: Choice) -> Wish:
    return Wish(held.way, held.weekly, held.address.disclose() if held.address else "")


def _code_form(request: Request, room: Room, me: Me, municipality: str, faults: Faults = ()) -> Response:
    if municipality not in room.ports.directory.municipalities:
        raise NotFound
    return room.show(
        request, "notices_code.html", me, 400 if faults else 200, home=municipality, faults=faults,
        start_over=None if request.method == "GET" else f"{PLACE}/{municipality}/code",
    )  # fmt: skip
