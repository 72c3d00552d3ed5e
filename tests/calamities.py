"""Scenario 1 with canaries in every record, played so that all goes wrong that can; and then all that was left behind.

The broker tells as much as it can (debug level), and its database writes down every statement with every value.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg

from broker.adapters.database import LOGINS
from demo.scenario.acts import Acts
from demo.scenario.callers import Callers, Reply
from demo.scenario.consents import Consents
from demo.scenario.file import Scenario, Step, read_scenario
from demo.scenario.visitors import Visitor, Visitors
from demo.world.casting import Cast
from demo.world.children import ROOT, WorldBroken
from demo.world.logbook import open_log_book
from demo.world.template import chosen_template
from demo.world.world import BROKER, World
from tests.canaries import Flock, Search, as_text
from tests.fakes.crashing_broker import WAYS
from tests.fakes.shouting import MOODS, Shouting, shouting
from tests.traces import (
    Trace,
    activity_of,
    family_of,
    files_below,
    files_of_process,
    loose_files,
    memory_of_process,
    names_below,
    process_with_errors_to,
    rows_of,
    searched,
    words_of_process,
)

SCENARIO = ROOT / "scenarios" / "s1-annette.yaml"
SOURCES = ("korsbaek-jobcentre", "korsbaek-social", "korsbaek-family", "korsbaek-health", "korsbaek-school")
# What must be as it is for a record to be asked for at all and be about somebody.
ALWAYS = {"resourceType", "Kategori", "system", "funktion"}
# Codes that a mapping knows: without them a record becomes no item.
CODES = {
    "kle", "Kle", "status", "Status", "lov", "Lov", "paragraf", "Paragraf", "plantype", "Plantype", "kode", "code",
    "krav", "formaal", "behov", "Behov", "emner", "description", "aktivitetstype", "effectiveDateTime",
}  # fmt: skip
TELLING = {
    "log_statement": "all",
    "log_error_verbosity": "verbose",
    "log_min_error_statement": "debug5",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
    "log_temp_files": "0",
}
SILENT_SECONDS = 0.4


class TellingWorld(World):
    """A world whose broker and database write down all they can, and whose broker may be killed and revived."""

    program = "tests.fakes.crashing_broker"
    # Nothing that was last written before the broker first started can hold what sources told it.
    begun: float = 0.0

    @property
    def temporary(self) -> Path:
        """The folder for the broker's temporary files."""
        return self.files.folder / "temporary"

    @property
    def crashing(self) -> Path:
        """The file that says how handlers crash."""
        return self.files.folder / "crashing"

    @property
    def broker_log(self) -> Path:
        """Where the broker's standard error goes."""
        return self.files.folder / "run-broker" / f"{BROKER}.log"

    def process(self) -> int:
        """Give the broker's process."""
        return process_with_errors_to(self.broker_log)

    async def revive(self, life: int) -> None:
        """Start the broker again after it was killed; what it had printed is kept beside."""
        for file in (self.broker_log, self.broker_log.with_suffix(".ready")):
            shutil.copy(file, file.with_name(f"{life}-{file.name}"))
        self._brokers.stop(BROKER)
        await super()._start_broker()

    async def _start_broker(self) -> None:
        self.temporary.mkdir()
        connection = await asyncpg.connect(self.databases.superuser)
        try:
            for role in LOGINS:
                for name, value in TELLING.items():
                    await connection.execute(f"ALTER ROLE {role} SET {name} = '{value}'")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()
        # File times are whole ticks of the system's clock.
        self.begun = time.time() - 0.02
        await super()._start_broker()

    def _settings(self) -> dict[str, str]:
        return super()._settings() | {
            "BROKER_LOG_LEVEL": "debug",
            "TMPDIR": str(self.temporary),
            "CRASHING": str(self.crashing),
        }


