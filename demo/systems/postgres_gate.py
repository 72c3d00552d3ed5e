"""A gate before a PostgreSQL server: passes the wire protocol on, and obeys the control channel.

It reads just enough of the protocol (version 3.0) to see which view a query reads; the values bound to a
query pass through unread. Hold and slow act on queries; silent, error and garbage on new connections too.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from demo.systems.control import GARBAGE, Control

CANCEL, TLS, GSS = 80877102, 80877103, 80877104  # Request codes in place of a protocol version.
MOST_BYTES = 1 << 24
_VIEW = re.compile(r"\budveksling\"?\.\"?(\w+)", re.ASCII)
_REFUSAL = b"SFATAL\0VFATAL\0C57P03\0Mthe system is not well\0\0"

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter


@dataclass(slots=True)
class Link:
    """One client's connection: both ends, and which view each prepared statement reads."""

    client_in: Reader
    client_out: Writer
    server_out: Writer
    views: dict[bytes, str | None] = field(default_factory=dict)


def gate(control: Control, port: int, category: Callable[[str], str | None]) -> Callable[..., object]:
    """Give a handler of connections that leads to the server on `port`; `category` names a view's category."""

    async def connected(client_in: Reader, client_out: Writer) -> None:
        server_in, server_out = await asyncio.open_connection("127.0.0.1", port)
        link = Link(client_in, client_out, server_out)
        back = asyncio.create_task(_copy(server_in, client_out))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            if await _greet(link, control):
                await _forward(link, control, category)
        back.cancel()
        for end in (client_out, server_out):
            end.close()

    return connected


async def _copy(reader: Reader, writer: Writer) -> None:
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()


async def _greet(link: Link, control: Control) -> bool:
    """Pass the start of a connection on; say no to encryption, as the server itself would."""
    while True:
        head = await link.client_in.readexactly(8)
        length, code = int.from_bytes(head[:4]), int.from_bytes(head[4:])
        if code in {TLS, GSS}:
            link.client_out.write(b"N")
            continue
        rest = await link.client_in.readexactly(_bounded(length) - 8)
        if code != CANCEL and not await _well(link, control):
            return False
        link.server_out.write(head + rest)
        return code != CANCEL


async def _forward(link: Link, control: Control, category: Callable[[str], str | None]) -> None:
    while True:
        head = await link.client_in.readexactly(5)
        body = await link.client_in.readexactly(_bounded(int.from_bytes(head[1:])) - 4)
        view = _view(link, head[:1], body)
        if view is not None:
            control.see("SELECT", f"udveksling.{view}", category(view))
            await control.pause()
            if not await _well(link, control):
                return
        link.server_out.write(head + body)
        await link.server_out.drain()


def _view(link: Link, kind: bytes, body: bytes) -> str | None:
    """Give the view that this message is about to read: a simple query, or a bound statement."""
    match kind:
        case b"P":  # Parse: name, text, types.
            name, _, rest = body.partition(b"\0")
            link.views[name] = _named(rest.partition(b"\0")[0])
        case b"B":  # Bind: portal, statement, values.
            return link.views.get(body.split(b"\0", 2)[1])
        case b"Q":
            return _named(body)
    return None


def _named(text: bytes) -> str | None:
    found = _VIEW.search(text.decode("utf-8", "replace"))
    return found[1] if found else None


async def _well(link: Link, control: Control) -> bool:
    """Tell whether to go on; else answer as the mode says, or not at all."""
    mode = control.mode
    if mode.mode == "silent":
        while await link.client_in.read(65536):
            pass
        return False
    if mode.error is not None:
        link.client_out.write(b"E" + struct.pack("!i", len(_REFUSAL) + 4) + _REFUSAL)
    elif mode.garbage or mode.oversize_bytes:
        link.client_out.write(GARBAGE * 8)
    else:
        return True
    await link.client_out.drain()
    return False


def _bounded(length: int) -> int:
    if not 8 <= length + 4 <= MOST_BYTES:
        raise ConnectionError("a message of no sensible length")
    return length
