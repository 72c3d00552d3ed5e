"""A department's database can neither be written to by us, nor hold us up, nor flood us (P4, P12, decision 12)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from broker.domain.errors import SourceFailed
from broker.domain.personal import Personal
from connectors import Limits, build
from tests.fakes.cable import Cable, through

CPR = "7102740022"
NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)
SCHEMA = f"""
CREATE TABLE seen (cpr text, id text);
INSERT INTO seen VALUES ('{CPR}', '1');
CREATE FUNCTION leave_a_trace() RETURNS text VOLATILE LANGUAGE sql AS
  $$ INSERT INTO seen VALUES ('x', 'x') RETURNING id $$;
CREATE VIEW plain AS SELECT cpr, id FROM seen;
CREATE VIEW writing AS SELECT cpr, leave_a_trace() AS id FROM seen;
CREATE VIEW sleeping AS SELECT cpr, pg_sleep(30)::text AS id FROM seen;
CREATE VIEW flooding AS SELECT cpr, repeat('x', 50000000) AS id FROM seen;
CREATE VIEW many AS SELECT '{CPR}' AS cpr, n::text AS id FROM generate_series(1, 10000000) AS n;
CREATE VIEW speaking AS SELECT cpr, (1 / (length(cpr) - 10))::text AS id FROM seen;
CREATE VIEW unsetting AS
  SELECT cpr, set_config('default_transaction_read_only', 'off', false) AS id FROM seen;
"""


@pytest.fixture
async def dsn(new_database: Callable[[], str]) -> str:
    """A database with views that a hostile or careless owner might write."""
    address = new_database()
    connection = await asyncpg.connect(address)
    await connection.execute(SCHEMA)
    await connection.close()
    return address


def reading(dsn: str, view: str, **limits: Any) -> Any:
    """Make a connector that reads one of the views."""
    reads = {
        "S01": [
            {
                "ask": {"view": view, "person_column": "cpr", "columns": ["cpr", "id"]},
                "person": "cpr",
                "item": {"kind": {"value": "plan"}, "id": "id", "unit": {"value": "x"}},
            }
        ]
    }
    made = Limits(**{"deadline_seconds": 5.0, "most_failures": 100} | limits)
    return build("sql_view", "social", {}, reads, {"dsn": dsn}, made, now=lambda: NOW)


async def outcome(dsn: str, view: str, **limits: Any) -> str:
    """Read a view once, and tell the word of the failure or what came."""
    async with reading(dsn, view, **limits) as source:
        try:
            items = await source.read(Personal(CPR), "p", frozenset({"S01"}))
        except SourceFailed as failed:
            return failed.why if failed.__cause__ is failed.__context__ is None else "something hangs on the error"
    return ",".join(item.id.disclose() for item in items)


async def rows(dsn: str) -> int:
    """Count what is in the table now."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM seen"))
    finally:
        await connection.close()


async def test_a_view_that_writes_is_refused(dsn: str) -> None:
    """Even where our role might write, our transaction may not."""
    assert await outcome(dsn, "writing") == "refused"
    assert await rows(dsn) == 1
    assert await outcome(dsn, "plain") == "1"


async def test_a_view_that_lifts_the_ban_lifts_nothing(dsn: str) -> None:
    """A view that turns the session's default off leaves the next transaction of the same session read-only."""
    async with reading(dsn, "unsetting", most_at_once=1) as source:
        assert len(await source.read(Personal(CPR), "p", frozenset({"S01"}))) == 1
        source._reads = reading(dsn, "writing")._reads
        with pytest.raises(SourceFailed):
            await source.read(Personal(CPR), "p", frozenset({"S01"}))
    assert await rows(dsn) == 1


async def test_a_view_that_sleeps_is_left_at_the_deadline(dsn: str) -> None:
    """The read ends in time, and the database does not go on working for nobody."""
    # The view sleeps for longer than that.
    async with asyncio.timeout(20):
        assert await outcome(dsn, "sleeping", deadline_seconds=0.4) == "timeout"
    connection = await asyncpg.connect(dsn)
    try:
        for _ in range(100):
            active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleeping%' AND pid <> pg_backend_pid()"
            if await connection.fetchval(active) == 0:
                return
            await asyncio.sleep(0.05)
        pytest.fail("the database still works on a question that nobody waits for")
    finally:
        await connection.close()


@pytest.mark.parametrize("view", ["flooding", "many"])
async def test_too_much_is_never_sent(dsn: str, view: str) -> None:
    """The database measures its answer; ours sees that it is too much without receiving it."""
    cable = Cable()
    address = through(cable, dsn)
    await cable.plug_in()
    try:
        assert await outcome(address, view) == "too_much"
    finally:
        await cable.close()
    assert 0 < cable.carried < 100_000


async def test_what_the_database_says_stays_with_it(dsn: str) -> None:
    """An error of the database, which may quote a value, becomes a word of ours."""
    assert await outcome(dsn, "speaking") == "refused"
    assert await outcome(dsn, "no_such_view") == "refused"


async def test_a_wrong_password_is_a_failure(dsn: str) -> None:
    """Nothing is read and nothing is told when the database does not let us in."""
    spoiled = dsn.replace("://postgres:", "://postgres:wrong")
    assert await outcome(spoiled, "plain") == "refused"
