"""What a month's questions are tried in: a program without keys, addresses or secrets, spoken to line by line.

Rules kept here:
- It gets rules, questions and counts by a pipe, and answers each line with one: how far it is, a fault, the result.
- What it tells are counts with small numbers withheld, and words of law tables. No question comes back.
- A line that takes too long, or outgrows the memory given, ends it: no handler runs while an engine does.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from broker.adapters.candidate_rules import Candidate
from broker.adapters.policy_batch import EmbeddedRules, RuleSet
from broker.oversight.replay import Asked
from broker.oversight.what_if_tally import Tally, known_words
from broker.policy_lint import lint_modules
from broker.policy_tables import PolicyFaults

WORDS = ("-m", "broker.adapters.what_if_program")
FAULT = {"fault": "rules_unusable"}


@dataclass(slots=True)
class Bench:
    """The candidate, the revisions it was set beside, and what was counted so far."""

    candidate: Candidate = field(default_factory=lambda: Candidate({}, {}))
    schemas: Path = field(default_factory=Path)
    engines: dict[str, tuple[EmbeddedRules, EmbeddedRules, frozenset[str]]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    number: int = 0

    def answer(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """Do what one line says; give the line to answer with."""
        match line:
            case {"candidate": [modules, tables], "schemas": schemas}:
                self.candidate, self.schemas = Candidate(modules, tables), Path(schemas)
                return FAULT if lint_modules(modules) else {"done": 0}
            case {"revision": name, "rules": [modules, tables]}:
                return self._take(name, RuleSet(modules, tables))
            case {"of": name, "questions": list(questions)}:
                return self._put(name, [str(question).encode() for question in questions])
            case {"left_out": left_out, "deleted": deleted}:
                return {"result": self.tally.result(left_out, deleted)}
        return FAULT

    def _take(self, name: str, recorded: RuleSet) -> dict[str, Any]:
        """Set the candidate beside a revision; a candidate that cannot be used at all is a fault."""
        tried = self.candidate.beside(recorded, self.schemas)
        try:
            self.engines[name] = EmbeddedRules(recorded), EmbeddedRules(tried), known_words(tried.tables)
        except (PolicyFaults, RuntimeError, LookupError, TypeError, AttributeError):
            return FAULT
        return {"done": self.number}

    def _put(self, name: str, questions: list[bytes]) -> dict[str, Any]:
        before, after, known = self.engines[name]
        asked = [Asked(str(self.number + place), question) for place, question in enumerate(questions)]
        try:
            self.tally.put(asked, before, after, known)
        except RuntimeError:
            return FAULT
        self.number += len(asked)
        return {"done": self.number}


def main(patience_seconds: float) -> int:
    """Answer line by line until there are no more, each in so many seconds."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    bench = Bench()
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_REAL, patience_seconds)
        sys.stdout.buffer.write(orjson.dumps(bench.answer(orjson.loads(line))) + b"\n")
        sys.stdout.buffer.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
