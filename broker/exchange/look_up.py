"""Step 3: the facts of this moment, read live and never kept: registers, consents, blocks (`design.md` 6.17, 6.18).

Takes only a `Recorded` ask, so nothing about the citizen is read before the ask is on the log. A register that does
not answer is a fact too: the decision is then no. Of a citizen's children nothing is read where no decision could rest
on it: where no child's data is asked for, or the case is not this citizen's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broker.domain.days import danish_day
from broker.domain.directory import Directory
from broker.domain.errors import RegisterUnavailable
from broker.domain.facts import (
    CaseRecord,
    ConsentFacts,
    Custody,
    Employment,
    Facts,
    RegisterPerson,
    Representative,
    Subject,
)
from broker.domain.identity import Caller
from broker.domain.personal import Personal
from broker.domain.receipts import Recorded
from broker.exchange.numbers import current, numbers_of, one_handle_each, under_one_handle
from broker.exchange.together import Together, each
from broker.ports import Cases, Consents, Handles, People

NO_CASE = CaseRecord(exists=False)
NOT_EMPLOYED = Employment(employed=False)


class NobodysCases:
    """The case system of a caller whose system does not speak for their unit: nobody's register is read for them."""

    name = "none"

    async def case(
        self,
        case: Personal[str],  # noqa: ARG002  # the door's shape
        citizen: Personal[str],  # noqa: ARG002
        caseworker: Personal[str],  # noqa: ARG002
    ) -> tuple[CaseRecord, Employment]:
        """Tell of no case and no employment."""
        return NO_CASE, NOT_EMPLOYED


def cases_of(caller: Caller, cases: Mapping[str, Cases]) -> Cases:
    """Find the case system to ask for this caller: their unit's, where their system speaks for it.

    A unit that an employer merely names opens no register, least of all another municipality's; the rules refuse it.
    """
    return cases.get(caller.unit, NobodysCases()) if caller.unit in caller.system.units else NobodysCases()


@dataclass(frozen=True, slots=True, repr=False)
class _Registers:
    """What the registers told, and which of them gave no answer."""

    citizen: RegisterPerson
    children: tuple[RegisterPerson, ...]
    case: CaseRecord
    employment: Employment
    failed: tuple[str, ...]


async def look_up(
    recorded: Recorded,
    handles: Handles,
    people: People,
    cases: Cases,
    consents: Consents,
    directory: Directory,
    *,
    children: bool = True,
) -> Facts:
    """Gather all that the decision may rest on. Raises `StoreUnavailable`; silent registers become facts.

    `children` says whether it may rest on them; whether a caseworker asks about their own family always may.
    """
    told = await _ask_registers(recorded, people, cases, children=children)
    persons = (told.citizen, *told.children)
    by_number = await _name(recorded, told, handles, _heard_of(recorded, people, told))
    called = [(told.citizen, recorded.citizen), *((child, by_number[child.cpr]) for child in told.children)]
    names, aliases = one_handle_each(called, by_number)
    subjects = tuple(_subject(person, names, directory, child=i > 0) for i, person in enumerate(persons))
    caller = recorded.caller
    everybody = [subject.handle for subject in subjects] + [other for other, _ in aliases]
    read = await consents.facts(caller.municipality, caller.unit, recorded.ask.purpose, recorded.case, everybody)
    return Facts(
        at=recorded.at,
        today=danish_day(recorded.at),
        citizen=recorded.citizen,
        actor=recorded.actor,
        case_handle=recorded.case,
        subjects=subjects,
        case=told.case,
        employment=told.employment,
        consents=under_one_handle(read.usable(danish_day(recorded.at)), aliases),
        registers=tuple(sorted({people.name, cases.name})),
        failed_registers=told.failed,
        related=_related(recorded, told, names),
        cprs={names[person.cpr]: person.cpr for person in persons},
        former={names[person.cpr]: person.former for person in persons if person.former},
        aliases=aliases,
        speakers={names[number]: number for person in persons for number in _speakers(person)},
    )


def _speakers(person: RegisterPerson) -> tuple[Personal[str], ...]:
    """Give the numbers of whoever may say yes for somebody."""
    return (*(holder.cpr for holder in person.custody), *(row.cpr for row in person.representatives))


async def look_again(facts: Facts, recorded: Recorded, consents: Consents) -> ConsentFacts:
    """Read consents and blocks anew, for the same subjects (P3: they changed under a running ask)."""
    caller = recorded.caller
    handles = [subject.handle for subject in facts.subjects] + [other for other, _ in facts.aliases]
    read = await consents.facts(caller.municipality, caller.unit, recorded.ask.purpose, recorded.case, handles)
    return under_one_handle(read.usable(facts.today), facts.aliases)


