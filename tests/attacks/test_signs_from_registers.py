"""What registers answered at a real look speaks when samples are ranked, by name, through the broker's own doors."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.clock_system import FixedClock
from broker.domain.days import DANISH_TIME
from broker.domain.errors import Refused
from broker.domain.facts import CaseRecord, Employment, RegisterPerson
from broker.domain.habits import Past
from broker.domain.identity import Caller, System
from broker.domain.personal import Personal
from broker.domain.ranking import day_ranking
from broker.domain.relations import Relation
from broker.exchange import exchange
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CITIZEN, PURPOSE, a_caller, an_ask
from tests.consent_values import a_grant, a_line, granted
from tests.fakes.registers import FakeCases, FakePeople
from tests.sampling import Sampling, open_sampling

FAR, NEIGHBOUR = "far-social-centre", Personal("6301010007")
DAY = datetime(2019, 3, 5, tzinfo=DANISH_TIME)
# What registers and the clock make known of one look; what habit makes known is another test's.
LOOKED_AT = frozenset(
    {"no_case", "no_case_refused", "case_ended", "family", "kin_refused", "vip", "vip_refused", "foreign",
     "delegation_refused", "outside_hours", "emergency"}
)  # fmt: skip


class CasesOf(FakeCases):
    """A unit's cases, in which each caseworker stands to the one case as `told` says of them."""

    def __init__(self, unit: str, told: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(CASE, CITIZEN, Personal("nobody"), unit, "15.20.00")
        self._told = told

    async def case(
        self, case: Personal[str], citizen: Personal[str], caseworker: Personal[str]
    ) -> tuple[CaseRecord, Employment]:
        """Tell of the case as this caseworker stands to it."""
        self.known = (self.known[0], citizen, caseworker)
        record, employment = await super().case(case, citizen, caseworker)
        return replace(record, **self._told.get(caseworker.disclose(), {})), employment


# Who looks: how the register says that they stand to the case, what is said of them besides; what the door then tells
# of the two, and the signs that speak.
TEAM = {"caseworker_on_case": True, "caseworker_named": False}
NOT_ON_IT = {"caseworker_on_case": False, "caseworker_named": False}
NO_CASE = {"no_case", "no_case_refused"}
NAMED, NOT_NAMED = Relation(named_from=1, team=False), Relation(named_from=0, team=False)
ROWS: Mapping[str, tuple[dict[str, Any], dict[str, Any], Relation, set[str]]] = {
    "named": ({}, {}, NAMED, set()),
    "kin": ({}, {"cpr": CITIZEN}, replace(NAMED, family=True), {"kin_refused", "family"}),
    "team": (TEAM, {}, replace(NOT_NAMED, team=True), set()),
    "vip-team": (TEAM | {"vip": True}, {}, replace(NOT_NAMED, team=True, vip=True), {"vip", "vip_refused"}),
    # Refused for want of the highest level; that the case is theirs explains the other sign.
    "vip-named": ({"vip": True}, {}, replace(NAMED, vip=True), {"vip_refused"}),
    "stranger": (NOT_ON_IT, {}, NOT_NAMED, NO_CASE),
    "closed": ({"open": False}, {}, NOT_NAMED, NO_CASE),
    "nowhere": (NOT_ON_IT | {"exists": False, "open": False, "concerns_citizen": False}, {}, NOT_NAMED, NO_CASE),
}


@dataclass
class Looking:
    """The house, and asks in it at moments of one day."""

    house: Sampling
    cases: CasesOf

    async def look(self, caller: Caller, at: datetime, citizen: Personal[str] = CITIZEN) -> None:
        """Ask, whatever comes of it."""
        ports = self.house.house.ports
        everywhere = dict.fromkeys(ports.cases, self.cases) | {FAR: CasesOf(FAR, {})}
        asked = replace(ports, clock=FixedClock(at), cases=everywhere)
        with suppress(Refused):
            await exchange(an_ask(citizen=citizen), caller, asked)

    async def found(self) -> dict[str, tuple[Relation, set[str]]]:
        """Rank the day as a month's draw does, by its own doors: what was told, and the signs, of each who looked.

        Of the looks at whom was asked for: a child whom the same ask concerns has an access of their own.
        """
        since, desk = int(DAY.timestamp()), self.house.desk
        asked = await self.house.house.databases.vault.citizens([CITIZEN, NEIGHBOUR])
        day = await desk.accesses.between("korsbaek", since, since + 86_400)
        relations = await desk.relations.of("korsbaek", since, since + 86_400)
        spoke = {
            one.access.entry: set(one.spoke) & LOOKED_AT for one in day_ranking(day, Past(), desk.rules, relations)
        }
        return {
            one.actor: (relations.between(one.actor, one.citizen, one.at, since), spoke.get(one.entry, set()))
            for one in day
            if one.citizen in asked
        }


@pytest.fixture
async def looking(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Looking]:
    """Give a house whose registers say of each caseworker what the rows say."""
    async with open_sampling(postgres, tmp_path) as house:
        people = house.house.ports.people
        assert isinstance(people, FakePeople)
        people.persons[NEIGHBOUR] = RegisterPerson(NEIGHBOUR, True, 19630101, None, "0998", False, (), (), None)
        yield Looking(house, CasesOf("jobcentre", {name: row[0] for name, row in ROWS.items()}))


async def test_what_registers_said_at_the_look_is_what_speaks(looking: Looking) -> None:
    """Of each real ask: own family, a protected case, a team's, no case: what the door tells, and the signs by name."""
    handles = dict[str, str]()
    for number, (name, (_, changes, _, _)) in enumerate(ROWS.items()):
        caller = a_caller(id=Personal(name), **changes)
        handles[name] = await looking.house.house.databases.vault.actor(caller.caseworker)
        await looking.look(caller, DAY.replace(hour=9 + number))
    found = await looking.found()
    told = {name: found[handle] for name, handle in handles.items()}
    assert told == {name: (relation, signs) for name, (_, _, relation, signs) in ROWS.items()}


async def test_a_register_that_was_silent_says_nothing(looking: Looking) -> None:
    """A look that a register did not answer is no look without a case: no sign of it speaks."""
    people = looking.house.house.ports.people
    assert isinstance(people, FakePeople)
    people.silent = True
    await looking.look(a_caller(id=Personal("stranger")), DAY.replace(hour=9))
    ((relation, signs),) = (await looking.found()).values()
    assert (relation, signs) == (Relation(), set())


async def test_another_municipalitys_unit_by_night(looking: Looking) -> None:
    """A unit of elsewhere that got something at two in the night: both signs; of its case nothing was told here."""
    databases = looking.house.house.databases
    (citizen,) = await databases.vault.citizens([NEIGHBOUR])
    case = await databases.vault.case(FAR, Personal(CASE))
    grant = a_grant(citizen, case, a_line(citizen), municipality="norrestrand", unit=FAR, purpose=PURPOSE)
    await databases.consents.grant(grant, granted(grant))
    far = a_caller(unit=FAR, municipality="norrestrand", issuer="https://idp.norrestrand").caseworker
    await looking.look(Caller(System("far", "norrestrand", frozenset({FAR})), far), DAY.replace(hour=2), NEIGHBOUR)
    ((relation, signs),) = (await looking.found()).values()
    assert (relation, signs) == (Relation(), {"foreign", "outside_hours"})
