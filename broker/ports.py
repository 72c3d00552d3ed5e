"""The doors: one small protocol per outside thing, and `Ports`, all of them together.

Every door has one real adapter (`broker/adapters/`) and, where tests need it, one fake that passes the same contract
tests (`tests/contracts/`). Doors raise only the errors of `broker/domain/errors.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from broker.domain.decisions import Decision
from broker.domain.directory import Directory
from broker.domain.events import AuditEvent, ConsentEvent
from broker.domain.facts import CaseRecord, ConsentFacts, Employment, RegisterPerson
from broker.domain.identity import Caller, Caseworker
from broker.domain.items import Item
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt


class Clock(Protocol):
    """The only teller of time; read once per ask."""

    def now(self) -> datetime:
        """Give this moment, with its zone."""


class Handles(Protocol):
    """Random names for people and cases: the CPR → handle map, in a database of its own (`design.md` 6b i).

    A handle is made for any well-formed number by the same statements, whether it is known or not, and its key is
    durable before it is given out. Raises `StoreUnavailable`.
    """

    async def citizens(self, cprs: Sequence[Personal[str]]) -> tuple[str, ...]:
        """Give one handle per number, in order; one statement however many there are."""

    async def actor(self, caseworker: Caseworker) -> str:
        """Give the handle of an employee; their identity is kept sealed beside it for the DPO to disclose."""

    async def case(self, unit: str, case: Personal[str]) -> str:
        """Give the handle that stands for a unit's case number."""


class People(Protocol):
    """A CPR register, read live (`design.md` 6.17). Raises `RegisterUnavailable`."""

    name: str

    async def person(self, cpr: Personal[str]) -> RegisterPerson:
        """Tell what the register knows of a person; `known=False` when it knows none."""


class Cases(Protocol):
    """The requesting unit's own case system, read live. Raises `RegisterUnavailable`."""

    name: str

    async def case(self, case: Personal[str], citizen: Personal[str], caseworker: Personal[str]) -> CaseRecord:
        """Tell whether the case is open, is this citizen's, and is this caseworker's or their team's."""

    async def employment(self, caseworker: Personal[str]) -> Employment:
        """Tell whether the caseworker works there today."""


class Consents(Protocol):
    """Consents, requests and blocks. A change and its audit event are one transaction. Raises `StoreUnavailable`."""

    async def facts(
        self, municipality: str, unit: str, purpose: str, case: str, subjects: Sequence[str]
    ) -> ConsentFacts:
        """Read, in one snapshot, the lines given to this unit for this purpose and case, all blocks, all versions."""


class Policy(Protocol):
    """The rules. Raises `PolicyUnavailable` or `PolicyBroken`; both mean no."""

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer the whole question at once: one verdict for each key asked."""


class AuditLog(Protocol):
    """The immutable log. Raises `LogUnavailable`: then nothing is read and nothing goes out (P2)."""

    async def append(
        self, events: Sequence[AuditEvent], *, versions: Sequence[tuple[str, int]] = ()
    ) -> tuple[Receipt, ...]:
        """Write all events durably in one transaction, or none; give one receipt each, in order.

        With `versions` (citizen handle, version), the same transaction first locks each citizen's state row and raises
        `FactsChanged`, writing nothing, when any version is no longer the same (P3).
        """


class Source(Protocol):
    """A department system that holds data; read-only by construction."""

    name: str

    async def read(self, subject: Personal[str], handle: str, categories: frozenset[str]) -> tuple[Item, ...]:
        """Read the permitted categories about one subject, in time, or raise `SourceFailed`.

        `handle` is what the items name the subject by.
        """


@dataclass(frozen=True, slots=True)
class Ports:
    """Every door of the house, opened once in `main.py`."""

    clock: Clock
    handles: Handles
    people: People
    cases: Mapping[str, Cases]
    consents: Consents
    policy: Policy
    log: AuditLog
    sources: Mapping[str, Source]
    directory: Directory


__all__ = [
    "AuditLog", "Caller", "Cases", "Clock", "ConsentEvent", "Consents", "Directory", "Handles", "People", "Policy",
    "Ports", "Source",
]  # fmt: skip