@dataclass(slots=True)
class Left:
    """What the play left behind: each place searched, what callers were told, and that what should go wrong did."""

    flock: Flock
    answered: set[str] = field(default_factory=set)
    shouted: set[tuple[str, str]] = field(default_factory=set)
    silent: set[tuple[str, str]] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    crashed: dict[str, int] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)
    sent: dict[str, Trace] = field(default_factory=dict)
    deaths: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    core_limits: set[str] = field(default_factory=set)
    cores: list[Path] = field(default_factory=list)
    traces: dict[str, Trace] = field(default_factory=dict)
    planted: dict[str, Trace] = field(default_factory=dict)
    samples: dict[str, bytes] = field(default_factory=dict)
    records: Trace = field(default_factory=Trace)
    tables: Trace = field(default_factory=Trace)
    seconds: float = 0.0


@dataclass(slots=True)
class Play:
    """The world while it is played in, and who acts there."""

    world: TellingWorld
    shout: Shouting
    left: Left
    acts: Acts

    async def do(self, verb: str, wish: Any, name: str | None = None) -> Reply:
        """Do one step; remember what was answered."""
        reply = (await self.acts.do(Step(0, verb, wish, None, None, name))).reply
        self.left.answered |= self.left.flock.in_texts([as_text(reply.said)])
        self.left.silent |= {(row["source"], row["why"]) for row in reply.said.get("sources", ()) if "why" in row}
        if reply.status >= 400:
            self.left.refused.add(reply.status)
        return reply

    async def ask(self, *sources: str, **changes: Any) -> Reply:
        """Ask as Lene does."""
        wish = {
            "by": "lene", "citizen": "annette", "purpose": "helhedsorienteret_plan", "case": "JC-2019-0417",
            "sources": sources or SOURCES,
        }  # fmt: skip
        return await self.do("ask", wish | changes)

    async def behave(self, source: str, mode: Mapping[str, Any]) -> None:
        """Let one of the department systems behave so from now on."""
        await self.world.control(f"source-{source}", "", mode)


async def play_it_all(folder: Path) -> Left:
    """Play in a world of its own, search all that is not a source's own store, and give what was found."""
    begun = time.monotonic()
    flock = Flock()
    scenario = _with_canaries(read_scenario(SCENARIO), flock)
    left = Left(flock)
    async with shouting(flock) as shout, TellingWorld(folder) as world:
        template = chosen_template({"changes": {"sources": _changes(shout)}}, folder)
        await world.stage(template, scenario.cast, scenario.records, scenario.clock)
        async with _acting(world) as acts:
            await _give(Play(world, shout, left, acts), scenario)
            await _ask_in_every_way(Play(world, shout, left, acts))
            await _die(Play(world, shout, left, acts), signal.SIGKILL)
        await world.revive(1)
        async with _acting(world) as acts:
            await _fail_in_every_way(Play(world, shout, left, acts))
            await _crash_in_every_way(Play(world, shout, left, acts))
            left.traces = await _search(world, Search(flock.canaries), world.begun)
            await _compare(world, left)
            await _die(Play(world, shout, left, acts), signal.SIGABRT)
        await _search_after_death(world, left)
    left.shouted = shout.shouted
    search = Search(flock.canaries)
    left.sent = {kind: searched(search, bodies) for kind, bodies in shout.bodies.items()}
    left.sent["addresses and headers"] = searched(search, shout.heard)
    left.seconds = time.monotonic() - begun
    return left


def _with_canaries(scenario: Scenario, flock: Flock) -> Scenario:
    """Plant canaries in every record and every name; CPR numbers are canaries as they are."""
    people = {
        name: row | {"name": flock.word(f"people.{name}", row["name"])} for name, row in scenario.cast.people.items()
    }
    for name, row in people.items():
        for number in (row["cpr"], row["cpr"].replace("-", "")):
            flock.known(f"cpr.{name}", number)
    return replace(
        scenario,
        cast=Cast(people, scenario.cast.caseworkers, scenario.cast.cases),
        records={
            name: flock.plant(records, name, spared=ALWAYS | CODES, times=False)
            for name, records in scenario.records.items()
        },
    )


