"""How the systems know who calls: a static key, or OAuth 2.0 client credentials (RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.systems.control import Control, Handler

TOKEN_SECONDS = 300

Check = Callable[[Request], bool]


def same(given: str | None, wanted: str) -> bool:
    """Compare a given secret in constant time."""
    return given is not None and hmac.compare_digest(given.encode(), wanted.encode())


def key_check(header: str, key: str) -> Check:
    """Make a check that a header carries the key."""
    return lambda request: same(request.headers.get(header), key)


def bearer_check(token: str) -> Check:
    """Make a check that the request carries this very bearer token."""
    return lambda request: same(bearer_of(request), token)


def bearer_of(request: Request) -> str | None:
    """Give the bearer token of a request, if it has one (RFC 6750 section 2.1)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None


def guarded(handler: Handler, *checks: Check) -> Handler:
    """Let `handler` answer only requests that pass every check; others get 401."""

    async def checked(request: Request) -> Response:
        if not all(check(request) for check in checks):
            return JSONResponse({"fejl": "ingen adgang"}, 401, {"WWW-Authenticate": "Bearer"})
        return await handler(request)

    return checked


class Tokens:
    """Short-lived bearer tokens for the one client that is registered."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        self._client = (client_id, client_secret)
        self._ends: dict[str, float] = {}

    def check(self, request: Request) -> bool:
        """Tell whether the request carries a token that was issued here and still lives."""
        return self._ends.get(bearer_of(request) or "", 0.0) > time.monotonic()

    def route(self, control: Control, path: str = "/oauth2/token") -> Route:
        """Give the route of the token endpoint."""
        return Route(path, control.gate(path, self._issue), methods=["POST"])

    async def _issue(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not self._known(basic_of(request) or (form.get("client_id", ""), form.get("client_secret", ""))):
            return JSONResponse({"error": "invalid_client"}, 401, {"WWW-Authenticate": "Basic"})
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        now = time.monotonic()
        self._ends = {token: end for token, end in self._ends.items() if end > now}
        token = secrets.token_urlsafe(24)
        self._ends[token] = now + TOKEN_SECONDS
        body = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    def _known(self, given: tuple[str, str]) -> bool:
        return same(given[0], self._client[0]) and same(given[1], self._client[1])


def basic_of(request: Request) -> tuple[str, str] | None:
    """Give the user and password of HTTP Basic (RFC 7617), if well formed."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None
