"""A log as files (C2SP tlog-tiles), to be served or handed over, and checked without any database."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from audit import postgres
from audit.checkpoint import open_checkpoint, read_unverified
from audit.errors import LogError, Malformed, NotVerified, TreeMismatch
from audit.merkle import Frontier, leaf_hash
from audit.note import VerifyKey
from audit.postgres import Connection
from audit.tiles import WIDTH, bundle, bundles_of, derive, read_bundle
from audit.verify import Fault, Report


async def export_log(connection: Connection, origin: str, folder: Path) -> int:
    """Write the last signed checkpoint of a log with its tiles and entry bundles; give the number of entries.

    Raises UnknownLog, NotVerified where nothing is signed yet, TreeMismatch where the rows are not what was signed.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        head = await postgres.head(connection, origin)
        kept = await postgres.last_checkpoint(connection, head.log_id)
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


def verify_export(folder: Path, *, origin: str | None = None, keys: Sequence[VerifyKey] = ()) -> Report:
    """Check an exported log: entries against tiles, tiles against the root, the root against the signature.

    Raises OSError where there is no checkpoint to read.
    """
    note = (folder / "checkpoint").read_text(encoding="utf-8")
    try:
        claimed = read_unverified(note)
    except Malformed as error:
        return Report(origin or "", 0, b"", None, bool(keys), (Fault("checkpoint", str(error)),))
    faults = _check_note(note, origin or claimed.origin, keys)
    hashes: list[bytes] = []
    for number, (leaves, problem) in enumerate(_bundles(folder, claimed.size)):
        faults += [] if problem is None else [problem]
        if len(hashes) == number * WIDTH:
            hashes += [leaf_hash(leaf) for leaf in leaves]
    root = Frontier().extend(hashes).root()
    if len(hashes) == claimed.size:
        faults += _check_tiles(folder, hashes)
        if root != claimed.root:
            faults.append(Fault("checkpoint", "the entries are not those that were signed"))
    return Report(claimed.origin, len(hashes), root, claimed.size, bool(keys), tuple(faults))


def _check_note(note: str, origin: str, keys: Sequence[VerifyKey]) -> list[Fault]:
    try:
        if keys:
            open_checkpoint(note, origin, keys)
        elif read_unverified(note).origin != origin:
            raise NotVerified("the checkpoint is another log's")
    except LogError as error:
        return [Fault("checkpoint", str(error))]
    return []


def _bundles(folder: Path, size: int) -> Iterator[tuple[list[bytes], Fault | None]]:
    for tile in bundles_of(size):
        first = tile.number * WIDTH
        where = f"entries {first} to {first + tile.width - 1}"
        try:
            leaves = read_bundle((folder / tile.path).read_bytes())
        except OSError:
            yield [], Fault(where, f"{tile.path} is missing", first)
        except Malformed as error:
            yield [], Fault(where, f"{tile.path}: {error}", first)
        else:
            fits = len(leaves) == tile.width
            yield leaves, None if fits else Fault(where, f"{tile.path} holds {len(leaves)} entries", first)


def _check_tiles(folder: Path, hashes: list[bytes]) -> list[Fault]:
    """Compare every tile on disk with the one that the entries give; at level 0 name the entries."""
    faults = []
    for tile, packed in derive(hashes):
        try:
            stored = (folder / tile.path).read_bytes()
        except OSError:
            faults.append(Fault(tile.path, "is missing"))
            continue
        if stored == packed:
            continue
        if tile.level == 0 and len(stored) == len(packed):
            places = (n for n in range(tile.width) if stored[32 * n : 32 * n + 32] != packed[32 * n : 32 * n + 32])
            first = tile.number * WIDTH
            faults += [Fault(f"entry {first + n}", f"does not match {tile.path}", first + n) for n in places]
        else:
            faults.append(Fault(tile.path, "does not match the entries"))
    return faults


def _write(path: Path, packed: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed)
