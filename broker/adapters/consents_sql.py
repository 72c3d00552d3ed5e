"""The door `Consents` over PostgreSQL: consents, requests and blocks, each change with its event or not at all.

Rules kept here:
- A change, the event that says so and the new version of everybody it touches commit together (`design.md` 6.5).
- Locks are taken in one order everywhere: citizen_state by citizen, then log heads by origin. Every change of a
  consent holds its citizen's state, so its lines need no lock of their own.
- Nothing is rewritten: a line, a request and a block have histories that are only added to.
- What was shown and how a yes was taken lies sealed under the giver's key, a request's words under the citizen's.
- Who changes something online acts as that citizen alone; a desk acts for its municipality alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson

from broker.adapters import consents_rows as rows
from broker.adapters.consent_requests_sql import ConsentRequestsSql, words_in
from broker.adapters.database import Connection, Scope, enter, listed, reaching_the_store, scoped
from broker.adapters.outbox_rows import add_notices, forget_end, forget_renewed_end
from broker.adapters.sealing import seal
from broker.adapters.stops_rows import with_told
from broker.domain.consents import (
    GRANTED,
    PAUSED,
    REFUSED,
    WITHDRAWN,
    Answer,
    Consent,
    ConsentRequest,
    Grant,
    ReadText,
    told_of_change,
)
from broker.domain.days import danish_day
from broker.domain.errors import Conflict, NotFound
from broker.domain.events import (
    BlockChanged,
    ConsentEvent,
    ConsentGranted,
    ConsentPaused,
    ConsentRefused,
    ConsentRequested,
    ConsentResumed,
    ConsentWithdrawn,
    LinesChanged,
)
from broker.domain.facts import Block, ConsentFacts, EarlierRequest
from broker.domain.notices import Notice
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

ONLINE = "online"
_WITHIN = "($2::text[] IS NULL OR municipality = ANY ($2))"
_REQUESTS_OF = (
    f"SELECT id FROM consents.request WHERE citizen = $1 AND {_WITHIN}"  # noqa: S608 - our own words
    f" UNION SELECT request FROM consents.request_line WHERE giver = $1 AND {_WITHIN}"
)
_CONSENTS_OF = (
    f"SELECT id FROM consents.consent WHERE citizen = $1 AND {_WITHIN}"  # noqa: S608 - the same
    f" UNION SELECT consent FROM consents.line WHERE subject = $1 AND {_WITHIN}"
    f" UNION SELECT consent FROM consents.line WHERE giver = $1 AND {_WITHIN}"
)
E = TypeVar("E", bound=ConsentEvent)


class ConsentsSql(ConsentRequestsSql):
    """Consents in the main database; texts sealed with the vault's keys."""

    async def facts(
        self, municipality: str, unit: str, purpose: str, case: str, subjects: Sequence[str]
    ) -> ConsentFacts:
        """Read, in one snapshot, what a decision for this unit, purpose and case may rest on (`ConsentFacts`).

        One statement, the same whatever is found (P6). Raises `StoreUnavailable`.
        """
        async with reaching_the_store():
            told = await self._pool.fetchval(
                "SELECT consents.facts($1, $2, $3, $4, $5)", municipality, unit, purpose, case, list(subjects)
            )
        found = orjson.loads(told)
        versions = dict(found["versions"])
        return ConsentFacts(
            lines=tuple(rows.fact_line(line) for line in found["lines"]),
            blocks=tuple(Block(*block) for block in found["blocks"]),
            versions=tuple((subject, versions.get(subject, 0)) for subject in subjects),
            meetings=tuple((subject, day) for subject, day in found["meetings"]),
            requests=tuple(EarlierRequest(*asked) for asked in found["requests"]),
        )

    async def request(
        self, new: ConsentRequest, event: ConsentRequested, *also: ConsentRequested, tell: Sequence[Notice] = ()
    ) -> tuple[Receipt, ...]:
        """Ask for consent; one receipt an event. Raises `StoreUnavailable`, `LogUnavailable`, `Conflict`."""
        events = _about(new.id, new.municipality, event, *also)
        sealed = await self._sealed(new)
        keys, waiting = await self._log.prepare(events), await self._outbox.sealed(tell)
        async with scoped(self._pool, Scope(municipality=new.municipality)) as connection:
            try:
                await rows.add_request(connection, new, event.actor, event.channel, sealed)
            except asyncpg.UniqueViolationError:
                raise Conflict("already_asked") from None
            await add_notices(connection, waiting)
            return await self._log.append_within(connection, events, keys)

    async def requests_of(
        self, citizen: str, *, municipality: str = "", within: Collection[str] | None = None
    ) -> tuple[ConsentRequest, ...]:
        """List the requests that concern a citizen or are theirs to answer: as the citizen, or as one municipality."""
        scope = Scope(municipality=municipality) if municipality else Scope(citizen=citizen)
        async with scoped(self._pool, scope, snapshot=True) as connection:
            ids = await connection.fetch(_REQUESTS_OF, citizen, listed(within))
            found = await rows.requests(connection, [row["id"] for row in ids])
        return await self.with_words(found)

    async def request_by_id(self, request: str, *, municipality: str = "", citizen: str = "") -> ConsentRequest:
        """Read one request as a municipality or as a citizen; raise `NotFound` where it is not theirs to see."""
        scope = Scope(municipality=municipality, citizen=citizen)
        async with scoped(self._pool, scope, snapshot=True) as connection:
            found = await rows.requests(connection, [_id(request)])
        if not found:
            raise NotFound
        return (await self.with_words(found))[0]

    async def grant(
        self, grant: Grant, event: ConsentGranted, *also: ConsentGranted, tell: Sequence[Notice] = ()
    ) -> tuple[Receipt, ...]:
        """Keep a yes, to a request or at the desk; one receipt an event.

        Raises `Conflict` when this giver has answered or the request has lapsed, `NotFound` where there is none,
        `BadAsk` where the yes goes beyond it.
        """
        events = _about(grant.id, grant.municipality, event, *also)
        key = await self._text_key(grant.giver, grant.municipality)
        evidence = None if grant.evidence is None else seal(key, grant.evidence.disclose().encode(), grant.id)
        sealed = (seal(key, grant.text.disclose().encode(), grant.id), evidence)
        keys, waiting = await self._log.prepare(events), await self._outbox.sealed(tell)
        touched = {grant.citizen, *(line.subject for line in grant.lines)}
        scope = _acting(event.channel, grant.giver, grant.municipality, touched)
        async with scoped(self._pool, scope) as connection:
            await rows.bump(connection, touched)
            try:
                if grant.request is not None:
                    request = await _open_request(connection, grant.request, grant.giver, event)
                    answer = Answer(grant.answers(request), grant.giver, event.at, event.channel, grant.id)
                    await _answer(connection, request, answer, event)
                await rows.add_consent(connection, grant, sealed, event.at, event.actor, event.channel)
            except asyncpg.UniqueViolationError:
                raise Conflict("already_answered") from None
            if grant.renews is not None:
                await forget_renewed_end(connection, UUID(grant.renews))
            await add_notices(connection, waiting)
            return await self._log.append_within(connection, events, keys)

    async def refuse(
        self,
        request: str,
        giver: str,
        event: ConsentRefused,
        *also: ConsentRefused,
        read: ReadText | None = None,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Keep a giver's no to a request; one receipt an event. Raises `Conflict` and `NotFound` as `grant` does."""
        events = _about(request, event.municipality, event, *also)
        sealed = await self._sealed_text(read, request, giver, event.municipality)
        keys, waiting = await self._log.prepare(events), await self._outbox.sealed(tell)
        async with scoped(self._pool, _acting(event.channel, giver, event.municipality, ())) as connection:
            asked = await _open_request(connection, request, giver, event)
            try:
                await _answer(connection, asked, Answer(REFUSED, giver, event.at, event.channel), event, sealed)
            except asyncpg.UniqueViolationError:
                raise Conflict("already_answered") from None
            await add_notices(connection, waiting)
            return await self._log.append_within(connection, events, keys)

    async def withdraw(
        self,
        consent: str,
        lines: Sequence[str] | None,
        event: ConsentWithdrawn,
        *also: ConsentWithdrawn,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Take a yes back, whole (`lines` of None) or line by line; it holds from this commit on.

        What the events say of lines and version is set to what was in fact taken back; those about whom nothing was
        are left out. Raises `NotFound` for what is not this giver's, `Conflict` when nothing is left to take back.
        """
        return await self._change(consent, lines, WITHDRAWN, tell, event, *also)

    async def pause(
        self,
        consent: str,
        lines: Sequence[str] | None,
        event: ConsentPaused,
        *also: ConsentPaused,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Let a yes rest, as `withdraw` takes it back; raises as it does."""
        return await self._change(consent, lines, PAUSED, tell, event, *also)

    async def resume(
        self,
        consent: str,
        lines: Sequence[str] | None,
        event: ConsentResumed,
        *also: ConsentResumed,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Let what was paused hold again; raises as `withdraw` does."""
        return await self._change(consent, lines, GRANTED, tell, event, *also)

    async def _change(
        self,
        consent: str,
        lines: Sequence[str] | None,
        state: str,
        tell: Sequence[Notice],
        event: LinesChanged,
        *also: LinesChanged,
    ) -> tuple[Receipt, ...]:
        events = _about(consent, event.municipality, event, *also)
        keys, waiting = await self._log.prepare(events), await self._outbox.sealed(tell)
        scope = _acting(event.channel, event.giver, event.municipality, ())
        async with scoped(self._pool, scope) as connection:
            before = await _consent(connection, consent)
            touched = {before.citizen, *(line.subject for line in before.lines)}
            await enter(connection, replace(scope, subjects=tuple(sorted(touched))))
            await rows.bump(connection, touched)
            # Read again behind the lock: somebody may just have changed the same line.
            now = await _consent(connection, consent)
            taken = now.as_shown(event.at).to_become(state, lines, event.giver, danish_day(event.at))
            version = now.version + 1
            await rows.add_line_states(
                connection,
                [UUID(line.id) for line in taken],
                version=version,
                state=state,
                at=event.at,
                by=event.actor,
                channel=event.channel,
            )
            told = told_of_change(events, taken, version)
            await forget_end(connection, UUID(consent))
            await add_notices(connection, waiting)
            return await self._log.append_within(connection, told, keys)

    async def of_citizen(
        self, citizen: str, *, municipality: str = "", within: Collection[str] | None = None
    ) -> tuple[Consent, ...]:
        """List the consents about or by a citizen, newest first: as the citizen, or as one municipality sees them."""
        scope = Scope(municipality=municipality) if municipality else Scope(citizen=citizen)
        async with scoped(self._pool, scope, snapshot=True) as connection:
            ids = await connection.fetch(_CONSENTS_OF, citizen, listed(within))
            found = await rows.consents(connection, [row["id"] for row in ids])
            return found if municipality else await with_told(connection, found)

    async def shown(self, consent: str, giver: str) -> tuple[Personal[str] | None, Personal[str] | None]:
        """Give back to its giver what they were shown and how their yes was taken. Raises `NotFound`.

        None where it cannot be opened: the key it lay under was destroyed with the giver's content (P9).
        """
        async with scoped(self._pool, Scope(citizen=giver), snapshot=True) as connection:
            row = await connection.fetchrow(
                "SELECT municipality, sealed_text, sealed_evidence FROM consents.consent WHERE id = $1 AND giver = $2",
                _id(consent),
                giver,
            )
        if row is None:
            raise NotFound
        key = (await self._vault.held_keys([(giver, row["municipality"])])).get((giver, row["municipality"]))
        evidence = row["sealed_evidence"]
        return words_in(key, row["sealed_text"], consent), None if evidence is None else words_in(
            key, evidence, consent
        )

    async def block(self, block: Block, event: BlockChanged) -> Receipt:
        """Set a citizen's standing no; it holds from this commit on, in every municipality."""
        return await self._change_block(block, event, "set")

    async def unblock(self, block: str, event: BlockChanged) -> Receipt:
        """Lift a citizen's standing no. Raises `NotFound` where it is not theirs or no longer in force."""
        for found in await self.blocks_of(event.subject):
            if found.id == block:
                return await self._change_block(found, event, "lifted")
        raise NotFound

    async def blocks_of(self, citizen: str) -> tuple[Block, ...]:
        """List the blocks of a citizen that are in force."""
        async with scoped(self._pool, Scope(citizen=citizen), snapshot=True) as connection:
            return await rows.blocks(connection, citizen)

    async def ping(self) -> None:
        """Ask the database for a sign of life; raise `StoreUnavailable`."""
        async with reaching_the_store():
            await self._pool.execute("SELECT 1")

    async def _change_block(self, block: Block, event: BlockChanged, state: str) -> Receipt:
        keys = await self._log.prepare([event])
        scope = Scope(municipality=event.municipality, citizen=block.subject, subjects=(block.subject,))
        async with scoped(self._pool, scope) as connection:
            await rows.bump(connection, [block.subject])
            if state == "set":
                await rows.add_block(connection, block, event.municipality)
            elif block not in await rows.blocks(connection, block.subject):
                raise Conflict("already_lifted")
            await rows.add_block_state(connection, block.id, state, event.at, event.actor)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt


def _acting(channel: str, giver: str, municipality: str, subjects: Sequence[str] | set[str]) -> Scope:
    """Name whose rows a change may touch: online the giver's, else the municipality's whose desk it is."""
    if channel == ONLINE:
        return Scope(citizen=giver, subjects=tuple(sorted(subjects)))
    return Scope(municipality=municipality, subjects=tuple(sorted(subjects)))


def _about(about: str, municipality: str, *events: E) -> list[E]:
    """Give the events, all of which must speak of this consent or request, on its municipality's log."""
    if any(event.consent != about or event.municipality != municipality for event in events):
        raise ValueError("the event speaks of another consent")
    return list(events)


async def _open_request(connection: Connection, request: str, giver: str, event: ConsentEvent) -> ConsentRequest:
    """Read a request that this giver may answer now; raise `NotFound` or `Conflict`."""
    found = await rows.requests(connection, [_id(request)])
    if not found or giver not in found[0][0].givers:
        raise NotFound
    asked = found[0][0]
    if asked.answered_by(giver):
        raise Conflict("already_answered")
    if danish_day(event.at) > asked.answer_by:
        raise Conflict("expired")
    return asked


async def _answer(
    connection: Connection,
    request: ConsentRequest,
    answer: Answer,
    event: ConsentEvent,
    read: Mapping[str, Any] | None = None,
) -> None:
    parties = request.parties_of(answer.giver or "")
    await rows.add_answer(connection, request.id, answer, event.actor, request.municipality, parties, **(read or {}))


async def _consent(connection: Connection, consent: str) -> Consent:
    found = await rows.consents(connection, [_id(consent)])
    if not found:
        raise NotFound
    return found[0]


def _id(text: str) -> UUID:
    """Read an id; what is no id names nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
