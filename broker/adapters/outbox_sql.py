"""The door `Outbox` over PostgreSQL: notices that wait, each written with the change that causes it or not at all.

Rules kept here:
- The number lies sealed under its recipient's key: where the key is gone, so is the notice (P9).
- Whoever takes a notice moves its next try ahead and commits, so that two nodes never send the same at once, and one
  that dies while sending leaves it to the next.
- What the law keeps back from its recipient causes no notice before it shows (P8).
- It is deleted by the very transaction that writes on the log that it was sent.
- Who is told once a week gets one letter for all that was ready on Monday morning: the first of them goes, the others
  go with it. Who wants no more than must be told is told no more, and what they do not want is deleted unsent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.notice_choices_sql import choices_of, open_choice
from broker.adapters.outbox_rows import USE, Waiting, seal_notices
from broker.adapters.sealing import DoesNotOpen, derive, unseal
from broker.domain.notice_choices import ALWAYS, AT_ONCE, LEAST, Choice, week_before
from broker.domain.notices import PAUSES, Notice, NoticeSent
from broker.domain.personal import Personal

# So few that the slowest way has tried them all before the shortest pause is over.
LETTERS = 10
NOTHING: Mapping[UUID, tuple[tuple[str, str], ...]] = MappingProxyType({})
# notices.ready tells from when a recipient may see what it is about, and whether they are told once a week.
_UNWANTED = """
DELETE FROM notices.waiting w USING notices.choice c
WHERE w.municipality = $1 AND c.municipality = w.municipality AND c.citizen = w.recipient AND c.way = $2
  AND w.cause <> ALL ($3::text[]) AND w.given_up_at IS NULL AND w.next_at <= $4
"""
# `$6` is the last Monday before `$1`. Of what goes together, the one with the lowest id is taken for all.
_TAKE = """
UPDATE notices.waiting w SET tries = w.tries + 1, next_at = $1 + ($2::interval[])[least(w.tries + 1, $3)]
WHERE w.id IN (
    SELECT d.id FROM notices.waiting d JOIN notices.ready r ON r.id = d.id
    WHERE d.municipality = $4 AND d.given_up_at IS NULL AND d.next_at <= $1
      AND r.shown <= CASE WHEN r.weekly THEN $6::timestamptz ELSE $1 END
      AND NOT (r.weekly AND EXISTS (
        SELECT FROM notices.ready e WHERE e.municipality = d.municipality AND e.recipient = d.recipient
          AND e.id < d.id AND e.given_up_at IS NULL AND e.weekly AND e.shown <= $6))
    ORDER BY d.next_at, d.id LIMIT $5 FOR UPDATE OF d SKIP LOCKED)
RETURNING w.*
"""
_TOGETHER = """
SELECT recipient, id, cause FROM notices.ready
WHERE municipality = $1 AND recipient = ANY ($2) AND id <> ALL ($3) AND given_up_at IS NULL
  AND weekly AND shown <= $4::timestamptz
ORDER BY id
"""
_FORGET = "DELETE FROM notices.waiting WHERE id = ANY ($1) RETURNING id"
_ON_PAPER = "UPDATE notices.waiting SET given_up_at = $2 WHERE id = $1 AND given_up_at IS NULL"
# `$4` is the last Monday before `$2`.
_GIVE_UP = """
UPDATE notices.waiting w SET given_up_at = $3 WHERE w.given_up_at IS NULL AND w.id IN (
    SELECT id FROM notices.ready WHERE municipality = $1 AND given_up_at IS NULL
      AND shown <= CASE WHEN weekly THEN $4::timestamptz ELSE $2::timestamptz END)
