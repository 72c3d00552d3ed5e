"""A share of an OPA server's decisions, judged again by the embedded engine beside it: the two must never differ.

Rules kept here:
- The asker's answer never waits for this and never fails by it: a question is put aside, and a thread of its own looks
  at it when it can. What does not fit is let go and counted.
- A difference is counted (`policy_engine_mismatch_total`, which stays 0) and logged by engines and revision alone.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog

from broker.adapters.policy_batch import EmbeddedRules, RuleSet
from broker.adapters.policy_opa import OpaPolicy
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from broker.domain.decisions import Decision, PolicyMark
from broker.domain.kept import canonical, decided

MOST_WAITING = 64
END_SECONDS = 5.0
SAME, DIFFERS, LET_GO, FAILED = "same", "differs", "let_go", "failed"
log = structlog.get_logger()


class ShadowedPolicy:
    """A policy server whose decisions are partly judged again. Keeps the door `Policy`; `share` is 0.01 for 1 %."""

    def __init__(self, policy: OpaPolicy | SpawnedOpaPolicy, rules: RuleSet, *, share: float) -> None:
        self.policy = policy
        self.shadow = Shadow(rules)
        self._share = share
        self._owed = 0.0

    @property
    def mark(self) -> PolicyMark:
        """Which engine and which rules answer."""
        return self.policy.mark

    @property
    def tally(self) -> Counter[str]:
        """How the server's answers came."""
        return self.policy.tally

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Let the server answer; put the question aside when it is its turn to be judged again."""
        decision = await self.policy.decide(question)
        self._owed += self._share
        if self._owed >= 1:
            self._owed -= 1
            self.shadow.put_aside(question, decision)
        return decision

    async def close(self) -> None:
        """Close the server's connection and end the thread."""
        self.shadow.end()
        await self.policy.close()


class Shadow:
    """The thread that judges again, its few waiting questions, and how it went: `tally`, for the operator."""

    def __init__(self, rules: RuleSet) -> None:
        self.tally: Counter[str] = Counter()
        self._rules = rules
        self._waiting: queue.Queue[tuple[Mapping[str, Any], Decision] | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="policy shadow", daemon=True)
        self._thread.start()

    def put_aside(self, question: Mapping[str, Any], decision: Decision) -> None:
        """Take a question with its decision, or let it go when too many wait; returns at once in any case."""
        try:
            self._waiting.put_nowait((question, decision))
        except queue.Full:
            self.tally[LET_GO] += 1

    def end(self) -> None:
        """End the thread, without what still waits."""
        while True:
            try:
                self._waiting.put_nowait(None)
                break
            except queue.Full:
                self._let_one_go()
        self._thread.join(END_SECONDS)

    def _let_one_go(self) -> None:
        try:
            self._waiting.get_nowait()
        except queue.Empty:
            return

    def _work(self) -> None:
        # An engine belongs to the thread that made it.
        engine = EmbeddedRules(self._rules)
        while (one := self._waiting.get()) is not None:
            question, decision = one
            [answer] = engine.answers([canonical(question)])
            how = FAILED if answer is None else SAME if decided(answer) == decided(decision.verdicts) else DIFFERS
            self.tally[how] += 1
            if how != SAME:
                mark = decision.mark
                log.error("policy_engine_mismatch", why=how, engine=mark.engine, revision=mark.revision)
