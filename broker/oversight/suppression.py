"""Withhold small numbers from a table that is told with its sums, so that none can be had by subtraction. Pure.

Rules kept here:
- A number from one to the limit less one is small, be it a cell or a sum. It is withheld, and so are as many others as
  it takes: from all that is told, a small cell can be one and it can be the limit or more, and a small sum can be the
  limit or more. Nought is told.
- Who reads knows the sums, and that whatever is withheld is one at least. Reckoned with just that, as flows in the
  table's graph (rows and columns are its nodes, withheld numbers its arcs), exactly and not by a rule of thumb.
- Which others are withheld is decided by the table alone: the same table gives the same answer at any time.

Not reckoned with: a reader who tries every table that could lead to the same choice of the others.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

LIMIT = 5
# More than any count; a flow without end is cut off here.
ENDLESS = 1 << 40
Place: TypeAlias = tuple[int, int]
# A node of the graph: a row or a column, and which.
Node: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """A table as it may be told: cells, the sums of its rows and of its columns, and the sum of all; None: withheld."""

    cells: tuple[tuple[int | None, ...], ...]
    rows: tuple[int | None, ...]
    columns: tuple[int | None, ...]
    total: int | None


def told(counts: Sequence[Sequence[int]], limit: int = LIMIT) -> Told:
    """Say what may be told of a table of counts and its sums. Raises ValueError for a table that is none."""
    whole = _Whole.of(counts, limit)
    kept = _withheld(whole)
    shown = [[None if (row, column) in kept else count for column, count in enumerate(line)]
             for row, line in enumerate(whole.counts)]  # fmt: skip
    return Told(
        cells=tuple(tuple(line[:-1]) for line in shown[:-1]),
        rows=tuple(line[-1] for line in shown[:-1]),
        columns=tuple(shown[-1][:-1]),
        total=shown[-1][-1],
    )


@dataclass(frozen=True, slots=True)
class _Whole:
    """A table with its sums as last row and last column."""

    counts: tuple[tuple[int, ...], ...]
    limit: int

    @classmethod
    def of(cls, counts: Sequence[Sequence[int]], limit: int) -> _Whole:
        if limit < 2 or any(len(line) != len(counts[0]) or min(line, default=0) < 0 for line in counts):
            raise ValueError("a table has rows of one length and no count below nought, and a limit is two at least")
        lines = [[*line, sum(line)] for line in counts]
        lines.append([sum(column) for column in zip(*lines, strict=True)] if lines else [0])
        return cls(tuple(map(tuple, lines)), limit)

    def places(self) -> Iterator[Place]:
        """Give every place that holds something."""
        return ((row, column) for row, line in enumerate(self.counts) for column, count in enumerate(line) if count)

    def at(self, place: Place) -> int:
        """Give the count of a place."""
        return self.counts[place[0]][place[1]]

    def edge(self, place: Place) -> bool:
        """Tell whether it is the sum of one row or column; the sum of all moves with the cells again."""
        return (place[0] == len(self.counts) - 1) != (place[1] == len(self.counts[0]) - 1)

    def wanted(self, place: Place) -> tuple[int, int]:
        """Say how far it must be able to grow and to shrink: to the limit, and a cell to one.

        A small sum is known to be as much as the cells it is of, each one at least.
        """
        summed = place[0] == len(self.counts) - 1 or place[1] == len(self.counts[0]) - 1
        return self.limit - self.at(place), 0 if summed else self.at(place) - 1

    def price(self, place: Place) -> int:
        """Say what it costs to withhold a place: a cell what it holds, a sum more than all cells, the last sum most."""
        sums = (place[0] == len(self.counts) - 1) + (place[1] == len(self.counts[0]) - 1)
        return self.at(place) + 2 * sums * sum(self.counts[-1])

    def room(self, place: Place, *, forth: bool) -> int:
        """Say how far a place may move along its arc: cells forth without end, sums back; the other way down to one."""
        return ENDLESS if forth != self.edge(place) else self.at(place) - 1


def _withheld(whole: _Whole) -> frozenset[Place]:
    """Choose the places that are withheld: the small ones, and the cheapest way round for each that is not safe yet."""
    small = sorted(
        (place for place in whole.places() if whole.at(place) < whole.limit), key=lambda p: (-whole.at(p), p)
    )
    kept = set(small)
    for place in small:
        if not _safe(place, kept, whole):
            kept |= _way_round(place, kept, whole)
    return frozenset(kept)


def _safe(place: Place, kept: set[Place], whole: _Whole) -> bool:
    """Tell whether what is told leaves open that this place is one, and that it is the limit."""
    start, end = _ends(place, whole)
    others = kept - {place}
    up, down = whole.wanted(place)
    return _flow(end, start, others, whole, up) >= up and _flow(start, end, others, whole, down) >= down


def _ends(place: Place, whole: _Whole) -> tuple[Node, Node]:
    """Give the nodes between which the place's own arc runs when its count grows."""
    row, column = ("row", place[0]), ("column", place[1])
    return (column, row) if whole.edge(place) else (row, column)


