"""The tables of a month's figures in one language, each with its picture: the same rows for page and file alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from broker.domain.days import DANISH_TIME, day_number
from broker.domain.directory import Directory
from broker.domain.figures import Figures
from broker.view.phrases import WEEKDAYS, Language
from broker.web.pages.charts import Chart, bars, boxes, columns, punch_card
from broker.web.pages.choices import BASES, OUTCOMES
from broker.web.pages.show import Named
from broker.web.pages.sorting import Cell
from broker.web.pages.words import LANGUAGES, marked, words_of
from broker.web.sample_wire import month_name

WORDS = {language: words_of(language) for language in LANGUAGES}
SATURDAY = 6


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name in an address, its heading, what it tells, its columns and rows; the first cell names the row.

    `counted` says whether there is anything but noughts in it; without, there is no picture.
    """

    name: str
    title: str
    says: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    chart: Chart
    counted: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """The words of one language: our own, and the registry's names."""

    directory: Directory
    language: Language

    def __call__(self, text: str) -> str:
        return WORDS[self.language].gettext(text)

    def name(self, id_: str, rows: Mapping[str, Named]) -> str:
        """Name what the registry knows; what it no longer has keeps its id."""
        if id_ not in rows:
            return id_
        return rows[id_].name_da if self.language == "da" else rows[id_].name_en

    def reason(self, code: str) -> tuple[str, str]:
        """Say a reason, and its paragraph."""
        if code not in self.directory.reasons:
            return code, ""
        text = self.directory.reasons[code]
        return (text.da if self.language == "da" else text.en), text.paragraph

    def weekday(self, number: int) -> str:
        """Name a weekday, from 1."""
        return WEEKDAYS[number - 1][0 if self.language == "da" else 1].capitalize()


def tables(found: Figures, directory: Directory, language: Language) -> tuple[Table, ...]:
    """Lay out every table of a month."""
    say = _Said(directory, language)
    return tuple(lay(found, say) for lay in LAID.values())


def table(name: str, found: Figures, directory: Directory, language: Language) -> Table:
    """Lay out one; `name` is one of `LAID`."""
    return LAID[name](found, _Said(directory, language))


def days_of(found: Figures) -> tuple[tuple[date, int], ...]:
    """Give every day of the month with its accesses, also those without any."""
    counts, day = dict(found.counts.days), datetime.fromtimestamp(found.since, UTC).astimezone(DANISH_TIME).date()
    rows = list[tuple[date, int]]()
    while f"{day:%Y-%m}" == found.month:
        rows.append((day, counts.get(day_number(day), 0)))
        day += timedelta(days=1)
    return tuple(rows)


def _days(found: Figures, say: _Said) -> Table:
    rows = days_of(found)
    drawn = columns([(str(day.day), count, day.isoweekday() >= SATURDAY) for day, count in rows])
    heads = (say(marked("Day")), say(marked("Look-ups")))
    told = say(marked("One column a day. Saturdays and Sundays are light."))
    return Table("days", say(marked("Look-ups by day")), told, heads, rows, drawn, bool(found.counts.days))


def _units(found: Figures, say: _Said) -> Table:
    rows = tuple((say.name(unit, say.directory.units), count) for unit, count in found.counts.units)
    heads = (say(marked("Unit")), say(marked("Look-ups")))
    told = say(marked("One bar a unit. The longest has the most."))
    return Table("units", say(marked("Look-ups by unit")), told, heads, rows, bars(rows), bool(rows))


def _outcomes(found: Figures, say: _Said) -> Table:
    rows = tuple((say(OUTCOMES.get(code, code)), count) for code, count in found.counts.outcomes)
    heads = (say(marked("Outcome")), say(marked("Look-ups")))
    told = say(marked("One bar for each thing that can come of a look-up."))
    return Table("outcomes", say(marked("What came of them")), told, heads, rows, bars(rows), bool(rows))


def _bases(found: Figures, say: _Said) -> Table:
    rows = tuple((say(BASES.get(code, code)), count) for code, count in found.counts.bases)
    heads = (say(marked("Basis")), say(marked("Look-ups")))
    told = say(marked("What showed something, by what allowed it. With two bases it counts with both."))
    return Table("bases", say(marked("Look-ups by basis")), told, heads, rows, bars(rows), bool(rows))


def _reasons(found: Figures, say: _Said) -> Table:
    told_of = [(say.reason(code), count) for code, count in found.counts.reasons]
    rows = tuple((text, law, count) for (text, law), count in told_of)
    heads = (say(marked("Reason")), say(marked("Law")), say(marked("Asks")))
    told = say(marked("One bar a reason. An ask with two reasons counts with both."))
    drawn = bars([(text, count) for (text, _), count in told_of])
    return Table("reasons", say(marked("Why something was held back")), told, heads, rows, drawn, bool(rows))


def _hours(found: Figures, say: _Said) -> Table:
    counts = {(day, hour): count for day, hour, count in found.counts.hours}
    days = range(1, 8)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (f"{hour}\u2013{hour + 1}", *(counts.get((day, hour), 0) for day in days)) for hour in range(24)
    )
    heads = (say(marked("Time")), *(say.weekday(day) for day in days))
    told = say(marked("One row a weekday, one square an hour. The larger the square, the more look-ups."))
    drawn = punch_card([say.weekday(day)[:3] for day in days], counts)
    return Table("hours", say(marked("Look-ups by hour of the week")), told, heads, rows, drawn, bool(counts))


def _coverage(found: Figures, say: _Said) -> Table:
    covered = [(month_name(row.since), say.name(row.unit, say.directory.units), row) for row in found.coverage]
    rows = tuple((month, unit, row.accesses, row.drawn, row.explained, row.closed) for month, unit, row in covered)
    heads = (say(marked("Month")), say(marked("Unit")), say(marked("Look-ups")), say(marked("Drawn")),
             say(marked("Explained")), say(marked("Closed")))  # fmt: skip
    told = say(marked("One box a month. It is filled as far as its samples are closed."))
    shares: dict[str, dict[str, float]] = {}
    for month, unit, row in covered:
        if row.drawn:
            shares.setdefault(unit, {})[month] = row.closed / row.drawn
    drawn = boxes(sorted({month for month, _, _ in covered}), sorted(shares.items()))
    return Table("coverage", say(marked("How much was looked at")), told, heads, rows, drawn, bool(shares))


LAID: Mapping[str, Callable[[Figures, _Said], Table]] = {
    "days": _days,
    "units": _units,
    "outcomes": _outcomes,
    "bases": _bases,
    "reasons": _reasons,
    "hours": _hours,
    "coverage": _coverage,
}
