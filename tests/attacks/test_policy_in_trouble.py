"""OPA stops, dies and comes back: until it answers the answer is no, and then asks go on without a restart of ours."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.adapters import policy_opa_spawned
from broker.adapters.policy_opa import OpaPolicy
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from broker.domain.errors import PolicyUnavailable
from broker.domain.events import AskMade
from broker.exchange import exchange
from broker.policy_bundle import write_bundle
from broker.ports import Policy
from tests.builders import SOCIAL, a_caller, a_house, an_ask
from tests.contracts.test_policy import ASKED
from tests.model.engines import RULES, TABLES, opa_on_path
from tests.traces import family_of

SECONDS_TO_RECOVER = 30.0
TOKEN = "secret" * 8


async def answers(policy: Policy) -> bool:
    """Ask once; tell whether the answer came, or a no in its place. Anything else is a fault."""
    try:
        await policy.decide(ASKED)
    except PolicyUnavailable:
        return False
    return True


async def until_answered(policy: Policy) -> int:
    """Ask again and again until an answer comes; tell how often it was no."""
    refused = 0
    async with asyncio.timeout(SECONDS_TO_RECOVER):
        while not await answers(policy):
            refused += 1
            await asyncio.sleep(0.02)
    return refused


async def until_replaced(policy: SpawnedOpaPolicy, first: int) -> None:
    """Wait until another server than the first lives."""
    async with asyncio.timeout(SECONDS_TO_RECOVER):
        while True:
            with contextlib.suppress(PolicyUnavailable):
                if policy.server.pid != first:
                    return
            await asyncio.sleep(0.02)


def opa_of(policy: SpawnedOpaPolicy) -> int:
    """Give the process of the server itself, below its watcher."""
    return next(one for one in family_of(policy.server.pid) if Path(f"/proc/{one}/comm").read_text() == "opa\n")


@asynccontextmanager
async def spawned(**settings: Any) -> AsyncIterator[SpawnedOpaPolicy]:
    """Open an OPA of our own; after the test nothing of it may be left."""
    policy = await SpawnedOpaPolicy.open(opa_on_path(), RULES, TABLES, **settings)
    watched = policy._folder.name
    try:
        yield policy
    finally:
        await policy.close()
    assert not Path(watched).exists()
    async with asyncio.timeout(SECONDS_TO_RECOVER):
        while any(watched.encode() in _told(file) for file in Path("/proc").glob("[0-9]*/cmdline")):
            await asyncio.sleep(0.05)


def _told(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("who", ["the server", "its watcher"])
async def test_an_opa_that_was_killed_is_started_again(who: str) -> None:
    """Killed from outside, our OPA comes back by itself: another process, with another port and another token."""
    async with spawned() as policy:
        assert await answers(policy)
        first, before = policy.server.pid, policy.client._courier._headers
        os.kill(opa_of(policy) if who == "the server" else first, signal.SIGKILL)
        await until_replaced(policy, first)
        await until_answered(policy)

        assert policy.client._courier._headers["authorization"] != before["authorization"]
        assert policy.mark.revision == policy.client.mark.revision


async def test_an_opa_that_is_stopped_means_no_and_goes_on() -> None:
    """A server that stands still answers nobody; let go, it answers again, the same process."""
    async with spawned(deadline_seconds=0.3) as policy:
        first, stopped = policy.server.pid, opa_of(policy)
        os.kill(stopped, signal.SIGSTOP)
        assert not await answers(policy)
        os.kill(stopped, signal.SIGCONT)
        await until_answered(policy)
        assert policy.server.pid == first


async def test_an_opa_that_hangs_for_good_is_replaced() -> None:
    """One that answers nobody for long is killed, and another takes its place."""
    async with spawned(deadline_seconds=0.3, patience_seconds=0.5) as policy:
        first, stopped = policy.server.pid, opa_of(policy)
        os.kill(stopped, signal.SIGSTOP)
        assert not await answers(policy)
        await until_replaced(policy, first)
        await until_answered(policy)
        assert _told(Path(f"/proc/{stopped}/cmdline")) == b""


async def test_an_opa_that_cannot_start_is_tried_ever_more_seldom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that ends at once is not started in a circle; the answer stays no, and closing works."""
    starts, broken = tmp_path / "starts", tmp_path / "broken"
    program = tmp_path / "opa"
    program.write_text(f'#!/bin/sh\necho >> {starts}\n[ -e {broken} ] && exit 1\nexec {opa_on_path()} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(policy_opa_spawned, "REST_SECONDS", 0.05)
    policy = await SpawnedOpaPolicy.open(program, RULES, TABLES)
    try:
        broken.touch()
        os.kill(opa_of(policy), signal.SIGKILL)
        refused = 0
        for _ in range(30):
            refused += not await answers(policy)
            await asyncio.sleep(0.05)
        # In so long a time it rested 0.05, 0.1, 0.2, 0.4, 0.8 seconds before each.
        assert 2 <= len(starts.read_text().splitlines()) <= 7
        assert refused >= 25
        broken.unlink()
        await until_answered(policy)
    finally:
        await policy.close()


async def test_an_opa_server_that_comes_back_is_asked_again(tmp_path: Path) -> None:
    """A server run by others: stopped, killed and started again, it is asked as before when it is back."""
    write_bundle(tmp_path, RULES, TABLES)
    port = policy_opa_spawned._free_port()
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "BROKER_OPA_TOKEN": TOKEN}

    async def start() -> asyncio.subprocess.Process:
        flags = ("run", *policy_opa_spawned.FLAGS, f"--addr=127.0.0.1:{port}", str(tmp_path))
        null = asyncio.subprocess.DEVNULL
        return await asyncio.create_subprocess_exec(opa_on_path(), *flags, env=environment, stdout=null, stderr=null)

    policy = await OpaPolicy.open(f"http://127.0.0.1:{port}", RULES, TABLES, token=TOKEN, deadline_seconds=0.3)
    server = await start()
    try:
        await until_answered(policy)
        server.send_signal(signal.SIGSTOP)
        assert not await answers(policy)
        server.send_signal(signal.SIGCONT)
        await until_answered(policy)

        server.kill()
        await server.wait()
        assert not await answers(policy)
        server = await start()
        await until_answered(policy)
    finally:
        server.kill()
        await server.wait()
        await policy.close()


async def test_opa_that_dies_in_the_middle_of_an_ask(tmp_path: Path) -> None:
    """Dead between facts and decision: no source is asked, the ask stands without outcome, and the next one goes."""
    house = await a_house(tmp_path)
    house.consented(SOCIAL, "S01")
    policy = await SpawnedOpaPolicy.open(opa_on_path(), RULES, TABLES)
    try:
        people: Any = house.people
        looking = people.person

        async def person(cpr: Any) -> Any:
            os.kill(opa_of(policy), signal.SIGKILL)
            people.person = looking
            return await looking(cpr)

        people.person = person
        with pytest.raises(PolicyUnavailable):
            await exchange(an_ask(), a_caller(), replace(house.ports, policy=policy))
        assert all(source.asked == [] for source in house.sources.values())
        assert [type(event) for event in house.log.events] == [AskMade]
    finally:
        await policy.close()
