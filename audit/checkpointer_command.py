"""`python -m audit checkpointer`: sign the heads of all logs of a database, as a process of its own.

Every second it looks at each log, puts the root of its map on it where one is due, signs what grew, has it cosigned and
publishes it. What goes wrong is told once when
it begins and once when it is over, as a line of JSON on standard error.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from audit import key_files, postgres
from audit.checkpointer import Checkpointer, SignedHead
from audit.command import database_address
from audit.errors import PolicyRefused, SignerUnavailable, TreeMismatch
from audit.heads_file import HeadsFile
from audit.map_committer import MapCommitter
from audit.policy import read_policy
from audit.postgres import Pool
from audit.publisher import SECONDS_OF_REST, Publication, Publisher
from audit.witness_client import WitnessClient
from audit.witness_command import NEW_STATE, STATE
from audit.witness_server import tell

ALL_WELL, WRONG, NOT_DONE, UNPUBLISHED = 0, 1, 2, 3
DATABASE_SECONDS = 30.0
UNREACHABLE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
EXITS = (
    "Exit codes: 0 all is signed and published (or it was told to stop), 1 a log is not the one that was signed, "
    "2 it could not be done, 3 signed, but without a quorum of witnesses."
)


def add_to(commands: Any) -> None:
    """Add the command to `python -m audit`."""
    parser = commands.add_parser(
        "checkpointer", help="sign the heads of all logs, have them cosigned, publish them", description=EXITS
    )
    parser.add_argument(
        "--database",
        metavar="DSN|@FILE",
        type=database_address,
        required=True,
        help="PostgreSQL, as the checkpointer's role; @FILE reads its address from a file",
    )
    parser.add_argument("--key", metavar="FILE", type=Path, required=True, help="the log's private keys; all sign")
    parser.add_argument("--known", metavar="FILE", type=Path, help="public keys that signed earlier, one a line")
    parser.add_argument("--policy", metavar="FILE", type=Path, required=True, help="witnesses and quorum (tlog-policy)")
    parser.add_argument("--state", metavar="FILE", type=Path, required=True, help=STATE)
    parser.add_argument("--new-state", action="store_true", help=NEW_STATE)
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="sign logs that were signed before, after hashing them from the first",
    )
    parser.add_argument("--once", action="store_true", help="go round once and end")
    parser.add_argument("--every", metavar="SECONDS", type=float, default=0.8, help="default %(default)s")
    parser.add_argument("--witness-seconds", metavar="SECONDS", type=float, default=3.0, help="default %(default)s")
    parser.add_argument(
        "--rest", metavar="SECONDS", type=int, default=SECONDS_OF_REST, help="cosign a log at rest again after so long"
    )
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    return asyncio.run(_open(given))


async def _open(given: argparse.Namespace) -> int:
    keys = key_files.read_signing(given.key)
    key_files.find_modules(keys)
    known = key_files.read_public(given.known) if given.known else []
    policy = read_policy(given.policy)
    reached = [witness for witness in policy.witnesses.values() if witness.url is not None]
    if not policy.has_quorum(witness.name for witness in reached):
        raise PolicyRefused(f"{given.policy}: the witnesses that have an address are no quorum")
    async with AsyncExitStack() as stack:
        heads = stack.enter_context(HeadsFile(given.state, keys[0].name, new=given.new_state))
        pool = asyncpg.create_pool(
            given.database,
            min_size=0,
            max_size=4,
            command_timeout=DATABASE_SECONDS,
            timeout=DATABASE_SECONDS,
            server_settings={"application_name": "checkpointer", "synchronous_commit": "on"},
        )
        await stack.enter_async_context(pool)
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        checkpointer = Checkpointer(pool, keys, heads, former_keys=known, take_over=given.take_over)
        witnesses = [WitnessClient(witness, http, seconds=given.witness_seconds) for witness in reached]
        publisher = Publisher(
            pool, policy, witnesses, checkpointer.signed, now=lambda: int(time.time()), rest=given.rest
        )
        rounds = Rounds(pool, checkpointer, publisher, MapCommitter(pool))
        return await (rounds.once() if given.once else rounds.until_told_to_stop(given.every))


class Rounds:
    """Goes round all logs of a database, again and again: their maps, their heads, their publication."""

    def __init__(
        self, pool: Pool, checkpointer: Checkpointer, publisher: Publisher, maps: MapCommitter | None = None
    ) -> None:
        self._pool = pool
        self._checkpointer = checkpointer
        self._publisher = publisher
        self._maps = maps
        self._wrong: dict[str, str] = {}

    async def until_told_to_stop(self, every: float) -> int:
        """Go round until SIGTERM or SIGINT; raise StateRefused as soon as the file of heads fails."""
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        sys.stdout.write("ready checkpointer\n")
        sys.stdout.flush()
        while not ended.is_set():
            began = time.monotonic()
            await self.once()
            try:
                async with asyncio.timeout(max(0.0, began + every - time.monotonic())):
                    await ended.wait()
            except TimeoutError:
                continue
        return ALL_WELL

    @property
    def wrong(self) -> Mapping[str, str]:
        """Give what was wrong in the last round, and why."""
        return self._wrong

    async def once(self) -> int:
        """Go round once and give the exit code of it."""
        wrong: dict[str, str] = {}
        code = NOT_DONE
        try:
            async with self._pool.acquire() as connection:
                origins = [head.origin for head in await postgres.heads(connection)]
            for origin in origins:
                await self._commit_map(origin, wrong)
            signed = [head for origin in origins if (head := await self._sign(origin, wrong)) is not None]
            code = WRONG if wrong else ALL_WELL
            published = await asyncio.gather(*(self._publisher.publish(head) for head in signed))
            if _note(published, wrong) and code == ALL_WELL:
                code = UNPUBLISHED
        except UNREACHABLE as error:
            wrong["database"] = f"no answer ({type(error).__name__})"
            code = NOT_DONE
        except SignerUnavailable as error:
            wrong["key"] = str(error)
            code = NOT_DONE
        self._tell_changes(wrong)
        return code

    async def _commit_map(self, origin: str, wrong: dict[str, str]) -> None:
        """Put a log's new map root on it where one is due; a log whose map was bent is signed all the same."""
        try:
            if self._maps is not None:
                await self._maps.run_once(origin)
        except TreeMismatch as mismatch:
            wrong[f"map of {origin}"] = str(mismatch)

    async def _sign(self, origin: str, wrong: dict[str, str]) -> SignedHead | None:
        try:
            return await self._checkpointer.run_once(origin)
        except TreeMismatch as mismatch:
            wrong[f"log {origin}"] = str(mismatch)
            return None

    def _tell_changes(self, wrong: Mapping[str, str]) -> None:
        for what in sorted(set(self._wrong) - set(wrong)):
            tell("well_again", what=what)
        for what, why in sorted(wrong.items()):
            if self._wrong.get(what) != why:
                tell("wrong", what=what, why=why)
        self._wrong = dict(wrong)


def _note(published: Sequence[Publication], wrong: dict[str, str]) -> bool:
    """Note what witnesses said and which logs lack a quorum; tell whether one does."""
    for one in published:
        for name, why in one.silent.items():
            wrong[f"witness {name}"] = f"silent: {why}"
        for name, why in one.disputed.items():
            wrong[f"witness {name} on {one.origin}"] = f"disputes: {why}"
        if not one.published:
            wrong[f"quorum of {one.origin}"] = "short: the last published checkpoint stands"
    return not all(one.published for one in published)
