"""The door `Inquiries` over PostgreSQL: each step commits with the event that says so, or not at all.

Rules kept here:
- What citizen and DPO wrote lies sealed under the citizen's key; when that is gone, nobody reads it again (P9).
- A citizen sees their own, a municipality those to itself; the database holds both to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hmac import compare_digest
from typing import Any
from uuid import UUID

import asyncpg

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Pool, Scope, listed, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.days import midnight_before
from broker.domain.errors import Conflict, NotFound
from broker.domain.inquiries import (
    A_DAY,
    ANSWERED,
    PASSED_ON,
    READ,
    Inquiry,
    InquiryAnswered,
    InquiryPassedOn,
    InquiryRead,
    InquirySent,
    Place,
    Told,
    place_of,
)
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

_WHOLE = """
SELECT i.*, r.at AS read_at, a.at AS answered_at, a.sealed_text AS sealed_answer,
    p.at AS passed_on_at, p.told FROM inquiries.inquiry i
LEFT JOIN inquiries.step r ON r.inquiry = i.id AND r.state = 'read'
LEFT JOIN inquiries.step p ON p.inquiry = i.id AND p.state = 'passed_on'
LEFT JOIN inquiries.step a ON a.inquiry = i.id AND a.state = 'answered'
"""
_PAGE = """
SELECT i.id, i.municipality, i.citizen, i.log, i.line, i.number, i.aim, i.sent_at, i.mark,
    r.at AS read_at, a.at AS answered_at, p.at AS passed_on_at, p.told FROM inquiries.inquiry i
LEFT JOIN inquiries.step r ON r.inquiry = i.id AND r.state = 'read'
LEFT JOIN inquiries.step p ON p.inquiry = i.id AND p.state = 'passed_on'
LEFT JOIN inquiries.step a ON a.inquiry = i.id AND a.state = 'answered'
WHERE $1::boolean IS NULL OR (a.at IS NOT NULL, i.sent_at, i.id) > ($1, $2::timestamptz, $3::uuid)
ORDER BY (a.at IS NOT NULL), i.sent_at, i.id LIMIT $4
"""
# One citizen's inquiries come one after another, to whichever municipalities of the house at once.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock($1, hashtext($2))"
LOCK = 6_210_775
# Of a later day too: a clock that was set back gives nobody new ones.
_TODAY = "SELECT count(*) FROM inquiries.inquiry WHERE citizen = $1 AND sent_at >= $2"
_ONE = _WHOLE + " WHERE i.id = $1"
_OF_CITIZEN = _WHOLE + (
    " WHERE i.citizen = $1 AND ($2::text[] IS NULL OR i.municipality = ANY ($2)) ORDER BY i.sent_at DESC, i.id"
)
_ADD = """INSERT INTO inquiries.inquiry (id, municipality, citizen, log, line, number, aim, sealed_text, sent_at,
    mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
_ADD_STEP = """INSERT INTO inquiries.step (inquiry, municipality, citizen, state, by, at, sealed_text, told)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
_ADD_READ = _ADD_STEP + " ON CONFLICT (inquiry, state) DO NOTHING"
Step = InquiryRead | InquiryPassedOn | InquiryAnswered


class InquiriesSql:
    """Inquiries in the main database; their words sealed with the vault's keys."""

    def __init__(self, pool: Pool, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._pool = pool
        self._log = log
        self._vault = vault

    async def send(self, new: Inquiry, text: Personal[str], event: InquirySent) -> Receipt:
        """Keep what a citizen asked.

        Raises `Conflict` where they wait for an answer about the same line, and after too many in a day.
        """
        key = await self._key(new)
        sealed = _sealed(key, new, text, "asked")
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=new.municipality, citizen=new.citizen)) as connection:
            await connection.execute(_ONE_AT_A_TIME, LOCK, new.citizen)
            if await connection.fetchval(_TODAY, new.citizen, midnight_before(new.sent_at)) >= A_DAY:
                raise Conflict("too_many_inquiries")
            row = (UUID(new.id), new.municipality, new.citizen, new.about.log, new.about.index, new.number, new.aim)
            try:
                await connection.execute(_ADD, *row, sealed, new.sent_at, _mark(key, new.id))
            except asyncpg.UniqueViolationError:
                raise Conflict("already_asked") from None
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def read(self, inquiry: Inquiry, event: InquiryRead) -> Receipt:
        """Keep that it was opened, each time on the log."""
        return await self._step(inquiry, event, _ADD_READ, READ, None)

    async def answer(self, inquiry: Inquiry, text: Personal[str], event: InquiryAnswered) -> Receipt:
        """Keep the answer. Raises `Conflict` where it has one."""
        sealed = _sealed(await self._key(inquiry), inquiry, text, ANSWERED)
        return await self._step(inquiry, event, _ADD_STEP, ANSWERED, sealed)

    async def pass_on(self, inquiry: Inquiry, event: InquiryPassedOn) -> Receipt:
        """Keep who was told of it. Raises `Conflict` where some were."""
        return await self._step(inquiry, event, _ADD_STEP, PASSED_ON, None, event.told)

    async def of_citizen(self, citizen: str, *, within: Collection[str] | None = None) -> tuple[Told, ...]:
        """List a citizen's own, to every municipality or some, the newest first, with what was written."""
        async with scoped(self._pool, Scope(citizen=citizen), snapshot=True) as connection:
            rows = await connection.fetch(_OF_CITIZEN, citizen, listed(within))
        return await self._told(rows)

    async def of(
        self, municipalities: Collection[str], *, after: Place | None = None, limit: int = 50
    ) -> tuple[Inquiry, ...]:
        """List some of those to these municipalities that can be read, those that wait longest first.

        No word of any is opened for it.
        """
        found: list[Inquiry] = []
        while len(found) < limit:
            rows = await self._page(municipalities, after, limit)
            keys = await self._held(rows)
            found += [_plain(row) for row in rows if _may_open(row, keys.get((row["citizen"], row["municipality"])))]
            if len(rows) < limit:
                break
            after = place_of(_plain(rows[-1]))
        return tuple(found[:limit])

    async def _page(self, municipalities: Collection[str], after: Place | None, limit: int) -> Sequence[Any]:
        place = (None, None, None) if after is None else (after.answered, after.sent_at, UUID(after.id))
        async with scoped(self._pool, Scope(municipalities=tuple(sorted(municipalities))), snapshot=True) as connection:
            rows: Sequence[Any] = await connection.fetch(_PAGE, *place, limit)
        return rows

    async def by_id(self, inquiry: str, municipalities: Collection[str]) -> Told:
        """Read one of those to these municipalities; raise `NotFound`, also once its citizen is erased."""
        try:
            wanted = UUID(inquiry)
        except ValueError:
            raise NotFound from None
        async with scoped(self._pool, Scope(municipalities=tuple(sorted(municipalities))), snapshot=True) as connection:
            rows = await connection.fetch(_ONE, wanted)
        found = await self._told(rows)
        if not found:
            raise NotFound
        return found[0]

    async def _step(
        self, inquiry: Inquiry, event: Step, statement: str, state: str, sealed: bytes | None,
        told: Sequence[str] = (),
    ) -> Receipt:  # fmt: skip
        keys = await self._log.prepare([event])
        whose = (UUID(inquiry.id), inquiry.municipality, inquiry.citizen)
        async with scoped(self._pool, Scope(municipality=inquiry.municipality)) as connection:
            try:
                await connection.execute(statement, *whose, state, event.actor, event.at, sealed, list(told))
            except asyncpg.UniqueViolationError:
                raise Conflict(f"already_{state}") from None
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def _held(self, rows: Sequence[Any]) -> Mapping[tuple[str, str], bytes]:
        """Give the keys that are there; none is made for whom there is none."""
        return await self._vault.held_keys({(row["citizen"], row["municipality"]) for row in rows})

    async def _key(self, inquiry: Inquiry) -> bytes:
        pair = (inquiry.citizen, inquiry.municipality)
        return (await self._vault.keys([pair]))[pair]

    async def _told(self, rows: Sequence[Any]) -> tuple[Told, ...]:
        """Open what was written; what lies under a key that is gone, or is another since, is not there."""
        keys = await self._held(rows)
        found = [_opened(row, keys.get((row["citizen"], row["municipality"]))) for row in rows]
        return tuple(told for told in found if told is not None)


