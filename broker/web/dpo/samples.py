"""`/dpo/samples`: the accesses that were drawn, each a small task, and how much of each unit was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from broker.domain.days import DANISH_TIME
from broker.domain.disclosed import ActorIdentity
from broker.domain.errors import BadAsk, Conflict
from broker.domain.samples import CLOSED, EXPLAINED, LATE, LONGEST_TEXT, OPEN, REOPENED, Coverage
from broker.oversight.reviews import Desk, coverage, listed, opened, take, who
from broker.oversight.signs import load_rules
from broker.view.phrases import Language
from broker.web.dpo.room import Room
from broker.web.inquiry_wire import words_from
from broker.web.pages.choices import BASES, OUTCOMES
from broker.web.pages.forms import sent
from broker.web.pages.language import language_of
from broker.web.pages.sorting import Cell, Laid, Order, Sort, laid, order_of
from broker.web.pages.told import told
from broker.web.pages.words import marked, words_of
from broker.web.sample_wire import month_name

PLACE = "/dpo/samples"
A_PAGE = 50
RULES = load_rules()
NO_WORDS = (("text", marked("Write what you have found. At most 2,000 signs.")),)
NOT_NEXT = (("text", marked("Somebody has taken this step already, or it is not yours to take.")),)
FAULTS = {"citizen_erased": (("text", marked("The citizen was erased meanwhile. What you wrote is not kept.")),)}
WORDS = {
    OPEN: marked("Waits for the leader"),
    EXPLAINED: marked("Explained"),
    CLOSED: marked("Closed"),
    REOPENED: marked("Opened again"),
}
# What the lists of reviews are asked for by.
STATE_WORDS = {LATE: marked("Late"), **WORDS}
COVERAGE = (
    marked("Month"), marked("Unit"), marked("Look-ups"), marked("Drawn"), marked("Explained"), marked("Closed"),
)  # fmt: skip
BADGES = {OPEN: "info", EXPLAINED: "info", CLOSED: "success", REOPENED: "warning"}
LABELS = {
    EXPLAINED: marked("Why was it needed?"),
    CLOSED: marked("What did you find?"),
    REOPENED: marked("What must be looked at again?"),
}
BUTTONS = {
    EXPLAINED: marked("Explain the access"),
    CLOSED: marked("Close the sample"),
    REOPENED: marked("Open it again"),
}


def build(room: Room, desk: Desk) -> APIRouter:
    """Build the list with the coverage, and the page of one."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_samples(
        request: Request, state: Annotated[str, Query(max_length=20)] = "",
        after: Annotated[str | None, Query(max_length=40)] = None, sort: Sort = "",
    ) -> Response:  # fmt: skip
        officer = await room.enter(request)
        wanted = state if state in STATE_WORDS else None
        found = await listed(officer, desk, state=wanted, after=after, limit=A_PAGE + 1)
        # What is late stands first, on the first page of all.
        urgent = () if wanted or after else await listed(officer, desk, state=LATE, limit=A_PAGE)
        page, kept = found[:A_PAGE], {"state": wanted} if wanted else {}
        more = f"{PLACE}?" + urlencode(kept | {"after": page[-1].id}) if len(found) > A_PAGE else None
        urgent_ids = {one.id for one in urgent}
        covered = _covered(await coverage(officer, desk), order_of(sort), kept, room, language_of(request))
        return await room.show(
            request, "samples.html", officer, urgent=urgent, rows=[one for one in page if one.id not in urgent_ids],
            more=more, first=after is None, state=wanted or "", coverage=covered, words=STATE_WORDS, badges=BADGES,
            month=month_name, rules=RULES, today=desk.clock.now().astimezone(DANISH_TIME).date(),
        )  # fmt: skip

    @routes.get(PLACE + "/{sample}")
    async def get_sample(request: Request, sample: str) -> Response:
        return await _page(request, room, desk, sample)

    _add_steps(routes, room, desk)
    return routes


def _covered(
    rows: Sequence[Coverage], order: Order | None, kept: Mapping[str, str], room: Room, language: Language
) -> Laid[Coverage]:
    """Lay out how much was looked at, in the order asked for."""
    say, units = words_of(language).gettext, room.ports.directory.units

    def cells(row: Coverage) -> tuple[Cell, ...]:
        unit = units.get(row.unit)
        name = row.unit if unit is None else unit.name_da if language == "da" else unit.name_en
        return row.since, name, row.accesses, row.drawn, row.explained, row.closed

    return laid("coverage", [say(head) for head in COVERAGE], rows, cells, order, (PLACE, kept))


def _add_steps(routes: APIRouter, room: Room, desk: Desk) -> None:
    """Add what changes something: the next step, and being told who it was."""

    @routes.post(PLACE + "/{sample}")
    async def post_step(request: Request, sample: str) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        text, step = form.one("text"), form.one("step")
        try:
            # Of an erased citizen the form asks for no words, and the use case takes none.
            await take(sample, step, words_from(text) if "text" in form.fields else None, officer, desk)
        except BadAsk:
            return await _page(request, room, desk, sample, text[:LONGEST_TEXT], NO_WORDS)
        except Conflict as conflict:
            return await _page(request, room, desk, sample, text[:LONGEST_TEXT], FAULTS.get(conflict.what, NOT_NEXT))
        return RedirectResponse(f"{PLACE}/{sample}", 303)

    @routes.post(PLACE + "/{sample}/who")
    async def post_who(request: Request, sample: str) -> Response:
        officer = await room.enter(request)
        await sent(request)
        try:
            employee = await who(sample, officer, desk)
        except Conflict:
            return await _page(request, room, desk, sample, "", NOT_NEXT)
        return await _page(request, room, desk, sample, employee=employee)


async def _page(
    request: Request, room: Room, desk: Desk, sample: str, text: str = "", faults: tuple[tuple[str, str], ...] = (),
    employee: ActorIdentity | None = None,
) -> Response:  # fmt: skip
    officer = await room.enter(request)
    found = await opened(sample, officer, desk)
    today = desk.clock.now().astimezone(DANISH_TIME).date()
    return await room.show(
        request, "sample.html", officer, 400 if faults else 200, one=found.sample, step=found.step,
        today=today, row=told(dict(found.entry.index)) if found.entry else None, words=WORDS,
        badges=BADGES, labels=LABELS, buttons=BUTTONS, outcomes=OUTCOMES, bases=BASES, rules=RULES, text=text,
        faults=faults, longest=LONGEST_TEXT, may_learn_who=found.may_learn_who and employee is None, employee=employee,
    )  # fmt: skip
