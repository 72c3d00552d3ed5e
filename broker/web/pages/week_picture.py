"""The picture of a week: who comes when, drawn by the server as rectangles in a small grid. Pure; it knows no names.

Rules kept here:
- One band a day, time from left to right; whoever is there at the same time stands in a lane of their own.
- A thing is told by its letter and its pattern, never by colour alone; where helpers overlap, a line with their number.
- It says what is there, never what would be too much (`design.md` 6b p).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from string import ascii_uppercase

from broker.view.overlap import Stretch
from broker.view.week import Presence
from broker.view.weeks import WeekView

WIDTH, LABELS, RIGHT = 300, 34, 4
LANE, GAP, MARK, HEAD, PAD = 17, 2, 15, 18, 4
PATTERNS = 6
WORKDAYS = 5
HOUR = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One presence: where its rectangle stands, the letter of its item, its pattern."""

    x: float
    y: float
    width: float
    letter: str
    pattern: int
    counted: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A line over the lanes where two or more helpers are there at once, with their number."""

    x: float
    y: float
    width: float
    helpers: int


@dataclass(frozen=True, slots=True)
class DayBand:
    """One day of the picture."""

    weekday: int
    y: float
    height: float
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the same week as a table: when, the item's letter, and how many helpers are there at most."""

    weekday: int
    start: str
    end: str
    letter: str
    item: int
    meeting: bool


@dataclass(frozen=True, slots=True)
class WeekPicture:
    """One week, as picture and as table."""

    name: str
    number: int
    monday: date
    sunday: date
    width: int
    height: float
    hours: tuple[tuple[float, str], ...]
    days: tuple[DayBand, ...]
    rows: tuple[Row, ...]
    stretches: tuple[Stretch, ...]


def letters_of(weeks: Iterable[WeekView]) -> dict[int, str]:
    """Give every item that comes at a time its letter, the same in all weeks."""
    items: dict[int, str] = {}
    for week in weeks:
        for presence in (*week.visits, *week.meetings):
            items.setdefault(presence.item, _letter(len(items)))
    return items


def picture(week: WeekView, letters: Mapping[int, str]) -> WeekPicture:
    """Draw one week."""
    there = sorted((*week.visits, *week.meetings), key=lambda one: (one.span, one.item))
    meetings = {id(one) for one in week.meetings}
    first, last = _hours(there)
    shown = [day for day in range(1, 8) if day <= WORKDAYS or any(one.weekday == day for one in there)]
    days: list[DayBand] = []
    top = float(HEAD)
    for weekday in shown:
        today = [one for one in there if one.weekday == weekday]
        stretches = [one for one in week.overlap.stretches if one.weekday == weekday]
        days.append(_band(weekday, top, today, stretches, letters, (first, last)))
        top += days[-1].height
    return WeekPicture(
        name=str(week.week),
        number=week.week.number,
        monday=week.week.monday,
        sunday=week.week.monday + timedelta(days=6),
        width=WIDTH,
        height=top + PAD,
        hours=tuple((_x(hour * HOUR, (first, last)), str(hour)) for hour in _ticks(first, last)),
        days=tuple(days),
        rows=tuple(_row(one, letters, meeting=id(one) in meetings) for one in there),
        stretches=week.overlap.stretches,
    )


def _letter(place: int) -> str:
    return ascii_uppercase[place] if place < len(ascii_uppercase) else str(place + 1)


def _hours(there: list[Presence]) -> tuple[int, int]:
    """Choose the whole hours the picture spans, in minutes; at least two."""
    if not there:
        return 8 * HOUR, 16 * HOUR
    first = min(one.start_minute for one in there) // HOUR * HOUR
    last = -(-max(one.end_minute for one in there) // HOUR) * HOUR
    return (first, last) if last - first >= 2 * HOUR else (min(first, 22 * HOUR), min(first, 22 * HOUR) + 2 * HOUR)


def _ticks(first: int, last: int) -> range:
    hours = (last - first) // HOUR
    return range(first // HOUR, last // HOUR + 1, 1 if hours <= 6 else 2 if hours <= 12 else 4)


def _x(minute: int, span: tuple[int, int]) -> float:
    wide = WIDTH - LABELS - RIGHT
    return round(LABELS + (minute - span[0]) / (span[1] - span[0]) * wide, 1)


def _band(
    weekday: int, top: float, there: list[Presence], stretches: list[Stretch], letters: Mapping[int, str],
    span: tuple[int, int],
) -> DayBand:  # fmt: skip
    lanes: list[int] = []
    bars: list[Bar] = []
    order = list(letters)
    under = top + PAD + (MARK if stretches else 0)
    for one in there:
        lane = next((place for place, ends in enumerate(lanes) if ends <= one.start_minute), len(lanes))
        lanes[lane : lane + 1] = [one.end_minute]
        x = _x(one.start_minute, span)
        bars.append(
            Bar(
                x=x,
                y=under + lane * (LANE + GAP),
                width=round(_x(one.end_minute, span) - x, 1),
                letter=letters[one.item],
                pattern=order.index(one.item) % PATTERNS,
                counted=one.counted,
            )
        )
    height = PAD + (MARK if stretches else 0) + max(1, len(lanes)) * (LANE + GAP) + PAD
    marks = tuple(_mark(one, top + PAD, span) for one in stretches)
    return DayBand(weekday, top, height, tuple(bars), marks)


def _mark(stretch: Stretch, y: float, span: tuple[int, int]) -> Mark:
    x = _x(stretch.start_minute, span)
    return Mark(x, y, round(_x(stretch.end_minute, span) - x, 1), stretch.helpers)


def _row(one: Presence, letters: Mapping[int, str], *, meeting: bool) -> Row:
    return Row(one.weekday, _clock(one.start_minute), _clock(one.end_minute), letters[one.item], one.item, meeting)


def _clock(minute: int) -> str:
    return f"{minute // HOUR:02}:{minute % HOUR:02}"
