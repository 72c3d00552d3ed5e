"""Group commit: whole submissions, guards, poison, broken connections, and submitters who go away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest

from audit import postgres
from audit.committer import GroupCommitter, Places, Submission, append_all
from audit.contention import Line
from audit.errors import GuardChanged, LogUnavailable, UnknownLog
from audit.postgres import Connection
from tests.unit.audit.sealed import ORIGIN, OTHER, Crowded, new

# Whoever waits longer than this waits for ever.
LONGEST_SECONDS = 20.0


def of(*numbers: int, origin: str = ORIGIN, guard: object = None) -> Submission:
    """Make a submission of entries by number."""
    return Submission(tuple(new(number, origin) for number in numbers), guard)


@pytest.fixture(params=[Line, Crowded], ids=["calm", "crowded"])
async def committer(pool: "asyncpg.Pool[Any]", request: pytest.FixtureRequest) -> AsyncIterator[GroupCommitter]:
    """Commit in groups, with no guard: as where few write, and as where writers stand in line."""
    committer = GroupCommitter(pool, line=request.param())
    yield committer
    await committer.aclose()


async def size(pool: "asyncpg.Pool[Any]", origin: str = ORIGIN) -> int:
    """Read how many entries a log holds."""
    async with pool.acquire() as connection:
        return (await postgres.head(connection, origin)).size


async def until_an_append_waits(superuser: "asyncpg.Connection[Any]") -> None:
    """Wait until an append of this database stands before a locked head."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%log.append%'"
        " AND datname = current_database()"
    )
    async with asyncio.timeout(20):
        while not await superuser.fetchval(waiting):
            await asyncio.sleep(0.01)
            # The superuser stands in a transaction, which would otherwise see the same picture for ever.
            await superuser.execute("SELECT pg_stat_clear_snapshot()")


async def test_many_submitters_share_few_transactions(
    pool: "asyncpg.Pool[Any]", committer: GroupCommitter, superuser: "asyncpg.Connection[Any]"
) -> None:
    """Two hundred submissions of two entries each get their own places, in far fewer transactions."""
    tasks = [committer.submit(of(2 * n, 2 * n + 1)) for n in range(200)]
    answers = await asyncio.gather(*tasks)
    assert sorted(place.index for answer in answers for place in answer) == list(range(400))
    assert all(answer[1].index == answer[0].index + 1 for answer in answers)
    assert await superuser.fetchval("SELECT count(DISTINCT xmin::text) FROM log.entry") <= 3


async def test_a_batch_is_no_larger_than_allowed(
    pool: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]"
) -> None:
    """With room for four entries, ten entries go in at least three transactions; a larger submission stays whole."""
    committer = GroupCommitter(pool, max_entries=4)
    await asyncio.gather(*(committer.submit(of(n)) for n in range(10)), committer.submit(of(*range(20, 26))))
    groups = await superuser.fetch("SELECT count(*) AS n FROM log.entry GROUP BY xmin::text ORDER BY 1")
    assert [row["n"] for row in groups] == [2, 4, 4, 6]


async def test_a_refused_guard_takes_nobody_with_it(pool: "asyncpg.Pool[Any]") -> None:
    """Submissions whose guard is refused hear GuardChanged and write nothing; the others are written."""
    seen: list[int] = []

    async def write(connection: Connection, submissions: Sequence[Submission], early: bool) -> Places:
        seen.append(len(submissions))
        live = [one for one in submissions if one.guard != "stale"]
        places = iter(await append_all(connection, live, early))
        return [None if one.guard == "stale" else next(places) for one in submissions]

    committer = GroupCommitter(pool, write=write)
    answers = await asyncio.gather(
        *(committer.submit(of(n, guard="stale" if n % 3 == 0 else "live")) for n in range(9)),
        return_exceptions=True,
    )
    assert [isinstance(answer, GuardChanged) for answer in answers] == [n % 3 == 0 for n in range(9)]
    assert await size(pool) == 6
    assert sum(seen) == 9
    only = await asyncio.gather(committer.submit(of(30, guard="stale")), return_exceptions=True)
    assert isinstance(only[0], GuardChanged)