def _words_key(citizens: bytes) -> bytes:
    return derive(citizens, "inquiry words")


def _sealed(key: bytes, inquiry: Inquiry, text: Personal[str], part: str) -> bytes:
    return seal(_words_key(key), text.disclose().encode(), f"{inquiry.id} {part}")


def _mark(key: bytes, inquiry: str) -> bytes:
    return derive(key, f"inquiry {inquiry}")


def _may_open(row: Any, key: bytes | None) -> bool:
    """Tell whether what was written lies under a key, without opening it; without a mark, that there is a key."""
    return key is not None and (row["mark"] is None or compare_digest(row["mark"], _mark(key, str(row["id"]))))


def _plain(row: Any) -> Inquiry:
    return Inquiry(
        id=str(row["id"]),
        municipality=row["municipality"],
        citizen=row["citizen"],
        about=Receipt(row["log"], row["line"]),
        number=row["number"],
        sent_at=row["sent_at"],
        read_at=row["read_at"],
        answered_at=row["answered_at"],
        aim=row["aim"],
        passed_on_at=row["passed_on_at"],
        told=tuple(row["told"] or ()),
    )


def _opened(row: Any, key: bytes | None) -> Told | None:
    if key is None:
        return None
    inquiry, words, sealed = _plain(row), _words_key(key), row["sealed_answer"]
    try:
        text = unseal(words, row["sealed_text"], f"{inquiry.id} asked").decode()
        answer = None if sealed is None else Personal(unseal(words, sealed, f"{inquiry.id} {ANSWERED}").decode())
    except DoesNotOpen:
        return None
    return Told(inquiry, Personal(text), answer)
