"""The policy on an OPA server of our own: an `opa` found on this machine, run on loopback for as long as we run.

The same client as in production speaks to it. It listens on 127.0.0.1 alone, answers the decision alone, and only to
the token it was started with (`policies/opa_authz.rego`). It ends when the broker ends, however that happens: a shell
waits on a pipe that only the broker holds open.

A server that ends is started again, one that hangs is killed first; each new one has a port and a token of its own.
Until it lives every question is refused. One that keeps ending is started ever more seldom.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
import structlog

from broker.adapters.policy_opa import OpaPolicy, Vouched
from broker.domain.decisions import Decision, PolicyMark
from broker.domain.errors import PolicyUnavailable
from broker.policy_bundle import write_bundle
from broker.policy_tables import Rules

# The watcher reads until the broker is gone, then ends the server; when the server ends first, so does the watcher.
WATCH = """
exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ read -r _ <&3; kill $server; } & watcher=$!
wait $server
kill $watcher
"""
FLAGS = (
    "--server", "--authentication=token", "--authorization=basic", "--log-level=error", "--skip-version-check",
    "--shutdown-grace-period=1", "--bundle",
)  # fmt: skip
READY_SECONDS = 20.0
TRIES = 3
POLL_SECONDS = 0.02
KIND = "opa spawned"
# How long a server may be silent, may take to end, and must have lived for its next end to be a first one.
PATIENCE_SECONDS = 10.0
END_SECONDS = 2.0
STEADY_SECONDS = 60.0
# Go collects when its heap has grown by so many per cent; the rules are small, and each question leaves much behind.
LESS_COLLECTING = {"GOGC": "400"}
# The rest before a new server is started: doubled each time, up to the most.
REST_SECONDS = 0.1
MOST_REST_SECONDS = 10.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Server:
    """One running server and the client that speaks to it."""

    url: str
    client: OpaPolicy
    process: asyncio.subprocess.Process
    began: float

    async def hangs_or_ends(self, patience_seconds: float) -> str:
        """Wait until the server has ended (`ended`), or has not answered for its health for so long (`hangs`)."""
        answered = time.monotonic()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=min(1, patience_seconds))) as session:
            while self.process.returncode is None:
                if await _lives(session, self.url):
                    answered = time.monotonic()
                elif time.monotonic() - answered > patience_seconds:
                    return "hangs"
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(1, patience_seconds)):
                        await self.process.wait()
        return "ended"

    async def end(self) -> None:
        """Close the connection and end the server, by force where it has not ended in time."""
        await self.client.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self.process.wait()
        except TimeoutError:
            # Not waited for yet, so the group is still its own.
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()


class SpawnedOpaPolicy:
    """An OPA server of our own and its client. `open` starts it, `close` ends it. Keeps the door `Policy`.

    A server whose health does not answer for `patience_seconds` counts as hanging.
    """

    def __init__(
        self,
        opa: Path,
        rules: Rules,
        tables: Mapping[str, Any],
        *,
        deadline_seconds: float = 2.0,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.mark = PolicyMark(KIND, "", "")
        self.tally: Counter[str] = Counter()
        self.vouched = Vouched()
        self._opa = opa
        self._rules = rules
        self._tables = tables
        self._deadline_seconds = deadline_seconds
        self._patience_seconds = patience_seconds
        self._folder = tempfile.TemporaryDirectory(prefix="broker-opa-")
        self._server: _Server | None = None
        # The one that was started last, which also has to be ended when it lives no more.
        self._last: _Server | None = None
        self._tending: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        opa: Path,
        rules: Rules,
        tables: Mapping[str, Any],
        *,
        deadline_seconds: float = 2.0,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Self:
        """Start the server, wait until it lives, and see to it from then on.

        Raises `PolicyFaults` for rules or tables that are no use, `PolicyUnavailable` when the server does not come.
        """
        policy = cls(opa, rules, tables, deadline_seconds=deadline_seconds, patience_seconds=patience_seconds)
        try:
            write_bundle(Path(policy._folder.name), rules, tables)
            policy._server = await policy._started()
        except BaseException:
            policy._folder.cleanup()
            raise
        policy.mark = policy._server.client.mark
        policy._tending = asyncio.create_task(policy._tend(policy._server))
        return policy

    @property
    def client(self) -> OpaPolicy:
        """Give the client of the server that lives; raise `PolicyUnavailable` when none does."""
        return self._living().client

    @property
    def server(self) -> asyncio.subprocess.Process:
        """Give the process of the server that lives; raise `PolicyUnavailable` when none does."""
        return self._living().process

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer the whole question in one request; raise `PolicyUnavailable` or `PolicyBroken`."""
        try:
            client = self.client
        except PolicyUnavailable:
            self.tally["unavailable"] += 1
            raise
        decision = await client.decide(question)
        self.mark = decision.mark
        return decision

    async def close(self) -> None:
        """Close the connection, end the server and take its files away."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        self._server = None
        if self._last is not None:
            await self._last.end()
        self._folder.cleanup()

    def _living(self) -> _Server:
        if self._server is None or self._server.process.returncode is not None:
            raise PolicyUnavailable
        return self._server

    async def _tend(self, server: _Server) -> None:
        """Put a new server in the place of one that ended or hangs, for as long as we run."""
        rest = REST_SECONDS
        while True:
            why = await server.hangs_or_ends(self._patience_seconds)
            log.warning("policy_server", engine=KIND, why=why)
            rest = REST_SECONDS if time.monotonic() - server.began > STEADY_SECONDS else rest
            self._server = None
            await server.end()
            server, rest = await self._replaced(rest)
            self._server = server
            log.warning("policy_server", engine=KIND, why="started again")

    async def _replaced(self, rest: float) -> tuple[_Server, float]:
        """Start a server after a rest, again and again until one lives; give it, and how long to rest next time."""
        while True:
            await asyncio.sleep(rest)
            rest = min(rest * 2, MOST_REST_SECONDS)
            try:
                return await self._start(), rest
            except PolicyUnavailable:
                log.warning("policy_server", engine=KIND, why="does not start")

    async def _started(self) -> _Server:
        for _ in range(TRIES - 1):
            try:
                return await self._start()
            except PolicyUnavailable:
                # Somebody may have taken the port between our look and the server's.
                continue
        return await self._start()

    async def _start(self) -> _Server:
        """Start one server and wait until it lives; raise `PolicyUnavailable` when it does not come."""
        port, token = _free_port(), secrets.token_urlsafe(32)
        url = f"http://127.0.0.1:{port}"
        client = OpaPolicy(
            url, self._rules, self._tables, token=token, deadline_seconds=self._deadline_seconds, kind=KIND
        )
        client.tally, client.vouched = self.tally, self.vouched
        process = await _run(self._opa, port, token, self._folder.name)
        self._last = server = _Server(url, client, process, time.monotonic())
        try:
            await _until_alive(url, server.process)
        except BaseException:
            await server.end()
            raise
        return server


async def _run(opa: Path, port: int, token: str, bundle: str) -> asyncio.subprocess.Process:
    """Start the program under its watcher; raise `PolicyUnavailable` when the machine does not let us."""
    command = (str(opa), "run", *FLAGS, f"--addr=127.0.0.1:{port}", bundle)
    # The token goes by the environment: arguments can be read by everyone on the machine.
    environment = {"PATH": os.defpath, "HOME": bundle, "BROKER_OPA_TOKEN": token} | LESS_COLLECTING
    try:
        return await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", WATCH, "sh", *command,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            env=environment, start_new_session=True,
        )  # fmt: skip
    except OSError:
        raise PolicyUnavailable from None


async def _until_alive(url: str, process: asyncio.subprocess.Process) -> None:
    """Wait for the server's health; raise `PolicyUnavailable` when it ends or does not come in time."""
    give_up = time.monotonic() + READY_SECONDS
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as session:
        while time.monotonic() < give_up and process.returncode is None:
            if await _lives(session, url):
                return
            await asyncio.sleep(POLL_SECONDS)
    raise PolicyUnavailable


async def _lives(session: aiohttp.ClientSession, url: str) -> bool:
    """Tell whether a server answers for its health."""
    try:
        async with session.get(f"{url}/health") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
