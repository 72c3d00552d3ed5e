"""The policy's engines, asked alike from plain tests: the model in Python, the embedded engine, and a real OPA."""

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from broker.adapters.policy_answer import contract
from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from broker.domain.decisions import Decision, PolicyMark, Verdict
from broker.domain.errors import PolicyBroken, PolicyUnavailable
from broker.policy_tables import load_rules
from broker.ports import Policy
from tests.model.plain_policy import plain_decision
from tests.model.questions import POLICIES, tables

Result = TypeVar("Result")
RULES = load_rules(POLICIES)
TABLES = tables()
ENGINES = ("plain", "embedded", "opa")


def opa_on_path() -> Path:
    """Find OPA; without it skip on a developer's machine and fail in CI, where it is the judge."""
    found = shutil.which("opa")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("in CI the policies are judged by OPA itself, and it is missing")
        pytest.skip("no opa on PATH")
    return Path(found)


class PlainPolicy:
    """The model in plain Python behind the door `Policy`."""

    def __init__(self, law: Mapping[str, Any]) -> None:
        self._tables = law
        self._contract = contract(RULES, law)
        self.mark = PolicyMark("plain", "", self._contract.revision)

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer as the policy is meant."""
        self._contract.refuse_bad(question)
        return self._contract.decision(plain_decision(question, self._tables), question, self.mark)

    async def close(self) -> None:
        """Nothing to close."""


class Engines:
    """Every engine, opened when first asked for and closed together; a loop of its own serves them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._open: dict[str, Any] = {}
        self._thread.start()

    def decide(self, engine: str, question: Mapping[str, Any], law: Mapping[str, Any] = TABLES) -> Decision:
        """Ask one engine that answers from these tables."""
        return self.wait(self.policy(engine, law).decide(question))

    def verdict(self, engine: str, question: Mapping[str, Any], law: Mapping[str, Any] = TABLES) -> Verdict:
        """Ask a question of one key and give its verdict."""
        [verdict] = self.decide(engine, question, law).verdicts
        return verdict

    def differing(self, engine: str, questions: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Name the questions to which one engine gives another decision than the model."""
        return [
            name
            for name, asked in questions.items()
            if self.decide(engine, asked).verdicts != self.decide("plain", asked).verdicts
        ]

    def raw(self, engine: str, question: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Give the verdicts of the rules alone, past the check of the question's shape; none where the rules fail."""
        policy: Any = self.policy(engine)
        try:
            if engine == "opa":
                answer = self.wait(policy.client._ask(question))["result"]
            else:
                answer = policy._evaluate(question)
        except (PolicyBroken, PolicyUnavailable):
            return []
        verdicts: list[dict[str, Any]] = answer["verdicts"]
        return verdicts

    def policy(self, engine: str, law: Mapping[str, Any] = TABLES) -> Policy:
        """Give an engine for these tables."""
        name = engine + json.dumps(law, sort_keys=True)
        if name not in self._open:
            self._open[name] = self.wait(_opened(engine, law))
        policy: Policy = self._open[name]
        return policy

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something in the engines' loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(600)

    def close(self) -> None:
        """Close every engine and the loop."""
        for policy in self._open.values():
            self.wait(policy.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _opened(engine: str, law: Mapping[str, Any]) -> Any:
    if engine == "plain":
        return PlainPolicy(law)
    if engine == "embedded":
        return EmbeddedPolicy(RULES, law)
    return await SpawnedOpaPolicy.open(opa_on_path(), RULES, law, deadline_seconds=10)
