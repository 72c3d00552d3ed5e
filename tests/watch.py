"""A night on call: a social centre that asks, a health centre that holds emergency profiles, Lene and Grethe.

Lene is on call; Grethe is a health person of the unit that holds the data.
"""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from broker.adapters.clock_system import FixedClock
from broker.break_glass.decide import decide_break_glass
from broker.break_glass.request import Wanted, request_break_glass
from broker.domain.answers import Answer
from broker.domain.asks import Ask
from broker.domain.break_glass import BreakGlass
from broker.domain.identity import Caller, Caseworker, Role, System
from broker.domain.personal import Personal
from broker.exchange import exchange
from broker.ports import Ports
from tests.builders import CITIZEN, NOON, REGISTRY, SmallHouse, a_house

CALLOUT = "V-2019-311"
WORDS = Personal("CANARY she has taken pills and does not answer, 710274-0022")
PURPOSE = "fare_for_liv"
LENE, GRETHE, STRANGER = Personal("lene"), Personal("grethe"), Personal("hans")
# On call too, in Lene's own unit.
COLLEAGUE = Personal("niels")
HEALTH, SOCIAL_UNIT, HEALTH_UNIT, FAR_HEALTH_UNIT = "health", "social-centre", "health-centre", "far-health-centre"
PROFILE = {"E01": {}, "H06": {}, "P02": {}, "P03": {}, "H01": {}}


def on_call(unit: str = SOCIAL_UNIT, **changes: Any) -> Caller:
    """Lene of the social centre, on call."""
    return _caller(LENE, unit, "korsbaek", Role("vagt_akut", ("29.*",), 3, attested_on=20190101), **changes)


def a_health_person(unit: str = HEALTH_UNIT, home: str = "korsbaek", **changes: Any) -> Caller:
    """Grethe of the health centre."""
    return _caller(GRETHE, unit, home, Role("sundhedsperson", ("29.*",), 3, attested_on=20190101), **changes)


def _caller(who: Personal[str], unit: str, home: str, role: Role, **changes: Any) -> Caller:
    person = Caseworker(who, f"https://idp.{home}", home, unit, (role,), "Substantial", NOON)
    return Caller(System(f"{unit}-system", home, frozenset({unit})), replace(person, **changes))


@dataclass
class Night:
    """The house at night, and the clock that the tests move."""

    house: SmallHouse
    ports: Ports

    def at(self, moment: datetime) -> Night:
        """The same house at another moment."""
        return Night(self.house, replace(self.ports, clock=FixedClock(moment)))

    def after(self, **time: float) -> Night:
        """The same house some time after noon."""
        return self.at(NOON + timedelta(**time))

    async def call(self, caller: Caller | None = None, **changes: Any) -> BreakGlass:
        """Let Lene ask for a yes."""
        wanted = replace(Wanted(CITIZEN, Personal(CALLOUT), "LIFE", WORDS), **changes)
        made, _ = await request_break_glass(str(uuid.uuid4()), wanted, caller or on_call(), self.ports)
        return made

    async def say(
        self, said: str, request: BreakGlass | str, caller: Caller | None = None, citizen: Personal[str] = CITIZEN
    ) -> BreakGlass:
        """Let Grethe answer."""
        named = request if isinstance(request, str) else request.id
        decided, _ = await decide_break_glass(named, said, citizen, caller or a_health_person(), self.ports)
        return decided

    async def ask(self, request: BreakGlass | str | None, caller: Caller | None = None, **changes: Any) -> Answer:
        """Let Lene ask for the emergency profile."""
        named = request.id if isinstance(request, BreakGlass) else request
        plain = Ask(str(uuid.uuid4()), CITIZEN, PURPOSE, Personal(CALLOUT), emergency=named)
        return await exchange(replace(plain, **changes), caller or on_call(), self.ports)


class Staff:
    """The units' own systems: no case is anybody's, and everybody named works in the unit named."""

    name = "staff"

    def __init__(self, inner: Any, people: dict[Personal[str], str]) -> None:
        self.inner = inner
        self.people = people

    async def case(self, case: Personal[str], citizen: Personal[str], caseworker: Personal[str]) -> Any:
        """Tell of no case, and of where the caseworker works."""
        record, employment = await self.inner.case(case, citizen, caseworker)
        unit = self.people.get(caseworker)
        return record, replace(employment, employed=unit is not None, unit=unit)


def night_registry() -> dict[str, Any]:
    """Let the health centre hold the emergency profile, and another health centre stand next door."""
    units, sources = copy.deepcopy(REGISTRY["units"]), copy.deepcopy(REGISTRY["sources"])
    units[FAR_HEALTH_UNIT] = {**units[HEALTH_UNIT], "municipality": "norrestrand"}
    sources[HEALTH]["reads"] = PROFILE
    sources["far-health"] = {**sources[HEALTH], "unit": FAR_HEALTH_UNIT}
    return {"units": units, "sources": sources}


def staffed(ports: Ports) -> Ports:
    """Let Lene, Grethe and Hans work where they say."""
    staff = {LENE: SOCIAL_UNIT, COLLEAGUE: SOCIAL_UNIT, GRETHE: HEALTH_UNIT, STRANGER: FAR_HEALTH_UNIT}
    return replace(ports, cases={unit: Staff(cases, staff) for unit, cases in ports.cases.items()})


async def a_night(folder: Path, **registry: Any) -> Night:
    """Open the house at night."""
    house = await a_house(folder, **{**night_registry(), **registry})
    return Night(house, staffed(house.ports))