"""
_GIVEN_UP = """
SELECT * FROM notices.waiting WHERE municipality = $1 AND given_up_at IS NOT NULL ORDER BY made_at, id
"""
_COUNTS = """
SELECT cause, given_up_at IS NOT NULL AS given_up, count(*) AS count FROM notices.waiting
WHERE municipality = $1 GROUP BY 1, 2 ORDER BY 1, 2
"""


class OutboxSql:
    """Notices in the main database; their numbers sealed with the vault's keys."""

    def __init__(self, pool: Pool, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._pool = pool
        self._log = log
        self._vault = vault

    async def sealed(self, notices: Sequence[Notice]) -> Waiting:
        """Make notices ready before the transaction that adds them. Raises `StoreUnavailable`."""
        return await seal_notices(notices, self._vault)

    async def due(self, municipality: str, at: datetime) -> tuple[Notice, ...]:
        """Take some notices whose time has come; each comes again after a pause, until it is `sent`."""
        monday, pauses = week_before(at), list(PAUSES)
        async with scoped(self._pool, Scope(municipality=municipality)) as connection:
            await connection.execute(_UNWANTED, municipality, LEAST, ALWAYS, at)
            rows = await connection.fetch(_TAKE, at, pauses, len(pauses), municipality, LETTERS, monday)
            chosen = await choices_of(connection, municipality, [row["recipient"] for row in rows])
            weekly = {row["citizen"] for row in chosen if row["weekly"]}
            taken = [row for row in rows if row["recipient"] in weekly and row["cause"] not in AT_ONCE]
            ids = [row["id"] for row in taken]
            whose = [row["recipient"] for row in taken]
            beside = await connection.fetch(_TOGETHER, municipality, whose, ids, monday) if taken else ()
        together = {
            row["id"]: tuple((str(o["id"]), o["cause"]) for o in beside if o["recipient"] == row["recipient"])
            for row in taken
        }
        return await self._opened(municipality, rows, chosen, together)

    async def sent(self, notice: Notice, events: Sequence[NoticeSent]) -> bool:
        """Forget a notice and what went with it, and say so on the log; tell whether nobody had said so before."""
        keys = await self._log.prepare(events)
        async with scoped(self._pool, Scope(municipality=notice.municipality)) as connection:
            gone = {str(row["id"]) for row in await connection.fetch(_FORGET, [UUID(e.notice) for e in events])}
            if told := [event for event in events if event.notice in gone]:
                await self._log.append_within(connection, told, keys)
        return notice.id in gone

    async def put_on_paper(self, notice: Notice, at: datetime) -> int:
        """Put one that no channel can take on the list for paper; give how many were (one, or none)."""
        async with scoped(self._pool, Scope(municipality=notice.municipality)) as connection:
            return int((await connection.execute(_ON_PAPER, UUID(notice.id), at)).split()[-1])

    async def give_up(self, municipality: str, made_by: datetime, at: datetime) -> int:
        """Put what was made by a moment, and has not left, on the list for paper; give how many."""
        monday = week_before(made_by)
        async with scoped(self._pool, Scope(municipality=municipality)) as connection:
            return int((await connection.execute(_GIVE_UP, municipality, made_by, at, monday)).split()[-1])

    async def given_up(self, municipality: str) -> tuple[Notice, ...]:
        """List what must go on paper, the oldest first."""
        async with scoped(self._pool, Scope(municipality=municipality)) as connection:
            rows = await connection.fetch(_GIVEN_UP, municipality)
        return await self._opened(municipality, rows)

    async def counts(self, municipality: str) -> tuple[tuple[str, bool, int], ...]:
        """Count what waits, by cause and by whether it was given up; no number is opened."""
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            rows = await connection.fetch(_COUNTS, municipality)
        return tuple((row["cause"], row["given_up"], row["count"]) for row in rows)

    async def _opened(
        self,
        municipality: str,
        rows: Sequence[Any],
        chosen: Sequence[Any] = (),
        together: Mapping[UUID, tuple[tuple[str, str], ...]] = NOTHING,
    ) -> tuple[Notice, ...]:
        """Open the numbers; a notice to somebody who was erased is deleted, for nobody can be told any more."""
        if not rows:
            return ()
        keys = await self._vault.held_keys({(row["recipient"], municipality) for row in rows})
        choices = {row["citizen"]: open_choice(row, keys.get((row["citizen"], municipality))) for row in chosen}
        opened = [
            replace(notice, address=_address(notice, choices), together=together.get(row["id"], ()))
            for row in rows
            if (notice := _notice(row, keys.get((row["recipient"], municipality))))
        ]
        told = {notice.id for notice in opened}
        if closed := [row["id"] for row in rows if str(row["id"]) not in told]:
            async with scoped(self._pool, Scope(municipality=municipality)) as connection:
                await connection.execute("DELETE FROM notices.waiting WHERE id = ANY ($1)", closed)
        return tuple(opened)


def _address(notice: Notice, choices: Mapping[str, Choice]) -> Personal[str] | None:
    choice = choices.get(notice.recipient)
    return None if choice is None or notice.cause in AT_ONCE else choice.address


def _notice(row: Any, key: bytes | None) -> Notice | None:
    if key is None:
        return None
    try:
        number = unseal(derive(key, USE), row["sealed_number"], str(row["id"])).decode()
    except DoesNotOpen:
        return None
    return Notice(
        id=str(row["id"]),
        municipality=row["municipality"],
        recipient=row["recipient"],
        number=Personal(number),
        cause=row["cause"],
        made_at=row["made_at"],
        unit=row["unit"],
        consent="" if row["consent"] is None else str(row["consent"]),
        tries=row["tries"],
    )
