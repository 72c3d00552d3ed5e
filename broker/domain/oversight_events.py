"""What an overseer does beyond searching, as events: opening a line, keeping searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from broker.domain.events import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryOpened(AuditEvent):
    """An overseer opened one entry of the log and read its body: which line, as what.

    Its subject is who the entry is about, where it shows to them at this moment; else the overseer themself.
    """

    code: ClassVar[int] = 117
    name: ClassVar[str] = "entry.opened"

    log: str
    line: int
    role: str

    def index(self) -> dict[str, Any]:
        """Add the line."""
        return AuditEvent.index(self) | {"line": self.line}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSaved(AuditEvent):
    """An overseer kept a search for themself: which one, of which codes. Its name stands nowhere but sealed."""

    code: ClassVar[int] = 118
    name: ClassVar[str] = "search.saved"

    search: str
    role: str
    criteria: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRemoved(AuditEvent):
    """An overseer took a search of their own away."""

    code: ClassVar[int] = 119
    name: ClassVar[str] = "search.removed"

    search: str
    role: str
