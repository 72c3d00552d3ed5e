"""Use case 1: sharing data. The road of one ask, one file a step (`design.md` 3)."""

from __future__ import annotations

from broker.domain.answers import Answer, answer_of
from broker.domain.asks import Ask
from broker.domain.errors import Refused
from broker.domain.identity import Caller
from broker.exchange.decide import decide
from broker.exchange.emergency import on_paper_without_log, with_request
from broker.exchange.fetch import fetch
from broker.exchange.keep import keep_permitted
from broker.exchange.keys import asks_of_children
from broker.exchange.look_up import cases_of, look_up
from broker.exchange.record import record
from broker.exchange.release import IsReduced, release
from broker.ports import Ports


async def exchange(ask: Ask, caller: Caller, ports: Ports, *, is_reduced: IsReduced | None = None) -> Answer:
    """Share what the caller may see, and leave proof that it was shared; raise `Refused` when nothing may.

    Step 1, authentication, is done: a `Caller` exists. Any error on the way means that nothing is answered.
    `is_reduced` is given where a whole-person view is asked for: the outcome says whether it was one (C12).
    """
    with on_paper_without_log(emergency=ask.emergency is not None):
        return await _share(ask, caller, ports, is_reduced)


async def _share(ask: Ask, caller: Caller, ports: Ports, is_reduced: IsReduced | None) -> Answer:
    recorded = await record(ask, caller, ports.clock.now(), ports.handles, ports.log)
    # Above this line nothing about the citizen has been read; from here on the ask is on record.
    cases = cases_of(caller, ports.cases)
    children = asks_of_children(ask, ports.directory)
    facts = await look_up(
        recorded, ports.handles, ports.people, cases, ports.consents, ports.directory, children=children
    )
    facts = await with_request(facts, recorded, ports.emergencies)
    permit = await decide(recorded, facts, ports.policy, ports.directory)
    found = await fetch(permit, ports.sources)
    kept = keep_permitted(found, permit, ports.directory)
    released = await release(
        kept, permit, ports.log, ports.consents, ports.policy, ports.directory, ports.emergencies, is_reduced
    )
    # From here on the outcome is on record too, and only now may anything be answered.
    if not released.permit.keys:
        answer = answer_of(released)
        raise Refused(_shown_reasons(answer), released.receipt.log, released.receipt.index, _missing(answer))
    return answer_of(released)


def _shown_reasons(answer: Answer) -> tuple[str, ...]:
    """Gather what a refusal may say; with nothing asked for at all it says that no purpose covers it."""
    codes = {code for verdict in answer.verdicts for code in verdict.reasons}
    return tuple(sorted(codes)) or ("PURPOSE_MISMATCH",)


def _missing(answer: Answer) -> tuple[tuple[str, str, str], ...]:
    """Gather the lines whose yes would turn the refusal; the verdicts name none where that would tell something."""
    return tuple(sorted({(row.source, row.category, row.giver) for v in answer.verdicts for row in v.missing}))
