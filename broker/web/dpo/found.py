"""`/dpo/find` and a line of the log: who names a person sends a form; what is opened is written down first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broker.domain.errors import BadAsk, NotFound
from broker.domain.personal import Personal
from broker.oversight.lines import open_line
from broker.oversight.names import LONGEST_WHY
from broker.oversight.names import Desk as Naming
from broker.oversight.saved import Desk
from broker.oversight.search import Line, Wanted, search
from broker.web.access_wire import CASE, HANDLE
from broker.web.dpo.log import A_PAGE, WORDS, Faults, log_page, rows_of
from broker.web.dpo.room import Room
from broker.web.dpo.wish import NOT_HERE, Criteria, Written, wish_of_codes
from broker.web.kept_wire import NAMES
from broker.web.pages.forms import Sent, read, sent
from broker.web.pages.show import go_to
from broker.web.pages.told import told
from broker.web.pages.words import marked
from broker.web.wire import cpr_of

NO_CPR = ("citizen", marked("Write the citizen's CPR number with ten digits."))
NO_CASE = ("case", marked("Write the number of the case as the unit does."))
NO_UNIT = ("unit", marked("Choose the unit whose case it is."))
NO_HANDLE = ("actor", marked("Write the code that a line has for the employee: 32 signs."))
SHAPES = (("actor", HANDLE, NO_HANDLE), ("case_handle", HANDLE, NO_CASE), ("case", CASE, NO_CASE))
# Who or what names a person: never in an address.
PEOPLE = ("citizen", "same", "case", "case_handle", "actor")
SAME_CITIZEN = marked("Lines about the same person")
SAME_EMPLOYEE = marked("Lines of the same employee")
SAME_CASE = marked("Lines of the same case")
ANSWERS = {"release": marked("shown"), "mask": marked("shown in part"), "withhold": marked("kept back")}
LINE = re.compile(r"([A-Za-z][A-Za-z0-9_.:-]{0,62})/(\d{1,4})/(\d{1,18})", re.ASCII)


def build(room: Room, desk: Desk, naming: Naming) -> APIRouter:
    """Build the search with people, and the page of a line."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/dpo/find")
    async def post_find(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        criteria, wrong = read(Criteria, form.filled(*NAMES, "cursor"))
        if criteria is None:
            faults = tuple((name, NOT_HERE) for name in sorted(wrong))
            return await log_page(request, room, officer, wish_of_codes(Criteria()), desk, faults=faults)
        written, people = wish_of_codes(criteria), form.filled(*PEOPLE)
        if not people and not written.faults:
            return go_to("/dpo?" + urlencode([*written.kept.items()]))
        wanted, faults = _with_people(written, form, test_numbers=room.test_numbers)
        if faults or written.faults:
            return await log_page(request, room, officer, written, desk, faults=faults)
        try:
            page = await search(wanted, officer, room.ports, room.reader, room.ceilings.count_search)
        except BadAsk as wrong:
            if wrong.pointer != "/actor":
                raise
            return await log_page(request, room, officer, written, desk, faults=(NO_HANDLE,))
        again = dict(written.kept) | people | ({"cursor": page.next} if page.next else {})
        named = wanted.citizen is not None or wanted.about is not None
        return await room.show(request, "found.html", officer, rows=rows_of(page), more=page.next, again=again,
                               named=named, **WORDS)  # fmt: skip

    _add_line(routes, room, naming)
    return routes


def _add_line(routes: APIRouter, room: Room, naming: Naming) -> None:
    """Add the page of a line."""

    @routes.get("/dpo/lines/{municipality}/{year}/{index}")
    async def get_line(request: Request, municipality: str, year: str, index: str) -> Response:
        officer = await room.enter(request)
        place = f"{municipality}/{year}/{index}"
        entry = await open_line(line_of(place), officer, room.ports, room.reader, room.ceilings.count_line)
        row, body = told(dict(entry.index)), told(dict(entry.body or {}))
        by_employee = await naming.handles.is_employee(row["actor"] or "")
        return await room.show(
            request, "line.html", officer, entry=entry, row=row, body=body, answers=ANSWERS, place=place,
            more=_more(row, place, by_employee=by_employee), by_employee=by_employee, longest=LONGEST_WHY,
            why=await naming.disclosures.why(entry), **WORDS,
        )  # fmt: skip


def line_of(text: str) -> Line:
    """Read the place of a line; raise `NotFound` for what is none."""
    match = LINE.fullmatch(text)
    if match is None:
        raise NotFound
    return Line(match[1], int(match[2]), int(match[3]))


def _more(row: Mapping[str, Any], place: str, *, by_employee: bool) -> list[tuple[str, dict[str, str]]]:
    """List what can be looked for from a line: button and fields."""
    more = [(SAME_CITIZEN, {"same": place})]
    more += [(SAME_EMPLOYEE, {"actor": row["actor"]})] if by_employee else []
    more += [(SAME_CASE, {"case_handle": row["case"]})] if row["case"] else []
    return more


def _with_people(written: Written, form: Sent, *, test_numbers: bool) -> tuple[Wanted, Faults]:
    """Add to a wish who and what was named; say what is wrong with it."""
    wanted, named = written.wanted(A_PAGE), dict[str, Any]()
    faults = [fault for field, shape, fault in SHAPES if form.one(field) and not re.fullmatch(shape, form.one(field))]
    if form.one("citizen"):
        try:
            named["citizen"] = cpr_of(form.one("citizen"), pointer="/citizen", test_numbers=test_numbers)
        except BadAsk:
            faults.append(NO_CPR)
    if form.one("same"):
        named["about"] = line_of(form.one("same"))
    if form.one("case"):
        named["case"] = Personal(form.one("case"))
        faults += [NO_UNIT] if wanted.filter.unit is None else []
    found = replace(wanted.filter, actor=form.one("actor") or None, case=form.one("case_handle") or None)
    return replace(wanted, filter=found, **named), tuple(faults)
