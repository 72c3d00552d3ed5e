"""The DPO has a month's questions put to rules that operations has laid ready, and is shown what would have changed.

Rules kept here:
- Candidates are folders that operations has placed; nobody sends rules through a page, and a name that is none of
  theirs is not there.
- The questions are those of the DPO's own municipality, of a month that is over.
- That it begins is on the log before a question is opened; whoever sees the result is on the log before they do.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from broker.domain.days import DANISH_TIME
from broker.domain.errors import BadAsk, NotAllowed, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.receipts import Receipt
from broker.domain.what_ifs import ENDED, WhatIf, WhatIfBegun, WhatIfSeen
from broker.ports import AuditLog, Clock, Handles

DPO = "dpo"
MONTHS_BACK = 12


class WhatIfs(Protocol):
    """Runs beside the node's other work. Raises `StoreUnavailable`; `begin` also `LogUnavailable`."""

    async def candidates(self) -> tuple[str, ...] | None:
        """Name the folders that operations has placed, sorted; None where this node is told of no place for them."""

    async def digest(self, candidate: str) -> str:
        """Give the SHA-256 of a candidate's rules and tables; raise `NotFound` where there is none, or no readable."""

    async def begin(self, run: WhatIf, event: WhatIfBegun) -> Receipt:
        """Write that a run begins, and begin it.

        Raises `Conflict`: `under_way` where one of the municipality is, `tried` where the month was tried by the same
        rules, `rules_unusable` where the candidate is not what its digest says any more.
        """

    async def of(self, municipalities: Collection[str]) -> tuple[WhatIf, ...]:
        """Give the newest runs of these municipalities, newest first, without results."""

    async def one(self, run: str, municipalities: Collection[str]) -> WhatIf:
        """Give one run with its result; raise `NotFound`."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors of whoever tries other rules."""

    clock: Clock
    handles: Handles
    log: AuditLog
    what_ifs: WhatIfs


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be chosen: candidates (None: no place is set up), months (the newest first), and the runs there are."""

    candidates: tuple[str, ...] | None
    months: tuple[str, ...]
    runs: tuple[WhatIf, ...]


def check_role(officer: OfficerLogin) -> None:
    """Raise `NotAllowed` for whoever is no DPO."""
    if officer.role != DPO or not officer.municipalities:
        raise NotAllowed


async def choice(officer: OfficerLogin, desk: Desk) -> Choice:
    """Say what can be tried, and how far runs are. That they began is on the log. Raises `NotAllowed`."""
    check_role(officer)
    runs = await desk.what_ifs.of(officer.municipalities)
    return Choice(await desk.what_ifs.candidates(), months_before(desk.clock.now()), runs)


async def begin(candidate: str, month: str, municipality: str, officer: OfficerLogin, desk: Desk) -> WhatIf:
    """Have a month's questions put to a candidate; the month before this one where none is named.

    Raises `NotAllowed`, `NotFound` for a candidate or municipality that is not theirs, `BadAsk` for another month than
    can be chosen, `Conflict` and `LogUnavailable`.
    """
    check_role(officer)
    if municipality and municipality not in officer.municipalities:
        raise NotFound
    now, home = desk.clock.now(), municipality or min(officer.municipalities)
    month = month or months_before(now)[0]
    if month not in months_before(now):
        raise BadAsk("/month")
    if candidate not in (await desk.what_ifs.candidates() or ()):
        raise NotFound
    actor = await desk.handles.officer(officer)
    digest = await desk.what_ifs.digest(candidate)
    run = WhatIf(str(uuid.uuid4()), home, month, candidate, digest, actor, officer.role, now)
    event = WhatIfBegun(
        municipality=home, subject=actor, actor=actor, at=now, role=officer.role, run=run.id, month=month,
        candidate=candidate, rules=digest,
    )  # fmt: skip
    await desk.what_ifs.begin(run, event)
    return run


async def see(run: str, officer: OfficerLogin, desk: Desk) -> WhatIf:
    """Show one run; where it has a result, the look is on the log first. Raises `NotAllowed`, `NotFound`."""
    check_role(officer)
    found = await desk.what_ifs.one(run, officer.municipalities)
    if found.state == ENDED:
        actor = await desk.handles.officer(officer)
        look = WhatIfSeen(
            municipality=found.municipality, subject=actor, actor=actor, at=desk.clock.now(), role=officer.role,
            run=found.id, month=found.month, candidate=found.candidate,
        )  # fmt: skip
        await desk.log.append([look])
    return found


def months_before(at: datetime) -> tuple[str, ...]:
    """Name the last Danish months that are over, the newest first."""
    day, found = at.astimezone(DANISH_TIME).date(), list[str]()
    for _ in range(MONTHS_BACK):
        day = day.replace(day=1) - timedelta(days=1)
        found.append(f"{day:%Y-%m}")
    return tuple(found)


__all__ = ["Choice", "Desk", "WhatIfs", "begin", "check_role", "choice", "months_before", "see"]
