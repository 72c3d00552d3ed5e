"""The door `Eraser` over both databases, with a role that no node has: it deletes what is on record, and shreds keys.

Rules kept here:
- That two persons want it is read on the log, not in a row of the database alone.
- What goes is written on the log in the very transaction that deletes it, signed with a key the database has not.
- Everything that could keep it from going is looked at again in that transaction, with holds kept still.
- The key goes after the entry is durable. Broken off in between, the erasure is finished when it is run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from broker.adapters import erasure_rows as rows
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Connection, Pool, Scope, reaching_the_store, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.log_key import fitting, is_signed_deletion, signed_deletion
from broker.domain.days import danish_day, day_of
from broker.domain.erasure import Erasure, NotErasable, Standing, obstacles
from broker.domain.errors import Conflict
from broker.domain.events import CitizenErased, ErasureApproved, ErasureRequested, RetentionApplied
from broker.domain.receipts import Receipt
from broker.domain.retention import Retention

BATCH = 5000
_DUE = """
SELECT i.idx, i.kind FROM log.index i
JOIN unnest($2::text[], $3::bigint[]) AS due (kind, before) ON due.kind = i.kind AND i.at < due.before
WHERE i.log_id = $1 AND i.idx > $4 AND NOT i.fields ? 'deleted'
  AND log.shown_from(i.citizen, i.unit, i.kind, i.at) < due.before AND NOT EXISTS (
    SELECT FROM erasure.hold h
    WHERE h.municipality = i.tenant AND h.lifted_at IS NULL AND (h.citizen IS NULL OR h.citizen = i.citizen))
ORDER BY i.idx LIMIT $5
"""
# A unit is told no more of yeses about them: nobody could write down that it heard.
_NOT_TOLD_TO_STOP = """
DELETE FROM consents.handed_out
WHERE municipality = $1 AND line IN (SELECT id FROM consents.line WHERE subject = $2)
"""
_UNTOLD = (
    "DELETE FROM notices.waiting WHERE municipality = $1 AND recipient = $2",
    "DELETE FROM notices.first_fetch WHERE municipality = $1 AND recipient = $2",
    "DELETE FROM notices.choice WHERE municipality = $1 AND citizen = $2",
    "DELETE FROM notices.code WHERE municipality = $1 AND citizen = $2",
    "DELETE FROM breaches.waiting WHERE municipality = $1 AND citizen = $2",
    _NOT_TOLD_TO_STOP,
)


@dataclass(frozen=True, slots=True)
class _Sweep:
    """One run over a municipality's logs: what is due (kind, and the second before which it is), by whom, when."""

    municipality: str
    due: Mapping[str, int]
    actor: str
    at: datetime
    dry_run: bool


