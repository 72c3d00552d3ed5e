"""The decisions on record, opened for a command: databases, keys and nothing else of a node."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import open_pool
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import read_key_folder
from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.adapters.revisions_sql import RevisionsSql
from broker.domain.events import DecisionsReplayed
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.main import clock_of, log_name
from broker.ports import Clock
from broker.settings import Settings

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Archive:
    """Past decisions and revisions as the broker's own role reads them, and the log that tells of the reading."""

    decisions: PastDecisionsPostgres
    revisions: RevisionsSql
    vault: HandlesVault
    log: AuditLogPostgres
    clock: Clock

    async def municipalities(self) -> frozenset[str]:
        """Name every municipality that has a log. Raises `StoreUnavailable`."""
        return frozenset(state.municipality for state in await self.decisions.logs())

    async def note(self, municipality: str, days: tuple[int, int], count: int, *, candidate: bool) -> None:
        """Write on a municipality's log that so many of its decisions were opened. Raises `LogUnavailable`."""
        at = self.clock.now()
        who = OfficerLogin(Personal(getpass.getuser()), OPERATOR, OPERATOR, frozenset({municipality}), "", at)
        actor = await self.vault.officer(who)
        await self.log.append(
            [
                DecisionsReplayed(
                    municipality=municipality,
                    subject=actor,
                    actor=actor,
                    at=at,
                    role=OPERATOR,
                    since=days[0],
                    until=days[1],
                    decisions=count,
                    candidate=candidate,
                )
            ]
        )


@asynccontextmanager
async def open_archive(settings: Settings) -> AsyncIterator[Archive]:
    """Open what a replay reads; raise `StoreUnavailable` or `KeyFileRefused`."""
    keys = read_key_folder(settings.key_folder)
    async with AsyncExitStack() as stack:
        pools = []
        for url, name in ((settings.database_url, "broker replay"), (settings.vault_url, "broker replay vault")):
            pool = await open_pool(url, name=name, timeout_seconds=settings.database_deadline_seconds, largest=2)
            stack.push_async_callback(pool.close)
            pools.append(pool)
        vault = HandlesVault(pools[1], keys.house)
        log = AuditLogPostgres(pools[0], vault, log_name(settings))
        stack.push_async_callback(log.aclose)
        yield Archive(PastDecisionsPostgres(pools[0], vault), RevisionsSql(pools[0]), vault, log, clock_of(settings))
