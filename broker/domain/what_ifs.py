"""What-if: the questions of a month put to other rules, and the events of whoever has that done.

Rules kept here:
- A month is whole and over, and is tried once by the same rules: nobody gets one question by taking two results from
  each other, be it that a day was added or that somebody was erased meanwhile.
- What is kept of a result is what may be told of it: small numbers are withheld before it is written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from broker.domain.events import AuditEvent

RUNNING, ENDED, BROKEN_OFF = "running", "ended", "broken_off"
# Why a run came to no end: in the order of how likely operations can do something about it.
RULES_UNUSABLE, RAN_AWAY, TOO_LONG, STORE, NODE_ENDED = (
    "rules_unusable",
    "ran_away",
    "too_long",
    "store_unavailable",
    "node_ended",
)
WHYS = (RULES_UNUSABLE, RAN_AWAY, TOO_LONG, STORE, NODE_ENDED)


@dataclass(frozen=True, slots=True)
class Row:
    """How often one thing came of a month's questions, by purpose: None is withheld. `by` is a reason, basis or mask.

    `counts` stand in the order of the purposes of the result.
    """

    kind: str
    by: str
    counts: tuple[int | None, ...]
    total: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a month's questions would come to: rows of counts with their sums, and nobody in them.

    `purposes` names the columns; the empty name is of questions that cannot be read any more. `deleted` counts
    decisions on the municipality's whole log whose content was lawfully deleted, of whatever month.
    """

    purposes: tuple[str, ...]
    rows: tuple[Row, ...]
    totals: tuple[int | None, ...]
    total: int | None
    deleted: int | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One run: whose questions of which month, by which candidate (its folder, its SHA-256), and how far it is."""

    id: str
    municipality: str
    month: str
    candidate: str
    rules: str
    by: str
    role: str
    begun_at: datetime
    state: str = RUNNING
    # How many per cent of the month are gone through, and how many questions were put.
    share: int = 0
    done: int = 0
    ended_at: datetime | None = None
    why: str = ""
    result: Result | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfBegun(AuditEvent):
    """The DPO has a month's questions put to other rules: the decisions on record of that month are opened for it."""

    code: ClassVar[int] = 150
    name: ClassVar[str] = "what_if.begun"

    role: str
    run: str
    month: str
    candidate: str
    rules: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfEnded(AuditEvent):
    """A month's questions were put to other rules, or it was broken off: how many decisions were opened, and why."""

    code: ClassVar[int] = 151
    name: ClassVar[str] = "what_if.ended"

    role: str
    run: str
    month: str
    candidate: str
    decisions: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfSeen(AuditEvent):
    """The DPO was shown what a month's questions would have come to by other rules."""

    code: ClassVar[int] = 152
    name: ClassVar[str] = "what_if.seen"

    role: str
    run: str
    month: str
    candidate: str
