"""Parts of the broker measured by themselves, without HTTP to it: appends, decisions, and each source alone."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from audit.committer import GroupCommitter
from audit.postgres import open_log
from bench.appending import Write, an_entry, in_a_loop, plain, proven
from bench.figures import percentile_99
from bench.question import question_of
from bench.scene import FIVE_SOURCES, PUPIL, Scene
from broker.adapters.database import Pool, open_pool
from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from broker.domain.personal import Personal
from broker.main import House, open_house
from broker.policy_tables import load_rules
from broker.ports import Policy
from broker.settings import read
from demo.world.world import POLICIES

ORIGIN, TENANT, YEAR = "bench.example/log/bench/2019", "bench", 2019
RAW_TABLE = """
CREATE TABLE bench_raw (eid bytea PRIMARY KEY, leaf bytea, ciphertext bytea, salt bytea, fields jsonb,
                        n bigint GENERATED ALWAYS AS IDENTITY UNIQUE);
GRANT SELECT, INSERT ON bench_raw TO borgerbro_app;
"""
KEYS = (1, 60)
LARGE_TABLES = ", large tables"


@dataclass(frozen=True, slots=True)
class Appends:
    """The log beside plain inserts of the same bytes, one row a transaction, over the same pool of 16 connections."""

    pool: Pool
    committer: GroupCommitter

    async def grouped(self, callers: int, each: int) -> tuple[float, float]:
        """Append with proof; give the appends a second, and the p99 of one in milliseconds."""
        return await _rate(callers, each, proven(self.committer))

    async def raw(self, callers: int, each: int) -> tuple[float, float]:
        """Insert plain rows; give the inserts a second, and the p99 of one in milliseconds."""
        return await _rate(callers, each, plain(self.pool))


@asynccontextmanager
async def opened_appends(scene: Scene) -> AsyncIterator[Appends]:
    """Open a log of the bench's own, and the plain table beside it."""
    admin = await asyncpg.connect(scene.world.databases.superuser)
    await admin.execute(RAW_TABLE)
    await admin.close()
    pool = await open_pool(scene.world.addresses.app, name="bench")
    async with pool.acquire() as connection:
        await open_log(connection, ORIGIN, TENANT, YEAR)
    committer = GroupCommitter(pool)
    try:
        yield Appends(pool, committer)
    finally:
        await committer.aclose()
        await pool.close()


async def _rate(callers: int, each: int, write: Write) -> tuple[float, float]:
    entries = [an_entry(ORIGIN) for _ in range(callers * each)]
    begun = time.perf_counter()
    took = await in_a_loop(entries, callers, write)
    return len(entries) / (time.perf_counter() - begun), percentile_99(took)


@dataclass(frozen=True, slots=True)
class Decisions:
    """The policy engines that are here, each over the same rules, tables and questions."""

    engines: dict[str, Policy]
    questions: dict[int, dict[str, Any]]

    async def took(self, engine: str, keys: int, times: int) -> tuple[float, float]:
        """Give the median and the p99 of one decision, in milliseconds."""
        took = []
        for _ in range(times):
            begun = time.perf_counter()
            await self.engines[engine].decide(self.questions[keys])
            took.append((time.perf_counter() - begun) * 1000)
        return median(took), percentile_99(took)


@asynccontextmanager
async def opened_decisions(house: House, large: Mapping[str, Any]) -> AsyncIterator[Decisions]:
    """Open the engines over the scene's registry, and over the tables of a large one."""
    rules, opa = load_rules(POLICIES), shutil.which("opa")
    engines: dict[str, Any] = {}
    for what, tables in (("", house.registry.tables), (LARGE_TABLES, large)):
        engines[f"embedded{what}"] = await EmbeddedPolicy.open(rules, tables)
        if opa:
            engines[f"OPA server{what}"] = await SpawnedOpaPolicy.open(Path(opa), rules, tables)
    questions = [question_of(house.registry.directory, count) for count in KEYS]
    try:
        yield Decisions(engines, {len(question["keys"]): question for question in questions})
    finally:
        for engine in engines.values():
            await engine.close()


@asynccontextmanager
async def opened_sources(scene: Scene) -> AsyncIterator[House]:
    """Open the doors of one more node in this process, for its sources and its registry."""
    settings = scene.settings("http://127.0.0.1:1", 0, "embedded", scene.world.files.registry, POLICIES)
    async with open_house(read(settings), {}) as house:
        yield house


async def sources_alone(scene: Scene, house: House, times: int) -> dict[str, float]:
    """Give the median milliseconds of reading each of the view's sources by itself, with its own connector."""
    ask = scene.asks[FIVE_SOURCES]
    took = {}
    for name in ask["sources"]:
        entry = house.registry.directory.sources[name]
        wanted = entry.categories & frozenset(ask["categories"])
        child = any(house.registry.directory.categories[category].child for category in wanted)
        cpr = Personal(scene.world.cast.cpr(PUPIL if child else ask["citizen"]))
        each = []
        for _ in range(times):
            begun = time.perf_counter()
            await house.ports.sources[name].read(cpr, "h-bench", wanted)
            each.append(time.perf_counter() - begun)
        took[name] = median(each) * 1000
    return took
