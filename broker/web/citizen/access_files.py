"""My list as a file: a table for a spreadsheet, and JSON with the fields of `/v1/me/accesses`.

Rules kept here:
- Each line of the log is one row; no row names an employee.
- A cell never starts a formula (what a spreadsheet would run), whatever a registry names a unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from fastapi import Response

from broker.domain.directory import Directory
from broker.transparency.history import MyEntry
from broker.view.phrases import Language
from broker.web.access_wire import my_entry_body
from broker.web.pages.choices import BASES, KINDS, OUTCOMES
from broker.web.pages.dates import danish
from broker.web.pages.show import Named
from broker.web.pages.words import LANGUAGES, Words, marked, words_of
from broker.web.spreadsheet import spreadsheet

BETWEEN_NAMES = " | "
HEADINGS = (
    marked("Day"), marked("Time"), marked("What happened"), marked("Unit"), marked("What for"), marked("Outcome"),
    marked("Emergency"), marked("They may see"), marked("Why they may"), marked("They did not get"), marked("Why not"),
    marked("What a yes or a no was about"), marked("Log"), marked("Line"), marked("State"),
)  # fmt: skip
YES_OR_NO = {False: "", True: marked("yes")}
STATES = {"intact": "", "changed": marked("This line was changed by somebody"), "erased": marked("Erased")}
WORDS = {language: words_of(language) for language in LANGUAGES}


def as_csv(entries: Sequence[MyEntry], directory: Directory, language: Language) -> Response:
    """Give the list as a table in the reader's language."""
    headings = [WORDS[language].gettext(heading) for heading in HEADINGS]
    return file_of(
        spreadsheet(headings, told_rows(entries, directory, language)), "text/csv; charset=utf-8", "list.csv"
    )


def as_json(
    entries: Sequence[MyEntry], written: Mapping[str, str], made_at: datetime, directory: Directory
) -> Response:
    """Give the list as JSON, with what was chosen and when it was made."""
    body = {
        "made_at": made_at.isoformat(timespec="seconds"),
        "chosen": dict(written),
        "entries": [my_entry_body(entry, directory) for entry in entries],
    }
    return file_of(orjson.dumps(body), "application/json", "list.json")


def told_rows(entries: Sequence[MyEntry], directory: Directory, language: Language) -> list[list[str]]:
    """Tell each line of the log in the reader's language, a cell for each of `HEADINGS`."""
    return [_row(entry, directory, WORDS[language], language) for entry in entries]


def _row(entry: MyEntry, directory: Directory, words: Words, language: Language) -> list[str]:
    at, said, say = danish(entry.at), words.gettext, Names(directory, language)
    bases = dict.fromkeys(kind for kind, _ in entry.basis)
    return [
        at.date().isoformat(),
        f"{at:%H:%M:%S}",
        said(KINDS[entry.kind]),
        BETWEEN_NAMES.join(say.name(id_, directory.units) for id_ in (entry.holder, entry.unit) if id_),
        say.name(entry.purpose, directory.purposes),
        said(OUTCOMES.get(entry.outcome or entry.said or "", "")),
        said(YES_OR_NO[entry.emergency]),
        say.places(entry.released or entry.allowed),
        BETWEEN_NAMES.join(said(BASES[kind]) for kind in bases),
        say.places(entry.withheld),
        say.reasons(entry.reasons),
        say.places(entry.lines),
        entry.receipt.log,
        str(entry.receipt.index),
        said(STATES[entry.state]),
    ]


@dataclass(frozen=True, slots=True)
class Names:
    """The registry's names in one language; what it no longer has keeps its id."""

    directory: Directory
    language: Language

    def name(self, id_: str | None, rows: Mapping[str, Named]) -> str:
        """Name a unit, a source, a purpose or a kind of information."""
        if id_ is None or id_ not in rows:
            return id_ or ""
        return rows[id_].name_da if self.language == "da" else rows[id_].name_en

    def places(self, places: Sequence[tuple[str, str]]) -> str:
        """Name kinds of information, each with its source."""
        known = self.directory
        named = [(self.name(code, known.categories), self.name(source, known.sources)) for source, code in places]
        return BETWEEN_NAMES.join(", ".join(pair) for pair in named)

    def reasons(self, codes: Sequence[str]) -> str:
        """Say why something was not shown."""
        texts = [self.directory.reasons[code] for code in codes if code in self.directory.reasons]
        return BETWEEN_NAMES.join(text.da if self.language == "da" else text.en for text in texts)


def file_of(data: bytes, kind: str, name: str) -> Response:
    """Give bytes as a file to keep."""
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
