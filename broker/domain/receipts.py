"""Receipts: proof that the log holds an entry, and the states of an ask that only the road can reach.

`Recorded` is made by `exchange/record.py` alone, `Permit` by `exchange/decide.py`, `Released` by `exchange/release.py`
(held by a house test): so no source is read before the ask is on record, and nothing is answered before its outcome is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broker.domain.asks import SHARE, Ask, Key
from broker.domain.decisions import Decision
from broker.domain.facts import Facts
from broker.domain.identity import Caller
from broker.domain.items import Found


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where the log holds an entry: the log's origin and the entry's index in it (from 0)."""

    log: str
    index: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """An ask that is durable on the log, with its aim.

    `citizen`, `actor` and `case` are handles; `at` is the ask's one moment.
    """

    ask: Ask
    caller: Caller
    citizen: str
    actor: str
    case: str
    at: datetime
    receipt: Receipt
    aim: str = SHARE


@dataclass(frozen=True, slots=True)
class Permit:
    """What may be fetched, of a recorded ask, on the facts and the decision it rests on.

    `question` is how the policy was asked on these facts; `again` is what it answered itself, where `decision` was
    narrowed by an earlier answer.
    """

    recorded: Recorded
    facts: Facts
    question: Mapping[str, Any]
    decision: Decision
    keys: frozenset[Key]
    again: Decision | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """What leaves: the kept items of a decision whose outcome is durable on every log concerned."""

    permit: Permit
    found: Found
    receipts: tuple[Receipt, ...]

    @property
    def receipt(self) -> Receipt:
        """The entry in the requester's own log about the citizen asked for."""
        return self.receipts[0]