def _changes(shout: Shouting) -> dict[str, Any]:
    return {**shout.changes(), "korsbaek-school": {"limits": {"deadline_seconds": SILENT_SECONDS}}}


@asynccontextmanager
async def _acting(world: TellingWorld) -> AsyncIterator[Acts]:
    async with AsyncExitStack() as stack:
        book = await stack.enter_async_context(open_log_book(world))
        callers = await stack.enter_async_context(Callers(world))
        visitors = await stack.enter_async_context(Visitors(world))
        yield Acts(Consents(world, callers, visitors), book)


async def _give(play: Play, scenario: Scenario) -> None:
    """Give the scenario's consent, and one for every other category; ask for more in words of one's own."""
    (first,) = scenario.consents.values()
    shouting_lines = [
        {"source": "shouting-school", "categories": ["K01"], "subject": "viktor"},
        {"source": "shouting-family", "categories": ["F01"], "subject": "viktor"},
        {"source": "shouting-health", "categories": ["H01"]},
        {"source": "korsbaek-school", "categories": ["K01"], "subject": "viktor"},
        {"source": "korsbaek-social", "categories": ["S03"]},
    ]
    for name, lines in (("c1", first["lines"]), ("c2", shouting_lines)):
        reply = await play.do("give", {**first, "lines": lines}, name)
        assert reply.status < 300, reply
    callers, words = play.acts.consents.callers, play.left.flock
    wanted = {
        "citizen": play.world.cast.cpr("annette"), "purpose": first["purpose"], "case": first["case"],
        "to": first["to"], "lines": [{"source": "korsbaek-family", "category": "F01"}],
        "why": words.word("why", "Fordi"),
    }  # fmt: skip
    assert (await callers.post("lene", "/v1/consent-requests", wanted)).status == 201
    taken = {"form": "oral", "evidence": words.word("evidence", "Sagt ved skranken"), "identity_checked": True}
    assert (await callers.post("lene", "/v1/consents", wanted | taken)).status == 201


async def _ask_in_every_way(play: Play) -> None:
    """Ask for all, as view and as exchange; be refused; look as the citizen and as the overseer."""
    await play.ask(weeks=["2019-W10", "2019-W11"])
    await play.ask(view=False)
    await play.ask(case="JC-2019-0999")
    await play.do("ask", {"by": "jens", "citizen": "annette", "purpose": "helhedsorienteret_plan",
                          "case": "JC-2019-0417", "sources": ["korsbaek-social"]})  # fmt: skip
    await _look_at_pages(play)
    for page, who in (("my_accesses", "annette"), ("my_consents", "annette"), ("dpo_accesses", "korsbaek")):
        wanted = {"filter": {"kind": "outcome", "citizen": "viktor"}} if page == "dpo_accesses" else {}
        await play.do("look", {"page": page, "as_who": who} | wanted)


async def _look_at_pages(play: Play) -> None:
    """Look at the whole person in a browser, and be refused there; so all is shown that sources told."""
    browser = Visitor(play.world, "caseworker")
    try:
        await browser.enter("lene")
        for case in ("JC-2019-0417", "JC-2019-0999"):
            form = {"citizen": play.world.cast.cpr("annette"), "purpose": "helhedsorienteret_plan", "case": case}
            play.left.pages |= play.left.flock.in_texts([await browser.send_form("/case", form)])
    finally:
        await browser.close()


async def _crash_in_every_way(play: Play) -> None:
    """Let the handler crash while it holds the answer, in the handler itself and in what it leaves behind."""
    for way in WAYS:
        play.world.crashing.write_text(way, "utf-8")
        play.left.crashed[way] = (await play.ask(view=False)).status
    play.world.crashing.unlink()
    # What was left behind falls when it is taken away.
    await play.ask(view=False)


