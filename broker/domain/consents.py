"""Consents as values: what is asked of a citizen, what a giver says yes to, and what has become of it.

Rules kept here (`domain.md` 2.2):
- Sources, categories and the recipient are named one by one: no wildcard, nothing like "alle relevante oplysninger".
- A yes lasts a calendar year at most (SUL § 44; elsewhere our own cap), both days inclusive.
- A purpose bounds what may be asked for; where a statute is the basis, consent is not asked for at all.
- A giver says yes only to lines that were theirs to answer, to all or to some.
- A young person's own yes is theirs alone to see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from broker.domain.days import NO_BEGINNING, NO_END, danish_day, day_number, day_of
from broker.domain.directory import Purpose
from broker.domain.errors import BadAsk, Conflict, ConsentNotNeeded, NotFound
from broker.domain.events import LinesChanged
from broker.domain.facts import ConsentLine, NamesASource
from broker.domain.limits import Limit
from broker.domain.periods import Period
from broker.domain.personal import Personal
from broker.domain.stops import RUN_OUT, HandedOut, Received, Told

SELF, CUSTODY_HOLDER, GUARDIAN, ATTORNEY = "self", "custody_holder", "guardian", "attorney"
CAPACITIES = frozenset({SELF, CUSTODY_HOLDER, GUARDIAN, ATTORNEY})

DIGITAL, PAPER, ORAL = "digital", "paper", "oral"
FORMS = frozenset({DIGITAL, PAPER, ORAL})

REQUESTED, GRANTED, PARTLY_GRANTED = "requested", "granted", "partly_granted"
REFUSED, EXPIRED, WITHDRAWN, PAUSED = "refused", "expired", "withdrawn", "paused"

# What lines become, from which states, and what is said where none of them can.
BECOMES = {
    WITHDRAWN: (frozenset({GRANTED, PAUSED}), "already_withdrawn"),
    PAUSED: (frozenset({GRANTED}), "nothing_to_pause"),
    GRANTED: (frozenset({PAUSED}), "nothing_is_paused"),
}
E = TypeVar("E", bound=LinesChanged)

# A code of the registry. A sentence has spaces and a wildcard has a star: neither names anything.
NAMED = re.compile(r"\w[\w.:/-]*")


@dataclass(frozen=True, slots=True, order=True)
class RequestLine(NamesASource):
    """One line to answer: whose data, who may say yes and in what capacity, from which source, which category.

    `data_from` and `data_to` are the days of the data it reaches over, every day where none is named. Where a child's
    address is protected, a source's name can tell where the child is: `source_told_to` then names who may learn it, the
    child and the holders of custody they live with (None: everybody). Raises `BadAsk` where anything is left unnamed.
    """

    subject: str
    giver: str
    capacity: str
    source: str
    source_municipality: str
    category: str
    data_from: int = NO_BEGINNING
    data_to: int = NO_END
    source_told_to: tuple[str, ...] | None = None

    @property
    def period(self) -> Period:
        """The days of the data it reaches over."""
        return Period(self.data_from, self.data_to)

    def __post_init__(self) -> None:
        _ = self.period
        if self.capacity not in CAPACITIES:
            raise BadAsk("/lines", "capacity")
        named(self.subject, self.giver, self.source, self.source_municipality, self.category)

    def parties(self, citizen: str) -> frozenset[str]:
        """Name whom this line may be shown to: those it concerns; a young person's own yes to them alone."""
        if self.giver == self.subject != citizen:
            return frozenset({self.subject})
        return frozenset({self.subject, self.giver, citizen})


