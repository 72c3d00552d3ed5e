"""Figures counted from the log's index rows in one moment of the database: no body is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import orjson

from broker.adapters.database import Pool, Scope, scoped
from broker.domain.days import day_number
from broker.domain.events import OutcomeReached
from broker.domain.figures import Counts

_OF = "FROM log.index i WHERE i.tenant = $1 AND i.kind = $2 AND i.at >= $3 AND i.at < $4"
# All counts but one from one reading of the rows; which of them a row is, its first column says.
_COUNTS = f"""
SELECT grouping(day, unit, outcome, weekday, basis), day, unit, outcome, weekday, hour, basis, count(*) FROM (
    SELECT at::date AS day, extract(isodow FROM at)::int AS weekday, extract(hour FROM at)::int AS hour, unit, outcome,
        basis
    FROM (SELECT to_timestamp(i.at) AT TIME ZONE 'Europe/Copenhagen' AS at, coalesce(i.unit, '') AS unit,
        i.fields ->> 'outcome' AS outcome, coalesce(i.fields ->> 'basis', '[]') AS basis {_OF}) AS local
) AS accesses GROUP BY GROUPING SETS ((day), (unit), (outcome), (weekday, hour), (basis))"""  # noqa: S608 - our own words
_DAY, _UNIT, _OUTCOME, _HOUR, _BASIS = 0b01111, 0b10111, 0b11011, 0b11101, 0b11110
# An ask about a parent and a child has an outcome each; it is one ask, and two citizens.
_REASONS = f"""SELECT r.reason, count(DISTINCT i.ask), count(DISTINCT i.citizen)
FROM (SELECT i.ask, i.citizen, i.fields -> 'reasons' AS reasons {_OF} AND i.fields -> 'reasons' <> '[]') AS i,
    jsonb_array_elements_text(i.reasons) AS r (reason) GROUP BY 1"""  # noqa: S608 - our own words
_HAPPENED = """SELECT i.kind, count(DISTINCT coalesce(i.fields ->> 'break_glass', i.fields ->> 'deferral'))
FROM log.index i WHERE i.tenant = $1 AND i.kind = ANY ($2) AND i.at >= $3 AND i.at < $4 GROUP BY 1"""
_EMERGENCIES = f"SELECT count(*) {_OF} AND (i.fields ->> 'emergency')::boolean"


class FiguresSql:
    """The counts as the broker's own role sees them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, municipality: str, since: int, until: int) -> Counts:
        """Count the accesses of some seconds, `until` not in it."""
        which = (municipality, OutcomeReached.name, since, until)
        async with scoped(self._pool, Scope(municipalities=(municipality,)), snapshot=True) as connection:
            rows = await connection.fetch(_COUNTS, *which)
            reasons = await connection.fetch(_REASONS, *which)
        of = {kind: [row for row in rows if row[0] == kind] for kind in (_DAY, _UNIT, _OUTCOME, _HOUR, _BASIS)}
        bases = Counter[str]()
        for row in of[_BASIS]:
            bases.update(dict.fromkeys(orjson.loads(row["basis"]), row["count"]))
        return Counts(
            days=tuple(sorted((day_number(row["day"]), row["count"]) for row in of[_DAY])),
            units=_most_first((row["unit"], row["count"]) for row in of[_UNIT]),
            outcomes=_most_first((row["outcome"], row["count"]) for row in of[_OUTCOME]),
            bases=_most_first(bases.items()),
            reasons=_most_first((row[0], row[1]) for row in reasons),
            refused=_most_first((row[0], row[2]) for row in reasons),
            hours=tuple(sorted((row["weekday"], row["hour"], row["count"]) for row in of[_HOUR])),
        )

    async def happened(self, municipality: str, since: int, until: int, kinds: Sequence[str]) -> Mapping[str, int]:
        """Count, by kind of event, the break-glass requests and deferrals that something happened to."""
        async with scoped(self._pool, Scope(municipalities=(municipality,)), snapshot=True) as connection:
            rows = await connection.fetch(_HAPPENED, municipality, list(kinds), since, until)
        return {row[0]: row[1] for row in rows}

    async def emergency_looks(self, municipality: str, since: int, until: int) -> int:
        """Count the accesses that rested on danger to life."""
        async with scoped(self._pool, Scope(municipalities=(municipality,)), snapshot=True) as connection:
            return int(await connection.fetchval(_EMERGENCIES, municipality, OutcomeReached.name, since, until))


def _most_first(counts: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts, key=lambda row: (-row[1], row[0])))
