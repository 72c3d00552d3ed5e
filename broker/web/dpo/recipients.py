"""`/dpo/package/recipients`: who got some of what is held about a citizen, on the page or as a file (GDPR art. 19)."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from fastapi import APIRouter, Request, Response

from broker.domain.directory import Directory
from broker.domain.errors import BadAsk
from broker.domain.identity import OfficerLogin
from broker.domain.recipients import CORRECTED, ERASED, RESTRICTED
from broker.oversight.recipients import Receivers, receivers
from broker.view.phrases import Language
from broker.web.doors import Ceilings
from broker.web.dpo.figures import CSV, as_file
from broker.web.dpo.package import NO_CPR
from broker.web.dpo.room import Room
from broker.web.dpo.wish import NOT_HERE
from broker.web.pages.dates import danish
from broker.web.pages.filters import NO_SUCH_DAY
from broker.web.pages.forms import read, sent
from broker.web.pages.language import language_of
from broker.web.pages.show import Named
from broker.web.pages.words import marked, words_of
from broker.web.recipient_wire import RecipientsBody, receivers_body, wish_from
from broker.web.spreadsheet import spreadsheet

PLACE = "/dpo/package/recipients"
FIELDS = ("citizen", "aim", "source", "category", "since", "until")
AIM_WORDS = {
    CORRECTED: marked("It was wrong and is corrected"),
    ERASED: marked("It is erased"),
    RESTRICTED: marked("It may not be used for now"),
}
FAULTS = {
    "citizen": NO_CPR[0][1],
    "since": NO_SUCH_DAY,
    "until": marked("Write the day as year-month-day, and not before the first day."),
}
HEADINGS = (
    marked("Municipality"), marked("Unit"), marked("What"), marked("From"), marked("First time"), marked("Last time"),
    marked("How often"),
)  # fmt: skip
NOT_WHOLE = marked("Somebody has changed a line of the log. So a unit may be missing here.")


def build(room: Room, ceilings: Ceilings) -> APIRouter:
    """Build the form, and its answer as page or file."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_form(request: Request) -> Response:
        return await _form(request, room, await room.enter(request), {}, ())

    @routes.post(PLACE)
    async def post_form(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        written = form.filled(*FIELDS)
        body, wrong = read(RecipientsBody, written)
        if body is None:
            return await _form(request, room, officer, written, sorted(wrong, key=FIELDS.index))
        try:
            wish = wish_from(body, test_numbers=room.test_numbers)
            found = await receivers(wish, officer, room.ports, room.reader, ceilings.count_package)
        except BadAsk as fault:
            return await _form(request, room, officer, written, [fault.pointer.removeprefix("/")])
        match form.one("file"):
            case "json":
                return as_file(orjson.dumps(receivers_body(found)), "application/json", "recipients.json")
            case "csv":
                table = _table(found, room.ports.directory, language_of(request))
                return as_file(table, CSV, "recipients.csv")
            case _:
                return await room.show(request, "receivers.html", officer, found=found)

    return routes


async def _form(
    request: Request, room: Room, officer: OfficerLogin, written: Mapping[str, str], wrong: list[str] | tuple[()]
) -> Response:
    """Show the form with what was written in it, but for the number."""
    known, language = room.ports.directory, language_of(request)
    return await room.show(
        request,
        "recipients.html",
        officer,
        400 if wrong else 200,
        sources=_named(known.sources, language),
        categories=_named(known.categories, language),
        aims=AIM_WORDS,
        written={name: value for name, value in written.items() if name != "citizen"},
        faults=tuple((name, FAULTS.get(name, NOT_HERE)) for name in wrong),
    )


def _table(found: Receivers, directory: Directory, language: Language) -> bytes:
    """Write who got what as a table in the reader's language; what the registry no longer has keeps its id."""
    say = words_of(language).gettext
    units, sources, kinds = (
        dict(_named(rows, language)) for rows in (directory.units, directory.sources, directory.categories)
    )
    homes = directory.municipalities
    rows: list[tuple[str | int, ...]] = [
        (
            homes[row.municipality].name if row.municipality in homes else row.municipality,
            units.get(row.what.unit, row.what.unit),
            kinds.get(row.what.category, row.what.category),
            sources.get(row.what.source, row.what.source),
            danish(row.what.first).isoformat(timespec="seconds"),
            danish(row.what.last).isoformat(timespec="seconds"),
            row.what.times,
        )
        for row in found.rows
    ]
    # A table is read without its page: that a unit may be missing stands in it.
    missing = [] if found.whole else [(say(NOT_WHOLE),)]
    return spreadsheet([say(heading) for heading in HEADINGS], [*rows, *missing])


def _named(rows: Mapping[str, Named], language: Language) -> list[tuple[str, str]]:
    named = ((id_, row.name_da if language == "da" else row.name_en) for id_, row in rows.items())
    return sorted(named, key=lambda row: row[1])
