"""Make proof files: from the rows in PostgreSQL, or from a log's files alone."""

from audit import postgres
from audit.checkpoint import read_unverified
from audit.errors import Malformed, NotVerified
from audit.merkle import inclusion_ranges
from audit.postgres import Connection
from audit.proof import Proof
from audit.sources import Source, read_wide
from audit.subtrees import roots, width_at, widths
from audit.tiles import WIDTH, Tile, read_bundle, read_tile


async def prove(connection: Connection, origin: str, index: int) -> Proof:
    """Prove one entry under the log's last published checkpoint; the entry itself goes along as `extra`.

    Raises UnknownLog, and NotVerified where no checkpoint covers the entry yet. The proof is not checked here:
    whoever gets it checks it with the log's key.
    """
    head = await postgres.head(connection, origin)
    kept = await postgres.published_checkpoint(connection, head.log_id)
    entry = await postgres.entry(connection, head.log_id, index)
    if kept is None or entry is None or index >= read_unverified(kept.note).size:
        raise NotVerified("no published checkpoint covers this entry")
    hashes = await postgres.inclusion_proof(connection, head.log_id, index, kept.size)
    return Proof(index, tuple(hashes), kept.note, entry.leaf)


def prove_from(source: Source, index: int) -> Proof:
    """The same from a log's files. Raises NotVerified where the checkpoint does not cover the entry; as `Source` does.

    Nothing of it is checked here either.
    """
    note = source.checkpoint()
    size = read_unverified(note).size
    if not 0 <= index < size:
        raise NotVerified("no signed checkpoint covers this entry")
    ranges = inclusion_ranges(index, 0, size)
    tiles = {at: read_tile(read_wide(source, Tile(at.level, at.number, width_at(size, at)))) for at in widths(ranges)}
    number, place = divmod(index, WIDTH)
    leaves = read_bundle(read_wide(source, Tile(None, number, min(WIDTH, size - number * WIDTH))))
    if place >= len(leaves):
        raise Malformed("the bundle does not hold the entry")
    return Proof(index, tuple(roots(ranges, tiles)), note, leaves[place])
