"""Building every list anew from the rows: what a superuser did to a map, when, and to whom it matters."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from audit import postgres
from audit.__main__ import main
from audit.commitment import Party
from audit.map_committer import MapCommitter
from audit.map_root import MapRoot
from audit.verify_map import verify_maps
from tests.unit.audit.sealed import ORIGIN, OTHER, an_entry, mapped, new

ANNA, BO = Party(b"anna", b"a" * 32), Party(b"bo", b"b" * 32)


@pytest.fixture
async def grown(dsn: str) -> str:
    """Make a log of three epochs about two people, with an entry from before there was a map; give its address."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        committer = MapCommitter(pool, epoch_seconds=0)
        for first in (0, 10, 20):
            async with pool.acquire() as connection:
                owners = (ANNA, BO, ANNA)
                await postgres.append(connection, [mapped(first + n, owner) for n, owner in enumerate(owners)])
                await postgres.append(connection, [new(first + 5)])
            await committer.run_once(ORIGIN)
    return dsn


async def faults_after(dsn: str, *statements: str) -> list[str]:
    """Do something to the database as its superuser, and say what building anew finds in the log."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
        return [str(fault) for fault in (await verify_maps(connection))[ORIGIN]]
    finally:
        await connection.close()


async def test_an_honest_map_has_no_fault(grown: str) -> None:
    """Three epochs, an entry from before, one lawfully deleted, one newer than the map: nothing to say."""
    assert await faults_after(grown) == []
    deleted = "WITH b AS (DELETE FROM log.body WHERE idx = 1) DELETE FROM log.index WHERE idx = 1"
    connection = await asyncpg.connect(grown)
    await postgres.append(connection, [mapped(99, ANNA)])
    await connection.close()
    assert await faults_after(grown, deleted) == []


BENT = {
    "an entry is left out of its list": (
        "DELETE FROM log.map_entry WHERE idx = 5",
        "entry 5: is missing from its list",
    ),
    "an entry is put in another list": (
        "UPDATE log.map_entry SET map_key = (SELECT map_key FROM log.map_entry WHERE idx = 1) WHERE idx = 0",
        "entry 0: stands in another list than its own",
    ),
    "its words are others": (
        "UPDATE log.map_entry SET shown = sha256('') WHERE idx = 2",
        "entry 2: stands in another list than its own",
    ),
    "an entry's index row and place are gone": (
        "WITH i AS (DELETE FROM log.index WHERE idx = 2) DELETE FROM log.map_entry WHERE idx = 2",
        "map root at entry 4: is not the root of the lists of entries 0 to 3",
    ),
    "a list is served shorter": (
        "UPDATE log.map_leaf SET count = 1",
        "map: 2 lists served otherwise than the entries say",
    ),
    "a list is served that nobody has": (
        (
            "INSERT INTO log.map_leaf SELECT 1, log.map_bucket_of(l), l, 't', k, 1, k, k"
            " FROM (SELECT sha256('\\x02'::bytea || k) AS l, k FROM sha256('') AS k) AS made"
        ),
        "map: 1 list served otherwise than the entries say",
    ),
    "a tile is gone": ("DELETE FROM log.map_tile WHERE level = 1", "map: tiles are not those of the entries"),
    "an older map is served": (
        "UPDATE log.map SET idx = 4, covered = 4",
        "map: is not the one whose root stands in the log last",
    ),
}


@pytest.mark.parametrize(("statement", "told"), BENT.values(), ids=BENT.keys())
async def test_whatever_was_done_to_the_map_is_named(grown: str, statement: str, told: str) -> None:
    """Each change of lists, roots or tiles is found, and said of the entry or the epoch it concerns."""
    assert told in await faults_after(grown, statement)


async def test_a_root_that_cut_a_list_for_a_while_is_found_later(grown: str) -> None:
    """A superuser puts a false root on the log and a true one after it: the false one stays and is named."""
    connection = await asyncpg.connect(grown)
    (kept,) = await connection.fetch("SELECT idx, root, covered FROM log.map")
    for covered in ((await postgres.head(connection, ORIGIN)).size, 10_000):
        false = MapRoot(b"f" * 32, covered)
        # The append takes a root only where the map's row expects it.
        await connection.execute(
            "UPDATE log.map SET idx = (SELECT size FROM log.head WHERE origin = $1), root = $2, covered = $3",
            ORIGIN, false.root, covered,
        )  # fmt: skip
        await postgres.append(connection, [postgres.NewEntry(ORIGIN, false.sealed("0101", 2026, head_time(), 0))])
    await connection.execute("UPDATE log.map SET idx = $1, root = $2, covered = $3", *kept)
    await connection.close()
    told = await faults_after(grown)
    assert "map root at entry 15: is not the root of the lists of entries 0 to 14" in told
    assert "map root at entry 16: covers what it cannot cover" in told


async def test_an_entry_of_the_roots_kind_that_is_none_is_named(dsn: str) -> None:
    """A leaf of that kind with anything in its empty bytes is no root, and said to be none."""
    connection = await asyncpg.connect(dsn)
    odd = an_entry(1, index={"kind": "map"})
    await postgres.append(connection, [postgres.NewEntry(ORIGIN, odd)])
    await connection.execute("UPDATE log.entry SET leaf = $1", odd.leaf[:1] + b"\xff\x01" + odd.leaf[3:])
    await connection.close()
    assert await faults_after(dsn) == ["entry 0: is no root of a map, though it is of that kind"]


def head_time() -> datetime:
    """Give a moment."""
    return datetime(2026, 3, 1, tzinfo=UTC)


def run(dsn: str, statement: str) -> Any:
    """Do something as the superuser, from where no loop runs."""

    async def done() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(statement)
        await connection.close()

    return asyncio.run(done())


def test_the_command_names_the_list(grown: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`verify --database --map` says it in one line and ends with 1; without `--map` lists are not looked at."""
    assert main(["verify", "--database", grown, "--map"]) == 0
    run(grown, "DELETE FROM log.map_entry WHERE idx = 5")
    assert main(["verify", "--database", grown]) == 0
    capsys.readouterr()
    assert main(["verify", "--database", grown, "--map", "--origin", ORIGIN]) == 1
    assert f"{ORIGIN}: entry 5: is missing from its list" in capsys.readouterr().out
    assert main(["verify", "--database", grown, "--map", "--origin", OTHER]) == 0
