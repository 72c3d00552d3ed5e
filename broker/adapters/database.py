"""PostgreSQL: making the databases, migrating them, and transactions that see one tenant's rows only.

Rules kept here:
- Every transaction of the broker names whose rows it may touch (`Scope`); without a scope row-level security shows
  nothing. The names are set for that transaction alone, so a pooled connection carries none to the next.
- What PostgreSQL says never leaves: it becomes `StoreUnavailable`, because messages may hold values.
- A database that hangs holds nobody up for ever: waiting for a connection, connecting and a statement have deadlines.
- Neither does a node that hangs: the server ends a transaction that rests, and lets go of its locks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from broker.adapters.pool import Pool as OpenPool
from broker.domain.errors import StoreUnavailable

Pool: TypeAlias = OpenPool
Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"

ROLES_FILE = Path(__file__).parents[2] / "deploy" / "database" / "roles.sql"
MIGRATIONS = Path(__file__).parent / "migrations"
BOOTSTRAP_LOCK = 6_210_771
DEADLINE_SECONDS = 6.0
# The third is what the library says of a connection that broke between two of its own steps.
UNREACHABLE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

OWNER, APP, VAULT_APP = "borgerbro_owner", "borgerbro_app", "borgerbro_vault_app"
CHECKPOINTER, READER, ERASER = "borgerbro_checkpointer", "borgerbro_reader", "borgerbro_eraser"
LOGINS = (OWNER, APP, VAULT_APP, CHECKPOINTER, READER, ERASER)
# Who may connect to each of the two databases, besides its owner.
GUESTS = {"main": (APP, CHECKPOINTER, READER, ERASER), "vault": (VAULT_APP, ERASER)}


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a transaction may touch: write and read a municipality's, read several's, act as one citizen.

    `subjects` are the handles whose blocks and state versions an ask may read, whatever municipality they lie in.
    `now`, in seconds, shows a citizen what the law kept back from them and does no more; without it, it stays back.
    """

    municipality: str = ""
    municipalities: tuple[str, ...] = ()
    citizen: str = ""
    subjects: tuple[str, ...] = ()
    now: int | None = None

    def __post_init__(self) -> None:
        if any("," in name for name in (*self.municipalities, *self.subjects)):
            raise ValueError("a municipality's id and a handle hold no comma")


def listed(within: Collection[str] | None) -> list[str] | None:
    """Write municipalities for a statement, None for every one."""
    return None if within is None else sorted(within)


@dataclass(frozen=True, slots=True, repr=False)
class Addresses:
    """Where the two databases are, one address a role."""

    owner: str
    vault_owner: str
    app: str
    vault: str
    checkpointer: str
    reader: str
    eraser: str
    vault_eraser: str


async def bootstrap(
    admin_dsn: str,
    passwords: Mapping[str, str],
    *,
    main: str = "borgerbro",
    vault: str = "borgerbro_vault",
    vault_admin_dsn: str | None = None,
) -> Addresses:
    """Make roles and both databases where they are missing, as a superuser, and give their addresses.

    `passwords` has one for each of `LOGINS`; with `vault_admin_dsn` the vault is made on that server. Raises
    asyncpg.PostgresError; running it again changes nothing but the passwords.
    """
    vault_dsn = vault_admin_dsn or admin_dsn
    await _prepare_server(admin_dsn, passwords, main, "main")
    await _prepare_server(vault_dsn, passwords, vault, "vault")
    return addresses_of(admin_dsn, vault_dsn, passwords, main=main, vault=vault)


def addresses_of(admin_dsn: str, vault_dsn: str, passwords: Mapping[str, str], *, main: str, vault: str) -> Addresses:
    """Write the address of each role from those of the superusers."""
    return Addresses(
        owner=_as(admin_dsn, OWNER, passwords, main),
        vault_owner=_as(vault_dsn, OWNER, passwords, vault),
        app=_as(admin_dsn, APP, passwords, main),
        vault=_as(vault_dsn, VAULT_APP, passwords, vault),
        checkpointer=_as(admin_dsn, CHECKPOINTER, passwords, main),
        reader=_as(admin_dsn, READER, passwords, main),
        eraser=_as(admin_dsn, ERASER, passwords, main),
        vault_eraser=_as(vault_dsn, ERASER, passwords, vault),
    )


