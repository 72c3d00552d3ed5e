"""The door `AfterChecks` over PostgreSQL: each step commits with the event that says so, or not at all.

Rules kept here:
- A request is an after-check by being in its table, where nothing is changed or deleted; nothing of it is copied.
- Words lie sealed under the keys of all citizens concerned who are not erased: when one of those keys is gone, nobody
  reads them again (P9).
- A step is numbered: of two at once, one is a `Conflict`.
- Steps and escalations of one after-check wait for each other: what is closed at that moment is not escalated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Connection, Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.after_checks import (
    NOT_KNOWN,
    ON_PAPER,
    PUT_OFF,
    WAITS,
    AfterCheck,
    AfterCheckEscalated,
    AfterCheckEvent,
    Escalation,
    NoticeState,
    notice_id,
)
from broker.domain.errors import Conflict, NotFound
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.samples import Step

# The view break_glass.after_check holds each request, and each three of them, with how far it has come and since when.
_LIST = """SELECT f.* FROM break_glass.after_check f WHERE f.municipality = ANY ($1)
    AND ($2::text[] IS NULL OR f.municipality || '/' || f.unit = ANY ($2))
    AND ($3::uuid IS NULL OR (f.opened_at, f.id) < (
        SELECT m.opened_at, m.id FROM break_glass.after_check m WHERE m.id = $3 AND m.municipality = ANY ($1)))
    AND ($5::text IS NULL OR f.state = $5)
    AND ($6::timestamptz IS NULL OR (f.state <> 'closed' AND f.since < $6))
    AND ($7::boolean IS NULL OR (f.state <> 'closed' AND f.escalated = $7))
    ORDER BY f.opened_at DESC, f.id DESC LIMIT $4"""
_ONE = "SELECT * FROM break_glass.after_check WHERE municipality = ANY ($1) AND id = $2"
_LATE = """SELECT count(*) FROM break_glass.after_check
    WHERE municipality = $1 AND state <> 'closed' AND since < $2"""
_ESCALATED = """SELECT count(*) FROM break_glass.after_check
    WHERE municipality = ANY ($1) AND state <> 'closed' AND escalated"""
_ESCALATIONS = "SELECT * FROM break_glass.escalation WHERE about = ANY ($1) ORDER BY about, opening"
_ESCALATE = """INSERT INTO break_glass.escalation (about, opening, municipality, by, at)
    SELECT id, opening, municipality, $4, $5 FROM break_glass.after_check
    WHERE municipality = ANY ($1) AND id = $2 AND opening = $3 AND state <> 'closed'
    ON CONFLICT DO NOTHING RETURNING about"""
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(6210782, hashtext($1))"
_STEPS = "SELECT * FROM break_glass.step WHERE about = ANY ($1) ORDER BY about, number"
_REQUESTS = """
SELECT r.id AS about, r.id AS request, r.citizen, r.requested_at FROM break_glass.request r WHERE r.id = ANY ($1)
UNION ALL
SELECT u.repeated, r.id, r.citizen, r.requested_at FROM break_glass.repeated_use u
JOIN break_glass.request r ON r.id = u.request WHERE u.repeated = ANY ($1)
ORDER BY requested_at, request
"""
_STEP = """INSERT INTO break_glass.step (about, number, municipality, state, by, at, under, sealed_text)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
_WAITING = "SELECT made_at, given_up_at FROM notices.waiting WHERE id = $1"
_DEFERRAL = """SELECT ground, coalesce(ended_at, until_at) AS until_at FROM log.deferral
    WHERE tenant = $1 AND citizen = $2 AND unit = $3 AND from_at <= $4 AND coalesce(ended_at, until_at) > $4
    AND coalesce(ended_at, until_at) > $5 ORDER BY 2 DESC LIMIT 1"""


