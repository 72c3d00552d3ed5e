"""Disclosing who an employee's handle stands for: for one reason, to one officer, on the log before it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from broker.domain.events import AuditEvent
from broker.domain.personal import Personal

# Why: a leader explains what their own employee did.
OF_BREAK_GLASS, OF_SAMPLE = "break-glass review", "sample review"


@dataclass(frozen=True, slots=True)
class ActorIdentity:
    """Who an employee's handle stands for, as their employer named them when first seen."""

    issuer: str
    id: Personal[str]
    name: Personal[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployeeDisclosed(AuditEvent):
    """An officer was told who an employee is: for what reason, in which review, of which unit, whose handle.

    Its subject is the officer.
    """

    code: ClassVar[int] = 124
    name: ClassVar[str] = "employee.disclosed"

    reason: str
    review: str
    unit: str
    employee: str
    role: str

    def index(self) -> dict[str, Any]:
        """Add the unit."""
        return AuditEvent.index(self) | {"unit": self.unit}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployeeNamed(AuditEvent):
    """An overseer was told whose the code on a line is, or looked an employee's code up by the id their employer uses.

    Its subject is the overseer. `log` and `line` are those of the line, where there was one; `employee` is the code,
    empty where nobody of that id is known. `words` are why, sealed once more under the overseer's key.
    """

    code: ClassVar[int] = 116
    name: ClassVar[str] = "employee.named"

    disclosure: str
    role: str
    employee: str
    log: str = ""
    line: int | None = None
    words: str = ""

    def index(self) -> dict[str, Any]:
        """Add the line."""
        row = AuditEvent.index(self)
        return row if self.line is None else row | {"line": self.line}
