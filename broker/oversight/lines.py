"""An overseer opens one line of the log, with its body; that is on the log before it is shown.

Rules kept here:
- Only lines of one's own municipalities: any other is not there, and neither is what the log writes for itself.
- Whom a line is about sees that it was opened. Where the law keeps the line back from them, or they were erased, the
  opening is about the overseer alone: it tells nobody of what is kept back.
"""

from __future__ import annotations

from broker.domain.entries import LogEntry
from broker.domain.identity import OfficerLogin
from broker.domain.oversight_events import EntryOpened
from broker.oversight.search import Count, Line, check_role, entry_at, shows_to_its_own
from broker.ports import LogReader, Ports


async def open_line(line: Line, officer: OfficerLogin, ports: Ports, reader: LogReader, count: Count) -> LogEntry:
    """Open one entry; `count` holds an officer (handle) to a ceiling of them.

    Raises `NotAllowed`, `NotFound`, `TooManyAsks`, `LogUnavailable` when the opening could not be written.
    """
    check_role(officer)
    found = await entry_at(line, officer, reader)
    actor = await ports.handles.officer(officer)
    await count(actor)
    subject = found.index["citizen"] if await shows_to_its_own(found, reader) else actor
    event = EntryOpened(
        municipality=found.municipality,
        subject=subject,
        actor=actor,
        at=ports.clock.now(),
        log=found.receipt.log,
        line=found.receipt.index,
        role=officer.role,
    )
    await ports.log.append([event])
    return found
