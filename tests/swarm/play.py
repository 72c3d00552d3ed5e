"""The play: citizens who say yes, take it back, block and lift, while caseworkers ask about them on every node."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.domain.entries import LogFilter
from broker.domain.receipts import Receipt
from demo.world.logbook import ROOT_OF_MAP, LogBook, open_log_book
from demo.world.world import World
from tests.swarm import town
from tests.swarm.clients import Clients
from tests.swarm.evidence import Attempt, Entry, Evidence, Place
from tests.swarm.nodes import Chaos, Node, nodes_of, warm_up

NODES = 4
BROKER = "broker"
ASKERS = 2
PAGE = 500
# Most of what a citizen does is to take back; the rest are standing noes, lifted a moment later.
BLOCKS = 0.3
AT_DESK = 0.3
IN_PART = 0.4


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is played, and how wildly. `tries` counts asks, withdrawals and blocks."""

    tries: int
    citizens: int = 10
    seed: int = 0
    engines: tuple[str, ...] = ("embedded",) * NODES
    hands: int = 1
    rest: tuple[float, float] = (0.5, 2.0)
    pause: tuple[float, float] = (0.3, 2.5)
    kills: float = 0.3
    modules: tuple[str, ...] = (BROKER,) * NODES


@dataclass(slots=True)
class Stage:
    """The town, staged, with its nodes up and everybody logged in."""

    world: World
    nodes: Sequence[Node]
    clients: Clients
    citizens: tuple[str, ...]
    dice: random.Random
    left: int
    hear: Callable[[int], None] = field(default=lambda _: None)
    rough: Callable[[], bool] = field(default=lambda: True)

    @property
    def goes_on(self) -> bool:
        """Whether tries are left, or it has not been rough enough so far."""
        return self.left > 0 or not self.rough()

    def spend(self) -> bool:
        """Take one try; False when the play is over."""
        if not self.goes_on:
            return False
        self.left -= 1
        self.hear(max(self.left, 0))
        return True

    def unless_unheard(self, attempt: Attempt) -> None:
        """Give a try back that never reached its node."""
        self.left += attempt.unheard

    def some_lines(self) -> tuple[tuple[str, str], ...]:
        """Choose what to ask for: some of what a consent may open, and now and then the unit's own."""
        chosen = self.dice.sample(town.LINES, self.dice.choice((1, 1, 2, 4)))
        return (*chosen, town.OWN) if self.dice.random() < 0.2 else tuple(chosen)


