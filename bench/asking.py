"""The load's process, seen from the bench: it takes orders and gives what came of them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.world.children import ROOT, WorldBroken
from tools.places import environment

# A short round of few asks may have a few that went wrong; each is told of all the same.
FEW_FAULTS, MOST_FAULTS = 3, 0.01


@dataclass(frozen=True, slots=True)
class Load:
    """The load's process: takes orders, gives what came of them."""

    process: asyncio.subprocess.Process

    async def order(self, **order: Any) -> None:
        """Give an order that has no answer."""
        if self.process.stdin is None:
            raise WorldBroken("the load takes no orders")
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await self.process.stdin.drain()

    async def play(self, name: str, callers: int, seconds: float, *, asks: int | None = None) -> dict[str, Any]:
        """Play a round, of at most so many asks.

        Raises `WorldBroken` when the load ends, or when more than 3 and more than 1 % of the answers were not 200.
        """
        await self.order(name=name, callers=callers, seconds=seconds, asks=asks)
        line = await self.process.stdout.readline() if self.process.stdout else b""
        if not line:
            raise WorldBroken("the load has ended")
        outcome: dict[str, Any] = json.loads(line)
        if sum(outcome["faults"].values()) > max(FEW_FAULTS, MOST_FAULTS * len(outcome["took"])):
            raise WorldBroken(f"{name}: not every answer was 200: {outcome['faults']}")
        return outcome


@asynccontextmanager
async def opened_load(targets: Mapping[str, Any], authorities: Path | None = None) -> AsyncIterator[Load]:
    """Start the load and tell it whom to ask, and whose word it trusts over TLS; it ends when its input does."""
    trusted = {"SSL_CERT_FILE": str(authorities)} if authorities else {}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", cwd=ROOT, env=environment() | trusted, limit=2**26,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    load = Load(process)
    try:
        for name, target in targets.items():
            await load.order(name=name, target=target)
        yield load
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
