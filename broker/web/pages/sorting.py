"""Tables whose heads sort them: by a link that works without script; `static/borgerbro/tables.mjs` does it in place.

Both sort alike: numbers and days by size, words as a Danish reader expects, with numbers in them by size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Generic, TypeAlias, TypeVar
from urllib.parse import urlencode

from fastapi import Query

Cell: TypeAlias = str | int | date
Row = TypeVar("Row")
Sort = Annotated[str, Query(max_length=40)]
_ASKED = re.compile(r"([a-z]{1,20})-([0-9]{1,2})-(up|down)", re.ASCII)
_DIGITS = re.compile(r"(\d+)", re.ASCII)
# Behind z, in this order: Unicode has å before æ. An aa is an å to whoever looks for Aabenraa.
_DANISH = (("aa", "å"), ("æ", "\ue000"), ("ø", "\ue001"), ("å", "\ue002"))


@dataclass(frozen=True, slots=True)
class Order:
    """By which column (from 0) of which table the rows stand, and whether the largest is first."""

    table: str
    column: int
    down: bool

    def __str__(self) -> str:
        """Write it as an address holds it."""
        return f"{self.table}-{self.column}-{'down' if self.down else 'up'}"


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: its name, the address that sorts by it, and how it is sorted now (as `aria-sort`), if it is."""

    name: str
    address: str
    sorted: str


@dataclass(frozen=True, slots=True)
class Laid(Generic[Row]):
    """A table with its heads and its rows in order; `chosen` says whether the reader chose that order."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    chosen: bool


def order_of(text: str) -> Order | None:
    """Read an order from an address; None for whatever is none, so that a table stands as it always does."""
    found = _ASKED.fullmatch(text)
    return Order(found[1], int(found[2]), found[3] == "down") if found else None


def laid(
    table: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    cells: Callable[[Row], Sequence[Cell]],
    order: Order | None,
    place: tuple[str, Mapping[str, str]],
) -> Laid[Row]:
    """Lay a table out: rows in the order asked for, heads that lead to the others.

    `cells` gives what a row sorts by, column by column; `place` is the page's address without order, and what else
    stands in it. A column that is not there sorts nothing.
    """
    asked = order if order and order.table == table and order.column < len(columns) else None
    heads = tuple(_head(table, number, name, asked, place) for number, name in enumerate(columns))
    if asked is None:
        return Laid(heads, tuple(rows), chosen=False)
    column = asked.column
    kept = sorted(rows, key=lambda row: _key(cells(row)[column]), reverse=asked.down)
    return Laid(heads, tuple(kept), chosen=True)


def _head(table: str, number: int, name: str, asked: Order | None, place: tuple[str, Mapping[str, str]]) -> Head:
    mine = asked is not None and asked.column == number
    down = mine and not asked.down if asked else False
    address, kept = place
    query = urlencode({**kept, "sort": str(Order(table, number, down))})
    now = ("descending" if asked.down else "ascending") if asked and mine else ""
    return Head(name, f"{address}?{query}#{table}-table", now)


def _key(cell: Cell) -> tuple[int, int, tuple[tuple[int, int, str], ...]]:
    if isinstance(cell, int):
        return 0, cell, ()
    if isinstance(cell, date):
        return 0, cell.toordinal(), ()
    text = cell.casefold()
    for written, place in _DANISH:
        text = text.replace(written, place)
    parts = _DIGITS.split(text)
    # Every other part is a number.
    return 1, 0, tuple(
        (0, int(part), "") if number % 2 else (1, 0, part) for number, part in enumerate(parts) if part
    )  # fmt: skip