async def _die(play: Play, how: signal.Signals) -> None:
    """Let the broker die in the middle of an ask: one source holds its answer back, the others have told."""
    await play.do("hold", "korsbaek-family")
    family = family_of(play.world.process())
    play.left.core_limits |= {_core_limit(process) for process in family}
    home = Path(f"/proc/{family[0]}/cwd").readlink()
    await play.do("start", {"by": "lene", "citizen": "annette", "purpose": "helhedsorienteret_plan",
                            "case": "JC-2019-0417", "sources": list(SOURCES)}, how.name)  # fmt: skip
    # The other sources have told by now what they had to tell.
    await asyncio.sleep(0.2)
    os.kill(family[0], how)
    try:
        await play.acts.started[how.name]
    except WorldBroken:
        play.left.deaths.append(how.name)
    await play.do("release", "korsbaek-family")
    play.left.cores += [file for file in home.glob("core*") if file.is_file()]


def _core_limit(process: int) -> str:
    limits = Path(f"/proc/{process}/limits").read_text().splitlines()
    return next(" ".join(line.split()[4:6]) for line in limits if line.startswith("Max core file size"))


async def _fail_in_every_way(play: Play) -> None:
    """Let sources be silent, ill, garbled and far too long; let a database complain in words; shout in every mood."""
    world = play.world
    await play.behave("korsbaek-school", {"mode": "silent"})
    await play.behave("korsbaek-jobcentre", {"garbage": True})
    await play.behave("korsbaek-family", {"error": 500})
    await play.ask()
    await play.behave("korsbaek-school", {"mode": "normal", "oversize_bytes": 3_000_000})
    await play.ask(view=False)
    for source in ("korsbaek-jobcentre", "korsbaek-family", "korsbaek-school"):
        await play.behave(source, {"mode": "normal", "error": None, "garbage": False, "oversize_bytes": 0})
    for name, records in read_scenario(SCENARIO).records.items():
        mangled = play.left.flock.plant(records, f"mangled.{name}", spared=ALWAYS, times=name != "korsbaek-social")
        await world.set_records(name, mangled)
    await play.ask()
    await _complain(world, play.left.flock.word("complaint"))
    await play.ask("korsbaek-social")
    for mood in MOODS:
        play.shout.mood = mood
        await play.ask("shouting-school", "shouting-family", "shouting-health", view=mood != "strange")


async def _complain(world: TellingWorld, word: str) -> None:
    """Let every read of the social centre's view fail with a message that holds what no message may hold."""
    async with _social_centre(world) as connection:
        await connection.execute(
            "CREATE FUNCTION intern.complain() RETURNS boolean LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{word}' USING DETAIL = '{word}', HINT = '{word}'; END $$;"
            " CREATE OR REPLACE VIEW udveksling.s01_indsatser WITH (security_barrier) AS"
            " SELECT * FROM intern.indsatser_med_tider WHERE intern.complain()"
        )


@asynccontextmanager
async def _social_centre(world: TellingWorld) -> AsyncIterator[Any]:
    """Open the social centre's own database, as those who run it."""
    folder = world.files.folder / "systems" / "source-korsbaek-social"
    password, port = ((folder / name).read_text("ascii") for name in ("password", "port"))
    connection = await asyncpg.connect(f"postgresql://postgres:{password}@127.0.0.1:{port}/socialcenter")
    try:
        yield connection
    finally:
        await connection.close()


