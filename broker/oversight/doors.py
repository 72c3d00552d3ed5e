"""The doors that reviews alone go through: after-checks, what later accesses told of two people, who an employee is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from broker.domain.after_checks import AfterCheck, AfterCheckEscalated, AfterCheckEvent, NoticeState
from broker.domain.disclosed import ActorIdentity, EmployeeDisclosed, EmployeeNamed
from broker.domain.entries import LogEntry
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.relations import Relation, Relations


class RelationsOnRecord(Protocol):
    """How caseworkers stood to citizens, of the accesses of some seconds. Raises `StoreUnavailable`."""

    async def of(self, municipality: str, since: int, until: int) -> Relations:
        """Give what is known of these accesses; of all others, nothing."""


class AfterChecks(Protocol):
    """After-checks of break-glass. Each step and its event are one transaction.

    Raises `StoreUnavailable`, `LogUnavailable`.
    """

    async def of(
        self,
        municipalities: Collection[str],
        units: Collection[tuple[str, str]] | None,
        after: str | None,
        limit: int,
        *,
        state: str | None = None,
        opened_before: datetime | None = None,
        escalated: bool | None = None,
    ) -> tuple[AfterCheck, ...]:
        """List after-checks, the newest first, of all units or of these, from behind one of them on; without words.

        With `opened_before`, only those that were opened, or opened again, before it and are not closed; with
        `escalated`, only those that are not closed and were, or were not, escalated since.
        """

    async def by_id(self, after_check: str, municipalities: Collection[str]) -> AfterCheck:
        """Read one with its words; raise `NotFound`."""

    async def late(self, municipality: str, opened_before: datetime) -> int:
        """Count those that were opened, or opened again, before a moment and are not closed."""

    async def escalated(self, municipalities: Collection[str]) -> int:
        """Count those that were escalated since they were opened, or opened again, and are not closed."""

    async def notice(self, request: str, citizen: str, municipality: str, unit: str, at: datetime) -> NoticeState:
        """Say how the notice of a request stands; `NOT_KNOWN` where it waits no more."""

    async def read(self, after_check: AfterCheck, event: AfterCheckEvent) -> Receipt:
        """Keep that it was opened."""

    async def step(
        self, after_check: AfterCheck, state: str, text: Personal[str] | None, event: AfterCheckEvent
    ) -> Receipt:
        """Take the next step; raise `Conflict` where somebody else took it meanwhile, or its citizen is erased."""

    async def escalate(self, after_check: AfterCheck, event: AfterCheckEscalated) -> Receipt:
        """Keep that it is escalated; raise `Conflict` where that was done, or it was closed or opened again."""


class RelationsOfTwo(Protocol):
    """What the registers told at the accesses of one caseworker to one citizen. Raises `StoreUnavailable`."""

    async def of_two(
        self, municipality: str, actor: str, citizen: str, since: int, until: int
    ) -> tuple[tuple[datetime, Relation], ...]:
        """List each of some seconds with its moment, the first first."""


class Disclosures(Protocol):
    """Who an employee's handle stands for. Raises `StoreUnavailable`, `LogUnavailable`."""

    async def tell(self, event: EmployeeDisclosed) -> ActorIdentity:
        """Write down that it is told, then tell it; raise `NotFound` for a handle that is no employee's."""

    async def is_of(self, handle: str, person: Personal[str], issuers: Collection[str]) -> bool:
        """Tell whether a handle is that of the employee whom one of these issuers names so; who it is is not told."""

    async def record(self, event: EmployeeNamed, why: Personal[str]) -> None:
        """Write down that a name and a code are put together, and why, sealed under the key of who does it."""

    async def name(self, event: EmployeeNamed, why: Personal[str]) -> ActorIdentity:
        """Write it down as `record` does, then tell whose the code is; raise `NotFound` as `tell`."""

    async def why(self, entry: LogEntry) -> Personal[str] | None:
        """Read why, of an entry that says so and still opens; None for any other."""


@dataclass(frozen=True, slots=True)
class ReviewDoors:
    """The doors above, together; and how many working days a leader has after an escalation."""

    after_checks: AfterChecks
    relations: RelationsOfTwo
    disclosures: Disclosures
    leader_days: int
