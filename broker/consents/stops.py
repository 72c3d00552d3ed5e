"""Tell a unit's system which yeses hold no more, and keep that it has heard (`broker/domain/stops.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broker.domain.days import danish_day
from broker.domain.identity import System
from broker.domain.stops import Stop, StopReceived
from broker.ports import Clock, Handles, Stops

CHANNEL = "system"
Mark = tuple[datetime, str, int]


@dataclass(frozen=True, slots=True)
class StopDesk:
    """The doors it takes."""

    clock: Clock
    handles: Handles
    stops: Stops


async def stops_of(
    system: System, desk: StopDesk, *, received: bool, after: Mark | None, limit: int
) -> tuple[Stop, ...]:
    """List what holds no more of what the system's units got something on, the oldest first; or what it has received.

    Raises `StoreUnavailable`.
    """
    today = danish_day(desk.clock.now())
    by = await desk.handles.system(system.client_id)
    return await desk.stops.of(
        system.municipality, system.units, today, by, received=received, after=after, limit=limit
    )


async def receive(name: str, system: System, desk: StopDesk) -> datetime:
    """Keep that the system has received a stop, once; give when.

    Raises `NotFound` for what is no stop, and for one of which its units got nothing; `StoreUnavailable`,
    `LogUnavailable`.
    """
    at = desk.clock.now()
    today = danish_day(at)
    actor = await desk.handles.system(system.client_id)
    parts = await desk.stops.parts(name, system.municipality, system.units, today, actor)
    waiting = [part for part in parts if part.received_at is None]
    if not waiting:
        return max(part.received_at for part in parts if part.received_at is not None)
    events = [event for part in waiting for event in _events(part, system, actor, at)]
    return await desk.stops.receive(name, system.units, today, events)


def _events(stop: Stop, system: System, actor: str, at: datetime) -> Sequence[StopReceived]:
    """One event about each person whose data it was."""
    return [
        StopReceived(
            municipality=stop.municipality,
            subject=subject,
            actor=actor,
            at=at,
            consent=stop.name,
            unit=stop.unit,
            purpose=stop.purpose,
            case=stop.case,
            lines=tuple((one.subject, one.source, one.category) for one in stop.lines if one.subject == subject),
            channel=CHANNEL,
            text_version=stop.text_version,
            step=stop.step,
            system=system.client_id,
        )
        for subject in sorted({one.subject for one in stop.lines})
    ]
