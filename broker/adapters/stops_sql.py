"""The door `Stops` over PostgreSQL: which yeses hold no more, of those on which a unit got something; what it received.

Nothing is written when a yes stops: what stands of each line says so, so that a stop cannot be lost or forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Connection, Pool, Scope, scoped
from broker.adapters.erasure_rows import keep_from_erasure
from broker.domain.errors import NotFound
from broker.domain.stops import Stop, StoppedLine, StopReceived, parted

# Each line on which something went out, with every stop there was of it, and whether that stops it now. Of a line that
# was taken back its last day tells nothing more; what was paused and held again before anything went out stopped
# nothing. Where several were to say yes, a stop is the request's, so that it names none of them; its number is then the
# seconds since it was asked.
_HANDED = """
FROM consents.handed_out h JOIN consents.line l ON l.id = h.line JOIN consents.consent c ON c.id = l.consent
WHERE h.municipality = $1 AND c.municipality = $1 AND h.unit = ANY ($2)
"""
_STOPPED = f"""
WITH handed AS (SELECT l.*, c.unit, c.purpose, c.case_handle, c.text_version, c.request, h.at AS handed_at {_HANDED}),
stopped AS (
    SELECT h.*, q.several, o.step, o.since, o.now, r.at AS received_at,
           CASE WHEN q.several THEN h.request ELSE h.consent END AS name,
           CASE WHEN q.several THEN greatest(0, floor(extract(epoch FROM o.since - q.asked_at)))::int
                ELSE o.step END AS number
    FROM handed h
    CROSS JOIN LATERAL (SELECT count(DISTINCT a.giver) > 1 AS several, min(r.asked_at) AS asked_at
        FROM consents.request r JOIN consents.request_line a ON a.request = r.id WHERE r.id = h.request) q
    CROSS JOIN LATERAL (SELECT max(s.version) AS version FROM consents.line_state s WHERE s.line = h.id) newest
    CROSS JOIN LATERAL (
        SELECT s.version AS step, s.at AS since,
               s.version = newest.version AND (s.state = 'withdrawn' OR h.to_day >= $3) AS now
        FROM consents.line_state s
        WHERE s.line = h.id AND s.state <> 'granted' AND (s.at >= h.handed_at OR s.version = newest.version)
        UNION ALL
        SELECT 0, (to_date(h.to_day::text, 'YYYYMMDD') + 1)::timestamp AT TIME ZONE 'Europe/Copenhagen', true
        FROM consents.line_state s
        WHERE s.line = h.id AND s.version = newest.version AND s.state <> 'withdrawn' AND h.to_day < $3) o
    LEFT JOIN consents.stop_received r ON r.consent = h.consent AND r.step = o.step AND r.by = $4
)
"""  # noqa: S608 - only our own words are joined here
_PAGE = f"""{_STOPPED}
SELECT *, CASE WHEN several THEN (SELECT array_agg(DISTINCT ARRAY[h.subject, h.source, h.category])
                                  FROM handed h WHERE h.request = found.request) ELSE own END AS lines
FROM (
    SELECT name, several, unit, purpose, case_handle, request, min(text_version) AS text_version, received_at,
           min(number) AS step, CASE WHEN several THEN min(since) ELSE max(since) END AS since,
           array_agg(DISTINCT ARRAY[subject, source, category]) AS own
    FROM stopped WHERE now AND (received_at IS NOT NULL) = $5
    GROUP BY name, several, CASE WHEN several THEN 0 ELSE step END, unit, purpose, case_handle, request, received_at
) AS found
WHERE (since, name, step) > ($6, $7, $8) ORDER BY since, name, step LIMIT $9
"""  # noqa: S608 - only our own words are joined here
# What it takes to receive a stop: each consent's own. Of several givers, whatever else stops the request now.
_PARTS = f"""{_STOPPED}
SELECT consent AS name, false AS several, step, unit, purpose, case_handle, request, text_version, received_at,
       max(since) AS since, array_agg(DISTINCT ARRAY[subject, source, category]) AS lines,
       bool_or(number = $6) AS named
