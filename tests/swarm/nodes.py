"""The broker's nodes: real processes on one database, each with a clock of its own; paused, killed, started again."""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import random
import runpy
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import aiohttp

from demo.world.children import WorldBroken
from demo.world.world import HOST, World, _free_port
from tests.swarm.evidence import Outage
from tests.swarm.town import CLOCK

SECONDS_TO_SERVE = 90.0
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
# How far apart the nodes' clocks stand at the start, in minutes.
APART = (-7, -2, 3, 9)
FIRST = (False, True)  # Whether it is a kill.
# What no balance of a play may run into.
MANY = "1000000"


# Imported once, in the process that every node is forked from: a killed node is then back in a second.
PARTS = ["broker.node", "broker.web.faces", "broker.cli.commands"]
_FORKS = multiprocessing.get_context("forkserver")


def warm_up() -> None:
    """Let what every node imports be imported while the town is staged."""
    _FORKS.set_forkserver_preload(PARTS)
    forkserver.ensure_running()


@dataclass(slots=True)
class Node:
    """One node: how it is started, and the process it is now."""

    number: int
    address: str
    module: str
    settings: Mapping[str, str]
    clock: Path
    errors: Path
    process: ForkServerProcess | None = None
    up: bool = True  # As whoever balances between nodes knows it: a dead one is sent nobody new.

    def start(self) -> None:
        """Start the process, `python -m MODULE serve`; it serves a little later."""
        given = (self.module, dict(self.settings), str(self.errors))
        self.process = _FORKS.Process(target=_serve, args=given, daemon=True)
        self.process.start()

    def signal(self, which: signal.Signals) -> None:
        """Send a signal to the process."""
        if self.process is not None and self.process.pid is not None:
            os.kill(self.process.pid, which)

    def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.join()

    def set_clock(self, minutes: float) -> None:
        """Let the node's clock stand so many minutes from the town's."""
        fresh = self.clock.with_suffix(".new")
        fresh.write_text((CLOCK + timedelta(minutes=minutes)).isoformat(), "ascii")
        fresh.rename(self.clock)

    async def ready(self, http: aiohttp.ClientSession) -> None:
        """Wait until it serves; raise `WorldBroken` when it ends instead, or does not come."""
        deadline = time.monotonic() + SECONDS_TO_SERVE
        while time.monotonic() < deadline:
            if self.process is None or not self.process.is_alive():
                raise WorldBroken(f"node {self.number} ended: {self.errors.read_text('utf-8')[-400:]}")
            try:
                async with http.get(f"{self.address}/health/ready") as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)
        raise WorldBroken(f"node {self.number} was not ready after {SECONDS_TO_SERVE:.0f} seconds")


def nodes_of(world: World, modules: Sequence[str], engines: Sequence[str]) -> list[Node]:
    """Make nodes on the world's database and registry, behind its one public address."""
    nodes = []
    for number, (module, engine) in enumerate(zip(modules, engines, strict=True)):
        port = _free_port(0)
        clock = world.files.folder / f"clock-{number}"
        given = {
            "PROFILE": "test", "HOST": HOST, "PORT": str(port), "CLOCK_FILE": str(clock), "POLICY_ENGINE": engine,
            "ASKS_PER_CASEWORKER_HOUR": MANY, "ASKS_PER_SYSTEM_HOUR": MANY, "ASKS_PER_MUNICIPALITY_HOUR": MANY,
        }  # fmt: skip
        settings = world._settings() | {f"BROKER_{name}": value for name, value in given.items()}
        errors = world.files.folder / f"node-{number}.log"
        node = Node(number, f"http://{HOST}:{port}", module, settings, clock, errors)
        node.set_clock(APART[number % len(APART)])
        nodes.append(node)
    return nodes


@dataclass(slots=True)
class Chaos:
    """What is done to the nodes, by as many hands as reign at once, each on a node of its own; and a note of it."""

    nodes: Sequence[Node]
    http: aiohttp.ClientSession
    dice: random.Random
    rest: tuple[float, float]
    pause: tuple[float, float]
    kills: float
    outages: list[Outage] = field(default_factory=list)
    struck: set[int] = field(default_factory=set)
    begun: int = 0

    @property
    def enough(self) -> bool:
        """Whether there has been at least a pause and a kill."""
        return len(self.outages) >= len(FIRST)

    async def reign(self, ended: asyncio.Event) -> None:
        """Go on until the play has ended; whatever is under way then is put right first."""
        while True:
            try:
                async with asyncio.timeout(self.dice.uniform(*self.rest)):
                    await ended.wait()
            except TimeoutError:
                node = self.dice.choice([one for one in self.nodes if one.number not in self.struck])
                self.struck.add(node.number)
                await self._strike(node)
                self.struck.discard(node.number)
                continue
            return

    async def _strike(self, node: Node) -> None:
        # The first is a pause and the second a kill, so that a short play has both.
        first, self.begun = self.begun < len(FIRST), self.begun + 1
        kill = FIRST[self.begun - 1] if first else self.dice.random() < self.kills
        node.set_clock(self.dice.uniform(-12, 12))
        begin = time.monotonic()
        if kill:
            node.end()
            node.up = False
            node.start()
            await node.ready(self.http)
            node.up = True
        else:
            node.signal(signal.SIGSTOP)
            await asyncio.sleep(self.dice.uniform(*self.pause))
            node.signal(signal.SIGCONT)
        self.outages.append(Outage(node.number, "kill" if kill else "pause", begin, time.monotonic()))


def _serve(module: str, settings: Mapping[str, str], errors: str) -> None:
    """Be a node from now on. It dies with the process that forked it, and so with the play."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    sink = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for place in (1, 2):
        os.dup2(sink, place)
    os.environ.update(settings)
    sys.argv = [module, "serve"]
    random.seed()
    runpy.run_module(module, run_name="__main__", alter_sys=True)
