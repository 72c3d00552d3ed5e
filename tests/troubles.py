"""A world whose broker reaches its databases and one of its sources through cables that a test can cut or let hang."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import asyncpg

from demo.scenario.acts import Acts
from demo.scenario.callers import Callers, Reply
from demo.scenario.consents import Consents
from demo.scenario.file import Step, read_scenario
from demo.scenario.visitors import Visitor, Visitors
from demo.world.children import ROOT
from demo.world.logbook import LogBook, open_log_book
from demo.world.passing import remove_clusters
from demo.world.template import chosen_template
from demo.world.world import BROKER, World
from tests.fakes.cable import Cable, through
from tests.model.engines import opa_on_path
from tests.traces import family_of, process_with_errors_to

SCENARIO = ROOT / "scenarios" / "s1-annette.yaml"
SICK, PUPIL = "korsbaek-school", "viktor"
OTHERS = ("korsbaek-jobcentre", "korsbaek-social", "korsbaek-family", "korsbaek-health")
# What the sick source may cost; the others have what is the house's own.
PLACES, FAILURES, DEADLINE_SECONDS, REST_SECONDS = 2, 3, 0.6, 2.0
DATABASE_SECONDS = 1.0
SECONDS_TO_RECOVER = 40.0
CABLES = ("main", "vault", "signer", "sick")
# Consents that are there to be taken back, each by its name.
TO_WITHDRAW = {
    "w1": {"source": "korsbaek-social", "categories": ["S03"]},
    "w2": {"source": "korsbaek-social", "categories": ["S04"]},
    "w3": {"source": "korsbaek-family", "categories": ["F02"], "subject": PUPIL},
    **{name: {"source": "korsbaek-social", "categories": ["S03"]} for name in ("w4", "w5", "w6")},
}
METRIC = re.compile(r"^(borgerbro_(?:source|door)\w+)\{(.*)\} ([0-9.e+]+)$", re.MULTILINE)


class TroubledWorld(World):
    """A world with a cable to each database, to the sick source, and to the one that signs the logs."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, **more)
        self.cables = {name: Cable() for name in CABLES}

    def process(self) -> int:
        """Give the broker's process."""
        return process_with_errors_to(self.files.folder / "run-broker" / f"{BROKER}.log")

    def opa(self) -> int | None:
        """Give the process of the broker's own OPA, if one runs."""
        for one in family_of(self.process()):
            try:
                told = Path(f"/proc/{one}/cmdline").read_bytes()
            except OSError:
                continue
            # Its watcher, a shell, bears the same words further on; what has ended bears none.
            if told.split(b"\0")[0].endswith(b"/opa"):
                return one
        return None

    def database_processes(self) -> list[int]:
        """Give every process of the PostgreSQL server."""
        note = self.databases._server._home() / "data" / "postmaster.pid"
        return family_of(int(note.read_text("utf-8").split("\n", 1)[0]))

    async def _start_broker(self) -> None:
        through(self.cables["sick"], self._running[f"source-{SICK}"][1].address)
        for cable in self.cables.values():
            await cable.plug_in()
        await super()._start_broker()

    def _settings(self) -> dict[str, str]:
        at, cables = self.addresses, self.cables
        return super()._settings() | {
            "BROKER_DATABASE_URL": through(cables["main"], at.app),
            "BROKER_VAULT_URL": through(cables["vault"], at.vault),
            "BROKER_DATABASE_DEADLINE_SECONDS": str(DATABASE_SECONDS),
            "BROKER_ASKS_PER_CASEWORKER_HOUR": "100000",
        }

    def _checkpointer_address(self) -> str:
        return through(self.cables["signer"], self.addresses.checkpointer)

    async def _end(self) -> None:
        await super()._end()
        await asyncio.gather(*(cable.close() for cable in self.cables.values()))


