"""What must be so afterwards: no answer lacks its entries, on either server, and the log verifies from outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from broker.domain.entries import LogEntry
from broker.domain.events import AskMade, OutcomeReached
from demo.world.logbook import open_log_book
from deploy.shape.load import ANSWERED, Told
from deploy.shape.stage import Shape

PLACES = "SELECT h.origin, e.idx FROM log.entry e JOIN log.head h ON h.id = e.log_id"
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Findings:
    """Places of answers whose entries are not whole, and what `python -m audit verify` says of each log."""

    answers: int
    entries: int
    without_entries: tuple[Place, ...]
    not_on_replica: tuple[Place, ...]
    logs: dict[str, bool]

    @property
    def held(self) -> bool:
        """Whether every answer has its entries on both servers, and every log is intact."""
        return not self.without_entries and not self.not_on_replica and bool(self.logs) and all(self.logs.values())


async def look_back(shape: Shape, told: Iterable[Told]) -> Findings:
    """Hold every answer against the log on both servers, and have the log verified."""
    places = {one.receipt for one in told if one.kind == ANSWERED and one.receipt is not None}
    async with open_log_book(shape.world) as book:
        entries = await book.since({})
        report = await book.verify(None)
    whole = _whole(entries)
    kept = await _on_replica(shape)
    return Findings(
        answers=len(places),
        entries=len(entries),
        without_entries=tuple(sorted(places - whole)),
        not_on_replica=tuple(sorted(places - kept)),
        logs={log["origin"]: bool(log["intact"]) for log in report["logs"]},
    )


def _whole(entries: Iterable[LogEntry]) -> set[Place]:
    """Give the places of outcomes that released something and have their ask before them on the same log."""
    asked: set[tuple[str, str]] = set()
    whole = set()
    for entry in entries:
        body = entry.body or {}
        if body.get("event") == AskMade.name:
            asked.add((entry.receipt.log, body["ask"]))
        released = body.get("event") == OutcomeReached.name and body["outcome"] == "released"
        if released and (entry.receipt.log, body["ask"]) in asked:
            whole.add((entry.receipt.log, entry.receipt.index))
    return whole


async def _on_replica(shape: Shape) -> set[Place]:
    """Read from the replica itself where entries stand."""
    database = shape.world.databases.superuser.rpartition("/")[2]
    connection = await asyncpg.connect(shape.replica.dsn(database))
    try:
        return {(row["origin"], row["idx"]) for row in await connection.fetch(PLACES)}
    finally:
        await connection.close()
