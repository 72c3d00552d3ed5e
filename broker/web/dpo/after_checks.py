"""`/dpo/break-glass`: what was asked in danger to life, looked into within three working days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from broker.domain.after_checks import (
    BEFORE,
    ESCALATED,
    LATER,
    NONE,
    NOT_YET,
    REPEATED,
    UNEXPLAINED,
    USE,
    AfterCheck,
)
from broker.domain.days import DANISH_TIME
from broker.domain.disclosed import ActorIdentity
from broker.domain.errors import BadAsk, Conflict
from broker.domain.notices import PAPER
from broker.domain.samples import CLOSED, EXPLAINED, LATE, LONGEST_TEXT, REOPENED
from broker.oversight.after_checks import AfterCheckDesk, listed, opened, take, who
from broker.web.after_check_wire import use_body
from broker.web.dpo.room import Room
from broker.web.dpo.samples import BADGES, FAULTS, LABELS, NO_WORDS, NOT_NEXT, STATE_WORDS, WORDS
from broker.web.inquiry_wire import words_from
from broker.web.pages.choices import KINDS, OUTCOMES
from broker.web.pages.forms import sent
from broker.web.pages.told import told
from broker.web.pages.words import marked

PLACE = "/dpo/break-glass"
A_PAGE = 50
WHAT = {USE: marked("Danger to life"), REPEATED: marked("Three times in 30 days")}
ASKED_WORDS = {LATE: STATE_WORDS[LATE], ESCALATED: marked("The DPO was told"), **WORDS}
DONE_WORDS = WORDS | {
    ESCALATED: marked("Late: the DPO was told"),
    UNEXPLAINED: marked("Closed without the leader's words"),
}
SAID = {"yes": marked("Yes"), "no": marked("No"), "nothing": marked("Not answered")}
BUTTONS = {
    EXPLAINED: marked("Send the explanation"),
    CLOSED: marked("Close the case"),
    REOPENED: marked("Open it again"),
}
RELATIONS = {
    BEFORE: marked("The employee had a case of the citizen before."),
    LATER: marked("The employee got a case of the citizen later."),
    NONE: marked("No case ties the employee to the citizen."),
    NOT_YET: marked("No case ties the employee to the citizen yet."),
}
CHANNELS = {"digital_post": marked("Digital Post"), "email": marked("e-mail"), PAPER: marked("paper")}
# databeskyttelsesloven § 22, stk. 1 and 2; sundhedsloven § 43, stk. 4.
GROUNDS = {
    "dbl22_1": marked("private interests"),
    "dbl22_2": marked("public interests"),
    "sul43_4": marked("danger to somebody"),
}


def build(room: Room, desk: AfterCheckDesk) -> APIRouter:
    """Build the list, the page of one, its next step, and who asked."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_after_checks(
        request: Request, state: Annotated[str, Query(max_length=20)] = "",
        after: Annotated[str | None, Query(max_length=40)] = None,
    ) -> Response:  # fmt: skip
        officer = await room.enter(request)
        wanted = state if state in ASKED_WORDS else None
        found = await listed(officer, desk, state=wanted, after=after, limit=A_PAGE + 1)
        # What is late stands first, on the first page of all.
        urgent = () if wanted or after else await listed(officer, desk, state=LATE, limit=A_PAGE)
        page, urgent_ids = found[:A_PAGE], {one.id for one in urgent}
        return await room.show(
            request, "after-checks.html", officer, urgent=urgent, more=_more(found, wanted), first=after is None,
            rows=[one for one in page if one.id not in urgent_ids], words=ASKED_WORDS, state=wanted or "",
            badges=BADGES, what=WHAT, today=desk.clock.now().astimezone(DANISH_TIME).date(),
        )  # fmt: skip

    @routes.get(PLACE + "/{after_check}")
    async def get_after_check(request: Request, after_check: str) -> Response:
        return await _page(request, room, desk, after_check)

    _add_steps(routes, room, desk)
    return routes


def _more(found: Sequence[AfterCheck], state: str | None) -> str | None:
    """Give the address of the next page, where there is one."""
    if len(found) <= A_PAGE:
        return None
    kept = {"state": state} if state else {}
    return f"{PLACE}?" + urlencode(kept | {"after": found[A_PAGE - 1].id})


def _add_steps(routes: APIRouter, room: Room, desk: AfterCheckDesk) -> None:
    """Add what changes something: the next step, and being told who it was."""

    @routes.post(PLACE + "/{after_check}")
    async def post_step(request: Request, after_check: str) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        text, step = form.one("text"), form.one("step")
        try:
            await take(after_check, step, words_from(text) if "text" in form.fields else None, officer, desk)
        except BadAsk:
            return await _page(request, room, desk, after_check, text[:LONGEST_TEXT], NO_WORDS)
        except Conflict as conflict:
            faults = FAULTS.get(conflict.what, NOT_NEXT)
            return await _page(request, room, desk, after_check, text[:LONGEST_TEXT], faults)
        return RedirectResponse(f"{PLACE}/{after_check}", 303)

    @routes.post(PLACE + "/{after_check}/who")
    async def post_who(request: Request, after_check: str) -> Response:
        officer = await room.enter(request)
        await sent(request)
        try:
            employee = await who(after_check, officer, desk)
        except Conflict:
            return await _page(request, room, desk, after_check, "", NOT_NEXT)
        return await _page(request, room, desk, after_check, employee=employee)


async def _page(
    request: Request, room: Room, desk: AfterCheckDesk, after_check: str, text: str = "",
    faults: tuple[tuple[str, str], ...] = (), employee: ActorIdentity | None = None,
) -> Response:  # fmt: skip
    officer = await room.enter(request)
    found = await opened(after_check, officer, desk)
    today = desk.clock.now().astimezone(DANISH_TIME).date()
    uses = [(seen, told(use_body(seen, desk.directory))) for seen in found.requests]
    return await room.show(
        request, "after-check.html", officer, 400 if faults else 200, one=found.after_check, step=found.step,
        today=today, uses=uses, words=WORDS, done_words=DONE_WORDS, leader_until=found.leader_until,
        badges=BADGES, labels=LABELS, buttons=BUTTONS, what=WHAT, said=SAID, kinds=KINDS,
        outcomes=OUTCOMES, relations=RELATIONS, channels=CHANNELS, grounds=GROUNDS, reasons=desk.directory.emergency,
        may_learn_who=found.may_learn_who and employee is None, employee=employee, text=text, faults=faults,
        longest=LONGEST_TEXT,
    )  # fmt: skip
