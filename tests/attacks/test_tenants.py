"""A hostile tenant: every table, by every way in, as the broker's own role with somebody else's scope."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from broker.adapters.database import Scope, enter, scoped
from broker.adapters.idempotency_sql import IdempotencySql
from broker.domain.identity import Caseworker
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.consent_values import HOME, NOON, UNIT, a_block, a_grant, a_request, blocked, granted, requested
from tests.databases import Databases, opened

STRANGERS = {
    "nobody": Scope(),
    "another municipality": Scope(municipality="fjernby"),
    "another DPO": Scope(municipalities=("fjernby", "oestby")),
    "another citizen": Scope(citizen="f" * 32),
    "an ask about somebody else": Scope(municipality="fjernby", subjects=("f" * 32,)),
    "a wildcard": Scope(municipality="%", municipalities=("%", "*"), citizen="%", subjects=("%",)),
}
CONSENTS = (
    *("request", "request_line", "request_state", "consent", "line", "line_state", "block", "block_state"),
    *("citizen_state", "idempotency"),
)
# What anyone may read of a log: commitments, heads and signatures (`design.md` 5). Bodies and index rows are not.
PUBLIC = ("head", "entry", "checkpoint", "node")
MAP = ("map", "map_tile", "map_entry", "map_leaf", "deferral")
CLOSED = ("body", "index")
TOLD = ("handed_out", "stop_received")
OF_A_PERSON = ("citizen_state",)  # a counter beside a random name: it belongs to a person, in every municipality
ALLOWED = {("citizen_state", "UPDATE"), ("idempotency", "DELETE")}


@pytest.fixture
async def town(postgres: PrivatePostgres) -> AsyncIterator[Databases]:
    """Give a database in which every table has a row of Korsbaek's."""
    async with opened(postgres) as made:
        (anna,) = await made.vault.citizens([Personal("0101900001")])
        case = await made.vault.case(UNIT, Personal("17"))
        kim = Caseworker(Personal("kim"), "https://employer", HOME, UNIT, (), "Substantial", NOON)
        actor = await made.vault.actor(kim)
        request, grant, block = a_request(anna, case), a_grant(anna, case), a_block(anna)
        await made.consents.request(request, requested(request, actor))
        await made.consents.grant(grant, granted(grant))
        await made.consents.block(block, blocked(block))
        await IdempotencySql(made.pool, made.keys.requests).claim(HOME, "client", actor, "/v1", "key", b"{}", "id")
        yield made


@pytest.fixture
async def superuser(town: Databases) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Give the one who sees everything."""
    connection = await asyncpg.connect(town.admin)
    yield connection
    await connection.close()


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_stranger_reads_nothing(town: Databases, superuser: "asyncpg.Connection[Any]", who: str) -> None:
    """With another's scope, or none, every table is empty; and each has a row to hide."""
    tables = [f"consents.{name}" for name in CONSENTS] + [f"log.{name}" for name in CLOSED]
    async with scoped(town.pool, STRANGERS[who]) as connection:
        seen = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}

    assert seen == dict.fromkeys(tables, 0)
    for table in tables:
        assert await superuser.fetchval(f"SELECT count(*) FROM {table}") > 0, table


async def test_the_owner_of_a_row_reads_it(town: Databases, superuser: "asyncpg.Connection[Any]") -> None:
    """Korsbaek, its DPO and the citizen each see what is theirs: the tables are closed, not broken."""
    anna = await superuser.fetchval("SELECT citizen FROM consents.consent")
    mine = [f"consents.{name}" for name in CONSENTS if name not in OF_A_PERSON] + [f"log.{name}" for name in CLOSED]
    overseen = [table for table in mine if "block" not in table and "idempotency" not in table]
    own = [f"consents.{name}" for name in CONSENTS if name != "idempotency"] + [f"log.{name}" for name in CLOSED]
    for scope, tables in (
        (Scope(municipality=HOME), mine),
        (Scope(municipalities=(HOME,)), overseen),
        (Scope(citizen=anna), own),
    ):
        async with scoped(town.pool, scope) as connection:
            for table in tables:
                assert await connection.fetchval(f"SELECT count(*) FROM {table}") > 0, (scope, table)


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("table", CONSENTS)
async def test_a_stranger_adds_nothing(
    town: Databases, superuser: "asyncpg.Connection[Any]", who: str, table: str
) -> None:
    """Nobody plants a row in another municipality's name, or about a citizen who is not theirs."""
    row = json.loads(await superuser.fetchval(f"SELECT to_json(t) FROM consents.{table} t LIMIT 1"))
    row.pop("seq", None)
    columns = ", ".join(f'"{name}"' for name in row)
    source = f"json_populate_record(NULL::consents.{table}, $1)"
    plant = f"INSERT INTO consents.{table} ({columns}) SELECT {columns} FROM {source}"
    async with town.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('borgerbro.municipality', $1, true)", STRANGERS[who].municipality)
        await connection.execute("SELECT set_config('borgerbro.citizen', $1, true)", STRANGERS[who].citizen)

        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with connection.transaction():
                await connection.execute(plant, json.dumps(row))


