"""Check logs where they lie, in PostgreSQL: one snapshot, every row of every table."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from audit import fences, postgres
from audit.note import VerifyKey
from audit.postgres import PAGE, Connection, Head
from audit.verify import Claim, LogCheck, Report, Row, SignedClaim

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
    """Check one log or all of them; each report names what is wrong.

    `deletion_keys` are those that may sign what was lawfully deleted (`deletion.py`). `kept_elsewhere` are signed
    checkpoints from outside the database, for the log of `origin`. `progress` hears origin, entries done and entries
    in all. Fences of the database that do not stand as they were laid are faults of every log in it. Raises UnknownLog
    where there is no log of that origin.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        heads = await postgres.heads(connection) if origin is None else [await postgres.head(connection, origin)]
        trusted = (keys, deletion_keys)
        reports = [await _verify(connection, head, trusted, kept_elsewhere, progress) for head in heads]
        guard = tuple(await fences.faults(connection))
    return [replace(report, faults=report.faults + guard) for report in reports]


async def stray_rows(connection: Connection) -> list[str]:
    """Name the tables that hold rows of a log that has no head."""
    tables = []
    for table in ("entry", "body", "index", "checkpoint"):
        query = f"SELECT EXISTS (SELECT FROM log.{table} WHERE log_id NOT IN (SELECT id FROM log.head))"  # noqa: S608 - fixed names.
        if await connection.fetchval(query):
            tables.append(table)
    return tables


async def _verify(
    connection: Connection,
    head: Head,
    trusted: tuple[Sequence[VerifyKey], Sequence[VerifyKey]],
    kept_elsewhere: Sequence[str],
    progress: Progress | None,
) -> Report:
    kept = await postgres.checkpoints(connection, head.log_id)
    signed = [SignedClaim(one.note, one.size, one.root, one.frontier) for one in kept]
    signed += [SignedClaim(note) for note in kept_elsewhere]
    claim = Claim(head.origin, head.tenant, head.size, head.root, head.frontier)
    check = LogCheck(claim, signed, *trusted)
    async for row in _rows(connection, head, progress):
        check.row(row)
    duplicates = await connection.fetch(
        "SELECT array_agg(idx ORDER BY idx) AS places FROM log.entry WHERE log_id = $1"
        " GROUP BY eid HAVING count(*) > 1",
        head.log_id,
    )
    return check.finish(tuple(row["places"]) for row in duplicates)


async def _rows(connection: Connection, head: Head, progress: Progress | None) -> AsyncIterator[Row]:
    """Read every index that has a row in any table, in order, a page at a time."""
    span = await connection.fetchrow(_SPAN, head.log_id)
    if span is None or span["first"] is None:
        return
    first, last = span["first"], span["last"]
    for low in range(first, last + 1, PAGE):
        for row in await connection.fetch(_ROWS, head.log_id, low, low + PAGE):
            index, tenants, *parts = row.values()
            yield Row(index, frozenset(tenants), *parts)
        if progress:
            progress(head.origin, min(low + PAGE, last + 1), last + 1)


_SPAN = (
    "SELECT min(idx) AS first, max(idx) AS last FROM (SELECT idx FROM log.entry WHERE log_id = $1"
    " UNION ALL SELECT idx FROM log.body WHERE log_id = $1"
    " UNION ALL SELECT idx FROM log.index WHERE log_id = $1) AS all_rows"
)
_ROWS = """
SELECT idx, array_remove(ARRAY[e.tenant, b.tenant, i.tenant], NULL),
       e.eid, e.leaf, e.leaf_hash, b.ciphertext, b.body_salt, i.index_bytes, i.fields::text, i.body_digest
FROM (SELECT * FROM log.entry WHERE log_id = $1 AND idx >= $2 AND idx < $3) AS e
FULL JOIN (SELECT * FROM log.body WHERE log_id = $1 AND idx >= $2 AND idx < $3) AS b USING (idx)
FULL JOIN (SELECT * FROM log.index WHERE log_id = $1 AND idx >= $2 AND idx < $3) AS i USING (idx)
ORDER BY idx
"""
