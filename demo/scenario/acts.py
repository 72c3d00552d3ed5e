"""What each verb of a scenario does, over HTTP to the broker or over the control channels of what stands around it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.scenario.callers import Reply
from demo.scenario.consents import Consents
from demo.scenario.emergencies import Emergencies
from demo.scenario.file import Step
from demo.scenario.looks import look
from demo.scenario.pages import CITIZEN, PAGES
from demo.world.casting import Cast, employee_id
from demo.world.children import WorldBroken
from demo.world.logbook import LogBook

SECONDS_TO_REACH = 5.0
LOOK_SECONDS = 0.01
MODES: Mapping[str, Mapping[str, Any]] = {
    "normal": {"mode": "normal", "error": None, "garbage": False},
    "silent": {"mode": "silent", "error": None, "garbage": False},
    "slow": {"mode": "slow", "error": None, "garbage": False},
    "error": {"mode": "normal", "error": 500, "garbage": False},
    "garbage": {"mode": "normal", "error": None, "garbage": True},
}
DEFAULT_DELAY_MS = 500


@dataclass(frozen=True, slots=True)
class Done:
    """What an act gave."""

    reply: Reply = field(default_factory=Reply)
    citizen: str | None = None
    rows: tuple[Mapping[str, Any], ...] = ()
    texts: str = ""
    report: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Acts:
    """The verbs, over one staged world."""

    consents: Consents
    book: LogBook
    started: dict[str, asyncio.Task[Done]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    emergencies: Emergencies = field(init=False)

    def __post_init__(self) -> None:
        self.emergencies = Emergencies(self.consents.world, self.consents.callers)

    async def do(self, step: Step) -> Done:
        """Do what a step says. Raises `WorldBroken` where it cannot be done at all."""
        verbs: Mapping[str, Callable[[Step], Awaitable[Done]]] = {
            "ask": self._ask,
            "evaluate": self._evaluate,
            "request_consent": self._request,
            "grant": self._grant,
            "refuse": self._refuse,
            "give": self._give,
            "withdraw": self._change,
            "pause": self._change,
            "resume": self._change,
            "receive": self._receive,
            "block": self._block,
            "clock": self._clock,
            "source": self._source,
            "records": self._records,
            "people": self._people,
            "hold": self._hold,
            "start": self._start,
            "release": self._release,
            "await": self._await,
            "break_glass": self._break_glass,
            "decide": self._decide,
            "log_is": self._log_is,
            "tamper": self._tamper,
            "verify_log": self._verify,
            "look": self._look,
        }
        return await verbs[step.verb](step)

    async def _ask(self, step: Step) -> Done:
        return await self._asked(step.wish)

    async def _asked(self, wish: Mapping[str, Any]) -> Done:
        names = ("purpose", "case", "categories", "sources", "request_id", "follow_up", "data_from", "data_to")
        body = {name: wish[name] for name in names if name in wish}
        body["citizen"] = self.consents.world.cast.cpr(wish["citizen"])
        if "emergency" in wish:
            body["emergency"] = self.emergencies.id_of(wish["emergency"])
        view = wish.get("view", True)
        if view and "weeks" in wish:
            body["weeks"] = wish["weeks"]
        reply = await self.consents.callers.post(wish["by"], "/v1/views" if view else "/v1/exchange", body)
        return Done(reply, wish["citizen"])

    async def _evaluate(self, step: Step) -> Done:
        """Ask over AuthZEN whether the caseworker may: of named places, or which there are."""
        wish = step.wish
        citizen = {"citizen": self.consents.world.cast.cpr(wish["citizen"])}
        body: dict[str, Any] = {
            "subject": {"type": "caseworker", "id": employee_id(wish.get("subject", wish["by"]))},
            "action": {"name": "read"},
            "context": {name: wish[name] for name in ("purpose", "case")},
            "resource": {"type": "category", "properties": citizen},
        }
        if "places" not in wish:
            return Done(await self.consents.callers.post(wish["by"], "/access/v1/search/resource", body))
        body["evaluations"] = [{"resource": body["resource"] | {"id": place}} for place in wish["places"]]
        body["options"] = {"evaluations_semantic": wish.get("semantic", "execute_all")}
        return Done(await self.consents.callers.post(wish["by"], "/access/v1/evaluations", body), wish["citizen"])

    async def _request(self, step: Step) -> Done:
        return Done(await self.consents.request(step.name, step.wish), step.wish["citizen"])

    async def _grant(self, step: Step) -> Done:
        return Done(await self.consents.grant(step.name, step.wish))

    async def _refuse(self, step: Step) -> Done:
        return Done(await self.consents.refuse(step.wish))

    async def _give(self, step: Step) -> Done:
        return Done(await self.consents.give(step.name, step.wish), step.wish["citizen"])

    async def _change(self, step: Step) -> Done:
        return Done(await self.consents.change(step.verb, step.wish))

    async def _receive(self, step: Step) -> Done:
        """Let a unit's system hear which yeses hold no more, line by line."""
        reply, stops = await self.consents.callers.receive(step.wish)
        return Done(reply, rows=tuple({**stop, **line} for stop in stops for line in stop["lines"]))

    async def _block(self, step: Step) -> Done:
        return Done(await self.consents.block(step.wish))

    async def _clock(self, step: Step) -> Done:
        world = self.consents.world
        at = datetime.fromisoformat(step.wish)
        world.set_clock(at)
        if any("protected_until" in row for row in world.cast.people.values()):
            await world.set_people(world.cast, at)
        return Done()

    async def _source(self, step: Step) -> Done:
        world, wish = self.consents.world, step.wish
        mode = dict(MODES[wish["mode"]])
        if wish["mode"] == "slow":
            mode["delay_ms"] = wish.get("delay_ms", DEFAULT_DELAY_MS)
        await world.control(world.running_name(wish["id"]), "", mode)
        return Done()

    async def _records(self, step: Step) -> Done:
        await self.consents.world.set_records(step.wish["source"], step.wish["records"])
        return Done()

    async def _people(self, step: Step) -> Done:
        world = self.consents.world
        cast = Cast({**world.cast.people, **step.wish}, world.cast.caseworkers, world.cast.cases)
        await world.set_people(cast, world.clock())
        return Done()

    async def _hold(self, step: Step) -> Done:
        name = self.consents.world.running_name(step.wish)
        await self.consents.world.control(name, "", {"hold": True})
        self.held.add(name)
        return Done()

    async def _start(self, step: Step) -> Done:
        """Let an ask go off; it has got as far as it can when a held source keeps it waiting, or it is over."""
        task = asyncio.create_task(self._asked(step.wish))
        self.started[str(step.name)] = task
        async with asyncio.timeout(SECONDS_TO_REACH):
            while not task.done() and not await self._is_waiting():  # noqa: ASYNC110 - The systems are other processes.
                await asyncio.sleep(LOOK_SECONDS)
        return Done(citizen=step.wish["citizen"])

    async def _is_waiting(self) -> bool:
        states = [await self.consents.world.control(name) for name in self.held]
        return any(state["waiting"] for state in states)

    async def _release(self, step: Step) -> Done:
        name = self.consents.world.running_name(step.wish)
        self.held.discard(name)
        await self.consents.world.control(name, "", {"hold": False})
        return Done()

    async def _await(self, step: Step) -> Done:
        if step.wish not in self.started:
            raise WorldBroken(f"no ask here was started as {step.wish}")
        return await self.started.pop(step.wish)

    async def _break_glass(self, step: Step) -> Done:
        return Done(await self.emergencies.request(step.name, step.wish), step.wish["citizen"])

    async def _decide(self, step: Step) -> Done:
        return Done(await self.emergencies.decide(step.wish))

    async def _log_is(self, step: Step) -> Done:
        await self.book.let_write(writes=step.wish == "up")
        return Done()

    async def _tamper(self, step: Step) -> Done:
        wish = step.wish
        index = await self.book.tamper(wish["log"], wish["entry"], wish["what"])
        return Done(Reply(0, {"entry": index}))

    async def _verify(self, step: Step) -> Done:
        report = await self.book.verify(step.wish.get("log"))
        return Done(Reply(0, report), report=report)

    async def _look(self, step: Step) -> Done:
        looked = await look(step.wish, step.expect, self.consents)
        is_citizens = PAGES[step.wish["page"]].kind == CITIZEN
        return Done(looked.reply, step.wish["as_who"] if is_citizens else None, looked.rows, looked.texts)
