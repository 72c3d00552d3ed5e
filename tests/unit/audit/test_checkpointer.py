"""Signing: what extends the last checkpoint is signed, everything else is refused until someone has looked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit import postgres
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.checkpointer import Checkpointer
from audit.errors import StateRefused, TreeMismatch, UnknownLog
from audit.heads_file import HeadsFile
from audit.merkle import EMPTY_ROOT, Frontier, leaf_hash
from audit.note import SigningKey
from tests.unit.audit.sealed import ORIGIN, an_entry, new

KEY = SigningKey.generate(ORIGIN)
# Another byte, whichever stands there.
FLIPPED = "set_byte(leaf, 60, get_byte(leaf, 60) # 1)"


@pytest.fixture
async def all_powerful(dsn: str) -> Any:
    """Open connections as the superuser, who may append and keep checkpoints."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture
def heads(tmp_path: Path) -> Iterator[HeadsFile]:
    """Open a file of heads that remembers nothing yet."""
    with HeadsFile(tmp_path / "state", ORIGIN, new=True) as opened:
        yield opened


def another(tmp_path: Path, name: str = "another") -> HeadsFile:
    """Open one more file of heads, as a second machine would have."""
    return HeadsFile(tmp_path / name, ORIGIN, new=True)


async def grow(pool: "asyncpg.Pool[Any]", start: int, stop: int) -> None:
    """Append entries by number."""
    async with pool.acquire() as connection:
        await postgres.append(connection, [new(number) for number in range(start, stop)])


async def test_each_new_head_is_signed_once(all_powerful: "asyncpg.Pool[Any]", heads: HeadsFile) -> None:
    """Empty, grown and unchanged: the note opens with the key, and only news is put on record."""
    checkpointer = Checkpointer(all_powerful, [KEY], heads)
    first = await checkpointer.run_once(ORIGIN)
    assert first.checkpoint == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    await grow(all_powerful, 0, 1500)
    second = await checkpointer.run_once(ORIGIN)
    third = await checkpointer.run_once(ORIGIN)
    assert second == third
    assert open_checkpoint(second.note, ORIGIN, [KEY.verify_key]).size == 1500
    async with all_powerful.acquire() as connection:
        kept = [one async for one in postgres.checkpoints(connection, 1)]
    assert [(one.size, one.note) for one in kept] == [(0, first.note), (1500, second.note)]


async def test_a_new_process_goes_on_from_what_was_signed(all_powerful: "asyncpg.Pool[Any]", heads: HeadsFile) -> None:
    """After each restart the record is extended, not begun again."""
    for number in range(6):
        await grow(all_powerful, number, number + 1)
        assert (await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)).checkpoint.size == number + 1


async def test_a_process_that_ended_between_its_file_and_the_record_goes_on(
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]", heads: HeadsFile
) -> None:
    """The file is ahead of the record: what it says is signed again, the same to the byte, and put on record."""
    for start, stop in ((0, 5), (5, 9)):
        await grow(all_powerful, start, stop)
        signed = await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
        await superuser.execute("DELETE FROM log.checkpoint WHERE size = $1", stop)
        again = await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
        assert again == signed
    await grow(all_powerful, 9, 11)
    assert (await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)).checkpoint.size == 11


async def test_a_file_that_was_put_back_is_refused(all_powerful: "asyncpg.Pool[Any]", tmp_path: Path) -> None:
    """The record in the database knows of more than the file: it was restored, or two processes sign."""
    await grow(all_powerful, 0, 5)
    with another(tmp_path) as heads:
        await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
        old = (tmp_path / "another").read_bytes()
        await grow(all_powerful, 5, 9)
        await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
        (tmp_path / "another").write_bytes(old)
        for _ in range(2):
            with pytest.raises(TreeMismatch, match="put back"):
                await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)


async def test_a_database_that_was_put_back_is_refused(
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]", heads: HeadsFile
) -> None:
    """Rows, head and record are those of a backup, at rest and after growing again: the file knows better."""
    await grow(all_powerful, 0, 5)
    await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
    backup = await superuser.fetchrow("SELECT size, root, frontier FROM log.head WHERE id = 1")
    await grow(all_powerful, 5, 9)
    await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
    await superuser.execute(CUT.replace("4", "5") + "; DELETE FROM log.checkpoint WHERE size > 5")
    put_back = "UPDATE log.head SET size = $1, root = $2, frontier = $3 WHERE id = 1"
    await superuser.execute(put_back, *backup.values())
    with pytest.raises(TreeMismatch, match="shorter"):
        await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
    await grow(all_powerful, 105, 112)
    with pytest.raises(TreeMismatch, match="does not extend"):
        await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
    assert await superuser.fetchval("SELECT max(size) FROM log.checkpoint") == 5


async def test_a_log_signed_by_others_is_taken_over_only_when_that_is_said(
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]", heads: HeadsFile, tmp_path: Path
) -> None:
    """A file that has not heard of a signed log refuses it; told to, it hashes all of it again, and then goes on."""
    await grow(all_powerful, 0, 5)
    await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
    with another(tmp_path) as fresh:
        with pytest.raises(TreeMismatch, match="not heard of it"):
            await Checkpointer(all_powerful, [KEY], fresh).run_once(ORIGIN)
        assert (await Checkpointer(all_powerful, [KEY], fresh, take_over=True).run_once(ORIGIN)).checkpoint.size == 5
        await grow(all_powerful, 5, 7)
        assert (await Checkpointer(all_powerful, [KEY], fresh).run_once(ORIGIN)).checkpoint.size == 7
    await superuser.execute(f"UPDATE log.entry SET leaf = {FLIPPED} WHERE idx = 2")
    with another(tmp_path, "third") as fresh, pytest.raises(TreeMismatch):
        await Checkpointer(all_powerful, [KEY], fresh, take_over=True).run_once(ORIGIN)


