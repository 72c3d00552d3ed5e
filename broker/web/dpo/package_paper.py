"""All that is held about a citizen, in words: what a page and a paper show of the same package (GDPR art. 12 and 15).

Rules kept here:
- It is made of what the file is made of, and of nothing else: what the file does not have, no page and no paper has.
- It is written to the citizen, in the language that the DPO chose for them; no row names an employee.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from broker.domain.consents import EXPIRED, Consent
from broker.domain.days import NO_END
from broker.domain.directory import Directory
from broker.domain.facts import ConsentLine
from broker.domain.inquiries import Told
from broker.domain.limits import Limit
from broker.domain.periods import Period
from broker.oversight.record import records
from broker.view.phrases import Language
from broker.web.citizen.access_files import Names
from broker.web.citizen.access_print import KEPT, MADE, access_table
from broker.web.citizen.answers import ANSWERED
from broker.web.citizen.inquiries import AIM_WORDS
from broker.web.consent_wire import line_state
from broker.web.dpo.record_words import kept_rows
from broker.web.export_wire import Held
from broker.web.pages.dates import day_words, moment_words
from broker.web.pages.words import LANGUAGES, Words, marked, words_of
from broker.web.printed import Heading, Paragraph, Part, Printed, Table

WORDS: Mapping[Language, Words] = {language: words_of(language) for language in LANGUAGES}
TITLE = marked("What is held about you")
ANSWER_OF = marked("You asked what is held about you. This is the answer of %(homes)s.")
# What it is and is not; the same to everybody, so that it tells nobody that something is kept back from them.
SAYS = (
    marked("It is what Borgerbro keeps: your yeses and noes, your questions, and who asked and got what."),
    marked("What the units' own systems know about you is not kept here. Ask the unit for it."),
    marked("The law may let the municipality wait with showing you a line. Then it is not here yet."),
    marked(
        "Not in the file: what on-call staff wrote when life was in danger. Ask the data protection officer for it."
    ),
    KEPT,
)
RIGHTS = (
    marked(
        "Tell the unit that wrote it. They must correct it, and tell those who got it. You can also write it at the"
        " line under Who has looked: the data protection officer passes it on."
    ),
    marked("You can take a yes back at any time. You can also set a standing no, which is stronger than any yes."),
    marked(
        "Some of it the law lets them see without your yes. You can object to that, at the line under Who has looked."
    ),
    marked(
        "You can ask the data protection officer about each line under Who has looked. You can always complain to"
        " Datatilsynet."
    ),
    marked("No machine decides about a citizen. The rules say who may see what. What the overview finds is advice."),
    marked("Nothing is sent out of the EU."),
    marked("Do you want all of it, as a program reads it? Ask the data protection officer for the file."),
)
STATES = {
    "live": marked("It holds"),
    "not_yet": marked("It holds from its first day"),
    "expired": marked("Its time is over"),
    "used_up": marked("It was for once, and is used"),
    "withdrawn": marked("You took it back"),
    "paused": marked("It is paused"),
}
ONLY_DAYS = marked("only what lies from %(first)s up to and including %(last)s")
ONLY_FROM = marked("only what lies from %(first)s on")
ONLY_TO = marked("only what lies up to and including %(last)s")


@dataclass(frozen=True, slots=True)
class Laid:
    """A table to be: its title, its heads, their shares of the page, and what is said when it is empty."""

    title: str
    heads: tuple[str, ...]
    widths: tuple[int, ...]
    none: str


YESES = Laid(
    marked("Your yeses"),
    (marked("Unit"), marked("What for"), marked("What"), marked("Days"), marked("How it stands")),
    (4, 4, 6, 4, 4),
    marked("You have given no yes."),
)
REQUESTS = Laid(
    marked("What you were asked for a yes to"),
    (marked("Day"), marked("Unit"), marked("What for"), marked("What"), marked("What they wrote"),
     marked("Your answer")),
    (3, 4, 4, 5, 5, 4),
    marked("Nobody has asked you for a yes."),
)  # fmt: skip
NOES = Laid(
    marked("Your standing noes"),
    (marked("Nobody may fetch from"), marked("Unit"), marked("Information")),
    (1, 1, 1),
    marked("You have no standing noes."),
)
GOT = Laid(
    marked("Who got what"),
    (marked("Unit"), marked("What"), marked("First time"), marked("Last time"), marked("How often")),
    (4, 5, 3, 3, 2),
    marked("Nobody has got anything."),
)
QUESTIONS = Laid(
    marked("Your questions"),
    (marked("Day"), marked("What you want"), marked("What you wrote"), marked("The answer")),
    (3, 4, 6, 6),
    marked("You have asked nothing."),
)
TIMES = (marked("What"), marked("How long"))


@dataclass(frozen=True, slots=True)
class Section:
    """One part of it under its heading."""

    title: str
    body: tuple[Paragraph | Table, ...]


class Paper:
    """A package in words of one language."""

    def __init__(self, held: Held, directory: Directory, language: Language) -> None:
        self.language = language
        self._held, self._directory = held, directory
        self._words, self._names = WORDS[language], Names(directory, language)
        self.title = self._say(TITLE)

    @property
    def printed(self) -> Printed:
        """Lay it out for print."""
        parts: list[Part] = [Paragraph(text) for text in self.says]
        for section in self.sections:
            parts += [Heading(section.title), *section.body]
        return Printed(self.language, self.title, self._held.whose.at, tuple(parts))

    @property
    def says(self) -> tuple[str, ...]:
        """Say what it is, whose answer it is, and what it is not."""
        known = self._directory.municipalities
        homes = sorted(known[home].name if home in known else home for home in self._held.whose.homes or ())
        answer = self._say(ANSWER_OF) % {"homes": ", ".join(homes)}
        made = self._say(MADE) % {"moment": moment_words(self._held.whose.at, self.language)}
        return (answer, made, *(self._say(text) for text in SAYS))

    @property
    def sections(self) -> tuple[Section, ...]:
        """Give all its sections, from what was said yes to, to what the citizen may do."""
        looked = access_table(self._held.entries, self._directory, self.language)
        return (
            self._section(YESES, self._yeses()),
            self._section(REQUESTS, self._requests()),
            self._section(NOES, self._noes()),
            self._section(GOT, self._got()),
            # That it was made is on the log before it is read: there is always a line.
            Section(looked.caption, (looked,)),
            self._section(QUESTIONS, self._questions()),
            *self._kept(),
            Section(self._say(marked("Your rights")), tuple(Paragraph(self._say(text)) for text in RIGHTS)),
        )

    def _kept(self) -> Iterator[Section]:
        """Say how long what is kept here is kept, by municipality (art. 15, stk. 1, d)."""
        whose = self._held.whose
        for record in records(self._directory, whose.homes or (), whose.today):
            title = f"{self._say(marked('How long it is kept here'))}: {record.controller.name}"
            rows = [(what, "; ".join(told)) for what, told in kept_rows(record, self._words)]
            yield Section(title, (Table(title, self._heads(TIMES), rows),))

    def _yeses(self) -> Iterator[tuple[str, ...]]:
        for consent in self._held.consents:
            unit, purpose = self._unit(consent.unit), self._purpose(consent.purpose)
            for line in consent.lines:
                days = f"{day_words(line.from_day, self.language)} – {day_words(line.to_day, self.language)}"
                state = _together(self._state(consent, line), self._often(consent.limit))
                yield unit, purpose, self._what_of(line), days, state

    def _state(self, consent: Consent, line: ConsentLine) -> str:
        today = self._held.whose.today
        return self._say(STATES[line_state(line.state, line.from_day, line.to_day, today, spent=consent.spent)])

    def _what_of(self, line: ConsentLine) -> str:
        """Say what a line is about: whose, which days of the data; a source that tells where a child is has no name."""
        me = self._held.whose.handles[0]
        unnamed = self._say(marked("from a unit of the municipality"))
        kind = self._names.name(line.category, self._directory.categories)
        what = self._what(line.source, line.category) if line.tells_source_to(me) else f"{kind}, {unnamed}"
        if line.subject == me:
            return _together(what, self._period(line.period))
        child = line.capacity == "custody_holder"
        about = self._say(marked("about your child") if child else marked("about somebody you act for"))
        return _together(f"{what} ({about})", self._period(line.period))

    def _period(self, period: Period) -> str:
        if not period.named:
            return ""
        first = day_words(period.from_day, self.language) if period.from_day else ""
        last = day_words(period.to_day, self.language) if period.to_day < NO_END else ""
        says = ONLY_DAYS if first and last else ONLY_FROM if first else ONLY_TO
        return self._say(says) % {"first": first, "last": last}

    def _often(self, limit: Limit | None) -> str:
        if limit is None:
            return ""
        if not limit.monthly:
            return self._say(marked("They may look only once."))
        one, many = "They may look at most %(num)s time a month.", "They may look at most %(num)s times a month."
        return self._words.ngettext(one, many, limit.times) % {"num": limit.times}

    def _requests(self) -> Iterator[tuple[str, ...]]:
        """Tell what was asked; the words that came with it were written to one citizen, and no other reads them."""
        for own in self._held.requests:
            request = own.request
            wrote = (request.why, request.again) if request.citizen == own.me else ()
            places = dict.fromkeys((ln.source, ln.category) for ln in request.lines if ln.tells_source_to(own.me))
            yield (
                moment_words(request.asked_at, self.language),
                self._unit(request.unit),
                self._purpose(request.purpose),
                "; ".join(self._what(*place) for place in places),
                _together(*(words.disclose() for words in wrote if words is not None)),
                self._answer([answer.state for answer in request.answers if answer.giver in {own.me, None}]),
            )

    def _answer(self, states: Sequence[str]) -> str:
        mine = [state for state in states if state != EXPIRED]
        return self._say(ANSWERED[mine[0] if mine else "none"])

    def _noes(self) -> Iterator[tuple[str, ...]]:
        known, name = self._directory, self._names.name
        for block in self._held.blocks:
            yield (
                name(block.source, known.sources) or self._say(marked("Any source")),
                name(block.unit, known.units) or self._say(marked("Any unit")),
                name(block.category, known.categories) or self._say(marked("Any information")),
            )

    def _got(self) -> Iterator[tuple[str, ...]]:
        for row in self._held.recipients:
            first, last = (moment_words(at, self.language) for at in (row.first, row.last))
            yield self._unit(row.unit), self._what(row.source, row.category), first, last, str(row.times)

    def _questions(self) -> Iterator[tuple[str, ...]]:
        for told in self._held.inquiries:
            sent = moment_words(told.inquiry.sent_at, self.language)
            yield sent, self._say(AIM_WORDS[told.inquiry.aim]), told.text.disclose(), self._answered(told)

    def _answered(self, told: Told) -> str:
        if told.answer is None:
            return self._say(marked("No answer yet"))
        at = told.inquiry.answered_at
        return f"{moment_words(at, self.language)}: {told.answer.disclose()}" if at else told.answer.disclose()

    def _section(self, laid: Laid, rows: Iterator[tuple[str, ...]]) -> Section:
        table = Table(self._say(laid.title), self._heads(laid.heads), list(rows), laid.widths)
        return Section(table.caption, (table if table.rows else Paragraph(self._say(laid.none)),))

    def _heads(self, heads: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._say(head) for head in heads)

    def _what(self, source: str, category: str) -> str:
        return self._names.places(((source, category),))

    def _unit(self, id_: str) -> str:
        return self._names.name(id_, self._directory.units)

    def _purpose(self, id_: str) -> str:
        return self._names.name(id_, self._directory.purposes)

    def _say(self, text: str) -> str:
        return self._words.gettext(text)


def _together(*texts: str) -> str:
    return ". ".join(text.rstrip(".") for text in texts if text)