FROM stopped WHERE name = $5 GROUP BY consent, step, unit, purpose, case_handle, request, text_version, received_at
HAVING bool_or(number = $6) OR bool_and(several AND now) ORDER BY consent, step
"""  # noqa: S608 - only our own words are joined here
_RECEIVE = """
INSERT INTO consents.stop_received (consent, step, municipality, at, by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (consent, step, by) DO NOTHING RETURNING at
"""
_RECEIVED_AT = "SELECT at FROM consents.stop_received WHERE consent = $1 AND step = $2 AND by = $3"
BEGINNING = (datetime(1900, 1, 1, tzinfo=UTC), UUID(int=0), -1)


class StopsSql:
    """Stops in the main database."""

    def __init__(self, pool: Pool, log: AuditLogPostgres) -> None:
        self._pool = pool
        self._log = log

    async def of(
        self,
        municipality: str,
        units: Collection[str],
        today: int,
        by: str,
        *,
        received: bool = False,
        after: tuple[datetime, str, int] | None = None,
        limit: int = 50,
    ) -> tuple[Stop, ...]:
        """List what holds no more and a system has (not) received, the oldest stop first. Raises `StoreUnavailable`."""
        mark = BEGINNING if after is None else (after[0], UUID(after[1]), after[2])
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            found = await connection.fetch(_PAGE, municipality, sorted(units), today, by, received, *mark, limit)
        return tuple(_stop(row, municipality) for row in found)

    async def parts(
        self, name: str, municipality: str, units: Collection[str], today: int, by: str
    ) -> tuple[Stop, ...]:
        """Read what a stop is of each consent, also one another followed. Raises `NotFound`, `StoreUnavailable`."""
        async with scoped(self._pool, Scope(municipality=municipality), snapshot=True) as connection:
            return await _parts(connection, name, municipality, units, today, by)

    async def receive(self, name: str, units: Collection[str], today: int, events: Sequence[StopReceived]) -> datetime:
        """Keep that one system has received a stop, with its events; give when it first had.

        Raises `NotFound` where it is gone meanwhile, `StoreUnavailable`, `LogUnavailable`.
        """
        first = events[0]
        keys = await self._log.prepare(events)
        async with scoped(self._pool, Scope(municipality=first.municipality)) as connection:
            await keep_from_erasure(connection, first.municipality)
            there = await _parts(connection, name, first.municipality, units, today, first.actor)
            received = sorted({(event.consent, event.step) for event in events})
            if not set(received) <= {(part.name, part.step) for part in there}:
                raise NotFound
            new = set()
            for consent, step in received:
                if await connection.fetchval(_RECEIVE, UUID(consent), step, first.municipality, first.at, first.actor):
                    new.add((consent, step))
            if not new:
                earlier: datetime = await connection.fetchval(
                    _RECEIVED_AT, UUID(received[0][0]), received[0][1], first.actor
                )
                return earlier
            told = [event for event in events if (event.consent, event.step) in new]
            await self._log.append_within(connection, told, keys)
        return first.at


async def _parts(
    connection: Connection, name: str, municipality: str, units: Collection[str], today: int, by: str
) -> tuple[Stop, ...]:
    of, number = parted(name)
    rows = await connection.fetch(_PARTS, municipality, sorted(units), today, by, UUID(of), number)
    if not any(row["named"] for row in rows):
        raise NotFound
    if all(row["received_at"] is not None for row in rows if row["named"]):
        rows = [row for row in rows if row["named"]]
    return tuple(_stop(row, municipality) for row in rows)


def _stop(row: Any, municipality: str) -> Stop:
    return Stop(
        name=str(row["name"]),
        consent=None if row["several"] else str(row["name"]),
        step=row["step"],
        municipality=municipality,
        unit=row["unit"],
        purpose=row["purpose"],
        case=row["case_handle"],
        text_version=row["text_version"],
        request=None if row["request"] is None else str(row["request"]),
        since=row["since"],
        lines=tuple(StoppedLine(*line) for line in sorted(row["lines"])),
        received_at=row["received_at"],
    )
