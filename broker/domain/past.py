"""Decisions on record, as a replay reads them: what was asked, what was answered, and which rules answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broker.domain.receipts import Receipt


@dataclass(frozen=True, slots=True)
class PastDecision:
    """One outcome about the citizen asked for, on the requester's own log.

    `state` is `intact`, `changed` or `erased`; the rest is there only where it is intact. `question` is as packed,
    None where the entry is of before questions were kept. `verdicts` are those about `subject`, as they stand.
    """

    receipt: Receipt
    municipality: str
    at: datetime
    state: str
    revision: str = ""
    subject: str = field(default="", repr=False)
    question: str | None = field(default=None, repr=False)
    question_digest: str = ""
    decided: str | None = None
    verdicts: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    judged_again: bool = False


@dataclass(frozen=True, slots=True)
class PastPage:
    """Past decisions, newest first, and the mark to go on from; None when that was all."""

    decisions: tuple[PastDecision, ...]
    next: str | None
