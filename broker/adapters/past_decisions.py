"""The door `PastDecisions` over the transparency log: every outcome with the question it answers, for replay alone.

No other reader opens the question (`audit_reader.py`). What is read here is put again to rules and comes out as codes
and counts, shown to nobody; but for the relation at that moment, which the signs of a sample (they lie sealed) and the
look into an emergency rest on.
"""

from __future__ import annotations

from collections.abc import Collection

from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.database import Scope, scoped
from broker.adapters.log_search import found
from broker.domain.entries import INTACT, LogEntry, LogFilter
from broker.domain.errors import NotFound
from broker.domain.events import OutcomeReached
from broker.domain.past import PastDecision, PastPage
from broker.domain.receipts import Receipt

PAGE = 500

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
        mine, wanted = sorted(municipalities), LogFilter(kind=OutcomeReached.name, since=since, until=until)
        async with scoped(self._pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
            rows, more = await found(connection, mine, wanted, cursor, PAGE)
        read = [_past(entry) for entry in await self._opened_whole(rows)]
        return PastPage(tuple(past for past in read if past is not None), more)

    async def of_two(
        self, municipality: str, actor: str, citizen: str, since: int, until: int
    ) -> tuple[PastDecision, ...]:
        """List the newest decisions of some seconds on one caseworker's asks about one citizen, opened."""
        wanted = LogFilter(kind=OutcomeReached.name, citizen=citizen, actor=actor, since=since, until=until)
        async with scoped(self._pool, Scope(municipalities=(municipality,)), snapshot=True) as connection:
            rows, _ = await found(connection, [municipality], wanted, None, PAGE)
        read = [_past(entry) for entry in await self._opened_whole(rows)]
        return tuple(past for past in read if past is not None)

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
