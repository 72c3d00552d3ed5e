"""Revisions of rules and tables on record: each under its own hash, kept once, never changed."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from broker.adapters.revisions_sql import RevisionsSql
from broker.domain.errors import NotFound
from broker.policy_tables import revision
from demo.postgres import PrivatePostgres
from tests.databases import Databases, opened
from tests.model.engines import RULES, TABLES

NAME = revision(RULES, TABLES)


@pytest.fixture
async def databases(postgres: PrivatePostgres) -> AsyncIterator[Databases]:
    """Give fresh databases with one revision on record."""
    async with opened(postgres) as made:
        await RevisionsSql(made.pool).keep(RULES, TABLES)
        yield made


async def test_a_revision_comes_back_whole(databases: Databases) -> None:
    """Rules and tables are read back as they were, under the name that every decision of theirs carries."""
    assert await RevisionsSql(databases.pool).read(NAME) == (dict(RULES.modules), dict(TABLES))


async def test_keeping_it_again_changes_nothing(databases: Databases) -> None:
    """Every node of every start puts it on record; it was first seen when it was first seen."""
    seen = await databases.pool.fetch("SELECT revision, first_seen FROM policy.revisions")
    await RevisionsSql(databases.pool).keep(RULES, TABLES)

    assert await databases.pool.fetch("SELECT revision, first_seen FROM policy.revisions") == seen
    assert [row["revision"] for row in seen] == [NAME]


async def test_an_unknown_revision_is_not_found(databases: Databases) -> None:
    """A decision whose rules were never put on record is said to be so."""
    with pytest.raises(NotFound):
        await RevisionsSql(databases.pool).read("sha256:" + "0" * 64)


async def test_nothing_stands_under_a_name_that_is_not_its_hash(databases: Databases) -> None:
    """Other rules under the name of those that decided would make a replay lie: the database refuses them."""
    with pytest.raises(asyncpg.CheckViolationError):
        await databases.pool.execute(
            "INSERT INTO policy.revisions (revision, content) VALUES ($1, $2)", "sha256:" + "0" * 64, b"[{},{}]"
        )


@pytest.mark.parametrize(
    "change", ["UPDATE policy.revisions SET content = ''", "DELETE FROM policy.revisions", "TRUNCATE policy.revisions"]
)
async def test_nobody_changes_what_is_on_record(databases: Databases, change: str) -> None:
    """The broker's role may not, and even the owner of the database is stopped."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await databases.pool.execute(change)
    owner = await asyncpg.connect(databases.at.owner)
    with pytest.raises(asyncpg.RaiseError):
        await owner.execute(change)
    await owner.close()


async def test_a_row_changed_past_every_fence_is_not_read(databases: Databases) -> None:
    """A superuser who takes the fences down still cannot pass other rules off as those of the name."""
    superuser = await asyncpg.connect(databases.admin)
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("ALTER TABLE policy.revisions DROP CONSTRAINT named_by_its_hash")
    await superuser.execute("UPDATE policy.revisions SET content = '[{},{}]'")
    await superuser.close()

    with pytest.raises(NotFound):
        await RevisionsSql(databases.pool).read(NAME)
