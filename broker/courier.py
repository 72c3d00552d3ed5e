"""The courier: carries questions to one address over HTTP/1.1 and brings the answers back.

It does what a register, a source and a policy server need, and nothing else: it follows no redirect, keeps no cookie,
unpacks nothing, and asks nothing of the environment (no proxy, no certificates).

Rules kept here:
- A connection carries one question at a time. It is kept only after an answer that ended where it said it would; what
  comes unasked, or after an answer, ends it. So nobody's question is given the answer to another's (P4).
- Only 200 is read. What is said beside a no is not waited for: it may name the person.
- Bodies are read against the asker's limit, all that frames them against ours; piece by piece.
- A kept connection that ended at the other end costs no answer: where nothing was said, the question is put once more,
  on a new connection, because all that are kept may have ended with it. So only questions may be carried.
- No word of an answer goes into an error.
- Time is the asker's: a question that is called off ends its connection.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

import httptools

# What a head may have, and in a body the lengths of chunks and whatever else frames it.
MOST_FRAME_BYTES = 32_768
FRAME_BYTES_A_BYTE = 8
REST_SECONDS = 15.0
# What an address of several gets to take us, before the next one is tried.
PATIENCE_SECONDS = 0.5

May: TypeAlias = Callable[[int], bool]
Answer: TypeAlias = "asyncio.Future[tuple[int, bytes]]"
# What `getaddrinfo` says of one address.
Found: TypeAlias = tuple[Any, Any, int, str, tuple[Any, ...]]
NO_HEADERS: Mapping[str, str] = {}


class Gone(ConnectionError):
    """The connection ended before anything was said. Says nothing else."""


class NoAnswer(ValueError):
    """What was said is no answer that can be read. Says nothing of it."""


class TooMuch(ValueError):
    """More was said than the asker lets anybody say."""


def up_to(most_bytes: int) -> May:
    """Let so many bytes come and no more."""
    left = most_bytes

    def may(count: int) -> bool:
        nonlocal left
        left -= count
        return left >= 0

    return may


def _none(_: int) -> bool:
    return False


class Courier:
    """Kept connections to one host. `headers` go with every question; `tls` is None for plain HTTP."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, headers: Mapping[str, str]) -> None:
        self._place = (host, port)
        self._tls = tls
        named = f"[{host}]" if ":" in host else host
        self._host = named if port == (443 if tls else 80) else f"{named}:{port}"
        self._headers = _lowered(headers)
        self._resting: deque[tuple[_Connection, float]] = deque()
        self._closed = False
        self._looking: asyncio.Future[list[Found]] | None = None

    async def carry(
        self, method: str, target: str, body: bytes | None, may: May, headers: Mapping[str, str] = NO_HEADERS
    ) -> tuple[int, bytes]:
        """Put a question, and give status and body; the body is empty where the status is not 200.

        `may` hears how many bytes of body came and says whether they may. Raises `OSError` where nobody is there or
        they hang up, `NoAnswer`, and `TooMuch`.
        """
        length = {} if body is None else {"content-length": str(len(body))}
        told = {**self._headers, **_lowered(headers), "host": self._host, **length}
        question = _head(f"{method} {target} HTTP/1.1", told) + (body or b"")
        if (kept := self._rested()) is not None:
            try:
                return await self._through(kept, question, may)
            except Gone:
                pass
        return await self._through(await self._connect(), question, may)

    def close(self) -> None:
        """End every connection that rests, and keep none from now on."""
        self._closed = True
        while self._resting:
            self._resting.pop()[0].end()

    async def _through(self, connection: _Connection, question: bytes, may: May) -> tuple[int, bytes]:
        try:
            answer = await connection.ask(question, may)
        except BaseException:
            connection.end()
            raise
        if connection.may_be_kept and not self._closed:
            self._resting.append((connection, time.monotonic()))
            while self._resting and self._resting[0][1] < time.monotonic() - REST_SECONDS:
                self._resting.popleft()[0].end()
        else:
            connection.end()
        return answer

    def _rested(self) -> _Connection | None:
        """Give the connection that rested the shortest and still stands, if there is one."""
        while self._resting:
            connection, since = self._resting.pop()
            if not connection.is_over and since >= time.monotonic() - REST_SECONDS:
                return connection
            connection.end()
        return None

    async def _connect(self) -> _Connection:
        """Connect to the first of the host's addresses that takes us; raise what the last one raised."""
        if self._closed:
            raise ConnectionError
        *others, last = await self._addresses()
        for address in others:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    return await self._connect_to(address)
            except OSError:
                continue
        return await self._connect_to(last)

    async def _connect_to(self, address: str) -> _Connection:
        """Connect to an address; its certificate must name the host."""
        host, port = self._place
        named = host if self._tls else None
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, address, port, ssl=self._tls, server_hostname=named)
        return connection

    async def _addresses(self) -> list[str]:
        """Look the host up, together with whoever looks already; raise `OSError`.

        A look that gets no answer holds a thread until it does, and there are few for all sources together (P12).
        """
        if self._looking is None or self._looking.done():
            look = asyncio.get_running_loop().getaddrinfo(*self._place, type=socket.SOCK_STREAM)
            self._looking = asyncio.ensure_future(look)
        return [str(place[0]) for *_, place in await asyncio.shield(self._looking)]


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """Write names in one way, so that one said twice is said once."""
    return {name.lower(): value for name, value in headers.items()}