def _flow(source: Node, sink: Node, places: set[Place], whole: _Whole, wanted: int) -> int:
    """Say how much can be moved from a node to another over these places, up to what is wanted (augmenting paths)."""
    room: dict[Node, dict[Node, int]] = {}
    for place in places:
        row, column = ("row", place[0]), ("column", place[1])
        room.setdefault(row, {})[column] = whole.room(place, forth=True)
        room.setdefault(column, {})[row] = whole.room(place, forth=False)
    moved = 0
    while moved < wanted:
        path = _path(source, sink, room)
        if path is None:
            break
        step = min(wanted - moved, *(room[here][there] for here, there in path))
        for here, there in path:
            room[here][there] -= step
            room[there][here] += step
        moved += step
    return moved


def _path(source: Node, sink: Node, room: Mapping[Node, Mapping[Node, int]]) -> list[tuple[Node, Node]] | None:
    """Find a shortest path that has room."""
    came: dict[Node, Node] = {source: source}
    queue = deque([source])
    while queue and sink not in came:
        here = queue.popleft()
        for there, left in room.get(here, {}).items():
            if left > 0 and there not in came:
                came[there] = here
                queue.append(there)
    return _back(came, source, sink) if sink in came else None


def _way_round(place: Place, kept: set[Place], whole: _Whole) -> set[Place]:
    """Give the places of the cheapest closed way through one, wide enough both ways; over the sums there always is one.

    What is withheld already costs nothing.
    """
    (sink, source), (up, down) = _ends(place, whole), whole.wanted(place)
    costs, came, queue = {source: 0}, {source: source}, [(0, source)]
    while queue:
        cost, here = heapq.heappop(queue)
        if cost > costs[here]:
            continue
        for there, other in _beside(here, place, whole, up, down):
            more = cost + (0 if other in kept else whole.price(other))
            if more < costs.get(there, ENDLESS * ENDLESS):
                costs[there], came[there] = more, here
                heapq.heappush(queue, (more, there))
    return {_place(here, there) for here, there in _back(came, source, sink)}


def _back(came: Mapping[Node, Node], source: Node, sink: Node) -> list[tuple[Node, Node]]:
    """Give the steps of the way that was found."""
    steps, there = [], sink
    while there != source:
        steps.append((came[there], there))
        there = came[there]
    return steps


def _beside(here: Node, not_by: Place, whole: _Whole, up: int, down: int) -> Iterator[tuple[Node, Place]]:
    """Give the nodes next to one, each with the place between, where that is wide enough both ways."""
    kind, number = here
    others = range(len(whole.counts[0])) if kind == "row" else range(len(whole.counts))
    for other in others:
        place = (number, other) if kind == "row" else (other, number)
        forth = kind == "row"
        wide = whole.room(place, forth=forth) >= up and whole.room(place, forth=not forth) >= down
        if place != not_by and whole.at(place) and wide:
            yield ("column" if kind == "row" else "row", other), place


def _place(here: Node, there: Node) -> Place:
    return (here[1], there[1]) if here[0] == "row" else (there[1], here[1])
