"""`/dpo/fact-sheet` and `/dpo/fact-sheet.pdf`: facts for a municipality's own assessment (GDPR art. 26, 28, 35)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fastapi import APIRouter, Request, Response

from broker.domain.days import danish_day
from broker.domain.identity import OfficerLogin
from broker.oversight.fact_sheets import Running, sheets_for
from broker.view.phrases import Language
from broker.web import printed
from broker.web.dpo.fact_parts import Sheet
from broker.web.dpo.figures import as_file
from broker.web.dpo.room import Room
from broker.web.pages.language import language_of
from broker.web.pages.words import LANGUAGES, Words, marked, words_of
from broker.web.printed import Heading, NotPrinted, Paragraph, Part, Printed, TooLongToPrint

PLACE = "/dpo/fact-sheet"
WORDS: Mapping[Language, Words] = {language: words_of(language) for language in LANGUAGES}
TITLE = marked("Facts for your own assessment")
SAYS = marked(
    "These are facts from the registry, the law tables and the settings, as they stand now. What they weigh, you judge."
)
HEADS = (marked("What"), marked("What is known"))


def build(room: Room, running: Running) -> APIRouter:
    """Build the page and the paper."""
    routes = APIRouter(include_in_schema=False)

    def sheets(request: Request, officer: OfficerLogin) -> tuple[Sheet, ...]:
        directory, now, language = room.ports.directory, room.ports.clock.now(), language_of(request)
        found = sheets_for(officer, directory, danish_day(now))
        return tuple(Sheet(one, running, directory, WORDS[language], language, now) for one in found)

    @routes.get(PLACE)
    async def get_sheet(request: Request) -> Response:
        officer = await room.enter(request)
        return await room.show(
            request, "fact_sheet.html", officer, sheets=sheets(request, officer), heading=TITLE, advice=SAYS
        )  # fmt: skip

    @routes.get(f"{PLACE}.pdf")
    async def get_paper(request: Request) -> Response:
        officer, language = await room.enter(request), language_of(request)
        found = sheets(request, officer)
        await room.ceilings.count_paper(await room.ports.handles.officer(officer))
        title, made = WORDS[language].gettext(TITLE), room.ports.clock.now()
        try:
            data = await printed.pdf(Printed(language, title, made, tuple(_parts(found, WORDS[language]))))
        except (NotPrinted, TooLongToPrint):
            # The page and the file hold the same, however long it is.
            return await room.show(request, "fact_sheet_not_printed.html", officer, 503)
        return as_file(data, "application/pdf", "fact-sheet.pdf")

    return routes


def _parts(sheets: Sequence[Sheet], words: Words) -> Iterator[Part]:
    yield Paragraph(words.gettext(SAYS))
    heads = tuple(words.gettext(head) for head in HEADS)
    for sheet in sheets:
        for part in sheet.parts():
            yield Heading(f"{sheet.home.name}: {part.title}")
            yield from (Paragraph(text) for text in part.says)
            if part.rows:
                rows = [(what, "; ".join(known)) for what, known in part.rows]
                yield printed.Table(part.title, heads, rows, (1, 2))
