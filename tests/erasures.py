"""A house with real databases, a log of long ago and doors to erase it, years later; for tests of erasure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from audit.note import SigningKey
from audit.verify import Report
from audit.verify_postgres import verify_logs
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.clock_system import FixedClock
from broker.adapters.database import DEADLINE_SECONDS, open_pool
from broker.adapters.eraser_sql import EraserSql
from broker.adapters.erasures_sql import ErasuresSql
from broker.domain.erasure import Erasure
from broker.domain.events import AuditEvent
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.retention import Retention
from broker.oversight.erasure import OPERATOR, Desk, Named, approve, request
from broker.oversight.retention import Kept, keep_retention
from demo.postgres import PrivatePostgres
from tests.builders import REGISTRY, a_registry
from tests.databases import BASE, Databases, opened
from tests.fakes.registers import FakeCases
from tests.log_events import an_ask, an_outcome

HOME, NEXT = "korsbaek", "norrestrand"
LATER = datetime(2026, 6, 1, 10, tzinfo=UTC)
ANNA, BO = Personal("0702740022"), Personal("0801740033")
LOG = f"{BASE}/{HOME}/2019"
KEY, LOG_KEY = SigningKey.generate(f"{BASE}/deletions"), SigningKey.generate(BASE)
KIM = OfficerLogin(Personal("kim"), OPERATOR, OPERATOR, frozenset({HOME, NEXT}), "", LATER)
DPO = OfficerLogin(Personal("dpo-1"), "https://login.example", "dpo", frozenset({HOME}), "Substantial", LATER)


@dataclass
class Years:
    """The house years later: doors, two citizens with lines of 2019, and those who may erase."""

    databases: Databases
    desk: Desk
    eraser: EraserSql
    reader: LogReaderPostgres
    cases: FakeCases
    anna: str
    bo: str
    kim: str

    async def ask_about(self, *citizens: str, at: datetime | None = None, home: str = HOME) -> tuple[Receipt, ...]:
        """Put an ask and its outcome about each on a municipality's log."""
        changes: dict[str, Any] = {"municipality": home, "case": ""} | ({"at": at} if at else {})
        events: list[AuditEvent] = []
        for citizen in citizens:
            events += [an_ask(citizen, self.kim, **changes), an_outcome(citizen, self.kim, **changes)]
        return await self.databases.log.append(events)

    async def erase(self, citizen: Personal[str] = ANNA, home: str = HOME) -> Erasure:
        """Ask, approve and carry out."""
        officer = replace(DPO, municipalities=frozenset({home}))
        made = await request(Named(citizen), home, "art17_1_a", KIM, self.desk)
        await approve(made.id, citizen, home, officer, self.desk)
        await self.carry_out(made, home)
        return made

    async def carry_out(self, made: Erasure, home: str = HOME) -> tuple[Receipt, ...]:
        """Carry out what was approved."""
        kept = self.desk.directory.municipalities[home].retention
        return await self.eraser.carry_out(made.id, home, kept, self.kim, self.desk.clock.now())

    async def keep(self, *homes: str, dry_run: bool = False) -> dict[str, Kept]:
        """Run the nightly job."""
        return await keep_retention(homes or (HOME,), KIM, self.desk, self.eraser, dry_run=dry_run)

    def on(self, moment: datetime) -> Years:
        """Give the same house at another moment."""
        return replace(self, desk=replace(self.desk, clock=FixedClock(moment)))

    def keeping(self, retention: Retention | None) -> Years:
        """Give the same house where the municipality has decided something else."""
        directory = self.desk.directory
        homes = {**directory.municipalities, HOME: replace(directory.municipalities[HOME], retention=retention)}
        return replace(self, desk=replace(self.desk, directory=replace(directory, municipalities=homes)))

    async def superuser(self, statement: str, *values: Any, vault: bool = False) -> list[Any]:
        """Do what no role of ours may."""
        dsn = self.databases.admin
        if vault:
            dsn = dsn.rpartition("/")[0] + "/" + self.databases.at.vault.rpartition("/")[2]
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute("SET session_replication_role = replica")
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def verified(self) -> list[Report]:
        """Check every log as `python -m audit verify` does."""
        connection = await asyncpg.connect(self.databases.at.reader)
        try:
            return await verify_logs(connection, deletion_keys=[KEY.verify_key])
        finally:
            await connection.close()

    async def faults(self) -> list[str]:
        """List everything that is wrong with any log."""
        return [f"{report.origin}: {fault}" for report in await self.verified() for fault in report.faults]


@asynccontextmanager
async def open_years(postgres: PrivatePostgres, folder: Path, *, retention: Any = None) -> AsyncIterator[Years]:
    """Open the house, with what each municipality's entry in the registry says of retention."""
    async with opened(postgres) as made, years_over(made, folder, retention=retention) as years:
        yield years


@asynccontextmanager
async def years_over(
    made: Databases, folder: Path, *, retention: Any = None, timeout_seconds: float = DEADLINE_SECONDS
) -> AsyncIterator[Years]:
    """The same over databases whose doors are open."""
    said = {"archive": []} if retention is None else retention
    homes = {name: row | {"retention": said} for name, row in REGISTRY["municipalities"].items()}
    directory = a_registry(folder, municipalities=homes).directory
    pool = await open_pool(made.at.eraser, name="eraser", largest=2, timeout_seconds=timeout_seconds)
    vault_pool = await open_pool(made.at.vault_eraser, name="eraser", largest=2, timeout_seconds=timeout_seconds)
    eraser = EraserSql(pool, vault_pool, made.log, made.vault, KEY.secret_text())
    cases = FakeCases("JC-1", ANNA, KIM.id, "jobcentre", "15.20.00")
    desk = Desk(
        FixedClock(LATER), made.vault, {"jobcentre": cases}, made.log, directory, ErasuresSql(made.pool, made.log)
    )
    reader = LogReaderPostgres(made.pool, made.vault, (), [str(KEY.verify_key)])
    anna, bo = await made.vault.citizens([ANNA, BO])
    kim = await made.vault.officer(KIM)
    try:
        yield Years(made, desk, eraser, reader, cases, anna, bo, kim)
    finally:
        await pool.close()
        await vault_pool.close()


def kinds_of(rows: Sequence[Any]) -> list[str]:
    """List the kinds of entries as read."""
    return [entry.kind for entry in rows]
