"""Step 4: one question to the policy, one decision for every key. Never wider than what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broker.domain.decisions import Decision
from broker.domain.directory import Directory
from broker.domain.errors import PolicyBroken
from broker.domain.facts import Facts
from broker.domain.question import question
from broker.domain.receipts import Permit, Recorded
from broker.exchange.keys import keys_of
from broker.ports import Policy


async def decide(recorded: Recorded, facts: Facts, policy: Policy, directory: Directory) -> Permit:
    """Let the policy judge, and make the permit. Raises `PolicyUnavailable` or `PolicyBroken`: both mean no.

    An ask about nothing (no key at all) has an empty permit: nobody objecting is not a yes (P1).
    """
    keys = keys_of(recorded.ask, recorded.caller, facts, directory)
    asked = question(recorded.ask, recorded.caller, facts, keys)
    if not keys:
        return Permit(recorded, facts, asked, Decision((), policy.mark), frozenset())
    decision = await policy.decide(asked)
    if {verdict.key for verdict in decision.verdicts} != keys:
        raise PolicyBroken
    return Permit(recorded, facts, asked, decision, decision.permitted)


def narrow(permit: Permit, facts: Facts, asked: Mapping[str, Any], again: Decision) -> Permit:
    """Make the permit that both decisions give: the later verdicts, nothing wider than the first (P3).

    Raises `PolicyBroken` when the later one is about other keys.
    """
    if {verdict.key for verdict in again.verdicts} != {verdict.key for verdict in permit.decision.verdicts}:
        raise PolicyBroken
    both = permit.decision.narrowed(again)
    return Permit(permit.recorded, facts, asked, both, both.permitted & permit.keys, again)
