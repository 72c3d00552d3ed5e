"""`/mine/accesses`: who has looked, newest first, day by day. Every line of the log is there; none names an employee.

An ask and its answer stand together. Where the answer is not on the page, the log tells whether there is one, so that
an ask is said to be without an answer only when it is. What is chosen stands in the address: codes and days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from broker.domain.days import DANISH_TIME
from broker.transparency.history import MyEntry, my_choices, my_entries, my_whole_list
from broker.view.phrases import Language
from broker.web.citizen.access_files import as_csv, as_json, file_of
from broker.web.citizen.access_print import as_pdf
from broker.web.citizen.room import Me, Room
from broker.web.pages.filters import Wish, wish_of
from broker.web.pages.language import language_of
from broker.web.pages.show import Named
from broker.web.pages.words import marked
from broker.web.printed import NotPrinted, TooLongToPrint
from broker.web.wire import CODE

PLACE = "/mine/accesses"
A_PAGE, A_PRINT = 50, 500
TOO_LONG = (("since", marked("There are more than 1,000 lines. Choose fewer days, or take the table.")),)
NOT_PRINTED = (("since", marked("It cannot be printed now. Take the table, or try again later.")),)
OUTCOMES = {
    "released": marked("They got it"),
    "partly": marked("They got some of it"),
    "refused": marked("They got nothing"),
    "evaluated": marked("They asked only whether they may"),
    "emergency": marked("Emergency"),
}
Cursor = Annotated[str | None, Query(max_length=80)]
Code = Annotated[str, Query(pattern=rf"^$|{CODE}")]
Day = Annotated[str, Query(max_length=10)]
Lines = Annotated[int, Query(ge=1, le=A_PRINT)]


@dataclass(frozen=True, slots=True)
class Look:
    """One row of the list: a line of the log, or an ask with its answer. `answered` tells where the answer stands."""

    entry: MyEntry
    ask: MyEntry | None = None
    answered: str = "here"  # "here", "elsewhere" (not on this page), "never"


def build(room: Room) -> APIRouter:
    """Build the list, and the files of it."""
    routes = APIRouter()

    @routes.get(PLACE)
    async def get_accesses(
        request: Request, unit: Code = "", purpose: Code = "", outcome: Code = "", since: Day = "", until: Day = "",
        cursor: Cursor = None, lines: Lines = A_PAGE,
    ) -> Response:  # fmt: skip
        me = await room.enter(request)
        wish = _wish(unit, purpose, outcome, since, until)
        return await _page(request, room, me, wish, cursor, lines)

    _files(routes, room)
    return routes


def _files(routes: APIRouter, room: Room) -> None:
    """Add the list as a file: for a spreadsheet, for a program, and to print."""

    @routes.get(PLACE + "/list.csv")
    async def get_csv(
        request: Request, unit: Code = "", purpose: Code = "", outcome: Code = "", since: Day = "", until: Day = ""
    ) -> Response:
        me = await room.enter(request)
        wish = _wish(unit, purpose, outcome, since, until)
        if wish.faults:
            return await _page(request, room, me, wish, None, A_PAGE)
        entries = await my_whole_list(me.login, room.ports, room.reader, wish.filter)
        return as_csv(entries, room.ports.directory, language_of(request))

    @routes.get(PLACE + "/list.json")
    async def get_json(
        request: Request, unit: Code = "", purpose: Code = "", outcome: Code = "", since: Day = "", until: Day = ""
    ) -> Response:
        me = await room.enter(request)
        wish = _wish(unit, purpose, outcome, since, until)
        if wish.faults:
            return await _page(request, room, me, wish, None, A_PAGE)
        entries = await my_whole_list(me.login, room.ports, room.reader, wish.filter)
        return as_json(entries, wish.written, room.ports.clock.now(), room.ports.directory)

    @routes.get(PLACE + "/list.pdf")
    async def get_pdf(
        request: Request, unit: Code = "", purpose: Code = "", outcome: Code = "", since: Day = "", until: Day = ""
    ) -> Response:
        me = await room.enter(request)
        return await _print(request, room, me, _wish(unit, purpose, outcome, since, until))


async def _print(request: Request, room: Room, me: Me, wish: Wish) -> Response:
    """Give the list as a PDF, or the page that says why there is none. Raises `TooManyAsks`: it takes a while."""
    if wish.faults:
        return await _page(request, room, me, wish, None, A_PAGE)
    await room.ceilings.count_look(me.handle)
    directory, language = room.ports.directory, language_of(request)
    entries = await my_whole_list(me.login, room.ports, room.reader, wish.filter)
    try:
        data = await as_pdf(entries, directory, language, room.ports.clock.now(), some=bool(wish.written))
    except TooLongToPrint:
        return await _page(request, room, me, replace(wish, faults=TOO_LONG), None, A_PAGE)
    except NotPrinted:
        return await _page(request, room, me, replace(wish, faults=NOT_PRINTED), None, A_PAGE)
    return file_of(data, "application/pdf", "list.pdf")


def _wish(unit: str, purpose: str, outcome: str, since: str, until: str) -> Wish:
    written = {"unit": unit, "purpose": purpose, "outcome": outcome, "since": since, "until": until}
    return wish_of({name: value for name, value in written.items() if value})


async def _page(request: Request, room: Room, me: Me, wish: Wish, cursor: str | None, lines: int) -> Response:
    """Show the list as it was chosen; with a day that does not exist, the form alone."""
    days, older, kept = [], None, [("lines", str(lines))] if lines != A_PAGE else []
    if not wish.faults:
        page = await my_entries(me.login, room.ports, room.reader, wanted=wish.filter, cursor=cursor, limit=lines)
        looks = looks_of(page.entries, page.answered)
        days = [(day, list(group)) for day, group in groupby(looks, key=_day)]
        if page.next is not None:
            older = f"{PLACE}?" + urlencode([*wish.written.items(), *kept, ("cursor", page.next)])
    units, purposes = await my_choices(me.login, room.ports, room.reader)
    directory, language = room.ports.directory, language_of(request)
    return room.show(
        request,
        "accesses.html",
        me,
        400 if wish.faults else 200,
        days=days,
        older=older,
        first=cursor is None,
        faults=wish.faults,
        wish=wish.written,
        chosen="?" + urlencode(list(wish.written.items())) if wish.written else "",
        to_print=f"{PLACE}?" + urlencode([*wish.written.items(), ("lines", str(A_PRINT))]),
        units=_named(units, directory.units, language),
        purposes=_named(purposes, directory.purposes, language),
        outcomes=OUTCOMES,
    )


def _named(ids: frozenset[str], rows: Mapping[str, Named], language: Language) -> list[tuple[str, str]]:
    """Offer what is in one's own list, by name; what the registry no longer has, by its id."""
    danish = language == "da"
    named = [(id_, (rows[id_].name_da if danish else rows[id_].name_en) if id_ in rows else id_) for id_ in ids]
    return sorted(named, key=lambda row: row[1])


def _day(look: Look) -> object:
    return look.entry.at.astimezone(DANISH_TIME).date()


def looks_of(entries: tuple[MyEntry, ...], elsewhere: frozenset[str]) -> list[Look]:
    """Join each answer with its ask, and keep everything else as it stands, newest first."""
    asks = {entry.ask: entry for entry in entries if entry.kind == "ask"}
    answered = {entry.ask for entry in entries if entry.kind == "outcome"}
    rows = [entry for entry in entries if entry.kind != "ask" or entry.ask not in answered]
    return [_look(entry, asks, elsewhere) for entry in rows]


def _look(entry: MyEntry, asks: Mapping[str | None, MyEntry], elsewhere: frozenset[str]) -> Look:
    if entry.kind == "ask":
        return Look(entry, entry, "elsewhere" if entry.ask in elsewhere else "never")
    return Look(entry, asks.get(entry.ask) if entry.kind == "outcome" else None)
