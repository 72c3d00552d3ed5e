"""A server that keeps connections open and then forgets them, as servers and what stands before them do."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n" + b'{"told":"yes"}'
# Closing with this sends a reset: the other end's next write fails, where a plain close still lets it be sent.
AT_ONCE = struct.pack("ii", 1, 0)


@dataclass
class ForgetfulServer:
    """Where it listens; how it ends a kept connection that is used again (`closed`, `reset`, None: it does not).

    With `always` new connections end in the same way. `answered` and `dropped` count.
    """

    address: str = ""
    ends: str | None = None
    always: bool = False
    answered: int = 0
    dropped: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes over one connection until it is forgotten."""
        kept = False
        try:
            while await _request(reader):
                if self.ends and (kept or self.always):
                    self.dropped += 1
                    if self.ends == "reset":
                        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                        writer.transport.abort()
                    return
                kept = True
                # Slow enough for several to be on the way at once.
                await asyncio.sleep(0.02)
                self.answered += 1
                writer.write(ANSWER)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bool:
    """Read one request with its body; False when the connection ended instead."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    except asyncio.IncompleteReadError:
        return False
    length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
    await reader.readexactly(length)
    return True


@asynccontextmanager
async def forgetful() -> AsyncIterator[ForgetfulServer]:
    """Serve on a free loopback port until the block ends."""
    server = ForgetfulServer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
