"""Play several scenario files, one after the other, in one world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from demo.scenario.file import Scenario
from demo.scenario.play import Listener, Performance, play
from demo.world.children import WorldBroken
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
