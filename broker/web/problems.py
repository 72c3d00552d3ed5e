"""Errors → RFC 9457 problem documents; the only table of statuses.

Rules kept here: nothing of the input is echoed; an error nobody named says nothing (500); FastAPI's own 422, which
repeats the offending input, never leaves (`style.md` 4.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Mount, compile_path

from broker.domain.days import day_of
from broker.domain.directory import ReasonText
from broker.domain.errors import (
    AskedAgain,
    BadAsk,
    BrokerError,
    Conflict,
    ConsentNotNeeded,
    FactsChanged,
    KeyReused,
    LedHere,
    LogUnavailable,
    LogUnwitnessed,
    MayNotOpen,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PolicyBroken,
    PolicyUnavailable,
    Refused,
    RegisterUnavailable,
    SourceFailed,
    StoreUnavailable,
    TooManyAsks,
)
from broker.web.caller import www_authenticate
from broker.web.login import NOT_FRESH

# What is said with every 503: by then a node has let go of what hung, and started again what it can start.
COME_BACK_SECONDS = 5
PROBLEM_TYPE = "urn:borgerbro:problem:"
MEDIA_TYPE = "application/problem+json"

# error → (status, problem name, title)
TABLE: dict[type[BrokerError], tuple[HTTPStatus, str, str]] = {
    BadAsk: (HTTPStatus.BAD_REQUEST, "bad-request", "The request is malformed."),
    NotAuthenticated: (HTTPStatus.UNAUTHORIZED, "not-authenticated", "The caller did not prove who they are."),
    NotAllowed: (HTTPStatus.FORBIDDEN, "not-allowed", "This door is not for this caller."),
    MayNotOpen: (
        HTTPStatus.FORBIDDEN,
        "may-not-open",
        "At the desk this caller may record a no, a stop and a pause, and nothing that opens.",
    ),
    LedHere: (HTTPStatus.FORBIDDEN, "led-here", "Another site led here. Nothing was shown or written."),
    Refused: (HTTPStatus.FORBIDDEN, "refused", "No shared category was permitted. The ask is on the log."),
    NotFound: (HTTPStatus.NOT_FOUND, "not-found", "There is no such thing for this caller."),
    Conflict: (HTTPStatus.CONFLICT, "conflict", "Its state does not permit this."),
    AskedAgain: (
        HTTPStatus.CONFLICT,
        "asked-again",
        "The citizen said no a short time ago. Ask again only with a reason in new words.",
    ),
    ConsentNotNeeded: (HTTPStatus.CONFLICT, "consent-not-needed", "A statute is the basis; consent is not asked for."),
    KeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, "key-reused", "The idempotency key was used with another body."),
    TooManyAsks: (
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-asks",
        "Too much was asked; come back later.",
    ),
    RegisterUnavailable: (HTTPStatus.BAD_GATEWAY, "register-unavailable", "A register gave no answer."),
    SourceFailed: (HTTPStatus.BAD_GATEWAY, "source-failed", "A source gave no usable answer."),
    LogUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "log-unavailable", "The log cannot be written: nothing is shown."),
    LogUnwitnessed: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "log-unwitnessed",
        "The log has been without its witnesses for too long: nothing is shown.",
    ),
    StoreUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "store-unavailable", "The database gave no answer."),
    PolicyUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "policy-unavailable", "The rules could not be asked."),
    PolicyBroken: (HTTPStatus.SERVICE_UNAVAILABLE, "policy-broken", "The rules gave no decision."),
    FactsChanged: (HTTPStatus.SERVICE_UNAVAILABLE, "facts-changed", "Consents changed while the ask ran; ask again."),
}

# Other parts' plain HTTP errors, said in the same form.
PLAIN = {
    HTTPStatus.NOT_FOUND: ("not-found", "There is no such address."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method-not-allowed", "This address does not take that method."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too-large", "The body is larger than this address takes."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("media-type", "This address takes application/json."),
    HTTPStatus.BAD_REQUEST: ("bad-request", "The request is malformed."),
    HTTPStatus.REQUEST_TIMEOUT: ("too-slow", "The request did not come in time."),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ("head-too-large", "The head of the request is too large."),
}

log = structlog.get_logger()


def reason_row(code: str, reasons: Mapping[str, ReasonText]) -> dict[str, str]:
    """Say one reason: its code, paragraph, and a sentence in Danish and in English."""
    text = reasons.get(code)
    if text is None:
        return {"code": code}
    return {"code": code, "paragraph": text.paragraph, "da": text.da, "en": text.en}


def problem(status: int, name: str, title: str, **more: Any) -> Response:
    """Make one problem document. `more` must never hold anything of the input."""
    body = {"type": PROBLEM_TYPE + name, "title": title, "status": int(status), **more}
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(body), status_code=int(status), media_type=MEDIA_TYPE, headers=headers)


def problem_for(error: BrokerError, reasons: Mapping[str, ReasonText]) -> Response:
    """Say what the caller may know of an error we named."""
    status, name, title = TABLE[type(error)]
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, LogUnavailable) and error.paper:
        more["procedure"] = PAPER_PROCEDURE
    match error:
        case Refused():
            more["reasons"] = [reason_row(code, reasons) for code in error.reasons]
            more["missing"] = [{"source": s, "category": c, "giver": g} for s, c, g in error.missing]
            more["entry"] = {"log": error.log, "index": error.index}
            more["notice"] = GENERAL_NOTICE
        case BadAsk():
            more |= {"pointer": error.pointer, "what": error.what}
        case NotAuthenticated():
            headers["WWW-Authenticate"] = www_authenticate(error)
            # The one that the caller mends while logged in (RFC 9470 has it for tokens; this is a page's session).
            more |= {"what": error.what} if error.what == NOT_FRESH else {}
        case TooManyAsks():
            headers["Retry-After"] = str(error.retry_after_seconds)
        case _ if status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = str(COME_BACK_SECONDS)
        case _:
            more |= _why_not(error)
    answer = problem(status, name, title, **more)
    answer.headers.update(headers)
    return answer


def _why_not(error: BrokerError) -> dict[str, str]:
    """Say in one field why a thing cannot be, where its kind alone does not."""
    match error:
        case Conflict() | MayNotOpen():
            return {"what": error.what}
        case AskedAgain():
            return {"until": day_of(error.until).isoformat()}
        case ConsentNotNeeded():
            return {"statute": error.statute}
    return {}


# What is done where an emergency cannot be written down: the municipality's own procedure, on paper.
PAPER_PROCEDURE = {
    "da": "Loggen kan ikke skrives, og derfor vises intet. Følg kommunens papirprocedure for værdispring: ring til "
    "den, der har oplysningerne. De beslutter. Skriv ned, hvem der spurgte og svarede, om hvem, hvorfor og hvornår, og "
    "før det ind, når loggen er oppe.",
    "en": "The log cannot be written, so nothing is shown. Follow the municipality's paper procedure for break-glass: "
    "call whoever holds the data. They decide. Write down who asked and answered, about whom, why and when, and enter "
    "it when the log is back.",
}

GENERAL_NOTICE = {
    "da": "Der kan findes oplysninger, som du ikke har adgang til.",
    "en": "There may be information that you have no access to.",
}


def add_problem_handlers(app: FastAPI, reasons: Mapping[str, ReasonText]) -> None:
    """Turn every error that leaves a route into a problem document."""

    async def known(_: Request, error: Exception) -> Response:
        if not isinstance(error, BrokerError):
            return await unknown(_, error)
        return problem_for(error, reasons)

    async def invalid(_: Request, error: Exception) -> Response:
        return problem_for(_bad_ask(error), reasons)

    async def plain(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
        name, title = PLAIN.get(HTTPStatus(status), ("error", "The request could not be met."))
        answer = problem(status, name, title)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            answer.headers["Allow"] = ", ".join(sorted(_allowed(app, request.url.path)))
        return answer

    async def unknown(request: Request, error: Exception) -> Response:
        # The error's own words may hold personal values, so only its kind and place are noted.
        log.error("unnamed_error", kind=type(error).__name__, route=getattr(request.scope.get("route"), "path", ""))
        answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something went wrong. Nothing was shown.")
        # The server ends the connection after such an error; unsaid, the client's next request would go with it.
        answer.headers["Connection"] = "close"
        return answer

    async def gone(_: Request, __: Exception) -> Response:
        # The caller hung up in the middle of a body; nobody reads this, and it is no fault of ours to report.
        return problem(HTTPStatus.BAD_REQUEST, *PLAIN[HTTPStatus.BAD_REQUEST])

    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(BrokerError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(Exception, unknown)


def _allowed(app: FastAPI, path: str) -> set[str]:
    """Name the methods that an address takes, over all of its routes (RFC 9110 section 15.5.6)."""
    found: set[str] = set()
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, Mount):
            found |= {"GET", "HEAD"} if path.startswith(route.original_route.path + "/") else set()
        elif compile_path(route.path or "")[0].match(path):
            found |= route.methods or set()
    return found


def _bad_ask(error: Exception) -> BadAsk:
    """Point at the first field that is wrong. Names the caller invented are not repeated."""
    if not isinstance(error, RequestValidationError) or not error.errors():
        return BadAsk()
    first = error.errors()[0]
    kind = str(first.get("type", "malformed"))
    place = [str(part) for part in first.get("loc", ())[1:]]
    if kind == "extra_forbidden":
        place = place[:-1]
    if kind == "json_invalid":
        place = []
    return BadAsk("".join(f"/{part}" for part in place), kind)
