"""A checkpointer over a test's databases, in the test's own process: signs, and publishes without witnesses."""

import secrets
import shutil
import tempfile
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from audit import postgres
from audit.checkpointer import Checkpointer
from audit.checkpointer_command import Rounds
from audit.heads_file import HeadsFile
from audit.map_committer import MapCommitter
from audit.note import SigningKey
from audit.policy import NO_WITNESSES
from audit.postgres import Pool
from audit.publisher import Publisher


@asynccontextmanager
async def signing(
    address: str, key: SigningKey, folder: Path, *, maps: Callable[[Pool], MapCommitter] | None = None
) -> AsyncIterator[Rounds]:
    """Open rounds over a database: each signs and publishes what is new of every log, and commits maps if wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    with HeadsFile(folder / "state", key.name, new=True) as heads:
        async with asyncpg.create_pool(address, min_size=1, max_size=2) as pool:
            checkpointer = Checkpointer(pool, [key], heads)
            publisher = Publisher(pool, NO_WITNESSES, [], checkpointer.signed, now=lambda: int(time.time()))
            yield Rounds(pool, checkpointer, publisher, maps(pool) if maps else None)


def own_checkpointer(pool: Pool, key: SigningKey) -> Checkpointer:
    """Give a checkpointer with a memory of its own that takes over what was signed, as a thief of the key would."""
    folder = Path(tempfile.mkdtemp(prefix="heads-"))
    heads = HeadsFile(folder / secrets.token_hex(4), key.name, new=True)
    made = Checkpointer(pool, [key], heads, take_over=True)
    weakref.finalize(made, _forget, heads, folder)
    return made


def _forget(heads: HeadsFile, folder: Path) -> None:
    heads.close()
    shutil.rmtree(folder, ignore_errors=True)


async def sign_and_publish(checkpointer: Checkpointer, origin: str) -> str:
    """Sign a log's head and publish it without witnesses; give the note."""
    head = await checkpointer.run_once(origin)
    async with checkpointer._pool.acquire() as connection:
        await postgres.publish_checkpoint(connection, origin, head.checkpoint.size, head.note)
    return head.note
