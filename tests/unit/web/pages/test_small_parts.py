"""Language, dates, filters, the picture of a week, the rows of the list: the pages' small pure parts."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from starlette.requests import Request

from broker.domain.receipts import Receipt
from broker.transparency.history import MyEntry
from broker.view.week import IsoWeek
from broker.view.weeks import week_view
from broker.web.citizen.accesses import looks_of
from broker.web.pages import dates
from broker.web.pages.filters import wish_of
from broker.web.pages.language import language_of, switched
from broker.web.pages.told import told
from broker.web.pages.week_picture import PATTERNS, letters_of, picture
from tests.unit.view.annette import MENTOR, TODAY, an_item, helper, weekly

AT = datetime(2019, 3, 4, 9, 5, tzinfo=UTC)


def a_request(query: str = "", **headers: str) -> Request:
    """Make a request for a page."""
    told_headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "path": "/mine", "query_string": query.encode(), "headers": told_headers})


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        ("", {}, "da"),
        ("lang=en", {}, "en"),
        ("lang=en", {"cookie": "lang=da"}, "en"),
        ("", {"cookie": "lang=en", "accept_language": "da"}, "en"),
        ("lang=xx", {"cookie": "lang=yy"}, "da"),
        ("", {"accept_language": "en-GB,en;q=0.9"}, "en"),
        ("", {"accept_language": "da, en;q=0.8"}, "da"),
        ("", {"accept_language": "en;q=0.2, da;q=0.9"}, "da"),
        ("", {"accept_language": "de, fr;q=0.9"}, "da"),
        ("", {"accept_language": "de, en;q=0.9"}, "en"),
        ("", {"accept_language": "en;q=oops, da;q=0.1"}, "da"),
    ],
)
def test_the_language_is_the_readers(query: str, headers: dict[str, str], language: str) -> None:
    """What was chosen beats the cookie, the cookie the browser; Danish is what is left."""
    assert language_of(a_request(query, **headers)) == language


def test_the_switch_keeps_the_page() -> None:
    """The other language has the same address with everything else in it; a form's answer begins again."""
    request = a_request("cursor=1.2.3&lang=da")
    assert switched(request, "en") == "/mine?cursor=1.2.3&lang=en"
    assert switched(request, "en", "/case") == "/case?lang=en"


def test_days_and_times_are_danish() -> None:
    """Days are written out, times with a dot, both in Danish time."""
    assert dates.day_words(20190304, "da") == "4. marts 2019"
    assert dates.day_words("2019-03-04", "en") == "4 March 2019"
    assert dates.weekday_words(date(2019, 3, 4), "da") == "mandag den 4. marts 2019"
    assert dates.moment_words(AT, "da") == "4. marts 2019 kl. 10.05"
    assert dates.moment_words(AT.isoformat(), "en") == "4 March 2019 at 10:05"
    assert dates.clock_words("07:30", "da") == "7.30"


def test_a_field_that_was_not_told_is_none() -> None:
    """Rows of JSON may leave fields out at any depth."""
    row = told({"items": [{"title": "x"}]})
    assert row["items"][0]["text"] is None
    assert row["gone"] is None


def test_days_of_a_filter_are_whole_danish_days() -> None:
    """Both days are included, also over the change to summer time."""
    wish = wish_of({"since": "2019-03-31", "until": "2019-03-31", "kind": "ask"})
    assert wish.faults == ()
    assert (wish.filter.since, wish.filter.until) == (1553986800, 1553986800 + 23 * 3600)
    assert (wish.filter.kind, wish.filter.unit) == ("ask", None)


@pytest.mark.parametrize("day", ["2019-02-29", "4.3.2019", "<b>", "9999"])
def test_a_day_that_is_none_is_a_fault(day: str) -> None:
    """A day that does not exist is pointed at by its field."""
    assert [name for name, _ in wish_of({"until": day}).faults] == ["until"]


def test_the_last_day_of_all_is_no_end() -> None:
    """The calendar's last day needs no day after it."""
    assert wish_of({"until": "9999-12-31"}).filter.until is None


