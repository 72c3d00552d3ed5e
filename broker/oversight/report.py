"""A month's report: its figures, and what was done about supervision. Making it is on the log before it is counted.

What changes after the month is told as it is when the report is made: samples past their last day, and the logs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from broker.domain.days import DANISH_TIME
from broker.domain.events import BreakGlassRequested, DeferralApproved, DeferralAsked, DeferralEnded
from broker.domain.figures import Figures
from broker.domain.identity import OfficerLogin
from broker.domain.integrity import Standing
from broker.domain.samples import EXPLAINED, OPEN, REOPENED
from broker.oversight.figures import Desk as FiguresDesk
from broker.oversight.figures import chosen, figures
from broker.oversight.integrity import Watch, with_runs
from broker.ports import Samples

COUNTED = (BreakGlassRequested.name, DeferralAsked.name, DeferralApproved.name, DeferralEnded.name)
PAGE = 200


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors of the report: those of the figures, of samples, and of how the logs stand.

    `count_paper` holds who makes one (handle) to a ceiling.
    """

    figures: FiguresDesk
    samples: Samples
    watch: Watch
    count_paper: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Report:
    """A month's figures; how often what happened in it (event → cases), how many looks in emergencies.

    `late` counts samples that somebody should have done something about when the report was made. `logs` are the
    municipality's, each with its last whole check.
    """

    figures: Figures
    made_at: datetime
    happened: Mapping[str, int]
    emergency_looks: int
    drawn: int
    explained: int
    closed: int
    late: int
    logs: tuple[Standing, ...]


async def report(municipality: str, month: str, officer: OfficerLogin, desk: Desk) -> Report:
    """Make a month's report. Raises `TooManyAsks`, and as `figures`."""
    chosen(municipality, officer)
    await desk.count_paper(await desk.figures.handles.officer(officer))
    found, at = await figures(municipality, month, officer, desk.figures, table="report"), desk.figures.clock.now()
    home = found.municipality
    happened = await desk.figures.counts.happened(home, found.since, found.until, COUNTED)
    looks = await desk.figures.counts.emergency_looks(home, found.since, found.until)
    covered = [row for row in found.coverage if row.since == found.since]
    runs = await desk.watch.checks.of((home,))
    logs = await desk.watch.standings.of((home,), at)
    return Report(
        figures=found,
        made_at=at,
        happened=MappingProxyType({name: happened.get(name, 0) for name in COUNTED}),
        emergency_looks=looks,
        drawn=sum(row.drawn for row in covered),
        explained=sum(row.explained for row in covered),
        closed=sum(row.closed for row in covered),
        late=await _late(home, at, desk.samples),
        logs=tuple(with_runs(log, runs.get(log.log, ())) for log in logs),
    )


async def _late(home: str, at: datetime, samples: Samples) -> int:
    """Count the samples whose last day for the next step is over."""
    today, late = at.astimezone(DANISH_TIME).date(), 0
    for state in (OPEN, EXPLAINED, REOPENED):
        after = None
        while True:
            page = await samples.of((home,), None, after, PAGE, state)
            late += sum(one.late(today) for one in page)
            if len(page) < PAGE:
                break
            after = page[-1].id
    return late