async def _search(world: TellingWorld, search: Search, since: float) -> dict[str, Trace]:
    """Search all that is not a source's own, while everything runs, and was written since a moment."""
    main = world.databases.superuser
    connection = await asyncpg.connect(main)
    postgres = Path(await connection.fetchval("SHOW data_directory"))
    wal = postgres / "pg_wal"
    # The log is longest before a checkpoint; the tables are whole after it.
    traces = {"write-ahead log": searched(search, files_below(wal, since=since))}
    await connection.execute("CHECKPOINT")
    await connection.close()
    family = family_of(world.process())
    return traces | {
        "database files": searched(search, files_below(postgres, but=[wal], since=since)),
        "rows": searched(search, await rows_of(main)),
        "rows of the vault": searched(search, await rows_of(_vault(main))),
        "activity": searched(search, [*await activity_of(main), *await activity_of(_vault(main))]),
        "metrics": searched(search, [await _metrics(world)]),
        "open files": searched(search, (piece for process in family for piece in files_of_process(process, since))),
        "files": searched(
            search, files_below(world.files.folder, but=[world.files.folder / "systems", postgres], since=since)
        ),
        "loose files": searched(search, loose_files(since)),
        "names": searched(search, names_below(world.files.folder)),
        "words of processes": searched(search, (piece for process in family for piece in words_of_process(process))),
        "the policy engine's memory": searched(
            search, (piece for process in engines_of(family) for piece in memory_of_process(process))
        ),
    }


def engines_of(family: Iterable[int]) -> list[int]:
    """Find OPA in a family of processes."""
    return [process for process in family if Path(f"/proc/{process}/comm").read_text().strip() == "opa"]


def _vault(main: str) -> str:
    return main.replace("/borgerbro_", "/borgerbro_vault_")


async def _metrics(world: TellingWorld) -> bytes:
    async with world.http.get(f"{world.address}/metrics") as answer:
        return await answer.read()


async def _compare(world: TellingWorld, left: Left) -> None:
    """Search where canaries must be: the sources' own stores, and places of ours where one was let fly on purpose."""
    search = Search(left.flock.canaries)
    systems = world.files.folder / "systems"
    async with _social_centre(world) as connection:
        await connection.execute("CHECKPOINT")
        place = await connection.fetchval("SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database"
                                          " WHERE datname = current_database()")  # fmt: skip
    left.records = searched(search, (file.read_bytes() for file in systems.glob("*.json")))
    left.tables = searched(search, files_below(Path(place)))
    postgres_log = (world.files.folder / "postgres" / "postgres.log").read_bytes()
    left.told["database"] = postgres_log.decode(errors="replace")
    left.samples = {
        "metrics": await _metrics(world),
        "broker's log": world.broker_log.read_bytes(),
        "database's log": postgres_log[-20_000:],
        "database page": max(await rows_of(world.databases.superuser), key=len)[:40_000] + os.urandom(8192),
    }
    loose = Flock()
    leak = loose.word("leak")
    now = time.time() - 1
    file = world.temporary / "leak"
    file.write_text(leak)
    for address in (world.databases.superuser, _vault(world.databases.superuser)):
        connection = await asyncpg.connect(address)
        await connection.execute("CREATE TABLE public.leak (told text)")
        # Much alike: PostgreSQL packs it in a way of its own.
        await connection.execute("INSERT INTO public.leak VALUES ($1), ($2)", leak, f"{leak} " * 1000)
        await connection.close()
    named = world.temporary / f"of-{leak}"
    named.touch()
    speaking = await asyncpg.connect(world.databases.superuser, server_settings={"application_name": leak})
    with tempfile.NamedTemporaryFile("w", prefix="borgerbro-leak-", dir="/var/tmp") as loosely:
        loosely.write(leak)
        loosely.flush()
        left.planted = await _search(world, Search(loose.canaries), now)
    await speaking.close()
    named.unlink()
    file.unlink()


async def _search_after_death(world: TellingWorld, left: Left) -> None:
    """Search what the last death left: what the broker had said, its temporary files, and cores."""
    search = Search(left.flock.canaries)
    places = [world.temporary, world.broker_log.parent]
    left.traces["after death"] = searched(search, (piece for place in places for piece in files_below(place)))
    left.cores = [file for file in left.cores if file.stat().st_mtime >= world.begun]
    left.told["temporary"] = " ".join(file.name for file in world.temporary.iterdir())
    left.told["broker"] = "".join(
        file.read_text(errors="replace") for file in sorted(world.broker_log.parent.glob(f"*{BROKER}.log"))
    )