@dataclass(frozen=True, slots=True)
class Answer:
    """What one giver answered to a request: `granted`, `partly_granted` or `refused`; the consent, if one came of it.

    `expired` answers for all who have not.
    """

    state: str
    giver: str | None
    at: datetime
    channel: str
    consent: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What a unit asks of a citizen, for one purpose and case. Days are Danish, YYYYMMDD, inclusive.

    `answer_by` is the last day it can be answered; `why` is the caseworker's own words to the citizen, `again` those on
    why they ask again after a no. `limit` is how often they wish to look; `renews` the earlier request whose yes ends
    soon. Raises `BadAsk` where it is not a request that may be asked.
    """

    id: str
    municipality: str
    citizen: str
    unit: str
    purpose: str
    case: str
    lines: tuple[RequestLine, ...]
    from_day: int
    to_day: int
    answer_by: int
    text_version: str
    asked_at: datetime
    why: Personal[str] | None = None
    answers: tuple[Answer, ...] = ()
    again: Personal[str] | None = None
    limit: Limit | None = None
    renews: str | None = None

    def __post_init__(self) -> None:
        named(self.municipality, self.citizen, self.unit, self.purpose, self.case, self.text_version)
        _check_lines(self.lines)
        check_window(self.from_day, self.to_day)

    @property
    def givers(self) -> frozenset[str]:
        """Everybody who has lines to answer."""
        return frozenset(line.giver for line in self.lines)

    @property
    def parties(self) -> frozenset[str]:
        """Whom the request as a whole may be shown to."""
        return _parties(self.lines, self.citizen)

    def lines_of(self, giver: str) -> tuple[RequestLine, ...]:
        """Give the lines that are this giver's to answer."""
        return tuple(line for line in self.lines if line.giver == giver)

    def parties_of(self, giver: str) -> frozenset[str]:
        """Whom this giver's answer may be shown to."""
        return _parties(self.lines_of(giver), self.citizen)

    def answered_by(self, giver: str) -> bool:
        """Tell whether this giver has answered, or may no longer."""
        return any(answer.giver in {giver, None} for answer in self.answers)

    @property
    def unanswered(self) -> tuple[RequestLine, ...]:
        """Give the lines whose giver has not answered."""
        return tuple(line for line in self.lines if not any(answer.giver == line.giver for answer in self.answers))

    def no_since(self, today: int) -> int | None:
        """Tell since which day the unit that asked knows of a no; None while there is none that it may know of.

        It hears of all givers together, never who has answered: so neither does what follows from a no (P6). A yes to
        some is a no to the rest where one alone was asked; of several, another may just not have answered.
        """
        state = self.state(today)
        if state == REFUSED or (state == PARTLY_GRANTED and len(self.givers) == 1):
            return max(danish_day(answer.at) for answer in self.answers)
        return None

    def state(self, today: int) -> str:
        """Tell where the request stands: open until every giver has answered or its last day is over."""
        states = {answer.state for answer in self.answers}
        some = bool(states & {GRANTED, PARTLY_GRANTED})
        if EXPIRED in states or (not self.givers <= {a.giver for a in self.answers} and today > self.answer_by):
            return PARTLY_GRANTED if some else EXPIRED
        if not self.givers <= {answer.giver for answer in self.answers}:
            return PARTLY_GRANTED if some else REQUESTED
        if states == {GRANTED}:
            return GRANTED
        return PARTLY_GRANTED if some else REFUSED


@dataclass(frozen=True, slots=True)
class ReadText:
    """Exactly what a giver had before them when they said no: its language, its SHA-256, and its words.

    `words` is None where they cannot be opened any more: the key they lay under went with the giver's content (P9).
    """

    language: str
    digest: str
    words: Personal[str] | None


