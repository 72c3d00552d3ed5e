"""`X-Request-ID`: the caller's own name for a request, given back with its answer (AuthZEN 1.0 section 10.1.3).

Rules kept here:
- Every answer bears the very id that its request bore, refusals too.
- An id is one header of 1 to 128 visible ASCII letters that has no CPR number's form; any other is not given back, and
  the request is malformed.
"""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker.domain.errors import BadAsk

NAME = "X-Request-ID"
HEADER = NAME.lower().encode()
PATTERN = r"^[\x21-\x7e]{1,128}$"
VISIBLE = re.compile(PATTERN.encode())
CPR = re.compile(rb"(?<![0-9A-Za-z-])\d{6}-?\d{4}(?![0-9A-Za-z-])")
NO_ID = BadAsk("", "x_request_id")


def request_id(request: Request) -> str | None:
    """Give the request's id, or None when it bears none; raise `BadAsk` for one that cannot be given back."""
    told = _told(request.scope)
    if not told:
        return None
    if not _good(told):
        raise NO_ID
    return told[0].decode("ascii")


class RequestId:
    """Give each answer under one path the id of its request."""

    def __init__(self, app: ASGIApp, under: str) -> None:
        self._app = app
        self._under = under

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        told = _told(scope) if scope["type"] == "http" and scope["path"].startswith(self._under) else []
        if not _good(told):
            await self._app(scope, receive, send)
            return

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (HEADER, told[0])]
            await send(message)

        await self._app(scope, receive, named)


def _told(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == HEADER]


def _good(told: list[bytes]) -> bool:
    return len(told) == 1 and VISIBLE.fullmatch(told[0]) is not None and CPR.search(told[0]) is None
