"""`/case`: a form, and what comes of it. Each sending is an ask of its own, on the log before anything is read."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response

from broker.domain.asks import Ask
from broker.domain.errors import BadAsk, Refused
from broker.domain.identity import Caller
from broker.exchange import exchange
from broker.view.whole_person import is_reduced
from broker.web.case.room import Room
from broker.web.pages.forms import Sent, read, sent
from broker.web.pages.told import told
from broker.web.pages.week_picture import letters_of, picture
from broker.web.pages.words import marked
from broker.web.problems import GENERAL_NOTICE
from broker.web.view_wire import view_body, view_of
from broker.web.wire import AskBody, ask_of, period_body

DAYS = ("data_from", "data_to")
FIELDS = ("citizen", "purpose", "case", "request_id", *DAYS)
FAULTS = {
    "citizen": marked("Write the citizen's CPR number with ten digits."),
    "purpose": marked("Choose what the look-up is for."),
    "case": marked("Write the number of your case, without spaces."),
    "data_from": marked("Choose a day, or leave the field empty."),
    "data_to": marked("Choose a day that is not before the first, or leave the field empty."),
}


def build(room: Room) -> APIRouter:
    """Build the form and its answer."""
    routes = APIRouter()

    @routes.get("/case")
    async def get_form(request: Request) -> Response:
        return await _form(request, room, await room.enter(request))

    @routes.post("/case")
    async def post_ask(request: Request) -> Response:
        caller = await room.enter(request)
        form = await sent(request)
        body, wrong = read(AskBody, form.filled(*FIELDS))
        if body is None:
            return await _form(request, room, caller, form, wrong)
        repeat = await room.repeats(caller, body.request_id)
        try:
            ask = ask_of(body, room.ports.directory, test_numbers=room.test_numbers, repeat=repeat)
        except BadAsk as error:
            return await _form(request, room, caller, form, frozenset({error.pointer.strip("/")}))
        return await _answer(request, room, caller, ask)

    return routes


async def _form(
    request: Request, room: Room, caller: Caller, form: Sent | None = None, wrong: frozenset[str] = frozenset()
) -> Response:
    """Show the form; after a fault with purpose, case and days as they were, never the citizen's number."""
    kept = dict.fromkeys(("purpose", "case", *DAYS), "")
    if form is not None:
        kept["purpose"] = form.one("purpose") if form.one("purpose") in room.ports.directory.purposes else ""
        kept |= {name: form.one(name) for name in ("case", *DAYS) if name not in wrong}
    faults = [(field, FAULTS[field]) for field in FAULTS if field in wrong]
    if wrong and not faults:
        # A hidden field was tampered with: nothing the form can point at.
        raise BadAsk
    status = 400 if wrong else 200
    return await room.show(request, "form.html", caller, status, kept=kept, faults=faults, mark=str(uuid.uuid4()))


async def _answer(request: Request, room: Room, caller: Caller, ask: Ask) -> Response:
    directory = room.ports.directory
    again = {"citizen": ask.citizen.disclose(), "purpose": ask.purpose, "case": ask.case.disclose()}
    shared: dict[str, Any] = {"ask": again, "wanted_days": period_body(ask.period), "repeat": ask.repeat,
                              "mark": str(uuid.uuid4()), "notice": GENERAL_NOTICE}  # fmt: skip
    try:
        answer = await exchange(ask, caller, room.ports, is_reduced=is_reduced)
    except Refused as error:
        missing = sorted({(source, category) for source, category, _giver in error.missing})
        return await room.show(request, "refused.html", caller, 403, error=error, missing=missing, **shared)
    at = room.ports.clock.now()
    view = view_of(answer, caller, at, None, directory)
    letters = letters_of(view.weeks)
    return await room.show(
        request,
        "view.html",
        caller,
        view=told(view_body(answer, caller, at, None, directory)),
        weeks=[picture(week, letters) for week in view.weeks],
        letters=letters,
        missing=sorted({(row.source, row.category) for verdict in answer.verdicts for row in verdict.missing}),
        **shared,
    )
