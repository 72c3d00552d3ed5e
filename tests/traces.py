"""Where a copy could lie: files, rows, what a process has open or mapped, what it answers; all as bytes to search."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tests.canaries import Hit, Search

_ROWS = """
SELECT format('SELECT t::text FROM %I.%I AS t', table_schema, table_name) FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""
_MAPPED = re.compile(r"^([0-9a-f]+-[0-9a-f]+) \S+ \S+ \S+ (?!0\b)\d+ +(/.*)$", re.MULTILINE)


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
