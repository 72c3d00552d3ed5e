"""A source that means harm: a real server whose answers a test writes, and that remembers what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class HostileServer:
    """Where it listens, and each request it saw: method, path with query, body."""

    address: str = ""
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def hostile(answer: Answer) -> AsyncIterator[HostileServer]:
    """Serve `answer` to every request on a free loopback port until the block ends."""
    server = HostileServer()

    async def handle(request: web.Request) -> web.StreamResponse:
        server.seen.append((request.method, request.path_qs, await request.text()))
        server.headers.append({name.lower(): value for name, value in request.headers.items()})
        return await answer(request)

    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
