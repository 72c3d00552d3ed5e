"""`/dpo`: how the logs stand, the check of all of them, the list with its filter, and one citizen's entries.

A filter of codes stands in the address and can be kept; a citizen's number stands in a form's body and nowhere else.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from broker.domain.entries import LogEntry, LogFilter, LogPage
from broker.domain.erasure import places_in
from broker.domain.errors import BadAsk
from broker.domain.identity import OfficerLogin
from broker.oversight.search import Wanted, search, state_of_logs, verify
from broker.web.dpo.choices import BASES, CODES, DAYS, KINDS, OUTCOMES, Wish, choices, wish_of
from broker.web.dpo.room import Room
from broker.web.pages.forms import sent
from broker.web.pages.language import language_of
from broker.web.pages.told import told
from broker.web.pages.words import marked
from broker.web.wire import CODE, cpr_of

A_PAGE = 50
# A log at rest is cosigned every two minutes; after five without, something is wrong.
ALARM_MINUTES = 5
Code = Annotated[str, Query(pattern=rf"^$|{CODE}")]
Day = Annotated[str, Query(max_length=10)]
Cursor = Annotated[str | None, Query(max_length=80)]
NO_CPR = (("citizen", marked("Write the citizen's CPR number with ten digits.")),)
WORDS: dict[str, Any] = {"kinds": KINDS, "outcomes": OUTCOMES, "bases": BASES, "places": places_in}


def build(room: Room) -> APIRouter:
    """Build the overseer's pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/dpo")
    async def get_log(
        request: Request, kind: Code = "", unit: Code = "", purpose: Code = "", outcome: Code = "", reason: Code = "",
        source: Code = "", since: Day = "", until: Day = "", cursor: Cursor = None,
    ) -> Response:  # fmt: skip
        officer = await room.enter(request)
        written = dict(zip((*CODES, *DAYS), (kind, unit, purpose, outcome, reason, source, since, until), strict=True))
        wish = wish_of({name: value for name, value in written.items() if value})
        return await _log_page(request, room, officer, wish, cursor)

    @routes.post("/dpo/verify")
    async def post_verify(request: Request) -> Response:
        officer = await room.enter(request)
        verdicts = await verify(officer, room.ports, room.reader)
        intact = all(verdict.intact for verdict in verdicts)
        at = room.ports.clock.now()
        return await room.show(request, "verified.html", officer, verdicts=verdicts, intact=intact, at=at)

    @routes.post("/dpo/citizen")
    async def post_citizen(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        try:
            citizen = cpr_of(form.one("citizen"), pointer="/citizen", test_numbers=room.test_numbers)
        except BadAsk:
            return await _log_page(request, room, officer, wish_of({}), None, faults=NO_CPR, status=400)
        wanted = Wanted(LogFilter(), citizen, form.one("cursor") or None, A_PAGE)
        page = await search(wanted, officer, room.ports, room.reader)
        again = {"citizen": citizen.disclose()} | ({"cursor": page.next} if page.next else {})
        return await room.show(request, "citizen.html", officer, rows=_rows(page), more=page.next, again=again, **WORDS)

    return routes


def _rows(page: LogPage) -> list[tuple[LogEntry, Any]]:
    """Pair each entry with its index row, in which a field that its kind does not have reads as None."""
    return [(entry, told(dict(entry.index))) for entry in page.entries]


async def _log_page(
    request: Request, room: Room, officer: OfficerLogin, wish: Wish, cursor: str | None, *,
    faults: tuple[tuple[str, str], ...] = (), status: int = 200,
) -> Response:  # fmt: skip
    wrong = (*wish.faults, *faults)
    page = None
    if not wrong:
        page = await search(Wanted(wish.filter, None, cursor, A_PAGE), officer, room.ports, room.reader)
    older = None
    if page is not None and page.next is not None:
        older = "/dpo?" + urlencode([*wish.written.items(), ("cursor", page.next)])
    shown: dict[str, Any] = choices(room.ports.directory, language_of(request)) | WORDS
    return await room.show(
        request,
        "log.html",
        officer,
        400 if wrong else status,
        states=await state_of_logs(officer, room.reader),
        alarm_minutes=ALARM_MINUTES,
        now=room.clock.now(),
        rows=None if page is None else _rows(page),
        wish=wish.written,
        older=older,
        first=cursor is None,
        faults=wrong,
        **shown,
    )
