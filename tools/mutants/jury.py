"""Who notices a mutant: questions of the rules' tables, made pair by pair, and random; the lint; the rules' own tests.

All these questions are answered by the rules and by a model in plain Python in the tests, and the whole decisions
compared (`tests/rules`, `tests/differential`): a mutant that answers one of them otherwise fails there. Of a question
that breaks its shape the reasons are compared, as `tests/rules/test_unshaped.py` does.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import regorus

from broker.policy_lint import faults_of, parsed
from broker.policy_tables import Rules, load_rules
from tests.model.pairs import FACTORS, of_row, pairwise
from tests.model.questions import POLICIES, random_question, tables
from tests.rules.test_beside import TABLE as BESIDE
from tests.rules.test_emergency import TABLE as EMERGENCIES
from tests.rules.test_periods import TABLE as PERIODS
from tests.rules.test_shown import TABLE as SHOWN
from tests.rules.test_stages import TABLE as STAGES
from tests.rules.test_unshaped import TABLE as UNSHAPED
from tools.mutants.damage import Mutant
from tools.parts import found

ENTRY_POINT = "data.broker.share.decision"
Verdict = Literal["table", "unshaped", "pairs", "random", "lint", "rego", "survived", "no rules"]


class Jury:
    """Knows what the sound rules answer. Each process makes one of its own."""

    def __init__(self, seeds: int) -> None:
        self._rules = load_rules(POLICIES)
        self._tables = json.dumps({"tables": tables()})
        self._asked: dict[Verdict, list[dict[str, Any]]] = {
            "table": [
                question for table in (STAGES, EMERGENCIES, SHOWN, BESIDE, PERIODS) for question, *_ in table.values()
            ],
            "unshaped": [question for question, _ in UNSHAPED.values()],
            "pairs": [of_row(row) for row in pairwise(FACTORS)],
            "random": [*_random(seeds)],
        }
        self._sound = self._engine(self._rules.portable)
        self._known: dict[Verdict, list[tuple[str, str]]] = {}

    def try_one(self, mutant: Mutant) -> Verdict:
        """Tell who notices it first, the quick ones first; `no rules` where the engine cannot read what it left."""
        try:
            engine = self._engine({**self._rules.portable, mutant.file: mutant.text})
            engine.set_input_json("{}")
            engine.eval_rule_as_json(ENTRY_POINT)
        except RuntimeError:
            return "no rules"
        judges: tuple[tuple[Verdict, Callable[[], bool]], ...] = (
            ("table", lambda: self._differs(engine, "table")),
            ("unshaped", lambda: self._differs(engine, "unshaped")),
            ("lint", lambda: bool(faults_of(parsed(mutant.file, mutant.text)))),
            ("rego", lambda: _own_tests_fail(self._rules, mutant)),
            ("pairs", lambda: self._differs(engine, "pairs")),
            ("random", lambda: self._differs(engine, "random")),
        )
        return next((who for who, notices in judges if notices()), "survived")

    def _differs(self, engine: Any, who: Verdict) -> bool:
        """Ask until an answer differs. What noticed one damage is asked first of the next, often its neighbour."""
        if who not in self._known:
            self._known[who] = [_known(self._sound, who, question) for question in self._asked[who]]
        known = self._known[who]
        for place, (question, answer) in enumerate(known):
            if _answer(engine, who, question) != answer:
                known.insert(0, known.pop(place))
                return True
        return False

    def _engine(self, modules: Mapping[str, str]) -> Any:
        engine = regorus.Engine()
        for name, text in modules.items():
            engine.add_policy(name, text)
        engine.add_data_json(self._tables)
        return engine


def _random(seeds: int) -> Iterator[dict[str, Any]]:
    return (random_question(random.Random(seed)) for seed in range(seeds))  # noqa: S311 -- seeded, to be had again


def _known(sound: Any, who: Verdict, question: dict[str, Any]) -> tuple[str, str]:
    """Give a question with what the sound rules answer."""
    asked = json.dumps(question)
    return asked, _answer(sound, who, asked)


def _answer(engine: Any, who: Verdict, question: str) -> str:
    engine.set_input_json(question)
    try:
        answer: str = engine.eval_rule_as_json(ENTRY_POINT)
    except RuntimeError:
        return "no answer"
    return str([verdict["reasons"] for verdict in json.loads(answer)["verdicts"]]) if who == "unshaped" else answer


def _own_tests_fail(rules: Rules, mutant: Mutant) -> bool:
    """Run the tests in Rego against the damaged file; without OPA nobody is asked."""
    opa = found("opa")
    if opa is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder, "policies")
        shutil.copytree(rules.folder, there)
        (there / mutant.file).write_text(mutant.text, "utf-8")
        command: list[str | Path] = [opa, "test", "--ignore=*.schema.json", "--ignore=capabilities.json", there]
        return subprocess.run(command, capture_output=True, check=False).returncode != 0
