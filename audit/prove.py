"""Make proof files from the rows in PostgreSQL."""

from audit import postgres
from audit.checkpoint import read_unverified
from audit.errors import NotVerified
from audit.postgres import Connection
from audit.proof import Proof


async def prove(connection: Connection, origin: str, index: int) -> Proof:
    """Prove one entry under the log's last signed checkpoint; the entry itself goes along as `extra`.

    Raises UnknownLog, and NotVerified where no checkpoint covers the entry yet. The proof is not checked here:
    whoever gets it checks it with the log's key.
    """
    head = await postgres.head(connection, origin)
    kept = await postgres.last_checkpoint(connection, head.log_id)
    entry = await postgres.entry(connection, head.log_id, index)
    if kept is None or entry is None or index >= read_unverified(kept.note).size:
        raise NotVerified("no signed checkpoint covers this entry")
    hashes = await postgres.inclusion_proof(connection, head.log_id, index, kept.size)
    return Proof(index, tuple(hashes), kept.note, entry.leaf)
