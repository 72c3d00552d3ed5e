"""An overseer keeps searches of the log by name, for themself alone; keeping one and taking it away is on the log.

Rules kept here:
- A search of codes alone: whoever names a citizen, a case or an employee names them anew each time. A kept search for a
  person would be a watch set on them that nobody gave a reason for.
- It belongs to its officer in one municipality; whoever no longer oversees that does not see it.
- Carrying one out is a search like any other, on the log each time.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from broker.domain.errors import BadAsk, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.oversight_events import SearchRemoved, SearchSaved
from broker.domain.personal import Personal
from broker.oversight.search import check_role
from broker.ports import Clock, Handles

MOST_SAVED, LONGEST_CODE = 30, 80
CODES = frozenset({
    "kind", "unit", "purpose", "outcome", "reason", "source", "basis", "holder", "municipality", "since", "until",
    "emergency", "order",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Saved:
    """A search that was kept: whose municipality, under which name, and its criteria as the form has them."""

    id: str
    municipality: str
    name: Personal[str]
    criteria: Mapping[str, str]
    at: datetime


class SavedSearches(Protocol):
    """Where searches are kept; a change and its event are one transaction.

    Raises `StoreUnavailable`, and a change `LogUnavailable`.
    """

    async def of(self, officer: str, municipalities: Collection[str]) -> tuple[Saved, ...]:
        """List an officer's own in these municipalities, the oldest first."""

    async def save(self, one: Saved, most: int, event: SearchSaved) -> None:
        """Keep one; raise `Conflict` where so many are kept already."""

    async def remove(self, one: Saved, event: SearchRemoved) -> None:
        """Take the actor's own one away; raise `NotFound` where it is gone."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors that keeping searches needs."""

    clock: Clock
    handles: Handles
    saved: SavedSearches


async def saved_searches(officer: OfficerLogin, desk: Desk) -> tuple[Saved, ...]:
    """List one's own. Raises `NotAllowed`."""
    check_role(officer)
    return await desk.saved.of(await desk.handles.officer(officer), officer.municipalities)


async def save(name: Personal[str], criteria: Mapping[str, str], officer: OfficerLogin, desk: Desk) -> Saved:
    """Keep a search. Raises `NotAllowed`, `BadAsk` for a person or another's log, `Conflict` for too many."""
    check_role(officer)
    if not criteria.keys() <= CODES or any(len(code) > LONGEST_CODE for code in criteria.values()):
        raise BadAsk("/criteria")
    home = criteria.get("municipality") or min(officer.municipalities)
    if home not in officer.municipalities:
        raise BadAsk("/municipality")
    actor = await desk.handles.officer(officer)
    one = Saved(str(uuid.uuid4()), home, name, dict(criteria), desk.clock.now())
    event = SearchSaved(
        municipality=home, subject=actor, actor=actor, at=one.at, search=one.id, role=officer.role,
        criteria=tuple(sorted(criteria.items())),
    )  # fmt: skip
    await desk.saved.save(one, MOST_SAVED, event)
    return one


async def remove(saved: str, officer: OfficerLogin, desk: Desk) -> None:
    """Take one's own away. Raises `NotAllowed`, and `NotFound` for any other."""
    check_role(officer)
    actor = await desk.handles.officer(officer)
    kept = next((one for one in await desk.saved.of(actor, officer.municipalities) if one.id == saved), None)
    if kept is None:
        raise NotFound
    event = SearchRemoved(
        municipality=kept.municipality, subject=actor, actor=actor, at=desk.clock.now(), search=saved,
        role=officer.role,
    )  # fmt: skip
    await desk.saved.remove(kept, event)
