"""`/dpo`: how the logs stand, the check of all of them, and the list with its filter.

A filter of codes stands in the address and can be kept; whoever names a person sends a form, and stands in its body and
nowhere else (`found.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from broker.domain.entries import LogEntry, LogPage
from broker.domain.erasure import places_in
from broker.domain.identity import OfficerLogin
from broker.oversight.after_checks import count_escalated
from broker.oversight.saved import Desk, saved_searches
from broker.oversight.search import search, state_of_logs
from broker.oversight.tasks import Desk as TaskDesk
from broker.oversight.tasks import Task, tasks
from broker.web.dpo.room import Room
from broker.web.dpo.wish import Criteria, Written, wish_of_codes
from broker.web.login import LEADER, LEADERS_HOME
from broker.web.pages.choices import BASES, KINDS, OUTCOMES, choices
from broker.web.pages.language import language_of
from broker.web.pages.show import go_to
from broker.web.pages.told import told

A_PAGE = 50
# A log at rest is cosigned every two minutes; after five without, something is wrong.
ALARM_MINUTES = 5
Faults = tuple[tuple[str, str], ...]
WORDS: dict[str, Any] = {"kinds": KINDS, "outcomes": OUTCOMES, "bases": BASES, "places": places_in}


def build(room: Room, desk: Desk, waiting: TaskDesk) -> APIRouter:
    """Build the page; each is told on it of what waits for them, a DPO also of what is escalated to them."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/dpo")
    async def get_log(request: Request, criteria: Annotated[Criteria, Query()]) -> Response:
        officer = await room.enter(request)
        if officer.role == LEADER:
            # The front page's link and a log-in lead here; the log is not theirs to read, their units' reviews are.
            return go_to(LEADERS_HOME)
        written = wish_of_codes(criteria)
        escalated = await count_escalated(officer, waiting.after_checks)
        # Where they begin, they are told what waits; who pages through a search is not asked of it again.
        mine = None if request.url.query else await tasks(officer, waiting)
        return await log_page(request, room, officer, written, desk, escalated=escalated, mine=mine)

    return routes


def rows_of(page: LogPage) -> list[tuple[LogEntry, Any]]:
    """Pair each entry with its index row, in which a field that its kind does not have reads as None."""
    return [(entry, told(dict(entry.index))) for entry in page.entries]


async def log_page(
    request: Request, room: Room, officer: OfficerLogin, written: Written, desk: Desk, *, faults: Faults = (),
    escalated: int = 0,
    mine: Sequence[Task] | None = None,
) -> Response:  # fmt: skip
    """Show the logs, the form with what was written in it, and what was found where nothing is wrong."""
    wrong, page = (*written.faults, *faults), None
    if not wrong:
        page = await search(written.wanted(A_PAGE), officer, room.ports, room.reader, room.ceilings.count_search)
    older = None
    if page is not None and page.next is not None:
        older = "/dpo?" + urlencode([*written.kept.items(), ("cursor", page.next)])
    shown: dict[str, Any] = choices(room.ports.directory, language_of(request)) | WORDS
    known = room.ports.directory.municipalities
    return await room.show(
        request,
        "log.html",
        officer,
        400 if wrong else 200,
        states=await state_of_logs(officer, room.reader),
        alarm_minutes=ALARM_MINUTES,
        now=room.clock.now(),
        rows=None if page is None else rows_of(page),
        wish=written.kept,
        older=older,
        saved=[(one, "/dpo?" + urlencode([*one.criteria.items()])) for one in await saved_searches(officer, desk)],
        first=written.criteria.cursor is None,
        homes=sorted((home, known[home].name) for home in officer.municipalities if home in known),
        faults=wrong,
        escalated=escalated,
        mine=mine,
        **shown,
    )
