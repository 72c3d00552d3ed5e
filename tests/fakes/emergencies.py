"""Break-glass requests in memory: the same promises as over PostgreSQL (`tests/contracts/test_emergencies.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from broker.domain.break_glass import BreakGlass, HolderAnswer, Words
from broker.domain.errors import Conflict, NotFound
from broker.domain.events import BreakGlassDecided, BreakGlassRequested
from broker.domain.notices import Notice
from broker.domain.receipts import Receipt
from broker.ports import AuditLog


class FakeEmergencies:
    """The door `Emergencies`; `versions` is the state of each citizen that releases are held against."""

    def __init__(self, log: AuditLog, versions: dict[str, int]) -> None:
        self.log = log
        self.versions = versions
        self.requests: dict[str, tuple[BreakGlass, Words]] = {}
        self.told: list[Notice] = []

    async def request(
        self,
        new: BreakGlass,
        words: Words,
        event: BreakGlassRequested,
        *also: BreakGlassRequested,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Keep a request."""
        if any(one.request != new.id for one in (event, *also)):
            raise ValueError("the event speaks of another request")
        if new.id in self.requests:
            raise Conflict("already_asked")
        receipts = await self.log.append([event, *also])
        self.requests[new.id] = (new, words)
        self.told.extend(tell)
        return receipts

    async def decide(
        self, request: str, answer: HolderAnswer, municipality: str, event: BreakGlassDecided, *also: BreakGlassDecided
    ) -> tuple[Receipt, ...]:
        """Keep what a unit said."""
        if any(one.request != request for one in (event, *also)):
            raise ValueError("the event speaks of another request")
        found = await self.by_id(request, municipality)
        if found.holders.get(answer.unit) != municipality:
            raise NotFound
        whole, words = self.requests[request]
        whole.refuse_answer(answer.unit, answer.said)
        receipts = await self.log.append([event, *also])
        self.requests[request] = (replace(whole, answers=(*whole.answers, answer)), words)
        self.versions[found.citizen] = self.versions.get(found.citizen, 0) + 1
        return receipts

    async def by_id(self, request: str, municipality: str) -> BreakGlass:
        """Read one request as one municipality sees it: its own answers, or all where it asked."""
        if request not in self.requests:
            raise NotFound
        found, _ = self.requests[request]
        if municipality != found.municipality and municipality not in found.holders.values():
            raise NotFound
        if municipality == found.municipality:
            return found
        return replace(found, answers=tuple(a for a in found.answers if found.holders.get(a.unit) == municipality))

    async def words(self, request: BreakGlass, municipality: str) -> Words:
        """Open what was written."""
        await self.by_id(request.id, municipality)
        return self.requests[request.id][1]
