"""A house in which samples are drawn: accesses on a real log, a checkpointer, and the desks of draw and work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from broker.adapters.accesses_sql import AccessesSql
from broker.adapters.clock_system import FixedClock
from broker.adapters.disclosures_vault import DisclosuresVault
from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.adapters.relations_recorded import RelationsRecorded
from broker.adapters.samples_sql import SamplesSql
from broker.domain.days import DANISH_TIME
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.samples import Round, Sample
from broker.oversight import reviews, samples
from broker.oversight.signs import load_rules
from demo.postgres import PrivatePostgres
from tests.databases import BASE
from tests.log_events import an_outcome
from tests.pages_house import LOG_KEY, PagesHouse, open_pages
from tests.signing import own_checkpointer, sign_and_publish

MONTH = "2019-03"
# Caseworkers are named by their employer, overseers by the log-in provider: one person has two issuers.
EMPLOYER = "https://employer.example"
APRIL = datetime(2019, 4, 1, 8, tzinfo=DANISH_TIME)
UNITS = ("jobcentre", "social-centre")


@dataclass
class Sampling:
    """The house with its doors for drawing; `clock` is theirs."""

    house: PagesHouse
    clock: FixedClock
    desk: samples.Desk
    work: reviews.Desk
    actor: str

    async def accesses(
        self, count: int, unit: str = "jobcentre", each: Sequence[Mapping[str, Any]] = (), **changes: Any
    ) -> None:
        """Put accesses of a unit on Korsbæk's log, one an hour from the first of March on; `each` changes one alone."""
        databases = self.house.databases
        citizens = await databases.vault.citizens([Personal(f"{number:010d}") for number in range(count)])
        lene = await databases.vault.officer(replace(an_officer("lene", "employee"), issuer=EMPLOYER))
        made = [
            replace(an_outcome(citizen, lene), unit=unit, ask=f"{unit}-{number}", case=f"{unit}{number}",
                    at=datetime(2019, 3, 1 + number // 6, 9 + number % 6, tzinfo=DANISH_TIME), **changes)
            for number, citizen in enumerate(citizens)
        ]  # fmt: skip
        events = [replace(one, **given) for one, given in zip(made, each, strict=True)] if each else made
        await databases.log.append(events)

    async def sign(self) -> None:
        """Sign the head of March's log."""
        at = self.house.databases.at.checkpointer
        async with asyncpg.create_pool(at, min_size=1, max_size=2) as pool:
            await sign_and_publish(own_checkpointer(pool, LOG_KEY), f"{BASE}/korsbaek/2019")

    async def seeded(self, **more: Any) -> Round:
        """Commit March, in March."""
        return await samples.seed("korsbaek", MONTH, self.actor, self.desk, **more)

    async def drawn(self) -> tuple[Round, tuple[Sample, ...]]:
        """Commit March, sign, and draw it in April."""
        await self.seeded(per_unit=2)
        await self.accesses(12)
        await self.accesses(7, "social-centre")
        await self.sign()
        self.to(APRIL)
        wanted = await samples.round_of("korsbaek", MONTH, self.desk)
        assert wanted is not None
        return wanted, await samples.draw_round(wanted, self.actor, self.desk)

    def to(self, at: datetime) -> None:
        """Move the clock of the drawing and of the work."""
        clock = FixedClock(at)
        self.desk, self.work = replace(self.desk, clock=clock), replace(self.work, clock=clock)

    def later(self, **by: int) -> None:
        """Move it on."""
        self.to(self.desk.clock.now() + timedelta(**by))


def an_officer(name: str, role: str, municipality: str = "korsbaek", *units: str) -> OfficerLogin:
    """Log somebody in."""
    at = datetime(2019, 3, 4, 12, tzinfo=DANISH_TIME)
    led = frozenset((municipality, unit) for unit in units)
    return OfficerLogin(Personal(name), "i", role, frozenset({municipality}), "High", at, units=led)


@asynccontextmanager
async def open_sampling(postgres: PrivatePostgres, folder: Path) -> AsyncIterator[Sampling]:
    """Open the house on the fourth of March."""
    async with open_pages(postgres, folder) as house:
        databases, clock = house.databases, FixedClock(datetime(2019, 3, 4, 12, tzinfo=DANISH_TIME))
        door = SamplesSql(databases.pool, databases.log, databases.vault)
        desk = samples.Desk(
            clock=clock,
            accesses=AccessesSql(databases.pool, (str(LOG_KEY.verify_key),)),
            relations=RelationsRecorded(PastDecisionsPostgres(databases.pool, databases.vault)),
            samples=door,
            reader=databases.reader,
            rules=load_rules(house.ports.directory),
        )
        work = reviews.Desk(
            clock, databases.vault, house.ports.directory, databases.reader, door, {"korsbaek": frozenset({EMPLOYER})},
            DisclosuresVault(databases.log, databases.vault),
        )  # fmt: skip
        actor = await databases.vault.officer(an_officer("node", "node"))
        yield Sampling(house, clock, desk, work, actor)
