"""Which lines a citizen is to be asked for, and who must say yes to each: looked up live, judged by the policy.

The caller is held to the same rules as for an ask (case relation, role, purpose): the policy judges the very lines
that are to be asked for, and only a want of consent lets the request through. So the citizen is never asked for what
a statute already gives, for what no yes can open, or by somebody who has no case with them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

from broker.domain.answers import GENERIC_REASONS
from broker.domain.asks import CONSENT, Ask, Key
from broker.domain.consents import ATTORNEY, CUSTODY_HOLDER, GUARDIAN, SELF, RequestLine, check_purpose
from broker.domain.decisions import Decision
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk, ConsentNotNeeded, Refused
from broker.domain.facts import Facts, Subject
from broker.domain.identity import Caller
from broker.domain.laws import REQUIRED
from broker.domain.limits import Limit
from broker.domain.periods import EVERY_DAY, Period
from broker.domain.personal import Personal
from broker.domain.question import question
from broker.domain.receipts import Recorded
from broker.domain.representation import GUARDIANS, silenced, speakers
from broker.exchange.look_up import cases_of, look_up
from broker.exchange.record import record
from broker.ports import Ports

ADULT_AGE, YOUNG_AGE = 18, 15
ALONE, TOGETHER = "alone", "together"
# What a yes can mend. Anything else refuses the request as it would refuse the ask.
MENDED_BY_CONSENT = GENERIC_REASONS | {
    "CONSENT_EXPIRED",
    "CONSENT_REVOKED",
    "CONSENT_NOT_YET_VALID",
    "CUSTODY_INCOMPLETE",
    "OUT_OF_SCOPE_PERIOD",
}


@dataclass(frozen=True, slots=True)
class WantedLine:
    """One line a caller wants to ask for. `subject` of None: the citizen, or each child for a child's category.

    `period` is the days of the data it is to reach over.
    """

    source: str
    category: str
    subject: Personal[str] | None = None
    period: Period = EVERY_DAY


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller wants to ask a citizen for. Days are YYYYMMDD, inclusive; `from_day` of None means today.

    `limit` is how often the unit wishes to look; None: as often as the case needs. `renews` is the unit's earlier
    request that this one renews.
    """

    citizen: Personal[str]
    purpose: str
    case: Personal[str]
    lines: tuple[WantedLine, ...]
    to_day: int
    from_day: int | None = None
    why: Personal[str] | None = None
    again: Personal[str] | None = None
    limit: Limit | None = None
    renews: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Lines that may be asked for: on the log as sought, with the facts they rest on, their first day and form."""

    recorded: Recorded
    facts: Facts
    lines: tuple[RequestLine, ...]
    from_day: int
    must_be_written: bool


async def prepare(wanted: Wanted, caller: Caller, ports: Ports) -> Prepared:
    """Find the lines and their givers; what is sought is on the log before any register is read (P2).

    Raises `ConsentNotNeeded` where a statute is the basis, `Refused` where no yes could open it, `BadAsk` where a
    line cannot be asked for, `StoreUnavailable` or `LogUnavailable` when it could not be written down.
    """
    _check_known(wanted, ports.directory)
    at = ports.clock.now()
    recorded = await record(_as_ask(wanted), caller, at, ports.handles, ports.log, aim=CONSENT)
    cases = cases_of(caller, ports.cases)
    facts = await look_up(recorded, ports.handles, ports.people, cases, ports.consents, ports.directory)
    from_day = wanted.from_day or facts.today
    if from_day < facts.today:
        # A yes is never backdated (domain.md 2.2).
        raise BadAsk("/from", "in_the_past")
    subjects, all_known = await _subjects_of(wanted, facts, ports)
    await _judge(recorded, facts, subjects, ports)
    if not all_known:
        raise BadAsk("/lines", "not_of_this_citizen")
    lines = [
        replace(line, data_from=period.from_day, data_to=period.to_day)
        for key, (subject, periods) in sorted(subjects.items())
        for line in _lines(key, subject, facts, ports.directory)
        for period in sorted(periods)
    ]
    places = [(line.category, line.source) for line in wanted.lines]
    written = law_wants_writing(wanted.purpose, places, caller.unit, facts.today, ports.directory)
    return Prepared(recorded, facts, tuple(lines), from_day, written)


def law_wants_writing(
    purpose: str, places: Iterable[tuple[str, str]], unit: str, today: int, directory: Directory
) -> bool:
    """Tell whether the law asks for a written yes to any of these (category, source) rows, without exception."""
    rows = (directory.consent_law(purpose, category, source, unit, today) for category, source in places)
    return any(row is not None and row.written == REQUIRED for row in rows)


def _check_known(wanted: Wanted, directory: Directory) -> None:
    """Refuse what is not registered, beyond the purpose, or not a matter of consent, before anything is written."""
    if not wanted.lines:
        raise BadAsk("/lines", "empty")
    purpose = directory.purposes.get(wanted.purpose)
    if purpose is None:
        raise BadAsk("/purpose", "unknown_purpose")
    for line in wanted.lines:
        if line.source not in directory.sources:
            raise BadAsk("/lines", "unknown_source")
        if line.category not in directory.sources[line.source].categories:
            raise BadAsk("/lines", "not_held_there")
    check_purpose(purpose, [_bare(line, directory) for line in wanted.lines])


def _bare(line: WantedLine, directory: Directory) -> RequestLine:
    home = directory.sources[line.source].municipality
    return RequestLine("subject", "giver", SELF, line.source, home, line.category)


def _as_ask(wanted: Wanted) -> Ask:
    return Ask(
        id=str(uuid.uuid4()),
        citizen=wanted.citizen,
        purpose=wanted.purpose,
        case=wanted.case,
        categories=frozenset(line.category for line in wanted.lines),
        sources=frozenset(line.source for line in wanted.lines),
    )


async def _subjects_of(
    wanted: Wanted, facts: Facts, ports: Ports
) -> tuple[dict[Key, tuple[Subject, set[Period]]], bool]:
    """Find whom each line is about and the days of the data, and whether all of them are this citizen's.

    A child who is not this citizen's is not told apart from one who does not exist. A line about one is judged as one
    about the citizen, before anything is said of it: whoever has no case here never learns whose child somebody is.
    """
    named = [line.subject for line in wanted.lines if line.subject is not None]
    handles = dict(zip(named, await ports.handles.citizens(named), strict=True))
    family = {subject.handle: subject for subject in facts.subjects}
    found: dict[Key, tuple[Subject, set[Period]]] = {}
    all_known = family.keys() >= set(handles.values())
    for line in wanted.lines:
        handle = handles[line.subject] if line.subject is not None else None
        for subject in _meant(line, handle, facts, family, ports.directory):
            found.setdefault(Key(line.source, line.category, subject.handle), (subject, set()))[1].add(line.period)
    return found, all_known


def _meant(
    line: WantedLine, handle: str | None, facts: Facts, family: dict[str, Subject], directory: Directory
) -> Iterable[Subject]:
    citizen = facts.subjects[0]
    if handle is not None:
        return (family.get(handle, citizen),)
    if not directory.categories[line.category].child or _below(citizen, ADULT_AGE, facts.today):
        return (citizen,)
    # A child nobody can say yes for is asked about like none, and one who is grown up is not asked at all: neither
    # the asker learns of the one (P6), nor the other of a parent's case.
    children = (subject for subject in facts.subjects if subject.child_of_citizen)
    return tuple(child for child in children if _below(child, ADULT_AGE, facts.today) and _holders(child, facts)) or (
        citizen,
    )


async def _judge(recorded: Recorded, facts: Facts, subjects: Iterable[Key], ports: Ports) -> None:
    """Let the policy judge the lines; raise `Refused` unless every no among them is one that a yes would mend.

    Raises `ConsentNotNeeded` where a line rests on a statute, or on the unit's own case, whatever the others rest on.
    Judged by what the asker may be shown: a block or a protection that only the log knows refuses no request, or the
    refusal would tell of it (P6). It still withholds every ask.
    """
    asked = question(recorded.ask, recorded.caller, facts, subjects)
    decision = await ports.policy.decide(asked)
    lawful = sorted(basis.law for v in decision.verdicts for basis in v.basis if basis.kind != "consent")
    if lawful:
        raise ConsentNotNeeded(lawful[0])
    if all(MENDED_BY_CONSENT.issuperset(verdict.shown) for verdict in decision.verdicts):
        return
    raise Refused(_hard_reasons(decision), recorded.receipt.log, recorded.receipt.index)


def _hard_reasons(decision: Decision) -> tuple[str, ...]:
    return tuple(
        sorted({code for v in decision.verdicts if not MENDED_BY_CONSENT.issuperset(v.shown) for code in v.shown})
    )


def _lines(key: Key, subject: Subject, facts: Facts, directory: Directory) -> list[RequestLine]:
    """Say who is to say yes: the adult, each custody holder, and from 15 the young person: alone, or with them.

    Alone is what concerns their health (SUL § 17, stk. 3). For an adult also whoever may speak for them in this
    today, in their stead or beside them.
    """
    home = directory.sources[key.source].municipality
    row = (key.source, home, key.category)
    category = directory.categories[key.category]
    if not _below(subject, ADULT_AGE, facts.today):
        speaking = speakers(subject, category.area, facts.today, directory.representation)
        own = (
            [] if silenced(speaking, directory.representation) else [RequestLine(key.subject, key.subject, SELF, *row)]
        )
        others = {(one.holder, GUARDIAN if one.kind in GUARDIANS else ATTORNEY) for one in speaking}
        return own + [RequestLine(key.subject, holder, capacity, *row) for holder, capacity in sorted(others)]
    way = None if _below(subject, YOUNG_AGE, facts.today) else category.young_person
    own = [RequestLine(key.subject, key.subject, SELF, *row)] if way in (ALONE, TOGETHER) else []
    if way == ALONE:
        return own
    holders = _holders(subject, facts)
    if not holders:
        raise BadAsk("/lines", "not_of_this_citizen")
    lines = own + [RequestLine(key.subject, holder, CUSTODY_HOLDER, *row) for holder in holders]
    if subject.protected is False:
        return lines
    # Unknown protection protects, and whom the register does not say the child lives with is not told where it goes.
    return [replace(line, source_told_to=(subject.handle, *sorted(subject.lives_with))) for line in lines]


def _holders(subject: Subject, facts: Facts) -> list[str]:
    """Name who holds custody of somebody today."""
    return sorted(held.holder for held in subject.custody if held.from_day <= facts.today <= held.to_day)


def _below(subject: Subject, age: int, today: int) -> bool:
    """Tell whether someone is below an age. Unknown birth days count as of age: then the policy refuses instead."""
    return subject.born is not None and (today - subject.born) // 10000 < age
