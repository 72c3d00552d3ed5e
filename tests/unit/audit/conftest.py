"""A fresh database with the log's schema for each test, seen by the application and by a superuser."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from audit import postgres
from tests.unit.audit.sealed import ORIGIN, OTHER, laid


@pytest.fixture
async def dsn(new_database: Callable[[], str]) -> str:
    """Make a database with the log's schema and two open logs; give its address as superuser."""
    address = await asyncio.to_thread(new_database)
    connection = await asyncpg.connect(address)
    for statement in laid():
        await connection.execute(statement)
    await postgres.open_log(connection, ORIGIN, "0101", 2026)
    await postgres.open_log(connection, OTHER, "0147", 2026)
    await connection.close()
    return address


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    """Open connections as the application's role."""

    async def as_application(connection: postgres.Connection) -> None:
        await connection.execute(f"SET ROLE {postgres.APPLICATION_ROLE}")

    async with asyncpg.create_pool(dsn, min_size=1, max_size=8, setup=as_application) as opened:
        yield opened


@pytest.fixture
async def superuser(dsn: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Connect as the superuser: the one who can tamper."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()
