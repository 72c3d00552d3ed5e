"""What is told of a table with its sums gives no small number away, whoever subtracts: tried on every table."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as some

from broker.oversight.suppression import LIMIT, Told, told

MOST = 13
SMALL = some.integers(0, LIMIT - 1)
TABLES = some.tuples(some.integers(1, 3), some.integers(1, 2)).flatmap(
    lambda size: some.lists(
        some.lists(some.one_of(SMALL, some.integers(0, 9)), min_size=size[1], max_size=size[1]),
        min_size=size[0],
        max_size=size[0],
    )
)
LARGE = some.integers(1, 5).flatmap(
    lambda wide: some.lists(
        some.lists(some.one_of(SMALL, some.integers(0, 400)), min_size=wide, max_size=wide), min_size=1, max_size=20
    )
)


def lines_of(table: Told) -> list[list[int | None]]:
    """Lay the sums beside and under the cells."""
    rows = [[*cells, total] for cells, total in zip(table.cells, table.rows, strict=True)]
    return [*rows, [*table.columns, table.total]]


def fits(given_: list[int | None], counts: list[int]) -> bool:
    """Tell whether a line of cells agrees with what is told of it and its sum; what is withheld is one at least."""
    parts = [*counts, sum(counts)]
    return all(count == known if known is not None else count >= 1 for count, known in zip(parts, given_, strict=True))


def possible(table: Told, place: tuple[int, int], values: range) -> bool:
    """Tell whether there is any table, as told, in which this place has one of these counts; tries them all."""
    lines = lines_of(table)
    choices = [
        [
            counts
            for counts in product(*(range(1, MOST + 1) if known is None else (known,) for known in line[:-1]))
            if fits(line, list(counts)) and _in(line_values(counts), place, row, values)
        ]
        for row, line in enumerate(lines[:-1])
    ]
    return _any_sum(choices, lines[-1], place, len(lines) - 1, values)


def line_values(counts: tuple[int, ...]) -> list[int]:
    """Give the counts of a line and their sum."""
    return [*counts, sum(counts)]


def _in(line: list[int], place: tuple[int, int], row: int, values: range) -> bool:
    return place[0] != row or line[place[1]] in values


def _any_sum(choices: Any, last: list[int | None], place: tuple[int, int], row: int, values: range) -> bool:
    """Add rows up, keeping each sum of columns once, and hold what comes out against the last line."""
    sums = {(0,) * (len(last) - 1)}
    for rows in choices:
        sums = {tuple(a + b for a, b in zip(one, other, strict=True)) for one in sums for other in set(rows)}
    return any(fits(last, list(one)) and _in(line_values(one), place, row, values) for one in sums)


@given(TABLES)
@settings(max_examples=40, deadline=None)
@example([[3, 7], [8, 9]])
@example([[1, 6], [0, 6]])
@example([[4, 4], [4, 4]])
@example([[2]])
def test_no_small_number_can_be_had(counts: list[list[int]]) -> None:
    """From cells and sums together, each small number may be no small one, each small cell may be one."""
    table = told(counts)
    lines, whole = lines_of(table), [line_values(tuple(line)) for line in counts]
    whole.append([sum(column) for column in zip(*whole, strict=True)])
    for row, line in enumerate(whole):
        for column, count in enumerate(line):
            if 0 < count < LIMIT:
                assert lines[row][column] is None
                cell = row < len(counts) and column < len(counts[0])
                assert not cell or possible(table, (row, column), range(1, 2))
                assert possible(table, (row, column), range(LIMIT, 10_000))


@given(LARGE)
@settings(max_examples=100, deadline=None)
def test_what_is_told_is_true_and_no_small_number(counts: list[list[int]]) -> None:
    """Each number told is the table's own, none of them is small, and nought is always told."""
    table = told(counts)
    whole = [line_values(tuple(line)) for line in counts]
    whole.append([sum(column) for column in zip(*whole, strict=True)])
    for line, known in zip(whole, lines_of(table), strict=True):
        for count, shown in zip(line, known, strict=True):
            assert shown is None or (shown == count and not 0 < count < LIMIT)
            assert count or shown == 0


@given(LARGE)
@settings(max_examples=60, deadline=None)
def test_a_small_number_is_never_alone(counts: list[list[int]]) -> None:
    """No row and no column, its sum with it, withholds just one number: that one would be the difference."""
    lines = lines_of(told(counts))
    for line in (*lines, *zip(*lines, strict=True)):
        assert sum(one is None for one in line) != 1


def test_without_small_numbers_all_is_told() -> None:
    """A table that gives nobody away is told whole, with every sum; one without rows is nought."""
    table = told([[5, 0], [12, 40]])
    assert (table.cells, table.rows, table.columns, table.total) == (((5, 0), (12, 40)), (5, 52), (17, 40), 57)
    assert told([]).total == 0


def test_no_more_is_withheld_than_it_takes() -> None:
    """One small cell takes three others with it, of the smallest that there are, and every sum is told."""
    table = told([[3, 9, 90], [8, 7, 90], [90, 90, 90]])
    assert table.cells == ((None, None, 90), (None, None, 90), (90, 90, 90))
    assert None not in (*table.rows, *table.columns, table.total)
