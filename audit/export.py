"""A log as files (C2SP tlog-tiles), to be served or handed over, and checked without any database."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from audit import postgres
from audit.checkpoint import read_unverified
from audit.errors import LogError, NotVerified, TreeMismatch
from audit.merkle import Frontier, leaf_hash
from audit.note import VerifyKey
from audit.postgres import Connection
from audit.sources import FolderSource, Source, read_ahead
from audit.tiles import WIDTH, bundle, bundles_of, derive, tiles_of
from audit.verify import Report
from audit.verify_tiles import Progress, verify_tiles


async def export_log(connection: Connection, origin: str, folder: Path) -> int:
    """Write the last signed checkpoint of a log with its tiles and entry bundles; give the number of entries.

    Raises UnknownLog, NotVerified where nothing is signed yet, TreeMismatch where the rows are not what was signed.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        head = await postgres.head(connection, origin)
        kept = await postgres.published_checkpoint(connection, head.log_id)
        if kept is None:
            raise NotVerified("the log has no signed checkpoint yet")
        checkpoint = read_unverified(kept.note)
        hashes: list[bytes] = []
        for tile in bundles_of(checkpoint.size):
            start = tile.number * WIDTH
            leaves = await postgres.leaves(connection, head.log_id, start, start + tile.width)
            hashes += [leaf_hash(leaf) for leaf in leaves]
            _write(folder / tile.path, bundle(leaves))
    if (len(hashes), Frontier().extend(hashes).root()) != (checkpoint.size, checkpoint.root):
        raise TreeMismatch("the entries are not those that were signed")
    for tile, packed in derive(hashes):
        _write(folder / tile.path, packed)
    _write(folder / "checkpoint", kept.note.encode())
    return checkpoint.size


def copy_log(source: Source, folder: Path, progress: Progress) -> tuple[str, int]:
    """Write a served log's checkpoint with its tiles and bundles as they are; give its origin and number of entries.

    Nothing is checked. The checkpoint comes last: a copy without one was broken off. Raises as `Source` does.
    """
    note = source.checkpoint()
    head = read_unverified(note)
    for tile, packed in read_ahead(source, chain(tiles_of(head.size), bundles_of(head.size))):
        if isinstance(packed, LogError):
            raise packed
        _write(folder / tile.path, packed)
        if tile.level is None:
            progress(head.origin, tile.number * WIDTH + tile.width, head.size)
    _write(folder / "checkpoint", note.encode())
    return head.origin, head.size


def verify_export(folder: Path, *, origin: str | None = None, keys: Sequence[VerifyKey] = ()) -> Report:
    """Check an exported log from its first entry; raise OSError where there is no checkpoint to read."""
    return verify_tiles(FolderSource(folder), origin=origin, keys=keys).report


def _write(path: Path, packed: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed)
