"""The rounds: what is compared is measured in turn, again and again, so that a slow minute hits all alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bench.asking import Load, opened_load
from bench.crowd import Crowd, opened_crowd
from bench.figures import Figures
from bench.heads import Heads, opened_heads
from bench.inside import Appends, Decisions, opened_appends, opened_decisions, opened_sources, sources_alone
from bench.large import size_of, write_large
from bench.machine import Machine, find_payers
from bench.pages import visit_pages
from bench.plan import COUNTRY_BROKER, SLOW_MS, TLS_BROKER, Case, Plan, cases_of
from bench.processes import open_books
from bench.scene import CASES, SCHOOL, Scene, engines
from bench.withdrawals import Withdrawals, opened_withdrawals
from broker.main import House
from broker.registry import Registry, read_registry
from demo.world.proxy import Proxy, haproxy
from demo.world.world import LOG_NAME, POLICIES

SOURCES = tuple(f"source-korsbaek-{name}" for name in ("jobcentre", "social", "family", "health", "school"))
# Below the name that the world's witness knows.
HEADS = f"{LOG_NAME}/bench/2019"
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
    crowd: Crowd
    withdrawals: Withdrawals
    heads: Heads


@asynccontextmanager
async def opened_course(scene: Scene, plan: Plan, into: Figures) -> AsyncIterator[Course]:
    """Start what is compared: one after the other where how long that takes shall mean something, else at once."""
    await scene.add_floor()
    folder, production = scene.world.files.folder, next(iter(engines().values()))
    registry, policies = await asyncio.to_thread(
        write_large, scene.world.files.registry, POLICIES, folder / "large", plan.size
    )
    starts = [partial(scene.add_broker, name, engine) for name, engine in engines().items()]
    starts.append(partial(scene.add_broker, COUNTRY_BROKER, production, registry=registry, policies=policies))
    if plan.warm_up:
        for start in starts:
            await start()
    else:
        await asyncio.gather(*(start() for start in starts))
    async with AsyncExitStack() as stack:
        authorities = await _add_tls(scene, production, stack)
        load = await stack.enter_async_context(opened_load(scene.targets, authorities))
        house = await stack.enter_async_context(opened_sources(scene))
        large = read_timed(into, registry, policies)
        decisions = await stack.enter_async_context(opened_decisions(house, large.tables))
        appends = await stack.enter_async_context(opened_appends(scene))
        crowd = await stack.enter_async_context(opened_crowd(folder / "crowd"))
        machine = await find_payers(scene, load.process.pid)
        withdrawals = await stack.enter_async_context(opened_withdrawals(scene, next(iter(engines()))))
        await withdrawals.begin()
        heads = await stack.enter_async_context(opened_heads(scene.world.addresses.app, HEADS))
        yield Course(scene, load, machine, house, decisions, appends, crowd, withdrawals, heads)
        into.facts["registry"] |= {"started_seconds": dict(scene.started), "resident_kb": machine.resident()}
    # What comes after needs their connections: PostgreSQL has a number of them.
    for name in scene.started:
        scene.nurseries.brokers.stop(name)
        await scene.nurseries.brokers.ended(name)


async def _add_tls(scene: Scene, engine: str, stack: AsyncExitStack) -> Path | None:
    """Put a proxy before a floor and before a node, where there is one, and give the file of whom to trust."""
    if haproxy() is None:
        return None
    folder = scene.world.files.folder
    before_floor, before_node = (stack.enter_context(Proxy(folder / name)) for name in ("tls-floor", "tls-broker"))
    scene.add_floor_behind(before_floor)
    await scene.add_broker(TLS_BROKER, engine, proxy=before_node)
    authorities = folder / "authorities.pem"
    authorities.write_text(
        "".join(proxy.authority.read_text("ascii") for proxy in (before_floor, before_node)), "ascii"
    )
    return authorities


def read_timed(into: Figures, registry: Path, policies: Path) -> Registry:
    """Read a large registry, and note how large it is and how long that takes."""
    begun = time.monotonic()
    large = read_registry(registry, policies / "tables")
    into.facts["registry"] = {"size": asdict(size_of(large)), "read_seconds": time.monotonic() - begun}
    return large


async def measure(scene: Scene, plan: Plan, say: Callable[[str], None]) -> Figures:
    """Start what is compared, warm up, and measure every round."""
    tls = haproxy() is not None
    figures = Figures(plan, cases_of(plan, tuple(engines()), tls=tls))
    figures.facts["tls"] = tls
    async with opened_course(scene, plan, figures) as course:
        begun = time.monotonic()
        for number in range(0 if plan.warm_up else 1, plan.rounds + 1):
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
    await _large(course, into, warming=warming)
    for _ in range(into.plan.withdrawals):
        await course.withdrawals.take_back(into)
    # The view needs the yes again.
    await course.withdrawals.end()
    await _view(course, into, warming=warming)
    await course.withdrawals.begin()
    await visit_pages(course.scene.world, into)
    await _inside(course, into)
    await course.heads.round(into, into.plan.heads)
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


async def _large(course: Course, into: Figures, *, warming: bool) -> None:
    """Ask the same of a node with a small registry and of one with a large one."""
    for callers in (1, 16):
        for target in (next(iter(engines())), COUNTRY_BROKER):
            place = (f"large registry, {callers} at once", target)
            before = open_books()
            outcome = await course.load.play(target, callers, into.plan.lasts(target, callers, warming=warming))
            into.answers(*place, outcome=outcome)
            course.machine.note(into, place, before, len(outcome["took"]))


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
    await course.crowd.round(into, into.plan.appends * 32)
    for engine in course.decisions.engines:
        for keys in course.decisions.questions:
            p50, p99 = await course.decisions.took(engine, keys, into.plan.decisions)
            into.add("decision", engine, f"{keys}", "p50", value=p50)
            into.add("decision", engine, f"{keys}", "p99", value=p99)
