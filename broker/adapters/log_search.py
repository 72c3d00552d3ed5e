"""How an overseer's search reads the index rows: by whatever was named, in the order of time, at once in any long log.

Rules kept here:
- Row-level security says what can be read; a statement has our own words and the values beside them.
- Whatever names few entries leads: a citizen, an ask, an employee, a case. Else the first entries are looked through,
  and where they do not fill a page the shapes lead, of which a long log has few: each is read once, and those that fit
  are gone on with in the order of their entries.
- A mark holds how long the logs were on the first page: what came after it is not in the pages that follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from broker.adapters.database import Connection
from broker.domain.entries import LogFilter
from broker.domain.errors import BadAsk

LARGEST = 2**63 - 1
FROM_THE_NEWEST = (LARGEST, LARGEST, LARGEST)
PLACE = ("at", "log_id", "idx")
# The page is chosen from the index rows first, and only then are leaves and bodies fetched for it.
CHOSEN = "SELECT i.at, i.log_id, i.idx, i.tenant, i.citizen, i.index_bytes FROM log.index i"
CHOSEN_TOO = CHOSEN.replace("i.index_bytes", "i.index_bytes, i.fields")
NEWEST_FIRST = "ORDER BY i.at DESC, i.log_id DESC, i.idx DESC"
OLDEST_FIRST = "ORDER BY i.at, i.log_id, i.idx"
MOST_LOGS = 1000
NEAR = 5000
DIGITS = 20
# No plan may turn to reading a whole table, or to compiling itself, because it guesses wrongly how much fits.
STEADY = "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"
LENGTHS = "SELECT h.id, h.size FROM log.head h WHERE h.tenant = ANY ($1) ORDER BY h.id"
_SHAPES = """
WITH RECURSIVE shape AS (
    SELECT t.tenant, s.shape, s.fields FROM unnest({mine}::text[]) AS t (tenant) CROSS JOIN LATERAL (
        SELECT i.shape, i.fields FROM log.index i WHERE i.tenant = t.tenant ORDER BY i.shape LIMIT 1
    ) AS s
    UNION ALL
    SELECT p.tenant, s.shape, s.fields FROM shape p CROSS JOIN LATERAL (
        SELECT i.shape, i.fields FROM log.index i WHERE i.tenant = p.tenant AND i.shape > p.shape
        ORDER BY i.shape LIMIT 1
    ) AS s
)
"""


def whole(chosen: str, order: str = NEWEST_FIRST) -> str:
    """Write the statement that fetches the whole entries of the chosen index rows."""
    return (
        f"SELECT i.*, h.origin, e.leaf, b.ciphertext, b.body_salt FROM ({chosen}) AS i"  # noqa: S608 - our own words
        " JOIN log.head h ON h.id = i.log_id JOIN log.entry e ON e.log_id = i.log_id AND e.idx = i.idx"
        f" LEFT JOIN log.body b ON b.log_id = i.log_id AND b.idx = i.idx {order}"
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page goes on: after which place, and how long each log was when the first page was read."""

    place: tuple[int, int, int]
    lengths: Mapping[int, int]

    @classmethod
    def read(cls, text: str) -> Mark:
        """Read a mark; raise `BadAsk` for one we never gave."""
        place, _, lengths = text.partition("~")
        pairs = [pair.split("-") for pair in lengths.split(".")]
        if len(pairs) > MOST_LOGS or any(len(pair) != 2 for pair in pairs):
            raise BadAsk("/cursor")
        at, log_id, index = numbers(place, 3)
        return cls((at, log_id, index), {numbers(log, 1)[0]: numbers(size, 1)[0] for log, size in pairs})

    def __str__(self) -> str:
        lengths = ".".join(f"{log_id}-{size}" for log_id, size in self.lengths.items())
        return f"{'.'.join(map(str, self.place))}~{lengths}"


@dataclass(slots=True)
class _Said:
    """A statement on its way: its conditions, and the values they name by number."""

    values: list[Any] = field(default_factory=list)

    def value(self, value: object) -> str:
        """Keep a value; give the name it has in the statement."""
        self.values.append(value)
        return f"${len(self.values)}"


