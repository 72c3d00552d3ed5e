"""`/dpo/lines/…/who` and `/dpo/employee`: whose a code is, and which code somebody has; why is written down first.

What was written is not shown again beside a fault: it may be a number, or be about somebody.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.domain.entries import LogFilter
from broker.domain.errors import BadAsk, Conflict
from broker.domain.identity import OfficerLogin
from broker.oversight.names import LONGEST_WHY, NOBODY, NOT_WHOLE, OF_ANOTHER, Desk, code_of, employers_of, name_behind
from broker.oversight.search import Wanted, search
from broker.web.dpo.found import line_of
from broker.web.dpo.log import A_PAGE, WORDS, Faults, rows_of
from broker.web.dpo.room import Room
from broker.web.named_wire import sought_from, why_from
from broker.web.pages.forms import sent
from broker.web.pages.words import marked

SEARCH = "/dpo/employee"
NO_WHY: Faults = (("why", marked("Write why, in at most 500 signs and without a CPR number.")),)
NO_ID: Faults = (("employee", marked("Write the id that the employer uses for the employee.")),)
NO_EMPLOYER: Faults = (("issuer", marked("Choose the employer.")),)
REFUSED = {
    OF_ANOTHER: (("why", marked("This employee works for another municipality. Its own overseers may see the name.")),),
    NOBODY: (("why", marked("No employee did this, so there is no name to see.")),),
    NOT_WHOLE: (("why", marked("Somebody has changed this line. So no name is shown.")),),
}
FAULTS = {"/why": NO_WHY, "/employee/id": NO_ID, "/employee/issuer": NO_EMPLOYER}


def build(room: Room, desk: Desk) -> APIRouter:
    """Build the answer to who did it, and the search by an employee."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/dpo/lines/{municipality}/{year}/{index}/who")
    async def post_who(request: Request, municipality: str, year: str, index: str) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        place, employee, faults = f"{municipality}/{year}/{index}", None, NO_WHY
        try:
            employee = await name_behind(line_of(place), why_from(form.one("why")), officer, desk)
            faults = ()
        except BadAsk:
            pass
        except Conflict as conflict:
            faults = REFUSED.get(conflict.what, NO_WHY)
        return await room.show(
            request, "named.html", officer, 400 if faults else 200, place=place, employee=employee, faults=faults,
            longest=LONGEST_WHY,
        )  # fmt: skip

    @routes.get(SEARCH)
    async def get_search(request: Request) -> Response:
        return await _form(request, room, await room.enter(request), desk)

    @routes.post(SEARCH)
    async def post_search(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        try:
            sought, why = sought_from(form.one("employee"), form.one("issuer")), why_from(form.one("why"))
            code = await code_of(sought, why, officer, desk)
        except BadAsk as wrong:
            return await _form(request, room, officer, desk, FAULTS[wrong.pointer])
        rows, more = [], None
        if code is not None:
            wanted = Wanted(LogFilter(actor=code), limit=A_PAGE)
            page = await search(wanted, officer, room.ports, room.reader, room.ceilings.count_search)
            rows, more = rows_of(page), page.next
        # What comes after the first page is looked for by the code: it is on the log whose that is.
        again = {"actor": code or "", "cursor": more or ""}
        return await room.show(request, "found.html", officer, rows=rows, more=more, again=again, named=False, **WORDS)

    return routes


async def _form(request: Request, room: Room, officer: OfficerLogin, desk: Desk, faults: Faults = ()) -> Response:
    known = room.ports.directory.municipalities
    mine = [(issuer, f"{known[desk.employers[issuer]].name}, {issuer}") for issuer in employers_of(officer, desk)]
    return await room.show(
        request, "employee.html", officer, 400 if faults else 200, employers=mine, faults=faults,
        longest=LONGEST_WHY,
    )  # fmt: skip
