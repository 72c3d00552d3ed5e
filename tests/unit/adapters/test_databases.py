"""Making and migrating the databases, transactions with a scope, and requests that come twice."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from audit import fences
from broker.adapters.database import Pool, Scope, bootstrap, open_pool, reaching_the_store, scoped, upgrade
from broker.adapters.idempotency_sql import Claimed, IdempotencySql
from broker.domain.errors import KeyReused, StoreUnavailable
from demo.postgres import PrivatePostgres
from tests.databases import PASSWORDS, Databases, drop, fresh, opened

ROUTE = ("client", "p" * 32, "/v1/consents")


@pytest.fixture
async def databases(postgres: PrivatePostgres) -> AsyncIterator[Databases]:
    """Give both databases."""
    async with opened(postgres) as made:
        yield made


async def test_making_them_again_changes_nothing(postgres: PrivatePostgres) -> None:
    """Bootstrap and upgrade may run at every start; roles that were made otherwise are put right."""
    name = f"again_{secrets.token_hex(4)}"
    at = await bootstrap(postgres.dsn(), PASSWORDS, main=name, vault=f"{name}_vault")
    await upgrade(at.owner, "main")
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute("ALTER ROLE borgerbro_app NOLOGIN BYPASSRLS")
    await admin.close()

    assert await bootstrap(postgres.dsn(), PASSWORDS, main=name, vault=f"{name}_vault") == at
    await upgrade(at.owner, "main")

    app = await asyncpg.connect(at.app)
    bypasses = await app.fetchval("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user")
    await app.close()
    assert not bypasses


async def test_an_older_house_gets_what_a_new_one_is_laid_with(postgres: PrivatePostgres) -> None:
    """A log whose append is of an older form is brought to the form in the log's files, as its fences see it."""
    name = f"older_{secrets.token_hex(4)}"
    at = await bootstrap(postgres.dsn(), PASSWORDS, main=name, vault=f"{name}_vault")
    await upgrade(at.owner, "main", "main_0014")
    connection = await asyncpg.connect(postgres.dsn(name))
    for function in ("append", "commit_map"):
        laid = await connection.fetchval("SELECT pg_get_functiondef($1::text::regproc)", f"log.{function}")
        await connection.execute(laid.replace("BEGIN\n", "BEGIN\n    PERFORM 1;\n"))
    older = [str(fault) for fault in await fences.faults(connection)]

    await upgrade(at.owner, "main")
    newer = await fences.faults(connection)
    await connection.close()

    assert older == [f"log.{function}: is not the function that was laid" for function in ("append", "commit_map")]
    assert newer == []


async def test_what_every_ask_runs_is_planned_once(databases: Databases) -> None:
    """No function on an ask's road is planned anew for each call, nor keeps a plan that scans a table grown large.

    A migration that makes one of them anew, without saying its settings, takes them away.
    """
    road = ["append_and_count", "append_if_still", "facts", "hold_states", "append"]
    rows = await databases.pool.fetch(
        "SELECT p.proname, p.proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname IN ('consents', 'log') AND p.proname = ANY ($1)",
        road,
    )
    wanted = {"plan_cache_mode=force_generic_plan", "enable_seqscan=off"}
    assert {row["proname"]: wanted <= set(row["proconfig"]) for row in rows} == dict.fromkeys(road, True)


async def test_a_commit_waits_for_the_disk_whatever_the_database_says(postgres: PrivatePostgres) -> None:
    """A role that was set, there alone, to answer before the disk has it: a node asks for more by itself (P2)."""
    async with fresh(postgres) as (admin_dsn, at):
        admin = await asyncpg.connect(admin_dsn)
        name = await admin.fetchval("SELECT current_database()")
        await admin.execute(f'ALTER ROLE borgerbro_app IN DATABASE "{name}" SET synchronous_commit = off')
        await admin.close()

        pool = await open_pool(at.app, name="test")
        waits = await pool.fetchval("SHOW synchronous_commit")
        await pool.close()

        assert waits == "on"


async def test_many_make_them_at_once(postgres: PrivatePostgres) -> None:
    """Four processes that start together end with the same databases."""
    name = f"race_{secrets.token_hex(4)}"
    made = [bootstrap(postgres.dsn(), PASSWORDS, main=name, vault=f"{name}_vault") for _ in range(4)]

    try:
        assert len({at.app for at in await asyncio.gather(*made)}) == 1
    finally:
        await drop(postgres, name, f"{name}_vault")


async def test_what_a_test_made_is_dropped_behind_it(postgres: PrivatePostgres) -> None:
    """No database of a test stays on the server, though somebody is still connected; one that is gone is no fault."""
    async with opened(postgres) as made:
        left_open = await asyncpg.connect(made.admin)
        names = [address.rpartition("/")[2] for address in (made.at.app, made.at.vault)]
        await drop(postgres, names[1], "never_was")

    left_open.terminate()
    there = postgres.query("SELECT count(*) FROM pg_database WHERE datname = ANY($1)", names)
    assert there == 0


async def test_addresses_show_no_password(postgres: PrivatePostgres) -> None:
    """The addresses of all roles do not print themselves."""
    async with fresh(postgres) as (_, at):
        assert "secret" not in repr(at)


def test_a_scope_holds_no_list_in_disguise() -> None:
    """A name with a comma would be two: it is refused."""
    for wrong in ({"municipalities": ("korsbaek,oestby",)}, {"subjects": ("a,b",)}):
        with pytest.raises(ValueError, match="comma"):
            Scope(**wrong)


