"""A citizen's own look at what helpers could see about them (GDPR art. 15): its states, its rule and its events.

Rules kept here (ADR 85):
- A citizen from 15 sees what any purpose may share about them, in the systems of the municipality they live in, of
  those that act for it, and of those that a yes of theirs names. Never what is never shared.
- Of what is held about children it is the help alone: for the family, the child's plan, support at school. Who is 15 to
  17 sees their own. Of a child under 15, the one who has custody sees it; not where the child has protection, or may
  have, and not where somebody else has custody too and the child lives elsewhere.
- Who is of the family stands without name or number. Where one of the children has protection, or may have, whatever
  names the family is left out, and no title or text is shown: they may hold the place (`domain.md` 4.5 c).
- What is left out leaves no word behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from broker.domain.directory import Directory
from broker.domain.events import AuditEvent
from broker.domain.facts import RegisterPerson
from broker.domain.identity import CitizenLogin
from broker.domain.items import Found, Item, Silent
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

GDPR_15 = "GDPR-15"
RULE = "own-look@1"
ADULT_AGE, YOUNG_AGE = 18, 15
SHOWN, REFUSED = "shown", "refused"
REGISTER_SILENT, NOT_KNOWN, TOO_YOUNG = "register_silent", "not_known", "too_young"
SELF, CHILD = "own", "child"
FAMILY = frozenset({"child", "parent", "guardian"})
# Help for the family, the child's plan, support at school: no absence, no well-being, no investigation.
CHILD_HELP = frozenset({"F01", "F02", "K03"})
# (source, handle of the subject) → categories
Places = Mapping[tuple[str, str], frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLookMade(AuditEvent):
    """A citizen asked to see what helpers could see about them. Durable before anything is read (P2)."""

    code: ClassVar[int] = 85
    name: ClassVar[str] = "own.asked"

    look: str
    nsis: str
    aim: str = SELF

    def index(self) -> dict[str, Any]:
        """Add the look, which ties all its entries."""
        return AuditEvent.index(self) | {"ask": self.look}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLookReached(AuditEvent):
    """What a citizen's own look came to: which sources were read, how many things were shown; durable before they are.

    `aim` says whether the subject looked themself, or one who has custody of them. `rule` and `registry` name what it
    was judged by.
    """

    code: ClassVar[int] = 86
    name: ClassVar[str] = "own.shown"

    look: str
    aim: str
    outcome: str  # "shown" or "refused"
    reason: str
    law: str
    rule: str
    registry: str
    registers: tuple[str, ...]
    sources_read: tuple[str, ...]
    categories: tuple[str, ...]
    silent: tuple[Silent, ...]
    dropped: int
    items: int
    kept: tuple[Item, ...] = field(repr=False)  # enters the body as an HMAC under the subject's key only

    def index(self) -> dict[str, Any]:
        """Add outcome and sources."""
        row = AuditEvent.index(self) | {"ask": self.look, "outcome": self.outcome}
        return row | {"sources": sorted(self.sources_read), "categories": sorted(self.categories)}


@dataclass(frozen=True, slots=True)
class OwnRecorded:
    """A look that is durable on the log. `citizen` is a handle."""

    id: str
    login: CitizenLogin
    citizen: str
    municipality: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class OwnPermit:
    """What may be read for a look: whose numbers stand for which handle, and the places; or why nothing may.

    `hidden` tells that one of the children has protection, or may have.
    """

    recorded: OwnRecorded
    today: int
    places: Places
    numbers: Mapping[str, tuple[Personal[str], ...]] = field(repr=False)
    hidden: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OwnShown:
    """What a citizen may see: the items of a look whose outcome is durable on every log concerned."""

    permit: OwnPermit
    found: Found
    receipts: tuple[Receipt, ...]


def refusal(person: RegisterPerson, today: int) -> str:
    """Say why somebody may not look for themself; nothing where they may. What is not known means no."""
    if not person.known or person.born is None or person.dead_on is not None:
        return NOT_KNOWN
    return TOO_YOUNG if _age(person.born, today) < YOUNG_AGE else ""


def own_places(
    person: RegisterPerson, handle: str, children: Mapping[str, RegisterPerson], named: Iterable[str],
    directory: Directory, today: int,
) -> Places:  # fmt: skip
    """Say what is read: about the citizen, and about the children by handle whose help they may see."""
    minor = person.born is not None and _age(person.born, today) < ADULT_AGE
    of_children = _children_shareable(directory)
    mine, theirs = _shareable(directory), frozenset[str]()
    if minor:
        mine |= of_children
    else:
        theirs = of_children
    hers = [who for who, child in children.items() if may_see_help_of(child, person, today)]
    places: dict[tuple[str, str], frozenset[str]] = {}
    for source in _near(person, frozenset(named), directory, today):
        held = directory.sources[source].categories
        wanted = {handle: held & mine} | dict.fromkeys(hers, held & theirs)
        places |= {(source, who): categories for who, categories in wanted.items() if categories}
    return places


def may_see_help_of(child: RegisterPerson, holder: RegisterPerson, today: int) -> bool:
    """Tell whether somebody may see the help of a child: under 15, in their custody, no place that could be told."""
    small = child.born is not None and _age(child.born, today) < YOUNG_AGE
    return small and has_custody_and_place(child, holder.cpr, today)


def has_custody_and_place(child: RegisterPerson, holder: Personal[str], today: int) -> bool:
    """Tell whether somebody has custody of a child, and nothing they learn could tell them where it lives."""
    holders = {row.cpr for row in child.custody if row.from_day <= today <= row.to_day}
    nobody_is_told_where = holders == {holder} or holder in child.household
    lives = child.known and child.dead_on is None and child.protected is False
    return lives and holder in holders and nobody_is_told_where


def is_hidden(children: Iterable[RegisterPerson | None]) -> bool:
    """Tell whether a child has protection, or may have: one nobody told of may (`domain.md` 4.5 e)."""
    return any(child is None or not child.known or child.protected is not False for child in children)


def keep_own(found: Found, permit: OwnPermit) -> Found:
    """Keep what was permitted, the family without names; where a place must not be told, nothing that could tell it."""
    permitted = [item for item in found.items if item.category in permit.places.get((item.source, item.subject), ())]
    told = [item for item in permitted if not (permit.hidden and any(one.role in FAMILY for one in item.people))]
    dropped = found.dropped + len(found.items) - len(permitted)
    return replace(found, items=tuple(_without_family(item, hidden=permit.hidden) for item in told), dropped=dropped)


def _without_family(item: Item, *, hidden: bool) -> Item:
    people = tuple(replace(one, name=None, phone=None) if one.role in FAMILY else one for one in item.people)
    return replace(item, people=people, title=None, text=None) if hidden else replace(item, people=people)


def _near(person: RegisterPerson, named: frozenset[str], directory: Directory, today: int) -> list[str]:
    home = directory.residence(person.municipality)
    acting = {
        row.to_municipality
        for row in directory.delegations.values()
        if row.from_municipality == home and row.from_day <= today <= row.to_day
    }
    near = {home} | acting
    return sorted(row.id for row in directory.sources.values() if row.municipality in near or row.id in named)


def _age(born: int, today: int) -> int:
    return (today - born) // 10000


def _shareable(directory: Directory) -> frozenset[str]:
    """Give what any purpose may share about somebody."""
    some = {code for purpose in directory.purposes.values() for code in purpose.categories}
    known = directory.categories
    return frozenset(code for code in some if not known[code].never and not known[code].child)


def _children_shareable(directory: Directory) -> frozenset[str]:
    """Give the help that a yes could share about a child."""
    some = {code for purpose in directory.purposes.values() if purpose.consent for code in purpose.categories}
    return frozenset(code for code in CHILD_HELP & some if not directory.categories[code].never)