async def test_two_that_sign_are_found_out(all_powerful: "asyncpg.Pool[Any]", heads: HeadsFile, tmp_path: Path) -> None:
    """The same key on two machines: whoever comes second to a head refuses from then on."""
    await grow(all_powerful, 0, 5)
    await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
    with another(tmp_path) as second:
        await Checkpointer(all_powerful, [KEY], second, take_over=True).run_once(ORIGIN)
        await grow(all_powerful, 5, 9)
        await Checkpointer(all_powerful, [KEY], second).run_once(ORIGIN)
    with pytest.raises(TreeMismatch, match="two sign"):
        await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)


async def test_nothing_is_signed_where_the_file_cannot_be_written(
    all_powerful: "asyncpg.Pool[Any]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails under the file: no signature leaves, no record is made; mended, it goes on."""
    signed: list[bytes] = []

    class Counting(SigningKey):
        def sign(self, message: bytes) -> bytes:
            signed.append(message)
            return SigningKey.sign(self, message)

    key = Counting(KEY.name, KEY.seed)
    await grow(all_powerful, 0, 5)
    with another(tmp_path) as heads:
        with monkeypatch.context() as patched:

            def failing(handle: int) -> None:
                raise OSError(28, "No space left on device")

            patched.setattr("audit.durable_file.os.fsync", failing)
            with pytest.raises(StateRefused, match="No space"):
                await Checkpointer(all_powerful, [key], heads).run_once(ORIGIN)
        async with all_powerful.acquire() as connection:
            assert [one async for one in postgres.checkpoints(connection, 1)] == []
        assert signed == []
        assert (await Checkpointer(all_powerful, [key], heads).run_once(ORIGIN)).checkpoint.size == 5


async def test_a_new_key_signs_beside_the_old_and_then_alone(
    all_powerful: "asyncpg.Pool[Any]", heads: HeadsFile
) -> None:
    """Through a change of keys no checkpoint is without a signature that each kind of verifier knows."""
    new_key = SigningKey.generate(ORIGIN)
    of = {"old": [KEY.verify_key], "new": [new_key.verify_key]}
    stages = [([KEY], ("old",), ()), ([new_key, KEY], ("old", "new"), ()), ([new_key], ("new",), (KEY.verify_key,))]
    for number, (keys, opens, former) in enumerate(stages):
        await grow(all_powerful, number, number + 1)
        signed = await Checkpointer(all_powerful, keys, heads, former_keys=former).run_once(ORIGIN)
        for kind in opens:
            assert open_checkpoint(signed.note, ORIGIN, of[kind]).size == number + 1
    third = SigningKey.generate(ORIGIN)
    with pytest.raises(TreeMismatch, match="not one that was signed"):
        await Checkpointer(all_powerful, [third], heads).run_once(ORIGIN)


async def test_the_checkpointer_s_role_is_enough(dsn: str, all_powerful: "asyncpg.Pool[Any]", heads: HeadsFile) -> None:
    """With the role that may keep checkpoints but not append, heads are signed."""

    async def as_checkpointer(connection: postgres.Connection) -> None:
        await connection.execute(f"SET ROLE {postgres.CHECKPOINTER_ROLE}")

    await grow(all_powerful, 0, 3)
    prepared = []

    async def prepare(connection: postgres.Connection) -> None:
        prepared.append(connection.is_in_transaction())

    async with asyncpg.create_pool(dsn, min_size=1, max_size=1, setup=as_checkpointer) as pool:
        assert (await Checkpointer(pool, [KEY], heads, prepare=prepare).run_once(ORIGIN)).checkpoint.size == 3
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await grow(pool, 3, 4)
    assert prepared == [True, True]


CUT = "; ".join(f"DELETE FROM log.{table} WHERE idx >= 4" for table in ("entry", "body", "index"))
MISMATCHES = [
    ("nothing, for comparison", "SELECT 1", None),
    ("a new leaf changed", f"UPDATE log.entry SET leaf = {FLIPPED} WHERE idx = 6", "head"),
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
    all_powerful: "asyncpg.Pool[Any]",
    superuser: "asyncpg.Connection[Any]",
    heads: HeadsFile,
    statement: str,
    said: str | None,
) -> None:
    """Whatever was changed since the last signature, nothing is signed, this time and the next."""
    checkpointer = Checkpointer(all_powerful, [KEY], heads)
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
    all_powerful: "asyncpg.Pool[Any]", superuser: "asyncpg.Connection[Any]", heads: HeadsFile
) -> None:
    """With the key stolen and rows, head and record all made anew, the file still remembers better."""
    checkpointer = Checkpointer(all_powerful, [KEY], heads)
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
    for one in (checkpointer, Checkpointer(all_powerful, [KEY], heads)):
        with pytest.raises(TreeMismatch):
            await one.run_once(ORIGIN)


async def test_the_record_never_goes_back(all_powerful: "asyncpg.Pool[Any]", heads: HeadsFile) -> None:
    """The database refuses a smaller checkpoint, another root at the same size, and one beyond the head."""
    await grow(all_powerful, 0, 5)
    await Checkpointer(all_powerful, [KEY], heads).run_once(ORIGIN)
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


async def test_a_log_that_does_not_exist_is_not_signed(all_powerful: "asyncpg.Pool[Any]", heads: HeadsFile) -> None:
    """There is nothing to sign for an unknown origin."""
    with pytest.raises(UnknownLog):
        await Checkpointer(all_powerful, [KEY], heads).run_once("log.example/none")