def a_week(*items: Any, week: str = "2019-W11") -> Any:
    """Draw a week of items."""
    view = week_view(tuple(items), IsoWeek.read(week), TODAY)
    return picture(view, letters_of([view]))


def test_who_comes_at_the_same_time_has_a_lane_of_their_own() -> None:
    """Bars of one day never lie on one another, and a line with the number stands over the overlap."""
    other = an_item(visits=weekly("07:15", "08:00", 1, 2, 3, 4, 5), people=helper("Hanne"))
    week = a_week(MENTOR, other)
    monday = week.days[0]

    assert len(week.days) == 5
    assert {bar.letter for bar in monday.bars} == {"A", "B"}
    assert len({bar.y for bar in monday.bars}) == 2
    assert [(mark.helpers, mark.width > 0) for mark in monday.marks] == [(2, True)]
    assert week.days[1].marks == ()


def test_the_picture_holds_all_its_parts() -> None:
    """Every bar and mark lies inside the drawing, whatever the hours."""
    night = an_item(visits=weekly("22:00", "06:00", 6), people=helper("Nat"))
    week = a_week(MENTOR, night)
    assert [day.weekday for day in week.days] == [1, 2, 3, 4, 5, 6, 7]
    for day in week.days:
        for part in (*day.bars, *day.marks):
            assert 0 <= part.x <= part.x + part.width <= week.width
            assert day.y <= part.y < day.y + day.height <= week.height


def test_the_table_says_what_the_picture_shows() -> None:
    """Each bar is a row of the table."""
    week = a_week(MENTOR, an_item(visits=weekly("07:15", "08:00", 1)))
    assert len(week.rows) == sum(len(day.bars) for day in week.days) == 3
    assert (week.rows[0].start, week.rows[0].end, week.rows[0].weekday) == ("07:15", "08:00", 1)


def test_an_empty_week_is_drawn_empty() -> None:
    """A week in which nobody comes has its days and no bars."""
    week = a_week(an_item())
    assert [day.bars for day in week.days] == [()] * 5
    assert week.rows == ()


def test_each_thing_has_its_letter_and_pattern() -> None:
    """More things than letters or patterns still have names of their own."""
    many = [an_item(visits=weekly("08:00", "09:00", 1)) for _ in range(28)]
    bars = a_week(*many).days[0].bars
    assert len({bar.letter for bar in bars}) == 28
    assert {bar.pattern for bar in bars} == set(range(PATTERNS))


def an_entry(kind: str, ask: str | None, index: int) -> MyEntry:
    """Make one entry of one's own."""
    return MyEntry(Receipt("x/korsbaek/2019", index), AT, kind, "korsbaek", "intact", ask=ask)


def test_an_ask_stands_with_its_answer() -> None:
    """Ask and answer are one row; what has no answer says so; other entries stay as they are."""
    entries = (
        an_entry("outcome", "a", 4),
        an_entry("consent.granted", None, 3),
        an_entry("ask", "b", 2),
        an_entry("ask", "a", 1),
    )
    rows = [
        (look.entry.receipt.index, look.ask and look.ask.receipt.index, look.answered)
        for look in looks_of(entries, frozenset())
    ]
    assert rows == [(4, 1, "here"), (3, None, "here"), (2, 2, "never")]


def test_an_answer_elsewhere_is_told() -> None:
    """An ask whose answer is not on the page is not said to be without one."""
    (look,) = looks_of((an_entry("ask", "a", 1),), frozenset({"a"}))
    assert look.answered == "elsewhere"


def test_no_entry_is_left_out() -> None:
    """Every line of the log is on the page, joined or not."""
    entries = tuple(
        an_entry(kind, ask, i)
        for i, (kind, ask) in enumerate([("outcome", "a"), ("ask", "a"), ("outcome", "c"), ("ask", "b")])
    )
    shown = {
        index
        for look in looks_of(entries, frozenset())
        for index in (look.entry.receipt.index, look.ask.receipt.index if look.ask else look.entry.receipt.index)
    }
    assert shown == {0, 1, 2, 3}
