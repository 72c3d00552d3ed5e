"""What replay memory, ceilings and sessions promise, over the fakes and over PostgreSQL."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from broker.adapters.ceilings_postgres import Ceiling, Limits, PostgresCeilings, lowered
from broker.adapters.database import Pool
from broker.adapters.migrations.parts.web import STATEMENTS
from broker.adapters.replay_postgres import PostgresReplay
from broker.adapters.sessions_postgres import PostgresSessions
from broker.domain.errors import StoreUnavailable, TooManyAsks
from broker.domain.identity import Caseworker, System
from broker.domain.personal import Personal
from broker.web.doors import Ceilings, Replay, Sessions
from demo.postgres import PrivatePostgres
from tests.fakes.web import FakeCeilings, FakeReplay, FakeSessions

# The real time: what is remembered once is forgotten by the database's own clock.
NOW = datetime.now(UTC)
MINUTE = timedelta(hours=1)  # Longer than any run of the suite: what is kept must not end under the test.
KEY, OTHER, OWNER = b"k" * 32, b"o" * 32, b"p" * 32
JOBCENTRE = System("jobcentre", "korsbaek", frozenset({"job"}))
SCHOOL = System("school", "korsbaek", frozenset({"school"}))
ROLE = """DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'borgerbro_app') THEN CREATE ROLE borgerbro_app; END IF;
END $$"""


def a_caseworker(name: str) -> Caseworker:
    """Make a caseworker of this id."""
    return Caseworker(Personal(name), "https://employer.example", "korsbaek", "job", (), "Substantial", NOW)


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Pool]:
    """Give connections, as the broker's own role, to a database with the web's tables."""
    owner = await asyncpg.connect(postgres_dsn)
    await owner.execute(ROLE)
    for statement in STATEMENTS:
        await owner.execute(statement)
    await owner.close()
    pool = await asyncpg.create_pool(postgres_dsn, server_settings={"role": "borgerbro_app"}, min_size=1, max_size=4)
    yield pool
    await pool.close()


class ReplayContract:
    """A thing that may be used once is used once."""

    async def test_the_first_use_is_the_only_one(self, replay: Replay) -> None:
        """The same key is new once, another key is new too."""
        assert await replay.first_use(KEY, issued_at=NOW, keep_until=NOW + MINUTE)
        assert not await replay.first_use(KEY, issued_at=NOW, keep_until=NOW + MINUTE)
        assert await replay.first_use(OTHER, issued_at=NOW, keep_until=NOW + MINUTE)

    async def test_of_many_at_once_one_wins(self, replay: Replay) -> None:
        """Of a hundred uses of one key at the same moment, one is the first."""
        uses = [replay.first_use(KEY, issued_at=NOW, keep_until=NOW + MINUTE) for _ in range(100)]

        assert sum(await asyncio.gather(*uses)) == 1

    async def test_many_keys_at_once_are_all_new(self, replay: Replay) -> None:
        """Three hundred different keys at the same moment are all new."""
        keys = [secrets.token_bytes(32) for _ in range(300)]

        assert all(
            await asyncio.gather(*(replay.first_use(key, issued_at=NOW, keep_until=NOW + MINUTE) for key in keys))
        )


class TestFakeReplay(ReplayContract):
    @pytest.fixture
    def replay(self) -> Replay:
        """Give the fake."""
        return FakeReplay()


class TestPostgresReplay(ReplayContract):
    @pytest.fixture
    def replay(self, pool: Pool) -> Replay:
        """Give the real one."""
        return PostgresReplay(pool)

    async def test_two_nodes_share_one_memory(self, pool: Pool) -> None:
        """What one node saw, another refuses, also when both are asked at the same moment."""
        nodes = [PostgresReplay(pool) for _ in range(4)]
        keys = [secrets.token_bytes(32) for _ in range(50)]

        uses = [node.first_use(key, issued_at=NOW, keep_until=NOW + MINUTE) for key in keys for node in nodes]

        assert sum(await asyncio.gather(*uses)) == len(keys)

    async def test_after_a_crash_what_was_issued_before_is_refused(self, pool: Pool, postgres_dsn: str) -> None:
        """When the tables were emptied, nothing from before counts as a first use; what comes later does."""
        replay = PostgresReplay(pool)
        now = datetime.now(UTC)
        assert await replay.first_use(KEY, issued_at=now, keep_until=now + MINUTE)
        owner = await asyncpg.connect(postgres_dsn)
        await owner.execute("TRUNCATE web.replay, web.replay_since")
        await owner.close()

        assert not await replay.first_use(OTHER, issued_at=now, keep_until=now + MINUTE)
        assert not await replay.first_use(KEY, issued_at=now, keep_until=now + MINUTE)
        assert not await replay.first_use(b"l" * 32, issued_at=now + 5 * timedelta(seconds=1), keep_until=now + MINUTE)
        assert await replay.first_use(b"m" * 32, issued_at=now + MINUTE, keep_until=now + 2 * MINUTE)

    async def test_what_has_ended_is_forgotten(self, pool: Pool) -> None:
        """Keys are not kept for ever."""
        replay = PostgresReplay(pool)
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)

        await replay.first_use(KEY, issued_at=long_ago, keep_until=long_ago)

        assert await pool.fetchval("SELECT count(*) FROM web.replay") == 0

    async def test_without_a_database_the_answer_is_an_error(self, pool: Pool) -> None:
        """Replay memory that cannot be asked lets nothing through."""
        replay = PostgresReplay(pool)
        await pool.close()

        with pytest.raises(StoreUnavailable):
            await replay.first_use(KEY, issued_at=NOW, keep_until=NOW + MINUTE)


async def test_a_real_crash_of_postgresql_lets_no_old_proof_in(tmp_path: Path) -> None:
    """A server whose process is killed comes back with an empty memory that knows it, and refuses what was before."""
    server = PrivatePostgres(tmp_path / "pg")
    server.start()
    try:
        owner = await asyncpg.connect(server.dsn())
        await owner.execute(ROLE)
        for statement in STATEMENTS:
            await owner.execute(statement)
        now = datetime.now(UTC)
        pool = await asyncpg.create_pool(server.dsn(), min_size=1, max_size=1)
        assert await PostgresReplay(pool).first_use(KEY, issued_at=now, keep_until=now + MINUTE)
        # The death of one backend makes the whole server recover as after a crash.
        os.kill(await owner.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)
        owner.terminate()
        pool.terminate()

        pool = await _reconnected(server.dsn())
        assert await pool.fetchval("SELECT count(*) FROM web.replay") == 0
        assert not await PostgresReplay(pool).first_use(KEY, issued_at=now, keep_until=now + MINUTE)
        assert not await PostgresReplay(pool).first_use(KEY, issued_at=now, keep_until=now + MINUTE)
        assert await PostgresReplay(pool).first_use(OTHER, issued_at=now + MINUTE, keep_until=now + 2 * MINUTE)
        await pool.close()
    finally:
        server.remove()


async def _reconnected(dsn: str) -> Pool:
    for _ in range(100):
        try:
            return await asyncpg.create_pool(dsn, min_size=1, max_size=1)
        except (asyncpg.PostgresError, OSError):
            await asyncio.sleep(0.1)
    raise TimeoutError


class CeilingsContract:
    """Two asks a caseworker, three a system, four a municipality."""

    async def test_a_caseworker_stops_at_the_ceiling(self, ceilings: Ceilings) -> None:
        """The third ask is refused with the time to wait; a colleague may still ask."""
        await ceilings.count(JOBCENTRE, a_caseworker("lene"))
        await ceilings.count(JOBCENTRE, a_caseworker("lene"))

        with pytest.raises(TooManyAsks) as refused:
            await ceilings.count(JOBCENTRE, a_caseworker("lene"))

        assert 0 < refused.value.retry_after_seconds <= 3600

    async def test_a_citizen_looks_at_their_own_so_often(self, ceilings: Ceilings) -> None:
        """The third look of one citizen is refused; another citizen, and every caseworker, still may."""
        await ceilings.count_look("one")
        await ceilings.count_look("one")

        with pytest.raises(TooManyAsks) as refused:
            await ceilings.count_look("one")

        assert 0 < refused.value.retry_after_seconds <= 3600
        await ceilings.count_look("other")
        await ceilings.count(JOBCENTRE, a_caseworker("lene"))

    async def test_an_officer_has_so_many_employees_named(self, ceilings: Ceilings) -> None:
        """The eleventh in a day is refused; another officer, and the same one's files, go on."""
        for _ in range(10):
            await ceilings.count_name("one")

        with pytest.raises(TooManyAsks):
            await ceilings.count_name("one")

        await ceilings.count_name("other")
        await ceilings.count_package("one")

    async def test_an_officer_searches_and_opens_so_much(self, ceilings: Ceilings) -> None:
        """Past a day's searches that name somebody, lines, evidence, readings and papers, it is refused, each alone."""
        for count, most in (
            (ceilings.count_search, 200),
            (ceilings.count_line, 1000),
            (ceilings.count_evidence, 100),
            (ceilings.count_touched, 300),
            (ceilings.count_paper, 60),
        ):
            await asyncio.gather(*(count("one") for _ in range(most)))
            with pytest.raises(TooManyAsks):
                await count("one")
            await count("other")

    async def test_a_system_stops_whoever_uses_it(self, ceilings: Ceilings) -> None:
        """The fourth ask of one system is refused, though each comes from another caseworker."""
        for name in ("a", "b", "c"):
            await ceilings.count(JOBCENTRE, a_caseworker(name))

        with pytest.raises(TooManyAsks):
            await ceilings.count(JOBCENTRE, None)

    async def test_a_municipality_stops_whatever_system_asks(self, ceilings: Ceilings) -> None:
        """The fifth ask of one municipality is refused, though no system is at its own ceiling."""
        for system, name in ((JOBCENTRE, "a"), (JOBCENTRE, "b"), (SCHOOL, "c"), (SCHOOL, "d")):
            await ceilings.count(system, a_caseworker(name))

        with pytest.raises(TooManyAsks):
            await ceilings.count(SCHOOL, a_caseworker("e"))

    async def test_a_refused_ask_counts_for_nothing(self, ceilings: Ceilings) -> None:
        """One who asks on and on past their own ceiling takes no ask from a colleague."""
        for _ in range(2):
            await ceilings.count(JOBCENTRE, a_caseworker("lene"))
        for name in ("lene", "LENE", "lene") * 3:
            with pytest.raises(TooManyAsks):
                await ceilings.count(JOBCENTRE, a_caseworker(name))

        await ceilings.count(JOBCENTRE, a_caseworker("mads"))
        with pytest.raises(TooManyAsks):
            await ceilings.count(JOBCENTRE, a_caseworker("mads"))
        await ceilings.count(SCHOOL, a_caseworker("mads"))


