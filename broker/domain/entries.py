"""What the log tells those who may read it: a citizen of themself, an overseer of their municipalities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broker.domain.receipts import Receipt

# Whole and as written; a row was changed behind our back; the subject's key is gone, lawfully.
INTACT, CHANGED, ERASED = "intact", "changed", "erased"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry as read: where it stands, its index row, and its body where the reader may open it.

    `index` and `body` have the fields that `domain/events.py` fixes. `state` is `intact`, `changed` or `erased`; a
    body is only given where it is intact.
    """

    receipt: Receipt
    municipality: str
    at: datetime
    kind: str
    index: Mapping[str, Any]
    state: str
    body: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries, newest first, and the mark to go on from; None when that was all."""

    entries: tuple[LogEntry, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What a reader looks for; None means any. Times are whole seconds, `until` not included.

    `emergency` asks for what was done for danger to life, the asking, the answer and the look; `case` is its handle.
    `holders` are sources of which one was read: that and `oldest_first` are for an overseer's search alone.
    """

    kind: str | None = None
    unit: str | None = None
    purpose: str | None = None
    outcome: str | None = None
    reason: str | None = None
    source: str | None = None
    basis: str | None = None
    citizen: str | None = None
    actor: str | None = None
    ask: str | None = None
    since: int | None = None
    until: int | None = None
    emergency: bool | None = None
    case: str | None = None
    holders: tuple[str, ...] | None = None
    oldest_first: bool | None = None

    def fields(self) -> dict[str, Any]:
        """Give what an index row must contain."""
        named = {"actor": self.actor, "case": self.case}
        return {name: value for name, value in named.items() if value is not None} | self.shape()

    def shape(self) -> dict[str, Any]:
        """Give what of it many rows have alike."""
        plain = {name: getattr(self, name) for name in ("kind", "unit", "purpose", "outcome", "emergency")}
        listed = {"reasons": self.reason, "sources": self.source, "basis": self.basis}
        return {name: value for name, value in plain.items() if value is not None} | {
            name: [value] for name, value in listed.items() if value is not None
        }


EVERYTHING = LogFilter()


@dataclass(frozen=True, slots=True)
class LogState:
    """One municipality's log of one year: how long it is, and how much of that is signed, when."""

    origin: str
    municipality: str
    year: int
    size: int
    signed_size: int
    signed_at: datetime | None