def engines() -> tuple[str, ...]:
    """Name the policy engine of each node: half on OPA's own server where there is one, the rest embedded."""
    first = "spawned" if shutil.which("opa") else "embedded"
    return (first, "embedded") * (NODES // 2)


@asynccontextmanager
async def staged(folder: Path, plan: Plan, *, durable: bool = False) -> AsyncIterator[Stage]:
    """Stage the town and start the nodes; end everything afterwards."""
    citizens = town.names(plan.citizens)
    cast = town.cast(citizens)
    dice = random.Random(plan.seed)
    warm_up()
    async with World(folder, durable=durable) as world:
        await world.stage(town.template(), cast, town.records(cast), town.CLOCK)
        nodes = nodes_of(world, plan.modules, plan.engines)
        try:
            for node in nodes:
                node.start()
            await asyncio.gather(*(node.ready(world.http) for node in nodes))
            async with Clients(world, nodes, dice) as clients:
                await asyncio.gather(*(clients.log_in(citizen) for citizen in citizens))
                yield Stage(world, nodes, clients, citizens, dice, plan.tries)
        finally:
            for node in nodes:
                node.end()


async def play(
    folder: Path, plan: Plan, hear: Callable[[int], None] = lambda _: None, *, durable: bool = False
) -> Evidence:
    """Stage the town, play it all, and give the evidence."""
    async with staged(folder, plan, durable=durable) as stage:
        stage.hear = hear
        return await play_in(stage, plan)


async def play_in(stage: Stage, plan: Plan) -> Evidence:
    """Play it all on a stage, and give the evidence."""
    begun = time.monotonic()
    chaos = Chaos(stage.nodes, stage.world.http, stage.dice, plan.rest, plan.pause, plan.kills)
    stage.rough = lambda: chaos.enough
    ended = asyncio.Event()
    reigns = [asyncio.create_task(chaos.reign(ended)) for _ in range(plan.hands)]
    try:
        people = [_citizen(stage, citizen) for citizen in stage.citizens]
        askers = [_caseworker(stage, citizen) for citizen in stage.citizens for _ in range(ASKERS)]
        await asyncio.gather(*people, *askers)
    finally:
        ended.set()
        await asyncio.gather(*reigns)
    evidence = await gather(stage)
    evidence.outages = chaos.outages
    evidence.seconds = time.monotonic() - begun
    return evidence


async def _caseworker(stage: Stage, citizen: str) -> None:
    """Ask about one citizen, again and again."""
    while stage.spend():
        stage.unless_unheard(await stage.clients.ask(citizen, stage.some_lines()))
        await asyncio.sleep(stage.dice.uniform(0, 0.02))


async def _citizen(stage: Stage, citizen: str) -> None:
    """Say yes where nothing stands open, and a moment later take it back, or block and lift."""
    clients, dice = stage.clients, stage.dice
    while stage.goes_on:
        consents, blocks = await clients.look(citizen, "consents"), await clients.look(citizen, "blocks")
        if consents is None or blocks is None:
            continue
        for block in blocks:
            await clients.lift(citizen, block["id"])
        open_ = [consent for consent in consents if consent["live"]]
        if not open_:
            await clients.give(citizen, town.LINES, at_desk=dice.random() < AT_DESK)
            continue
        await asyncio.sleep(dice.uniform(0, 0.5))
        if not stage.spend():
            return
        change = await _block(stage, citizen) if dice.random() < BLOCKS else await _withdraw(stage, citizen, open_[0])
        stage.unless_unheard(change)
        # Whoever asks once the citizen has their answer comes too late.
        if change.answered and stage.spend():
            stage.unless_unheard(await clients.ask(citizen, stage.some_lines()))


async def _block(stage: Stage, citizen: str) -> Attempt:
    source, category = stage.dice.choice([line for line in town.LINES if line[0].startswith(town.HOME)])
    names = stage.dice.choice(
        ({"source": source}, {"category": category}, {"unit": town.UNIT}, {"source": source, "category": category})
    )
    return await stage.clients.block(citizen, names)


async def _withdraw(stage: Stage, citizen: str, consent: Any) -> Attempt:
    live = [line for line in consent["lines"] if line["state"] == "live"]
    part = stage.dice.sample(live, stage.dice.randint(1, len(live))) if stage.dice.random() < IN_PART else None
    return await stage.clients.withdraw(citizen, consent, part, at_desk=stage.dice.random() < AT_DESK)


async def gather(stage: Stage) -> Evidence:
    """Read every entry as its citizen may, and have the logs verified from outside."""
    async with open_log_book(stage.world) as book:
        sizes = await book.sizes()
        log = await book.origin_of(town.HOME)
        entries = [entry for citizen in stage.citizens async for entry in _entries(book, stage, citizen)]
        # The nodes' own lines are about nobody, so no citizen's list has them.
        ours = await book.reader.search({origin.split("/")[-2] for origin in sizes}, LogFilter(kind="registry.loaded"))
        entries += [Entry(one.receipt.log, one.receipt.index, one.kind, "", {}) for one in ours.entries]
        entries += [entry async for entry in _roots(book, sizes, {entry.place for entry in entries})]
        report = await book.verify(None)
        intact = {row["origin"]: bool(row["intact"]) for row in report["logs"]}
    return Evidence(town.UNIT, log, [*stage.clients.attempts], entries, sizes=sizes, intact=intact)


async def _roots(book: LogBook, sizes: Mapping[str, int], read: Collection[Place]) -> AsyncIterator[Entry]:
    """Read the roots of the logs' maps, which no search gives; what else was not read stays unread."""
    for log, size in sizes.items():
        for index in range(size):
            if (log, index) not in read:
                entry = await book.reader.entry(Receipt(log, index), municipalities=[log.split("/")[-2]])
                if entry.kind == ROOT_OF_MAP:
                    yield Entry(log, index, entry.kind, "", {})


async def _entries(book: LogBook, stage: Stage, citizen: str) -> AsyncIterator[Entry]:
    handle, cursor = await book.handle(stage.world.cast.cpr(citizen)), None
    while True:
        page = await book.reader.of_subject(handle, cursor=cursor, limit=PAGE)
        for entry in page.entries:
            yield Entry(entry.receipt.log, entry.receipt.index, entry.kind, citizen, entry.body or {})
        cursor = page.next
        if cursor is None:
            return
