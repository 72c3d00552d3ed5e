"""Who got what about me, since when: read from the outcomes on the log, for whoever must hear of a correction.

An answer that was evaluated or refused handed nothing out, and counts for nobody (GDPR art. 15, stk. 1, c; art. 19).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from broker.domain.entries import LogFilter
from broker.domain.events import OutcomeReached
from broker.domain.identity import CitizenLogin
from broker.ports import LogReader, Ports
from broker.transparency.history import MyEntry, my_whole_list

OUTCOMES = LogFilter(kind=OutcomeReached.name)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A unit that got one kind of information from one source: the first time, the last, and how often."""

    unit: str
    source: str
    category: str
    first: datetime
    last: datetime
    times: int


async def my_recipients(login: CitizenLogin, ports: Ports, reader: LogReader) -> tuple[Recipient, ...]:
    """List who got what, by unit, source and category. Raises `StoreUnavailable`."""
    return recipients_in(await my_whole_list(login, ports, reader, OUTCOMES))


def recipients_in(entries: Iterable[MyEntry]) -> tuple[Recipient, ...]:
    """Count what was handed out in these entries; an ask that stands on two logs counts once."""
    found: dict[tuple[str, str, str], Recipient] = {}
    counted: set[tuple[str | None, tuple[str, str, str]]] = set()
    for entry in entries:
        for source, category in entry.released:
            if entry.unit is None or (entry.ask, place := (entry.unit, source, category)) in counted:
                continue
            counted.add((entry.ask, place))
            known = found.get(place, Recipient(*place, entry.at, entry.at, 0))
            found[place] = replace(
                known, first=min(known.first, entry.at), last=max(known.last, entry.at), times=known.times + 1
            )
    return tuple(found[place] for place in sorted(found))
