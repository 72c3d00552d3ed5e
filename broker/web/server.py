"""The HTTP server in front of the application: what it takes from a connection before a request is one.

Rules kept here:
- A request comes whole within its time, head and body, or the connection ends: nobody holds one open by dripping.
- The head of a request is bounded; the server's own parser gathers without end.
- What two readers could read in two ways is refused, beside what the parser refuses: one Host (RFC 9112 section 3.2),
  HTTP 1.0 or 1.1, `chunked` as the only transfer coding and none in HTTP/1.0 (6.1), no trailers. Those come after the
  body and would stand among the headers, past whoever checked these.
- What is no HTTP is answered in our own form, and nothing of it is repeated or logged.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from broker.web.limits import CONTENT_SECURITY_POLICY, HEADERS
from broker.web.problems import PLAIN, problem


def configured(app: ASGIApp, *, request_seconds: float, most_head_bytes: int) -> uvicorn.Config:
    """Configure a server for the application. A request has these seconds to arrive and its head these bytes."""
    limits = {"request_seconds": request_seconds, "most_head_bytes": most_head_bytes}
    return uvicorn.Config(
        app,
        http=type("BoundDoorstep", (Doorstep,), limits),
        ws="none",
        lifespan="off",
        # Access lines would hold addresses and paths; the log that counts is the audit log.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
    )


_VERSIONS = frozenset({"1.0", "1.1"})


class HeadRefused(ValueError):
    """A request's head is not one that everybody reads in one way. Says nothing of it."""


class Doorstep(HttpToolsProtocol):
    """One connection. `configured` sets how long a request may take to arrive, and how large its head may be."""

    request_seconds: float
    most_head_bytes: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_bytes = 0
        self._fault = HTTPStatus.BAD_REQUEST
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent has it
        """Begin to wait: a connection that says nothing ends too."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless the head it belongs to has grown too large."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self.most_head_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if self._late is None and not self._in_head and self.cycle.response_complete:
            # Line ends between two requests: the server waits no more for the next one, since something came.
            self._wait()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a request."""
        self._in_head = True
        self._wait_no_more()
        self._wait()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header. Raises `HeadRefused` for a trailer, which the parser turns into a refusal."""
        if not self._in_head:
            raise HeadRefused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Judge the head, let the request begin, and count the next head from nothing."""
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.most_head_bytes:
            self._fault = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise HeadRefused
        if not self._is_read_in_one_way():
            raise HeadRefused
        super().on_headers_complete()
        self._in_head, self._head_bytes = False, 0

    def on_message_complete(self) -> None:
        """Wait no more: the request is here."""
        self._wait_no_more()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 -- the server's words are not used
        """Answer what is no HTTP in our own form instead of the server's."""
        self._refuse(self._fault)

    def _is_read_in_one_way(self) -> bool:
        version = self.parser.get_http_version()
        hosts = sum(name == b"host" for name, _ in self.headers)
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        return (
            version in _VERSIONS
            and (hosts == 1 or (hosts == 0 and version == "1.0"))
            and (codings == [] or (codings == [b"chunked"] and version == "1.1"))
        )

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.request_seconds, self._too_late)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if self.flow.read_paused or self._is_answering():
            # It is we who take time: an earlier request on this connection is still being answered.
            self._wait()
            return
        self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _is_answering(self) -> bool:
        """Tell whether a request that came whole, or whose answer has begun, still waits for its end."""
        cycle: RequestResponseCycle | None = self.cycle
        # Who stands in line waits for the answer to the one before.
        return bool(self.pipeline) or (
            cycle is not None and not cycle.response_complete and (cycle.response_started or not cycle.more_body)
        )

    def _refuse(self, status: HTTPStatus) -> None:
        """Say why and end the connection; where an answer was given or is due, only end it: none gets two."""
        self._wait_no_more()
        if self.transport.is_closing():
            return
        answered = not self._in_head and self.cycle.response_complete
        if not answered and not self._is_answering():
            self.transport.write(_answer(status))
        self.transport.close()
        if self.cycle is not None and not self.cycle.response_complete:
            # Whoever waits for the rest of the body learns that it never comes.
            self.cycle.disconnected = True
            self.cycle.message_event.set()


def _answer(status: HTTPStatus) -> bytes:
    answer = problem(status, *PLAIN[status])
    ours = HEADERS | {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Connection": "close"}
    headers = {**answer.headers, **{name.lower(): value for name, value in ours.items()}}
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + bytes(answer.body)
