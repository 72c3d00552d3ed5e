"""Worlds in pairs: people, consents and records that one ask is played in, and all that the broker did for it.

Over real databases and the HTTP faces; registers, sources and the policy are watched. Each world has people of its own,
so that the worlds of a pair can stand side by side in the same databases.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from broker.domain.decisions import Decision, PolicyMark
from broker.domain.facts import CustodyHolder, RegisterPerson
from broker.domain.items import Item
from broker.domain.personal import Personal
from broker.ports import Policy, Ports
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CASEWORKER, JOB, PURPOSE, an_item
from tests.consent_values import a_block, a_grant, a_line, blocked, granted, withdrawn
from tests.databases import Databases
from tests.evaluations import CONTEXT, EVALUATIONS, LENE, OWN, READ, RESOURCE_SEARCH, a_resource, a_search
from tests.fakes.registers import FakeCases, FakePeople
from tests.fakes.sources import FakeSource
from tests.front import Front, open_front

HOME, FAR = "korsbaek", "norrestrand"
OURS = "jobcentre"
PAST, THIS_YEAR = (20180101, 20181231), (20190101, 20191231)
# What is said of an entry is said apart: where it stands, and under which ids.
# What the driver asks on a connection of its own accord, once, and what the log asks now and then about who stands in
# line: by the clock, whoever is asked about.
OF_NOBODY = ("typeinfo_tree", "'jit'", "pg_stat_activity")
APART = {"ask", "id", "receipt", "entry"}


@dataclass(frozen=True)
class Line:
    """One line of a consent: about the citizen (0) or a child (1, 2, …), and to whom, for what, how it stands.

    `year`: it reaches over the records of this year alone.
    """

    whose: int
    source: str
    category: str
    state: str = "granted"
    unit: str = OURS
    municipality: str = HOME
    purpose: str = PURPOSE
    case: str = CASE
    year: bool = False


@dataclass(frozen=True)
class No:
    """A standing no: whose, and against what."""

    whose: int
    source: str | None = None
    unit: str | None = None
    category: str | None = None


@dataclass(frozen=True)
class World:
    """All that may differ: what the registers tell, what is consented to, what stands against it, what sources hold."""

    known: bool = True
    on_case: bool = True
    citizen: tuple[tuple[str, Any], ...] = ()
    children: tuple[tuple[tuple[str, Any], ...], ...] = ()
    lines: tuple[Line, ...] = ()
    noes: tuple[No, ...] = ()
    without_records: frozenset[tuple[str, str]] = frozenset()
    old_records: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Seen:
    """What one ask brought about. `statements` are texts with how many values; `sizes` say how large each was."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sources: tuple[tuple[str, str, tuple[str, ...]], ...]
    cases: tuple[str, ...]
    people: tuple[str, ...]
    questions: int
    statements: tuple[tuple[str, str, int], ...]
    sizes: tuple[tuple[str, str, str], ...]
    entries: int

    def shown(self) -> dict[str, Any]:
        """Give what is equal in every pair: all but what follows the number of persons an ask touches."""
        return {name: value for name, value in vars(self).items() if name not in {"people", "entries", "sizes"}}

    def alike(self) -> Seen:
        """Give all but how large an entry is: its question is packed, and packs by the letters of random handles."""
        return replace(self, sizes=tuple(row for row in self.sizes if "append" not in row[1]))


@dataclass
class Notes:
    """What was heard at each door since the last ask began."""

    people: list[Personal[str]] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    sources: list[tuple[str, Personal[str], tuple[str, ...]]] = field(default_factory=list)
    questions: int = 0
    statements: list[tuple[str, str, str, int]] = field(default_factory=list)


class WatchedCases(FakeCases):
    """A case register that writes down what it is asked."""

    notes: Notes

    async def case(self, case: Personal[str], citizen: Personal[str], caseworker: Personal[str]) -> Any:
        """Tell of the case."""
        self.notes.cases.append("case")
        return await super().case(case, citizen, caseworker)


class WatchedSource(FakeSource):
    """A source that writes down of whom it is asked, and for what."""

    notes: Notes

    async def read(self, subject: Personal[str], handle: str, categories: frozenset[str]) -> tuple[Item, ...]:
        """Read as the fake does."""
        self.notes.sources.append((self.name, subject, tuple(sorted(categories))))
        return await super().read(subject, handle, categories)


