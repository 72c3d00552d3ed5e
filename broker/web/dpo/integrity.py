"""`/dpo/integrity`: how each log stands with what to do about it, and the checks of whole logs as they go on."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from broker.domain.errors import Conflict
from broker.domain.integrity import (
    BAD_SIGNATURE,
    BROKEN_OFF,
    CHECK_BROKEN_OFF,
    CHECK_FOUND,
    CHECK_OLD,
    CHECK_SILENT,
    ENDED,
    FORKED,
    LATE,
    NEVER_CHECKED,
    NEVER_SIGNED,
    OPEN_ASKS,
    REFUSING,
    ROLLED_BACK,
    RUNNING,
    SHORT_OF_WITNESSES,
    STILL_KEPT_BACK,
)
from broker.oversight.integrity import Desk, begin_checks, checks, standings
from broker.web.dpo.room import Room
from broker.web.pages.forms import sent
from broker.web.pages.words import marked

PLACE = "/dpo/integrity"
AGAIN_SECONDS = 5
# What each alarm means, and what to do.
ALARM_WORDS = {
    ROLLED_BACK: marked(
        "The log is shorter than what was signed. Call the operator now. Nobody may restart anything. Ask the witnesses what they signed last."  # noqa: E501 - one sentence of the catalogue
    ),
    FORKED: marked(
        "The log does not go on from what was signed before. Call the operator now. Ask the witnesses what they signed last."  # noqa: E501 - one sentence of the catalogue
    ),
    BAD_SIGNATURE: marked("The newest head is not signed with the log's own key. Call the operator now."),
    CHECK_FOUND: marked("The last check found faults. Read them below, and call the operator."),
    CHECK_SILENT: marked(
        "A check ended and could not say what it found. The log itself may be the cause. Call the operator now."
    ),
    REFUSING: marked("The witnesses have been away too long, and asks are refused. Call the operator now."),
    LATE: marked("The witnesses are late. Call the operator: soon asks are refused."),
    NEVER_SIGNED: marked("Nothing of the log is signed yet. Call the operator if it is still so in five minutes."),
    SHORT_OF_WITNESSES: marked("Too few witnesses have signed. Ask the operator which one is silent."),
    OPEN_ASKS: marked("Some asks have no outcome. See the lines below, and ask the operator what went wrong then."),
    STILL_KEPT_BACK: marked(
        "Lines are kept back from a citizen though their time is over. Call the operator: a clock may be wrong."
    ),
    CHECK_BROKEN_OFF: marked(
        "The newest check was broken off. Let it begin again. Call the operator if it breaks off again."
    ),
    NEVER_CHECKED: marked("The log was never checked from the first line to the last. Check it now."),
    CHECK_OLD: marked("It is more than a month since the log was checked. Check it now."),
}
URGENT = frozenset({ROLLED_BACK, FORKED, BAD_SIGNATURE, CHECK_FOUND, CHECK_SILENT, REFUSING})
STATE_WORDS = {RUNNING: marked("Under way"), ENDED: marked("Ended"), BROKEN_OFF: marked("Broken off")}
Follow = Annotated[str, Query(max_length=10)]


def build(room: Room, desk: Desk) -> APIRouter:
    """Build the state of the logs, the button that begins a check, and its progress."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_integrity(request: Request) -> Response:
        officer = await room.enter(request)
        found = await standings(officer, desk)
        now, mine = desk.clock.now(), await desk.handles.officer(officer)
        return await room.show(
            request, "integrity.html", officer, rows=[(one, one.alarms(now)) for one in found], words=ALARM_WORDS,
            urgent=URGENT, mine=mine,
        )  # fmt: skip

    @routes.get(PLACE + "/checks")
    async def get_checks(request: Request, follow: Follow = "") -> Response:
        officer = await room.enter(request, by_itself=bool(follow))
        found = await checks(officer, desk)
        runs = sorted((run for of_log in found.values() for run in of_log), key=lambda run: run.begun_at, reverse=True)
        going = any(run.state == RUNNING for run in runs)
        answer = await room.show(
            request, "checks.html", officer, runs=runs, going=going, follow=bool(follow), states=STATE_WORDS,
            mine=await desk.handles.officer(officer), seconds=AGAIN_SECONDS,
        )  # fmt: skip
        if going and follow:
            # Whoever wants it to stand still follows the link that says so.
            answer.headers["Refresh"] = str(AGAIN_SECONDS)
        return answer

    @routes.post(PLACE + "/checks")
    async def post_check(request: Request) -> Response:
        officer = await room.enter(request)
        log = (await sent(request)).one("log")
        # Where one is under way, it is shown where one is led now.
        with contextlib.suppress(Conflict):
            await begin_checks(officer, desk, log)
        return RedirectResponse(f"{PLACE}/checks?follow=yes", 303)

    return routes
