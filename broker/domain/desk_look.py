"""That the citizens' desk looked at what a citizen has said yes and no to: an event of its own, on their list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from broker.domain.events import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskLooked(AuditEvent):
    """A caseworker at the desk saw a citizen's consents and requests, and nothing of what any system holds.

    Durable before they are read. `opened` is the request or consent that was opened; empty for the list of all.
    """

    code: ClassVar[int] = 90
    name: ClassVar[str] = "desk.looked"

    unit: str
    system: str
    opened: str = ""

    def index(self) -> dict[str, Any]:
        """Add the unit whose desk it was."""
        return AuditEvent.index(self) | {"unit": self.unit}