@dataclass(slots=True)
class Trouble:
    """The world while a test troubles it, and who asks, withdraws and looks meanwhile."""

    world: TroubledWorld
    acts: Acts
    book: LogBook
    seen: set[str] = field(default_factory=set)

    @property
    def cables(self) -> Mapping[str, Cable]:
        """Give the cables by name."""
        return self.world.cables

    async def ask(self, *sources: str) -> Reply:
        """Ask as Lene does, once."""
        wish = {
            "by": "lene", "citizen": "annette", "purpose": "helhedsorienteret_plan", "case": "JC-2019-0417",
            "sources": list(sources or (*OTHERS, SICK)), "view": False,
            "categories": ["B01", "B03", "S01", "S02", "F01", "H01", "K01"],
        }  # fmt: skip
        return (await self.acts.do(Step(0, "ask", wish, None, None, None))).reply

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> int:
        """Try until it holds; give how often it did not."""
        tries = 0
        async with asyncio.timeout(SECONDS_TO_RECOVER):
            while not await holds():
                tries += 1
                await asyncio.sleep(0.05)
        return tries

    async def until_answered(self, *sources: str) -> Reply:
        """Ask until an answer comes that leaves nobody out; only refusals in our own words may come before it."""
        last: list[Reply] = []

        async def answered() -> bool:
            last[:] = [await self.ask(*sources)]
            assert last[0].status in {200, 401, 403, 503}, last
            return last[0].status == 200 and silent(last[0]) == {}

        await self.until(answered)
        return last[0]

    async def behave(self, name: str, **mode: Any) -> None:
        """Let a source or register behave so from now on, with no calls counted yet."""
        await self.world.control(name, "/reset", {})
        await self.world.control(name, "", mode)

    async def calls(self, name: str) -> int:
        """Count the calls that a source or register has seen since it was told how to behave."""
        return len(await self.world.control(name, "/calls"))

    async def metrics(self) -> dict[tuple[str, str], float]:
        """Read what the operator sees of the sources: (metric, labels) → value."""
        async with self.world.http.get(f"{self.world.address}/metrics") as answer:
            return {(m[1], m[2].replace('"', "")): float(m[3]) for m in METRIC.finditer(await answer.text())}

    async def entries(self) -> dict[str, int]:
        """Count the log's entries by kind, as the database has them."""
        connection = await asyncpg.connect(self.world.databases.superuser)
        try:
            rows = await connection.fetch("SELECT fields->>'kind' AS kind, count(*) FROM log.index GROUP BY 1")
        finally:
            await connection.close()
        return {row["kind"]: row["count"] for row in rows}

    async def sessions(self) -> list[str]:
        """Tell what the broker's connections do in the database: one word each."""
        connection = await asyncpg.connect(self.world.databases.superuser)
        try:
            rows = await connection.fetch(
                "SELECT state FROM pg_stat_activity WHERE application_name LIKE 'broker%' AND state IS NOT NULL"
            )
        finally:
            await connection.close()
        return [row["state"] for row in rows]

    async def annette(self) -> Visitor:
        """Give the citizen's browser, logged in."""
        return await self.acts.consents.visitors.citizen("annette")

    async def withdraw_on_page(self, name: str) -> int:
        """Take a consent back on the citizen's own page, as a browser without script does; give the status."""
        browser, address = (await self.annette())._http, self.world.address
        path = f"{address}/mine/consents/{self.acts.consents.given[name].id}/stop"
        async with browser.get(path, headers={"Accept": "text/html"}) as page:
            token = re.search(r'name="csrf" value="([^"]*)"', await page.text())
        assert token, page.status
        headers = {"Origin": address, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        form = {"csrf": unescape(token[1])}
        async with browser.post(path, data=form, headers=headers, allow_redirects=False) as told:
            return told.status


def silent(reply: Reply) -> dict[str, str]:
    """Give the sources that an answer names as silent, with the word why."""
    return {row["source"]: row["why"] for row in reply.said.get("sources", ()) if "why" in row}


def answered(reply: Reply) -> set[str]:
    """Give the sources whose items an answer has."""
    return {item["source"] for item in reply.said.get("items", ())}


def stop(*processes: int) -> None:
    """Let processes stand still."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)


def go_on(*processes: int) -> None:
    """Let processes go on."""
    for process in processes:
        os.kill(process, signal.SIGCONT)


@asynccontextmanager
async def world_in_trouble() -> AsyncIterator[Trouble]:
    """Open a world in a folder of its own, and take both away."""
    opa_on_path()
    folder = Path(tempfile.mkdtemp(prefix="borgerbro-trouble-"))
    folder.chmod(0o711)
    try:
        async with troubled(folder / "world") as made:
            yield made
    finally:
        remove_clusters(folder / "world")
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def behaving(trouble: Trouble, name: str, **mode: object) -> AsyncIterator[None]:
    """Let a source or register behave so for a while; then well again."""
    await trouble.behave(name, **mode)
    try:
        yield
    finally:
        await trouble.world.control(name, "/reset", {})


async def is_waiting(trouble: Trouble, name: str) -> bool:
    """Tell whether a held source or register has a call waiting."""
    return bool((await trouble.world.control(name))["waiting"])


async def refused(trouble: Trouble, reply: Reply, names: set[str], before: dict[str, int]) -> None:
    """Hold a refusal to its promise: our own problem, when to come back, and no outcome that says more."""
    assert reply.status == 503, reply
    assert reply.said["type"].removeprefix("urn:borgerbro:problem:") in names, reply
    after = await trouble.entries()
    assert after.get("outcome", 0) == before.get("outcome", 0)
    assert after.get("ask", 0) - before.get("ask", 0) <= 1


@asynccontextmanager
async def troubled(folder: Path) -> AsyncIterator[Trouble]:
    """Stage the world, give the consents, and see that all answers before there is any trouble."""
    scenario = read_scenario(SCENARIO)
    async with TroubledWorld(folder) as world, AsyncExitStack() as stack:
        await world.stage(chosen_template({"changes": _changes(world)}, folder), scenario.cast, scenario.records,
                          scenario.clock)  # fmt: skip
        book = await stack.enter_async_context(open_log_book(world))
        callers = await stack.enter_async_context(Callers(world))
        visitors = await stack.enter_async_context(Visitors(world))
        trouble = Trouble(world, Acts(Consents(world, callers, visitors), book), book)
        (first,) = scenario.consents.values()
        school = {"source": SICK, "categories": ["K01"], "subject": PUPIL}
        lines = {"c1": first["lines"], "c2": [school]} | {name: [line] for name, line in TO_WITHDRAW.items()}
        for name, rows in lines.items():
            step = Step(0, "give", {**first, "lines": rows}, None, None, name)
            assert (await trouble.acts.do(step)).reply.status < 300
        assert answered(await trouble.until_answered()) == {*OTHERS, SICK}
        yield trouble


def _changes(world: TroubledWorld) -> dict[str, Any]:
    limits = {
        "deadline_seconds": DEADLINE_SECONDS, "most_at_once": PLACES, "most_failures": FAILURES,
        "rest_seconds": REST_SECONDS,
    }  # fmt: skip
    settings = {
        "base_url": f"http://127.0.0.1:{world.cables['sick'].lies}", "auth": {"api_key_header": "X-Api-Noegle"},
    }  # fmt: skip
    return {
        "sources": {SICK: {"limits": limits, "settings": settings}},
        "registers": {"people": {"limits": {"deadline_seconds": 1.0}}},
    }
