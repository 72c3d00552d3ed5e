"""The fences of the log in the database: as they were laid, on a house's own database too, and each that is not."""

from typing import Any

import asyncpg
import pytest

from audit import fences
from demo.postgres import PrivatePostgres
from tests.databases import fresh


async def test_a_log_just_laid_stands_within_its_fences(superuser: "asyncpg.Connection[Any]") -> None:
    """The schema and its parts, as they are laid, have no fault; a part that was never laid is not missed."""
    assert await fences.faults(superuser) == []
    await superuser.execute("DROP FUNCTION log.delete")
    assert await fences.faults(superuser) == []


async def test_a_migrated_house_stands_within_its_fences(postgres: PrivatePostgres) -> None:
    """All that migrations lay in schema `log` stands in the log's own files: a reader of the house finds no fault."""
    async with fresh(postgres) as (admin, at):
        for address in (admin, at.reader):
            connection = await asyncpg.connect(address)
            assert await fences.faults(connection) == []
            await connection.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP FUNCTION log.open", "log.open: the function is gone"),
        ("ALTER FUNCTION log.open SECURITY INVOKER", "log.open: is not the function that was laid"),
        ("ALTER FUNCTION log.open RESET search_path", "log.open: does not run as the log's owner"),
        ("ALTER ROLE borgerbro_log_owner LOGIN", "log.*: its owner may log in"),
        ("GRANT TRUNCATE ON log.entry TO borgerbro_checkpointer", "log.entry: borgerbro_checkpointer may TRUNCATE"),
        (
            "GRANT EXECUTE ON FUNCTION log.append TO borgerbro_checkpointer",
            "log.append: borgerbro_checkpointer may call it",
        ),
        ("GRANT EXECUTE ON FUNCTION log.commit_map TO PUBLIC", "log.commit_map: everybody may call it"),
        ("UPDATE pg_proc SET proacl = NULL WHERE proname = 'map_root'", "log.map_root: everybody may call it"),
        ("GRANT borgerbro_log_owner TO borgerbro_app", "log.*: borgerbro_app may act as its owner"),
        ("CREATE VIEW log.seen AS SELECT 1", "log.seen: has a rule"),
    ],
)
async def test_a_fence_that_is_down_is_named(superuser: "asyncpg.Connection[Any]", statement: str, said: str) -> None:
    """Each is one fault, in words that name what it is about."""
    transaction = superuser.transaction()
    await transaction.start()
    await superuser.execute(statement)
    found = [str(fault) for fault in await fences.faults(superuser)]
    await transaction.rollback()
    assert any(line.startswith(said) for line in found), found
