"""The demo's mail server: takes what is sent to it on loopback and lays each e-mail in a folder. Nothing goes further.

It knows as much of SMTP (RFC 5321) as a sender needs, and no encryption. It ends as the other systems do.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from pathlib import Path

from demo.systems.process import HOST, until_orphaned

END = b".\r\n"


async def take(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, folder: Path, numbers: count[int]
) -> None:
    """Talk with one sender until they go."""
    writer.write(b"220 demo\r\n")
    while line := await reader.readline():
        match line[:4].upper():
            case b"DATA":
                writer.write(b"354 go on\r\n")
                await _lay(reader, folder, next(numbers))
                writer.write(b"250 taken\r\n")
            case b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            case _:
                writer.write(b"250 well\r\n")
    writer.close()


async def _lay(reader: asyncio.StreamReader, folder: Path, number: int) -> None:
    """Lay one e-mail in the folder, whole before it has its name."""
    lines = []
    while (line := await reader.readline()) not in (END, b""):
        lines.append(line.removeprefix(b"."))
    fresh = folder / f".{number:04}"
    fresh.write_bytes(b"".join(lines))
    fresh.rename(folder / f"{number:04}.eml")


def main() -> None:
    """Read what is wanted, and serve until told to end."""
    parser = argparse.ArgumentParser(description="The demo's mail server.")
    parser.add_argument("--folder", type=Path, required=True, help="where e-mail is laid")
    folder: Path = parser.parse_args().folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    taken = len(list(folder.glob("*.eml")))
    asyncio.run(_serve(partial(take, folder=folder, numbers=count(taken + 1))))


async def _serve(talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
    server = await asyncio.start_server(talk, HOST, 0)
    print(f"ready {HOST}:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await until_orphaned()


if __name__ == "__main__":
    main()
