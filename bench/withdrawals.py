"""A withdrawal at one node, an ask at another the moment after: how many releases come after the yes is taken back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.figures import Figures
from bench.scene import Scene
from connectors.client import Acting, BrokerClient, BrokerRefused, read_key
from demo.scenario.callers import Callers
from demo.scenario.consents import Consents
from demo.scenario.visitors import Visitors
from demo.world.children import WorldBroken
from demo.world.world import World

GIVER, CASEWORKER, SOURCE, CATEGORY = "annette", "lene", "korsbaek-school", "K01"
WISH = {"purpose": "helhedsorienteret_plan", "case": "JC-2019-0417"}
LINES = [{"source": SOURCE, "categories": [CATEGORY], "subject": "viktor"}]
CONSENT = WISH | {"citizen": GIVER, "asked_by": CASEWORKER, "to": "2020-02-29", "lines": LINES}
AGAIN = "again"


@dataclass(slots=True)
class Withdrawals:
    """Somebody who says yes and takes it back at one node, while another node is asked."""

    consents: Consents
    elsewhere: Acting
    ask: dict[str, Any]

    async def take_back(self, into: Figures) -> None:
        """Say yes, see that it is released elsewhere, take it back, and count what is released after that."""
        given = await self.consents.give(AGAIN, CONSENT)
        if given.status >= 300 or not await self._released():
            raise WorldBroken(f"the yes that would be taken back is none ({given.status})")
        taken = await self.consents.change("withdraw", {"consent": AGAIN})
        answered = time.perf_counter()
        if taken.status >= 300:
            raise WorldBroken(f"the yes could not be taken back ({taken.status})")
        into.add("withdrawal", "released after", value=float(await self._released()))
        into.add("withdrawal", "next refusal ms", value=(time.perf_counter() - answered) * 1000)

    async def begin(self) -> None:
        """Take back every yes that stands for the same, so that the one given here is the only one."""
        visitor = await self.consents.visitors.citizen(GIVER)
        for consent in (await visitor.get("/v1/me/consents")).said.get("consents", ()):
            if any(line["source"] == SOURCE and line["state"] == "live" for line in consent["lines"]):
                await visitor.post(f"/v1/me/consents/{consent['id']}/withdraw", {})

    async def end(self) -> None:
        """Leave the yes in place that was found, in words."""
        await self.consents.give(AGAIN, CONSENT)

    async def _released(self) -> bool:
        try:
            return bool((await self.elsewhere.post("/v1/exchange", self.ask))["items"])
        except BrokerRefused as refusal:
            if refusal.status != 403:
                raise WorldBroken(f"the ask after a withdrawal got {refusal.status}") from None
            return False


class _CallersElsewhere(Callers):
    """The caseworker at another node than the world's own, which keeps the demo's ceilings."""

    def __init__(self, world: World, acting: Acting) -> None:
        super().__init__(world)
        self._acting[CASEWORKER, world.clock().date()] = acting


@asynccontextmanager
async def opened_withdrawals(scene: Scene, node: str) -> AsyncIterator[Withdrawals]:
    """Log the citizen in at the world's own node, and let the caseworker ask at another."""
    world, proof = scene.world, scene.targets[f"{node} view"]["proof"]
    async with AsyncExitStack() as stack:
        visitors = await stack.enter_async_context(Visitors(world))
        key = read_key(world.files.system_key(proof["system"]))
        client = await stack.enter_async_context(BrokerClient(proof["broker"], proof["system"], key))

        async def assertion() -> str:
            wish = {"caseworker": CASEWORKER, "client_id": proof["system"], "audience": proof["broker"]}
            headers = {"Authorization": f"Bearer {proof['employer_key']}"}
            async with world.http.post(proof["employer"], json=wish, headers=headers) as answer:
                return str((await answer.json())["assertion"])

        ask = WISH | {"citizen": world.cast.cpr(GIVER), "sources": [SOURCE], "categories": [CATEGORY]}
        acting = client.as_caseworker(assertion)
        yield Withdrawals(Consents(world, _CallersElsewhere(world, acting), visitors), acting, ask)
