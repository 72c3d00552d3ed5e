"""The door `Samples` over PostgreSQL: each step commits with the event that says so, or not at all.

Rules kept here:
- A seed lies sealed under the key of who drew it from the air, until the draw lays it open.
- What is written of a sample, and the signs that put it forward, lie sealed under its citizen's key: signs rest on the
  question of the decision, which is sealed too. When the key is gone, nobody reads either again (P9).
- A step is numbered: of two at once, one is a `Conflict`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Connection, Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.draw import Counted, Terms
from broker.domain.errors import Conflict, NotFound, StoreUnavailable
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.samples import Coverage, Round, Sample, SampleDrawn, SampleEvent, SampleSeeded, Step

_SEED = """INSERT INTO samples.round
    (id, municipality, log, line, seeded_at, since, until, per_unit, commitment, rules, keeper, sealed_seed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""
_ROUNDS = """SELECT r.*, d.at AS drawn_at FROM samples.round r LEFT JOIN samples.drawn d ON d.round = r.id
    WHERE r.municipality = $1 ORDER BY r.since DESC"""
_SEALED = "SELECT keeper, sealed_seed FROM samples.round WHERE id = $1"
_DRAW = "INSERT INTO samples.drawn (round, municipality, at, log, line, accesses) VALUES ($1, $2, $3, $4, $5, $6)"
_SAMPLE = """INSERT INTO samples.sample
    (id, round, municipality, unit, log, line, at, citizen, actor, how, sealed_signs, opened_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""
_DRAWN = "SELECT log, line FROM samples.drawn WHERE round = $1"
_STEP = """INSERT INTO samples.step (sample, number, municipality, state, by, at, sealed_text)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_LIST = """SELECT s.* FROM samples.sample s LEFT JOIN LATERAL
    (SELECT state, at FROM samples.step WHERE sample = s.id ORDER BY number DESC LIMIT 1) last ON true
    WHERE s.municipality = ANY ($1)
    AND ($2::text[] IS NULL OR s.municipality || '/' || s.unit = ANY ($2))
    AND ($3::uuid IS NULL OR (s.opened_at, s.id) < (SELECT opened_at, id FROM samples.sample WHERE id = $3))
    AND ($5::text IS NULL OR $5 = coalesce(last.state, 'open'))
    AND ($6::timestamptz IS NULL OR (coalesce(last.state, 'open') <> 'closed' AND coalesce(last.at, s.opened_at) < $6))
    ORDER BY s.opened_at DESC, s.id DESC LIMIT $4"""
_ONE = "SELECT s.* FROM samples.sample s WHERE s.id = $1"
_STEPS = "SELECT * FROM samples.step WHERE sample = ANY ($1) ORDER BY sample, number"
_COVERAGE = """
WITH last AS (SELECT DISTINCT ON (sample) sample, state FROM samples.step ORDER BY sample, number DESC),
    done AS (SELECT s.round, s.unit, count(*) AS drawn,
        count(*) FILTER (WHERE last.state IN ('explained', 'closed')) AS explained,
        count(*) FILTER (WHERE last.state = 'closed') AS closed
        FROM samples.sample s LEFT JOIN last ON last.sample = s.id GROUP BY s.round, s.unit)
SELECT r.municipality, a.unit, r.since, a.count::bigint AS accesses,
    coalesce(done.drawn, 0) AS drawn, coalesce(done.explained, 0) AS explained, coalesce(done.closed, 0) AS closed
FROM samples.round r JOIN samples.drawn d ON d.round = r.id
CROSS JOIN LATERAL jsonb_each_text(d.accesses) AS a (unit, count)
LEFT JOIN done ON done.round = r.id AND done.unit = a.unit
WHERE r.municipality = ANY ($1) ORDER BY r.since DESC, r.municipality, a.unit
"""


class SamplesSql:
    """Draws and samples in the main database; seeds and words sealed with the vault's keys."""

    def __init__(self, pool: Pool, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._pool = pool
        self._log = log
        self._vault = vault

    async def seed(self, new: Round, seed: bytes, event: SampleSeeded) -> Round:
        """Keep a draw's terms and its seed, sealed; raise `Conflict` where the period has one."""
        keys = await self._log.prepare([event])
        sealed = seal(_seed_key(keys[event.actor, event.municipality]), seed, new.id)
        terms = new.terms
        async with scoped(self._pool, Scope(municipality=terms.municipality)) as connection:
            (receipt,) = await self._log.append_within(connection, [event], keys)
            row = (UUID(new.id), terms.municipality, receipt.log, receipt.index, new.seeded_at, terms.since,
                   terms.until, terms.per_unit, terms.commitment, terms.rules, event.actor, sealed)  # fmt: skip
            await _insert(connection, _SEED, row, "already_seeded")
        return Round(new.id, terms, receipt, new.seeded_at)

    async def rounds(self, municipality: str) -> tuple[Round, ...]:
        """List a municipality's draws, the newest first."""
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            rows = await connection.fetch(_ROUNDS, municipality)
        return tuple(_round(row) for row in rows)

    async def seed_of(self, wanted: Round) -> bytes:
        """Open a draw's seed; raise `StoreUnavailable` where its key is gone."""
        home = wanted.terms.municipality
        async with scoped(self._pool, Scope(municipality=home), snapshot=True) as connection:
            row = await connection.fetchrow(_SEALED, UUID(wanted.id))
        keys = await self._vault.held_keys({(row["keeper"], home)}) if row else {}
        if row is None or not keys:
            raise StoreUnavailable
        return unseal(_seed_key(keys[row["keeper"], home]), row["sealed_seed"], wanted.id)

    async def draw(self, wanted: Round, counted: Counted, samples: Sequence[Sample], event: SampleDrawn) -> Receipt:
        """Keep what was drawn; raise `Conflict` where it was drawn before."""
        keys = await self._log.prepare([event])
        held = await self._vault.held_keys({(one.citizen, one.municipality) for one in samples})
        async with scoped(self._pool, Scope(municipality=wanted.terms.municipality)) as connection:
            (receipt,) = await self._log.append_within(connection, [event], keys)
            counts = orjson.dumps(counted.accesses).decode()
            row = (UUID(wanted.id), wanted.terms.municipality, event.at, receipt.log, receipt.index, counts)
            await _insert(connection, _DRAW, row, "already_drawn")
            await connection.executemany(
                _SAMPLE, [_sample_row(one, held.get((one.citizen, one.municipality))) for one in samples]
            )
        return receipt

    async def drawn(self, wanted: Round) -> Receipt | None:
        """Say where on the log it stands that it was drawn."""
        async with scoped(self._pool, Scope(municipality=wanted.terms.municipality), snapshot=True) as connection:
            row = await connection.fetchrow(_DRAWN, UUID(wanted.id))
        return Receipt(row["log"], row["line"]) if row else None

    async def of(
        self,
        municipalities: Collection[str],
        units: Collection[tuple[str, str]] | None,
        after: str | None,
        limit: int,
        state: str | None = None,
        *,
        waits_since: datetime | None = None,
    ) -> tuple[Sample, ...]:
        """List samples, the newest draw first, of all units or of these, from behind one on; no words, no signs.

        `waits_since` is for those alone that wait for a step since before a moment.
        """
        wanted = None if units is None else sorted(f"{home}/{unit}" for home, unit in units)
        mark = None if after is None else _id(after)
        async with scoped(self._pool, _read(municipalities), snapshot=True) as connection:
            rows = await connection.fetch(_LIST, sorted(municipalities), wanted, mark, limit, state, waits_since)
            steps = await connection.fetch(_STEPS, [row["id"] for row in rows])
        # No key opens a word here: it tells alone whether one is left.
        held = await self._vault.held_keys({(row["citizen"], row["municipality"]) for row in rows})
        erased = [(row["citizen"], row["municipality"]) not in held for row in rows]
        return tuple(replace(_sample(row, steps, {}), erased=gone) for row, gone in zip(rows, erased, strict=True))

    async def by_id(self, sample: str, municipalities: Collection[str]) -> Sample:
        """Read one with its words and signs; raise `NotFound`."""
        async with scoped(self._pool, _read(municipalities), snapshot=True) as connection:
            row = await connection.fetchrow(_ONE, _id(sample))
            steps = await connection.fetch(_STEPS, [row["id"]] if row else [])
        if row is None:
            raise NotFound
        held = await self._vault.held_keys({(row["citizen"], row["municipality"])})
        return replace(_sample(row, steps, held), erased=not held)

    async def read(self, sample: Sample, event: SampleEvent) -> Receipt:
        """Keep that it was opened."""
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=sample.municipality)) as connection:
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def step(self, sample: Sample, state: str, text: Personal[str] | None, event: SampleEvent) -> Receipt:
        """Take the next step; raise `Conflict` where somebody else took it meanwhile, or the citizen is erased."""
        pair, number = (sample.citizen, sample.municipality), len(sample.steps) + 1
        held = await self._vault.held_keys({pair})
        if (text is None) == bool(held):
            raise Conflict("citizen_erased" if text else "not_erased")
        sealed = text and seal(_words_key(held[pair]), text.disclose().encode(), f"{sample.id} {number}")
        keys = await self._log.prepare([event])
        async with scoped(self._pool, Scope(municipality=sample.municipality)) as connection:
            row = (UUID(sample.id), number, sample.municipality, state, event.actor, event.at, sealed)
            await _insert(connection, _STEP, row, "already_taken")
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def coverage(self, municipalities: Collection[str]) -> tuple[Coverage, ...]:
        """Count accesses, drawn, explained and closed by draw and unit, the newest draw first."""
        async with scoped(self._pool, _read(municipalities), snapshot=True) as connection:
            rows = await connection.fetch(_COVERAGE, sorted(municipalities))
        return tuple(Coverage(*row.values()) for row in rows)


