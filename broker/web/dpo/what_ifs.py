"""`/dpo/what-if`: a month's questions put to other rules: the choice, the run as it goes on, and what would change."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from broker.domain.directory import Directory
from broker.domain.errors import BadAsk, Conflict
from broker.domain.identity import OfficerLogin
from broker.domain.what_ifs import (
    BROKEN_OFF,
    ENDED,
    NODE_ENDED,
    RAN_AWAY,
    RULES_UNUSABLE,
    RUNNING,
    STORE,
    TOO_LONG,
    Result,
)
from broker.oversight.replay import BASIS, OBLIGATIONS, REASONS, REFUSED, RELEASED, UNANSWERED
from broker.oversight.what_if_tally import LEFT_OUT, OTHER, SAME
from broker.oversight.what_ifs import Desk, begin, choice, see
from broker.view.phrases import Language
from broker.web.dpo.room import Room
from broker.web.pages.dates import month_words
from broker.web.pages.forms import sent
from broker.web.pages.language import language_of
from broker.web.pages.words import Words, marked, words_of

PLACE = "/dpo/what-if"
AGAIN_SECONDS = 5
STATE_WORDS = {RUNNING: marked("Under way"), ENDED: marked("Ended"), BROKEN_OFF: marked("Broken off")}
KIND_WORDS = {
    RELEASED: marked("Would be shown, and was not"),
    REFUSED: marked("Would not be shown, and was"),
    BASIS: marked("Would rest on another basis"),
    OBLIGATIONS: marked("Would be hidden in another way"),
    REASONS: marked("Would get a no for another reason"),
    UNANSWERED: marked("Would get no answer"),
    SAME: marked("Would be the same"),
    LEFT_OUT: marked("Could not be put again"),
}
WHY_WORDS = {
    RULES_UNUSABLE: marked("The rules cannot be used. Ask operations to check them."),
    RAN_AWAY: marked("The rules gave no answer in time. Ask operations to check them."),
    TOO_LONG: marked("It took too long. Ask operations."),
    STORE: marked("The database gave no answer. Try again later."),
    NODE_ENDED: marked("The broker was stopped meanwhile. Try again."),
}
# What stands for no row of a law table.
CAUSE_WORDS = {
    "none": marked("none"),
    "consent": marked("consent"),
    "own_case": marked("own case"),
    "address": marked("the address is hidden"),
    "child_name": marked("the child's name is hidden"),
    OTHER: marked("something that no table names"),
    "no_answer": marked("the rules of that time give no answer"),
    "erased": marked("the citizen is erased"),
    "changed": marked("the line was changed"),
    "question_not_kept": marked("the question was not kept"),
    "question_unreadable": marked("the question cannot be read"),
    "revision_unknown": marked("the rules of that time are not kept"),
}
FAULTS = {
    "under_way": marked("Another run is under way. Wait until it has ended."),
    "tried": marked("These rules were tried on that month already. See the result below."),
    "rules_unusable": marked("The rules were changed just now. Try again."),
}
NO_CHOICE = marked("Choose rules and a month from the lists.")
Follow = Annotated[str, Query(max_length=10)]


def build(room: Room, desk: Desk) -> APIRouter:
    """Build the choice, the button, and the page of each run."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_choice(request: Request) -> Response:
        return await _page(request, room, desk, await room.enter(request))

    @routes.post(PLACE)
    async def post_run(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        try:
            run = await begin(form.one("candidate"), form.one("month"), form.one("municipality"), officer, desk)
        except BadAsk:
            return await _page(request, room, desk, officer, ("month", NO_CHOICE))
        except Conflict as refused:
            return await _page(request, room, desk, officer, ("candidate", FAULTS.get(refused.what, NO_CHOICE)))
        return RedirectResponse(f"{PLACE}/{run.id}?follow=yes", 303)

    @routes.get(PLACE + "/{run}")
    async def get_run(request: Request, run: str, follow: Follow = "") -> Response:
        officer = await room.enter(request, by_itself=bool(follow))
        found = await see(run, officer, desk)
        language = language_of(request)
        answer = await room.show(
            request, "what_if_run.html", officer, run=found, follow=bool(follow), states=STATE_WORDS, whys=WHY_WORDS,
            month_name=month_words(found.month, language), place=_place(found.municipality, room.ports.directory),
            kinds=KIND_WORDS, table=found.result and _table(found.result, room.ports.directory, language),
            seconds=AGAIN_SECONDS,
        )  # fmt: skip
        if found.state == RUNNING and follow:
            # Whoever wants it to stand still follows the link that says so.
            answer.headers["Refresh"] = str(AGAIN_SECONDS)
        return answer

    return routes


async def _page(
    request: Request, room: Room, desk: Desk, officer: OfficerLogin, fault: tuple[str, str] | None = None
) -> Response:
    found, language, directory = await choice(officer, desk), language_of(request), room.ports.directory
    homes = sorted((_place(home, directory), home) for home in officer.municipalities)
    return await room.show(
        request, "what_if.html", officer, 400 if fault else 200, found=found, states=STATE_WORDS,
        months=[(month, month_words(month, language)) for month in found.months],
        candidates=[(name, name) for name in found.candidates or ()],
        municipalities=[(id_, name) for name, id_ in homes],
        runs=[(run, month_words(run.month, language), _place(run.municipality, directory)) for run in found.runs],
        faults=(fault,) if fault else (),
    )  # fmt: skip


def _table(found: Result, directory: Directory, language: Language) -> dict[str, Any]:
    """Lay the counts out as the page shows them: what came of a question, why, and how often by purpose."""
    words = words_of(language)
    withheld = words.gettext(marked("not shown"))

    def told(counts: tuple[int | None, ...]) -> list[str]:
        return [withheld if count is None else str(count) for count in counts]

    purposes = []
    for name in found.purposes:
        known = directory.purposes.get(name)
        purposes.append((known.name_da if language == "da" else known.name_en) if known else words.gettext(_none(name)))
    return {
        "columns": purposes,
        "rows": [
            (row.kind, " → ".join(_cause(one, directory, words, language) for one in row.by.split(" > ") if row.by),
             told((*row.counts, row.total)))
            for row in found.rows
        ],
        "totals": told((*found.totals, found.total)),
    }  # fmt: skip


def _none(name: str) -> str:
    return CAUSE_WORDS[OTHER] if name else marked("what for is unknown")


def _cause(code: str, directory: Directory, words: Words, language: Language) -> str:
    """Say a reason in its own sentence, and a row of law by its name in the tables."""
    if code in directory.reasons:
        text = directory.reasons[code]
        return text.da if language == "da" else text.en
    return words.gettext(CAUSE_WORDS[code]) if code in CAUSE_WORDS else code


def _place(municipality: str, directory: Directory) -> str:
    known = directory.municipalities.get(municipality)
    return known.name if known else municipality