def _head(first: str, headers: Mapping[str, str]) -> bytes:
    """Write a head; raise `NoAnswer` where something in it would be read as more than its own line."""
    head = "\r\n".join([first, *(f"{name}: {value}" for name, value in headers.items()), "", ""])
    lines = len(headers) + 2
    if head.count("\n") != lines or head.count("\r") != lines or "\0" in head or first.count(" ") != 2:
        raise NoAnswer
    try:
        return head.encode("ascii")
    except UnicodeEncodeError:
        pass
    raise NoAnswer


class _Connection(asyncio.Protocol):
    """One connection, and the answer that is on its way."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self.is_over = False
        self._parser = httptools.HttpResponseParser(self)
        self.may_be_kept = False
        self._begin(None, _none)

    def _begin(self, answer: Answer | None, may: May) -> None:
        self._answer = answer
        self._may = may
        self._pieces: list[bytes] = []
        self._received = self._told = self._status = 0
        self._has_end = self._is_packed = self._is_whole = False

    async def ask(self, question: bytes, may: May) -> tuple[int, bytes]:
        """Send a question and give its answer. Whatever this raises, the connection is of no more use."""
        if self.is_over:
            raise Gone
        answer: Answer = asyncio.get_running_loop().create_future()
        self._begin(answer, may)
        self._transport.write(question)
        try:
            return await answer
        finally:
            # A connection that rests remembers nothing of what went over it (P4).
            self._begin(None, _none)

    def end(self) -> None:
        """End the connection at once."""
        self.is_over = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the loop gives it
        """Remember where to write."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what came, if somebody waits for it and may have so much."""
        if self._answer is None or self._answer.done():
            self.end()
            return
        before = self._told
        self._received += len(data)
        readable = self._parsed(data)
        framing = self._received - self._told
        if not self._may(self._told - before):
            self._answer.set_exception(TooMuch())
        elif self._status >= HTTPStatus.OK and self._status != HTTPStatus.OK:
            self._answer.set_result((self._status, b""))
        elif self._is_whole and not self._is_packed:
            self.may_be_kept &= readable
            self._answer.set_result((self._status, b"".join(self._pieces)))
        elif self._is_packed or not readable or framing > MOST_FRAME_BYTES + FRAME_BYTES_A_BYTE * self._told:
            self._answer.set_exception(NoAnswer())

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits: an answer that did not name its end ends here, any other is cut."""
        self.is_over = True
        if self._answer is None or self._answer.done():
            return
        if self._status == HTTPStatus.OK and not self._has_end and exc is None:
            self._answer.set_result((self._status, b"".join(self._pieces)))
        else:
            self._answer.set_exception(NoAnswer() if self._received else Gone())

    def _parsed(self, data: bytes) -> bool:
        """Read on; False for what is no HTTP, or another protocol."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return False
        return True

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin an answer; after a whole one, it is the answer to nothing that was asked."""
        self.may_be_kept = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note what says where the body ends, and whether it is compressed."""
        if self._is_whole:
            return
        match name.lower():
            case b"content-length" | b"transfer-encoding":
                self._has_end = True
            case b"content-encoding":
                self._is_packed = value.lower() != b"identity"

    def on_headers_complete(self) -> None:
        """Note the status."""
        if not self._is_whole:
            self._status = self._parser.get_status_code()

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body of the one answer there is."""
        if not self._is_whole:
            self._pieces.append(piece)
            self._told += len(piece)

    def on_message_complete(self) -> None:
        """End the answer, or what was said before it (RFC 9110 section 15.2)."""
        if self._status >= HTTPStatus.OK:
            self.may_be_kept = not self._is_whole and self._parser.should_keep_alive()
            self._is_whole = True
        else:
            self._status, self._has_end = 0, False
