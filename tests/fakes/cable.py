"""A cable to a server: TCP passed on as it comes, that can be cut, pulled out, or let nothing through."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit


class Cable:
    """One cable to a port of this machine. `lies` is the port to speak to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lets_through = asyncio.Event()
        self._lets_through.set()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.lies = int(probe.getsockname()[1])

    @property
    def open_now(self) -> int:
        """Count the connections that lie in the cable."""
        return len(self._ends) // 2

    async def plug_in(self) -> None:
        """Let new connections through, and all that hangs."""
        self._lets_through.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.lies)

    async def pull_out(self) -> None:
        """Break every connection (RST) and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection there is now (RST); new ones go through."""
        for end in tuple(self._ends):
            end.transport.abort()

    def hang(self) -> None:
        """Let nothing through: connections stand and are taken, and not a byte arrives."""
        self._lets_through.clear()

    async def close(self) -> None:
        """Take the cable away."""
        await self.pull_out()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        far_in, far_out = await asyncio.open_connection("127.0.0.1", self._port)
        ends = {near_out, far_out}
        self._ends |= ends
        try:
            await asyncio.gather(self._copy(near_in, far_out), self._copy(far_in, near_out))
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(65536):
                await self._lets_through.wait()
                writer.write(part)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def cable_to(address: str) -> AsyncIterator[tuple[Cable, str]]:
    """Lay a cable to a server; give it, and the address through it."""
    parts = urlsplit(address)
    if parts.port is None:
        raise ValueError("the address names its port")
    cable = Cable(parts.port)
    await cable.plug_in()
    try:
        place = parts.netloc.rpartition("@")[0]
        yield cable, urlunsplit(parts._replace(netloc=f"{place}@127.0.0.1:{cable.lies}"))
    finally:
        await cable.close()
