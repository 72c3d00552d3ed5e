"""Who helps with what: one row a person, and under it each thing they do, with its own law and decision.

A person who does two things stands once, with two decisions (C29). Names are compared, never opened.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.items import Item, ItemPerson, LawRef, Visit
from broker.domain.personal import Personal
from broker.view.activity import is_coming, period
from broker.view.codes import NEVER_COUNTED, is_outside_trial
from broker.view.finding import start_fields

COORDINATOR = "coordinator"
_KINDS = frozenset({"plan", "intervention", "visit", "contact"})
# People an item names who are helped, or who only wrote or asked for a paper.
_NOT_HELPING = frozenset({"citizen", "child", "parent", "guardian", "author", "requester"})
_UNNAMED = ItemPerson("helper")


@dataclass(frozen=True, slots=True, repr=False)
class Support:
    """One thing a person helps with: item `item` of the answer, when, what for, and on what decision.

    `outside_trial` marks BPA: shown, never weighed (C40). `from_day` of None with `future` means no start is set.
    """

    item: int
    kind: str
    unit: str
    source: str
    subject: str
    need: str | None
    law: tuple[LawRef, ...]
    decision: Personal[str] | None
    visits: tuple[Visit, ...]
    from_day: int | None
    to_day: int | None
    future: bool
    outside_trial: bool


@dataclass(frozen=True, slots=True, repr=False)
class HelpingPerson:
    """A person who helps or coordinates. `name` of None: the source names nobody, or the name is masked (`label`)."""

    role: str
    name: Personal[str] | None
    label: str | None
    phone: Personal[str] | None
    supports: tuple[Support, ...]

    @property
    def comes(self) -> bool:
        """Whether the person comes at set times."""
        return any(support.visits for support in self.supports)


def people(items: tuple[Item, ...], today: int) -> tuple[HelpingPerson, ...]:
    """List who helps now or later, in the order the items name them."""
    rows: dict[tuple[str, Personal[str] | int], list[tuple[ItemPerson, Support]]] = {}
    for index, item in enumerate(items):
        if item.kind not in _KINDS or item.category in NEVER_COUNTED or not is_coming(item, today):
            continue
        for place, person in enumerate(_helping(item)):
            key = (person.role, person.name if person.name is not None else index * 1000 + place)
            rows.setdefault(key, []).append((person, _support(index, item, today)))
    return tuple(_row(row) for row in rows.values())


def _helping(item: Item) -> tuple[ItemPerson, ...]:
    named = tuple(person for person in item.people if person.role not in _NOT_HELPING)
    # Somebody comes at those times, though the source does not say who.
    return named or ((_UNNAMED,) if item.visits else ())


def _support(index: int, item: Item, today: int) -> Support:
    from_day, future = start_fields(period(item, today)[0], today)
    return Support(
        item=index,
        kind=item.kind,
        unit=item.unit,
        source=item.source,
        subject=item.subject,
        need=item.need,
        law=item.law,
        decision=item.decision,
        visits=item.visits,
        from_day=from_day or None,
        to_day=item.to_day,
        future=future,
        outside_trial=is_outside_trial(item),
    )


def _row(row: list[tuple[ItemPerson, Support]]) -> HelpingPerson:
    first = row[0][0]
    phone = next((person.phone for person, _ in row if person.phone is not None), None)
    return HelpingPerson(first.role, first.name, first.label, phone, tuple(support for _, support in row))