@dataclass
class WatchedPolicy:
    """A policy whose questions are counted."""

    policy: Policy
    notes: Notes

    @property
    def mark(self) -> PolicyMark:
        """Who answers."""
        return self.policy.mark

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer the question."""
        self.notes.questions += 1
        return await self.policy.decide(question)


@dataclass
class Watched:
    """The broker, and what is heard at its doors."""

    front: Front
    notes: Notes
    people: FakePeople
    cases: WatchedCases
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def seen(self, world: World, wish: Mapping[str, Any], path: str = "/v1/exchange") -> Seen:
        """Let people live in this world, ask about the citizen, and give all that came of it."""
        persons = [self._number() for _ in range(1 + len(world.children))]
        names = {person: f"child {place}" if place else "citizen" for place, person in enumerate(persons)}
        self._register(world, persons)
        handles = await self.front.databases.vault.citizens(persons)
        ids = await self._consent(world, handles)
        self._hold(world, persons, handles)
        # What is asked about first makes its keys; both worlds of a pair are as new as each other.
        before = await self._size()
        vars(self.notes).update(vars(Notes()))
        held = {name: source.categories for name, source in self.front.ports.sources.items()}
        answer = await self.front.post(path, _body(path, persons[0].disclose(), wish, held))
        await asyncio.sleep(0)
        notes = replace(self.notes)
        assert answer.headers["content-length"] == str(len(answer.content))
        return Seen(
            status=answer.status_code,
            headers=tuple(sorted(row for row in answer.headers.items() if row[0] != "content-length")),
            body=_without_ids(answer.content, ids),
            sources=tuple(sorted((name, names[who], asked) for name, who, asked in notes.sources)),
            cases=tuple(sorted(notes.cases)),
            people=tuple(names[who] for who in notes.people),
            questions=notes.questions,
            statements=tuple(sorted((db, text, count) for db, text, _, count in notes.statements)),
            sizes=tuple(sorted((db, text, shape) for db, text, shape, _ in notes.statements)),
            entries=await self._size() - before,
        )

    def _number(self) -> Personal[str]:
        place = next(self.numbers)
        return Personal(f"{61 + place % 28:02}{1 + place % 12:02}{place:06}")

    def _register(self, world: World, persons: list[Personal[str]]) -> None:
        mother, *children = persons
        self.cases.known = (Personal(CASE), mother if world.on_case else self._number(), CASEWORKER)
        if not world.known:
            return
        woman = RegisterPerson(mother, True, 19740211, None, "0999", False, (), tuple(children))
        self.people.persons[mother] = replace(woman, **dict(world.citizen))
        holder = (CustodyHolder(mother, 3),)
        for child, facts in zip(children, world.children, strict=True):
            son = RegisterPerson(child, True, 20060920, None, "0999", False, holder)
            self.people.persons[child] = replace(son, **dict(facts))

    async def _consent(self, world: World, handles: tuple[str, ...]) -> dict[str, str]:
        """Give the consents and standing noes; tell which line each consent's id stands for."""
        doors, ids = self.front.databases, {}
        for line in world.lines:
            case = await doors.vault.case(line.unit, Personal(line.case))
            reach = dict(zip(("data_from", "data_to"), THIS_YEAR, strict=True)) if line.year else {}
            asked = a_line(handles[line.whose], line.source, line.category, giver=handles[0], **reach)
            days = dict(zip(("from_day", "to_day"), PAST, strict=True)) if line.state == "past" else {}
            given = {"municipality": line.municipality, "unit": line.unit, "purpose": line.purpose, **days}
            # Ids in the order of giving, because answers list consents by them.
            yes = a_grant(handles[0], case, asked, id=str(UUID(int=next(self.numbers) << 64)), **given)
            await doors.consents.grant(yes, granted(yes))
            if line.state == "withdrawn":
                await doors.consents.withdraw(yes.id, None, withdrawn(yes))
            ids[yes.id] = f"{line.source}/{line.category}"
        for no in world.noes:
            block = a_block(handles[no.whose], source=no.source, unit=no.unit, category=no.category)
            await doors.consents.block(block, blocked(block))
        return ids

    def _hold(self, world: World, persons: list[Personal[str]], handles: tuple[str, ...]) -> None:
        for name, source in self.front.ports.sources.items():
            assert isinstance(source, WatchedSource)
            for person, handle in zip(persons, handles, strict=True):
                held = sorted(c for c in source.categories if (name, c) not in world.without_records)
                source.told[person.disclose()] = [
                    an_item(name, category, handle, from_day=THIS_YEAR[0]) for category in held
                ] + [
                    an_item(name, category, handle, from_day=PAST[0], to_day=PAST[1])
                    for place, category in sorted(world.old_records)
                    if place == name
                ]

    async def _size(self) -> int:
        """Tell how many entries there are on all logs together."""
        async with self.front.databases.pool.acquire() as connection:
            size: int = await connection.fetchval("SELECT coalesce(sum(size), 0)::int FROM log.head")
        await asyncio.sleep(0)
        return size


