"""P3 over real processes: withdrawals, blocks and asks over four nodes that are paused and killed, clocks apart.

`python -m tests.swarm --tries 10000` plays the same at length.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.world.passing import remove_clusters
from tests.swarm import town
from tests.swarm.evidence import Attempt, Evidence
from tests.swarm.judge import AFTER_COMMIT, judge
from tests.swarm.play import Plan, Stage, gather, play_in, staged

TRIES = 200
HELD = "korsbaek-health"
LINE = (HELD, "H01")
SECONDS_TO_REACH = 20.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pauses processes with SIGSTOP")


@dataclass
class Played:
    """The evidence of the play; and of one more ask on each kind of node, overtaken by a withdrawal."""

    at_scale: Evidence
    overtaken: dict[str, Attempt]
    after: Evidence


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Play it once in a town of its own."""
    folder = Path(tempfile.mkdtemp(prefix="borgerbro-swarm-"))
    # Root's PostgreSQL is another user, who must pass through.
    folder.chmod(0o711)
    try:
        yield asyncio.run(_play(folder))
    finally:
        remove_clusters(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _play(folder: Path) -> Played:
    plan = Plan(TRIES, citizens=6, seed=7, rest=(0.2, 0.8), pause=(0.3, 1.5), kills=0.25)
    async with staged(folder, plan) as stage:
        at_scale = await play_in(stage, plan)
        overtaken = {"broker": await _overtaken(stage)}
        node = stage.nodes[0]
        node.end()
        node.module = "tests.swarm.careless"
        node.start()
        await node.ready(stage.world.http)
        overtaken["careless"] = await _overtaken(stage)
        after = await gather(stage)
        after.outages = at_scale.outages
        return Played(at_scale, overtaken, after)


async def _overtaken(stage: Stage) -> Attempt:
    """Let the first node wait for a source, and the citizen take the consent back on another meanwhile."""
    citizen, clients, (first, second, *_) = stage.citizens[0], stage.clients, stage.nodes
    for block in await clients.look(citizen, "blocks") or ():
        await clients.lift(citizen, block["id"])
    for consent in await clients.look(citizen, "consents") or ():
        if consent["live"]:
            await clients.withdraw(citizen, consent, None, at_desk=False)
    await clients.give(citizen, [LINE], at_desk=False)
    (consent,) = [one for one in await clients.look(citizen, "consents") or () if one["live"]]
    place = stage.world.running_name(HELD)
    await stage.world.control(place, body={"hold": True})
    ask = asyncio.create_task(clients.ask(citizen, [LINE], node=first))
    async with asyncio.timeout(SECONDS_TO_REACH):
        while not (await stage.world.control(place))["waiting"]:
            await asyncio.sleep(0.01)
    assert (await clients.withdraw(citizen, consent, None, at_desk=False, node=second)).status == 200
    await stage.world.control(place, body={"hold": False})
    return await ask


def test_nothing_is_released_after_a_withdrawal_over_four_nodes(played: Played) -> None:
    """Whatever is paused, killed or slow: every release is live at its place, every ask has its entries, none spoils.

    Judged from the evidence alone: the order of the logs, which verify, and what each client saw and when.
    """
    judgement = judge(played.at_scale)

    assert judgement.faults == []
    figures = judgement.figures
    assert figures["tries"] >= TRIES
    # It was a race, and it was rough; else nothing was shown.
    rough = ("withdrawals", "blocks", "asks answered with data", "asks refused", "pauses", "kills")
    raced = ("changes under a running ask", "asks judged again")
    assert [what for what in (*rough, *raced) if not figures[what]] == []


def test_a_node_that_does_not_look_again_is_found(played: Played) -> None:
    """With the check at release switched off, the very same race hands the data out, and the judge says where."""
    assert [played.overtaken[node].status for node in ("broker", "careless")] == [403, 200]
    assert played.overtaken["careless"].items == (LINE,)

    faults = judge(played.after).faults

    place = played.overtaken["careless"].place
    assert place is not None
    assert [(fault.kind, fault.line) for fault in faults] == [
        (AFTER_COMMIT, f"{place[0]} {place[1]} ({town.names(1)[0]}): {HELD}/H01")
    ]
