"""A house in which danger to life was named: real doors behind the pages, Lene on call, the desk of after-checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from broker.adapters.after_checks_sql import AfterChecksSql
from broker.adapters.clock_system import FixedClock
from broker.adapters.disclosures_vault import DisclosuresVault
from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.adapters.relations_recorded import RelationsRecorded
from broker.domain.break_glass import BreakGlass
from broker.oversight.after_checks import AfterCheckDesk
from demo.postgres import PrivatePostgres
from tests.builders import NOON
from tests.pages_house import PagesHouse, open_pages
from tests.watch import Night, night_registry, staffed

# Lene's employer, who is named on the after-checks' desk beside the overseers' log-in.
EMPLOYER = "https://idp.korsbaek"


@dataclass
class Checking:
    """The house, a night in it, and the desk of who looks into it; `desk` has the clock that tests move."""

    house: PagesHouse
    night: Night
    desk: AfterCheckDesk

    async def called(self, *, after: timedelta = timedelta(0), **changes: Any) -> BreakGlass:
        """Let Lene name danger to life, some time after noon."""
        return await self.night.at(NOON + after).call(**changes)

    def to(self, at: datetime) -> None:
        """Move the clock of who looks into it."""
        self.desk = replace(self.desk, clock=FixedClock(at))

    async def erase(self, citizen: str) -> None:
        """Destroy a citizen's key."""
        vault = await asyncpg.connect(self.house.databases.at.vault_owner)
        await vault.execute("DELETE FROM vault.subject_key WHERE handle = $1", citizen)
        await vault.close()

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        """Read as the superuser does."""
        admin = await asyncpg.connect(self.house.databases.admin)
        try:
            return list(await admin.fetch(statement, *values))
        finally:
            await admin.close()


@asynccontextmanager
async def open_after_checking(postgres: PrivatePostgres, folder: Path) -> AsyncIterator[Checking]:
    """Open the house at noon of a Monday."""
    async with open_pages(postgres, folder, **night_registry()) as house:
        databases, ports = house.databases, house.ports
        desk = AfterCheckDesk(
            clock=FixedClock(NOON),
            handles=databases.vault,
            directory=ports.directory,
            reader=databases.reader,
            after_checks=AfterChecksSql(databases.pool, databases.log, databases.vault),
            emergencies=ports.emergencies,
            relations=RelationsRecorded(PastDecisionsPostgres(databases.pool, databases.vault)),
            disclosures=DisclosuresVault(databases.log, databases.vault),
            employers={"korsbaek": frozenset({EMPLOYER})},
            leader_days=5,
        )
        yield Checking(house, Night(None, staffed(ports)), desk)  # type: ignore[arg-type]  # only its doors are used
