"""Both databases, migrated and with their roles, and the real doors over them: for tests that want the real thing."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import asyncpg

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.consents_sql import ConsentsSql
from broker.adapters.database import (
    DEADLINE_SECONDS,
    LOGINS,
    OWNER,
    Addresses,
    Pool,
    addresses_of,
    bootstrap,
    close_to_others,
    open_pool,
    upgrade,
)
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.keys_file import HouseKeys, new_house_keys
from demo.postgres import PrivatePostgres

PASSWORDS = {role: f"{role}-secret" for role in LOGINS}
BASE = "test.example/log"
SECONDS_TO_DROP = 20.0

# Databases migrated once, for each server; the next ones are copies, which takes a moment instead of a second.
_migrated: WeakKeyDictionary[PrivatePostgres, tuple[str, str]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Databases:
    """The real doors over two fresh databases, and the way in for those who tamper."""

    admin: str
    at: Addresses
    keys: HouseKeys
    pool: Pool
    vault_pool: Pool
    vault: HandlesVault
    log: AuditLogPostgres
    consents: ConsentsSql
    reader: LogReaderPostgres


@asynccontextmanager
async def fresh(postgres: PrivatePostgres) -> AsyncIterator[tuple[str, Addresses]]:
    """Make both databases for a while; give the superuser's address of the main one, and the roles' addresses."""
    if postgres not in _migrated:
        names = (f"ready_{secrets.token_hex(4)}", f"ready_vault_{secrets.token_hex(4)}")
        at = await bootstrap(postgres.dsn(), PASSWORDS, main=names[0], vault=names[1])
        await upgrade(at.owner, "main")
        await upgrade(at.vault_owner, "vault")
        _migrated[postgres] = names
    main, vault = (f"main_{secrets.token_hex(4)}", f"vault_{secrets.token_hex(4)}")
    ready_main, ready_vault = _migrated[postgres]
    admin = await asyncpg.connect(postgres.dsn())
    try:
        try:
            await _copy(admin, ready_main, main, "main")
            await _copy(admin, ready_vault, vault, "vault")
        finally:
            # Where that fails too: a connection that is left open is told of by a test that has nothing to do with it.
            await admin.close()
        yield postgres.dsn(main), addresses_of(postgres.dsn(), postgres.dsn(), PASSWORDS, main=main, vault=vault)
    finally:
        await drop(postgres, main, vault)


async def _copy(admin: asyncpg.Connection, ready: str, name: str, which: Literal["main", "vault"]) -> None:
    """Copy a migrated database, with who may connect to it: of a database's own rights a copy has none."""
    # File by file, since the server's other way writes it all to its own log as well.
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{ready}" STRATEGY FILE_COPY OWNER {OWNER}')
    await close_to_others(admin, name, which)


async def drop(postgres: PrivatePostgres, *names: str) -> None:
    """Drop databases, whoever is connected: twenty megabytes a test would fill a disk.

    What cannot be dropped, as when a test stopped the server, goes with the server at the end of the run.
    """
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        async with asyncio.timeout(SECONDS_TO_DROP):
            # A replica that a test has ended is not waited for.
            admin = await asyncpg.connect(postgres.dsn(), server_settings={"synchronous_commit": "off"})
            try:
                for name in names:
                    await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            finally:
                admin.terminate()


@asynccontextmanager
async def opened(postgres: PrivatePostgres, *, largest: int = 8) -> AsyncIterator[Databases]:
    """Open the real doors over two fresh databases."""
    async with fresh(postgres) as (admin, at), doors(admin, at, new_house_keys(), largest=largest) as made:
        yield made


@asynccontextmanager
async def doors(
    admin: str, at: Addresses, keys: HouseKeys, *, largest: int = 8, timeout_seconds: float = DEADLINE_SECONDS
) -> AsyncIterator[Databases]:
    """Open the real doors over databases that are there."""
    pool = await open_pool(at.app, name="test", largest=largest, timeout_seconds=timeout_seconds)
    vault_pool = await open_pool(at.vault, name="test", largest=largest, timeout_seconds=timeout_seconds)
    vault = HandlesVault(vault_pool, keys)
    log = AuditLogPostgres(pool, vault, BASE, timeout_seconds=max(timeout_seconds, 10.0))
    try:
        yield Databases(
            admin,
            at,
            keys,
            pool,
            vault_pool,
            vault,
            log,
            ConsentsSql(pool, log, vault),
            LogReaderPostgres(pool, vault, wait_seconds=0),
        )
    finally:
        await log.aclose()
        await asyncio.gather(pool.close(), vault_pool.close())
