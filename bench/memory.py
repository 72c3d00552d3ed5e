"""Memory over many asks: what a node holds in RAM after each thousand, and whether that grows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median, quantiles
from typing import Any

from bench.asking import opened_load
from bench.processes import listener_on, open_books, resident_kb
from bench.scene import Scene, engines
from demo.world.children import WorldBroken

NODE = "broker"
CALLERS = 16
ASKS_A_SAMPLE, MOST_SECONDS_A_SAMPLE = 1000, 30.0
# What is loaded late, and what fills up once, is no growth.
WARM_UP_SHARE = 0.2
FEWEST_SAMPLES = 5


@dataclass(slots=True)
class Course:
    """What a node and its children held, by how many asks it had answered."""

    asks: list[int] = field(default_factory=list)
    own_kb: list[int] = field(default_factory=list)
    children_kb: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def told(self) -> dict[str, Any]:
        """Lay out the samples and the slopes, in kB a thousand asks, after a warm-up."""
        first = next((i for i, asks in enumerate(self.asks) if asks >= self.asks[-1] * WARM_UP_SHARE), 0)
        return {
            "asks": self.asks,
            "own_kb": self.own_kb,
            "children_kb": self.children_kb,
            "seconds": self.seconds,
            "warm_up_asks": self.asks[first] if self.asks else 0,
            "own": slope(self.asks[first:], self.own_kb[first:]),
            "children": slope(self.asks[first:], self.children_kb[first:]),
        }


def slope(asks: list[int], kb: list[int]) -> dict[str, float] | None:
    """Give the growth in kB a thousand asks: the median slope of all pairs (Theil-Sen), with its quartiles.

    None where there are too few samples to say.
    """
    if len(asks) < FEWEST_SAMPLES:
        return None
    pairs = combinations(range(len(asks)), 2)
    slopes = [(kb[late] - kb[early]) * 1000 / (asks[late] - asks[early]) for early, late in pairs]
    low, _, high = quantiles(slopes, n=4)
    return {"median": median(slopes), "low": low, "high": high, "first_kb": kb[0], "last_kb": kb[-1]}


async def remember(scene: Scene, asks: int, minutes: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Ask so often, or for so long, and give what the node held on the way."""
    await scene.add_broker(NODE, next(iter(engines().values())))
    process = listener_on(scene.ports[NODE])
    if process is None:
        raise WorldBroken("this system does not tell what a process holds")
    course, done, begun = Course(), 0, time.monotonic()
    async with opened_load({NODE: scene.targets[NODE]}) as load:
        while done < asks and time.monotonic() - begun < minutes * 60:
            outcome = await load.play(NODE, CALLERS, MOST_SECONDS_A_SAMPLE, asks=ASKS_A_SAMPLE)
            done += len(outcome["took"])
            books = open_books()
            children = books.family(process) - {process} if books else frozenset()
            course.asks.append(done)
            course.own_kb.append(resident_kb(process) or 0)
            course.children_kb.append(sum(resident_kb(child) or 0 for child in children))
            say(f"{done:,} of {asks:,} asks: {course.own_kb[-1]:,} kB, OPA {course.children_kb[-1]:,} kB")
    course.seconds = time.monotonic() - begun
    return course.told()


def lines(found: dict[str, Any]) -> list[str]:
    """Say in a few lines what was found."""
    minutes = found["seconds"] / 60
    told = [
        f"memory over {found['asks'][-1]:,} asks in {minutes:.0f} minutes; after the first {found['warm_up_asks']:,}:"
    ]
    for name, what in (("own", "broker"), ("children", "OPA")):
        if row := found[name]:
            told.append(
                f"  {what}: {row['first_kb'] / 1000:.1f} MB, then {row['last_kb'] / 1000:.1f} MB;"
                f" {row['median']:+.1f} kB a thousand asks (half of all pairs: {row['low']:+.1f} to {row['high']:+.1f})"
            )
    return told