async def test_what_postgresql_says_stays_inside(databases: Databases) -> None:
    """An error of the database becomes ours, without its words; nothing of the change is kept."""
    with pytest.raises(StoreUnavailable) as caught:
        async with scoped(databases.pool, Scope(municipality="korsbaek")) as connection:
            await connection.execute("SELECT '0101900001'::integer / 0")

    assert caught.value.__cause__ is None
    assert not str(caught.value)


async def test_an_absent_database_is_said_at_once(databases: Databases) -> None:
    """Opening connections to nowhere raises our own error."""
    with pytest.raises(StoreUnavailable):
        await open_pool(databases.at.app.replace("borgerbro_app", "nobody"), name="test")


async def test_nobody_waits_for_a_connection_for_ever(databases: Databases) -> None:
    """While every connection is held, whoever comes is told no in time, however many they are; then all goes on."""
    pool = await open_pool(databases.at.app, name="test", largest=1, timeout_seconds=0.3)
    try:
        async with pool.acquire():
            # The holder rests for longer than they may wait; the test ends by itself only when they give up.
            statements = [asyncio.create_task(_one(pool)) for _ in range(30)]
            async with asyncio.timeout(20):
                told = await asyncio.gather(*statements)
        assert set(told) == {"no"}
        assert await _one(pool) == "answered"
    finally:
        pool.terminate()


async def test_a_statement_ends_at_its_deadline_on_both_sides(databases: Databases) -> None:
    """A statement that takes too long is a no for us, and the server works on it no longer."""
    pool = await open_pool(databases.at.app, name="too long", largest=1, timeout_seconds=0.3)
    try:
        with pytest.raises(StoreUnavailable):
            async with scoped(pool, Scope(municipality="korsbaek")) as connection:
                await connection.execute("SELECT pg_sleep(60)")
        running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'too long' AND state = 'active'"
        async with asyncio.timeout(20):
            while await databases.pool.fetchval(running):
                await asyncio.sleep(0.05)
        assert await _one(pool) == "answered"
    finally:
        pool.terminate()


async def _one(pool: Pool) -> str:
    try:
        async with reaching_the_store():
            await pool.fetchval("SELECT 1")
    except StoreUnavailable:
        return "no"
    return "answered"


class TestIdempotency:
    @pytest.fixture
    def store(self, databases: Databases) -> IdempotencySql:
        """Give the store."""
        return IdempotencySql(databases.pool, databases.keys.requests)

    async def test_the_first_id_stays(self, store: IdempotencySql) -> None:
        """A repeat learns the id that the first request chose."""
        assert await store.claim("korsbaek", *ROUTE, "k1", b"{}", "first") == Claimed("first", repeated=False)
        assert await store.claim("korsbaek", *ROUTE, "k1", b"{}", "second") == Claimed("first", repeated=True)

    async def test_another_body_is_refused(self, store: IdempotencySql) -> None:
        """The same key with another body is no repeat."""
        await store.claim("korsbaek", *ROUTE, "k1", b"{}", "first")

        with pytest.raises(KeyReused):
            await store.claim("korsbaek", *ROUTE, "k1", b"{ }", "second")

    async def test_a_key_is_its_owners(self, store: IdempotencySql) -> None:
        """The same key of another municipality, client, person or route is another key."""
        places = [("korsbaek", *ROUTE), ("oestby", *ROUTE)]
        places += [("korsbaek", *ROUTE[:n], "other", *ROUTE[n + 1 :]) for n in range(3)]
        claimed = [await store.claim(*place, "k1", b"{}", str(n)) for n, place in enumerate(places)]

        assert [claim.resource for claim in claimed] == ["0", "1", "2", "3", "4"]
        assert not any(claim.repeated for claim in claimed)

    async def test_of_many_at_once_one_is_first(self, store: IdempotencySql) -> None:
        """Twenty requests with one key at the same moment all learn the same id, one of them as the first."""
        claims = [store.claim("korsbaek", *ROUTE, "k1", b"{}", str(n)) for n in range(20)]

        claimed = await asyncio.gather(*claims)

        assert len({claim.resource for claim in claimed}) == 1
        assert sum(not claim.repeated for claim in claimed) == 1

    async def test_old_keys_are_forgotten(self, store: IdempotencySql) -> None:
        """A sweep forgets what is older than its moment, in its own municipality."""
        await store.claim("korsbaek", *ROUTE, "k1", b"{}", "first")
        await store.claim("oestby", *ROUTE, "k1", b"{}", "first")
        later = datetime.now(UTC) + timedelta(hours=1)

        await store.sweep("korsbaek", later - timedelta(hours=2))
        assert (await store.claim("korsbaek", *ROUTE, "k1", b"{}", "second")).repeated
        await store.sweep("korsbaek", later)

        assert not (await store.claim("korsbaek", *ROUTE, "k1", b"{}", "second")).repeated
        assert (await store.claim("oestby", *ROUTE, "k1", b"{}", "second")).repeated

    async def test_nothing_of_a_request_is_kept(self, store: IdempotencySql, databases: Databases) -> None:
        """Neither key nor body nor person stands in the database."""
        await store.claim("korsbaek", *ROUTE, "a-key-of-mine", b'{"citizen": "0101900001"}', "id-17")
        admin = await asyncpg.connect(databases.admin)
        rows = await admin.fetch(
            "SELECT idempotency::text, encode(scope || request, 'escape') FROM consents.idempotency"
        )
        await admin.close()

        held = str(rows)
        assert "id-17" in held
        for secret in ("a-key", "0101900001", "p" * 32):
            assert secret not in held
