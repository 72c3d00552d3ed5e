"""The tour itself: the same ask again and again, while the citizen decides what it may show."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.console import Console

from demo.scenario.acts import Done
from demo.scenario.callers import Callers, Reply
from demo.scenario.consents import Consents
from demo.scenario.seen import Names, Seen
from demo.scenario.show import Show
from demo.scenario.visitors import Visitors
from demo.tour.house import ASKER, CITIZEN
from demo.world.children import WorldBroken
from demo.world.logbook import LogBook, open_log_book
from demo.world.world import World

CASE, PURPOSE = "JC-2019-0417", "helhedsorienteret_plan"
JOBCENTRE = "korsbaek-jobcentre"
SOCIAL, FAMILY, HEALTH = "korsbaek-social", "korsbaek-family", "korsbaek-health"
WANTED = ((SOCIAL, "S01"), (SOCIAL, "S02"), (FAMILY, "F01"), (HEALTH, "H01"))
GRANTED = [
    {"source": SOCIAL, "categories": ["S01"]},
    {"source": FAMILY, "categories": ["F01"]},
    {"source": HEALTH, "categories": ["H01"]},
]
MINUTES_A_STEP = 5
ASK: dict[str, Any] = {
    "purpose": PURPOSE,
    "case": CASE,
    "sources": [JOBCENTRE, SOCIAL, FAMILY, HEALTH],
    "categories": ["B01", "B03", "S01", "S02", "F01", "H01", "H02"],
    "weeks": ["2019-W11"],
}
Pause = Callable[[], Awaitable[None]]


async def no_pause() -> None:
    """Go on at once."""


async def until_enter() -> None:
    """Wait until Enter is pressed, without a thread that would outlive Ctrl-C."""
    sys.stdout.write("\n    Enter to go on … ")
    sys.stdout.flush()
    loop, pressed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), pressed.set)
    try:
        await pressed.wait()
        sys.stdin.readline()
    finally:
        loop.remove_reader(sys.stdin.fileno())


@dataclass(slots=True)
class Guide:
    """Leads through the tour."""

    world: World
    console: Console
    pause: Pause
    consents: Consents
    book: LogBook
    show: Show

    async def lead(self) -> None:
        """Walk the whole way."""
        await self._from_the_beginning()
        await self._refused()
        await self._granted()
        await self._seen_whole()
        await self._stopped()
        await self._tampered()
        self._say("That was the tour.", "The broker stays up: look around in its pages.", "")

    async def _from_the_beginning(self) -> None:
        """Let Annette share nothing: what an earlier tour left is taken back first."""
        visitor = await self.consents.visitors.citizen(CITIZEN)
        for consent in (await visitor.get("/v1/me/consents")).said.get("consents", ()):
            if consent["live"]:
                await visitor.post(f"/v1/me/consents/{consent['id']}/withdraw", {})

    async def _refused(self) -> None:
        self._say(
            "1. An ask without consent",
            "Lene Krogh in Korsbæk's jobcentre asks what other departments know about Annette Holm Test, so that they"
            " can make one plan. Nobody has asked Annette. The ask is on the log before anything is read, and the"
            " answer is no: not even the jobcentre's own records are fetched. It says what a yes would open.",
            f"caseworker's page: {self.world.address}/case",
        )
        await self._ask(403)
        await self.pause()

    async def _granted(self) -> None:
        self._say(
            "2. Annette says yes to three of four",
            "Lene asks Annette for four things. Annette reads them one by one and says yes to three: the social"
            " centre's help, the family centre's help, and what her health keeps her from. Not to the plan with her"
            " goals. Saying no to one stops no other.",
            f"Annette's page: {self.world.address}/mine (log in as Annette Holm Test)",
        )
        self._step_on()
        lines = [{"source": source, "categories": [category]} for source, category in WANTED]
        wish = {"citizen": CITIZEN, "asked_by": ASKER, "case": CASE, "purpose": PURPOSE, "lines": lines}
        today = self.world.clock().date()
        until = (today + timedelta(days=300)).isoformat()
        asked = await self.consents.request("tour", wish | {"to": until})
        if asked.status == 409:
            # An earlier tour's no stands for 30 days: whoever asks again says why, in new words each time.
            why = f"Rundturen begynder forfra {self.world.clock():%Y-%m-%d %H:%M}."
            asked = await self.consents.request("tour", wish | {"to": until, "again": why})
        _must(201, asked)
        granted = await self.consents.grant("tour", {"request": "tour", "lines": GRANTED})
        _must(200, granted)
        for row in granted.said.get("lines", ()):
            self.console.print(f"    [green]yes[/] to {row['source']} {row['category']}")
        self.console.print(f"    [yellow]no[/]  to {SOCIAL} S02")
        await self.pause()

    async def _seen_whole(self) -> None:
        self._say(
            "3. The same ask, and the whole person",
            "Three helpers come at the same hour. A work placement demands standing work, which does not fit what her"
            " doctor says she can do: the jobcentre sees the limit, never the diagnosis. Her son is “barn i hjemmet”.",
            f"the same as a page: {self.world.address}/case · Annette's own view: {self.world.address}/mine/help",
        )
        self._step_on()
        await self._ask(200)
        await self.pause()

    async def _stopped(self) -> None:
        self._say(
            "4. Annette stops one source",
            "She takes the health centre back. It holds from the moment the broker has kept it, also for asks that"
            " are running. The next ask shows it: the limit is gone, and with it the conflict.",
            f"who has looked: {self.world.address}/mine/accesses · who has no computer rings or goes to the desk:"
            f" {self.world.address}/desk (log in as Dorte Skranke Test)",
        )
        self._step_on()
        lines = [{"source": HEALTH, "categories": ["H01"]}]
        reply = await self.consents.change("withdraw", {"consent": "tour", "lines": lines})
        _must(200, reply)
        self.console.print(f"    stopped: {HEALTH} H01", markup=False)
        _, received = await self.consents.callers.receive(JOBCENTRE)
        told = ", ".join(sorted({f"{line['source']} {line['category']}" for one in received for line in one["lines"]}))
        self.console.print(f"    the jobcentre's system has received: use {told} no further", markup=False)
        await self._ask(200)
        await self.pause()

    async def _tampered(self) -> None:
        self._say(
            "5. Somebody edits the log",
            "Somebody with all the power of the database rewrites a line of the log, so that the ask looks as if it"
            " was for another purpose. Every line is bound into a signed tree. `python -m audit verify` names it.",
            f"the DPO's page: {self.world.address}/dpo",
        )
        async with self.book.tampered("korsbaek", -1) as index:
            self.console.print(f"    entry {index} of Korsbæk's log says another purpose now", markup=False)
            await self._verify()
        self.console.print("    the line is put back as it was", markup=False)
        await self._verify()

    async def _ask(self, status: int) -> None:
        before = await self.book.sizes()
        reply = await self.consents.callers.post(ASKER, "/v1/views", ASK | {"citizen": self.world.cast.cpr(CITIZEN)})
        _must(status, reply)
        seen = await self._seen(Done(reply, CITIZEN), before)
        self.show.answer(seen)
        self.show.places(seen)

    async def _verify(self) -> None:
        report = await self.book.verify("korsbaek")
        self.show.report(await self._seen(Done(report=report), await self.book.sizes()))

    async def _seen(self, done: Done, before: dict[str, int]) -> Seen:
        handles = {name: await self.book.handle(self.world.cast.cpr(name)) for name in self.world.cast.people}
        given = {name: one.id for name, one in self.consents.given.items()}
        entries = tuple(await self.book.since(before))
        return Seen(Names(handles, given), done.reply, done.citizen, entries, report=done.report)

    def _step_on(self) -> None:
        self.world.set_clock(self.world.clock() + timedelta(minutes=MINUTES_A_STEP))

    def _say(self, title: str, text: str, link: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{title}[/]", align="left")
        self.console.print(text, width=100, markup=False)
        if link:
            self.console.print(f"    {link}", style="blue", markup=False)


def _must(status: int, reply: Reply) -> None:
    """End the tour where the broker did something else than the tour is about to say."""
    if reply.status != status:
        told = reply.said.get("title") or reply.said.get("type") or "no words"
        raise WorldBroken(f"the tour cannot go on: the broker answered {reply.status} ({told})")


async def lead_tour(world: World, console: Console, pause: Pause) -> None:
    """Lead the tour in a staged world."""
    async with AsyncExitStack() as stack:
        book = await stack.enter_async_context(open_log_book(world))
        callers = await stack.enter_async_context(Callers(world))
        visitors = await stack.enter_async_context(Visitors(world))
        await Guide(world, console, pause, Consents(world, callers, visitors), book, Show(console)).lead()
