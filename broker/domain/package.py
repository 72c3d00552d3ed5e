"""That a DPO made the file of what is held about a citizen, to hand it over: an event of its own, on their list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from broker.domain.events import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageMade(AuditEvent):
    """A DPO made the file that a citizen may have of what is held about them (GDPR art. 15), of one municipality.

    Durable before anything is read, the register included: where that keeps silent, no file came of it.
    """

    code: ClassVar[int] = 136
    name: ClassVar[str] = "package.made"

    role: str
