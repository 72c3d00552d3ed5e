"""A request that was not answered in time is over, and the log says so (`domain.md` 2.2: server time, a stated day).

That it cannot be answered any more holds from the end of its last day, whether this has run or not.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from broker.consents.request import is_told, rows_of
from broker.domain.consents import ConsentRequest
from broker.domain.days import danish_day
from broker.domain.errors import Conflict
from broker.domain.events import ConsentUnanswered
from broker.ports import Ports

# An answer sent in the last moment of the last day has been written by then.
GRACE = timedelta(hours=1)


async def lapse_unanswered(municipality: str, node: str, ports: Ports) -> int:
    """Close a municipality's requests that are over and unanswered, each with its events; give how many.

    `node` is the handle of whoever closes them. One that another node closes meanwhile is left to it. Raises
    `StoreUnavailable` or `LogUnavailable`; what is closed by then stays so.
    """
    at = ports.clock.now()
    closed = 0
    for request in await ports.consents.unanswered(municipality, danish_day(at - GRACE)):
        events = _events(request, node, at)
        try:
            await ports.consents.lapse(request.id, *events)
        except Conflict:
            continue
        closed += 1
    return closed


def _events(request: ConsentRequest, node: str, at: datetime) -> list[ConsentUnanswered]:
    """One event about each person whose data was asked for and not answered about, told as the request was told.

    Where nobody may be told of a line it is on no list; the citizen's event then names none.
    """
    lines = request.unanswered
    first = ConsentUnanswered(
        municipality=request.municipality,
        subject=request.citizen,
        actor=node,
        at=at,
        consent=request.id,
        unit=request.unit,
        purpose=request.purpose,
        case=request.case,
        lines=rows_of(line for line in lines if is_told(line, request.citizen)),
        channel="system",
        text_version=request.text_version,
    )
    others = sorted({line.subject for line in lines} - {request.citizen})
    told = [
        replace(first, subject=subject, lines=rows_of(line for line in lines if line.subject == subject))
        for subject in others
    ]
    return ([first] if first.lines else []) + told or [first]
