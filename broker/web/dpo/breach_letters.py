"""Telling the citizens whom a breach touches, on the page of its file: prepared by one, let go by another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from broker.domain.breach_letters import ASK, CHANGED, LOST, MOST_NUMBERS, NOTHING, SEEN, SENT, WATCH
from broker.domain.errors import BadAsk, Conflict
from broker.domain.personal import Personal
from broker.oversight.breach_letters import Wanted, prepare, release, withdraw
from broker.oversight.breaches import CONTROLLER, DPO, Desk
from broker.web.dpo.breach_words import FAULTS, FIELD_FAULTS, WHY_NOT
from broker.web.dpo.room import Room
from broker.web.pages.forms import Sent, sent
from broker.web.pages.words import marked
from broker.web.wire import cpr_of

PLACE = "/dpo/breaches/{breach}/letters"
RELEASING = frozenset({DPO, CONTROLLER})
NATURE_WORDS = {
    SEEN: marked("Somebody saw it without needing it"),
    SENT: marked("It was given to somebody who should not have it"),
    LOST: marked("It was lost, or could not be reached"),
    CHANGED: marked("It was changed wrongly"),
}
ADVICE_WORDS = {
    NOTHING: marked("Nothing"),
    WATCH: marked("Take care if a stranger knows things about them"),
    ASK: marked("Call the municipality"),
}
Shown = Callable[..., Awaitable[Response]]


def add_letters(routes: APIRouter, room: Room, desk: Desk, show: Shown) -> None:
    """Add preparing letters, letting them go and taking them back; `show` gives the file's page again, with faults."""

    @routes.post(PLACE)
    async def post_letters(request: Request, breach: str) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        try:
            await prepare(breach, _wanted(form, test_numbers=room.test_numbers), officer, desk)
        except BadAsk as wrong:
            words = FAULTS.get((wrong.pointer, wrong.what)) or FIELD_FAULTS[wrong.pointer]
            return await show(request, breach=breach, form=form, faults=((wrong.pointer.removeprefix("/"), words),))
        except Conflict as conflict:
            return await show(request, breach=breach, form=form, faults=(("count", _why(conflict)),))
        return RedirectResponse(f"/dpo/breaches/{breach}#letters", 303)

    @routes.post(PLACE + "/{batch}")
    async def post_release(request: Request, breach: str, batch: str) -> Response:
        officer = await room.enter(request)
        try:
            await release(breach, batch, officer, desk)
        except Conflict as conflict:
            return await show(request, breach=breach, faults=(("letters", _why(conflict)),))
        return RedirectResponse(f"/dpo/breaches/{breach}#letters", 303)

    @routes.post(PLACE + "/{batch}/withdrawal")
    async def post_withdrawal(request: Request, breach: str, batch: str) -> Response:
        officer = await room.enter(request)
        try:
            await withdraw(breach, batch, officer, desk)
        except Conflict as conflict:
            return await show(request, breach=breach, faults=(("letters", _why(conflict)),))
        return RedirectResponse(f"/dpo/breaches/{breach}#letters", 303)


def _wanted(form: Sent, *, test_numbers: bool) -> Wanted:
    """Read the form; raise `BadAsk` by field."""
    count = form.one("count")
    if not (count.isascii() and count.isdecimal() and len(count) < len("100000")):
        raise BadAsk("/count")
    return Wanted(int(count), form.one("nature"), form.one("advice"), numbers_from(form.one("numbers"), test_numbers))


def numbers_from(text: str, test_numbers: bool) -> list[Personal[str]]:  # noqa: FBT001 - as `cpr_of` has it
    """Read CPR numbers, one a line; raise `BadAsk` for a line that is none, and for too many."""
    lines = list(_lines(text))
    if not 0 < len(lines) <= MOST_NUMBERS:
        raise BadAsk("/numbers")
    return [cpr_of(line, pointer="/numbers", test_numbers=test_numbers) for line in lines]


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.replace(",", "\n").splitlines() if line.strip())


def _why(conflict: Conflict) -> str:
    return WHY_NOT.get(conflict.what, WHY_NOT["written_meanwhile"])