class AfterChecksSql:
    """After-checks in the main database; their words sealed with the vault's keys."""

    def __init__(self, pool: Pool, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._pool = pool
        self._log = log
        self._vault = vault

    async def of(
        self,
        municipalities: Collection[str],
        units: Collection[tuple[str, str]] | None,
        after: str | None,
        limit: int,
        *,
        state: str | None = None,
        opened_before: datetime | None = None,
        escalated: bool | None = None,
    ) -> tuple[AfterCheck, ...]:
        """List after-checks, the newest first, of all units or of these, from behind one of them on; without words."""
        wanted = None if units is None else sorted(f"{home}/{unit}" for home, unit in units)
        mark = None if after is None else _id(after)
        chosen = (sorted(municipalities), wanted, mark, limit, state, opened_before, escalated)
        async with scoped(self._pool, _read(municipalities), snapshot=True) as connection:
            rows = await connection.fetch(_LIST, *chosen)
            told = await _told(connection, [row["id"] for row in rows])
        found = [_after_check(row, told, None) for row in rows]
        # No key opens a word here: it tells alone whether one is left.
        held = await self._vault.held_keys({(citizen, one.municipality) for one in found for citizen in one.citizens})
        return tuple(
            replace(one, erased=not any((citizen, one.municipality) in held for citizen in one.citizens))
            for one in found
        )

    async def by_id(self, after_check: str, municipalities: Collection[str]) -> AfterCheck:
        """Read one with its words; raise `NotFound`."""
        wanted = _id(after_check)
        async with scoped(self._pool, _read(municipalities), snapshot=True) as connection:
            row = await connection.fetchrow(_ONE, sorted(municipalities), wanted)
            if row is None:
                raise NotFound
            told = await _told(connection, [wanted])
        held = await self._held({one["citizen"] for one in told.requests}, row["municipality"])
        return _after_check(row, told, held)

    async def late(self, municipality: str, opened_before: datetime) -> int:
        """Count those that were opened, or opened again, before a moment and are not closed."""
        async with scoped(self._pool, _read((municipality,)), snapshot=True) as connection:
            count: int = await connection.fetchval(_LATE, municipality, opened_before)
        return count

    async def escalated(self, municipalities: Collection[str]) -> int:
        """Count those that were escalated since they were opened, or opened again, and are not closed."""
        async with scoped(self._pool, _read(municipalities), snapshot=True) as connection:
            count: int = await connection.fetchval(_ESCALATED, sorted(municipalities))
        return count

    async def notice(self, request: str, citizen: str, municipality: str, unit: str, at: datetime) -> NoticeState:
        """Say how the notice of a request stands; `NOT_KNOWN` where it waits no more."""
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            row = await connection.fetchrow(_WAITING, UUID(notice_id(request)))
            if row is None:
                return NoticeState(NOT_KNOWN)
            if row["given_up_at"] is not None:
                return NoticeState(ON_PAPER, row["given_up_at"])
            made, now = (int(moment.timestamp()) for moment in (row["made_at"], at))
            kept = await connection.fetchrow(_DEFERRAL, municipality, citizen, unit, made, now)
        if kept is None:
            return NoticeState(WAITS, row["made_at"])
        return NoticeState(PUT_OFF, datetime.fromtimestamp(kept["until_at"], UTC), ground=kept["ground"])

    async def read(self, after_check: AfterCheck, event: AfterCheckEvent) -> Receipt:
        """Keep that it was opened."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=after_check.municipality)) as connection:
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def step(
        self, after_check: AfterCheck, state: str, text: Personal[str] | None, event: AfterCheckEvent
    ) -> Receipt:
        """Take the next step; raise `Conflict` where somebody else took it meanwhile, or its citizen is erased."""
        number = len(after_check.steps) + 1
        held = await self._held(after_check.citizens, after_check.municipality)
        if (text is None) == bool(held):
            raise Conflict("citizen_erased" if text else "not_erased")
        under = sorted(held)
        sealed = text and seal(_words_key(held, under), text.disclose().encode(), f"{after_check.id} {number}")
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=after_check.municipality)) as connection:
            await connection.execute(_ONE_AT_A_TIME, after_check.id)
            row = (UUID(after_check.id), number, after_check.municipality, state, event.actor, event.at, under, sealed)
            try:
                await connection.execute(_STEP, *row)
            except asyncpg.UniqueViolationError:
                raise Conflict("already_taken") from None
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def escalate(self, after_check: AfterCheck, event: AfterCheckEscalated) -> Receipt:
        """Keep that it is escalated; raise `Conflict` where that was done, or it was closed or opened again."""
        keys, home = await self._log.prepare([event]), after_check.municipality
        async with scoped(self._pool, Scope(municipality=home, municipalities=(home,))) as connection:
            await connection.execute(_ONE_AT_A_TIME, after_check.id)
            row = ([home], UUID(after_check.id), after_check.opening, event.actor, event.at)
            if await connection.fetchrow(_ESCALATE, *row) is None:
                raise Conflict("already_taken")
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def _held(self, citizens: Collection[str], municipality: str) -> dict[str, bytes]:
        """Give the keys that are left of these citizens."""
        held = await self._vault.held_keys({(citizen, municipality) for citizen in citizens})
        return {citizen: key for (citizen, _), key in held.items()}


def _read(municipalities: Collection[str]) -> Scope:
    return Scope(municipalities=tuple(sorted(municipalities)))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def _words_key(held: Mapping[str, bytes], under: Sequence[str]) -> bytes:
    """Give the key of words from the keys of all these citizens."""
    return derive(b"".join(held[citizen] for citizen in under), "after-check words")


@dataclass(frozen=True, slots=True)
class _Told:
    """The rows of some after-checks: what was done, what was requested, and when each was escalated."""

    steps: Sequence[Any]
    requests: Sequence[Any]
    escalations: Sequence[Any]


async def _told(connection: Connection, wanted: Sequence[UUID]) -> _Told:
    return _Told(
        await connection.fetch(_STEPS, wanted),
        await connection.fetch(_REQUESTS, wanted),
        await connection.fetch(_ESCALATIONS, wanted),
    )


def _after_check(row: Any, told: _Told, held: Mapping[str, bytes] | None) -> AfterCheck:
    """Read one; without keys its words stay closed, and nothing is said of who is erased."""
    mine = [one for one in told.requests if one["about"] == row["id"]]
    return AfterCheck(
        id=str(row["id"]),
        kind=row["kind"],
        municipality=row["municipality"],
        unit=row["unit"],
        caseworker=row["caseworker"],
        opened_at=row["opened_at"],
        requests=tuple(str(one["request"]) for one in mine),
        citizens=tuple(dict.fromkeys(one["citizen"] for one in mine)),
        steps=tuple(_step(step, held or {}) for step in told.steps if step["about"] == row["id"]),
        erased=held is not None and not held,
        escalations=tuple(
            Escalation(one["opening"], one["at"], one["by"]) for one in told.escalations if one["about"] == row["id"]
        ),
    )


def _step(row: Any, held: Mapping[str, bytes]) -> Step:
    text = None
    if row["sealed_text"] is not None and all(citizen in held for citizen in row["under"]):
        try:
            words = unseal(_words_key(held, row["under"]), row["sealed_text"], f"{row['about']} {row['number']}")
            text = Personal(words.decode())
        except DoesNotOpen:
            pass
    return Step(row["state"], row["at"], row["by"], text)
