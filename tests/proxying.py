"""The real front door (HAProxy with `deploy/haproxy.cfg`) before nodes that a test plays byte by byte."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from demo.world.proxy import ADVICE, Proxy, haproxy
from tools.places import IN_CI

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
Play = Callable[["Node", bytes, asyncio.StreamWriter], Awaitable[None]]


def haproxy_or_skip() -> None:
    """Skip the test where HAProxy is missing; in CI that is a failure."""
    if haproxy() is None:
        refuse = pytest.fail if IN_CI else pytest.skip
        refuse(ADVICE)


async def answers(_node: "Node", _request: bytes, writer: asyncio.StreamWriter) -> None:
    """Answer as a node does that is well."""
    writer.write(OK)
    await writer.drain()


@dataclass
class Node:
    """A stand-in for a broker node: keeps the bytes of each request but the proxy's own looks at its health."""

    play: Play = answers
    ready: bool = True
    requests: list[bytes] = field(default_factory=list)
    port: int = 0
    server: asyncio.Server | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def open(self) -> str:
        """Listen, and give host:port."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        """Take no more connections."""
        if self.server is not None:
            self.server.close()

    async def end(self) -> None:
        """Close every connection and wait until all are closed."""
        self.close()
        writers = set(self.writers)
        for writer in writers:
            writer.transport.abort()
        for writer in writers:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        if self.server is not None:
            await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _whole(reader)
                if b"/health/ready HTTP" in request.split(b"\r\n", 1)[0] and b"user-agent" not in request.lower():
                    status = b"200 OK" if self.ready else b"503 Service Unavailable"
                    writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                    continue
                self.requests.append(request)
                await self.play(self, request, writer)
        writer.close()


async def _whole(reader: asyncio.StreamReader) -> bytes:
    """Read one request: its head, and a body by its length or in chunks."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if fields.get(b"transfer-encoding") == b"chunked":
        return head + await reader.readuntil(b"0\r\n\r\n")
    return head + await reader.readexactly(int(fields.get(b"content-length", b"0")))


@dataclass(frozen=True)
class FrontDoor:
    """A running proxy and the nodes behind it."""

    proxy: Proxy
    nodes: tuple[Node, ...]

    async def say(self, request: str, *, host: str | None = None) -> bytes:
        """Send one request as written over TLS (HTTP/1.1, `Host` and `Connection` added), and give the whole answer."""
        line, _, rest = request.partition("\n")
        named = f"Host: {host or f'127.0.0.1:{self.proxy.port}'}"
        head, _, body = rest.partition("\n\n")
        lines = [line, named, *head.splitlines()]
        return await self.send(("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n" + body).encode())

    async def send(self, raw: bytes) -> bytes:
        """Send bytes over TLS and give everything that comes back until the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port, ssl=self.proxy.trust())
        writer.write(raw)
        await writer.drain()
        told = await asyncio.wait_for(reader.read(), 15)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return told

    @property
    def reached(self) -> list[bytes]:
        """Every request that reached a node."""
        return [request for node in self.nodes for request in node.requests]


@contextlib.asynccontextmanager
async def front_door(folder: Path, *nodes: Node) -> AsyncIterator[FrontDoor]:
    """Open nodes and the proxy before them for the length of a test."""
    haproxy_or_skip()
    addresses = [await node.open() for node in nodes]
    with Proxy(folder) as proxy:
        await asyncio.to_thread(proxy.start, addresses)
        try:
            yield FrontDoor(proxy, nodes)
        finally:
            proxy.stop()
            for node in nodes:
                await node.end()
