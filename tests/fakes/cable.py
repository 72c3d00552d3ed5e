"""A cable to a server: TCP passed on as it comes, that can be cut, pulled out, or let nothing through."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit, urlunsplit

from demo.world.world import _free_port


class Cable:
    """One cable to a port of this machine. `lies` is the port to speak to, `leads_to` the one at its other end."""

    def __init__(self, leads_to: int = 0) -> None:
        self.leads_to = leads_to
        # How many bytes came through, both ways together.
        self.carried = 0
        self._lets_through = asyncio.Event()
        self._lets_through.set()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        # While the cable is pulled out, nobody's outgoing connection must take its port.
        self.lies = _free_port(0)

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
        try:
            far_in, far_out = await asyncio.open_connection("127.0.0.1", self.leads_to)
        except OSError:
            near_out.transport.abort()
            return
        ends = {near_out, far_out}
        self._ends |= ends
        try:
            # Called off when the cable is taken away; the server that gave us the connection cares for no more.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(self._copy(near_in, far_out), self._copy(far_in, near_out))
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(65536):
                await self._lets_through.wait()
                self.carried += len(part)
                writer.write(part)
                await writer.drain()
        writer.close()


def through(cable: Cable, address: str) -> str:
    """Let a cable lead to a server, and give the server's address through it."""
    parts = urlsplit(address)
    cable.leads_to = parts.port or 0
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{cable.lies}"))
