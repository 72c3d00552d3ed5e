"""Consents in memory, with the same answers as the real ones."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from typing import TypeVar
from uuid import uuid4

from broker.domain.consents import (
    EXPIRED,
    GRANTED,
    PARTLY_GRANTED,
    PAUSED,
    REFUSED,
    WITHDRAWN,
    Answer,
    Consent,
    ConsentRequest,
    Grant,
    LineState,
    ReadText,
    RequestLine,
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
    ConsentUnanswered,
    ConsentWithdrawn,
    LinesChanged,
)
from broker.domain.facts import Block, ConsentFacts, ConsentLine, EarlierRequest
from broker.domain.notices import Notice
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from tests.fakes.log import FakeLog

E = TypeVar("E", bound=ConsentEvent)


class FakeConsents:
    """The door `Consents`, over a fake log that it shares its versions with."""

    def __init__(self, log: FakeLog | None = None) -> None:
        self.log = log or FakeLog()
        self.versions: dict[str, int] = {}
        self.log.versions = self.versions
        self.requests: dict[str, ConsentRequest] = {}
        self.consents: dict[str, Consent] = {}
        self.blocks: dict[str, Block] = {}
        self.told: list[Notice] = []
        self._grants: dict[str, Grant] = {}
        self._read: dict[tuple[str, str], ReadText | None] = {}

    async def facts(
        self, municipality: str, unit: str, purpose: str, case: str, subjects: Sequence[str]
    ) -> ConsentFacts:
        """Read what a decision for this unit, purpose and case may rest on."""
        about = [c for c in self.consents.values() if (c.municipality, c.purpose) == (municipality, purpose)]
        found = [c for c in about if c.unit != unit or c.case == case]
        lines = [self._counted(line) for consent in found for line in consent.lines if line.subject in subjects]
        blocks = [block for block in self.blocks.values() if block.subject in subjects]
        return ConsentFacts(
            tuple(sorted(lines, key=lambda line: line.id)),
            tuple(sorted(blocks, key=lambda block: block.id)),
            tuple((subject, self.versions.get(subject, 0)) for subject in subjects),
            tuple(sorted(self.log.meetings_of(municipality, purpose, subjects))),
            tuple(
                _earlier(request)
                for request in self.requests.values()
                if (request.municipality, request.unit, request.purpose, request.case)
                == (municipality, unit, purpose, case)
            ),
        )

    async def request(
        self, new: ConsentRequest, event: ConsentRequested, *also: ConsentRequested, tell: Sequence[Notice] = ()
    ) -> tuple[Receipt, ...]:
        """Ask for consent."""
        if new.id in self.requests:
            raise Conflict("already_asked")
        receipts = await self.log.append(_about(new.id, event, *also))
        self.requests[new.id] = new
        self.told.extend(tell)
        return receipts

    async def requests_of(
        self, citizen: str, *, municipality: str = "", within: Collection[str] | None = None
    ) -> tuple[ConsentRequest, ...]:
        """List the requests that concern a citizen."""
        theirs = [
            row for row in self.requests.values()
            if row.municipality == municipality and citizen in row.givers | {row.citizen}
        ]  # fmt: skip
        seen = theirs if municipality else [_as_seen(request, citizen) for request in self.requests.values()]
        own = (r for r in seen if r and (within is None or r.municipality in within))
        return tuple(sorted(own, key=lambda r: (r.asked_at, r.id), reverse=True))

    async def request_by_id(self, request: str, *, municipality: str = "", citizen: str = "") -> ConsentRequest:
        """Read one request."""
        found = self.requests.get(request)
        if found is not None and found.municipality != municipality:
            found = _as_seen(found, citizen)
        if found is None:
            raise NotFound
        return found

    async def earlier_requests(
        self, municipality: str, unit: str, purpose: str, citizens: Collection[str]
    ) -> tuple[ConsentRequest, ...]:
        """List what a unit asked of a citizen for a purpose."""
        asked = (municipality, unit, purpose)
        found = [
            row
            for row in self.requests.values()
            if (row.municipality, row.unit, row.purpose) == asked and row.citizen in citizens
        ]
        return tuple(sorted(found, key=lambda row: (row.asked_at, row.id), reverse=True))

    async def unanswered(self, municipality: str, before: int) -> tuple[ConsentRequest, ...]:
        """List requests that are over and still open."""
        return tuple(
            row
            for row in self.requests.values()
            if row.municipality == municipality and row.answer_by < before and _stands_open(row)
        )

    async def lapse(self, request: str, event: ConsentUnanswered, *also: ConsentUnanswered) -> tuple[Receipt, ...]:
        """Close a request."""
        asked = self.requests.get(request)
        if asked is None or asked.municipality != event.municipality:
            raise NotFound
        if not _stands_open(asked):
            raise Conflict("already_lapsed")
        receipts = await self.log.append(_about(request, event, *also))
        self._answer(asked, Answer(EXPIRED, None, event.at, event.channel))
        return receipts

    async def grant(
        self, grant: Grant, event: ConsentGranted, *also: ConsentGranted, tell: Sequence[Notice] = ()
    ) -> tuple[Receipt, ...]:
        """Keep a yes."""
        if grant.id in self.consents:
            raise Conflict("already_answered")
        state, asked = GRANTED, None
        if grant.request is not None:
            asked = self._open_request(grant.request, grant.giver, event)
            state = grant.answers(asked)
        receipts = await self.log.append(_about(grant.id, event, *also))
        if asked is not None:
            self._answer(asked, Answer(state, grant.giver, event.at, event.channel, grant.id))
        lines = tuple(_line(grant, line) for line in grant.lines)
        self._grants[grant.id] = grant
        self.consents[grant.id] = Consent(
            id=grant.id,
            request=grant.request,
            municipality=grant.municipality,
            citizen=grant.citizen,
            giver=grant.giver,
            unit=grant.unit,
            purpose=grant.purpose,
            case=grant.case,
            form=grant.form,
            language=grant.language,
            text_version=grant.text_version,
            text_digest=grant.text_digest,
            given_at=event.at,
            lines=lines,
            limit=grant.limit,
            renews=grant.renews,
            history=tuple(LineState(line.id, 1, GRANTED, event.at, event.channel) for line in lines),
        )
        self._bump(grant.citizen, *(line.subject for line in lines))
        self.told.extend(tell)
        return receipts

    async def read_before_no(self, request: str, giver: str) -> ReadText | None:
        """Give back what was read before a no."""
        try:
            return self._read[request, giver]
        except KeyError:
            raise NotFound from None

    async def refuse(
        self,
        request: str,
        giver: str,
        event: ConsentRefused,
        *also: ConsentRefused,
        read: ReadText | None = None,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Keep a no."""
        asked = self._open_request(request, giver, event)
        receipts = await self.log.append(_about(request, event, *also))
        self._answer(asked, Answer(REFUSED, giver, event.at, event.channel))
        self._read[request, giver] = read
        self.told.extend(tell)
        return receipts

    async def withdraw(
        self,
        consent: str,
        lines: Sequence[str] | None,
        event: ConsentWithdrawn,
        *also: ConsentWithdrawn,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Take a yes back."""
        return await self._change(consent, lines, WITHDRAWN, tell, event, *also)

    async def pause(
        self,
        consent: str,
        lines: Sequence[str] | None,
        event: ConsentPaused,
        *also: ConsentPaused,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Let a yes rest."""
        return await self._change(consent, lines, PAUSED, tell, event, *also)

    async def resume(
        self,
        consent: str,
        lines: Sequence[str] | None,
        event: ConsentResumed,
        *also: ConsentResumed,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Let what was paused hold again."""
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
        before = self.consents.get(consent)
        if before is None or (event.channel != "online" and before.municipality != event.municipality):
            raise NotFound
        before = replace(before, uses=self._uses(consent), months=self._months(consent), used_from=self._uses(consent))
        taken, version = before.to_become(state, lines, event.giver, danish_day(event.at)), before.version + 1
        gone = {line.id for line in taken}
        receipts = await self.log.append(told_of_change(_about(consent, event, *also), taken, version))
        self.consents[consent] = replace(
            before,
            lines=tuple(
                replace(line, version=version, state=state if line.id in gone else line.state) for line in before.lines
            ),
            history=before.history
            + tuple(LineState(line, version, state, event.at, event.channel) for line in sorted(gone)),
        )
        self._bump(before.citizen, *(line.subject for line in before.lines))
        self.told.extend(tell)
        return receipts

    async def of_citizen(
        self, citizen: str, *, municipality: str = "", within: Collection[str] | None = None
    ) -> tuple[Consent, ...]:
        """List consents about or by a citizen."""
        seen = (self._as_seen(consent, citizen, municipality) for consent in self.consents.values())
        own = (c for c in seen if c and (within is None or c.municipality in within))
        return tuple(sorted(own, key=lambda c: (c.given_at, c.id), reverse=True))

    async def shown(self, consent: str, giver: str) -> tuple[Personal[str], Personal[str] | None]:
        """Give back what was shown."""
        grant = self._grants.get(consent)
        if grant is None or grant.giver != giver:
            raise NotFound
        return grant.text, grant.evidence

    async def block(self, block: Block, event: BlockChanged) -> Receipt:
        """Set a standing no."""
        (receipt,) = await self.log.append([event])
        self.blocks[block.id] = block
        self._bump(block.subject)
        return receipt

    async def unblock(self, block: str, event: BlockChanged) -> Receipt:
        """Lift a standing no."""
        found = self.blocks.get(block)
        if found is None or found.subject != event.subject:
            raise NotFound
        (receipt,) = await self.log.append([event])
        del self.blocks[block]
        self._bump(found.subject)
        return receipt

    async def blocks_of(self, citizen: str) -> tuple[Block, ...]:
        """List blocks in force."""
        return tuple(sorted((b for b in self.blocks.values() if b.subject == citizen), key=lambda b: b.id))

    def _open_request(self, request: str, giver: str, event: ConsentEvent) -> ConsentRequest:
        found = self.requests.get(request)
        if found is None or giver not in found.givers:
            raise NotFound
        if found.answered_by(giver):
            raise Conflict("already_answered")
        if danish_day(event.at) > found.answer_by:
            raise Conflict("expired")
        return found

    def _answer(self, request: ConsentRequest, answer: Answer) -> None:
        self.requests[request.id] = replace(request, answers=(*request.answers, answer))

    def _as_seen(self, consent: Consent, citizen: str, municipality: str) -> Consent | None:
        """Give a consent as a citizen, or a municipality asking about one, may see it."""
        grant = self._grants[consent.id]
        concerned = citizen in {grant.citizen, grant.giver, *(line.subject for line in grant.lines)}
        pairs = zip(consent.lines, grant.lines, strict=True)
        if municipality and municipality != consent.municipality:
            lines = [line for line, given in pairs if given.source_municipality == municipality]
        elif municipality:
            lines = list(consent.lines)
        else:
            lines = [line for line, given in pairs if citizen in given.parties(grant.citizen)]
        if not lines or not concerned:
            return None
        ids = {line.id for line in lines}
        uses, months = self._uses(consent.id), self._months(consent.id)
        steps = tuple(step for step in consent.history if step.line in ids)
        return replace(consent, lines=tuple(lines), history=steps, uses=uses, months=months, used_from=uses)

    def _uses(self, consent: str) -> tuple[datetime, ...]:
        return tuple(sorted((use.at for use in self.log.uses if use.consent == consent), reverse=True))

    def _months(self, consent: str) -> tuple[int, ...]:
        """Give the month each use counts in: never one before the latest that was used in."""
        return tuple(accumulate((use.month for use in self.log.uses if use.consent == consent), max))

    def _counted(self, line: ConsentLine) -> ConsentLine:
        """Tell with a line how often its consent was used in the last month in which it was."""
        months = self._months(line.consent)
        latest = max(months, default=0)
        return replace(line, latest=latest, used=months.count(latest))

    def _bump(self, *citizens: str) -> None:
        for citizen in set(citizens):
            self.versions[citizen] = self.versions.get(citizen, 0) + 1


def _earlier(request: ConsentRequest) -> EarlierRequest:
    said_no = any(answer.state in {REFUSED, PARTLY_GRANTED, EXPIRED} for answer in request.answers)
    return EarlierRequest(request.answer_by, said_no, any(not request.answered_by(giver) for giver in request.givers))


def _as_seen(request: ConsentRequest, citizen: str) -> ConsentRequest | None:
    """Give a request as a citizen may see it: the lines that are theirs to see, and answers to those."""
    lines = tuple(line for line in request.lines if citizen in line.parties(request.citizen))
    if not lines:
        return None
    answers = tuple(a for a in request.answers if a.giver is None or citizen in request.parties_of(a.giver))
    return replace(request, lines=lines, answers=answers)


def _stands_open(request: ConsentRequest) -> bool:
    return bool(request.unanswered) and not any(answer.state == EXPIRED for answer in request.answers)


def _about(about: str, *events: E) -> Sequence[E]:
    if any(event.consent != about for event in events):
        raise ValueError("the event speaks of another consent")
    return events


def _line(grant: Grant, line: RequestLine) -> ConsentLine:
    return ConsentLine(
        id=str(uuid4()),
        consent=grant.id,
        version=1,
        subject=line.subject,
        giver=line.giver,
        capacity=line.capacity,
        source=line.source,
        category=line.category,
        recipient=grant.unit,
        purpose=grant.purpose,
        case=grant.case,
        from_day=grant.from_day,
        to_day=grant.to_day,
        state=GRANTED,
        data_from=line.data_from,
        data_to=line.data_to,
        source_told_to=line.source_told_to,
        limit=grant.limit,
    )