async def found(
    connection: Connection, mine: Sequence[str], wanted: LogFilter, cursor: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """Read a page of whole rows, and the mark to go on from, None when that was all. Raises `BadAsk` for a bad mark."""
    mark = None if cursor is None else Mark.read(cursor)
    lengths = dict(await connection.fetch(LENGTHS, list(mine))) if mark is None else dict(mark.lengths)
    await connection.execute(STEADY)
    rows: list[Any] = []
    if by_shape(wanted):
        statement, values = near(mine, wanted, mark, limit + 1)
        rows = await connection.fetch(statement, *values)
    if len(rows) <= limit:
        statement, values = searched(mine, wanted, mark, limit + 1)
        rows = await connection.fetch(statement, *values)
    if len(rows) <= limit:
        return rows, None
    at, log_id, index = (rows[limit - 1][name] for name in PLACE)
    return rows[:limit], str(Mark((at, log_id, index), lengths))


def by_shape(wanted: LogFilter) -> bool:
    """Tell whether a search goes by shapes: where nothing is named of which there are few."""
    few = (wanted.citizen, wanted.ask, wanted.actor, wanted.case)
    return all(name is None for name in few) and bool(wanted.shape() or wanted.holders is not None)


def near(mine: Sequence[str], wanted: LogFilter, mark: Mark | None, count: int) -> tuple[str, list[Any]]:
    """Write the statement that looks among the first entries alone: what many lines have fills a page from them."""
    said = _Said()
    order = OLDEST_FIRST if wanted.oldest_first else NEWEST_FIRST
    municipalities, first = said.value(list(mine)), f"{order} LIMIT {NEAR}"
    inner = f"{CHOSEN_TOO} WHERE {' AND '.join(['i.tenant = t.tenant', *_rest(wanted, mark, said)])} {first}"
    each = f"unnest({municipalities}::text[]) AS t (tenant) CROSS JOIN LATERAL ({inner}) AS i"
    fits = " AND ".join(_fits(wanted, said))
    chosen = f"SELECT i.* FROM (SELECT i.* FROM {each} {first}) AS i WHERE {fits} {order} LIMIT {int(count)}"  # noqa: S608 - our own words
    return whole(chosen, order), said.values


def searched(mine: Sequence[str], wanted: LogFilter, mark: Mark | None, count: int) -> tuple[str, list[Any]]:
    """Write the statement of a search, and its values."""
    said = _Said()
    order = OLDEST_FIRST if wanted.oldest_first else NEWEST_FIRST
    municipalities, page = said.value(list(mine)), f"{order} LIMIT {int(count)}"
    few, leads = _named(wanted, said, "citizen", "ask"), _named(wanted, said, "actor", "case")
    fits, rest = _fits(wanted, said), _rest(wanted, mark, said)
    if few:
        chosen = _chosen([*few, *leads, f"i.tenant = ANY ({municipalities})", *fits, *rest], page)
        return whole(chosen, order), said.values
    if leads or not fits:
        inner = _chosen(["i.tenant = t.tenant", *leads, *fits, *rest], page)
        each = f"unnest({municipalities}::text[]) AS t (tenant) CROSS JOIN LATERAL ({inner}) AS i"
        return whole(f"SELECT i.* FROM {each} {page}", order), said.values  # noqa: S608 - our own words
    inner = _chosen(["i.tenant = f.tenant", "i.shape = f.shape", *rest], page)
    fitting = " AND ".join(condition.replace("i.fields", "f.fields") for condition in fits)
    chosen = f"SELECT i.* FROM shape f CROSS JOIN LATERAL ({inner}) AS i WHERE {fitting} {page}"  # noqa: S608 - the same
    return _SHAPES.format(mine=municipalities) + whole(chosen, order), said.values


def _chosen(conditions: Sequence[str], page: str) -> str:
    return f"{CHOSEN} WHERE {' AND '.join(conditions)} {page}"


def _named(wanted: LogFilter, said: _Said, *names: str) -> list[str]:
    """Hold columns of few rows each against the names that were given."""
    columns = {"case": "case_handle"}
    given = [(columns.get(name, name), getattr(wanted, name)) for name in names]
    return [f"i.{column} = {said.value(name)}" for column, name in given if name is not None]


def _fits(wanted: LogFilter, said: _Said) -> list[str]:
    """Say what a row's shape must hold."""
    fits, shape = list[str](), wanted.shape()
    if shape:
        fits.append(f"i.fields @> {said.value(orjson.dumps(shape).decode())}::jsonb")
    if wanted.holders is not None:
        fits.append(f"i.fields -> 'sources' ?| {said.value(list(wanted.holders))}::text[]")
    return fits


def _rest(wanted: LogFilter, mark: Mark | None, said: _Said) -> list[str]:
    """Say between which moments, and from which place on."""
    rest = ["i.kind <> 'map'"]
    rest += [f"i.at >= {said.value(wanted.since)}"] if wanted.since is not None else []
    rest += [f"i.at < {said.value(wanted.until)}"] if wanted.until is not None else []
    if mark is not None:
        beyond = ">" if wanted.oldest_first else "<"
        rest.append(f"(i.at, i.log_id, i.idx) {beyond} ({', '.join(said.value(part) for part in mark.place)})")
        lengths = orjson.dumps({str(log_id): size for log_id, size in mark.lengths.items()}).decode()
        rest.append(f"i.idx < ({said.value(lengths)}::jsonb ->> i.log_id::text)::bigint")
    return rest


def numbers(text: str, count: int) -> tuple[int, ...]:
    """Read so many numbers with dots between; raise `BadAsk` for what a mark never holds."""
    parts = text.split(".")
    if len(parts) != count or not all(part.isascii() and part.isdigit() and len(part) < DIGITS for part in parts):
        raise BadAsk("/cursor")
    read = tuple(int(part) for part in parts)
    if max(read) > LARGEST:
        raise BadAsk("/cursor")
    return read
