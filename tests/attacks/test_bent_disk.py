"""The database's own files bent, restored or full: who notices, and that nothing acknowledged is lost (P2, P7).

A server of its own for each case, copied from one that was made ready; the rows stand in tests/bent_log.yaml.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from audit import postgres
from audit.commitment import seal
from audit.committer import GroupCommitter, Submission
from audit.errors import LogUnavailable
from audit.postgres import NewEntry
from audit.verify_postgres import verify_logs
from broker.adapters.database import open_pool
from demo.postgres import PostgresUnavailable, PrivatePostgres
from demo.postgres_programs import NOBODY, find_programs, run_as_server
from tests.bending import CASES, ENTRIES, KEY, SIGNED, SIZE, Bent
from tests.signing import own_checkpointer, sign_and_publish
from tests.unit.audit.sealed import ACTOR, CITIZEN, ORIGIN, laid

DATABASE = "bent"
ON_DISK = [row for row in CASES["cases"] if "disk" in row]
# Enough for a server and some rows, and too little for what is written then.
SMALL, LARGE = "96m", "600m"
WRITTEN_AT_ONCE = 200_000


@dataclass(frozen=True)
class Ready:
    """Folders of a server that is stopped: now, and as it was at fourteen entries."""

    now: Path
    before: Path


@contextmanager
def an_open_folder() -> Iterator[Path]:
    """Give a folder that the server's user can pass through, so that its files lie in it and nowhere else."""
    folder = Path(tempfile.mkdtemp(prefix="borgerbro-disk-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def place() -> Iterator[Path]:
    """Give such a folder to one test."""
    with an_open_folder() as folder:
        yield folder


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def ready() -> AsyncIterator[Ready]:
    """Make a server with twenty signed entries, and keep a copy of the time when there were fourteen."""
    with an_open_folder() as folder:
        yield await make_ready(folder)


async def make_ready(folder: Path) -> Ready:
    """Make it, and stop it."""
    made = Ready(folder / "now", folder / "before")
    server = PrivatePostgres(made.now)
    await asyncio.to_thread(server.start)
    dsn = await asyncio.to_thread(server.create_database, DATABASE)
    connection = await asyncpg.connect(dsn)
    for statement in laid():
        await connection.execute(statement)
    await postgres.open_log(connection, ORIGIN, "0101", 2026)
    low = 0
    for size in SIGNED:
        await postgres.append(connection, ENTRIES[low:size])
        pool = await open_pool(dsn, name="signing", largest=2)
        await sign_and_publish(own_checkpointer(pool, KEY), ORIGIN)
        await pool.close()
        low = size
        if size == SIGNED[1]:
            await connection.close()
            await asyncio.to_thread(server.stop)
            copied(made.now, made.before)
            await asyncio.to_thread(server.start)
            connection = await asyncpg.connect(server.dsn(DATABASE))
    await connection.close()
    await asyncio.to_thread(server.stop)
    return made


def copied(folder: Path, to: Path) -> None:
    """Copy a stopped server whole, with owners and rights."""
    subprocess.run(["cp", "-a", str(folder), str(to)], check=True)


@asynccontextmanager
async def a_server_to_bend(ready: Ready, folder: Path) -> AsyncIterator[Bent]:
    """Give a copy that runs: its checkpointer has signed twenty entries, and four more have come."""
    copied(ready.now, folder / "server")
    server = PrivatePostgres(folder / "server")
    await asyncio.to_thread(server.start)
    pool: Any = await open_pool(server.dsn(DATABASE), name="bent", largest=2)
    bent = Bent(server, DATABASE, pool, await asyncpg.connect(server.dsn(DATABASE)), own_checkpointer(pool, KEY))
    bent.kept = (await bent.checkpointer.run_once(ORIGIN)).note
    await postgres.append(bent.superuser, ENTRIES[SIGNED[-1] : SIZE])
    try:
        yield bent
    finally:
        await bent.superuser.close()
        await pool.close()
        await asyncio.to_thread(server.remove)


async def flip_a_bit(bent: Bent, ready: Ready) -> None:
    """Turn a bit over in the file of the entries."""
    path = await bent.superuser.fetchval("SELECT pg_relation_filepath('log.entry')")
    await bent.superuser.close()
    await asyncio.to_thread(bent.server.stop)
    file = bent.server.folder / "data" / path
    content = bytearray(file.read_bytes())
    place = content.index(ENTRIES[9].sealed.leaf) + 60
    content[place] ^= 1
    file.write_bytes(content)
    await start_again(bent)


async def restore_files(bent: Bent, ready: Ready) -> None:
    """Put the data folder back to what a backup holds."""
    await bent.superuser.close()
    await asyncio.to_thread(bent.server.stop)
    shutil.rmtree(bent.server.folder / "data")
    copied(ready.before / "data", bent.server.folder / "data")
    await start_again(bent)


async def take_the_wal_away(bent: Bent, ready: Ready) -> None:
    """Let the server fall just after a signature, take its WAL away, and talk it into starting without."""
    bent.kept = (await bent.checkpointer.run_once(ORIGIN)).note
    await bent.superuser.close()
    await asyncio.to_thread(bent.server.kill)
    data = bent.server.folder / "data"
    for file in (data / "pg_wal").glob("0*"):
        file.unlink()
    with pytest.raises(PostgresUnavailable):
        await asyncio.to_thread(bent.server.start)
    (data / "postmaster.pid").unlink(missing_ok=True)
    program = find_programs(bent.server.folder, None) / "pg_resetwal"
    told = run_as_server([str(program), "-f", str(data)], bent.server.folder)
    assert told.returncode == 0, told.stderr
    await start_again(bent)


async def start_again(bent: Bent) -> None:
    """Start the bent server."""
    await asyncio.to_thread(bent.server.start)
    bent.superuser = await asyncpg.connect(bent.server.dsn(DATABASE))


BENDS: dict[str, Callable[[Bent, Ready], Awaitable[None]]] = {
    "flip_a_bit": flip_a_bit,
    "restore_files": restore_files,
    "take_the_wal_away": take_the_wal_away,
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", ON_DISK, ids=[row["name"] for row in ON_DISK])
async def test_what_is_bent_on_the_disk_is_noticed(ready: Ready, row: dict[str, Any], place: Path) -> None:
    """Each case is noticed by those its row names."""
    async with a_server_to_bend(ready, place) as bent:
        await BENDS[row["disk"]](bent, ready)
        noticed = await bent.noticed_by()

    assert noticed == set(row["found_by"]), bent.said
    assert any(row["says"] in said for said in bent.said), bent.said


@contextmanager
def a_small_disk(place: Path) -> Iterator[Path]:
    """Give a disk that is soon full; it can be made larger."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL},mode=0711", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def larger(place: Path) -> None:
    """Make a small disk larger."""
    subprocess.run(["mount", "-o", f"remount,size={LARGE}", str(place)], check=True)


def _can_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return tried.returncode == 0


def large(number: int) -> NewEntry:
    """Make an entry with a body that does not compress."""
    sealed = seal(
        eid=number.to_bytes(16, "big"), kind=1, subject=CITIZEN, actor=ACTOR, body=os.urandom(WRITTEN_AT_ONCE),
        index={"kind": "ask"},
    )  # fmt: skip
    return NewEntry(ORIGIN, sealed)


@pytest.mark.skipif(not _can_mount(), reason="a disk that is soon full is a tmpfs, which root may mount here")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("full", ["all of it", "pg_wal", "base"])
async def test_a_full_disk_loses_nothing_that_was_acknowledged(ready: Ready, place: Path, full: str) -> None:
    """Writers hear a no when the disk is full; with room again all that they were told is there, and they go on.

    Tables alone (`base`) go on without a restart, and can be read while they are full.
    """
    with a_small_disk(place / "disk") as disk:
        folder = disk / "server" if full == "all of it" else place / "server"
        copied(ready.now, folder)
        if full != "all of it":
            copied(folder / "data" / full, disk / full)
            shutil.rmtree(folder / "data" / full)
            (folder / "data" / full).symlink_to(disk / full)
            os.chown(folder / "data" / full, NOBODY, NOBODY, follow_symlinks=False)
        server = PrivatePostgres(folder)
        try:
            await asyncio.to_thread(server.start)
            told = await _write_until_it_is_full(server)
            if full == "base":
                assert await _found(server, told) == told
            await asyncio.to_thread(larger, disk)
            if full != "base":
                await asyncio.to_thread(server.stop)
                await asyncio.to_thread(server.start)
            await _see_it_all(server, told)
        finally:
            await asyncio.to_thread(server.remove)


async def _write_until_it_is_full(server: PrivatePostgres) -> dict[bytes, int]:
    pool = await open_pool(server.dsn(DATABASE), name="filling", largest=2)
    committer = GroupCommitter(pool, timeout_seconds=10.0)
    told: dict[bytes, int] = {}
    try:
        for number in range(100_000, 102_000):
            (place,) = await committer.submit(Submission((large(number),)))
            told[place.eid] = place.index
    except LogUnavailable:
        pass
    else:
        pytest.fail("the disk never was full")
    await committer.aclose()
    await pool.close()
    assert told
    return told


async def _found(server: PrivatePostgres, told: dict[bytes, int]) -> dict[bytes, int]:
    connection = await asyncpg.connect(server.dsn(DATABASE))
    found = await postgres.positions(connection, told)
    await connection.close()
    return {eid: place.index for eid, place in found.items()}


async def _see_it_all(server: PrivatePostgres, told: dict[bytes, int]) -> None:
    assert await _found(server, told) == told
    connection = await asyncpg.connect(server.dsn(DATABASE))
    (report,) = await verify_logs(connection, origin=ORIGIN, keys=[KEY.verify_key])
    assert report.intact, report.faults
    (place,) = await postgres.append(connection, [large(200_000)])
    assert place.index == report.size
    await connection.close()
