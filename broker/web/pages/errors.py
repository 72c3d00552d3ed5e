"""Errors as plain pages, for whoever asked for a page; what a program asked for stays a problem document.

Nothing of the input is echoed. A person whose log-in has ended is sent to log in again and comes back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from inspect import isawaitable
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from broker.consents.desk_powers import DELEGATED, NO_NUMBER, NOT_ATTESTED, OWN
from broker.domain import errors
from broker.domain.errors import BrokerError, NotAuthenticated
from broker.web.login import CASEWORKER, CITIZEN, OFFICER
from broker.web.pages.show import Pages, go_to
from broker.web.pages.words import marked
from broker.web.problems import TABLE

Handler = Callable[[Request, Exception], Response | Awaitable[Response]]
DOORS = {"/mine": CITIZEN, "/case": CASEWORKER, "/desk": CASEWORKER, "/dpo": OFFICER}
NOTHING_DONE = marked("Nothing was shown and nothing was changed.")

# error → (heading, what to do)
WORDS: dict[type[BrokerError], tuple[str, str]] = {
    errors.BadAsk: (marked("Something in the form is not right"), marked("Go back and look at what you wrote.")),
    errors.NotAuthenticated: (marked("You are not logged in"), marked("Go to the front page and log in again.")),
    errors.NotAllowed: (marked("This page is not for you"), marked("Go to the front page and log in again.")),
    errors.MayNotOpen: (
        marked("You may not record this here"),
        marked("You may record a no, a stop and a pause. Let a colleague at the desk record the rest."),
    ),
    errors.LedHere: (
        marked("Another site sent you here"),
        marked(
            "So nothing is shown, and nothing is written in your name. Go to the front page and find it from there."
        ),
    ),
    errors.Refused: (marked("You may not see this"), marked("The look-up is on the log. The citizen can see it.")),
    errors.NotFound: (marked("The page is not here"), marked("Go to the front page and try from there.")),
    errors.Conflict: (marked("It is already done"), marked("Go back to the list to see how it stands.")),
    errors.AskedAgain: (
        marked("The citizen said no a short time ago"),
        marked("Ask again only with a reason in new words. The citizen reads it."),
    ),
    errors.ConsentNotNeeded: (
        marked("Consent is not needed here"),
        marked("The law gives access, as we read it. The citizen is not asked."),
    ),
    errors.KeyReused: (marked("This was sent before with other content"), marked("Begin again from the form.")),
    errors.TooManyAsks: (marked("Too many look-ups"), marked("Wait a while. The DPO can see it.")),
    errors.RegisterUnavailable: (marked("A register did not answer"), marked("Try again in a few minutes.")),
    errors.SourceFailed: (marked("A system did not answer"), marked("Try again in a few minutes.")),
    errors.LogUnavailable: (marked("The log cannot be written"), marked("So nothing is shown. Try again soon.")),
    errors.LogUnwitnessed: (
        marked("The log has no witnesses right now"),
        marked("So nothing is shown. The DPO can see it. A citizen can still take a yes back."),
    ),
    errors.StoreUnavailable: (marked("We cannot reach our own data"), marked("Try again in a few minutes.")),
    errors.PolicyUnavailable: (marked("The rules did not answer"), marked("So nothing is shown. Try again soon.")),
    errors.PolicyBroken: (marked("The rules gave no clear answer"), marked("So nothing is shown. Try again soon.")),
    errors.FactsChanged: (marked("Something changed while you asked"), marked("Ask again.")),
}
LOGIN_WORDS = {
    "login_expired": (marked("The log-in took too long"), marked("Go to the front page and log in again.")),
    "login_broken_off": (marked("The log-in was broken off"), marked("Go to the front page and log in again.")),
    "no_role": (marked("You have no role here"), marked("Ask your manager which access you should have.")),
    "no_cpr": (marked("We did not get your CPR number"), marked("Log in again, and allow it to be shown to us.")),
    "nsis_too_low": (marked("Your log-in is not safe enough"), marked("Log in with MitID, at level Substantial.")),
}
# Why who keeps the citizens' desk opens nothing there: on the error's page, and on the desk's beforehand.
MAY_NOT_OPEN = {
    DELEGATED: marked(
        "Another municipality gave you your role at the desk. With it you record a no, a stop and a pause."
    ),
    NOT_ATTESTED: marked(
        "Your role at the desk is not confirmed for now. Ask your manager. You record a no, a stop and a pause."
    ),
    NO_NUMBER: marked("Your employer does not say your CPR number. So you record a no, a stop and a pause."),
    OWN: marked("You cannot record your own yes. Do it on your own page, or let a colleague."),
}
PLAIN = {
    HTTPStatus.NOT_FOUND: WORDS[errors.NotFound],
    HTTPStatus.BAD_REQUEST: WORDS[errors.BadAsk],
    HTTPStatus.UNPROCESSABLE_ENTITY: WORDS[errors.BadAsk],
}
# What a program is told in the head of an answer, a browser is told too.
KEPT = {"retry-after", "allow", "connection"}
UNKNOWN = (marked("Something went wrong"), NOTHING_DONE)


def show_errors_to_people(app: FastAPI, pages: Pages) -> None:
    """Let every error handler of the application answer with a page where a page was asked for."""
    for kind in (BrokerError, RequestValidationError, HTTPException, Exception):
        handler: Any = app.exception_handlers[kind]
        app.add_exception_handler(kind, _by_reader(handler, pages))


def wants_page(request: Request) -> bool:
    """Tell whether a person's browser asked: only those name text/html."""
    return "text/html" in request.headers.get("accept", "")