class TestFakeCeilings(CeilingsContract):
    @pytest.fixture
    def ceilings(self) -> Ceilings:
        """Give the fake."""
        return FakeCeilings(
            {
                "caseworker": 2,
                "system": 3,
                "municipality": 4,
                "citizen": 2,
                "name": 10,
                "search": 200,
                "line": 1000,
                "evidence": 100,
                "touched": 300,
                "paper": 60,
            }
        )


def test_a_municipality_only_lowers_its_ceilings() -> None:
    """Its own number counts where it is lower; a higher one, or none, leaves the broker's."""
    broker = Limits(Ceiling(10, 3600), Ceiling(20, 3600), Ceiling(30, 3600))

    assert lowered(broker, {"caseworker": 3, "system": 99}) == replace(broker, caseworker=Ceiling(3, 3600))
    assert lowered(broker, {}) == broker


class TestPostgresCeilings(CeilingsContract):
    LIMITS = Limits(Ceiling(2, 3600), Ceiling(3, 3600), Ceiling(4, 3600))

    @pytest.fixture
    def ceilings(self, pool: Pool) -> Ceilings:
        """Give the real ones."""
        return PostgresCeilings(pool, self.LIMITS, citizen=Ceiling(2, 3600))

    async def test_of_many_at_once_as_many_pass_as_may(self, pool: Pool) -> None:
        """Of forty asks at the same moment on two nodes, exactly the ceiling passes."""
        ten = Ceiling(10, 3600)
        nodes = [PostgresCeilings(pool, Limits(ten, Ceiling(100, 3600), Ceiling(100, 3600))) for _ in range(2)]

        counted = [node.count(JOBCENTRE, a_caseworker("lene")) for _ in range(20) for node in nodes]
        outcomes = await asyncio.gather(*counted, return_exceptions=True)

        assert outcomes.count(None) == 10
        assert sum(isinstance(outcome, TooManyAsks) for outcome in outcomes) == 30

    async def test_a_new_window_begins_anew(self, pool: Pool) -> None:
        """When the window has passed, the caseworker may ask again."""
        ceilings = PostgresCeilings(pool, Limits(Ceiling(1, 1), Ceiling(100, 3600), Ceiling(100, 3600)))
        allowed = 0
        for _ in range(12):
            try:
                await ceilings.count(JOBCENTRE, a_caseworker("lene"))
                allowed += 1
            except TooManyAsks:
                pass
            await asyncio.sleep(0.2)

        assert 2 <= allowed <= 4

    async def test_the_table_names_nobody(self, pool: Pool) -> None:
        """Who asks cannot be read from the counters."""
        await PostgresCeilings(pool, self.LIMITS).count(JOBCENTRE, a_caseworker("lene.krogh"))

        rows = await pool.fetch("SELECT * FROM web.ceiling")

        assert len(rows) == 3
        assert not any(b"lene" in row["name"] or len(row["name"]) != 32 for row in rows)