async def _ask_registers(recorded: Recorded, people: People, cases: Cases, *, children: bool) -> _Registers:
    """Ask both registers at once, then the children's entries where they matter; note who stayed silent."""
    failed: set[str] = set()
    async with Together() as group:
        asked = group.create_task(_person(people, recorded.ask.citizen, failed))
        case, employment = await _case(cases, recorded, failed)
    citizen = asked.result()
    if case.concerns_citizen:
        citizen = await _current(citizen, people, failed)
    wanted = children or recorded.caller.caseworker.cpr is not None
    # A stranger's case opens nothing, so nothing more is read for it: no call tells of the citizen's children.
    numbers = citizen.children if wanted and case.concerns_citizen else ()
    found = await each([_child(people, cpr, failed) for cpr in numbers])
    distinct = tuple({child.cpr: child for child in found}.values())
    return _Registers(citizen, distinct, case, employment, tuple(sorted(failed)))


async def _person(people: People, cpr: Personal[str], failed: set[str]) -> RegisterPerson:
    try:
        return await people.person(cpr)
    except RegisterUnavailable:
        failed.add(people.name)
        return RegisterPerson(cpr=cpr, known=False)


async def _child(people: People, cpr: Personal[str], failed: set[str]) -> RegisterPerson:
    return await _current(await _person(people, cpr, failed), people, failed)


async def _current(person: RegisterPerson, people: People, failed: set[str]) -> RegisterPerson:
    try:
        return await current(person, people)
    except RegisterUnavailable as silent:
        failed.add(silent.register)
        return person


async def _case(cases: Cases, recorded: Recorded, failed: set[str]) -> tuple[CaseRecord, Employment]:
    try:
        return await cases.case(recorded.ask.case, recorded.ask.citizen, recorded.caller.caseworker.id)
    except RegisterUnavailable:
        failed.add(cases.name)
        return NO_CASE, NOT_EMPLOYED


async def _name(
    recorded: Recorded, told: _Registers, handles: Handles, known: Mapping[Personal[str], bool]
) -> dict[Personal[str], str]:
    """Give everybody the decision may speak of a handle, in one statement however many they are."""
    persons = (told.citizen, *told.children)
    numbers = {number for person in persons for number in numbers_of(person)} | known.keys()
    numbers |= {holder.cpr for person in persons for holder in person.custody}
    numbers |= {row.cpr for person in persons for row in person.representatives}
    if recorded.caller.caseworker.cpr:
        numbers.add(recorded.caller.caseworker.cpr)
    ordered = tuple(numbers)
    return dict(zip(ordered, await handles.citizens(ordered, known), strict=True))


def _subject(person: RegisterPerson, names: dict[Personal[str], str], directory: Directory, *, child: bool) -> Subject:
    return Subject(
        handle=names[person.cpr],
        known=person.known,
        child_of_citizen=child,
        born=person.born,
        dead_on=person.dead_on,
        municipality=directory.residence(person.municipality),
        protected=person.protected,
        custody=tuple(Custody(names[holder.cpr], holder.from_day, holder.to_day) for holder in person.custody),
        representatives=tuple(
            Representative(names[row.cpr], row.kind, row.scope, row.from_day, row.to_day)
            for row in person.representatives
        ),
        moved_number=person.current_cpr is not None,
        lives_with=tuple(names[holder.cpr] for holder in person.custody if holder.cpr in person.household),
    )


def _heard_of(recorded: Recorded, people: People, told: _Registers) -> dict[Personal[str], bool]:
    """Say whom the register knows, so that handles of numbers nobody has can be purged; silence says nothing."""
    if people.name in told.failed:
        return {}
    return {recorded.ask.citizen: told.citizen.known} | {child.cpr: child.known for child in told.children}


def _related(recorded: Recorded, told: _Registers, names: dict[Personal[str], str]) -> bool:
    """Tell whether the caseworker asks about themself, their child or a child's other parent, as far as is known.

    Or about somebody they represent or live with (FVL § 3, stk. 1, nr. 1 and 2).
    """
    own = recorded.caller.caseworker.cpr
    if own is None:
        return False
    family = {person.cpr for person in (told.citizen, *told.children)}
    family |= {holder.cpr for person in (told.citizen, *told.children) for holder in person.custody}
    family |= {row.cpr for person in (told.citizen, *told.children) for row in person.representatives}
    if own in told.citizen.household:
        return True
    return names[own] in {names[cpr] for cpr in family}
