"""`/case/requests`: ask the citizen for what is missing, and see how the request stands."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from broker.consents.lines import Wanted, WantedLine
from broker.consents.request import request_consent, request_of_unit
from broker.domain.consents import last_day_allowed
from broker.domain.days import danish_day, day_number, day_of
from broker.domain.errors import AskedAgain, BadAsk, Conflict
from broker.domain.identity import Caller
from broker.domain.periods import EVERY_DAY, Period
from broker.domain.personal import Personal
from broker.web.case.room import Room
from broker.web.consent_wire import request_body
from broker.web.pages.forms import Sent, read, sent
from broker.web.pages.show import go_to
from broker.web.pages.words import marked
from broker.web.wire import AskBody, cpr_of, folded, period_body, period_from

# A yes lasts a year at most; the shorter choices are in days.
LASTS = {"90": marked("3 months"), "180": marked("6 months"), "year": marked("1 year")}
LONGEST_WORDS = 2000
SHORTEST_REASON = 10
SAID_NO = (("again", marked("The citizen said no a short time ago. Write why you ask again, in new words.")),)
NOTHING_CHOSEN = (("line-0", marked("Choose at least one kind of information.")),)


def build(room: Room) -> APIRouter:
    """Build the form's answer and the page of one request."""
    routes = APIRouter()

    @routes.post("/case/requests")
    async def post_request(request: Request) -> Response:
        caller = await room.enter(request)
        form = await sent(request)
        made = _made(form)
        if not form.every("line"):
            return await _again(request, room, caller, form, made)
        try:
            await request_consent(made, _wanted(form, room), caller, room.ports)
        except AskedAgain:
            return await _again(request, room, caller, form, made, said_no=True)
        except Conflict:
            # The form was sent twice: the first one stands, and is shown.
            await request_of_unit(made, caller, room.ports)
        return go_to(f"/case/requests/{made}")

    @routes.get("/case/requests/{request_id}")
    async def get_request(request: Request, request_id: str) -> Response:
        caller = await room.enter(request)
        kept = await request_of_unit(request_id, caller, room.ports)
        today = danish_day(room.ports.clock.now())
        return await room.show(request, "request.html", caller, asked=request_body(kept, today))

    return routes


async def _again(
    request: Request, room: Room, caller: Caller, form: Sent, made: str, *, said_no: bool = False
) -> Response:
    """Show the form again: nothing was chosen, or the citizen `said_no` and no new reason is given.

    Its lines are checked like new ones when it comes back.
    """
    offered = [_line(text) for text in form.every("offered")]
    known = room.ports.directory
    if not offered or any(
        line.source not in known.sources or line.category not in known.categories for line in offered
    ):
        raise BadAsk("/lines", "unknown_source")
    return await room.show(
        request,
        "choose.html",
        caller,
        409 if said_no else 400,
        ask=_asked(form),
        wanted_days=period_body(_period(form)),
        missing=[(line.source, line.category) for line in offered],
        faults=SAID_NO if said_no else NOTHING_CHOSEN,
        said_no=said_no or bool(form.one("again")),
        mark=made,
    )


def _asked(form: Sent) -> dict[str, Any]:
    body, _ = read(AskBody, form.filled("citizen", "purpose", "case"))
    if body is None:
        raise BadAsk
    return body.model_dump(include={"citizen", "purpose", "case"})


def _wanted(form: Sent, room: Room) -> Wanted:
    asked = _asked(form)
    today = danish_day(room.ports.clock.now())
    why, again = folded(form.one("why")), folded(form.one("again"))
    if max(len(why), len(again)) > LONGEST_WORDS:
        raise BadAsk("/why", "too_long")
    return Wanted(
        citizen=cpr_of(asked["citizen"], pointer="/citizen", test_numbers=room.test_numbers),
        purpose=asked["purpose"],
        case=Personal(asked["case"]),
        lines=tuple(_line(text, _period(form)) for text in form.every("line")),
        to_day=_last_day(form.one("lasts"), today),
        why=Personal(why) if why else None,
        again=Personal(again) if len(again) >= SHORTEST_REASON else None,
    )


def _line(text: str, period: Period = EVERY_DAY) -> WantedLine:
    source, _, category = text.partition("/")
    return WantedLine(source, category, period=period)


def _period(form: Sent) -> Period:
    """Read which days of the data are asked for: every day where none is named."""
    return period_from(form.one("data_from").strip() or None, form.one("data_to").strip() or None)


def _last_day(lasts: str, today: int) -> int:
    if lasts not in LASTS:
        raise BadAsk("/to", "no_such_day")
    if lasts == "year":
        return last_day_allowed(today)
    return day_number(day_of(today) + timedelta(days=int(lasts) - 1))


def _made(form: Sent) -> str:
    """Read the id that the form was given when it was shown, so that sending it twice makes one request."""
    try:
        return str(uuid.UUID(form.one("made")))
    except ValueError:
        raise BadAsk from None
