"""One evaluation: whether the caller may, judged and logged as an ask is, with nothing read from any source.

Rules kept here (`design.md` 5, AuthZEN):
- The ask is durable on the log before anything about the citizen is read, its outcome before anything is answered (P2).
- Its permit holds no key, so that nothing can be fetched with it; the citizen reads that nothing was handed out.
- What is told of a place is what an ask for that place alone would be told, no more (P6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from broker.domain.answers import ShownVerdict, shown_places
from broker.domain.asks import EVALUATION, Ask
from broker.domain.identity import Caller
from broker.domain.items import Found
from broker.domain.receipts import Receipt
from broker.exchange.decide import decide
from broker.exchange.keys import asks_of_children
from broker.exchange.look_up import cases_of, look_up
from broker.exchange.record import record
from broker.exchange.release import release
from broker.ports import Ports

NOTHING_READ = Found((), (), 0)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one evaluation found: a row for each (source, category), where it is on record, and under which rules."""

    ask: str
    rows: Mapping[tuple[str, str], ShownVerdict]
    receipt: Receipt
    policy_revision: str


async def evaluate(ask: Ask, caller: Caller, ports: Ports) -> Evaluated:
    """Say what the caller may see, and leave proof that it was asked. Raises as `exchange` does, never `Refused`.

    A consent that changes while this runs is judged again: what is told held when its outcome was written.
    """
    recorded = await record(ask, caller, ports.clock.now(), ports.handles, ports.log, aim=EVALUATION)
    facts = await look_up(
        recorded,
        ports.handles,
        ports.people,
        cases_of(caller, ports.cases),
        ports.consents,
        ports.directory,
        children=asks_of_children(ask, ports.directory),
    )
    judged = await decide(recorded, facts, ports.policy, ports.directory)
    permit = replace(judged, keys=frozenset())
    released = await release(
        NOTHING_READ, permit, ports.log, ports.consents, ports.policy, ports.directory, ports.emergencies
    )
    decision = released.permit.decision
    return Evaluated(ask.id, shown_places(decision), released.receipt, decision.mark.revision)
