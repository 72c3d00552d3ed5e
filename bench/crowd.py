"""Several processes that append at once, beside the same processes inserting plain rows, one a transaction.

They have a PostgreSQL of their own, durable as production's, so that they take nobody's connections.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from audit import postgres
from bench.figures import Figures, percentile_99
from demo.postgres import PrivatePostgres
from demo.world.children import ROOT, WorldBroken
from tools.places import environment

RAW_TABLE = """
CREATE TABLE bench_raw (eid bytea PRIMARY KEY, leaf bytea, ciphertext bytea, salt bytea, fields jsonb,
                        n bigint GENERATED ALWAYS AS IDENTITY UNIQUE)
"""
TENANT, YEAR = "bench", 2019
ONE, OWN = "one log", "a log each"
MOST_PROCESSES, MOST_CALLERS = 8, 16


@dataclass(frozen=True, slots=True)
class Shape:
    """So many processes of so many callers each, on one log or on one each."""

    processes: int
    callers: int
    logs: str

    @property
    def name(self) -> str:
        """Name the shape in figures."""
        return f"{self.processes} × {self.callers}, {self.logs}"


SHAPES = (Shape(4, 16, ONE), Shape(8, 8, ONE), Shape(4, 16, OWN))


@dataclass(frozen=True, slots=True)
class Crowd:
    """The processes, each waiting for an order."""

    members: list[asyncio.subprocess.Process]

    async def play(self, shape: Shape, what: str, appends: int) -> tuple[float, float]:
        """Let a shape's processes write so many rows in all; give rows a second, and the p99 of one in milliseconds.

        Raises `WorldBroken` when a process has ended.
        """
        members = self.members[: shape.processes]
        each = max(1, appends // (shape.processes * shape.callers))
        for number, member in enumerate(members):
            origin = _origin(number if shape.logs == OWN else 0)
            _say(member, {"what": what, "origin": origin, "callers": shape.callers, "each": each})
        for member in members:
            await _heard(member)
        for member in members:
            _say(member, "go")
        told = [json.loads(await _heard(member)) for member in members]
        took = [one for row in told for one in row["took"]]
        seconds = max(row["ended"] for row in told) - min(row["begun"] for row in told)
        return len(took) / seconds, percentile_99(took)

    async def round(self, into: Figures, appends: int) -> None:
        """Play every shape, plain and proven in turn, and note what came of it."""
        for shape in SHAPES:
            for what in ("raw", "grouped"):
                rate, p99 = await self.play(shape, what, appends)
                into.add("log", shape.name, what, value=rate)
                into.add("log", shape.name, f"{what} p99", value=p99)


def appended(figures: Figures) -> list[tuple[str, str]]:
    """List what appends were measured: how to call it, and its name in the figures."""
    alone = [(f"{callers} at once", f"{callers}") for callers in figures.plan.callers]
    shapes = [(f"processes of callers: {shape.name}", shape.name) for shape in SHAPES]
    return alone + [(what, name) for what, name in shapes if figures.of("log", name, "raw")]


@asynccontextmanager
async def opened_crowd(folder: Path) -> AsyncIterator[Crowd]:
    """Start a PostgreSQL with an empty log for each process, and the processes; take both away again."""
    server = PrivatePostgres(folder, durable=True)
    members: list[asyncio.subprocess.Process] = []
    try:
        await asyncio.to_thread(server.start)
        address = await asyncio.to_thread(server.create_database, "crowd")
        await _lay_tables(address)
        for _ in range(MOST_PROCESSES):
            member = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bench.appending", cwd=ROOT, env=environment(), limit=2**26,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            members.append(member)
            _say(member, {"address": address, "callers": MOST_CALLERS})
        yield Crowd(members)
    finally:
        for member in members:
            if member.stdin is not None:
                member.stdin.close()
        await asyncio.gather(*(member.wait() for member in members))
        await asyncio.to_thread(server.remove)


async def _lay_tables(address: str) -> None:
    connection = await asyncpg.connect(address)
    for statement in (*postgres.schema_statements(), RAW_TABLE):
        await connection.execute(statement)
    for number in range(MOST_PROCESSES):
        await postgres.open_log(connection, _origin(number), TENANT, YEAR)
    await connection.close()


def _origin(number: int) -> str:
    return f"bench.example/log/{number}/{YEAR}"


def _say(member: asyncio.subprocess.Process, what: Any) -> None:
    if member.stdin is not None:
        member.stdin.write(json.dumps(what).encode() + b"\n")


async def _heard(member: asyncio.subprocess.Process) -> bytes:
    line = await member.stdout.readline() if member.stdout else b""
    if not line:
        raise WorldBroken("a process that appends has ended")
    return line
