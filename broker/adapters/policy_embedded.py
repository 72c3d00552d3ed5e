"""The policy in this process: the same rules, run by regorus's interpreter. For demo, tests and small installations.

Only the interpreter (`Engine`), never its virtual machine, which answers wrongly and fails open (`policy.md` 3.5).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Self

import orjson
import regorus

from broker.adapters.policy_answer import contract
from broker.domain.decisions import Decision, PolicyMark
from broker.domain.errors import PolicyBroken
from broker.policy_tables import PolicyFaults, Rules

ENTRY_POINT = "data.broker.share.decision"


class EmbeddedPolicy:
    """A policy engine inside the broker; one per thread, made when a thread first asks. Keeps the door `Policy`.

    Raises `PolicyFaults` when rules or tables cannot be used. A question that is malformed, an evaluation that
    fails and an answer that is no decision are all `PolicyBroken`.
    """

    def __init__(self, rules: Rules, tables: Mapping[str, Any]) -> None:
        self._contract = contract(rules, tables)
        self._modules = rules.portable
        self._data = orjson.dumps({"tables": dict(tables)}).decode()
        self.mark = PolicyMark("embedded regorus", version("gordon-to-regorus"), self._contract.revision)
        try:
            # Some faults show only when a rule is run, so the rules are run once, on nothing.
            engine = self._engine()
            engine.set_input_json("{}")
            engine.eval_rule_as_json(ENTRY_POINT)
        except RuntimeError as fault:
            raise PolicyFaults(["the rules do not compile in the embedded engine"]) from fault

    @classmethod
    async def open(cls, rules: Rules, tables: Mapping[str, Any]) -> Self:
        """Make the engine ready, as its siblings do."""
        return cls(rules, tables)

    async def close(self) -> None:
        """Nothing to close: the engines go with their threads."""

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer the whole question at once; holds the event loop for the milliseconds it takes."""
        self._contract.refuse_bad(question)
        return self._contract.decision(self._evaluate(question), question, self.mark)

    def _evaluate(self, question: Mapping[str, Any]) -> object:
        try:
            return evaluated(self._engine(), orjson.dumps(question).decode())
        except PolicyBroken:
            # An engine that panicked is not asked again.
            _of_this_thread().pop(self.mark.revision, None)
            raise

    def _engine(self) -> Any:
        """Give this thread's engine of this revision: one must never be used, nor let go, by another thread."""
        engines = _of_this_thread()
        engine = engines.get(self.mark.revision)
        if engine is None:
            engine = regorus.Engine()
            for name, text in self._modules.items():
                engine.add_policy(name, text)
            engine.add_data_json(self._data)
            engines[self.mark.revision] = engine
            while len(engines) > MOST_REVISIONS:
                del engines[next(iter(engines))]
        return engine


def evaluated(engine: Any, question: str) -> object:
    """Give an engine's raw answer to a question as JSON; raise `PolicyBroken`, whatever goes wrong in it."""
    try:
        engine.set_input_json(question)
        return orjson.loads(engine.eval_rule_as_json(ENTRY_POINT))
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException:  # noqa: BLE001 -- a Rust panic is a BaseException; whatever it is, the answer is no
        # Its words may hold what was asked, so they end here.
        raise PolicyBroken from None


def _of_this_thread() -> dict[str, Any]:
    """Give the engines of this thread by revision. They belong to the thread, so that they end where they were made."""
    if not hasattr(_engines, "by_revision"):
        _engines.by_revision = {}
    by_revision: dict[str, Any] = _engines.by_revision
    return by_revision


_engines = threading.local()
# A new revision may come while the old one still answers; more than a few at once are left behind by nobody.
MOST_REVISIONS = 4