class EraserSql:
    """Deletion in the main database and the vault. `key` signs what is deleted (`deletion.skey`)."""

    def __init__(self, pool: Pool, vault_pool: Pool, log: AuditLogPostgres, vault: HandlesVault, key: str) -> None:
        self._pool = pool
        self._vault_pool = vault_pool
        self._log = log
        self._vault = vault
        self._key = key

    async def carry_out(
        self, erasure: str, municipality: str, retention: Retention | None, actor: str, at: datetime
    ) -> tuple[Receipt, ...]:
        """Erase: delete the content on record, then the keys; give where it stands, nothing where it stood before.

        Raises `NotErasable` with what keeps it, `Conflict` where nobody has approved it or it is too late, `NotFound`.
        """
        keys = await self._vault.keys({(actor, municipality)})
        receipts: list[Receipt] = []
        async with scoped(self._pool, Scope(municipality=municipality)) as connection:
            asked = await rows.one(connection, erasure, for_update=True)
            if asked.approved_by is None:
                raise Conflict("not_approved")
            await self._refuse_unsaid(connection, asked)
            if not asked.written:
                asked.refuse_if_late(at)
                found = await self._still_erasable(connection, asked, retention, at)
                events = self._erased(asked, found, actor, at)
                receipts = [await self._log.delete_within(connection, event, keys) for event in events]
                # While deletion is held for this, so that no system's word of it is written in between.
                await connection.execute(_NOT_TOLD_TO_STOP, municipality, asked.citizen)
                cases = await rows.own_cases(connection, found.cases, asked.citizen)
                await connection.execute(
                    "UPDATE erasure.request SET written_at = $2, cases = $3 WHERE id = $1", UUID(erasure), at, cases
                )
        await self._shred(erasure, asked)
        return tuple(receipts)

    async def approved(self, municipality: str) -> tuple[Erasure, ...]:
        """List the erasures that wait for nothing but to be carried out."""
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            found = await connection.fetch(
                "SELECT * FROM erasure.request WHERE approved_by IS NOT NULL ORDER BY requested_at, id"
            )
        return tuple(rows.read(row) for row in found)

    async def delete_due(
        self, municipality: str, retention: Retention, kinds: Sequence[str], actor: str, at: datetime, *, dry_run: bool
    ) -> dict[str, dict[str, int]]:
        """Delete the content of what was kept long enough, on record; count it by log and kind. Leaves stay."""
        today = day_of(danish_day(at))
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            archived = await rows.archived(connection, municipality)
            logs = await connection.fetch(
                "SELECT id, origin FROM log.head WHERE tenant = $1 ORDER BY origin", municipality
            )
        ends = {kind: end for kind in kinds if (end := retention.ends(kind, today, archived)) is not None}
        due = {kind: int(end.timestamp()) for kind, end in ends.items()}
        sweep = _Sweep(municipality, due, actor, at, dry_run)
        gone: dict[str, dict[str, int]] = {}
        for log_id, origin in (row.values() for row in logs):
            counts = Counter[str]()
            after = -1
            while batch := await self._batch(sweep, log_id, origin, after):
                counts.update(batch.values())
                after = max(batch)
            if counts:
                gone[origin] = dict(sorted(counts.items()))
        return gone

    async def _batch(self, sweep: _Sweep, log_id: int, origin: str, after: int) -> dict[int, str]:
        """Delete one batch in one transaction; give its places with their kinds."""
        keys = {} if sweep.dry_run else await self._vault.keys({(sweep.actor, sweep.municipality)})
        async with scoped(self._pool, Scope(municipality=sweep.municipality)) as connection:
            await rows.hold_still(connection, sweep.municipality)
            found = await connection.fetch(_DUE, log_id, list(sweep.due), list(sweep.due.values()), after, BATCH)
            kind_of = {row["idx"]: row["kind"] for row in found}
            batch = {place: kind_of[place] for place in fitting(kind_of)}
            if batch and not sweep.dry_run:
                event = RetentionApplied(
                    municipality=sweep.municipality,
                    subject=sweep.actor,
                    actor=sweep.actor,
                    at=sweep.at,
                    log=origin,
                    entries=rows.counted(batch.values()),
                    deleted=signed_deletion(self._key, origin, batch),
                )
                await self._log.delete_within(connection, event, keys)
        return batch

    async def _refuse_unsaid(self, connection: Connection, asked: Erasure) -> None:
        """Raise `Conflict` unless the log says what the row does: by whom it was asked for and approved, or it is done.

        What was written has deleted the words of both; then it is the statement, signed with the eraser's own key.
        """
        steps = await rows.steps(connection, asked)
        if asked.written:
            said = any(deleted and is_signed_deletion(self._key, log, deleted) for *_, log, deleted in steps)
        else:
            asked_for = (ErasureRequested.name, asked.citizen, asked.requested_by)
            said = {asked_for, (ErasureApproved.name, asked.citizen, asked.approved_by)} <= {step[:3] for step in steps}
        if not said:
            raise Conflict("not_on_the_log")

    async def _still_erasable(
        self, connection: Connection, asked: Erasure, retention: Retention | None, at: datetime
    ) -> Standing:
        await rows.hold_still(connection, asked.municipality)
        day = danish_day(at)
        found = await rows.standing(connection, asked.municipality, asked.citizen, day)
        archived = await rows.archived(connection, asked.municipality)
        # Cases were looked at when it was asked for; one that is new since then has an entry that is within its term.
        if faults := obstacles(found, retention, archived, day_of(day), None):
            raise NotErasable(faults)
        return found

    def _erased(self, asked: Erasure, found: Standing, actor: str, at: datetime) -> Iterator[CitizenErased]:
        """Make one event for each log, or more where one statement cannot name all its places."""
        for log, lines in groupby(found.lines, key=lambda line: line.log):
            kind_of = {line.index: line.kind for line in lines}
            while kind_of:
                places = fitting(kind_of)
                yield CitizenErased(
                    municipality=asked.municipality,
                    subject=actor,
                    actor=actor,
                    at=at,
                    log=log,
                    entries=rows.counted(kind_of.pop(place) for place in places),
                    deleted=signed_deletion(self._key, log, places),
                    erasure=asked.id,
                    ground=asked.ground,
                    requested_by=asked.requested_by,
                    approved_by=asked.approved_by or "",
                )

    async def _shred(self, erasure: str, asked: Erasure) -> None:
        """Destroy keys and names, then forget their notices, and whose erasure it was. Runs again unharmed."""
        async with scoped(self._pool, Scope(municipality=asked.municipality), snapshot=True) as connection:
            cases = await connection.fetchval("SELECT cases FROM erasure.request WHERE id = $1", UUID(erasure))
        async with reaching_the_store():
            await self._vault_pool.execute(
                "SELECT vault.shred($1, $2, $3)", asked.citizen, asked.municipality, cases or []
            )
        async with scoped(self._pool, Scope(municipality=asked.municipality)) as connection:
            for statement in _UNTOLD:
                await connection.execute(statement, asked.municipality, asked.citizen)
            await connection.execute(
                "DELETE FROM erasure.request WHERE municipality = $1 AND citizen = $2",
                asked.municipality,
                asked.citizen,
            )
