"""One person, several numbers: whoever got a new CPR number is the same person under the old one (`domain.md` 4.4).

Consents, blocks and custody may stand under the handle of any number a person ever had. Read under all of them, they
are told under the one that was asked about, so that a block or a withdrawal holds whichever number somebody uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from broker.domain.errors import RegisterUnavailable
from broker.domain.facts import ConsentFacts, RegisterPerson
from broker.domain.personal import Personal
from broker.ports import Handles, People


@dataclass(frozen=True, slots=True)
class OwnNumbers:
    """The handles of one person, that of the number they have now first.

    `whole` is False where the register did not answer: whether they had others is then not known.
    """

    handles: tuple[str, ...]
    whole: bool


async def current(person: RegisterPerson, people: People) -> RegisterPerson:
    """Give the person as the register knows them under the number they have now; raise `RegisterUnavailable`.

    The number asked about stays beside it. A number that leads on and on is no answer.
    """
    if person.current_cpr is None:
        return person
    now = await people.person(person.current_cpr)
    if not now.known:
        return person
    if now.current_cpr is not None:
        raise RegisterUnavailable(people.name)
    return replace(now, current_cpr=now.cpr, former=tuple(dict.fromkeys((person.cpr, *now.former))))


async def own_handles(cpr: Personal[str], handles: Handles, people: People) -> tuple[str, ...]:
    """Give the handle of who logged in, and after it those of the numbers they had before, as `own_numbers` does."""
    return (await own_numbers(cpr, handles, people)).handles


async def own_numbers(cpr: Personal[str], handles: Handles, people: People) -> OwnNumbers:
    """Give the handles of who logged in, and whether those are all.

    A number counts as one they had only where the register says so of both: that it was theirs, and that it leads here.
    A register that is silent tells of none, so that nobody's withdrawal waits for it.
    """
    try:
        former, whole = await former_numbers(await people.person(cpr), people), True
    except RegisterUnavailable:
        former, whole = (), False
    return OwnNumbers(await handles.citizens((cpr, *former)), whole)


async def former_numbers(person: RegisterPerson, people: People) -> tuple[Personal[str], ...]:
    """Give the numbers somebody had before, as the register says of both. Raises `RegisterUnavailable`."""
    return tuple([number for number in person.former if await _leads_to(number, person.cpr, people)])


async def every_number(cpr: Personal[str], people: People) -> tuple[Personal[str], ...]:
    """Give the numbers of one person, the one they have now first, whichever is named. Raises `RegisterUnavailable`.

    Both must say so: the old one that it leads on, the new one that it was theirs. Else the one named stands alone.
    """
    named = await people.person(cpr)
    now = named if named.current_cpr is None else await people.person(named.current_cpr)
    if now.current_cpr is not None:
        raise RegisterUnavailable(people.name)
    numbers = tuple(dict.fromkeys((now.cpr, *await former_numbers(now, people))))
    return numbers if cpr in numbers else (cpr,)


async def _leads_to(number: Personal[str], cpr: Personal[str], people: People) -> bool:
    return number != cpr and (await people.person(number)).current_cpr == cpr


def numbers_of(person: RegisterPerson) -> tuple[Personal[str], ...]:
    """Give every number the register tells of one person, the one they have now first."""
    return tuple(dict.fromkeys((person.cpr, *person.former)))


def one_handle_each(
    persons: Iterable[tuple[RegisterPerson, str]], names: Mapping[Personal[str], str]
) -> tuple[dict[Personal[str], str], tuple[tuple[str, str], ...]]:
    """Let every number of a person lead to one handle; give the names anew, and each other handle with its one.

    A number that is somebody else's here stays theirs, whatever a register tells of another.
    """
    called = tuple(persons)
    told, aliases, taken = dict(names), dict[str, str](), {handle for _, handle in called}
    for person, handle in called:
        for number in numbers_of(person):
            if names[number] in taken - {handle}:
                continue
            taken.add(names[number])
            if names[number] != handle:
                aliases[names[number]] = handle
            told[number] = handle
    return told, tuple(sorted(aliases.items()))


def under_one_handle(found: ConsentFacts, aliases: Iterable[tuple[str, str]]) -> ConsentFacts:
    """Tell lines and blocks under the handle their person is asked about by; versions stay those of the store."""
    known = dict(aliases)
    if not known:
        return found
    return replace(
        found,
        lines=tuple(
            replace(line, subject=known.get(line.subject, line.subject), giver=known.get(line.giver, line.giver))
            for line in found.lines
        ),
        blocks=tuple(replace(block, subject=known.get(block.subject, block.subject)) for block in found.blocks),
    )