async def _insert(connection: Connection, statement: str, row: Sequence[Any], taken: str) -> None:
    try:
        await connection.execute(statement, *row)
    except asyncpg.UniqueViolationError:
        raise Conflict(taken) from None


def _read(municipalities: Collection[str]) -> Scope:
    return Scope(municipalities=tuple(sorted(municipalities)))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def _seed_key(keepers: bytes) -> bytes:
    return derive(keepers, "sample seed")


def _words_key(citizens: bytes) -> bytes:
    return derive(citizens, "sample words")


def _round(row: Any) -> Round:
    terms = Terms(row["municipality"], row["since"], row["until"], row["per_unit"], row["commitment"], row["rules"])
    return Round(str(row["id"]), terms, Receipt(row["log"], row["line"]), row["seeded_at"], row["drawn_at"])


def _signs_key(citizens: bytes) -> bytes:
    return derive(citizens, "sample signs")


def _sample_row(one: Sample, key: bytes | None) -> tuple[Any, ...]:
    # Who was erased meanwhile has no key, and so no signs.
    signs = None if key is None else seal(_signs_key(key), orjson.dumps([one.signs, one.explained]), one.id)
    return (UUID(one.id), UUID(one.round), one.municipality, one.unit, one.about.log, one.about.index, one.at,
            one.citizen, one.actor, one.how, signs, one.opened_at)  # fmt: skip