class SessionsContract:
    """A session lives until it is idle too long, too old or ended."""

    async def test_a_session_can_be_used_until_it_is_idle(self, sessions: Sessions) -> None:
        """Each use puts off the idle end; past it the session is gone."""
        await sessions.open(KEY, b"sealed", OWNER, idle_at=NOW + 15 * MINUTE, ends_at=NOW + 60 * MINUTE)

        assert await sessions.use(KEY, now=NOW + 14 * MINUTE, idle_at=NOW + 29 * MINUTE) == b"sealed"
        assert await sessions.use(KEY, now=NOW + 28 * MINUTE, idle_at=NOW + 43 * MINUTE) == b"sealed"
        assert await sessions.use(KEY, now=NOW + 43 * MINUTE, idle_at=NOW + 58 * MINUTE) is None

    async def test_a_look_puts_nothing_off(self, sessions: Sessions) -> None:
        """Looking gives content and idle end as they stand, however often; past that end there is nothing to see."""
        idle_at = NOW + 15 * MINUTE
        await sessions.open(KEY, b"sealed", OWNER, idle_at=idle_at, ends_at=NOW + 60 * MINUTE)

        assert await sessions.look(KEY, now=NOW + 14 * MINUTE) == (b"sealed", idle_at)
        assert await sessions.look(KEY, now=idle_at) is None
        assert await sessions.use(KEY, now=idle_at, idle_at=idle_at + MINUTE) is None
        assert await sessions.look(OTHER, now=NOW) is None

    async def test_no_use_outlives_the_absolute_end(self, sessions: Sessions) -> None:
        """However busy, a session ends at its set time."""
        await sessions.open(KEY, b"sealed", OWNER, idle_at=NOW + 15 * MINUTE, ends_at=NOW + 20 * MINUTE)

        assert await sessions.use(KEY, now=NOW + 14 * MINUTE, idle_at=NOW + 29 * MINUTE) == b"sealed"
        assert await sessions.use(KEY, now=NOW + 20 * MINUTE, idle_at=NOW + 35 * MINUTE) is None

    async def test_what_is_taken_is_gone(self, sessions: Sessions) -> None:
        """Taking gives the content once, to one of many takers."""
        await sessions.open(KEY, b"sealed", OWNER, idle_at=NOW + MINUTE, ends_at=NOW + MINUTE)

        taken = await asyncio.gather(*(sessions.take(KEY, now=NOW) for _ in range(8)))

        assert taken.count(b"sealed") == 1
        assert taken.count(None) == 7

    async def test_what_has_ended_cannot_be_taken(self, sessions: Sessions) -> None:
        """An ended session gives nothing."""
        await sessions.open(KEY, b"sealed", OWNER, idle_at=NOW + MINUTE, ends_at=NOW + MINUTE)

        assert await sessions.take(KEY, now=NOW + MINUTE) is None

    async def test_a_closed_session_is_gone(self, sessions: Sessions) -> None:
        """After closing, the id opens nothing; closing again does no harm."""
        await sessions.open(KEY, b"sealed", OWNER, idle_at=NOW + MINUTE, ends_at=NOW + MINUTE)
        await sessions.close(KEY)
        await sessions.close(KEY)

        assert await sessions.use(KEY, now=NOW, idle_at=NOW + MINUTE) is None

    async def test_all_sessions_of_a_person_can_be_ended(self, sessions: Sessions) -> None:
        """Every session of the owner ends, nobody else's."""
        for key, owner in ((KEY, OWNER), (OTHER, OWNER), (b"x" * 32, b"q" * 32)):
            await sessions.open(key, b"sealed", owner, idle_at=NOW + MINUTE, ends_at=NOW + MINUTE)

        assert await sessions.close_all(OWNER) == 2
        assert await sessions.use(KEY, now=NOW, idle_at=NOW + MINUTE) is None
        assert await sessions.use(b"x" * 32, now=NOW, idle_at=NOW + MINUTE) == b"sealed"


class TestFakeSessions(SessionsContract):
    @pytest.fixture
    def sessions(self) -> Sessions:
        """Give the fake."""
        return FakeSessions()


class TestPostgresSessions(SessionsContract):
    @pytest.fixture
    def sessions(self, pool: Pool) -> Sessions:
        """Give the real ones."""
        return PostgresSessions(pool)

    async def test_ended_sessions_are_deleted(self, pool: Pool) -> None:
        """What has ended leaves the table, so that no CPR number stays even sealed."""
        sessions = PostgresSessions(pool)
        await sessions.open(KEY, b"sealed", OWNER, idle_at=NOW, ends_at=NOW)

        await sessions.use(OTHER, now=NOW + MINUTE, idle_at=NOW + 2 * MINUTE)

        assert await pool.fetchval("SELECT count(*) FROM web.session") == 0
