"""Check logs where they lie, in PostgreSQL: one snapshot, every row of every table."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from audit import fences, postgres
from audit.kept_state import Kept
from audit.note import VerifyKey
from audit.postgres import PAGE, Connection, Head, KeptCheckpoint
from audit.verify import Claim, LogCheck, Report, Row, SignedClaim
from audit.verify_nodes import NodeCheck
from audit.verify_tiles import Checked

Progress = Callable[[str, int, int], None]


async def verify_logs(
    connection: Connection,
    *,
    origin: str | None = None,
    keys: Sequence[VerifyKey] = (),
    deletion_keys: Sequence[VerifyKey] = (),
    kept_elsewhere: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Report]:
    """Check one log or all of them from the first entry to the last; each report names what is wrong.

    As `check_logs` of logs of which nothing is known.
    """
    checks = await check_logs(
        connection,
        origin=origin,
        keys=keys,
        deletion_keys=deletion_keys,
        kept_elsewhere=kept_elsewhere,
        progress=progress,
    )
    return [checked.report for checked in checks]


async def check_logs(
    connection: Connection,
    *,
    origin: str | None = None,
    keys: Sequence[VerifyKey] = (),
    deletion_keys: Sequence[VerifyKey] = (),
    kept_elsewhere: Sequence[str] = (),
    known: Callable[[str], Kept] = lambda _: Kept(),
    progress: Progress | None = None,
) -> list[Checked]:
    """Check one log or all of them, each from what is known of it on; each report names what is wrong.

    `deletion_keys` are those that may sign what was lawfully deleted (`deletion.py`). `kept_elsewhere` are signed
    checkpoints from outside the database, for the log of `origin`. What is `known` of a log from before is not read
    again. `progress` hears origin, entries done and entries in all. Fences of the database that do not stand as they
    were laid are faults of every log in it. Raises UnknownLog where there is no log of that origin.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        heads = await postgres.heads(connection) if origin is None else [await postgres.head(connection, origin)]
        guard = tuple(await fences.faults(connection))
        checks = []
        for head in heads:
            elsewhere = [SignedClaim(note) for note in kept_elsewhere]
            claim = Claim(head.origin, head.tenant, head.size, head.root, head.frontier)
            check = LogCheck(claim, elsewhere, keys, deletion_keys, known(head.origin).verified)
            checked = await _walk(connection, head, check, progress)
            checks.append(replace(checked, report=replace(checked.report, faults=checked.report.faults + guard)))
        return checks


async def stray_rows(connection: Connection) -> list[str]:
    """Name the tables that hold rows of a log that has no head."""
    tables = []
    for table in ("entry", "body", "index", "checkpoint", "node"):
        query = f"SELECT EXISTS (SELECT FROM log.{table} WHERE log_id NOT IN (SELECT id FROM log.head))"  # noqa: S608 - fixed names.
        if await connection.fetchval(query):
            tables.append(table)
    return tables


async def _walk(connection: Connection, head: Head, check: LogCheck, progress: Progress | None) -> Checked:
    """Hand every row to the check, in order, and every checkpoint before the row that it ends with."""
    kept = await postgres.last_checkpoint(connection, head.log_id)
    nodes = NodeCheck(connection, head.log_id, check.since.size, kept.size if kept else 0)
    signed = postgres.checkpoints(connection, head.log_id)
    following = await _next_of(signed)
    async for row in _rows(connection, head, check.since.size, progress):
        while following and following.size <= row.index + 1:
            check.signed(_claimed(following))
            following = await _next_of(signed)
        check.row(row)
        await nodes.take(row.index, row.leaf)
    while following:
        check.signed(_claimed(following))
        following = await _next_of(signed)
    async for row in connection.cursor(_DUPLICATES, head.log_id, check.since.size):
        check.duplicate(row["first"], row["last"])
    report, beside = check.finish(), await nodes.finish()
    report = replace(report, faults=(*report.faults, *beside.kept), unnamed=report.unnamed + beside.unnamed)
    note = kept.note if kept else None
    return Checked(report, Kept(check.tree, note, check.tree) if report.intact else None, note)


async def _next_of(signed: AsyncIterator[KeptCheckpoint]) -> KeptCheckpoint | None:
    return await anext(signed, None)


def _claimed(kept: KeptCheckpoint) -> SignedClaim:
    return SignedClaim(kept.note, kept.size, kept.root, kept.frontier)


async def _rows(connection: Connection, head: Head, start: int, progress: Progress | None) -> AsyncIterator[Row]:
    """Read every index from a start on that has a row in any table, in order, a page at a time."""
    span = await connection.fetchrow(_SPAN, head.log_id, start)
    if span is None or span["first"] is None:
        return
    first, last = span["first"], span["last"]
    for low in range(first, last + 1, PAGE):
        for row in await connection.fetch(_ROWS, head.log_id, low, low + PAGE):
            index, tenants, *parts = row.values()
            yield Row(index, frozenset(tenants), *parts)
        if progress:
            progress(head.origin, min(low + PAGE, last + 1), last + 1)


_DUPLICATES = (
    "SELECT min(idx) AS first, max(idx) AS last FROM log.entry WHERE log_id = $1"
    " AND ($2::bigint = 0 OR eid IN (SELECT eid FROM log.entry WHERE log_id = $1 AND idx >= $2))"
    " GROUP BY eid HAVING count(*) > 1"
)
_SPAN = (
    "SELECT min(idx) AS first, max(idx) AS last FROM (SELECT idx FROM log.entry WHERE log_id = $1 AND idx >= $2"
    " UNION ALL SELECT idx FROM log.body WHERE log_id = $1 AND idx >= $2"
    " UNION ALL SELECT idx FROM log.index WHERE log_id = $1 AND idx >= $2) AS all_rows"
)
_ROWS = """
SELECT idx, array_remove(ARRAY[e.tenant, b.tenant, i.tenant], NULL),
       e.eid, e.leaf, e.leaf_hash, b.ciphertext, b.body_salt, i.index_bytes, i.fields::text, i.body_digest
FROM (SELECT * FROM log.entry WHERE log_id = $1 AND idx >= $2 AND idx < $3) AS e
FULL JOIN (SELECT * FROM log.body WHERE log_id = $1 AND idx >= $2 AND idx < $3) AS b USING (idx)
FULL JOIN (SELECT * FROM log.index WHERE log_id = $1 AND idx >= $2 AND idx < $3) AS i USING (idx)
ORDER BY idx
"""
