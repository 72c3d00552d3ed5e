"""The web application: middleware, routes and error handlers, in the order they run. Tests build it with fakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from broker.domain.directory import ReasonText
from broker.web.api.described import described
from broker.web.limits import Guard
from broker.web.metrics import Counting
from broker.web.problems import add_problem_handlers
from broker.web.request_id import RequestId

# Longer than any length can be; more digits are never made into a number.
MOST_DIGITS = 18
STATIC = Path(__file__).parent / "static"
# What checks proofs in a browser; the same files that a stranger runs.
VERIFIER = Path(__file__).parents[2] / "audit" / "verifier"
TITLE = "Borgerbro"
ABOUT = (
    "A consent and data-sharing broker: a named caseworker asks through their own department's system, consent and "
    "law decide, the access is on the log before any data leaves, and the citizen sees who looked."
)


def build_app(
    routers: Sequence[APIRouter],
    reasons: Mapping[str, ReasonText],
    metrics: CollectorRegistry,
    *,
    version: str,
    most_body_bytes: int,
    form_targets: Sequence[str] = (),
    show_errors: Callable[[FastAPI], None] = lambda _: None,
) -> FastAPI:
    """Put the faces together. Bodies are limited first, headers are set last, every error becomes a problem.

    `form_targets` are the log-in providers' origins, which log-out goes on to; `show_errors` turns problems into pages
    where a person's browser asked.
    """
    app = Described(
        title=TITLE,
        description=ABOUT,
        version=version,
        openapi_url="/openapi.json",
        # The library's own pages load script from foreign hosts; ours stands at /reference.
        docs_url=None,
        redoc_url=None,
        # The framework would send a body on to wherever the Host header says, without TLS.
        redirect_slashes=False,
        middleware=[
            Middleware(Counting, registry=metrics),
            Middleware(BodyLimit, max_body_size=most_body_bytes),
        ],
    )
    add_problem_handlers(app, reasons)
    show_errors(app)
    for router in routers:
        app.include_router(router)
    # Only what is the same for everybody is compressed: a page holds its form's token (BREACH).
    app.mount("/static/verifier", GZipMiddleware(Immutable(directory=VERIFIER)), name="verifier")
    app.mount("/static", GZipMiddleware(Immutable(directory=STATIC)), name="static")
    # Around everything, the answer to an error nobody named too, which the framework gives outside all middleware.
    app.middleware_stack = Guard(RequestId(app.build_middleware_stack(), under="/access/v1/"), form_targets)
    return app


class Described(FastAPI):
    """The framework's application, whose OpenAPI document tells all that is sent."""

    def openapi(self) -> dict[str, Any]:
        """Give the document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = described(super().openapi())
        return self.openapi_schema


class BodyLimit(RequestBodyLimitMiddleware):
    """The framework's limit on bodies; a length that is told beforehand is refused in our own form too."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a body whose told length is over the limit before a byte of it is read."""
        if scope["type"] == "http" and _told_length(scope) > self.max_body_size:
            # By the application's own handler, which knows whether a person or a program asks.
            handler: Callable[[Request, Exception], Awaitable[Response]] = scope["app"].exception_handlers[
                HTTPException
            ]
            answer = await handler(Request(scope), HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            await answer(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


def _told_length(scope: Scope) -> int:
    """Give the length the caller told; one that is no number says nothing, and the bytes are counted instead."""
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(told[:MOST_DIGITS]) if told.isdigit() else 0


class Immutable(StaticFiles):
    """Style sheets, fonts and icons: the only answers a browser may keep, and they say nothing of anybody."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file with a day's caching."""

        async def cached(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = message["headers"]
                if isinstance(headers, list):
                    headers.append((b"cache-control", b"public, max-age=86400"))
            await send(message)

        await super().__call__(scope, receive, cached)  # type: ignore[arg-type]  # Starlette's message is a MutableMapping
