"""The rounds: what is compared is measured in turn, again and again, so that a slow minute hits all alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bench.asking import Load, opened_load
from bench.figures import Figures
from bench.inside import Appends, Decisions, opened_appends, opened_decisions, opened_sources, sources_alone
from bench.machine import Machine, find_payers
from bench.plan import SLOW_MS, Case, Plan, cases_of
from bench.processes import open_books
from bench.scene import CASES, SCHOOL, Scene, engines
from broker.main import House

SOURCES = tuple(f"source-korsbaek-{name}" for name in ("jobcentre", "social", "family", "health", "school"))
REGISTERS = ("people", f"cases-{CASES}")


@dataclass(frozen=True, slots=True)
class Course:
    """Everything that a round asks, open."""

    scene: Scene
    load: Load
    machine: Machine
    house: House
    decisions: Decisions
    appends: Appends


@asynccontextmanager
async def opened_course(scene: Scene) -> AsyncIterator[Course]:
    """Start what is compared."""
    await scene.add_floor()
    await asyncio.gather(*(scene.add_broker(name, engine) for name, engine in engines().items()))
    async with AsyncExitStack() as stack:
        load = await stack.enter_async_context(opened_load(scene.targets))
        house = await stack.enter_async_context(opened_sources(scene))
        decisions = await stack.enter_async_context(opened_decisions(house))
        appends = await stack.enter_async_context(opened_appends(scene))
        yield Course(scene, load, await find_payers(scene, load.process.pid), house, decisions, appends)


async def measure(scene: Scene, plan: Plan, say: Callable[[str], None]) -> Figures:
    """Start what is compared, warm up, and measure every round."""
    figures = Figures(plan, cases_of(plan, tuple(engines())))
    async with opened_course(scene) as course:
        begun = time.monotonic()
        for number in range(plan.rounds + 1):
            if number > 1 and time.monotonic() - begun > plan.most_seconds:
                break
            say(f"round {number} of {plan.rounds}" if number else "warming up")
            # What the first round finds is thrown away.
            await _round(course, figures if number else Figures(plan, figures.cases), warming=number == 0)
            figures.rounds = number
        figures.facts["noise"] = course.machine.noise()
        figures.facts["others_share"] = [round(share, 3) for share in course.machine.others]
    return figures


async def _round(course: Course, into: Figures, *, warming: bool) -> None:
    before, begun = open_books(), time.monotonic()
    for case in into.cases:
        await _compare(course, case, into, warming=warming)
    await _view(course, into, warming=warming)
    await _inside(course, into)
    if not warming:
        course.machine.watch(before, time.monotonic() - begun)


async def _compare(course: Course, case: Case, into: Figures, *, warming: bool) -> None:
    """Ask each target in turn, under the same waits."""
    await course.scene.slow(case.source_ms, f"source-{SCHOOL}")
    await course.scene.slow(case.registers_ms, *REGISTERS)
    for target in case.targets:
        before = open_books()
        outcome = await course.load.play(target, case.callers, into.plan.lasts(target, case.callers, warming=warming))
        into.answers(case.name, target, outcome=outcome)
        course.machine.note(into, (case.name, target), before, len(outcome["took"]))
    await course.scene.slow(0, f"source-{SCHOOL}", *REGISTERS)


async def _view(course: Course, into: Figures, *, warming: bool) -> None:
    """Ask for the view of five sources that take 20 ms for each of their answers, and each source alone."""
    broker = next(iter(engines()))
    await course.scene.slow(SLOW_MS, *SOURCES)
    outcome = await course.load.play(f"{broker} view", 1, into.plan.lasts(broker, 1, warming=warming))
    into.answers("view", broker, outcome=outcome)
    alone = await sources_alone(course.scene, course.house, into.plan.reads)
    for name, took in alone.items():
        into.add("view", name, "p50", value=took)
    into.add("view", "slowest source", "p50", value=max(alone.values()))
    into.add("view", "all in a row", "p50", value=sum(alone.values()))
    await course.scene.slow(0, *SOURCES)


async def _inside(course: Course, into: Figures) -> None:
    for callers in into.plan.callers:
        for name, write in (("raw", course.appends.raw), ("grouped", course.appends.grouped)):
            rate, p99 = await write(callers, max(1, into.plan.appends * 16 // max(callers, 16)))
            into.add("log", f"{callers}", name, value=rate)
            into.add("log", f"{callers}", f"{name} p99", value=p99)
    for engine in course.decisions.engines:
        for keys in course.decisions.questions:
            p50, p99 = await course.decisions.took(engine, keys, into.plan.decisions)
            into.add("decision", engine, f"{keys}", "p50", value=p50)
            into.add("decision", engine, f"{keys}", "p99", value=p99)