async def test_a_poisoned_submission_fails_alone(pool: "asyncpg.Pool[Any]", committer: GroupCommitter) -> None:
    """An id that is taken by another entry fails its own submission, whole; its batch is written."""
    await committer.submit(of(5))
    answers = await asyncio.gather(
        *(committer.submit(of(n)) for n in (10, 11)),
        committer.submit(of(12, 5)),
        committer.submit(of(13, origin="log.example/none")),
        committer.submit(of(14, origin=OTHER)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [list, list, LogUnavailable, UnknownLog, list]
    assert await size(pool) == 3
    assert await size(pool, OTHER) == 1


async def test_a_repeated_entry_gets_its_first_place(committer: GroupCommitter) -> None:
    """The same submission handed in twice, at once and later, is written once."""
    once = of(1)
    first, second = await asyncio.gather(committer.submit(once), committer.submit(once))
    (third,) = await committer.submit(once)
    assert [first[0].index, second[0].index, third.index] == [0, 0, 0]
    assert await committer.submit(Submission(())) == []


async def test_submitters_who_go_away_do_not_harm_the_batch(
    pool: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]", committer: GroupCommitter
) -> None:
    """Cancelled before or during the commit, a submitter takes nobody along; who was never begun is not written."""
    await superuser.execute("BEGIN")
    await superuser.execute("SELECT FROM log.head FOR UPDATE")
    running = asyncio.create_task(committer.submit(of(1)))
    beside = asyncio.create_task(committer.submit(of(2)))
    await until_an_append_waits(superuser)
    waiting = asyncio.create_task(committer.submit(of(3)))
    later = asyncio.create_task(committer.submit(of(4)))
    await asyncio.sleep(0)
    running.cancel()
    waiting.cancel()
    await superuser.execute("ROLLBACK")
    assert len(await beside) == len(await later) == 1
    async with pool.acquire() as connection:
        found = await postgres.positions(connection, [new(n).sealed.eid for n in (1, 2, 3, 4)])
    assert sorted(int.from_bytes(eid, "big") for eid in found) == [1, 2, 4]


async def test_a_connection_lost_before_commit_is_not_a_yes(
    pool: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]", committer: GroupCommitter
) -> None:
    """When the server ends the connection in the middle, submitters hear LogUnavailable, and later ones are served."""
    await superuser.execute("BEGIN")
    await superuser.execute("SELECT FROM log.head FOR UPDATE")
    task = asyncio.create_task(committer.submit(of(1)))
    await until_an_append_waits(superuser)
    await superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%log.append%'"
        " AND pid <> pg_backend_pid() AND datname = current_database()"
    )
    await superuser.execute("ROLLBACK")
    with pytest.raises(LogUnavailable):
        await task
    assert await size(pool) == 0
    assert (await committer.submit(of(1)))[0].index == 0


async def test_nobody_hears_a_place_before_the_commit(
    pool: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]", committer: GroupCommitter
) -> None:
    """Where everything went well but the COMMIT itself, nobody was told where their entry stands."""
    await superuser.execute(
        "CREATE FUNCTION log.too_late() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no commit'; END $$"
    )
    await superuser.execute(
        "CREATE CONSTRAINT TRIGGER too_late AFTER INSERT ON log.entry DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION log.too_late()"
    )

    with pytest.raises(LogUnavailable):
        await committer.submit(of(1))

    assert await size(pool) == 0


async def test_a_connection_lost_after_commit_is_looked_up(
    pool: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]"
) -> None:
    """When the answer to COMMIT is lost but the entries are there, their places are given."""
    lost: list[bool] = []

    class LosesOneAnswer:
        """A pool whose first transaction commits and then fails as if the line had been cut."""

        def acquire(self) -> Any:
            return _CutAfterCommit(pool) if not lost else pool.acquire()

    class _CutAfterCommit:
        def __init__(self, inner: "asyncpg.Pool[Any]") -> None:
            self._held = inner.acquire()

        async def __aenter__(self) -> Any:
            return await self._held.__aenter__()

        async def __aexit__(self, *error: object) -> None:
            await self._held.__aexit__(*error)
            lost.append(True)
            raise ConnectionResetError

    committer = GroupCommitter(LosesOneAnswer())  # type: ignore[arg-type]  # a stand-in for the one method used
    answers = await asyncio.gather(committer.submit(of(1, 2)), committer.submit(of(3)))
    assert lost
    assert sorted(place.index for answer in answers for place in answer) == [0, 1, 2]


async def test_a_log_that_hangs_is_no_yes(pool: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]") -> None:
    """A head held by somebody else beyond the time limit ends in LogUnavailable, and nothing is written."""
    committer = GroupCommitter(pool, timeout_seconds=0.3)
    await superuser.execute("BEGIN")
    await superuser.execute("SELECT FROM log.head FOR UPDATE")
    with pytest.raises(LogUnavailable):
        await asyncio.wait_for(committer.submit(of(1)), LONGEST_SECONDS)
    await superuser.execute("ROLLBACK")
    assert await size(pool) == 0


async def test_a_database_that_is_gone_is_said_to_everyone(pool: "asyncpg.Pool[Any]") -> None:
    """With the pool closed every submitter hears LogUnavailable, none waits."""
    committer = GroupCommitter(pool)
    await pool.close()
    answers = await asyncio.gather(*(committer.submit(of(n)) for n in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [LogUnavailable] * 3


async def test_a_fault_in_the_guard_leaves_nobody_waiting(pool: "asyncpg.Pool[Any]") -> None:
    """A guard that fails with a fault of its own is a no to all, and shows the fault to whoever closes."""

    async def write(_: Connection, __: Sequence[Submission], ___: bool) -> Places:
        raise RuntimeError("a fault")

    committer = GroupCommitter(pool, write=write)
    waiting = asyncio.gather(*(committer.submit(of(n)) for n in range(3)), return_exceptions=True)
    answers = await asyncio.wait_for(waiting, LONGEST_SECONDS)
    assert [type(answer) for answer in answers] == [LogUnavailable] * 3
    assert await size(pool) == 0
    with pytest.raises(RuntimeError):
        await committer.aclose()