@asynccontextmanager
async def watched(postgres: PrivatePostgres, folder: Path) -> AsyncIterator[Watched]:
    """Open the broker over fresh databases, with somebody listening at each door."""
    notes = Notes()
    doors: list[Ports] = []

    def watch(ports: Ports) -> Ports:
        cases = WatchedCases(CASE, Personal(""), CASEWORKER, OURS, "15.20.00")
        cases.notes = notes
        sources = {name: WatchedSource(name, {}, known.categories) for name, known in ports.directory.sources.items()}
        for source in sources.values():
            source.notes = notes
        doors.append(
            replace(
                ports,
                people=FakePeople(),
                cases=dict.fromkeys(ports.directory.units, cases),
                policy=WatchedPolicy(ports.policy, notes),
                sources=sources,
            )
        )
        return doors[0]

    async with open_front(postgres, folder, watch) as front:
        await _listen(front.databases, notes)
        (ports,) = doors
        people, cases = ports.people, ports.cases[OURS]
        assert isinstance(people, FakePeople)
        assert isinstance(cases, WatchedCases)
        house = Watched(front, notes, people, cases)
        people.asked = _Forwarding(notes)
        # The first ask of all opens the log.
        await house.seen(World(), {})
        yield house


class _Forwarding(list[Personal[str]]):
    """A list that writes into the notes of the moment."""

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self._notes = notes

    def append(self, heard: Personal[str]) -> None:
        """Note whom the register was asked about."""
        self._notes.people.append(heard)


async def _listen(databases: Databases, notes: Notes) -> None:
    """Note every statement on every connection of both pools: its text, and how many values of what size."""

    def notes_of(database: str) -> Callable[[Any], None]:
        def note(told: Any) -> None:
            if not any(word in told.query for word in OF_NOBODY):
                notes.statements.append((database, told.query, _shape(told.args), len(told.args)))

        return note

    for name, pool in (("main", databases.pool), ("vault", databases.vault_pool)):
        connections = [await pool.take() for _ in range(pool.largest)]
        for connection in connections:
            connection.add_query_logger(notes_of(name))
        for connection in connections:
            pool.give_back(connection)


def _body(path: str, citizen: str, wish: Mapping[str, Any], held: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """Say the wish as the path wants it. An evaluation names each place; the unit's own where it has no other."""
    if path == EVALUATIONS:
        rows = [{"resource": a_resource(place, citizen)} for place in _places(wish, held) or [OWN]]
        return {"subject": LENE, "action": READ, "context": CONTEXT, "evaluations": rows}
    if path == RESOURCE_SEARCH:
        return a_search(path, resource={"type": "category", "properties": {"citizen": citizen}})
    return {"citizen": citizen, "purpose": PURPOSE, "case": CASE} | dict(wish)


def _places(wish: Mapping[str, Any], held: Mapping[str, frozenset[str]]) -> list[str]:
    return [
        f"{source}/{category}"
        for source in wish.get("sources", sorted(held))
        for category in wish.get("categories", sorted(held[source]))
        if source != JOB and category in held[source]
    ]


def _shape(value: Any) -> str:
    match value:
        case list() | tuple():
            return f"[{','.join(sorted(_shape(inner) for inner in value))}]"
        case str() | bytes():
            return f"{type(value).__name__}:{len(value)}"
    return type(value).__name__


def _without_ids(content: bytes, ids: Mapping[str, str]) -> bytes:
    """Give the body without what no two asks share: the receipt and ids; consents by what they are about."""
    for consent, about in ids.items():
        content = content.replace(consent.encode(), about.encode())
    body = orjson.loads(content)
    told = [body, *body.get("evaluations", [])]
    for part in (body, body.get("journal_note", {}), *(row["context"] for row in told if "context" in row)):
        for name in APART & part.keys():
            del part[name]
    return orjson.dumps(body)
