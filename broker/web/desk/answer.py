"""`/desk/requests/…`: read aloud or let sign what a unit asked, and record the yes or the no."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.consents.desk import TakenYes
from broker.consents.desk_answer import Reading, SaidNo, SaidYes, no_at_desk, read_at_desk, yes_at_desk
from broker.consents.own import NOT_ANSWERED
from broker.consents.texts import LANGUAGES
from broker.domain.consents import ORAL, PAPER, Grant
from broker.domain.days import NO_END, danish_day
from broker.domain.errors import BadAsk
from broker.domain.identity import Caller
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.web.desk.evidence import oral_words, paper_words
from broker.web.desk.room import NOT_CHECKED, Done, Faults, Room, is_checked
from broker.web.pages.forms import Sent, sent
from broker.web.pages.words import marked
from broker.web.wire import day_from

NOTHING_CHOSEN = marked("Choose at least one line, or read all of it.")
NO_REFERENCE = marked("Write where the paper is kept.")
NO_SUCH_DAY = marked("Write the day on the paper. It cannot be later than today.")
NOT_READ_BACK = marked("Read the text aloud, let the citizen say it back, and tick that they did.")
ANSWERED = {
    "granted": marked("the answer was yes"),
    "partly_granted": marked("the answer was yes to some"),
    "refused": marked("the answer was no"),
    NOT_ANSWERED: marked("not answered"),
}
NO_FORM = marked("Choose how the citizen said no.")
LONGEST = 400
FORMS = (PAPER, ORAL)


def build(room: Room) -> APIRouter:
    """Build the reading, and what its forms do."""
    routes = APIRouter()

    @routes.post("/desk/requests/{request_id}")
    async def post_reading(request: Request, request_id: str) -> Response:
        caller = await room.enter(request)
        form = await sent(request)
        citizen, picked = room.citizen_of(form), _numbers(form)
        if form.one("what") == "chosen" and picked is None:
            fault = ((f"line-{request_id}-0", NOTHING_CHOSEN),)
            return await room.overview(request, caller, citizen, faults=fault, status=400)
        return await _read(request, room, caller, form, request_id, picked if form.one("what") == "chosen" else None)

    @routes.post("/desk/requests/{request_id}/yes")
    async def post_yes(request: Request, request_id: str) -> Response:
        caller = await room.enter(request)
        form = await sent(request)
        citizen, picked, how = room.citizen_of(form), _numbers(form), _form_of(form)
        if faults := _faults(form, how, danish_day(room.ports.clock.now())):
            return await _read(request, room, caller, form, request_id, picked, faults)
        language = _language(form)
        words = paper_words(form, language) if how == PAPER else oral_words(form, language)
        said = SaidYes(picked, form.one("digest"), TakenYes(how, language, Personal(words)))
        given, receipt = await yes_at_desk(request_id, said, citizen, caller, room.ports)
        return await room.show_done(request, caller, citizen, _yes(given, receipt, language))

    @routes.post("/desk/requests/{request_id}/no")
    async def post_no(request: Request, request_id: str) -> Response:
        caller = await room.enter(request)
        form = await sent(request)
        citizen, how = room.citizen_of(form), form.one("form")
        if faults := _faults_of_no(form, how):
            return await _read(request, room, caller, form, request_id, _numbers(form), faults)
        said = SaidNo(how, _language(form), _numbers(form), form.one("digest"))
        asked, receipt = await no_at_desk(request_id, said, citizen, caller, room.ports)
        (giver,) = await room.ports.handles.citizens([citizen])
        done = Done("refused", asked.unit, asked.purpose, giver, asked.lines_of(giver), receipt)
        return await room.show_done(request, caller, citizen, done)

    return routes


def _yes(given: Grant, receipt: Receipt, language: str) -> Done:
    text = given.text.disclose()
    return Done(
        "granted", given.unit, given.purpose, given.giver, given.lines, receipt, given.id, text, language,
    )  # fmt: skip


async def _read(
    request: Request, room: Room, caller: Caller, form: Sent, request_id: str, picked: tuple[int, ...] | None,
    faults: Faults = (),
) -> Response:  # fmt: skip
    """Show the text and its forms; each time it is a look of its own."""
    citizen = room.citizen_of(form)
    reading: Reading = await read_at_desk(request_id, picked, _language(form), citizen, caller, room.ports)
    today = danish_day(room.ports.clock.now())
    return await room.show(
        request, "read.html", caller, 400 if faults else 200, reading=reading, citizen=citizen.disclose(),
        today=today, words=ANSWERED, faults=faults,
        kept=form.filled("reference", "paper_date", "interpreter", "witness"),
    )  # fmt: skip


def _faults(form: Sent, how: str, today: int) -> Faults:
    """Say what is missing of how a yes was taken."""
    found = [] if is_checked(form) else [(f"identity-{how}", NOT_CHECKED)]
    if how == ORAL:
        return found + ([] if form.one("read_back") == "yes" else [("read_back", NOT_READ_BACK)])
    found += [] if form.one("reference") else [("reference", NO_REFERENCE)]
    is_day = _day(form.one("paper_date")) <= today
    return found + ([] if is_day else [("paper_date", NO_SUCH_DAY)])


def _faults_of_no(form: Sent, how: str) -> Faults:
    """Say what is missing of how a no was said."""
    found = [] if how in FORMS else [("form-no", NO_FORM)]
    return found + ([] if is_checked(form) else [("identity-no", NOT_CHECKED)])


def _day(text: str) -> int:
    """Read the day on a paper; what is none lies later than any."""
    try:
        return day_from(text, "/paper_date")
    except BadAsk:
        return NO_END


def _form_of(form: Sent) -> str:
    if form.one("form") not in FORMS or any(len(form.one(name)) > LONGEST for name in form.fields if name != "csrf"):
        raise BadAsk("/form", "unknown_form")
    return form.one("form")


def _language(form: Sent) -> str:
    if form.one("language") not in LANGUAGES:
        raise BadAsk("/language", "unknown_language")
    return form.one("language")


def _numbers(form: Sent) -> tuple[int, ...] | None:
    """Read the numbers of chosen lines; None where none is named. Raises `BadAsk` for anything else."""
    texts = form.every("line")
    if not all(text.isascii() and text.isdigit() and len(text) <= 3 for text in texts):
        raise BadAsk("/lines", "no_such_line")
    return tuple(int(text) for text in texts) or None
