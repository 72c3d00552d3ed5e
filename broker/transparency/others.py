"""What is shared about another and who looked, for one who has custody of them or speaks for them. Never a proof.

The register is asked live each time, and whoever it does not name today sees nothing. The look stands on the looker's
own list before anything is read, and on the other's before anything is shown; a try in vain stands there too.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from broker.domain.days import danish_day
from broker.domain.entries import LogFilter
from broker.domain.errors import NotFound, RegisterUnavailable
from broker.domain.events import OutcomeReached
from broker.domain.facts import ConsentLine, RegisterPerson
from broker.domain.identity import CitizenLogin
from broker.domain.others import CHILD, REFUSED, REPRESENTED, SHOWN, SeenForAnother, seen_of_adult, seen_of_child
from broker.domain.own_look import OwnLookMade
from broker.domain.personal import Personal
from broker.exchange.numbers import current, own_handles
from broker.exchange.together import each
from broker.ports import LogReader, Ports
from broker.transparency.history import MyEntry, whole_list

ANSWERS = LogFilter(kind=OutcomeReached.name)


@dataclass(frozen=True, slots=True)
class Shared:
    """One line of a consent in force or to come: which unit, what for, and the line."""

    unit: str
    purpose: str
    line: ConsentLine


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody one may see for: born (YYYYMMDD), what is shared about them, and who looked, newest first.

    Of a child, `shared` is what the looker said yes to; of a grown-up, what they or the looker did.
    """

    born: int
    shared: tuple[Shared, ...]
    entries: tuple[MyEntry, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """A look that is on record: whose, as what, on which day; `mine` are all the looker's handles."""

    id: str
    aim: str
    login: CitizenLogin
    me: str
    today: int
    mine: tuple[str, ...]


async def my_children(login: CitizenLogin, ports: Ports, reader: LogReader) -> tuple[Other, ...]:
    """Show the children somebody has custody of, the eldest first; none where the register does not say so.

    Raises `LogUnavailable` or `StoreUnavailable`: then nothing is shown.
    """
    look = await _recorded(CHILD, login, ports)
    me = await _person(login.cpr, ports)
    found = await each([_person(number, ports) for number in (me.children if me else ())])
    children = {child.cpr: child for child in found if child is not None}.values()
    seen = [(child, seen_of_child(child, login.cpr, ports.directory, look.today)) for child in children]
    mine = sorted((row for row in seen if row[1]), key=lambda row: row[0].born or 0)
    return tuple([await _shown(child, codes, look, ports, reader) for child, codes in mine])


async def represented(number: Personal[str], login: CitizenLogin, ports: Ports, reader: LogReader) -> Other:
    """Show a grown-up somebody speaks for. Raises `NotFound` for whoever they do not, and who there is not."""
    look = await _recorded(REPRESENTED, login, ports)
    person = await _person(number, ports)
    codes = seen_of_adult(person, login.cpr, ports.directory, look.today) if person else frozenset[str]()
    if person is None or not codes:
        await _refuse(number, person, look, ports)
        raise NotFound
    return await _shown(person, codes, look, ports, reader)


async def _recorded(aim: str, login: CitizenLogin, ports: Ports) -> _Look:
    (me,) = await ports.handles.citizens([login.cpr])
    id_, at, home = str(uuid.uuid4()), ports.clock.now(), min(ports.directory.municipalities)
    event = OwnLookMade(municipality=home, subject=me, actor=me, at=at, look=id_, nsis=login.nsis, aim=aim)
    await ports.log.append([event])
    return _Look(id_, aim, login, me, danish_day(at), await own_handles(login.cpr, ports.handles, ports.people))


async def _person(number: Personal[str], ports: Ports) -> RegisterPerson | None:
    """Ask the register, under the number somebody has now; nobody where it is silent or knows none."""
    try:
        person = await current(await ports.people.person(number), ports.people)
    except RegisterUnavailable:
        return None
    return person if person.known else None


async def _shown(
    person: RegisterPerson, codes: frozenset[str], look: _Look, ports: Ports, reader: LogReader
) -> Other:  # fmt: skip
    at, handles = ports.clock.now(), await own_handles(person.cpr, ports.handles, ports.people)
    given = {consent.id: consent for handle in handles for consent in await ports.consents.of_citizen(handle)}
    givers = look.mine if look.aim == CHILD else (*handles, *look.mine)
    shared = tuple(
        Shared(consent.unit, consent.purpose, line)
        for consent in sorted(given.values(), key=lambda one: (one.unit, one.purpose, one.id))
        for line in consent.lines
        if not consent.as_shown(at).spent and line.subject in handles and line.category in codes
        # What another parent answered, or a young person, is theirs: nobody hears it here (P6).
        and line.giver in givers and _stands(line, look)
    )  # fmt: skip
    # An ask about the looker is an entry about the other too: what is kept back from the one is not told by the other.
    entries = visible(await whole_list(handles[0], reader, ANSWERS, also=look.mine), codes)
    await ports.log.append([_event(person, handles[0], look, ports, SHOWN, len(shared), len(entries))])
    return Other(person.born or 0, shared, entries)


async def _refuse(number: Personal[str], person: RegisterPerson | None, look: _Look, ports: Ports) -> None:
    """Put the try on the list of whose number it was, in the same way where it is nobody's: none can tell by it."""
    whose = number if person is None else person.cpr
    (subject,) = await ports.handles.citizens([whose], {whose: person is not None})
    await ports.log.append([_event(None, subject, look, ports, REFUSED, 0, 0)])


def _event(
    person: RegisterPerson | None, subject: str, look: _Look, ports: Ports, outcome: str, shared: int, entries: int
) -> SeenForAnother:
    """Say what it came to, on the log of where the other lives; on the first one where that must not be told."""
    known = ports.directory.municipalities
    home = ports.directory.residence(person.municipality) if person else None
    return SeenForAnother(
        municipality=home if home is not None and home in known else min(known),
        subject=subject,
        actor=look.me,
        at=ports.clock.now(),
        look=look.id,
        aim=look.aim,
        outcome=outcome,
        shared=shared,
        entries=entries,
    )


def _stands(line: ConsentLine, look: _Look) -> bool:
    return line.state != "withdrawn" and look.today <= line.to_day and line.tells_source_to(look.me)


def visible(entries: Sequence[MyEntry], codes: frozenset[str]) -> tuple[MyEntry, ...]:
    """Keep the answers that name nothing but what may be seen; one for danger to life is the person's own."""
    return tuple(entry for entry in entries if not entry.emergency and _named(entry) and _named(entry) <= codes)


def _named(entry: MyEntry) -> frozenset[str]:
    return frozenset(category for _, category in (*entry.released, *entry.allowed, *entry.withheld))
