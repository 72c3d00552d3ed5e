"""Keep the roots of complete subtrees beside the log, so that tiles and proofs need not hash all of it.

They are derived from the entries themselves, hashed again here, and never believed: whoever reads a tile or a proof
holds it against the signed root.
"""

from audit import postgres
from audit.errors import TreeMismatch
from audit.merkle import leaf_hash, tree_head
from audit.postgres import Connection
from audit.subtrees import BITS
from audit.tiles import WIDTH

MOST_AT_ONCE = 64


async def keep_nodes(connection: Connection, origin: str, log_id: int, size: int) -> bool:
    """Keep the next nodes of a log up to a size, at most 64 of a level; tell whether that was all.

    Raises TreeMismatch where entries are missing, asyncpg.PostgresError where the log has no such size.
    """
    level = 1
    while wanted := size >> (BITS * level):
        start = await connection.fetchval(_NEXT, log_id, level)
        stop = min(wanted, start + MOST_AT_ONCE)
        if start < stop:
            hashes = await _below(connection, log_id, level, start * WIDTH, stop * WIDTH)
            made = [tree_head(hashes[low : low + WIDTH]) for low in range(0, len(hashes), WIDTH)]
            await connection.execute("SELECT log.keep_nodes($1, $2, $3, $4)", origin, level, start, made)
        if stop < wanted:
            return False
        level += 1
    return True


async def _below(connection: Connection, log_id: int, level: int, start: int, stop: int) -> list[bytes]:
    if level == 1:
        hashes = [leaf_hash(leaf) for leaf in await postgres.leaves(connection, log_id, start, stop)]
    else:
        hashes = await postgres.nodes(connection, log_id, level - 1, start, stop)
    if len(hashes) != stop - start:
        raise TreeMismatch("the log has lost entries")
    return hashes


_NEXT = "SELECT coalesce(max(idx) + 1, 0) FROM log.node WHERE log_id = $1 AND level = $2"
