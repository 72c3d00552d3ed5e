"""Play one scenario in a staged world: the consents it begins with, then each step, held to what is expected of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from broker.domain.entries import LogEntry
from demo.scenario.acts import Acts, Done
from demo.scenario.callers import Callers
from demo.scenario.consents import Consents
from demo.scenario.expect import compare
from demo.scenario.file import Scenario, Step
from demo.scenario.seen import Check, Names, Seen
from demo.scenario.visitors import Visitors
from demo.world.children import WorldBroken
from demo.world.logbook import LogBook, open_log_book
from demo.world.template import chosen_template
from demo.world.world import World

Listener = Callable[["Played"], None]


@dataclass(frozen=True, slots=True)
class Played:
    """One step as it went. `number` 0 is what stood before the first step."""

    step: Step
    seen: Seen
    checks: tuple[Check, ...]

    @property
    def differences(self) -> list[str]:
        """Each expectation that did not hold, in one line."""
        place = f"step {self.step.number}" if self.step.number else "before the steps"
        return [f"{place}, {check.what}: {check.line}" for check in self.checks if not check.held]


@dataclass(slots=True)
class Performance:
    """A whole scenario as it went."""

    scenario: Scenario
    steps: list[Played] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def held(self) -> int:
        """How many expectations held."""
        return sum(check.held for played in self.steps for check in played.checks)

    @property
    def failed(self) -> int:
        """How many did not."""
        return sum(not check.held for played in self.steps for check in played.checks)


async def play(scenario: Scenario, world: World, hear: Listener) -> Performance:
    """Stage the world for a scenario and play it; raise `WorldBroken` where it cannot be played at all."""
    begun = time.monotonic()
    template = chosen_template(scenario.registry, scenario.file.parent)
    await world.stage(template, scenario.cast, scenario.records, scenario.clock)
    performance = Performance(scenario)
    async with AsyncExitStack() as stack:
        book = await stack.enter_async_context(open_log_book(world))
        callers = await stack.enter_async_context(Callers(world))
        visitors = await stack.enter_async_context(Visitors(world))
        acts = Acts(Consents(world, callers, visitors), book)
        stage = _Stage(acts, book, performance, hear)
        try:
            await stage.begin(scenario)
            for step in scenario.steps:
                await stage.play(step)
        finally:
            await stage.end()
    performance.seconds = time.monotonic() - begun
    return performance


@dataclass(slots=True)
class _Mark:
    """How far everything had come at a moment: each log, and the calls each source had seen."""

    sizes: Mapping[str, int]
    calls: Mapping[str, int]


@dataclass(slots=True)
class _Stage:
    """Looks before and after each step, so that a step is held to what it did itself."""

    acts: Acts
    book: LogBook
    performance: Performance
    hear: Listener
    handles: dict[str, str] = field(default_factory=dict)
    marks: dict[str, _Mark] = field(default_factory=dict)
    asks: dict[str, str] = field(default_factory=dict)

    async def begin(self, scenario: Scenario) -> None:
        """Give the consents that stand before the first step, each with the clock where it was given."""
        world = self.acts.consents.world
        for name, row in sorted(scenario.consents.items(), key=lambda item: datetime.fromisoformat(item[1]["given"])):
            world.set_clock(datetime.fromisoformat(row["given"]))
            step = Step(0, "give", row, None, f"The consent {name} is given", name)
            await self.play(step)
        world.set_clock(scenario.clock)

    async def play(self, step: Step) -> None:
        """Play one step, and hold it to what is expected."""
        mark = await self._mark()
        try:
            done = await self.acts.do(step)
        except (WorldBroken, TimeoutError, aiohttp.ClientError) as error:
            why = str(error) if isinstance(error, WorldBroken) else type(error).__name__
            check = Check(step.verb, held=False, line=f"it could not be done: {why}")
            self._note(Played(step, Seen(await self._names()), (check,)))
            return
        if step.verb == "start" and step.name:
            self.marks[step.name] = mark
            await self._remember_ask(step.name, mark)
        if step.verb == "await":
            mark = self.marks[step.wish]
        seen = await self._seen(step, done, mark)
        self._note(Played(step, seen, tuple(compare(step.expect, seen))))

    async def end(self) -> None:
        """Let go of what still waits."""
        for task in self.acts.started.values():
            task.cancel()
        await asyncio.gather(*self.acts.started.values(), return_exceptions=True)

    def _note(self, played: Played) -> None:
        self.performance.steps.append(played)
        self.hear(played)

    async def _seen(self, step: Step, done: Done, mark: _Mark) -> Seen:
        entries = await self.book.since(mark.sizes)
        others = set(self.asks.values())
        if step.verb == "await":
            mine = self.asks.pop(step.wish, None)
            entries = [entry for entry in entries if entry.index.get("ask") == mine]
        else:
            # What a started ask writes meanwhile belongs to the step that awaits it.
            entries = [entry for entry in entries if entry.index.get("ask") not in others]
        return Seen(
            names=await self._names(),
            reply=done.reply,
            citizen=done.citizen,
            entries=tuple(entries),
            calls=await self._calls_since(mark),
            rows=done.rows,
            texts=done.texts,
            report=done.report,
        )

    async def _remember_ask(self, name: str, mark: _Mark) -> None:
        """Learn the id of an ask that was started: its first entry is on the log before anything is read."""
        for entry in await self.book.since(mark.sizes):
            if entry.kind == "ask" and entry.index.get("ask") not in self.asks.values():
                self.asks[name] = str(entry.index["ask"])

    async def _mark(self) -> _Mark:
        calls = {source: len(seen) for source, seen in (await self._calls()).items()}
        return _Mark(await self.book.sizes(), calls)

    async def _calls(self) -> dict[str, list[Any]]:
        world = self.acts.consents.world
        sources = sorted(world.template.sources)
        told = await asyncio.gather(*(world.control(f"source-{source}", "/calls") for source in sources))
        return dict(zip(sources, told, strict=True))

    async def _calls_since(self, mark: _Mark) -> dict[str, tuple[str, ...]]:
        calls = await self._calls()
        return {
            source: tuple(call["category"] for call in seen[mark.calls[source] :] if call["category"])
            for source, seen in calls.items()
        }

    async def _names(self) -> Names:
        world = self.acts.consents.world
        for name in world.cast.people.keys() - self.handles.keys():
            self.handles[name] = await self.book.handle(world.cast.cpr(name))
        return Names(self.handles, {name: given.id for name, given in self.acts.consents.given.items()})


def entries_of(entries: tuple[LogEntry, ...]) -> list[dict[str, Any]]:
    """Lay log entries out as codes: where each stands, its index row, and how it was found."""
    return [
        {"log": entry.receipt.log, "index": entry.receipt.index, "state": entry.state, "row": dict(entry.index)}
        for entry in entries
    ]
