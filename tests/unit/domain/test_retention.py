"""How long an entry is kept: to the day, by kind, and never shorter than somebody decided."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.catalogue import CATALOGUE
from broker.domain.days import DANISH_TIME
from broker.domain.retention import KEPT, LONGEST, Retention, months_after, months_before, term

DEFAULT = Retention()


@pytest.mark.parametrize(
    ("kind", "made", "goes"),
    [
        ("ask", date(2025, 3, 4), date(2025, 9, 5)),
        ("outcome", date(2025, 8, 31), date(2026, 3, 1)),
        ("log.searched", date(2025, 1, 31), date(2025, 8, 1)),
        ("consent.granted", date(2020, 2, 29), date(2026, 3, 1)),
        ("break_glass.decided", date(2021, 5, 1), date(2026, 5, 2)),
        ("a.kind.of.tomorrow", date(2020, 1, 1), date(2026, 1, 2)),
    ],
)
def test_an_entry_goes_on_the_day_after_its_term(kind: str, made: date, goes: date) -> None:
    """Months are counted by the calendar; late on the last day it is still kept, and on the next day it may go."""
    late = datetime(made.year, made.month, made.day, 23, 59, tzinfo=DANISH_TIME)

    def gone(today: date) -> bool:
        end = DEFAULT.ends(kind, today, None)
        return end is not None and late < end

    assert DEFAULT.keeps_until(kind, late) == goes - timedelta(days=1)
    assert (gone(goes - timedelta(days=1)), gone(goes)) == (False, True)


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.integers(6, 120), st.integers(0, 4000))
def test_nothing_goes_before_its_last_day(today: date, months: int, age: int) -> None:
    """Whatever the day and the term: what goes today is past the last day it is kept."""
    kept = Retention({"ask": months})
    made = datetime.combine(today - timedelta(days=age), datetime.min.time(), DANISH_TIME)
    end, until = kept.ends("ask", today, None), kept.keeps_until("ask", made)
    assert end is not None
    assert until is not None
    if made < end:
        assert until < today
    if until < today - timedelta(days=3):
        assert made < end, "what is past its term by more than a month's odd days goes"


def test_what_an_archive_must_have_waits_for_its_receipt() -> None:
    """A kind with archive duty goes only as far as the archive has confirmed; without any receipt not at all."""
    kept, today = Retention(archive=frozenset({"outcome"})), date(2026, 6, 1)

    assert kept.ends("outcome", today, None) is None
    assert kept.ends("outcome", today, date(2025, 3, 31)) == datetime(2025, 4, 1, tzinfo=DANISH_TIME)
    assert kept.ends("outcome", today, date(2026, 5, 31)) == datetime(2025, 12, 1, tzinfo=DANISH_TIME)
    assert kept.ends("ask", today, None) == datetime(2025, 12, 1, tzinfo=DANISH_TIME)


def test_every_kind_has_a_term_or_is_kept_for_good() -> None:
    """What names no citizen never goes; a kind nobody thought of is kept as long as the longest."""
    for event in CATALOGUE:
        ends = DEFAULT.ends(event.name, date(2026, 1, 1), None)
        assert (ends is None) == (event.name in KEPT), event.name
    assert term("a.kind.of.tomorrow").months == LONGEST


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.integers(0, 120))
def test_months_back_and_on_meet(day: date, months: int) -> None:
    """Counting back and on again comes to the same day, or to the last of a shorter month, never beyond."""
    again = months_after(months_before(day, months), months)
    assert again <= day
    assert (day - again).days <= 3