def error_page(request: Request, error: Exception, pages: Pages, status: int) -> Response:
    """Say in plain words what went wrong; what was sent is not repeated."""
    heading, advice = _words(error, status)
    # The address itself is not repeated either: the switch of language is told relative to it, without its query.
    start_over = "" if request.method == "GET" else "/"
    return pages.show(request, "pages/error.html", status, heading=heading, advice=advice, start_over=start_over)


def _by_reader(program: Handler, pages: Pages) -> Handler:
    async def answer(request: Request, error: Exception) -> Response:
        if not wants_page(request):
            return await _answered(program, request, error)
        if isinstance(error, NotAuthenticated) and (door := _login_for(request)):
            return go_to(door)
        # The program's answer tells the status, and notes what nobody foresaw.
        problem = await _answered(program, request, error)
        page = error_page(request, error, pages, problem.status_code)
        for name in KEPT.intersection(problem.headers.keys()):
            page.headers[name] = problem.headers[name]
        return page

    return answer


async def _answered(handler: Handler, request: Request, error: Exception) -> Response:
    answer = handler(request, error)
    return await answer if isawaitable(answer) else answer


def _words(error: Exception, status: int) -> tuple[str, str]:
    if isinstance(error, NotAuthenticated) and error.what in LOGIN_WORDS:
        return LOGIN_WORDS[error.what]
    if isinstance(error, errors.MayNotOpen) and error.what in MAY_NOT_OPEN:
        return WORDS[errors.MayNotOpen][0], MAY_NOT_OPEN[error.what]
    if isinstance(error, BrokerError) and type(error) in TABLE:
        return WORDS[type(error)]
    try:
        return PLAIN.get(HTTPStatus(status), UNKNOWN)
    except ValueError:
        return UNKNOWN


def _login_for(request: Request) -> str | None:
    """Give the log-in that leads back here; after a form that was not kept, to the beginning of the room."""
    room = "/" + request.url.path.split("/")[1]
    if room not in DOORS:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    back = f"{request.url.path}{query}" if request.method == "GET" else room
    return f"/login/{DOORS[room]}?{urlencode({'next': back})}"
