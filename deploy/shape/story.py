"""What happens to the shape under load: a node is killed and comes back, the replica is killed and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.shape.load import Load
from deploy.shape.stage import NODES, Shape


@dataclass(frozen=True, slots=True)
class Plan:
    """How many asks a second, and how many seconds each part of the story lasts, starting a part aside."""

    rate: float
    calm: float
    without_node: float
    node_back: float
    without_replica: float
    replica_back: float


FULL = Plan(rate=20, calm=6, without_node=8, node_back=6, without_replica=14, replica_back=8)
QUICK = Plan(rate=5, calm=1, without_node=2, node_back=1, without_replica=4, replica_back=4)


@dataclass(slots=True)
class Story:
    """What was done and when, in seconds since the load began."""

    plan: Plan
    load: Load
    happened: list[tuple[float, str]] = field(default_factory=list)


async def play(shape: Shape, load: Load, plan: Plan, say: Callable[[str], None]) -> Story:
    """Play the story under the load, and give it once the last caller has heard."""
    story = Story(plan, load)

    def note(what: str) -> None:
        story.happened.append((load.now(), what))
        say(what)

    stop = asyncio.Event()
    asking = asyncio.create_task(load.run(plan.rate, stop))
    await asyncio.sleep(plan.calm)
    shape.kill_node(NODES[1])
    note(f"{NODES[1]} killed")
    await asyncio.sleep(plan.without_node)
    await shape.start_node(NODES[1])
    note(f"{NODES[1]} ready again")
    await asyncio.sleep(plan.node_back)
    await asyncio.to_thread(shape.replica.kill)
    note("replica killed")
    await asyncio.sleep(plan.without_replica)
    await asyncio.to_thread(shape.replica.start)
    await asyncio.to_thread(shape.replica.await_state, "sync")
    note("replica follows again")
    await asyncio.sleep(plan.replica_back)
    stop.set()
    await asking
    return story
