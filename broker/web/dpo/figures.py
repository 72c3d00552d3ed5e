"""`/dpo/figures`: a month in numbers, each table beside its picture and as a file; and what may leave the house.

Each look is on the log first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response

from broker.domain.days import DANISH_TIME
from broker.domain.errors import BadAsk, Conflict, NotFound
from broker.domain.figures import Figures, Refusals
from broker.domain.identity import OfficerLogin
from broker.oversight.figures import Desk, chosen, figures, may_lack
from broker.oversight.publication import Press, publish, quarter_before
from broker.oversight.samples import month_at, month_of
from broker.view.phrases import Language
from broker.web.dpo.figure_tables import LAID, Table, table, tables
from broker.web.dpo.room import Room
from broker.web.figure_wire import refusals_body
from broker.web.pages.dates import month_words
from broker.web.pages.forms import sent
from broker.web.pages.language import language_of
from broker.web.pages.sorting import Cell, Laid, Sort, laid, order_of
from broker.web.pages.words import Words, marked, words_of
from broker.web.spreadsheet import spreadsheet

PLACE = "/dpo/figures"
CSV = "text/csv; charset=utf-8"
MONTHS_BACK = 36
QUARTERS_BACK = 8
NO_MONTH = (("month", marked("Choose a month from the list.")),)
CHOOSE_QUARTER = marked("Choose a quarter from the list.")
NO_QUARTER = {
    "quarter_runs": marked("The quarter is not over yet."),
    "too_late": marked("Nobody made that quarter ready in time. It can be done until the next quarter is over."),
    "entry_gone": marked("The line of the log that holds these numbers cannot be opened."),
}
Municipality = Annotated[str, Query(max_length=60)]
Month = Annotated[str, Query(max_length=7)]


def build(room: Room, press: Press) -> APIRouter:
    """Build the page, each of its tables as a file, and the file for others."""
    routes, desk = APIRouter(include_in_schema=False), press.figures

    @routes.get(PLACE)
    async def get_figures(
        request: Request, municipality: Municipality = "", month: Month = "", sort: Sort = ""
    ) -> Response:  # fmt: skip
        officer = await room.enter(request)
        try:
            found = await figures(municipality, month, officer, desk)
        except BadAsk:
            return await _page(request, room, desk, officer, municipality, "")
        shown = _laid(found, room, language_of(request), sort)
        return await _page(request, room, desk, officer, found.municipality, found.month, tables=shown, faults=())

    @routes.get(PLACE + "/{name}.csv")
    async def get_table(
        request: Request, name: str, municipality: Municipality = "", month: Month = ""
    ) -> Response:  # fmt: skip
        officer = await room.enter(request)
        if name not in LAID:
            raise NotFound
        found = await figures(municipality, month, officer, desk, table=name)
        told = table(name, found, room.ports.directory, language_of(request))
        rows = [[_written(cell) for cell in row] for row in told.rows]
        return as_file(spreadsheet(told.columns, rows), CSV, f"{name}-{found.municipality}-{found.month}.csv")

    @routes.post(PLACE + "/published")
    async def post_published(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        home, quarter = form.one("municipality"), form.one("quarter")
        try:
            found = await publish(home, quarter, officer, press)
        except (BadAsk, Conflict) as refused:
            why = NO_QUARTER.get(refused.what, CHOOSE_QUARTER)
            return await _page(request, room, desk, officer, home, "", faults=(("quarter", why),))
        name = f"refusals-{found.municipality}-{found.quarter}"
        if form.one("form") == "json":
            body = orjson.dumps(refusals_body(found, room.ports.directory))
            return as_file(body, "application/json", f"{name}.json")
        return as_file(_refusals(found, room, language_of(request)), CSV, f"{name}.csv")

    return routes


def _laid(found: Figures, room: Room, language: Language, sort: str) -> list[tuple[Table, Laid[tuple[Cell, ...]]]]:
    """Lay each table out, its lines in the order that was asked for."""
    place = (PLACE, {"municipality": found.municipality, "month": found.month})
    return [
        (one, laid(one.name, one.columns, one.rows, tuple, order_of(sort), place))
        for one in tables(found, room.ports.directory, language)
    ]


def _refusals(found: Refusals, room: Room, language: Language) -> bytes:
    """Write what may leave the house as a spreadsheet; what is withheld says so."""
    words = words_of(language)
    body = refusals_body(found, room.ports.directory)
    heads = [words.gettext(head) for head in (marked("Reason"), marked("Law"))]
    withheld, summed = words.gettext(marked("not shown")), words.gettext(marked("Sum"))

    def counts(row: Sequence[int | None]) -> list[str | int]:
        return [withheld if count is None else count for count in row]

    rows = [[row[language], row["paragraph"], *counts([*row["citizens"], row["sum"]])] for row in body["reasons"]]
    last = [summed, "", *counts([*found.columns, found.total])]
    return spreadsheet([*heads, *found.months, summed], [*rows, last])


def as_file(data: bytes, kind: str, name: str) -> Response:
    """Give a file to keep."""
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def _page(
    request: Request, room: Room, desk: Desk, officer: OfficerLogin, municipality: str, month: str, **shown: Any
) -> Response:
    home, today = chosen(municipality, officer), month_at(desk.clock.now())
    language, gone = language_of(request), may_lack(home, room.ports.directory, desk.clock.now())
    lacks = gone if gone and month and month_of(month)[0] < gone.timestamp() else None
    told: dict[str, Any] = {"tables": (), "faults": NO_MONTH} | shown
    return await room.show(
        request, "figures.html", officer, 400 if told["faults"] else 200, home=home, month=month or today,
        months=_months(desk, month, gone, language), lacks=lacks, quarters=_quarters(desk, words_of(language)),
        month_name=month_words(month or today, language),
        kept=urlencode({"municipality": home, "month": month}), municipalities=_named(officer, room), **told,
    )  # fmt: skip


def _named(officer: OfficerLogin, room: Room) -> list[tuple[str, str]]:
    known = room.ports.directory.municipalities
    return sorted((id_, known[id_].name if id_ in known else id_) for id_ in officer.municipalities)


def _months(desk: Desk, also: str, gone: datetime | None, language: Language) -> list[tuple[str, str]]:
    """List the months to choose from, of which nothing is deleted yet, the newest first, and the one that is shown."""
    day, months = desk.clock.now().astimezone(DANISH_TIME).date(), set[str]()
    for _ in range(MONTHS_BACK):
        if gone is None or month_of(f"{day:%Y-%m}")[0] >= gone.timestamp():
            months.add(f"{day:%Y-%m}")
        day = day.replace(day=1) - timedelta(days=1)
    return [(month, month_words(month, language)) for month in sorted(months | ({also} - {""}), reverse=True)]


def _quarters(desk: Desk, words: Words) -> list[tuple[str, str]]:
    """List the last quarters that are over, the newest first."""
    quarter, found = quarter_before(desk.clock.now().astimezone(DANISH_TIME).date()), list[str]()
    for _ in range(QUARTERS_BACK):
        found.append(quarter)
        quarter = quarter_before(date(int(quarter[:4]), int(quarter[-1]) * 3, 1))
    word = words.gettext(marked("quarter"))
    return [(quarter, f"{quarter[:4]}, {word} {quarter[-1]}") for quarter in found]


def _written(cell: Cell) -> str | int:
    return cell.isoformat() if isinstance(cell, date) else cell
