"""Play several scenario files, one after the other, in one world."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.scenario.file import Scenario
from demo.scenario.play import Listener, Performance, play
from demo.world.children import Nurseries, WorldBroken
from demo.world.databases import remove_clusters
from demo.world.world import World


@dataclass(slots=True)
class Bill:
    """What was played, and what could not be."""

    performances: list[Performance] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def all_held(self) -> bool:
        """Whether every file was played and every expectation held."""
        return bool(self.performances) and not self.broken and all(one.failed == 0 for one in self.performances)


async def play_files(
    scenarios: Sequence[Scenario], world: World, announce: Callable[[Scenario], None], hear: Listener
) -> Bill:
    """Play each scenario in turn; one that cannot be played stops no other."""
    bill = Bill()
    for scenario in scenarios:
        announce(scenario)
        try:
            bill.performances.append(await play(scenario, world, hear))
        except WorldBroken as error:
            bill.broken[str(scenario.file)] = str(error)
    return bill


@asynccontextmanager
async def passing_world(say: Callable[[str], None], folder: Path, nurseries: Nurseries) -> AsyncIterator[World]:
    """Open a world in a folder of its own, and take both away afterwards."""
    try:
        async with World(folder, say=say, nurseries=nurseries) as world:
            yield world
    finally:
        await asyncio.to_thread(remove_clusters, folder)
        shutil.rmtree(folder, ignore_errors=True)
