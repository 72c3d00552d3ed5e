"""Builders: a small house of two municipalities in memory, and asks in it. Say only what the test is about."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from broker.adapters.clock_system import FixedClock
from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.domain.asks import Ask
from broker.domain.directory import Directory
from broker.domain.facts import ConsentLine, CustodyHolder, RegisterPerson
from broker.domain.identity import Caller, Caseworker, Role, System
from broker.domain.items import Item
from broker.domain.personal import Personal
from broker.policy_tables import load_rules
from broker.ports import Ports
from broker.registry import Registry, read_registry
from tests.fakes.consents import FakeConsents
from tests.fakes.emergencies import FakeEmergencies
from tests.fakes.handles import FakeHandles
from tests.fakes.log import FakeLog
from tests.fakes.registers import FakeCases, FakePeople
from tests.fakes.sources import FakeSource

ROOT = Path(__file__).parents[1]
POLICIES = ROOT / "policies"
NOON = datetime(2019, 3, 4, 11, tzinfo=UTC)
CITIZEN, CHILD, STRANGER = Personal("7102740022"), Personal("8009064011"), Personal("6301010007")
CASEWORKER = Personal("lene")
CASE, PURPOSE = "JC-2019-0417", "helhedsorienteret_plan"
JOB, SOCIAL, FAMILY, HEALTH, SCHOOL, FAR = "job", "social", "family", "health", "school", "far-social"

REGISTRY: dict[str, Any] = {
    "version": 1,
    "municipalities": {
        "korsbaek": {"cvr": "11111111", "name": "Korsbæk Kommune", "code": "0999"},
        "norrestrand": {"cvr": "22222222", "name": "Nørrestrand Kommune", "code": "0998"},
    },
    "units": {
        name: {"municipality": home, "kind": kind, "name": {"da": name, "en": name}, "cases": "sager"}
        for name, home, kind in [
            ("jobcentre", "korsbaek", "jobcentre"),
            ("social-centre", "korsbaek", "social_centre"),
            ("family-centre", "korsbaek", "family_centre"),
            ("health-centre", "korsbaek", "health_centre"),
            ("school-office", "korsbaek", "school"),
            ("far-social-centre", "norrestrand", "social_centre"),
        ]
    },
    "sources": {
        name: {
            "unit": unit,
            "kind": "rest_json",
            "name": {"da": name, "en": name},
            "settings": {},
            "reads": {category: {} for category in categories},
        }
        for name, unit, categories in [
            (JOB, "jobcentre", ["B01", "B02", "B03", "B04"]),
            (SOCIAL, "social-centre", ["S01", "S02", "S03", "S04", "S05"]),
            (FAMILY, "family-centre", ["F01", "F02", "F03", "F04"]),
            (HEALTH, "health-centre", ["H01", "H02", "H03"]),
            (SCHOOL, "school-office", ["K01", "K02"]),
            (FAR, "far-social-centre", ["S01", "S02"]),
        ]
    },
    "registers": {
        "people": {"kind": "people_rest", "settings": {}},
        "cases": {"sager": {"kind": "cases_rest", "settings": {}}},
    },
    "systems": {},
    "employers": {},
}


def a_registry(folder: Path, **changes: Any) -> Registry:
    """Read the little registry, with whole sections replaced."""
    file = folder / "registry.yaml"
    file.write_text(json.dumps(REGISTRY | changes), "utf-8")
    return read_registry(file, POLICIES / "tables")


def a_caller(**changes: Any) -> Caller:
    """Lene of the jobcentre, coordinating caseworker, KLE 15, level 3."""
    role = Role("koordinerende_sagsbehandler", ("15.*",), 3, attested_on=20190101)
    lene = Caseworker(CASEWORKER, "https://idp.korsbaek", "korsbaek", "jobcentre", (role,), "Substantial", NOON)
    return Caller(System("momentum", "korsbaek", frozenset({"jobcentre"})), replace(lene, **changes))


def an_ask(**changes: Any) -> Ask:
    """An ask about the citizen, for the joint plan, from the case that is theirs."""
    return replace(Ask(str(uuid.uuid4()), CITIZEN, PURPOSE, Personal(CASE)), **changes)


def an_item(source: str, category: str, subject: str, **changes: Any) -> Item:
    """An intervention of a source in a category about somebody."""
    item = Item(source, category, subject, "intervention", Personal(f"{source}-{category}"), NOON, "unit")
    return replace(item, title=Personal("CANARY title"), **changes)


@dataclass
class SmallHouse:
    """All doors in memory but the policy, which is the real one; and the handles of the citizen and the child."""

    ports: Ports
    handles: FakeHandles
    people: FakePeople
    cases: FakeCases
    consents: FakeConsents
    log: FakeLog
    sources: dict[str, FakeSource]
    directory: Directory
    citizen: str
    child: str
    case: str

    def consented(self, source: str, category: str, subject: str | None = None, **changes: Any) -> ConsentLine:
        """Let a consent of the citizen stand in the store, as it would after a yes."""
        line = ConsentLine(
            id=str(uuid.uuid4()),
            consent="c1",
            version=1,
            subject=subject or self.citizen,
            giver=self.citizen,
            capacity="self" if subject in (None, self.citizen) else "custody_holder",
            source=source,
            category=category,
            recipient="jobcentre",
            purpose=PURPOSE,
            case=self.case,
            from_day=20190301,
            to_day=20200229,
            state="granted",
        )
        return replace(line, **changes)


class StandingConsents(FakeConsents):
    """The fake store, with lines put there by hand; `changes` are played at the next reading (a citizen's own act)."""

    def __init__(self, log: FakeLog) -> None:
        super().__init__(log)
        self.standing: list[ConsentLine] = []

    async def facts(self, municipality: str, unit: str, purpose: str, case: str, subjects: Any) -> Any:
        """Give the standing lines of these subjects beside the store's own."""
        found = await super().facts(municipality, unit, purpose, case, subjects)
        mine = tuple(
            line
            for line in self.standing
            if line.subject in subjects and (line.recipient == unit or line.purpose == purpose)
        )
        return replace(found, lines=found.lines + mine)


async def a_house(folder: Path, *, children: bool = True, **registry: Any) -> SmallHouse:
    """Build the small house: every source holds one item in each category it has, about the citizen and the child."""
    read = a_registry(folder, **registry)
    handles, log = FakeHandles(), FakeLog()
    citizen, child = await handles.citizens([CITIZEN, CHILD])
    case = await handles.case("jobcentre", Personal(CASE))
    consents = StandingConsents(log)
    mother = RegisterPerson(
        CITIZEN, True, 19740211, None, "0999", False, (), (CHILD,) if children else (), None
    )  # fmt: skip
    son = RegisterPerson(CHILD, True, 20060920, None, "0999", False, (CustodyHolder(CITIZEN, 3),), (), None)
    people = FakePeople(mother, son) if children else FakePeople(mother)
    cases = FakeCases(CASE, CITIZEN, CASEWORKER, "jobcentre", "15.20.00")
    told = {CITIZEN.disclose(): citizen, CHILD.disclose(): child}
    sources = {
        name: FakeSource(
            name,
            {cpr: [an_item(name, c, handle) for c in entry.categories] for cpr, handle in told.items()},
            entry.categories,
        )
        for name, entry in read.directory.sources.items()
    }
    ports = Ports(
        clock=FixedClock(NOON),
        handles=handles,
        people=people,
        cases=dict.fromkeys(read.directory.units, cases),
        consents=consents,
        policy=EmbeddedPolicy(load_rules(POLICIES), read.tables),
        log=log,
        sources=sources,
        directory=read.directory,
        emergencies=FakeEmergencies(log, consents.versions),
    )
    return SmallHouse(
        ports, handles, people, cases, consents, log, sources, read.directory, citizen, child, case
    )  # fmt: skip
