"""`/dpo/report.pdf` and `/dpo/report.csv`: a month's report, to keep and to hand to the leaders. Each is on the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broker.domain.events import REFUSED, BreakGlassRequested, DeferralApproved, DeferralAsked, DeferralEnded
from broker.domain.integrity import Standing
from broker.oversight.report import Desk, Report, report
from broker.view.phrases import Language
from broker.web import printed
from broker.web.dpo.figure_tables import Table, tables
from broker.web.dpo.figures import CSV, Month, Municipality, as_file
from broker.web.dpo.integrity import ALARM_WORDS
from broker.web.dpo.room import Room
from broker.web.pages.dates import day_words, moment_words, month_words
from broker.web.pages.language import language_of
from broker.web.pages.sorting import Cell
from broker.web.pages.words import LANGUAGES, Words, marked, words_of
from broker.web.printed import Heading, NotPrinted, Paragraph, Part, Picture, Printed, TooLongToPrint
from broker.web.spreadsheet import spreadsheet

WORDS: Mapping[Language, Words] = {language: words_of(language) for language in LANGUAGES}
BRIEF = (marked("What"), marked("Number"))
LOGS = (marked("Year"), marked("Lines"), marked("Published"), marked("Last checked from end to end"))
KEPT_IN = marked("It is for use in the house: a number under five can point to a person.")


def build(room: Room, desk: Desk) -> APIRouter:
    """Build the report as a document and as a table."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/dpo/report.pdf")
    async def get_document(request: Request, municipality: Municipality = "", month: Month = "") -> Response:
        officer = await room.enter(request)
        found = await report(municipality, month, officer, desk)
        told = _Told(found, room, language_of(request))
        try:
            data = await printed.pdf(Printed(told.language, told.title, found.made_at, tuple(told.parts())))
        except (NotPrinted, TooLongToPrint):
            # The table holds the same, however long it is.
            kept = urlencode({"municipality": found.figures.municipality, "month": found.figures.month})
            return await room.show(request, "not_printed.html", officer, 503, kept=kept)
        return as_file(data, "application/pdf", f"{told.file}.pdf")

    @routes.get("/dpo/report.csv")
    async def get_table(request: Request, municipality: Municipality = "", month: Month = "") -> Response:
        found = await report(municipality, month, await room.enter(request), desk)
        told = _Told(found, room, language_of(request))
        heads = (marked("Table"), marked("Row"), marked("Column"), marked("Number"))
        return as_file(spreadsheet([told.say(head) for head in heads], told.lines()), CSV, f"{told.file}.csv")

    return routes