async def _prepare_server(
    admin_dsn: str, passwords: Mapping[str, str], name: str, which: Literal["main", "vault"]
) -> None:
    """Make the roles of one server and one of the two databases."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", BOOTSTRAP_LOCK)
        for statement in ROLES_FILE.read_text(encoding="utf-8").split("\n-- next\n"):
            await connection.execute(statement)
        for role in LOGINS:
            quoted = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)"
            await connection.execute(await connection.fetchval(quoted, role, passwords[role]))
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}" OWNER {OWNER}')
        await close_to_others(connection, name, which)
    finally:
        await connection.close()


async def close_to_others(connection: Connection, name: str, which: Literal["main", "vault"]) -> None:
    """Let a database's own guests connect to it and nobody else, as a superuser; the roles are there."""
    await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO {", ".join(GUESTS[which])}')
    if which == "main":  # The one with the log.
        await connection.execute(f'GRANT CREATE ON DATABASE "{name}" TO borgerbro_log_owner')


def _as(dsn: str, role: str, passwords: Mapping[str, str], database: str) -> str:
    """Write the same server's address for another role and database."""
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    user = f"{role}:{quote(passwords[role], safe='')}@{place}"
    return urlunsplit(("postgresql", user, f"/{quote(database)}", parts.query, ""))


async def upgrade(owner_dsn: str, which: Literal["main", "vault"], revision: str = "head") -> None:
    """Bring one database to its newest tables, as its owner; does nothing when it has them."""
    # Alembic takes most of a second to import, and a node that serves never migrates.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / which))
    config.set_main_option("path_separator", "os")
    config.attributes["dsn"] = owner_dsn
    # A thread of its own, because Alembic's environment runs an event loop of its own.
    await asyncio.to_thread(command.upgrade, config, revision)


async def open_pool(
    dsn: str, *, name: str, smallest: int = 1, largest: int = 16, timeout_seconds: float = DEADLINE_SECONDS
) -> Pool:
    """Open connections to one database; raise `StoreUnavailable` when it does not answer.

    `name` is what the database's own views show. Nothing is reset when a connection comes back, because nothing here
    outlives its transaction. `timeout_seconds` is what connecting, waiting for a connection and a statement get each;
    the server itself ends a statement by then, and in half of it a transaction in which nothing happens.
    """
    milliseconds = int(timeout_seconds * 1000)
    connect = partial(
        asyncpg.connect,
        dsn,
        timeout=timeout_seconds,
        command_timeout=timeout_seconds,
        server_settings={
            "application_name": name,
            "synchronous_commit": "on",
            "statement_timeout": str(milliseconds),
            # Whoever waits for a lock that a node which stopped still holds gets it before their own deadline.
            "idle_in_transaction_session_timeout": str(max(milliseconds // 2, 1)),
        },
    )
    pool = OpenPool(connect, largest=largest, wait_seconds=timeout_seconds)
    async with reaching_the_store(), AsyncExitStack() as first:
        for _ in range(smallest):
            await first.enter_async_context(pool.acquire())
    return pool


async def commit_once(pool: Pool) -> None:
    """Commit a transaction that changes nothing, and wait until it is as durable as any; raise `StoreUnavailable`.

    It ends well only where commits do: reading alone would also be answered where they wait for a lost replica.
    """
    async with reaching_the_store():
        await pool.execute("SELECT pg_logical_emit_message(true, 'borgerbro', '')")


class _ReachingTheStore:
    """Keeps nothing, so that one serves all."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, UNREACHABLE):
            raise StoreUnavailable from None


_REACHING = _ReachingTheStore()


def reaching_the_store() -> AbstractAsyncContextManager[None]:
    """Turn whatever PostgreSQL or the network says into `StoreUnavailable`."""
    return _REACHING


@asynccontextmanager
async def scoped(pool: Pool, scope: Scope, *, snapshot: bool = False) -> AsyncIterator[Connection]:
    """Open a transaction that sees the scope's rows alone; with `snapshot`, one moment for all its reads.

    Raises `StoreUnavailable`. After a failed commit it is not known whether the change was kept.
    """
    async with reaching_the_store(), pool.acquire() as connection:
        kind: Any = {"isolation": "repeatable_read", "readonly": True} if snapshot else {}
        async with connection.transaction(**kind):
            await enter(connection, scope)
            yield connection


async def enter(connection: Connection, scope: Scope) -> None:
    """Set whose rows the running transaction may touch."""
    await connection.execute(
        "SELECT set_config('borgerbro.municipality', $1, true), set_config('borgerbro.municipalities', $2, true),"
        " set_config('borgerbro.citizen', $3, true), set_config('borgerbro.subjects', $4, true),"
        " set_config('borgerbro.now', $5, true)",
        scope.municipality,
        ",".join(scope.municipalities),
        scope.citizen,
        ",".join(scope.subjects),
        "" if scope.now is None else str(scope.now),
    )