@dataclass(frozen=True, slots=True)
class Grant:
    """One giver's yes, as it was given. Raises `BadAsk` where it is not a yes that holds.

    `text` is exactly what the giver was shown and `text_digest` its SHA-256; `evidence` says how a paper or oral yes
    was taken (reader, place, language, read-back). `request` is None for a yes given at the desk without one. `limit`
    is how often it may be used; `renews` the consent of the same giver that it follows.
    """

    id: str
    request: str | None
    municipality: str
    citizen: str
    giver: str
    unit: str
    purpose: str
    case: str
    lines: tuple[RequestLine, ...]
    from_day: int
    to_day: int
    form: str
    language: str
    text_version: str
    text_digest: str
    text: Personal[str]
    evidence: Personal[str] | None = None
    limit: Limit | None = None
    renews: str | None = None

    def __post_init__(self) -> None:
        named(self.municipality, self.citizen, self.giver, self.unit, self.purpose, self.case, self.text_version)
        _check_lines(self.lines)
        if any(line.giver != self.giver for line in self.lines):
            raise BadAsk("/lines", "not yours to answer")
        check_window(self.from_day, self.to_day)
        if self.form not in FORMS:
            raise BadAsk("/form")
        if self.form != DIGITAL and self.evidence is None:
            raise BadAsk("/evidence", "missing")

    @property
    def parties(self) -> frozenset[str]:
        """Whom the consent may be shown to."""
        return _parties(self.lines, self.citizen)

    @property
    def readers(self) -> frozenset[str]:
        """The other municipalities that may read the consent: those whose sources it opens."""
        return frozenset(line.source_municipality for line in self.lines) - {self.municipality}

    def answers(self, request: ConsentRequest) -> str:
        """Tell what this yes makes of the giver's part of a request; raise `BadAsk` where it goes beyond it."""
        asked, given = set(request.lines_of(self.giver)), set(self.lines)
        wider = given - asked or self.from_day < request.from_day or self.to_day > request.to_day
        same = (self.municipality, self.citizen, self.unit, self.purpose, self.case)
        oftener = request.limit is not None and (self.limit is None or not self.limit.within(request.limit))
        if oftener:
            raise BadAsk("/limit", "not asked for")
        if wider or same != (request.municipality, request.citizen, request.unit, request.purpose, request.case):
            raise BadAsk("/lines", "not asked for")
        return GRANTED if given == asked else PARTLY_GRANTED


