"""Notices as rows that wait: sealed before the transaction of what causes them, and added in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from broker.adapters.database import Connection
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.sealing import derive, seal
from broker.domain.notices import Notice

# Id, municipality, recipient, cause, unit, the sealed number, when it was made, the consent it goes with.
Row: TypeAlias = tuple[UUID, str, str, str, str, bytes, datetime, UUID | None]
Waiting: TypeAlias = list[Row]

USE = "notice"
_ADD = (
    "INSERT INTO notices.waiting (id, municipality, recipient, cause, unit, sealed_number, made_at, consent, next_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7)"
)
_ADD_FIRST = """
WITH first AS (
    INSERT INTO notices.first_fetch (municipality, unit, recipient, at) VALUES ($2, $5, $3, $7)
    ON CONFLICT DO NOTHING RETURNING true)
INSERT INTO notices.waiting (id, municipality, recipient, cause, unit, sealed_number, made_at, consent, next_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $7 FROM first
"""

_OF_AN_END = """
DELETE FROM notices.waiting w WHERE w.consent = $1 AND NOT EXISTS (
    SELECT FROM consents.line l WHERE l.consent = $1 AND (
        SELECT s.state FROM consents.line_state s WHERE s.line = l.id ORDER BY s.version DESC LIMIT 1) <> 'withdrawn')
"""


async def seal_notices(notices: Sequence[Notice], vault: HandlesVault) -> Waiting:
    """Make notices ready, each number under its recipient's key. Raises `StoreUnavailable`."""
    if not notices:
        return []
    keys = await vault.keys({(notice.recipient, notice.municipality) for notice in notices})
    return [_row(notice, keys[notice.recipient, notice.municipality]) for notice in notices]


def _row(notice: Notice, key: bytes) -> Row:
    sealed = seal(derive(key, USE), notice.number.disclose().encode(), notice.id)
    return (
        UUID(notice.id),
        notice.municipality,
        notice.recipient,
        notice.cause,
        notice.unit,
        sealed,
        notice.made_at,
        UUID(notice.consent) if notice.consent else None,
    )


async def add_notices(connection: Connection, waiting: Waiting) -> None:
    """Add notices in the caller's own transaction; none adds nothing."""
    if waiting:
        await connection.executemany(_ADD, waiting)


async def add_first(connection: Connection, waiting: Waiting) -> None:
    """Add those alone whose unit has fetched nothing about their recipient before, in the caller's own transaction.

    By recipient, so that two who add the same at once wait for each other in one order.
    """
    ordered: Waiting = sorted(waiting, key=_recipient)
    await connection.executemany(_ADD_FIRST, ordered)


def _recipient(row: Row) -> str:
    return row[2]


async def forget_end(connection: Connection, consent: UUID) -> None:
    """Forget, in the caller's own transaction, the letter that a yes ends, where nothing is left of that yes."""
    await connection.execute(_OF_AN_END, consent)


async def forget_renewed_end(connection: Connection, consent: UUID) -> None:
    """Forget, in the caller's own transaction, the letter that a yes ends: its giver has said what comes after it."""
    await connection.execute("DELETE FROM notices.waiting WHERE consent = $1", consent)
