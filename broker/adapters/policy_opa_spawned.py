"""The policy on an OPA server of our own: an `opa` found on this machine, run on loopback for as long as we run.

The same client as in production speaks to it. It listens on 127.0.0.1 alone, answers the decision alone, and only to
the token it was started with (`policies/opa_authz.rego`). It ends when the broker ends, however that happens: a shell
waits on a pipe that only the broker holds open.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from broker.adapters.policy_opa import OpaPolicy
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


@dataclass(frozen=True, slots=True)
class SpawnedOpaPolicy:
    """An OPA server of our own and its client. `open` starts it, `close` ends it. Keeps the door `Policy`."""

    client: OpaPolicy
    server: asyncio.subprocess.Process
    folder: tempfile.TemporaryDirectory[str]

    @classmethod
    async def open(
        cls, opa: Path, rules: Rules, tables: Mapping[str, Any], *, deadline_seconds: float = 2.0
    ) -> SpawnedOpaPolicy:
        """Start the server and wait until it lives.

        Raises `PolicyFaults` for rules or tables that are no use, `PolicyUnavailable` when the server does not come.
        """
        for _ in range(TRIES - 1):
            try:
                return await cls._open(opa, rules, tables, deadline_seconds)
            except PolicyUnavailable:
                # Somebody may have taken the port between our look and the server's.
                continue
        return await cls._open(opa, rules, tables, deadline_seconds)

    @classmethod
    async def _open(
        cls, opa: Path, rules: Rules, tables: Mapping[str, Any], deadline_seconds: float
    ) -> SpawnedOpaPolicy:
        port, token = _free_port(), secrets.token_urlsafe(32)
        url = f"http://127.0.0.1:{port}"
        client = OpaPolicy(url, rules, tables, token=token, deadline_seconds=deadline_seconds, kind="opa spawned")
        folder = tempfile.TemporaryDirectory(prefix="broker-opa-")
        write_bundle(Path(folder.name), rules, tables)
        policy = cls(client, await _start(opa, port, token, folder.name), folder)
        await client.connect()
        try:
            await _until_alive(url, policy.server)
        except BaseException:
            await policy.close()
            raise
        return policy

    @property
    def mark(self) -> PolicyMark:
        """Who answers, as the last answer said."""
        return self.client.mark

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer the whole question in one request; raise `PolicyUnavailable` or `PolicyBroken`."""
        return await self.client.decide(question)

    async def close(self) -> None:
        """Close the connection, end the server and take its files away."""
        await self.client.close()
        if self.server.stdin is not None:
            self.server.stdin.close()
        await self.server.wait()
        self.folder.cleanup()


async def _start(opa: Path, port: int, token: str, bundle: str) -> asyncio.subprocess.Process:
    command = (str(opa), "run", *FLAGS, f"--addr=127.0.0.1:{port}", bundle)
    # The token goes by the environment: arguments can be read by everyone on the machine.
    environment = {"PATH": os.defpath, "HOME": bundle, "BROKER_OPA_TOKEN": token}
    return await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", WATCH, "sh", *command,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env=environment, start_new_session=True,
    )  # fmt: skip


async def _until_alive(url: str, process: asyncio.subprocess.Process) -> None:
    """Wait for the server's health; raise `PolicyUnavailable` when it ends or does not come in time."""
    give_up = time.monotonic() + READY_SECONDS
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as session:
        while time.monotonic() < give_up and process.returncode is None:
            try:
                async with session.get(f"{url}/health") as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(POLL_SECONDS)
    raise PolicyUnavailable


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