def _signs(row: Any, key: bytes | None) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    if key is None or row["sealed_signs"] is None:
        return (), ()
    try:
        spoke, explained = orjson.loads(unseal(_signs_key(key), row["sealed_signs"], str(row["id"])))
    except DoesNotOpen:
        return (), ()
    return tuple(spoke), tuple((sign, why) for sign, why in explained)


def _sample(row: Any, steps: Sequence[Any], keys: Mapping[tuple[str, str], bytes]) -> Sample:
    key = keys.get((row["citizen"], row["municipality"]))
    signs, explained = _signs(row, key)
    return Sample(
        id=str(row["id"]),
        round=str(row["round"]),
        municipality=row["municipality"],
        unit=row["unit"],
        about=Receipt(row["log"], row["line"]),
        at=row["at"],
        citizen=row["citizen"],
        actor=row["actor"],
        how=row["how"],
        signs=signs,
        explained=explained,
        opened_at=row["opened_at"],
        steps=tuple(_step(step, key) for step in steps if step["sample"] == row["id"]),
    )


def _step(row: Any, key: bytes | None) -> Step:
    text = None
    if key is not None and row["sealed_text"] is not None:
        try:
            words = unseal(_words_key(key), row["sealed_text"], f"{row['sample']} {row['number']}")
            text = Personal(words.decode())
        except DoesNotOpen:
            pass
    return Step(row["state"], row["at"], row["by"], text)
