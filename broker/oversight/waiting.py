"""What waits for a municipality's overseers, in numbers: what the operator is told of, and sees in the metrics.

No officer's address is known to the broker, so nobody is written to: the operator tells the municipality.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.breaches import CLOSED, Breach
from broker.oversight.integrity import Watch, with_runs
from broker.ports import Breaches, Clock

AFTER_CHECKS, SAMPLES, BREACHES = "after_checks", "samples", "breaches"
# Of the 72 hours, so many left or fewer are told.
LAST_HOURS = 24
PAGE = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """As last looked: reviews that are late and breaches that soon are, and logs with an alarm, by municipality."""

    reviews: dict[tuple[str, str], int] = field(default_factory=dict)
    alarms: dict[tuple[str, str], int] = field(default_factory=dict)


async def breaches_soon_late(municipality: str, breaches: Breaches, now: datetime) -> int:
    """Count the files whose clock runs and has a day left or less. Raises `StoreUnavailable`."""
    soon, after = 0, None
    while True:
        page = await breaches.of((municipality,), after, PAGE)
        soon += sum(_soon_late(one, now) for one in page)
        if len(page) < PAGE:
            return soon
        after = page[-1].id


async def alarms_of(municipalities: Collection[str], watch: Watch, clock: Clock) -> Mapping[tuple[str, str], int]:
    """Count the logs that each alarm stands by, by municipality. Raises `StoreUnavailable`."""
    now = clock.now()
    found = await watch.standings.of(municipalities, now)
    runs = await watch.checks.of(municipalities)
    told = (with_runs(one, runs.get(one.log, ())) for one in found)
    return Counter((one.municipality, alarm) for one in told for alarm in one.alarms(now))


def _soon_late(breach: Breach, now: datetime) -> bool:
    return breach.state != CLOSED and breach.stopped_at is None and breach.hours_left(now) < LAST_HOURS
