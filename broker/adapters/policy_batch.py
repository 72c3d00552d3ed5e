"""Rules and tables of any revision, run over many questions at once: for replay, what-if and golden vectors.

Rules kept here:
- A revision on record was checked on its day: it is run as it stands. What is new is held to today's checks first.
- A question that fails, or whose answer is no decision, has the answer None; the others go on.
- OPA runs without the network's builtins and within a time; what takes longer has no answer.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import regorus

from broker.adapters.policy_answer import Contract, contract
from broker.adapters.policy_embedded import evaluated
from broker.domain.decisions import PolicyMark, Verdict
from broker.domain.errors import PolicyBroken
from broker.policy_tables import SERVER_ONLY, Rules

MARK = PolicyMark("batch", "", "")
QUERY = "[decision | some question in data.asked; decision := data.broker.share.decision with input as question]"


class EngineFailed(Exception):
    """OPA itself could not be run, or not in time. Says nothing of what was asked."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules and tables; `folder` holds the schemas they are held to, None for a revision that was accepted before."""

    modules: Mapping[str, str] = field(repr=False)
    tables: Mapping[str, Any] = field(repr=False)
    folder: Path | None = None

    @property
    def portable(self) -> dict[str, str]:
        """The modules every engine runs."""
        return {name: text for name, text in self.modules.items() if not name.startswith(SERVER_ONLY)}

    def contract(self) -> Contract:
        """Make what an answer is held to; raise `PolicyFaults` where new tables cannot be used."""
        if self.folder is not None:
            return contract(Rules(self.folder, self.modules), self.tables)
        reasons = {code: row["caller"] for code, row in self.tables["reasons"].items()}
        return Contract(is_question=_anything, is_answer=_anything, seen_by_asker=reasons, revision="")


def _anything(_: Any) -> bool:
    return True


class EmbeddedRules:
    """A rule set in regorus's interpreter, in this thread alone."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._contract = rules.contract()
        self._engine = self._fresh()

    def answers(self, questions: Sequence[bytes]) -> list[tuple[Verdict, ...] | None]:
        """Answer canonical questions in order."""
        raw = self.raw(questions)
        return [_read(self._contract, question, one) for question, one in zip(questions, raw, strict=True)]

    def raw(self, questions: Sequence[bytes]) -> list[object]:
        """Give the engine's own answers, unread; None where it gives none."""
        return [self._answer(question) for question in questions]

    def _fresh(self) -> Any:
        engine: Any = regorus.Engine()
        for name, text in self._rules.portable.items():
            engine.add_policy(name, text)
        engine.add_data_json(orjson.dumps({"tables": dict(self._rules.tables)}).decode())
        return engine

    def _answer(self, question: bytes) -> object:
        try:
            return evaluated(self._engine, question.decode())
        except PolicyBroken:
            self._engine = self._fresh()
            return None


class OpaRules:
    """A rule set run by `opa eval`, many questions a run. `capabilities` names the builtins it may use."""

    def __init__(self, opa: Path, capabilities: Path, rules: RuleSet, *, seconds: float = 120.0) -> None:
        self._opa = opa
        self._capabilities = capabilities
        self._rules = rules
        self._seconds = seconds
        self._contract = rules.contract()

    def answers(self, questions: Sequence[bytes]) -> list[tuple[Verdict, ...] | None]:
        """Answer canonical questions in order. Raises `EngineFailed`."""
        raw = self.raw(questions)
        return [_read(self._contract, question, one) for question, one in zip(questions, raw, strict=True)]

    def raw(self, questions: Sequence[bytes]) -> list[Any]:
        """Give OPA's own answers, unread; None where it gives none. Raises `EngineFailed`."""
        if not questions:
            return []
        answers = self._run(questions)
        if answers is not None and len(answers) == len(questions):
            return answers
        if len(questions) == 1:
            return [None]
        # One that fails fails its whole run: halve until it stands alone.
        middle = len(questions) // 2
        return self.raw(questions[:middle]) + self.raw(questions[middle:])

    def _run(self, questions: Sequence[bytes]) -> list[Any] | None:
        with tempfile.TemporaryDirectory(prefix="broker-replay-") as name:
            folder = Path(name)
            data = {"asked": [orjson.Fragment(question) for question in questions], "tables": dict(self._rules.tables)}
            (folder / "asked.json").write_bytes(orjson.dumps(data))
            for module, text in self._rules.portable.items():
                (folder / module).write_text(text, "utf-8")
            files = [f"--data={folder / module}" for module in (*self._rules.portable, "asked.json")]
            flags = ("--strict-builtin-errors", "--format=raw", f"--capabilities={self._capabilities}")
            try:
                done = subprocess.run(  # noqa: S603 -- the program is the operator's own choice, the flags are ours
                    [self._opa, "eval", *flags, *files, QUERY], capture_output=True, timeout=self._seconds, check=False
                )
            except (OSError, subprocess.TimeoutExpired):
                raise EngineFailed from None
        if done.returncode != 0:
            return None
        answers: list[Any] = orjson.loads(done.stdout)
        return answers


def _read(judge: Contract, question: bytes, raw: object) -> tuple[Verdict, ...] | None:
    """Read an answer as a decision; None where it is none, or the question is none these rules know."""
    try:
        asked = orjson.loads(question)
        judge.refuse_bad(asked)
        return judge.decision(raw, asked, MARK).verdicts
    except (PolicyBroken, LookupError, TypeError, ValueError):
        return None