@dataclass(frozen=True, slots=True)
class LineState:
    """One step of a line's history: what it became, by which version of the consent, when and through what."""

    line: str
    version: int
    state: str
    at: datetime
    channel: str


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as it stands: what was given, the state of each line now, and how it came there.

    `months` (YYYYMM) are those its uses count in, `used_from` when each shows to those it is about (P8).
    """

    id: str
    request: str | None
    municipality: str
    citizen: str
    giver: str
    unit: str
    purpose: str
    case: str
    form: str
    language: str
    text_version: str
    text_digest: str
    given_at: datetime
    lines: tuple[ConsentLine, ...]
    history: tuple[LineState, ...]
    limit: Limit | None = None
    uses: tuple[datetime, ...] = ()
    months: tuple[int, ...] = ()
    used_from: tuple[datetime, ...] = ()
    renews: str | None = None
    handed: tuple[HandedOut, ...] = ()
    received: tuple[Received, ...] = ()

    @property
    def version(self) -> int:
        """The version that holds now: one more with every change."""
        return max(step.version for step in self.history)

    def as_shown(self, at: datetime) -> Consent:
        """Give it as those it is about may know it: without the uses that the law keeps back from them until later."""
        rows = [row for row in zip(self.uses, self.months, self.used_from, strict=True) if row[2] <= at]
        return replace(
            self,
            uses=tuple(used for used, _, _ in rows),
            months=tuple(month for _, month, _ in rows),
            used_from=tuple(since for _, _, since in rows),
        )

    def to_become(self, state: str, lines: Sequence[str] | None, giver: str, today: int) -> tuple[ConsentLine, ...]:
        """Choose the lines a giver takes back, pauses, or lets hold again: those named, or all of theirs.

        Left out is what cannot become so: nothing paused is paused, nothing taken back or over is ever held again.
        Raises `NotFound` where one is not theirs, `Conflict` where nothing is left.
        """
        theirs = {line.id: line for line in self.lines if line.giver == giver}
        chosen = set(theirs) if lines is None else set(lines)
        if not theirs or not chosen <= set(theirs):
            raise NotFound
        before, otherwise = BECOMES[state]
        left = tuple(
            line
            for key, line in theirs.items()
            if key in chosen and line.state in before and (state == WITHDRAWN or self._has_time(line, today))
        )
        if not left:
            raise Conflict(otherwise)
        return left

    def _has_time(self, line: ConsentLine, today: int) -> bool:
        return today <= line.to_day and not self.spent

    def left(self, today: int) -> int | None:
        """Count the uses left on a day, of the month or of all; None where it may be used as often as needed."""
        if self.limit is None:
            return None
        latest = max(self.months, default=0)
        return self.limit.left(latest, self.months.count(latest), today)

    @property
    def spent(self) -> bool:
        """Tell whether it was for once, and is used: it never holds again."""
        return self.limit is not None and not self.limit.monthly and bool(self.uses)

    def told(self, line: ConsentLine, at: datetime) -> Told | None:
        """Say how far the unit has heard that a line holds no more; None where it holds, or the unit got nothing on it.

        A moment is needed because the law may keep back for a time that the unit got something.
        """
        step = self._stopped_by(line, danish_day(at))
        if step is None or not any(one.line == line.id and one.shown_from <= at for one in self.handed):
            return None
        received = [one.at for one in self.received if one.step == step and one.shown_from <= at]
        return Told(max(received, default=None), len(received))

    def _stopped_by(self, line: ConsentLine, today: int) -> int | None:
        last = max((step for step in self.history if step.line == line.id), key=lambda step: step.version)
        if last.state == WITHDRAWN:
            return last.version
        if today > line.to_day:
            return RUN_OUT
        return last.version if last.state == PAUSED else None

    def live_lines(self, today: int) -> tuple[ConsentLine, ...]:
        """Give the lines that cover something on a day."""
        if self.left(today) == 0:
            return ()
        return tuple(ln for ln in self.lines if ln.state == GRANTED and ln.from_day <= today <= ln.to_day)


def told_of_change(events: Sequence[E], taken: Sequence[ConsentLine], version: int) -> list[E]:
    """Let events say which lines in fact changed; a subject of whom none did hears nothing.

    A giver hears of every line, anybody else of those about them. Raises ValueError when nobody would hear of it.
    """
    told = []
    for event in events:
        lines = sorted((ln.subject, ln.source, ln.category) for ln in taken if event.subject in {ln.giver, ln.subject})
        if lines:
            told.append(replace(event, lines=tuple(lines), version=version))
    if not told:
        raise ValueError("a change of which no event speaks")
    return told


def last_day_allowed(from_day: int) -> int:
    """Give the last day a yes from this day may last to: the day before the same date next year."""
    first = day_of(from_day)
    try:
        year_on = first.replace(year=first.year + 1)
    except ValueError:
        year_on = date(first.year + 1, 3, 1)  # 29 February
    return day_number(year_on - timedelta(days=1))


def check_window(from_day: int, to_day: int) -> None:
    """Raise `BadAsk` unless both are days, in order, and no more than a calendar year."""
    try:
        day_of(to_day)
        latest = last_day_allowed(from_day)
    except ValueError:
        raise BadAsk("/to", "no such day") from None
    if not from_day <= to_day <= latest:
        raise BadAsk("/to", "a year at most")


def check_purpose(purpose: Purpose, lines: Iterable[RequestLine]) -> None:
    """Raise `ConsentNotNeeded` where a statute is the basis, `BadAsk` where a line goes beyond the purpose."""
    if not purpose.consent:
        raise ConsentNotNeeded(purpose.statute or purpose.id)
    if any(line.category not in purpose.categories for line in lines):
        raise BadAsk("/lines", "beyond the purpose")


def named(*codes: str) -> None:
    """Raise `BadAsk` unless each is the name of one thing: not empty, no wildcard, no free text."""
    if not all(NAMED.fullmatch(code) for code in codes):
        raise BadAsk("/lines", "not named")


def _parties(lines: Iterable[RequestLine], citizen: str) -> frozenset[str]:
    return frozenset(handle for line in lines for handle in line.parties(citizen))


def _check_lines(lines: tuple[RequestLine, ...]) -> None:
    if not lines:
        raise BadAsk("/lines", "empty")
    if len(set(lines)) != len(lines):
        raise BadAsk("/lines", "twice")
