"""An overseer sees how the logs of their municipalities stand, and has them checked; each look is on the log first."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from broker.domain.errors import Conflict, NotAllowed, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.integrity import ENDED, RUNNING, CheckBegun, IntegritySeen, Run, Standing
from broker.domain.receipts import Receipt
from broker.oversight.search import READING_ROLES
from broker.ports import AuditLog, Clock, Handles, LogReader


class Standings(Protocol):
    """How logs stand, as a node can know it. Raises `StoreUnavailable`."""

    async def of(self, municipalities: Collection[str], now: datetime) -> tuple[Standing, ...]:
        """Give each log of these municipalities, the newest year first; checks of it left out."""


class Checks(Protocol):
    """Checks of whole logs, beside the node's other work. Raises `StoreUnavailable`; `begin` also `LogUnavailable`."""

    async def begin(self, run: Run, event: CheckBegun) -> Receipt:
        """Write that a check begins, and begin it; raise `Conflict` where one of that log is under way."""

    async def of(self, municipalities: Collection[str]) -> Mapping[str, tuple[Run, ...]]:
        """Give the newest checks of each log of these municipalities, newest first, the last whole one among them."""


class Evidences(Protocol):
    """The evidence of single entries. Raises `StoreUnavailable`."""

    async def of(self, receipt: Receipt, municipalities: Collection[str]) -> tuple[str, bytes]:
        """Give whose log an entry stands on, and its package; raise `NotFound`, `Conflict`."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The doors that only watching over the logs needs.

    `witnesses` is the logs' policy of witnesses as anybody may read it (C2SP tlog-policy); empty without one.
    """

    standings: Standings
    checks: Checks
    evidences: Evidences
    witnesses: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors of whoever watches over the logs."""

    clock: Clock
    handles: Handles
    log: AuditLog
    reader: LogReader
    watch: Watch


async def standings(officer: OfficerLogin, desk: Desk) -> tuple[Standing, ...]:
    """Say how each log stands; the look is on the log before it is shown. Raises `NotAllowed`, `LogUnavailable`."""
    check_role(officer)
    actor, now = await desk.handles.officer(officer), desk.clock.now()
    found = await desk.watch.standings.of(officer.municipalities, now)
    runs = await desk.watch.checks.of(officer.municipalities)
    looks = [
        IntegritySeen(
            municipality=home, subject=actor, actor=actor, at=now, role=officer.role,
            open_asks=sum(one.open_count for one in found if one.municipality == home),
        )
        for home in sorted(officer.municipalities)
    ]  # fmt: skip
    await desk.log.append(looks)
    return tuple(with_runs(one, runs.get(one.log, ())) for one in found)


async def begin_checks(officer: OfficerLogin, desk: Desk, log: str | None = None) -> tuple[Run, ...]:
    """Have every log of the overseer's municipalities checked, or one of them; give the checks that began.

    One that is under way goes on, and no second one begins: where none began it is a `Conflict`. Raises `NotAllowed`,
    and `NotFound` for a log that is not theirs.
    """
    check_role(officer)
    actor, now = await desk.handles.officer(officer), desk.clock.now()
    wanted = [one for one in await desk.watch.standings.of(officer.municipalities, now) if log in {None, one.log}]
    if not wanted:
        raise NotFound
    begun = []
    for one in wanted:
        run = Run(str(uuid.uuid4()), one.municipality, one.log, actor, officer.role, now, RUNNING, total=one.size)
        event = CheckBegun(
            municipality=one.municipality, subject=actor, actor=actor, at=now, role=officer.role, log=one.log,
            run=run.id,
        )  # fmt: skip
        try:
            await desk.watch.checks.begin(run, event)
        except Conflict:
            continue
        begun.append(run)
    if not begun:
        raise Conflict("under_way")
    return tuple(begun)


async def checks(officer: OfficerLogin, desk: Desk) -> Mapping[str, tuple[Run, ...]]:
    """Say how far the checks of each log are. That they began is on the log; who waits for them looks often."""
    check_role(officer)
    return await desk.watch.checks.of(officer.municipalities)


def check_role(officer: OfficerLogin) -> None:
    """Raise `NotAllowed` for whoever does not read the log."""
    if officer.role not in READING_ROLES or not officer.municipalities:
        raise NotAllowed


def with_runs(standing: Standing, runs: tuple[Run, ...]) -> Standing:
    """Give a log as it stands with the newest of its checks, newest first as they come."""
    last = next((run for run in runs if run.state == ENDED), None)
    since = itertools.takewhile(lambda run: run.state != ENDED, runs)
    return replace(
        standing, last=last, newest_run=runs[0] if runs else None, silent=any(run.silent for run in since)
    )  # fmt: skip
