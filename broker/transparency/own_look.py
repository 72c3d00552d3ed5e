"""What could every helper see about me? Read live for the citizen alone, on record before and after, kept nowhere.

The road of an ask, for somebody who asks about themself: recorded, looked up, decided by the rule of
`domain/own_look.py`, fetched, kept to what was permitted, on record again, and only then shown. No consent is asked
for and none is relied on; a standing no does not bind who set it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from broker.domain.days import danish_day
from broker.domain.errors import RegisterUnavailable
from broker.domain.facts import RegisterPerson
from broker.domain.identity import CitizenLogin
from broker.domain.items import Found
from broker.domain.own_look import (
    CHILD,
    GDPR_15,
    REFUSED,
    REGISTER_SILENT,
    RULE,
    SELF,
    SHOWN,
    OwnLookMade,
    OwnLookReached,
    OwnPermit,
    OwnRecorded,
    OwnShown,
    is_hidden,
    keep_own,
    own_places,
    refusal,
)
from broker.domain.personal import Personal
from broker.exchange.fetch import fetch_own
from broker.exchange.numbers import former_numbers
from broker.exchange.together import each
from broker.ports import Handles, People, Ports

NOTHING = Found((), (), 0)


async def look(login: CitizenLogin, ports: Ports) -> OwnShown:
    """Show a citizen what helpers could see about them; with no items and a reason where they may not look.

    Raises `LogUnavailable`, `LogUnwitnessed` or `StoreUnavailable`: then nothing is shown.
    """
    recorded = await _record(login, ports)
    # Above this line nothing about the citizen has been read; from here on their look is on record.
    permit = await _decide(recorded, ports)
    found = keep_own(await fetch_own(permit, ports.sources), permit) if permit.places else NOTHING
    return await _release(found, permit, ports)


async def _record(login: CitizenLogin, ports: Ports) -> OwnRecorded:
    """Put the look on record. Where the citizen lives is not known yet: it stands on the first registered log."""
    (citizen,) = await ports.handles.citizens([login.cpr])
    id_, home = str(uuid.uuid4()), min(ports.directory.municipalities)
    event = OwnLookMade(
        municipality=home, subject=citizen, actor=citizen, at=ports.clock.now(), look=id_, nsis=login.nsis
    )
    (receipt,) = await ports.log.append([event])
    return OwnRecorded(id_, login, citizen, home, receipt)


async def _decide(recorded: OwnRecorded, ports: Ports) -> OwnPermit:
    """Look up who the citizen is and whom they have custody of, and say what may be read."""
    today, number = danish_day(ports.clock.now()), recorded.login.cpr
    try:
        person = await ports.people.person(number)
        former = await former_numbers(person, ports.people)
    except RegisterUnavailable:
        return OwnPermit(recorded, today, {}, {}, reason=REGISTER_SILENT)
    if reason := refusal(person, today):
        return OwnPermit(recorded, today, {}, {}, reason=reason)
    found = await each([_child(ports.people, child) for child in person.children])
    children = await _named([child for child in found if child is not None], ports.handles)
    named = await _named_in_a_yes((number, *former), today, ports)
    places = own_places(person, recorded.citizen, children, named, ports.directory, today)
    numbers = {recorded.citizen: (number, *former)} | {who: (child.cpr,) for who, child in children.items()}
    return OwnPermit(recorded, today, places, numbers, is_hidden(found))


async def _child(people: People, number: Personal[str]) -> RegisterPerson | None:
    try:
        return await people.person(number)
    except RegisterUnavailable:
        return None


async def _named(children: Sequence[RegisterPerson], handles: Handles) -> dict[str, RegisterPerson]:
    names = await handles.citizens([child.cpr for child in children]) if children else ()
    return dict(zip(names, children, strict=True))


async def _named_in_a_yes(numbers: Sequence[Personal[str]], today: int, ports: Ports) -> set[str]:
    """Name the sources that a live yes about the citizen lets somebody fetch from, wherever they are."""
    handles = await ports.handles.citizens(numbers)
    given = [consent for handle in handles for consent in await ports.consents.of_citizen(handle)]
    lines = [line for consent in given for line in consent.lines if line.subject in handles]
    return {line.source for line in lines if line.state == "granted" and line.from_day <= today <= line.to_day}


async def _release(found: Found, permit: OwnPermit, ports: Ports) -> OwnShown:
    """Put on record what was read and is shown, on every log concerned, and only then give it."""
    return OwnShown(permit, found, await ports.log.append(_outcomes(found, permit, ports)))


def _outcomes(found: Found, permit: OwnPermit, ports: Ports) -> list[OwnLookReached]:
    """Make the entries: the look's own log first, the citizen first in it; then each municipality read from."""
    first, me = permit.recorded.municipality, permit.recorded.citizen
    homes = {source: ports.directory.sources[source].municipality for source, _ in permit.places}
    rows: list[tuple[str, str, frozenset[str] | None]] = [(first, me, None)]
    rows += [(first, subject, None) for subject in sorted({who for _, who in permit.places} - {me})]
    for home in sorted(set(homes.values()) - {first}):
        theirs = frozenset(source for source in homes if homes[source] == home)
        rows += [(home, who, theirs) for who in sorted({who for source, who in permit.places if source in theirs})]
    return [_outcome(found, permit, ports, *row) for row in rows]


def _outcome(
    found: Found, permit: OwnPermit, ports: Ports, municipality: str, subject: str, sources: frozenset[str] | None
) -> OwnLookReached:
    recorded = permit.recorded
    read = {source for source, who in permit.places if who == subject and (sources is None or source in sources)}
    items = tuple(item for item in found.items if item.subject == subject and item.source in read)
    categories = {code for (source, who), codes in permit.places.items() if who == subject and source in read
                  for code in codes}  # fmt: skip
    return OwnLookReached(
        municipality=municipality,
        subject=subject,
        actor=recorded.citizen,
        at=ports.clock.now(),
        look=recorded.id,
        aim=SELF if subject == recorded.citizen else CHILD,
        outcome=REFUSED if permit.reason else SHOWN,
        reason=permit.reason,
        law=GDPR_15,
        rule=RULE,
        registry=ports.directory.revision,
        registers=(ports.people.name,),
        sources_read=tuple(sorted(read)),
        categories=tuple(sorted(categories)),
        silent=tuple(row for row in found.silent if row.source in read),
        dropped=found.dropped,
        items=len(items),
        kept=items,
    )