async def test_a_scope_ends_with_its_transaction(town: Databases) -> None:
    """What one request could see, the next one on the same connection cannot."""
    async with town.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("SELECT set_config('borgerbro.municipality', $1, true)", HOME)
            assert await connection.fetchval("SELECT count(*) FROM consents.consent") == 1
        assert await connection.fetchval("SELECT count(*) FROM consents.consent") == 0
        await connection.fetchval("SELECT consents.facts($1, 'u', 'p', 'c', $2)", HOME, ["x"])
        assert await connection.fetchval("SELECT count(*) FROM consents.consent") == 0


async def test_a_scope_that_was_entered_ends_too(town: Databases) -> None:
    """The one way in which the broker sets a scope leaves nothing on the connection either."""
    async with town.pool.acquire() as connection:
        async with connection.transaction():
            await enter(connection, Scope(HOME, (HOME,), "x", ("x",)))
            assert await connection.fetchval("SELECT count(*) FROM consents.consent") == 1
        left = await connection.fetchrow(
            "SELECT current_setting('borgerbro.municipality', true), current_setting('borgerbro.municipalities', true),"
            " current_setting('borgerbro.citizen', true), current_setting('borgerbro.subjects', true)"
        )

    assert {value or "" for value in left} == {""}


async def test_every_table_is_under_row_level_security(superuser: "asyncpg.Connection[Any]") -> None:
    """Each table of consents and the log has its policies, and names whose its rows are."""
    rows = await superuser.fetch(
        "SELECT n.nspname AS schema, c.relname AS name, c.relrowsecurity AS closed, ARRAY("
        "  SELECT attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname IN ('consents', 'log')"
    )

    assert {row["name"] for row in rows} == {*CONSENTS, "meeting", "consent_use", *TOLD, *PUBLIC, *CLOSED, *MAP}
    for row in rows:
        owner = "municipality" if row["schema"] == "consents" else "tenant"
        assert row["closed"], row["name"]
        assert owner in row["columns"] or row["name"] in OF_A_PERSON, row["name"]


@pytest.mark.parametrize("table", [*PUBLIC, *CLOSED, *MAP])
async def test_the_log_is_written_through_its_function_alone(town: Databases, table: str) -> None:
    """The broker's role has no INSERT, UPDATE, DELETE or TRUNCATE on any table of the log."""
    for statement in (
        f"INSERT INTO log.{table} DEFAULT VALUES",
        f"UPDATE log.{table} SET tenant = 'x'",
        f"DELETE FROM log.{table}",
        f"TRUNCATE log.{table}",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await town.pool.execute(statement)


@pytest.mark.parametrize("table", CONSENTS)
async def test_history_cannot_be_rewritten(town: Databases, superuser: "asyncpg.Connection[Any]", table: str) -> None:
    """The broker's role can add to consents, and change no more than a counter and its own memory of requests."""
    for right in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
        held = await superuser.fetchval(
            "SELECT has_table_privilege('borgerbro_app', $1, $2) OR CASE WHEN $2 IN ('UPDATE', 'REFERENCES')"
            " THEN has_any_column_privilege('borgerbro_app', $1, $2) ELSE false END",
            f"consents.{table}",
            right,
        )
        assert held == ((table, right) in ALLOWED), right


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE borgerbro_log_owner",
        "SET ROLE borgerbro_owner",
        "SET session_replication_role = replica",
        "ALTER TABLE log.entry DISABLE TRIGGER ALL",
        "ALTER TABLE consents.line_state DISABLE TRIGGER ALL",
        "ALTER TABLE consents.consent DISABLE ROW LEVEL SECURITY",
        "DROP SCHEMA log CASCADE",
        "CREATE SCHEMA mine",
        "CREATE TABLE public.mine (x integer)",
        "CREATE FUNCTION consents.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "SELECT log.keep_checkpoint('o', 1, '', '', '')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
async def test_the_brokers_role_cannot_lift_itself(town: Databases, statement: str) -> None:
    """The broker's role takes no other role, switches nothing off and makes nothing of its own."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await town.pool.execute(statement)


async def test_the_other_roles_do_one_thing_each(town: Databases) -> None:
    """Reader and checkpointer see the whole log and no consent; neither appends, and the reader signs nothing."""
    for dsn, keeps in ((town.at.reader, False), (town.at.checkpointer, True)):
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT count(*) FROM log.body") == 3
        refused = [
            "SELECT * FROM consents.consent",
            "SELECT log.append('{}', '{}', '{}', '{}', '{}', '{}')",
            "SELECT log.open('o', 't', 1)",
            "DELETE FROM log.entry",
        ] + ([] if keeps else ["SELECT log.keep_checkpoint('o', 1, '', '', '')"])
        for statement in refused:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await connection.close()


async def test_no_role_goes_where_it_has_no_business(town: Databases) -> None:
    """The broker's role cannot enter the vault's database, nor the vault's role the main one."""
    main = town.at.app.rpartition("/")[2]
    vault = town.at.vault.rpartition("/")[2]
    for dsn in (town.at.app.replace(main, vault), town.at.vault.replace(vault, main)):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(dsn)


async def test_roles_are_plain(superuser: "asyncpg.Connection[Any]") -> None:
    """No role of ours is a superuser, passes row-level security, or makes roles or databases."""
    rows = await superuser.fetch("SELECT * FROM pg_roles WHERE rolname LIKE 'borgerbro%'")

    assert len(rows) == 7
    for row in rows:
        assert not any(row[right] for right in ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb"))
        assert row["rolcanlogin"] == (row["rolname"] != "borgerbro_log_owner")
