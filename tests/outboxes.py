"""An outbox over real databases with somebody to tell, and channels that a test can break."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from broker.adapters.break_glass_sql import BreakGlassSql
from broker.adapters.clock_system import FixedClock
from broker.adapters.outbox_sql import OutboxSql
from broker.domain.errors import NoticeNotSent
from broker.domain.identity import Caseworker
from broker.domain.notices import EMERGENCY, REQUEST, Notice, notice_to
from broker.domain.personal import Personal
from broker.transparency.notices import Channels, Round, send_due
from demo.postgres import PrivatePostgres
from tests.break_glass_values import WORDS, a_call, called
from tests.consent_values import HOME, NOON, UNIT, a_request, requested
from tests.databases import Databases, opened

ANNA, BO = Personal("0101900001"), Personal("0202900002")


@dataclass
class FakeChannel:
    """A channel in memory: notes what it took, and takes nothing while it is broken."""

    name: str = "digital_post"
    broken: bool = False
    took: list[Notice] = field(default_factory=list)

    async def send(self, notice: Notice) -> None:
        """Take a notice."""
        if self.broken:
            raise NoticeNotSent
        self.took.append(notice)


@dataclass
class PostOffice:
    """The outbox, two citizens, a case and a caseworker."""

    databases: Databases
    outbox: OutboxSql
    anna: str
    bo: str
    case: str
    kim: str
    node: str

    async def ask(self, *, citizen: str = "", number: Personal[str] = ANNA, at: datetime = NOON) -> Notice:
        """Put a request before a citizen, with the notice of it."""
        request = a_request(citizen or self.anna, self.case)
        notice = notice_to(request.citizen, number, HOME, REQUEST, at)
        await self.databases.consents.request(request, requested(request, self.kim), tell=[notice])
        return notice

    async def emergency(self, citizen: str, number: Personal[str], unit: str) -> Notice:
        """Let a unit ask for leave to look, for danger to life."""
        call = a_call(citizen, self.case, self.kim, unit=unit)
        told = notice_to(citizen, number, call.municipality, EMERGENCY, NOON, unit=unit)
        door = BreakGlassSql(self.databases.pool, self.databases.log, self.databases.vault)
        await door.request(call, WORDS, called(call), tell=[told])
        return told

    async def keep_back(self, citizen: str, unit: str, until: datetime) -> None:
        """Let the law keep back what a unit does about a citizen, from before noon on."""
        await self.rows(
            "INSERT INTO log.deferral (id, tenant, citizen, unit, ground, secret, asked_by, asked_at, until_at,"
            " approved_by, from_at) VALUES (gen_random_uuid(), $1, $2, $3, 'g', sha256('x'), 'a', $4, $5, 'b', $4)",
            HOME, citizen, unit, int(NOON.timestamp()) - 60, int(until.timestamp()),
        )  # fmt: skip

    async def round(self, channel: FakeChannel | None, after: timedelta = timedelta(0)) -> Round:
        """Send what is due so long after noon."""
        return await self.round_of(Channels(channel), after)

    async def round_of(self, channels: Channels, after: timedelta = timedelta(0)) -> Round:
        """Send what is due so long after noon, by these channels."""
        return await send_due(HOME, self.node, channels, self.outbox, FixedClock(NOON + after))

    async def rows(self, statement: str = "SELECT * FROM notices.waiting", *values: Any) -> list[Any]:
        """Look as one who may do anything."""
        connection = await asyncpg.connect(self.databases.admin)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def sent_entries(self) -> list[tuple[str, str]]:
        """List the entries that say a notice was sent: about whom, by whom."""
        found = await self.rows("SELECT fields FROM log.index WHERE kind = 'notice.sent' ORDER BY idx")
        return [(row["citizen"], row["actor"]) for row in (orjson.loads(row["fields"]) for row in found)]


@asynccontextmanager
async def open_post_office(postgres: PrivatePostgres) -> AsyncIterator[PostOffice]:
    """Open it over fresh databases."""
    async with opened(postgres) as made:
        anna, bo = await made.vault.citizens([ANNA, BO])
        kim = Caseworker(Personal("kim"), "https://employer", HOME, UNIT, (), "Substantial", NOON)
        yield PostOffice(
            made,
            OutboxSql(made.pool, made.log, made.vault),
            anna,
            bo,
            await made.vault.case(UNIT, Personal("17")),
            await made.vault.actor(kim),
            await made.vault.node("one"),
        )
