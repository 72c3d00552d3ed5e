"""A steady load of real asks: so many a second, whatever becomes of those before; what each caller saw is kept."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.client import Acting, BrokerRefused, BrokerUnreachable

ANSWERED, REFUSED, UNKNOWN = "answered", "refused", "unknown"
# Of these the proxy says that nobody can know whether the ask was carried out.
NOT_KNOWN = frozenset({502, 504})


@dataclass(frozen=True, slots=True)
class Told:
    """What one caller saw: when they asked, how long they waited, in seconds, and what came.

    `receipt` is the answer's place on the log, (origin, index); `word` names the problem of any other.
    """

    sent: float
    took: float
    kind: str
    word: str = ""
    receipt: tuple[str, int] | None = None


@dataclass(slots=True)
class Load:
    """Asks in turn as each of these callers; all are for the same ask."""

    callers: Sequence[Acting]
    ask: Mapping[str, Any]
    told: list[Told] = field(default_factory=list)
    begun: float = 0.0

    async def run(self, rate: float, stop: asyncio.Event) -> None:
        """Ask at a rate until told to stop, then wait for the last to hear."""
        self.begun = time.perf_counter()
        async with asyncio.TaskGroup() as asks:
            for number, caller in enumerate(itertools.cycle(self.callers)):
                await asyncio.sleep(max(0.0, number / rate - self.now()))
                if stop.is_set():
                    return
                asks.create_task(self._one(caller))

    async def warm(self) -> None:
        """Get each caller's token and connection, and forget what came."""
        for caller in self.callers:
            await self._one(caller)
        self.told.clear()

    def now(self) -> float:
        """Seconds since the load began."""
        return time.perf_counter() - self.begun

    async def _one(self, caller: Acting) -> None:
        sent = self.now()
        try:
            answer = await caller.ask(self.ask)
        except BrokerRefused as refusal:
            kind = UNKNOWN if refusal.status in NOT_KNOWN else REFUSED
            word = str(refusal.problem.get("type") or refusal.problem.get("error")).rpartition(":")[2]
            self.told.append(Told(sent, self.now() - sent, kind, f"{refusal.status} {word}"))
        except BrokerUnreachable:
            self.told.append(Told(sent, self.now() - sent, UNKNOWN, "no answer"))
        else:
            place = answer["receipt"]["log"], int(answer["receipt"]["index"])
            self.told.append(Told(sent, self.now() - sent, ANSWERED, receipt=place))
