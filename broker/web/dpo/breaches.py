"""`/dpo/breaches`: files of breaches of security, each with its clock, whom it touches, and what was written."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from broker.domain.breaches import (
    FOUND,
    LONGEST_TEXT,
    Breach,
)
from broker.domain.days import DANISH_TIME
from broker.domain.errors import BadAsk, Conflict, KeyReused
from broker.domain.identity import OfficerLogin
from broker.oversight.breaches import DPO, Desk, Wanted, affected, count, listed, note, open_file, opened
from broker.web.breach_wire import danish_moment, words_from
from broker.web.dpo.breach_letters import ADVICE_WORDS, NATURE_WORDS, RELEASING, add_letters
from broker.web.dpo.breach_words import (
    BADGES,
    FAULTS,
    FIELD_FAULTS,
    NOTE_WORDS,
    RISK_WORDS,
    SENT_BEFORE,
    STATE_WORDS,
    WHY_NOT,
)
from broker.web.dpo.room import Room
from broker.web.pages.choices import choices
from broker.web.pages.forms import Sent, sent
from broker.web.pages.language import language_of

PLACE = "/dpo/breaches"
A_PAGE = 50
DAYS = {"/since": "since_day", "/until": "until_day"}
Faults = tuple[tuple[str, str], ...]


def build(room: Room, desk: Desk) -> APIRouter:
    """Build the list with its form, the file with its forms, and the list of a count."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_breaches(request: Request, after: Annotated[str | None, Query(max_length=40)] = None) -> Response:
        return await _list(request, room, desk, after)

    @routes.post(PLACE)
    async def post_breach(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        try:
            known = danish_moment(form.one("known_day"), form.one("known_time"), "/known_at")
            words, once = words_from(form.one("text")), form.one("once")
            made = await open_file(form.one("municipality"), known, words, officer, desk, once=once)
        except KeyReused:
            return await _list(request, room, desk, None, form, (("text", SENT_BEFORE),))
        except BadAsk as wrong:
            return await _list(request, room, desk, None, form, _faults(wrong, {"/known_at": "known_day"}))
        return RedirectResponse(f"{PLACE}/{made.id}", 303)

    _add_file(routes, room, desk)
    _add_counts(routes, room, desk)
    add_letters(routes, room, desk, partial(_file, room=room, desk=desk))
    return routes


def _add_file(routes: APIRouter, room: Room, desk: Desk) -> None:
    """Add the page of one file, and what is written into it."""

    @routes.get(PLACE + "/{breach}")
    async def get_breach(request: Request, breach: str) -> Response:
        return await _file(request, room, desk, breach)

    @routes.post(PLACE + "/{breach}")
    async def post_note(request: Request, breach: str) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        risk, reference = form.one("risk"), form.one("reference")
        try:
            await note(breach, form.one("kind"), words_from(form.one("text")), officer, desk, risk=risk,
                       reference=reference, seen=_seen(form))  # fmt: skip
        except BadAsk as wrong:
            return await _file(request, room, desk, breach, form, _faults(wrong))
        except Conflict as conflict:
            if conflict.what != "written_before":
                return await _file(request, room, desk, breach, form, (("kind", _why(conflict)),))
        return RedirectResponse(f"{PLACE}/{breach}", 303)


def _add_counts(routes: APIRouter, room: Room, desk: Desk) -> None:
    """Add counting whom it touches, and the list of a count."""

    @routes.post(PLACE + "/{breach}/counts")
    async def post_count(request: Request, breach: str) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        try:
            await count(breach, _wanted(form, desk), officer, desk)
        except BadAsk as wrong:
            return await _file(request, room, desk, breach, form, _faults(wrong, DAYS))
        except Conflict as conflict:
            return await _file(request, room, desk, breach, form, (("since_day", _why(conflict)),))
        return RedirectResponse(f"{PLACE}/{breach}#counts", 303)

    @routes.get(PLACE + "/{breach}/counts/{number}")
    async def get_count(
        request: Request, breach: str, number: int, page: Annotated[int, Query(ge=1, le=100_000)] = 1
    ) -> Response:
        officer = await room.enter(request)
        found = await affected(breach, number, page, officer, desk)
        here = f"{PLACE}/{breach}"
        more = f"{here}/counts/{number}?" + urlencode({"page": page + 1}) if found.more else None
        return await room.show(request, "breach_citizens.html", officer, found=found, file=here, more=more, page=page)


def _wanted(form: Sent, desk: Desk) -> Wanted:
    day, clock = form.one("until_day"), form.one("until_time")
    return Wanted(
        danish_moment(form.one("since_day"), form.one("since_time"), "/since"),
        danish_moment(day, clock, "/until") if day or clock else desk.clock.now(),
        form.one("employee"),
        form.one("unit"),
        form.one("source"),
    )


def _seen(form: Sent) -> int | None:
    """Read how many notes the page showed."""
    told = form.one("seen")
    if told and not re.fullmatch("[0-9]{1,9}", told, re.ASCII):
        raise BadAsk("/kind")
    return int(told) if told else None


def _faults(wrong: BadAsk, fields: dict[str, str] | None = None) -> Faults:
    """Say what is wrong with a field, in words."""
    words = FAULTS.get((wrong.pointer, wrong.what)) or FIELD_FAULTS.get(wrong.pointer, FIELD_FAULTS["/kind"])
    return (((fields or {}).get(wrong.pointer, wrong.pointer.removeprefix("/")), words),)


def _why(conflict: Conflict) -> str:
    return WHY_NOT.get(conflict.what, WHY_NOT["written_meanwhile"])


async def _list(
    request: Request, room: Room, desk: Desk, after: str | None, form: Sent | None = None, faults: Faults = ()
) -> Response:
    officer = await room.enter(request)
    found, now = await listed(officer, desk, after=after, limit=A_PAGE + 1), desk.clock.now()
    page = found[:A_PAGE]
    more = f"{PLACE}?" + urlencode({"after": page[-1].id}) if len(found) > A_PAGE else None
    danish = now.astimezone(DANISH_TIME)
    names = ("municipality", "known_day", "known_time", "text")
    values = {name: form.one(name) for name in names} if form else {
        "municipality": "", "known_day": f"{danish:%Y-%m-%d}", "known_time": f"{danish:%H:%M}", "text": ""}  # fmt: skip
    return await room.show(
        request, "breaches.html", officer, 400 if faults else 200, rows=[(one, one.hours_left(now)) for one in page],
        more=more, first=after is None, words=STATE_WORDS, badges=BADGES, values=values, faults=faults,
        may_write=officer.role == DPO, homes=_homes(officer, room), once=str(uuid.uuid4()), longest=LONGEST_TEXT,
    )  # fmt: skip


def _homes(officer: OfficerLogin, room: Room) -> list[tuple[str, str]]:
    known = room.ports.directory.municipalities
    return [(home, known[home].name if home in known else home) for home in sorted(officer.municipalities)]


async def _file(
    request: Request, room: Room, desk: Desk, breach: str, form: Sent | None = None, faults: Faults = ()
) -> Response:
    officer = await room.enter(request)
    one, now = await opened(breach, officer, desk), desk.clock.now()
    mine = await desk.handles.officer(officer)
    shown: dict[str, Any] = choices(room.ports.directory, language_of(request))
    return await room.show(
        request, "breach.html", officer, 400 if faults else 200, one=one, left=one.hours_left(now), words=STATE_WORDS,
        badges=BADGES, kinds=NOTE_WORDS, risks=RISK_WORDS, next=_next(one) if officer.role == DPO else (),
        form=form.fields if form else {}, faults=faults, longest=LONGEST_TEXT, may_write=officer.role == DPO,
        letters=await desk.breaches.batches(one), mine=mine, now=now, natures=NATURE_WORDS, advice=ADVICE_WORDS,
        may_release=officer.role in RELEASING, units=shown["units"], sources=shown["sources"], moment_of=_moment,
    )  # fmt: skip


def _next(one: Breach) -> list[tuple[str, str]]:
    """Name what may be written now."""
    return [(kind, words) for kind, words in NOTE_WORDS.items() if kind != FOUND and not one.refuses(kind)]


def _moment(second: str) -> datetime:
    """Read a second as a count keeps it."""
    return datetime.fromtimestamp(int(second), UTC)
