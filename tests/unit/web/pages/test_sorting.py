"""Tables that their heads sort: what a link asks for is done, and whatever else it says changes nothing."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.web.pages.sorting import Cell, Order, laid, order_of

PLACE = ("/dpo/figures", {"month": "2019-03"})
ROWS: tuple[tuple[Cell, ...], ...] = (("Ærø", 2), ("Aarhus", 10), ("Østby", 2), ("Åby", 1), ("Zoo", 3))


def firsts(order: Order | None, rows: tuple[tuple[Cell, ...], ...] = ROWS) -> list[Cell]:
    """Give the first cells in the order asked for."""
    return [row[0] for row in laid("units", ("Unit", "Look-ups"), rows, tuple, order, PLACE).rows]


@pytest.mark.parametrize(("asked", "expected"), [
    ("units-0-up", ["Zoo", "Ærø", "Østby", "Åby", "Aarhus"]),
    ("units-0-down", ["Aarhus", "Åby", "Østby", "Ærø", "Zoo"]),
    ("units-1-up", ["Åby", "Ærø", "Østby", "Zoo", "Aarhus"]),
    # Those with the same number keep their places, either way.
    ("units-1-down", ["Aarhus", "Zoo", "Ærø", "Østby", "Åby"]),
])  # fmt: skip
def test_rows_stand_as_a_danish_reader_expects(asked: str, expected: list[str]) -> None:
    """Words by the Danish alphabet, numbers by size."""
    assert firsts(order_of(asked)) == expected


def test_numbers_in_words_and_days_go_by_size() -> None:
    """10 stands behind 9, and a month's days in their order."""
    hours: tuple[tuple[Cell, ...], ...] = (("10\u201311", 0), ("9\u201310", 0), ("0\u20131", 0))
    days: tuple[tuple[Cell, ...], ...] = ((date(2019, 3, 10), 0), (date(2019, 3, 9), 0))

    assert firsts(order_of("units-0-up"), hours) == ["0\u20131", "9\u201310", "10\u201311"]
    assert firsts(order_of("units-0-up"), days) == [date(2019, 3, 9), date(2019, 3, 10)]


@pytest.mark.parametrize("asked", [
    "", "units", "units-0", "units-0-sideways", "units-2-up", "units-99-up", "units-100-up", "days-0-up", "Units-0-up",
    "units-٠-up", "units-0-up\n", "units--1-up", "x" * 40,
])  # fmt: skip
def test_whatever_else_sorts_nothing(asked: str) -> None:
    """A table, a column or a direction that is not there leaves the rows as they were."""
    assert firsts(order_of(asked)) == [row[0] for row in ROWS]


@given(st.text(max_size=40))
def test_no_address_breaks_a_table(asked: str) -> None:
    """Any text at all shows every row once."""
    assert sorted(map(str, firsts(order_of(asked)))) == sorted(str(row[0]) for row in ROWS)


def test_heads_lead_there_and_back() -> None:
    """The head of the sorted column says how, and turns it round; the others begin with the smallest."""
    found = laid("units", ("Unit", "Look-ups"), ROWS, tuple, Order("units", 1, down=False), PLACE)
    assert [head.sorted for head in found.heads] == ["", "ascending"]
    assert [head.address for head in found.heads] == [
        "/dpo/figures?month=2019-03&sort=units-0-up#units-table",
        "/dpo/figures?month=2019-03&sort=units-1-down#units-table",
    ]  # fmt: skip
    assert found.chosen
