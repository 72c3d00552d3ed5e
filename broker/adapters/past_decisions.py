"""The door `PastDecisions` over the transparency log: every outcome with the question it answers, for replay alone.

No other reader opens the question (`audit_reader.py`). What is read here is put again to rules and comes out as codes
and counts; it is shown to nobody.
"""

from __future__ import annotations

from collections.abc import Collection

import orjson

from broker.adapters.audit_reader import SEARCHED, LogReaderPostgres, mark_after, place_of
from broker.adapters.database import Scope, scoped
from broker.domain.entries import INTACT, LogEntry
from broker.domain.errors import NotFound
from broker.domain.events import OutcomeReached
from broker.domain.past import PastDecision, PastPage
from broker.domain.receipts import Receipt

PAGE = 500
OUTCOMES = orjson.dumps({"kind": OutcomeReached.name}).decode()

DELETED = """
SELECT coalesce(sum((i.fields -> 'entries' ->> $2)::bigint), 0)::bigint FROM log.index i
WHERE i.tenant = ANY ($1) AND i.kind IN ('citizen.erased', 'retention.applied')
"""


class PastDecisionsPostgres(LogReaderPostgres):
    """The decisions on record as the broker's own role sees them."""

    async def page(
        self, municipalities: Collection[str], *, since: int, until: int, cursor: str | None = None
    ) -> PastPage:
        """List the decisions of these municipalities' asks, newest first, opened. Times are seconds, `until` not in.

        Raises `StoreUnavailable`.
        """
        mine = sorted(municipalities)
        async with scoped(self._pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
            rows = await connection.fetch(
                SEARCHED, mine, *place_of(cursor), PAGE + 1, since, until, None, None, OUTCOMES
            )
        found = [_past(entry) for entry in await self._opened_whole(rows[:PAGE])]
        return PastPage(tuple(past for past in found if past is not None), mark_after(rows, PAGE))

    async def deleted(self, municipalities: Collection[str]) -> int:
        """Count the outcomes on these municipalities' logs whose content was lawfully deleted, of whatever day."""
        mine = sorted(municipalities)
        async with scoped(self._pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
            gone: int = await connection.fetchval(DELETED, mine, OutcomeReached.name)
        return gone

    async def one(self, receipt: Receipt, municipalities: Collection[str]) -> PastDecision:
        """Read one decision; raise `NotFound` where there is none there, or `StoreUnavailable`."""
        found = _past(await self._whole_entry(receipt, Scope(municipalities=tuple(sorted(municipalities)))))
        if found is None:
            raise NotFound
        return found


def _past(entry: LogEntry) -> PastDecision | None:
    """Read an outcome as a decision; None for one told to others than the requester about the citizen asked for."""
    if entry.kind != OutcomeReached.name:
        return None
    if entry.body is None:
        return PastDecision(entry.receipt, entry.municipality, entry.at, entry.state)
    body = entry.body
    # Of before questions were kept: told of here too, so that they are counted.
    older = "question_packed" not in body and body["requester"] == body["municipality"]
    if body.get("question_packed") is None and not older:
        return None
    return PastDecision(
        receipt=entry.receipt,
        municipality=entry.municipality,
        at=entry.at,
        state=INTACT,
        revision=body["mark"]["revision"],
        subject=body["subject"],
        question=body.get("question_packed"),
        question_digest=body["question"],
        decided=body.get("decided"),
        verdicts=tuple(body["verdicts"]),
        judged_again=body["judged_again"],
    )
