"""My list as a PDF, to keep, hand over or print: each line of the log is one row, and no row names an employee."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from broker.domain.directory import Directory
from broker.transparency.history import MyEntry
from broker.view.phrases import Language
from broker.web.citizen.access_files import WORDS, told_rows
from broker.web.pages.dates import day_words, moment_words
from broker.web.pages.words import marked
from broker.web.printed import Paragraph, Printed, Table, pdf

TITLE = marked("Who has looked")
ABOUT = marked(
    "The newest is on top. Every time somebody asked about you is here, also when they got nothing. We do not show the"
    " name of the employee."
)
SOME = marked("You see only some of the lines.")
NONE = marked("No lines fit.")
MADE = marked("This was made on %(moment)s.")
KEPT = marked("Somebody who finds this paper can read it. Keep it where only you can.")
COLUMNS = (
    marked("Day"), marked("What happened"), marked("Unit"), marked("What for"), marked("They may see"),
    marked("They did not get"), marked("Line"),
)  # fmt: skip
WIDTHS = (3, 4, 4, 4, 6, 5, 2)


async def as_pdf(
    entries: Sequence[MyEntry], directory: Directory, language: Language, made_at: datetime, *, some: bool
) -> bytes:
    """Print the list; `some` says on it that it was chosen among. Raises `TooLongToPrint` and `NotPrinted`."""
    said = WORDS[language].gettext
    words = [said(MADE) % {"moment": moment_words(made_at, language)}, said(ABOUT), said(KEPT)]
    if some:
        words.insert(1, said(SOME))
    table = access_table(entries, directory, language)
    parts = (*(Paragraph(text) for text in words), table if table.rows else Paragraph(said(NONE)))
    return await pdf(Printed(language, said(TITLE), made_at, parts))


def access_table(entries: Sequence[MyEntry], directory: Directory, language: Language) -> Table:
    """Lay the list out as a table for paper."""
    said = WORDS[language].gettext
    rows = [_row(row, language) for row in told_rows(entries, directory, language)]
    return Table(said(TITLE), tuple(said(column) for column in COLUMNS), rows, WIDTHS)


def _row(told: Sequence[str], language: Language) -> tuple[str, ...]:
    """Lay one row of the table for a page: what belongs together stands in one cell, names one under the other."""
    day, clock, kind, unit, purpose, outcome, emergency, seen, why, withheld, why_not, about, _, line, state = told
    return (
        f"{day_words(day, language)} {clock}",
        _together(kind, outcome, WORDS[language].gettext("Emergency") if emergency else "", state),
        unit,
        purpose,
        _together(seen or about, why),
        _together(withheld, why_not),
        line,
    )


def _together(*texts: str) -> str:
    return ". ".join(text.replace(" | ", "; ").rstrip(".") for text in texts if text)
