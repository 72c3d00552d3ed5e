"""Where a copy could lie: files, rows, what a process has open or mapped, what it answers; all as bytes to search."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

import asyncpg

from tests.canaries import Hit, Search

_ROWS = """
SELECT format('SELECT t::text FROM %I.%I AS t', table_schema, table_name) FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""
_MAPPED = re.compile(r"^([0-9a-f]+-[0-9a-f]+) \S+ \S+ \S+ (?!0\b)\d+ +(/.*)$", re.MULTILINE)

_WRITTEN = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw-p ", re.MULTILINE)
_PIECE = 1 << 16


@dataclass(slots=True)
class Trace:
    """What was searched in one place, and what was found there."""

    pieces: int = 0
    size: int = 0
    hits: set[Hit] = field(default_factory=set)


def searched(search: Search, pieces: Iterable[bytes]) -> Trace:
    """Search every piece."""
    trace = Trace()
    for piece in pieces:
        trace.pieces += 1
        trace.size += len(piece)
        trace.hits |= search.through(piece)
    return trace


def files_below(folder: Path, *, but: Iterable[Path] = (), since: float = 0) -> Iterator[bytes]:
    """Read every regular file below a folder that was written since a moment; some folders are left out."""
    spared = set(but)
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if Path(place, name) not in spared]
        for name in names:
            try:
                told = Path(place, name).lstat()
                if stat.S_ISREG(told.st_mode) and max(told.st_mtime, told.st_ctime) >= since:
                    yield Path(place, name).read_bytes()
            except FileNotFoundError:
                # The database takes its own files away while we look.
                continue


def loose_files(since: float) -> Iterator[bytes]:
    """Read our own files that lie openly in the machine's temporary folders, written since a moment."""
    for folder in (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):
        for file in folder.iterdir():
            with suppress(OSError):
                told = file.lstat()
                if stat.S_ISREG(told.st_mode) and told.st_uid == os.geteuid() and told.st_mtime >= since:
                    yield file.read_bytes()


def files_of_process(process: int, since: float) -> Iterator[bytes]:
    """Read every regular file a process has open or mapped, deleted ones too, that was written since a moment."""
    home = Path(f"/proc/{process}")
    seen: set[tuple[int, int]] = set()
    mapped = [home / "map_files" / place for place, _ in _MAPPED.findall((home / "maps").read_text())]
    for link in [*(home / "fd").iterdir(), *mapped]:
        try:
            told = link.stat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(told.st_mode) or (told.st_dev, told.st_ino) in seen:
            continue
        seen.add((told.st_dev, told.st_ino))
        if max(told.st_mtime, told.st_ctime) >= since:
            yield link.read_bytes()


def names_below(folder: Path) -> Iterator[bytes]:
    """Give the name of everything below a folder, and where links lead."""
    for place, folders, names in os.walk(folder):
        yield "\n".join([place, *folders, *names]).encode()
        for name in names:
            with suppress(OSError):
                yield bytes(Path(place, name).readlink())


def words_of_process(process: int) -> Iterator[bytes]:
    """Give what everybody on the machine, or of the same user, may read of a process: its arguments and environment."""
    for name in ("cmdline", "environ", "comm"):
        with suppress(FileNotFoundError):
            yield Path(f"/proc/{process}/{name}").read_bytes()


def memory_of_process(process: int) -> Iterator[bytes]:
    """Read what a process has written in memory of its own, a mapping at a time."""
    mappings = _WRITTEN.findall(Path(f"/proc/{process}/maps").read_text())
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for begin, end in ((int(begin, 16), int(end, 16)) for begin, end in mappings):
            yield b"".join(_pages(memory, begin, end))


def _pages(memory: FileIO, begin: int, end: int) -> Iterator[bytes]:
    for place in range(begin, end, _PIECE):
        with suppress(OSError):
            memory.seek(place)
            piece = memory.read(min(_PIECE, end - place))
            # What was never written is read as zeros.
            yield piece if piece.strip(b"\0") else b"\0"


def family_of(process: int) -> list[int]:
    """Give a process and all that came of it."""
    parents: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(file.parent.name)] = int(file.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def process_with_errors_to(file: Path) -> int:
    """Find the process whose standard error is this file."""
    for link in Path("/proc").glob("[0-9]*/fd/2"):
        try:
            if link.readlink() == file:
                return int(link.parts[2])
        except OSError:
            continue
    raise LookupError(f"no process writes its errors to {file.name}")


async def activity_of(superuser: str) -> list[bytes]:
    """Read what the database shows of who is doing what: statements, names, statistics."""
    connection = await asyncpg.connect(superuser)
    try:
        views = ("pg_stat_activity", "pg_stat_replication", "pg_stats", "pg_prepared_xacts", "pg_settings", "pg_locks")
        return [
            b"\n".join(row[0].encode() for row in await connection.fetch(f"SELECT t::text FROM {view} AS t"))
            for view in views
        ]
    finally:
        await connection.close()


async def rows_of(superuser: str) -> list[bytes]:
    """Read every row of every table as text: so also what PostgreSQL packs in a way of its own is seen."""
    connection = await asyncpg.connect(superuser)
    try:
        return [
            b"\n".join(row[0].encode() for row in await connection.fetch(statement))
            for (statement,) in await connection.fetch(_ROWS)
        ]
    finally:
        await connection.close()
