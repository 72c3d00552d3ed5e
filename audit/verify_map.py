"""Build a log's map anew from its rows, and compare it with every root that stands in the log and with what is served.

Rules kept here:
- An entry stands under the key that its index row names, which its commitment covers; under another only where the law
  keeps it back for a time. Where the index row was deleted, the row of the map itself tells, and the roots judge it.
- What the law keeps back rests on an entry of the log that says so: a row of the database alone is no such word.
- Every root ever put on the log is compared: a list that was cut for a while and mended later shows too.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from audit import postgres
from audit.errors import Malformed
from audit.faults import Fault
from audit.map import Chain, Map, pack
from audit.map_postgres import kept_under
from audit.map_root import MapRoot, is_map_root
from audit.merkle import leaf_hash
from audit.postgres import PAGE, Connection, Head


@dataclass(slots=True)
class MapCheck:
    """Walks one log's rows in order: `entry` for each, then `finish` with what the database serves."""

    faults: list[Fault] = field(default_factory=list)
    _map: Map = field(default_factory=Map)
    _waiting: list[tuple[int, bytes, bytes, bytes]] = field(default_factory=list)
    _last: tuple[int, MapRoot] | None = None
    _unlisted: list[int] = field(default_factory=list)

    def entry(self, row: Any, kept: dict[int, bytes]) -> None:
        """Take one entry: a root is compared, anything else waits for the root that counts it."""
        index, leaf = row["idx"], row["leaf"]
        try:
            root = MapRoot.from_leaf(leaf) if is_map_root(leaf) else None
        except Malformed:
            self.faults.append(Fault(f"entry {index}", "is no root of a map, though it is of that kind", index))
            return
        if root is not None:
            self._compare(index, root)
        elif (placed := self._placed(row, kept)) is not None:
            self._waiting.append((index, placed[0], leaf_hash(leaf), placed[1]))
            self._unlisted += [index] if row["map_key"] is None else []

    def _placed(self, row: Any, kept: dict[int, bytes]) -> tuple[bytes, bytes] | None:
        """Say under which key an entry belongs, and hold against it where the map has it."""
        index, has = row["idx"], (row["map_key"], row["shown"])
        said = _said(row["index_bytes"])
        if said is None:
            return None if has[0] is None else has
        belongs = {said, (kept.get(index, said[0]), said[1])}
        if has[0] is not None and has not in belongs:
            self.faults.append(Fault(f"entry {index}", "stands in another list than its own", index))
        return has if has in belongs else (kept.get(index, said[0]), said[1])

    def _compare(self, index: int, root: MapRoot) -> None:
        due = [one for one in self._waiting if one[0] < root.covered]
        self._waiting = self._waiting[len(due) :]
        for _, map_key, hashed, shown in due:
            self._map.add(map_key, hashed, shown)
        before = 0 if self._last is None else self._last[1].covered
        if not before <= root.covered <= index:
            self.faults.append(Fault(f"map root at entry {index}", "covers what it cannot cover", index))
        if self._map.root() != root.root:
            what = f"is not the root of the lists of entries 0 to {root.covered - 1}"
            self.faults.append(Fault(f"map root at entry {index}", what, index))
        self._last = index, root

    def finish(self, state: Any, chains: dict[bytes, Chain], tiles: dict[tuple[int, int], bytes]) -> list[Fault]:
        """Compare what the database serves of the map with the entries; give all faults."""
        served = None if state is None else (state["idx"], MapRoot(state["root"], state["covered"]))
        if served != self._last:
            self.faults.append(Fault("map", "is not the one whose root stands in the log last"))
        wrong = sum(chains.get(key) != chain for key, chain in self._map.chains.items())
        wrong += sum(key not in self._map.chains for key in chains)
        covered = 0 if self._last is None else self._last[1].covered
        missing = [index for index in self._unlisted if index < covered]
        self.faults += [Fault(f"entry {index}", "is missing from its list", index) for index in missing]
        if wrong:
            self.faults.append(Fault("map", f"{wrong} list{'s' * (wrong > 1)} served otherwise than the entries say"))
        if tiles != {name: pack(tile) for name, tile in self._map.tiles().items()}:
            self.faults.append(Fault("map", "tiles are not those of the entries"))
        return self.faults


async def verify_map(connection: Connection, head: Head) -> list[Fault]:
    """Check the map of one log, inside the caller's snapshot, as whoever may read every row."""
    check = MapCheck()
    async for rows, kept in _pages(connection, head):
        for row in rows:
            check.entry(row, kept)
    state = await connection.fetchrow(
        "SELECT idx, root, covered FROM log.map WHERE log_id = $1 AND idx >= 0", head.log_id
    )
    leaves = await connection.fetch("SELECT map_key, count, head FROM log.map_leaf WHERE log_id = $1", head.log_id)
    tiles = await connection.fetch("SELECT level, place, packed FROM log.map_tile WHERE log_id = $1", head.log_id)
    check.faults += [
        Fault(row["what"], "no entry of the log says that it was approved, and is to last so long")
        for row in await connection.fetch("SELECT what FROM log.unfounded() ORDER BY what")
    ]
    chains = {row["map_key"]: Chain(row["count"], row["head"]) for row in leaves}
    return check.finish(state, chains, {(row["level"], row["place"]): row["packed"] for row in tiles})


async def verify_maps(connection: Connection, origin: str | None = None) -> dict[str, list[Fault]]:
    """Check the map of one log or of all, by origin, in one snapshot. Raises UnknownLog."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        heads = await postgres.heads(connection) if origin is None else [await postgres.head(connection, origin)]
        return {head.origin: await verify_map(connection, head) for head in heads}


async def _pages(connection: Connection, head: Head) -> AsyncIterator[tuple[list[Any], dict[int, bytes]]]:
    for low in range(0, head.size, PAGE):
        rows = await connection.fetch(_ROWS, head.log_id, low, low + PAGE)
        yield rows, await kept_under(connection, head.log_id, low, low + PAGE)


def _said(index_bytes: str | None) -> tuple[bytes, bytes] | None:
    """Read from an index row where its entry belongs; None where it is gone or from before there was a map."""
    if index_bytes is None:
        return None
    try:
        row = json.loads(index_bytes)
        return bytes.fromhex(row["map"]), bytes.fromhex(row["shown"])
    except (ValueError, KeyError, TypeError):
        return None


_ROWS = """
SELECT e.idx, e.leaf, i.index_bytes, m.map_key, m.shown FROM log.entry e
LEFT JOIN log.index i ON i.log_id = e.log_id AND i.idx = e.idx
LEFT JOIN log.map_entry m ON m.log_id = e.log_id AND m.idx = e.idx
WHERE e.log_id = $1 AND e.idx >= $2 AND e.idx < $3 ORDER BY e.idx
"""
