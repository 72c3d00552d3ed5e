"""Fill a log with many entries in minutes: the rows that appending would have written, copied in, not appended.

Every hash, commitment and index row is a real one: `python -m audit verify --map` holds on what comes out. What only a
party's key could tell from the real thing, the encrypted bodies and what is shown of them, is random bytes of a size.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any, TypeAlias

import asyncpg

from audit import postgres
from audit.commitment import body_commitment, body_digest
from audit.entry import EID_SIZE, Leaf
from audit.map import Map
from audit.map_postgres import Epoch, commit_map
from audit.map_root import MapRoot
from audit.merkle import HASH_SIZE, Frontier, leaf_hash

Connection: TypeAlias = "asyncpg.Connection[Any]"
Row: TypeAlias = tuple[Any, ...]

AT_ONCE = 20_000
PEOPLE = 50_000
BODY_BYTES = 328
ASK = 1
BEGUN = int(datetime(2019, 1, 1, tzinfo=UTC).timestamp())
COLUMNS = {
    "entry": ("log_id", "idx", "tenant", "eid", "leaf", "leaf_hash"),
    "body": ("log_id", "idx", "tenant", "ciphertext", "body_salt"),
    "index": ("log_id", "idx", "tenant", "index_bytes", "fields", "body_digest"),
    "map_entry": ("log_id", "idx", "tenant", "map_key", "shown"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Someone many entries are about."""

    handle: str
    map_key: bytes


IndexOf: TypeAlias = Callable[[int, Person, str, bytes, bytes], str]


@dataclass(slots=True)
class Filling:
    """A log on its way to its size: what a checkpointer and a map's committer would have made of it so far."""

    log_id: int
    tenant: str
    people: Sequence[Person]
    index: IndexOf
    tree: Frontier = field(default_factory=Frontier)
    map: Map = field(default_factory=Map)

    def rows(self, count: int) -> dict[str, list[Row]]:
        """Make the next entries, as the rows of each table."""
        made: dict[str, list[Row]] = {name: [] for name in COLUMNS}
        numbers = range(self.tree.size, self.tree.size + count)
        self.tree = self.tree.extend([self._row(number, made) for number in numbers])
        return made

    def _row(self, number: int, made: dict[str, list[Row]]) -> bytes:
        person = self.people[number * 7919 % len(self.people)]
        eid, salt, subject, actor, shown, ciphertext = _cut(os.urandom(EID_SIZE + 4 * HASH_SIZE + BODY_BYTES))
        index = self.index(number, person, self.tenant, eid, shown)
        written = index.encode()
        leaf = Leaf(ASK, eid, subject, body_commitment(salt, written, ciphertext), actor).to_bytes()
        hashed, place = leaf_hash(leaf), (self.log_id, number, self.tenant)
        made["entry"].append((*place, eid, leaf, hashed))
        made["body"].append((*place, ciphertext, salt))
        made["index"].append((*place, index, index, body_digest(salt, ciphertext)))
        made["map_entry"].append((*place, person.map_key, shown))
        self.map.add(person.map_key, hashed, shown)
        return hashed


async def fill(
    address: str, origin: str, entries: int, say: Callable[[int], None] = lambda _: None, index: IndexOf | None = None
) -> None:
    """Fill a new log of that origin, `…/<tenant>/<year>`, as a superuser; `say` hears how many are in.

    Its map covers them all, and its root is the log's last entry. `index` writes an index row, in canonical form.
    """
    tenant, year = origin.split("/")[-2:]
    lines = [await asyncpg.connect(address) for _ in COLUMNS]
    try:
        log_id = await postgres.open_log(lines[0], origin, tenant, int(year))
        filling = Filling(log_id, tenant, _people(origin, min(entries, PEOPLE)), index or _index)
        again = await _without_indexes(lines[0])
        for start in range(0, entries, AT_ONCE):
            made = filling.rows(min(AT_ONCE, entries - start))
            await asyncio.gather(*(_copied(line, name, made[name]) for line, name in zip(lines, COLUMNS, strict=True)))
            say(filling.tree.size)
        await lines[0].execute("SET maintenance_work_mem = '512MB'")
        for statement in again:
            await lines[0].execute(statement)
        await _close(lines[0], filling, origin, int(year))
    finally:
        for line in lines:
            await line.close()


async def _close(connection: Connection, filling: Filling, origin: str, year: int) -> None:
    """Write the head and the map of what was copied, put the map's root on the log, and tell the planner."""
    tree, covered = filling.tree, filling.tree.size
    head = (filling.log_id, tree.size, tree.root(), tree.to_bytes())
    root = MapRoot(filling.map.root(), covered)
    sealed = root.sealed(filling.tenant, year, datetime.fromtimestamp(BEGUN + covered, UTC), 0)
    chains, tiles = filling.map.chains, filling.map.tiles()
    async with connection.transaction():
        await connection.execute("UPDATE log.head SET size = $2, root = $3, frontier = $4 WHERE id = $1", *head)
        # What it counts has been copied in; this writes the rest, and the root where it belongs.
        await commit_map(connection, Epoch(origin, 0, covered, (), chains, tiles, sealed))
    # What was only added to is vacuumed by the server itself on the way, as a log's tables are.
    await connection.execute("ANALYZE")
    await connection.execute("VACUUM log.entry, log.head")


async def _copied(connection: Connection, name: str, rows: list[Row]) -> None:
    await connection.copy_records_to_table(name, schema_name="log", columns=COLUMNS[name], records=rows)


async def _without_indexes(connection: Connection) -> list[str]:
    """Drop the indexes of the tables that are filled; give the statements that make them again, as they were."""
    again = []
    for row in await connection.fetch(_INDEXES, list(COLUMNS)):
        if row["constraint"] is None:
            await connection.execute(f"DROP INDEX log.{row['name']}")
            again.append(row["definition"])
        else:
            await connection.execute(f"ALTER TABLE log.{row['owner']} DROP CONSTRAINT {row['name']}")
            again.append(f"ALTER TABLE log.{row['owner']} ADD CONSTRAINT {row['name']} {row['constraint']}")
    return again


def _people(origin: str, count: int) -> list[Person]:
    return [Person(f"c-{number}", sha256(f"{origin} {number}".encode()).digest()) for number in range(count)]


def _cut(drawn: bytes) -> tuple[bytes, ...]:
    """Cut random bytes into an id, four values of a hash's size, and a body."""
    ends = (0, EID_SIZE, *(EID_SIZE + HASH_SIZE * number for number in range(1, 5)), len(drawn))
    return tuple(drawn[start:end] for start, end in pairwise(ends))


def _index(number: int, person: Person, tenant: str, eid: bytes, shown: bytes) -> str:
    """Write an index row in its canonical form: names in order, nothing between."""
    return (
        f'{{"actor":"a-{number % 300}","ask":"{eid.hex()}","at":{BEGUN + number},"case":"k-{number % 9000}"'
        f',"citizen":"{person.handle}","kind":"ask","map":"{person.map_key.hex()}","municipality":"{tenant}"'
        f',"purpose":"helhedsorienteret_plan","shown":"{shown.hex()}","unit":"{tenant}-jobcentre"}}'
    )


_INDEXES = """
SELECT i.relname AS name, t.relname AS owner, pg_get_indexdef(i.oid) AS definition,
       pg_get_constraintdef(c.oid) AS constraint
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace LEFT JOIN pg_constraint c ON c.conindid = i.oid
WHERE n.nspname = 'log' AND t.relname = ANY ($1)
"""
