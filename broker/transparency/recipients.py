"""Who got what about me, since when: read from the outcomes on the log, for whoever must hear of a correction.

An answer that was evaluated or refused handed nothing out, and counts for nobody (GDPR art. 15, stk. 1, c; art. 19).
"""

from __future__ import annotations

from collections.abc import Iterable

from broker.domain.entries import LogFilter
from broker.domain.events import OutcomeReached
from broker.domain.identity import CitizenLogin
from broker.domain.recipients import Given, Recipient, recipients_of
from broker.ports import LogReader, Ports
from broker.transparency.history import MyEntry, my_whole_list

OUTCOMES = LogFilter(kind=OutcomeReached.name)


async def my_recipients(login: CitizenLogin, ports: Ports, reader: LogReader) -> tuple[Recipient, ...]:
    """List who got what, by unit, source and category. Raises `StoreUnavailable`."""
    return recipients_in(await my_whole_list(login, ports, reader, OUTCOMES))


def recipients_in(entries: Iterable[MyEntry]) -> tuple[Recipient, ...]:
    """Count what was handed out in these entries; an ask that stands on two logs counts once."""
    return recipients_of(
        Given(entry.ask, entry.unit, entry.at, entry.released) for entry in entries if entry.unit is not None
    )
