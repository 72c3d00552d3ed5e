"""The rounds: what is compared is measured in turn, again and again, so that a slow minute hits all alike."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any, cast

from bench.inside import Appends, Decisions, opened_appends, opened_decisions, opened_sources, sources_alone
from bench.processes import listener_on, spent_by
from bench.scene import CASES, SCHOOL, Scene, engines
from broker.main import House
from demo.world.children import ROOT, WorldBroken
from tools.places import environment

SLOW_MS = 20
REGISTERS_MS = 10
SOURCES = tuple(f"source-korsbaek-{name}" for name in ("jobcentre", "social", "family", "health", "school"))
REGISTERS = ("people", f"cases-{CASES}")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often; no round begins after `most_seconds`, so that a busy machine is not kept for ever."""

    rounds: int
    seconds: float
    warm_up: float
    appends: int
    decisions: int
    reads: int
    most_seconds: float


FULL = Plan(rounds=5, seconds=1.2, warm_up=0.5, appends=120, decisions=30, reads=8, most_seconds=130)
QUICK = Plan(rounds=2, seconds=0.25, warm_up=0.15, appends=30, decisions=8, reads=2, most_seconds=12)
MOST_FAULTS = 0.01


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison: what waits how long, how many callers, and who is asked."""

    name: str
    callers: int
    targets: tuple[str, ...]
    source_ms: int = 0
    registers_ms: int = 0


@dataclass(slots=True)
class Figures:
    """All that was measured: for each place a figure of each round, in the order of the rounds."""

    plan: Plan
    cases: tuple[Case, ...]
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    series: dict[tuple[str, ...], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, *place: str, value: float | None) -> None:
        """Note a figure; None is none."""
        if value is not None:
            self.series[place].append(value)

    def of(self, *place: str) -> list[float]:
        """Give the figures of a place, a round each; empty where nothing was measured."""
        return self.series.get(place, [])

    def ratio(self, above: tuple[str, ...], below: tuple[str, ...]) -> list[float]:
        """Give the ratio of two places, round by round."""
        return [one / other for one, other in zip(self.of(*above), self.of(*below), strict=False) if other]


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

    async def play(self, name: str, callers: int, seconds: float) -> dict[str, Any]:
        """Play a round; raise `WorldBroken` when the load ends or when more than 1 % of the answers were not 200."""
        await self.order(name=name, callers=callers, seconds=seconds)
        line = await self.process.stdout.readline() if self.process.stdout else b""
        if not line:
            raise WorldBroken("the load has ended")
        outcome: dict[str, Any] = json.loads(line)
        if sum(outcome["faults"].values()) > max(1, MOST_FAULTS * len(outcome["took"])):
            raise WorldBroken(f"{name}: not every answer was 200: {outcome['faults']}")
        return outcome


@asynccontextmanager
async def opened_load(scene: Scene) -> AsyncIterator[Load]:
    """Start the load and tell it whom to ask; it ends when its input does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", cwd=ROOT, env=environment(), limit=2**26,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    load = Load(process)
    try:
        for name, target in scene.targets.items():
            await load.order(name=name, target=target)
        yield load
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


def cases_of(brokers: tuple[str, ...]) -> tuple[Case, ...]:
    """List what is compared."""
    everybody, first = ("direct", "floor", *brokers), brokers[0]
    return (
        Case("at once, 1 caller", 1, everybody),
        Case("at once, 16 callers", 16, everybody),
        Case("source of 20 ms, 1 caller", 1, ("direct", "floor", first), source_ms=SLOW_MS),
        Case("the same, registers of 10 ms", 1, ("direct", "floor", first), SLOW_MS, REGISTERS_MS),
    )


async def measure(scene: Scene, plan: Plan, say: Callable[[str], None]) -> Figures:
    """Start what is compared, warm up, and measure every round."""
    brokers = tuple(engines())
    await scene.add_floor()
    await asyncio.gather(*(scene.add_broker(name, engine) for name, engine in engines().items()))
    figures = Figures(plan, cases_of(brokers))
    async with AsyncExitStack() as stack:
        load = await stack.enter_async_context(opened_load(scene))
        house = await stack.enter_async_context(opened_sources(scene))
        decisions = await stack.enter_async_context(opened_decisions(house))
        appends = await stack.enter_async_context(opened_appends(scene))
        processes = {name: listener_on(port) for name, port in scene.ports.items()}
        begun = time.monotonic()
        for number in range(plan.rounds + 1):
            if number > 1 and time.monotonic() - begun > plan.most_seconds:
                break
            say(f"round {number} of {plan.rounds}" if number else "warming up")
            # What the first round finds is thrown away.
            into = figures if number else Figures(plan, figures.cases)
            seconds = plan.seconds if number else plan.warm_up
            for case in figures.cases:
                await _compare(scene, load, case, seconds, processes, into)
            await _view(scene, load, house, brokers[0], seconds, into)
            await _inside(appends, decisions, plan, into)
            figures.rounds = number
    return figures


async def _compare(
    scene: Scene, load: Load, case: Case, seconds: float, processes: dict[str, int | None], into: Figures
) -> None:
    """Ask each target in turn, under the same waits."""
    await scene.slow(case.source_ms, f"source-{SCHOOL}")
    await scene.slow(case.registers_ms, *REGISTERS)
    for target in case.targets:
        before = spent_by(processes.get(target))
        outcome = await load.play(target, case.callers, seconds)
        after = spent_by(processes.get(target))
        _note(into, case.name, target, outcome)
        if before and after:
            asks = len(outcome["took"])
            into.add(case.name, target, "cpu", value=(after.own - before.own) * 1000 / asks)
            into.add(case.name, target, "cpu children", value=(after.children - before.children) * 1000 / asks)
    await scene.slow(0, f"source-{SCHOOL}", *REGISTERS)


def _note(into: Figures, case: str, target: str, outcome: dict[str, Any]) -> None:
    into.faults.update({f"{target}, {case}: {why}": count for why, count in outcome["faults"].items()})
    took = [one * 1000 for one in cast("list[float]", outcome["took"])]
    into.add(case, target, "rate", value=len(took) / outcome["seconds"])
    into.add(case, target, "p50", value=median(took))
    into.add(case, target, "p99", value=quantiles(took, n=100, method="inclusive")[98] if len(took) > 1 else took[0])


async def _view(scene: Scene, load: Load, house: House, broker: str, seconds: float, into: Figures) -> None:
    """Ask for the view of five sources that take 20 ms for each of their answers, and each source alone."""
    await scene.slow(SLOW_MS, *SOURCES)
    _note(into, "view", broker, await load.play(f"{broker} view", 1, seconds))
    alone = await sources_alone(scene, house, into.plan.reads)
    for name, took in alone.items():
        into.add("view", name, "p50", value=took)
    into.add("view", "slowest source", "p50", value=max(alone.values()))
    into.add("view", "all in a row", "p50", value=sum(alone.values()))
    await scene.slow(0, *SOURCES)


async def _inside(appends: Appends, decisions: Decisions, plan: Plan, into: Figures) -> None:
    for callers in (1, 16):
        into.add("log", f"{callers}", "raw", value=await appends.raw(callers, plan.appends))
        into.add("log", f"{callers}", "grouped", value=await appends.grouped(callers, plan.appends))
    for engine in decisions.engines:
        for keys in decisions.questions:
            into.add("decision", engine, f"{keys}", value=await decisions.took(engine, keys, plan.decisions))
