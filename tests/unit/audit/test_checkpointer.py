"""Signing: what extends the last checkpoint is signed, everything else is refused until someone has looked."""

import asyncio
from typing import Any

import asyncpg
import pytest

from audit import postgres
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.checkpointer import Checkpointer
from audit.errors import TreeMismatch, UnknownLog
from audit.merkle import EMPTY_ROOT, Frontier, leaf_hash
from audit.note import SigningKey
from tests.unit.audit.sealed import ORIGIN, an_entry, new

KEY = SigningKey.generate(ORIGIN)


@pytest.fixture
async def all_powerful(dsn: str) -> Any:
    """Open connections as the superuser, who may append and keep checkpoints."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool:
        yield pool


async def grow(pool: "asyncpg.Pool[Any]", start: int, stop: int) -> None:
    """Append entries by number."""
    async with pool.acquire() as connection:
        await postgres.append(connection, [new(number) for number in range(start, stop)])


async def test_each_new_head_is_signed_once(all_powerful: "asyncpg.Pool[Any]") -> None:
    """Empty, grown and unchanged: the note opens with the key, and only news is put on record."""
    checkpointer = Checkpointer(all_powerful, KEY)
    first = await checkpointer.run_once(ORIGIN)
    assert first.checkpoint == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    await grow(all_powerful, 0, 1500)
    second = await checkpointer.run_once(ORIGIN)
    third = await checkpointer.run_once(ORIGIN)
    assert second == third
    assert open_checkpoint(second.note, ORIGIN, [KEY.verify_key]).size == 1500
    async with all_powerful.acquire() as connection:
        kept = await postgres.checkpoints(connection, 1)
    assert [(one.size, one.note) for one in kept] == [(0, first.note), (1500, second.note)]


async def test_a_new_process_goes_on_from_the_record(all_powerful: "asyncpg.Pool[Any]") -> None:
    """After a restart, and with several processes in turn or at once, the record is extended, not begun again."""
    one, two = Checkpointer(all_powerful, KEY), Checkpointer(all_powerful, KEY)
    for number in range(6):
        await grow(all_powerful, number, number + 1)
        signed = await (one if number % 3 else two).run_once(ORIGIN)
        assert signed.checkpoint.size == number + 1
    await grow(all_powerful, 6, 9)
    both = await asyncio.gather(one.run_once(ORIGIN), two.run_once(ORIGIN))
    assert [signed.checkpoint.size for signed in both] == [9, 9]
    assert (await Checkpointer(all_powerful, KEY).run_once(ORIGIN)).checkpoint.size == 9


async def test_the_checkpointer_s_role_is_enough(dsn: str, all_powerful: "asyncpg.Pool[Any]") -> None:
    """With the role that may keep checkpoints but not append, heads are signed."""

    async def as_checkpointer(connection: postgres.Connection) -> None:
        await connection.execute(f"SET ROLE {postgres.CHECKPOINTER_ROLE}")

    await grow(all_powerful, 0, 3)
    prepared = []

    async def prepare(connection: postgres.Connection) -> None:
        prepared.append(connection.is_in_transaction())

    async with asyncpg.create_pool(dsn, min_size=1, max_size=1, setup=as_checkpointer) as pool:
        assert (await Checkpointer(pool, KEY, prepare=prepare).run_once(ORIGIN)).checkpoint.size == 3
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await grow(pool, 3, 4)
    assert prepared == [True, True]


CUT = "; ".join(f"DELETE FROM log.{table} WHERE idx >= 4" for table in ("entry", "body", "index"))
MISMATCHES = [
    ("nothing, for comparison", "SELECT 1", None),
    ("a new leaf changed", "UPDATE log.entry SET leaf = set_byte(leaf, 60, 0) WHERE idx = 6", "head"),
    ("a new row gone", "DELETE FROM log.entry WHERE idx = 6", "lost"),
    ("the head's root changed", "UPDATE log.head SET root = sha256('x')", "head"),
    ("the head's frontier changed", "UPDATE log.head SET frontier = frontier || frontier", "head"),
    ("the head cut back", f"{CUT}; UPDATE log.head SET size = 4", "shorter"),
    ("the record deleted", "DELETE FROM log.checkpoint", "no longer on record"),
    ("the record's note forged", "UPDATE log.checkpoint SET note = 'x'", "not one that was signed"),
    ("the record's root changed", "UPDATE log.checkpoint SET root = sha256('x')", "not the one"),
    ("the record's frontier changed", "UPDATE log.checkpoint SET frontier = frontier || frontier", "not one"),
    ("the record's size changed", "UPDATE log.checkpoint SET size = 4", "not one"),
]


@pytest.mark.parametrize(("statement", "said"), [row[1:] for row in MISMATCHES], ids=[row[0] for row in MISMATCHES])
async def test_nothing_is_signed_over_a_mismatch(
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]", statement: str, said: str | None
) -> None:
    """Whatever was changed since the last signature, nothing is signed, this time and the next."""
    checkpointer = Checkpointer(all_powerful, KEY)
    await grow(all_powerful, 0, 5)
    await checkpointer.run_once(ORIGIN)
    await grow(all_powerful, 5, 8)
    await superuser.execute(statement)
    before = await superuser.fetch("SELECT * FROM log.checkpoint")
    if said is None:
        assert (await checkpointer.run_once(ORIGIN)).checkpoint.size == 8
        return
    for _ in range(2):
        with pytest.raises(TreeMismatch, match=said):
            await checkpointer.run_once(ORIGIN)
    assert await superuser.fetch("SELECT * FROM log.checkpoint") == before


async def test_a_log_that_was_rewritten_and_signed_by_a_thief_is_refused(
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]"
) -> None:
    """With the key stolen and rows, head and record all made anew, a running process still remembers better."""
    checkpointer = Checkpointer(all_powerful, KEY)
    await grow(all_powerful, 0, 5)
    await checkpointer.run_once(ORIGIN)
    forged = an_entry(2)
    await superuser.execute(
        "UPDATE log.entry SET leaf = $1, leaf_hash = $2 WHERE idx = 2", forged.leaf, leaf_hash(forged.leaf)
    )
    frontier = Frontier().extend(leaf_hash(leaf) for leaf in await postgres.leaves(superuser, 1, 0, 5))
    note = Checkpoint(ORIGIN, 5, frontier.root()).signed_by(KEY)
    values = (frontier.root(), frontier.to_bytes())
    await superuser.execute("UPDATE log.head SET root = $1, frontier = $2 WHERE id = 1", *values)
    await superuser.execute("UPDATE log.checkpoint SET root = $1, frontier = $2, note = $3", *values, note)
    with pytest.raises(TreeMismatch):
        await checkpointer.run_once(ORIGIN)


async def test_the_record_never_goes_back(all_powerful: "asyncpg.Pool[Any]") -> None:
    """The database refuses a smaller checkpoint, another root at the same size, and one beyond the head."""
    await grow(all_powerful, 0, 5)
    await Checkpointer(all_powerful, KEY).run_once(ORIGIN)
    async with all_powerful.acquire() as connection:
        leaves = [leaf_hash(leaf) for leaf in await postgres.leaves(connection, 1, 0, 5)]
        for frontier in (
            Frontier().extend(leaves[:4]),
            Frontier().extend(leaves[:4] * 2),
            Frontier().extend(leaves[::-1]),
        ):
            with pytest.raises(asyncpg.PostgresError) as refused:
                await postgres.keep_checkpoint(connection, ORIGIN, frontier, "note")
            assert refused.value.sqlstate == "LG004"


async def test_a_log_that_does_not_exist_is_not_signed(all_powerful: "asyncpg.Pool[Any]") -> None:
    """There is nothing to sign for an unknown origin."""
    with pytest.raises(UnknownLog):
        await Checkpointer(all_powerful, KEY).run_once("log.example/none")