class _Told:
    """A report in words of one language: its name, its parts for paper, its lines for a table."""

    def __init__(self, found: Report, room: Room, language: Language) -> None:
        self.language = language
        self._found, self._room = found, room
        figures = found.figures
        self.tables = tables(figures, room.ports.directory, language)
        known = room.ports.directory.municipalities
        home = known[figures.municipality].name if figures.municipality in known else figures.municipality
        self.title = f"{self.say(marked('Monthly report'))}, {home}, {month_words(figures.month, language)}"
        self.file = f"report-{figures.municipality}-{figures.month}"

    def say(self, text: str) -> str:
        """Say a sentence of ours."""
        return WORDS[self.language].gettext(text)

    def brief(self) -> tuple[tuple[str, str], ...]:
        """Give the month in a few numbers."""
        found, happened = self._found, self._found.happened
        outcomes = dict(found.figures.counts.outcomes)
        rows = (
            (marked("Look-ups"), sum(outcomes.values())),
            (marked("Look-ups that showed nothing"), outcomes.get(REFUSED, 0)),
            (marked("Samples drawn of the month"), found.drawn),
            (marked("Samples that wait for the log controller"), found.explained - found.closed),
            (marked("Samples that are closed"), found.closed),
            (marked("Samples past their last day, today"), found.late),
            (marked("Asked for a yes, for danger to life"), happened[BreakGlassRequested.name]),
            (marked("Look-ups for danger to life"), found.emergency_looks),
            (marked("Asked that lines be kept back"), happened[DeferralAsked.name]),
            (marked("Approved that lines be kept back"), happened[DeferralApproved.name]),
            (marked("Ended before its time that lines are kept back"), happened[DeferralEnded.name]),
        )
        return tuple((self.say(text), str(count)) for text, count in rows)

    def logs(self) -> tuple[tuple[str, str, str, str], ...]:
        """Give each log: its year, its lines, how many are signed, and its last whole check."""
        return tuple(
            (str(log.year), str(log.size), str(log.published_size), self._check(log)) for log in self._found.logs
        )

    def alarms(self) -> tuple[str, ...]:
        """Give what somebody must see to at the logs, each once."""
        codes = (code for log in self._found.logs for code in log.alarms(self._found.made_at))
        return tuple(self.say(ALARM_WORDS[code]) for code in dict.fromkeys(codes))

    def parts(self) -> Iterator[Part]:
        """Lay the report out for paper."""
        made = self.say(marked("Made"))
        yield Paragraph(f"{made} {moment_words(self._found.made_at, self.language)}. {self.say(KEPT_IN)}")
        yield Heading(self.say(marked("The month in brief")))
        yield printed.Table(self.say(marked("The month in brief")), self._heads(*BRIEF), self.brief(), (3, 1))
        yield Heading(self.say(marked("The logs today")))
        if self.logs():
            yield printed.Table(self.say(marked("The logs today")), self._heads(*LOGS), self.logs(), (1, 1, 1, 3))
        for alarm in self.alarms():
            yield Paragraph(alarm)
        if not self.alarms():
            yield Paragraph(self.say(marked("Nothing calls for anything at the logs.")))
        for table in self.tables:
            yield Heading(table.title)
            yield from self._of_table(table)

    def lines(self) -> Iterator[tuple[str, str, str, str | int]]:
        """Lay the report out as one long table: table, row, column, number."""
        brief, logs = self.say(marked("The month in brief")), self.say(marked("The logs today"))
        yield from ((brief, text, "", count) for text, count in self.brief())
        for row in self.logs():
            yield from ((logs, row[0], head, cell) for head, cell in zip(self._heads(*LOGS[1:]), row[1:], strict=True))
        yield from ((logs, "", "", alarm) for alarm in self.alarms())
        for table in self.tables:
            for cells in table.rows:
                columns = zip(table.columns[1:], cells[1:], strict=True)
                yield from ((table.title, _text(cells[0]), head, _number(cell)) for head, cell in columns)

    def _of_table(self, table: Table) -> Iterator[Part]:
        if not table.rows or not table.counted:
            yield Paragraph(self.say(marked("There is nothing to count.")))
            return
        yield Paragraph(table.says)
        svg = self._room.pages.written("dpo/chart.svg", self.language, chart=table.chart)
        yield Picture(svg, f"{table.title}. {table.says}")
        # The picture tells a year, the paper's table the month.
        told = [row for row in table.rows if table.name != "coverage" or row[0] == self._found.figures.month]
        rows = [tuple(self._cell(cell) for cell in row) for row in told]
        yield printed.Table(table.title, table.columns, rows)

    def _check(self, log: Standing) -> str:
        if log.last is None or log.last.ended_at is None:
            return self.say(marked("never"))
        found = self.say(marked("faults were found")) if log.last.found else self.say(marked("whole"))
        return f"{moment_words(log.last.ended_at, self.language)}: {found}"

    def _heads(self, *heads: str) -> tuple[str, ...]:
        return tuple(self.say(head) for head in heads)

    def _cell(self, cell: Cell) -> str:
        return day_words(cell, self.language) if isinstance(cell, date) else str(cell)


def _text(cell: Cell) -> str:
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _number(cell: Cell) -> str | int:
    return cell if isinstance(cell, int) else _text(cell)
