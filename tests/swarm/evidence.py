"""What is left of a play of many against many: what each client saw, what the logs hold, what was done to the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ASK, WITHDRAW, BLOCK, LIFT, GRANT, REQUEST, LOOK = "ask", "withdraw", "block", "lift", "grant", "request", "look"
TRIES = (ASK, WITHDRAW, BLOCK)
ANSWERED = {ASK: {200, 403}, WITHDRAW: {200}, BLOCK: {201}, LIFT: {200}, GRANT: {200, 201}, REQUEST: {201}, LOOK: {200}}

Line = tuple[str, str]  # source, category
Place = tuple[str, int]  # log, index


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request as its client saw it, between two moments of the one clock that all clients share.

    `status` 0 means that no answer came. `released` are the answer's released verdicts of other units, each with the
    consents it names; `target` is the consent or block that a change was about.
    """

    kind: str
    citizen: str
    node: int
    begin: float
    end: float
    status: int
    place: Place | None = None
    ask: str = ""
    verdicts: tuple[tuple[str, str, str], ...] = ()  # source, category, verdict
    released: tuple[tuple[str, str, tuple[str, ...]], ...] = ()  # source, category, consents
    items: tuple[Line, ...] = ()
    counts: tuple[int, int] = (0, 0)  # own, shared
    target: str = ""
    lines: tuple[Line, ...] | None = None  # None: all
    block: tuple[str | None, str | None, str | None] = (None, None, None)  # source, unit, category
    said: str = ""

    @property
    def unheard(self) -> bool:
        """Whether the node was not there to be reached at all."""
        return self.said == "ClientConnectorError"

    @property
    def answered(self) -> bool:
        """Whether the answer is one that a well-run broker gives to this request."""
        return self.status in ANSWERED[self.kind]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log, opened."""

    log: str
    index: int
    kind: str
    citizen: str
    body: Mapping[str, Any] = field(repr=False)

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.log, self.index


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a node was stopped (`pause`), or dead and coming up again (`kill`)."""

    node: int
    kind: str
    begin: float
    end: float


@dataclass(slots=True)
class Evidence:
    """All of it. `log` is the asking municipality's, `intact` what the verifier said of each log."""

    unit: str
    log: str
    attempts: list[Attempt] = field(default_factory=list, repr=False)
    entries: list[Entry] = field(default_factory=list, repr=False)
    outages: list[Outage] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    intact: dict[str, bool] = field(default_factory=dict)
    seconds: float = 0.0
