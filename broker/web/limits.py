"""What every answer carries and every request must keep: headers, correlation, the form of bodies."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Pages load nothing from elsewhere and run no inline script or style. Forms go to us, log-out on to the provider.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=63072000",
}
TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")


class Guard:
    """Set the security headers on every answer, `no-store` unless a route says otherwise, and bind the trace id."""

    def __init__(self, app: ASGIApp, form_targets: Sequence[str] = ()) -> None:
        self._app = app
        policy = {"Content-Security-Policy": " ".join([CONTENT_SECURITY_POLICY, *form_targets])}
        ours = HEADERS | policy | {"Cache-Control": "no-store"}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in ours.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(trace=_trace(scope))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(row for row in self._headers if row[0] not in told)]
            await send(message)

        await self._app(scope, receive, guarded)


def _trace(scope: Scope) -> str:
    """Take the caller's W3C trace id if it is well formed, else make one."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            match = TRACEPARENT.match(value.decode("latin-1"))
            if match:
                return match[1]
    return secrets.token_hex(16)
