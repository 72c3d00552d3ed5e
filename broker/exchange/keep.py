"""Step 6: drop what the permit does not name, hide what it masks. Pure."""

from __future__ import annotations

from dataclasses import replace

from broker.domain.directory import Directory
from broker.domain.item_days import within
from broker.domain.items import Found, Item, ItemPerson
from broker.domain.receipts import Permit

CHILD_LABEL = "barn i hjemmet"


def keep_permitted(found: Found, permit: Permit, directory: Directory) -> Found:
    """Keep the items of permitted keys and days, masked as their verdict says; count what was dropped.

    An item outside the days asked for or said yes to is left out and not counted: its source was asked for it.
    """
    verdicts = {verdict.key: verdict for verdict in permit.decision.verdicts}
    permitted = [item for item in found.items if item.key in permit.keys]
    wanted = permit.recorded.ask.period
    kept = tuple(
        _masked(inside, frozenset(verdicts[item.key].masks), directory)
        for item in permitted
        if (inside := within(item, ((wanted,), *verdicts[item.key].periods)))
    )
    return replace(found, items=kept, dropped=found.dropped + len(found.items) - len(permitted))


def _masked(item: Item, masks: frozenset[str], directory: Directory) -> Item:
    """Hide what the masks name. A title or text may hold the hidden words, so under any mask both go."""
    if not masks:
        return item
    people = item.people
    if "child_name" in masks:
        people = tuple(_without_child_name(person) for person in people)
    if "address" in masks:
        people = tuple(replace(person, phone=None) for person in people)
    unit = item.unit
    if "address" in masks:
        # A unit's name can tell where somebody lives (domain.md 4.5 c).
        unit = directory.units[directory.sources[item.source].unit].kind
    return replace(item, people=people, title=None, text=None, unit=unit)


def _without_child_name(person: ItemPerson) -> ItemPerson:
    if person.role != "child":
        return person
    return replace(person, name=None, phone=None, label=CHILD_LABEL)
